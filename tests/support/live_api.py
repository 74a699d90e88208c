"""A whole API over fakes, in virtual time: what the tests of the API and of the live core start from."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, cast

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.alarms.engine import AlarmEngine
from api.app import create_app
from api.forecast.runners import InlineRunner
from api.live.capacity import LiveCapacity
from api.live.outbox import Outbox
from api.live.plans import LivePlans
from api.live.station import LiveParts, LiveStation
from api.live.station_time import WallStationTime
from api.people.audit import MemoryAudit
from api.people.roles import Role
from api.people.sessions import People
from api.people.tokens import MemoryTokens, Tokens
from api.people.users import MemoryUsers, Users
from api.replay.desk import ReplayDesk, ReplayLimits, ReplaySources
from api.replay.launching import launch_thread
from api.replay.orders import TellLoading
from api.replay.uploads import Uploads
from api.reports.desk import ReportDesk
from api.reports.gathering import Books, Sources
from api.reports.makers import InlineMaker
from api.reports.shelf import ReportShelf
from api.services import ApiServices
from cli.replay_logs import open_log
from station.adapters.memory import MemoryReadings
from station.adapters.memory_journal import MemoryJournal
from station.adapters.memory_learned import MemoryLearned
from station.adapters.memory_notes import MemoryNotes
from station.domain.capacity_forecast import Band, Count, Forecast, ForecastDetail
from station.domain.capacity_snapshot import StationSnapshot, Unserved
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.plant import Plant, Text
from station.domain.signals import UnitMessage
from station.ports import AlarmJournal, ReadingStore, TokenTable
from station.wire.admission import Admission
from station.wire.json_v1 import encode, topic_of
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

_NOWHERE = Path("/nonexistent/reports")
NOON = 1795406400000
"""2026-11-23T04:00:00Z, noon at the station."""


@dataclass
class VirtualClock:
    """Station and wall time that a test sets."""

    t_ms: int = NOON
    rate: float = 1.0

    def now_ms(self) -> int:
        return self.t_ms

    def speed(self) -> float:
        return self.rate

    def seconds(self) -> float:
        return self.t_ms / 1000

    def advance(self, seconds: float) -> int:
        self.t_ms += round(seconds * 1000)
        return self.t_ms


@dataclass
class Condition:
    """A capacity alert as a test makes it."""

    id: str
    active: bool
    priority: str
    at_ms: int
    value: float | None
    limit: float | None
    text: Text


@dataclass
class ScriptedCapacity:
    """Engine, inputs and alerts at once: what goes in is kept, what comes out is set by the test."""

    ready: list[Forecast] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    messages: list[UnitMessage] = field(default_factory=list)
    plans: list[DayPlan] = field(default_factory=list)
    queues: list[tuple[int, Sequence[WaitingTruck]]] = field(default_factory=list)
    primed_at: int | None = None
    recalled: list[Unserved] = field(default_factory=list)
    backlog: int = 0

    @property
    def newest_snapshot(self) -> StationSnapshot | None:
        """A usual noon."""
        return snapshot()

    def advance(self, t_ms: int) -> None:
        self.times.append(t_ms)

    def begin_anew(self) -> None:
        self.times.clear()

    def finished(self) -> list[Forecast]:
        ready, self.ready, self.backlog = self.ready, [], 0
        return ready

    def observe(self, message: UnitMessage) -> None:
        self.messages.append(message)

    def observe_plan(self, plan: DayPlan) -> None:
        self.plans.append(plan)

    def observe_queue(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        self.queues.append((t_ms, waiting))

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        self.primed_at = at_ms

    def recall(self, unserved: Sequence[Unserved]) -> None:
        self.recalled = list(unserved)

    def keep_learned(self) -> None:
        """Nothing is learned."""

    def update(self, forecast: Forecast) -> list[Condition]:
        conditions, self.conditions = self.conditions, []
        return conditions


class MemoryPlans:
    """A plan book in memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, DayPlan]] = []

    def save(self, station: str, plan: DayPlan) -> None:
        self.rows.append((station, plan))

    def newest(self, station: str, date: dt.date, source: str | None = None) -> DayPlan | None:
        for name, plan in reversed(self.rows):
            if name == station and plan.date == date and source in (None, plan.source):
                return plan
        return None


class MemoryForecasts:
    """A forecast history in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], bytes] = {}

    def append(self, station: str, at_ms: int, json: bytes) -> None:
        self.rows[station, at_ms] = json

    def range(self, station: str, start_ms: int, end_ms: int, limit: int = 1000) -> list[tuple[int, bytes]]:
        found = sorted((t, json) for (name, t), json in self.rows.items() if name == station)
        return [(t, json) for t, json in found if start_ms <= t < end_ms][:limit]


class _WhoeverTests:
    """Stands for the services of the test at work: making an app takes 50 ms, so all tests share one."""

    current: ClassVar[ApiServices]
    registry: ClassVar[CollectorRegistry] = CollectorRegistry()

    def __getattr__(self, name: str) -> object:
        return getattr(self.current, name)


@cache
def _shared_app() -> FastAPI:
    return create_app(cast("ApiServices", _WhoeverTests()))


@dataclass
class LiveApi:
    """A live station and the app over it."""

    plant: Plant
    clock: VirtualClock
    capacity: ScriptedCapacity
    store: MemoryReadings
    journal: MemoryJournal
    plans: MemoryPlans
    forecasts: MemoryForecasts
    learned: MemoryLearned
    live: LiveStation
    tokens: Tokens
    people: People
    services: ApiServices

    @property
    def app(self) -> FastAPI:
        """The app over these services."""
        _WhoeverTests.current = self.services
        return _shared_app()

    def say(self, unit: tuple[str, str], values: dict[str, float | None], t_ms: int | None = None) -> UnitMessage:
        """Let a unit say something now."""
        message = UnitMessage(self.plant.id, *unit, self.clock.t_ms if t_ms is None else t_ms, values)
        self.live.on_messages([(topic_of(message), encode(message))])
        return message

    def client(self, role: Role | None = Role.ADMIN, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Return a client with a token of a role, or without one."""
        headers = {}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens.create(f'test {role.label}', role)}"
        transport = httpx.ASGITransport(self.app, client=(address, 40000))
        return httpx.AsyncClient(transport=transport, base_url="http://station", headers=headers)


def live_api(
    clock: VirtualClock | None = None,
    tokens: TokenTable | None = None,
    alarm_journal: AlarmJournal | None = None,
    reports: Path = _NOWHERE,
) -> LiveApi:
    """Return a whole API of the shipped station at noon of a virtual day; its alarms go to `alarm_journal` if given.

    Reports of days that are over are kept in `reports`.
    """
    plant, clock = jinma(), clock or VirtualClock()
    capacity, store, journal = ScriptedCapacity(), MemoryReadings(), MemoryJournal()
    plans, forecasts, learned = MemoryPlans(), MemoryForecasts(), MemoryLearned()

    def keep(rows: Sequence[tuple[int, bytes]]) -> None:
        for at_ms, body in rows:
            forecasts.append(plant.id, at_ms, body)

    parts = LiveParts(
        admission=Admission([plant]),
        alarms=AlarmEngine(plant, alarm_journal or journal, wall_ms=clock.now_ms),
        capacity=LiveCapacity(plant, capacity, capacity, capacity, Outbox("forecasts", keep)),
        plans=LivePlans(plant, plans),
        time=WallStationTime(clock),
        points=Outbox("points", store.write_points),
    )
    live = LiveStation(plant, parts)
    checked = Tokens(tokens or MemoryTokens(), b"k" * 32, clock.now_ms, clock.seconds)
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)  # quick: nothing is guarded here
    users = Users(MemoryUsers(), clock.now_ms, clock.seconds, hasher)
    people, audit = People.of(checked, clock.now_ms, users=users), MemoryAudit()
    notes = MemoryNotes()
    maker = InlineMaker(Sources(store, Books(journal, forecasts, plans, notes)))
    services = ApiServices(
        version="0.0.0",
        stations={plant.id: live},
        store=store,
        journal=journal,
        forecasts=forecasts,
        people=people,
        wall_ms=clock.now_ms,
        learned=learned,
        audit=audit,
        note_act=lambda row: audit.append([row]),
        replays=_replays(store, journal, learned),
        reports=ReportDesk(maker, ReportShelf(reports), notes, clock.now_ms, "0.0.0"),
    )
    return LiveApi(plant, clock, capacity, store, journal, plans, forecasts, learned, live, checked, people, services)


def _replays(store: MemoryReadings, journal: MemoryJournal, learned: MemoryLearned) -> ReplayDesk:
    """Return replays of a store in memory, two at once, each in a thread."""

    def open_store(tell: TellLoading) -> ReadingStore:
        del tell
        return store

    sources = ReplaySources(
        journal=journal,
        learned=learned,
        open_store=open_store,
        open_log=lambda path, plant: partial(open_log, path, plant),
        uploads=Uploads(Path(tempfile.gettempdir()) / f"jinma-test-replays-{os.getpid()}", 1_000_000, 4_000_000),
        forecaster=lambda plant: InlineRunner(plant, 2),
        launch=launch_thread,
    )
    return ReplayDesk(ReplayLimits(2, dt.timedelta(minutes=30)), sources)


def forecast_at(at_ms: int, **changes: object) -> Forecast:
    """Return a forecast of a short day, with changes."""
    fields: dict[str, object] = {
        "station": "jinma",
        "at_ms": at_ms,
        "horizon_end_ms": at_ms + 12 * 3_600_000,
        "valid": True,
        "plan": Count(100, 4000.0),
        "done": Count(38, 1512.4),
        "deliverable_kg": Band(1980.0, 2110.0, 2260.0),
        "trucks_servable": Band(48, 52, 56),
        "shortfall_p50_kg": 372.0,
        "shortfall_p90_kg": 501.0,
        "shortfall_probability": 0.93,
        "shortfall_at_ms": at_ms + 5 * 3_600_000,
        "lead_minutes": 300.0,
        "bottleneck": "trailers",
        "time_to_empty_minutes": None,
        "queue_wait_p50_minutes": 0.5,
        "queue_wait_p90_minutes": 2.1,
        "trailer_needed_by_ms": at_ms + 4 * 3_600_000,
        "n_minus_1_ok": False,
        "inputs": (),
        "advice": Text("call a trailer", "叫一车"),
        "detail": cast(
            "ForecastDetail",
            SimpleNamespace(
                next_trailer_eta_ms=None, overdue=(), short_trucks=9, kg_by_close=Band(3492.4, 3622.4, 3772.4)
            ),
        ),
        **changes,
    }
    return Forecast(**fields)  # type: ignore[arg-type]
