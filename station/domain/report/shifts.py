"""The shifts that a day's balance is also told by: thirds of the day [E], local time; a crew's roster is not asked."""

from __future__ import annotations

import datetime as dt
from typing import Final

from station.domain.plant import Plant
from station.domain.report.day_readings import ReportDay

SHIFT_HOURS: Final = (0, 8, 16)
"""[E] Three crews a day change at these hours."""


def shift_starts(plant: Plant, day: ReportDay) -> list[int]:
    """Return when the shifts of a day begin, epoch ms, those that have begun."""
    moments = [dt.datetime.combine(day.date, dt.time(hour), plant.timezone) for hour in SHIFT_HOURS]
    starts = [round(moment.timestamp() * 1000) for moment in moments]
    return [start for start in starts if start < day.until_ms]
