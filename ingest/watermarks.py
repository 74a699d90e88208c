"""The retained word to publishers of what is settled, and the eye on a second ingest that says the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from ingest.ledger import UnitName
from station.errors import FinalError
from station.wire import topics

_log = structlog.get_logger(__name__)

_EVERY_S: Final = 1.0
"""Contract section 3: at most once a second a unit."""
UNSETTLED_MOST: Final = 500
"""With more than this on the way the broker is slow or away: keep the newest word a unit until it is back."""

FILTER: Final = f"{topics.ROOT}/+/stored/+/+"


class Publisher(Protocol):
    """What is needed of an MQTT publisher."""

    @property
    def connected(self) -> bool:
        """True while the broker has it."""
        ...

    @property
    def unsettled(self) -> int:
        """Messages on their way."""
        ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish one message."""
        ...


class SecondIngestError(FinalError):
    """Another ingest serves a station of ours on the same broker, and it was there first."""


class _Mark(msgspec.Struct):
    boot: str
    seq: int
    by: str = ""
    since: int = 0
    """Wall time at which this ingest started, epoch ms: of two, the later one yields."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Mark).decode


class Watermarks:
    """Publishes each unit's watermark; for one thread.

    Args:
        publisher: None publishes nothing (several workers share the messages, and none knows all of a unit).
        by: This ingest's name.
        since_ms: When it started.
    """

    def __init__(self, publisher: Publisher | None, by: str, since_ms: int) -> None:
        self._publisher = publisher
        self._by = by
        self._since_ms = since_ms
        self._due: dict[UnitName, dict[str, int]] = {}
        self._said: dict[UnitName, tuple[str, int]] = {}
        self._repeat = False
        self._next = 0.0

    def note(self, name: UnitName, boot: str, seq: int, *, earlier: bool = False) -> None:
        """All of `boot` up to `seq` is settled; replays get no watermark.

        Args:
            name: The unit.
            boot: A run of its gateway.
            seq: Of that run.
            earlier: It was heard, but another one after it, which is noted after it: a gateway that was started anew
                sends what it kept of the run before, and must learn that this has come.
        """
        if self._publisher is None or topics.is_replay(name[0]):
            return
        if not earlier and name not in self._due and self._said.get(name) == (boot, seq):
            return
        marks = self._due.setdefault(name, {})
        marks.pop(boot, None)  # the one heard last is said last, and stays
        marks[boot] = seq

    def repeat(self) -> None:
        """Say again, at the next flush, all that was said: someone does not know that we are here. From any thread."""
        self._repeat = True

    def flush(self, *, at_once: bool = False) -> None:
        """Publish what is due; never waits for the broker."""
        publisher = self._publisher
        if publisher is None or (time.monotonic() < self._next and not at_once):
            return
        if self._repeat:
            self._repeat = False
            self._due = {name: {boot: seq} for name, (boot, seq) in self._said.items()} | self._due
        if not self._due:
            return
        if not publisher.connected or publisher.unsettled > UNSETTLED_MOST:
            return
        self._next = time.monotonic() + _EVERY_S
        for name, marks in self._due.items():
            for boot, seq in marks.items():
                word = _encode(_Mark(boot, seq, self._by, self._since_ms))
                publisher.publish(topics.stored(*name), word, retain=True)
                self._said[name] = (boot, seq)
        self._due.clear()


class SecondIngestWatch:
    """Reads what others say on the watermark topics; takes live messages only, no retained ones.

    Args:
        by: This ingest's name.
        since_ms: When it started.
        on_yield: Told once that this ingest must go, for it came later.
        on_later: Told of every word of one that came later, so that it can be shown that we are here.
    """

    def __init__(
        self,
        by: str,
        since_ms: int,
        on_yield: Callable[[SecondIngestError], None],
        on_later: Callable[[], None],
    ) -> None:
        self._by = by
        self._since_ms = since_ms
        self._on_yield = on_yield
        self._on_later = on_later
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def on_messages(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Take watermarks."""
        for topic, payload in messages:
            try:
                mark = _decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if mark.by and mark.by != self._by:
                self._saw(topic, mark)

    def _saw(self, topic: str, mark: _Mark) -> None:
        later = (mark.since, mark.by) > (self._since_ms, self._by)
        if later:
            self._on_later()
        with self._lock:
            if mark.by in self._told:
                return
            self._told.add(mark.by)
        station = topic.split("/")[2]
        if later:
            _log.error("a second ingest serves this station and should end itself", station=station, other=mark.by)
        else:
            self._on_yield(
                SecondIngestError(
                    f"station {station}: ingest {mark.by} was here before and is at work on this broker; "
                    f"one ingest a broker and station, or several with --shared-group"
                )
            )
