"""Shifts: hours of some days, by weekday or by a crew's cycle, with the dates that are otherwise.

A shift over midnight belongs to the day on which it begins, and that day decides whether it is worked at all.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from station.domain.toml_reader import TomlTable, nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_ONE_DAY = dt.timedelta(days=1)
_MOST_CYCLE_DAYS = 366


@dataclass(frozen=True, slots=True)
class Cycle:
    """A crew's turn: `on` are days of the cycle, 0 the day it begins."""

    begins: dt.date
    length_days: int
    on: frozenset[int]

    def holds(self, date: dt.date) -> bool:
        """Return whether a day is the crew's."""
        return (date - self.begins).days % self.length_days in self.on


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of some days.

    Attributes:
        days: 0 is Monday; not asked where there is a cycle.
        start_min, end_min: Minutes of the station's day; the end may be before the start.
        cycle: None where the days of the week decide.
        not_on, also_on: Dates that are otherwise: holidays, and the days worked in their place.
    """

    days: frozenset[int]
    start_min: int
    end_min: int
    cycle: Cycle | None = None
    not_on: frozenset[dt.date] = frozenset()
    also_on: frozenset[dt.date] = frozenset()

    def holds(self, moment: dt.datetime) -> bool:
        """Return whether a moment in the station's zone lies in it."""
        minute, date = moment.hour * 60 + moment.minute, moment.date()
        if self.start_min < self.end_min:
            return self.is_worked(date) and self.start_min <= minute < self.end_min
        return (self.is_worked(date) and minute >= self.start_min) or (
            self.is_worked(date - _ONE_DAY) and minute < self.end_min
        )

    def is_worked(self, date: dt.date) -> bool:
        """Return whether it begins on a day."""
        if date in self.also_on or date in self.not_on:
            return date in self.also_on
        return date.weekday() in self.days if self.cycle is None else self.cycle.holds(date)


def read_shift(table: TomlTable) -> Shift:
    """Return the shift in a table; what is wrong is noted there."""
    names = table.texts("days") if table.has("days") else list(DAYS)
    for position, name in enumerate(names):
        if name not in DAYS:
            table.wrong(f"day {name!r} must be one of {', '.join(DAYS)}{nearest(name, DAYS)}", "days", position)
    hours = [_minutes(table, position, text) for position, text in enumerate(table.texts("hours"))]
    if len(hours) != 2:
        table.wrong('hours must be two times, as ["06:00", "22:00"]', "hours")
        hours = [0, 1440]
    elif hours[0] == hours[1]:
        table.wrong("hours begin where they end", "hours")
    cycle = _cycle(table.table("cycle")) if table.has("cycle") else None
    if cycle is not None and table.has("days"):
        table.wrong("must have days or cycle, one of the two", "days")
    days = frozenset(DAYS.index(name) for name in names if name in DAYS)
    not_on, also_on = _dates(table, "not_on"), _dates(table, "also_on")
    for date in sorted(not_on & also_on):
        table.wrong(f"{date} stands in not_on and in also_on", "also_on")
    table.finish()
    return Shift(days, hours[0], hours[1], cycle, not_on, also_on)


def _cycle(table: TomlTable) -> Cycle:
    begins, turns = _date(table, "begins", None, table.text("begins")), table.text("turns")
    if not set(turns) <= {"x", "-"} or "x" not in turns or len(turns) > _MOST_CYCLE_DAYS:
        table.wrong('turns must be a letter a day, x worked and - not, as "xx------"', "turns")
    table.finish()
    on = frozenset(day for day, letter in enumerate(turns) if letter == "x")
    return Cycle(begins or dt.date.min, max(len(turns), 1), on)


def _dates(table: TomlTable, key: str) -> frozenset[dt.date]:
    found = [_date(table, key, position, text) for position, text in enumerate(table.texts(key, required=False))]
    return frozenset(date for date in found if date is not None)


def _date(table: TomlTable, key: str, position: int | None, text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        table.wrong(f"date {text!r} must be yyyy-mm-dd", key, *(() if position is None else (position,)))
        return None


def _minutes(table: TomlTable, position: int, text: str) -> int:
    clock = _CLOCK.fullmatch(text)
    if clock is None or (clock[1] == "24" and clock[2] != "00"):
        table.wrong(f"time {text!r} must be hh:mm", "hours", position)
        return 0
    return int(clock[1]) * 60 + int(clock[2])
