"""The station day that a sheet is of, as a query names it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import Query

from api.live.station import LiveStation
from api.problems import broken
from station.domain.plant import Plant

FIRST_DATE: Final = dt.date(1970, 1, 2)
"""Epoch ms of the day before it can be had."""

DateQuery = Annotated[
    dt.date | None, Query(description="Station day; today where it is left out", examples=["2026-11-23"])
]


def today_of(live: LiveStation) -> dt.date:
    """Return the station day that is now."""
    return live.plant.day_of(dt.datetime.fromtimestamp(live.now_ms / 1000.0, dt.UTC))


def day_asked(live: LiveStation, date: dt.date | None) -> dt.date:
    """Return the day that a query asks for.

    Raises:
        ProblemError: 422, a day that has not come, or before time.
    """
    today = today_of(live)
    if date is not None and not FIRST_DATE <= date <= today:
        raise broken("query.date", date.isoformat(), f"must be a station day up to today, {today.isoformat()}")
    return date or today


def local_time(plant: Plant, t_ms: int | None) -> dt.datetime | None:
    """Return a moment in the station's zone, as a table shows it."""
    return None if t_ms is None else dt.datetime.fromtimestamp(t_ms / 1000.0, plant.timezone)
