"""When a forecast is made: on a grid of station time, and at the next minute after something changed the picture."""

from __future__ import annotations

from typing import Protocol

from api.forecast.inputs import CapacityInputs
from station.domain.capacity_forecast import Forecast, smoothed
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.plant import Plant
from station.domain.static_capacity import StaticCapacity, static_capacity

MINUTE_MS = 60_000
RUN_MS = 300_000
"""Regular runs of the rollout, DOMAIN 4.3."""

CLOCKS_APART_MS = 100
"""Good gateways' clocks differ by some tens of ms: one that is ahead speaks of a moment before others have."""

_LONGEST_GAP_MS = 30 * 60_000
"""After a silence this long only its last grid point is worth a forecast: nothing was heard in between."""

_LATE_MS = 30 * 60_000
"""A trailer overdue by this is news; most come within (median lateness 10 min)."""

_SETTLED_MS = 2 * MINUTE_MS
"""Inputs that have been whole again for this long are believed, DOMAIN 4.4."""

_INDICATORS_HELD = 1_440


class Runner(Protocol):
    """Makes forecasts of snapshots, here or in another process, and gives them back in order."""

    @property
    def backlog(self) -> int:
        """How many are under way."""
        ...

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        """Ask for a forecast."""
        ...

    def finished(self) -> list[Forecast]:
        """Return what has been finished since the last call, in the order it was asked for."""
        ...

    def forget(self) -> None:
        """Drop what was asked for and not given back yet."""
        ...

    def close(self) -> None:
        """Release everything; idempotent."""
        ...


class CapacityEngine:
    """Asks for forecasts as station time passes; what it gives depends on the messages alone, never on wall time.

    Args:
        plant: The station.
        inputs: What the snapshots are taken from.
        runner: Makes the forecasts.
        run_ms: Interval of the regular runs, a multiple of a minute.
    """

    def __init__(self, plant: Plant, inputs: CapacityInputs, runner: Runner, run_ms: int = RUN_MS) -> None:
        self._plant, self._inputs, self._runner, self._run_ms = plant, inputs, runner, run_ms
        self._weight = CapacityParameters.of(plant.parameters).probability_ewma
        self._next_ms: int | None = None
        self._previous: Forecast | None = None
        self._condition: tuple[object, ...] | None = None
        self._lost_ms: int | None = None
        self._indicators: list[StaticCapacity] = []
        self._newest: StationSnapshot | None = None

    @property
    def backlog(self) -> int:
        """How many forecasts are under way."""
        return self._runner.backlog

    @property
    def newest_snapshot(self) -> StationSnapshot | None:
        """What was known at the last full minute, None before the first; immutable, for any thread."""
        return self._newest

    def advance(self, t_ms: int) -> None:
        """Let station time come to `t_ms`; called before the messages of that moment are observed.

        A grid point is passed once time is beyond it by more than clocks differ, so that everything said at it has
        been heard, whichever gateway comes first.
        """
        if self._next_ms is not None and t_ms < self._next_ms - _LONGEST_GAP_MS:
            # Station time was set back (a new simulation, a replay that loops): what was known is of another day.
            self._inputs.forget()
            self.begin_anew()
        if self._next_ms is None:
            self._next_ms = t_ms // MINUTE_MS * MINUTE_MS
        t_ms -= CLOCKS_APART_MS
        if t_ms <= self._next_ms:
            return
        if t_ms - self._next_ms > _LONGEST_GAP_MS:
            self._next_ms = (t_ms - 1) // MINUTE_MS * MINUTE_MS
        while self._next_ms < t_ms:
            self._pass(self._next_ms)
            self._next_ms += MINUTE_MS

    def begin_anew(self) -> None:
        """Take the next moment as the first: the inputs were primed for a time that may lie before the last one."""
        self._next_ms = self._previous = self._condition = self._lost_ms = None

    def _pass(self, at_ms: int) -> None:
        self._inputs.tick(at_ms)
        if not self._inputs.is_ready(at_ms):
            return
        snapshot = self._newest = self._inputs.snapshot(at_ms)
        indicators = static_capacity(self._plant, snapshot)
        self._indicators.append(indicators)
        del self._indicators[:-_INDICATORS_HELD]
        event = self._inputs.take_event()
        late = tuple(e.id for e in snapshot.expected if e.overdue and at_ms - e.eta_ms >= _LATE_MS)
        lost = frozenset(i.signal for i in snapshot.inputs if i.degraded_s > 0.0)
        condition = (late, lost, _data_class(indicators))
        # Of a start nothing is known yet: its first minute counts as a change.
        changed = condition != self._condition
        self._condition = condition
        settled = self._settled(at_ms, whole=not lost)
        on_grid = at_ms % self._run_ms == 0
        if on_grid or event or changed or settled:
            self._runner.submit(snapshot, on_grid=on_grid)

    def _settled(self, at_ms: int, *, whole: bool) -> bool:
        """Return whether the alert about data may clear by now: that wants a forecast, on the grid or not."""
        if not whole:
            self._lost_ms = at_ms
        # The first whole minute is one after the last that lacked something.
        return self._lost_ms is not None and at_ms - self._lost_ms == MINUTE_MS + _SETTLED_MS

    def finished(self) -> list[Forecast]:
        """Return the forecasts that have been finished since the last call, in order, probabilities smoothed."""
        done = []
        for forecast in self._runner.finished():
            self._previous = smoothed(self._previous, forecast, self._weight, self._run_ms)
            done.append(self._previous)
        return done

    def indicators(self) -> list[StaticCapacity]:
        """Return the static indicators of the minutes since the last call, at most a day of them."""
        taken, self._indicators = self._indicators, []
        return taken

    def close(self) -> None:
        """Release the runner; idempotent."""
        self._runner.close()


def _data_class(indicators: StaticCapacity) -> int:
    """Return 0 while the inputs are fine, 1 once one is degraded for over a minute, 2 once the forecast is invalid."""
    if not indicators.valid:
        return 2
    return int(any(seconds > 60.0 for _, seconds in indicators.degraded))
