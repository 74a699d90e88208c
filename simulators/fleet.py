"""The trucks and trailers of a station day: who is booked, who really comes, with how much.

A day is drawn whole from (seed, date), and each purpose has a generator of its own, so that neither the start of a run
nor the length of its steps changes who comes.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.scenario import Scenario
from station.domain.hydrogen import H35_REFERENCE_KG_M3
from station.domain.plant import Fleet, Plant

LAST_BOOKING_S = 23.5 * 3600.0
"""No booking is later than 23:30, so that the last fill ends within the station day and stands in its report."""

_TRUCKS, _TRAILERS, _STOCK = 1, 2, 3


def generator(seed: int, purpose: int, day: dt.date) -> np.random.Generator:
    """Return the generator of one purpose and one day."""
    return np.random.default_rng([seed, purpose, day.toordinal()])


@dataclass(frozen=True, slots=True)
class TruckDraw:
    """One booked truck.

    Attributes:
        id: Unique, tells day and number.
        booked_ms, arrival_ms: Epoch ms.
        booked_kg: What the plan expects it to ask for.
        tanks, tank_litres: Its cylinders.
        soc: State of charge on arrival (0..1).
        handling_s: Time at the hose besides the fill [s].
        warmer_k: Its gas on arrival above ambient [K].
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


@dataclass(frozen=True, slots=True)
class TrailerDraw:
    """One planned delivery: ETA and true arrival (epoch ms), filled to `fill` (0..1) of a full trailer's mass."""

    id: str
    eta_ms: int
    arrival_ms: int
    told_ms: int | None
    fill: float


def day_trucks(plant: Plant, scenario: Scenario, seed: int, day: dt.date) -> tuple[TruckDraw, ...]:
    """Return the trucks of a station day, in the order of their bookings; each arrives within the day."""
    fleet = plant.fleet
    count = fleet.trucks_per_day if scenario.bookings is None else scenario.bookings
    random = generator(seed, _TRUCKS, day)
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
                id=f"K{day:%y%m%d}-{i + 1:03d}",
                booked_ms=start_ms + int(booked[i]) * 1000,
                arrival_ms=start_ms + int(arrival[i]) * 1000,
                booked_kg=round(full_kg * (plant.fill.end_soc - fleet.arrival_soc_mean), 1),
                tanks=kind.tanks,
                tank_litres=kind.tank_litres,
                soc=float(soc[i]),
                handling_s=float(handling[i]),
                warmer_k=float(warmer[i]),
            )
        )
    return tuple(trucks)


def day_trailers(plant: Plant, scenario: Scenario, seed: int, day: dt.date) -> tuple[TrailerDraw, ...]:
    """Return the planned deliveries of a station day with their true arrivals, in the order of their ETAs."""
    times = plant.supply.delivery_times
    random = generator(seed, _TRAILERS, day)
    spread = scenario.lateness_spread.total_seconds()
    late = scenario.lateness.total_seconds() + np.clip(random.normal(0.0, spread, len(times)), -2 * spread, 2 * spread)
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
