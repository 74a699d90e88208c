"""A fill in flow: the pressure ramp and its limits, and the way of the gas from a source into a truck's tanks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.cooling import Cooling
from simulators.physics.gas import Gas
from simulators.physics.hoses import NO_SOURCE, HoseUnit
from simulators.physics.sources import Sources
from simulators.physics.tank import VehicleTank
from simulators.physics.vessel import Vessel
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import FillRules


@dataclass(frozen=True, slots=True)
class FillingEstimates:
    """Ramp, precooler and hose; see the file for units and reasons."""

    cold_c: float
    warm_c: float
    base_ambient_c: float
    per_kelvin: float
    least_share: float
    most_share: float
    base_flow_kg_s: float
    hot_c: float
    hot_share: float
    blind_warm_share: float
    top_off_kg: float
    top_off_kg_s: float
    heating: float
    correct_s: float
    valve_s: float
    nozzle_loss_mpa: float
    loss_at_kg_s: float
    line_m3: float
    closed_m3: float
    line_warmer: float
    approach: float
    approach_at_kg_s: float
    approach_power: float
    stagnant_s: float
    full_brine_m3_h: float
    pipe_s: float
    mean_s: float
    pulse_kg_s: float
    pulse_mpa: float
    blind_soc: float
    blind_rise_k: float
    blind_rise_base_c: float
    blind_rise_share: float
    discharge_coefficient: float


E = estimates("simulators.physics", "filling", FillingEstimates)

_CP_STEP_K = 20.0
_LEAK_FLUX, _LEAK_FLUX_FALL = 624.5, 0.71
"""Choked flow of hydrogen at 20 degC is p (624.5 - 0.71 p) kg/(m2 s) with p in MPa, within 0.2 % of the real-gas values
of 1..45 MPa (DOMAIN 3.2)."""
_WARM_K = 293.15


class Filling:
    """Moves gas. Energies are enthalpies on the gas tables' zero.

    Attributes:
        dispensed_kg, dispensed_j: Into vehicles.
        precooled_j: Heat that the brine took out of the gas.
        vented_kg, vented_j: Out of the hoses: through the vent stack and by leaks.
        leaked_kg: Of `vented_kg`, what leaked into cabinets.
        vent_kg_s: Through the vent stack in the last step.
    """

    STATE = ("dispensed_kg", "dispensed_j", "precooled_j", "vented_kg", "vented_j", "leaked_kg", "vent_kg_s")

    def __init__(self, gas: Gas, rules: FillRules, sources: Sources, cooling: Cooling) -> None:
        self.gas, self.rules, self.sources, self.cooling = gas, rules, sources, cooling
        self.dispensed_kg = self.dispensed_j = self.precooled_j = 0.0
        self.vented_kg = self.vented_j = self.leaked_kg = self.vent_kg_s = 0.0

    @property
    def pulse_mpa(self) -> float:
        """What the closed hose holds over the vehicle's pressure after the pulse [MPa]."""
        return E.pulse_mpa

    # ---- limits

    def left_kg(self, hose: HoseUnit, tank: VehicleTank) -> float:
        """Return what is left to the end: by density with a link, by the target pressure without [kg]."""
        if hose.blind:
            return (hose.target_mpa - tank.pressure) / tank.stiffness() * tank.volume
        return self.rules.end_soc * H35_REFERENCE_KG_M3 * tank.volume - tank.mass

    def blind_target_mpa(self, start_mpa: float, ambient_c: float) -> float:
        """Return the end pressure of a fill without a link: safe for a tank that heats up little.

        Args:
            start_mpa: Pressure of the tank when it connected [MPa].
            ambient_c: Air temperature, taken for the tank's own at the start [degC].
        """
        rise = E.blind_rise_k + E.blind_rise_share * (E.blind_rise_base_c - ambient_c)
        rise *= max(0.0, 1.0 - start_mpa / 35.0)
        kelvin = ambient_c + max(0.0, rise) + KELVIN
        return self.gas.state(E.blind_soc * H35_REFERENCE_KG_M3, kelvin)[0]

    def ramp_mpa_s(self, hose: HoseUnit, tank: VehicleTank, ambient_c: float) -> float:
        """Return the average pressure ramp rate that ambient, delivery and tank temperature allow [MPa/s]."""
        rules = self.rules
        warm = min(1.0, max(0.0, (hose.mean_c - E.cold_c) / (E.warm_c - E.cold_c)))
        ramp = rules.ramp_cooled_mpa_min + (rules.ramp_uncooled_mpa_min - rules.ramp_cooled_mpa_min) * warm
        ramp *= min(E.most_share, max(E.least_share, 1.0 + E.per_kelvin * (E.base_ambient_c - ambient_c)))
        if hose.max_kg_s > E.base_flow_kg_s:
            ramp *= hose.max_kg_s / E.base_flow_kg_s
        if hose.blind:
            ramp *= 1.0 - (1.0 - E.blind_warm_share) * warm
        elif tank.kelvin > E.hot_c + KELVIN:
            ramp *= E.hot_share
        return ramp / 60.0

    def wanted_kg_s(self, hose: HoseUnit, tank: VehicleTank, left_kg: float, dt_s: float, ambient_c: float) -> float:
        """Return the flow that follows the pressure ramp [kg/s], and let the ramp's target rise."""
        ramp = self.ramp_mpa_s(hose, tank, ambient_c)
        hose.ramp_mpa = min(hose.ramp_mpa + ramp * dt_s, tank.pressure + 0.5 + ramp * dt_s)
        rise = ramp + (hose.ramp_mpa - ramp * dt_s - tank.pressure) / max(E.correct_s, dt_s)
        wanted = max(0.0, tank.volume * rise / (tank.stiffness() * E.heating))
        return min(wanted, E.top_off_kg_s) if left_kg < E.top_off_kg else wanted

    # ---- flow

    def flow(self, hose: HoseUnit, goal: float, most: float, dt_s: float) -> float:
        """Let the ramp valve follow; returns the flow of this step [kg/s]."""
        flow = hose.flow_kg_s + (goal - hose.flow_kg_s) * min(1.0, dt_s / E.valve_s)
        return min(flow, most)

    def move(self, hose: HoseUnit, tank: VehicleTank, source: Vessel, kg: float, dt_s: float, ambient_c: float) -> None:
        """Move gas from the source through precooler and meter into the tank, and let the line's pack follow."""
        flow = kg / dt_s
        hose.nozzle_mpa = tank.pressure + E.nozzle_loss_mpa * (flow / E.loss_at_kg_s) ** 2
        enthalpy = self._precool(hose, source, flow, dt_s)
        packed = max(0.0, E.line_m3 * tank.density * E.line_warmer - hose.line_kg)
        heat = (kg + packed) * (source.enthalpy - enthalpy)
        self.cooling.heat_j += heat
        self.precooled_j += heat
        self.sources.draw(hose.source, source, kg + packed)
        hose.line_kg += packed
        hose.line_j += packed * enthalpy
        leak = min(kg, self._leak_kg_s(hose) * dt_s) if hose.leak_mm else 0.0
        hose.leak_kg_s = leak / dt_s
        self._lose(leak, leak * enthalpy)
        into = kg - leak
        tank.advance(into, enthalpy, dt_s, ambient_c + KELVIN)
        hose.total_kg += kg * (1.0 + hose.meter_error)
        self.dispensed_kg += into
        self.dispensed_j += into * enthalpy
        visit = hose.visit
        if visit is not None:
            visit.delivered_kg += into

    def _precool(self, hose: HoseUnit, source: Vessel, flow: float, dt_s: float) -> float:
        """Return the enthalpy at which the gas comes out of the nozzle [J/kg]: throttled, then cooled by brine."""
        gas, mpa = self.gas, hose.nozzle_mpa
        # Isenthalpic: the temperature at which the nozzle's pressure has the source's enthalpy, by one secant step.
        here = gas.enthalpy(mpa, source.kelvin)
        slope = (gas.enthalpy(mpa, source.kelvin + _CP_STEP_K) - here) / _CP_STEP_K
        throttled_c = source.kelvin - KELVIN + (source.enthalpy - here) / slope
        brine_c, cold = self.brine(hose)
        left = 1.0 - (1.0 - E.approach * (flow / E.approach_at_kg_s) ** E.approach_power) * cold
        goal_c = brine_c + (throttled_c - brine_c) * left
        hose.delivery_c += (goal_c - hose.delivery_c) * min(1.0, dt_s / E.pipe_s)
        hose.mean_c += (hose.delivery_c - hose.mean_c) * min(1.0, dt_s / E.mean_s)
        return gas.enthalpy(mpa, hose.delivery_c + KELVIN)

    @staticmethod
    def brine(hose: HoseUnit) -> tuple[float, float]:
        """Return the temperature of a hose's brine circuit [degC] and how much of its cooling is left (0..1)."""
        chiller = hose.chiller
        return (20.0, 0.0) if chiller is None else (chiller.supply_c, hose.brine_share)

    @staticmethod
    def follow_brine(hose: HoseUnit, dt_s: float) -> None:
        """Let a precooler whose brine stands still warm up, and get cold again once it flows."""
        if hose.chiller is not None:
            share = hose.chiller.flow_m3_h / E.full_brine_m3_h
            hose.brine_share += (min(1.0, share) - hose.brine_share) * min(1.0, dt_s / E.stagnant_s)

    # ---- the closed line

    def pack(self, hose: HoseUnit, tank: VehicleTank) -> None:
        """Fill the line up to the tank's pressure, from the bank that the next part of the fill would use."""
        found = self.sources.for_pulse(tank.pressure)
        need = E.line_m3 * tank.density * E.line_warmer - hose.line_kg
        if need > 0.0 and found is not None:
            number, vessel = found
            self.sources.draw(number, vessel, need)
            hose.line_kg += need
            hose.line_j += need * vessel.enthalpy

    def pulse(self, hose: HoseUnit, tank: VehicleTank, seconds: float, dt_s: float, ambient_c: float) -> None:
        """Push a little gas into the tank and measure its volume by the rise of its pressure."""
        found = self.sources.for_pulse(tank.pressure) if seconds > 0.0 else None
        if found is None:
            hose.flow_kg_s = 0.0
            tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)
            return
        hose.source, vessel = found
        before, stiff = tank.pressure, tank.stiffness()
        kg = E.pulse_kg_s * seconds
        self.move(hose, tank, vessel, kg, dt_s, ambient_c)
        hose.flow_kg_s = kg / dt_s
        hose.source = NO_SOURCE  # the fill itself begins with the direct line, where that gives enough
        # An adiabatic rise tells a smaller tank than there is: the same share as in the ramp's own reckoning.
        if (rise := tank.pressure - before) > 0.0:
            hose.measured_m3 = kg * stiff * E.heating / rise

    def leak_down(self, hose: HoseUnit, seconds: float, dt_s: float) -> float:
        """Let a closed line lose what its hole lets out; returns the fall of its pressure [MPa]."""
        if not hose.leak_mm or hose.nozzle_mpa <= 0.2 or hose.line_kg <= 0.0:
            hose.leak_kg_s = 0.0
            return 0.0
        rate = self._leak_kg_s(hose)
        density = hose.line_kg / E.line_m3
        left = math.exp(-rate * seconds / (density * E.closed_m3))
        kg = density * E.closed_m3 * (1.0 - left)
        joule = kg * hose.line_j / hose.line_kg
        hose.line_kg -= kg
        hose.line_j -= joule
        hose.leak_kg_s = kg / dt_s
        self._lose(kg, joule)
        fall = hose.nozzle_mpa * (1.0 - left)
        hose.nozzle_mpa -= fall
        return fall

    def let_down(self, hose: HoseUnit, dt_s: float, idle_mpa: float) -> None:
        """Let a line's gas go through the vent stack."""
        hose.leak_kg_s = 0.0
        left = math.exp(-dt_s / 4.0)
        hose.nozzle_mpa = max(idle_mpa, hose.nozzle_mpa * left - 0.01)
        share = 1.0 if hose.nozzle_mpa <= idle_mpa else 1.0 - left
        kg, joule = hose.line_kg * share, hose.line_j * share
        hose.line_kg -= kg
        hose.line_j -= joule
        self.vented_kg += kg
        self.vented_j += joule
        self.vent_kg_s += kg / dt_s

    def _leak_kg_s(self, hose: HoseUnit) -> float:
        """Return what a hose's hole lets out at the nozzle's pressure [kg/s]: choked, real gas."""
        mpa = hose.nozzle_mpa
        area = math.pi / 4.0 * (hose.leak_mm * 1e-3) ** 2
        cold = math.sqrt(_WARM_K / (hose.delivery_c + KELVIN))
        return E.discharge_coefficient * area * mpa * (_LEAK_FLUX - _LEAK_FLUX_FALL * mpa) * cold

    def _lose(self, kg: float, joule: float) -> None:
        self.vented_kg += kg
        self.vented_j += joule
        self.leaked_kg += kg
