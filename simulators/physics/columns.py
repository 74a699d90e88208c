"""From the plant's state to the columns of a truth block.

The stepping loop records one list a step (`state_row`); everything that follows from time and those columns alone
(weather, utilities, gas detectors, heartbeats) is worked out for a whole block at once.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simulators.physics import compression, dispensing
from simulators.physics.cooling import Cooling
from simulators.physics.supply import ABSENT, DOCKED, EARTHED, SupplyYard, filter_kpa
from simulators.physics.weather import cooling_water_c
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import Plant, Signal

if TYPE_CHECKING:
    from simulators.physics.station import StationPhysics

Float = npt.NDArray[np.float64]
Role = tuple[str, str, str]
"""(area, unit, role)."""

NAN = math.nan
_LEL_PER_KG_S = 2500.0
"""In the open, some metres downwind: 1 g/s of hydrogen reads 2.5 %LEL."""
_HOUR_S, _DAY_S = 3600.0, 86_400.0

BAY_ROLES = ("pressure", "temperature", "hose_pressure", "flow", "valve_open", "state")
TRAIN_ROLES = (
    "suction_pressure",
    "interstage_pressure",
    "discharge_pressure",
    "stage1_temperature",
    "stage2_temperature",
    "aftercooler_temperature",
    "oil_temperature",
    "flow",
    "power",
    "state",
)
BANK_ROLES = ("pressure_a", "pressure_b", "temperature", "inlet_open", "outlet_open", "relief_lifted")
CHILLER_ROLES = (
    "supply_temperature",
    "return_temperature",
    "brine_flow",
    "suction_pressure",
    "discharge_pressure",
    "power",
    "state",
)
HOSE_ROLES = ("pressure", "delivery_temperature", "flow", "total", "ramp_output", "state")
VEHICLE_ROLES = ("pressure", "temperature", "tank_volume", "command", "soc")
EXTRA = ("ambient_c", "site_kw", "brine_c", "esd_level", "esd_button", "heat_kw")
"""What the row carries behind the signals, for the block's own sums; then the leak of each bank [kg/s]."""


def row_roles(plant: Plant) -> list[Role]:
    """Return what stands where in a row of `state_row`, without the extras at its end."""
    roles: list[Role] = []
    for unit in plant.supply.bays:
        roles += [("trailer", unit, role) for role in BAY_ROLES]
    roles += [("trailer", "weighbridge", "mass")]
    roles += [("trailer", "header-lp", role) for role in ("pressure", "temperature", "filter_differential")]
    for train in plant.trains:
        roles += [("compression", train.unit, role) for role in TRAIN_ROLES]
    for bank in plant.banks:
        roles += [("storage", bank.unit, role) for role in BANK_ROLES]
    roles += [("storage", "header-hp", "pressure"), ("storage", "header-hp", "temperature")]
    for chiller in plant.chillers:
        roles += [("cooling", chiller.unit, role) for role in CHILLER_ROLES]
    for hose in plant.hoses:
        roles += [("dispensing", hose.unit, role) for role in HOSE_ROLES]
        roles += [("vehicle", hose.unit, role) for role in VEHICLE_ROLES]
    roles += [("utilities", "power", role) for role in ("power", "energy", "transformer_temperature")]
    return roles


_NO_VEHICLE = (NAN, NAN, NAN, NAN, NAN)
_LEFT_VEHICLE = (NAN, NAN, NAN, float(dispensing.NO_COMMAND), NAN)


def state_row(station: StationPhysics) -> list[float]:
    """Return the plant's state in the order of `row_roles`, then `EXTRA` and the leaks."""
    row: list[float] = []
    _add_supply(row, station.supply)
    for train in station.compression.trains:
        row += (
            train.suction_mpa,
            train.interstage,
            train.discharge_mpa,
            train.stage1_c,
            train.stage2_c,
            train.aftercooler_c,
            train.oil_c,
            train.flow_kg_s * _HOUR_S,
            train.power_kw,
            train.state,
        )
    cascade = station.cascade
    for bank in cascade.banks:
        pressure = bank.vessel.pressure
        row += (pressure, pressure, bank.vessel.kelvin - KELVIN, bank.charged, bank.drawn, 0.0)
    row += (cascade.header_mpa, cascade.header_k - KELVIN)
    _add_cooling(row, station.cooling)
    for hose in station.dispensing.hoses:
        _add_hose(row, hose)
    row += (station.site_kw, station.energy_kwh, station.transformer_c)
    row += (station.ambient_c, station.site_kw, station.cooling.brine_c)
    row += (station.esd_level, station.esd_button, station.heat_kw)
    row += [bank.leak_kg_s for bank in cascade.banks]
    return row


def _add_supply(row: list[float], supply: SupplyYard) -> None:
    for bay in supply.bays:
        trailer = bay.trailer
        if trailer is None:
            row += (NAN, NAN, NAN, NAN, 0.0, bay.state)
            continue
        vessel = trailer.vessel
        hose_mpa = 0.1 if bay.state in (ABSENT, DOCKED, EARTHED) else vessel.pressure
        row += (vessel.pressure, vessel.kelvin - KELVIN, hose_mpa, bay.flow_kg_h, bay.feeds, bay.state)
    source = supply.source
    lost_kpa = filter_kpa(source.flow_kg_h) if source is not None else 2.0
    row += (supply.weighbridge_kg, supply.header_mpa, supply.header_k - KELVIN, lost_kpa)


def _add_cooling(row: list[float], cooling: Cooling) -> None:
    for unit in cooling.units:
        row += (
            unit.supply_c,
            unit.return_c,
            unit.flow_m3_h,
            unit.suction_mpa,
            unit.discharge_mpa,
            unit.power_kw,
            unit.state,
        )


def _add_hose(row: list[float], hose: dispensing.HoseUnit) -> None:
    row += (hose.nozzle_mpa, hose.delivery_c, hose.flow_kg_s * 1000.0, hose.total_kg, hose.opening, hose.state)
    tank = hose.tank
    if tank is not None and dispensing.LEAK_CHECK <= hose.state <= dispensing.HOLD:
        soc = tank.density * (100.0 / H35_REFERENCE_KG_M3)
        row += (tank.pressure, tank.kelvin - KELVIN, tank.volume * 1000.0, hose.command, soc)
    else:
        row += _LEFT_VEHICLE if hose.closing else _NO_VEHICLE


class Columns:
    """Knows where every signal of a plant stands and how those outside the stepping loop move."""

    def __init__(self, plant: Plant, seed: int) -> None:
        self._width = len(plant.signals)
        self._place = {tag: number for number, tag in enumerate(plant.signals)}
        known = {(s.area, s.unit, s.role): self._place[s.tag] for s in plant.signals.values()}
        roles = row_roles(plant)
        self._from = np.array([i for i, role in enumerate(roles) if role in known], dtype=np.intp)
        self._to = np.array([known[role] for role in roles if role in known], dtype=np.intp)
        self._extra = len(roles)
        recorded = set(self._to.tolist())
        signals = [s for s in plant.signals.values() if self._place[s.tag] not in recorded]
        self._rest = np.array([self._place[s.tag] for s in signals], dtype=np.intp)
        self._wander = _Wander(signals, seed)
        self._rules = _Rules(plant, self._place)

    def block(self, t_ms: npt.NDArray[np.int64], rows: list[list[float]]) -> Float:
        """Return the values of all signals, one row a moment."""
        recorded = np.array(rows, dtype=np.float64)
        values = np.empty((len(rows), self._width))
        values[:, self._to] = recorded[:, self._from]
        seconds = t_ms / 1000.0
        values[:, self._rest] = self._wander.at(seconds)
        extra = {name: recorded[:, self._extra + i] for i, name in enumerate(EXTRA)}
        self._rules.apply(values, seconds, extra)
        self._rules.leaks(values, recorded[:, self._extra + len(EXTRA) :])
        return values


_BACKGROUND: dict[str, tuple[float, float]] = {
    "gas": (0.5, 0.3),
    "oil_pressure": (0.45, 0.015),
    "vibration": (2.6, 0.4),
    "leak_pressure": (0.012, 0.006),
    "level": (76.0, 1.0),
    "purge_differential": (96.0, 7.0),
    "cabinet_temperature": (5.0, 1.0),
    "heartbeat_age": (1.6, 1.2),
    "clock_offset": (0.0, 9.0),
    "voltage": (404.0, 2.0),
    "frequency": (50.0, 0.025),
    "ups_charge": (99.4, 0.3),
    "return_temperature": (0.0, 0.2),
    "air_pressure": (0.70, 0.03),
    "air_dew_point": (-53.0, 2.0),
    "humidity": (0.0, 9.0),
    "wind_speed": (2.6, 1.6),
    "wind_direction": (180.0, 120.0),
    "barometric_pressure": (100.9, 0.35),
    "water": (1.2, 0.4),
    "carbon_monoxide": (0.03, 0.015),
    "oxygen": (0.8, 0.3),
    "nitrogen_argon": (90.0, 25.0),
    "methane": (6.0, 2.5),
}
"""Mean and swing of what no equipment moves, by role; digital inputs not named here are 0."""
_BY_UNIT: dict[tuple[str, str], tuple[float, float]] = {
    ("cooling-water", "pressure"): (0.33, 0.008),
    ("cooling-water", "flow"): (50.0, 0.8),
    ("cooling-water", "supply_temperature"): (0.0, 0.2),
}


def _background(signal: Signal) -> tuple[float, float]:
    """Return mean and swing of a signal that the stepping loop does not record."""
    found = _BY_UNIT.get((signal.unit, signal.role)) or _BACKGROUND.get(signal.role)
    if found is not None:
        return found
    # Digital: nothing is the matter. Anything else of another station: the middle of what its file calls normal.
    return (0.0, 0.0) if signal.kind.is_discrete else ((signal.normal_lo + signal.normal_hi) / 2.0, 0.0)


class _Wander:
    """Slow wandering of each signal about its mean: two waves of incommensurate periods with phases from the tag."""

    _PERIODS_S = (1700.0, 11_300.0)

    def __init__(self, signals: list[Signal], seed: int) -> None:
        pairs = [_background(signal) for signal in signals]
        self._mean = np.array([mean for mean, _ in pairs])
        self._moving = np.array([i for i, (_, swing) in enumerate(pairs) if swing], dtype=np.intp)
        self._swing = np.array([swing for _, swing in pairs if swing])
        tags = [signals[i].tag for i in self._moving]
        hashes = np.array([[zlib.crc32(f"{seed}/{tag}/{k}".encode()) for k in range(3)] for tag in tags]).reshape(-1, 3)
        fraction = hashes / 2.0**32
        self._phase = fraction[:, :2] * 2.0 * math.pi
        # Periods differ by up to 30 % between signals, so that nothing moves in step.
        self._rate = np.stack(
            [2.0 * math.pi / (period * (0.85 + 0.3 * fraction[:, 2])) for period in self._PERIODS_S], axis=-1
        )

    def at(self, seconds: Float) -> Float:
        """Return one row a moment, one column a signal."""
        values = np.tile(self._mean, (len(seconds), 1))
        if len(self._moving):
            # Within a day's span the phase keeps 1e-9 of a turn; epoch seconds in full would lose nothing that matters.
            wave = 0.6 * np.sin(seconds[:, None] * self._rate[:, 0] + self._phase[:, 0])
            wave += 0.4 * np.sin(seconds[:, None] * self._rate[:, 1] + self._phase[:, 1])
            values[:, self._moving] += wave * self._swing
        return values


class _Rules:
    """What follows from recorded columns: sums over a whole block."""

    def __init__(self, plant: Plant, place: dict[str, int]) -> None:
        self._place = place
        roles: dict[tuple[str, str], list[int]] = {}
        for signal in plant.signals.values():
            roles.setdefault((signal.area, signal.role), []).append(place[signal.tag])
        self._roles = roles
        self._unit = {(s.unit, s.role): place[s.tag] for s in plant.signals.values()}
        self._trains = [train.unit for train in plant.trains]
        gas = [signal for signal in plant.signals.values() if signal.role == "gas"]
        self._smell = [[place[s.tag] for s in gas if bank.unit in s.watches] for bank in plant.banks]

    def apply(self, values: Float, seconds: Float, extra: dict[str, Float]) -> None:
        """Write the columns of a block in place."""
        self._trains_and_fans(values)
        self._site(values, seconds, extra)
        self._weather(values, extra["ambient_c"])
        for column in self._roles.get(("dispensing", "cabinet_temperature"), ()):
            values[:, column] += extra["ambient_c"]
        for column in self._roles.get(("fire_gas", "esd_level"), ()):
            values[:, column] = extra["esd_level"]
        for number, column in enumerate(self._roles.get(("fire_gas", "esd_button"), ()), 1):
            values[:, column] = extra["esd_button"] == number

    def leaks(self, values: Float, leak_kg_s: Float) -> None:
        """Add what the gas detectors smell of leaking banks; one column of [kg/s] a bank."""
        if leak_kg_s.any():
            for bank, columns in enumerate(self._smell):
                values[:, columns] += _LEL_PER_KG_S * leak_kg_s[:, [bank]]

    def _trains_and_fans(self, values: Float) -> None:
        fans = self._roles.get(("fire_gas", "fan"), [])
        for number, unit in enumerate(self._trains):
            state = values[:, self._unit[(unit, "state")]]
            turning = (state >= compression.START) & (state <= compression.UNLOADED)
            if (column := self._unit.get((unit, "oil_pressure"))) is not None:
                values[:, column] = np.where(turning, values[:, column], 0.11)
            if (column := self._unit.get((unit, "vibration"))) is not None:
                values[:, column] = np.where(turning, values[:, column], 0.2)
            if number < len(fans):
                values[:, fans[number]] = turning

    def _site(self, values: Float, seconds: Float, extra: dict[str, Float]) -> None:
        def put(unit: str, role: str, change: Callable[[Float], Float]) -> None:
            column = self._unit.get((unit, role))
            if column is not None:
                values[:, column] = change(values[:, column])

        ambient = extra["ambient_c"]
        water = cooling_water_c_of(ambient)
        # 50 m3/h of water carry 58 kW a kelvin.
        put("cooling-water", "supply_temperature", lambda x: x + water)
        put("cooling-water", "return_temperature", lambda x: x + water + 0.8 + extra["heat_kw"] / 58.0)
        put("power", "voltage", lambda x: x - extra["site_kw"] / 120.0)
        # The bottle rack is changed every two weeks.
        put("gas-services", "nitrogen_pressure", lambda x: 14.0 - 9.0 * np.mod(seconds / (14 * _DAY_S), 1.0) + 0.0 * x)
        # The level follows the brine's volume: 0.05 % a kelvin of 8 m3, in a narrow tank.
        put("brine-tank", "level", lambda x: x + 0.3 * (extra["brine_c"] + 24.0))
        put("vent", "temperature", lambda x: 0.0 * x + ambient + 1.0)

    def _weather(self, values: Float, ambient: Float) -> None:
        def put(role: str, change: Callable[[Float], Float]) -> None:
            for column in self._roles.get(("utilities", role), ()):
                values[:, column] = change(values[:, column])

        put("ambient_temperature", lambda _: ambient)
        put("humidity", lambda x: np.clip(104.0 - 1.9 * ambient + x, 18.0, 99.0))
        put("wind_speed", lambda x: np.maximum(x, 0.2))
        put("barometric_pressure", lambda x: x - 0.035 * (ambient - 15.0))
        put("rain_rate", lambda x: 0.0 * x)


def cooling_water_c_of(ambient_c: Float) -> Float:
    """Return the supply temperature of the cooling water [degC] for an array of ambient temperatures [degC]."""
    return np.clip(20.0 + 0.45 * (ambient_c - 18.0), cooling_water_c(-50.0), cooling_water_c(60.0))
