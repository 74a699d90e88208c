"""A vessel of gas with its wall: mass and energy balance of one lumped volume.

The state is mass and internal energy, so that both conserve by construction; temperature follows from the energy by one
Newton step a time step, whose rest is carried to the next one. Heat goes gas -> wall -> surroundings.
"""

from __future__ import annotations

from simulators.physics.gas import Gas


class Vessel:
    """Gas in a closed volume, one wall node.

    Transfers of a step are collected with `take` and `put`; `advance` books them.

    Attributes:
        volume: Water volume [m3].
        mass: Gas [kg].
        energy: Internal energy of the gas [J], on the tables' zero.
        kelvin: Gas temperature [K].
        wall_k: Wall temperature [K].
        inside_w_k: Heat transfer gas to wall, area times coefficient [W/K].
        wall_j_k: Heat capacity of the wall [J/K].
        outside_w_k: Heat transfer wall to surroundings [W/K].
        pressure: Absolute pressure [MPa].
        density: [kg/m3].
        enthalpy: Specific enthalpy of the gas [J/kg].
        cv: Specific heat at constant volume [J/(kg K)].
        ambient_j: Heat that came from the surroundings since the start [J].
    """

    __slots__ = (
        "ambient_j",
        "cv",
        "density",
        "energy",
        "enthalpy",
        "gas",
        "in_j",
        "in_kg",
        "inside_w_k",
        "kelvin",
        "mass",
        "out_kg",
        "outside_w_k",
        "pressure",
        "volume",
        "wall_j_k",
        "wall_k",
    )

    STATE = ("mass", "energy", "kelvin", "wall_k", "pressure", "enthalpy", "cv", "ambient_j")
    """What a snapshot keeps. Pressure is kept too: within a step it lags the temperature by a hair."""

    def __init__(self, gas: Gas, volume: float, inside_w_k: float, wall_j_k: float, outside_w_k: float) -> None:
        self.gas = gas
        self.volume = volume
        self.inside_w_k = inside_w_k
        self.wall_j_k = wall_j_k
        self.outside_w_k = outside_w_k
        self.in_kg = self.in_j = self.out_kg = self.ambient_j = 0.0
        self.mass = self.energy = self.pressure = self.density = self.enthalpy = 0.0
        self.kelvin = self.wall_k = 293.15
        self.cv = 10_200.0

    def set_state(self, mass: float, kelvin: float, wall_k: float) -> None:
        """Put the vessel into a state: mass [kg], gas and wall temperature [K]."""
        self.mass, self.kelvin, self.wall_k = mass, kelvin, wall_k
        self.energy = mass * self.gas.state(mass / self.volume, kelvin)[1]
        self.refresh()

    def refresh(self) -> None:
        """Work out what follows from mass, energy and temperature (after a restore)."""
        self.density = self.mass / self.volume
        self.pressure, _, self.cv = self.gas.state(self.density, self.kelvin)
        self.enthalpy = self.energy / self.mass + self.pressure * 1e6 / self.density if self.mass > 0.0 else 0.0

    def stored_j(self) -> float:
        """Return the energy in gas and wall [J], on an arbitrary zero: only differences mean anything.

        It changes by exactly what was put, less what was taken (each at its enthalpy), plus the change of `ambient_j`.
        """
        return self.energy + self.wall_j_k * (self.wall_k - 273.15)

    def take(self, kg: float) -> None:
        """Draw gas in this step; it leaves at the vessel's own enthalpy."""
        self.out_kg += kg

    def put(self, kg: float, enthalpy: float) -> None:
        """Add gas in this step, arriving with a specific enthalpy [J/kg]."""
        self.in_kg += kg
        self.in_j += kg * enthalpy

    def advance(self, dt: float, ambient_k: float) -> None:
        """Book the transfers collected since the last step and go `dt` seconds on."""
        conductance = dt * self.inside_w_k
        kelvin = self.kelvin
        # Semi-implicit, so that a 10 s step of a light vessel cannot overshoot its wall.
        heat = conductance / (1.0 + conductance * (1.0 / (self.mass * self.cv) + 1.0 / self.wall_j_k))
        heat *= kelvin - self.wall_k
        gained = self.outside_w_k * dt * (ambient_k - self.wall_k)
        self.ambient_j += gained
        self.wall_k += (heat + gained) / self.wall_j_k
        self.energy += self.in_j - self.out_kg * self.enthalpy - heat
        self.mass = mass = self.mass + self.in_kg - self.out_kg
        self.in_kg = self.in_j = self.out_kg = 0.0
        self.density = density = mass / self.volume
        pressure, energy, self.cv = self.gas.state(density, kelvin)
        self.kelvin = corrected = kelvin + (self.energy / mass - energy) / self.cv
        # Z at the uncorrected temperature: the correction is hundredths of a kelvin, Z changes by 1e-3 a kelvin.
        self.pressure = pressure = pressure * corrected / kelvin
        self.enthalpy = self.energy / mass + pressure * 1e6 / density
