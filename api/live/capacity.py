"""The capacity forecast within the live core: inputs in, forecasts and their alerts out."""

from __future__ import annotations

import datetime as dt
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from api.alarms.engine import AlarmEngine
from api.live.outbox import Outbox
from api.live.service_points import capacity_point
from station.domain.capacity_forecast import Forecast, forecast_as_json
from station.domain.capacity_snapshot import StationSnapshot, Unserved
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.plant import Plant, Text
from station.domain.signals import UnitMessage
from station.ports import ReadingStore, ServicePoint
from station.wire.plan_v1 import parse_time, rfc3339

_MOST_BEHIND: Final = 64
"""Forecasts that may be under way before the messages wait: at high speed the worker sets the pace, not the memory. At
20x these are 16 min of the wall, far more than a worker needs to start, for which no alarm may wait."""
_LONGEST_WAIT_S: Final = 30.0
"""A worker that died is started again within this; then the messages go on without."""

_MOST_KEPT: Final = 4 * 1440
"""Forecasts read back of a day, at most."""

_encoder = msgspec.json.Encoder()


class _UnservedTruck(msgspec.Struct):
    since: str
    left: str
    kg: float | None = None


class _Kept(msgspec.Struct):
    """What is read back of a published forecast."""

    unserved: list[_UnservedTruck] = []


_kept = msgspec.json.Decoder(_Kept)


class CapacityCondition(Protocol):
    """A capacity alert with its own hysteresis behind it; see `station.domain.capacity_alerts`."""

    @property
    def id(self) -> str:
        """`CAP-SHORT`, .."""
        ...

    @property
    def active(self) -> bool:
        """Whether it holds."""
        ...

    @property
    def priority(self) -> str:
        """At this moment; it may rise while it holds."""
        ...

    @property
    def at_ms(self) -> int:
        """Station time of the forecast, epoch ms."""
        ...

    @property
    def value(self) -> float | None:
        """What was compared."""
        ...

    @property
    def limit(self) -> float | None:
        """With what."""
        ...

    @property
    def text(self) -> Text:
        """How much is missing, when, why, and what to do."""
        ...


class CapacityInputs(Protocol):
    """What the forecast starts from; see `api.forecast`."""

    def observe(self, message: UnitMessage) -> None:
        """Take a message."""
        ...

    def observe_plan(self, plan: DayPlan) -> None:
        """Take a day's plan."""
        ...

    def observe_queue(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        """Take who waits at the gate."""
        ...

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        """Take what happened today before this start."""
        ...

    def keep_learned(self) -> None:
        """Give what was learned to be kept, at the end."""
        ...

    def recall(self, unserved: Sequence[Unserved]) -> None:
        """Take trucks that left unserved before this start; no reading tells of them."""
        ...


class CapacityEngine(Protocol):
    """Asks for forecasts on a grid of station time; see `api.forecast`."""

    @property
    def backlog(self) -> int:
        """How many are under way."""
        ...

    @property
    def newest_snapshot(self) -> StationSnapshot | None:
        """What was known at the last full minute, None before the first."""
        ...

    def advance(self, t_ms: int) -> None:
        """Let station time come to `t_ms`."""
        ...

    def begin_anew(self) -> None:
        """Take the next moment as the first."""
        ...

    def finished(self) -> Sequence[Forecast]:
        """Return what has been finished since the last call, oldest first."""
        ...


class CapacityAlerts(Protocol):
    """The alerts' hysteresis over successive forecasts; see `station.domain.capacity_alerts`."""

    def update(self, forecast: Forecast) -> Sequence[CapacityCondition]:
        """Return the alerts that a forecast changes."""
        ...


@dataclass(frozen=True)
class FinishedForecast:
    """A forecast, ready to be told.

    Attributes:
        json: Contract section 6, encoded.
        point: The same for the store.
        conditions: Capacity alerts that it changes.
    """

    at_ms: int
    json: bytes
    point: ServicePoint
    conditions: Sequence[CapacityCondition]


@dataclass
class LiveCapacity:
    """Forecasts of one station.

    Attributes:
        history: Where each forecast is kept, (at_ms, json).
        kept: Gives the kept ones of [start, end) back, oldest first, at most so many; None where nothing is kept.
        absent: Why the station has no forecast and never will; None where it has one.
        newest: The newest forecast, encoded; None before the first.
        last_duration_s: From asking for the last forecast to having it [s], wall time; None before one was waited for.
    """

    plant: Plant
    engine: CapacityEngine
    inputs: CapacityInputs
    alerts: CapacityAlerts
    history: Outbox[tuple[int, bytes]]
    kept: Callable[[int, int, int], Sequence[tuple[int, bytes]]] | None = None
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    absent: str | None = None
    newest: bytes | None = None
    newest_at_ms: int | None = None
    last_duration_s: float | None = None
    _asked_s: deque[float] = field(default_factory=lambda: deque(maxlen=64))
    _heard: bool = False
    _early: list[Forecast] = field(default_factory=list)

    def advance(self, t_ms: int) -> None:
        """Let station time pass: forecasts that fall due are asked for."""
        if not self._heard:
            return  # A forecast of a station that has said nothing would be made up.
        before, began_s = self.engine.backlog, self.monotonic()
        self.engine.advance(t_ms)
        under_way = self.engine.backlog
        if under_way > before:
            self._asked_s.extend([began_s] * (under_way - before))

    def observe(self, message: UnitMessage) -> None:
        """Take a message."""
        self._heard = True
        self.inputs.observe(message)

    def observe_plan(self, plan: DayPlan) -> None:
        """Take a day's plan."""
        self.inputs.observe_plan(plan)

    def observe_queue(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        """Take who waits at the gate."""
        self.inputs.observe_queue(t_ms, waiting)

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        """Take what happened today before this start."""
        self.inputs.prime(store, at_ms)
        self.engine.begin_anew()
        self.inputs.recall(self._unserved_before(at_ms))

    def _unserved_before(self, at_ms: int) -> list[Unserved]:
        """Return who had left unserved by the day's newest forecast: the line at the gate is in no store."""
        if self.kept is None:
            return []
        day = self.plant.day_of(dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC))
        start_ms = round(self.plant.day_start(day).timestamp() * 1000)
        forecasts = self.kept(start_ms, at_ms + 1, _MOST_KEPT)
        if not forecasts:
            return []
        trucks = _kept.decode(forecasts[-1][1]).unserved
        return [Unserved(parse_time(t.since), parse_time(t.left), t.kg) for t in trucks]

    def finished(self) -> list[FinishedForecast]:
        """Return the forecasts that have been finished since the last call, oldest first."""
        forecasts, self._early = [*self._early, *self.engine.finished()], []
        for _ in forecasts:
            if self._asked_s:
                self.last_duration_s = self.monotonic() - self._asked_s.popleft()
        return [self._tell(forecast) for forecast in forecasts]

    def report(self, condition: CapacityCondition, alarms: AlarmEngine) -> None:
        """Hand a capacity alert to the alarm engine."""
        alarms.report(
            condition.id,
            active=condition.active,
            priority=condition.priority,
            at_ms=condition.at_ms,
            value=condition.value,
            limit=condition.limit,
            text=condition.text,
        )

    def _tell(self, forecast: Forecast) -> FinishedForecast:
        body = forecast_as_json(forecast)
        encoded = _encoder.encode(body | told_besides(forecast) | {"unserved": self._unserved()})
        self.newest, self.newest_at_ms = encoded, forecast.at_ms
        self.history.put((forecast.at_ms, encoded))
        conditions = self.alerts.update(forecast)
        point = capacity_point(self.plant.id, forecast.at_ms, body)
        return FinishedForecast(forecast.at_ms, encoded, point, conditions)

    def _unserved(self) -> list[dict[str, object]]:
        """Return who left unserved today, to be known after a restart."""
        now = self.engine.newest_snapshot
        gone = () if now is None else now.done.unserved
        return [{"since": rfc3339(u.arrived_ms), "left": rfc3339(u.left_ms), "kg": u.kg} for u in gone]

    def wait_for_worker(self) -> None:
        """Wait while too many forecasts are under way; for a simulated station only, a real one waits for nobody."""
        until = self.monotonic() + _LONGEST_WAIT_S
        while self.engine.backlog > _MOST_BEHIND and self.monotonic() < until:
            self._early.extend(self.engine.finished())
            self.pause(0.002)


def told_besides(forecast: Forecast) -> dict[str, object]:
    """Return what screens show besides the contract's fields: who is overdue, who comes next, kilograms by close."""
    eta_ms = forecast.detail.next_trailer_eta_ms
    overdue = [{"id": name, "minutes": round(minutes, 1)} for name, minutes in forecast.detail.overdue]
    by_close = forecast.detail.kg_by_close
    return {
        "next_trailer_eta": None if eta_ms is None else rfc3339(eta_ms),
        "trailers_overdue": overdue,
        "trucks_short": forecast.detail.short_trucks,
        "kg_by_close": {q: round(getattr(by_close, q), 1) for q in ("p10", "p50", "p90")},
    }
