"""A recorded log published again, as a station of its own or, when told so, as a living one (contract 1, 3)."""

from __future__ import annotations

import fnmatch
import re
import secrets
import string
import threading
import time as wall
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from station.adapters.log_files import LogRecord
from station.errors import BadInputError
from station.wire import topics

MOST_AT_ONCE: Final = 500
"""Messages handed to the publisher together: beyond, one call more costs nothing against the messages in it."""
TELL_EVERY_S: Final = 0.2
"""Between two words of progress."""
_LOOK_EACH: Final = 1000
"""Records between two looks at `stop` where none of them goes out: a few ms."""
LOOK_AFTER_S: Final = 0.25
"""Longest wait between two looks at `stop`."""

_REPLAYED = re.compile(r"(?P<station>[^~]+)~(?P<id>[a-z0-9]{8})")

OnProgress = Callable[[int, int], None]
"""Told (messages published, time of the last one in the log as epoch ms)."""
OnBad = Callable[[str], None]
"""Told what is wrong with a record that was passed over."""


class Publisher(Protocol):
    """What a replay needs of an MQTT client; `station.adapters.mqtt.MqttPublisher` is one."""

    def publish_many(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish messages in order; waits while too many are not acknowledged yet."""
        ...

    def settle(self, timeout_s: float) -> bool:
        """Return True when all are acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """Under which station a replay goes out.

    Attributes:
        station: Station id in front of the mark, None for the one that stands in the log.
        replay_id: 8 of [a-z0-9]; None publishes as a living station.
    """

    station: str | None
    replay_id: str | None

    def of(self, logged: str) -> str:
        """Return the station under which a message of `logged` goes out; a replay of a replay is its station's."""
        station = self.station or logged.partition(topics.REPLAY_MARK)[0]
        return station if self.replay_id is None else topics.replay_station(station, self.replay_id)

    def boot(self, loop: int) -> str:
        """Return the boot of one passage, from 1."""
        return f"{self.replay_id or 'replay-' + secrets.token_hex(3)}-{loop}"


def new_replay_id() -> str:
    """Return 8 characters of [a-z0-9] by chance."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def replay_target(station: str | None, *, time: str, yes: bool) -> ReplayTarget:
    """Return where a replay goes, from the command's `--station`.

    Args:
        station: None for a replay station made of the log's own and a new id; `NAME~ID` for one with an id that is
            known beforehand; `NAME` for a living station.
        time: `original` or `now`.
        yes: It was said that a living station is meant.

    Raises:
        BadInputError: A living station without `--time now` and `--yes`, or an id that is none.
    """
    if station is None:
        return ReplayTarget(None, new_replay_id())
    if topics.REPLAY_MARK in station:
        parts = _REPLAYED.fullmatch(station)
        if parts is None:
            raise BadInputError(f"--station {station}: behind ~ must stand 8 characters of [a-z0-9]")
        return ReplayTarget(parts["station"], parts["id"])
    if time != "now" or not yes:
        raise BadInputError(f"--station {station} names a living station: that needs --time now and --yes")
    return ReplayTarget(station, None)


class _Whole(msgspec.Struct):
    """A payload whose values go out as they are written."""

    t: int
    v: msgspec.Raw
    q: msgspec.Raw = msgspec.Raw()


class _BySignal(msgspec.Struct):
    """A payload of which some signals go out."""

    t: int
    v: dict[str, msgspec.Raw]
    q: dict[str, msgspec.Raw] = {}


_decode_whole: Final = msgspec.json.Decoder(_Whole).decode
_decode_by_signal: Final = msgspec.json.Decoder(_BySignal).decode
_encode: Final = msgspec.json.Encoder().encode


class _Due(NamedTuple):
    """A reading of the log: its topic, its time, when it came, and its values as JSON."""

    topic: topics.ReadingTopic
    t_ms: int
    arrival_ms: int
    values: bytes
    quality: bytes


def replay_log(  # noqa: PLR0913 - the options of the command
    records: Callable[[], Iterable[LogRecord]],
    publisher: Publisher,
    target: ReplayTarget,
    *,
    speed: float | None = 1.0,
    loop: int = 1,
    start_ms: int | None = None,
    end_ms: int | None = None,
    signals: str | None = None,
    time: Literal["original", "now"] = "original",
    stop: threading.Event | None = None,
    progress: OnProgress | None = None,
    on_bad: OnBad | None = None,
) -> int:
    """Publish the readings of a log again, with boot and sequence numbers of the replay's own.

    The time between two messages is that between their arrivals where the log tells them, else between their own
    times, divided by `speed`; what a slow broker delays is caught up. Plans, queues, clocks and watermarks stay out:
    they belong to the day they were made for.

    Args:
        records: Opens the log from its beginning, once each loop.
        publisher: Waits for the broker's acknowledgements, and with it the replay.
        target: Under which station.
        speed: Times real time; None is as fast as the broker takes it.
        loop: How many times, 0 for ever.
        start_ms: First time to publish, as it stands in the log, epoch ms.
        end_ms: Time after the last, epoch ms.
        signals: Only signals whose id matches this pattern (`PT-*`, `?T-33*`).
        time: `original`, or `now`: all times are moved by what brings the first of each loop to the present.
        stop: Ends the replay early when set.
        progress: Told how far it is.
        on_bad: Told of each record that is no reading.

    Returns:
        How many messages were published.

    Raises:
        BadInputError: Speed or loop make no sense (a living station's are 1 and now), or nothing is left to replay.
        TransientError: The publisher was closed under it.
    """
    if speed is not None and not speed > 0.0:
        raise BadInputError(f"--speed {speed:g}: must be greater than 0, or max")
    if target.replay_id is None and (speed != 1.0 or time != "now"):
        raise BadInputError(f"--station {target.station} is a living station: its time is now, and runs at --speed 1")
    if loop < 0:
        raise BadInputError(f"--loop {loop}: must be 1 or more, or 0 for ever")
    stop = stop or threading.Event()
    chosen = _Chosen(start_ms, end_ms, signals, on_bad or _pass_over, stop)
    done = passage = 0
    while not stop.is_set() and (loop == 0 or passage < loop):
        passage += 1
        out = _Outlet(publisher, target, target.boot(passage), speed, stop, shift=time == "now")
        done = out.send(chosen.readings(records()), done, progress)
        if done == 0 and not stop.is_set():
            raise BadInputError("nothing to replay: the log holds no reading in this range with these signals")
    while not publisher.settle(LOOK_AFTER_S) and not stop.is_set():
        pass
    return done


def _pass_over(_text: str) -> None:
    """Say nothing of a bad record."""


class _Chosen:
    """Which readings of a log are wanted."""

    def __init__(
        self, start_ms: int | None, end_ms: int | None, signals: str | None, on_bad: OnBad, stop: threading.Event
    ) -> None:
        self._stop = stop
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._matches = None if signals is None else re.compile(fnmatch.translate(signals)).fullmatch
        self._on_bad = on_bad

    def readings(self, records: Iterable[LogRecord]) -> Iterator[_Due]:
        for number, record in enumerate(records):
            if number % _LOOK_EACH == 0 and self._stop.is_set():
                return  # what is passed over may be hours of a log
            topic = topics.parse_reading(record.topic)
            if topic is None:
                continue
            try:
                due = self._due(topic, record)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._on_bad(f"{record.topic}: {error}")
                continue
            if due is not None:
                yield due

    def _due(self, topic: topics.ReadingTopic, record: LogRecord) -> _Due | None:
        if self._matches is None:
            whole = _decode_whole(record.payload)
            t_ms, values, quality = whole.t, bytes(whole.v), bytes(whole.q)
        else:
            said = _decode_by_signal(record.payload)
            kept = {signal: value for signal, value in said.v.items() if self._matches(signal)}
            if not kept:
                return None
            of_kept = {signal: text for signal, text in said.q.items() if signal in kept}
            t_ms, values, quality = said.t, _encode(kept), _encode(of_kept) if of_kept else b""
        if (self._start_ms is not None and t_ms < self._start_ms) or (
            self._end_ms is not None and t_ms >= self._end_ms
        ):
            return None
        return _Due(topic, t_ms, t_ms if record.received is None else record.received, values, quality)


class _Outlet:
    """One passage of a log: numbers, times and pace."""

    def __init__(
        self,
        publisher: Publisher,
        target: ReplayTarget,
        boot: str,
        speed: float | None,
        stop: threading.Event,
        *,
        shift: bool,
    ) -> None:
        self._publisher = publisher
        self._target = target
        self._boot = _encode(boot)
        self._speed = speed
        self._stop = stop
        self._shift = shift
        self._shift_ms = 0
        self._seq: Counter[str] = Counter()
        self._topics: dict[topics.ReadingTopic, str] = {}
        self._waiting: list[tuple[str, bytes]] = []

    def send(self, readings: Iterable[_Due], done: int, progress: OnProgress | None) -> int:
        """Publish readings as they become due; return `done` and how many these were."""
        tell_at = 0.0
        begin: tuple[float, int] | None = None  # wall clock and arrival time of the first
        for due in readings:
            if begin is None:
                begin = (wall.monotonic(), due.arrival_ms)
                self._shift_ms = wall.time_ns() // 1_000_000 - due.t_ms if self._shift else 0
            if self._speed is not None:
                self._await(begin[0] + (due.arrival_ms - begin[1]) / 1000.0 / self._speed)
            if self._stop.is_set():
                break
            self._waiting.append(self._message(due))
            done += 1
            if len(self._waiting) >= MOST_AT_ONCE:
                self._flush()
            if progress is not None and wall.monotonic() >= tell_at:
                tell_at = wall.monotonic() + TELL_EVERY_S
                progress(done, due.t_ms)
        self._flush()
        return done

    def _await(self, moment: float) -> None:
        """Return at a moment of the monotonic clock, at once where it has passed, early when stopped."""
        left = moment - wall.monotonic()
        if left <= 0.0:
            return
        self._flush()  # what is due goes out before the wait
        while (left := moment - wall.monotonic()) > 0.0 and not self._stop.wait(min(left, LOOK_AFTER_S)):
            pass

    def _message(self, due: _Due) -> tuple[str, bytes]:
        topic = self._topics.get(due.topic)
        if topic is None:
            station = self._target.of(due.topic.station)
            topic = self._topics[due.topic] = topics.reading(station, due.topic.area, due.topic.unit)
        self._seq[topic] += 1
        quality = b',"q":' + due.quality if due.quality else b""
        return topic, b'{"t":%d,"boot":%b,"seq":%d,"v":%b%b}' % (
            due.t_ms + self._shift_ms,
            self._boot,
            self._seq[topic],
            due.values,
            quality,
        )

    def _flush(self) -> None:
        if self._waiting:
            self._publisher.publish_many(self._waiting)
            self._waiting = []
