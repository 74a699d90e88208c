"""The live side of the API at work: the feed, the ticker, the deliveries; started and stopped as one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from api.live.background import BackgroundLoop
from api.live.dispatch import Dispatch
from api.live.outbox import Outbox
from api.live.station import LiveStation
from station.errors import TransientError
from station.ports import Feed, ReadingStore

TICK_S: Final = 0.5
"""Timers run with each message; this is for silence, whose shortest limit is 15 s."""
_DELIVER_S: Final = 1.0
_PRIME_FOR_S: Final = 10.0
_log = structlog.get_logger(__name__)


class LiveService:
    """Runs the live stations of a process.

    Args:
        feed: Messages of `api.live.dispatch.LIVE_FILTERS`.
        stations: Station id -> its live core.
        store: Where each start finds what was known before.
        outboxes: What the stations leave elsewhere.
    """

    def __init__(
        self,
        feed: Feed,
        stations: Mapping[str, LiveStation],
        store: ReadingStore,
        outboxes: Sequence[Outbox[Any]],
    ) -> None:
        self.dispatch = Dispatch(stations)
        self._feed = feed
        self._stations = stations
        self._store = store
        self._outboxes = outboxes
        self.loops = [
            BackgroundLoop("live-ticker", self.dispatch.tick, TICK_S),
            *(BackgroundLoop(f"deliver-{outbox.name}", outbox.deliver, _DELIVER_S) for outbox in outboxes),
        ]

    def start(self) -> None:
        """Take what the store knows, then the messages."""
        for live in self._stations.values():
            self._prime(live)
        for loop in self.loops:
            loop.start()
        self._feed.start(self.dispatch.on_messages)

    def stop(self) -> None:
        """Stop taking messages, then deliver what can be delivered at once; idempotent."""
        self._feed.stop()
        for live in self._stations.values():
            live.hub.close()
        for loop in self.loops:
            loop.stop()
        for outbox in self._outboxes:
            if not outbox.deliver():
                _log.warning("left undelivered", outbox=outbox.name, count=outbox.waiting)

    def _prime(self, live: LiveStation) -> None:
        """Wait a little for a store that starts beside us; alarms must not wait for it any longer."""
        until = time.monotonic() + _PRIME_FOR_S
        while True:
            try:
                live.prime(self._store)
            except TransientError as error:
                if time.monotonic() >= until:
                    _log.warning("started without the past", station=live.plant.id, error=str(error))
                    return
                time.sleep(0.5)
            else:
                return
