"""The trucks and trailers of a station day: who is booked, who really comes, with how much.

A day is drawn whole from (seed, date), and each purpose has a generator of its own, so that neither the start of a run
nor the length of its steps changes who comes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from simulators.estimates import estimates
from simulators.scenario import Scenario
from station.domain.hydrogen import H35_REFERENCE_KG_M3
from station.domain.plant import Fleet, Plant

LAST_BOOKING_S = 23.5 * 3600.0
"""No booking is later than 23:30, so that the last fill ends within the station day and stands in its report."""

_TRUCKS, _TRAILERS, _STOCK, _DEMAND, _SHOWS, _LINKS, _LATENESS = 1, 2, 3, 6, 7, 8, 9
"""Purposes of the generators, with those of weather (4) and train health (5)."""
_YEAR_DAYS = 365.25
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class FleetEstimates:
    """Habits of trucks and trailers; see the file."""

    halt_share: float
    halt_from_soc: float
    halt_to_soc: float
    longest_late_min: float


_E = estimates("simulators", "fleet", FleetEstimates)


def generator(seed: int, purpose: int, day: dt.date) -> np.random.Generator:
    """Return the generator of one purpose and one day."""
    return np.random.default_rng([seed, purpose, day.toordinal()])


@dataclass(frozen=True, slots=True)
class TruckDraw:
    """One truck that is booked, or comes without.

    Attributes:
        id: Unique, tells day and number.
        booked_ms, arrival_ms: Epoch ms.
        booked_kg: What the plan expects it to ask for.
        tanks, tank_litres: Its cylinders.
        soc: State of charge on arrival (0..1).
        handling_s: Time at the hose besides the fill [s].
        warmer_k: Its gas on arrival above ambient [K].
        kind, receptacle_g_s: Of its tanks and receptacle, as the fleet's types say.
        booked, comes: False for a walk-in; False for a no-show.
        link: Its tanks tell pressure and temperature.
        halt_soc, abort_soc: Where the vehicle asks for a pause or breaks the fill off (0..1); 0 where it does not.
    """

    id: str
    booked_ms: int
    arrival_ms: int
    booked_kg: float
    tanks: int
    tank_litres: float
    soc: float
    handling_s: float
    warmer_k: float
    kind: str = "III"
    receptacle_g_s: float = 60.0
    booked: bool = True
    comes: bool = True
    link: bool = True
    halt_soc: float = 0.0
    abort_soc: float = 0.0


@dataclass(frozen=True, slots=True)
class TrailerDraw:
    """One planned delivery: ETA and true arrival (epoch ms), filled to `fill` (0..1) of a full trailer's mass."""

    id: str
    eta_ms: int
    arrival_ms: int
    told_ms: int | None
    fill: float


def day_trucks(plant: Plant, scenario: Scenario, seed: int, day: dt.date) -> tuple[TruckDraw, ...]:
    """Return the trucks of a station day, in the order of their bookings; each arrives within the day.

    Walk-ins stand at the end; no-shows are among the others.
    """
    count = day_count(plant, scenario, seed, day)
    booked = _trucks(plant, scenario, generator(seed, _TRUCKS, day), count, day, "K")
    shows = generator(seed, _SHOWS, day)
    comes = shows.uniform(0.0, 1.0, count) >= scenario.no_show
    walk_ins = int(shows.binomial(count, min(1.0, scenario.walk_ins)))
    others = _trucks(plant, scenario, shows, walk_ins, day, "W")
    trucks = [dataclasses.replace(truck, comes=bool(come)) for truck, come in zip(booked, comes, strict=True)]
    trucks += [dataclasses.replace(truck, booked=False, booked_ms=truck.arrival_ms) for truck in others]
    return tuple(_with_links(trucks, scenario, generator(seed, _LINKS, day)))


def day_count(plant: Plant, scenario: Scenario, seed: int, day: dt.date) -> int:
    """Return how many trucks are booked for a day: as the plan says, or varying by weekday, season and chance."""
    fleet = plant.fleet
    count = fleet.trucks_per_day if scenario.bookings is None else scenario.bookings
    if not scenario.vary:
        return count
    season = math.cos(2.0 * math.pi * (day.timetuple().tm_yday - fleet.season_peak) / _YEAR_DAYS)
    factor = fleet.weekday_factor[day.weekday()] * (1.0 + fleet.season_amplitude * season)
    if fleet.day_factor_cv > 0.0:
        shape = 1.0 / fleet.day_factor_cv**2
        factor *= float(generator(seed, _DEMAND, day).gamma(shape, 1.0 / shape))
    return round(count * factor)


def _trucks(
    plant: Plant, scenario: Scenario, random: np.random.Generator, count: int, day: dt.date, letter: str
) -> list[TruckDraw]:
    fleet = plant.fleet
    booked = _booked_seconds(fleet, count, random)
    jitter = random.normal(0.0, scenario.arrival_jitter.total_seconds(), count)
    arrival = np.clip(booked + jitter, 60.0, LAST_BOOKING_S + 600.0)
    kinds = random.permutation(np.repeat(np.arange(len(fleet.types)), _quotas(fleet, count)))
    # Outside 0.05..0.45 a truck is either empty or no customer.
    soc = np.clip(random.normal(fleet.arrival_soc_mean, fleet.arrival_soc_sd, count), 0.05, 0.45)
    # The mean of a lognormal is exp(mu + sigma^2 / 2): handling is given as the mean.
    mu = math.log(fleet.handling.total_seconds()) - fleet.handling_sigma**2 / 2.0
    handling = random.lognormal(mu, fleet.handling_sigma, count)
    warmer = random.uniform(-2.0, 4.0, count)
    start_ms = epoch_ms(plant.day_start(day))
    trucks = []
    for i in range(count):
        kind = fleet.types[int(kinds[i])]
        full_kg = kind.tanks * kind.tank_litres / 1000.0 * H35_REFERENCE_KG_M3
        trucks.append(
            TruckDraw(
                id=f"{letter}{day:%y%m%d}-{i + 1:03d}",
                booked_ms=start_ms + int(booked[i]) * 1000,
                arrival_ms=start_ms + int(arrival[i]) * 1000,
                booked_kg=round(full_kg * (plant.fill.end_soc - fleet.arrival_soc_mean), 1),
                tanks=kind.tanks,
                tank_litres=kind.tank_litres,
                soc=float(soc[i]),
                handling_s=float(handling[i]),
                warmer_k=float(warmer[i]),
                kind=kind.kind,
                receptacle_g_s=kind.receptacle_g_s,
            )
        )
    return trucks


def _with_links(trucks: list[TruckDraw], scenario: Scenario, random: np.random.Generator) -> list[TruckDraw]:
    """Draw what each vehicle's link does: there is none, it asks for a pause, it breaks the fill off."""
    count = len(trucks)
    link = random.uniform(0.0, 1.0, count) >= scenario.no_link
    halts = random.uniform(0.0, 1.0, count) < _E.halt_share
    aborts = random.uniform(0.0, 1.0, count) < scenario.aborts
    at = random.uniform(_E.halt_from_soc, _E.halt_to_soc, (2, count))
    return [
        dataclasses.replace(
            truck,
            link=bool(link[i]),
            halt_soc=float(at[0, i]) if halts[i] else 0.0,
            abort_soc=float(at[1, i]) if aborts[i] else 0.0,
        )
        for i, truck in enumerate(trucks)
    ]


def day_trailers(plant: Plant, scenario: Scenario, seed: int, day: dt.date) -> tuple[TrailerDraw, ...]:
    """Return the planned deliveries of a station day with their true arrivals, in the order of their ETAs."""
    times = plant.supply.delivery_times
    random = generator(seed, _TRAILERS, day)
    spread = scenario.lateness_spread.total_seconds()
    late = scenario.lateness.total_seconds() + np.clip(random.normal(0.0, spread, len(times)), -2 * spread, 2 * spread)
    if scenario.late_as_station:
        late = _station_lateness(plant, len(times), generator(seed, _LATENESS, day))
    # Squared: most trailers are nearly full, few far under.
    fill = 1.0 - scenario.underfill * random.uniform(0.0, 1.0, len(times)) ** 2
    start_ms = epoch_ms(plant.day_start(day))
    late_count = itertools.count(1)
    trailers = []
    for i, time in enumerate(times):
        eta = dt.timedelta(hours=time.hour, minutes=time.minute, seconds=time.second)
        arrival, told = eta + dt.timedelta(seconds=float(late[i])), None
        for outage in scenario.outages:
            if outage.start <= eta < outage.end:
                arrival, told = outage.end + next(late_count) * outage.spacing, outage.told
        trailers.append(
            TrailerDraw(
                id=f"T{day:%y%m%d}-{i + 1:02d}",
                eta_ms=start_ms + _ms(eta),
                arrival_ms=start_ms + max(60_000, _ms(arrival)),
                told_ms=None if told is None else start_ms + _ms(told),
                fill=float(fill[i]),
            )
        )
    return tuple(trailers)


def _station_lateness(plant: Plant, count: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return lateness [s] by the lognormal law of the station file's median and 95th percentile."""
    supply = plant.supply
    median = max(supply.lateness_median.total_seconds(), 1.0)
    p95 = max(supply.lateness_p95.total_seconds(), 1.01 * median)
    sigma = math.log(p95 / median) / _NORMAL.inv_cdf(0.95)
    return np.minimum(random.lognormal(math.log(median), sigma, count), _E.longest_late_min * 60.0)


def opening_stock(
    plant: Plant, seed: int, day: dt.date
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """Return what the station holds when a simulation begins: a usual moment between deliveries.

    Returns:
        Pressures of the docked trailers, one a bay [MPa]; share of a full trailer in the one trailer of the yard; bank
        pressures in the order of the plant [MPa].
    """
    random = generator(seed, _STOCK, day)
    bays, banks = len(plant.supply.bays), len(plant.banks)
    floor, full = plant.supply.floor_mpa, plant.supply.fill_pressure_mpa
    # Bays are emptied one after the other: evenly spread between nearly empty and nearly full.
    steps = (np.arange(bays) + random.uniform(0.3, 0.9, bays)) / bays
    docked = random.permutation(floor + (full - floor) * steps)
    # The high bank is recharged first and so is the fullest.
    ranks = np.array([bank.recharge_rank for bank in plant.banks])
    working = np.array([bank.recharge_stop_mpa for bank in plant.banks])
    return docked, float(random.uniform(0.96, 1.0)), working - 0.5 - 0.9 * ranks + random.uniform(-0.4, 0.4, banks)


def epoch_ms(moment: dt.datetime) -> int:
    """Return an aware moment as epoch ms."""
    return round(moment.timestamp() * 1000)


def _ms(delta: dt.timedelta) -> int:
    return int(delta.total_seconds()) * 1000


def _booked_seconds(fleet: Fleet, count: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return booking times [s after midnight] that follow the hourly shares, one in each of `count` equal quantiles."""
    edges = np.concatenate([[0.0], np.cumsum(fleet.hourly_share)])
    quantiles = (np.arange(count) + random.uniform(0.0, 1.0, count)) / max(count, 1) * edges[-1]
    hours = np.interp(quantiles, edges, np.arange(len(edges), dtype=np.float64))
    # Bookings are given to five minutes.
    seconds = np.floor(hours * 12.0) * 300.0
    return np.asarray(np.minimum(seconds, LAST_BOOKING_S))


def _quotas(fleet: Fleet, count: int) -> list[int]:
    """Return how many trucks of each type come: the shares of the day's count, by largest remainder."""
    exact = [kind.share * count for kind in fleet.types]
    quotas = [int(number) for number in exact]
    order = sorted(range(len(exact)), key=lambda i: quotas[i] - exact[i])
    for i in order[: count - sum(quotas)]:
        quotas[i] += 1
    return quotas
