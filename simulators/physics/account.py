"""The plant's own account: kilograms and joules in, out and stored, which must add up at every step.

Energies of gas are enthalpies where it crosses a boundary and internal energies where it rests, on the tables' zero;
each balance is a difference, so that the zero drops out with the mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.physics.station import StationPhysics

_J_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class MassAccount:
    """Kilograms of gas since the start."""

    received: float
    returned: float
    dispensed: float
    vented: float
    stock_change: float

    @property
    def open(self) -> float:
        """What does not add up [kg]."""
        return self.received - self.returned - self.dispensed - self.vented - self.stock_change

    @property
    def closure(self) -> float:
        """The same as a share of what came or went, whichever is more."""
        return abs(self.open) / max(1.0, self.received, self.dispensed)


@dataclass(frozen=True, slots=True)
class HeatAccount:
    """Joules since the start, of one boundary.

    Attributes:
        came: With gas through the gate, or as heat into the brine.
        went: With gas into trucks, vent stack, leaks and trailers that left, or as heat out of the brine.
        worked: Put in by the trains.
        cooled: Taken out by coolers and precoolers.
        ambient: From the surroundings.
        stored: Change of what gas, steel and brine hold.
    """

    came: float
    went: float
    worked: float
    cooled: float
    ambient: float
    stored: float

    @property
    def open(self) -> float:
        """What does not add up [J]."""
        return self.came - self.went + self.worked - self.cooled + self.ambient - self.stored

    @property
    def turnover(self) -> float:
        """Heat and work that changed hands [J], without the gas's own enthalpy, whose zero is arbitrary."""
        return self.worked + self.cooled + abs(self.ambient)


@dataclass(frozen=True, slots=True)
class Account:
    """All balances of a station since its start.

    Attributes:
        mass: Of the gas.
        gas: Heat of the gas path: trailers, trains, banks, hose lines, with their steel.
        brine: Heat of the brine; `came` is what the gas gave off.
        kwh: Electricity; `kwh_by` by consumer.
    """

    mass: MassAccount
    gas: HeatAccount
    brine: HeatAccount
    kwh: float
    kwh_by: dict[str, float]

    @property
    def energy_closure(self) -> float:
        """The worst of the three energy balances, as a share of the heat and work that it turned over."""
        brine = self.brine
        shares = (
            abs(self.gas.open) / max(_J_KWH, self.gas.turnover),
            abs(brine.open) / max(_J_KWH, brine.came + brine.cooled + abs(brine.ambient)),
            abs(self.kwh - sum(self.kwh_by.values())) / max(1.0, self.kwh),
        )
        return max(shares)


def account(station: StationPhysics) -> Account:
    """Return the account of a station as it stands now."""
    supply, cascade, dispensing = station.supply, station.cascade, station.dispensing
    cooling, trains = station.cooling, station.compression
    mass = MassAccount(
        received=supply.received_kg,
        returned=supply.returned_kg,
        dispensed=dispensing.dispensed_kg,
        vented=supply.vented_kg + dispensing.vented_kg + cascade.leaked_kg + cascade.relief_kg,
        stock_change=station.stock_kg() - station.opening_kg,
    )
    gas = HeatAccount(
        came=supply.received_j,
        went=supply.returned_j
        + supply.vented_j
        + dispensing.dispensed_j
        + dispensing.vented_j
        + cascade.leaked_j
        + cascade.relief_j,
        worked=trains.work_j,
        cooled=trains.cooled_j + dispensing.precooled_j,
        ambient=supply.ambient_j() + cascade.ambient_j(),
        stored=gas_stored_j(station) - station.opening_j,
    )
    brine = HeatAccount(
        came=dispensing.precooled_j,
        went=0.0,
        worked=0.0,
        cooled=cooling.removed_j,
        ambient=cooling.gains_j,
        # What was given off after the brine's last step waits for its next one.
        stored=cooling.brine_j - station.opening_brine_j + cooling.heat_j,
    )
    return Account(mass, gas, brine, station.energy_kwh - station.opening_kwh, station.energy_kwh_by)


def gas_stored_j(station: StationPhysics) -> float:
    """Return the energy of gas and steel in trailers, banks and hose lines [J], on an arbitrary zero."""
    return station.supply.stored_j() + station.cascade.stored_j() + station.dispensing.line_j()
