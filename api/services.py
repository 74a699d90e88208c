"""Everything the API works with, handed in by the composition root: ports and the live stations, no globals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import anyio
from prometheus_client import CollectorRegistry

from api.ingest_metrics import IngestFigures
from api.live.station import LiveStation
from api.notices.service import NoticeService
from api.people.sessions import People
from api.problems import not_found
from api.replay.desk import ReplayDesk
from api.reports.day_parts import DayParts
from api.reports.desk import ReportDesk
from station.domain.plant import Plant
from station.domain.plant_facts import Fact
from station.ports import AlarmJournal, AuditRow, AuditTrail, ForecastHistory, LearnedBook, ReadingStore
from station.shown_settings import ShownSetting
from station.wire import topics

READS_AT_ONCE = 4
"""Forty threads, which is anyio's default, would take Python's lock from each other, from ingest and from alarms, in
turns of 5 ms."""

Check = Callable[[], str | None]
"""A readiness check: None where all is well, else what is wrong in one line."""


def wall_ms() -> int:
    """Return wall time, epoch ms."""
    return time.time_ns() // 1_000_000


def _forget_act(_: AuditRow) -> None:
    """Keep nothing: a service without an audit."""


@dataclass(frozen=True)
class About:
    """What the settings page shows.

    Attributes:
        settings: Each with its source.
        facts: Station id -> what its file says, number by number.
    """

    settings: Sequence[ShownSetting] = ()
    facts: Mapping[str, Sequence[Fact]] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiServices:
    """What one API serves.

    Attributes:
        version: Of the program, shown in the API description.
        stations: Station id -> its live core.
        store: Where readings are.
        journal: Where alarms are written down.
        forecasts: Every forecast published.
        people: Who may come in.
        checks: Name -> readiness check, asked by /readyz.
        ingest: Figures of an ingest in the same process, None where there is none.
        registry: Metrics of this app; one a process that serves it.
        learned: What the stations have taught, day by day; None where nothing is kept.
        audit: Who did what; None where nothing is kept.
        note_act: Takes a row of the audit, without waiting.
        notices: Tells people of alarms; None where nobody is to be told.
        replays: Plays the past once more; None where that is not offered.
        reports: Makes daily reports; None where nothing is kept.
        waiting: How many messages have come that the live core has not taken yet.
        reading: How many questions about the past are worked on at once; the others wait in order.
        about: What the settings page shows.
    """

    version: str
    stations: Mapping[str, LiveStation]
    store: ReadingStore
    journal: AlarmJournal
    forecasts: ForecastHistory
    people: People
    checks: Mapping[str, Check] = field(default_factory=dict)
    ingest: Callable[[], IngestFigures] | None = None
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    wall_ms: Callable[[], int] = wall_ms
    learned: LearnedBook | None = None
    audit: AuditTrail | None = None
    note_act: Callable[[AuditRow], None] = _forget_act
    notices: NoticeService | None = None
    replays: ReplayDesk | None = None
    reports: ReportDesk | None = None
    waiting: Callable[[], int] = lambda: 0
    reading: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(READS_AT_ONCE))
    about: About = field(default_factory=About)

    @cached_property
    def parts(self) -> DayParts:
        """Parts of days out of the store, the last ones kept for a moment."""
        return DayParts(self.store, self.wall_ms)

    def live(self, station: str) -> LiveStation:
        """Return a live station.

        Raises:
            ProblemError: 404, there is none of this id.
        """
        live = self.stations.get(station)
        if live is None:
            raise not_found("station", "path.station", station)
        return live

    def plant(self, station: str) -> Plant:
        """Return the station file of a station, or of the station that a replay (`jinma~ab12cd34`) replays.

        Raises:
            ProblemError: 404, there is none of this id.
        """
        name, mark, replay_id = station.partition(topics.REPLAY_MARK)
        live = self.stations.get(name)
        if live is None or (mark and not _is_replay_of(name, replay_id)):
            raise not_found("station", "path.station", station)
        return live.plant

    def close_streams(self) -> None:
        """End every client's stream; call it before the server stops, which waits for open answers."""
        for live in self.stations.values():
            live.hub.close()
        for replay in self.replays.all() if self.replays is not None else ():
            replay.hub.close()


def _is_replay_of(station: str, replay_id: str) -> bool:
    try:
        topics.replay_station(station, replay_id)
    except ValueError:
        return False
    return True
