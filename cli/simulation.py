"""The simulator inside `jinma run`: it fills the history, publishes, and keeps its state for the next start."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from cli.publish import publish
from cli.simulator_side import keep_station, kept_station, new_station
from simulators.gateways.publishing import Progress
from simulators.history import fill_history
from simulators.scenario import Scenario
from simulators.station import SimulatedStation
from station.adapters.clocks import wall_ms
from station.domain.plant import Plant
from station.errors import JinmaError
from station.ports import ReadingStore

_log = structlog.get_logger(__name__)

_KEEP_STATE_S: Final = 10.0
_SAME_STEPS: Final = dt.timedelta(seconds=20)
"""After a crash the seconds since the last kept state are lived again in the steps of the first time, so that the same
moments get the same values and no counter goes back."""
_LIVED_MOST: Final = dt.timedelta(days=30)
"""The store takes nothing older; off for longer, the simulated station starts anew."""
_AHEAD: Final = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class SimulationPlan:
    """What the simulator of a run is to do."""

    plant: Plant
    scenario: Scenario
    seed: int
    speed: float
    state: Path
    outbox: Path
    store: ReadingStore


class Simulation:
    """A simulated station in a thread of its own.

    Args:
        plan: What to play.
        broker: Where to publish.
        before_publishing: Called once history is there: the services that want it start now.
        on_failure: Told why it ended by itself.
    """

    def __init__(
        self,
        plan: SimulationPlan,
        broker: str,
        before_publishing: Callable[[], None],
        on_failure: Callable[[JinmaError], None],
    ) -> None:
        self._plan = plan
        self._broker = broker
        self._before_publishing = before_publishing
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._next_keep_s = 0.0
        self.published = 0
        """Messages that were published, once it has ended."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """End soon."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Return whether it has ended within the time."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            station, keeps_wall_time = self._ready_station()
            if self._stop.is_set():
                return
            self._before_publishing()
            self._publish(station, keeps_wall_time=keeps_wall_time)
        except JinmaError as error:
            self._on_failure(error)
        except Exception as error:  # noqa: BLE001 - this thread's supervisor: without its simulator a run has no purpose
            _log.exception("simulator failed")
            self._on_failure(JinmaError(f"the simulator failed: {error!r}; see the log"))

    def _ready_station(self) -> tuple[SimulatedStation, bool]:
        """Return the station at the present moment, its history in the store, and whether it keeps wall time."""
        plan = self._plan
        now = _whole_second(wall_ms())
        station = kept_station(plan.plant, plan.scenario, plan.state)
        if station is not None and _moment(station.t_ms) > now + _AHEAD:
            ahead_s = (station.t_ms - wall_ms()) / 1000
            _log.warning("station time is ahead of the wall, from a faster run: it goes on there", ahead_s=ahead_s)
            return station, False
        if station is None or now - _moment(station.t_ms) > _LIVED_MOST:
            midnight = plan.plant.day_start(plan.plant.day_of(now))
            station = new_station(plan.plant, plan.scenario, midnight, plan.seed)
        self._fill(station, now)
        return station, plan.speed == 1.0

    def _fill(self, station: SimulatedStation, now: dt.datetime) -> None:
        began = time.monotonic()
        start = _moment(station.t_ms)
        write = self._plan.store.write
        same = min(now, start + _SAME_STEPS)
        stored = fill_history(station, write, start, same, step_s=1.0, every=dt.timedelta(seconds=1))
        stored += fill_history(station, write, same, now)
        if stored:
            keep_station(station, self._plan.state)
            seconds = round(time.monotonic() - began, 2)
            _log.info("history filled", since=start.isoformat(), messages=stored, seconds=seconds)

    def _publish(self, station: SimulatedStation, *, keeps_wall_time: bool) -> None:
        plan = self._plan

        def on_progress(_: Progress) -> None:
            now_s = time.monotonic()
            if now_s >= self._next_keep_s:
                self._next_keep_s = now_s + _KEEP_STATE_S
                keep_station(station, plan.state)

        done = publish(
            station,
            self._broker,
            plan.speed,
            self._stop,
            on_progress=on_progress,
            keeps_wall_time=keeps_wall_time,
            outbox=plan.outbox,
        )
        self.published = done.messages
        keep_station(station, plan.state)


def _moment(t_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC)


def _whole_second(t_ms: int) -> dt.datetime:
    return _moment(t_ms // 1000 * 1000)
