"""The cascade: three banks, their recharge demand, what they lose, and the header to the dispensers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.gas import Gas
from simulators.physics.relief import ReliefValve
from simulators.physics.roles import HIDDEN, Role, of_unit
from simulators.physics.vessel import Vessel
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Bank

_REFERENCE_K = 293.15


@dataclass(frozen=True, slots=True)
class StorageEstimates:
    """Banks and header; see the file for units and reasons."""

    refill_ceiling_mpa: float
    start_margin_mpa: float
    floor_share: float
    floor_margin_mpa: float
    haste_mpa: tuple[float, ...]
    stop_over_mpa: float
    reset_over_mpa: float
    header_loss_mpa: float
    header_s: float
    header_warm_s: float
    header_rest_s: float
    inside_w_k_m3: float
    wall_j_k_m3: float
    outside_w_k_m3: float


_E = estimates("simulators.physics", "storage", StorageEstimates)
_HEADER_LOSS_MPA, _HEADER_S, _WARM_S, _REST_S = _E.header_loss_mpa, _E.header_s, _E.header_warm_s, _E.header_rest_s

_ROLES = ("pressure_a", "pressure_b", "temperature", "inlet_open", "outlet_open", "relief_lifted")


class CascadeBank:
    """One bank.

    Attributes:
        recharging: Its demand on the trains.
        charged, drawn: Whether gas came in and went out through its valves in the last step.
        stopped: True while the panel's high-high stop keeps its inlet shut.
        leak_kg_s: What a hole would lose at the working pressure and 20 degC (set by a fault).
        lost_kg_s: What it lost through that hole in the last step.
        passby_kg_s: What its closed outlet would pass at the working pressure's difference (set by a fault).
    """

    __slots__ = (
        "charged",
        "drawn",
        "floor_mpa",
        "full",
        "hasten_mpa",
        "leak_kg_s",
        "lost_kg_s",
        "low",
        "passby_kg_s",
        "recharging",
        "relief",
        "spec",
        "stopped",
        "vessel",
    )

    STATE = ("recharging", "charged", "drawn", "stopped", "leak_kg_s", "lost_kg_s", "passby_kg_s")
    """What a snapshot keeps beside the gas and the relief valve."""

    def __init__(self, spec: Bank, gas: Gas) -> None:
        self.spec = spec
        v = spec.volume_m3
        self.vessel = Vessel(gas, v, _E.inside_w_k_m3 * v, _E.wall_j_k_m3 * v, _E.outside_w_k_m3 * v)
        self.relief = ReliefValve(spec.relief_mpa)
        self.low = hydrogen.density(spec.recharge_start_mpa, _REFERENCE_K)
        self.full = hydrogen.density(spec.recharge_stop_mpa, _REFERENCE_K)
        floor = spec.floor_mpa if spec.floor_mpa is not None else _E.floor_share * spec.working_mpa
        self.floor_mpa = floor + _E.floor_margin_mpa
        haste = _E.haste_mpa[min(spec.recharge_rank, len(_E.haste_mpa)) - 1]
        self.hasten_mpa = spec.recharge_start_mpa - haste
        self.recharging = self.charged = self.drawn = self.stopped = False
        self.leak_kg_s = self.lost_kg_s = self.passby_kg_s = 0.0

    def ask(self) -> None:
        """Raise or drop the demand for recharge.

        A bank is low by density, so that a cold one is not overfilled; a warm one must also have room in pressure.
        """
        vessel, spec = self.vessel, self.spec
        pressure = vessel.pressure
        over = pressure - spec.working_mpa
        if over >= _E.stop_over_mpa:
            self.stopped = True
        elif over < _E.reset_over_mpa:
            self.stopped = False
        if self.stopped:
            self.recharging = False
        elif self.recharging:
            self.recharging = vessel.density < self.full and over < -_E.refill_ceiling_mpa
        else:
            self.recharging = vessel.density < self.low and pressure < spec.recharge_start_mpa + _E.start_margin_mpa

    def leak(self) -> float:
        """Return what its hole loses now [kg/s]: critical flow of a real gas."""
        vessel, working = self.vessel, self.spec.working_mpa
        flux = vessel.gas.choked_flux(vessel.density, vessel.pressure, vessel.kelvin)
        nominal = vessel.gas.choked_flux(hydrogen.density(working, _REFERENCE_K), working, _REFERENCE_K)
        return self.leak_kg_s * flux / nominal


class Cascade:
    """All banks, and the gas that leaves them on other ways than the dispensers'.

    Attributes:
        leaked_kg, leaked_j: Out of leaking banks, and its enthalpy.
        relief_kg, relief_j: Through relief valves into the vent stack.
        header_mpa, header_k: At the dispensing header.
    """

    STATE = (
        "leaked_kg",
        "leaked_j",
        "relief_kg",
        "relief_j",
        "header_mpa",
        "header_k",
    )
    """What a snapshot keeps beside the banks."""

    def __init__(self, banks: tuple[Bank, ...], gas: Gas) -> None:
        self.banks = [CascadeBank(spec, gas) for spec in banks]
        self.by_recharge = sorted(self.banks, key=lambda bank: bank.spec.recharge_rank)
        self.leaked_kg = self.leaked_j = self.relief_kg = self.relief_j = 0.0
        self.header_mpa, self.header_k = 44.0, 293.15
        self._top = self.by_recharge[0]

    # ---- what others ask

    def target(self) -> CascadeBank | None:
        """Return the bank to be recharged now, None if none asks."""
        for bank in self.by_recharge:
            if bank.recharging:
                return bank
        return None

    def missing_kg(self) -> float:
        """Return what the asking banks lack to be full [kg]."""
        return sum((bank.full - bank.vessel.density) * bank.spec.volume_m3 for bank in self.banks if bank.recharging)

    def are_low(self) -> bool:
        """Return True while recharge must be quick: a bank is well below its start mark."""
        return any(bank.vessel.pressure < bank.hasten_mpa for bank in self.banks)

    def stock_kg(self) -> float:
        """Return the gas in all banks [kg]."""
        return sum(bank.vessel.mass for bank in self.banks)

    def stored_j(self) -> float:
        """Return the energy of gas and steel of all banks [J]."""
        return sum(bank.vessel.stored_j() for bank in self.banks)

    def ambient_j(self) -> float:
        """Return the heat that the banks have taken up from their surroundings [J]."""
        return sum(bank.vessel.ambient_j for bank in self.banks)

    # ---- recording

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *(role for bank in self.banks for role in of_unit("storage", bank.spec.unit, _ROLES)),
            *of_unit("storage", "header-hp", ("pressure", "temperature")),
            *((HIDDEN, bank.spec.unit, "leak_kg_s") for bank in self.banks),
        ]

    def record(self, row: list[float]) -> None:
        """Add the banks' part of a row: both transmitters of a bank stand on the same gas."""
        for bank in self.banks:
            pressure = bank.vessel.pressure
            row += (pressure, pressure, bank.vessel.kelvin - KELVIN, bank.charged, bank.drawn, bank.relief.lifted)
        row += (self.header_mpa, self.header_k - KELVIN)
        row += [bank.lost_kg_s for bank in self.banks]

    # ---- time

    def advance(self, dt_s: float, ambient_k: float) -> None:
        """Go one step on: book what moved through the valves, what passes by them and what is lost."""
        drawn_mpa, warm, passing = 0.0, 0.0, False
        for bank in self.banks:
            vessel = bank.vessel
            bank.charged, bank.drawn = vessel.in_kg > 0.0, vessel.out_kg > 0.0
            if bank.drawn and vessel.pressure > drawn_mpa:
                drawn_mpa, warm = vessel.pressure, vessel.kelvin
            passing = passing or bank.passby_kg_s > 0.0
        if passing:
            self._pass_by(dt_s)
        for bank in self.banks:
            self._lose(bank, dt_s)
            bank.vessel.advance(dt_s, ambient_k)
            bank.ask()
        # The high bank stands on the header; its check valve lets nothing back.
        loss, rate = (_HEADER_LOSS_MPA, _WARM_S) if drawn_mpa else (0.0, _REST_S)
        self.header_mpa += (self._top.vessel.pressure - loss - self.header_mpa) * min(1.0, dt_s / _HEADER_S)
        self.header_k += ((warm if drawn_mpa else ambient_k) - self.header_k) * min(1.0, dt_s / rate)

    def _lose(self, bank: CascadeBank, dt_s: float) -> None:
        """Book a leak and the relief valve, each at the bank's own enthalpy."""
        vessel = bank.vessel
        bank.lost_kg_s = bank.leak() if bank.leak_kg_s else 0.0
        if bank.lost_kg_s:
            kg = bank.lost_kg_s * dt_s
            vessel.take(kg)
            self.leaked_kg += kg
            self.leaked_j += kg * vessel.enthalpy
        relieved = bank.relief.flow_kg_s(vessel)
        if relieved:
            kg = relieved * dt_s
            vessel.take(kg)
            self.relief_kg += kg
            self.relief_j += kg * vessel.enthalpy

    def _pass_by(self, dt_s: float) -> None:
        """Let gas through leaking outlets: into the bank of least pressure, on which the outlet manifold stands."""
        lowest = min(self.banks, key=lambda bank: bank.vessel.pressure)
        for bank in self.banks:
            over = bank.vessel.pressure - lowest.vessel.pressure
            # An outlet that is open draws: there is nothing to pass by.
            if bank.passby_kg_s and over > 0.0 and not bank.drawn:
                kg = bank.passby_kg_s * math.sqrt(over / bank.spec.working_mpa) * dt_s
                bank.vessel.take(kg)
                lowest.vessel.put(kg, bank.vessel.enthalpy)
