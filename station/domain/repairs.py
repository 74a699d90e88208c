"""When machines that are down will run again.

A machine that fails alone is back after its usual repair, of which the part that has passed is taken into account.
Machines of a kind that stop together hardly failed one by one: they wait for one cause (power, cooling water, a blocked
line), which lasts longer than a repair of one's own and ends for all at once. Where not a single one of several is
left, the whole station stands still: a power cut or an emergency stop, mostly over sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import ChillerNow, HoseNow, TrainNow
from station.domain.waiting_times import Lasting

_SEVERAL = 3
"""Two of two may well wait for one repair."""


class Repairable(Protocol):
    """A machine of the station file."""

    @property
    def mttr_median_h(self) -> float:
        """Median of its repairs [h]."""
        ...


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair under way.

    Attributes:
        law: Of its whole duration.
        so_far_min: How long the machine has been down [min].
        together: Number shared by those that wait for one cause; its own otherwise.
    """

    law: Lasting
    so_far_min: float
    together: int

    @property
    def median_min(self) -> float:
        """Median of what is left [min]."""
        return float(self.law.remaining(self.so_far_min, np.array(0.5)))


def repairs_of(
    machines: Sequence[Repairable],
    now: Sequence[TrainNow | ChillerNow | HoseNow],
    rules: CapacityParameters,
    within_min: float | None = None,
) -> list[Repair | None]:
    """Return the repair of each machine, None for one that is not down.

    Args:
        machines: As the station file has them.
        now: Their states, in the same order.
        rules: The station's estimates.
        within_min: Machines that go down within this of each other wait for one cause; None takes the usual [min].
    """
    down = [i for i, state in enumerate(now) if not state.available]
    together_min = rules.common_cause_min if within_min is None else within_min
    group = _groups([now[i].down_min for i in down], together_min)
    size = {number: group.count(number) for number in group}
    found: list[Repair | None] = [None] * len(now)
    for i, number in zip(down, group, strict=True):
        median_min, sigma = 60.0 * machines[i].mttr_median_h, rules.repair_sigma
        if size[number] == len(now) >= _SEVERAL:
            median_min, sigma = 60.0 * rules.standstill_median_h, rules.standstill_sigma
        elif size[number] > 1:
            median_min = max(median_min, 60.0 * rules.common_cause_median_h)
        found[i] = Repair(Lasting(median_min, sigma), now[i].down_min, number)
    return found


def _groups(down_min: Sequence[float], within_min: float) -> list[int]:
    """Return a number for each that those share which went down within so many minutes of the next one."""
    order = sorted(range(len(down_min)), key=lambda i: down_min[i])
    number = [0] * len(down_min)
    for place, i in enumerate(order[1:], start=1):
        before = order[place - 1]
        number[i] = number[before] + int(down_min[i] - down_min[before] > within_min)
    return number
