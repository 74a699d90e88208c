"""The retained word to whoever watches: how full the spool is, and how long its oldest message has waited."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ingest.watermarks import UNSETTLED_MOST, Publisher
from station.wire import topics
from station.wire.plan_v1 import IngestWord, ingest_payload

_EVERY_S: Final = 10.0


class Words:
    """Says it each 10 s; `run` is the body of its thread, for delivery may be waiting for the store.

    Args:
        publisher: Goes on saying nothing while its broker is away.
        stations: Whose messages this ingest takes.
        by: This ingest's name.
        fullness: 0 to 1.
        waits_s: Age of the oldest message that is not stored [s], None where all are.
        stopping: Ends `run`.
    """

    def __init__(
        self,
        publisher: Publisher,
        stations: Sequence[str],
        by: str,
        fullness: Callable[[], float],
        waits_s: Callable[[], float | None],
        stopping: threading.Event,
    ) -> None:
        self._publisher = publisher
        self._topics = [topics.ingest(station, by) for station in stations]
        self._fullness = fullness
        self._waits_s = waits_s
        self._stopping = stopping

    def run(self) -> None:
        """Say it until stopped."""
        while not self._stopping.is_set():
            self.say()
            self._stopping.wait(_EVERY_S)

    def say(self) -> None:
        """Say it once; never waits for the broker."""
        if not self._publisher.connected or self._publisher.unsettled > UNSETTLED_MOST:
            return
        now_ms = time.time_ns() // 1_000_000
        word = ingest_payload(IngestWord(now_ms, round(self._fullness(), 4), round(self._waits_s() or 0.0, 1)))
        for topic in self._topics:
            self._publisher.publish(topic, word, retain=True)
