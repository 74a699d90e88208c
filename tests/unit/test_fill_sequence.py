"""One truck's fill as its signals show it: the sequence, its limits, and what a vehicle's link is worth."""

from __future__ import annotations

import dataclasses
from itertools import groupby, pairwise

import numpy as np
import pytest

from simulators.physics.hoses import (
    ABORT,
    ABORT_COMMAND,
    CONNECT,
    DYNAMIC,
    END,
    FILL,
    HALT,
    HOLD,
    IDLE,
    LEAK_CHECK,
    NO_COMMAND,
    STATIC,
)
from station.domain.plant import Plant
from tests.support.lone_truck import LoneTruck
from tests.support.plants import jinma


def order(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[int]:
    """Return the states that a signal went through, without repeats; -1 where there was no value."""
    return [int(state) for state, _ in groupby(np.nan_to_num(values, nan=-1.0).tolist())]


@pytest.fixture(scope="module")
def usual() -> LoneTruck:
    """A usual truck at 25 degC, from before it comes until after it has left."""
    return LoneTruck(ambient_c=25.0).run(1200)


def test_a_fill_goes_through_its_states_with_leak_pauses(usual: LoneTruck) -> None:
    state = usual.of("dispensing", "state")
    assert order(state) == [IDLE, CONNECT, LEAK_CHECK, FILL, HOLD, FILL, HOLD, FILL, HOLD, END, IDLE]
    pressure = usual.of("vehicle", "pressure")
    pauses = [i for i, (a, b) in enumerate(pairwise(state.tolist())) if (a, b) == (FILL, HOLD)]
    steps = np.diff([pressure[state == LEAK_CHECK][-1], *pressure[pauses[:2]]])
    assert ((steps > 10.0) & (steps < 20.0)).all()
    assert (usual.of("dispensing", "flow")[(state == HOLD) | (state == IDLE)] == 0.0).all()


def test_the_pressure_pulse_tells_the_tanks_volume() -> None:
    truck = LoneTruck(ambient_c=25.0).run_until(FILL)
    unit = next(h for h in truck.station.dispensing.hoses if h.spec.unit == truck.hose)
    assert unit.measured_m3 == pytest.approx(2.1, rel=0.1)
    closed = truck.of("dispensing", "pressure")[truck.of("dispensing", "state") == LEAK_CHECK][-5:]
    assert closed.max() - closed.min() < 0.05


def test_the_ramp_is_the_plants_and_the_fill_ends_by_density(usual: LoneTruck) -> None:
    state, pressure = usual.of("dispensing", "state"), usual.of("vehicle", "pressure")
    first = np.flatnonzero(state == FILL)[60:300]
    assert 1.5 < (pressure[first[-1]] - pressure[first[0]]) / ((len(first) - 1) / 60.0) < 2.75
    assert usual.truth.stop_reason == "soc"
    assert usual.truth.delivered_kg == pytest.approx(usual.truth.asked_kg, abs=1e-6)
    assert np.nanmax(usual.of("vehicle", "soc")) == pytest.approx(97.0, abs=0.1)
    assert np.nanmax(usual.of("dispensing", "flow")) < 63.0


def test_the_line_is_let_down_after_the_fill(usual: LoneTruck) -> None:
    end = np.flatnonzero(usual.of("dispensing", "state") == END)
    assert (usual.of("dispensing", "pressure")[end[40:]] == 0.1).all()
    assert 0.05 < usual.station.dispensing.vented_kg < 0.2


def test_the_vehicle_tells_fixed_data_then_live_data_then_nothing(usual: LoneTruck) -> None:
    assert order(usual.of("vehicle", "command")) == [-1, STATIC, DYNAMIC, HALT, NO_COMMAND, -1]
    volume = usual.of("vehicle", "tank_volume")
    assert set(volume[~np.isnan(volume)]) == {2100.0}


@pytest.mark.parametrize("soc", [0.05, 0.45])
@pytest.mark.parametrize("ambient_c", [-20.0, 5.0, 40.0])
def test_a_fill_without_a_link_ends_by_pressure_and_never_overfills(ambient_c: float, soc: float) -> None:
    # Tanks that have stood colder than the air are what could be overfilled.
    truck = LoneTruck(ambient_c=ambient_c, step_s=5.0, link=False, soc=soc, warmer_k=-10.0).run(2400)
    assert truck.truth.stop_reason == "pressure"
    end_soc = soc + truck.truth.delivered_kg / 50.4
    assert 0.85 < end_soc < 0.97
    assert order(truck.of("vehicle", "command")) == [-1, NO_COMMAND, -1]
    for role in ("pressure", "temperature", "tank_volume", "soc"):
        assert np.isnan(truck.of("vehicle", role)).all()


def test_a_usual_truck_without_a_link_is_not_short() -> None:
    truck = LoneTruck(ambient_c=25.0, step_s=5.0, link=False).run(1800).truth
    assert truck.outcome == "full"
    assert 1.0 < truck.asked_kg - truck.delivered_kg < 4.0


def test_a_vehicle_that_aborts_says_so_before_the_dispenser_does() -> None:
    truck = LoneTruck(ambient_c=25.0, abort_soc=0.6).run(900)
    state, command = truck.of("dispensing", "state"), truck.of("vehicle", "command")
    assert order(state)[-3:] == [HOLD, ABORT, IDLE]
    assert np.flatnonzero(command == ABORT_COMMAND)[0] < np.flatnonzero(state == ABORT)[0]
    assert (truck.truth.outcome, truck.truth.stop_reason) == ("short", "vehicle")
    assert truck.station.truth().trucks == 0


def test_a_vehicle_may_ask_for_a_pause() -> None:
    truck = LoneTruck(ambient_c=25.0, halt_soc=0.6).run(1200)
    assert order(truck.of("vehicle", "command")) == [-1, STATIC, DYNAMIC, HALT, DYNAMIC, HALT, NO_COMMAND, -1]
    assert truck.truth.outcome == "full"


def test_a_pressure_far_above_the_ramp_aborts() -> None:
    truck = LoneTruck(ambient_c=25.0).run(300)
    unit = next(h for h in truck.station.dispensing.hoses if h.spec.unit == truck.hose)
    for _ in range(7):
        unit.ramp_mpa = unit.nozzle_mpa - 8.0
        truck.run(1)
    truck.run(10)
    assert truck.of("dispensing", "state")[-1] == ABORT
    assert truck.truth.stop_reason == "corridor"


def high_flow() -> Plant:
    """Return the station with hoses of the 120 g/s class."""
    plant = jinma()
    return dataclasses.replace(plant, hoses=tuple(dataclasses.replace(h, max_flow_g_s=120.0) for h in plant.hoses))


@pytest.mark.parametrize(("receptacle_g_s", "least", "most"), [(60.0, 50.0, 60.0), (120.0, 80.0, 120.0)])
def test_flow_keeps_to_hose_and_receptacle(receptacle_g_s: float, least: float, most: float) -> None:
    truck = LoneTruck(high_flow(), ambient_c=15.0, receptacle_g_s=receptacle_g_s, tanks=6, tank_litres=385.0).run(400)
    assert least < truck.of("dispensing", "flow").max() < most


def test_plastic_lined_tanks_end_hotter() -> None:
    ends = []
    for kind in ("III", "IV"):
        truck = LoneTruck(ambient_c=25.0, step_s=5.0, kind=kind).run(1500)
        assert truck.truth.outcome == "full"
        ends.append(np.nanmax(truck.of("vehicle", "temperature")))
    assert ends[1] > ends[0] + 2.0


def test_energy_and_mass_of_the_hoses_balance_at_each_step() -> None:
    truck = LoneTruck(ambient_c=25.0, step_s=10.0)
    filling = truck.station.dispensing
    truck.station.inject("dispenser-leak", "hose-1A", size=0.3, for_s=900.0)
    for _ in range(180):
        truck.run(10)
        gone = filling.dispensed_j + filling.precooled_j + filling.vented_j + filling.line_j()
        assert filling.drawn_j == pytest.approx(gone, rel=1e-12)
        assert filling.line_stock_kg() >= 0.0
    assert truck.station.truth().closure < 1e-9
    assert filling.leaked_kg > 0.0
