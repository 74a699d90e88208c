"""A station day written by hand: states, minutes and single readings, for reports whose answers are known."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, MinuteSeries, ReportDay, StateTags
from station.domain.signals import UnitMessage
from tests.support.plants import jinma

DATE = dt.date(2026, 11, 23)
START = 1795363200000
"""2026-11-23T00:00 at the station."""
MINUTE, HOUR = 60_000, 3_600_000


def at(hours: float) -> int:
    """Return a moment of the day, epoch ms."""
    return START + round(hours * HOUR)


@dataclass
class HandMadeDay:
    """A quiet day that a test changes: full banks, empty bays, idle hoses, machines that stand still."""

    plant: Plant = field(default_factory=jinma)
    until: float = 24.0
    steps: dict[str, list[tuple[int, float | None]]] = field(default_factory=dict)
    levels: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stand_still()
        self._hold()

    def _stand_still(self) -> None:
        tags = StateTags.of(self.plant)
        for units, name in (
            (tags.bays, "absent"),
            (tags.trains, "stop"),
            (tags.chillers, "stop"),
            (tags.hoses, "idle"),
        ):
            for tag in units.values():
                self.state(tag, (-3.0, name))

    def _hold(self) -> None:
        for bank in self.plant.banks:
            for role, value in (("pressure_a", 40.0), ("pressure_b", 40.0), ("temperature", 20.0)):
                self.level(self.plant.tag("storage", bank.unit, role), (-3.0, value))
        for hose in self.plant.hoses:
            for role, value in (("total", 1000.0), ("pressure", 0.1), ("delivery_temperature", 20.0)):
                self.level(self.plant.tag("dispensing", hose.unit, role), (-3.0, value))
        for train in self.plant.trains:
            self.level(self.plant.tag("compression", train.unit, "power"), (-3.0, 0.0))
            self.level(self.plant.tag("compression", train.unit, "flow"), (-3.0, 0.0))
        for chiller in self.plant.chillers:
            self.level(self.plant.tag("cooling", chiller.unit, "power"), (-3.0, 0.0))
        for role, value in (("power", 40.0), ("energy", 5000.0)):
            self.level(self.plant.tag("utilities", "power", role), (-3.0, value))

    def state(self, tag: str, *changes: tuple[float, str | None]) -> None:
        """Let a state change: (hour, English name, or None for unknown)."""
        signal = self.plant.signals[tag]
        said = [(at(hour), None if name is None else float(signal.state_number(name))) for hour, name in changes]
        self.steps[tag] = sorted([*self.steps.get(tag, []), *said])

    def level(self, tag: str, *changes: tuple[float, float]) -> None:
        """Let an instrument show a value from an hour on; NaN is a failed one."""
        self.levels[tag] = sorted([*self.levels.get(tag, []), *((at(hour), value) for hour, value in changes)])

    def readings(self) -> DayReadings:
        """Return what a report reads: each instrument speaks each second, with the value that holds."""
        day = ReportDay.of(self.plant, DATE, at(self.until))
        moments = {tag: _spoken(changes, self._moments()) for tag, changes in self.levels.items()}
        minutes = {tag: self._minutes(day, changes) for tag, changes in self.levels.items()}
        return DayReadings(day, self.steps, minutes, moments)

    def _moments(self) -> list[int]:
        changes = {t_ms for steps in self.steps.values() for t_ms, _ in steps}
        changes |= {t_ms for levels in self.levels.values() for t_ms, _ in levels}
        changes |= {at(hour) for hour in (0.0, 8.0, 16.0, self.until)}
        return sorted(changes)

    @staticmethod
    def _minutes(day: ReportDay, changes: list[tuple[int, float]]) -> MinuteSeries:
        values = np.array([_value(changes, day.start_ms + place * MINUTE) for place in range(day.minutes)])
        return MinuteSeries(values, values, values, values)


def _value(changes: list[tuple[int, float]], t_ms: int) -> float:
    held = math.nan
    for since_ms, value in changes:
        if since_ms <= t_ms:
            held = value
    return held


def _spoken(changes: list[tuple[int, float]], moments: list[int]) -> tuple[list[int], list[float]]:
    times = sorted({moment + ms for moment in moments for ms in (-2000, -1000, 0, 1000, 2000)})
    return times, [_value(changes, t_ms) for t_ms in times]


def said(plant: Plant) -> Iterator[UnitMessage]:
    """Yield a quiet day with one fill of 40 kg at noon, every two minutes: just often enough to be believed."""
    for minute in [*range(0, 1440, 2), 479, 959, 1439]:
        yield from _minute(plant, START + minute * MINUTE)
    yield from _minute(plant, at(24.0) - 1000)


def _minute(plant: Plant, t_ms: int) -> Iterator[UnitMessage]:
    def message(area: str, unit: str, **roles: float) -> UnitMessage:
        return UnitMessage(plant.id, area, unit, t_ms, {plant.tag(area, unit, k): v for k, v in roles.items()})

    for bank in plant.banks:
        yield message("storage", bank.unit, pressure_a=40.0, pressure_b=40.0, temperature=20.0)
    for bay in plant.supply.bays:
        yield message("trailer", bay, state=0.0)
    for train in plant.trains:
        yield message("compression", train.unit, state=0.0, flow=0.0, power=0.0)
    for chiller in plant.chillers:
        yield message("cooling", chiller.unit, state=0.0, power=0.0)
    for hose in plant.hoses:
        fills = hose.unit == "hose-1A" and at(12.0) <= t_ms < at(12.2)
        total = 1040.0 if hose.unit == "hose-1A" and t_ms >= at(12.2) else 1000.0
        state = 3.0 if fills else 5.0 if hose.unit == "hose-1A" and t_ms == at(12.2) else 0.0
        yield message("dispensing", hose.unit, state=state, total=total, pressure=0.1, delivery_temperature=20.0)
    yield message("utilities", "power", power=60.0, energy=5000.0 + (t_ms - START) / HOUR * 60.0)
