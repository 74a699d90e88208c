"""A stretch of a simulated day, lived by the live core as in the service: its journal, and what the store holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

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
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.ports import ReadingStore
from station.wire import topics
from station.wire.admission import Admission
from station.wire.plan_v1 import clock_payload
from tests.support.live_api import MemoryPlans
from tests.support.plants import jinma

DATE = dt.date(2026, 6, 1)
REPLICAS = 3
BLOCK_S = 10


@dataclass(frozen=True)
class Lived:
    """What was lived: the station, its range in epoch ms, the live journal, and the log as it was sent."""

    plant: Plant
    start_ms: int
    end_ms: int
    journal: MemoryJournal
    sent: list[tuple[str, bytes]]


def live_through(
    scenario: str, store: ReadingStore, *, hour: float, minutes: int, seed: int = 1, replicas: int = REPLICAS
) -> Lived:
    """Let the live core live through a stretch of a scenario's day, and store what was said.

    Args:
        scenario: A shipped one.
        store: Takes readings, and what the live core leaves.
        hour: Local hour at which it begins.
        minutes: How long.
        seed: Of the simulator.
        replicas: Of each forecast.
    """
    plant, journal = jinma(), MemoryJournal()
    start = dt.datetime.combine(DATE, dt.time(), plant.timezone) + dt.timedelta(hours=hour)
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario(scenario), start, seed)
    simulated = SimulatedStation(plant, physics, seed)
    inputs, points = CapacityInputs(plant), Outbox("points", store.write_points, most=10**6)
    engine = CapacityEngine(plant, inputs, InlineRunner(plant, replicas))
    capacity = LiveCapacity(plant, engine, inputs, CapacityAlerts(plant), Outbox("unkept", lambda _: None, most=1))
    clock = FollowedClock()
    time = FollowedStationTime(clock, plant.gateways)
    alarms = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    admission = Admission([plant])
    live = LiveStation(plant, LiveParts(admission, alarms, capacity, LivePlans(plant, MemoryPlans()), time, points))
    sent: list[tuple[str, bytes]] = []
    start_ms = simulated.t_ms
    live.on_messages([(topics.clock(plant.id), clock_payload(start_ms, start_ms, 20.0))])
    for _ in range(minutes * 60 // BLOCK_S):
        said = [(topic, payload) for _, topic, payload, _ in simulated.emissions(BLOCK_S)]
        sent += said
        live.on_messages([*said, (topics.clock(plant.id), clock_payload(simulated.t_ms, simulated.t_ms, 20.0))])
        messages: list[UnitMessage] = []
        for topic, payload in said:
            message = admission.admit(topic, payload, simulated.t_ms).message if topics.parse_reading(topic) else None
            if message is not None:
                messages.append(message)
        store.write(messages)
        points.deliver()
    return Lived(plant, start_ms, simulated.t_ms, journal, sent)
