"""Pressure from density at fixed temperatures, cheap enough for a forecast's inner loop.

At one temperature Z(rho) is so smooth that a polynomial of degree 4 gives pressure within 0.001 MPa up to 60 MPa
(test_capacity); solving the equation of state for thousands of vessels at each step would cost a hundred
times more.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from station.domain import hydrogen

Float = npt.NDArray[np.float64]

DEGREE = 4
_SPECIFIC_GAS = hydrogen.GAS_CONSTANT_J_MOL_K / hydrogen.MOLAR_MASS_KG_MOL * 1e-6
"""MPa m3 / (kg K)."""

_COLDEST_K, _HOTTEST_K, _STEP_K = 210.0, 400.0, 5.0


@cache
def _table() -> Float:
    """Return the coefficients of p = rho (c0 + c1 rho + ..), one row a temperature of the grid."""
    pressures = np.linspace(0.25, 62.0, 120)
    rows = []
    for kelvin in np.arange(_COLDEST_K, _HOTTEST_K + _STEP_K / 2, _STEP_K):
        rho = hydrogen.density_kg_m3(pressures, kelvin)
        # Weighted by pressure: what counts is the error in MPa, not in Z.
        z_slope = (pressures / (rho * _SPECIFIC_GAS * kelvin) - 1.0) / rho
        z_less_one = np.polynomial.polynomial.polyfit(rho, z_slope, DEGREE - 1, w=rho * pressures)
        rows.append(_SPECIFIC_GAS * kelvin * np.concatenate(([1.0], z_less_one)))
    return np.array(rows)


def coefficients(temperature_k: float | Float) -> Float:
    """Return the coefficients c of p = rho (c[0] + c[1] rho + ..) at temperatures; they stand on the first axis.

    Args:
        temperature_k: A temperature or an array of them [K]; clipped to 210..400 K, the range of any gas on a station.

    Returns:
        Array [DEGREE + 1, ...] in MPa and kg/m3.
    """
    table = _table()
    place = np.clip((np.asarray(temperature_k, dtype=np.float64) - _COLDEST_K) / _STEP_K, 0.0, len(table) - 1.001)
    row = place.astype(np.intp)
    part = (place - row)[..., np.newaxis]
    mixed: Float = table[row] * (1.0 - part) + table[row + 1] * part
    return np.asarray(np.moveaxis(mixed, -1, 0))


def pressure_mpa(density_kg_m3: Float, c: Float) -> Float:
    """Return pressures [MPa] by Horner's rule; `c` comes from `coefficients` and broadcasts against the densities."""
    p: Float = c[DEGREE] * density_kg_m3
    for power in range(DEGREE - 1, -1, -1):
        p += c[power]
        p *= density_kg_m3
    return p


def density(pressure_mpa: float, temperature_c: float) -> float:
    """Return the density [kg/m3] at a pressure [MPa] and a temperature [degC]; 0 for a pressure of 0 or less."""
    return hydrogen.density(pressure_mpa, temperature_c + hydrogen.KELVIN) if pressure_mpa > 0.0 else 0.0
