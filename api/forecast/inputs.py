"""From messages to the snapshot that a forecast starts from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from api.forecast.gate import Gate
from api.forecast.measured import Measured
from api.forecast.priming import NEAR_MS, missing_kg, prime_fills, prime_measured, prime_trailers
from api.forecast.snapshots import Known, snapshot_of
from api.forecast.tags import BayTags, CapacityTags, HoseTags, TrainTags, capacity_tags
from api.forecast.train_health import TrainHealth
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.fill_ledger import FillLedger
from station.domain.plant import Plant, UnitKey
from station.domain.signals import UnitMessage
from station.domain.trailer_ledger import TrailerLedger
from station.ports import ReadingStore

_KEEP_MS = 2 * 86_400_000
"""Fills, trucks and trailers are remembered for two days: those of a day that goes over midnight are still there."""

_BEFORE_MIDNIGHT_MS = 2 * 3_600_000
"""A fill of the station day may have begun before it."""

_WARM_UP_MS = 120_000
"""States come each minute: what has not been heard in two is missing."""

_TRIP = "trip"

Handler = Callable[[UnitMessage], None]


class CapacityInputs:
    """Everything that the forecast hears, kept as little as the next snapshot needs.

    Args:
        plant: The station.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._tags: CapacityTags = capacity_tags(plant)
        self._plans: dict[dt.date, DayPlan] = {}
        self._handlers = self._make_handlers()
        self.forget()

    def forget(self) -> None:
        """Forget all that was measured, for a station time that was set back; plans stay."""
        plant = self._plant
        self._measured = Measured(plant)
        self._fills = FillLedger(plant.fleet.mean_fill_kg)
        self._trailers = TrailerLedger()
        self._gate = Gate()
        self._health = TrainHealth(plant, self._tags)
        self._newest_ms: dict[UnitKey, int] = {}
        self._event = False

    def _make_handlers(self) -> dict[UnitKey, Handler | None]:
        """Return what to do with each unit's messages besides keeping their values."""
        handlers: dict[UnitKey, Handler | None] = dict.fromkeys(self._tags.units)
        for bay in self._tags.bays:
            handlers["trailer", bay.unit] = self._bay_handler(bay)
        for train in self._tags.trains:
            handlers["compression", train.unit] = self._train_handler(train)
        for hose in self._tags.hoses:
            handlers["dispensing", hose.unit] = self._hose_handler(hose)
        handlers[self._plant.signals[self._tags.weighbridge].key] = self._weighbridge
        return handlers

    def observe(self, message: UnitMessage) -> None:
        """Take a message; one that is older than its unit's newest changes nothing."""
        key = (message.area, message.unit)
        if key not in self._handlers or message.t_ms < self._newest_ms.get(key, 0):
            return
        self._newest_ms[key] = message.t_ms
        handler = self._handlers[key]
        if handler is not None:
            handler(message)
        self._measured.observe(message)

    def _bay_handler(self, bay: BayTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            state = self._state(message, bay.state)
            if state is not None and self._trailers.bay(bay.unit, message.t_ms, state):
                self._event = True

        return handle

    def _train_handler(self, train: TrainTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            number = message.values.get(train.state)
            if number is None or number == self._measured.value(train.state):
                return
            # A trip changes the picture, and so does a train that comes back.
            before = self._measured.value(train.state)
            trip = self._plant.signals[train.state].state_number(_TRIP)
            if before is not None and trip in (number, before):
                self._event = True

        return handle

    def _hose_handler(self, hose: HoseTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            total = message.values.get(hose.total)
            if total is not None:
                self._fills.total(hose.unit, total)
            state = self._state(message, hose.state)
            if state is None:
                return
            t_ms = message.t_ms
            if self._fills.state(hose.unit, t_ms, state, lambda: self._lacking(hose, t_ms)):
                self._gate.connected(t_ms)

        return handle

    def _lacking(self, hose: HoseTags, t_ms: int) -> float:
        """Return what the truck that just ended lacks, by its last tank data; 0 where its link had gone silent."""
        current = self._fills.current(hose.unit)
        heard = self._measured.time_ms(hose.soc)
        soc, litres = self._measured.value(hose.soc), self._measured.value(hose.tank_volume)
        if current is None or heard is None or soc is None or litres is None:
            return 0.0
        if heard < max(current[0], t_ms - NEAR_MS):
            return 0.0
        return missing_kg(soc, litres, self._plant.fill.end_soc)

    def _weighbridge(self, message: UnitMessage) -> None:
        kg = message.values.get(self._tags.weighbridge)
        if kg is not None:
            self._trailers.bridge(message.t_ms, kg)

    def _state(self, message: UnitMessage, tag: str) -> str | None:
        number = message.values.get(tag)
        if number is None:
            return None
        states = self._plant.signals[tag].states
        return states[int(number)].en if 0 <= int(number) < len(states) else None

    def observe_plan(self, plan: DayPlan) -> None:
        """Take a day's plan; a changed one asks for a forecast."""
        if self._plans.get(plan.date) != plan:
            self._plans[plan.date] = plan
            self._event = True
        for day in sorted(self._plans)[:-16]:
            del self._plans[day]

    def observe_queue(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        """Take who waits at the gate."""
        self._gate.told(t_ms, waiting)

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        """Take what happened on this station day before `at_ms` out of a store: fills, dockings, newest readings.

        What was known before, but for the plans, is forgotten: it is in the store.

        Raises:
            StoreUnavailableError: The store is away; the forecast starts from what is heard from now on.
        """
        day = self._plant.day_of(dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC))
        start_ms = round(self._plant.day_start(day).timestamp() * 1000) - _BEFORE_MIDNIGHT_MS
        self.forget()
        prime_measured(self._plant, store, self._tags, self._measured, at_ms)
        prime_trailers(self._plant, store, self._tags, self._trailers, at_ms)
        prime_fills(self._plant, store, self._tags, self._fills, self._gate, start_ms, at_ms)

    def tick(self, at_ms: int) -> None:
        """Let a minute of station time pass: learn, forget what is old."""
        self._health.update(self._measured, at_ms)
        self._gate.settle(at_ms)
        self._fills.forget_before(at_ms - _KEEP_MS)
        self._gate.forget_before(at_ms - _KEEP_MS)

    def is_ready(self, at_ms: int) -> bool:
        """Return whether stocks and bays have been heard, or should have been by now; before, a forecast is made up."""
        first = self._measured.first_ms
        if first is None:
            return False
        basic = [*(b.pressure_a for b in self._tags.banks), *(b.state for b in self._tags.bays)]
        return at_ms - first > _WARM_UP_MS or all(self._measured.value(tag) is not None for tag in basic)

    def take_event(self) -> bool:
        """Return whether something has changed the picture since the last call."""
        event, self._event = self._event, False
        return event

    def snapshot(self, at_ms: int) -> StationSnapshot:
        """Return what is known at a moment of station time."""
        known = Known(
            self._plant,
            self._tags,
            self._measured,
            self._fills,
            self._trailers,
            self._gate,
            self._health,
            self._plans,
        )
        return snapshot_of(known, at_ms)
