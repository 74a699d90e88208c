"""A spring-loaded relief valve: pops open at its set pressure, shuts again well below it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.vessel import Vessel


@dataclass(frozen=True, slots=True)
class ReliefEstimates:
    """The valve; see the file for units and reasons."""

    blowdown_share: float
    bore_mm: float
    discharge_coefficient: float


_E = estimates("simulators.physics", "relief", ReliefEstimates)
_AREA_M2 = _E.discharge_coefficient * math.pi / 4.0 * (_E.bore_mm / 1000.0) ** 2


class ReliefValve:
    """The relief valve of one vessel.

    Attributes:
        lifted: Whether it is open.
        set_mpa, reseat_mpa: Where it opens and shuts.
    """

    __slots__ = ("lifted", "reseat_mpa", "set_mpa")

    def __init__(self, set_mpa: float) -> None:
        self.set_mpa, self.reseat_mpa = set_mpa, set_mpa * (1.0 - _E.blowdown_share)
        self.lifted = False

    def flow_kg_s(self, vessel: Vessel) -> float:
        """Return what it lets out of a vessel now: critical flow of a real gas while it is open, else nothing."""
        pressure = vessel.pressure
        if self.lifted:
            self.lifted = pressure > self.reseat_mpa
        elif pressure >= self.set_mpa:
            self.lifted = True
        if not self.lifted:
            return 0.0
        return _AREA_M2 * vessel.gas.choked_flux(vessel.density, pressure, vessel.kelvin)
