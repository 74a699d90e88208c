"""From what the station file says to what was learned, and back into the forecast.

A forecast takes what was learned in place of the file's estimates (`taught`), and leaves every number as it is where
nothing was learned.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from statistics import NormalDist

from station.domain.capacity_parameters import CapacityParameters
from station.domain.estimators import ArrivalScatter, Estimator, HourProfile, Prior, Sample, Share
from station.domain.learned import (
    AFTER,
    ARRIVAL,
    CONNECT,
    FILL_KG,
    HEALTH,
    LATENESS,
    NO_SHOW,
    PROFILES,
    UNDERFILL,
    WALK_IN,
    Estimate,
    Learned,
)
from station.domain.plant import Fleet, Plant, Supply
from station.domain.supply_outlook import gross_kg, lateness_law

_TRAILERS, _FILLS, _BOOKINGS, _ARRIVALS, _PROFILE = 20.0, 100.0, 200.0, 30.0, 300.0
"""What the station file is worth [deliveries, fills, bookings, arrivals, arrivals on one weekday]: estimates."""
_DAYS = 60.0
"""How much of a usual station's life counts, about [days]."""


def estimators_of(plant: Plant) -> dict[str, Estimator]:
    """Return an estimator of each parameter that knows no more than the station file."""
    rules = CapacityParameters.of(plant.parameters)
    fleet, trucks = plant.fleet, _DAYS * max(plant.fleet.trucks_per_day, 1)
    mu, sigma = lateness_law(plant.supply)
    trailers = _DAYS * max(len(plant.supply.delivery_times), 1)
    under = rules.trailer_underfill_max + rules.trailer_underfill_min
    width = rules.trailer_underfill_max - rules.trailer_underfill_min
    found: dict[str, Estimator] = {
        LATENESS: Sample(Prior(mu, sigma, _TRAILERS, trailers)),
        UNDERFILL: Sample(Prior(under / 2.0, max(width, 1e-3) / math.sqrt(12.0), _TRAILERS, trailers)),
        FILL_KG: Sample(Prior(rules.fill_kg_ratio, rules.fill_kg_sd_share, _FILLS, trucks)),
        CONNECT: Sample(Prior(rules.connect_min, rules.connect_min * fleet.handling_sigma, _FILLS, trucks)),
        AFTER: Sample(Prior(*_after_law(fleet, rules), _FILLS, trucks)),
        NO_SHOW: Share(_share_prior(rules.no_show_share, trucks)),
        WALK_IN: Share(_share_prior(rules.walk_in_share, trucks)),
        ARRIVAL: ArrivalScatter(Prior(rules.arrival_bias_min, rules.booking_sd_min, _ARRIVALS, trucks)),
    }
    return found | {name: HourProfile(fleet.hourly_share, _PROFILE, trucks / 5.0) for name in PROFILES}


def _share_prior(share: float, most: float) -> Prior:
    return Prior(share, math.sqrt(share * max(1.0 - share, 0.0)), _BOOKINGS, most)


def _after_law(fleet: Fleet, rules: CapacityParameters) -> tuple[float, float]:
    """Return (mean, sd) of the logarithm of the minutes from a fill's end to the hose being free."""
    mean = max(0.5, fleet.handling.total_seconds() / 60.0 - rules.connect_min)
    return math.log(mean) - 0.5 * fleet.handling_sigma**2, fleet.handling_sigma


def learned_of(estimators: Mapping[str, Estimator], health: Mapping[str, Estimate] | None = None) -> Learned:
    """Return the result of all estimators, and of the trains' health by unit."""
    rows = [(name, estimator.estimate()) for name, estimator in estimators.items()]
    rows += [(HEALTH + unit, estimate) for unit, estimate in (health or {}).items()]
    profiles = [p.shares() for name in PROFILES if isinstance(p := estimators[name], HourProfile)]
    return Learned(tuple(rows), tuple(profiles))


def taught(plant: Plant, learned: Learned | None) -> tuple[Plant, CapacityParameters]:
    """Return the station and the forecast's parameters with what was learned in place of what its file says."""
    rules = CapacityParameters.of(plant.parameters)
    if learned is None:
        return plant, rules
    known = {name: estimate for name, estimate in learned.estimates if estimate.known}
    rules = dataclasses.replace(rules, **_rule_changes(known))
    fleet, supply = _taught_fleet(plant.fleet, rules, known), _taught_supply(plant.supply, known)
    if fleet is plant.fleet and supply is plant.supply:
        return plant, rules
    return dataclasses.replace(plant, fleet=fleet, supply=supply), rules


def _rule_changes(known: Mapping[str, Estimate]) -> dict[str, float]:
    changes: dict[str, float] = {}
    if arrival := known.get(ARRIVAL):
        changes |= {"arrival_bias_min": arrival.value, "booking_sd_min": arrival.sd}
    if fill := known.get(FILL_KG):
        changes |= {"fill_kg_ratio": fill.value, "fill_kg_sd_share": fill.sd}
    if under := known.get(UNDERFILL):
        half = math.sqrt(3.0) * under.sd
        changes |= {"trailer_underfill_min": under.value - half, "trailer_underfill_max": under.value + half}
        # The base case takes what is announced at its word, as far as nothing speaks against it.
        changes["trailer_underfill_base"] = under.value - under.weight * under.prior
    changes |= {name: known[name].value for name in (CONNECT, NO_SHOW, WALK_IN) if name in known}
    return changes


def _taught_fleet(fleet: Fleet, rules: CapacityParameters, known: Mapping[str, Estimate]) -> Fleet:
    if CONNECT not in known and AFTER not in known:
        return fleet
    sigma, after_min = fleet.handling_sigma, max(0.5, fleet.handling.total_seconds() / 60.0 - rules.connect_min)
    if after := known.get(AFTER):
        sigma, after_min = after.sd, math.exp(after.value + 0.5 * after.sd**2)
    whole = dt.timedelta(minutes=rules.connect_min + after_min)
    return dataclasses.replace(fleet, handling=whole, handling_sigma=sigma)


def _taught_supply(supply: Supply, known: Mapping[str, Estimate]) -> Supply:
    late = known.get(LATENESS)
    if late is None:
        return supply
    p95 = late.value + late.sd * NormalDist().inv_cdf(0.95)
    return dataclasses.replace(
        supply,
        lateness_median=dt.timedelta(minutes=math.exp(late.value)),
        lateness_p95=dt.timedelta(minutes=math.exp(p95)),
    )


def underfill_share(supply: Supply, announced_kg: float, net_kg: float) -> float:
    """Return what a trailer lacks against its announcement, as a share of a full one's gross mass."""
    return (announced_kg - net_kg) / gross_kg(supply)
