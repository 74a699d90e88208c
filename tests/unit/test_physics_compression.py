"""Compressor trains by themselves: the two stages, the state machine, wear, oil, vibration and the leak detection."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from simulators.physics.compression import Compression
from simulators.physics.gas import Gas, compress, gas_of
from simulators.physics.stages import Stages, interstage_mpa
from simulators.physics.train import LOADED, START, STOP, TRIP, UNLOADED, CompressorTrain
from station.adapters.property_tables import hydrogen_tables
from station.domain.hydrogen import KELVIN
from station.domain.plant import Train
from tests.support.plants import jinma

LEAST_MPA = 38.0
STAGE = (140.0, 160.0, 1.5e6, 1.7e6)


@pytest.fixture(scope="module")
def gas() -> Gas:
    return gas_of(hydrogen_tables())


def spec() -> Train:
    return jinma().trains[0]


def run(train: CompressorTrain, seconds: int, wanted: bool = True, may_start: bool = True) -> None:
    for _ in range(seconds):
        train.decide(wanted, may_start, 1.0)
        if train.state == LOADED:
            train.let_flow(7.7, 1.0)
            train.press(10.0, 44.0, 1.0)
            train.settle(STAGE, 20.0, 1.0)
        else:
            train.flow_kg_s = 0.0
            train.press(10.0, 44.0, 1.0)
            train.settle(None, 20.0, 1.0)


def loaded(health: float = 1.0, worn: float = 0.0) -> CompressorTrain:
    train = CompressorTrain(spec(), health, worn)
    run(train, 120)
    assert train.state == LOADED
    return train


@pytest.mark.parametrize(
    ("suction_mpa", "first_c", "second_c"),
    [(5.0, 156.0, 187.0), (10.0, 109.0, 136.0), (15.0, 84.0, 108.0), (20.0, 66.0, 89.0)],
)
def test_the_stages_leave_the_gas_as_hot_as_the_design_table_says(
    gas: Gas, suction_mpa: float, first_c: float, second_c: float
) -> None:
    stage = Stages(gas, 0.8, LEAST_MPA).at(suction_mpa, 45.0, 20.0 + KELVIN, 40.0 + KELVIN)
    assert stage[0] == pytest.approx(first_c, abs=0.6)
    assert stage[1] == pytest.approx(second_c, abs=0.6)


@pytest.mark.parametrize(("suction_mpa", "kwh_kg"), [(5.0, 1.51), (10.0, 1.01), (15.0, 0.74), (20.0, 0.54)])
def test_the_shaft_takes_the_work_of_the_design_table(gas: Gas, suction_mpa: float, kwh_kg: float) -> None:
    stage = Stages(gas, 1.0, LEAST_MPA).at(suction_mpa, 45.0, 20.0 + KELVIN, 40.0 + KELVIN)
    assert (stage[2] + stage[3]) / 0.65 / 3.6e6 == pytest.approx(kwh_kg, rel=0.015)


def test_a_look_up_is_as_good_as_both_stages_worked_out_afresh(gas: Gas) -> None:
    stages, rng = Stages(gas, 0.8, LEAST_MPA), np.random.default_rng(3)
    suction, discharge = rng.uniform(4.4, 22.5, 60), rng.uniform(30.0, 46.0, 60)
    cold, cool = rng.uniform(253.0, 313.0, 60), rng.uniform(293.0, 313.0, 60)
    middle = np.array([interstage_mpa(s, d, LEAST_MPA) for s, d in zip(suction, discharge, strict=True)])
    first_k, first_j = compress(gas.tables, suction, cold, middle, 0.8)
    second_k, second_j = compress(gas.tables, middle, cool, discharge, 0.8)
    found = np.array([stages.at(*point) for point in zip(suction, discharge, cold, cool, strict=True)])
    assert np.abs(found[:, 0] + KELVIN - first_k).max() < 1.0
    assert np.abs(found[:, 1] + KELVIN - second_k).max() < 1.0
    assert np.abs((found[:, 2] + found[:, 3]) / (first_j + second_j) - 1.0).max() < 0.016


def test_the_flow_is_the_rated_one_from_10_mpa_and_falls_with_the_suction_density() -> None:
    train = CompressorTrain(spec(), 1.0, 0.0)
    shares = [train.flow_goal(train.rated_density * share) * 3600.0 / 110.0 for share in (2.0, 1.0, 0.515)]
    assert shares == pytest.approx([1.0, 1.0, 0.515])


def test_a_train_starts_loads_idles_and_stops_and_then_rests_two_minutes() -> None:
    train, states = CompressorTrain(spec(), 1.0, 0.0), []
    for wanted, seconds in ((True, 60), (False, 300), (True, 200)):
        for _ in range(seconds):
            run(train, 1, wanted)
            states.append(train.state)
    order = [state for state, before in zip(states, [-1, *states], strict=False) if state != before]
    assert order == [START, LOADED, UNLOADED, STOP, START, LOADED]
    assert states.index(START, 100) - states.index(STOP) >= 120


def test_no_train_starts_while_another_motor_takes_its_inrush() -> None:
    train = CompressorTrain(spec(), 1.0, 0.0)
    run(train, 60, may_start=False)
    assert train.state == STOP


def test_a_train_unloads_before_its_suction_is_drawn_too_low_and_loads_again_above() -> None:
    train = loaded()
    train.suction_mpa = 4.3
    train.decide(True, True, 1.0)
    assert train.state == UNLOADED
    train.suction_mpa = 4.6
    train.decide(True, True, 1.0)
    assert train.state == UNLOADED
    train.suction_mpa = 4.9
    train.decide(True, True, 1.0)
    assert train.state == LOADED


def test_a_trip_stops_flow_power_and_oil_and_the_train_comes_back_after_its_rest() -> None:
    train = loaded()
    power_kw, oil_mpa = train.power_kw, train.oil_mpa
    assert power_kw > 80.0
    assert oil_mpa > 0.4
    train.tripped = True
    run(train, 30)
    assert (train.state, train.flow_kg_s) == (TRIP, 0.0)
    assert train.power_kw < 0.1
    assert train.oil_mpa < 0.15
    assert train.vibration < 0.5
    train.tripped = False
    run(train, 60)
    assert train.state == STOP
    run(train, 100)
    assert train.state == LOADED


def test_the_panel_trips_at_the_limit_of_the_leak_detection_and_holds_until_it_is_mended() -> None:
    train = loaded()
    train.leaking_mpa = 0.15
    run(train, 120)
    assert train.state == LOADED
    assert train.leak_mpa == pytest.approx(0.161, abs=0.002)
    train.leaking_mpa = 0.26
    run(train, 60)
    assert train.state == TRIP
    train.leaking_mpa = 0.1  # less than the limit, yet not mended
    run(train, 120)
    assert train.state == TRIP
    train.leaking_mpa = 0.0
    run(train, 200)
    assert train.state == LOADED


def test_wear_takes_flow_and_oil_pressure_and_shakes_until_the_next_service() -> None:
    new, old = loaded(worn=0.0), loaded(worn=0.99)
    assert 0.92 < old.flow_kg_s / new.flow_kg_s < 0.96
    assert old.oil_mpa < new.oil_mpa - 0.02
    assert old.vibration > new.vibration + 0.5
    assert old.vibration < 5.0
    due = loaded(worn=1.0)
    run(due, 300, wanted=False)
    assert due.worn == 0.0
    assert due.health == 1.0


def test_worn_trains_of_other_makes_get_tables_of_their_own(gas: Gas) -> None:
    other = dataclasses.replace(spec(), unit="train-x", efficiency_gas_path=0.7)
    compression = Compression([spec(), other], gas, [1.0, 1.0], [0.0, 0.0])
    tables = [stages.at(5.0, 45.0, 293.15, 313.15)[1] for stages in compression._stages]
    assert tables[1] > tables[0] + 15.0
