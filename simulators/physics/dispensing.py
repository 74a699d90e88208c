"""Hoses and fills: the gate, the fill sequence, the choice of the source, the way of the gas into a truck."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.block import SHORT_KG
from simulators.fleet import TruckDraw
from simulators.physics.cooling import Cooling
from simulators.physics.gas import Gas
from simulators.physics.roles import Role, of_unit
from simulators.physics.storage import Cascade
from simulators.physics.supply import OPEN as BAY_OPEN
from simulators.physics.supply import SupplyYard
from simulators.physics.tank import VehicleTank
from simulators.physics.vessel import Vessel
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import FillRules, Hose, Plant

IDLE, CONNECT, LEAK_CHECK, FILL, HOLD, END, ABORT, FAULT = range(8)
"""Fill states in the order of the signal list."""
DYNAMIC, STATIC, HALT, ABORT_COMMAND, NO_COMMAND = range(5)
"""The vehicle's fill commands in the order of the signal list."""

NO_SOURCE, FIRST_BAY = -1, 100
"""Sources of a fill: a bank by its number, a bay by FIRST_BAY + its number."""

_HOSE_ROLES = ("pressure", "delivery_temperature", "flow", "total", "ramp_output", "state")
_VEHICLE_ROLES = ("pressure", "temperature", "tank_volume", "command", "soc")
_NO_VEHICLE = (math.nan,) * len(_VEHICLE_ROLES)
_LEFT_VEHICLE = (math.nan, math.nan, math.nan, float(NO_COMMAND), math.nan)

_BEFORE = 0.45
"""Share of the handling time before the fill: drive up, earth, connect; the rest is uncouple, pay, leave."""
_LEAK_CHECK_S = 15.0
_PAUSE_S, _PAUSE_EVERY_MPA = 6.0, 15.0
"""A fill pauses for a leak check each 15 MPa."""
_PULSE_MPA = 0.6
_SETTLE_S = 5.0
"""Flow off before the end of a fill, while the reading settles."""
_STARVED_S = 1200.0
"""A fill without a source ends, short, after this long."""
_TRICKLE_KG_S = 0.003
"""Less flow than this is none."""
_FULL_FLOW = 0.98
"""Of the nozzle's limit: what the flow controller keeps to."""
_CV = 8.5e-3
"""kg/s per sqrt(MPa kg/m3): 60 g/s at the source margin of 2.5 MPa from 20 kg/m3."""
_NOZZLE_LOSS_MPA, _LOSS_AT_KG_S = 0.35, 0.060
_IDLE_MPA = 0.1
_LINE_M3 = 0.004
"""From the source's valve to the meter, which sits at the hose: packed at each fill, let down after it."""
_DIRECT_FILLS = 2
"""Hoses that the direct line carries at once."""
_HEATING = 1.10
"""A fill's pressure rises this much quicker than at constant temperature."""
_CORRECT_S = 6.0
_LAST_MPA = 42.0
"""A fill ends here in any case: below the nozzle's high alarm."""
_HOT_C = 75.0
"""Above this gas temperature the ramp is halved."""
_NO_COOLING_C = -12.0
"""Brine warmer than this counts as no cooling: the slower ramp."""
_JOULE_THOMSON_K_MPA = 0.42
"""Heating by throttling, mean of 0.35..0.47 K/MPa between 10 and 45 MPa."""
_APPROACH = 0.068
"""Share of the temperature difference left after the precooler at 50 g/s."""
_GATE_SHUT, _GATE_OPEN = 0.875, 0.915
"""Of the high bank's working pressure: below 39.4 MPa nobody is called to a hose, above 41.2 MPa again."""
_BETWEEN_S = 20.0
"""A hose stands free this long between two trucks."""


@dataclass(slots=True)
class TruckVisit:
    """One truck's way through the station; times epoch ms."""

    draw: TruckDraw
    asked_kg: float = 0.0
    start_ms: int | None = None
    end_ms: int | None = None
    delivered_kg: float = 0.0
    hose: str | None = None
    outcome: str = "waiting"


class HoseUnit:
    """One hose: its state, the truck on it, what it reads.

    Faults set `leak_mm` (hole in the cabinet), `ir_lost` and `meter_error` (share by which the meter counts too much).
    """

    __slots__ = (
        "closing",
        "command",
        "delivery_c",
        "ending",
        "flow_kg_s",
        "ir_lost",
        "leak_mm",
        "line_kg",
        "max_kg_s",
        "meter_error",
        "next_pause_mpa",
        "nozzle_mpa",
        "opening",
        "ramp_mpa",
        "source",
        "spec",
        "starved_s",
        "state",
        "tank",
        "timer_s",
        "total_kg",
        "visit",
    )

    STATE = tuple(n for n in __slots__ if n not in {"spec", "tank", "visit", "max_kg_s"})

    def __init__(self, spec: Hose, total_kg: float) -> None:
        self.spec, self.max_kg_s = spec, spec.max_flow_g_s / 1000.0 * _FULL_FLOW
        self.state, self.timer_s, self.total_kg = IDLE, -_BETWEEN_S, total_kg
        self.visit: TruckVisit | None = None
        self.tank: VehicleTank | None = None
        self.flow_kg_s = self.line_kg = self.ramp_mpa = self.next_pause_mpa = self.starved_s = self.opening = 0.0
        self.nozzle_mpa, self.delivery_c = _IDLE_MPA, 20.0
        self.source, self.command = NO_SOURCE, NO_COMMAND
        self.ending = self.closing = self.ir_lost = False
        self.leak_mm = self.meter_error = 0.0

    def enter(self, state: int, seconds: float = 0.0) -> None:
        """Change the state; `seconds` is how long it lasts where time ends it."""
        self.closing = LEAK_CHECK <= self.state <= HOLD and not LEAK_CHECK <= state <= HOLD
        self.state, self.timer_s = state, seconds


class Dispensing:
    """Gate and hoses. `dispensed_kg` went into vehicles, `vented_kg` through the vent stack."""

    def __init__(
        self,
        plant: Plant,
        gas: Gas,
        totals: Sequence[float],
        supply: SupplyYard,
        cascade: Cascade,
        cooling: Cooling,
    ) -> None:
        self.gas, self.rules = gas, plant.fill
        self.supply, self.cascade, self.cooling = supply, cascade, cooling
        self.patience_ms = int(plant.fleet.patience.total_seconds() * 1000)
        self.hoses = [HoseUnit(spec, total) for spec, total in zip(plant.hoses, totals, strict=True)]
        self.draw_order = sorted(range(len(cascade.banks)), key=lambda n: cascade.banks[n].spec.draw_rank)
        self.coming: deque[TruckVisit] = deque()
        self.gate: deque[TruckVisit] = deque()
        self.visits: list[TruckVisit] = []
        self.dispensed_kg = self.vented_kg = 0.0
        self.fills_ended = 0
        self.gate_open = True
        self.direct = 0

    def expect(self, draws: Sequence[TruckDraw], from_ms: int) -> None:
        """Take a day's trucks; those that came before `from_ms` are not this run's."""
        visits = [TruckVisit(draw) for draw in draws if draw.arrival_ms >= from_ms]
        self.coming.extend(sorted(visits, key=lambda visit: (visit.draw.arrival_ms, visit.draw.id)))

    def forget_before(self, t_ms: int) -> None:
        """Drop the records of trucks that left before a moment."""
        self.visits = [visit for visit in self.visits if visit.end_ms is None or visit.end_ms >= t_ms]

    def line_stock_kg(self) -> float:
        """Return the gas packed in the hose lines [kg]."""
        return sum(hose.line_kg for hose in self.hoses)

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        roles: list[Role] = []
        for hose in self.hoses:
            roles += of_unit("dispensing", hose.spec.unit, _HOSE_ROLES)
            roles += of_unit("vehicle", hose.spec.unit, _VEHICLE_ROLES)
        return roles

    def record(self, row: list[float]) -> None:
        """Add the hoses' and vehicles' part of a row."""
        for hose in self.hoses:
            row += (
                hose.nozzle_mpa,
                hose.delivery_c,
                hose.flow_kg_s * 1000.0,
                hose.total_kg,
                hose.opening,
                hose.state,
            )
            tank = hose.tank
            if tank is not None and LEAK_CHECK <= hose.state <= HOLD:
                soc = tank.density * (100.0 / H35_REFERENCE_KG_M3)
                row += (tank.pressure, tank.kelvin - KELVIN, tank.volume * 1000.0, hose.command, soc)
            else:
                row += _LEFT_VEHICLE if hose.closing else _NO_VEHICLE

    def advance(self, t_ms: int, dt_s: float, ambient_c: float, esd: bool) -> None:
        """Go one step on."""
        self._gate(t_ms, esd)
        self.direct = sum(1 for hose in self.hoses if hose.source >= FIRST_BAY)
        for hose in self.hoses:
            hose.closing = False
            if hose.state == IDLE:
                self._idle(hose, t_ms, dt_s, ambient_c, esd)
            elif esd:
                self._stop(hose)
            else:
                self._sequence(hose, t_ms, dt_s, ambient_c)
            if hose.nozzle_mpa > _IDLE_MPA and hose.state in (END, ABORT):
                self._let_down(hose, dt_s)

    def _gate(self, t_ms: int, esd: bool) -> None:
        coming = self.coming
        while coming and coming[0].draw.arrival_ms <= t_ms:
            visit = coming.popleft()
            full_kg = visit.draw.tanks * visit.draw.tank_litres / 1000.0 * H35_REFERENCE_KG_M3
            visit.asked_kg = full_kg * (self.rules.end_soc - visit.draw.soc)
            self.gate.append(visit)
            self.visits.append(visit)
        while self.gate and t_ms - self.gate[0].draw.arrival_ms >= self.patience_ms:
            gone = self.gate.popleft()
            gone.end_ms, gone.outcome = t_ms, "gone"
        top = self.cascade.by_recharge[0]
        share = top.vessel.pressure / top.spec.working_mpa
        self.gate_open = not esd and share > (_GATE_SHUT if self.gate_open else _GATE_OPEN)

    def _idle(self, hose: HoseUnit, t_ms: int, dt_s: float, ambient_c: float, esd: bool) -> None:
        hose.timer_s += dt_s
        hose.delivery_c += (ambient_c - hose.delivery_c) * min(1.0, dt_s / 900.0)
        if esd or not self.gate or not self.gate_open or hose.timer_s < 0.0:
            return
        # The hose that has been free for longest takes the truck, so that all wear alike.
        if any(other.state == IDLE and other.timer_s > hose.timer_s for other in self.hoses):
            return
        visit = self.gate.popleft()
        draw = visit.draw
        tank = VehicleTank(self.gas, draw.tanks, draw.tank_litres)
        tank.set_state(draw.soc * H35_REFERENCE_KG_M3 * tank.volume, ambient_c + draw.warmer_k + KELVIN)
        visit.start_ms, visit.hose, visit.outcome = t_ms, hose.spec.unit, "filling"
        hose.visit, hose.tank = visit, tank
        hose.starved_s, hose.ending = 0.0, False
        hose.enter(CONNECT, _BEFORE * draw.handling_s)

    def _stop(self, hose: HoseUnit) -> None:
        """Emergency shut-down: valves closed, line let down; the truck stays where it is."""
        hose.flow_kg_s = hose.opening = 0.0
        hose.source = NO_SOURCE
        if CONNECT < hose.state < END:
            hose.enter(ABORT)

    def _sequence(self, hose: HoseUnit, t_ms: int, dt_s: float, ambient_c: float) -> None:
        state = hose.state
        if state == FILL or (state == HOLD and hose.timer_s <= 0.0):
            self._fill(hose, dt_s, ambient_c)
            return
        hose.timer_s -= dt_s
        hose.delivery_c += (ambient_c - hose.delivery_c) * min(1.0, dt_s / 900.0)
        tank = hose.tank
        assert tank is not None
        if state in (LEAK_CHECK, HOLD):
            tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)
        if state == LEAK_CHECK:
            hose.nozzle_mpa = tank.pressure + _PULSE_MPA * max(0.0, hose.timer_s) / _LEAK_CHECK_S
        if hose.timer_s <= 0.0 or state == ABORT:
            self._next(hose, tank, t_ms)

    def _next(self, hose: HoseUnit, tank: VehicleTank, t_ms: int) -> None:
        """Leave a state that time ends."""
        state = hose.state
        if state == CONNECT:
            hose.command = DYNAMIC
            self._pack(hose, tank)
            hose.nozzle_mpa = tank.pressure + _PULSE_MPA
            hose.enter(LEAK_CHECK, _LEAK_CHECK_S)
        elif state == LEAK_CHECK:
            hose.ramp_mpa, hose.next_pause_mpa = tank.pressure, tank.pressure + _PAUSE_EVERY_MPA
            hose.enter(FILL)
        elif state == HOLD:
            if hose.ending:
                self._end(hose, t_ms)
            else:
                hose.command = DYNAMIC
                hose.ramp_mpa = tank.pressure
                hose.enter(FILL)
        elif state == ABORT:
            # After the shut-down the truck is earthed and connected again and gets the rest.
            hose.enter(CONNECT, 60.0)
        else:
            hose.visit = hose.tank = None
            hose.enter(IDLE, -_BETWEEN_S)

    def _pack(self, hose: HoseUnit, tank: VehicleTank) -> None:
        """Fill the line up to the tank's pressure, from the bank that the next part of the fill would use."""
        bank = min(self.cascade.banks, key=lambda b: (b.vessel.pressure <= tank.pressure + 1.0, b.vessel.pressure))
        need = _LINE_M3 * tank.density * 1.1 - hose.line_kg
        if need > 0.0 and bank.vessel.pressure > tank.pressure:
            bank.vessel.take(need)
            hose.line_kg += need

    def _end(self, hose: HoseUnit, t_ms: int) -> None:
        visit = hose.visit
        assert visit is not None
        visit.end_ms = t_ms
        visit.outcome = "short" if visit.asked_kg - visit.delivered_kg > SHORT_KG else "full"
        self.fills_ended += 1
        hose.source = NO_SOURCE
        hose.enter(END, (1.0 - _BEFORE) * visit.draw.handling_s)

    def _let_down(self, hose: HoseUnit, dt_s: float) -> None:
        if hose.line_kg:
            self.vented_kg += hose.line_kg
            hose.line_kg = 0.0
        hose.nozzle_mpa = max(_IDLE_MPA, hose.nozzle_mpa * math.exp(-dt_s / 4.0) - 0.01)

    def _fill(self, hose: HoseUnit, dt_s: float, ambient_c: float) -> None:
        tank, visit, rules = hose.tank, hose.visit, self.rules
        assert tank is not None
        assert visit is not None
        left_kg = rules.end_soc * H35_REFERENCE_KG_M3 * tank.volume - tank.mass
        if left_kg <= 1e-9 or tank.kelvin >= rules.stop_temperature_c + KELVIN or tank.pressure >= _LAST_MPA:
            self._close(hose)
            return
        source = self._source(hose, tank.pressure)
        possible = 0.0
        if source is not None and source.pressure > tank.pressure:
            possible = _CV * math.sqrt((source.pressure - tank.pressure) * source.density)
        if source is None or possible < _TRICKLE_KG_S:
            self._starve(hose, tank, dt_s, ambient_c)
            return
        goal = min(self._wanted_kg_s(hose, tank, dt_s), possible, hose.max_kg_s)
        flow = hose.flow_kg_s + (goal - hose.flow_kg_s) * min(1.0, dt_s / 2.0)
        flow = hose.flow_kg_s = min(flow, possible, left_kg / dt_s)
        hose.opening = min(100.0, 4.0 + 90.0 * flow / possible)
        if hose.state == HOLD:
            hose.command = DYNAMIC
            hose.enter(FILL)
        hose.starved_s = 0.0
        self._move(hose, tank, source, flow * dt_s, dt_s, ambient_c)
        visit.delivered_kg += flow * dt_s
        if tank.pressure >= hose.next_pause_mpa:
            hose.next_pause_mpa += _PAUSE_EVERY_MPA
            hose.flow_kg_s = hose.opening = 0.0
            hose.command = HALT
            hose.enter(HOLD, _PAUSE_S)

    def _close(self, hose: HoseUnit) -> None:
        hose.flow_kg_s = hose.opening = 0.0
        hose.ending, hose.command = True, HALT
        hose.source = NO_SOURCE
        hose.enter(HOLD, _SETTLE_S)

    def _starve(self, hose: HoseUnit, tank: VehicleTank, dt_s: float, ambient_c: float) -> None:
        """No source gives anything: hold, and end the fill if that lasts."""
        hose.flow_kg_s = hose.opening = 0.0
        hose.starved_s += dt_s
        hose.ramp_mpa = tank.pressure
        tank.advance(0.0, 0.0, dt_s, ambient_c + KELVIN)
        if hose.starved_s >= _STARVED_S:
            self._close(hose)
        elif hose.state == FILL:
            hose.command = HALT
            hose.enter(HOLD)

    def _wanted_kg_s(self, hose: HoseUnit, tank: VehicleTank, dt_s: float) -> float:
        """Return the flow that follows the pressure ramp [kg/s]."""
        rules: FillRules = self.rules
        ramp = rules.ramp_cooled_mpa_min if self.cooling.brine_c < _NO_COOLING_C else rules.ramp_uncooled_mpa_min
        if tank.kelvin > _HOT_C + KELVIN:
            ramp *= 0.5
        ramp /= 60.0
        hose.ramp_mpa = min(hose.ramp_mpa + ramp * dt_s, tank.pressure + 0.5 + ramp * dt_s)
        rise = ramp + (hose.ramp_mpa - ramp * dt_s - tank.pressure) / max(_CORRECT_S, dt_s)
        return max(0.0, tank.volume * rise / (tank.stiffness() * _HEATING))

    def _source(self, hose: HoseUnit, tank_mpa: float) -> Vessel | None:
        """Return the vessel to draw from: the first that is the margin above the tank, kept while it stays so."""
        least = tank_mpa + self.rules.source_margin_mpa
        kept = self._vessel(hose.source)
        if kept is not None and kept.pressure > least:
            return kept
        if hose.source >= FIRST_BAY:
            self.direct -= 1
        hose.source = NO_SOURCE
        if self.direct < _DIRECT_FILLS and (bay := self.supply.direct_source(least + 0.2)) >= 0:
            hose.source = FIRST_BAY + bay
            self.direct += 1
            return self._vessel(hose.source)
        # By rank, not by pressure: the high bank is spared for the end of fills even while it is being recharged.
        best, last, highest = NO_SOURCE, NO_SOURCE, tank_mpa
        for number in self.draw_order:
            bank = self.cascade.banks[number]
            pressure = bank.vessel.pressure
            if pressure <= bank.floor_mpa:
                continue
            if pressure > least:
                best = number
                break
            if pressure > highest:
                last, highest = number, pressure
        hose.source = best if best != NO_SOURCE else last
        return self._vessel(hose.source)

    def _vessel(self, source: int) -> Vessel | None:
        """Return the vessel of a source, None where it gives nothing now."""
        if source == NO_SOURCE:
            return None
        if source >= FIRST_BAY:
            bay = self.supply.bays[source - FIRST_BAY]
            return bay.trailer.vessel if bay.trailer is not None and bay.state == BAY_OPEN else None
        bank = self.cascade.banks[source]
        return bank.vessel if bank.vessel.pressure > bank.floor_mpa else None

    def _move(
        self, hose: HoseUnit, tank: VehicleTank, source: Vessel, kg: float, dt_s: float, ambient_c: float
    ) -> None:
        """Move gas from the source through precooler and meter into the tank, and let the line's pack follow."""
        flow, cooling = kg / dt_s, self.cooling
        hose.nozzle_mpa = tank.pressure + _NOZZLE_LOSS_MPA * (flow / _LOSS_AT_KG_S) ** 2
        throttled_c = source.kelvin - KELVIN + _JOULE_THOMSON_K_MPA * (source.pressure - hose.nozzle_mpa)
        left = _APPROACH * (flow / 0.050) ** 0.3
        goal_c = cooling.brine_c + (throttled_c - cooling.brine_c) * left
        hose.delivery_c += (goal_c - hose.delivery_c) * min(1.0, dt_s / 12.0)
        enthalpy = self.gas.enthalpy(hose.nozzle_mpa, hose.delivery_c + KELVIN)
        cooling.heat_j += kg * (source.enthalpy - enthalpy)
        tank.advance(kg, enthalpy, dt_s, ambient_c + KELVIN)
        hose.total_kg += kg
        self.dispensed_kg += kg
        packed = max(0.0, _LINE_M3 * tank.density * 1.1 - hose.line_kg)
        hose.line_kg += packed
        if hose.source >= FIRST_BAY:
            self.supply.bays[hose.source - FIRST_BAY].taken_kg += kg + packed
        else:
            source.take(kg + packed)
