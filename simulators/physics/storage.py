"""The cascade: three banks, their recharge demand, and the header to the dispensers."""

from __future__ import annotations

from simulators.physics.gas import Gas
from simulators.physics.roles import HIDDEN, Role, of_unit
from simulators.physics.vessel import Vessel
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Bank

_REFERENCE_K = 293.15
_REFILL_CEILING_MPA = 0.2
"""Recharge ends this far below the working pressure in any case, so that a warm bank does not reach its limit."""
_FLOOR_SHARE = 0.85
"""A bank without a floor of its own (the high bank) serves fills down to this share of its working pressure."""
_FLOOR_MARGIN_MPA = 0.5
"""Fills leave a bank this far above its floor."""

_HASTE_MPA = (1.0, 5.0, 11.0)
"""By recharge rank: the high bank 1 MPa under its start mark calls for haste, the low bank only 11 MPa under."""

# Per m3 of water volume: bundles of 0.4 m tubes have 10 m2/m3, 28 W/(m2 K) inside, 5 outside; steel of 2.2 t/m3.
_INSIDE_W_K_M3, _WALL_J_K_M3, _OUTSIDE_W_K_M3 = 280.0, 1.05e6, 50.0


_ROLES = ("pressure_a", "pressure_b", "temperature", "inlet_open", "outlet_open", "relief_lifted")


class CascadeBank:
    """One bank. `recharging` is its demand on the trains; `charged`, `drawn` say what moved in the last step."""

    __slots__ = (
        "charged",
        "drawn",
        "floor_mpa",
        "full",
        "hasten_mpa",
        "leak_kg_s",
        "low",
        "passby_kg_s",
        "recharging",
        "spec",
        "vessel",
    )

    def __init__(self, spec: Bank, gas: Gas) -> None:
        self.spec = spec
        volume = spec.volume_m3
        self.vessel = Vessel(gas, volume, _INSIDE_W_K_M3 * volume, _WALL_J_K_M3 * volume, _OUTSIDE_W_K_M3 * volume)
        self.low = hydrogen.density(spec.recharge_start_mpa, _REFERENCE_K)
        self.full = hydrogen.density(spec.recharge_stop_mpa, _REFERENCE_K)
        floor = spec.floor_mpa if spec.floor_mpa is not None else _FLOOR_SHARE * spec.working_mpa
        self.floor_mpa = floor + _FLOOR_MARGIN_MPA
        haste = _HASTE_MPA[min(spec.recharge_rank, len(_HASTE_MPA)) - 1]
        self.hasten_mpa = spec.recharge_start_mpa - haste
        self.recharging = self.charged = self.drawn = False
        self.leak_kg_s = self.passby_kg_s = 0.0

    def ask(self) -> None:
        """Raise or drop the demand for recharge.

        A bank is low by density, so that a cold one is not overfilled; a warm one must also have room in pressure.
        """
        vessel, spec = self.vessel, self.spec
        ceiling = spec.working_mpa - _REFILL_CEILING_MPA
        if self.recharging:
            self.recharging = vessel.density < self.full and vessel.pressure < ceiling
        else:
            self.recharging = vessel.density < self.low and vessel.pressure < spec.recharge_start_mpa + 0.5


class Cascade:
    """All banks, and the gas that leaks from them."""

    def __init__(self, banks: tuple[Bank, ...], gas: Gas) -> None:
        self.banks = [CascadeBank(spec, gas) for spec in banks]
        self.by_recharge = sorted(self.banks, key=lambda bank: bank.spec.recharge_rank)
        self.leaked_kg = 0.0
        self.header_mpa, self.header_k = 44.0, 293.15
        self._top = self.by_recharge[0]

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

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *(role for bank in self.banks for role in of_unit("storage", bank.spec.unit, _ROLES)),
            *of_unit("storage", "header-hp", ("pressure", "temperature")),
            *((HIDDEN, bank.spec.unit, "leak_kg_s") for bank in self.banks),
        ]

    def record(self, row: list[float]) -> None:
        """Add the banks' part of a row."""
        for bank in self.banks:
            pressure = bank.vessel.pressure
            row += (pressure, pressure, bank.vessel.kelvin - KELVIN, bank.charged, bank.drawn, 0.0)
        row += (self.header_mpa, self.header_k - KELVIN)
        row += [bank.leak_kg_s for bank in self.banks]

    def advance(self, dt_s: float, ambient_k: float) -> None:
        """Go one step on: book what moved."""
        drawn_mpa = 0.0
        warm = self._top.vessel.kelvin
        for bank in self.banks:
            vessel = bank.vessel
            bank.charged, bank.drawn = vessel.in_kg > 0.0, vessel.out_kg > 0.0
            if bank.drawn and vessel.pressure > drawn_mpa:
                drawn_mpa, warm = vessel.pressure, vessel.kelvin
            if bank.leak_kg_s:
                # Choked: the flow falls with the density, about in proportion to the pressure.
                lost = bank.leak_kg_s * dt_s * vessel.pressure / bank.spec.working_mpa
                vessel.take(lost)
                self.leaked_kg += lost
            vessel.advance(dt_s, ambient_k)
            bank.ask()
        share = min(1.0, dt_s / 5.0)
        # The high bank stands on the header; its check valve lets nothing back.
        self.header_mpa += (self._top.vessel.pressure - (0.15 if drawn_mpa else 0.0) - self.header_mpa) * share
        goal = warm if drawn_mpa else ambient_k
        self.header_k += (goal - self.header_k) * min(1.0, dt_s / (30.0 if drawn_mpa else 1800.0))
