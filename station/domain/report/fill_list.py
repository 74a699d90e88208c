"""A day's fills as the list of them shows: what each truck was, and how warm its gas became."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from station.domain.fill_ledger import AT_WORK
from station.domain.plant import Plant, TruckType
from station.domain.report.day_readings import MINUTE_MS, NEAR_MS, DayReadings, ReportDay, Steps
from station.domain.report.fills import DayFill, fills_of
from station.domain.report.moments import Window, apart

_FLOWS: Final = "fill"
_TANK: Final = (("vehicle", "pressure"), ("vehicle", "temperature"), ("vehicle", "soc"))
_AT_START: Final = (("dispensing", "total"),)
_AT_FLOW: Final = (*_TANK, ("vehicle", "tank_volume"))
_AT_END: Final = (*_TANK, ("vehicle", "command"), ("dispensing", "total"))
_NEAR_LITRES: Final = 1.0
"""A tank says its nominal volume; rounding alone lies between it and the file's."""


@dataclass(frozen=True, slots=True)
class ListedFill:
    """A fill in the list; None is not known.

    Attributes:
        truck: Name of the kind of truck that has such a tank; no signal tells which truck it was.
        tank_litres: Nominal volume, by the vehicle's own word.
        peak_c: The warmest that the vehicle's gas became [degC].
    """

    fill: DayFill
    truck: str | None
    tank_litres: float | None
    peak_c: float | None


def warmth_tags(plant: Plant) -> tuple[str, ...]:
    """Return the signals whose minutes the list reads."""
    return tuple(plant.tag("vehicle", hose.unit, "temperature") for hose in plant.hoses)


def fill_windows(plant: Plant, _: ReportDay, steps: Mapping[str, Steps]) -> dict[str, list[Window]]:
    """Return where the list needs single readings: as each truck connects, as its gas first flows, and at its end.

    A day's report reads around every change of a hose's state; these are a quarter of it.
    """
    found: dict[str, list[Window]] = {}
    for hose in plant.hoses:
        tag = plant.tag("dispensing", hose.unit, "state")
        names = [state.en for state in plant.signals[tag].states]
        for roles, t_ms in _moments(steps.get(tag, ()), names):
            for area, role in roles:
                found.setdefault(plant.tag(area, hose.unit, role), []).append((t_ms - NEAR_MS, t_ms + NEAR_MS))
    return {tag: apart(stretches) for tag, stretches in found.items()}


def _moments(steps: Steps, names: Sequence[str]) -> Iterator[tuple[Sequence[tuple[str, str]], int]]:
    """Yield (what is read, when) of one hose, in order."""
    at_work = flowed = False
    for t_ms, value in steps:
        state = None if value is None or not 0 <= value < len(names) else names[int(value)]
        if state in AT_WORK and not at_work:
            yield _AT_START, t_ms
        if state == _FLOWS and not flowed:
            yield _AT_FLOW, t_ms
        if at_work and state is not None and state not in AT_WORK:
            yield _AT_END, t_ms
        at_work = at_work if state is None else state in AT_WORK
        flowed = at_work and (flowed or state == _FLOWS)


def listed_fills(plant: Plant, readings: DayReadings) -> list[ListedFill]:
    """Return the fills that ended in the day, by their end."""
    return [_listed(plant, readings, fill) for fill in fills_of(plant, readings)]


def _listed(plant: Plant, readings: DayReadings, fill: DayFill) -> ListedFill:
    litres = readings.before(plant.tag("vehicle", fill.hose, "tank_volume"), fill.end_ms, fill.end_ms - fill.start_ms)
    return ListedFill(fill, kind_of(plant.fleet.types, litres), litres, _peak(plant, readings, fill))


def kind_of(types: Sequence[TruckType], litres: float | None) -> str | None:
    """Return the kind of truck that has a tank of so many litres, None where it is none or more than one."""
    if litres is None:
        return None
    fitting = [kind.name for kind in types if abs(kind.tanks * kind.tank_litres - litres) <= _NEAR_LITRES]
    return fitting[0] if len(fitting) == 1 else None


def _peak(plant: Plant, readings: DayReadings, fill: DayFill) -> float | None:
    """Return the warmest minute; a hose hears a vehicle in its fill only, so whole minutes hold no other truck's."""
    high = readings.series(plant.tag("vehicle", fill.hose, "temperature")).high
    first, last = ((t_ms - readings.day.start_ms) // MINUTE_MS for t_ms in (fill.start_ms, fill.end_ms))
    known = high[max(0, first) : last + 1]
    known = known[np.isfinite(known)]
    return float(known.max()) if len(known) else None
