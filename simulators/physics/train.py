"""One compressor train: its states, what it delivers, and what its sensors feel of load and wear."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.stages import Stage, interstage_mpa
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Train

STOP, START, LOADED, UNLOADED, TRIP = range(5)
"""Train states in the order of the signal list."""


@dataclass(frozen=True, slots=True)
class CompressionEstimates:
    """What is not in the station file; meanings and reasons stand beside the numbers."""

    start_s: float
    unloaded_s: float
    flow_s: float
    rated_suction_c: float
    pipe_loss_mpa: float
    suction_loss_mpa: float
    approach_k: float
    auxiliary_kw: float
    unloaded_kw: float
    start_kw: float
    warm_c: float
    discharge_decay_s: float
    interstage_decay_s: float
    unload_below: float
    load_above: float
    least_design_mpa: float
    wear_per_1000_h: float
    service_h: float
    oil_mpa: float
    oil_thinner_mpa_k: float
    oil_wear_mpa: float
    oil_rest_mpa: float
    vibration_rest: float
    vibration_turning: float
    vibration_start: float
    vibration_load: float
    vibration_ratio: float
    vibration_wear: float
    leak_mpa: float
    leak_trip_mpa: float
    taint_s: float


ESTIMATES = estimates("simulators.physics", "compression", CompressionEstimates)
_START_S, _UNLOADED_S, _FLOW_S = ESTIMATES.start_s, ESTIMATES.unloaded_s, ESTIMATES.flow_s
_AUXILIARY_KW, _IDLE_KW = ESTIMATES.auxiliary_kw, (0.0, ESTIMATES.start_kw, 0.0, ESTIMATES.unloaded_kw, 0.0)
_PIPE_LOSS_MPA, _SUCTION_LOSS_MPA = ESTIMATES.pipe_loss_mpa, ESTIMATES.suction_loss_mpa
_APPROACH_K, _WARM_C = ESTIMATES.approach_k, ESTIMATES.warm_c
_DISCHARGE_S, _INTERSTAGE_S = ESTIMATES.discharge_decay_s, ESTIMATES.interstage_decay_s
_LEAST_DESIGN_MPA = ESTIMATES.least_design_mpa
_SERVICE_S = ESTIMATES.service_h * 3600.0
_WEAR = ESTIMATES.wear_per_1000_h * ESTIMATES.service_h / 1000.0
_LEAK_MPA, _LEAK_TRIP_MPA = ESTIMATES.leak_mpa, ESTIMATES.leak_trip_mpa
_IDLE_VIBRATION = (
    ESTIMATES.vibration_rest,
    ESTIMATES.vibration_start,
    ESTIMATES.vibration_turning,
    ESTIMATES.vibration_turning,
    ESTIMATES.vibration_rest,
)
_OIL_AT_C = 40.0
_OIL_MPA, _OIL_REST_MPA, _OIL_WEAR_MPA = ESTIMATES.oil_mpa, ESTIMATES.oil_rest_mpa, ESTIMATES.oil_wear_mpa
_THINNER_MPA_K = ESTIMATES.oil_thinner_mpa_k
_BY_LOAD, _BY_RATIO, _BY_WEAR = ESTIMATES.vibration_load, ESTIMATES.vibration_ratio, ESTIMATES.vibration_wear
_UNLOAD_BELOW, _LOAD_ABOVE = ESTIMATES.unload_below, ESTIMATES.load_above


class CompressorTrain:
    """One train. Its flow is the rated one, or less where the suction gas is thinner than rated or its valves are worn.

    Attributes:
        new_health: Its flow against the rated one when it was last serviced (hidden from every service).
        worn: Share of a service interval that it has run (0..1).
        health: What is left of `new_health` after that wear.
        flow_kg_s: Delivered in the last step.
        off_s: Since the last stop [s].
        tripped: True while a fault holds it.
        leaking_mpa: What a leaking diaphragm puts on the leak detection at present.
        ruptured: Its own panel has stopped it for that leak, until it is mended.
        work_j: Put into the gas by both stages since the start; `friction_j`: lost to oil and jacket on the way.
        cooled_j: Taken out of the gas by inter- and aftercooler.
    """

    __slots__ = (
        "aftercooler_c",
        "cooled_j",
        "discharge_mpa",
        "flow_kg_s",
        "friction_j",
        "health",
        "interstage",
        "leak_mpa",
        "leaking_mpa",
        "new_health",
        "off_s",
        "oil_c",
        "oil_mpa",
        "power_kw",
        "rated_density",
        "ruptured",
        "spec",
        "stage1_c",
        "stage2_c",
        "starved",
        "state",
        "suction_mpa",
        "timer_s",
        "tripped",
        "vibration",
        "work_j",
        "worn",
    )

    STATE = tuple(name for name in __slots__ if name not in {"spec", "rated_density"})

    def __init__(self, spec: Train, health: float, worn: float) -> None:
        self.spec, self.new_health, self.worn = spec, health, worn
        self.health = health * (1.0 - _WEAR * worn)
        self.rated_density = hydrogen.density(spec.rated_suction_mpa, ESTIMATES.rated_suction_c + KELVIN)
        self.state, self.timer_s, self.off_s = STOP, 0.0, 1e4
        self.tripped = self.ruptured = self.starved = False
        self.flow_kg_s = self.power_kw = self.leaking_mpa = 0.0
        self.work_j = self.friction_j = self.cooled_j = 0.0
        self.stage1_c = self.stage2_c = _WARM_C
        self.aftercooler_c, self.oil_c = 25.0, 35.0
        self.oil_mpa, self.vibration, self.leak_mpa = ESTIMATES.oil_rest_mpa, ESTIMATES.vibration_rest, _LEAK_MPA
        self.suction_mpa, self.interstage, self.discharge_mpa = 10.0, 20.0, 43.0

    # ---- states

    def can_run(self) -> bool:
        """Return True where neither a fault nor its own panel holds it."""
        return not self.tripped and not self.ruptured

    def decide(self, wanted: bool, may_start: bool, dt_s: float) -> None:
        """Run the state machine one step; `may_start` is False while another motor takes its inrush."""
        self.timer_s += dt_s
        if self.leak_mpa >= _LEAK_TRIP_MPA:
            self.ruptured = True
        elif not self.leaking_mpa:
            self.ruptured = False
        if self.tripped or self.ruptured:
            self.state, self.timer_s, self.off_s = TRIP, 0.0, 0.0
        elif self.state == TRIP:
            self._enter(STOP)
        elif self.state == STOP:
            self.off_s += dt_s
            if wanted and may_start and self.off_s >= self.spec.min_off.total_seconds():
                self._enter(START)
        else:
            self._running(wanted)

    def _running(self, wanted: bool) -> None:
        # A plugged filter or an empty trailer must not pull the suction below what the stages stand.
        limit = _LOAD_ABOVE if self.starved else _UNLOAD_BELOW
        self.starved = self.suction_mpa < limit * self.spec.floor_suction_mpa
        wanted = wanted and not self.starved
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

    # ---- gas

    def flow_goal(self, suction_density: float) -> float:
        """Return the flow [kg/s] at a suction density [kg/m3]."""
        return self.health * self.spec.rated_kg_h / 3600.0 * min(1.0, suction_density / self.rated_density)

    def let_flow(self, suction_density: float, dt_s: float) -> None:
        """Let the flow follow what the suction gives."""
        self.flow_kg_s += (self.flow_goal(suction_density) - self.flow_kg_s) * min(1.0, dt_s / _FLOW_S)

    def press(self, suction_mpa: float, bank_mpa: float, dt_s: float) -> None:
        """Let the pressures follow: headers and losses under load, else the way back to the headers."""
        share = min(1.0, dt_s / 4.0)
        if self.flow_kg_s:
            load = self.flow_kg_s * 3600.0 / self.spec.rated_kg_h
            load *= load
            self.suction_mpa += (suction_mpa - _SUCTION_LOSS_MPA * load - self.suction_mpa) * share
            self.discharge_mpa += (bank_mpa + _PIPE_LOSS_MPA * load - self.discharge_mpa) * share
            goal = interstage_mpa(self.suction_mpa, self.discharge_mpa, _LEAST_DESIGN_MPA)
            self.interstage += (goal - self.interstage) * share
        else:
            self.suction_mpa += (suction_mpa - self.suction_mpa) * share
            self.discharge_mpa += (bank_mpa - self.discharge_mpa) * min(1.0, dt_s / _DISCHARGE_S)
            self.interstage += (max(suction_mpa, self.suction_mpa) - self.interstage) * min(1.0, dt_s / _INTERSTAGE_S)

    # ---- what follows from it

    def settle(self, stage: Stage | None, water_c: float, dt_s: float) -> None:
        """Let temperatures, power, oil and vibration follow; `stage` is None while the train gives nothing."""
        if stage is not None:
            goal_kw = self._work(stage, water_c, dt_s)
        else:
            goal_kw = _IDLE_KW[self.state]
            share = min(1.0, dt_s / 600.0)
            self.stage1_c += (_WARM_C - self.stage1_c) * share
            self.stage2_c += (_WARM_C + 1.5 - self.stage2_c) * share
            self.oil_c += (32.0 - self.oil_c) * min(1.0, dt_s / 3600.0)
            self.aftercooler_c += (min(40.0, max(16.0, water_c + 1.0)) - self.aftercooler_c) * min(1.0, dt_s / 40.0)
        self.power_kw += (goal_kw - self.power_kw) * min(1.0, dt_s / 2.0)
        self._feel(dt_s)

    def _work(self, stage: Stage, water_c: float, dt_s: float) -> float:
        """Book work and wear of a step under load; return the motor power [kW]."""
        share = min(1.0, dt_s / 60.0)
        self.stage1_c += (stage[0] - self.stage1_c) * share
        self.stage2_c += (stage[1] - self.stage2_c) * share
        self.oil_c += (46.0 + 0.3 * (water_c - 20.0) - self.oil_c) * min(1.0, dt_s / 900.0)
        cool = min(self.spec.intercool_c, water_c + _APPROACH_K)
        self.aftercooler_c += (cool - self.aftercooler_c) * min(1.0, dt_s / 40.0)
        spec = self.spec
        ideal_w = self.flow_kg_s * (stage[2] + stage[3])
        shaft_w = ideal_w / spec.efficiency_shaft
        self.work_j += ideal_w / spec.efficiency_gas_path * dt_s
        self.friction_j += (shaft_w - ideal_w / spec.efficiency_gas_path) * dt_s
        self.worn = min(1.0, self.worn + dt_s / _SERVICE_S)
        self.health = self.new_health * (1.0 - _WEAR * self.worn)
        return shaft_w / spec.efficiency_motor / 1000.0 + _AUXILIARY_KW

    def _feel(self, dt_s: float) -> None:
        """Oil pressure by oil temperature and wear, vibration by load, leak detection by the diaphragms."""
        oil, vibration = _OIL_REST_MPA, _IDLE_VIBRATION[self.state]
        if START <= self.state <= UNLOADED:
            oil = _OIL_MPA - _THINNER_MPA_K * (self.oil_c - _OIL_AT_C) - _OIL_WEAR_MPA * self.worn
            vibration += _BY_WEAR * self.worn
            if self.flow_kg_s:
                vibration += _BY_LOAD * self.flow_kg_s * 3600.0 / self.spec.rated_kg_h
                vibration += _BY_RATIO * (self.interstage / self.suction_mpa - 1.0)
        elif self.state == STOP and self.worn >= 1.0:
            self.worn, self.health = 0.0, self.new_health  # serviced while it stands
        self.oil_mpa += (oil - self.oil_mpa) * min(1.0, dt_s / 4.0)
        self.vibration += (vibration - self.vibration) * min(1.0, dt_s / 5.0)
        self.leak_mpa += (_LEAK_MPA + self.leaking_mpa - self.leak_mpa) * min(1.0, dt_s / 15.0)

    def cut_off(self) -> None:
        """Lose the electricity: nothing turns, nothing is drawn, from one moment to the next."""
        self.flow_kg_s = self.power_kw = 0.0
