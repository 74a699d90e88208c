"""From the plant's state to the columns of a truth block.

The stepping loop records one list a step (`state_row`), to which each module of the plant adds its own part; everything
that follows from time and those columns alone is worked out for a whole block at once (`surroundings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simulators.physics.roles import HIDDEN, Float, Role, of_unit
from simulators.physics.surroundings import Surroundings, Wander

if TYPE_CHECKING:
    from simulators.physics.station import StationPhysics

_HIDDEN_SITE = ("ambient_c", "esd_level", "esd_button", "power_lost")


def row_roles(station: StationPhysics) -> list[Role]:
    """Return what stands where in a row of `state_row`."""
    return [
        *station.supply.roles(),
        *station.compression.roles(),
        *station.cascade.roles(),
        *station.cooling.roles(),
        *station.dispensing.roles(),
        *station.site.roles(),
        *of_unit(HIDDEN, "site", _HIDDEN_SITE),
    ]


def state_row(station: StationPhysics) -> list[float]:
    """Return the plant's state in the order of `row_roles`."""
    row: list[float] = []
    station.supply.record(row)
    station.compression.record(row)
    station.cascade.record(row)
    station.cooling.record(row)
    station.dispensing.record(row)
    station.site.record(row)
    row += (station.ambient_c, station.esd_level, station.esd_button, station.power_lost)
    return row


class Columns:
    """Knows where every signal of a plant stands and how those outside the stepping loop move."""

    def __init__(self, station: StationPhysics, seed: int) -> None:
        plant = station.plant
        self._width = len(plant.signals)
        place = {tag: number for number, tag in enumerate(plant.signals)}
        known = {(s.area, s.unit, s.role): place[s.tag] for s in plant.signals.values()}
        roles = row_roles(station)
        self._from = np.array([i for i, role in enumerate(roles) if role in known], dtype=np.intp)
        self._to = np.array([known[role] for role in roles if role in known], dtype=np.intp)
        self._hidden = {(unit, role): i for i, (area, unit, role) in enumerate(roles) if area == HIDDEN}
        recorded = set(self._to.tolist())
        signals = [s for s in plant.signals.values() if place[s.tag] not in recorded]
        self._rest = np.array([place[s.tag] for s in signals], dtype=np.intp)
        self._wander = Wander(signals, seed)
        self._surroundings = Surroundings(plant, place)

    def block(self, t_ms: npt.NDArray[np.int64], rows: list[list[float]]) -> Float:
        """Return the values of all signals, one row a moment."""
        recorded = np.array(rows, dtype=np.float64)
        values = np.empty((len(rows), self._width))
        values[:, self._to] = recorded[:, self._from]
        seconds = t_ms / 1000.0
        values[:, self._rest] = self._wander.at(seconds)
        hidden = {key: recorded[:, i] for key, i in self._hidden.items()}
        self._surroundings.apply(values, seconds, hidden)
        return values
