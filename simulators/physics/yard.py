"""The gate for trailers: deliveries that are planned, late, ordered or called off; the yard; the weighbridge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.fleet import TrailerDraw
from simulators.physics.gas import Gas
from simulators.physics.vessel import Vessel
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Supply


@dataclass(frozen=True, slots=True)
class YardEstimates:
    """Trailers and what the station tells their supplier; see the file for units and reasons."""

    weighing_s: float
    tractor_and_tubes_kg: float
    full_yard: int
    notice_min: float
    on_call_lead_min: float
    on_call_fill: float
    least_fill: float
    inside_w_k_m3: float
    wall_j_k_m3: float
    outside_w_k_m3: float


_E = estimates("simulators.physics", "yard", YardEstimates)
_NOTICE_MS, _ON_CALL_LEAD_MS = round(_E.notice_min * 60_000), round(_E.on_call_lead_min * 60_000)
_EMPTY_K = 293.15


@dataclass(slots=True)
class Delivery:
    """One trailer's coming and going; times epoch ms; `eta_ms` is what the plan says now.

    Attributes:
        fill: Share of a full trailer's mass that it brings.
        held_ms, missing: What faults have added to its lateness, and taken from its fill.
    """

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
    held_ms: int = 0
    missing: float = 0.0

    @property
    def awaited(self) -> bool:
        """True while it is to come."""
        return not self.arrived and not self.called_off


@dataclass(slots=True)
class Trailer:
    """A trailer on the site and its gas."""

    id: str
    vessel: Vessel


class Yard:
    """Every trailer that is on its way, in the yard or gone.

    Attributes:
        yard: Trailers that wait for a bay, the first to be docked first.
        changes: Counts what the plan should tell.
        received_kg, received_j: Gas, and energy of gas and tubes, that came through the gate.
        returned_kg, returned_j: The same of what went back.
        owed_ms, owed_share: Faults that struck when no trailer was on its way: the next ones announced bear them.
    """

    YARD_STATE: tuple[str, ...] = (
        "changes",
        "received_kg",
        "received_j",
        "returned_kg",
        "returned_j",
        "gone_ambient_j",
        "weighbridge_kg",
        "weighing_s",
        "on_calls",
        "owed_ms",
        "owed_share",
    )

    def __init__(self, supply: Supply, gas: Gas, on_call: bool) -> None:
        self.supply, self.gas, self.on_call_allowed = supply, gas, on_call
        self.yard: list[Trailer] = []
        self.deliveries: list[Delivery] = []
        self.changes = self.on_calls = 0
        self.received_kg = self.received_j = self.returned_kg = self.returned_j = self.gone_ambient_j = 0.0
        self.weighbridge_kg, self.weighing_s = 0.0, 0.0
        self.owed_ms: list[int] = []
        self.owed_share: list[float] = []
        self._full_kg = supply.volume_m3 * hydrogen.density(
            supply.fill_pressure_mpa, supply.fill_temperature_c + KELVIN
        )
        self._empty_kg = supply.volume_m3 * hydrogen.density(supply.floor_mpa, _EMPTY_K)

    def new_trailer(self, name: str, kg: float, kelvin: float) -> Trailer:
        """Return a trailer holding `kg` at a temperature [K]."""
        v = self.supply.volume_m3
        vessel = Vessel(self.gas, v, _E.inside_w_k_m3 * v, _E.wall_j_k_m3 * v, _E.outside_w_k_m3 * v)
        vessel.set_state(kg, kelvin, kelvin)
        return Trailer(name, vessel)

    def full_kg(self, fill: float) -> float:
        """Return the gas of a trailer filled to a share of its full mass [kg]."""
        return self._full_kg * fill

    def usable(self, trailer: Trailer) -> float:
        """Return what a trailer still gives: down to an empty one's mass at 20 degC [kg]."""
        return max(0.0, trailer.vessel.mass - self._empty_kg)

    # ---- the plan

    def announce(self, draws: Sequence[TrailerDraw]) -> None:
        """Take a day's planned deliveries."""
        for draw in draws:
            self.deliveries.append(Delivery(draw.id, draw.eta_ms, draw.arrival_ms, draw.told_ms, draw.fill))
        while self.owed_ms and (delivery := self._next_on_time()) is not None:
            self._hold(delivery, self.owed_ms.pop(0))
        while self.owed_share and (delivery := self._next_in_full()) is not None:
            self._short(delivery, self.owed_share.pop(0))

    def redraw(self, draws: Sequence[TrailerDraw], t_ms: int) -> None:
        """Let planned deliveries that are still on their way come as another draw of the day says."""
        drawn = {draw.id: draw for draw in draws}
        for delivery in self.deliveries:
            draw = drawn.get(delivery.id)
            if draw is not None and delivery.awaited:
                delivery.eta_ms, delivery.told_ms = draw.eta_ms, draw.told_ms
                delivery.fill = max(_E.least_fill, draw.fill - delivery.missing)
                delivery.arrival_ms = max(draw.arrival_ms + delivery.held_ms, t_ms)

    def forget_before(self, t_ms: int) -> None:
        """Drop the records of trailers that left, or were called off, before a moment."""
        self.deliveries = [
            d
            for d in self.deliveries
            if (d.left_ms is None or d.left_ms >= t_ms) and not (d.called_off and d.eta_ms < t_ms)
        ]

    # ---- faults

    def delay_next(self, t_ms: int, by_ms: int) -> None:
        """Let the next trailer on its way come later, without a word.

        A second call while that one is still awaited strikes the next but one: two late trailers, not one later still.
        """
        delivery = self._next_on_time()
        if delivery is None:
            self.owed_ms.append(by_ms)
            return
        delivery.arrival_ms = max(delivery.arrival_ms, t_ms)
        self._hold(delivery, by_ms)

    def short_next(self, share: float) -> None:
        """Let the next trailer on its way bring less by a share (0..1) of a full one, without a word.

        A second call while that one is still awaited strikes the next but one.
        """
        delivery = self._next_in_full()
        if delivery is None:
            self.owed_share.append(share)
        else:
            self._short(delivery, share)

    def _next_on_time(self) -> Delivery | None:
        return min((d for d in self.deliveries if d.awaited and not d.held_ms), key=_by_arrival, default=None)

    def _next_in_full(self) -> Delivery | None:
        return min((d for d in self.deliveries if d.awaited and not d.missing), key=_by_arrival, default=None)

    @staticmethod
    def _hold(delivery: Delivery, by_ms: int) -> None:
        delivery.held_ms = by_ms
        delivery.arrival_ms += by_ms

    @staticmethod
    def _short(delivery: Delivery, share: float) -> None:
        delivery.missing = share
        delivery.fill = max(_E.least_fill, delivery.fill - share)

    # ---- time

    def due(self, t_ms: int, ambient_k: float) -> None:
        """Deal with everything that is due at a whole minute: arrivals, phone calls, orders, the yard's warmth."""
        for trailer in self.yard:
            trailer.vessel.advance(60.0, ambient_k)
        for delivery in self.deliveries:
            if not delivery.awaited:
                continue
            if delivery.told_ms is not None and t_ms >= delivery.told_ms:
                delivery.told_ms = None
                delivery.eta_ms = delivery.arrival_ms
                self.changes += 1
            if t_ms >= delivery.arrival_ms:
                self._arrive(delivery, ambient_k)
            elif len(self.yard) >= _E.full_yard and t_ms <= delivery.eta_ms - _NOTICE_MS < t_ms + 60_000:
                delivery.called_off = True
                self.changes += 1

    def order(self, t_ms: int, usable_kg: float) -> None:
        """Call one more trailer when the stock is below the mark and none is on its way soon."""
        if not self.on_call_allowed or usable_kg >= self.supply.on_call_below_kg:
            return
        soon = t_ms + _ON_CALL_LEAD_MS
        if any(d.awaited and d.eta_ms <= soon for d in self.deliveries):
            return
        self.on_calls += 1
        day = dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC)
        self.deliveries.append(Delivery(f"T{day:%y%m%d}-call-{self.on_calls}", soon, soon, None, _E.on_call_fill))
        self.changes += 1

    def weigh_on(self, dt_s: float) -> None:
        """Let the weighbridge fall free in time."""
        if self.weighing_s > 0.0:
            self.weighing_s -= dt_s
            if self.weighing_s <= 0.0:
                self.weighbridge_kg = 0.0

    def send_back(self, trailer: Trailer, t_ms: int) -> None:
        """Let a trailer leave the site, over the weighbridge."""
        delivery = self.delivery(trailer.id)
        delivery.returned_kg, delivery.left_ms = trailer.vessel.mass, t_ms
        self.returned_kg += trailer.vessel.mass
        self.returned_j += trailer.vessel.stored_j()
        self.gone_ambient_j += trailer.vessel.ambient_j
        self._weigh(trailer)

    def delivery(self, name: str) -> Delivery:
        """Return the record of a trailer by its name."""
        return next(delivery for delivery in self.deliveries if delivery.id == name)

    def _arrive(self, delivery: Delivery, ambient_k: float) -> None:
        delivery.arrived = True
        # Hours on the road have brought gas and tubes to the air's temperature; pressure follows from mass and that.
        trailer = self.new_trailer(delivery.id, self.full_kg(delivery.fill), ambient_k)
        delivery.received_kg = trailer.vessel.mass
        self.received_kg += trailer.vessel.mass
        self.received_j += trailer.vessel.stored_j()
        self.yard.append(trailer)
        self._weigh(trailer)

    def _weigh(self, trailer: Trailer) -> None:
        self.weighbridge_kg = _E.tractor_and_tubes_kg + trailer.vessel.mass
        self.weighing_s = _E.weighing_s


def _by_arrival(delivery: Delivery) -> int:
    return delivery.arrival_ms
