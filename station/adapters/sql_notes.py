"""Shift notes in the journal database: rows are added and read, never changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import shift_notes
from station.domain.report.notes import ShiftNote


class SqlNotes:
    """A `NoteBook` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def append(self, note: ShiftNote) -> int:
        """Commit a note; see `NoteBook.append`."""
        row = asdict(note) | {"date": note.date.isoformat()}
        with self._database.writing() as connection:
            made = connection.execute(sa.insert(shift_notes).returning(shift_notes.c.number), row)
            return int(made.scalar_one())

    def of_day(self, station: str, date: dt.date) -> list[tuple[int, ShiftNote]]:
        """Return (number, note) of a station day, oldest first."""
        own = (shift_notes.c.station == station) & (shift_notes.c.date == date.isoformat())
        query = sa.select(shift_notes).where(own).order_by(shift_notes.c.number)
        with self._database.reading() as connection:
            return [(row.number, _note(row)) for row in connection.execute(query)]

    def counts(self, station: str) -> dict[dt.date, int]:
        """Return how many notes each day has that has some."""
        query = sa.select(shift_notes.c.date, sa.func.count().label("notes"))
        query = query.where(shift_notes.c.station == station).group_by(shift_notes.c.date)
        with self._database.reading() as connection:
            return {dt.date.fromisoformat(row.date): row.notes for row in connection.execute(query)}


def _note(row: sa.Row[tuple[object, ...]]) -> ShiftNote:
    date = dt.date.fromisoformat(row.date)
    return ShiftNote(row.station, date, row.kind, row.t_ms, row.written_ms, row.who, row.text)
