"""The spool: batches of raw messages on disk between the broker's acknowledgement and the store.

A directory of append-only segment files. A batch is one record (length, CRC-32, times, count, MessagePack of the topics
and payloads), written by one write and one fdatasync, so it is there whole or not at all. Every start begins a new
segment and never touches an old one; a reader takes the first damaged record for the end of its segment, so a torn tail
costs what was never acknowledged and nothing else. Where the reader stands is kept by whoever reads (`ingest.ledger`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from station.errors import DataDirectoryError, TransientError

Message = tuple[str, bytes]
"""(topic, payload) as it came."""

MAGIC: Final = b"JINMA-SPOOL-1\n"
HEAD: Final = struct.Struct("<IIqqI")
"""Length of the body, CRC-32 of all that follows it, station ms, wall ms, count of messages."""
CHECKED_FROM: Final = 8
SUFFIX: Final = ".spool"
SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""Space comes back a segment at a time; 8 MiB is ten minutes of a station at its own rate."""
_RECENT_BYTES: Final = 8 * 1024 * 1024
"""Of the newest records this much stays in memory, so that a delivery that keeps up never reads the disk."""

_AGE_LOOK_S: Final = 1.0
"""How often a batch that waits looks whether the oldest has been delivered; room is told of at once."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Message]).decode


class SpoolWriteError(TransientError):
    """The spool could not commit: disk full, or failing. Nothing of the batch counts as taken."""


class SpoolClosedError(TransientError):
    """The spool was closed while a batch waited for room; the batch was not taken."""


class Position(NamedTuple):
    """A place between two records; positions grow with time."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """A record that was read."""

    station_ms: int
    wall_ms: int
    messages: list[Message]
    end: Position


class Spool:
    """A bounded queue on disk. One thread appends, one reads and releases.

    Args:
        directory: Made where it is missing; used by one process at a time.
        most_bytes: Size on disk at which `append` waits for room instead of taking more.
        most_age: Age of what is not delivered at which `append` waits too.
        segment_bytes: Size at which a segment is followed by the next.

    Raises:
        DataDirectoryError: Another process uses the directory.
    """

    def __init__(
        self,
        directory: Path,
        most_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        most_age: dt.timedelta = dt.timedelta.max,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._lock_file = _lock(directory)
        self._most_bytes = most_bytes
        self._most_age_s = most_age.total_seconds()
        self._waits_since_ms: int | None = None
        self._segment_bytes = max(1, min(segment_bytes, most_bytes // 4))
        self._changed = threading.Condition()
        self._recent: deque[tuple[Position, Batch, int]] = deque()
        self._recent_bytes = 0
        self._commits = 0
        self._closed = False
        self._released = False
        self._waiting_for_room = False
        self._sizes = {int(path.stem): path.stat().st_size for path in directory.glob(f"*{SUFFIX}")}
        self._active = max(self._sizes, default=0)
        self._file = -1
        self._reader: tuple[int, int] | None = None
        self._roll()

    @property
    def size_bytes(self) -> int:
        """Size on disk, of what is delivered but not yet freed too."""
        return sum(list(self._sizes.values()))  # a copy at once: another thread may begin a segment meanwhile

    @property
    def most_bytes(self) -> int:
        """The bound of `size_bytes`."""
        return self._most_bytes

    @property
    def full(self) -> bool:
        """True while a batch waits for room."""
        return self._waiting_for_room

    @property
    def fullness(self) -> float:
        """How near `append` is to waiting, 0 to 1: by size or by age, whichever is nearer."""
        return min(1.0, max(self.size_bytes / self._most_bytes, self._age_s() / self._most_age_s))

    def note_waiting(self, since_wall_ms: int | None) -> None:
        """Take the word of the reader on when the oldest message came that it could not deliver yet."""
        self._waits_since_ms = since_wall_ms

    def _age_s(self) -> float:
        since_ms = self._waits_since_ms
        return 0.0 if since_ms is None else max(0.0, time.time() - since_ms / 1000)

    @property
    def end(self) -> Position:
        """The place behind the newest record."""
        with self._changed:
            return Position(self._active, self._sizes[self._active])

    def append(self, messages: Sequence[Message], station_ms: int, wall_ms: int) -> None:
        """Commit a batch to disk; waits while the spool is full.

        Args:
            messages: Topics and payloads in order.
            station_ms: Receive time by the station's clock, epoch ms.
            wall_ms: Receive time by the wall, epoch ms.

        Raises:
            SpoolWriteError: The disk refused; the batch does not count as taken.
            SpoolClosedError: Closed while waiting for room.
        """
        kept = list(messages)
        body = _encode(kept)
        if len(body) > self._most_bytes // 4 and len(kept) > 1:
            # So large a batch would overshoot the bound; half of it that is taken twice after a failure does no harm.
            middle = len(kept) // 2
            self.append(kept[:middle], station_ms, wall_ms)
            self.append(kept[middle:], station_ms, wall_ms)
            return
        checked = struct.pack("<qqI", station_ms, wall_ms, len(kept)) + body
        record = struct.pack("<II", len(body), zlib.crc32(checked)) + checked
        with self._changed:
            self._wait_for_room(len(record))
            start = Position(self._active, self._sizes[self._active])
            self._write(record, start.offset)
            end = Position(start.segment, start.offset + len(record))
            self._sizes[self._active] = end.offset
            self._commits += 1
            self._remember(start, Batch(station_ms, wall_ms, kept, end), len(record))
            if end.offset >= self._segment_bytes:
                # A disk too full for a new file refuses the next record, not this one: it is committed.
                with contextlib.suppress(OSError):
                    self._roll()
            self._changed.notify_all()

    def _wait_for_room(self, size: int) -> None:
        # A record greater than the whole bound is taken once all before it is gone: better big than stuck.
        while self._has_no_room(size) and not self._closed:
            self._waiting_for_room = True
            self._changed.notify_all()
            self._changed.wait(_AGE_LOOK_S)
        self._waiting_for_room = False
        if self._closed:
            raise SpoolClosedError("the spool is closed")

    def _has_no_room(self, size: int) -> bool:
        too_large = self.size_bytes + size > self._most_bytes and not self._is_empty()
        return too_large or self._age_s() > self._most_age_s

    def _is_empty(self) -> bool:
        return len(self._sizes) == 1 and self._sizes[self._active] <= len(MAGIC)

    def _write(self, record: bytes, offset: int) -> None:
        try:
            done = 0
            while done < len(record):
                done += os.pwrite(self._file, record[done:] if done else record, offset + done)
            os.fdatasync(self._file)
        except OSError as error:
            # What reached the disk of it is cut off; should that fail too, the next record is written over it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, offset)
            raise SpoolWriteError(f"spool {self._directory}: {error.strerror}; free some space") from error

    def _remember(self, start: Position, batch: Batch, size: int) -> None:
        self._recent.append((start, batch, size))
        self._recent_bytes += size
        while self._recent_bytes > _RECENT_BYTES and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popleft()[2]

    def _roll(self) -> None:
        """Begin the next segment."""
        number = self._active + 1
        file = os.open(self._path(number), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        try:
            os.pwrite(file, MAGIC, 0)
            os.fsync(file)
            _sync_directory(self._directory)
        except OSError:
            os.close(file)
            self._path(number).unlink(missing_ok=True)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._active = file, number
        self._sizes[number] = len(MAGIC)

    def read(self, position: Position | None, most_messages: int, timeout_s: float) -> list[Batch]:
        """Return whole records behind a position, oldest first, of about `most_messages`.

        Args:
            position: Where the reader stands; None for the oldest there is.
            most_messages: No further record is added once this many are reached.
            timeout_s: How long to wait for a first one.
        """
        deadline = time.monotonic() + timeout_s
        batches: list[Batch] = []
        count = 0
        while count < most_messages:
            seen = self._commits
            batch = self._next(position)
            if batch is None:
                if batches or timeout_s <= 0.0:
                    break
                self._wait_for_commit(seen, deadline)
                timeout_s = 0.0
                continue
            position = batch.end
            batches.append(batch)
            count += len(batch.messages)
        return batches

    def _wait_for_commit(self, seen: int, deadline: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._commits != seen, max(0.0, deadline - time.monotonic()))

    def _next(self, position: Position | None) -> Batch | None:
        with self._changed:
            while self._recent and position is not None and self._recent[0][0] < position:
                self._recent_bytes -= self._recent.popleft()[2]
            if self._recent and self._recent[0][0] == position:
                return self._recent[0][1]
            segments = sorted(self._sizes)
            active, committed = self._active, self._sizes[self._active]
        at = position or Position(segments[0], len(MAGIC))
        for segment in segments:
            if segment < at.segment:
                continue
            offset = at.offset if segment == at.segment else len(MAGIC)
            batch = self._read_record(segment, max(offset, len(MAGIC)), committed if segment == active else None)
            if batch is not None:
                return batch
        return None

    def _read_record(self, segment: int, offset: int, committed: int | None) -> Batch | None:
        """Return the record at a place, None where the segment ends there: really, by a cut, or by damage."""
        if committed is not None and offset >= committed:
            return None
        file = self._open_for_reading(segment)
        head = os.pread(file, HEAD.size, offset)
        if len(head) < HEAD.size:
            return None
        length, crc, station_ms, wall_ms, count = HEAD.unpack(head)
        if length > self._sizes.get(segment, 0):
            return None
        body = os.pread(file, length, offset + HEAD.size)
        if len(body) < length or zlib.crc32(body, zlib.crc32(head[CHECKED_FROM:])) != crc:
            return None
        messages = _decode(body)
        assert len(messages) == count
        return Batch(station_ms, wall_ms, messages, Position(segment, offset + HEAD.size + length))

    def _open_for_reading(self, segment: int) -> int:
        if self._reader is None or self._reader[0] != segment:
            if self._reader is not None:
                os.close(self._reader[1])
            self._reader = (segment, os.open(self._path(segment), os.O_RDONLY))
        return self._reader[1]

    def release(self, position: Position) -> None:
        """Free what lies wholly before a position, which is the reader's; called by the reader."""
        # Somebody waits and nothing is left to read: whatever is on disk is delivered, or damaged.
        all_read = self._waiting_for_room and self._next(position) is None
        with self._changed:
            if all_read and self._waiting_for_room:
                if self._sizes[self._active] > len(MAGIC):
                    self._roll()
                keep_from = self._active
            elif position.segment != self._active and position.offset >= self._sizes.get(position.segment, 0):
                keep_from = position.segment + 1
            else:
                keep_from = position.segment
            for segment in [number for number in self._sizes if number < keep_from]:
                self._path(segment).unlink(missing_ok=True)
                del self._sizes[segment]
            self._changed.notify_all()

    def nudge(self) -> None:
        """Let a waiting `read` return."""
        with self._changed:
            self._commits += 1
            self._changed.notify_all()

    def close_for_writing(self) -> None:
        """Take no more, and let a waiting `append` go; reading goes on with what is there."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self) -> None:
        """Release everything; idempotent."""
        self.close_for_writing()
        with self._changed:
            if self._released:
                return
            self._released = True
            os.close(self._file)
            if self._reader is not None:
                os.close(self._reader[1])
            self._lock_file.close()

    def _path(self, segment: int) -> Path:
        return self._directory / f"{segment:012d}{SUFFIX}"


def _lock(directory: Path) -> _HeldLock:
    held = _HeldLock(os.open(directory / "lock", os.O_CREAT | os.O_RDWR, 0o644))
    try:
        fcntl.flock(held.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise DataDirectoryError(f"spool {directory} is in use by another process; give this one its own") from error
    return held


class _HeldLock:
    def __init__(self, file: int) -> None:
        self.file = file

    def close(self) -> None:
        os.close(self.file)


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
