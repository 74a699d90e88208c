"""What goes wrong in the shipped scenarios is told in a handful of alarms, the cause first; what follows is suppressed.

The simulated gateways keep and send as real ones do, so that an outage's backlog comes too. The stretch around the
fault is played; `JINMA_WHOLE_DAYS=1` plays whole days of several seeds.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from dataclasses import dataclass

import pytest

from api.alarms.engine import AlarmEngine
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.memory_journal import MemoryJournal
from station.adapters.property_tables import hydrogen_tables
from station.domain.alarms import AlarmState
from station.wire.admission import Admission
from tests.support.plants import jinma

_RESERVED = {"clock", "plan", "queue", "gateway"}


@dataclass(frozen=True)
class Told:
    """An alarm that was raised in sight, and whether it is the first of its group in the end."""

    alarm: str
    hour: float
    first_out: bool


def told_in(scenario: str, seed: int, hour: float, minutes: int) -> list[Told]:
    """Return the alarms of a stretch of a scenario's day, in the order in which they were raised."""
    plant, journal = jinma(), MemoryJournal()
    midnight = dt.datetime(2026, 6, 1, tzinfo=plant.timezone)
    start = midnight + dt.timedelta(hours=hour)
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario(scenario), start, seed)
    simulated, admission = SimulatedStation(plant, physics, seed), Admission([plant])
    engine = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    now_ms = simulated.t_ms
    engine.advance(now_ms)
    for _ in range(minutes):
        for t_ms, topic, payload, _ in simulated.emissions(60):
            while now_ms < t_ms:  # the ticker of the live core: time passes while nothing comes
                now_ms = min(t_ms, now_ms + 1000)
                engine.advance(now_ms)
            if topic.split("/")[3] in _RESERVED:
                continue
            message = admission.admit(topic, payload, now_ms).message
            assert message is not None
            engine.observe(message)
    rows = [row for _, row in journal.entries(plant.id, 0, 1 << 60, limit=10**6)]
    last = {row.occurrence: AlarmState.from_detail(row.detail["state"]) for row in rows}  # type: ignore[arg-type]
    since_ms = midnight.timestamp() * 1000
    return [
        Told(row.alarm_id, round((row.t_ms - since_ms) / 3.6e6, 3), last[row.occurrence].first_out)
        for row in rows
        if row.event == "raised"
    ]


@pytest.mark.parametrize(
    ("scenario", "hour", "minutes", "first", "most"),
    [
        ("emergency-stop", 10.95, 8, "HS-794.HH", 2),
        ("power-cut", 14.95, 30, "XS-797.STATE", 3),
        ("network-outage", 9.95, 16, "SYS-SILENT", 1),
        ("chiller-loss-hot-day", 13.95, 25, "XS-4107.STATE", 4),
    ],
)
def test_a_scenario_tells_its_cause_first_and_little_else(
    scenario: str, hour: float, minutes: int, first: str, most: int
) -> None:
    told = told_in(scenario, 1, hour, minutes)
    sys.stdout.write(f"{scenario}: {', '.join(one.alarm for one in told)}\n")
    assert next(one.alarm for one in told if one.first_out) == first
    assert len(told) <= most


@pytest.mark.slow
@pytest.mark.skipif("JINMA_WHOLE_DAYS" not in os.environ, reason="takes minutes a day: JINMA_WHOLE_DAYS=1")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("scenario", "most"), [("normal-day", 9), ("train-trip", 9)])
def test_a_whole_day_tells_fewer_than_ten(scenario: str, most: int, seed: int) -> None:
    told = told_in(scenario, seed, 0.0, 24 * 60)
    sys.stdout.write(f"{scenario}, seed {seed}: {told}\n")
    assert len(told) <= most
    trips = [one for one in told if one.alarm.startswith("XS-2")]
    assert [one.alarm for one in trips if one.first_out] == (["XS-220D.STATE"] if scenario == "train-trip" else [])
