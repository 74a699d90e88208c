"""A simulated station and the forecast over it, in one process and in virtual time.

The simulator's messages and retained words go through the same classes as in the service; only broker, codec and store
are left out, which have tests of their own. The plant's truth is kept beside, for judging: the forecast never sees it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from api.alarms.engine import AlarmEngine
from api.forecast.engine import CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.runners import InlineRunner
from simulators.block import DayTruth, TruckTruth
from simulators.physics import StationPhysics
from simulators.scenario import Scenario, shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.memory_journal import MemoryJournal
from station.adapters.property_tables import hydrogen_tables
from station.domain.capacity_alerts import CapacityAlerts, CapacityCondition
from station.domain.capacity_forecast import Forecast
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.wire.plan_v1 import parse_gate_queue, parse_plan
from tests.support.plants import jinma

HOUR_MS = 3_600_000


@dataclass
class DayRecord:
    """What the forecast said, what the alarms did, and what really happened."""

    start_ms: int
    forecasts: list[Forecast] = field(default_factory=list)
    conditions: list[CapacityCondition] = field(default_factory=list)
    alarms: list[tuple[int, str, str]] = field(default_factory=list)
    truth: DayTruth | None = None

    def raised(self, alert: str) -> list[CapacityCondition]:
        """Return each change of an alert to active."""
        return [c for c in self._changes(alert) if c.active]

    def cleared(self, alert: str) -> list[CapacityCondition]:
        """Return each change of an alert from active to inactive."""
        changes = list(self._changes(alert))
        return [c for before, c in itertools.pairwise(changes) if before.active and not c.active]

    def _changes(self, alert: str) -> Iterator[CapacityCondition]:
        active = None
        for condition in self.conditions:
            if condition.id == alert and condition.active is not active:
                active = condition.active
                yield condition

    def trucks(self) -> tuple[TruckTruth, ...]:
        """Return what really happened to the trucks."""
        assert self.truth is not None
        return self.truth.truck_list

    def first_failure_ms(self, wait_min: float = 30.0, end_ms: int = 2**62) -> int | None:
        """Return when the first truck had waited too long, or left short."""
        fails = []
        for truck in self.trucks():
            if truck.wait_s(end_ms) > wait_min * 60.0:
                fails.append(truck.arrival_ms + round(wait_min * 60_000))
            elif truck.outcome in ("short", "gone") and truck.end_ms is not None:
                fails.append(truck.end_ms)
        return min(fails, default=None)

    def hour(self, t_ms: int) -> float:
        """Return a time as hours after the start."""
        return (t_ms - self.start_ms) / HOUR_MS


class VirtualStation:
    """One simulated station under the forecast, and under the alarm engine from `watch` on.

    Args:
        scenario: A shipped scenario's name, or a scenario.
        seed: Of the simulation.
        start: Aware moment of the first reading.
        step_s: Step of the physics [s].
        every: Coarse sampling; None samples as the real devices do.
        run_ms: Interval of the forecasts.
        replicas: Of each forecast.
    """

    def __init__(
        self,
        scenario: str | Scenario,
        seed: int,
        start: dt.datetime,
        *,
        step_s: float = 10.0,
        every: dt.timedelta | None = dt.timedelta(seconds=60),
        run_ms: int = 300_000,
        replicas: int = 30,
        plant: Plant | None = None,
    ) -> None:
        self.plant = plant or jinma()
        chosen = shipped_scenario(scenario) if isinstance(scenario, str) else scenario
        self.physics = StationPhysics(self.plant, hydrogen_tables(), chosen, start, seed)
        self.station = SimulatedStation(self.plant, self.physics, seed)
        self.inputs = CapacityInputs(self.plant)
        self.engine = CapacityEngine(self.plant, self.inputs, InlineRunner(self.plant, replicas), run_ms)
        self.alerts = CapacityAlerts(self.plant)
        self.alarms: AlarmEngine | None = None
        self.record = DayRecord(self.station.t_ms)
        self._step_s, self._every = step_s, every
        self._asks = True
        # A coarse run looks at the gate once a minute, a real one as often as the simulator does.
        self._look_s = 60 if every is not None else 10

    def watch(self) -> None:
        """From now on sample as the real devices do, and let the alarm engine listen: coarse readings are stale."""
        self._step_s, self._every, self._look_s = 1.0, None, 10
        self.alarms = AlarmEngine(self.plant, MemoryJournal(), wall_ms=lambda: self.station.t_ms)
        self.alarms.restore()
        self.alarms.advance(self.station.t_ms)

    def run(self, hours: float, *, forecasts: bool = True) -> DayRecord:
        """Let station time pass; without forecasts everything is heard and nothing asked."""
        self._asks = forecasts
        for _ in range(round(hours * 3600 / self._look_s)):
            for message in self.station.advance(self._look_s, step_s=self._step_s, every=self._every):
                self._reading(message)
            for topic, payload in self.station.retained():
                self._retained(topic, payload)
            self._collect()
        self.record.truth = self.physics.truth()
        return self.record

    def _reading(self, message: UnitMessage) -> None:
        if self._asks:
            self.engine.advance(message.t_ms)
        self.inputs.observe(message)
        if self.alarms is not None:
            self.alarms.observe(message)
            self.alarms.advance(message.t_ms)

    def _retained(self, topic: str, payload: bytes) -> None:
        kind, name = topic.split("/")[3:5]
        if kind == "plan":
            self.inputs.observe_plan(parse_plan(payload, dt.date.fromisoformat(name), self.plant.timezone, "mqtt"))
        elif kind == "queue":
            self.inputs.observe_queue(*parse_gate_queue(payload))

    def _collect(self) -> None:
        for forecast in self.engine.finished():
            self.record.forecasts.append(forecast)
            for condition in self.alerts.update(forecast):
                self.record.conditions.append(condition)
                self._report(condition)
        if self.alarms is not None:
            changes = self.alarms.take_changes()
            self.record.alarms.extend((self.station.t_ms, view.id, view.state) for view in changes)

    def _report(self, condition: CapacityCondition) -> None:
        if self.alarms is None:
            return
        self.alarms.report(
            condition.id,
            active=condition.active,
            at_ms=condition.at_ms,
            priority=condition.priority,
            value=condition.value,
            limit=condition.limit,
            text=condition.text,
        )


def day_start(day: dt.date = dt.date(2026, 6, 1), hour: float = 0.0) -> dt.datetime:
    """Return a local hour of a station day."""
    midnight = dt.datetime.combine(day, dt.time(), jinma().timezone)
    return midnight + dt.timedelta(hours=hour)


def run_day(
    scenario: str | Scenario,
    seed: int,
    start: dt.datetime | None = None,
    hours: float = 24.0,
    step: float = 10.0,
    *,
    run_ms: int = 300_000,
    replicas: int = 30,
) -> DayRecord:
    """Run a scenario under the forecast, from midnight unless told otherwise."""
    station = VirtualStation(scenario, seed, start or day_start(), step_s=step, run_ms=run_ms, replicas=replicas)
    return station.run(hours)
