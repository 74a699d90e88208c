"""Several simulated stations that go through time together: one process, one connection, one log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from simulators.measuring.sampled import Emission
from simulators.station import LOOK_S, SimulatedStation
from station.wire import topics


class StationGroup:
    """Stations in step with each other; of one alone it is that station.

    Args:
        stations: At least one; all at the same moment, no id twice.
    """

    def __init__(self, stations: Sequence[SimulatedStation]) -> None:
        self.stations = tuple(stations)
        self._of_command = {topics.simulator_command(one.plant.id): one for one in self.stations}

    @property
    def t_ms(self) -> int:
        """Station time reached, epoch ms: all before it is said, itself not yet."""
        return self.stations[0].t_ms

    @property
    def name(self) -> str:
        """The station's id, or how many there are."""
        first = self.stations[0].plant.id
        return first if len(self.stations) == 1 else f"{first} and {len(self.stations) - 1} more"

    @property
    def boots(self) -> dict[str, str]:
        """The present run of each station's devices, by its id."""
        return {one.plant.id: one.boot for one in self.stations}

    def commanded(self, topic: str) -> SimulatedStation | None:
        """Return the station that a command topic is of."""
        return self._of_command.get(topic)

    def emissions(
        self, seconds: float, *, step_s: float = 1.0, every: dt.timedelta | None = None, look_s: float = LOOK_S
    ) -> list[Emission]:
        """Return what all say in the next `seconds`, by time (see `SimulatedStation.emissions`).

        Args:
            seconds: Station time to pass, a multiple of `step_s`.
            step_s: Step of the physics [s], 1 to 10.
            every: Coarse sampling.
            look_s: Between two looks at the gate queue and the plan [s].
        """
        emissions: list[Emission] = []
        for one in self.stations:
            emissions += one.emissions(seconds, step_s=step_s, every=every, look_s=look_s)
        if len(self.stations) > 1:
            emissions.sort(key=_moment)  # stable: each station's own order stays
        return emissions

    def retained(self) -> list[tuple[str, bytes]]:
        """Return the retained words that have changed since the last look (all of them the first time)."""
        return [word for one in self.stations for word in one.retained()]

    def retained_again(self) -> list[tuple[str, bytes]]:
        """Return all retained words as they stand, for a broker that has forgotten them."""
        return [word for one in self.stations for word in one.retained_again()]

    def farewell(self) -> list[tuple[str, bytes]]:
        """Return the retained words of gateways that go off line in good order."""
        return [word for one in self.stations for word in one.farewell()]

    def cut_off(self, t_ms: int) -> frozenset[tuple[str, str]]:
        """Return the gateways, as (station, gateway), that an outage cuts off at a moment.

        Args:
            t_ms: Station time, epoch ms.
        """
        return frozenset((one.plant.id, gateway) for one in self.stations for gateway in one.cut_off(t_ms))


def _moment(emission: Emission) -> int:
    return emission[0]
