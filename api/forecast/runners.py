"""Where forecasts are made: in the calling thread for virtual time and replays, else in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import structlog

from api.worker_process import begin_worker, end_pool, processes_of
from station.domain.capacity import forecast
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.plant import Plant

REPLICAS: Final = 100
_MOST_DEATHS: Final = 3
"""A snapshot over which the worker dies this often is given up: it is the snapshot, not the worker."""

_LONGEST_S: Final = 120.0
"""A forecast takes about a second, the worker's start some more; one that takes this long does not come to an end."""
_log = structlog.get_logger(__name__)


class InlineRunner:
    """Makes each forecast at once, in the calling thread.

    Args:
        plant: The station.
        replicas: Monte Carlo replicas of each forecast.
    """

    def __init__(self, plant: Plant, replicas: int = REPLICAS) -> None:
        self._plant, self._replicas = plant, replicas
        self._done: list[Forecast] = []

    @property
    def backlog(self) -> int:
        """Always 0: what was asked for is done."""
        return 0

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        """Make a forecast."""
        self._done.append(forecast(self._plant, snapshot, self._replicas, on_grid=on_grid))

    def finished(self) -> list[Forecast]:
        """Return the forecasts made since the last call."""
        done, self._done = self._done, []
        return done

    def forget(self) -> None:
        """Drop what was not given back yet."""
        self._done.clear()

    def close(self) -> None:
        """Nothing is held."""


_worker_plant: Plant | None = None
"""The worker process's own station: sent once, not with every snapshot."""


def _take_plant(plant: Plant) -> None:
    global _worker_plant  # noqa: PLW0603 - a process pool hands its workers nothing else to keep
    _worker_plant = plant


def _work(snapshot: StationSnapshot, replicas: int, on_grid: bool) -> Forecast:
    assert _worker_plant is not None
    return forecast(_worker_plant, snapshot, replicas, on_grid=on_grid)


class _Asked:
    """A forecast that was asked for and has not been given back."""

    __slots__ = ("deaths", "future", "on_grid", "snapshot")

    def __init__(self, snapshot: StationSnapshot, on_grid: bool) -> None:
        self.snapshot, self.on_grid, self.deaths = snapshot, on_grid, 0
        self.future: Future[Forecast] | None = None


class WorkerRunner:
    """Makes forecasts in one worker process, which is started again when it dies, and ended when it hangs.

    Results come back in the order in which they were asked for, whatever happens to the worker. Not thread-safe: one
    thread asks and collects.

    Args:
        plant: The station.
        replicas: Monte Carlo replicas of each forecast.
        longest_s: A forecast that takes longer is stuck [s].
    """

    def __init__(self, plant: Plant, replicas: int = REPLICAS, longest_s: float = _LONGEST_S) -> None:
        self._plant, self._replicas, self._longest_s = plant, replicas, longest_s
        self._at_work: _Asked | None = None
        self._since_s = 0.0
        self._asked: deque[_Asked] = deque()
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False
        self.deaths = 0

    @property
    def backlog(self) -> int:
        """How many forecasts are asked for and not yet done."""
        return sum(1 for asked in self._asked if asked.future is None or not asked.future.done())

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        """Ask for a forecast."""
        if self._closed:
            return
        asked = _Asked(snapshot, on_grid)
        self._asked.append(asked)
        self._send(asked)

    def _send(self, asked: _Asked) -> None:
        try:
            asked.future = self._running().submit(_work, asked.snapshot, self._replicas, asked.on_grid)
        except BrokenProcessPool:
            # Found dead while sending: the next look starts another one and sends again.
            asked.future = None

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, initializer=begin_worker)
            # As the first piece of work and no argument of the start: it is more than a pipe holds, and whoever starts
            # the worker would wait, with all messages behind, until the worker has imported what it needs: seconds.
            self._pool.submit(_take_plant, self._plant)
        return self._pool

    def finished(self) -> list[Forecast]:
        """Return what has been finished since the last call, in the order it was asked for."""
        done: list[Forecast] = []
        while self._asked and not self._closed:
            first = self._asked[0]
            if first.future is None:
                self._restart()
                break
            if not first.future.done():
                self._end_if_stuck(first)
                break
            try:
                done.append(first.future.result())
            except BrokenProcessPool:
                self._bury(first)
                continue
            self._asked.popleft()
        return done

    def _end_if_stuck(self, first: _Asked) -> None:
        """Kill a worker that has been at one forecast for too long: what then happens is that of any death."""
        now_s = time.monotonic()
        if self._at_work is not first:
            self._at_work, self._since_s = first, now_s
        elif now_s - self._since_s > self._longest_s:
            self._at_work = None
            _log.error("forecast worker hangs and is ended", seconds=self._longest_s, at_ms=first.snapshot.at_ms)
            for process in processes_of(self._pool):
                process.kill()

    def _bury(self, first: _Asked) -> None:
        """The worker died over the first snapshot: start another, or give the snapshot up."""
        self.deaths += 1
        first.deaths += 1
        _log.warning("forecast worker died", deaths=self.deaths, at_ms=first.snapshot.at_ms)
        if first.deaths >= _MOST_DEATHS:
            self._asked.popleft()
        self._restart()

    def _restart(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        for asked in self._asked:
            if asked.future is None or _is_lost(asked.future):
                self._send(asked)

    def forget(self) -> None:
        """Drop what was asked for and not given back yet; the one at work is finished for nobody."""
        for asked in self._asked:
            if asked.future is not None:
                asked.future.cancel()
        self._asked.clear()

    def close(self) -> None:
        """End the worker at once; what is under way is dropped; idempotent."""
        self._closed = True
        self._asked.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            end_pool(pool)


def _is_lost(future: Future[Forecast]) -> bool:
    """Return True for a future that will never hold a forecast: cancelled, or its worker died."""
    if future.cancelled():
        return True
    return not future.done() or isinstance(future.exception(), BrokenProcessPool)
