"""Tube trailers: deliveries, the yard, four cross-connected bays and the swap of an empty trailer for a full one.

Which trailer the compressors draw from: the richest while the banks run low, since flow falls with suction pressure.
While they do not, the poorest, so that one trailer after the other is emptied and swapped, instead of all at once.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.fleet import TrailerDraw
from simulators.physics.gas import Gas
from simulators.physics.roles import Role, of_unit
from simulators.physics.vessel import Vessel
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Supply

ABSENT, DOCKED, EARTHED, PURGING, OPEN, EMPTY = range(6)
"""Bay states in the order of the signal list."""

_SWAP_SHARES = {EMPTY: 10 / 60, ABSENT: 5 / 60, DOCKED: 10 / 60, EARTHED: 5 / 60, PURGING: 30 / 60}
"""Of the swap time: let the hose down and uncouple, shunt, chock, earth, leak test with purge and sample."""
_NEXT = {EMPTY: ABSENT, ABSENT: DOCKED, DOCKED: EARTHED, EARTHED: PURGING, PURGING: OPEN}

_HOSE_VENT_KG = 0.1
"""Let down through the vent stack at each uncoupling: 12 m of 25 mm hose and the bay's piping at 5 MPa, then purge."""
_WEIGHING_S = 300
_TRACTOR_AND_TUBES_KG = 38_600.0
"""Tractor, chassis and steel tubes on the weighbridge, without gas."""
_FULL_YARD = 5
"""Trailers in the yard at which the station calls a delivery off."""
_NOTICE_MS = 2 * 3_600_000
"""A delivery can be called off until two hours before its ETA: then it is loaded and on the road."""
_ON_CALL_LEAD_MS = 90 * 60_000
_EMPTY_K = 293.15

_BAY_ROLES = ("pressure", "temperature", "hose_pressure", "flow", "valve_open", "state")

# Per m3 of water volume: tubes of 0.56 m have 7.1 m2/m3, 40 W/(m2 K) inside, 8 outside; steel of 1.2 t/m3.
_INSIDE_W_K_M3, _WALL_J_K_M3, _OUTSIDE_W_K_M3 = 286.0, 0.56e6, 57.0


@dataclass(slots=True)
class Delivery:
    """One trailer's coming and going; times epoch ms; `eta_ms` is what the plan says now."""

    id: str
    eta_ms: int
    arrival_ms: int
    told_ms: int | None
    fill: float
    arrived: bool = False
    called_off: bool = False
    open_ms: int | None = None
    left_ms: int | None = None
    bay: str | None = None
    received_kg: float = 0.0
    returned_kg: float = 0.0


@dataclass(slots=True)
class Trailer:
    """A trailer on the site and its gas."""

    id: str
    vessel: Vessel


@dataclass(slots=True)
class Bay:
    """One unloading bay. `timer_s` is what is left of the present state; `taken_kg` of the present step."""

    unit: str
    state: int
    trailer: Trailer | None
    timer_s: float = 0.0
    taken_kg: float = 0.0
    flow_kg_h: float = 0.0
    feeds: bool = False


class SupplyYard:
    """All trailers of the station.

    `changes` counts what the plan should tell; `filter_factor` is the inlet filter's loss against a clean one's.
    """

    def __init__(self, supply: Supply, gas: Gas, on_call: bool) -> None:
        self.supply, self.gas, self.on_call_allowed = supply, gas, on_call
        self.bays = [Bay(unit, ABSENT, None) for unit in supply.bays]
        self.yard: list[Trailer] = []
        self.deliveries: list[Delivery] = []
        self.changes = 0
        self.received_kg = self.returned_kg = self.vented_kg = 0.0
        self.source: Bay | None = None
        self.weighbridge_kg, self.weighing_s = 0.0, 0.0
        self.header_mpa, self.header_k = supply.floor_mpa, 293.15
        self.on_calls = 0
        self.filter_factor = 1.0
        self._full_kg = supply.volume_m3 * hydrogen.density(
            supply.fill_pressure_mpa, supply.fill_temperature_c + KELVIN
        )

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *(role for bay in self.bays for role in of_unit("trailer", bay.unit, _BAY_ROLES)),
            ("trailer", "weighbridge", "mass"),
            *of_unit("trailer", "header-lp", ("pressure", "temperature", "filter_differential")),
        ]

    def record(self, row: list[float]) -> None:
        """Add the supply's part of a row."""
        for bay in self.bays:
            trailer = bay.trailer
            if trailer is None:
                row += (math.nan, math.nan, math.nan, math.nan, 0.0, bay.state)
                continue
            vessel = trailer.vessel
            hose_mpa = 0.1 if bay.state in (ABSENT, DOCKED, EARTHED) else vessel.pressure
            row += (vessel.pressure, vessel.kelvin - KELVIN, hose_mpa, bay.flow_kg_h, bay.feeds, bay.state)
        lost_kpa = filter_kpa(self.source.flow_kg_h) if self.source is not None else 2.0
        row += (self.weighbridge_kg, self.header_mpa, self.header_k - KELVIN, lost_kpa)

    def new_trailer(self, name: str, kg: float, kelvin: float) -> Trailer:
        """Return a trailer holding `kg` at a temperature [K]."""
        volume = self.supply.volume_m3
        vessel = Vessel(self.gas, volume, _INSIDE_W_K_M3 * volume, _WALL_J_K_M3 * volume, _OUTSIDE_W_K_M3 * volume)
        vessel.set_state(kg, kelvin, kelvin)
        return Trailer(name, vessel)

    def full_kg(self, fill: float) -> float:
        """Return the gas of a trailer filled to a share of its full mass [kg]."""
        return self._full_kg * fill

    def announce(self, draws: Sequence[TrailerDraw]) -> None:
        """Take a day's planned deliveries."""
        for draw in draws:
            self.deliveries.append(Delivery(draw.id, draw.eta_ms, draw.arrival_ms, draw.told_ms, draw.fill))

    def redraw(self, draws: Sequence[TrailerDraw], t_ms: int) -> None:
        """Let planned deliveries that are still on their way come as another draw of the day says."""
        drawn = {draw.id: draw for draw in draws}
        for delivery in self.deliveries:
            draw = drawn.get(delivery.id)
            if draw is not None and not delivery.arrived and not delivery.called_off:
                delivery.eta_ms, delivery.told_ms, delivery.fill = draw.eta_ms, draw.told_ms, draw.fill
                delivery.arrival_ms = max(draw.arrival_ms, t_ms)

    def forget_before(self, t_ms: int) -> None:
        """Drop the records of trailers that left, or were called off, before a moment."""
        self.deliveries = [
            d
            for d in self.deliveries
            if (d.left_ms is None or d.left_ms >= t_ms) and not (d.called_off and d.eta_ms < t_ms)
        ]

    def delay_next(self, t_ms: int, by_ms: int) -> None:
        """Let the next planned delivery come later, without a word."""
        waiting = [d for d in self.deliveries if not d.arrived and not d.called_off]
        if waiting:
            late = min(waiting, key=lambda d: d.arrival_ms)
            late.arrival_ms = max(late.arrival_ms, t_ms) + by_ms

    def short_next(self, share: float) -> None:
        """Let the next planned delivery bring less by a share (0..1) of a full trailer, without a word."""
        waiting = [d for d in self.deliveries if not d.arrived and not d.called_off]
        if waiting:
            short = min(waiting, key=lambda d: d.arrival_ms)
            short.fill = max(0.05, short.fill - share)

    def stock_kg(self) -> float:
        """Return the gas in all trailers on the site [kg]."""
        docked = [bay.trailer.vessel.mass for bay in self.bays if bay.trailer is not None]
        return sum(docked) + sum(trailer.vessel.mass for trailer in self.yard)

    def usable_kg(self) -> float:
        """Return what the trailers on the site still give: down to an empty one's mass at 20 degC [kg]."""
        left = self.supply.volume_m3 * hydrogen.density(self.supply.floor_mpa, _EMPTY_K)
        docked = [bay.trailer.vessel.mass for bay in self.bays if bay.trailer is not None and bay.state != EMPTY]
        return sum(max(0.0, kg - left) for kg in [*docked, *(trailer.vessel.mass for trailer in self.yard)])

    def due(self, t_ms: int, ambient_k: float) -> None:
        """Deal with everything that is due at a whole minute: arrivals, phone calls, orders."""
        for delivery in self.deliveries:
            if delivery.arrived or delivery.called_off:
                continue
            if delivery.told_ms is not None and t_ms >= delivery.told_ms:
                delivery.told_ms = None
                delivery.eta_ms = delivery.arrival_ms
                self.changes += 1
            if t_ms >= delivery.arrival_ms:
                self._arrive(delivery, ambient_k)
            elif len(self.yard) >= _FULL_YARD and t_ms < delivery.eta_ms - _NOTICE_MS < t_ms + 60_000:
                delivery.called_off = True
                self.changes += 1
        self._order(t_ms)

    def _arrive(self, delivery: Delivery, ambient_k: float) -> None:
        delivery.arrived = True
        trailer = self.new_trailer(delivery.id, self.full_kg(delivery.fill), ambient_k)
        delivery.received_kg = trailer.vessel.mass
        self.received_kg += trailer.vessel.mass
        self.yard.append(trailer)
        self._weigh(trailer)

    def _order(self, t_ms: int) -> None:
        """Call one more trailer when the stock is below the mark and none is on its way soon."""
        if not self.on_call_allowed or self.usable_kg() >= self.supply.on_call_below_kg:
            return
        soon = t_ms + _ON_CALL_LEAD_MS
        if any(not d.arrived and not d.called_off and d.eta_ms <= soon for d in self.deliveries):
            return
        self.on_calls += 1
        day = dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC)
        self.deliveries.append(Delivery(f"T{day:%y%m%d}-call-{self.on_calls}", soon, soon, None, 0.98))
        self.changes += 1

    def _weigh(self, trailer: Trailer) -> None:
        self.weighbridge_kg = _TRACTOR_AND_TUBES_KG + trailer.vessel.mass
        self.weighing_s = _WEIGHING_S

    def choose(self, banks_low: bool, shut: bool) -> None:
        """Choose the trailer that feeds the trains: once a minute, and at once when the present one gives no more."""
        floor = self.supply.floor_mpa
        usable = [bay for bay in self.bays if bay.state == OPEN and self._pressure(bay) > floor]
        if shut or not usable:
            self.source = None
        elif banks_low:
            self.source = max(usable, key=self._pressure)
        else:
            self.source = min(usable, key=self._pressure)

    @staticmethod
    def _pressure(bay: Bay) -> float:
        return bay.trailer.vessel.pressure if bay.trailer is not None else 0.0

    def source_gives(self) -> bool:
        """Return True while the chosen trailer can feed the trains."""
        source = self.source
        return source is not None and source.state == OPEN and self._pressure(source) > self.supply.floor_mpa

    def direct_source(self, above_mpa: float) -> int:
        """Return the number of the poorest open bay above a pressure [MPa] for a direct fill, -1 if none is."""
        best, lowest = -1, 1e9
        for number, bay in enumerate(self.bays):
            if bay.state == OPEN and bay.trailer is not None:
                pressure = bay.trailer.vessel.pressure
                if above_mpa < pressure < lowest and pressure > self.supply.floor_mpa:
                    best, lowest = number, pressure
        return best

    def advance(self, t_ms: int, dt_s: float, ambient_k: float) -> None:
        """Go one step on: book what was drawn, run the swaps."""
        if self.weighing_s > 0.0:
            self.weighing_s -= dt_s
            if self.weighing_s <= 0.0:
                self.weighbridge_kg = 0.0
        for bay in self.bays:
            trailer = bay.trailer
            if trailer is not None:
                bay.feeds = bay.taken_kg > 0.0
                # The meter's own smoothing of some seconds, as every Coriolis meter has.
                bay.flow_kg_h += (bay.taken_kg * 3600.0 / dt_s - bay.flow_kg_h) * min(1.0, dt_s / 3.0)
                if bay.taken_kg:
                    trailer.vessel.take(bay.taken_kg)
                    bay.taken_kg = 0.0
                trailer.vessel.advance(dt_s, ambient_k)
            if bay.state != OPEN:
                self._swap(bay, t_ms, dt_s)
            elif self._pressure(bay) <= self.supply.floor_mpa:
                bay.state, bay.timer_s, bay.flow_kg_h, bay.feeds = EMPTY, 0.0, 0.0, False
        self._header(dt_s, ambient_k)

    def _swap(self, bay: Bay, t_ms: int, dt_s: float) -> None:
        if bay.timer_s <= 0.0:
            # An empty trailer, or an empty bay, waits until the yard has a full one.
            if bay.state in (EMPTY, ABSENT) and not self._reserve():
                return
            bay.timer_s = _SWAP_SHARES[bay.state] * self.supply.swap.total_seconds()
        bay.timer_s -= dt_s
        if bay.timer_s > 0.0:
            return
        state = bay.state
        if state == EMPTY:
            self._send_back(bay, t_ms)
        bay.state = _NEXT[state]
        if bay.state == DOCKED:
            bay.trailer = self.yard.pop(0)
            self._delivery(bay.trailer.id).bay = bay.unit
        if bay.state == OPEN:
            assert bay.trailer is not None
            self._delivery(bay.trailer.id).open_ms = t_ms
        else:
            bay.timer_s = _SWAP_SHARES[bay.state] * self.supply.swap.total_seconds()

    def _reserve(self) -> bool:
        """Return True while the yard has a trailer that no bay in its swap waits for."""
        swapping = sum(1 for bay in self.bays if bay.state in (EMPTY, ABSENT) and bay.timer_s > 0.0)
        return len(self.yard) > swapping

    def _send_back(self, bay: Bay, t_ms: int) -> None:
        trailer = bay.trailer
        assert trailer is not None
        delivery = self._delivery(trailer.id)
        self.vented_kg += _HOSE_VENT_KG
        delivery.returned_kg = trailer.vessel.mass - _HOSE_VENT_KG
        delivery.left_ms = t_ms
        self.returned_kg += delivery.returned_kg
        self._weigh(trailer)
        bay.trailer = None

    def _delivery(self, name: str) -> Delivery:
        return next(delivery for delivery in self.deliveries if delivery.id == name)

    def _header(self, dt_s: float, ambient_k: float) -> None:
        share = min(1.0, dt_s / 10.0)
        source = self.source
        if source is not None and source.trailer is not None and source.state == OPEN:
            loss = filter_kpa(source.flow_kg_h) / 1000.0
            goal_mpa, goal_k = source.trailer.vessel.pressure - loss, source.trailer.vessel.kelvin
            self.header_mpa += (goal_mpa - self.header_mpa) * share
            if source.feeds:
                self.header_k += (goal_k - self.header_k) * share * 0.2
                return
        self.header_k += (ambient_k - self.header_k) * min(1.0, dt_s / 1800.0)


def filter_kpa(flow_kg_h: float) -> float:
    """Return the pressure loss of the inlet filter [kPa] at a flow [kg/h]."""
    return 2.0 + 10.0 * (flow_kg_h / 440.0) ** 2
