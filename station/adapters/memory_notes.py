"""Shift notes in memory: for tests, and where nothing is to be kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from station.domain.report.notes import ShiftNote


class MemoryNotes:
    """A `NoteBook` that forgets with its process."""

    def __init__(self) -> None:
        self._notes: list[ShiftNote] = []

    def append(self, note: ShiftNote) -> int:
        """Keep a note; see `NoteBook.append`."""
        self._notes.append(note)
        return len(self._notes)

    def of_day(self, station: str, date: dt.date) -> list[tuple[int, ShiftNote]]:
        """Return (number, note) of a station day, oldest first."""
        numbered = enumerate(self._notes, 1)
        return [(number, note) for number, note in numbered if (note.station, note.date) == (station, date)]

    def counts(self, station: str) -> dict[dt.date, int]:
        """Return how many notes each day has that has some."""
        return dict(Counter(note.date for note in self._notes if note.station == station))
