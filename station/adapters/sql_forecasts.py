"""The history of forecasts in the journal database, as they were published."""

from __future__ import annotations

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import forecasts


class SqlForecasts:
    """A `ForecastHistory` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def append(self, station: str, at_ms: int, json: bytes) -> None:
        """Keep a forecast; see `ForecastHistory.append`."""
        same = (forecasts.c.station == station) & (forecasts.c.at_ms == at_ms)
        with self._database.writing() as connection:
            connection.execute(sa.delete(forecasts).where(same))
            connection.execute(sa.insert(forecasts), {"station": station, "at_ms": at_ms, "body": json})

    def range(self, station: str, start_ms: int, end_ms: int, limit: int = 1000) -> list[tuple[int, bytes]]:
        """Return (at_ms, json) of [start, end), oldest first; see `ForecastHistory.range`."""
        query = (
            sa.select(forecasts.c.at_ms, forecasts.c.body)
            .where(forecasts.c.station == station, forecasts.c.at_ms >= start_ms, forecasts.c.at_ms < end_ms)
            .order_by(forecasts.c.at_ms)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [(row.at_ms, bytes(row.body)) for row in connection.execute(query)]
