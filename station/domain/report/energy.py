"""Electricity of the day, as the site's meter counts it and as the machines' own instruments share it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, Floats

MOST_SILENT: Final = 0.02
"""Of the minutes those in which an instrument may be silent; its mean stands for them. Beyond it nothing is known."""
_FIRST_MINUTES: Final = 5
"""The site's counter speaks once a minute: so far from an edge of the day its word still stands for it."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Electricity [kWh]; None is not known.

    Attributes:
        site: By the site's counter.
        trains, chillers: By the power of each machine.
        rest: Site less both.
        per_kg: Site for each kilogram dispensed.
        peak_kw: Highest minute of the site.
        metered_share: Of the day's minutes those in which every power is known, the worst signal (0..1).
    """

    site: float | None
    trains: float | None
    chillers: float | None
    rest: float | None
    per_kg: float | None
    peak_kw: float | None
    metered_share: float


def energy_of(plant: Plant, readings: DayReadings, dispensed_kg: float | None) -> Energy:
    """Return the electricity of a day."""
    trains = [readings.heard(plant.tag("compression", one.unit, "power")).mean for one in plant.trains]
    chillers = [readings.heard(plant.tag("cooling", one.unit, "power")).mean for one in plant.chillers]
    site_kw = readings.heard(plant.tag("utilities", "power", "power")).mean
    site = counted(readings.heard(plant.tag("utilities", "power", "energy")).last)
    site = _kwh([site_kw]) if site is None else site
    parts = (_kwh(trains), _kwh(chillers))
    rest = None if site is None or None in parts else site - sum(part or 0.0 for part in parts)
    all_kw = [*trains, *chillers, site_kw]
    known_kw = site_kw[np.isfinite(site_kw)]
    return Energy(
        site=site,
        trains=parts[0],
        chillers=parts[1],
        rest=rest,
        per_kg=site / dispensed_kg if site is not None and dispensed_kg else None,
        peak_kw=float(known_kw.max()) if len(known_kw) else None,
        metered_share=min((float(np.isfinite(kw).mean()) for kw in all_kw if len(kw)), default=0.0),
    )


def counted(last: Floats) -> float | None:
    """Return by how much a counter rose over the day; None where its first or last minutes are silent.

    In between it may be silent: it counts on.
    """
    first_ones, last_ones = (edge[np.isfinite(edge)] for edge in (last[:_FIRST_MINUTES], last[-_FIRST_MINUTES:]))
    if not len(first_ones) or not len(last_ones):
        return None
    rise = float(last_ones[-1] - first_ones[0])
    return rise if rise >= 0.0 else None


def _kwh(powers: list[Floats]) -> float | None:
    """Return the energy of some machines; None where one of them was silent for too long."""
    total = 0.0
    for kw in powers:
        known = kw[np.isfinite(kw)]
        if not len(kw) or len(known) < (1.0 - MOST_SILENT) * len(kw):
            return None
        total += float(known.mean()) * len(kw) / 60.0
    return total
