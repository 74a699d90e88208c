"""An outbox on disk: what a gateway has measured outlives the death of the process that plays it.

A folder a gateway, of append-only segment files. What is about to be sent is first written, a batch as one record
(length, CRC-32, MessagePack of the messages), so that it is there whole or not at all. Every start begins a new segment
and never touches an old one, so a torn tail costs the one batch that was never sent. A death of the process loses
nothing; a power cut may lose what was written since the last fdatasync, about a second.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
import structlog

from simulators.gateways.outbox import Held, Numbering
from simulators.measuring.sampled import Emission
from station.domain.plant import Plant
from station.errors import DataDirectoryError
from station.wire import topics

_log = structlog.get_logger(__name__)

MOST_BYTES: Final = 32 * 1024 * 1024
"""On disk for each gateway: half a day of its messages at 1x (150 bytes each, 4 a second); 400 MB for twelve."""
MOST_MESSAGES: Final = 250_000
"""The same in messages: an ingest that comes back takes these in about a minute."""
SEGMENT_BYTES: Final = 256 * 1024
"""Space comes back a segment at a time; the watermark is a few seconds behind, so one or two is all there is."""
UNTOLD_SEGMENTS: Final = 2
"""Kept where nobody ever said what is stored: then the broker's acknowledgement is all there is to wait for."""
SYNC_S: Final = 1.0
"""Between two fdatasyncs, in a thread of their own: a slow disk must not hold up what is measured."""

_MAGIC: Final = b"JINMA-OUTBOX-1 "
_HEAD: Final = struct.Struct("<II")
_SUFFIX: Final = ".outbox"
_TOLD: Final = "told"
"""Name of the empty file that says: of this gateway a watermark was heard once."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Emission]).decode


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one gateway is kept; beyond it the oldest segment goes."""

    most_bytes: int = MOST_BYTES
    most_messages: int = MOST_MESSAGES
    segment_bytes: int = SEGMENT_BYTES


@dataclass(slots=True)
class _Segment:
    """One file; `highest` is the last number of each topic in it."""

    path: Path
    boot: str
    size: int
    count: int = 0
    highest: dict[str, int] = field(default_factory=dict)


class GatewayFiles:
    """The messages of one gateway on disk; appended to by one thread, synced by another.

    Args:
        directory: Made where it is missing.
        boot: The present run.
        bounds: How much is kept.
    """

    def __init__(self, directory: Path, boot: str, bounds: Bounds) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._boot = boot
        self._bounds = bounds
        self._told = (directory / _TOLD).exists()
        self._segments = _found(directory)
        self._earlier = len(self._segments)
        self._next = 1 + max((int(path.stem) for path in directory.glob(f"*{_SUFFIX}")), default=0)
        self._file = -1
        self._lock = threading.Lock()
        self._dirty = False
        self._failing = False
        self._overfull = False
        self.dropped = 0
        """Messages that had to go, for there were too many, or the disk did not take them."""

    @property
    def segments(self) -> Sequence[_Segment]:
        """The files, oldest first."""
        return self._segments

    @property
    def earlier(self) -> Sequence[_Segment]:
        """Those of the runs before."""
        return self._segments[: self._earlier]

    def append(self, emissions: list[Emission]) -> None:
        """Write messages; a disk that refuses costs their durability, never the plant's going on."""
        body = _encode(emissions)
        record = _HEAD.pack(len(body), zlib.crc32(body)) + body
        try:
            if self._file < 0 or self._segments[-1].size >= self._bounds.segment_bytes:
                self._begin_segment()
            self._write(record)
        except OSError as error:
            self.dropped += len(emissions)
            if not self._failing:
                _log.warning("outbox not written; what is measured is not kept", error=str(error))
            self._failing = True
            return
        self._failing = False
        segment = self._segments[-1]
        segment.size += len(record)
        segment.count += len(emissions)
        highest = segment.highest
        for _, topic, _, seq in emissions:
            highest[topic] = seq

    def _write(self, record: bytes) -> None:
        size = self._segments[-1].size
        try:
            done = 0
            while done < len(record):
                done += os.pwrite(self._file, record[done:] if done else record, size + done)
        except OSError:
            # What reached the disk of it is cut off; should that fail too, the next record is written over it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, size)
            raise
        self._dirty = True

    def _begin_segment(self) -> None:
        path = self._directory / f"{self._next:012d}{_SUFFIX}"
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        head = _MAGIC + self._boot.encode() + b"\n"
        try:
            os.pwrite(file, head, 0)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = file
        self._next += 1
        self._segments.append(_Segment(path, self._boot, len(head)))
        self._keep_to_bounds()

    def _keep_to_bounds(self) -> None:
        bounds = self._bounds
        most_bytes = bounds.most_bytes if self._told else (UNTOLD_SEGMENTS + 1) * bounds.segment_bytes
        size = sum(segment.size for segment in self._segments) + bounds.segment_bytes
        count = sum(segment.count for segment in self._segments)
        while len(self._segments) > 1 and (size > most_bytes or count > bounds.most_messages):
            oldest = self._segments[0]
            size -= oldest.size
            count -= oldest.count
            self._drop(0)
            if self._told:
                self.dropped += oldest.count
                if not self._overfull:
                    _log.warning("outbox is full, the oldest goes", folder=str(self._directory))
                self._overfull = True

    def settle(self, numbering: Numbering, stored: Mapping[Numbering, int]) -> None:
        """Drop the segments that are wholly stored, at the beginning; the one being written stays."""
        if not self._told:
            self._told = True
            with contextlib.suppress(OSError):  # then the next run asks again
                (self._directory / _TOLD).touch()
        while len(self._segments) > (0 if self._file < 0 else 1) and _is_stored(self._segments[0], stored):
            self._drop(0)
            self._overfull = False
        # Of an earlier run one unit may never be told of: that must not keep all that came after it.
        for place in range(self._earlier - 1, 0, -1):
            segment = self._segments[place]
            if segment.boot == numbering[0] and _is_stored(segment, stored):
                self._drop(place)

    def _drop(self, place: int) -> None:
        self._segments.pop(place).path.unlink(missing_ok=True)
        if place < self._earlier:
            self._earlier -= 1

    def held(self, *, boots_before: bool) -> Iterator[Held]:
        """Yield what is kept, as it was written.

        Args:
            boots_before: What earlier runs left; else what the present one keeps.
        """
        segments = self._segments[: self._earlier] if boots_before else self._segments[self._earlier :]
        for segment in segments:
            for emission in _messages(segment.path, segment.size):
                yield segment.boot, emission

    def sync(self) -> None:
        """Have the disk write what was appended; from any thread."""
        with self._lock:
            if not self._dirty or self._file < 0:
                return
            self._dirty = False
            file = os.dup(self._file)
        try:
            os.fdatasync(file)
        finally:
            os.close(file)

    def close(self, stored: Mapping[Numbering, int]) -> None:
        """Sync and close, and leave no file of what is stored."""
        self.sync()
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        for place in range(len(self._segments) - 1, -1, -1):
            if _is_stored(self._segments[place], stored):
                self._drop(place)


class FileKeeping:
    """Keeps messages on disk, gateway by gateway (a `simulators.gateways.outbox.Keeping`).

    Args:
        directory: The folder `{station}/{gateway}` in it belongs to one process at a time.
        plants: The stations.
        boots: The present run of each, by its id.
        bounds: How much is kept of each gateway.

    Raises:
        DataDirectoryError: Another process uses the folder, or it cannot be written.
    """

    def __init__(
        self, directory: Path, plants: Sequence[Plant], boots: Mapping[str, str], bounds: Bounds | None = None
    ) -> None:
        self._stored: dict[Numbering, int] = {}
        self._boxes: list[GatewayFiles] = []
        self._box_of: dict[str, GatewayFiles] = {}
        self._locks: list[int] = []
        try:
            for plant in plants:
                self._open(directory / quote(plant.id, safe=""), plant, boots[plant.id], bounds or Bounds())
        except OSError as error:
            self._unlock()
            raise DataDirectoryError(f"outbox {directory}: {error.strerror or error}") from error
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._sync_each_second, name="outbox-sync", daemon=True)
        self._syncing.start()

    def _open(self, folder: Path, plant: Plant, boot: str, bounds: Bounds) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._locks.append(_locked(folder))
        for gateway in plant.gateways:
            box = GatewayFiles(folder / quote(gateway.id, safe=""), boot, bounds)
            self._boxes.append(box)
            self._box_of |= {topics.reading(plant.id, *key): box for key in gateway.units}

    def add(self, emissions: list[Emission]) -> None:
        """Write messages, each to its gateway's files."""
        parts: dict[GatewayFiles, list[Emission]] = {}
        box_of = self._box_of
        for emission in emissions:
            box = box_of[emission[1]]
            part = parts.get(box)
            if part is None:
                part = parts[box] = []
            part.append(emission)
        for box, part in parts.items():
            box.append(part)

    def settle(self, numbering: Numbering, seq: int) -> None:
        """Note what is stored, and drop the files that hold nothing else."""
        self._stored[numbering] = seq
        box = self._box_of.get(numbering[1])
        if box is not None:
            box.settle(numbering, self._stored)

    def highest(self) -> Mapping[Numbering, int]:
        """Return the highest number kept of each."""
        return {
            (segment.boot, topic): seq
            for box in self._boxes
            for segment in box.segments
            for topic, seq in segment.highest.items()
        }

    def held(self) -> Iterator[Held]:
        """Yield what earlier runs left, then what the present one keeps, each by time."""
        for boots_before in (True, False):
            yield from heapq.merge(*(box.held(boots_before=boots_before) for box in self._boxes), key=_moment)

    def earlier(self) -> AbstractSet[str]:
        """Return the boots of earlier runs of which something is kept."""
        return {segment.boot for box in self._boxes for segment in box.earlier}

    @property
    def dropped(self) -> int:
        """Messages that were not kept, for there were too many or the disk refused."""
        return sum(box.dropped for box in self._boxes)

    def close(self) -> None:
        """Sync and close; idempotent."""
        self._closing.set()
        if self._locks:
            self._syncing.join(SYNC_S)
            for box in self._boxes:
                with contextlib.suppress(OSError):  # the kernel still has it; only a power cut now would tell
                    box.close(self._stored)
            self._unlock()

    def _unlock(self) -> None:
        for file in self._locks:
            os.close(file)
        self._locks.clear()

    def _sync_each_second(self) -> None:
        failing = False
        while not self._closing.wait(SYNC_S):
            try:
                for box in self._boxes:
                    box.sync()
            except OSError as error:
                if not failing:
                    _log.warning("outbox not synced to the disk", error=str(error))
                failing = True
            else:
                failing = False


def _moment(held: Held) -> int:
    return held[1][0]


def _is_stored(segment: _Segment, stored: Mapping[Numbering, int]) -> bool:
    boot = segment.boot
    return all(stored.get((boot, topic), 0) >= seq for topic, seq in segment.highest.items())


def _found(directory: Path) -> list[_Segment]:
    """Return the segments that earlier runs left, in order; what is none of ours is set aside."""
    segments: list[_Segment] = []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        boot = _boot_of(path)
        if boot is None:
            _log.warning("outbox file is damaged from its beginning", file=str(path))
            path.replace(path.with_suffix(".damaged"))
            continue
        segment = _Segment(path, boot, path.stat().st_size)
        for _, topic, _, seq in _messages(path, segment.size):
            segment.highest[topic] = max(seq, segment.highest.get(topic, 0))
            segment.count += 1
        if segment.count:
            segments.append(segment)
        else:
            path.unlink()
    return segments


def _boot_of(path: Path) -> str | None:
    with path.open("rb") as file:
        line = file.readline(256)
    if not line.startswith(_MAGIC) or not line.endswith(b"\n"):
        return None
    return line[len(_MAGIC) : -1].decode("utf-8", "replace")


def _messages(path: Path, size: int) -> Iterator[Emission]:
    """Yield the messages of a file up to `size`; the first damaged record is its end."""
    try:
        data = path.read_bytes()[:size]
    except FileNotFoundError:
        return  # stored, and dropped since
    position = data.find(b"\n") + 1
    while position + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, position)
        body = data[position + _HEAD.size : position + _HEAD.size + length]
        if len(body) < length or zlib.crc32(body) != crc:
            return
        yield from _decode(body)
        position += _HEAD.size + length


def _locked(folder: Path) -> int:
    file = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise DataDirectoryError(f"outbox {folder} is in use by another process; give this one its own") from error
    return file
