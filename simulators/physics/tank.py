"""A truck's cylinders: one lumped gas volume, an aluminium liner and a wound shell in three layers (Type III)."""

from __future__ import annotations

import math

from simulators.physics.gas import Gas

_LINER_J_M2_K = 0.005 * 2700.0 * 900.0
"""5 mm of aluminium (2700 kg/m3, 900 J/(kg K))."""
_LAYER_J_M2_K = 0.020 / 3.0 * 1550.0 * 1000.0
"""A third of 20 mm of carbon fibre in resin (1550 kg/m3, 1000 J/(kg K))."""
_LAYER_W_M2_K = 0.6 / (0.020 / 3.0)
"""Between the middles of two layers; through the winding 0.6 W/(m K)."""
_INSIDE_W_M2_K = 250.0
"""Gas to liner during a fill: well stirred by the 5 mm inlet jet, 100..400 over a fill; its mean."""
_OUTSIDE_W_M2_K = 8.0


class VehicleTank:
    """The gas and walls of a truck's tanks, taken as one.

    Attributes:
        volume: Water volume of all cylinders [m3].
        mass: Gas [kg].
        pressure: [MPa].
        kelvin: Gas temperature [K].
        density: [kg/m3].
    """

    __slots__ = (
        "_area",
        "density",
        "energy",
        "gas",
        "kelvin",
        "layers",
        "liner_k",
        "mass",
        "pressure",
        "tank_litres",
        "tanks",
        "volume",
    )

    STATE = ("mass", "energy", "kelvin", "liner_k", "layers", "pressure", "density")
    """What a snapshot keeps."""

    def __init__(self, gas: Gas, tanks: int, tank_litres: float) -> None:
        self.gas = gas
        self.tanks, self.tank_litres = tanks, tank_litres
        self.volume = tanks * tank_litres / 1000.0
        # Cylinders keep their shape: 210 L is 0.40 m wide.
        width = 0.40 * (tank_litres / 210.0) ** (1.0 / 3.0)
        length = tank_litres / 1000.0 / (math.pi / 4.0 * width**2)
        self._area = tanks * (math.pi * width * length + math.pi / 2.0 * width**2)
        self.mass = self.energy = self.pressure = self.density = 0.0
        self.kelvin = self.liner_k = 293.15
        self.layers = [293.15, 293.15, 293.15]

    def set_state(self, mass: float, kelvin: float) -> None:
        """Put gas [kg] and walls at one temperature [K]."""
        self.mass, self.kelvin, self.liner_k = mass, kelvin, kelvin
        self.layers = [kelvin, kelvin, kelvin]
        self.density = mass / self.volume
        self.pressure, energy, _ = self.gas.state(self.density, kelvin)
        self.energy = mass * energy

    def advance(self, kg: float, enthalpy: float, dt: float, ambient_k: float) -> None:
        """Take `kg` at a specific enthalpy [J/kg] over `dt` seconds."""
        area = self._area
        inner, middle, outer = self.layers
        heat = _INSIDE_W_M2_K * area * dt * (self.kelvin - self.liner_k)
        self.energy += kg * enthalpy - heat
        self.mass += kg
        step = dt * _LAYER_W_M2_K
        into_shell = 2.0 * step * (self.liner_k - inner)
        first, second = step * (inner - middle), step * (middle - outer)
        lost = dt * _OUTSIDE_W_M2_K * (outer - ambient_k)
        self.liner_k += (heat / area - into_shell) / _LINER_J_M2_K
        self.layers = [
            inner + (into_shell - first) / _LAYER_J_M2_K,
            middle + (first - second) / _LAYER_J_M2_K,
            outer + (second - lost) / _LAYER_J_M2_K,
        ]
        self.density = density = self.mass / self.volume
        _, energy, cv = self.gas.state(density, self.kelvin)
        self.kelvin += (self.energy / self.mass - energy) / cv
        self.pressure = self.gas.state(density, self.kelvin)[0]

    def stiffness(self) -> float:
        """Return the isothermal rise of pressure with density [MPa m3/kg]."""
        return (self.gas.state(self.density + 0.25, self.kelvin)[0] - self.pressure) * 4.0
