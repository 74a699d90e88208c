"""The trucks of the hours ahead: who stands at a hose, who waits, who is booked and will still come.

A booking that has not come is given up gradually: the longer it is overdue, the likelier it is a no-show. Arrivals
scatter around their bookings by a logistic law, whose conditional quantiles have a closed form.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np

from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import HOSE_AT_WORK, HoseNow, StationSnapshot
from station.domain.day_plan import Booking
from station.domain.even_draws import draws_for, even, even_of
from station.domain.lanes import NEVER, Bool, Float, Trucks
from station.domain.plant import Fleet, Plant
from station.domain.waiting_times import normal_quantile

_FEWEST_WALK_INS = 0.5
"""Fewer trucks without a booking than this a day are left out."""
_MAY_COME = 4
"""How many may come for each that is expected."""

_ON_TIME = 0.5
"""In the base case a booking counts while it is likelier than not that its truck still comes."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The base case's trucks, and what the replicas need to scatter them.

    Attributes:
        here: How many of the trucks are at a hose or waiting; they come first.
        base_min: Expected arrival of every truck of the base case, `NEVER` for one that is given up.
        asked_kg: What each takes.
        booked_min: Booking time of each; NaN for trucks that are here.
        comes: Probability that each still comes.
        profiled: True for trucks that stand for the fleet's profile, not for a booking.
        is_booked: True for trucks that have a booking and are not here.
    """

    here: int
    base_min: Float
    asked_kg: Float
    booked_min: Float
    comes: Float
    profiled: Bool
    is_booked: Bool
    at_hose: tuple[int, ...]
    given_kg: tuple[float, ...]
    connect_left_min: tuple[float, ...]


def _logistic(x: Float) -> Float:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0))))


def scale_min(rules: CapacityParameters) -> float:
    """Return the scale of the logistic law with the standard deviation of arrivals [min]."""
    return rules.booking_sd_min * math.sqrt(3.0) / math.pi


def still_comes(overdue_min: Float, rules: CapacityParameters, no_show: Float | None = None) -> Float:
    """Return the probability that a booked truck still comes, given that it has not come so far.

    Args:
        overdue_min: How long its time has passed; negative for times ahead [min].
        rules: The station's estimates.
        no_show: Share of bookings without a truck, broadcast against it; None for the estimate.
    """
    absent = np.asarray(rules.no_show_share if no_show is None else no_show)
    late = (1.0 - absent) * _logistic((rules.arrival_bias_min - overdue_min) / scale_min(rules))
    return np.asarray(late / np.maximum(late + absent, 1e-300))


def arrival_min(booked_min: Float, quantile: Float, rules: CapacityParameters) -> Float:
    """Return a quantile of the arrival of trucks that have not come by now (minute 0).

    Args:
        booked_min: Booked minutes from now; negative where overdue.
        quantile: 0..1, broadcast against it.
        rules: The station's estimates.
    """
    scale = scale_min(rules)
    expected = booked_min + rules.arrival_bias_min
    passed = _logistic(-expected / scale)
    u = np.clip(passed + quantile * (1.0 - passed), 1e-9, 1.0 - 1e-9)
    return np.asarray(np.maximum(expected + scale * np.log(u / (1.0 - u)), 0.0))


def profile_bookings(
    fleet: Fleet, day: dt.date, day_start_ms: int, shares: tuple[float, ...] | None = None
) -> tuple[Booking, ...]:
    """Return a usual day's trucks, spread by the hourly profile: the middle of each of its equal shares.

    Args:
        fleet: Who comes.
        day: Station day.
        day_start_ms: Its midnight, epoch ms.
        shares: 24 learned shares of the weekday; None for those of the fleet.
    """
    hours = _spread(shares or fleet.hourly_share, fleet.trucks_per_day)
    return tuple(
        Booking(f"profile-{day}-{i}", day_start_ms + round(h * 3.6e6), fleet.mean_fill_kg) for i, h in enumerate(hours)
    )


def _spread(shares: tuple[float, ...], count: int) -> Float:
    """Return the hours of the day at which `count` trucks come by a profile."""
    edges = np.concatenate(([0.0], np.cumsum(shares)))
    middles = (np.arange(count) + 0.5) / count * edges[-1]
    return np.asarray(np.interp(middles, edges, np.arange(25.0)))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Trucks to come.

    Attributes:
        trucks: Those booked, those that stand for the profile, those that may come without a booking.
        profiled: True for the second kind.
        chance: Probability that each comes of the last two kinds; NaN for a booking.
        counted: False for one that the base case does not count on, however likely.
    """

    trucks: list[Booking]
    profiled: list[bool]
    chance: list[float]
    counted: list[bool]

    def add(self, truck: Booking, *, profiled: bool = False, chance: float = math.nan, counted: bool = True) -> None:
        self.trucks.append(truck)
        self.profiled.append(profiled)
        self.chance.append(chance)
        self.counted.append(counted)


def _ahead(plant: Plant, now: StationSnapshot, rules: CapacityParameters, until_ms: int) -> _Ahead:
    ahead = _Ahead([], [], [], [])
    for booking in now.demand.bookings:
        if booking.t_ms < until_ms:
            # Whether a truck takes what is booked for it is learned over all trucks.
            ahead.add(replace(booking, kg=booking.kg * rules.fill_kg_ratio))
    for day in now.demand.profile_days:
        start, shares = _start_ms(plant, day), _shares(plant, now, day)
        for truck in profile_bookings(plant.fleet, day, start, shares):
            if now.at_ms <= truck.t_ms < until_ms:
                ahead.add(truck, profiled=True, chance=1.0)
    if now.day not in now.demand.profile_days:
        _add_walk_ins(ahead, plant, now, rules)
    return ahead


def _add_walk_ins(ahead: _Ahead, plant: Plant, now: StationSnapshot, rules: CapacityParameters) -> None:
    """Add the trucks that may still come to a planned day without a booking.

    For each that is expected there are several that may come, so that their number scatters nearly as chance has it;
    the base case counts on as many as are expected beyond those that take the place of bookings without a truck, evenly
    among them.
    """
    expected = rules.walk_in_share * now.demand.plan_trucks
    if expected < _FEWEST_WALK_INS:
        return
    count, start = math.ceil(expected * _MAY_COME), _start_ms(plant, now.day)
    chance = expected / count
    relied = chance * max(0.0, 1.0 - rules.no_show_share / rules.walk_in_share)
    for n, hour in enumerate(_spread(_shares(plant, now, now.day), count)):
        truck = Booking(f"walk-in-{n}", start + round(float(hour) * 3.6e6), plant.fleet.mean_fill_kg)
        if truck.t_ms >= now.at_ms:
            counted = math.floor((n + 0.5) * relied + 0.5) > math.floor((n - 0.5) * relied + 0.5)
            ahead.add(truck, chance=chance, counted=counted)


def _start_ms(plant: Plant, day: dt.date) -> int:
    return round(plant.day_start(day).timestamp() * 1000)


def _shares(plant: Plant, now: StationSnapshot, day: dt.date) -> tuple[float, ...]:
    return plant.fleet.hourly_share if now.learned is None else now.learned.shares(day)


def _at_hoses(plant: Plant, now: StationSnapshot) -> list[tuple[int, HoseNow, float]]:
    """Return (hose number, hose, asked kg) of each truck that still takes gas."""
    found = []
    for number, hose in enumerate(now.hoses):
        if hose.state not in HOSE_AT_WORK or hose.state == "end":
            continue
        asked = hose.asked_kg if hose.asked_kg is not None else plant.fleet.mean_fill_kg
        # A fill beyond what was thought is about to end: half a kilogram more, a few seconds.
        found.append((number, hose, max(asked, hose.given_kg + 0.5)))
    return found


def demand_of(plant: Plant, now: StationSnapshot, rules: CapacityParameters, until_ms: int) -> Demand:
    """Return the trucks of a snapshot, up to a time."""
    filling = _at_hoses(plant, now)
    mean = plant.fleet.mean_fill_kg
    waits = [(min(w.since_ms, now.at_ms), w.kg or mean) for w in now.waiting]
    ahead = _ahead(plant, now, rules, until_ms)
    here = [((h.since_ms or now.at_ms), kg) for _, h, kg in filling] + waits
    booked = np.array([(b.t_ms - now.at_ms) / 6e4 for b in ahead.trucks])
    chance = np.array(ahead.chance)
    is_booked = np.isnan(chance)
    comes = np.where(is_booked, still_comes(-booked, rules), chance)
    expected = np.where(is_booked, arrival_min(booked, np.full(len(booked), 0.5), rules), booked)
    relied = np.where(is_booked, comes >= _ON_TIME, np.array(ahead.counted, dtype=np.bool_))
    return Demand(
        here=len(here),
        base_min=np.concatenate(
            (np.array([(t - now.at_ms) / 6e4 for t, _ in here]), np.where(relied, expected, NEVER))
        ),
        asked_kg=np.array([kg for _, kg in here] + [b.kg for b in ahead.trucks]),
        # What was never booked is late against nothing.
        booked_min=np.concatenate(
            (np.full(len(here), np.nan), np.where(is_booked, booked, booked - rules.arrival_bias_min))
        ),
        comes=np.concatenate((np.ones(len(here)), comes)),
        profiled=np.array([False] * len(here) + ahead.profiled, dtype=np.bool_),
        is_booked=np.concatenate((np.zeros(len(here), dtype=np.bool_), is_booked)),
        at_hose=tuple(n for n, _, _ in filling),
        given_kg=tuple(h.given_kg for _, h, _ in filling),
        connect_left_min=tuple(_connect_left(h, now, rules) for _, h, _ in filling),
    )


def _connect_left(hose: HoseNow, now: StationSnapshot, rules: CapacityParameters) -> float:
    if hose.state not in ("connect", "leak-check") or hose.since_ms is None:
        return 0.0
    return max(0.0, rules.connect_min - (now.at_ms - hose.since_ms) / 6e4)


def _after_min(plant: Plant, rules: CapacityParameters) -> float:
    return max(0.5, plant.fleet.handling.total_seconds() / 60.0 - rules.connect_min)


def base_trucks(plant: Plant, demand: Demand, rules: CapacityParameters) -> Trucks:
    """Return the base case as one lane."""
    asked = np.where(demand.base_min < NEVER, demand.asked_kg, 0.0)
    after = np.full(len(asked), _after_min(plant, rules))
    return _ordered(demand, demand.base_min[:, np.newaxis], asked[:, np.newaxis], after[:, np.newaxis])


def replica_trucks(
    plant: Plant,
    demand: Demand,
    rules: CapacityParameters,
    draw: np.random.Generator,
    count: int,
    demand_sd: float = 0.0,
) -> Trucks:
    """Return `count` lanes of scattered trucks: arrivals, no-shows, kilograms, handling times.

    Args:
        plant: The station.
        demand: The base case's trucks.
        rules: The station's estimates.
        draw: Random numbers.
        count: How many lanes.
        demand_sd: What lost inputs add to the scatter of a day's kilograms [share].
    """
    shape = (len(demand.asked_kg), count)
    ahead = demand.here
    arrive = np.repeat(demand.base_min[:, np.newaxis], count, axis=1)
    # Weather and traffic delay all trucks of a day together.
    late = rules.day_late_sd_min * normal_quantile(even(draw, count))
    booked = demand.booked_min[ahead:, np.newaxis] + late
    arrive[ahead:] = arrival_min(booked, even(draw, shape[0] - ahead, count), rules)
    day = 1.0 + math.hypot(rules.day_kg_sd_share, demand_sd) * normal_quantile(even(draw, count))
    asked = demand.asked_kg[:, np.newaxis] * np.clip(draw.normal(1.0, rules.fill_kg_sd_share, shape), 0.5, 1.5) * day
    asked[: len(demand.at_hose)] = np.maximum(
        asked[: len(demand.at_hose)], np.array(demand.given_kg)[:, np.newaxis] + 0.1
    )
    shows = even(draw, *shape) < _comes(demand, rules, late, draw)
    # A weak day has fewer of the profile's trucks, a strong one as many that take more: the kilograms come out right.
    factor = _day_factor(plant.fleet, draw, count)
    profiled = demand.profiled[:, np.newaxis]
    shows &= ~profiled | (even(draw, *shape) < factor)
    asked = np.where(profiled, asked * np.maximum(factor, 1.0), asked)
    arrive = np.where(shows, arrive, NEVER)
    sigma = plant.fleet.handling_sigma
    after = _after_min(plant, rules) * draw.lognormal(-0.5 * sigma**2, sigma, shape)
    return _ordered(demand, arrive, np.where(shows, asked, 0.0), after)


def _comes(demand: Demand, rules: CapacityParameters, late_min: Float, draw: np.random.Generator) -> Float:
    """Return the probability that each truck comes, [trucks, lanes]: some days more stay away, or come unasked."""
    count = len(late_min)
    comes = np.repeat(demand.comes[:, np.newaxis], count, axis=1)
    booked = demand.is_booked
    absent = _day_share(rules.no_show_share, rules.day_share_worth, draw, count)
    comes[booked] = still_comes(-demand.booked_min[booked, np.newaxis] - late_min, rules, absent)
    unasked = ~booked & ~demand.profiled
    unasked[: demand.here] = False
    more = _day_share(rules.walk_in_share, rules.day_share_worth, draw, count) / max(rules.walk_in_share, 1e-9)
    comes[unasked] *= more
    return comes


def _day_share(mean: float, worth: float, draw: np.random.Generator, count: int) -> Float:
    """Return a share on `count` days, by a beta law about its mean."""
    if not 0.0 < mean < 1.0:
        return np.full(count, mean)
    return even_of(draw.beta(mean * worth, (1.0 - mean) * worth, draws_for(count)), draw, count)


def _day_factor(fleet: Fleet, draw: np.random.Generator, count: int) -> Float:
    """Return each lane's demand over the usual one, a gamma law of mean 1, for days that have no plan."""
    shape = 1.0 / max(fleet.day_factor_cv, 1e-3) ** 2
    return even_of(draw.gamma(shape, 1.0 / shape, draws_for(count)), draw, count)


def _ordered(demand: Demand, arrive: Float, asked: Float, after: Float) -> Trucks:
    """Sort the trucks that do not stand at a hose by arrival, lane by lane."""
    first = len(demand.at_hose)
    order = np.argsort(arrive[first:], axis=0, kind="stable") + first
    fixed = np.repeat(np.arange(first)[:, np.newaxis], arrive.shape[1], axis=1)
    order = np.concatenate((fixed, order))
    if len(order) == 0:
        # One truck that never comes keeps every array of the queue non-empty.
        lanes = arrive.shape[1]
        never = np.full((1, lanes), NEVER)
        return Trucks(never, np.zeros((1, lanes)), np.zeros((1, lanes)), (), (), ())
    pick = np.take_along_axis
    return Trucks(
        arrive_min=pick(arrive, order, axis=0),
        asked_kg=pick(asked, order, axis=0),
        after_min=pick(after, order, axis=0),
        at_hose=demand.at_hose,
        given_kg=demand.given_kg,
        connect_left_min=demand.connect_left_min,
    )
