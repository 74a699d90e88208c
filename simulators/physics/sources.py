"""Where a fill draws from: the direct line of the trailers first, then the banks by rank."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.hoses import NO_SOURCE, HoseUnit
from simulators.physics.storage import Cascade
from simulators.physics.supply import OPEN as BAY_OPEN
from simulators.physics.supply import SupplyYard
from simulators.physics.vessel import Vessel

FIRST_BAY = 100
"""Sources of a fill: a bank by its number, a bay by FIRST_BAY + its number."""


@dataclass(frozen=True, slots=True)
class SourceEstimates:
    """The way from the sources to the dispensers."""

    direct_fills: int
    valve_kg_s: float


_E = estimates("simulators.physics", "sources", SourceEstimates)
_DIRECT_FILLS, _VALVE_KG_S = _E.direct_fills, _E.valve_kg_s
_RISE_MPA = 0.2
"""A trailer must be this far over the margin to be chosen, so that a fill does not change back at once."""


class Sources:
    """Banks and docked trailers as the hoses see them. `drawn_j` is the enthalpy of all that left them for hoses."""

    def __init__(self, supply: SupplyYard, cascade: Cascade, margin_mpa: float) -> None:
        self.supply, self.cascade, self.margin_mpa = supply, cascade, margin_mpa
        self.draw_order = sorted(range(len(cascade.banks)), key=lambda n: cascade.banks[n].spec.draw_rank)
        self.direct = 0
        self.drawn_j = 0.0

    def count(self, hoses: Iterable[HoseUnit]) -> None:
        """Note how many hoses the direct line carries."""
        self.direct = sum(1 for hose in hoses if hose.source >= FIRST_BAY)

    def choose(self, hose: HoseUnit, tank_mpa: float) -> Vessel | None:
        """Return the vessel to draw from: the first that is the margin above the tank, kept while it stays so."""
        least = tank_mpa + self.margin_mpa
        kept = self.vessel(hose.source)
        if kept is not None and kept.pressure > least:
            return kept
        if hose.source >= FIRST_BAY:
            self.direct -= 1
        hose.source = NO_SOURCE
        if self.direct < _DIRECT_FILLS and (bay := self.supply.direct_source(least + _RISE_MPA)) >= 0:
            hose.source = FIRST_BAY + bay
            self.direct += 1
            return self.vessel(hose.source)
        # By rank, not by pressure: the high bank is spared for the end of fills even while it is being recharged.
        best, last, highest = NO_SOURCE, NO_SOURCE, tank_mpa
        for number in self.draw_order:
            bank = self.cascade.banks[number]
            pressure = bank.vessel.pressure
            if pressure <= bank.floor_mpa:
                continue
            if pressure > least:
                best = number
                break
            if pressure > highest:
                last, highest = number, pressure
        hose.source = best if best != NO_SOURCE else last
        return self.vessel(hose.source)

    def vessel(self, source: int) -> Vessel | None:
        """Return the vessel of a source, None where it gives nothing now."""
        if source == NO_SOURCE:
            return None
        if source >= FIRST_BAY:
            bay = self.supply.bays[source - FIRST_BAY]
            return bay.trailer.vessel if bay.trailer is not None and bay.state == BAY_OPEN else None
        bank = self.cascade.banks[source]
        return bank.vessel if bank.vessel.pressure > bank.floor_mpa else None

    def for_pulse(self, tank_mpa: float) -> tuple[int, Vessel] | None:
        """Return the bank whose pressure is least but well above the tank, None where none is above it."""
        banks = self.cascade.banks
        number = min(
            range(len(banks)),
            key=lambda n: (banks[n].vessel.pressure <= tank_mpa + 1.0, banks[n].vessel.pressure),
        )
        vessel = banks[number].vessel
        return (number, vessel) if vessel.pressure > tank_mpa + 1.0 else None

    def draw(self, source: int, vessel: Vessel, kg: float) -> None:
        """Take gas out of a source in this step."""
        self.drawn_j += kg * vessel.enthalpy
        if source >= FIRST_BAY:
            self.supply.bays[source - FIRST_BAY].taken_kg += kg
        else:
            vessel.take(kg)


def valve_kg_s(source: Vessel, tank_mpa: float) -> float:
    """Return what flows at most from a source into a tank [kg/s]: through pipes, valves and the open ramp valve."""
    over = source.pressure - tank_mpa
    return _VALVE_KG_S * math.sqrt(over * source.density) if over > 0.0 else 0.0
