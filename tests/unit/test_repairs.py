"""Machines that are down: alone they are mended in usual time, together they wait for one cause."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from station.domain.capacity_lanes import base_lane, frame_of, replicas
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import TrainNow
from station.domain.repairs import repairs_of
from station.domain.supply_outlook import outlook_of
from station.domain.truck_queue import demand_of
from tests.support.capacity_snapshots import at, snapshot
from tests.support.plants import jinma

PLANT = jinma()
RULES = CapacityParameters()
USUAL_MIN = 60.0 * PLANT.trains[0].mttr_median_h


def trains(*down_min: float | None) -> tuple[TrainNow, ...]:
    """Return trains that have been down for so long each, None for one that runs."""
    return tuple(
        TrainNow(t.unit, "loaded" if m is None else "trip", m is None, 1.0, None, down_min=m or 0.0)
        for t, m in zip(PLANT.trains, down_min, strict=True)
    )


def test_one_that_failed_alone_is_back_after_its_usual_repair() -> None:
    repairs = repairs_of(PLANT.trains, trains(0.0, None, None, None), RULES)
    assert repairs[1:] == [None, None, None]
    assert repairs[0] is not None
    assert repairs[0].median_min == pytest.approx(USUAL_MIN, rel=1e-3)


def test_the_longer_a_repair_lasts_the_longer_its_whole_time_becomes() -> None:
    left = []
    for down in (0.0, 120.0, 240.0, 480.0):
        repair = repairs_of(PLANT.trains, trains(down, None, None, None), RULES)[0]
        assert repair is not None
        left.append(repair.median_min + down)
    assert left == sorted(left)
    assert left[1] > USUAL_MIN


def test_those_that_stop_together_wait_for_one_cause_and_those_that_do_not_do_not() -> None:
    first, second, third, fourth = repairs_of(PLANT.trains, trains(30.0, 31.0, None, 200.0), RULES)
    assert third is None
    assert first is not None
    assert second is not None
    assert fourth is not None
    assert first.together == second.together != fourth.together
    assert first.law.median_min == 60.0 * RULES.common_cause_median_h
    assert fourth.law.median_min == USUAL_MIN


def test_a_standstill_of_all_is_a_power_cut_or_an_emergency_stop() -> None:
    repairs = repairs_of(PLANT.trains, trains(5.0, 5.0, 5.0, 5.0), RULES)
    assert {r.law.median_min for r in repairs if r is not None} == {60.0 * RULES.standstill_median_h}


def test_one_cause_ends_for_all_at_once_in_each_replica() -> None:
    solid = dataclasses.replace(PLANT, trains=tuple(dataclasses.replace(t, mtbf_h=1e6) for t in PLANT.trains))
    now = dataclasses.replace(snapshot(0.0), trains=trains(60.0, 60.0, None, None))
    frame = frame_of(solid, now, RULES, 1440)
    demand, outlook = demand_of(solid, now, RULES, at(25.0)), outlook_of(solid, now, RULES)
    base = base_lane(solid, now, RULES, frame, demand, outlook)
    # What all trains give differs a little from lane to lane; only when each lane's rises counts here.
    many = replicas(solid, now, RULES, base, demand, outlook, np.random.default_rng(1), 200).train_kg_min
    steps_up = (np.diff(many, axis=0) > 1e-9).sum(axis=0)
    assert steps_up.max() == 1
    back = (many < many.max(axis=0) - 1e-9).sum(axis=0)
    back = np.where(steps_up == 0, 1440, back)
    expected = repairs_of(solid.trains, now.trains, RULES)[0]
    assert expected is not None
    assert np.median(back) == pytest.approx(expected.median_min, rel=0.15)
    assert (base.train_kg_min[:, 0] < base.train_kg_min.max()).sum() == pytest.approx(expected.median_min, abs=1.0)


def test_hoses_whose_fault_shows_at_one_truck_after_the_other_have_one_cause() -> None:
    down = (70.0, None, 40.0, 5.0, None, None, None, 400.0)
    hoses = tuple(
        dataclasses.replace(h, state="idle" if m is None else "fault", available=m is None, down_min=m or 0.0)
        for h, m in zip(snapshot().hoses, down, strict=True)
    )
    found = repairs_of(PLANT.hoses, hoses, RULES, RULES.hose_common_cause_min)
    medians = [None if r is None else r.law.median_min / 60.0 for r in found]
    one_cause, alone = RULES.common_cause_median_h, PLANT.hoses[0].mttr_median_h
    assert medians == [one_cause, None, one_cause, one_cause, None, None, None, alone]
