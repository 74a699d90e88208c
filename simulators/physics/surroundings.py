"""What no equipment of the stepping loop moves: gas detectors, weather, utilities, quality, heartbeats.

All of it follows from time and from what the loop recorded, so that a whole block is worked out at once.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simulators.estimates import estimates
from simulators.physics.roles import Bool, Float
from simulators.physics.site import WATER_KW_K
from simulators.physics.train import START, UNLOADED
from simulators.physics.weather import cooling_water_c_of
from station.domain.plant import Plant, Signal

Hidden = Mapping[tuple[str, str], Float]
"""(unit, role) -> one number a moment."""


@dataclass(frozen=True, slots=True)
class SurroundingsEstimates:
    """Meanings and reasons stand beside the numbers.

    `background` holds mean and swing of what no equipment moves, by role; `cooling_water` the same of that unit's.
    """

    lel_per_kg_s: float
    lel_at_wind_m_s: float
    least_wind_m_s: float
    canopy_share: float
    fan_lel: float
    purge_more_pa: float
    voltage_drop_per_kw: float
    water_rise_k: float
    nitrogen_full_mpa: float
    nitrogen_used_mpa: float
    nitrogen_days: float
    brine_level_per_k: float
    water_per_taint: float
    methane_per_taint: float
    background: dict[str, tuple[float, float]]
    cooling_water: dict[str, tuple[float, float]]


_E = estimates("simulators.physics", "surroundings", SurroundingsEstimates)
_DAY_S = 86_400.0
_WATER_UNIT = "cooling-water"


def _background(signal: Signal) -> tuple[float, float]:
    """Return mean and swing of a signal that the stepping loop does not record."""
    found = _E.cooling_water.get(signal.role) if signal.unit == _WATER_UNIT else None
    found = found or _E.background.get(signal.role)
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
        roles: dict[tuple[str, str], list[int]] = {}
        for signal in plant.signals.values():
            roles.setdefault((signal.area, signal.role), []).append(place[signal.tag])
        self._roles = roles
        self._unit = {(s.unit, s.role): place[s.tag] for s in plant.signals.values()}
        self._trains = [train.unit for train in plant.trains]
        gas = [signal for signal in plant.signals.values() if signal.role == "gas"]
        self._banks = {b.unit: [place[s.tag] for s in gas if b.unit in s.watches] for b in plant.banks}
        # A detector of the canopy hangs in the open above the dispenser whose cabinet has one of its own.
        hoses: dict[str, list[str]] = {}
        for hose in plant.hoses:
            hoses.setdefault(hose.dispenser, []).append(hose.unit)
        self._hoses = hoses
        self._canopy = {unit: [place[s.tag] for s in gas if unit in s.watches and s.unit == "canopy"] for unit in hoses}
        self._cabinet = {
            unit: [place[s.tag] for s in gas if unit in s.watches and s.unit != "canopy"] for unit in hoses
        }
        self._container = {t.unit: [place[s.tag] for s in gas if t.unit in s.watches] for t in plant.trains}

    def apply(self, values: Float, seconds: Float, hidden: Hidden) -> None:
        """Write the columns of a block in place.

        Args:
            values: One row a moment, one column a signal.
            seconds: Epoch seconds of each row.
            hidden: What the loop recorded beside the signals, by (unit, role).
        """
        ambient, dark = hidden[("site", "ambient_c")], hidden[("site", "power_lost")] > 0.0
        self._weather(values, ambient)
        self._site(values, seconds, hidden, dark)
        self._leaks(values, hidden)
        self._dispensers(values, hidden, dark)
        self._fans(values, dark)
        self._quality(values, hidden)
        for column in self._roles.get(("fire_gas", "esd_level"), ()):
            values[:, column] = hidden[("site", "esd_level")]
        for number, column in enumerate(self._roles.get(("fire_gas", "esd_button"), ()), 1):
            values[:, column] = hidden[("site", "esd_button")] == number

    def _leaks(self, values: Float, hidden: Hidden) -> None:
        """Add what the gas detectors smell: in the open less the more the wind blows, in a cabinet what is in there."""
        dilution: Float | float = 1.0
        if winds := self._roles.get(("utilities", "wind_speed")):
            dilution = _E.lel_at_wind_m_s / np.maximum(values[:, winds[0]], _E.least_wind_m_s)
        for bank, columns in self._banks.items():
            leak_kg_s = hidden[(bank, "leak_kg_s")]
            if columns and leak_kg_s.any():
                values[:, columns] += (_E.lel_per_kg_s * leak_kg_s * dilution)[:, None]
        for dispenser, hoses in self._hoses.items():
            leak_kg_s = sum((hidden[(hose, "leak_kg_s")] for hose in hoses), np.zeros(len(values)))
            if leak_kg_s.any():
                lel = _E.canopy_share * _E.lel_per_kg_s * leak_kg_s * dilution
                values[:, self._canopy[dispenser]] += lel[:, None]
            inside = hidden[(dispenser, "cabinet_lel")]
            if inside.any():
                values[:, self._cabinet[dispenser]] += inside[:, None]

    def _dispensers(self, values: Float, hidden: Hidden, dark: Bool) -> None:
        """Move the cabinets' air: as warm as outside, purged harder when gas is in it, not at all without power."""
        for warm in self._roles.get(("dispensing", "cabinet_temperature"), ()):
            values[:, warm] += hidden[("site", "ambient_c")]
        for dispenser in self._hoses:
            if (column := self._unit.get((dispenser, "purge_differential"))) is not None:
                harder = hidden[(dispenser, "cabinet_lel")] >= _E.fan_lel
                purge = values[:, column] + _E.purge_more_pa * harder
                values[:, column] = np.where(dark, 0.0, purge)

    def _fans(self, values: Float, dark: Bool) -> None:
        """Let each container's fan run while its train turns, and when gas is in it."""
        for unit, column in zip(self._trains, self._roles.get(("fire_gas", "fan"), ()), strict=False):
            state = values[:, self._unit[(unit, "state")]]
            runs = (state >= START) & (state <= UNLOADED)
            for detector in self._container[unit]:
                runs |= values[:, detector] >= _E.fan_lel
            values[:, column] = runs & ~dark

    def _quality(self, values: Float, hidden: Hidden) -> None:
        """Let moisture and oil vapour of a leaking diaphragm show at the analyser."""
        taint = hidden[("trains", "taint_mpa")]
        if taint.any():
            for role, gain in (("water", _E.water_per_taint), ("methane", _E.methane_per_taint)):
                for column in self._roles.get(("quality", role), ()):
                    values[:, column] += gain * taint

    def _site(self, values: Float, seconds: Float, hidden: Hidden, dark: Bool) -> None:
        def put(unit: str, role: str, change: Callable[[Float], Float]) -> None:
            column = self._unit.get((unit, role))
            if column is not None:
                values[:, column] = change(values[:, column])

        ambient, site_kw = hidden[("site", "ambient_c")], hidden[("site", "site_kw")]
        water = cooling_water_c_of(ambient)
        warmer = _E.water_rise_k + hidden[("site", "heat_kw")] / WATER_KW_K
        put(_WATER_UNIT, "supply_temperature", lambda x: x + water)
        put(_WATER_UNIT, "return_temperature", lambda x: x + water + warmer)
        put(_WATER_UNIT, "flow", lambda x: np.where(dark, 0.0, x))
        put(_WATER_UNIT, "pressure", lambda x: np.where(dark, 0.0, x))
        put("power", "voltage", lambda x: np.where(dark, 0.0, x - _E.voltage_drop_per_kw * site_kw))
        put("power", "frequency", lambda x: np.where(dark, 0.0, x))
        put("gas-services", "air_pressure", lambda x: x - hidden[("site", "air_lost_mpa")])
        used = np.mod(seconds / (_E.nitrogen_days * _DAY_S), 1.0)
        put("gas-services", "nitrogen_pressure", lambda _: _E.nitrogen_full_mpa - _E.nitrogen_used_mpa * used)
        put("brine-tank", "level", lambda x: x + _E.brine_level_per_k * (hidden[("brine", "brine_c")] + 24.0))
        put("vent", "temperature", lambda _: ambient + 1.0 + hidden[("vent", "warmer_k")])

    def _weather(self, values: Float, ambient: Float) -> None:
        def put(role: str, change: Callable[[Float], Float]) -> None:
            for column in self._roles.get(("utilities", role), ()):
                values[:, column] = change(values[:, column])

        put("ambient_temperature", lambda _: ambient)
        put("humidity", lambda x: np.clip(104.0 - 1.9 * ambient + x, 18.0, 99.0))
        put("wind_speed", lambda x: np.maximum(x, 0.2))
        put("barometric_pressure", lambda x: x - 0.035 * (ambient - 15.0))
        put("rain_rate", lambda x: 0.0 * x)
