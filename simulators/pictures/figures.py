"""The figures of a stretch of days beside what the reference station should show."""

from __future__ import annotations

import functools
import math
import tomllib
from dataclasses import dataclass
from importlib import resources

import msgspec
import numpy as np

from simulators.pictures.course import Course, Floats
from station.domain.hydrogen import KELVIN, density_kg_m3
from station.domain.mass_balance import content
from station.domain.plant import Text

_WHOLE_DAY_H = (23.5, 24.5)
_FLOWS_G_S = 5.0
"""A hose with less than this is not delivering."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a figure should be: [low, high]; `day` where only a whole day tells."""

    low: float
    high: float
    unit: str
    en: str
    zh: str
    day: bool = False

    @property
    def name(self) -> Text:
        """What it is called."""
        return Text(self.en, self.zh)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and whether it is as expected; None where the stretch is not a day."""

    key: str
    value: float
    expected: Expectation
    judged: bool | None


@functools.cache
def expectations() -> dict[str, Expectation]:
    """Return the expected ranges, by figure, in the order of their file."""
    file = resources.files("simulators.pictures").joinpath("expectations.toml")
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, Expectation])


def figures(course: Course) -> list[Figure]:
    """Return the figures of a course that could be worked out."""
    values = _demand(course) | _stock(course) | _supply(course) | _machines(course)
    hours = float(course.t_ms[-1] - course.t_ms[0]) / 3.6e6
    whole = _WHOLE_DAY_H[0] <= hours <= _WHOLE_DAY_H[1]
    found = []
    for key, expected in expectations().items():
        value = values.get(key, math.nan)
        if math.isfinite(value):
            judged = None if expected.day and not whole else expected.low <= value <= expected.high
            found.append(Figure(key, value, expected, judged))
    return found


def bank_kg(course: Course) -> Floats:
    """Return what all banks hold on the grid [kg], from their transmitters."""
    held = np.zeros(len(course.t_ms))
    for bank in course.plant.banks:
        pressure = np.maximum(_filled(course.of("storage", bank.unit, "pressure_a")), 0.0)
        kelvin = _filled(course.of("storage", bank.unit, "temperature")) + KELVIN
        held += bank.volume_m3 * density_kg_m3(pressure, kelvin)
    return held


def dispensed_kg(course: Course) -> Floats:
    """Return the rise of all totals since the start, on the grid [kg]."""
    totals = np.sum([_filled(course.of("dispensing", hose.unit, "total")) for hose in course.plant.hoses], axis=0)
    return np.asarray(totals - totals[0])


def sum_of(course: Course, area: str, units: list[str], role: str) -> Floats:
    """Return the sum of one signal over units, on the grid; what is missing counts nothing."""
    return np.asarray(np.nansum([course.of(area, unit, role) for unit in units], axis=0))


def flowing(course: Course, hose: str, role: str) -> Floats:
    """Return a hose's signal where gas flows through it, NaN elsewhere."""
    flow = course.of("dispensing", hose, "flow")
    return np.where(np.nan_to_num(flow) > _FLOWS_G_S, course.of("dispensing", hose, role), np.nan)


def _filled(values: Floats) -> Floats:
    """Return a column without gaps: the first value before the first, the last one in between."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return np.zeros(len(values))
    at = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return np.asarray(values[known[np.maximum(at, 0)]])


def _demand(course: Course) -> dict[str, float]:
    fills = course.fills
    if not fills:
        return {}
    # A truck that was called at once was never seen at the gate.
    waits = [minutes for _, minutes in course.waits]
    waits += [0.0] * max(0, len(fills) - len(waits))
    in_flow = np.concatenate([flowing(course, hose.unit, "delivery_temperature") for hose in course.plant.hoses])
    return {
        "dispensed_kg": float(dispensed_kg(course)[-1]),
        "trucks": float(len(fills)),
        "mean_kg": float(np.mean([fill.kg for fill in fills])),
        "kg_min": float(np.median([fill.kg / fill.minutes for fill in fills if fill.minutes > 0.0])),
        "fill_min": float(np.median([fill.minutes for fill in fills])),
        "end_soc": _median([fill.end_soc for fill in fills]),
        "end_c_highest": _highest([fill.end_c for fill in fills]),
        "wait_p95": float(np.percentile(waits, 95)),
        "delivery_c": _median(in_flow.tolist()),
    }


def _stock(course: Course) -> dict[str, float]:
    banks = course.plant.banks
    pressures = [course.of("storage", bank.unit, "pressure_a") for bank in banks]
    spans = [np.ptp(_filled(course.of("storage", bank.unit, "temperature"))) for bank in banks]
    return {
        "bank_low_kg": float(bank_kg(course).min()),
        "bank_high_mpa": _highest(np.concatenate(pressures).tolist()),
        "bank_c_span": float(max(spans)),
    }


def _supply(course: Course) -> dict[str, float]:
    opened, given = 0, []
    for bay in course.plant.supply.bays:
        of_bay = _trailers_of(course, bay)
        opened += len(of_bay)
        given += [kg for kg in of_bay if kg is not None]
    found = {"trailers": float(opened)}
    if given:
        found["trailer_net_kg"] = float(np.mean(given))
    if course.audits:
        terms = course.audits[-1]
        found["unaccounted_share"] = 100.0 * terms.share
        found["vent_share"] = 100.0 * terms.vented / max(1.0, terms.dispensed)
    return found


def _trailers_of(course: Course, bay: str) -> list[float | None]:
    """Return what each trailer gave that opened at a bay [kg], None where it stands there still."""
    plant = course.plant
    tag = plant.tag("trailer", bay, "state")
    open_, empty = (plant.signals[tag].state_number(name) for name in ("open", "empty"))
    state = course.column(tag)
    pressure, celsius = course.of("trailer", bay, "pressure"), course.of("trailer", bay, "temperature")
    given: list[float | None] = []
    first: float | None = None
    for row in np.flatnonzero(state[1:] != state[:-1]) + 1:
        kg = content(plant.supply.volume_m3, float(pressure[row]), float(celsius[row])).kg
        if state[row] == open_:
            first = kg
            given.append(None)
        elif state[row] == empty and first is not None:
            given[-1], first = first - kg, None
    return given


def _machines(course: Course) -> dict[str, float]:
    plant = course.plant
    trains, chillers = [train.unit for train in plant.trains], [chiller.unit for chiller in plant.chillers]
    kwh = _filled(course.of("utilities", "power", "energy"))
    kg = float(dispensed_kg(course)[-1])
    hours = float(course.t_ms[-1] - course.t_ms[0]) / 3.6e6
    chiller_kwh = float(np.nanmean(sum_of(course, "cooling", chillers, "power"))) * hours
    stage2 = [course.of("compression", unit, "stage2_temperature") for unit in trains]
    brine = [course.of("cooling", unit, "supply_temperature") for unit in chillers]
    return {
        "stage2_highest": _highest(np.concatenate(stage2).tolist()),
        "kwh_kg": float(kwh[-1] - kwh[0]) / kg if kg > 1.0 else math.nan,
        "chiller_kwh_kg": chiller_kwh / kg if kg > 1.0 else math.nan,
        "peak_kw": _highest(course.of("utilities", "power", "power").tolist()),
        "brine_highest": _highest(np.concatenate(brine).tolist()),
    }


def _median(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def _highest(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return max(known) if known else math.nan
