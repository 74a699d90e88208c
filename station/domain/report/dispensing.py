"""Kilograms given and pressed through the day, hour by hour, against the plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, Floats
from station.domain.report.energy import counted
from station.domain.report.fills import DayFill
from station.domain.report.stock import CURVE_MINUTES, Curve, curve_of

HOUR_MS: Final = 3_600_000
_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the day.

    Attributes:
        kg: Rise of the hoses' totals; None where one of them was silent all the hour, or at its beginning.
        planned_kg, planned_trucks: What the plan has for it; None without one.
        trucks: Fills that were completed in it.
    """

    start_ms: int
    kg: float | None
    planned_kg: float | None
    trucks: int
    planned_trucks: int | None


@dataclass(frozen=True, slots=True)
class Dispensing:
    """What was given.

    Attributes:
        kg: Rise of all totals over the day; None where one is not known at an edge of it.
        planned_kg, planned_trucks: None without a plan.
        compressed_kg: By the trains' meters; None where one was silent for too long.
        given, planned: Both as they grew [kg].
    """

    kg: float | None
    planned_kg: float | None
    planned_trucks: int | None
    compressed_kg: float | None
    hours: tuple[Hour, ...]
    given: Curve
    planned: Curve


def dispensing_of(plant: Plant, readings: DayReadings, fills: Sequence[DayFill], plan: DayPlan | None) -> Dispensing:
    """Return the kilograms of a day."""
    last = [readings.series(plant.tag("dispensing", hose.unit, "total")).last for hose in plant.hoses]
    rises = [counted(one[readings.day.first_minute :]) for one in last]
    kg = None if not rises or None in rises else sum(rise or 0.0 for rise in rises)
    return Dispensing(
        kg=kg,
        planned_kg=None if plan is None else plan.kg,
        planned_trucks=None if plan is None else len(plan.trucks),
        compressed_kg=_compressed(plant, readings),
        hours=tuple(_hours(readings, last, fills, plan)),
        given=curve_of(readings, np.sum([_rise(one) for one in last], axis=0)),
        planned=_planned(readings, plan),
    )


def _rise(last: Floats) -> Floats:
    """Return a counter's rise since its first word of the day: it stands between two words, but not after the last."""
    known = np.flatnonzero(np.isfinite(last))
    if not len(known):
        return np.full(len(last), math.nan)
    places = np.clip(np.searchsorted(known, np.arange(len(last)), side="right") - 1, 0, None)
    rise: Floats = last[known[places]] - last[known[0]]
    rise[known[-1] + 1 :] = math.nan
    return rise


def _hours(readings: DayReadings, last: Sequence[Floats], fills: Sequence[DayFill], plan: DayPlan | None) -> list[Hour]:
    start_ms = readings.day.start_ms
    found = []
    for number in range(-(-readings.day.minutes // _MINUTES)):
        first_ms, end_ms = start_ms + number * HOUR_MS, start_ms + (number + 1) * HOUR_MS
        booked = [] if plan is None else [truck for truck in plan.trucks if first_ms <= truck.t_ms < end_ms]
        rises = [_risen(one, number * _MINUTES) for one in last]
        found.append(
            Hour(
                first_ms,
                None if not rises or None in rises else sum(rise or 0.0 for rise in rises),
                None if plan is None else sum(truck.kg for truck in booked),
                sum(fill.completed and first_ms <= fill.end_ms < end_ms for fill in fills),
                None if plan is None else len(booked),
            )
        )
    return found


def _risen(last: Floats, place: int) -> float | None:
    """Return a counter's rise within the hour that begins at a minute, against the minute before it."""
    before, after = last[max(0, place - 1) : place + 1], last[place : place + _MINUTES]
    firsts, lasts = before[np.isfinite(before)], after[np.isfinite(after)]
    return None if not len(firsts) or not len(lasts) else float(lasts[-1] - firsts[0])


def _compressed(plant: Plant, readings: DayReadings) -> float | None:
    total = 0.0
    for train in plant.trains:
        flow = readings.heard(plant.tag("compression", train.unit, "flow")).mean
        known = flow[np.isfinite(flow)]
        if not len(flow) or len(known) < 0.98 * len(flow):
            return None
        total += float(known.mean()) * len(flow) / 60.0
    return total


def _planned(readings: DayReadings, plan: DayPlan | None) -> Curve:
    """Return what the bookings ask for, summed up over the whole day."""
    if plan is None:
        return Curve((), ())
    step_ms = CURVE_MINUTES * 60_000
    times = range(readings.day.start_ms + step_ms, readings.day.end_ms + 1, step_ms)
    return Curve(tuple(times), tuple(round(sum(t.kg for t in plan.trucks if t.t_ms < t_ms), 1) for t_ms in times))
