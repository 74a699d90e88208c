"""A dispenser's cabinet: the gas that leaks into it, the purge that carries it away, and the trip at 25 %LEL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.hoses import HoseUnit
from simulators.physics.roles import HIDDEN, Role


@dataclass(frozen=True, slots=True)
class CabinetEstimates:
    """A cabinet and its detector."""

    volume_m3: float
    purge_m3_s: float
    detector_s: float
    mending_s: float


_E = estimates("simulators.physics", "cabinet", CabinetEstimates)

TRIP_LEL = 25.0
"""GB/T 50493 second level as set at this station (DOMAIN 2): the safety PLC stops the dispenser."""
_SAFE_LEL = 5.0
_LEL_PER_SHARE = 100.0 / 0.04
"""4 % of hydrogen in air is the lower explosive limit."""
_DETECTOR_LEL = 100.0
"""A detector's full scale."""
_GAS_KG_M3 = 0.0838
"""Hydrogen at 20 degC and 0.1013 MPa."""
_NO_LEL = 1e-3


class Cabinet:
    """One dispenser's cabinet.

    Attributes:
        lel: Gas in it [%LEL].
        seen_lel: As its detector tells the safety PLC, which lags.
        tripped: Its hoses are out of use: until the leak is mended, the gas gone and the cabinet looked after.
    """

    __slots__ = ("hoses", "lel", "seen_lel", "tripped", "unit", "wait_s")

    STATE = ("lel", "seen_lel", "tripped", "wait_s")

    def __init__(self, unit: str, hoses: Sequence[HoseUnit]) -> None:
        self.unit, self.hoses = unit, tuple(hoses)
        self.lel = self.seen_lel = self.wait_s = 0.0
        self.tripped = False

    def role(self) -> Role:
        """Return what `lel` is recorded as."""
        return (HIDDEN, self.unit, "cabinet_lel")

    def advance(self, dt_s: float) -> None:
        """Go one step on: gas in from leaks, out with the purge air."""
        leak = 0.0
        for hose in self.hoses:
            leak += hose.leak_kg_s
        if not leak and self.lel < _NO_LEL and not self.tripped:
            self.lel = 0.0
            return
        # Exact over a step of constant leak, so that 10 s steps are as good as 1 s.
        rest = leak / _GAS_KG_M3 / _E.purge_m3_s * _LEL_PER_SHARE
        self.lel = min(_LEL_PER_SHARE, rest + (self.lel - rest) * math.exp(-dt_s * _E.purge_m3_s / _E.volume_m3))
        self.seen_lel += (min(self.lel, _DETECTOR_LEL) - self.seen_lel) * (1.0 - math.exp(-dt_s / _E.detector_s))
        if self.seen_lel >= TRIP_LEL:
            self.tripped, self.wait_s = True, _E.mending_s
        elif self.tripped and self.seen_lel < _SAFE_LEL and not any(hose.leak_mm for hose in self.hoses):
            self.wait_s -= dt_s
            self.tripped = self.wait_s > 0.0


def cabinets_of(hoses: Sequence[HoseUnit]) -> list[Cabinet]:
    """Return the cabinets in which some hoses stand, in the order of the hoses."""
    units = dict.fromkeys(hose.spec.dispenser for hose in hoses)
    return [Cabinet(unit, [hose for hose in hoses if hose.spec.dispenser == unit]) for unit in units]
