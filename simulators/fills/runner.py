"""Playing a fill case with the station's tank model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.fills.case import Course, FillCase, MassFlow, Orifice, PressureCourse, PressureRamp
from simulators.physics.gas import Gas, choked_flow, gas_of, nozzle_flux
from simulators.physics.tank import GasTank
from simulators.physics.wall import Wall
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN, HydrogenTables

Float = npt.NDArray[np.float64]

_STEPS, _SHORTEST_S, _LONGEST_S = 3000, 0.02, 0.5
"""Steps of a run: halving them changes an end temperature by less than 0.05 K."""
_ROUNDS = 4
"""Secant rounds for the flow that a pressure takes; a fill's pressure is all but linear in a step's mass."""
_CLOSE_MPA = 1e-6
_COLUMNS = ("time_s", "pressure_mpa", "temperature_c", "wall_c", "mass_kg", "soc", "flow_kg_s", "film_w_m2_k")
"""In the order of a row."""


@dataclass(frozen=True, slots=True)
class FillTrace:
    """What a fill did.

    Attributes:
        time_s: [s].
        pressure_mpa: [MPa].
        temperature_c: Gas [degC].
        wall_c: Innermost shell of the wall [degC].
        mass_kg: Gas in the vessel [kg].
        soc: Density over that of a full tank [-].
        flow_kg_s: [kg/s].
        film_w_m2_k: Gas to wall [W/(m2 K)].
        end_s: When the flow ended [s].
        stop_reason: `pressure`, `temperature`, `soc` or `time`.
        energy_error: Energy not accounted for, over the energy that came in [-].
    """

    time_s: Float
    pressure_mpa: Float
    temperature_c: Float
    wall_c: Float
    mass_kg: Float
    soc: Float
    flow_kg_s: Float
    film_w_m2_k: Float
    end_s: float
    stop_reason: str
    energy_error: float


def make_tank(case: FillCase, gas: Gas) -> GasTank:
    """Return a case's vessel at its start."""
    wall = Wall(case.shape, case.layers, case.outside_w_m2_k, case.count)
    tank = GasTank(gas, case.shape, wall, bore_m=case.bore_m, count=case.count, constant_w_m2_k=case.constant_w_m2_k)
    tank.set_state(hydrogen.density(case.start_mpa, case.start_k) * tank.volume, case.start_k)
    tank.shells_k = [case.wall_k] * len(tank.shells_k)
    return tank


def run_fill(case: FillCase, tables: HydrogenTables, step_s: float | None = None) -> FillTrace:
    """Play a case.

    Args:
        case: The case.
        tables: Gas tables.
        step_s: Length of a step [s]; by default a 3000th of the run, at most 0.5 s.

    Returns:
        The trace, a row each step and one for the start.
    """
    gas = gas_of(tables)
    tank = make_tank(case, gas)
    wanted = step_s or min(_LONGEST_S, max(_SHORTEST_S, case.stop.duration_s / _STEPS))
    steps = max(1, math.ceil(case.stop.duration_s / wanted - 1e-9))
    dt = case.stop.duration_s / steps
    flow = _flow(case, tank, tables, dt)
    rows = [_row(tank, 0.0, 0.0, case.full_kg_m3)]
    before, came_j, through_j = tank.stored_j(), 0.0, 0.0
    end_s, reason = case.stop.duration_s, "time"
    running = True
    for n in range(steps):
        at = (n + 1) * dt
        if running and (why := _stopped(case, tank, n * dt)):
            running, end_s, reason = False, n * dt, why
        enthalpy = _enthalpy(case, tank, n * dt)
        kg = flow(at, enthalpy) if running else 0.0
        if kg < 0.0:
            enthalpy = tank.energy / tank.mass + tank.pressure * 1e6 / tank.density
        tank.advance(kg, enthalpy, dt, case.ambient_k)
        came_j += kg * enthalpy
        through_j += abs(kg * enthalpy)
        rows.append(_row(tank, at, kg / dt, case.full_kg_m3))
    error = (tank.stored_j() - before - came_j - tank.ambient_j) / through_j if through_j else 0.0
    columns = dict(zip(_COLUMNS, np.array(rows).T, strict=True))
    return FillTrace(**columns, end_s=end_s, stop_reason=reason, energy_error=error)


def _row(tank: GasTank, at: float, kg_s: float, full: float) -> tuple[float, ...]:
    soc = tank.density / full
    wall_c = tank.shells_k[0] - KELVIN
    return at, tank.pressure, tank.kelvin - KELVIN, wall_c, tank.mass, soc, kg_s, tank.film_w_m2_k


def _stopped(case: FillCase, tank: GasTank, at: float) -> str:
    """Return what ends the flow now, nothing while it goes on."""
    stop = case.stop
    if stop.time_s is not None and at >= stop.time_s - 1e-9:
        return "time"
    if stop.temperature_k is not None and tank.kelvin >= stop.temperature_k:
        return "temperature"
    if stop.pressure_mpa is not None and tank.pressure >= stop.pressure_mpa - _CLOSE_MPA:
        return "pressure"
    return "soc" if stop.soc is not None and tank.density >= stop.soc * case.full_kg_m3 else ""


def _enthalpy(case: FillCase, tank: GasTank, at: float) -> float:
    supply = case.supply
    pressure = tank.pressure + supply.loss_mpa if supply.pressure_mpa is None else supply.pressure_mpa
    return tank.gas.enthalpy(pressure, _value(supply.temperature_k, at))


def _value(course: Course, at: float) -> float:
    return float(np.interp(at, course.time_s, course.values))


def _flow(case: FillCase, tank: GasTank, tables: HydrogenTables, dt: float) -> Callable[[float, float], float]:
    """Return a function that says how much gas [kg] the step up to a time brings at an enthalpy."""
    drive = case.drive
    if isinstance(drive, MassFlow):
        given = drive.kg_s
        return lambda at, _: _value(given, at - dt / 2.0) * dt
    if isinstance(drive, Orifice):
        return _through(drive, case, tank, tables, dt)
    if isinstance(drive, PressureCourse):
        course = drive.mpa
        return lambda at, enthalpy: _up_to(tank, _value(course, at), enthalpy, dt, case.ambient_k)
    ramp: PressureRamp = drive
    highest = case.stop.pressure_mpa or math.inf
    return lambda at, enthalpy: _up_to(
        tank, min(highest, case.start_mpa + ramp.mpa_min / 60.0 * at), enthalpy, dt, case.ambient_k
    )


def _up_to(tank: GasTank, mpa: float, enthalpy: float, dt: float, ambient_k: float) -> float:
    """Return the gas [kg] that brings the vessel to a pressure in a step, none where it is above it without any."""
    kept = {name: getattr(tank, name) for name in GasTank.STATE}

    def tried(kg: float) -> float:
        tank.advance(kg, enthalpy, dt, ambient_k)
        reached = tank.pressure
        for name, value in kept.items():
            setattr(tank, name, value)
        return reached

    without = tried(0.0)
    if without >= mpa:
        return 0.0
    kg = (mpa - without) * tank.volume / tank.stiffness()
    low, low_mpa = 0.0, without
    for _ in range(_ROUNDS):
        reached = tried(kg)
        if abs(reached - mpa) < _CLOSE_MPA or reached == low_mpa:
            break
        low, low_mpa, kg = kg, reached, kg + (mpa - reached) * (kg - low) / (reached - low_mpa)
    return max(0.0, kg)


def _through(
    orifice: Orifice, case: FillCase, tank: GasTank, tables: HydrogenTables, dt: float
) -> Callable[[float, float], float]:
    """Return the step's gas [kg] of a bore: critical flow, then less as the pressures meet."""
    supply = case.supply
    assert supply.pressure_mpa is not None
    upstream = supply.pressure_mpa
    kelvin = np.array(supply.temperature_k.values)
    most, critical = choked_flow(tables, upstream, kelvin)
    # Below the critical ratio the flux stands still; above it a curve of it by the pressure ratio.
    shares = np.linspace(0.0, 1.0, 41)
    ratios = [ratio + (1.0 - ratio) * shares for ratio in critical]
    fluxes = [nozzle_flux(tables, upstream, t, ratio) for t, ratio in zip(kelvin, ratios, strict=True)]
    area = math.pi / 4.0 * orifice.diameter_m**2 * orifice.discharge

    def step_kg(at: float, _: float) -> float:
        ratio = tank.pressure / upstream
        by_temperature = [
            float(np.interp(ratio, r, f)) if ratio > c else float(m)
            for r, f, m, c in zip(ratios, fluxes, most, critical, strict=True)
        ]
        return area * dt * float(np.interp(at, supply.temperature_k.time_s, by_temperature))

    return step_kg
