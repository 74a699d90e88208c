"""Publishing simulated stations: their messages go out as their time comes, no faster than the broker takes them.

Everything that is measured goes over one connection, so that it keeps its order; beside it each gateway may have a
presence of its own, whose will the broker publishes when it is gone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import queue
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from simulators.gateways.commands import take_fault
from simulators.gateways.outbox import Outbox
from simulators.gateways.pacing import Pace
from simulators.group import StationGroup
from simulators.logs import COARSE_STEP_S
from simulators.measuring.sampled import NOT_NUMBERED, Emission
from simulators.station import LOOK_S, SimulatedStation
from station.errors import TransientError
from station.ports import Clock, Feed
from station.wire import plan_v1, topics

_log = structlog.get_logger(__name__)

_BLOCK_WALL_S: Final = 0.2
"""Made ahead of its time at once, in wall seconds: live values are never older than they would be anyway."""
_BLOCK_MOST_S: Final = 60.0
_BLOCK_AT_MAX_S: Final = 20.0
_SHORTEST_WAIT_S: Final = 0.02
"""Messages due within this are sent together; far below what an eye sees."""
_WORD_EVERY_S: Final = 1.0
"""Clock, progress and looks at what is overdue."""
_LOG_EVERY_S: Final = 60.0
_NOT_YET_MEASURED: Final = 100.0
"""Told at full speed before the first second has passed: anything but 1, at which followers run on by themselves."""
_COARSE_BEHIND_S: Final = 600.0
"""Further behind wall time than this (the machine slept), the gap is filled with a message a minute a unit."""
_COARSE_EVERY: Final = dt.timedelta(seconds=60)
_COARSE_BLOCK_S: Final = 300.0
_STOP_S: Final = 1.0
"""What is under way may take this long to be acknowledged once the end is asked for."""
_SETTLE_S: Final = 30.0
"""The same where the duration simply came to its end."""
_MARKS_MOST_S: Final = 2.0
"""The retained watermarks come right after the subscription; waited for so long where they decide something."""
_MARKS_QUIET_S: Final = 0.3
"""No further one for this long: that was all of them."""
_PIECE: Final = 1000
"""Of what is sent again so many are handed over at a time, and watermarks heard in between."""


class Publisher(Protocol):
    """Sends at least once, in order, and makes the caller wait when too much is unacknowledged."""

    @property
    def connected(self) -> bool:
        """True while the broker has us."""
        ...

    @property
    def losses(self) -> int:
        """Connections lost since the start."""
        ...

    @property
    def unsettled(self) -> int:
        """Messages taken and not acknowledged yet."""
        ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send one message."""
        ...

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send messages in order."""
        ...

    def settle(self, timeout_s: float) -> bool:
        """Return True when all is acknowledged."""
        ...

    def close(self, timeout_s: float) -> bool:
        """End; whoever waits in `publish` gets a TransientError."""
        ...


class Presence(Protocol):
    """What the broker knows of each gateway: on line, off line, or gone without a word."""

    def start(self) -> None:
        """Bring all gateways on line, and keep them there."""
        ...

    def cut(self, gateways: frozenset[tuple[str, str]]) -> None:
        """Take these, as (station, gateway), away without a word, and bring all others back."""
        ...

    def end(self) -> None:
        """Say goodbye for all."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a published station is.

    Attributes:
        t_ms: Station time up to which everything was sent, epoch ms.
        speed: Reached over the last seconds.
        messages: Sent so far.
        unsettled: Of these not acknowledged yet.
    """

    t_ms: int
    speed: float
    messages: int
    unsettled: int


@dataclass(frozen=True, slots=True)
class Published:
    """What was published in the end; `settled` is False where the broker has not acknowledged all of it."""

    messages: int
    t_ms: int
    speed: float
    settled: bool


OnProgress = Callable[[Progress], None]


def publish_station(  # noqa: PLR0913 - each is a choice of whoever composes
    station: SimulatedStation | StationGroup,
    publisher: Publisher,
    speed: float | None,
    clock: Clock,
    stop: threading.Event,
    on_progress: OnProgress | None = None,
    *,
    feed: Feed | None = None,
    until_ms: int | None = None,
    keeps_wall_time: bool = True,
    outbox: Outbox | None = None,
    presence: Presence | None = None,
) -> Published:
    """Publish one station or several until told to stop; blocks.

    Args:
        station: Where it stands; is advanced in this thread only, and may be kept (`snapshot`) in `on_progress`: then
            all that it has lived was handed to the publisher, and nothing beyond.
        publisher: To the broker.
        speed: Station seconds per wall second, a ceiling; None for as fast as the broker takes it.
        clock: Wall time.
        stop: Ends it within 3 s.
        on_progress: Told each wall second.
        feed: Brings the topics of `listening_filters`, from the same broker: faults and watermarks.
        until_ms: End when station time gets here.
        keeps_wall_time: At speed 1: station time is wall time, and what was missed is caught up. False for a station
            that was started at a time of its own, which then tells its clock.
        outbox: Keeps what is above the watermark; what earlier runs left in it goes out first. In memory without one.
        presence: Says which gateways are there; without one the retained words go out among the readings, and there
            are no wills.
    """
    group = station if isinstance(station, StationGroup) else StationGroup([station])
    kept = outbox if outbox is not None else Outbox(group.boots)
    live = _LivePublishing(group, publisher, speed, clock, stop, on_progress, keeps_wall_time, kept, presence)
    ended = threading.Event()
    closer = threading.Thread(target=_close_if_stuck, args=(stop, ended, publisher), name="publish-stop", daemon=True)
    closer.start()
    try:
        if feed is not None:
            feed.start(live.inbox.put)
        return live.run(until_ms)
    finally:
        ended.set()
        if presence is not None:
            presence.end()
        if feed is not None:
            feed.stop()


def listening_filters(station: str) -> tuple[str, ...]:
    """Return what a published station wants to hear: commands, and what of it is stored."""
    return (topics.simulator_command(station), f"{topics.ROOT}/{station}/stored/#")


def _close_if_stuck(stop: threading.Event, ended: threading.Event, publisher: Publisher) -> None:
    """Free a caller that waits for a broker that is away when the end is asked for."""
    while not ended.wait(_STOP_S / 2.0):
        if stop.is_set() and not ended.wait(_STOP_S):
            publisher.close(0.0)
            return


class _LivePublishing:
    """One run of `publish_station`: the loop and what it counts."""

    def __init__(  # noqa: PLR0913, PLR0917 - what publish_station was given
        self,
        station: StationGroup,
        publisher: Publisher,
        speed: float | None,
        clock: Clock,
        stop: threading.Event,
        on_progress: OnProgress | None,
        keeps_wall_time: bool,
        outbox: Outbox,
        presence: Presence | None,
    ) -> None:
        self.inbox: queue.SimpleQueue[Sequence[tuple[str, bytes]]] = queue.SimpleQueue()
        self._station = station
        self._publisher = publisher
        self._clock = clock
        self._stop = stop
        self._on_progress = on_progress
        self._pace = Pace(self._wall_ms, station.t_ms, speed, keeps_wall_time=keeps_wall_time)
        self._outbox = outbox
        self._presence = presence
        self._gateway_words = tuple(topics.gateway(one.plant.id, "") for one in station.stations) if presence else ()
        self._losses = publisher.losses
        self._sent_ms = station.t_ms
        self._sent = 0
        self._speed = _NOT_YET_MEASURED if speed is None else speed
        self._next_word_s = self._next_report_s = self._next_log_s = 0.0

    def _wall_ms(self) -> int:
        return round(self._clock.now().timestamp() * 1000)

    def run(self, until_ms: int | None) -> Published:
        """Publish until stopped or done."""
        try:
            self._send_what_was_left()
            if self._presence is not None:
                self._presence.start()
            self._words(self._station.retained())
            self._tell_clock()
            while not self._stop.is_set() and (until_ms is None or self._station.t_ms < until_ms):
                self._send_in_time(self._next_block(until_ms))
                self._report()
                self._pace.write_off(self._sent_ms)
            settled = self._end()
        except TransientError:
            if not self._stop.is_set():
                raise
            settled = False
        _log.info("simulator ended", messages=self._sent, speed=self._speed, settled=settled)
        return Published(self._sent, self._sent_ms, self._speed, settled)

    def _send_what_was_left(self) -> None:
        """Send what earlier runs kept above their watermarks, before anything new: each unit in its own order."""
        if not self._outbox.has_earlier:
            return
        self._await_watermarks()
        count = self._send_kept(self._outbox.of_earlier_runs())
        _log.info("what an earlier run left is sent", messages=count)

    def _await_watermarks(self) -> None:
        until_s = time.monotonic() + _MARKS_MOST_S
        while time.monotonic() < until_s and not self._stop.is_set():
            try:
                batch = self.inbox.get(timeout=_MARKS_QUIET_S)
            except queue.Empty:
                return
            self._take(batch)

    def _send_kept(self, kept: Iterator[tuple[str, bytes]]) -> int:
        """Send messages again, hearing meanwhile what of them is stored; return how many."""
        count = 0
        while not self._stop.is_set() and (piece := list(itertools.islice(kept, _PIECE))):
            self._publisher.publish_many(piece)
            count += len(piece)
            self._hear()
        return count

    def _next_block(self, until_ms: int | None) -> list[Emission]:
        left_s = float("inf") if until_ms is None else max(1.0, (until_ms - self._station.t_ms) / 1000.0)
        if self._pace.keeps_wall_time and self._pace.behind_s(self._station.t_ms) > _COARSE_BEHIND_S:
            block_s = min(_COARSE_BLOCK_S, left_s // COARSE_STEP_S * COARSE_STEP_S)
            if block_s:
                return self._station.emissions(block_s, step_s=COARSE_STEP_S, every=_COARSE_EVERY)
        asked = self._pace.asked
        block_s = _BLOCK_AT_MAX_S if asked is None else min(_BLOCK_MOST_S, math.ceil(asked * _BLOCK_WALL_S))
        return self._station.emissions(min(block_s, left_s // 1.0), look_s=min(block_s, LOOK_S))

    def _send_in_time(self, emissions: list[Emission]) -> None:
        """Send a block, each message when its time has come; at the end all the rest of it, so that none is missing."""
        start = 0
        while start < len(emissions):
            due_ms = math.inf if self._stop.is_set() else self._pace.due_ms()
            end = bisect_right(emissions, due_ms, lo=start, key=_moment)
            if end > start:
                self._send(emissions[start:end])
                start = end
            self._second_passed()
            if start < len(emissions):
                self._stop.wait(max(_SHORTEST_WAIT_S, self._pace.seconds_until(emissions[start][0])))

    def _send(self, emissions: list[Emission]) -> None:
        """Send readings together and retained words one by one, in their order."""
        start = 0
        for place, (_, topic, payload, seq) in enumerate(emissions):
            if seq == NOT_NUMBERED:
                self._send_readings(emissions[start:place])
                self._words([(topic, payload)])
                start = place + 1
        self._send_readings(emissions[start:])

    def _send_readings(self, readings: list[Emission]) -> None:
        if readings:
            self._outbox.keep(readings)
            self._publisher.publish_many([(topic, payload) for _, topic, payload, _ in readings])
            self._sent += len(readings)
            self._sent_ms = readings[-1][0]

    def _words(self, words: Iterable[tuple[str, bytes]]) -> None:
        for topic, payload in words:
            if not topic.startswith(self._gateway_words):
                self._publisher.publish(topic, payload, retain=True)

    def _second_passed(self) -> None:
        """Hear, and each wall second tell, what is beside the readings."""
        self._hear()
        now_s = self._wall_ms() / 1000.0
        if 0.0 < self._next_word_s - now_s <= _WORD_EVERY_S:  # and not if wall time was set back
            return
        self._next_word_s = now_s + _WORD_EVERY_S
        self._speed = self._pace.measure(self._sent_ms) or self._speed
        self._send_again(now_s)
        if self._presence is not None:
            self._presence.cut(self._station.cut_off(self._sent_ms))
        if not self._pace.keeps_wall_time:
            self._tell_clock()

    def _report(self) -> None:
        """Each wall second tell whoever composes; between blocks, when all that the station has lived is sent."""
        now_s = self._wall_ms() / 1000.0
        if 0.0 < self._next_report_s - now_s <= _WORD_EVERY_S:
            return
        self._next_report_s = now_s + _WORD_EVERY_S
        if self._on_progress is not None:
            self._on_progress(Progress(self._sent_ms, self._speed, self._sent, self._publisher.unsettled))
        if not 0.0 < self._next_log_s - now_s <= _LOG_EVERY_S and not self._pace.keeps_wall_time:
            self._next_log_s = now_s + _LOG_EVERY_S
            _log.info("simulator runs", speed=self._speed, asked=self._pace.asked, messages=self._sent)

    def _hear(self) -> None:
        while True:
            try:
                batch = self.inbox.get_nowait()
            except queue.Empty:
                return
            self._take(batch)

    def _take(self, batch: Sequence[tuple[str, bytes]]) -> None:
        for topic, payload in batch:
            commanded = self._station.commanded(topic)
            if commanded is not None:
                take_fault(commanded.physics, payload, commanded.plant.id)
            else:
                self._outbox.take_watermark(topic, payload)

    def _tell_clock(self) -> None:
        """Say which station time all readings are sent up to, on the connection that carried them."""
        wall_ms = self._wall_ms()
        t_ms = wall_ms if self._pace.keeps_wall_time else self._sent_ms
        payload = plan_v1.clock_payload(t_ms, wall_ms, self._speed)
        self._words([(topics.clock(one.plant.id), payload) for one in self._station.stations])

    def _send_again(self, now_s: float) -> None:
        if not self._publisher.connected:
            return
        if self._publisher.losses == self._losses:
            self._send_kept(self._outbox.overdue(now_s))
            return
        self._losses = self._publisher.losses
        self._words(self._station.retained_again())
        self._tell_clock()
        count = self._send_kept(self._outbox.after_reconnect(now_s))
        _log.info("broker is back", sent_again=count)

    def _end(self) -> bool:
        self._words(self._station.farewell())
        return self._publisher.settle(_STOP_S if self._stop.is_set() else _SETTLE_S)


def _moment(emission: Emission) -> int:
    return emission[0]
