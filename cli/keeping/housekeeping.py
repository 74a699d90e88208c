"""What a service does for its store by itself: old readings forgotten, minutes worked out."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, runtime_checkable

import structlog

from api.live.background import BackgroundLoop
from cli.stores import states_of
from station.adapters.clocks import wall_ms
from station.domain.plant import Plant
from station.errors import BadInputError, TransientError
from station.ports import ReadingStore, ServicePoint
from station.settings import Settings
from station.wire import topics

MINUTES_KEPT: Final = dt.timedelta(days=2 * 365)
"""Contract section 4."""
REPLAYS_KEPT: Final = dt.timedelta(hours=24)
"""Contract section 3."""
_SEEN: Final = "replays"
RETENTION_S: Final = 600.0
_LOOK_S: Final = 1.0
_LOOK_AGAIN_S: Final = 3600.0
"""Somebody may remove a task while the service runs."""
_log = structlog.get_logger(__name__)


@runtime_checkable
class RollsUpItself(Protocol):
    """A reading store that forgets by itself and works its minutes out by tasks of its own, as InfluxDB does.

    Attributes:
        buckets: Of readings and of minutes, by name.
    """

    buckets: tuple[str, str]

    def minutes_troubles(self) -> list[str]:
        """Return what is not in order with the tasks."""
        ...

    def install_minutes(self, states: Sequence[str]) -> None:
        """Install the tasks; `states` are signals of which minutes hold last and count only."""
        ...

    def retention_s(self, bucket: str) -> int:
        """Return how long a bucket keeps what it holds [s]."""
        ...

    def set_retention(self, bucket: str, kept_s: int) -> None:
        """Let a bucket keep what it holds for so long [s]."""
        ...


def housekeeping(
    settings: Settings, store: ReadingStore, plants: Sequence[Plant], now_ms: Callable[[], int]
) -> list[BackgroundLoop]:
    """Return what looks after a store; the process that writes to it starts them.

    Args:
        settings: `keep`. InfluxDB forgets by itself, by the retention of its bucket: `keep` changes that only where
            somebody said it.
        store: What is looked after.
        plants: Whose states are rolled up as states.
        now_ms: Station time, epoch ms; of several stations that of the one furthest back.
    """
    replays = BackgroundLoop("replays", lambda: forget_replays(store, wall_ms()), RETENTION_S)
    if isinstance(store, RollsUpItself):
        keep = settings.keep if "keep" in settings.model_fields_set else None
        return [BackgroundLoop("minutes", InfluxKeeping(store, states_of(plants), keep).step, _LOOK_S), replays]
    return [BackgroundLoop("retention", lambda: forget(store, now_ms(), settings.keep), RETENTION_S), replays]


def forget(store: ReadingStore, now_ms: int, keep: dt.timedelta) -> bool:
    """Delete readings older than `keep` and minutes older than two years."""
    store.forget_before(now_ms - round(keep.total_seconds() * 1000))
    store.forget_minutes_before(now_ms - round(MINUTES_KEPT.total_seconds() * 1000))
    return True


def forget_replays(store: ReadingStore, wall_now_ms: int) -> bool:
    """Delete replayed stations a day after they were first seen here; a point of their own says since when.

    The readings themselves cannot tell: their times are those of the log.
    """
    day_ms = round(REPLAYS_KEPT.total_seconds() * 1000)
    for station in filter(topics.is_replay, store.stations()):
        tags = {"station": station}
        if store.read_points(_SEEN, tags, 0, wall_now_ms - day_ms):
            store.forget_station(station)
            _log.info("a replay's readings were forgotten", station=station, kept=str(REPLAYS_KEPT))
        elif not store.read_points(_SEEN, tags, wall_now_ms - day_ms, wall_now_ms + day_ms):
            store.write_points([ServicePoint(_SEEN, tags, {"seen": 1.0}, wall_now_ms)])
    return True


class InfluxKeeping:
    """Sees that the tasks of minutes are there and the bucket keeps what it shall, at the start and each hour."""

    def __init__(self, store: RollsUpItself, states: Sequence[str], keep: dt.timedelta | None) -> None:
        self._store = store
        self._states = states
        self._keep_s = None if keep is None else round(keep.total_seconds())
        self._next_s = 0.0

    def step(self) -> bool:
        """Do what is due; False where InfluxDB is away."""
        if time.monotonic() < self._next_s:
            return True
        try:
            self.install()
        except TransientError as error:
            _log.warning("minutes of readings wait for InfluxDB", error=str(error))
            return False
        except BadInputError as error:
            _log.warning("minutes of readings are not worked out", error=str(error), do="jinma doctor --fix")
        self._next_s = time.monotonic() + _LOOK_AGAIN_S
        return True

    def install(self) -> None:
        """Install the tasks where they are not in order, and set the retention where somebody named one.

        Raises:
            BadInputError: The token may not.
            StoreUnavailableError: InfluxDB does not answer.
        """
        if self._store.minutes_troubles() or self._next_s == 0.0:
            self._store.install_minutes(self._states)
        bucket = self._store.buckets[0]
        if self._keep_s is not None and self._store.retention_s(bucket) != self._keep_s:
            self._store.set_retention(bucket, self._keep_s)
