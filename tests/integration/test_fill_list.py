"""The list of fills, and the day's electricity, against what the simulated plant knows of itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from api.reports.day_parts import DayParts
from api.reports.fill_curves import read_curve
from simulators.block import DayTruth
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.memory import MemoryReadings
from station.adapters.property_tables import hydrogen_tables
from station.domain.report.fill_list import ListedFill
from tests.support.live_api import live_api
from tests.support.plants import jinma

START = dt.datetime.fromisoformat("2026-06-01T05:00+08:00")
HOURS = 2.5


@dataclass
class Morning:
    """Some hours of a simulated station, its store and its own account."""

    store: MemoryReadings
    truth: DayTruth
    fills: list[ListedFill]
    now_ms: int


@pytest.fixture(scope="module")
def morning() -> Morning:
    plant, store = jinma(), MemoryReadings()
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario("normal-day"), START, 1)
    station = SimulatedStation(plant, physics, 1)
    for _ in range(round(HOURS * 6)):
        store.write(station.advance(600, step_s=10.0, every=dt.timedelta(seconds=10)))
    api = live_api()
    api.clock.t_ms = physics.t_ms
    api.live.tick()
    fills = DayParts(store, api.clock.now_ms).fills(api.live, START.date())
    return Morning(store, physics.truth(), fills, physics.t_ms)


def test_every_truck_of_the_truth_is_a_fill_and_no_other(morning: Morning) -> None:
    gone = [truck for truck in morning.truth.truck_list if truck.end_ms is not None and truck.end_ms < morning.now_ms]
    done = [truck for truck in gone if truck.outcome == "full"]
    assert len(done) >= 10
    assert len([one for one in morning.fills if one.fill.completed]) == pytest.approx(len(done), abs=2)
    for truck in done:
        near = [
            one
            for one in morning.fills
            if one.fill.hose == truck.hose and abs(one.fill.start_ms - (truck.start_ms or 0)) < 30_000
        ]
        assert len(near) == 1, truck
        assert near[0].fill.kg == pytest.approx(truck.delivered_kg, abs=0.3)
        assert near[0].truck is not None
        assert near[0].peak_c is not None
        assert near[0].peak_c >= (near[0].fill.end_c or 99.0) - 0.5


def test_the_curve_of_a_fill_ends_where_the_list_says_and_stays_in_its_corridor(morning: Morning) -> None:
    fill = next(one.fill for one in morning.fills if one.fill.completed)
    curve = read_curve(jinma(), morning.store, fill.hose, fill.start_ms, morning.now_ms)
    assert curve is not None
    assert (curve.end_ms, curve.ended_as) == (fill.end_ms, "end")
    kg = [value for value in curve.besides["kg"] if value is not None]
    assert kg[-1] == pytest.approx(fill.kg, abs=0.3)
    pairs = [
        (point.vehicle_mpa, corridor.most_mpa)
        for point, corridor in zip(curve.points, curve.corridor, strict=True)
        if point.vehicle_mpa is not None and corridor is not None
    ]
    assert len(pairs) > 20
    assert all(pressure < most for pressure, most in pairs)
