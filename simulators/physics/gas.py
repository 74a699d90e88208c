"""Gas properties for a loop in plain floats: even grids made once from the equation and the tables.

One look-up gives pressure, internal energy and cv of a state (density, temperature) in about 1 us. Bilinear
interpolation on this grid errs by less than 2e-5 of the pressure and 5 mK of the energy, against the equation itself;
docs/physics.md states the errors against CoolProp. Throttling, compression and choked flow are worked out from the
tables, for arrays, outside the loop.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from station.domain import hydrogen
from station.domain.hydrogen import SPECIFIC_GAS_CONSTANT_J_KG_K, FloatLike, HydrogenTables

Float = npt.NDArray[np.float64]

_RHO_STEP, _RHO_MAX = 0.5, 54.0
_T_MIN, _T_STEP, _T_MAX = 182.5, 2.5, 480.0
_P_STEP, _P_MAX = 0.5, 100.0
_TRANSPORT_RHO_STEP, _TRANSPORT_T_STEP = 2.0, 10.0
"""Viscosity, conductivity and buoyancy are only correlations' inputs: a coarse grid errs by 0.1 % at most."""
_CHOKED_RHO = (0.5, 4.0, 10.0, 18.0, 28.0, 40.0, 54.0)
_CHOKED_T = tuple(range(220, 461, 40))
_GRAVITY_M_S2 = 9.80665
_R_MPA = SPECIFIC_GAS_CONSTANT_J_KG_K * 1e-6
_EDGE = 1e-9
_TABLE_K, _NEAR_K, _ROUNDS = (180.5, 619.5), 1e-7, 30
_GOLDEN = 0.6180339887498949


class Gas:
    """Look-ups of one gas for scalars; immutable, shared by every vessel of a process."""

    __slots__ = ("_choked", "_columns", "_enthalpy", "_states", "_transport", "_transport_columns", "tables")

    def __init__(self, tables: HydrogenTables) -> None:
        self.tables = tables
        rho = np.arange(0.0, _RHO_MAX + _RHO_STEP / 2, _RHO_STEP)
        kelvin = np.arange(_T_MIN, _T_MAX + _T_STEP / 2, _T_STEP)
        self._columns = len(kelvin)
        grid_rho, grid_t = np.meshgrid(rho, kelvin, indexing="ij")
        z = np.ones_like(grid_rho)
        z[1:] = hydrogen.pressure_mpa(grid_rho[1:], grid_t[1:]) / (_R_MPA * grid_rho[1:] * grid_t[1:])
        energy = tables.lookup("internal_energy_j_kg", grid_rho, grid_t)
        cv = tables.lookup("cv_j_kg_k", grid_rho, grid_t)
        self._states = list(zip(z.ravel().tolist(), energy.ravel().tolist(), cv.ravel().tolist(), strict=True))
        pressure = np.arange(0.0, _P_MAX + _P_STEP / 2, _P_STEP)
        grid_p, grid_t = np.meshgrid(pressure, kelvin, indexing="ij")
        # The tables end at 64 kg/m3, which no vessel reaches: colder than 190 K that is below 100 MPa.
        dense = np.minimum(hydrogen.density_kg_m3(grid_p, grid_t), float(tables.density_kg_m3[-1]))
        self._enthalpy: list[float] = tables.lookup("enthalpy_j_kg", dense, grid_t).ravel().tolist()
        self._transport, self._transport_columns = _transport_grid(tables)
        self._choked: list[list[float]] | None = None

    def state(self, density: float, kelvin: float) -> tuple[float, float, float]:
        """Return pressure [MPa], internal energy [J/kg] and cv [J/(kg K)]; states outside the grid read its edge."""
        x = min(max(density, 0.0), _RHO_MAX - _EDGE) / _RHO_STEP
        y = (min(max(kelvin, _T_MIN), _T_MAX - _EDGE) - _T_MIN) / _T_STEP
        i, j = int(x), int(y)
        x -= i
        y -= j
        states, corner = self._states, i * self._columns + j
        z00, u00, c00 = states[corner]
        z01, u01, c01 = states[corner + 1]
        corner += self._columns
        z10, u10, c10 = states[corner]
        z11, u11, c11 = states[corner + 1]
        w11 = x * y
        w10 = x - w11
        w01 = y - w11
        w00 = 1.0 - x - w01
        return (
            (z00 * w00 + z01 * w01 + z10 * w10 + z11 * w11) * _R_MPA * density * kelvin,
            u00 * w00 + u01 * w01 + u10 * w10 + u11 * w11,
            c00 * w00 + c01 * w01 + c10 * w10 + c11 * w11,
        )

    def enthalpy(self, pressure_mpa: float, kelvin: float) -> float:
        """Return the specific enthalpy [J/kg] at a pressure [MPa] and temperature [K], on the tables' zero."""
        x = min(max(pressure_mpa, 0.0), _P_MAX - _EDGE) / _P_STEP
        y = (min(max(kelvin, _T_MIN), _T_MAX - _EDGE) - _T_MIN) / _T_STEP
        i, j = int(x), int(y)
        x -= i
        y -= j
        table, corner = self._enthalpy, i * self._columns + j
        low = table[corner] + (table[corner + 1] - table[corner]) * y
        corner += self._columns
        return low + (table[corner] + (table[corner + 1] - table[corner]) * y - low) * x

    def transport(self, density: float, kelvin: float) -> tuple[float, float, float]:
        """Return what heat transfer needs of a state.

        Args:
            density: [kg/m3].
            kelvin: [K].

        Returns:
            Conductivity [W/(m K)], viscosity [Pa s] and the root of the Rayleigh number per kelvin and cubic metre.
        """
        x = min(max(density, 0.0), _RHO_MAX - _EDGE) / _TRANSPORT_RHO_STEP
        y = (min(max(kelvin, _T_MIN), _T_MAX - _EDGE) - _T_MIN) / _TRANSPORT_T_STEP
        i, j = int(x), int(y)
        x -= i
        y -= j
        grid, corner = self._transport, i * self._transport_columns + j
        k00, m00, r00 = grid[corner]
        k01, m01, r01 = grid[corner + 1]
        corner += self._transport_columns
        k10, m10, r10 = grid[corner]
        k11, m11, r11 = grid[corner + 1]
        w11 = x * y
        w10 = x - w11
        w01 = y - w11
        w00 = 1.0 - x - w01
        return (
            k00 * w00 + k01 * w01 + k10 * w10 + k11 * w11,
            m00 * w00 + m01 * w01 + m10 * w10 + m11 * w11,
            r00 * w00 + r01 * w01 + r10 * w10 + r11 * w11,
        )

    def choked_flux(self, density: float, pressure_mpa: float, kelvin: float) -> float:
        """Return the mass flux of critical flow out of a state at rest [kg/(m2 s)], to 0.2 %.

        The flux over the root of pressure times density hardly varies, so a small grid of it serves. Multiply by hole
        area and discharge coefficient; it holds where the pressure behind the hole is below about half.
        """
        if self._choked is None:
            self._choked = _choked_grid(self.tables)
        i = min(max(bisect.bisect_right(_CHOKED_RHO, density) - 1, 0), len(_CHOKED_RHO) - 2)
        x = min(max((density - _CHOKED_RHO[i]) / (_CHOKED_RHO[i + 1] - _CHOKED_RHO[i]), 0.0), 1.0)
        y = min(max((kelvin - _CHOKED_T[0]) / (_CHOKED_T[1] - _CHOKED_T[0]), 0.0), len(_CHOKED_T) - 1 - _EDGE)
        j = int(y)
        y -= j
        near, far = self._choked[i], self._choked[i + 1]
        low = near[j] + (near[j + 1] - near[j]) * y
        high = far[j] + (far[j + 1] - far[j]) * y
        return (low + (high - low) * x) * math.sqrt(max(0.0, density * pressure_mpa) * 1e6)


def _transport_grid(tables: HydrogenTables) -> tuple[list[tuple[float, float, float]], int]:
    """Return (conductivity, viscosity, root of the Rayleigh number per K m3) on a coarse grid, and its columns."""
    rho = np.arange(0.0, _RHO_MAX + _TRANSPORT_RHO_STEP / 2, _TRANSPORT_RHO_STEP)
    kelvin = np.arange(_T_MIN, _T_MAX + _TRANSPORT_T_STEP, _TRANSPORT_T_STEP)
    grid_rho, grid_t = np.meshgrid(rho, kelvin, indexing="ij")
    conductivity = tables.lookup("conductivity_w_m_k", grid_rho, grid_t)
    viscosity = tables.lookup("viscosity_pa_s", grid_rho, grid_t)
    dp_dt = tables.lookup("dp_dt_mpa_k", grid_rho, grid_t) * 1e6
    few = np.maximum(grid_rho, 1e-3)
    dp_dt = np.where(grid_rho > 0.0, dp_dt, _R_MPA * 1e6 * few)
    dp_drho = (hydrogen.pressure_mpa(few * 1.001, grid_t) - hydrogen.pressure_mpa(few, grid_t)) * 1e6 / (few * 1e-3)
    expansion = dp_dt / (few * dp_drho)
    cp = tables.lookup("cv_j_kg_k", grid_rho, grid_t) + grid_t * dp_dt**2 / (few**2 * dp_drho)
    root = grid_rho * np.sqrt(_GRAVITY_M_S2 * expansion * cp / (viscosity * conductivity))
    rows = zip(conductivity.ravel().tolist(), viscosity.ravel().tolist(), root.ravel().tolist(), strict=True)
    return list(rows), len(kelvin)


def _choked_grid(tables: HydrogenTables) -> list[list[float]]:
    """Return critical flux over the root of pressure times density [-] at the grid's densities and temperatures."""
    rho, kelvin = np.meshgrid(np.array(_CHOKED_RHO), np.array(_CHOKED_T, dtype=np.float64), indexing="ij")
    pressure = hydrogen.pressure_mpa(rho, kelvin)
    flux, _ = choked_flow(tables, pressure, kelvin)
    share: list[list[float]] = (flux / np.sqrt(pressure * 1e6 * rho)).tolist()
    return share


@functools.lru_cache(maxsize=4)
def gas_of(tables: HydrogenTables) -> Gas:
    """Return the look-ups of some tables, made once a process (about 0.2 s)."""
    return Gas(tables)


def compress(
    tables: HydrogenTables, inlet_mpa: Float, inlet_k: Float, outlet_mpa: Float, efficiency: float
) -> tuple[Float, Float]:
    """Return the outlet temperature and the work of one adiabatic compression stage.

    Args:
        tables: Gas tables.
        inlet_mpa: Inlet pressure [MPa].
        inlet_k: Inlet temperature [K].
        outlet_mpa: Outlet pressure [MPa].
        efficiency: Isentropic efficiency of the gas path (0..1].

    Returns:
        Outlet temperature [K] and isentropic work [J/kg] (that is, before division by an efficiency).
    """
    entropy = tables.entropy_j_kg_k(inlet_mpa, inlet_k)
    enthalpy = tables.enthalpy_j_kg(inlet_mpa, inlet_k)
    ideal_k = _solve_temperature(lambda t: tables.entropy_j_kg_k(outlet_mpa, t) - entropy, np.shape(entropy))
    work = tables.enthalpy_j_kg(outlet_mpa, ideal_k) - enthalpy
    goal = enthalpy + work / efficiency
    return _solve_temperature(lambda t: tables.enthalpy_j_kg(outlet_mpa, t) - goal, np.shape(entropy)), work


def throttle(tables: HydrogenTables, inlet_mpa: FloatLike, inlet_k: FloatLike, outlet_mpa: FloatLike) -> Float:
    """Return the temperature behind a throttle: enthalpy stays, so hydrogen warms.

    Args:
        tables: Gas tables.
        inlet_mpa: Pressure before the throttle [MPa].
        inlet_k: Temperature before it [K].
        outlet_mpa: Pressure behind it [MPa].

    Returns:
        Outlet temperature [K].

    Raises:
        OutOfRangeError: Outside the tables.
    """
    goal = tables.enthalpy_j_kg(inlet_mpa, inlet_k)
    outlet = np.asarray(outlet_mpa, dtype=np.float64)
    shape = np.broadcast_shapes(np.shape(goal), outlet.shape)
    return _solve_temperature(lambda t: tables.enthalpy_j_kg(outlet, t) - goal, shape)


def choked_flow(tables: HydrogenTables, inlet_mpa: FloatLike, inlet_k: FloatLike) -> tuple[Float, Float]:
    """Return the greatest mass flux of a real gas out of a vessel at rest.

    Args:
        tables: Gas tables.
        inlet_mpa: Pressure in the vessel [MPa].
        inlet_k: Temperature in the vessel [K].

    Returns:
        Critical mass flux [kg/(m2 s)] and critical pressure ratio [-]: the maximum of density times velocity along the
        isentrope.

    Raises:
        OutOfRangeError: Outside the tables.
    """
    pressure, kelvin = np.broadcast_arrays(np.asarray(inlet_mpa, np.float64), np.asarray(inlet_k, np.float64))
    low, high = np.full(pressure.shape, 0.40), np.full(pressure.shape, 0.62)
    for _ in range(9):  # the maximum is flat: 3e-3 of the ratio is 1e-5 of the flux
        width = (high - low) * _GOLDEN
        rising = nozzle_flux(tables, pressure, kelvin, high - width) < nozzle_flux(
            tables, pressure, kelvin, low + width
        )
        low, high = np.where(rising, high - width, low), np.where(rising, high, low + width)
    ratio = np.asarray(0.5 * (low + high))
    return nozzle_flux(tables, pressure, kelvin, ratio), ratio


def nozzle_flux(tables: HydrogenTables, inlet_mpa: FloatLike, inlet_k: FloatLike, ratio: FloatLike) -> Float:
    """Return the mass flux [kg/(m2 s)] of an isentropic nozzle.

    Args:
        tables: Gas tables.
        inlet_mpa: Pressure at rest [MPa].
        inlet_k: Temperature at rest [K].
        ratio: Pressure in the throat over the pressure at rest, not below the critical one.

    Raises:
        OutOfRangeError: Outside the tables.
    """
    inlet = np.asarray(inlet_mpa, dtype=np.float64)
    entropy, enthalpy = tables.entropy_j_kg_k(inlet, inlet_k), tables.enthalpy_j_kg(inlet, inlet_k)
    throat = inlet * np.asarray(ratio, dtype=np.float64)
    shape = np.broadcast_shapes(throat.shape, np.shape(entropy))
    kelvin = _solve_temperature(lambda t: tables.entropy_j_kg_k(throat, t) - entropy, shape)
    fall = np.maximum(0.0, enthalpy - tables.enthalpy_j_kg(throat, kelvin))
    return np.asarray(hydrogen.density_kg_m3(throat, kelvin) * np.sqrt(2.0 * fall))


def _solve_temperature(excess: Callable[[Float], Float], shape: tuple[int, ...]) -> Float:
    """Return the temperature [K] at which a smooth rising function is zero, by secants to 1e-7 K within the tables."""
    before, now = np.full(shape, 320.0), np.full(shape, 300.0)
    old = excess(before)
    for _ in range(_ROUNDS):
        value = excess(now)
        rise = np.where(value == old, 1.0, value - old)
        ahead = np.clip(now - np.where(value == old, 0.0, value * (now - before) / rise), *_TABLE_K)
        before, old, now = now, value, ahead
        if np.all(np.abs(now - before) < _NEAR_K):
            break
    return np.asarray(now)
