"""How long machines ran, stood ready, were broken, or were not heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, StateTags, spans_of

_RUNNING: Final = {
    "compression": ("start", "loaded", "unloaded"),
    "cooling": ("start", "run", "defrost"),
    "dispensing": ("connect", "leak-check", "fill", "hold"),
}
_AT_WORK: Final = {"compression": ("loaded",), "cooling": ("run",), "dispensing": ("fill", "hold")}
_BROKEN: Final = ("trip", "fault")


@dataclass(frozen=True, slots=True)
class MachineDay:
    """One machine's day [h].

    Attributes:
        area, unit: Which.
        running: It turned, or a truck was connected.
        at_work: It gave gas or cold.
        down: Tripped or at fault.
        unknown: Nobody knows its state; counted neither for nor against it.
        starts: How often it began to run.
        failures: How often it tripped or failed.
    """

    area: str
    unit: str
    running: float
    at_work: float
    down: float
    unknown: float
    hours: float
    starts: int
    failures: int

    @property
    def availability(self) -> float | None:
        """Share of the known time in which it was not broken (0..1); None where nothing is known."""
        known = self.hours - self.unknown
        return None if known <= 0.0 else 1.0 - self.down / known

    @property
    def hours_between_failures(self) -> float | None:
        """Running hours for each failure of the day; None without one."""
        return self.running / self.failures if self.failures else None


def machines_of(plant: Plant, readings: DayReadings) -> list[MachineDay]:
    """Return trains, chillers and hoses, each by its day."""
    tags = StateTags.of(plant)
    groups = (("compression", tags.trains), ("cooling", tags.chillers), ("dispensing", tags.hoses))
    return [_machine(plant, readings, area, unit, tag) for area, units in groups for unit, tag in units.items()]


def availability_of(machines: Sequence[MachineDay], area: str) -> float | None:
    """Return the availability of all machines of an area together; None where nothing is known."""
    own = [machine for machine in machines if machine.area == area]
    known = sum(machine.hours - machine.unknown for machine in own)
    return None if known <= 0.0 else 1.0 - sum(machine.down for machine in own) / known


def _machine(plant: Plant, readings: DayReadings, area: str, unit: str, tag: str) -> MachineDay:
    names = [state.en for state in plant.signals[tag].states]
    day = readings.day
    hours = dict.fromkeys((*names, None), 0.0)
    starts = failures = 0
    before: str | None = None
    for span in spans_of(readings.steps.get(tag, ()), day.from_ms, day.until_ms):
        name = None if span.state is None or not 0 <= span.state < len(names) else names[span.state]
        hours[name] += span.hours
        if name is None:
            continue
        if before is not None:
            starts += name in _RUNNING[area] and before not in _RUNNING[area]
            failures += name in _BROKEN and before not in _BROKEN
        before = name
    return MachineDay(
        area,
        unit,
        running=sum(hours.get(name, 0.0) for name in _RUNNING[area]),
        at_work=sum(hours.get(name, 0.0) for name in _AT_WORK[area]),
        down=sum(hours.get(name, 0.0) for name in _BROKEN),
        unknown=hours[None],
        hours=sum(hours.values()),
        starts=starts,
        failures=failures,
    )
