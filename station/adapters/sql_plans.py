"""The plan book in the journal database: every plan that was ever given."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import plans
from station.domain.day_plan import DayPlan


class SqlPlans:
    """A `PlanBook` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def save(self, station: str, plan: DayPlan) -> None:
        """Commit a plan as the newest of its date; see `PlanBook.save`."""
        row = {
            "station": station,
            "date": plan.date.isoformat(),
            "source": plan.source,
            "body": msgspec.json.encode(plan).decode(),
        }
        with self._database.writing() as connection:
            connection.execute(sa.insert(plans), row)

    def newest(self, station: str, date: dt.date, source: str | None = None) -> DayPlan | None:
        """Return the plan saved last for a date; see `PlanBook.newest`."""
        query = sa.select(plans.c.body).where(plans.c.station == station, plans.c.date == date.isoformat())
        if source is not None:
            query = query.where(plans.c.source == source)
        with self._database.reading() as connection:
            body = connection.execute(query.order_by(plans.c.number.desc()).limit(1)).scalar()
        return None if body is None else msgspec.json.decode(body, type=DayPlan)
