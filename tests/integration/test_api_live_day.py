"""The live core behind a simulated station, in virtual time: the same messages give the same, however they come."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from functools import cache

import pytest

from api.alarms.engine import AlarmEngine
from api.forecast.engine import CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.runners import InlineRunner
from api.live.capacity import LiveCapacity
from api.live.outbox import Outbox
from api.live.plans import LivePlans
from api.live.station import LiveParts, LiveStation
from api.live.station_time import FollowedStationTime
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.clocks import FollowedClock
from station.adapters.memory_journal import MemoryJournal
from station.adapters.property_tables import hydrogen_tables
from station.domain.capacity_alerts import CapacityAlerts
from station.ports import ServicePoint
from station.wire import topics
from station.wire.admission import Admission
from station.wire.plan_v1 import clock_payload
from tests.support.live_api import MemoryForecasts, MemoryPlans
from tests.support.plants import jinma

START = dt.datetime(2026, 6, 1, 9, 50, tzinfo=dt.timezone(dt.timedelta(hours=8)))
MINUTES = 16
Message = tuple[str, bytes]


@cache
def what_was_sent() -> tuple[tuple[int, Message], ...]:
    """Return (station time, message) of a quarter of an hour in which train 2 trips, in the order sent."""
    plant = jinma()
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario("train-trip"), START, 1)
    physics.inject("train-trip", "train-2")
    station = SimulatedStation(plant, physics, 1)
    return tuple((t_ms, (topic, payload)) for t_ms, topic, payload, _ in station.emissions(MINUTES * 60))


class Run:
    """A live station that has heard everything, cut and timed in its own way."""

    def __init__(self, batch: int, word_every_s: int) -> None:
        plant, self.journal, self.forecasts = jinma(), MemoryJournal(), MemoryForecasts()
        self.points: list[ServicePoint] = []
        inputs = CapacityInputs(plant)
        engine = CapacityEngine(plant, inputs, InlineRunner(plant, replicas=4))
        points: Outbox[ServicePoint] = Outbox("points", self.points.extend)
        history: Outbox[tuple[int, bytes]] = Outbox("forecasts", self._keep)
        self.live = LiveStation(
            plant,
            LiveParts(
                admission=Admission([plant]),
                alarms=AlarmEngine(plant, self.journal, wall_ms=lambda: 0),
                capacity=LiveCapacity(plant, engine, inputs, CapacityAlerts(plant), history),
                plans=LivePlans(plant, MemoryPlans()),
                time=FollowedStationTime(FollowedClock(), plant.gateways),
                points=points,
            ),
        )
        messages = with_words(word_every_s)
        for start in range(0, len(messages), batch):
            self.live.on_messages(messages[start : start + batch])
        history.deliver()
        points.deliver()

    def _keep(self, rows: Sequence[tuple[int, bytes]]) -> None:
        for at_ms, body in rows:
            self.forecasts.append("jinma", at_ms, body)

    @property
    def alarms(self) -> list[tuple[int, str, str]]:
        """What the journal holds."""
        rows = self.journal.entries("jinma", 0, 2**53, limit=10_000)
        return [(entry.t_ms, entry.alarm_id, entry.event) for _, entry in rows]


def with_words(every_s: int) -> list[Message]:
    """Return what was sent, with a clock word each so many station seconds, after the readings up to it."""
    sent = what_was_sent()
    next_ms = sent[0][0]
    topic = topics.clock("jinma")
    mixed = [(topic, clock_payload(next_ms, 0, 20.0))]
    for t_ms, message in sent:
        while t_ms > next_ms + every_s * 1000:
            next_ms += every_s * 1000
            mixed.append((topic, clock_payload(next_ms, 0, 20.0)))
        mixed.append(message)
    return mixed


def in_order(points: list[ServicePoint]) -> list[tuple[int, str, str, dict[str, float | str]]]:
    """Return points by what they are: alarms and forecasts reach the store side by side."""
    rows = [(p.t_ms, p.measurement, p.tags.get("id", ""), dict(p.fields)) for p in points]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2], str(row[3].get("state"))))


@pytest.fixture(scope="module")
def slow() -> Run:
    return Run(batch=1, word_every_s=1)


def test_however_the_stream_is_cut_alarms_and_forecasts_are_the_same(slow: Run) -> None:
    quick = Run(batch=2003, word_every_s=200)
    assert slow.alarms == quick.alarms
    assert in_order(slow.points) == in_order(quick.points)
    assert slow.forecasts.rows == quick.forecasts.rows


def test_a_tripped_train_is_told_and_nothing_else_is_wrong(slow: Run) -> None:
    shown = {point.tags["id"] for point in slow.points if point.fields.get("state") == "UNACK"}
    assert "XS-220D.STATE" in shown
    assert not [alarm for alarm in shown if alarm.endswith(".STALE")]
    assert "CAP-SHORT" not in shown
    assert slow.live.refused == {}
    assert slow.live.failures == 0
    assert slow.live.is_simulated


def test_forecasts_come_on_their_grid_and_know_the_plan(slow: Run) -> None:
    end_ms = round(START.timestamp() * 1000) + MINUTES * 60_000
    grid = [at_ms for _, at_ms in slow.forecasts.rows if at_ms % 300_000 == 0]
    assert grid == [end_ms - minutes * 60_000 for minutes in (16, 11, 6, 1)]
    newest = json.loads(slow.live.capacity.newest or b"{}")
    assert newest["plan"]["trucks"] > 50  # The simulated station begins at ten to ten: these are still to come.
    assert newest["bottleneck"] in {"none", "trailers", "compression", "storage", "cooling", "dispensing"}
