"""Writes to the store: several at once, each unit's in order, for as long as it takes."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog

from ingest.ledger import DeadLetter, UnitName
from ingest.sorting import Sorted
from ingest.supervision import backoff_s
from station.domain.signals import UnitMessage
from station.errors import FinalError, PointsRefusedError, TransientError
from station.ports import ReadingStore

_log = structlog.get_logger(__name__)

WORTH_DIVIDING: Final = 1000
"""With fewer messages than this a second request costs more than it saves."""
LATENCY_BOUNDS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

_OF_ONE_MESSAGE: Final = (ValueError, TypeError, ArithmeticError)
"""What code raises that was given a value it cannot take: a mistake in an adapter, not the answer of a store."""

Refused = dict[int, str]
"""Index of a message and why the store does not take it."""


class StoreUnreachable(Exception):  # noqa: N818 - no error: the wait for the store was broken off by our own end
    """Stopped while the store was away; nothing of the piece is booked."""


@dataclass(frozen=True, slots=True)
class WriteTimes:
    """How long calls of the store took: counts by upper bound and one beyond the last of them; and their sum."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum_s: float


class StoreWriter:
    """Writes messages, waiting for the store as long as it takes; from several threads.

    Args:
        store: Where messages go.
        stopping: Ends the waiting.
    """

    def __init__(self, store: ReadingStore, stopping: threading.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._lock = threading.Lock()
        self._counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._sum_s = 0.0
        self.error: str | None = None
        """Why the store takes nothing now."""

    @property
    def times(self) -> WriteTimes:
        """How long the calls took so far."""
        with self._lock:
            return WriteTimes(LATENCY_BOUNDS_S, tuple(self._counts), self._sum_s)

    def write(self, messages: Sequence[UnitMessage]) -> Refused:
        """Store messages; return those that the store refuses for good.

        Raises:
            StoreUnreachable: Stopped meanwhile.
            ValueError, TypeError, ArithmeticError: The store's adapter failed with each of several messages: that is
                no message's fault, so none is set aside.
        """
        attempt = 0
        while True:
            try:
                refused = self._write_or_raise(messages)
            except TransientError as error:
                if attempt == 0 or str(error) != self.error:
                    _log.warning("store does not take messages; they wait in the spool", error=str(error))
                self.error = str(error)
                attempt += 1
                if self._stopping.wait(backoff_s(attempt)):
                    raise StoreUnreachable from error
            else:
                if attempt:
                    _log.info("store takes messages again", attempts=attempt)
                self.error = None
                return refused

    def _write_or_raise(self, messages: Sequence[UnitMessage]) -> Refused:
        """Write messages; raise what the store's adapter raises where it does with every single one of several."""
        faults: list[Exception] = []
        refused = self._write_or_split(messages, faults)
        if len(faults) == len(messages) > 1:
            raise faults[0]
        if faults:
            _log.warning("the store's adapter failed with messages, set aside", count=len(faults), exc_info=faults[0])
        return refused

    def _write_or_split(self, messages: Sequence[UnitMessage], faults: list[Exception]) -> Refused:
        """Halve a batch that is refused as a whole until the one that spoils it stands alone."""
        began = time.monotonic()
        try:
            self._store.write(messages)
        except PointsRefusedError as error:
            return error.refused
        except (FinalError, *_OF_ONE_MESSAGE) as error:
            if len(messages) > 1:
                middle = len(messages) // 2
                refused = self._write_or_split(messages[:middle], faults)
                later = self._write_or_split(messages[middle:], faults)
                return refused | {middle + index: reason for index, reason in later.items()}
            if isinstance(error, FinalError):
                return {0: str(error)}
            faults.append(error)
            return {0: f"{type(error).__name__}: {error}"}
        self._note_time(time.monotonic() - began)
        return {}

    def _note_time(self, took_s: float) -> None:
        with self._lock:
            self._counts[bisect_left(LATENCY_BOUNDS_S, took_s)] += 1
            self._sum_s += took_s


class Lanes:
    """Divides pieces among threads by unit, so that the messages of a unit are written one after the other.

    Args:
        writer: What each of them uses.
        count: How many threads.
    """

    def __init__(self, writer: StoreWriter, count: int) -> None:
        self._writer = writer
        self._lane_of: dict[UnitName, int] = {}
        self._threads = [ThreadPoolExecutor(1, f"ingest-write-{number}") for number in range(count)]

    def write(self, piece: Sorted) -> list[Future[list[DeadLetter]]]:
        """Begin to write a piece; each of the futures gives what the store refused of its part."""
        indexes: list[list[int]] = [[] for _ in self._threads]
        lane_of = self._lane_of
        for index, message in enumerate(piece.messages):
            unit = (message.station, message.area, message.unit)
            lane = lane_of.get(unit)
            if lane is None:  # for good: the order of its messages hangs on it
                lane = lane_of[unit] = min(range(len(indexes)), key=lambda lane: len(indexes[lane]))
            indexes[lane].append(index)
        parts = zip(self._threads, indexes, strict=True)
        return [thread.submit(self.write_part, piece, part) for thread, part in parts if part]

    def write_part(self, piece: Sorted, indexes: Sequence[int]) -> list[DeadLetter]:
        """Write some messages of a piece now; return what the store refused of them."""
        refused = self._writer.write([piece.messages[index] for index in indexes])
        letters = []
        for place, reason in sorted(refused.items()):
            topic, payload, received_ms = piece.origins[indexes[place]]
            letters.append(DeadLetter(received_ms, topic, payload, "store", reason))
        return letters

    def close(self) -> None:
        """Forget what has not begun, and wait for what has."""
        for thread in self._threads:
            thread.shutdown(wait=True, cancel_futures=True)
