"""The live core of one station: every message goes through here once, and alarms, forecast and stream come out.

It runs in whichever thread brings the messages, under one lock; the ticker brings the time when no message comes. It
has no thread of its own, so that a test drives it in virtual time, message by message.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import structlog

from api.alarms.engine import AlarmEngine
from api.forecast.priming import newest_until
from api.live.capacity import LiveCapacity
from api.live.gateways import Gateways
from api.live.latest import LatestValues
from api.live.outbox import Outbox
from api.live.plans import LivePlans
from api.live.service_points import ChangeTimes, alarm_point
from api.live.spools import Spools
from api.live.station_time import SET_BACK_MS, FollowedStationTime, WallStationTime
from api.live.told import plan_point, queue_point
from api.stream import READINGS, StreamHub
from station.domain.alarm_views import AlarmView, alarm_view_json
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant, UnitKey
from station.domain.signals import UnitMessage
from station.errors import PayloadError, TransientError
from station.ports import ReadingStore, ServicePoint
from station.wire.admission import Admission
from station.wire.json_v1 import encode
from station.wire.plan_v1 import parse_clock, parse_gate_queue, parse_gateway, parse_ingest

T = TypeVar("T")
_encoder: Final = msgspec.json.Encoder()
_RESERVED: Final = frozenset({"clock", "plan", "queue", "gateway", "ingest"})
_OTHER_TIME_MS: Final = 10_000
"""A first word of the clock within this of the wall names no other time; a later one may be `SET_BACK_MS` away."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LiveParts:
    """What a live station is put together from; the composition root makes them.

    Attributes:
        admission: Refuses what ingest refuses, by the same rules.
        alarms: The alarm engine, restored from its journal.
        capacity: Forecasts and their alerts.
        plans: The day plans, by MQTT and by PUT.
        time: Station time: the clock's, or the messages'.
        points: Where `alarms`, `capacity`, `plan` and `queue` points go.
    """

    admission: Admission
    alarms: AlarmEngine
    capacity: LiveCapacity
    plans: LivePlans
    time: WallStationTime | FollowedStationTime
    points: Outbox[ServicePoint]


class LiveStation:
    """One station, live.

    Args:
        plant: The station file.
        parts: What it works with.
    """

    def __init__(self, plant: Plant, parts: LiveParts) -> None:
        self.plant = plant
        self.latest = LatestValues()
        self.hub = StreamHub(self.latest.whole_state, self.latest.take_changes)
        self.gateways = Gateways()
        self.spools = Spools()
        self.plans = parts.plans
        self.capacity = parts.capacity
        self.alarms = parts.alarms
        self.received = 0
        self.failures = 0
        self.refused: Counter[str] = Counter()
        self.numbered: set[UnitKey] = set()
        """Units whose messages carry a sequence number, so that what is missing is known."""
        self._parts = parts
        self._time = parts.time
        self._change_times = ChangeTimes()
        self.foreign_alerts: dict[str, object] = {}
        self.alarm_listeners: list[Callable[[AlarmView], None]] = []
        self._primed_from: ReadingStore | None = None
        self._other_time_ms = _OTHER_TIME_MS
        self._lock = threading.RLock()

    @property
    def now_ms(self) -> int:
        """Station time, epoch ms."""
        return self._time.now_ms

    @property
    def speed(self) -> float:
        """Station seconds per wall second."""
        return self._time.clock.speed()

    @property
    def points_waiting(self) -> int:
        """Points of alarms and forecasts that the store has not taken yet."""
        return self._parts.points.waiting

    @property
    def is_simulated(self) -> bool:
        """Whether any gateway says that its data are simulated."""
        return self.gateways.any_simulated

    def prime(self, store: ReadingStore) -> None:
        """Take what was known before this start: newest readings, today's fills, the plans of the days around now.

        Raises:
            TransientError: The store or the journal is away; the station works without, and knows less.
        """
        with self._lock:
            self._primed_from = store
            now_ms = self.now_ms
            today = self.plant.day_of(dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC))
            for plan in self.plans.prime(today):
                self.capacity.observe_plan(plan)
            readings = newest_until(store, self.plant.id, list(self.plant.signals), now_ms)
            self.latest.prime(readings)
            self.alarms.prime(readings)
            self.capacity.prime(store, now_ms)

    def on_messages(self, batch: Sequence[tuple[str, bytes]]) -> None:
        """Take a batch of (topic, payload) of this station, in the order sent."""
        with self._lock:
            # One write to the disk for all of them: in a flood, what came during the last write is in the next.
            with self.alarms.together():
                for topic, payload in batch:
                    self._take_safely(topic, payload)
            self._tell_alarms()
            if self.speed != 1.0:
                self.capacity.wait_for_worker()
            self._collect()

    def tick(self) -> None:
        """Let time pass when nothing arrives: delays, stale signals, forecasts that have been finished."""
        with self._lock:
            self._time.tick()
            self._advance()
            self._collect()

    def put_plan(self, plan: DayPlan) -> None:
        """Take a plan that came by PUT."""
        with self._lock:
            self.plans.put(plan)
            self._take_plan(plan)

    def act(self, do: Callable[[AlarmEngine, int], T]) -> T:
        """Do an operator's act on the alarms at the present station time, and tell everybody what it changed."""
        with self._lock:
            try:
                return do(self.alarms, self.now_ms)
            finally:
                self._tell_alarms()

    def _take_safely(self, topic: str, payload: bytes) -> None:
        try:
            self._take(topic, payload)
        except Exception:  # noqa: BLE001 - the supervisor of messages: one that breaks us must not stall those behind
            self.failures += 1
            _log.exception("message broke the live core", topic=topic[:120], payload=payload[:500])

    def _take(self, topic: str, payload: bytes) -> None:
        self.received += 1
        parts = topic.split("/")
        if len(parts) > 3 and parts[3] in _RESERVED:
            self._take_reserved(parts, payload)
            return
        admitted = self._parts.admission.admit(topic, payload, self._time.clock.now_ms())
        for refusal in admitted.refusals:
            self.refused[refusal.reason] += 1
        if admitted.message is not None:
            self._take_reading(admitted.message)

    def _take_reading(self, message: UnitMessage) -> None:
        self._time.heard(message.key, message.t_ms)
        if message.seq is not None:
            self.numbered.add(message.key)
        now_ms = self._time.now_ms
        self.capacity.advance(now_ms)
        self.capacity.observe(message)
        self.latest.update(message)
        self.alarms.observe(message)
        self.alarms.advance(now_ms)
        self.hub.publish(READINGS, reading_event(message))

    def _take_reserved(self, parts: Sequence[str], payload: bytes) -> None:
        try:
            self._take_reserved_kind(parts, payload)
        except PayloadError as error:
            self.refused[error.reason] += 1
            _log.warning("reserved message refused", topic="/".join(parts)[:120], error=str(error)[:500])

    def _take_reserved_kind(self, parts: Sequence[str], payload: bytes) -> None:
        kind, name = parts[3], parts[4] if len(parts) == 5 else ""
        if not payload:
            return  # A retained topic was cleared.
        if kind == "clock" and len(parts) == 4:
            self._take_clock(payload)
        elif kind == "gateway" and name:
            self.gateways.update(name, parse_gateway(payload))
        elif kind == "ingest" and name:
            self.spools.update(name, parse_ingest(payload))
        elif kind == "queue" and name == "gate":
            t_ms, waiting = parse_gate_queue(payload)
            self.capacity.observe_queue(t_ms, waiting)
            self._parts.points.put(queue_point(self.plant.id, waiting, self.now_ms))
        elif kind == "plan" and name:
            plan = self.plans.take_mqtt(name, payload)
            if plan is not None:
                self._take_plan(plan)
        else:
            raise PayloadError("topic", "no such reserved topic")

    def _take_plan(self, plan: DayPlan) -> None:
        self.capacity.observe_plan(plan)
        self._parts.points.put(plan_point(self.plant.id, plan, self.now_ms))

    def _take_clock(self, payload: bytes) -> None:
        before_ms = self.now_ms
        if self._time.told(parse_clock(payload)):
            self.latest.forget()
        limit_ms, self._other_time_ms = self._other_time_ms, SET_BACK_MS
        if self._primed_from is not None and abs(self.now_ms - before_ms) > limit_ms:
            self._prime_again(self._primed_from)
        self._advance()

    def _prime_again(self, store: ReadingStore) -> None:
        """Take what is known of the present day once more: a word of the clock names another time than we were at.

        The first word of a simulator does, after a start at wall time; so does one that begins anew at another time.
        """
        self.latest.forget()
        try:
            self.prime(store)
        except TransientError as error:
            _log.warning("store away: what was before is not known", station=self.plant.id, error=str(error))

    def _advance(self) -> None:
        now_ms = self._time.now_ms
        self.capacity.advance(now_ms)
        self.alarms.advance(now_ms)

    def _collect(self) -> None:
        """Turn finished forecasts into alerts and events, then tell what changed in the alarms."""
        for finished in self.capacity.finished():
            for condition in finished.conditions:
                self.capacity.report(condition, self.alarms)
            self.hub.publish("capacity", finished.json)
            self._parts.points.put(finished.point)
        self._tell_alarms()

    def _tell_alarms(self) -> None:
        for view in self.alarms.take_changes():
            self.hub.publish("alarm", _encoder.encode(alarm_view_json(view)))
            changed_ms = self._change_times.of(view, self.now_ms)
            self._parts.points.put(alarm_point(self.plant.id, view, changed_ms))
            for listener in self.alarm_listeners:
                listener(view)


def reading_event(message: UnitMessage) -> bytes:
    """Return the payload of a message with its area and unit, as one line of JSON."""
    place = f'{{"area":"{message.area}","unit":"{message.unit}",'
    return place.encode() + encode(message)[1:]
