"""A simulated stretch of time as a log: what the station would have sent, in order, as fast as it can be made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

from simulators.group import StationGroup
from simulators.station import LOOK_S, SimulatedStation

BLOCK_S: Final = 600.0
"""Made at once: long enough to vectorise well, short enough to stay small (25 000 messages) in memory."""
COARSE_BLOCK_S: Final = 7200.0
"""The same with a message a minute: 6000 of them."""
COARSE_STEP_S: Final = 10.0
"""Step of the physics where only a value each minute or so is wanted."""

OnTime = Callable[[int], None]
"""Told the station time reached, epoch ms."""


def station_log(
    station: SimulatedStation | StationGroup,
    duration: dt.timedelta,
    *,
    every: dt.timedelta | None = None,
    on_time: OnTime | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) of everything that a station says, the retained words included.

    Args:
        station: Where it stands; is advanced.
        duration: How long from there, whole seconds (with `every`: cut to the coarse step of 10 s).
        every: One message a unit in this time (history), None for the sensors' own rates.
        on_time: Told how far it is, after each block.
    """
    step_s = 1.0 if every is None else coarse_step_s(every)
    # A look at the gate and the plan cuts the block: of a coarse log one is due no more often than its messages are.
    look_s = LOOK_S if every is None else max(LOOK_S, every.total_seconds())
    yield from station.retained()
    left = duration.total_seconds() // step_s * step_s
    while left > 0.0:
        block_s = min(left, BLOCK_S if every is None else COARSE_BLOCK_S)
        for _, topic, payload, _ in station.emissions(block_s, step_s=step_s, every=every, look_s=look_s):
            yield topic, payload
        left -= block_s
        if on_time is not None:
            on_time(station.t_ms)


def coarse_step_s(every: dt.timedelta) -> float:
    """Return the step for coarse sampling: 10 s, or `every` where that is shorter."""
    return min(COARSE_STEP_S, every.total_seconds())
