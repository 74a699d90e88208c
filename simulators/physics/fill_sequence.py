"""The fill as the dispenser's controller runs it: connect, leak check, ramp with pauses, end, let down, pay."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.block import SHORT_KG
from simulators.estimates import estimates
from simulators.physics.filling import Filling
from simulators.physics.gate import Gate
from simulators.physics.hoses import (
    ABORT,
    ABORT_COMMAND,
    BETWEEN_S,
    CONNECT,
    DYNAMIC,
    END,
    FAULT,
    FILL,
    HALT,
    HOLD,
    IDLE,
    LEAK_CHECK,
    NO_COMMAND,
    STATIC,
    HoseUnit,
)
from simulators.physics.sources import Sources, valve_kg_s
from simulators.physics.tank import VehicleTank
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import FillRules


@dataclass(frozen=True, slots=True)
class SequenceEstimates:
    """Times s, pressures MPa, volumes m3; see the file for reasons."""

    before_share: float
    leak_check_s: float
    handshake_s: float
    pulse_until_s: float
    watch_from_s: float
    watch_until_s: float
    most_drop_mpa: float
    pause_s: float
    pause_every_mpa: float
    settle_s: float
    halt_s: float
    starved_s: float
    trickle_kg_s: float
    last_mpa: float
    corridor_mpa: float
    corridor_s: float
    least_blind_m3: float
    reconnect_s: float
    mending_s: float
    warming_s: float


E = estimates("simulators.physics", "fill_sequence", SequenceEstimates)
_BROKEN_OFF = ("vehicle", "corridor")
"""Reasons that end in `abort` instead of `end`."""
_DONE_KG, _BLIND_DONE_KG = 1e-9, 0.01
"""A fill with a link ends exactly; one without approaches its pressure from below."""


class FillSequence:
    """Runs the hoses' states. `fills_ended` counts fills that passed through `end`."""

    def __init__(self, rules: FillRules, gate: Gate, sources: Sources, filling: Filling) -> None:
        self.rules, self.gate, self.sources, self.filling = rules, gate, sources, filling
        self.fills_ended = 0
        self._stop_k = rules.stop_temperature_c + KELVIN

    def connect(self, hose: HoseUnit, t_ms: int, ambient_c: float) -> None:
        """Call the next truck to a free hose."""
        visit, tank = self.gate.call(t_ms, hose.spec.unit, ambient_c)
        hose.take(visit, tank, E.before_share * visit.draw.handling_s)

    def step(self, hose: HoseUnit, t_ms: int, dt_s: float, ambient_c: float) -> None:
        """Go one step on with a hose that is neither idle nor stopped from outside."""
        state = hose.state
        if state == FAULT:
            self._mend(hose, dt_s, ambient_c)
            return
        tank = hose.tank
        assert tank is not None
        if LEAK_CHECK <= state <= HOLD:
            hose.listen(tank, dt_s)
        if hose.recheck and state == HOLD:
            self._close_up(hose, tank)
        elif state == FILL or (state == HOLD and hose.timer_s <= 0.0 and not hose.ending):
            self._fill(hose, tank, dt_s, ambient_c)
        elif state == LEAK_CHECK:
            self._check(hose, tank, t_ms, dt_s, ambient_c)
        else:
            self._wait(hose, tank, t_ms, dt_s, ambient_c)

    # ---- stops from outside

    def stop(self, hose: HoseUnit, t_ms: int) -> None:
        """Shut down in an emergency: valves closed, line let down; the truck stays where it is."""
        hose.shut()
        if not CONNECT < hose.state < END:
            return
        if hose.ending:
            self._end(hose, t_ms)
        else:
            hose.enter(ABORT)

    def hold(self, hose: HoseUnit, dt_s: float, ambient_c: float) -> None:
        """Hold without power: valves shut; after it the hose is checked again before gas flows."""
        hose.shut()
        if hose.state in (LEAK_CHECK, FILL, HOLD):
            hose.recheck = not hose.ending
            if hose.state != HOLD:
                hose.enter(HOLD)
            if hose.tank is not None:
                hose.listen(hose.tank, dt_s)
                hose.tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)

    def trip(self, hose: HoseUnit, t_ms: int, reason: str) -> None:
        """Put a hose out of use; its truck goes back to the head of the queue unless it was done."""
        hose.shut()
        visit = hose.visit
        if visit is not None and visit.end_ms is None:
            visit.stop_reason = reason
            self.gate.send_back(visit, t_ms)
        hose.visit = hose.tank = None
        hose.enter(FAULT, E.mending_s)

    def _mend(self, hose: HoseUnit, dt_s: float, ambient_c: float) -> None:
        self.warm_up(hose, dt_s, ambient_c)
        hose.timer_s = E.mending_s if hose.leak_mm else hose.timer_s - dt_s
        if hose.timer_s <= 0.0:
            hose.enter(IDLE, -BETWEEN_S)

    # ---- states that time ends

    @staticmethod
    def warm_up(hose: HoseUnit, dt_s: float, ambient_c: float) -> None:
        """Let the pipe of a hose without flow go towards the air's temperature."""
        hose.delivery_c += (ambient_c - hose.delivery_c) * min(1.0, dt_s / E.warming_s)

    def _wait(self, hose: HoseUnit, tank: VehicleTank, t_ms: int, dt_s: float, ambient_c: float) -> None:
        """Let time pass: connecting, pauses, handling after the fill, and the stand after an abort."""
        hose.timer_s -= dt_s
        self.warm_up(hose, dt_s, ambient_c)
        if hose.state == HOLD:
            tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)
            self._watch(hose, tank, dt_s, dt_s)
            if hose.fallen_mpa > E.most_drop_mpa:
                self.trip(hose, t_ms, "leak")
                return
        if hose.timer_s <= 0.0:
            self._next(hose, tank, t_ms)

    def _watch(self, hose: HoseUnit, tank: VehicleTank, seconds: float, dt_s: float, over_mpa: float = 0.0) -> None:
        """Let the closed hose stand; what it loses is what a leak takes."""
        hose.nozzle_mpa = tank.pressure + over_mpa - hose.fallen_mpa
        hose.fallen_mpa += self.filling.leak_down(hose, seconds, dt_s)

    def _next(self, hose: HoseUnit, tank: VehicleTank, t_ms: int) -> None:
        state = hose.state
        if state == CONNECT:
            self._close_up(hose, tank)
        elif state == HOLD and hose.ending:
            self._end(hose, t_ms)
        elif state == HOLD:
            self._go_on(hose, tank)
        elif state == ABORT and not hose.ending:
            # After the shut-down the truck is earthed and connected again and gets the rest.
            hose.enter(CONNECT, E.reconnect_s)
        else:
            hose.visit = hose.tank = None
            hose.enter(IDLE, -BETWEEN_S)

    def _close_up(self, hose: HoseUnit, tank: VehicleTank) -> None:
        """Pressurise the connected hose for its leak check; the vehicle begins to tell its fixed data."""
        hose.recheck = False
        hose.command = NO_COMMAND if hose.blind or hose.ir_lost else STATIC
        hose.start_mpa, hose.measured_m3, hose.fallen_mpa = tank.pressure, 0.0, 0.0
        hose.mean_c = self.rules.cooled_gas_c
        hose.nozzle_mpa = tank.pressure
        self.filling.pack(hose, tank)
        hose.enter(LEAK_CHECK, E.leak_check_s)

    def _go_on(self, hose: HoseUnit, tank: VehicleTank) -> None:
        if hose.command != NO_COMMAND:
            hose.command = DYNAMIC
        hose.ramp_mpa, hose.corridor_s = tank.pressure, 0.0
        hose.enter(FILL)

    def _end(self, hose: HoseUnit, t_ms: int) -> None:
        visit = hose.visit
        assert visit is not None
        visit.end_ms, visit.stop_reason, visit.tank = t_ms, hose.stop_reason, None
        visit.outcome = "short" if visit.asked_kg - visit.delivered_kg > SHORT_KG else "full"
        broken = hose.stop_reason in _BROKEN_OFF
        self.fills_ended += not broken
        hose.enter(ABORT if broken else END, (1.0 - E.before_share) * visit.draw.handling_s)

    # ---- leak check

    def _check(self, hose: HoseUnit, tank: VehicleTank, t_ms: int, dt_s: float, ambient_c: float) -> None:
        """Handshake, pressure pulse, then watch the closed hose; a step of any length covers its share of each."""
        begin = E.leak_check_s - hose.timer_s
        hose.timer_s -= dt_s
        end = begin + dt_s
        if end > E.handshake_s and hose.command == STATIC:
            hose.command = DYNAMIC
        pulse_s = _overlap(begin, end, E.handshake_s, E.pulse_until_s)
        self.filling.pulse(hose, tank, pulse_s, dt_s, ambient_c)
        over_mpa = self.filling.pulse_mpa if hose.measured_m3 else 0.0
        self._watch(hose, tank, _overlap(begin, end, E.watch_from_s, E.watch_until_s), dt_s, over_mpa)
        if end < E.leak_check_s:
            return
        hose.flow_kg_s = 0.0
        if hose.fallen_mpa > E.most_drop_mpa:
            self.trip(hose, t_ms, "leak")
        elif hose.blind and 0.0 < hose.measured_m3 < E.least_blind_m3:
            hose.finish("volume", HALT, E.settle_s)
        else:
            hose.target_mpa = self.filling.blind_target_mpa(hose.start_mpa, ambient_c)
            hose.next_pause_mpa = tank.pressure + E.pause_every_mpa
            self._go_on(hose, tank)

    # ---- fill

    def _fill(self, hose: HoseUnit, tank: VehicleTank, dt_s: float, ambient_c: float) -> None:
        left_kg = self.filling.left_kg(hose, tank)
        if self._is_done(hose, tank, left_kg):
            return
        source = self.sources.choose(hose, tank.pressure)
        possible = 0.0 if source is None else valve_kg_s(source, tank.pressure)
        if source is None or possible < E.trickle_kg_s:
            self._starve(hose, tank, dt_s, ambient_c)
            return
        wanted = self.filling.wanted_kg_s(hose, tank, left_kg, dt_s, ambient_c)
        goal = min(wanted, possible, hose.max_kg_s)
        flow = hose.flow_kg_s = self.filling.flow(hose, goal, min(possible, left_kg / dt_s), dt_s)
        hose.opening = min(100.0, 4.0 + 90.0 * flow / possible)
        if hose.state == HOLD:
            self._go_on(hose, tank)
        hose.starved_s = 0.0
        self.filling.move(hose, tank, source, flow * dt_s, dt_s, ambient_c)
        self._after_flow(hose, tank, dt_s)

    def _is_done(self, hose: HoseUnit, tank: VehicleTank, left_kg: float) -> bool:
        """End the fill where its target or a limit is reached."""
        visit, reason, command = hose.visit, "", HALT
        assert visit is not None
        abort_soc = visit.draw.abort_soc
        if left_kg <= (_BLIND_DONE_KG if hose.blind else _DONE_KG):
            reason = "pressure" if hose.blind else "soc"
        elif tank.pressure >= E.last_mpa:
            reason = "pressure"
        elif hose.corridor_s >= E.corridor_s:
            reason = "corridor"
        elif not hose.blind and tank.kelvin >= self._stop_k:
            reason = "temperature"
        elif abort_soc and not hose.blind and tank.density >= abort_soc * H35_REFERENCE_KG_M3:
            reason, command = "vehicle", ABORT_COMMAND
        if reason:
            hose.finish(reason, command, E.settle_s)
        return bool(reason)

    def _after_flow(self, hose: HoseUnit, tank: VehicleTank, dt_s: float) -> None:
        """Watch the pressure corridor, and pause where a leak check or the vehicle asks for it."""
        above = hose.nozzle_mpa - hose.ramp_mpa > E.corridor_mpa
        hose.corridor_s = hose.corridor_s + dt_s if above else 0.0
        visit = hose.visit
        assert visit is not None
        halt_soc = visit.draw.halt_soc
        if halt_soc and not hose.halted and not hose.blind and tank.density >= halt_soc * H35_REFERENCE_KG_M3:
            hose.halted, hose.command = True, HALT
            self._pause(hose, E.halt_s)
        elif tank.pressure >= hose.next_pause_mpa:
            hose.next_pause_mpa += E.pause_every_mpa
            self._pause(hose, E.pause_s)

    @staticmethod
    def _pause(hose: HoseUnit, seconds: float) -> None:
        hose.flow_kg_s = hose.opening = hose.fallen_mpa = 0.0
        hose.enter(HOLD, seconds)

    def _starve(self, hose: HoseUnit, tank: VehicleTank, dt_s: float, ambient_c: float) -> None:
        """No source gives anything: hold, and end the fill if that lasts."""
        hose.starved_s += dt_s
        hose.ramp_mpa = tank.pressure
        tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)
        if hose.starved_s >= E.starved_s:
            hose.finish("starved", HALT, E.settle_s)
        elif hose.state == FILL:
            self._pause(hose, 0.0)
        else:
            self._watch(hose, tank, dt_s, dt_s)


def _overlap(begin: float, end: float, first: float, last: float) -> float:
    """Return how much of [begin, end] lies within [first, last]."""
    return max(0.0, min(end, last) - max(begin, first))
