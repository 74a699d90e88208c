"""What stations have taught, day by day, in the journal database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import learned
from station.domain.learned import LearnedRow


class SqlLearned:
    """A `LearnedBook` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def save(self, rows: Sequence[LearnedRow]) -> None:
        """Keep rows, each in place of the same parameter's of the same day; see `LearnedBook.save`."""
        with self._database.writing() as connection:
            for row in rows:
                same = (learned.c.station == row.station) & (learned.c.parameter == row.parameter)
                connection.execute(sa.delete(learned).where(same, learned.c.date == row.date.isoformat()))
                connection.execute(sa.insert(learned), _values(row))

    def newest(self, station: str, at_ms: int) -> list[LearnedRow]:
        """Return each parameter's newest row not later than a moment; see `LearnedBook.newest`."""
        in_time = (learned.c.station == station) & (learned.c.at_ms <= at_ms)
        last = (
            sa.select(learned.c.parameter, sa.func.max(learned.c.at_ms).label("at_ms"))
            .where(in_time)
            .group_by(learned.c.parameter)
            .subquery()
        )
        same = (learned.c.parameter == last.c.parameter) & (learned.c.at_ms == last.c.at_ms)
        query = sa.select(learned).join(last, same).where(in_time).order_by(learned.c.parameter)
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query)]

    def range(
        self, station: str, first: dt.date, last: dt.date, limit: int = 1000, offset: int = 0
    ) -> list[LearnedRow]:
        """Return rows of the days first..last, by day and parameter; see `LearnedBook.range`."""
        days = (learned.c.date >= first.isoformat()) & (learned.c.date <= last.isoformat())
        query = sa.select(learned).where(learned.c.station == station, days)
        query = query.order_by(learned.c.date, learned.c.parameter).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query)]


def _values(row: LearnedRow) -> dict[str, object]:
    return {
        "station": row.station,
        "parameter": row.parameter,
        "date": row.date.isoformat(),
        "at_ms": row.at_ms,
        "until_ms": row.until_ms,
        "value": row.value,
        "sd": row.sd,
        "n": row.n,
        "weight": row.weight,
        "state": msgspec.json.encode(row.state).decode(),
    }


def _row(found: sa.Row[tuple[object, ...]]) -> LearnedRow:
    return LearnedRow(
        station=found.station,
        parameter=found.parameter,
        date=dt.date.fromisoformat(found.date),
        at_ms=found.at_ms,
        until_ms=found.until_ms,
        value=found.value,
        sd=found.sd,
        n=found.n,
        weight=found.weight,
        state=msgspec.json.decode(found.state, type=tuple[float, ...]),
    )
