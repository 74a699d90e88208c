"""Tanks that are filled by a jet: one gas volume, its wall in shells, and the trucks' cylinders.

Gas to wall is the jet correlation Nu = 0.56 Re_d^0.67 + 0.104 Ra^0.352 (Woodfield, Monde, Mitsutake 2007; Re on the
inlet's bore, Nu and Ra on the inner diameter), or a constant coefficient for a vessel that is filled slowly. Mass and
energy are the state, so both conserve by construction; the temperature follows by a Newton step whose rest is carried.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from simulators.estimates import estimates
from simulators.physics.gas import Gas
from simulators.physics.wall import Cylinder, Layer, Wall

TankKind = Literal["III", "IV"]
"""Type III: aluminium liner; type IV: polymer liner. Both are wound with carbon fibre."""


@dataclass(frozen=True, slots=True)
class TankEstimates:
    """Numbers of the trucks' tanks; see estimates.toml for units and reasons."""

    jet_factor: float
    jet_power: float
    buoyant_factor: float
    buoyant_power: float
    inlet_bore_m: float
    diameter_m: float
    diameter_of_litres: float
    outside_w_m2_k: float
    aluminium_m: float
    aluminium_w_m_k: float
    aluminium_kg_m3: float
    aluminium_j_kg_k: float
    polymer_m: float
    polymer_w_m_k: float
    polymer_kg_m3: float
    polymer_j_kg_k: float
    fibre_on_aluminium_m: float
    fibre_on_polymer_m: float
    fibre_w_m_k: float
    fibre_kg_m3: float
    fibre_j_kg_k: float


E: Final = estimates("simulators.physics", "tank", TankEstimates)
_JET, _JET_POWER = E.jet_factor, E.jet_power
_BUOYANT, _BUOYANT_POWER = E.buoyant_factor, E.buoyant_power
_FIBRE_CELLS, _POLYMER_CELLS = 5, 2
"""A second's heat goes 1..2 mm deep: thinner shells change a truck's end temperature by less than 0.3 K."""
_STIFFNESS_KG_M3 = 0.25


class GasTank:
    """Gas in one or several cylinders alike, with their walls, taken as one.

    Attributes:
        volume: Water volume of all cylinders [m3].
        mass: Gas [kg].
        energy: Internal energy of the gas [J], on the tables' zero.
        pressure: [MPa].
        kelvin: Gas temperature [K].
        density: [kg/m3].
        shells_k: Temperature of the wall's shells, from the inside [K].
        film_w_m2_k: Heat transfer coefficient gas to wall in the last step [W/(m2 K)].
        ambient_j: Heat that came from the surroundings since the start [J].
    """

    __slots__ = (
        "ambient_j",
        "bore_m",
        "constant_w_m2_k",
        "count",
        "density",
        "diameter_m",
        "energy",
        "film_w_m2_k",
        "gas",
        "kelvin",
        "mass",
        "pressure",
        "shells_k",
        "volume",
        "wall",
    )

    STATE = ("mass", "energy", "kelvin", "shells_k", "pressure", "density", "film_w_m2_k", "ambient_j")
    """What a snapshot keeps."""

    def __init__(
        self,
        gas: Gas,
        shape: Cylinder,
        wall: Wall,
        *,
        bore_m: float,
        count: int = 1,
        constant_w_m2_k: float | None = None,
    ) -> None:
        """Make an empty tank.

        Args:
            gas: Look-ups.
            shape: Inner shape of one cylinder.
            wall: The wall of all of them.
            bore_m: Bore of each cylinder's inlet [m].
            count: Cylinders alike, which share the flow evenly.
            constant_w_m2_k: Heat transfer gas to wall [W/(m2 K)] in place of the jet correlation.
        """
        self.gas, self.wall, self.count, self.bore_m = gas, wall, count, bore_m
        self.constant_w_m2_k = constant_w_m2_k
        self.volume, self.diameter_m = shape.volume_m3 * count, shape.diameter_m
        self.mass = self.energy = self.pressure = self.density = self.film_w_m2_k = self.ambient_j = 0.0
        self.kelvin = 293.15
        self.shells_k: Sequence[float] = [293.15] * len(wall.capacities_j_k)

    def set_state(self, mass: float, kelvin: float) -> None:
        """Put gas [kg] and walls at one temperature [K]."""
        self.mass, self.kelvin = mass, kelvin
        self.shells_k = [kelvin] * len(self.wall.capacities_j_k)
        self.density = mass / self.volume
        self.pressure, energy, _ = self.gas.state(self.density, kelvin)
        self.energy = mass * energy

    def advance(self, kg: float, enthalpy: float, dt: float, ambient_k: float) -> None:
        """Take gas for a step.

        Args:
            kg: Gas that comes in over the step [kg]; less than 0 goes out.
            enthalpy: Its specific enthalpy [J/kg].
            dt: Length of the step [s].
            ambient_k: Temperature of the surroundings [K].
        """
        wall, state = self.wall, self.gas.state
        shells, step = wall.alone(self.shells_k, ambient_k, dt)
        self.mass = mass = self.mass + kg
        self.energy = stored = self.energy + kg * enthalpy
        self.density = density = mass / self.volume
        _, energy, cv = state(density, self.kelvin)
        warmed = self.kelvin + (stored / mass - energy) / cv
        film = self.constant_w_m2_k
        if film is None:
            film = self._jet(abs(kg) / dt, density, warmed, shells[0])
        self.film_w_m2_k = film
        capacity = mass * cv
        answer = step.answer
        watt = (warmed - shells[0]) / (1.0 / (film * wall.area_m2) + wall.inside_k_w + answer[0] + dt / capacity)
        self.shells_k = shells = [kelvin + watt * share for kelvin, share in zip(shells, answer, strict=True)]
        self.ambient_j += wall.outside_w_k * (ambient_k - shells[-1]) * dt
        self.energy -= watt * dt
        self.kelvin = kelvin = warmed - watt * dt / capacity
        self.pressure = state(density, kelvin)[0]

    def _jet(self, kg_s: float, density: float, kelvin: float, wall_k: float) -> float:
        """Return the coefficient gas to wall [W/(m2 K)] for a flow into (or out of) all cylinders."""
        conductivity, viscosity, root = self.gas.transport(density, kelvin)
        reynolds = 4.0 / math.pi * kg_s / self.count / (self.bore_m * viscosity)
        width = self.diameter_m
        rayleigh = root * root * abs(kelvin - wall_k) * width * width * width
        nusselt: float = _JET * reynolds**_JET_POWER + _BUOYANT * rayleigh**_BUOYANT_POWER
        # Gas at rest at its wall's temperature still conducts: Nu of the order of 1.
        return conductivity / width * max(nusselt, 1.0)

    def stored_j(self) -> float:
        """Return the energy in gas and walls [J], on an arbitrary zero: only differences mean anything."""
        return self.energy + self.wall.stored_j(self.shells_k)

    def wall_k(self) -> float:
        """Return the temperature of the innermost shell [K]."""
        return self.shells_k[0]

    def stiffness(self) -> float:
        """Return the isothermal rise of pressure with density [MPa m3/kg]."""
        return (self.gas.state(self.density + _STIFFNESS_KG_M3, self.kelvin)[0] - self.pressure) / _STIFFNESS_KG_M3


class VehicleTank(GasTank):
    """A truck's cylinders.

    Attributes:
        tanks: Cylinders.
        tank_litres: Water volume of one [L].
        kind: How they are built.
    """

    __slots__ = ("kind", "tank_litres", "tanks")

    def __init__(self, gas: Gas, tanks: int, tank_litres: float, kind: TankKind = "III") -> None:
        """Make empty tanks of `tanks` cylinders of `tank_litres` [L]."""
        shape, wall = truck_wall(tanks, tank_litres, kind)
        super().__init__(gas, shape, wall, bore_m=E.inlet_bore_m, count=tanks)
        self.tanks, self.tank_litres, self.kind = tanks, tank_litres, kind


@functools.lru_cache(maxsize=64)
def truck_wall(tanks: int, tank_litres: float, kind: TankKind) -> tuple[Cylinder, Wall]:
    """Return shape and wall of a truck's cylinders; they keep their proportions whatever their volume."""
    width = E.diameter_m * (tank_litres / E.diameter_of_litres) ** (1.0 / 3.0)
    shape = Cylinder(tank_litres / 1000.0, width)
    return shape, Wall(shape, truck_layers(kind), E.outside_w_m2_k, tanks)


def truck_layers(kind: TankKind) -> tuple[Layer, Layer]:
    """Return liner and winding of a truck's cylinder."""
    if kind == "IV":
        liner = Layer(E.polymer_m, E.polymer_w_m_k, E.polymer_kg_m3, E.polymer_j_kg_k, _POLYMER_CELLS)
        fibre = E.fibre_on_polymer_m
    else:
        liner = Layer(E.aluminium_m, E.aluminium_w_m_k, E.aluminium_kg_m3, E.aluminium_j_kg_k)
        fibre = E.fibre_on_aluminium_m
    return liner, Layer(fibre, E.fibre_w_m_k, E.fibre_kg_m3, E.fibre_j_kg_k, _FIBRE_CELLS)
