"""The reduced station: it conserves mass, fills as the rules say, and less supply never serves more."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.domain import capacity_lanes as variants
from station.domain.capacity_forecast import BOTTLENECKS
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.lanes import NEVER, Course, Frame, Lanes
from station.domain.lanes_together import joined
from station.domain.reduced_station import ReducedStation
from station.domain.supply_outlook import outlook_of
from station.domain.truck_queue import demand_of
from tests.support.capacity_snapshots import snapshot
from tests.support.drawn_lanes import drawn_lanes, frame_of_round_numbers
from tests.support.plants import jinma

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "reduced_station.json").read_text())
"""Sums over the trucks of drawn lanes, noted when every vessel and hose was still stepped in every minute."""

RULES = dataclasses.replace(CapacityParameters.of(jinma().parameters), walk_in_share=0.0)


def layout(now: StationSnapshot, steps: int) -> tuple[Frame, Lanes]:
    plant = jinma()
    frame = variants.frame_of(plant, now, RULES, steps)
    demand = demand_of(plant, now, RULES, now.at_ms + steps * 60_000)
    return frame, variants.base_lane(plant, now, RULES, frame, demand, outlook_of(plant, now, RULES))


def run(frame: Frame, lanes: Lanes) -> Course:
    return ReducedStation(frame, lanes, ()).run()


@settings(max_examples=8, deadline=None)
@given(
    trucks=st.lists(st.tuples(st.floats(12.0, 15.0), st.floats(5.0, 60.0)), max_size=60),
    bays=st.tuples(*[st.one_of(st.none(), st.floats(4.9, 22.0))] * 4),
    banks=st.floats(15.0, 45.0),
    etas=st.lists(st.floats(12.0, 15.0), max_size=4),
    down=st.integers(0, 4),
)
def test_every_lane_conserves_mass(
    trucks: list[tuple[float, float]],
    bays: tuple[float | None, ...],
    banks: float,
    etas: list[float],
    down: int,
) -> None:
    now = snapshot(12.0, booked=trucks, bay_mpa=bays, bank_mpa=banks, trailer_hours=etas, trains_down=down)
    frame, base = layout(now, 240)
    lanes = joined([base, *(variants.relaxed(base, limit) for limit in (*BOTTLENECKS, "all"))])
    course = run(frame, lanes)
    assert np.abs(course.closure_kg()).max() < 1e-6
    assert (course.delivered_kg <= lanes.trucks.asked_kg + 1e-6).all()
    assert (course.stock_end_kg >= -1e-6).all()


def test_one_truck_takes_its_ramp_and_no_longer() -> None:
    frame, lane = layout(snapshot(12.0, booked=[(12.5, 40.0)]), 90)
    course = run(frame, lane)
    assert course.start_min[0, 0] == pytest.approx(30.0, abs=1.0)
    assert course.delivered_kg[0, 0] == pytest.approx(40.0, abs=0.01)
    # 32 MPa at 2.5 MPa/min and 40 kg at 3 kg/min both give 13 min, after 3 min of connecting.
    assert 15.0 <= course.end_min[0, 0] - course.start_min[0, 0] <= 18.0


def test_a_slow_ramp_without_cooling() -> None:
    now = snapshot(12.0, booked=[(12.5, 40.0)])
    frame, lane = layout(now, 90)
    uncooled = dataclasses.replace(lane, cooling_kg_min=np.zeros_like(lane.cooling_kg_min))
    minutes = run(frame, uncooled)
    cooled = run(frame, lane)
    assert minutes.end_min[0, 0] - cooled.end_min[0, 0] > 5.0


def test_trucks_wait_in_line_for_the_hoses_there_are() -> None:
    now = snapshot(12.0, booked=[(12.2, 40.0)] * 6, hoses=2)
    frame, lane = layout(now, 150)
    starts = np.sort(run(frame, lane).start_min[:, 0])
    assert starts[1] - starts[0] <= 1.0
    assert 15.0 < starts[2] - starts[0] < 30.0
    assert (run(frame, variants.relaxed(lane, "dispensing")).start_min < 20.0).all()


def test_a_driver_leaves_when_patience_ends() -> None:
    now = snapshot(12.0, booked=[(12.1, 40.0)] * 3, hoses=0)
    frame, lane = layout(now, 200)
    lane = dataclasses.replace(lane, hose_down_until=np.full_like(lane.hose_down_until, NEVER))
    course = run(frame, lane)
    assert (course.start_min == NEVER).all()
    assert (course.delivered_kg == 0.0).all()
    # The line is looked at each minute, and one truck a minute leaves it.
    assert course.end_min.max() - lane.trucks.arrive_min.max() == pytest.approx(frame.patience_min, abs=3.0)


def test_an_empty_trailer_is_swapped_within_the_hour() -> None:
    trucks = [(12.0 + i / 15.0, 40.0) for i in range(30)]
    now = snapshot(12.0, booked=trucks, bay_mpa=(6.0, None, None, None), trailer_hours=[], yard=1, bank_mpa=40.0)
    frame, lane = layout(now, 240)
    course = run(frame, lane)
    # A full trailer, 382 kg; what it gives is less than 278 kg, since its gas grows cold and dense.
    assert course.received_kg[0] == pytest.approx(382.4, abs=1.0)
    assert 382.4 - frame.floor_kg[0, 0] == pytest.approx(272.5, abs=1.0)
    dry = run(frame, variants.without_deliveries(dataclasses.replace(lane, delivery_min=lane.delivery_min[:0]), 0))
    assert dry.dispensed_kg[0] < course.dispensed_kg[0]


def test_trains_slow_down_with_suction() -> None:
    def charged(mpa: float) -> float:
        frame, lane = layout(snapshot(12.0, booked=[], bay_mpa=(mpa, None, None, None), bank_mpa=30.0), 4)
        course = ReducedStation(frame, lane, ())
        course.run()
        return float(course._mass[4:].sum() - lane.mass_kg[4:].sum())

    assert charged(20.0) == pytest.approx(4 * 440 / 60.0, rel=0.01)
    assert charged(7.5) == pytest.approx(0.72 * charged(20.0), rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_less_supply_never_serves_more(seed: int) -> None:
    draw = np.random.default_rng(seed)
    booked = [(float(h), 40.0) for h in draw.uniform(12.0, 17.0, 60)]
    etas = sorted(float(h) for h in draw.uniform(12.0, 16.0, 6))
    now = snapshot(12.0, booked=booked, trailer_hours=etas, bay_mpa=(9.0, 8.0, 6.0, None))
    frame, base = layout(now, 420)
    fewer = [
        dataclasses.replace(base, delivery_min=np.where(np.arange(6)[:, np.newaxis] < n, base.delivery_min, NEVER))
        for n in range(7)
    ]
    course = run(frame, joined(fewer))
    kg = course.dispensed_kg
    served = (fewer[0].trucks.asked_kg - course.delivered_kg < 4.0).sum(axis=0)
    assert (np.diff(kg) >= -1.0).all()
    assert (np.diff(served) >= 0).all()


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(st.floats(12.0, 23.99), st.floats(1.0, 80.0)), min_size=100, max_size=400))
def test_a_perfect_station_has_no_shortfall_whatever_the_demand(trucks: list[tuple[float, float]]) -> None:
    now = snapshot(12.0, booked=trucks, bay_mpa=(None, None, None, None), trailer_hours=[], trains_down=4)
    frame, base = layout(now, 13 * 60)
    course = run(frame, variants.relaxed(base, "all"))
    assert (base.trucks.asked_kg - course.delivered_kg).max() < 0.01


@pytest.mark.parametrize("seed", range(len(RECORDED)))
def test_what_is_left_out_of_a_step_changes_no_result(seed: int) -> None:
    then, steps = RECORDED[seed], 1500
    lanes = drawn_lanes(np.random.default_rng(seed), steps, 16, then["trucks"], then["trailers"])
    assert lanes.trucks.asked_kg.sum() == pytest.approx(then["drawn_kg"], rel=1e-12)
    course = ReducedStation(frame_of_round_numbers(steps), lanes, (400, 1440)).run()
    now = {
        "delivered_kg": course.delivered_kg.sum(axis=0),
        "by_mark_kg": course.mark_delivered_kg.sum(axis=1),
        "start_min": np.minimum(course.start_min, 9999.0).sum(axis=0),
        "end_min": np.minimum(course.end_min, 9999.0).sum(axis=0),
        "received_kg": course.received_kg,
        "returned_kg": course.returned_kg,
        "stock_end_kg": course.stock_end_kg,
    }
    for name, values in now.items():
        np.testing.assert_allclose(values, then[name], rtol=1e-9, atol=1e-9, err_msg=name)
