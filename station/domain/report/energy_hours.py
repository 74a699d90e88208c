"""Electricity hour by hour: of each train for what it pressed, of the station for what it gave (DOMAIN 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from station.domain.plant import Plant
from station.domain.report.day_readings import MINUTE_MS, DayReadings, Floats

_MINUTES: Final = 60
_MOST_SILENT: Final = 0.1
"""Of an hour's minutes those in which an instrument may be silent; its mean stands for them."""
LEAST_KG: Final = 1.0
"""Energy for less than this says nothing of an hour [kg]: a machine that started at its end pressed little."""


@dataclass(frozen=True, slots=True)
class EnergyPart:
    """One machine, or the whole station, over a stretch; None is not known.

    Attributes:
        kwh: Electricity.
        kg: Pressed by a train, dispensed by the station; None of a chiller too.
    """

    kwh: float | None
    kg: float | None

    @property
    def kwh_per_kg(self) -> float | None:
        """Electricity for each kilogram; None where one is not known, or next to nothing moved."""
        return None if self.kwh is None or self.kg is None or self.kg < LEAST_KG else self.kwh / self.kg


@dataclass(frozen=True, slots=True)
class EnergyStretch:
    """An hour, or the day so far: the station, its trains and chillers by unit, what is left of the station's."""

    start_ms: int
    end_ms: int
    station: EnergyPart
    trains: dict[str, EnergyPart]
    chillers: dict[str, EnergyPart]

    @property
    def rest_kwh(self) -> float | None:
        """The station less its machines: lights, cooling water, fans; None where one is not known."""
        parts = [part.kwh for part in (*self.trains.values(), *self.chillers.values())]
        known = [kwh for kwh in parts if kwh is not None]
        return None if self.station.kwh is None or len(known) < len(parts) else self.station.kwh - sum(known)


@dataclass(frozen=True, slots=True)
class EnergyDay:
    """A station day's electricity: its hours, and all of it as far as it goes."""

    whole: EnergyStretch
    hours: tuple[EnergyStretch, ...]


def energy_day(plant: Plant, readings: DayReadings) -> EnergyDay:
    """Return the electricity of a day, hour by hour."""
    columns = _Columns.of(plant, readings)
    hours = tuple(columns.stretch(first, min(first + _MINUTES, columns.minutes)) for first in _starts(columns.minutes))
    return EnergyDay(columns.stretch(0, columns.minutes), hours)


def _starts(minutes: int) -> Iterator[int]:
    yield from range(0, minutes, _MINUTES)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The minutes that it is worked out of: powers [kW], flows [kg/h], counters."""

    start_ms: int
    minutes: int
    site_kw: Floats
    counters: tuple[Floats, ...]
    trains: dict[str, tuple[Floats, Floats]]
    chillers: dict[str, Floats]

    @classmethod
    def of(cls, plant: Plant, readings: DayReadings) -> _Columns:
        def mean(area: str, unit: str, role: str) -> Floats:
            return readings.series(plant.tag(area, unit, role)).mean

        return cls(
            readings.day.start_ms,
            readings.day.minutes,
            mean("utilities", "power", "power"),
            tuple(readings.series(plant.tag("dispensing", hose.unit, "total")).last for hose in plant.hoses),
            {t.unit: (mean("compression", t.unit, "power"), mean("compression", t.unit, "flow")) for t in plant.trains},
            {chiller.unit: mean("cooling", chiller.unit, "power") for chiller in plant.chillers},
        )

    def stretch(self, first: int, end: int) -> EnergyStretch:
        """Return the minutes [first, end) as one."""
        part = slice(first, end)
        return EnergyStretch(
            self.start_ms + first * MINUTE_MS,
            self.start_ms + end * MINUTE_MS,
            EnergyPart(_summed(self.site_kw[part]), self._given(first, end)),
            {unit: EnergyPart(_summed(kw[part]), _summed(kg[part])) for unit, (kw, kg) in self.trains.items()},
            {unit: EnergyPart(_summed(kw[part]), None) for unit, kw in self.chillers.items()},
        )

    def _given(self, first: int, end: int) -> float | None:
        rises = [_rise(counter, first, end) for counter in self.counters]
        known = [rise for rise in rises if rise is not None]
        return sum(known) if rises and len(known) == len(rises) else None


def _summed(rates: Floats) -> float | None:
    """Return the sum over the minutes of something that is told by the hour; None where it was silent for too long."""
    known = rates[np.isfinite(rates)]
    if not len(rates) or len(known) < (1.0 - _MOST_SILENT) * len(rates):
        return None
    return float(known.mean()) * len(rates) / _MINUTES


def _rise(counter: Floats, first: int, end: int) -> float | None:
    """Return a counter's rise over [first, end), against the minute before it; None where an edge is not known."""
    edges: Sequence[Floats] = (counter[max(0, first - 1) : first + 1], counter[max(0, end - 2) : end])
    befores, afters = (edge[np.isfinite(edge)] for edge in edges)
    return None if not len(befores) or not len(afters) else max(0.0, float(afters[-1] - befores[0]))
