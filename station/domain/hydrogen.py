"""Real-gas hydrogen: density, compressibility, stored mass and tabulated energy properties.

The one home of gas properties. Density comes from the virial-like equation of Lemmon, Huber and Leachman (2008), which
needs no table; energy properties come from `HydrogenTables`, which are passed in, since reading a file is an adapter's
work. Each density function has one vectorised form (numpy arrays or scalars) and one quick form for plain floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station.errors import OutOfRangeError

MOLAR_MASS_KG_MOL = 2.01588e-3
GAS_CONSTANT_J_MOL_K = 8.314472
"""The value the equation was fitted with, not today's CODATA value."""

H35_REFERENCE_KG_M3 = 24.0
"""Density of a full 35 MPa tank (35 MPa, 15 degC): SOC 1."""

KELVIN = 273.15

# rho = p M / (Z R T), with p in MPa: kg K / (m3 MPa) of an ideal gas.
_IDEAL = 1e6 * MOLAR_MASS_KG_MOL / GAS_CONSTANT_J_MOL_K

_A = (
    0.05888460,
    -0.06136111,
    -0.002650473,
    0.002731125,
    0.001802374,
    -0.001150707,
    0.9588528e-4,
    -0.1109040e-6,
    0.1264403e-9,
)
_B = (1.325, 1.87, 2.5, 2.8, 2.938, 3.14, 3.37, 3.75, 4.0)
_C = (1.0, 1.0, 2.0, 2.0, 2.42, 2.63, 3.0, 4.0, 5.0)

MIN_TEMPERATURE_K, MAX_TEMPERATURE_K = 150.0, 1000.0
MAX_PRESSURE_MPA = 200.0
"""Range of the equation as published (Lemmon, Huber, Leachman 2008); below 0 MPa there is no gas."""

Float = npt.NDArray[np.float64]
FloatLike = float | Float


def _check(pressure_mpa: FloatLike, temperature_k: FloatLike) -> None:
    if not (np.all(np.greater_equal(pressure_mpa, 0.0)) and np.all(np.less_equal(pressure_mpa, MAX_PRESSURE_MPA))):
        raise OutOfRangeError(f"pressure {pressure_mpa!r} MPa: must be 0..{MAX_PRESSURE_MPA:g} MPa absolute")
    if not (
        np.all(np.greater_equal(temperature_k, MIN_TEMPERATURE_K))
        and np.all(np.less_equal(temperature_k, MAX_TEMPERATURE_K))
    ):
        raise OutOfRangeError(
            f"temperature {temperature_k!r} K: must be {MIN_TEMPERATURE_K:g}..{MAX_TEMPERATURE_K:g} K"
        )


def compressibility(pressure_mpa: FloatLike, temperature_k: FloatLike) -> Float:
    """Return the compressibility factor Z of hydrogen.

    Args:
        pressure_mpa: Absolute pressure [MPa], 0..200; a float or an array.
        temperature_k: Temperature [K], 150..1000; a float or an array, broadcast against the pressure.

    Returns:
        Z [-], an array (of no dimension where both arguments are floats).

    Raises:
        OutOfRangeError: An argument is outside its range or not a number.

    Source: Lemmon, Huber, Leachman, J. Res. NIST 113 (2008) 341, eq. 1. Checked against its printed check values to
    all digits, against CoolProp within 0.02 % over -50..125 degC and 0.1..90 MPa.
    """
    _check(pressure_mpa, temperature_k)
    pressure = np.asarray(pressure_mpa, dtype=np.float64)
    x = 100.0 / np.asarray(temperature_k, dtype=np.float64)
    z = np.ones(np.broadcast_shapes(pressure.shape, x.shape))
    for a, b, c in zip(_A, _B, _C, strict=True):
        z = z + a * x**b * pressure**c
    return np.asarray(z)


def density_kg_m3(pressure_mpa: FloatLike, temperature_k: FloatLike) -> Float:
    """Return the density of hydrogen.

    Args:
        pressure_mpa: Absolute pressure [MPa], 0..200; a float or an array.
        temperature_k: Temperature [K], 150..1000; a float or an array.

    Returns:
        Density [kg/m3], an array (of no dimension where both arguments are floats).

    Raises:
        OutOfRangeError: An argument is outside its range or not a number.
    """
    z = compressibility(pressure_mpa, temperature_k)
    return np.asarray(_IDEAL * np.asarray(pressure_mpa) / (z * np.asarray(temperature_k)))


def density(pressure_mpa: float, temperature_k: float) -> float:
    """Return the density [kg/m3] for two plain floats: the same equation, a few times quicker, unchecked.

    For stepping loops whose state is known to be inside the equation's range; `density_kg_m3` is the checked one.
    """
    p = pressure_mpa
    x = 100.0 / temperature_k
    p2 = p * p
    p3 = p2 * p
    z = (
        1.0
        + (_A[0] * x**1.325 + _A[1] * x**1.87) * p
        + (_A[2] * x**2.5 + _A[3] * x**2.8) * p2
        + _A[4] * x**2.938 * p**2.42
        + _A[5] * x**3.14 * p**2.63
        + _A[6] * x**3.37 * p3
        + _A[7] * x**3.75 * p3 * p
        + _A[8] * x**4 * p3 * p2
    )
    rho: float = _IDEAL * p / (z * temperature_k)
    return rho


def pressure(density_kg_m3: float, temperature_k: float) -> float:
    """Return the pressure [MPa] for two plain floats by Newton's method to 1e-10 relative; unchecked.

    Raises:
        OutOfRangeError: No pressure of the equation's range gives that density.
    """
    if density_kg_m3 <= 0.0:
        return 0.0
    ideal = density_kg_m3 * temperature_k / _IDEAL
    # Hydrogen is stiffer than an ideal gas here: Z is about 1 + 0.006 per MPa of ideal pressure at 293 K.
    p = ideal * (1.0 + ideal * 1.8 / temperature_k)
    for _ in range(50):
        rho = density(p, temperature_k)
        step = p * 1e-6
        slope = (density(p + step, temperature_k) - rho) / step
        change = (density_kg_m3 - rho) / slope
        p = max(0.1 * p, p + change)
        if abs(change) <= 1e-10 * p:
            return p
    raise OutOfRangeError(f"no pressure gives {density_kg_m3!r} kg/m3 at {temperature_k!r} K")


def pressure_mpa(density_kg_m3: FloatLike, temperature_k: FloatLike) -> Float:
    """Return the pressure at which hydrogen has a density: the inverse of the density function.

    Args:
        density_kg_m3: Density [kg/m3], 0 or more; a float or an array.
        temperature_k: Temperature [K], 150..1000; a float or an array.

    Returns:
        Absolute pressure [MPa], to 1e-9 relative; 0 where the density is 0.

    Raises:
        OutOfRangeError: The density is negative, not a number or above that of 200 MPa, or the temperature outside.
    """
    wanted, kelvin = np.broadcast_arrays(
        np.asarray(density_kg_m3, dtype=np.float64), np.asarray(temperature_k, dtype=np.float64)
    )
    _check(0.0, kelvin)
    most = density_kg_m3_unchecked(np.full(kelvin.shape, MAX_PRESSURE_MPA), kelvin)
    if not np.all((wanted >= 0.0) & (wanted <= most)):
        raise OutOfRangeError(f"density {density_kg_m3!r} kg/m3: must be 0..that of {MAX_PRESSURE_MPA:g} MPa")
    ideal = wanted * kelvin / _IDEAL
    p = np.clip(ideal * (1.0 + ideal * 1.8 / kelvin), 1e-12, MAX_PRESSURE_MPA)
    for _ in range(50):
        rho = density_kg_m3_unchecked(p, kelvin)
        step = p * 1e-6
        change = (wanted - rho) * step / (density_kg_m3_unchecked(p + step, kelvin) - rho)
        p = np.maximum(0.1 * p, p + change)
        if np.all(np.abs(change) <= 1e-10 * p + 1e-13):
            break
    return np.asarray(np.where(wanted > 0.0, p, 0.0))


def density_kg_m3_unchecked(pressure_mpa: Float, temperature_k: Float) -> Float:
    """Return the density [kg/m3] of arrays without the range check, for solvers that iterate within the range."""
    x = 100.0 / temperature_k
    z = np.ones_like(pressure_mpa)
    for a, b, c in zip(_A, _B, _C, strict=True):
        z = z + a * x**b * pressure_mpa**c
    return np.asarray(_IDEAL * pressure_mpa / (z * temperature_k))


def state_of_charge(pressure_mpa: FloatLike, temperature_k: FloatLike, reference: float = H35_REFERENCE_KG_M3) -> Float:
    """Return the state of charge of a tank: its density over the density of a full one.

    Args:
        pressure_mpa: Absolute tank pressure [MPa].
        temperature_k: Gas temperature in the tank [K].
        reference: Density that counts as full [kg/m3]: 24.0 for 35 MPa tanks, 40.2 for 70 MPa.

    Returns:
        State of charge [-], 1.0 = full.

    Raises:
        OutOfRangeError: As `density_kg_m3`.
    """
    return np.asarray(density_kg_m3(pressure_mpa, temperature_k) / reference)


PROPERTY_NAMES = (
    "internal_energy_j_kg",
    "enthalpy_j_kg",
    "entropy_at_unit_density_j_kg_k",
    "cv_j_kg_k",
    "dp_dt_mpa_k",
    "sound_speed_m_s",
    "viscosity_pa_s",
    "conductivity_w_m_k",
)
"""What `HydrogenTables` hold. Energies and entropy have an arbitrary zero: only differences mean anything.

Entropy goes to infinity with falling density; what is tabulated is entropy + R ln(density), which is smooth.
"""

SPECIFIC_GAS_CONSTANT_J_KG_K = GAS_CONSTANT_J_MOL_K / MOLAR_MASS_KG_MOL


@dataclass(frozen=True, eq=False)
class HydrogenTables:
    """Energy and transport properties of normal hydrogen on an even grid of density and temperature.

    Attributes:
        density_kg_m3: Axis 0, evenly spaced, starting at 0 (the ideal gas).
        temperature_k: Axis 1, evenly spaced.
        properties: One array [density, temperature] for each of `PROPERTY_NAMES`.
    """

    density_kg_m3: Float
    temperature_k: Float
    properties: Mapping[str, Float]

    def lookup(self, name: str, density_kg_m3: FloatLike, temperature_k: FloatLike) -> Float:
        """Return a property by cubic interpolation in density and temperature.

        Args:
            name: One of `PROPERTY_NAMES`.
            density_kg_m3: Density [kg/m3].
            temperature_k: Temperature [K].

        Returns:
            The property in the unit of its name.

        Raises:
            OutOfRangeError: Outside the table's axes.
        """
        rho, kelvin = np.broadcast_arrays(
            np.asarray(density_kg_m3, dtype=np.float64), np.asarray(temperature_k, dtype=np.float64)
        )
        row, row_weights = _cubic_weights(self.density_kg_m3, rho, "density [kg/m3]")
        column, column_weights = _cubic_weights(self.temperature_k, kelvin, "temperature [K]")
        table = self.properties[name]
        value = np.zeros(rho.shape)
        for i in range(4):
            for j in range(4):
                value = value + row_weights[i] * column_weights[j] * table[row + i, column + j]
        return np.asarray(value)

    def enthalpy_j_kg(self, pressure_mpa: FloatLike, temperature_k: FloatLike) -> Float:
        """Return the specific enthalpy [J/kg] (arbitrary zero) at a pressure [MPa] and temperature [K].

        Raises:
            OutOfRangeError: Outside the equation's range or the table's axes.
        """
        return self.lookup("enthalpy_j_kg", density_kg_m3(pressure_mpa, temperature_k), temperature_k)

    def entropy_j_kg_k(self, pressure_mpa: FloatLike, temperature_k: FloatLike) -> Float:
        """Return the specific entropy [J/(kg K)] (arbitrary zero) at a pressure [MPa] and temperature [K].

        Raises:
            OutOfRangeError: Outside the equation's range or the table's axes.
        """
        density = density_kg_m3(pressure_mpa, temperature_k)
        at_unit_density = self.lookup("entropy_at_unit_density_j_kg_k", density, temperature_k)
        return np.asarray(at_unit_density - SPECIFIC_GAS_CONSTANT_J_KG_K * np.log(density))


def _cubic_weights(axis: Float, value: Float, what: str) -> tuple[npt.NDArray[np.intp], list[Float]]:
    """Return the first of four grid points around each value and their Lagrange weights."""
    if not np.all((value >= axis[0]) & (value <= axis[-1])):
        raise OutOfRangeError(f"{what} {value!r}: the table covers {axis[0]:g}..{axis[-1]:g}")
    place = (value - axis[0]) / (axis[1] - axis[0])
    first = np.clip(np.floor(place).astype(np.intp) - 1, 0, len(axis) - 4)
    x = place - first
    weights = [
        -(x - 1) * (x - 2) * (x - 3) / 6,
        x * (x - 2) * (x - 3) / 2,
        -x * (x - 1) * (x - 3) / 2,
        x * (x - 1) * (x - 2) / 6,
    ]
    return first, weights
