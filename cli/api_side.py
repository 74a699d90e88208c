"""Putting the API side together: live stations, journal, people, HTTP app, console, background loops."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from api.alarms.engine import AlarmEngine
from api.app import create_app
from api.forecast.engine import CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.runners import WorkerRunner
from api.forecast.tags import NoForecastError
from api.forecast.without import WithoutForecast
from api.ingest_metrics import IngestFigures
from api.live import watchdog
from api.live.background import BackgroundLoop
from api.live.capacity import LiveCapacity
from api.live.dispatch import LIVE_FILTERS, Dispatch
from api.live.heartbeat import HEARTBEAT_S, Heartbeat
from api.live.outbox import Outbox
from api.live.plans import LivePlans
from api.live.station import LiveParts, LiveStation
from api.live.station_time import FollowedStationTime, WallStationTime
from api.live.watchdog import Look, Watchdog
from api.notices.delivery import Delivery
from api.notices.desk import NoticeDesk
from api.notices.service import NoticeService
from api.people.sessions import People
from api.people.tokens import AdminToken, Tokens, read_or_make_key
from api.people.users import Users
from api.replay.desk import ReplayDesk
from api.reports.desk import ReportDesk
from api.services import About, ApiServices, Check
from cli.about import about_of
from cli.live_session import ALIVE_S, LiveSession
from cli.report_side import ReportUpkeep, build_reports
from cli.text_files import read_text
from cli.version import VERSION
from dashboards.console.app import mount_console
from station.adapters.clocks import FollowedClock, WallClock, wall_ms
from station.adapters.mqtt import MqttFeed
from station.adapters.notice_senders import sender_of
from station.adapters.sql_audit import SqlAudit
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_forecasts import SqlForecasts
from station.adapters.sql_journal import SqlJournal
from station.adapters.sql_learned import SqlLearned
from station.adapters.sql_notes import SqlNotes
from station.adapters.sql_notices import SqlNotices
from station.adapters.sql_plans import SqlPlans
from station.adapters.sql_tokens import SqlTokens
from station.adapters.sql_users import SqlUsers
from station.adapters.timed_journal import TimedJournal
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.learned import LearnedRow
from station.domain.notice_routes import load_notices
from station.domain.plant import Plant
from station.errors import StoreUnavailableError, TransientError
from station.ports import AuditRow, ReadingStore, ServicePoint
from station.settings import Settings
from station.wire.admission import Admission, Policy

_log = structlog.get_logger(__name__)

TICK_S = 0.1
"""How late a timer may be when nothing arrives."""
BATCH_MOST = 100
"""Messages whose alarms are shown together, after one write to the disk; they take the core some 10 ms."""
DELIVER_S = 0.5
WATCH_S = 1.0
WATCH_STORE_S = 5.0
NOTICE_WAIT_S = 0.5
"""How often a target looks by itself for what is due again; what is new stirs it at once."""
REPORTS_S = 5.0
"""How often it is looked whether a daily report is due."""
SWEEP_S = 10.0
PATIENCE_S = 10.0


@dataclass
class Kept:
    """The journal database and what is kept in it."""

    database: SqlDatabase
    journal: SqlJournal
    plans: SqlPlans
    forecasts: SqlForecasts
    learned: SqlLearned
    audit: SqlAudit
    people: People
    admin: AdminToken | None

    @classmethod
    def open(cls, url: str, directory: Path, bootstrap: str | None, hook: str | None = None) -> Kept:
        """Open the database, and make sure that an admin can come in, and who has the `hook` token.

        Raises:
            JinmaError: The database or the data directory cannot be used.
        """
        database = SqlDatabase(url)
        tokens = Tokens(SqlTokens(database), read_or_make_key(directory / "token.key"), wall_ms)
        admin = tokens.install_admin(directory, bootstrap)
        tokens.install_hook(hook)
        people = People.of(tokens, wall_ms, directory / "sessions.json", Users(SqlUsers(database), wall_ms))
        plans, forecasts, learned = SqlPlans(database), SqlForecasts(database), SqlLearned(database)
        audit = SqlAudit(database)
        return cls(database, SqlJournal(database), plans, forecasts, learned, audit, people, admin)


@dataclass(frozen=True)
class Upkeep:
    """What an API side looks after besides its stations.

    Attributes:
        data_dir: Whose disk must not fill up.
        heartbeat_url: Asked each minute while this lives; None tells nobody.
        notices: File that says who is told of which alarm; None tells nobody.
        ingest: Figures of an ingest in this process, None where there is none.
        replays: Plays the past once more; None offers none.
        reports: How daily reports are made; None makes none.
        about: What the settings page shows.
    """

    data_dir: Path
    heartbeat_url: str | None
    notices: Path | None = None
    ingest: Callable[[], IngestFigures] | None = None
    replays: ReplayDesk | None = None
    reports: ReportUpkeep | None = None
    about: About = field(default_factory=About)

    @classmethod
    def of(
        cls,
        settings: Settings,
        reports: ReportUpkeep,
        ingest: Callable[[], IngestFigures] | None = None,
        replays: ReplayDesk | None = None,
    ) -> Upkeep:
        """Return what the settings say."""
        url = None if settings.heartbeat_url is None else settings.heartbeat_url.get_secret_value()
        return cls(settings.data_dir, url, settings.notices, ingest, replays, reports, about_of(settings))


@dataclass
class ApiSide:
    """The API side, put together; `start` and `stop` go around serving `app`."""

    app: FastAPI
    services: ApiServices
    dispatch: Dispatch
    feed: MqttFeed
    runners: list[WorkerRunner]
    outboxes: list[Outbox[Any]]
    loops: list[BackgroundLoop]
    session: LiveSession | None = None

    def start(self) -> None:
        """Take what the store knows, then messages; returns when subscribed.

        Raises:
            TransientError: The broker cannot be reached.
        """
        for live in self.services.stations.values():
            _prime(live, self.services.store)
            if self.services.notices is not None:
                self.services.notices.recover(live)
        if self.session is not None:
            self.session.begin(self.feed.address, PATIENCE_S)
        self.feed.start(self.dispatch.on_messages)
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End what runs in the background; idempotent."""
        self.feed.stop()
        if self.services.replays is not None:
            self.services.replays.close()
        if self.services.reports is not None:
            self.services.reports.maker.close()  # A report that is being made would hold up its loop.
        for loop in self.loops:
            loop.stop()
        for live in self.services.stations.values():
            live.capacity.inputs.keep_learned()
        for outbox in self.outboxes:
            outbox.deliver()
        for runner in self.runners:
            runner.close()


def _live_feed(broker: str, session: LiveSession | None) -> MqttFeed:
    """Return the feed of live messages; without a session its name is new each time, so no other is thrown out."""
    return MqttFeed(
        broker,
        f"jinma-api-{secrets.token_hex(4)}" if session is None else session.client_id,
        LIVE_FILTERS,
        session is not None,
        insistent=False,
        first_connect_s=PATIENCE_S,
        batch_most=BATCH_MOST,
    )


def build_api(
    plants: Sequence[Plant],
    broker: str,
    store: ReadingStore,
    kept: Kept,
    *,
    follows_station: bool,
    upkeep: Upkeep,
    policy: Policy | None = None,
    session: LiveSession | None = None,
) -> ApiSide:
    """Return the API side, not begun yet.

    Args:
        plants: The stations to watch.
        broker: Where their messages come from.
        store: Where their readings are.
        kept: The journal database.
        follows_station: Follow a simulator's clock.
        upkeep: What is looked after besides.
        policy: What to do with messages that do not fit; the contract's where it is None.
        session: Under which the broker keeps messages while this is away; None keeps none.
    """
    runners: list[WorkerRunner] = []
    outboxes: list[Outbox[Any]] = []
    stations: dict[str, LiveStation] = {}
    for plant in plants:
        runners.append(WorkerRunner(plant))
        stations[plant.id] = _live_station(
            plant, store, kept, runners[-1], outboxes, follows_station=follows_station, policy=policy
        )
    feed = _live_feed(broker, session)
    checks: dict[str, Check] = {
        "broker": lambda: None if feed.connected else "the broker is away",
        "store": lambda: _store_check(store),
    }
    notices = None if upkeep.notices is None else _notices(upkeep.notices, kept, stations)
    acts: Outbox[AuditRow] = Outbox("audit", kept.audit.append)
    outboxes.append(acts)
    services = ApiServices(
        VERSION,
        stations,
        store,
        kept.journal,
        kept.forecasts,
        kept.people,
        checks,
        upkeep.ingest,
        learned=kept.learned,
        audit=kept.audit,
        note_act=acts.put,
        notices=notices,
        replays=upkeep.replays,
        reports=_reports(upkeep, store, kept, notices),
        waiting=lambda: feed.waiting,
        about=upkeep.about,
    )
    app = create_app(services)
    mount_console(app, services)
    dispatch = Dispatch(stations)
    loops = _loops(services, dispatch, upkeep, outboxes)
    if session is not None:
        loops.append(BackgroundLoop("session", session.note_alive, ALIVE_S))
    return ApiSide(app, services, dispatch, feed, runners, outboxes, loops, session)


def _reports(upkeep: Upkeep, store: ReadingStore, kept: Kept, notices: NoticeService | None) -> ReportDesk | None:
    if upkeep.reports is None:
        return None
    return build_reports(upkeep.reports, store, SqlNotes(kept.database), notices)


def _loops(
    services: ApiServices, dispatch: Dispatch, upkeep: Upkeep, outboxes: Sequence[Outbox[Any]]
) -> list[BackgroundLoop]:
    """Return everything that runs for ever beside the feed."""
    ticker = BackgroundLoop("ticker", dispatch.tick, TICK_S)
    lives, store_check = list(services.stations.values()), watchdog.SlowCheck(services.checks["store"])
    watches = Watchdog(lives, {**_looks(services.checks, upkeep), watchdog.STORE: store_check}, wall_ms)
    loops = [
        ticker,
        BackgroundLoop("watchdog", watches.look, WATCH_S),
        BackgroundLoop("watchdog-store", store_check.make, WATCH_STORE_S),
        *(BackgroundLoop(f"outbox-{box.name}", box.deliver, DELIVER_S) for box in outboxes),
    ]
    if services.notices is not None:
        loops += _notice_loops(services.notices, lives)
    reports = services.reports
    if reports is not None:
        loops.append(BackgroundLoop("reports", lambda: reports.look(services.stations), REPORTS_S))
    if upkeep.heartbeat_url is not None:
        beat = Heartbeat(upkeep.heartbeat_url, lambda: ticker.rounds).beat
        loops.append(BackgroundLoop("heartbeat", beat, HEARTBEAT_S))
    if upkeep.replays is not None:
        loops.append(BackgroundLoop("replays", upkeep.replays.sweep, SWEEP_S))
    return loops


def _notices(file: Path, kept: Kept, stations: Mapping[str, LiveStation]) -> NoticeService:
    """Return the notices of a file.

    Raises:
        BadInputError: The file cannot be read, or has mistakes; each is named with its line.
    """
    plan, book = load_notices(read_text(file), str(file)), SqlNotices(kept.database)
    desk = NoticeDesk(plan, book, wall_ms, lambda station: stations[station].now_ms)
    deliveries = [Delivery(name, sender_of(target), book, wall_ms, desk) for name, target in plan.targets.items()]
    service = NoticeService(desk, deliveries)
    desk.wake = service.stir
    return service


def _notice_loops(notices: NoticeService, lives: Sequence[LiveStation]) -> list[BackgroundLoop]:
    """Return what makes and sends notices: each target has a thread of its own, so that none waits for another."""
    for live in lives:
        notices.listen_to(live)
    trouble = Watchdog(lives, {watchdog.NOTICE: watchdog.checked(notices.trouble)}, wall_ms)
    return [
        BackgroundLoop("notices", lambda: notices.desk.digest(NOTICE_WAIT_S), 0.0),
        *(BackgroundLoop(f"notices-{d.name}", partial(d.step, NOTICE_WAIT_S), 0.0) for d in notices.deliveries),
        BackgroundLoop("watchdog-notices", trouble.look, WATCH_S),
    ]


def _looks(checks: Mapping[str, Check], upkeep: Upkeep) -> dict[str, Look]:
    """Return what the service looks after of itself."""
    ingest, folder = upkeep.ingest, upkeep.data_dir
    looks: dict[str, Look] = {
        watchdog.BROKER: watchdog.held(checks["broker"]),
        watchdog.CLOCK: watchdog.clocks,
        watchdog.SPOOL: watchdog.spools(wall_ms) if ingest is None else _spool_of(ingest),
        watchdog.FORECAST: watchdog.forecasts,
        watchdog.DISK: watchdog.measured(lambda: _free_percent(folder)),
        watchdog.DATA: watchdog.RefusedMessages(None if ingest is None else lambda: ingest().missing),
    }
    return looks


def _spool_of(ingest: Callable[[], IngestFigures]) -> Look:
    return watchdog.measured(lambda: 100.0 * ingest().spool_fullness)


def _free_percent(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return 100.0 * usage.free / usage.total


def _live_station(
    plant: Plant,
    store: ReadingStore,
    kept: Kept,
    runner: WorkerRunner,
    outboxes: list[Outbox[Any]],
    *,
    follows_station: bool,
    policy: Policy | None,
) -> LiveStation:
    points: Outbox[ServicePoint] = Outbox(f"points-{plant.id}", store.write_points)
    history: Outbox[tuple[int, bytes]] = Outbox(f"forecasts-{plant.id}", partial(_keep_forecasts, kept, plant.id))
    lessons: Outbox[LearnedRow] = Outbox(f"learned-{plant.id}", kept.learned.save)
    outboxes += [points, history, lessons]
    kept_before = partial(kept.forecasts.range, plant.id)
    try:
        inputs = CapacityInputs(plant, kept.learned, lessons.put_all)
    except NoForecastError as error:
        _log.warning("station is watched without a forecast", station=plant.id, reason=str(error))
        without = WithoutForecast()
        capacity = LiveCapacity(plant, without, without, CapacityAlerts(plant), history, kept_before, absent=str(error))
    else:
        engine = CapacityEngine(plant, inputs, runner)
        capacity = LiveCapacity(plant, engine, inputs, CapacityAlerts(plant), history, kept_before)
    alarms = AlarmEngine(plant, TimedJournal(kept.journal), wall_ms=wall_ms)
    alarms.restore()
    time = FollowedStationTime(FollowedClock(), plant.gateways) if follows_station else WallStationTime(WallClock())
    plans = LivePlans(plant, kept.plans)
    return LiveStation(plant, LiveParts(Admission([plant], policy=policy), alarms, capacity, plans, time, points))


def _keep_forecasts(kept: Kept, station: str, forecasts: Sequence[tuple[int, bytes]]) -> None:
    for at_ms, body in forecasts:
        kept.forecasts.append(station, at_ms, body)


def _prime(live: LiveStation, store: ReadingStore) -> None:
    try:
        live.prime(store)
    except TransientError as error:  # the store, or the plans in the journal's database
        _log.warning("store away at the start: what was before is not known", station=live.plant.id, error=str(error))


def _store_check(store: ReadingStore) -> str | None:
    try:
        store.stations()
    except StoreUnavailableError as error:
        return str(error)
    return None
