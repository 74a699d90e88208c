"""The site round the equipment: electricity by consumer, transformer, UPS, instrument air, vent stack."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.compression import Compression
from simulators.physics.cooling import Cooling
from simulators.physics.roles import HIDDEN, Role, of_unit

CONSUMERS = ("trains", "chillers", "base", "filling", "cooling-water")
"""Who draws electricity; the site's energy is their sum."""


@dataclass(frozen=True, slots=True)
class SiteEstimates:
    """What is not in the station file; meanings and reasons stand beside the numbers."""

    base_kw: float
    filling_kw: float
    heating_kw_k: float
    heated_below_c: float
    tower_kw_per_kw: float
    water_kw_k: float
    transformer_k: float
    transformer_k_per_kw: float
    ups_h: float
    ups_recharge_h: float
    ups_float: float
    ups_charge_kw: float
    air_mpa: float
    air_fall_mpa_h: float
    air_rise_mpa_h: float
    vent_s: float
    vent_switch_kg_s: float
    vent_gas_kg_s: float
    vent_warm_k: float
    vent_pipe_s: float


_E = estimates("simulators.physics", "site", SiteEstimates)
_BASE_KW, _FILLING_KW, _TOWER = _E.base_kw, _E.filling_kw, _E.tower_kw_per_kw
_HEATING_KW_K, _HEATED_BELOW_C = _E.heating_kw_k, _E.heated_below_c
WATER_KW_K = _E.water_kw_k
_VENT_S, _VENT_PIPE_S = _E.vent_s, _E.vent_pipe_s
_NO_VENT_KG = 1e-6


class Site:
    """What the meters and panels of the whole station show.

    Attributes:
        kw: Electricity drawn now [kW]; 0 without supply.
        kwh: Counted since commissioning [kWh]: what `kwh_by` holds, and what was counted before this run.
        kwh_by: By consumer since the start of the run, in the order of `CONSUMERS` [kWh].
        heat_kw: What the cooling water carries away, as its return temperature shows it.
        transformer_c: Its oil [degC].
        ups_percent: Charge of the uninterruptible supply that carries control and safety systems.
        air_mpa: Instrument air, without its usual wander.
        vent_kg: Gas in the vent stack on its way out; `vent_k` how much warmer its pipe is than the air.
    """

    __slots__ = (
        "_before_kwh",
        "_vented_kg",
        "air_mpa",
        "heat_kw",
        "kw",
        "kwh_by",
        "transformer_c",
        "ups_percent",
        "vent_k",
        "vent_kg",
    )

    STATE = __slots__

    def __init__(self, before_kwh: float, ambient_c: float) -> None:
        self.kw, self._before_kwh = _BASE_KW, before_kwh
        self.kwh_by = [0.0] * len(CONSUMERS)
        self.heat_kw, self.transformer_c = 0.0, ambient_c + 25.0
        self.ups_percent, self.air_mpa = _E.ups_float, _E.air_mpa
        self.vent_kg = self.vent_k = self._vented_kg = 0.0

    @property
    def kwh(self) -> float:
        """Return the energy counted since commissioning [kWh]."""
        return self._before_kwh + sum(self.kwh_by)

    def advance(
        self, compression: Compression, cooling: Cooling, busy: int, ambient_c: float, powered: bool, dt_s: float
    ) -> None:
        """Go one step on, after the equipment; `busy` hoses are in use."""
        trains_kw = chillers_kw = 0.0
        for train in compression.trains:
            trains_kw += train.power_kw
        for unit in cooling.units:
            chillers_kw += unit.power_kw
        self.heat_kw += (compression.heat_kw - self.heat_kw) * min(1.0, dt_s / 60.0)
        if powered:
            charging = self.ups_percent < _E.ups_float
            base_kw = _BASE_KW + _HEATING_KW_K * max(0.0, _HEATED_BELOW_C - ambient_c)
            base_kw += _E.ups_charge_kw if charging else 0.0
            filling_kw, tower_kw = _FILLING_KW * busy, _TOWER * self.heat_kw
        else:
            charging, base_kw, filling_kw, tower_kw = False, 0.0, 0.0, 0.0
        kw = self.kw = trains_kw + chillers_kw + base_kw + filling_kw + tower_kw
        hours, by = dt_s / 3600.0, self.kwh_by
        by[0] += trains_kw * hours
        by[1] += chillers_kw * hours
        by[2] += base_kw * hours
        by[3] += filling_kw * hours
        by[4] += tower_kw * hours
        goal = ambient_c + _E.transformer_k + _E.transformer_k_per_kw * kw
        self.transformer_c += (goal - self.transformer_c) * min(1.0, dt_s / 3600.0)
        if charging:
            self.ups_percent = min(_E.ups_float, self.ups_percent + 100.0 / _E.ups_recharge_h * hours)
        if powered:
            self.air_mpa = min(_E.air_mpa, self.air_mpa + _E.air_rise_mpa_h * hours)
        else:
            self.ups_percent = max(0.0, self.ups_percent - 100.0 / _E.ups_h * hours)
            self.air_mpa = max(0.1, self.air_mpa - _E.air_fall_mpa_h * hours)

    def vent(self, vented_kg: float, dt_s: float) -> None:
        """Let the stack feel what has gone into it; `vented_kg` is the plant's count since the start."""
        came = vented_kg - self._vented_kg
        if came <= 0.0 and self.vent_kg < _NO_VENT_KG and self.vent_k < 1e-3:
            return
        self._vented_kg = vented_kg
        self.vent_kg = (self.vent_kg + came) * math.exp(-dt_s / _VENT_S)
        flow = self.vent_kg / _VENT_S
        felt = _E.vent_warm_k * flow / (flow + _E.vent_gas_kg_s)
        if felt > self.vent_k:
            self.vent_k += (felt - self.vent_k) * min(1.0, dt_s / 4.0)
        else:
            self.vent_k += (felt - self.vent_k) * min(1.0, dt_s / _VENT_PIPE_S)

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *of_unit("utilities", "power", ("power", "energy", "transformer_temperature", "ups_charge")),
            ("storage", "vent", "flow_switch"),
            *of_unit(HIDDEN, "site", ("site_kw", "heat_kw", "air_lost_mpa")),
            (HIDDEN, "vent", "warmer_k"),
        ]

    def record(self, row: list[float]) -> None:
        """Add the site's part of a row."""
        row += (
            self.kw,
            self.kwh,
            self.transformer_c,
            self.ups_percent,
            self.vent_kg / _VENT_S > _E.vent_switch_kg_s,
            self.kw,
            self.heat_kw,
            _E.air_mpa - self.air_mpa,
            self.vent_k,
        )
