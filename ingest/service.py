"""Ingest: MQTT -> spool (fsync) -> acknowledgement -> store -> watermark."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from ingest.delivery import Delivery
from ingest.ledger import LEDGER_FILE, DeadLetter, Ledger
from ingest.spool import Spool
from ingest.supervision import Supervised
from ingest.watermarks import FILTER as WATERMARK_FILTER
from ingest.watermarks import Publisher, SecondIngestError, SecondIngestWatch, Watermarks
from ingest.words import Words
from ingest.writing import WriteTimes
from station.errors import JinmaError, PayloadError
from station.ports import Clock, Feed, ReadingStore
from station.wire import topics
from station.wire.admission import Admission
from station.wire.plan_v1 import ClockReading, parse_clock

__all__ = ["WATERMARK_FILTER", "IngestFigures", "IngestService", "feed_filters"]

_log = structlog.get_logger(__name__)

SPOOL_BYTES: Final = 2 * 1024**3
"""Two days of the station at its own rate."""
SPOOL_AGE: Final = dt.timedelta(days=7)
"""What is older when it comes to the store is of no use to an operator; long before, SYS-SPOOL has called for help."""
GATHER_S: Final = 0.02
"""What a feed for ingest should gather before it hands over: the group of one fsync."""
_DRAIN_S: Final = 0.5

ClockFollower = Callable[[ClockReading], None]


def feed_filters(*, station_clock: bool, shared_group: str | None = None) -> tuple[str, ...]:
    """Return the topic filters that the feed of an ingest subscribes.

    Args:
        station_clock: Hear the clock of a simulator too.
        shared_group: Name of the group that several workers share; each hears the clock.
    """
    prefix = f"$share/{shared_group}/" if shared_group else ""
    filters = tuple(prefix + one for one in topics.READING_FILTERS)
    return (*filters, topics.clock("+")) if station_clock else filters


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """Where everything stands; counts are since the start of this process.

    Attributes:
        received: Messages taken from the broker.
        committed: Of them, on disk, and so acknowledged.
        delivered: Stored.
        refused: Dead letters by reason.
        duplicates, late, missing: By the units' own numbering and times; a gap that closes later is taken back.
        spool_bytes, spool_most_bytes: Size on disk, and its bound.
        spool_full: True while nothing more is acknowledged, for want of room or for age.
        spool_fullness: How near it is to that, 0 to 1, by size or age, whichever is nearer.
        oldest_age_s: Age of the oldest message that is not stored, None where all are.
        lag_s: From reception to the store, of the newest piece delivered.
        write_times: How long calls of the store took.
        store_error: Why the store takes nothing now.
        failures: Times a thread of ours broke and was started again.
    """

    received: int
    committed: int
    delivered: int
    refused: Mapping[str, int]
    duplicates: int
    late: int
    missing: int
    spool_bytes: int
    spool_most_bytes: int
    spool_full: bool
    spool_fullness: float
    oldest_age_s: float | None
    lag_s: float
    write_times: WriteTimes
    store_error: str | None
    failures: int


class IngestService:
    """One ingest.

    Args:
        feed: Messages of `feed_filters()`; persistent, gathering `GATHER_S`.
        publisher: For the watermarks and for the words on the spool; None publishes nothing.
        store: Where messages go.
        admission: What is let in.
        clock: Station time, for the window in which messages are accepted.
        spool_dir: Where the spool lives; one process at a time.
        spool_bytes: Its bound.
        spool_age: What waits in it longer than this keeps more from being taken.
        follow: Takes clock messages, where the station's clock is followed.
        is_worker: One of several that share the messages, of whom none knows all the numbers of a unit: it publishes no
            watermark and reports no gap.
        watch: Live messages of `WATERMARK_FILTER` (no retained ones), to see a second ingest.
        on_failure: Told why this ingest ended itself.

    Raises:
        DataDirectoryError: The spool is in use, or newer than this program.
    """

    def __init__(  # noqa: PLR0913 - the whole side is put together here
        self,
        feed: Feed,
        publisher: Publisher | None,
        store: ReadingStore,
        admission: Admission,
        clock: Clock,
        spool_dir: Path,
        *,
        spool_bytes: int = SPOOL_BYTES,
        spool_age: dt.timedelta = SPOOL_AGE,
        follow: ClockFollower | None = None,
        is_worker: bool = False,
        watch: Feed | None = None,
        on_failure: Callable[[JinmaError], None] | None = None,
    ) -> None:
        self._feed = feed
        self._admission = admission
        self._clock = clock
        self._follow = follow
        self._watch = watch
        self._on_failure = on_failure
        self._spool = Spool(spool_dir, spool_bytes, most_age=spool_age)
        try:
            self._ledger = Ledger(spool_dir / LEDGER_FILE)
        except BaseException:
            self._spool.close()
            raise
        self._since_ms = time.time_ns() // 1_000_000
        self._stopping = threading.Event()
        self._stop_lock = threading.Lock()
        self._stopped = False
        self._watermarks = watermarks = Watermarks(None if is_worker else publisher, self._ledger.name, self._since_ms)
        self._delivery = Delivery(
            self._spool,
            self._ledger,
            store,
            admission,
            watermarks,
            self._station_ms,
            self._stopping,
            worker=self._ledger.name if is_worker else None,
        )
        self._threads = [Supervised("ingest-delivery", self._delivery.run, self._stopping)]
        if publisher is not None:
            fullness, waits_s = (lambda: self._spool.fullness), self._oldest_age_s
            words = Words(publisher, admission.stations, self.name, fullness, waits_s, self._stopping)
            self._threads.append(Supervised("ingest-words", words.run, self._stopping))
        self._received = 0
        self._committed = 0

    @property
    def name(self) -> str:
        """This ingest's name in its watermarks."""
        return self._ledger.name

    def start(self) -> None:
        """Deliver what the spool holds, then take messages; returns when subscribed.

        Raises:
            JinmaError: The feed could not start; everything is released.
        """
        for thread in self._threads:
            thread.start()
        try:
            if self._watch is not None:
                watch = SecondIngestWatch(self.name, self._since_ms, self._yield, self._watermarks.repeat)
                self._watch.start(watch.on_messages)
            self._feed.start(self.on_messages)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more, deliver what can be delivered in half a second, and end; what is left waits in the spool."""
        with self._stop_lock:
            if self._stopped:
                return
            self._stopped = True
        if self._spool.full:
            self._spool.close_for_writing()
        self._feed.stop()
        if self._watch is not None:
            self._watch.stop()
        self._delivery.drain_until = time.monotonic() + _DRAIN_S
        self._stopping.set()
        self._spool.nudge()
        late = [thread for thread in self._threads if not thread.join(2.0)]
        if late:
            _log.warning("delivery did not end in time; the spool keeps what it was doing")
        self._spool.close()
        self._ledger.close()

    def figures(self) -> IngestFigures:
        """Return where everything stands."""
        delivery = self._delivery
        return IngestFigures(
            received=self._received,
            committed=self._committed,
            delivered=delivery.delivered,
            refused=dict(delivery.refused),
            duplicates=delivery.duplicates,
            late=delivery.late,
            missing=delivery.missing,
            spool_bytes=self._spool.size_bytes,
            spool_most_bytes=self._spool.most_bytes,
            spool_full=self._spool.full,
            spool_fullness=self._spool.fullness,
            oldest_age_s=self._oldest_age_s(),
            lag_s=delivery.lag_s,
            write_times=delivery.writer.times,
            store_error=delivery.writer.error,
            failures=sum(thread.failures for thread in self._threads),
        )

    def _oldest_age_s(self) -> float | None:
        oldest_ms = self._delivery.oldest_wall_ms
        return None if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)

    def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """Return the newest dead letters, newest first."""
        return self._ledger.dead_letters(most)

    def on_messages(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Commit messages to the spool; when this returns they may be acknowledged.

        Raises:
            TransientError: The disk refused, or the service ends; nothing was taken.
        """
        self._received += len(messages)
        kept = messages
        if self._follow is not None:
            kept = [message for message in messages if not self._is_clock(*message)]
        if any(topics.REPLAY_MARK in topic for topic in {topic for topic, _ in kept}):
            kept = [message for message in kept if self._is_wanted(message[0])]
        if kept:
            self._spool.append(kept, self._station_ms(), time.time_ns() // 1_000_000)
        self._committed += len(messages)

    def _is_wanted(self, topic: str) -> bool:
        """Replays are none of a live ingest's business; what else is wrong is for the admission to say."""
        place = topics.parse_reading(topic)
        return place is None or self._admission.wants(place.station)

    def _is_clock(self, topic: str, payload: bytes) -> bool:
        if not topic.endswith("/clock") or topic.count("/") != 3:
            return False
        assert self._follow is not None
        try:
            self._follow(parse_clock(payload))
        except PayloadError as error:
            _log.warning("clock message not understood", topic=topic, error=str(error))
        return True

    def _station_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _yield(self, error: SecondIngestError) -> None:
        """End ourselves, from a thread that `stop` does not wait for."""
        _log.error("this ingest ends itself", error=str(error))
        threading.Thread(target=self._end, args=(error,), name="ingest-yield", daemon=True).start()

    def _end(self, error: SecondIngestError) -> None:
        self.stop()
        if self._on_failure is not None:
            self._on_failure(error)
