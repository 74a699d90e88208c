"""A log into a store: each message held against the station file, what is refused told by line (docs/logs.md)."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from station.adapters.foreign.table import OnRefused
from station.adapters.log_records import Found
from station.adapters.point_rules import time_refusal
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.errors import PointsRefusedError
from station.ports import ReadingStore
from station.wire import topics
from station.wire.admission import Admission, Policy, UnknownSignals

BATCH: Final = 2000
"""Messages of a write; each write is a commit."""

OLDEST_MS: Final = 946_684_800_000
"""The year 2000: what lies before is a time whose last digits were cut off."""
_NOW_MS: Final = 0
_ANY_AGE: Final = dt.timedelta(days=100_000_000)
"""A log is judged by no clock: only the bounds of every store hold, 1970 to 2255."""

OnProgress = Callable[[int], None]
"""Told the line, of parquet the row, that was read last."""


@dataclass(slots=True)
class Imported:
    """What came in, or of a dry run would.

    Attributes:
        rows: Lines of the log that brought something; of parquet rows.
        messages: Points of the store.
        readings: Values, null among them.
        signals: Readings of each (station, signal).
        first_ms, last_ms: Times of the oldest and the newest, None without any.
        refused: Reason to how often.
        examples: Reason to what was said the first time.
        passed_over: Words of the log that are no readings: plans, queues, clocks.
    """

    rows: int = 0
    messages: int = 0
    readings: int = 0
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    passed_over: int = 0


def admission_of(plants: Sequence[Plant], unknown: UnknownSignals) -> Admission:
    """Return what a log is held against: the station files, and no clock."""
    return Admission(plants, policy=Policy(_ANY_AGE, _ANY_AGE, unknown))


class LogImport:
    """Takes the messages of one log into a store.

    Args:
        store: Where to; None looks and stores nothing.
        admission: What is let in, of `admission_of`.
        on_refused: Told of each line, and each value of a line, that is not taken.
    """

    def __init__(self, store: ReadingStore | None, admission: Admission, on_refused: OnRefused) -> None:
        self.count = Imported()
        self._store = store
        self._admission = admission
        self._on_refused = on_refused
        self._batch: list[tuple[UnitMessage, Found]] = []
        self._last_line = 0

    def refuse(self, line: int, reason: str, text: str) -> None:
        """Count and tell what is not taken; the readers of logs are handed this."""
        self.count.refused[reason] += 1
        self.count.examples.setdefault(reason, text)
        self._on_refused(line, reason, text)

    def take(self, found: Iterable[Found], stop: threading.Event, progress: OnProgress) -> None:
        """Take messages until there are no more, or the end is asked for.

        Raises:
            StoreUnavailableError: The store failed; taking the log once more changes nothing of what came in.
        """
        for one in found:
            message = self._admitted(one)
            if message is not None:
                self._batch.append((message, one))
            if len(self._batch) >= BATCH:
                self._store_batch()
                progress(one.line)
                if stop.is_set():
                    return
        self._store_batch()

    def _admitted(self, found: Found) -> UnitMessage | None:
        topic, payload, _ = found.record
        message = self._admission.admit_plain(topic, payload, _NOW_MS)
        if not isinstance(message, UnitMessage):
            if topics.is_reserved(topic):
                self.count.passed_over += 1
                return None
            admitted = self._admission.admit(topic, payload, _NOW_MS)
            for refusal in admitted.refusals:
                self._refuse(found, refusal.signal, refusal.reason, refusal.text)
            message = admitted.message
        if message is not None and message.t_ms < OLDEST_MS:
            self._refuse(found, None, "time", f"t = {message.t_ms}: is before 2000, as no log of a station is")
            return None
        if message is not None and (why := time_refusal(message.t_ms)) is not None:
            self._refuse(found, None, "time", why)
            return None
        return message

    def _refuse(self, found: Found, signal: str | None, reason: str, text: str) -> None:
        """Refuse a signal of a message on its line, a whole message on all of its lines."""
        lines = found.lines.values() if signal is None and found.lines else [found.lines.get(signal or "", found.line)]
        for line in lines:
            self.refuse(line, reason, text)

    def _store_batch(self) -> None:
        refused: dict[int, str] = {}
        if self._store is not None and self._batch:
            try:
                self._store.write([message for message, _ in self._batch])
            except PointsRefusedError as error:
                refused = error.refused
        for index, (message, found) in enumerate(self._batch):
            if index in refused:
                self._refuse(found, None, "store", refused[index])
            else:
                self._counted(message, found)
        self._batch.clear()

    def _counted(self, message: UnitMessage, found: Found) -> None:
        count = self.count
        # A line that another refusal spared nothing of is no row; one of several units is one row.
        own = found.lines
        count.rows += sum(signal in own for signal in message.values) if own else found.line != self._last_line
        self._last_line = found.line
        count.messages += 1
        count.readings += len(message.values)
        for signal in message.values:
            count.signals[message.station, signal] += 1
        count.first_ms = message.t_ms if count.first_ms is None else min(count.first_ms, message.t_ms)
        count.last_ms = message.t_ms if count.last_ms is None else max(count.last_ms, message.t_ms)
