"""The process of one replay: takes orders, plays, tells news. It ends when nobody is at the other end any more.

A process of its own, since a day at full speed takes a core for a minute: live alarms must not wait for that. In tests
the same runs in a thread.
"""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from typing import Final

import structlog

from api.forecast.engine import Runner
from api.replay.orders import (
    End,
    Failed,
    Listen,
    Loaded,
    Moved,
    Order,
    Pause,
    Play,
    Progress,
    ReplayPlan,
    Seek,
    SetSpeed,
)
from api.replay.player import Player, Stage
from api.replay.sandbox_books import LearnedThen
from api.replay.tape import Tape
from api.worker_process import begin_worker
from station.errors import BadInputError, JinmaError
from station.ports import ReadingStore

_SLICE_S: Final = 0.02
"""Played at a stretch: an order waits no longer."""
_STILL_S: Final = 0.5
_VALUES_S: Final = 0.25
"""Between two words of the newest values."""
_TELL_S: Final = 0.1
"""Between two words of where it stands when nothing else is to be told."""
_NICE: Final = 5
"""Below the service: a replay takes what the living leave."""
_log = structlog.get_logger(__name__)


def run_process(connection: Connection, plan: ReplayPlan) -> None:
    """Be a replay's process."""
    begin_worker()
    os.nice(_NICE)
    serve(connection, plan)


def serve(connection: Connection, plan: ReplayPlan) -> None:
    """Take orders and play until the other end of the connection is closed."""
    runner = None if plan.forecaster is None else plan.forecaster(plan.plant)
    try:
        store = plan.open_store(connection.send)
        try:
            _Worker(connection, plan, store, runner).serve()
        finally:
            store.close()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the replay was ended
    except JinmaError as error:
        _tell_last(connection, str(error))
    except Exception as error:  # noqa: BLE001 - the supervisor of this process: its last word tells what broke it
        _log.exception("replay broke", replay=plan.name)
        _tell_last(connection, f"the replay broke: {error!r}")
    finally:
        if runner is not None:
            runner.close()
        connection.close()


def _tell_last(connection: Connection, text: str) -> None:
    try:
        connection.send(Failed(text, for_good=True))
    except OSError:
        return


class _Worker:
    def __init__(self, connection: Connection, plan: ReplayPlan, store: ReadingStore, runner: Runner | None) -> None:
        self._connection = connection
        start_ms, end_ms = plan.range_ms or _all_of(store, plan.plant.id)
        self._events: list[tuple[str, bytes]] = []
        tape = Tape(store, plan.plant, end_ms)
        told = tape.days_told(start_ms)
        stage = Stage(
            plant=plan.plant,
            name=plan.name,
            tape=tape,
            start_ms=start_ms,
            plans=[one for one in plan.plans if one.date not in told],
            learned=LearnedThen(plan.learned),
            runner=runner,
            tell=lambda event, data: self._events.append((event, data)),
        )
        self._player = Player(stage, plan.speed)
        self._told_at_s = self._values_at_s = 0.0
        self._told: object = None
        connection.send(Loaded(start_ms, end_ms))

    def serve(self) -> None:
        while True:
            wait_s = self._go_on()
            self._tell()
            while self._connection.poll(wait_s):
                self._take(self._connection.recv())
                wait_s = 0.0

    def _go_on(self) -> float:
        """Play for a slice, or get ready to while nobody wants anything; return how long there is nothing to do [s]."""
        try:
            if self._player.state == "playing":
                return min(self._player.run(_SLICE_S), _TELL_S)
            if not self._connection.poll():
                self._player.prepare()
        except JinmaError as error:
            self._player.pause()
            self._connection.send(Failed(str(error)))
        return _STILL_S

    def _take(self, order: Order) -> None:
        match order:
            case Play():
                self._play()
            case Pause():
                self._player.pause()
            case SetSpeed(speed):
                self._player.set_speed(speed)
            case Listen(readings):
                self._player.tells_readings = readings
            case Seek():
                self._seek(order)
            case End():
                raise EOFError  # as if the other end had been closed

    def _play(self) -> None:
        try:
            self._player.play()
        except JinmaError as error:
            self._connection.send(Failed(str(error)))

    def _seek(self, order: Seek) -> None:
        self._tell()  # what was before the jump comes before it
        try:
            self._player.seek(order.at_ms, order.standing)
        except JinmaError as error:
            self._connection.send(Failed(str(error), order.number))
            return
        self._tell()  # what a step has lived through
        sandbox, player = self._player.sandbox, self._player
        alarms = [sandbox.view_json(view) for view in sandbox.alarms.alarms()]
        sandbox.latest.take_changes()
        self._connection.send(Moved(order.number, player.at_ms, player.state, sandbox.latest.whole_state(), alarms))

    def _tell(self) -> None:
        player, now_s = self._player, time.monotonic()
        where = (player.state, player.at_ms)
        is_still = player.state != "playing"
        if where == self._told and not self._events:
            return
        if not self._events and not is_still and now_s - self._told_at_s < _TELL_S:
            return
        values = None
        if is_still or now_s - self._values_at_s >= _VALUES_S:
            self._values_at_s, values = now_s, player.sandbox.latest.take_changes()
        events, self._events = self._events, []
        rows = player.rows.take_new()
        self._connection.send(Progress(player.state, player.at_ms, player.stretches(), events, values, rows))
        self._told, self._told_at_s = where, now_s


def _all_of(store: ReadingStore, station: str) -> tuple[int, int]:
    span = store.span(station)
    if span is None:
        held = ", ".join(store.stations()) or "no reading"
        raise BadInputError(f"the log holds no reading of station {station}; it holds {held}")
    return span[0], span[1] + 1
