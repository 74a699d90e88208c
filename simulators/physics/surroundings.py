"""What no equipment of the stepping loop moves: gas detectors, weather, utilities, quality, heartbeats.

All of it follows from time and from what the loop recorded, so that a whole block is worked out at once.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from simulators.physics import compression
from simulators.physics.roles import Float
from simulators.physics.weather import cooling_water_c
from station.domain.plant import Plant, Signal

Hidden = Mapping[tuple[str, str], Float]
"""(unit, role) -> one number a moment."""

_LEL_PER_KG_S = 2500.0
"""In the open, some metres downwind: 1 g/s of hydrogen reads 2.5 %LEL."""
_DAY_S = 86_400.0

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


class Wander:
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


class Surroundings:
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
        self._smell = {b.unit: [place[s.tag] for s in gas if b.unit in s.watches] for b in plant.banks}

    def apply(self, values: Float, seconds: Float, hidden: Hidden) -> None:
        """Write the columns of a block in place.

        Args:
            values: One row a moment, one column a signal.
            seconds: Epoch seconds of each row.
            hidden: What the loop recorded beside the signals, by (unit, role).
        """
        ambient = hidden[("site", "ambient_c")]
        self._trains_and_fans(values)
        self._site(values, seconds, hidden)
        self._weather(values, ambient)
        for column in self._roles.get(("dispensing", "cabinet_temperature"), ()):
            values[:, column] += ambient
        for column in self._roles.get(("fire_gas", "esd_level"), ()):
            values[:, column] = hidden[("site", "esd_level")]
        for number, column in enumerate(self._roles.get(("fire_gas", "esd_button"), ()), 1):
            values[:, column] = hidden[("site", "esd_button")] == number
        self._leaks(values, hidden)

    def _leaks(self, values: Float, hidden: Hidden) -> None:
        """Add what the gas detectors smell of leaking banks."""
        for bank, columns in self._smell.items():
            leak_kg_s = hidden[(bank, "leak_kg_s")]
            if leak_kg_s.any():
                values[:, columns] += _LEL_PER_KG_S * leak_kg_s[:, None]

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

    def _site(self, values: Float, seconds: Float, hidden: Hidden) -> None:
        def put(unit: str, role: str, change: Callable[[Float], Float]) -> None:
            column = self._unit.get((unit, role))
            if column is not None:
                values[:, column] = change(values[:, column])

        ambient, site_kw = hidden[("site", "ambient_c")], hidden[("site", "site_kw")]
        water = cooling_water_c_of(ambient)
        # 50 m3/h of water carry 58 kW a kelvin.
        put("cooling-water", "supply_temperature", lambda x: x + water)
        put("cooling-water", "return_temperature", lambda x: x + water + 0.8 + hidden[("site", "heat_kw")] / 58.0)
        put("power", "voltage", lambda x: x - site_kw / 120.0)
        # The bottle rack is changed every two weeks.
        put("gas-services", "nitrogen_pressure", lambda x: 14.0 - 9.0 * np.mod(seconds / (14 * _DAY_S), 1.0) + 0.0 * x)
        # The level follows the brine's volume: 0.05 % a kelvin of 8 m3, in a narrow tank.
        put("brine-tank", "level", lambda x: x + 0.3 * (hidden[("brine", "brine_c")] + 24.0))
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
