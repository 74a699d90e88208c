"""All replays of the service: how many there may be, what each is made of, and when one that nobody wants goes."""

from __future__ import annotations

import datetime as dt
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from api.forecast.engine import Runner
from api.live.station import LiveStation
from api.replay.comparison import (
    Compared,
    compared,
    journal_rows,
    limits_today,
    occurrences_of,
    of_the_plant,
    standing_at,
)
from api.replay.launching import Launch
from api.replay.orders import OpenStore, ReplayPlan
from api.replay.replay import Replay
from api.replay.uploads import Uploads
from station.domain.alarms import AlarmStateError
from station.domain.day_plan import DayPlan
from station.domain.learned import LearnedRow
from station.domain.plant import Plant
from station.errors import TransientError
from station.ports import AlarmJournal, JournalEntry, LearnedBook
from station.wire import topics

_ALPHABET: Final = string.ascii_lowercase + string.digits
_DAY: Final = dt.timedelta(days=1)
_MOST_PLANS: Final = 40
"""Days of a month, and those about it."""


@dataclass(frozen=True)
class ReplayLimits:
    """What replays may take.

    Attributes:
        most: How many at once.
        idle: One that stands still with nobody listening goes after this.
    """

    most: int
    idle: dt.timedelta


@dataclass(frozen=True)
class ReplaySources:
    """What replays are made of; the composition root makes them.

    Attributes:
        journal: Alarms as they were.
        learned: What the stations have taught; None where nothing is kept.
        open_store: Opens the store of the living, in another process.
        open_log: Given an uploaded log and a station file, what opens a store of it, in another process.
        uploads: Where uploaded logs are.
        forecaster: Makes the forecasts of a plant.
        launch: Starts what plays.
    """

    journal: AlarmJournal
    learned: LearnedBook | None
    open_store: OpenStore
    open_log: Callable[[Path, Plant], OpenStore]
    uploads: Uploads
    forecaster: Callable[[Plant], Runner]
    launch: Launch


@dataclass(frozen=True)
class Wanted:
    """A replay that somebody asks for.

    Attributes:
        live: The station.
        range_ms: [start, end), epoch ms; None for all of a log.
        file: Name of an uploaded log, None for the store.
        speed: Station seconds a second, None as fast as it goes.
        forecasts: Whether forecasts are made.
        plays: Whether it goes on by itself.
    """

    live: LiveStation
    range_ms: tuple[int, int] | None
    file: str | None
    speed: float | None
    forecasts: bool
    plays: bool


class ReplayDesk:
    """The replays.

    Args:
        limits: What they may take.
        sources: What they are made of.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self, limits: ReplayLimits, sources: ReplaySources, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._sources = sources
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._replays: dict[str, Replay] = {}

    def create(self, wanted: Wanted) -> Replay:
        """Begin a replay.

        Raises:
            BadInputError: There is no such log.
            AlarmStateError: There are as many as may be.
            JournalUnavailableError: The journal is away.
        """
        plan, replay_id = self._plan(wanted)
        with self._lock:
            if len(self._replays) >= self.limits.most:
                raise AlarmStateError(
                    f"{self.limits.most} replays are open, as many as may be (setting replays): end one of them"
                )
            replay = Replay(
                replay_id,
                plan,
                wanted.file,
                self._standing_of(wanted),
                self._sources.launch,
                plays=wanted.plays,
                monotonic=self._monotonic,
            )
            self._replays[replay_id] = replay
        return replay

    def _plan(self, wanted: Wanted) -> tuple[ReplayPlan, str]:
        sources, plant = self._sources, wanted.live.plant
        replay_id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        opener = sources.open_store
        if wanted.file is not None:
            opener = sources.open_log(sources.uploads.path(wanted.file), plant)
        of_store = wanted.range_ms if wanted.file is None else None
        forecasts = wanted.forecasts and wanted.live.capacity.absent is None
        plan = ReplayPlan(
            plant=plant,
            name=topics.replay_station(plant.id, replay_id),
            open_store=opener,
            range_ms=wanted.range_ms,
            speed=wanted.speed,
            plans=[] if of_store is None else self._plans(wanted.live, of_store),
            learned=[] if of_store is None else self._learned(plant, of_store),
            forecaster=sources.forecaster if forecasts else None,
        )
        return plan, replay_id

    def _plans(self, live: LiveStation, range_ms: tuple[int, int]) -> list[DayPlan]:
        days = _days(live.plant, range_ms)[:_MOST_PLANS]
        return [plan for day in days if (plan := live.plans.of_day(day)) is not None]

    def _learned(self, plant: Plant, range_ms: tuple[int, int]) -> list[LearnedRow]:
        if self._sources.learned is None:
            return []
        days = _days(plant, range_ms)
        before = self._sources.learned.newest(plant.id, range_ms[0])
        return [*before, *self._sources.learned.range(plant.id, days[0], days[-1], limit=10_000)]

    def _standing_of(self, wanted: Wanted) -> Callable[[int], list[JournalEntry]]:
        """Return what tells where alarms stood; of a log nobody knows."""
        journal, station = self._sources.journal, wanted.live.plant.id
        if wanted.file is not None:
            return lambda _: []
        limits = limits_today(journal, station)

        def standing(t_ms: int) -> list[JournalEntry]:
            """Return the journal's word, none where it is away: a replay may begin without."""
            try:
                return standing_at(journal, station, t_ms, limits)
            except TransientError:
                return []

        return standing

    def upload(self, file: IO[bytes], name: str) -> str:
        """Keep a log; return its name.

        Raises:
            BadInputError: It is larger than a log may be.
        """
        return self._sources.uploads.save(file, name, {replay.file for replay in self.all() if replay.file})

    @property
    def most_upload_bytes(self) -> int:
        """Largest log that may be uploaded."""
        return self._sources.uploads.most_bytes

    def get(self, replay_id: str) -> Replay | None:
        """Return a replay, None where there is none (any more)."""
        replay = self._replays.get(replay_id)
        if replay is not None:
            replay.touch()
        return replay

    def all(self) -> list[Replay]:
        """Return every replay, oldest first."""
        with self._lock:
            return list(self._replays.values())

    def remove(self, replay_id: str) -> bool:
        """End a replay; returns whether there was one."""
        with self._lock:
            replay = self._replays.pop(replay_id, None)
        if replay is not None:
            replay.close()
        return replay is not None

    def compare(self, replay: Replay) -> list[Compared]:
        """Return the alarms of the whole range then, beside those that the replay has made by now.

        What tells of networks and of the service itself is left out: a replay has neither.

        Raises:
            JournalUnavailableError: The journal is away.
        """
        if replay.range_ms is None:
            return []
        start_ms, end_ms = replay.range_ms
        rows = journal_rows(self._sources.journal, replay.plant.id, start_ms, end_ms)
        then, now = occurrences_of(rows, start_ms, end_ms), replay.occurrences()
        return compared(of_the_plant(then), of_the_plant(now), replay.played)

    def sweep(self) -> None:
        """End what nobody wants any more; call it now and then."""
        oldest_s = self._monotonic() - self.limits.idle.total_seconds()
        for replay in self.all():
            if replay.is_idle and replay.touched_s < oldest_s:
                self.remove(replay.id)

    def close(self) -> None:
        """End all; idempotent."""
        replays = self.all()
        threads = [threading.Thread(target=self.remove, args=(replay.id,)) for replay in replays]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _days(plant: Plant, range_ms: tuple[int, int]) -> list[dt.date]:
    """Return the station days that a range touches, one before and one after."""
    first, last = (plant.day_of(dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC)) for t_ms in range_ms)
    return [first - _DAY + n * _DAY for n in range((last - first).days + 3)]
