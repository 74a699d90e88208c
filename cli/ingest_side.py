"""Putting an ingest together: persistent feed, watermarks, spool, store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.live.background import BackgroundLoop
from cli.keeping.housekeeping import housekeeping
from cli.stations import policy_of
from ingest.ledger import worker_name
from ingest.service import GATHER_S, WATERMARK_FILTER, IngestService, feed_filters
from station.adapters.clocks import KeptClock, WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.domain.plant import Plant
from station.errors import JinmaError
from station.ports import ReadingStore
from station.settings import Settings
from station.wire.admission import Admission

CLIENT = "jinma-ingest"
"""Fixed: the broker keeps under this name what comes while the ingest is away."""
PATIENCE_S = 10.0
"""A broker that is started beside us may take this long to answer."""


@dataclass
class IngestSide:
    """An ingest, what it publishes with, and what looks after its store."""

    service: IngestService
    publisher: MqttPublisher
    loops: Sequence[BackgroundLoop]

    def start(self) -> None:
        """Begin to take messages; returns when subscribed."""
        try:
            self.service.start()
        except BaseException:
            self.stop()
            raise
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End with nothing lost; idempotent."""
        for loop in self.loops:
            loop.stop()
        self.service.stop()
        self.publisher.close(0.5)


def build_ingest(
    settings: Settings,
    plants: Sequence[Plant],
    broker: str,
    store: ReadingStore,
    spool: Path,
    *,
    follows_station: bool,
    on_failure: Callable[[JinmaError], None],
) -> IngestSide:
    """Return an ingest that has not begun yet.

    Raises:
        DataDirectoryError: The spool is in use, or newer than this program.
        TransientError: The broker cannot be reached.
    """
    spool.mkdir(parents=True, exist_ok=True)
    clock = KeptClock(spool / "clock.json") if follows_station else WallClock()
    group = settings.shared_group
    own = secrets.token_hex(4)
    # A session each under a shared group, of the same name at every start: what it had not acknowledged waits there.
    feed = MqttFeed(
        broker,
        f"{CLIENT}-{group}-{worker_name(spool)}" if group else CLIENT,
        feed_filters(station_clock=follows_station, shared_group=group),
        persistent=True,
        gather_s=GATHER_S,
        first_connect_s=PATIENCE_S,
    )
    publisher = MqttPublisher(broker, f"{CLIENT}-watermarks-{own}", first_connect_s=PATIENCE_S)
    watch = (
        None
        if group
        else MqttFeed(
            broker, f"{CLIENT}-watch-{own}", (WATERMARK_FILTER,), skip_retained=True, first_connect_s=PATIENCE_S
        )
    )
    service = IngestService(
        feed,
        publisher,
        store,
        Admission(plants, accept_replays=settings.accept_replays, policy=policy_of(settings)),
        clock,
        spool,
        spool_bytes=settings.spool_bytes,
        spool_age=settings.spool_age,
        follow=clock.update if isinstance(clock, KeptClock) else None,
        # Under a shared group nobody knows the order of a whole unit, so nobody may call it settled (contract, 3).
        is_worker=group is not None,
        watch=watch,
        on_failure=on_failure,
    )
    loops = housekeeping(settings, store, plants, clock.now_ms)
    return IngestSide(service, publisher, loops)
