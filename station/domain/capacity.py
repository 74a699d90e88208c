"""Can the station fill the trucks that come? One forecast from one snapshot, pure and deterministic (DOMAIN 4.3).

The reduced station is stepped once over all lanes: the base case, each limit relaxed, redundancy views, actions worth
trying, and Monte Carlo replicas seeded by the station and the moment.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np

from station.domain import capacity_lanes as variants
from station.domain.bank_leaks import is_leaking
from station.domain.capacity_actions import Action, actions_of, tried
from station.domain.capacity_forecast import (
    BOTTLENECKS,
    Band,
    Count,
    Forecast,
    ForecastDetail,
    forecast_as_json,
    smoothed,
)
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.capacity_text import advice_text
from station.domain.lane_results import LaneResults, middle_short_lane
from station.domain.lanes import Frame, Lanes
from station.domain.lanes_together import joined, one_lane
from station.domain.plant import Plant, Text
from station.domain.reduced_station import ReducedStation
from station.domain.static_capacity import static_capacity
from station.domain.supply_outlook import Outlook, outlook_of
from station.domain.tank_heat import hottest_tank_c
from station.domain.taught import taught
from station.domain.truck_queue import demand_of

__all__ = ["Forecast", "StationSnapshot", "forecast", "forecast_as_json", "smoothed"]

GRACE_MIN = 60
"""A fill that ends this long after close still counts, contract section 6."""

HORIZON_MS = 12 * 3_600_000
"""The horizon reaches at least this far, contract section 6."""

_LIKELY = 0.2
"""From this share of short replicas on, the limit is looked for in them where the base case is not short."""

_ALIKE = 0.9
"""Gains of at least this share of the greatest count as alike when the limiting block is named."""

_BASE, _FREE_SUPPLY, _N_1, _LATE, _DRY = 0, 1, 7, 8, 9
"""Places of fixed lanes; the relaxed ones follow the base case in the order of `BOTTLENECKS`, all of them at 6."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What one forecast is made from."""

    plant: Plant
    now: StationSnapshot
    rules: CapacityParameters
    frame: Frame
    outlook: Outlook
    horizon_ms: int
    on_grid: bool


def forecast(plant: Plant, snapshot: StationSnapshot, replicas: int = 100, *, on_grid: bool = True) -> Forecast:
    """Return the forecast of a snapshot.

    Args:
        plant: The station.
        snapshot: What is known at one moment.
        replicas: Monte Carlo replicas; 0 leaves the base case alone, whose probability is then 0 or 1.
        on_grid: Whether this is one of the regular runs, which the alerts count.

    Returns:
        The forecast, its probability not yet smoothed.
    """
    plant, rules = taught(plant, snapshot.learned)
    horizon_ms = max(snapshot.close_ms, snapshot.at_ms + HORIZON_MS)
    steps = math.ceil((horizon_ms - snapshot.at_ms) / 6e4) + GRACE_MIN
    frame = variants.frame_of(plant, snapshot, rules, steps)
    demand = demand_of(plant, snapshot, rules, horizon_ms + GRACE_MIN * 60_000)
    outlook = outlook_of(plant, snapshot, rules)
    case = _Case(plant, snapshot, rules, frame, outlook, horizon_ms, on_grid)
    base = variants.base_lane(plant, snapshot, rules, frame, demand, outlook)
    fixed = _fixed_lanes(case, base)
    lanes = fixed.lanes
    if replicas > 0:
        draw = np.random.default_rng(_seed(snapshot))
        scattered = variants.replicas(plant, snapshot, rules, base, demand, outlook, draw, replicas)
        lanes = joined([fixed.lanes, scattered])
    return _assemble(case, lanes, fixed)


def _seed(snapshot: StationSnapshot) -> int:
    """Return the Monte Carlo seed: a hash of station and moment, the same on every machine (contract section 6)."""
    text = f"{snapshot.station}@{snapshot.at_ms}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class _Fixed:
    """The deterministic lanes, and the actions tried in the last of them."""

    lanes: Lanes
    actions: tuple[Action, ...]


def _fixed_lanes(case: _Case, base: Lanes) -> _Fixed:
    """Return the base case, each limit relaxed, the redundancy views and the actions, side by side."""
    plant, now = case.plant, case.now
    lanes = [base, *(variants.relaxed(base, limit) for limit in (*BOTTLENECKS, "all"))]
    lanes += [
        variants.without_train(base, plant, now),
        variants.with_late_trailer(base, now.yard),
        variants.without_deliveries(base, now.yard),
    ]
    actions = actions_of(plant, now, case.rules, case.frame, base)
    return _Fixed(joined([*lanes, *(action.change(base) for action in actions)]), actions)


def _judge(case: _Case, lanes: Lanes) -> LaneResults:
    """Run lanes and note what each leaves short (contract section 6)."""
    now = case.now
    close_min = (now.close_ms - now.at_ms) / 6e4
    mark = min(math.ceil(close_min) + GRACE_MIN, case.frame.steps)
    course = ReducedStation(case.frame, lanes, (mark,)).run()
    horizon_min = (case.horizon_ms - now.at_ms) / 6e4
    return LaneResults(lanes, course, close_min, horizon_min, now.done, case.rules)


def _assemble(case: _Case, lanes: Lanes, fixed: _Fixed) -> Forecast:
    """Run all lanes and put the forecast together."""
    now, results = case.now, _judge(case, lanes)
    count = fixed.lanes.count
    chance = slice(count, None) if lanes.count > count else slice(0, 1)
    shortfall = results.shortfall_kg[chance]
    probability = float(np.mean(shortfall >= case.rules.shortfall_kg))
    story, actions = _story(case, results, fixed, probability)
    short_at_min = story.short_at_min(0)
    detail = _detail(case, results, story, actions, chance)
    wait_50, wait_90 = results.wait_quantiles(chance)
    result = Forecast(
        station=now.station,
        at_ms=now.at_ms,
        horizon_end_ms=case.horizon_ms,
        valid=detail.static.valid,
        plan=Count(now.demand.plan_trucks, now.demand.plan_kg),
        done=Count(now.done.trucks, now.done.kg),
        deliverable_kg=_widened(_band(results.deliverable_kg()[chance]), case.rules.spread_inflation, 0.0),
        trucks_servable=_band(np.floor(results.trucks_servable()[chance])),
        shortfall_p50_kg=float(np.percentile(shortfall, 50)),
        shortfall_p90_kg=float(np.percentile(shortfall, 90)),
        shortfall_probability=probability,
        shortfall_at_ms=_at(now, short_at_min),
        lead_minutes=None if short_at_min is None else max(0.0, short_at_min),
        bottleneck=_bottleneck(case, detail.regained_kg),
        time_to_empty_minutes=detail.static.time_to_empty_minutes,
        queue_wait_p50_minutes=wait_50,
        queue_wait_p90_minutes=wait_90,
        trailer_needed_by_ms=_at(now, _needed_by_min(case, results)),
        n_minus_1_ok=max(detail.n_minus_1_shortfall_kg, detail.late_trailer_shortfall_kg) < case.rules.shortfall_kg,
        inputs=now.inputs,
        advice=Text("", ""),
        detail=detail,
    )
    return replace(result, advice=advice_text(case.plant, result))


def _at(now: StationSnapshot, minutes: float | None) -> int | None:
    return None if minutes is None else now.at_ms + round(minutes * 6e4)


def _band(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Band:
    p10, p50, p90 = np.percentile(values, (10, 50, 90))
    return Band(float(p10), float(p50), float(p90))


def _widened(band: Band, inflation: float, least: float) -> Band:
    """Return a band of kilograms stretched about its median, not below `least`.

    Replicas scatter by what the model knows to be uncertain, and not by what it does not know of: like every ensemble
    they lie too close together. By how much is measured by the back-test.
    """
    p10 = min(band.p50, max(least, band.p50 - inflation * (band.p50 - band.p10)))
    return Band(p10, band.p50, band.p50 + inflation * (band.p90 - band.p50))


def _story(
    case: _Case, results: LaneResults, fixed: _Fixed, probability: float
) -> tuple[LaneResults, tuple[Action, ...]]:
    """Return the lanes that explain the forecast, a course in lane 0, its relaxations behind it, and their actions.

    Usually the base case. Where that is not short but many replicas are, the middle one of the short replicas is run
    again with every limit relaxed and every action tried: what binds there may bind nowhere in the base case.
    """
    base_short = results.shortfall_kg[_BASE] >= case.rules.shortfall_kg
    count = fixed.lanes.count
    if base_short or probability < _LIKELY or results.lanes.count <= count:
        return results, fixed.actions
    lane = one_lane(results.lanes, count + middle_short_lane(results.shortfall_kg[count:], case.rules))
    again = _fixed_lanes(case, lane)
    return _judge(case, again.lanes), again.actions


def _bottleneck(case: _Case, regained_kg: tuple[float, ...]) -> str:
    """Return the limit whose relaxation regains most.

    Relaxing one limit often makes up for another: endless full trailers fill trucks that a tripped train cannot. Of
    gains that are alike the block is named in which something is out of order; failing that, the first in the order of
    supply.
    """
    most = max(regained_kg)
    if most < 1.0:
        return "none"
    gains = dict(zip(BOTTLENECKS, regained_kg, strict=True))
    alike = [name for name, kg in gains.items() if kg >= _ALIKE * most]
    wrong = _out_of_order(case)
    return next((name for name in alike if name in wrong), next(n for n in alike if gains[n] >= 0.98 * most))


def _out_of_order(case: _Case) -> frozenset[str]:
    """Return the blocks in which something is out of order at this moment.

    A trailer that is late as trailers are is in order; one that is later than nineteen of twenty is not.
    """
    now, rules = case.now, case.rules
    late_ms = case.plant.supply.lateness_p95.total_seconds() * 1000.0
    # Banks are drawn and recharged together within some MPa; one that has lost half of the richest one's is away.
    richest = max(bank.pressure_mpa for bank in now.banks)
    wrong = {
        "trailers": any(e.overdue and now.at_ms - e.eta_ms > late_ms for e in now.expected),
        "compression": not all(t.available for t in now.trains),
        "storage": is_leaking(now, rules) or min(bank.pressure_mpa for bank in now.banks) < 0.5 * richest,
        "cooling": not all(c.available for c in now.chillers),
        "dispensing": not all(h.available for h in now.hoses),
    }
    return frozenset(name for name, is_wrong in wrong.items() if is_wrong)


def _needed_by_min(case: _Case, results: LaneResults) -> float | None:
    """Return until when the next trailer must be here: before the first truck fails for want of it, less one swap."""
    dry = results.first_failure_min(_DRY, _FREE_SUPPLY)
    return None if dry is None else max(0.0, dry - case.frame.swap_min)


def _down(now: StationSnapshot) -> tuple[str, ...]:
    """Return the units that are out of order."""
    trains = [t.unit for t in now.trains if not t.available]
    chillers = [c.unit for c in now.chillers if not c.available]
    return (*trains, *chillers, *(h.unit for h in now.hoses if not h.available))


def _detail(
    case: _Case, results: LaneResults, story: LaneResults, actions: tuple[Action, ...], chance: slice
) -> ForecastDetail:
    now, outlook = case.now, case.outlook
    static = static_capacity(case.plant, now)
    left = story.shortfall_kg[_DRY + 1 : _DRY + 1 + len(actions)]
    base_at = results.short_at_min(_BASE)
    next_min = float(outlook.base_min[0]) if len(outlook.base_min) else None
    needed = _needed_by_min(case, results)
    slack = None
    if needed is not None:
        slack = needed - (next_min if next_min is not None else float(case.frame.steps))
    short = float(story.shortfall_kg[0])
    shortfall = results.shortfall_kg[chance]
    return ForecastDetail(
        probability_now=float(np.mean(shortfall >= case.rules.shortfall_kg)),
        base_shortfall_kg=float(results.shortfall_kg[_BASE]),
        base_lead_minutes=None if base_at is None else max(0.0, base_at),
        short_kg=short,
        short_trucks=story.short_trucks(0),
        regained_kg=tuple(max(0.0, short - float(kg)) for kg in story.shortfall_kg[1 : 1 + len(BOTTLENECKS)]),
        n_minus_1_shortfall_kg=float(results.shortfall_kg[_N_1]),
        late_trailer_shortfall_kg=float(results.shortfall_kg[_LATE]),
        first_long_wait_at_ms=_at(now, results.first_long_wait_min(_BASE)),
        next_trailer_eta_ms=_at(now, next_min),
        trailer_slack_minutes=slack,
        overdue=tuple((e.id, (now.at_ms - e.eta_ms) / 6e4) for e in now.expected if e.overdue),
        outage_probability=outlook.outage,
        lost_kg=now.done.short_kg,
        without_trailers_kg=float(results.shortfall_kg[_DRY]),
        hottest_tank_c=hottest_tank_c(case.plant, now, static),
        down=_down(now),
        actions=tried(actions, left),
        static=static,
        on_grid=case.on_grid,
        replicas=len(shortfall),
        kg_by_close=_widened(_band(results.kg_by_close()[chance]), case.rules.spread_inflation, now.done.kg),
    )
