"""Compressor trains: two stages each, suction-dependent flow, start and stop as the banks ask."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

import numpy as np

from simulators.physics.gas import Gas, compress
from simulators.physics.roles import Role, of_unit
from simulators.physics.storage import Cascade
from simulators.physics.supply import SupplyYard
from simulators.physics.weather import cooling_water_c
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Train

STOP, START, LOADED, UNLOADED, TRIP = range(5)
"""Train states in the order of the signal list."""

_START_S, _UNLOADED_S = 20.0, 240.0
"""Motor and oil up before loading; idling unloaded before the motor is stopped, to spare starts."""
_RATED_K = 293.15
_RAMP_S = 6.0
_AUXILIARY_KW, _UNLOADED_KW, _START_KW = 5.0, 18.0, 35.0
_LINE_LOSS_MPA = 0.25
"""From the train to the bank at rated flow."""
_KEPT_WARM_C = 62.0
"""Oil and jacket water of a stopped train's heads are heated."""
_STAGES_KG = (40.0, 120.0)
"""More missing than this in the banks: a third, a fourth train."""

_ROLES = (
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

_SUCTION = np.linspace(2.0, 24.0, 23)
_DISCHARGE = np.linspace(8.0, 48.0, 21)
_TABLE_SUCTION_K, _TABLE_INTERCOOL_K = 288.15, 303.15


def interstage_mpa(suction_mpa: float, discharge_mpa: float) -> float:
    """Return the pressure between the stages [MPa].

    Near the geometric mean, which splits the work evenly, as the cylinders are sized for a full trailer; at low suction
    the first stage, which then is fed cold gas, takes more. A bypass keeps it under 31 MPa.
    """
    share = 1.08 - 0.11 * min(1.0, max(0.0, (suction_mpa - 5.0) / 10.0))
    even = math.sqrt(suction_mpa * max(discharge_mpa, 38.0))
    return min(31.0, share * even, max(discharge_mpa, suction_mpa))


@functools.lru_cache(maxsize=8)
def _stage_tables(gas: Gas, efficiency: float) -> list[list[tuple[float, float, float, float]]]:
    """Return [suction][discharge] -> first and second outlet temperature [K], isentropic works [J/kg]."""
    suction, discharge = np.meshgrid(_SUCTION, _DISCHARGE, indexing="ij")
    discharge = np.maximum(discharge, suction)
    middle = np.maximum(np.vectorize(interstage_mpa)(suction, discharge), suction)
    cold, warm = np.full_like(suction, _TABLE_SUCTION_K), np.full_like(suction, _TABLE_INTERCOOL_K)
    first_k, first_j = compress(gas.tables, suction, cold, middle, efficiency)
    second_k, second_j = compress(gas.tables, middle, warm, np.maximum(discharge, middle), efficiency)
    rows = np.stack([first_k, second_k, first_j, second_j], axis=-1).tolist()
    return [[tuple(point) for point in row] for row in rows]


class CompressorTrain:
    """One train.

    Attributes:
        health: Flow against the rated one (hidden from every service).
        flow_kg_s: Delivered in the last step.
        off_s: Since the last stop [s].
        tripped: True while a fault holds it.
        leaking_mpa: What a leaking diaphragm puts on the leak detection at present.
    """

    __slots__ = (
        "aftercooler_c",
        "discharge_mpa",
        "flow_kg_s",
        "health",
        "interstage",
        "leaking_mpa",
        "off_s",
        "oil_c",
        "power_kw",
        "rated_density",
        "spec",
        "stage1_c",
        "stage2_c",
        "state",
        "suction_mpa",
        "timer_s",
        "tripped",
    )

    STATE = tuple(name for name in __slots__ if name not in {"spec", "rated_density"})

    def __init__(self, spec: Train, health: float) -> None:
        self.spec, self.health = spec, health
        self.rated_density = hydrogen.density(spec.rated_suction_mpa, _RATED_K)
        self.state, self.timer_s, self.off_s, self.tripped = STOP, 0.0, 1e4, False
        self.flow_kg_s = self.power_kw = self.leaking_mpa = 0.0
        self.stage1_c = self.stage2_c = _KEPT_WARM_C
        self.aftercooler_c, self.oil_c = 25.0, 35.0
        self.suction_mpa, self.interstage, self.discharge_mpa = 10.0, 20.0, 43.0

    def decide(self, wanted: bool, dt_s: float) -> None:
        """Run the state machine one step."""
        self.timer_s += dt_s
        if self.tripped:
            self.state, self.timer_s, self.off_s = TRIP, 0.0, 0.0
        elif self.state == TRIP:
            self._enter(STOP)
        elif self.state == STOP:
            self.off_s += dt_s
            if wanted and self.off_s >= self.spec.min_off.total_seconds():
                self._enter(START)
        else:
            self._running(wanted)

    def _running(self, wanted: bool) -> None:
        if self.state == START:
            if self.timer_s >= _START_S:
                self._enter(LOADED if wanted else UNLOADED)
        elif wanted != (self.state == LOADED):
            self._enter(LOADED if wanted else UNLOADED)
        elif self.state == UNLOADED and self.timer_s >= _UNLOADED_S:
            self._enter(STOP)
            self.off_s = 0.0

    def _enter(self, state: int) -> None:
        self.state, self.timer_s = state, 0.0

    def flow_goal(self, suction_density: float) -> float:
        """Return the flow [kg/s] at a suction density [kg/m3]: rated, or less where the gas is thin."""
        return self.health * self.spec.rated_kg_h / 3600.0 * min(1.0, suction_density / self.rated_density)

    def settle(self, stage: tuple[float, float, float, float], water_c: float, dt_s: float) -> None:
        """Let temperatures and power follow: `stage` is the two outlet temperatures [degC] and works [J/kg]."""
        running = self.state == LOADED and self.flow_kg_s > 0.0
        cool = water_c + 8.0
        if running:
            share = min(1.0, dt_s / 60.0)
            self.stage1_c += (stage[0] - self.stage1_c) * share
            self.stage2_c += (stage[1] - self.stage2_c) * share
            self.oil_c += (46.0 + 0.3 * (water_c - 20.0) - self.oil_c) * min(1.0, dt_s / 900.0)
            spec = self.spec
            work = (stage[2] + stage[3]) / (spec.efficiency_shaft * spec.efficiency_motor)
            goal_kw = self.flow_kg_s * work / 1000.0 + _AUXILIARY_KW
        else:
            share = min(1.0, dt_s / 600.0)
            self.stage1_c += (_KEPT_WARM_C - self.stage1_c) * share
            self.stage2_c += (_KEPT_WARM_C + 1.5 - self.stage2_c) * share
            self.oil_c += (32.0 - self.oil_c) * min(1.0, dt_s / 3600.0)
            goal_kw = (0.0, _START_KW, _UNLOADED_KW, _UNLOADED_KW, 0.0)[self.state]
            cool = max(16.0, water_c + 1.0)
        self.aftercooler_c += (min(40.0, cool) - self.aftercooler_c) * min(1.0, dt_s / 40.0)
        self.power_kw += (goal_kw - self.power_kw) * min(1.0, dt_s / 2.0)


def _readiness(train: CompressorTrain) -> tuple[int, float]:
    """Sort key: trains under load first, then those that turn, then the one that has rested for longest."""
    return (LOADED, START, UNLOADED, STOP, TRIP).index(train.state), -train.off_s


class Compression:
    """All trains on one suction and one discharge header."""

    def __init__(self, trains: Iterable[Train], gas: Gas, health: Iterable[float]) -> None:
        self.gas = gas
        self.trains = [CompressorTrain(spec, h) for spec, h in zip(trains, health, strict=True)]
        self._tables = [_stage_tables(gas, train.spec.efficiency_gas_path) for train in self.trains]
        self.asked = 0
        self.choose_in_s = 0.0

    def advance(self, supply: SupplyYard, cascade: Cascade, dt_s: float, ambient_c: float, shut: bool) -> None:
        """Go one step on: draw from the feeding trailer, charge the bank that is next."""
        target = None if shut else cascade.target()
        self.choose_in_s -= dt_s
        if self.choose_in_s <= 0.0 or not supply.source_gives():
            supply.choose(cascade.are_low(), shut)
            self.choose_in_s = 60.0
        self._ask_trains(0 if target is None or supply.source is None else self._needed(cascade), dt_s)
        source = supply.source
        # What the trains feel is the header, which follows a change of trailer within seconds.
        suction_density = hydrogen.density(supply.header_mpa, supply.header_k)
        water_c = cooling_water_c(ambient_c)
        bank_mpa = target.vessel.pressure if target is not None else cascade.header_mpa
        stage, drawn = None, 0.0
        for number, train in enumerate(self.trains):
            goal = 0.0
            if train.state == LOADED and source is not None and target is not None:
                goal = train.flow_goal(suction_density)
                train.flow_kg_s += (goal - train.flow_kg_s) * min(1.0, dt_s / _RAMP_S)
            else:
                train.flow_kg_s = 0.0
            self._pressures(train, supply.header_mpa, bank_mpa, dt_s)
            if train.flow_kg_s and target is not None:
                stage = stage or self._stages(number, train, supply.header_k, water_c)
                kg = train.flow_kg_s * dt_s
                drawn += kg
                enthalpy = self.gas.enthalpy(bank_mpa, train.aftercooler_c + KELVIN)
                target.vessel.put(kg, enthalpy)
            train.settle(stage or (0.0, 0.0, 0.0, 0.0), water_c, dt_s)
        if drawn and source is not None:
            source.taken_kg += drawn

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [role for train in self.trains for role in of_unit("compression", train.spec.unit, _ROLES)]

    def record(self, row: list[float]) -> None:
        """Add the trains' part of a row."""
        for train in self.trains:
            row += (
                train.suction_mpa,
                train.interstage,
                train.discharge_mpa,
                train.stage1_c,
                train.stage2_c,
                train.aftercooler_c,
                train.oil_c,
                train.flow_kg_s * 3600.0,
                train.power_kw,
                train.state,
            )

    def _needed(self, cascade: Cascade) -> int:
        """Return how many trains the missing kilograms call for; the number only grows until all is full."""
        missing = cascade.missing_kg()
        wanted = len(self.trains) if cascade.are_low() else 2 + sum(1 for step in _STAGES_KG if missing > step)
        self.asked = min(len(self.trains), max(self.asked, wanted))
        return self.asked

    def _ask_trains(self, count: int, dt_s: float) -> None:
        if not count:
            self.asked = 0
        order = sorted(self.trains, key=_readiness) if count else self.trains
        for train in order:
            wanted = count > 0 and not train.tripped
            train.decide(wanted, dt_s)
            count -= wanted

    def _pressures(self, train: CompressorTrain, suction_mpa: float, bank_mpa: float, dt_s: float) -> None:
        share = min(1.0, dt_s / 4.0)
        load = train.flow_kg_s * 3600.0 / train.spec.rated_kg_h
        train.suction_mpa += (suction_mpa - 0.03 * load * load - train.suction_mpa) * share
        if load:
            goal = bank_mpa + _LINE_LOSS_MPA * load * load
            train.discharge_mpa += (goal - train.discharge_mpa) * share
            goal = interstage_mpa(train.suction_mpa, train.discharge_mpa)
            train.interstage += (goal - train.interstage) * share

    def _stages(
        self, number: int, train: CompressorTrain, suction_k: float, water_c: float
    ) -> tuple[float, float, float, float]:
        """Return outlet temperatures [degC] and works [J/kg] of both stages at the train's pressures."""
        x = min(max((train.suction_mpa - 2.0), 0.0), 21.999)
        y = min(max((train.discharge_mpa - 8.0) / 2.0, 0.0), 19.999)
        i, j = int(x), int(y)
        x, y = x - i, y - j
        table = self._tables[number]
        a, b, c, d = table[i][j], table[i][j + 1], table[i + 1][j], table[i + 1][j + 1]
        k1, k2, j1, j2 = (
            (p * (1 - y) + q * y) * (1 - x) + (r * (1 - y) + s * y) * x for p, q, r, s in zip(a, b, c, d, strict=True)
        )
        # A stage's temperature ratio and work per kelvin of its inlet hardly change with the inlet temperature.
        first, second = suction_k / _TABLE_SUCTION_K, (min(40.0, water_c + 8.0) + KELVIN) / _TABLE_INTERCOOL_K
        return k1 * first - KELVIN, k2 * second - KELVIN, j1 * first, j2 * second
