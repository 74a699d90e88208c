"""What the station held through the day, from the minutes of pressures and temperatures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from station.domain.hydrogen import KELVIN, density_kg_m3_unchecked
from station.domain.plant import Plant
from station.domain.report.day_readings import PLAUSIBLE, DayReadings, Floats, StateTags, spans_of

_DOCKED: Final = frozenset({"docked", "earthed", "purging", "open", "empty"})
CURVE_MINUTES: Final = 10
"""A point of a curve each so often: a day is 144 of them."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one vessel held; None is not known [kg].

    Attributes:
        name: Bank, or `trailers` for all that were docked.
        opening, closing: In the first and in the last minute of the reported stretch.
        low, high: Over the day, of the minutes that are known.
        known: Share of the minutes in which it is known (0..1).
    """

    name: str
    opening: float | None
    closing: float | None
    low: float | None
    high: float | None
    known: float

    @property
    def change(self) -> float | None:
        """Closing less opening."""
        return None if self.opening is None or self.closing is None else self.closing - self.opening


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity over the day: epoch ms and value, None where it is not known."""

    t_ms: tuple[int, ...]
    value: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """Banks one by one, docked trailers together, and both over the day [kg]."""

    held: tuple[Held, ...]
    banks: Curve
    trailers: Curve


TRAILERS: Final = "trailers"


def stock_of(plant: Plant, readings: DayReadings) -> Stock:
    """Return the stock of a day."""
    banks = {
        bank.unit: _content(
            bank.volume_m3,
            _mean([readings.series(plant.tag("storage", bank.unit, f"pressure_{twin}")).mean for twin in "ab"]),
            readings.series(plant.tag("storage", bank.unit, "temperature")).mean,
        )
        for bank in plant.banks
    }
    trailers = _trailers(plant, readings)
    together = np.sum(list(banks.values()), axis=0) if banks else np.full(readings.day.minutes, math.nan)
    return Stock(
        held=tuple(_held(name, kg[readings.day.first_minute :]) for name, kg in {**banks, TRAILERS: trailers}.items()),
        banks=curve_of(readings, together),
        trailers=curve_of(readings, trailers),
    )


def curve_of(readings: DayReadings, values: Floats, digits: int = 1) -> Curve:
    """Return minutes as a curve of one point in `CURVE_MINUTES`, the last minute that is known of each."""
    start_ms = readings.day.start_ms
    places = range(0, len(values), CURVE_MINUTES)
    found = [_last_known(values[place : place + CURVE_MINUTES]) for place in places]
    times = tuple(start_ms + (place + CURVE_MINUTES) * 60_000 for place in places)
    return Curve(times, tuple(None if one is None else round(one, digits) for one in found))


def _trailers(plant: Plant, readings: DayReadings) -> Floats:
    """Return what all docked trailers hold; NaN where one is docked, or may be, whose gas is not known."""
    whole = np.zeros(readings.day.minutes)
    for bay, tag in StateTags.of(plant).bays.items():
        states = [state.en for state in plant.signals[tag].states]
        kg = _content(
            plant.supply.volume_m3,
            readings.series(plant.tag("trailer", bay, "pressure")).mean,
            readings.series(plant.tag("trailer", bay, "temperature")).mean,
        )
        start_ms = readings.day.start_ms
        for span in spans_of(readings.steps.get(tag, ()), start_ms, readings.day.until_ms):
            first, last = (round((edge - start_ms) / 60_000) for edge in (span.start_ms, span.end_ms))
            if span.state is None:
                whole[first:last] = math.nan
            elif states[span.state] in _DOCKED:
                whole[first:last] += kg[first:last]
    return whole


def _content(volume_m3: float, pressure: Floats, celsius: Floats) -> Floats:
    known = (np.abs(pressure) < PLAUSIBLE["MPa"]) & (np.abs(celsius) < PLAUSIBLE["degC"])
    kg = np.full(len(pressure), math.nan)
    if known.any():
        density = density_kg_m3_unchecked(np.maximum(pressure[known], 0.0), celsius[known] + KELVIN)
        kg[known] = volume_m3 * density
    return kg


def _mean(twins: Sequence[Floats]) -> Floats:
    """Return the mean of twin transmitters where both speak, else the one that does."""
    known = np.isfinite(twins)
    count = known.sum(axis=0)
    total = np.where(known, twins, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), math.nan)


def _held(name: str, kg: Floats) -> Held:
    known = kg[np.isfinite(kg)]
    if not len(known):
        return Held(name, None, None, None, None, 0.0)
    first, last = (None if math.isnan(one) else float(one) for one in (kg[0], kg[-1]))
    return Held(name, first, last, float(known.min()), float(known.max()), len(known) / len(kg))


def _last_known(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None
