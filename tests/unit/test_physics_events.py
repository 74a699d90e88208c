"""What goes wrong at the simulated plant: late trailers, faults, and how each shows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulators.block import TruthBlock
from simulators.faults import fault_kinds
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from station.errors import BadInputError
from tests.support.plants import jinma

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
HOUR_MS = 3_600_000


def plant_at(scenario: str, hour: float, seed: int = 1) -> StationPhysics:
    start = MIDNIGHT + dt.timedelta(hours=hour)
    return StationPhysics(jinma(), hydrogen_tables(), shipped_scenario(scenario), start, seed)


def column(block: TruthBlock, area: str, unit: str, role: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return block.values[:, list(jinma().signals).index(jinma().tag(area, unit, role))]


def at_hour(t_ms: int) -> float:
    return (t_ms - MIDNIGHT.timestamp() * 1000) / HOUR_MS


def test_a_phone_call_corrects_the_plan() -> None:
    station = plant_at("late-trailers-told", 9.25)
    station.advance(60, 10.0)
    version, before = station.plan_version, station.plan(MIDNIGHT.date()).trailers
    station.advance(60, 10.0)
    after = station.plan(MIDNIGHT.date()).trailers
    assert station.plan_version > version
    moved = [d for d in after if d.eta_ms not in {b.eta_ms for b in before}]
    assert moved
    assert all(at_hour(delivery.eta_ms) > 15.3 for delivery in moved)


def test_a_train_trips_at_the_scenarios_hour() -> None:
    station = plant_at("train-trip", 9.9)
    state = column(station.advance(60, 10.0), "compression", "train-2", "state")
    assert state[0] != 4.0
    assert state[-1] == 4.0
    assert (column(station.advance(20, 10.0), "compression", "train-2", "flow") == 0.0).all()


def test_a_start_within_a_scheduled_fault_finds_it_there_and_it_ends() -> None:
    station = plant_at("train-trip", 15.9)
    state = column(station.advance(60, 10.0), "compression", "train-2", "state")
    assert state[1] == 4.0
    assert state[-1] != 4.0


def test_a_hot_day_reaches_its_temperature_in_the_afternoon() -> None:
    station = plant_at("hot-day", 14.9)
    assert column(station.advance(30, 10.0), "utilities", "weather", "ambient_temperature").max() == pytest.approx(
        40.0, abs=0.1
    )


def test_emergency_shut_down_stops_everything_and_the_fills_go_on_after_it() -> None:
    station = plant_at("normal-day", 7.4)
    station.advance(60, 10.0)
    filling = [truck.id for truck in station.truth().truck_list if truck.outcome == "filling"]
    assert filling
    station.inject("esd", "HS-794", for_s=300.0)
    block = station.advance(24, 10.0)
    plant = jinma()
    assert (column(block, "fire_gas", "esd", "esd_level") == 3.0).all()
    assert block.values[-1, list(plant.signals).index("HS-794")] == 1.0
    assert all(column(block, "compression", train.unit, "state")[-1] == 4.0 for train in plant.trains)
    flows = [column(block, "dispensing", hose.unit, "flow") for hose in plant.hoses]
    assert all((flow[2:] == 0.0).all() for flow in flows)
    station.advance(360, 10.0)
    assert column(station.advance(1), "fire_gas", "esd", "esd_level")[0] == 0.0
    outcome = {truck.id: truck.outcome for truck in station.truth().truck_list}
    assert all(outcome[name] == "full" for name in filling)
    assert station.truth().closure < 1e-9


def test_a_lost_chiller_warms_its_brine_by_half_to_one_kelvin_a_minute() -> None:
    station = plant_at("normal-day", 8.0)
    station.inject("chiller-loss", "chiller-1", for_s=1800.0)
    block = station.advance(60, 10.0)
    supply = column(block, "cooling", "chiller-1", "supply_temperature")
    assert 0.5 < (supply[-1] - supply[6]) / 9.0 < 1.0
    assert column(block, "cooling", "chiller-1", "state")[-1] == 4.0
    assert column(block, "cooling", "chiller-1", "brine_flow")[-1] < 10.0
    station.advance(360, 10.0)
    assert column(station.advance(1), "cooling", "chiller-1", "supply_temperature")[0] < -22.0


def test_a_leaking_bank_loses_what_a_hole_of_its_size_lets_out() -> None:
    sound, leaking = plant_at("normal-day", 1.0), plant_at("normal-day", 1.0)
    sound.advance(180, 10.0)
    leaking.inject("bank-leak", "bank-MB", size=1.0)
    block = leaking.advance(180, 10.0)
    lost = leaking.truth().vented_kg - sound.truth().vented_kg
    assert lost == pytest.approx(0.0168 * 1800.0, rel=0.1)
    assert leaking.truth().closure < 1e-9
    assert block.values[-1, list(jinma().signals).index("AT-722")] > 10.0


def test_a_late_trailer_comes_late_and_the_plan_does_not_know() -> None:
    station = plant_at("normal-day", 6.9)
    plan = station.plan(MIDNIGHT.date())
    station.inject("trailer-late", "next", for_s=5400.0)
    assert station.plan(MIDNIGHT.date()) == plan
    station.advance(360, 10.0)
    late = next(t for t in station.truth().trailer_list if t.eta_ms == plan.trailers[0].eta_ms)
    assert late.eta_ms < station.t_ms - 30 * 60_000
    assert late.arrival_ms is None


def test_nonsense_faults_are_refused_by_name() -> None:
    station = plant_at("normal-day", 6.0)
    with pytest.raises(BadInputError, match="unknown"):
        station.inject("gremlins", "bank-LB")
    with pytest.raises(BadInputError, match="train-1"):
        station.inject("train-trip", "train-9")
    with pytest.raises(BadInputError, match="for_s"):
        station.inject("train-trip", "train-1", for_s=-1.0)
    with pytest.raises(BadInputError, match="unknown option"):
        station.inject("train-trip", "train-1", colour="red")
    assert len(fault_kinds()) == 22


@pytest.mark.parametrize("text", [b"", b"{}", b'{"version": 99}', b"[1]", b"\xff"])
def test_a_damaged_state_is_refused(text: bytes) -> None:
    with pytest.raises(BadInputError):
        StationPhysics.restore(jinma(), hydrogen_tables(), text)
