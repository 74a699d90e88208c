"""The gateways' clocks: how far each is off, so that a message says a time near, and not at, its moment.

A good clock stands some milliseconds off and wanders a little; a fault sets it off by seconds, or makes it jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulators.estimates import estimates
from simulators.faults import ALL, Fault
from simulators.measuring.instruments import Floats, Times, seed_of
from station.domain.plant import Gateway, Plant, UnitKey

Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ClockEstimates:
    """How good the clocks are: largest standing offset, amplitude and period of their wander."""

    fixed_ms: float
    wander_ms: float
    wander_h: float


CLOCKS: Final = estimates("simulators.measuring", "clocks", ClockEstimates)
_CLOCK_FAULTS: Final = frozenset({"clock-skew", "clock-step"})


class GatewayClocks:
    """Every gateway's clock, as a function of time alone.

    Args:
        plant: The station.
        seed: Same seed, same offsets.
    """

    def __init__(self, plant: Plant, seed: int) -> None:
        self._gateways = tuple(gateway.id for gateway in plant.gateways)
        draws = [[_draw(seed, purpose, name) for purpose in ("fixed", "phase", "pace")] for name in self._gateways]
        fixed, phase, pace = np.array(draws, dtype=np.float64).reshape(-1, 3).T
        self._fixed = CLOCKS.fixed_ms * fixed
        self._phase = np.pi * phase
        # Periods differ by up to a quarter, so that no two clocks wander in step.
        self._rate = 2.0 * np.pi / (CLOCKS.wander_h * 3.6e6 * (1.0 + 0.25 * pace))
        self.of_unit: Numbers = gateway_numbers(plant.gateways, tuple(plant.units))

    def offsets_ms(
        self, gateways: Numbers, t_ms: Times, faults: Sequence[Fault], *, true_clocks: bool = False
    ) -> Times:
        """Return by how much each clock is ahead.

        Args:
            gateways: Number of the gateway at each moment; below 0 for what has none.
            t_ms: True time, epoch ms, of each.
            faults: Those of the layer `gateway` that touch the time.
            true_clocks: But for faults, clocks are right. For coarse history: a sample at a window's mark belongs to
                that window, and a clock some milliseconds behind would put it into the one before.
        """
        offsets = np.zeros(len(t_ms))
        if not true_clocks and len(self._gateways):
            offsets += self._fixed[gateways]
            offsets += CLOCKS.wander_ms * np.sin(t_ms * self._rate[gateways] + self._phase[gateways])
        for fault in faults:
            if fault.name in _CLOCK_FAULTS:
                struck = gateways >= 0 if fault.unit == ALL else gateways == self._gateways.index(fault.unit)
                offsets += struck * (1000.0 * fault.size) * fault.strengths(t_ms)
        offsets[gateways < 0] = 0.0
        return np.rint(offsets).astype(np.int64)

    def worst_ms(self, t_ms: Times, faults: Sequence[Fault]) -> Floats:
        """Return the offset of the clock that is furthest off, at each moment, with its sign."""
        if not self._gateways:
            return np.zeros(len(t_ms))
        each = [self.offsets_ms(np.full(len(t_ms), n), t_ms, faults) for n in range(len(self._gateways))]
        offsets = np.array(each)
        worst: Floats = offsets[np.abs(offsets).argmax(axis=0), np.arange(len(t_ms))].astype(np.float64)
        return worst


def gateway_numbers(gateways: Sequence[Gateway], units: Sequence[UnitKey]) -> Numbers:
    """Return which gateway, by its place, carries each unit; -1 for one that none does."""
    number_of = {key: number for number, gateway in enumerate(gateways) for key in gateway.units}
    return np.array([number_of.get(key, -1) for key in units], dtype=np.intp)


def _draw(seed: int, purpose: str, gateway: str) -> float:
    """Return a number of -1..1."""
    return seed_of(seed, "clock", purpose, gateway) / 2.0**63 - 1.0
