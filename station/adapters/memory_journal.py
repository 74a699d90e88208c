"""The alarm journal in memory: for tests, and for `memory://`, a service that keeps nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from station.adapters.journal_chain import BEFORE_FIRST, chained_hash, detail_text, storable
from station.ports import JournalEntry


class MemoryJournal:
    """An `AlarmJournal` of a plain list, written to be read: the databases are checked against it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[tuple[JournalEntry, str]] = []

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Add entries; see `AlarmJournal.append`."""
        with self._lock:
            for entry in map(storable, entries):
                before = self._rows[-1][1] if self._rows else BEFORE_FIRST
                self._rows.append((entry, chained_hash(before, len(self._rows) + 1, entry, detail_text(entry))))

    def entries(
        self,
        station: str,
        start_ms: int,
        end_ms: int,
        after: int = 0,
        limit: int = 1000,
        *,
        alarm_id: str | None = None,
        newest_first: bool = False,
    ) -> list[tuple[int, JournalEntry]]:
        """Return rows of a station; see `AlarmJournal.entries`."""
        with self._lock:
            found = [
                (number, entry)
                for number, (entry, _) in enumerate(self._rows, start=1)
                if entry.station == station and start_ms <= entry.t_ms < end_ms
                if alarm_id in (None, entry.alarm_id)
            ]
        if newest_first:
            found = [row for row in reversed(found) if not after or row[0] < after]
        else:
            found = [row for row in found if row[0] > after]
        return found[:limit]

    def newest_by_alarm(self, station: str) -> list[JournalEntry]:
        """Return each alarm's newest entry, in the order of the rows."""
        with self._lock:
            newest: dict[str, JournalEntry] = {}
            for entry, _ in self._rows:
                if entry.station == station and entry.alarm_id:
                    newest.pop(entry.alarm_id, None)
                    newest[entry.alarm_id] = entry
        return list(newest.values())

    def verify(self) -> int | None:
        """Return the first row whose hash does not follow, None where all is whole."""
        with self._lock:
            before = BEFORE_FIRST
            for number, (entry, kept) in enumerate(self._rows, start=1):
                if chained_hash(before, number, entry, detail_text(entry)) != kept:
                    return number
                before = kept
        return None

    def close(self) -> None:
        """Nothing is held."""
