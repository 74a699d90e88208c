"""The day's trailers: when each came, stood open and left, what it brought by pressure, meter and scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from station.domain.day_plan import DayPlan
from station.domain.mass_balance import content
from station.domain.plant import Plant
from station.domain.report.day_readings import MINUTE_MS, DayReadings, Steps

ON_BRIDGE_KG: Final = 5_000.0
"""No tractor weighs less."""
_LEAVES_WITHIN_MS: Final = 20 * MINUTE_MS
"""A weighing this soon after a bay has become absent is of the trailer that left it."""
_WAITS_WITHIN_MS: Final = 6 * 3_600_000
"""A trailer that was weighed waits in the yard this long at most."""
_LOSES_KG: Final = (200.0, 420.0)
"""DOMAIN 1.1: a trailer leaves 278 to 340 kg, of 382 kg; what differs by else is two trailers, not one."""
_ABSENT: Final = "absent"
_OPEN: Final = ("open", "empty")
"""States in which the trailer's gas is connected, see the mass balance."""
_MOST_UNKNOWN: Final = 0.02
"""Of the minutes of a stay those in which the meter may be silent before its sum means nothing."""


@dataclass(frozen=True, slots=True)
class TrailerStay:
    """One trailer at a bay; None is not known, or has not happened by the end of the report.

    Attributes:
        docked_ms, open_ms, closed_ms, left_ms: It came to the bay, its gas was let in, was shut off, it left.
        brought_kg: What it held when its bay opened, by pressure and temperature.
        returned_kg: What it held when it was shut off.
        metered_kg: What the bay's meter counted in between.
        scale_kg: Weight coming less weight leaving.
        announced_ms: When the plan had it come.
        weighed_ms: When it drove onto the scale.
    """

    bay: str
    docked_ms: int | None
    open_ms: int | None
    closed_ms: int | None
    left_ms: int | None
    brought_kg: float | None
    returned_kg: float | None
    metered_kg: float | None
    scale_kg: float | None = None
    announced_ms: int | None = None
    weighed_ms: int | None = None

    @property
    def given_kg(self) -> float | None:
        """What it left at the station, by pressure and temperature."""
        if self.brought_kg is None or self.returned_kg is None:
            return None
        return self.brought_kg - self.returned_kg


@dataclass(frozen=True, slots=True)
class _Weighing:
    t_ms: int
    kg: float


def trailers_of(plant: Plant, readings: DayReadings, plan: DayPlan | None) -> list[TrailerStay]:
    """Return the trailers that stood at a bay in the day, by when they opened."""
    stays = [stay for bay in plant.supply.bays for stay in _at_bay(plant, bay, readings)]
    stays.sort(key=lambda stay: (stay.open_ms or stay.docked_ms or 0, stay.bay))
    return _announced(_weighed(stays, _weighings(plant, readings)), plan)


def _at_bay(plant: Plant, bay: str, readings: DayReadings) -> Iterator[TrailerStay]:
    tag = plant.tag("trailer", bay, "state")
    names = [state.en for state in plant.signals[tag].states]
    for moments in _visits(readings.steps.get(tag, ()), names):
        _, opened, closed, left = moments
        last = left or closed or readings.day.until_ms
        if last < readings.day.start_ms:
            continue
        yield TrailerStay(
            bay,
            *moments,
            brought_kg=_held(plant, bay, readings, opened),
            returned_kg=_held(plant, bay, readings, closed),
            metered_kg=_metered(plant, bay, readings, opened, closed),
        )


_Visit = tuple[int | None, int | None, int | None, int | None]


def _visits(steps: Steps, names: Sequence[str]) -> Iterator[_Visit]:
    """Yield (docked, opened, shut off, left) of each trailer that a bay's state tells of.

    What was so already when the state was first heard has no time.
    """
    docked = opened = closed = None
    before: str | None = None
    for t_ms, value in steps:
        state = None if value is None or not 0 <= value < len(names) else names[int(value)]
        if state is None:
            continue
        if state == _ABSENT and before not in (None, _ABSENT):
            was_open = before in _OPEN
            yield docked, opened, t_ms if was_open else closed, t_ms
            docked = opened = closed = None
        elif state in _OPEN and before not in (None, *_OPEN):
            opened = t_ms if opened is None else opened
        elif state not in (_ABSENT, *_OPEN):
            docked = t_ms if before == _ABSENT else docked
            closed = t_ms if before in _OPEN else closed
        before = state
    if before not in (None, _ABSENT):
        yield docked, opened, closed, None


def _held(plant: Plant, bay: str, readings: DayReadings, t_ms: int | None) -> float | None:
    if t_ms is None:
        return None
    pressure, celsius = (
        readings.before(plant.tag("trailer", bay, role), t_ms - 1) for role in ("pressure", "temperature")
    )
    if pressure is None or celsius is None:
        return None
    return content(plant.supply.volume_m3, pressure, celsius).kg


def _metered(plant: Plant, bay: str, readings: DayReadings, opened: int | None, closed: int | None) -> float | None:
    """Return what the bay's meter counted; None where the stay is not all in the day, or the meter was silent."""
    day = readings.day
    if opened is None or closed is None or opened < day.start_ms:
        return None
    flow = readings.series(plant.tag("trailer", bay, "flow")).mean
    first, last = ((edge - day.start_ms) // MINUTE_MS for edge in (opened, closed))
    stretch = flow[first : last + 1]
    silent = np.count_nonzero(np.isnan(stretch))
    if not len(stretch) or silent > _MOST_UNKNOWN * len(stretch):
        return None
    return float(np.nanmean(stretch)) * (closed - opened) / 3_600_000.0


def _weighings(plant: Plant, readings: DayReadings) -> list[_Weighing]:
    """Return what stood on the scale: of each run of minutes with a weight the highest."""
    tag = plant.tag("trailer", "weighbridge", "mass")
    high = readings.series(tag).high
    found: list[_Weighing] = []
    start: int | None = None
    for place, kg in enumerate([*high.tolist(), math.nan]):
        stands = kg > ON_BRIDGE_KG
        if stands and start is None:
            start = place
        elif not stands and start is not None:
            # The scale is damped: a lone minute may end before it has come to rest.
            weight = float(np.nanmax(high[start:place]))
            found.append(_Weighing(readings.day.start_ms + start * MINUTE_MS, weight))
            start = None
    return found


def _weighed(stays: Sequence[TrailerStay], weighings: Sequence[_Weighing]) -> list[TrailerStay]:
    """Return the stays with what the scale said: who leaves is weighed after its bay, who comes waits in line."""
    left = list(weighings)
    leaving: dict[int, _Weighing] = {}
    for place, stay in enumerate(stays):
        if stay.left_ms is None:
            continue
        near = [w for w in left if -MINUTE_MS <= w.t_ms - stay.left_ms <= _LEAVES_WITHIN_MS]
        if near:
            leaving[place] = near[0]
            left.remove(near[0])
    found = []
    for place, stay in enumerate(stays):
        docked = stay.docked_ms or stay.open_ms
        coming = next((w for w in left if docked is not None and 0 <= docked - w.t_ms <= _WAITS_WITHIN_MS), None)
        if coming is not None:
            left.remove(coming)
        found.append(_with_weights(stay, coming, leaving.get(place)))
    return found


def _with_weights(stay: TrailerStay, coming: _Weighing | None, leaving: _Weighing | None) -> TrailerStay:
    lighter = None if coming is None or leaving is None else coming.kg - leaving.kg
    if lighter is not None and not _LOSES_KG[0] <= lighter <= _LOSES_KG[1]:
        lighter = None
    return replace(stay, scale_kg=lighter, weighed_ms=None if coming is None else coming.t_ms)


def _announced(stays: Sequence[TrailerStay], plan: DayPlan | None) -> list[TrailerStay]:
    """Return the stays with the plan's times: who comes first is who was announced first."""
    announced = [] if plan is None else sorted(delivery.eta_ms for delivery in plan.trailers)
    found = []
    for stay in stays:
        came = stay.weighed_ms or stay.docked_ms
        if came is not None and announced and announced[0] <= came + 3_600_000:
            found.append(replace(stay, announced_ms=announced.pop(0)))
        else:
            found.append(stay)
    return found
