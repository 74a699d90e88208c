"""What stations have taught, in memory: for tests, and for a service that keeps nothing."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence

from station.domain.learned import LearnedRow


class MemoryLearned:
    """A `LearnedBook` of a plain dictionary, written to be read: the databases are checked against it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, dt.date, str], LearnedRow] = {}

    def save(self, rows: Sequence[LearnedRow]) -> None:
        """Keep rows, each in place of the same parameter's of the same day."""
        with self._lock:
            self._rows |= {(row.station, row.date, row.parameter): row for row in rows}

    def newest(self, station: str, at_ms: int) -> list[LearnedRow]:
        """Return each parameter's newest row not later than a moment, by parameter."""
        with self._lock:
            rows = sorted((r for r in self._rows.values() if r.station == station), key=lambda row: row.at_ms)
        found = {row.parameter: row for row in rows if row.at_ms <= at_ms}
        return [found[name] for name in sorted(found)]

    def range(
        self, station: str, first: dt.date, last: dt.date, limit: int = 1000, offset: int = 0
    ) -> list[LearnedRow]:
        """Return rows of the days first..last, by day and parameter."""
        with self._lock:
            keys = sorted(key for key in self._rows if key[0] == station and first <= key[1] <= last)
            return [self._rows[key] for key in keys[offset : offset + limit]]
