"""From messages to the snapshot that a forecast starts from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from api.forecast.gate import Gate
from api.forecast.hose_watch import HoseWatch
from api.forecast.learning import Learning
from api.forecast.measured import Measured
from api.forecast.priming import NEAR_MS, missing_kg, prime_down, prime_fills, prime_measured, prime_trailers
from api.forecast.snapshots import Known, snapshot_of
from api.forecast.stock_book import StockBook
from api.forecast.tags import BayTags, CapacityTags, ChillerTags, HoseTags, TrainTags, capacity_tags
from api.forecast.train_health import TrainHealth
from api.forecast.twins import TwinWatch
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot, Unserved
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.fill_ledger import FillLedger
from station.domain.learned import LearnedRow
from station.domain.plant import Plant, UnitKey
from station.domain.signals import UnitMessage
from station.domain.trailer_ledger import TrailerLedger
from station.ports import LearnedBook, ReadingStore

_KEEP_MS = 2 * 86_400_000
"""Fills, trucks and trailers are remembered for two days: those of a day that goes over midnight are still there."""

_BEFORE_MIDNIGHT_MS = 2 * 3_600_000
"""A fill of the station day may have begun before it."""

_WARM_UP_MS = 120_000
"""States come each minute: what has not been heard in two is missing."""

_TRIP, _FAULT = "trip", "fault"

Handler = Callable[[UnitMessage], None]


class CapacityInputs:
    """Everything that the forecast hears, kept as little as the next snapshot needs.

    Args:
        plant: The station.
        book: Where what it taught before is kept; None begins anew each time.
        keep: Where what it teaches goes at each full hour.
    """

    def __init__(
        self,
        plant: Plant,
        book: LearnedBook | None = None,
        keep: Callable[[Sequence[LearnedRow]], None] | None = None,
    ) -> None:
        self._plant = plant
        self._tags: CapacityTags = capacity_tags(plant)
        self._learning = Learning(plant, self._tags, book, keep)
        self._plans: dict[dt.date, DayPlan] = {}
        self._handlers = self._make_handlers()
        self.forget()

    def forget(self) -> None:
        """Forget all that was measured, for a station time that was set back; plans stay."""
        plant = self._plant
        self._measured = Measured(plant)
        self._fills = FillLedger(plant.fleet.mean_fill_kg)
        rules = CapacityParameters.of(plant.parameters)
        self._trailers = TrailerLedger(
            assumed=round(rules.yard_at_start), grace_ms=round(rules.no_dock_grace_min * 60_000)
        )
        self._gate = Gate()
        self._health = TrainHealth(plant, self._tags)
        self._stock = StockBook(plant, self._tags)
        self._twins = TwinWatch(plant, self._tags)
        self._hoses = HoseWatch(plant, self._tags)
        self._newest_ms: dict[UnitKey, int] = {}
        self._down_since_ms: dict[str, int] = {}
        self._event = False
        self._learning.forget()

    def _make_handlers(self) -> dict[UnitKey, Handler | None]:
        """Return what to do with each unit's messages besides keeping their values."""
        handlers: dict[UnitKey, Handler | None] = dict.fromkeys(self._tags.units)
        for bay in self._tags.bays:
            handlers["trailer", bay.unit] = self._bay_handler(bay)
        for train in self._tags.trains:
            handlers["compression", train.unit] = self._train_handler(train)
        for chiller in self._tags.chillers:
            handlers["cooling", chiller.unit] = self._chiller_handler(chiller)
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
            self._stock.observe(message, bay.flow)
            state = self._state(message, bay.state)
            if state is not None and self._trailers.bay(bay.unit, message.t_ms, state):
                self._event = True

        return handle

    def _train_handler(self, train: TrainTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            self._stock.observe(message, train.flow)
            self._out_of_order(message, train.state, _TRIP)

        return handle

    def _chiller_handler(self, chiller: ChillerTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            self._out_of_order(message, chiller.state, _TRIP)

        return handle

    def _out_of_order(self, message: UnitMessage, tag: str, name: str) -> None:
        """Note an event where a machine trips, and where it comes back: both change the picture."""
        number, before = message.values.get(tag), self._measured.value(tag)
        if number is None or before is None or number == before:
            return
        broken = self._plant.signals[tag].state_number(name)
        if broken in (number, before):
            self._event = True
        if broken == number:
            self._down_since_ms[tag] = message.t_ms

    def _hose_handler(self, hose: HoseTags) -> Handler:
        def handle(message: UnitMessage) -> None:
            total = message.values.get(hose.total)
            self._out_of_order(message, hose.state, _FAULT)
            if total is not None:
                self._fills.total(hose.unit, total)
            state = self._state(message, hose.state)
            if state is None:
                return
            t_ms = message.t_ms
            self._learning.hose(hose.unit, t_ms, state, self._gate.waiting)
            if self._fills.state(hose.unit, t_ms, state, lambda: self._lacking(hose, t_ms)):
                truck = self._gate.connected(t_ms)
                self._hoses.connected(hose.unit, t_ms, None if truck is None else truck.kg)

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
        for _ in range(self._gate.told(t_ms, waiting)):
            self._fills.came_back(t_ms)

    def recall(self, unserved: Sequence[Unserved]) -> None:
        """Take trucks of the day that left unserved before this start; no reading tells of them."""
        self._gate.recall(unserved)

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        """Take what happened on this station day before `at_ms` out of a store: fills, dockings, newest readings.

        What was known before, but for the plans, is forgotten: it is in the store.

        Raises:
            StoreUnavailableError: The store is away; the forecast starts from what is heard from now on.
        """
        day = self._plant.day_of(dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC))
        start_ms = round(self._plant.day_start(day).timestamp() * 1000) - _BEFORE_MIDNIGHT_MS
        # The line at the gate is in no store; those who connected are.
        gate = self._gate.without_arrivals()
        self.forget()
        self._gate = gate
        prime_measured(self._plant, store, self._tags, self._measured, at_ms)
        self._down_since_ms = prime_down(self._plant, store, self._tags, self._measured, at_ms - _KEEP_MS, at_ms)
        prime_trailers(self._plant, store, self._tags, self._trailers, at_ms)
        prime_fills(self._plant, store, self._tags, self._fills, self._gate, start_ms, at_ms)
        self._learning.prime(self._health, start_ms, at_ms)

    def keep_learned(self) -> None:
        """Give what is known now to be kept, at the end."""
        self._learning.keep_rows(self._health)

    def tick(self, at_ms: int) -> None:
        """Let a minute of station time pass: learn, forget what is old."""
        self._health.update(self._measured, at_ms)
        pairs = [[b.pressure_a, b.pressure_b] for b in self._tags.banks]
        trusted = [self._mean([tag for tag in pair if self._measured.is_fresh(tag, at_ms)]) for pair in pairs]
        self._stock.tick(self._measured, self._health, trusted, at_ms)
        self._twins.tick(self._measured, self._stock.gained_kg, at_ms)
        self._hoses.tick(self._measured, self._fills, at_ms)
        self._gate.settle(at_ms)
        self._learning.tick(self._known(), at_ms)
        self._fills.forget_before(at_ms - _KEEP_MS)
        self._gate.forget_before(at_ms - _KEEP_MS)

    def _mean(self, tags: Sequence[str]) -> float | None:
        values = [value for tag in tags if (value := self._measured.value(tag)) is not None]
        return sum(values) / len(values) if values else None

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
        return snapshot_of(self._known(), at_ms)

    def _known(self) -> Known:
        return Known(
            self._plant,
            self._tags,
            self._measured,
            self._fills,
            self._trailers,
            self._gate,
            self._health,
            self._stock,
            self._hoses,
            self._plans,
            self._down_since_ms,
            self._learning.learned,
        )
