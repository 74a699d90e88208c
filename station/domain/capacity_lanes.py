"""Lanes of a forecast: the base case, each limit relaxed, redundancy, actions to try, and Monte Carlo replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from station.domain import hydrogen, isotherms
from station.domain.bank_leaks import leak_share_min, leak_until_min
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import TRAILER_ON_ITS_WAY_IN, BayNow, StationSnapshot
from station.domain.even_draws import even
from station.domain.lanes import NEVER, Float, Frame, Lanes, OnCall
from station.domain.lanes_together import repeated
from station.domain.plant import Chiller, FillRules, Plant, Train
from station.domain.repairs import Repair, repairs_of
from station.domain.static_capacity import bank_floor_mpa, enthalpy_drop_j_kg
from station.domain.supply_outlook import Outlook, gross_kg, replica_arrivals, residual_kg
from station.domain.truck_queue import Demand, base_trucks, replica_trucks
from station.domain.waiting_times import normal_quantile

PLENTY = 1e5
"""A flow that never limits [kg/min]."""

RELAXED_RAMP_MIN = 4.0
"""A fill without a dispensing limit still takes some minutes, so that cooling and banks see a flow, not a step."""

RESTART_MIN = 30.0
"""From the decision to restart a tripped train to its flow [min]."""

LATE_TRAILER_MIN = 120.0
"""How late the next trailer is in the redundancy view (DOMAIN 4.3 D) [min]."""

COOLING_AT_MPA = 20.0


def frame_of(plant: Plant, now: StationSnapshot, rules: CapacityParameters, steps: int) -> Frame:
    """Return what all lanes of a snapshot share."""
    supply, fill = plant.supply, plant.fill
    bay_c = [now.ambient_c if b.temperature_c is None else b.temperature_c for b in now.bays]
    kelvin = np.array(bay_c + [b.temperature_c for b in now.banks]) + hydrogen.KELVIN
    volumes = [supply.volume_m3] * len(bay_c) + [b.volume_m3 for b in plant.banks]
    by = range(len(plant.banks))
    return Frame(
        steps=steps,
        isotherm=isotherms.coefficients(kelvin)[:, :, np.newaxis],
        inverse_volume=1.0 / np.array(volumes)[:, np.newaxis],
        bays=len(now.bays),
        banks=len(now.banks),
        hoses=len(now.hoses),
        floor_kg=np.array([[residual_kg(supply, min(c, now.ambient_c - rules.trailer_cooling_k))] for c in bay_c]),
        full_kg=supply.volume_m3 * isotherms.density(supply.fill_pressure_mpa, supply.fill_temperature_c),
        rated_suction_density=isotherms.density(max(t.rated_suction_mpa for t in plant.trains), 20.0),
        recharge_start_mpa=tuple(b.recharge_start_mpa for b in plant.banks),
        recharge_stop_kg=tuple(_stop_kg(plant, now, i) for i in by),
        bank_floor_mpa=tuple(bank_floor_mpa(plant, now.ambient_c, i) for i in by),
        haste_mpa=tuple(rules.haste_mpa * b.recharge_rank for b in plant.banks),
        recharge_order=tuple(sorted(by, key=lambda i: plant.banks[i].recharge_rank)),
        draw_order=tuple(sorted(by, key=lambda i: plant.banks[i].draw_rank)),
        margin_mpa=fill.source_margin_mpa,
        direct_fill_min_mpa=rules.direct_fill_min_mpa,
        flow_cap_kg_min=fill.mean_flow_g_s * 0.06,
        connect_min=rules.connect_min,
        hold_min=rules.hold_min,
        patience_min=plant.fleet.patience.total_seconds() / 60.0,
        swap_min=supply.swap.total_seconds() / 60.0,
        on_call=OnCall(
            below_kg=supply.on_call_below_kg,
            empty_kg=residual_kg(supply, supply.fill_temperature_c),
            usable_kg=supply.delivery_kg,
            gross_kg=gross_kg(supply),
            lead_min=rules.on_call_lead_min,
        ),
    )


def _stop_kg(plant: Plant, now: StationSnapshot, index: int) -> float:
    """Return the mass at which a bank stops: the density of its stop pressure at 20 degC, or its working pressure."""
    bank = plant.banks[index]
    by_density = isotherms.density(bank.recharge_stop_mpa, 20.0)
    by_pressure = isotherms.density(bank.working_mpa, now.banks[index].temperature_c)
    return bank.volume_m3 * min(by_density, by_pressure)


# --- the base case ---


def base_lane(
    plant: Plant, now: StationSnapshot, rules: CapacityParameters, frame: Frame, demand: Demand, outlook: Outlook
) -> Lanes:
    """Return the base case as one lane: medians everywhere, nothing fails, what is down is repaired in usual time."""
    tank, ramp, hot = _fill_shape(plant, now.ambient_c)
    bays = [_bay(plant, now, bay, rules) for bay in now.bays]
    bank_kg = [
        b.volume_m3 * isotherms.density(s.pressure_mpa, s.temperature_c)
        for b, s in zip(plant.banks, now.banks, strict=True)
    ]
    repairs = repairs_of(plant.hoses, now.hoses, rules, rules.hose_common_cause_min)
    off = np.zeros(1, dtype=np.bool_)
    return Lanes(
        trucks=base_trucks(plant, demand, rules),
        mass_kg=np.array([b[0] for b in bays] + bank_kg)[:, np.newaxis],
        bay_open=np.array([b.state == "open" for b in now.bays])[:, np.newaxis],
        opens_at_min=np.array([b[1] for b in bays])[:, np.newaxis],
        incoming_kg=np.array([b[2] for b in bays])[:, np.newaxis],
        delivery_min=np.concatenate((np.zeros(now.yard), outlook.base_min))[:, np.newaxis],
        delivery_kg=_gross_kg(plant, now, outlook)[:, np.newaxis],
        delivery_eta_min=np.concatenate((np.zeros(now.yard), outlook.eta_min))[:, np.newaxis],
        on_call=np.array([outlook.on_call >= 0.5]),
        train_kg_min=_train_base(plant, now, rules, frame.steps)[:, np.newaxis],
        cooling_kg_min=_chiller_base(plant, now, rules, frame.steps)[:, np.newaxis],
        leak_share_min=leak_share_min(now, rules, bank_kg),
        leak_until_min=leak_until_min(now, rules, np.array([0.5])),
        hose_down_from=np.array([[NEVER if r is None else -1.0] for r in repairs]),
        hose_down_until=np.array([[NEVER if r is None else r.median_min] for r in repairs]),
        tank_mpa=tank,
        ramp_min=ramp,
        hot_end_share=hot,
        free_supply=off,
        free_storage=off,
        free_hoses=off,
    )


def _gross_kg(plant: Plant, now: StationSnapshot, outlook: Outlook) -> Float:
    """Return the whole mass of the trailers of the yard and of those to come."""
    net = np.concatenate((np.full(now.yard, plant.supply.delivery_kg), outlook.net_kg))
    return np.asarray(net + residual_kg(plant.supply, plant.supply.fill_temperature_c))


def _bay(plant: Plant, now: StationSnapshot, bay: BayNow, rules: CapacityParameters) -> tuple[float, float, float]:
    """Return (mass now, opens at, incoming mass) of a bay."""
    mass = gross_kg(plant.supply)
    if bay.pressure_mpa is not None and bay.temperature_c is not None:
        mass = plant.supply.volume_m3 * isotherms.density(bay.pressure_mpa, bay.temperature_c)
    if bay.state == "open":
        return mass, NEVER, 0.0
    if bay.state in TRAILER_ON_ITS_WAY_IN:
        since = (bay.since_ms - now.at_ms) / 6e4
        return 0.0, max(1.0, since + rules.dock_to_open_min), mass
    return 0.0, NEVER, 0.0


@lru_cache(maxsize=64)
def _tank_polynomial(rules: FillRules, ambient_c: float, arrival_soc: float) -> tuple[Float, Float]:
    """Return ([4, 2] coefficients of tank pressure over the share given, [2] minutes of the ramp); cooled, uncooled."""
    share = np.linspace(0.0, 1.0, 16)
    rho = hydrogen.H35_REFERENCE_KG_M3 * (arrival_soc + (rules.end_soc - arrival_soc) * share)
    coefficients, minutes = [], []
    ramps = (rules.ramp_cooled_mpa_min, rules.ramp_uncooled_mpa_min)
    for heating, ramp in zip((rules.heating_cooled_k, rules.heating_uncooled_k), ramps, strict=True):
        # Most of the heating falls into the first third of a fill: the first kilograms meet the emptiest tank.
        kelvin = ambient_c + hydrogen.KELVIN + heating * (1.0 - np.exp(-4.0 * share)) / (1.0 - math.exp(-4.0))
        pressure = hydrogen.pressure_mpa(rho, kelvin)
        coefficients.append(np.polynomial.polynomial.polyfit(share, pressure, 3))
        minutes.append(float(pressure[-1] - pressure[0]) / ramp)
    return np.array(coefficients, dtype=np.float64).T, np.array(minutes, dtype=np.float64)


def _fill_shape(plant: Plant, ambient_c: float) -> tuple[Float, Float, Float]:
    """Return the fill's tank pressure, ramp time and hot end for one lane."""
    rules = plant.fill
    coefficients, minutes = _tank_polynomial(rules, round(ambient_c, 1), plant.fleet.arrival_soc_mean)
    hot = min(1.0, max(0.0, (rules.stop_temperature_c - ambient_c) / rules.heating_uncooled_k))
    return coefficients[:, :, np.newaxis], minutes[:, np.newaxis], np.array([hot])


def _train_base(plant: Plant, now: StationSnapshot, rules: CapacityParameters, steps: int) -> Float:
    """Return compression [kg/min] at rated suction over time: what tripped comes back after its median repair."""
    return _coming_back(train_units(plant, now, rules), steps)


def _coming_back(units: Sequence[Unit], steps: int) -> Float:
    minutes = np.arange(steps)
    flow = np.zeros(steps)
    for unit in units:
        back = 0.0 if unit.repair is None else unit.repair.median_min
        flow += np.where(minutes >= back, unit.kg_min, 0.0)
    return flow


def cooling_kg_min(plant: Plant, now: StationSnapshot, chiller: Chiller) -> float:
    """Return what one chiller cools [kg/min] at the banks' working pressure and present temperature."""
    warm = max(b.temperature_c for b in now.banks)
    top = max(b.working_mpa for b in plant.banks)
    drop = enthalpy_drop_j_kg(top, round(warm), COOLING_AT_MPA, plant.fill.cooled_gas_c)
    return chiller.duty_kw * 60_000.0 / drop


def _chiller_base(plant: Plant, now: StationSnapshot, rules: CapacityParameters, steps: int) -> Float:
    return _coming_back(chiller_units(plant, now, rules), steps)


@dataclass(frozen=True, slots=True)
class Unit:
    """A train or a chiller: what it gives when it runs [kg/min], how unsure that is, and its repair if it is down."""

    machine: Train | Chiller
    kg_min: float
    flow_sd: float
    repair: Repair | None


def train_units(plant: Plant, now: StationSnapshot, rules: CapacityParameters) -> list[Unit]:
    """Return the trains, at rated suction."""
    rows = zip(plant.trains, now.trains, repairs_of(plant.trains, now.trains, rules), strict=True)
    return [Unit(t, t.rated_kg_h * s.health / 60.0, s.flow_sd, repair) for t, s, repair in rows]


def chiller_units(plant: Plant, now: StationSnapshot, rules: CapacityParameters) -> list[Unit]:
    """Return the chillers, at the banks' working pressure."""
    rows = zip(plant.chillers, now.chillers, repairs_of(plant.chillers, now.chillers, rules), strict=True)
    return [Unit(c, cooling_kg_min(plant, now, c), s.flow_sd, repair) for c, s, repair in rows]


# --- variants of one lane ---


def relaxed(base: Lanes, limit: str) -> Lanes:
    """Return a lane with one limit relaxed: one of `capacity_forecast.BOTTLENECKS`, or `all`."""
    lane = base
    if limit in ("trailers", "all"):
        lane = replace(lane, free_supply=np.ones_like(base.free_supply), on_call=np.zeros_like(base.on_call))
    if limit in ("compression", "all"):
        lane = replace(lane, train_kg_min=np.full_like(base.train_kg_min, PLENTY))
    if limit in ("storage", "all"):
        sound = np.zeros_like(base.leak_share_min)
        lane = replace(lane, free_storage=np.ones_like(base.free_storage), leak_share_min=sound)
    if limit in ("cooling", "all"):
        lane = replace(lane, cooling_kg_min=np.full_like(base.cooling_kg_min, PLENTY))
    if limit in ("dispensing", "all"):
        never = np.full_like(base.hose_down_from, NEVER)
        ramp = np.minimum(base.ramp_min, 1.0 if limit == "all" else RELAXED_RAMP_MIN)
        free = np.ones_like(base.free_hoses)
        lane = replace(lane, free_hoses=free, hose_down_from=never, hose_down_until=never, ramp_min=ramp)
    return lane


def without_train(base: Lanes, plant: Plant, now: StationSnapshot) -> Lanes:
    """Return a lane in which the largest healthy train is away for good."""
    largest = max(
        (t.rated_kg_h * s.health for t, s in zip(plant.trains, now.trains, strict=True) if s.available), default=0.0
    )
    return replace(base, train_kg_min=np.maximum(base.train_kg_min - largest / 60.0, 0.0))


def with_late_trailer(base: Lanes, yard: int) -> Lanes:
    """Return a lane in which the next trailer comes 2 h later than expected."""
    if len(base.delivery_min) <= yard:
        return base
    times = base.delivery_min.copy()
    times[yard] += LATE_TRAILER_MIN
    return _by_arrival(replace(base, delivery_min=times))


def without_deliveries(base: Lanes, yard: int) -> Lanes:
    """Return a lane in which no trailer comes any more; those of the yard are here."""
    times = base.delivery_min.copy()
    times[yard:] = NEVER
    return replace(base, delivery_min=times, on_call=np.zeros_like(base.on_call))


def with_extra_trailer(base: Lanes, at_min: float, full_kg: float) -> Lanes:
    """Return a lane with one more delivery, announced for when it comes."""
    more = replace(
        base,
        delivery_min=np.concatenate((base.delivery_min, [[at_min]])),
        delivery_kg=np.concatenate((base.delivery_kg, [[full_kg]])),
        delivery_eta_min=np.concatenate((base.delivery_eta_min, [[at_min]])),
    )
    return _by_arrival(more)


def _by_arrival(lanes: Lanes) -> Lanes:
    """Return lanes whose deliveries stand in the order of their arrival."""
    order = np.argsort(lanes.delivery_min, axis=0, kind="stable")
    return replace(
        lanes,
        delivery_min=np.take_along_axis(lanes.delivery_min, order, axis=0),
        delivery_kg=np.take_along_axis(lanes.delivery_kg, order, axis=0),
        delivery_eta_min=np.take_along_axis(lanes.delivery_eta_min, order, axis=0),
    )


def with_compression_back(base: Lanes, until_min: float, kg_min: float) -> Lanes:
    """Return a lane in which a tripped train runs again half an hour from now instead of after its repair.

    Args:
        base: The lane.
        until_min: When the train comes back by itself [min].
        kg_min: Its flow [kg/min].
    """
    return replace(base, train_kg_min=_sooner(base.train_kg_min, until_min, kg_min))


def with_cooling_back(base: Lanes, until_min: float, kg_min: float) -> Lanes:
    """Return a lane in which a tripped chiller runs again half an hour from now; arguments as for a train."""
    return replace(base, cooling_kg_min=_sooner(base.cooling_kg_min, until_min, kg_min))


def _sooner(flow: Float, until_min: float, kg_min: float) -> Float:
    more = flow.copy()
    more[int(RESTART_MIN) : math.ceil(until_min)] += kg_min
    return more


def with_moved_trucks(base: Lanes, out_of: tuple[float, float], into: tuple[float, float], number: int) -> Lanes:
    """Return a lane in which trucks of one window come in another, spread over it evenly.

    Args:
        base: One lane.
        out_of: Window that trucks leave [min].
        into: Window they come in [min].
        number: How many at most, taken evenly out of the window.
    """
    trucks, first = base.trucks, len(base.trucks.at_hose)
    arrive = trucks.arrive_min[:, 0].copy()
    inside = np.flatnonzero((arrive[first:] >= out_of[0]) & (arrive[first:] < out_of[1])) + first
    number = min(number, len(inside))
    if number == 0:
        return base
    picked = inside[(np.arange(number) * len(inside)) // number]
    arrive[picked] = into[0] + (into[1] - into[0]) * (np.arange(number) + 0.5) / number
    order = np.concatenate((np.arange(first), first + np.argsort(arrive[first:], kind="stable")))
    moved = replace(
        trucks,
        arrive_min=arrive[order, np.newaxis],
        asked_kg=trucks.asked_kg[order],
        after_min=trucks.after_min[order],
    )
    return replace(base, trucks=moved)


def with_smaller_fills(base: Lanes, share: float) -> Lanes:
    """Return a lane in which trucks that are not at a hose yet take only this share."""
    first = len(base.trucks.at_hose)
    asked = base.trucks.asked_kg.copy()
    asked[first:] *= share
    return replace(base, trucks=replace(base.trucks, asked_kg=asked))


# --- replicas ---


def replicas(
    plant: Plant,
    now: StationSnapshot,
    rules: CapacityParameters,
    base: Lanes,
    demand: Demand,
    outlook: Outlook,
    draw: np.random.Generator,
    count: int,
) -> Lanes:
    """Return `count` lanes scattered by everything that is uncertain (DOMAIN 4.3 C)."""
    # A stream of chance for each matter: what is removed in a what-if leaves the luck of all else as it was.
    of_trailers, of_stock, of_hoses, of_trucks, of_trains, of_chillers, of_rest = draw.spawn(7)
    arrivals = replica_arrivals(plant, outlook, rules, of_trailers, count)
    here = np.repeat(base.delivery_min[: now.yard], count, axis=1)
    kept_kg = residual_kg(plant.supply, plant.supply.fill_temperature_c)
    steps = len(base.train_kg_min)
    wide = repeated(base, count)
    mass_kg = _blurred_kg(now, base, rules, of_stock, count)
    hose_from, hose_until = _hose_outages(plant, now, rules, of_hoses, count)
    trains, chillers = train_units(plant, now, rules), chiller_units(plant, now, rules)
    lanes = replace(
        wide,
        trucks=replica_trucks(plant, demand, rules, of_trucks, count, now.demand_sd),
        mass_kg=mass_kg,
        delivery_min=np.concatenate((here, arrivals.at_min)),
        delivery_kg=np.concatenate((wide.delivery_kg[: now.yard], arrivals.net_kg + kept_kg)),
        delivery_eta_min=np.concatenate((here, arrivals.eta_min)),
        train_kg_min=_failing(trains, rules, of_trains, (steps, count)),
        cooling_kg_min=_failing(chillers, rules, of_chillers, (steps, count)),
        hose_down_from=hose_from,
        hose_down_until=hose_until,
    )
    # Last, so that what is measured is drawn alike whether or not something else is lost.
    train_sd = math.hypot(_flow_sd(trains), rules.train_model_sd_share, now.flow_sd)
    sd = np.array([[train_sd], [math.hypot(_flow_sd(chillers), now.flow_sd)]])
    sure = np.maximum(0.0, 1.0 + sd * normal_quantile(even(of_rest, 2, count)))
    return replace(
        lanes,
        train_kg_min=lanes.train_kg_min * sure[0],
        cooling_kg_min=lanes.cooling_kg_min * sure[1],
        on_call=(even(of_rest, count) < outlook.on_call) & ~arrivals.interrupted,
        leak_until_min=leak_until_min(now, rules, even(of_rest, count)),
    )


def _blurred_kg(
    now: StationSnapshot, base: Lanes, rules: CapacityParameters, draw: np.random.Generator, count: int
) -> Float:
    """Return masses [vessels, lanes] scattered by their instruments, or by what stands in for these."""
    unmeasured = np.array([b.kg_sd for b in now.bays] + [b.kg_sd for b in now.banks])[:, np.newaxis]
    # A trailer that is not open yet has no mass to blur.
    known = base.mass_kg > 0.0
    sd = np.where(known, np.hypot(rules.sensor_kg_sd_share * base.mass_kg, unmeasured), 0.0)
    return np.asarray(np.maximum(0.0, draw.normal(base.mass_kg, sd, (len(sd), count))))


def _flow_sd(units: Sequence[Unit]) -> float:
    """Return the standard deviation of the sum of flows [share] for what is not measured of each [share]."""
    return math.hypot(*(u.kg_min * u.flow_sd for u in units)) / max(1e-9, sum(u.kg_min for u in units))


def _failing(
    units: Sequence[Unit], rules: CapacityParameters, draw: np.random.Generator, shape: tuple[int, int]
) -> Float:
    """Return the sum of the units' flows [steps, lanes]: each may fail once, and what is down comes back."""
    minutes = np.arange(shape[0], dtype=np.float64)[:, np.newaxis]
    total = np.zeros(shape)
    together = even(draw, len(units), shape[1])
    for unit in units:
        fails = draw.exponential(60.0 * unit.machine.mtbf_h, shape[1])
        lasts = 60.0 * unit.machine.mttr_median_h * draw.lognormal(0.0, rules.repair_sigma, shape[1])
        if unit.repair is None:
            total += unit.kg_min * ((minutes < fails) | (minutes >= fails + lasts))
        else:
            # Those that wait for one cause come back together.
            back = unit.repair.law.remaining(unit.repair.so_far_min, together[unit.repair.together])
            total += unit.kg_min * (minutes >= back)
    return total


def _hose_outages(
    plant: Plant, now: StationSnapshot, rules: CapacityParameters, draw: np.random.Generator, count: int
) -> tuple[Float, Float]:
    """Return (from, until) of each hose's next outage, [hoses, lanes]; one that is down has begun."""
    mtbf = np.array([60.0 * h.mtbf_h for h in plant.hoses])[:, np.newaxis]
    median = np.array([60.0 * h.mttr_median_h for h in plant.hoses])[:, np.newaxis]
    start = draw.exponential(mtbf, (len(mtbf), count))
    end = start + median * draw.lognormal(0.0, rules.repair_sigma, start.shape)
    together = even(draw, *start.shape)
    for hose, repair in enumerate(repairs_of(plant.hoses, now.hoses, rules, rules.hose_common_cause_min)):
        if repair is not None:
            start[hose] = -1.0
            end[hose] = repair.law.remaining(repair.so_far_min, together[repair.together])
    return start, end
