"""The simulated plant over whole days: at its full resolution, from any hour, under the shipped scenarios."""

from __future__ import annotations

import datetime as dt
import os

import numpy as np
import pytest

from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from tests.support.plants import jinma

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
HOUR = 360
SEEDS = int(os.environ.get("JINMA_NORMAL_SEEDS", "1"))
HOUR_MS = 3_600_000


def plant_at(scenario: str, hour: float = 0.0, seed: int = 1) -> StationPhysics:
    start = MIDNIGHT + dt.timedelta(hours=hour)
    return StationPhysics(jinma(), hydrogen_tables(), shipped_scenario(scenario), start, seed)


def at_hour(t_ms: int) -> float:
    return (t_ms - MIDNIGHT.timestamp() * 1000) / HOUR_MS


def test_a_day_at_1_s_adds_up() -> None:
    station = plant_at("normal-day")
    for _ in range(24):
        station.advance(3600)
    truth = station.truth()
    assert truth.trucks == 100
    assert truth.dispensed_kg == pytest.approx(4000.0, abs=200.0)
    assert truth.closure < 1e-6
    assert {truck.outcome for truck in truth.truck_list} == {"full"}
    assert max(truck.wait_s(station.t_ms) for truck in truth.truck_list) < 1200.0


@pytest.mark.parametrize("seed", range(2, 2 + SEEDS))
@pytest.mark.parametrize("hour", [0.0, 15.0])
def test_three_normal_days_of_any_seed_and_start_serve_everybody(seed: int, hour: float) -> None:
    station = plant_at("normal-day", hour, seed)
    lowest = 99.0
    place = list(jinma().signals).index("PT-330A")
    for _ in range(72):
        lowest = min(lowest, float(station.advance(HOUR, 10.0).values[:, place].min()))
    truth = station.truth()
    ended = [truck for truck in truth.truck_list if truck.end_ms is not None]
    assert {truck.outcome for truck in ended} == {"full"}
    assert max(truck.wait_s(station.t_ms) for truck in truth.truck_list) < 1200.0
    assert lowest > 38.0
    assert truth.closure < 1e-6
    if not hour:
        assert truth.trucks == 300
        assert truth.dispensed_kg == pytest.approx(12_000.0, abs=400.0)


def test_steps_of_1_and_10_seconds_tell_much_the_same() -> None:
    coarse, fine = plant_at("normal-day", 6.0), plant_at("normal-day", 6.0)
    coarse.advance(2 * HOUR, 10.0)
    fine.advance(20 * HOUR, 1.0)
    assert fine.truth().dispensed_kg == pytest.approx(coarse.truth().dispensed_kg, rel=0.05)
    assert fine.stock_kg() == pytest.approx(coarse.stock_kg(), abs=60.0)


def test_a_start_in_the_afternoon_takes_the_rest_of_the_day_and_then_the_next() -> None:
    station = plant_at("normal-day", 14.0)
    today, tomorrow = MIDNIGHT.date(), MIDNIGHT.date() + dt.timedelta(days=1)
    ahead = station.plan(tomorrow)
    station.advance(17 * HOUR, 10.0)
    assert len(station.plan(tomorrow).trucks) == 100
    assert station.plan(tomorrow).trucks == ahead.trucks
    assert 0 < len(station.plan(today).trucks) < 70
    booked = {truck.id for day in (today, tomorrow) for truck in station.plan(day).trucks}
    assert {truck.id for truck in station.truth().truck_list} <= booked


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_late_trailers_make_trucks_wait_but_come_in_time_for_all(seed: int) -> None:
    station = plant_at("late-trailers", seed=seed)
    before = station.plan(MIDNIGHT.date())
    station.advance(24 * 360, 10.0)
    truth = station.truth()
    assert station.plan(MIDNIGHT.date()).trailers[3].eta_ms == before.trailers[3].eta_ms
    waited = [truck for truck in truth.truck_list if truck.wait_s(station.t_ms) > 1800.0]
    assert waited
    assert 14.0 < min(at_hour(truck.arrival_ms) for truck in waited) < 18.0
    assert truth.trucks == 100
    assert truth.closure < 1e-9
    none_came = [t.arrival_ms for t in truth.trailer_list if t.arrival_ms and 9.0 < at_hour(t.arrival_ms) < 15.3]
    assert not none_came


def test_drivers_leave_when_no_trailer_comes_for_long() -> None:
    station = plant_at("no-trailers", 12.0)
    station.advance(600, 10.0)
    outcomes = []
    for _ in range(6):
        station.advance(360, 10.0)
        gate = station.waiting()
        outcomes = [truck.outcome for truck in station.truth().truck_list]
        assert [truck.since_ms for truck in gate] == sorted(truck.since_ms for truck in gate)
        assert all(station.t_ms - truck.since_ms <= 61 * 60_000 for truck in gate)
        assert outcomes.count("waiting") == len(gate)
    assert "gone" in outcomes
    assert station.truth().closure < 1e-9


@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_no_vessel_leaves_its_limits_in_any_season(month: int) -> None:
    start = dt.datetime(2026, month, 15, tzinfo=jinma().timezone)
    station = StationPhysics(jinma(), hydrogen_tables(), shipped_scenario("normal-day"), start, 1)
    blocks = np.concatenate([station.advance(HOUR, 10.0).values for _ in range(24)])
    for number, signal in enumerate(jinma().signals.values()):
        if signal.area in ("trailer", "storage", "cooling", "vehicle"):
            high = min([limit for name, limit in signal.limits.items() if "H" in name], default=np.inf)
            low = max([limit for name, limit in signal.limits.items() if "L" in name], default=-np.inf)
            assert low < np.nanmin(blocks[:, number]), signal.tag
            assert np.nanmax(blocks[:, number]) < high, signal.tag
