"""From the spool to the store, in order, for as long as it takes."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import structlog

from ingest.ledger import DeadLetter, Ledger, MinuteCount, MinuteKey
from ingest.sorting import Sorted, Sorter
from ingest.spool import Batch, Position, Spool
from ingest.watermarks import Watermarks
from ingest.writing import WORTH_DIVIDING, Lanes, StoreUnreachable, StoreWriter
from station.errors import TransientError
from station.ports import ReadingStore, ServicePoint
from station.wire.admission import Admission

_log = structlog.get_logger(__name__)

_MESSAGES_A_WRITE: Final = 5000
_UNDER_WAY_MOST: Final = 2
"""Pieces that the store has while the next one is sorted: more would only cost memory, 12 MB each."""
_IDLE_S: Final = 0.25
_MINUTES_EVERY_S: Final = 10.0
_MINUTES_AT_A_TIME: Final = 2000
_MINUTES_KEPT_MS: Final = 48 * 3600 * 1000
"""Counts of older minutes are no longer here; what comes for them is added to what the store has."""


@dataclass(slots=True)
class _UnderWay:
    """A piece that is being written."""

    piece: Sorted
    parts: list[Future[list[DeadLetter]]]
    end: Position
    wall_ms: int


class Delivery:
    """Takes the spool's batches to the store; `run` is the body of its thread.

    Args:
        spool: Where batches come from.
        ledger: Where progress is booked.
        store: Where messages go.
        admission: What is let in.
        watermarks: Told what is settled.
        now_ms: The station's clock, epoch ms.
        stopping: Ends `run`, after a last try to deliver what is there.
        worker: This one's name among several that share the messages; None where it gets all of them.
    """

    def __init__(
        self,
        spool: Spool,
        ledger: Ledger,
        store: ReadingStore,
        admission: Admission,
        watermarks: Watermarks,
        now_ms: Callable[[], int],
        stopping: threading.Event,
        worker: str | None = None,
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._store = store
        self._admission = admission
        self._watermarks = watermarks
        self._now_ms = now_ms
        self._stopping = stopping
        self._worker = worker
        self._oldest_wall_ms: int | None = None
        self._under_way: deque[_UnderWay] = deque()
        self._position: Position | None = None
        self._released = 0
        self._next_minutes = 0.0
        self.writer = StoreWriter(store, stopping)
        self.drain_until = 0.0
        """Monotonic time to which `run` goes on with what is in the spool, after `stopping` was set."""
        self.delivered = 0
        self.duplicates = 0
        self.late = 0
        self.missing = 0
        self.refused: Counter[str] = Counter()
        self.lag_s = 0.0

    @property
    def oldest_wall_ms(self) -> int | None:
        """When the oldest message was received that the store does not have, None where it has all; from any thread."""
        return self._oldest_wall_ms

    def run(self) -> None:
        """Deliver until stopped; begins where the ledger says."""
        self._under_way.clear()
        lanes = Lanes(self.writer, self._store.writes_at_once)
        try:
            self._deliver_all(lanes)
        except StoreUnreachable:
            return
        finally:
            lanes.close()
        self._watermarks.flush(at_once=True)
        self._write_minutes()
        self._ledger.sync()

    def _deliver_all(self, lanes: Lanes) -> None:
        read_to = self._position = self._ledger.position()
        sorter = Sorter(self._admission, self._ledger.sequences(), numbered=self._worker is None)
        most = _MESSAGES_A_WRITE * self._store.writes_at_once
        while True:
            patient = not (self._stopping.is_set() or self._under_way)
            batches = self._spool.read(read_to, most, _IDLE_S if patient else 0.0)
            if batches:
                read_to = batches[-1].end
                self._begin(lanes, sorter.sort(batches), batches)
            elif self._under_way:
                self._finish()
            if self._stopping.is_set() and (not batches or time.monotonic() >= self.drain_until):
                break
            self._tend()
        while self._under_way:
            self._finish()

    def _begin(self, lanes: Lanes, piece: Sorted, batches: Sequence[Batch]) -> None:
        """Write a small piece now, once all before it is written; let a large one be written beside the next."""
        under_way = _UnderWay(piece, [], batches[-1].end, batches[0].wall_ms)
        is_small = len(piece.messages) < WORTH_DIVIDING
        while len(self._under_way) > (0 if is_small else _UNDER_WAY_MOST - 1):
            self._finish()
        self._under_way.append(under_way)
        self._note_waiting()
        if is_small:
            piece.dead += lanes.write_part(piece, range(len(piece.messages)))
            self._finish()
        else:
            under_way.parts = lanes.write(piece)

    def _finish(self) -> None:
        """Wait for the oldest piece under way, and book it."""
        oldest = self._under_way[0]
        piece = oldest.piece
        for part in oldest.parts:
            piece.dead += part.result()
        self._ledger.commit(oldest.end, piece.sequences, piece.dead, piece.minutes)
        self._position = oldest.end
        self._book(piece, oldest.wall_ms)
        for mark in piece.marks:
            self._watermarks.note(mark.unit, mark.boot, mark.seq, earlier=mark.earlier)
        self._under_way.popleft()
        self._note_waiting()

    def _note_waiting(self) -> None:
        self._oldest_wall_ms = self._under_way[0].wall_ms if self._under_way else None
        self._spool.note_waiting(self._oldest_wall_ms)

    def _book(self, piece: Sorted, wall_ms: int) -> None:
        self.delivered += len(piece.messages)
        self.duplicates += piece.duplicates
        self.late += piece.late
        self.missing += piece.missing
        self.lag_s = max(0.0, time.time() - wall_ms / 1000)
        if piece.dead:
            self.refused.update(letter.reason for letter in piece.dead)
            last = piece.dead[-1]
            _log.warning(
                "messages refused", count=len(piece.dead), reason=last.reason, topic=last.topic, text=last.text
            )

    def _tend(self) -> None:
        self._watermarks.flush()
        place = self._position or Position(0, 0)
        if place.segment != self._released or self._spool.full:
            self._ledger.sync()
            self._spool.release(place)
            self._released = place.segment
        if time.monotonic() >= self._next_minutes:
            self._next_minutes = time.monotonic() + _MINUTES_EVERY_S
            self._write_minutes()

    def _write_minutes(self) -> None:
        """Give the store the counts per unit and minute; what it cannot take now is given later."""
        forget_before = self._now_ms() - _MINUTES_KEPT_MS
        try:
            while rows := self._ledger.unwritten_minutes(_MINUTES_AT_A_TIME):
                self._store.write_points([self._point(key, count, forget_before) for key, count in rows])
                self._ledger.minutes_written([key for key, _ in rows], forget_before)
        except TransientError as error:
            _log.debug("counts per minute wait for the store", error=str(error))

    def _point(self, key: MinuteKey, count: MinuteCount, forget_before: int) -> ServicePoint:
        station, area, unit, minute_ms = key
        tags = {"station": station, "area": area, "unit": unit}
        if self._worker is not None:  # each worker's counts are a point of its own; readers add them up
            tags["worker"] = self._worker
        fields: dict[str, float | str] = {
            "received": float(count.received),
            "gaps": float(count.gaps),
            "late": float(count.late),
            "duplicate": float(count.duplicate),
            "refused": float(count.refused),
        }
        if minute_ms < forget_before:
            for stored in self._store.read_points("ingest", tags, minute_ms, minute_ms + 1):
                fields |= {name: float(fields[name]) + float(stored.fields.get(name, 0.0)) for name in fields}
        fields["gaps"] = max(0.0, float(fields["gaps"]))
        if fields["gaps"] and count.gap_from_ms is not None and count.gap_to_ms is not None:
            fields |= {"gap_from": float(count.gap_from_ms), "gap_to": float(count.gap_to_ms)}
        return ServicePoint("ingest", tags, fields, minute_ms)
