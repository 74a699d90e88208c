"""When the trailers that are announced will really come, and what silence says about them.

Two stories compete for a trailer whose ETA has passed while a bay stood free for it. Either it is late as trailers are:
lateness is lognormal with the station file's median (10 min) and 95th percentile (90 min), so what is left of it is the
conditional law. Or the whole supply is interrupted, which nobody has told us: how long interruptions last is an
estimate (`outage_median_h`, lognormal), of which the silence so far has passed, and every trailer waits for one end.

The weight of the second story starts small (`outage_share`) and grows by Bayes' rule with each trailer that is
overdue: one trailer 90 min late still looks like lateness (weight 0.12), two overdue by 186 and 90 min do not (0.91).
A normal day hardly ever has two trailers overdue that far, so it raises nothing; a supply that has gone quiet is
believed gone after two missing trailers, hours before the stock is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from station.domain import isotherms
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import TRAILER_ON_ITS_WAY_IN, StationSnapshot
from station.domain.even_draws import even
from station.domain.lanes import Bool, Float
from station.domain.plant import Plant, Supply
from station.domain.waiting_times import Lasting, normal_quantile

_NORMAL = NormalDist()
_LONGEST_MIN = 2880.0
"""Two days: beyond any horizon [min]."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Trailers to come.

    Attributes:
        eta_min: Arrivals from now as announced, or as trailers come again after an interruption; negative where passed,
            ascending [min].
        announced_kg: Kilograms above the floor that each is said to bring.
        net_kg: What the base case makes of that.
        overdue: Which of them are due and proven not to be here.
        outage: Belief that the whole supply is interrupted [0..1].
        silent_min: How long the first overdue one has been.
        gap_min: Planned gap between trailers.
        base_min: Expected arrivals of the base case.
        on_call: Probability that the supplier sends one more when the stock runs low [0..1].
    """

    eta_min: Float
    announced_kg: Float
    net_kg: Float
    overdue: tuple[bool, ...]
    outage: float
    silent_min: float
    gap_min: float
    base_min: Float
    on_call: float


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Announced trailers of many lanes, [trailers, lanes], by arrival.

    Attributes:
        at_min: When each comes [min].
        net_kg: Above the floor.
        eta_min: When it is announced for [min].
        interrupted: Lanes in which the whole supply is, [lanes].
    """

    at_min: Float
    net_kg: Float
    eta_min: Float
    interrupted: Bool


def lateness_law(supply: Supply) -> tuple[float, float]:
    """Return (mu, sigma) of the logarithm of a delivery's lateness in minutes."""
    median = max(supply.lateness_median.total_seconds() / 60.0, 0.1)
    p95 = max(supply.lateness_p95.total_seconds() / 60.0, median * 1.01)
    return math.log(median), math.log(p95 / median) / _NORMAL.inv_cdf(0.95)


def later_than(minutes: float, supply: Supply) -> float:
    """Return the probability that a delivery is later than this [min] against its ETA."""
    if minutes <= 0.0:
        return 1.0
    mu, sigma = lateness_law(supply)
    return 1.0 - _NORMAL.cdf((math.log(minutes) - mu) / sigma)


def lateness_min(late_by: float, quantile: float, supply: Supply) -> float:
    """Return a quantile of a delivery's whole lateness, given that it is at least `late_by` late [min]."""
    mu, sigma = lateness_law(supply)
    u = 1.0 - (1.0 - quantile) * later_than(late_by, supply)
    return max(late_by, math.exp(mu + sigma * _NORMAL.inv_cdf(min(max(u, 1e-9), 1.0 - 1e-9))))


def outage_belief(late_by: list[float], supply: Supply, prior: float) -> float:
    """Return the probability of an interruption, given how late each overdue trailer is [min]."""
    if not late_by:
        return 0.0
    ordinary = (1.0 - prior) * math.prod(later_than(x, supply) for x in late_by)
    return prior / (prior + ordinary)


def outage_law(rules: CapacityParameters) -> Lasting:
    """Return how long an interruption of the supply lasts."""
    return Lasting(60.0 * rules.outage_median_h, rules.outage_sigma)


def _remaining_median(late_by: float, outage: float, supply: Supply, rules: CapacityParameters) -> float:
    """Return the median of the time until an overdue trailer comes, over both stories [min], by bisection."""
    survival, interruption = later_than(late_by, supply), outage_law(rules)
    silent = max(interruption.longer_than(late_by), 1e-300)
    low, high = 0.0, _LONGEST_MIN
    for _ in range(40):
        middle = 0.5 * (low + high)
        ordinary = later_than(late_by + middle, supply) / max(survival, 1e-300)
        left = (1.0 - outage) * ordinary + outage * interruption.longer_than(late_by + middle) / silent
        low, high = (middle, high) if left > 0.5 else (low, middle)
    return high


def outlook_of(plant: Plant, now: StationSnapshot, rules: CapacityParameters) -> Outlook:
    """Return what may be expected of the announced trailers."""
    supply = plant.supply
    planned = np.array([(e.eta_ms - now.at_ms) / 6e4 for e in now.expected])
    gaps = np.diff(planned)
    gap = float(np.median(gaps)) if len(gaps) else 96.0
    eta = _due_min(now, planned, gap * rules.outage_gap_share)
    overdue = tuple(e.overdue and bool(due <= 0.0) for e, due in zip(now.expected, eta, strict=True))
    late_by = [-float(m) for m, o in zip(eta, overdue, strict=True) if o]
    outage = outage_belief(late_by, supply, rules.outage_share)
    announced = np.array([e.kg for e in now.expected])
    return Outlook(
        eta_min=eta,
        announced_kg=announced,
        net_kg=announced - rules.trailer_underfill_base * gross_kg(supply),
        overdue=overdue,
        outage=outage,
        silent_min=max(late_by, default=0.0),
        gap_min=max(gap, 1.0),
        base_min=_base_min(supply, rules, eta, overdue, outage, max(gap, 1.0)),
        on_call=_on_call_belief(plant, now, rules, eta, gap) * (1.0 - outage),
    )


def _due_min(now: StationSnapshot, planned: Float, apart_min: float) -> Float:
    """Return when each trailer is due [min]: as announced, or one after the other behind those that come again."""
    due, behind = planned.copy(), 0
    for index, trailer in enumerate(now.expected):
        if trailer.behind_ms is not None:
            behind += 1
            due[index] = max(planned[index], (trailer.behind_ms - now.at_ms) / 6e4 + behind * apart_min)
    return np.maximum.accumulate(due) if behind else due


def _on_call_belief(plant: Plant, now: StationSnapshot, rules: CapacityParameters, eta: Float, gap: float) -> float:
    """Return the probability that the supplier would send one more.

    He announces at once whom he sends: who has not although the stock is low does not. Nor is there one to send where
    he lets the station wait for several of his usual gaps.
    """
    if max(np.diff(eta, prepend=0.0), default=0.0) > rules.on_call_gap * gap:
        return 0.0
    low = usable_kg(plant, now) < plant.supply.on_call_below_kg
    if low and min(eta, default=math.inf) > rules.on_call_lead_min:
        return 0.0
    return rules.on_call_share


def usable_kg(plant: Plant, now: StationSnapshot) -> float:
    """Return what the supplier reckons as usable on the site: docked and yard, over empty trailers at 20 degC [kg]."""
    supply = plant.supply
    usable = now.yard * supply.delivery_kg
    for bay in now.bays:
        if bay.pressure_mpa is not None and bay.temperature_c is not None:
            kg = supply.volume_m3 * isotherms.density(bay.pressure_mpa, bay.temperature_c)
            usable += max(0.0, kg - residual_kg(supply, supply.fill_temperature_c))
        elif bay.state in TRAILER_ON_ITS_WAY_IN:
            usable += supply.delivery_kg
    return usable


def _base_min(
    supply: Supply, rules: CapacityParameters, eta: Float, overdue: tuple[bool, ...], outage: float, gap: float
) -> Float:
    """Return the expected arrivals: the median of each trailer's law, in order."""
    median = math.exp(lateness_law(supply)[0])
    expected = [max(0.0, float(m) + median) for m in eta]
    for index, is_overdue in enumerate(overdue):
        if is_overdue:
            expected[index] = _remaining_median(-float(eta[index]), outage if index == 0 else 0.0, supply, rules)
    if outage >= 0.5 and expected:
        expected = [max(e, expected[0] + i * gap * rules.outage_gap_share) for i, e in enumerate(expected)]
    return np.maximum.accumulate(np.array(expected)) if expected else np.zeros(0)


def replica_arrivals(
    plant: Plant, outlook: Outlook, rules: CapacityParameters, draw: np.random.Generator, count: int
) -> Arrivals:
    """Return the announced trailers in each of `count` lanes."""
    number = len(outlook.eta_min)
    u = even(draw, number, count)
    interrupted = even(draw, count) < outlook.outage
    remaining = outage_law(rules).remaining(outlook.silent_min, even(draw, count))
    width = rules.trailer_underfill_max - rules.trailer_underfill_min
    under = rules.trailer_underfill_min + even(draw, number, count) * width
    if number == 0:
        none = np.zeros((0, count))
        return Arrivals(none, none, none, interrupted)
    mu, sigma = lateness_law(plant.supply)
    arrive = np.empty((number, count))
    for i, eta in enumerate(outlook.eta_min):
        late_by = max(0.0, -float(eta)) if outlook.overdue[i] else 0.0
        tail = (1.0 - u[i]) * later_than(late_by, plant.supply)
        arrive[i] = np.maximum(eta + np.exp(mu + sigma * normal_quantile(1.0 - tail)), 0.0)
        held = remaining + i * outlook.gap_min * rules.outage_gap_share
        arrive[i] = np.where(interrupted, np.maximum(arrive[i], held), arrive[i])
    order = np.argsort(arrive, axis=0, kind="stable")
    gross_share = outlook.announced_kg[:, np.newaxis] - under * gross_kg(plant.supply)
    return Arrivals(
        at_min=np.take_along_axis(arrive, order, axis=0),
        net_kg=np.take_along_axis(gross_share, order, axis=0),
        eta_min=outlook.eta_min[order],
        interrupted=interrupted,
    )


def gross_kg(supply: Supply) -> float:
    """Return the mass of a full trailer, to which underfill refers [kg]."""
    return supply.delivery_kg + residual_kg(supply, supply.fill_temperature_c)


def residual_kg(supply: Supply, gas_c: float) -> float:
    """Return what an emptied trailer takes away [kg]: at its floor pressure, the more the colder its gas has become."""
    return supply.volume_m3 * isotherms.density(supply.floor_mpa, gas_c)
