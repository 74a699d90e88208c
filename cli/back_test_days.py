"""The days of a back-test: each drawn from the seed and its number alone, so that any of them can be made again."""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

import msgspec
import numpy as np

from simulators.faults import fault_kinds, make_fault, targets_of
from simulators.scenario import Outage, Scenario, ScheduledFault, shipped_scenario
from station.domain.plant import Plant, Text
from station.domain.signals import Kind as SignalKind
from station.errors import BadInputError

Range = tuple[float, float]
Onset = Literal["none", "supply", "sudden", "standstill"]

_EVEN_STEP = (5**0.5 - 1) / 2
"""Multiples of it fall evenly into 0..1 however many there are: few days already have every kind in proportion."""

_SEED_MOST = 2**31


class _Season(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    first: dt.date
    days: int


class _Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jitter_min: Range
    no_show: Range
    walk_in: Range
    no_link: Range
    abort: Range
    underfill: Range


class _OutageDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: Range
    for_h: Range
    told: float
    told_after_h: Range
    spacing_min: Range


class _FaultDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int
    at: Range
    for_h: Range
    size: Range | None = None
    signals: str | None = None


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    weight: float
    onset: Onset
    cause: str | None = None
    on_call: bool = True
    underfill: Range | None = None
    ambient_max_c: Range | None = None
    seasons: tuple[str, ...] = ()
    outage: _OutageDraw | None = None
    faults: tuple[_FaultDraw, ...] = ()


class _Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seasons: tuple[_Season, ...]
    habits: _Habits
    kinds: tuple[_Kind, ...]
    causes: dict[str, str]


@dataclass(frozen=True, slots=True)
class DayScript:
    """One day of a back-test.

    Attributes:
        number: From 0.
        kind: As the file names it, or the scenario's name.
        date: Station day.
        seed: Of trucks, trailers, wear and instruments.
        onset: What a shortage comes from.
        cause: The block that limits then; None where no single one does.
        scenario: What happens.
    """

    number: int
    kind: str
    date: dt.date
    seed: int
    onset: Onset
    cause: str | None
    scenario: Scenario


@functools.cache
def _days() -> _Days:
    text = resources.files("cli").joinpath("back_test_days.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Days)


def kind_names() -> tuple[str, ...]:
    """Return the kinds of days."""
    return tuple(kind.name for kind in _days().kinds)


def mixed_day(plant: Plant, seed: int, number: int, start: dt.date | None = None, kind: str | None = None) -> DayScript:
    """Return a day of the mix.

    Args:
        plant: The station.
        seed: Of the back-test.
        number: Of the day.
        start: Date of day 0; None draws a season for each.
        kind: One of `kind_names`; None takes them in proportion to their weights.
    """
    draw = np.random.default_rng([seed, number])
    chosen = _kind(seed, number) if kind is None else next(k for k in _days().kinds if k.name == kind)
    date = _date(chosen, draw) if start is None else start + dt.timedelta(days=number)
    scenario = _scenario(plant, chosen, draw)
    return DayScript(number, chosen.name, date, int(draw.integers(_SEED_MOST)), chosen.onset, chosen.cause, scenario)


def day_of_scenario(scenario: Scenario, seed: int, number: int, start: dt.date | None = None) -> DayScript:
    """Return a day of a scenario that somebody wrote; what a shortage comes from is read from its faults."""
    draw = np.random.default_rng([seed, number])
    causes = [_days().causes.get(fault.name) for fault in scenario.faults]
    onset: Onset = "supply" if scenario.outages or not scenario.on_call else "sudden" if any(causes) else "none"
    cause = "trailers" if onset == "supply" else next((c for c in causes if c is not None), None)
    date = _date(_days().kinds[0], draw) if start is None else start + dt.timedelta(days=number)
    return DayScript(number, scenario.name, date, int(draw.integers(_SEED_MOST)), onset, cause, scenario)


def _kind(seed: int, number: int) -> _Kind:
    kinds = _days().kinds
    first = float(np.random.default_rng(seed).random())
    place = (first + number * _EVEN_STEP) % 1.0
    reach = np.cumsum([kind.weight for kind in kinds])
    return kinds[int(np.searchsorted(reach, place * reach[-1], side="right"))]


def _date(kind: _Kind, draw: np.random.Generator) -> dt.date:
    seasons = [s for s in _days().seasons if not kind.seasons or s.name in kind.seasons]
    season = seasons[int(draw.integers(len(seasons)))]
    return season.first + dt.timedelta(days=int(draw.integers(season.days)))


def _scenario(plant: Plant, kind: _Kind, draw: np.random.Generator) -> Scenario:
    """Return what happens on a day of a kind: the usual day's, changed where the file says so."""
    habits = _days().habits
    return replace(
        shipped_scenario("normal-day"),
        name=kind.name,
        title=Text(f"Back-test: {kind.name}", f"回测：{kind.name}"),
        arrival_jitter=dt.timedelta(minutes=_within(draw, habits.jitter_min)),
        no_show=_within(draw, habits.no_show),
        walk_ins=_within(draw, habits.walk_in),
        no_link=_within(draw, habits.no_link),
        aborts=_within(draw, habits.abort),
        underfill=_within(draw, kind.underfill or habits.underfill),
        on_call=kind.on_call,
        ambient_max_c=None if kind.ambient_max_c is None else _within(draw, kind.ambient_max_c),
        vary=True,
        late_as_station=True,
        outages=() if kind.outage is None else (_outage(kind.outage, draw),),
        faults=tuple(fault for one in kind.faults for fault in _faults(plant, one, draw)),
    )


def _within(draw: np.random.Generator, span: Range) -> float:
    return float(np.round(draw.uniform(*span), 4))


def _hours(draw: np.random.Generator, span: Range) -> dt.timedelta:
    """Return a time on a whole minute."""
    return dt.timedelta(minutes=round(60.0 * _within(draw, span)))


def _outage(said: _OutageDraw, draw: np.random.Generator) -> Outage:
    start = _hours(draw, said.at)
    end = start + _hours(draw, said.for_h)
    after, spacing = _hours(draw, said.told_after_h), dt.timedelta(minutes=round(_within(draw, said.spacing_min)))
    return Outage(start, end, start + after if draw.random() < said.told else None, spacing)


def _faults(plant: Plant, said: _FaultDraw, draw: np.random.Generator) -> list[ScheduledFault]:
    """Return faults of one name that begin together, each on another unit."""
    at, lasts = _hours(draw, said.at), _hours(draw, said.for_h)
    struck = _struck(plant, said)
    if len(struck) < said.count:
        raise BadInputError(f"back-test: {said.name}: the station has {len(struck)} to strike, {said.count} are asked")
    chosen = sorted(int(i) for i in draw.choice(len(struck), said.count, replace=False))
    found = []
    for unit, where in (struck[i] for i in chosen):
        options: dict[str, Any] = {"for_s": lasts.total_seconds(), **where}
        if said.size is not None:
            options["size"] = _within(draw, said.size)
        make_fault(plant, said.name, unit, 0, options)  # a mistake in the file is said now, not on its day
        found.append(ScheduledFault(said.name, unit, at, options))
    return found


def _struck(plant: Plant, said: _FaultDraw) -> Sequence[tuple[str, Mapping[str, Any]]]:
    if fault_kinds()[said.name].target != "signal":
        return [(unit, {}) for unit in targets_of(plant, said.name)]
    pattern = said.signals or "*"
    measured = (s for s in plant.signals.values() if s.kind is SignalKind.ANALOG_INPUT)
    return [(s.unit, {"signal": s.tag}) for s in measured if fnmatch.fnmatchcase(s.tag, pattern)]
