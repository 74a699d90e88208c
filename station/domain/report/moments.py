"""Which readings a report needs beside states and minutes: those around each change that moves kilograms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from station.domain.fill_ledger import AT_WORK
from station.domain.plant import Plant
from station.domain.report.day_readings import NEAR_MS, ReportDay, StateTags, Steps
from station.domain.report.shifts import shift_starts

Window = tuple[int, int]
"""[start, end), epoch ms."""

_VEHICLE: Final = ("pressure", "temperature", "tank_volume", "command", "soc")
_LINE: Final = ("total", "pressure", "delivery_temperature")


def windows(plant: Plant, day: ReportDay, steps: Mapping[str, Steps]) -> dict[str, list[Window]]:
    """Return tag -> the stretches of its readings that are needed, in order and apart."""
    tags = StateTags.of(plant)
    found: dict[str, list[Window]] = defaultdict(list)
    for moment in (*shift_starts(plant, day), day.from_ms, day.until_ms):
        for tag in _vessels(plant):
            found[tag].append(_around(moment))
        for unit in tags.hoses:
            for role in _LINE:
                found[plant.tag("dispensing", unit, role)].append(_around(moment))
    for unit, tag in tags.bays.items():
        for t_ms, _ in steps.get(tag, ()):
            for role in ("pressure", "temperature"):
                found[plant.tag("trailer", unit, role)].append(_around(t_ms))
    for unit, tag in tags.hoses.items():
        _hose_windows(plant, unit, steps.get(tag, ()), found)
    return {tag: apart(stretches) for tag, stretches in found.items()}


def _hose_windows(plant: Plant, unit: str, steps: Steps, found: dict[str, list[Window]]) -> None:
    state = plant.signals[plant.tag("dispensing", unit, "state")]
    at_work = {state.state_number(name) for name in AT_WORK}
    before: float | None = None
    for t_ms, value in steps:
        for role in _LINE:
            found[plant.tag("dispensing", unit, role)].append(_around(t_ms))
        if before in at_work or value in at_work:
            for role in _VEHICLE:
                found[plant.tag("vehicle", unit, role)].append(_around(t_ms))
        before = value


def _vessels(plant: Plant) -> list[str]:
    banks = [("storage", b.unit, role) for b in plant.banks for role in ("pressure_a", "pressure_b", "temperature")]
    bays = [("trailer", bay, role) for bay in plant.supply.bays for role in ("pressure", "temperature")]
    return [plant.tag(*place) for place in (*banks, *bays)]


def _around(t_ms: int) -> Window:
    return t_ms - NEAR_MS, t_ms + NEAR_MS


def apart(stretches: Sequence[Window]) -> list[Window]:
    """Return stretches in order, those that touch as one."""
    found: list[Window] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
