"""What the analysers said of the gas, against the limits of ISO 14687 grade D that the station file carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings


@dataclass(frozen=True, slots=True)
class Impurity:
    """One impurity's day, in the signal's unit; None is not known.

    Attributes:
        mean, high: Over the minutes that are known.
        limit: Of the standard.
        over_minutes: Minutes whose highest value passed the limit.
        known: Share of the hours that have a value (0..1): a chromatograph speaks each few minutes only.
    """

    tag: str
    unit: str
    mean: float | None
    high: float | None
    limit: float | None
    over_minutes: int
    known: float


def quality_of(plant: Plant, readings: DayReadings) -> list[Impurity]:
    """Return each analyser's day."""
    found = []
    for signal in plant.signals.values():
        if signal.area != "quality":
            continue
        series, limit = readings.series(signal.tag), signal.limits.get("HH")
        highs = series.high[np.isfinite(series.high)]
        means = series.mean[np.isfinite(series.mean)]
        over = 0 if limit is None else int(np.count_nonzero(highs > limit))
        found.append(
            Impurity(
                signal.tag,
                signal.unit_of_measure,
                float(means.mean()) if len(means) else None,
                float(highs.max()) if len(highs) else None,
                limit,
                over,
                _known_hours(series.high),
            )
        )
    return found


def _known_hours(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    hours = range(0, len(values), 60)
    known = sum(bool(np.isfinite(values[place : place + 60]).any()) for place in hours)
    return known / len(hours) if len(values) else 0.0
