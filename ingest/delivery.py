"""From the spool to the store, in order, for as long as it takes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from ingest.ledger import DeadLetter, Ledger, MinuteCount, MinuteKey
from ingest.sorting import Sorted, Sorter
from ingest.spool import Batch, Position, Spool
from ingest.supervision import backoff_s
from ingest.watermarks import Watermarks
from station.domain.signals import UnitMessage
from station.errors import FinalError, PointsRefusedError, TransientError
from station.ports import ReadingStore, ServicePoint
from station.wire.admission import Admission

_log = structlog.get_logger(__name__)

_MESSAGES_AT_A_TIME: Final = 5000
_IDLE_S: Final = 0.25
_MINUTES_EVERY_S: Final = 10.0
_MINUTES_AT_A_TIME: Final = 2000
_MINUTES_KEPT_MS: Final = 48 * 3600 * 1000
"""Counts of older minutes are no longer here; what comes for them is added to what the store has."""


class StoreUnreachable(Exception):  # noqa: N818 - no error: the wait for the store was broken off by our own end
    """Stopped while the store was away; nothing of the piece is booked."""


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
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._store = store
        self._admission = admission
        self._watermarks = watermarks
        self._now_ms = now_ms
        self._stopping = stopping
        self._released = 0
        self._next_minutes = 0.0
        self.drain_until = 0.0
        """Monotonic time to which `run` goes on with what is in the spool, after `stopping` was set."""
        self.delivered = 0
        self.duplicates = 0
        self.late = 0
        self.missing = 0
        self.refused: Counter[str] = Counter()
        self.lag_s = 0.0
        self.oldest_wall_ms: int | None = None
        self.store_error: str | None = None

    def run(self) -> None:
        """Deliver until stopped; begins where the ledger says."""
        position = self._ledger.position()
        sorter = Sorter(self._admission, self._ledger.sequences())
        try:
            while True:
                batches = self._spool.read(position, _MESSAGES_AT_A_TIME, 0.0 if self._stopping.is_set() else _IDLE_S)
                if batches:
                    position = self._deliver(sorter, batches)
                if self._stopping.is_set() and (not batches or time.monotonic() >= self.drain_until):
                    break
                self._tend(position)
        except StoreUnreachable:
            return
        self._watermarks.flush(at_once=True)
        self._write_minutes()
        self._ledger.sync()

    def _tend(self, position: Position | None) -> None:
        self._watermarks.flush()
        place = position or Position(0, 0)
        if place.segment != self._released or self._spool.full:
            self._ledger.sync()
            self._spool.release(place)
            self._released = place.segment
        if time.monotonic() >= self._next_minutes:
            self._next_minutes = time.monotonic() + _MINUTES_EVERY_S
            self._write_minutes()

    def _deliver(self, sorter: Sorter, batches: Sequence[Batch]) -> Position:
        self.oldest_wall_ms = batches[0].wall_ms
        piece = sorter.sort(batches)
        if piece.messages:
            for index, reason in sorted(self._write(piece.messages).items()):
                topic, payload, received_ms = piece.origins[index]
                piece.dead.append(DeadLetter(received_ms, topic, payload, "store", reason))
        position = batches[-1].end
        self._ledger.commit(position, sorter.sequences, piece.dead, piece.minutes)
        self._book(piece, batches)
        for name in piece.units:
            runs = sorter.sequences[name].runs
            left = piece.left.get(name, ())
            for run in runs:
                if run is runs[-1] or run.boot in left:
                    self._watermarks.note(name, run.boot, run.settled, earlier=run is not runs[-1])
        return position

    def _book(self, piece: Sorted, batches: Sequence[Batch]) -> None:
        self.delivered += len(piece.messages)
        self.duplicates += piece.duplicates
        self.late += piece.late
        self.missing += piece.missing
        self.refused.update(letter.reason for letter in piece.dead)
        self.lag_s = max(0.0, time.time() - batches[0].wall_ms / 1000)
        self.oldest_wall_ms = None

    def _write(self, messages: Sequence[UnitMessage]) -> dict[int, str]:
        """Store messages, waiting for the store as long as it takes; return those it refuses for good, and why."""
        attempt = 0
        while True:
            try:
                refused = self._write_or_split(messages)
            except TransientError as error:
                if attempt == 0 or str(error) != self.store_error:
                    _log.warning("store does not take messages; they wait in the spool", error=str(error))
                self.store_error = str(error)
                attempt += 1
                if self._stopping.wait(backoff_s(attempt)):
                    raise StoreUnreachable from error
            else:
                if attempt:
                    _log.info("store takes messages again", attempts=attempt)
                self.store_error = None
                return refused

    def _write_or_split(self, messages: Sequence[UnitMessage]) -> dict[int, str]:
        """Halve a batch that is refused as a whole until the one that spoils it stands alone."""
        try:
            self._store.write(messages)
        except PointsRefusedError as error:
            return error.refused
        except FinalError as error:
            if len(messages) == 1:
                return {0: str(error)}
            middle = len(messages) // 2
            refused = self._write_or_split(messages[:middle])
            later = self._write_or_split(messages[middle:])
            return refused | {middle + index: reason for index, reason in later.items()}
        return {}

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
