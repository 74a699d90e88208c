"""A vessel's wall as shells of material: heat conduction from the gas to the surroundings, implicit in time.

The wall is cut into thin shells. One implicit step is linear in the heat that the gas gives, so it is split into what
the wall does by itself and its answer to one watt at its inner face: the gas side then needs a single division,
whatever its heat transfer coefficient is in that step, and no step is too long to be stable. What the shells gain is
exactly what came in less what went out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

_GROWTH = 1.5
"""Each shell of a layer is this much thicker than the one inside it: the steep gradient is at the gas."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One material of a wall.

    Attributes:
        thickness_m: [m].
        conductivity_w_m_k: Across the layer [W/(m K)].
        density_kg_m3: [kg/m3].
        heat_capacity_j_kg_k: [J/(kg K)].
        cells: Shells it is cut into, 1 or more.
        mass_kg: Its known mass [kg] where the drawing's bosses and domes are heavier than shell times density.
    """

    thickness_m: float
    conductivity_w_m_k: float
    density_kg_m3: float
    heat_capacity_j_kg_k: float
    cells: int = 1
    mass_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Cylinder:
    """The inner shape of a vessel: a cylinder with hemispherical or flat ends.

    Attributes:
        volume_m3: Water volume [m3].
        diameter_m: Inner diameter [m].
        domed: Hemispherical ends; else flat ones.
    """

    volume_m3: float
    diameter_m: float
    domed: bool = True

    def area_m2(self, depth_m: float = 0.0) -> float:
        """Return the area [m2] of the surface that lies `depth_m` outside the inner one, ends included."""
        radius = self.diameter_m / 2.0
        ends_m3 = 4.0 / 3.0 * math.pi * radius**3 if self.domed else 0.0
        straight_m = max(0.0, self.volume_m3 - ends_m3) / (math.pi * radius**2)
        outer = radius + depth_m
        ends_m2 = 4.0 * math.pi * outer**2 if self.domed else 2.0 * math.pi * outer**2
        return 2.0 * math.pi * outer * straight_m + ends_m2


@dataclass(frozen=True, slots=True)
class _Step:
    """The implicit step of one length, eliminated once: what the loop multiplies by."""

    rate: tuple[float, ...]
    down: tuple[float, ...]
    pivot: tuple[float, ...]
    up: tuple[float, ...]
    answer: tuple[float, ...]


class Wall:
    """Shells of a wall, of one vessel or of several alike taken together.

    Attributes:
        area_m2: Inner area [m2].
        capacities_j_k: Heat capacity of each shell, from the inside [J/K].
        inside_k_w: Resistance between the inner face and the middle of the first shell [K/W].
        outside_w_k: Heat transfer from the middle of the last shell to the surroundings [W/K].
    """

    __slots__ = ("_links", "_steps", "area_m2", "capacities_j_k", "inside_k_w", "outside_w_k")

    def __init__(self, shape: Cylinder, layers: Sequence[Layer], outside_w_m2_k: float, count: int = 1) -> None:
        """Cut the wall.

        Args:
            shape: Inner shape of one vessel.
            layers: From the inside.
            outside_w_m2_k: Heat transfer coefficient to the surroundings [W/(m2 K)].
            count: Vessels alike.
        """
        shells = [shell for layer in layers for shell in _cut(layer)]
        self.area_m2 = shape.area_m2() * count
        capacities, halves, depth = [], [], 0.0
        for shell in shells:
            inner, outer = shape.area_m2(depth) * count, shape.area_m2(depth + shell.thickness_m) * count
            middle = (inner + outer) / 2.0
            capacities.append(middle * shell.thickness_m * shell.density_kg_m3 * shell.heat_capacity_j_kg_k)
            halves.append(shell.thickness_m / 2.0 / shell.conductivity_w_m_k / middle)
            depth += shell.thickness_m
        self.capacities_j_k = tuple(_by_mass(layers, capacities, count))
        self.inside_k_w = halves[0]
        self._links = tuple(1.0 / (a + b) for a, b in itertools.pairwise(halves))
        film = outside_w_m2_k * shape.area_m2(depth) * count
        self.outside_w_k = 1.0 / (halves[-1] + 1.0 / film) if film > 0.0 else 0.0
        self._steps: dict[float, _Step] = {}

    def stored_j(self, kelvins: Sequence[float]) -> float:
        """Return the heat in the shells [J], above 273.15 K."""
        return sum(c * (k - 273.15) for c, k in zip(self.capacities_j_k, kelvins, strict=True))

    def alone(self, kelvins: Sequence[float], ambient_k: float, dt: float) -> tuple[list[float], _Step]:
        """Return the shells [K] after `dt` seconds without heat from the gas, and what `warmed` needs."""
        step = self._steps.get(dt) or self._eliminate(dt)
        values: list[float] = []
        carried = 0.0
        for kelvin, rate, down, pivot in zip(kelvins, step.rate, step.down, step.pivot, strict=True):
            carried = (rate * kelvin + down * carried) * pivot
            values.append(carried)
        # The surroundings are the neighbour of the last shell.
        values[-1] = kelvin = carried + self.outside_w_k * ambient_k * step.pivot[-1]
        for n in range(len(values) - 2, -1, -1):
            values[n] = kelvin = values[n] + step.up[n] * kelvin
        return values, step

    def _eliminate(self, dt: float) -> _Step:
        """Eliminate the tridiagonal system of one step length."""
        count, links = len(self.capacities_j_k), self._links
        rate = [capacity / dt for capacity in self.capacities_j_k]
        pivot: list[float] = []
        up: list[float] = []
        for n in range(count):
            diagonal = rate[n] + (links[n] if n < count - 1 else self.outside_w_k)
            if n:
                diagonal += links[n - 1] * (1.0 - up[-1])
            pivot.append(1.0 / diagonal)
            up.append(links[n] / diagonal if n < count - 1 else 0.0)
        down = [0.0, *links]
        forward = [pivot[0]]
        for n in range(1, count):
            forward.append(down[n] * forward[-1] * pivot[n])
        for n in range(count - 2, -1, -1):
            forward[n] += up[n] * forward[n + 1]
        made = _Step(tuple(rate), tuple(down), tuple(pivot), tuple(up), tuple(forward))
        self._steps[dt] = made
        return made


def _cut(layer: Layer) -> list[Layer]:
    """Return the shells of a layer, the thinnest inside."""
    weights = [_GROWTH**n for n in range(layer.cells)]
    return [replace(layer, thickness_m=layer.thickness_m * weight / sum(weights), cells=1) for weight in weights]


def _by_mass(layers: Sequence[Layer], capacities: Sequence[float], count: int) -> list[float]:
    """Return the shells' heat capacities, scaled where the mass of their layer is known."""
    scaled: list[float] = []
    for layer in layers:
        part = list(capacities[len(scaled) : len(scaled) + layer.cells])
        if layer.mass_kg is not None:
            known = layer.mass_kg * count * layer.heat_capacity_j_kg_k
            part = [value * known / sum(part) for value in part]
        scaled += part
    return scaled
