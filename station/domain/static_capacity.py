"""Static capacity indicators: closed forms from one snapshot, cheap enough for each minute (DOMAIN 4.3 A)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from station.domain import hydrogen
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import HOSE_AT_WORK, TRAILER_ON_ITS_WAY_IN, StationSnapshot
from station.domain.isotherms import density
from station.domain.plant import Plant

STANDARD_AMBIENT_C = 20.0
"""Where no thermometer has been heard yet."""

NOZZLE_MPA = 20.0
"""Middle of a fill: where the cooling duty of a kilogram is judged (DOMAIN 1.1, row Cooling)."""

IDEAL_HEAT_J_KG_K = 14_200.0
"""Ideal-gas heat capacity of normal hydrogen, mean of 250..315 K (14.0..14.35 kJ/kg K); the pressure part is added."""


@dataclass(frozen=True, slots=True)
class StaticCapacity:
    """What the station holds and can do at this moment.

    Attributes:
        at_ms: Station time, epoch ms.
        bank_kg: Bank unit -> mass [kg].
        bank_usable_kg: Bank unit -> mass above the pressure at which it stops helping [kg].
        trailer_usable_kg: Docked trailers above their floor, plus the yard [kg].
        compression_kg_h, dispensing_kg_h, cooling_kg_h: What each block carries now [kg/h].
        demand_kg_h: Expected in the next hour [kg/h].
        time_to_empty_minutes: Until the banks' usable mass is gone at current rates, None while they gain.
        trucks_left: Trucks that stock and compression until close can still fill.
        end_pressure_mpa: Tank pressure at the end of a fill today [MPa].
        high_bank_mpa: Pressure of the bank that ends fills [MPa].
        trucks_here: Trucks at hoses or waiting.
        hoses_over_temperature: Hoses whose gas is warmer than -8 degC in a fill.
        degraded: Inputs that are bad or too old, with how long [s].
        valid: False once such an input has had no other measurement in its place for over 5 min.
        pace: Kilograms given over kilograms asked for so far today, None before anything was asked.
        local_hour: Hour of the station day, 0..24.
    """

    at_ms: int
    bank_kg: dict[str, float]
    bank_usable_kg: dict[str, float]
    trailer_usable_kg: float
    compression_kg_h: float
    dispensing_kg_h: float
    cooling_kg_h: float
    demand_kg_h: float
    time_to_empty_minutes: float | None
    trucks_left: int
    end_pressure_mpa: float
    high_bank_mpa: float
    trucks_here: int
    hoses_over_temperature: int
    degraded: tuple[tuple[str, float], ...]
    valid: bool
    pace: float | None
    local_hour: float


@lru_cache(maxsize=4096)
def end_pressure_mpa(ambient_c: float, heating_k: float, end_soc: float) -> float:
    """Return the tank pressure at the end of a fill: the end density at ambient plus the heating of the fill [MPa]."""
    return hydrogen.pressure(end_soc * hydrogen.H35_REFERENCE_KG_M3, ambient_c + heating_k + hydrogen.KELVIN)


@lru_cache(maxsize=4096)
def enthalpy_drop_j_kg(from_mpa: float, from_c: float, to_mpa: float, to_c: float) -> float:
    """Return h(from) - h(to) of hydrogen [J/kg], by the equation of state.

    The pressure part is h(p) - h(0) = -(R/M) T^2 integral of (dZ/dT)/p dp; the rest is ideal-gas heat. Checked against
    DOMAIN 1.1: 45 MPa 40 degC -> 20 MPa -20 degC is 1049 kJ/kg; this gives it within 1 %.
    """
    ideal = IDEAL_HEAT_J_KG_K * (from_c - to_c)
    return ideal + _pressure_part(from_mpa, from_c + hydrogen.KELVIN) - _pressure_part(to_mpa, to_c + hydrogen.KELVIN)


def _pressure_part(pressure_mpa: float, kelvin: float) -> float:
    """Return h(p) - h(0) at one temperature [J/kg] by the midpoint rule: (dZ/dT)/p is smooth and finite at 0."""
    edges = np.linspace(0.0, pressure_mpa, 33)
    middle = 0.5 * (edges[1:] + edges[:-1])
    slope = hydrogen.compressibility(middle, kelvin + 0.5) - hydrogen.compressibility(middle, kelvin - 0.5)
    gas = hydrogen.GAS_CONSTANT_J_MOL_K / hydrogen.MOLAR_MASS_KG_MOL
    return float(-gas * kelvin**2 * np.sum(slope / middle) * (edges[1] - edges[0]))


def bank_floor_mpa(plant: Plant, ambient_c: float, index: int) -> float:
    """Return the pressure at which a bank stops helping [MPa]; the high bank's follows the trucks' end pressure."""
    floor = plant.banks[index].floor_mpa
    if floor is not None:
        return floor
    rules = plant.fill
    return end_pressure_mpa(round(ambient_c, 1), rules.heating_cooled_k, rules.end_soc) + rules.end_margin_mpa


def suction_share(pressure_mpa: float, temperature_c: float, rated_mpa: float) -> float:
    """Return a train's flow at a suction state over its rated flow, at most 1; the rating is at 20 degC."""
    return min(1.0, density(pressure_mpa, temperature_c) / density(rated_mpa, 20.0))


def _trailers(plant: Plant, now: StationSnapshot) -> tuple[float, float, float]:
    """Return (usable kg docked, richest pressure, its temperature); pressure 0 where no trailer is open."""
    supply = plant.supply
    usable, richest, warm = 0.0, 0.0, now.ambient_c
    for bay in now.bays:
        if bay.state in TRAILER_ON_ITS_WAY_IN and bay.pressure_mpa is None:
            usable += supply.delivery_kg
        if bay.pressure_mpa is None or bay.temperature_c is None or bay.state in ("absent", "empty"):
            continue
        above = density(bay.pressure_mpa, bay.temperature_c) - density(supply.floor_mpa, bay.temperature_c)
        usable += supply.volume_m3 * max(0.0, above)
        if bay.state == "open" and bay.pressure_mpa > richest:
            richest, warm = bay.pressure_mpa, bay.temperature_c
    return usable, richest, warm


def _compression_kg_h(plant: Plant, now: StationSnapshot, richest_mpa: float, warm_c: float) -> float:
    total = 0.0
    for train, state in zip(plant.trains, now.trains, strict=True):
        if state.available and richest_mpa >= train.floor_suction_mpa:
            total += train.rated_kg_h * state.health * suction_share(richest_mpa, warm_c, train.rated_suction_mpa)
    return total


def _cooling_kg_h(plant: Plant, now: StationSnapshot) -> float:
    top = max(now.banks, key=lambda bank: bank.pressure_mpa)
    drop = enthalpy_drop_j_kg(
        max(1.0, round(top.pressure_mpa)), round(top.temperature_c), NOZZLE_MPA, plant.fill.cooled_gas_c
    )
    duty = sum(c.duty_kw for c, s in zip(plant.chillers, now.chillers, strict=True) if s.available)
    return duty * 3.6e6 / drop


def _dispensing_kg_h(plant: Plant, now: StationSnapshot) -> float:
    fill, kg = plant.fill, plant.fleet.mean_fill_kg
    minutes = plant.fleet.handling.total_seconds() / 60.0 + kg / (fill.mean_flow_g_s * 0.06)
    return sum(60.0 * kg / minutes for hose in now.hoses if hose.available)


def _demand_kg_h(plant: Plant, now: StationSnapshot) -> float:
    """Return the kilograms that are expected to be asked within the next hour, waiting trucks included."""
    until = now.at_ms + 3_600_000
    fleet = plant.fleet
    asked = sum(b.kg for b in now.demand.bookings if b.t_ms < until)
    asked += sum(w.kg if w.kg is not None else fleet.mean_fill_kg for w in now.waiting)
    if now.day in now.demand.profile_days:
        asked += fleet.trucks_per_day * fleet.mean_fill_kg * fleet.hourly_share[int(local_hour(now)) % 24]
    return asked


def local_hour(now: StationSnapshot) -> float:
    """Return the hour of the station day, counted back from its end."""
    return max(0.0, 24.0 - (now.close_ms - now.at_ms) / 3.6e6)


def degraded_inputs(now: StationSnapshot) -> tuple[tuple[str, float], ...]:
    """Return the inputs that are bad or too old, with how long they have been [s]."""
    return tuple((i.signal, i.degraded_s) for i in now.inputs if i.degraded_s > 0.0)


def inputs_valid(now: StationSnapshot) -> bool:
    """Return False once an input has been gone for over 5 min with no other measurement in its place."""
    return not any(i.degraded_s > 300.0 and not i.replaced for i in now.inputs)


def static_capacity(plant: Plant, now: StationSnapshot) -> StaticCapacity:
    """Return the static indicators of a snapshot (DOMAIN 4.3 A)."""
    rules = CapacityParameters.of(plant.parameters)
    mass, usable = {}, {}
    for index, (bank, state) in enumerate(zip(plant.banks, now.banks, strict=True)):
        rho = density(state.pressure_mpa, state.temperature_c)
        floor = density(bank_floor_mpa(plant, now.ambient_c, index), state.temperature_c)
        mass[bank.unit] = bank.volume_m3 * rho
        usable[bank.unit] = bank.volume_m3 * max(0.0, rho - floor)
    trailer_kg, richest, warm = _trailers(plant, now)
    compression = _compression_kg_h(plant, now, richest, warm)
    demand = _demand_kg_h(plant, now)
    drain = demand - compression
    bank_kg = sum(usable.values())
    hours = max(0.0, (now.close_ms - now.at_ms) / 3.6e6)
    high = max(range(len(plant.banks)), key=lambda i: plant.banks[i].draw_rank)
    return StaticCapacity(
        at_ms=now.at_ms,
        bank_kg=mass,
        bank_usable_kg=usable,
        trailer_usable_kg=trailer_kg,
        compression_kg_h=compression,
        dispensing_kg_h=_dispensing_kg_h(plant, now),
        cooling_kg_h=_cooling_kg_h(plant, now),
        demand_kg_h=demand,
        time_to_empty_minutes=60.0 * bank_kg / drain if drain > rules.demand_floor_kg_h else None,
        trucks_left=math.floor((bank_kg + min(trailer_kg, compression * hours)) / plant.fleet.mean_fill_kg),
        end_pressure_mpa=end_pressure_mpa(round(now.ambient_c, 1), plant.fill.heating_cooled_k, plant.fill.end_soc),
        high_bank_mpa=now.banks[high].pressure_mpa,
        trucks_here=len(now.waiting) + sum(h.state in HOSE_AT_WORK for h in now.hoses),
        hoses_over_temperature=sum(
            h.delivery_temperature_c is not None and h.delivery_temperature_c > -8.0 for h in now.hoses
        ),
        degraded=degraded_inputs(now),
        valid=inputs_valid(now),
        pace=now.done.kg / now.done.asked_kg if now.done.asked_kg > 0.0 else None,
        local_hour=local_hour(now),
    )
