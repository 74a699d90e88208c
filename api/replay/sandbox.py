"""The sandbox of a replay: alarms, forecast and newest values of a station that lives through its past once more.

Nothing in it touches the living: its journal is a list, no notice is made, no point is stored. What it does with a
message is what the live core does, in the same order; only its time comes with the messages alone, for they lie in
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from api.alarms.engine import AlarmEngine
from api.forecast.engine import CLOCKS_APART_MS, MINUTE_MS, CapacityEngine, Runner
from api.forecast.inputs import CapacityInputs
from api.live.capacity import LiveCapacity
from api.live.latest import LatestValues
from api.live.outbox import Outbox
from api.live.station import reading_event
from api.live.told import Told
from api.replay.sandbox_books import LearnedThen, SandboxJournal
from api.stream import READINGS
from station.domain.alarm_views import AlarmView, alarm_view_json
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.domain.signals import Reading, UnitMessage
from station.ports import JournalEntry, ReadingStore

_SILENT_STEP_MS: Final = 1_000
"""Time passes in steps of this where nothing is heard, as the live core's ticker brings it."""
_encoder: Final = msgspec.json.Encoder()

Tell = Callable[[str, bytes], None]
"""Told each event of the stream: its name, and one line of JSON."""


class Sandbox:
    """One station from one moment of its past on.

    Args:
        plant: The station file.
        name: Under which alarms and forecasts are told (`jinma~ab12cd34`).
        standing: Each alarm's newest journal entry at the beginning.
        tell: Told alarms and forecasts as they come, and readings while `tells_readings`.

    Attributes:
        now_ms: Station time, epoch ms.
        tells_readings: Somebody listens to each single reading.
    """

    def __init__(self, plant: Plant, name: str, standing: Sequence[JournalEntry], tell: Tell) -> None:
        self.plant = plant
        self.journal = SandboxJournal(standing)
        self.alarms = AlarmEngine(plant, self.journal, wall_ms=lambda: 0)
        self.latest = LatestValues()
        self.now_ms = -1
        self.tells_readings = False
        self._name = name
        self._tell = tell
        self._capacity: LiveCapacity | None = None
        self._minute = -1

    def begin(self, t_ms: int, readings: Sequence[Reading]) -> None:
        """Begin at a moment, knowing the newest readings before it."""
        self.latest.prime(readings)
        self.alarms.restore()
        self.alarms.prime(readings)
        self.now_ms = t_ms
        self.alarms.advance(t_ms)

    def begin_forecasts(
        self, runner: Runner, store: ReadingStore, told: Iterable[Told], plans: Iterable[DayPlan], learned: LearnedThen
    ) -> None:
        """Forecast from now on.

        Args:
            runner: Makes the forecasts.
            store: Where the day before this moment is.
            told: Plans and the line at the gate before this moment.
            plans: Plans of days of which no word was kept.
            learned: What the station had taught.

        Raises:
            StoreUnavailableError: The store is away.
        """
        inputs = CapacityInputs(self.plant, learned)
        engine = CapacityEngine(self.plant, inputs, runner)
        unkept: Outbox[tuple[int, bytes]] = Outbox("replay", lambda _: None, most=1)
        capacity = LiveCapacity(self.plant, engine, inputs, CapacityAlerts(self.plant), unkept)
        for plan in plans:
            capacity.observe_plan(plan)
        capacity.prime(store, self.now_ms)
        self._capacity = capacity
        for word in told:
            self._take_told(word)

    @property
    def backlog(self) -> int:
        """How many forecasts are under way."""
        return 0 if self._capacity is None else self._capacity.engine.backlog

    def take(self, item: UnitMessage | Told) -> None:
        """Take the next word of the tape."""
        t_ms = item.t_ms
        if t_ms - self.now_ms > _SILENT_STEP_MS:
            self.pass_time(t_ms - 1)
        if t_ms > self.now_ms:
            self.now_ms = t_ms
            self._pass_minutes(t_ms)
        if type(item) is Told:
            self._take_told(item)
            return
        assert isinstance(item, UnitMessage)
        if self._capacity is not None:
            self._capacity.observe(item)
        self.latest.update(item)
        self.alarms.observe(item)
        self.alarms.advance(self.now_ms)
        if self.tells_readings:
            self._tell(READINGS, reading_event(item))

    def pass_time(self, t_ms: int, step_ms: int = _SILENT_STEP_MS) -> None:
        """Let time come to `t_ms`, in steps where that is far; time that has passed already stays."""
        while t_ms - self.now_ms > step_ms:
            self._advance(self.now_ms + step_ms)
        if t_ms > self.now_ms:
            self._advance(t_ms)

    def collect(self) -> None:
        """Turn finished forecasts into alerts and events, then tell what changed in the alarms."""
        capacity = self._capacity
        if capacity is not None:
            for finished in capacity.finished():
                for condition in finished.conditions:
                    capacity.report(condition, self.alarms)
                self._tell("capacity", self._renamed(finished.json))
        for view in self.alarms.take_changes():
            self._tell("alarm", _encoder.encode(self.view_json(view)))

    def view_json(self, view: AlarmView) -> dict[str, object]:
        """Return an alarm as it is told: its station is this replay."""
        return alarm_view_json(view) | {"station": self._name}

    def _renamed(self, forecast: bytes) -> bytes:
        return _encoder.encode(msgspec.json.decode(forecast) | {"station": self._name})

    def _advance(self, t_ms: int) -> None:
        self.now_ms = t_ms
        self._pass_minutes(t_ms)
        self.alarms.advance(t_ms)

    def _pass_minutes(self, t_ms: int) -> None:
        """Let the forecast know that time has come to `t_ms`, before anything of that moment is taken."""
        # The engine passes a full minute once time is beyond it by more than clocks differ: only then is it asked.
        minute = (t_ms - CLOCKS_APART_MS - 1) // MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            if self._capacity is not None:
                self._capacity.advance(t_ms)

    def _take_told(self, told: Told) -> None:
        if self._capacity is None:
            return
        if told.plan is not None:
            self._capacity.observe_plan(told.plan)
        if told.waiting is not None:
            self._capacity.observe_queue(told.t_ms, told.waiting)
