"""What a sandbox keeps in place of the service's books: a journal that is a list, and what was learned until then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from station.domain.learned import LearnedRow
from station.ports import JournalEntry

_MOST_ROWS: Final = 100_000
"""Of one replay: a month of a station that is badly off; beyond, the oldest go."""


class SandboxJournal:
    """An `AlarmJournal` of a plain list that nobody else sees.

    Args:
        standing: Entries from which the engine goes on.
    """

    def __init__(self, standing: Sequence[JournalEntry] = ()) -> None:
        self._rows = list(standing)
        self._taken = len(self._rows)

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Keep entries."""
        self._rows.extend(entries)

    def take_new(self) -> list[JournalEntry]:
        """Return the entries since the last call, those from which the engine went on left out."""
        new = self._rows[self._taken :]
        self._taken = len(self._rows)
        return new

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
        """Return rows of a range; see `AlarmJournal.entries`."""
        numbered = list(enumerate(self._rows, start=1))
        found = [
            (number, row)
            for number, row in (reversed(numbered) if newest_first else numbered)
            if row.station == station and start_ms <= row.t_ms < end_ms and alarm_id in (None, row.alarm_id)
            if not after or (number < after if newest_first else number > after)
        ]
        return found[:limit]

    def newest_by_alarm(self, station: str) -> list[JournalEntry]:
        """Return each alarm's newest entry."""
        return newest_of_each(row for row in self._rows if row.station == station)

    def verify(self) -> int | None:
        """Nothing is chained here."""
        return None

    def close(self) -> None:
        """Nothing is held."""


class RowsSoFar:
    """Journal rows of all that a replay has lived through, each once, however often a stretch was played."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str, int], JournalEntry] = {}
        self._new: list[JournalEntry] = []

    def add(self, rows: Sequence[JournalEntry]) -> None:
        """Keep rows."""
        self._new.extend(rows)
        self._rows |= {(row.alarm_id, row.occurrence, row.event, row.t_ms): row for row in rows}
        while len(self._rows) > _MOST_ROWS:
            del self._rows[next(iter(self._rows))]

    def before(self, t_ms: int) -> list[JournalEntry]:
        """Return each alarm's newest row not later than a moment."""
        rows = sorted((row for row in self._rows.values() if row.t_ms <= t_ms), key=lambda row: row.t_ms)
        return newest_of_each(rows)

    def take_new(self) -> list[JournalEntry]:
        """Return the rows that were added since the last call."""
        new, self._new = self._new, []
        return new


def newest_of_each(rows: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Return each alarm's newest of rows in their order; acts that are about no alarm are left out."""
    newest = {row.alarm_id: row for row in rows if row.alarm_id}
    return list(newest.values())


class LearnedThen:
    """A `LearnedBook` to read alone: what a station had taught, day by day."""

    def __init__(self, rows: Sequence[LearnedRow] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: row.at_ms)

    def save(self, rows: Sequence[LearnedRow]) -> None:
        """A replay teaches nobody."""

    def newest(self, station: str, at_ms: int) -> list[LearnedRow]:
        """Return each parameter's newest row not later than a moment."""
        found = {row.parameter: row for row in self._rows if row.station == station and row.at_ms <= at_ms}
        return [found[name] for name in sorted(found)]

    def range(
        self, station: str, first: dt.date, last: dt.date, limit: int = 1000, offset: int = 0
    ) -> list[LearnedRow]:
        """Return rows of the days first..last."""
        rows = [row for row in self._rows if row.station == station and first <= row.date <= last]
        return rows[offset : offset + limit]
