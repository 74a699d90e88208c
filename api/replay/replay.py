"""One replay as the service sees it: what its process has told, and the orders it is given."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog

from api.live.latest import LatestValues
from api.replay.comparison import Occurrence, occurrences_of
from api.replay.launching import Launch, Launched
from api.replay.orders import (
    End,
    Failed,
    Listen,
    Loaded,
    Loading,
    Moved,
    News,
    Order,
    Pause,
    Play,
    Progress,
    ReplayPlan,
    Seek,
    SetSpeed,
)
from api.replay.player import WARM_UP_MS, State
from api.stream import StreamHub
from station.domain.plant import Plant
from station.errors import BadInputError, TransientError
from station.ports import JournalEntry

_RING_BYTES: Final = 4 * 1024 * 1024
_SEEK_S: Final = 20.0
_BEHIND_BYTES: Final = 1024 * 1024
_PATIENCE_S: Final = 2.0
"""So long a replay waits for a listener that falls behind; then the listener is cut as at any stream."""
_MOST_ROWS: Final = 100_000
_encoder: Final = msgspec.json.Encoder()
_alarm_of: Final = msgspec.json.Decoder(dict[str, Any]).decode
_log = structlog.get_logger(__name__)

Standing = Callable[[int], Sequence[JournalEntry]]
"""Tells where each alarm stood at a moment, epoch ms, by the living station's journal."""


@dataclass
class _Asked:
    """A jump under way."""

    done: threading.Event = field(default_factory=threading.Event)
    problem: str | None = None


class Replay:
    """A replay.

    Args:
        replay_id: 8 of [a-z0-9].
        plan: What its process is started with.
        file: Name of the uploaded log, None for a range of the store.
        standing: Where alarms stood, for jumps.
        launch: Starts what plays.
        plays: Whether it goes on by itself from the beginning.
        monotonic: Seconds that never go back.

    Attributes:
        range_ms: [start, end), epoch ms; None before the log has been loaded.
        loading: How much of the log is there, and what of it was refused.
        is_ready: It stands at a moment, and takes orders.
        problem: What went wrong last, None where nothing.
    """

    def __init__(
        self,
        replay_id: str,
        plan: ReplayPlan,
        file: str | None,
        standing: Standing,
        launch: Launch,
        *,
        plays: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = replay_id
        self.plan = plan
        self.file = file
        self.range_ms = plan.range_ms
        self.loading = Loading(0.0)
        self.is_ready = False
        self.speed = plan.speed
        self.problem: str | None = None
        self.state: State = "playing" if plays else "paused"
        self.at_ms = 0 if plan.range_ms is None else plan.range_ms[0]
        self.played: Sequence[tuple[int, int]] = ()
        self.forecast: bytes | None = None
        self.latest = LatestValues()
        self.hub = StreamHub(self.latest.whole_state, self.latest.take_changes, ring_bytes=_RING_BYTES)
        self.touched_s = monotonic()
        self._standing = standing
        self._plays = plays
        self._monotonic = monotonic
        self._lock = threading.RLock()
        # Of its own: an order may have to wait for a process that waits for us to take its news.
        self._sending = threading.Lock()
        self._alarms: dict[str, dict[str, Any]] = {}
        self._rows: dict[tuple[str, str, str, int], JournalEntry] = {}
        self._asked: dict[int, _Asked] = {}
        self._numbers = itertools.count(1)
        self._single_listeners = 0
        self._launched: Launched | None = None
        self._closed = False
        self._over = False
        self._thread = threading.Thread(target=self._run, args=(launch,), name=f"replay-{replay_id}", daemon=True)
        self._thread.start()

    @property
    def plant(self) -> Plant:
        """The station file."""
        return self.plan.plant

    @property
    def is_idle(self) -> bool:
        """Nobody listens, and nothing goes on."""
        return not self.hub.clients and self.state != "playing"

    # What is asked for

    def change(self, state: State | None = None, at_ms: int | None = None, speed: Sequence[float | None] = ()) -> None:
        """Take other wishes; returns when a jump has been made.

        Args:
            state: `playing` or `paused`.
            at_ms: Where to, epoch ms.
            speed: One speed, None as fast as it goes; empty leaves it.

        Raises:
            BadInputError: The moment is outside of the replay, or nothing can be asked of it any more.
            TransientError: The log is being loaded still, or the jump failed.
        """
        if self._over:
            raise BadInputError(f"the replay is over: {self.problem}")
        if speed:
            (self.speed,) = speed
            self._send(SetSpeed(self.speed))
        if state == "paused":
            self._plays = False
            self._send(Pause())
        if at_ms is not None or (state == "playing" and self.state == "ended"):
            self._seek(at_ms)
        if state == "playing":
            self._plays = True
            self._send(Play())
        if state is not None and self.is_ready:
            self.state = state

    def _seek(self, at_ms: int | None) -> None:
        if self.range_ms is None or not (self.is_ready or self.problem):
            raise TransientError("the replay is being made ready; ask again")
        start_ms, end_ms = self.range_ms
        at_ms = start_ms if at_ms is None else at_ms
        if not start_ms <= at_ms <= end_ms:
            raise BadInputError(f"at = {at_ms}: must be within the replay, {start_ms} to {end_ms}")
        asked, number = _Asked(), next(self._numbers)
        self._asked[number] = asked
        self._send(Seek(number, at_ms, self._standing(at_ms - WARM_UP_MS)))
        if not asked.done.wait(_SEEK_S):
            raise TransientError("the replay did not get there in time; ask again")
        if asked.problem is not None:
            raise TransientError(asked.problem)

    async def listen(
        self, last_event_id: str | None, *, conflate: bool, may_stay: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield the stream; see `StreamHub.listen`. Single readings are made only while somebody takes them."""
        if not conflate:
            self._count_single_listeners(1)
        try:
            async for block in self.hub.listen(last_event_id, conflate=conflate, may_stay=may_stay):
                yield block
        finally:
            self.touched_s = self._monotonic()
            if not conflate:
                self._count_single_listeners(-1)

    def _count_single_listeners(self, change: int) -> None:
        with self._lock:
            self._single_listeners += change
            if (self._single_listeners, change) == (1, 1):
                self.hub.forget_ring()  # the readings of meanwhile are not in it
                self._send(Listen(readings=True))
            elif self._single_listeners == 0:
                self._send(Listen(readings=False))

    # What is known

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that are not normal, as told."""
        with self._lock:
            return list(self._alarms.values())

    def occurrences(self) -> list[Occurrence]:
        """Return what has been raised in the stretches that were played."""
        with self._lock:
            rows = list(self._rows.values())
        start_ms, end_ms = self.range_ms or (0, 0)
        return occurrences_of(rows, start_ms, end_ms)

    def touch(self) -> None:
        """Note that somebody is interested."""
        self.touched_s = self._monotonic()

    def close(self) -> None:
        """End it; idempotent."""
        self._send(End())
        self._closed = True
        self.hub.close()
        with self._lock:
            launched = self._launched
        if launched is not None:
            launched.end()
        for asked in list(self._asked.values()):
            asked.done.set()

    # What the process tells

    def _send(self, order: Order) -> None:
        launched = self._launched
        if launched is None or self._closed:
            return
        with self._sending:
            try:
                launched.connection.send(order)
            except OSError:
                return  # it has ended; what reads from it tells why

    def _run(self, launch: Launch) -> None:
        launched = launch(self.plan)
        with self._lock:
            self._launched = launched
        if self._closed:
            launched.connection.close()
            launched.end()
            return
        try:
            while True:
                self._hear(launched.connection.recv())
        except (EOFError, OSError):
            self._lost()
        finally:
            launched.connection.close()

    def _lost(self) -> None:
        """The process has ended, or was ended."""
        if self._closed:
            return
        self._over, self.state = True, "ended"
        self.problem = self.problem or "its process ended unexpectedly"
        _log.warning("replay ended", replay=self.id, reason=self.problem)
        for asked in list(self._asked.values()):
            asked.problem = self.problem
            asked.done.set()
        self._tell_state()

    def _hear(self, news: News) -> None:
        match news:
            case Progress():
                self._progress(news)
            case Moved():
                self._moved(news)
            case Loading():
                self.loading = news
                self._tell_state()
            case Loaded(start_ms, end_ms):
                self._begin(start_ms, end_ms)
            case Failed():
                self._failed(news)

    def _begin(self, start_ms: int, end_ms: int) -> None:
        """All is there: go to the beginning, and play on where that is wanted."""
        self.range_ms, self.at_ms = (start_ms, end_ms), start_ms
        self._send(SetSpeed(self.speed))  # it may have been changed before anybody heard
        self._send(Seek(0, start_ms, self._standing(start_ms - WARM_UP_MS)))
        if self._plays:
            self._send(Play())

    def _progress(self, news: Progress) -> None:
        until_s = self._monotonic() + _PATIENCE_S
        while news.events and self.hub.behind_bytes > _BEHIND_BYTES and self._monotonic() < until_s:
            time.sleep(0.005)  # The process waits for us, its pipe being full: no event is lost.
        if news.values is not None:
            self.latest.adopt(news.values)
        with self._lock:
            self._rows |= {(row.alarm_id, row.occurrence, row.event, row.t_ms): row for row in news.rows}
            while len(self._rows) > _MOST_ROWS:
                del self._rows[next(iter(self._rows))]
            for event, data in news.events:
                self._note(event, data)
        for event, data in news.events:
            self.hub.publish(event, data)
        self.state, self.at_ms, self.played = news.state, news.at_ms, news.played
        self._plays = self._plays and news.state != "ended"
        self._tell_state()

    def _note(self, event: str, data: bytes) -> None:
        if event == "capacity":
            self.forecast = data
        elif event == "alarm":
            view = _alarm_of(data)
            self._alarms.pop(view["id"], None)
            if view["state"] != "NORM" and not view["late"]:
                self._alarms[view["id"]] = view

    def _moved(self, news: Moved) -> None:
        self.latest.forget()
        self.latest.adopt(news.values)
        with self._lock:
            self._alarms = {str(view["id"]): view for view in news.alarms}
        self.forecast, self.problem = None, None
        self.at_ms, self.is_ready = news.at_ms, True
        self.state = "playing" if self._plays and news.state != "ended" else news.state
        self.hub.begin_anew("the replay stands at another moment")
        self._tell_state()
        self._answer(news.number, None)

    def _failed(self, news: Failed) -> None:
        self.problem = news.text
        if not news.for_good and not news.number:
            self.state, self._plays = "paused", False
        self._tell_state()
        self._answer(news.number, news.text)

    def _answer(self, number: int, problem: str | None) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None:
            asked.problem = problem
            asked.done.set()

    def _tell_state(self) -> None:
        self.hub.publish("replay", _encoder.encode(self.body()))

    def body(self) -> dict[str, Any]:
        """Return the replay as JSON; times epoch ms, speed `max` for as fast as it goes."""
        start_ms, end_ms = self.range_ms or (None, None)
        return {
            "id": self.id,
            "station": self.plant.id,
            "state": self.state,
            "at_ms": self.at_ms,
            "speed": "max" if self.speed is None else self.speed,
            "start_ms": start_ms,
            "end_ms": end_ms,
            "file": self.file,
            "loaded": 1.0 if self.is_ready else min(self.loading.part, 0.99),
            "refused": self.loading.refused,
            "first_refused": self.loading.first_refused or None,
            "forecasts": self.plan.forecaster is not None,
            "played_ms": [list(stretch) for stretch in self.played],
            "problem": self.problem,
        }
