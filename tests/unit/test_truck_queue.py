"""The trucks ahead: bookings that fade out when overdue, arrivals matched to bookings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.arrivals import Arrival, bookings_to_come, matched
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import DemandAhead, HoseNow
from station.domain.day_plan import Booking, WaitingTruck
from station.domain.lanes import NEVER
from station.domain.truck_queue import (
    arrival_min,
    base_trucks,
    demand_of,
    profile_bookings,
    replica_trucks,
    still_comes,
)
from tests.support.capacity_snapshots import DAY, MINUTE_MS, at, snapshot
from tests.support.plants import jinma

RULES = CapacityParameters()
BOOKED_ONLY = CapacityParameters(walk_in_share=0.0, day_late_sd_min=0.0)
UNTIL = at(25.0)


def test_a_booking_is_given_up_the_longer_it_is_overdue() -> None:
    chance = still_comes(np.array([-60.0, 0.0, 20.0, 40.0, 90.0]), RULES)
    assert chance[0] == pytest.approx(1.0 - RULES.no_show_share, abs=0.01)
    assert (np.diff(chance) < 0.0).all()
    assert chance[2] > 0.5
    assert chance[4] < 0.01


@given(st.floats(-120.0, 720.0), st.floats(0.001, 0.999))
def test_an_arrival_lies_ahead_and_rises_with_its_quantile(booked: float, quantile: float) -> None:
    earlier, later = (float(arrival_min(np.array([booked]), np.array([q]), RULES)[0]) for q in (quantile / 2, quantile))
    assert 0.0 <= earlier <= later


def test_a_booking_far_ahead_is_expected_at_its_time() -> None:
    assert arrival_min(np.array([300.0]), np.array([0.5]), RULES)[0] == pytest.approx(300.0, abs=0.01)


def test_trucks_here_come_first_then_those_booked() -> None:
    now = snapshot(12.0, booked=[(12.5, 41.0), (13.0, 39.0)])
    hoses = list(now.hoses)
    hoses[3] = HoseNow(hoses[3].unit, "fill", now.at_ms - 9 * MINUTE_MS, 15.0, 38.0, None, available=True)
    waiting = (WaitingTruck("W", now.at_ms - 4 * MINUTE_MS, None),)
    now = dataclasses.replace(now, hoses=tuple(hoses), waiting=waiting)
    demand = demand_of(jinma(), now, BOOKED_ONLY, UNTIL)
    lane = base_trucks(jinma(), demand, BOOKED_ONLY)
    assert lane.at_hose == (3,)
    assert lane.given_kg == (15.0,)
    assert lane.asked_kg[:, 0].tolist() == [38.0, jinma().fleet.mean_fill_kg, 41.0, 39.0]
    assert lane.arrive_min[:2, 0].tolist() == [-9.0, -4.0]


def test_a_fill_that_ran_over_its_guess_is_about_to_end() -> None:
    now = snapshot(12.0, booked=[])
    hose = HoseNow(now.hoses[0].unit, "fill", now.at_ms - MINUTE_MS, 44.0, None, None, available=True)
    demand = demand_of(jinma(), dataclasses.replace(now, hoses=(hose, *now.hoses[1:])), BOOKED_ONLY, UNTIL)
    assert demand.asked_kg.tolist() == [44.5]


def test_replicas_scatter_about_the_bookings() -> None:
    now = snapshot(12.0, booked=[(18.0, 40.0)] * 4)
    demand = demand_of(jinma(), now, BOOKED_ONLY, UNTIL)
    lanes = replica_trucks(jinma(), demand, BOOKED_ONLY, np.random.default_rng(1), 2000)
    came = lanes.arrive_min < NEVER
    assert came.mean() == pytest.approx(1.0 - RULES.no_show_share, abs=0.01)
    assert lanes.arrive_min[came].mean() == pytest.approx(360.0, abs=1.0)
    assert lanes.arrive_min[came].std() == pytest.approx(RULES.booking_sd_min, rel=0.05)
    assert lanes.asked_kg[came].mean() == pytest.approx(40.0, abs=0.2)
    assert (lanes.asked_kg[~came] == 0.0).all()
    assert (np.diff(lanes.arrive_min, axis=0) >= 0.0).all()


def test_some_days_more_trucks_stay_away_or_come_unasked_than_chance_would_have() -> None:
    now = snapshot(0.0)
    lanes = replica_trucks(jinma(), demand_of(jinma(), now, RULES, UNTIL), RULES, np.random.default_rng(1), 4000)
    came = (lanes.arrive_min < NEVER).sum(axis=0)
    # As many stay away as come without a booking, in the mean; each share scatters by its beta law about 0.02.
    assert came.mean() == pytest.approx(100.0, abs=0.2)
    share_sd = np.sqrt(0.02 * 0.98 / (RULES.day_share_worth + 1.0))
    by_chance = 100 * 0.02 * 0.98
    assert came.std() == pytest.approx(np.sqrt(2.0 * (100 * share_sd) ** 2 + 2.0 * by_chance), rel=0.1)


def test_without_a_plan_the_profile_stands_in() -> None:
    fleet = jinma().fleet
    day = profile_bookings(fleet, DAY, at(0.0))
    assert len(day) == fleet.trucks_per_day
    peak = sum(at(7.0) <= b.t_ms < at(8.0) for b in day)
    assert peak == pytest.approx(fleet.hourly_share[7] * fleet.trucks_per_day, abs=1)
    now = dataclasses.replace(snapshot(12.0), demand=DemandAhead((), (DAY,), 100, 4000.0))
    demand = demand_of(jinma(), now, RULES, UNTIL)
    assert len(demand.asked_kg) == sum(b.t_ms >= at(12.0) for b in day)
    assert demand.profiled.all()


def test_arrivals_take_their_own_booking_or_the_likeliest() -> None:
    bookings = [Booking("A", at(8.0), 40.0), Booking("B", at(8.5), 40.0), Booking("C", at(9.0), 40.0)]
    arrivals = [Arrival(at(8.4)), Arrival(at(8.2), "C")]
    to_come, came = bookings_to_come(bookings, arrivals, RULES, at(12.0))
    assert [b.id for b in to_come] == ["A"]
    assert [b.id for b in came] == ["B", "C"]


def test_a_no_show_stays_behind_and_a_stranger_takes_nobody_s_booking() -> None:
    bookings = [Booking(f"B{i}", at(8.0 + i), 40.0) for i in range(4)]
    arrivals = [Arrival(at(9.05)), Arrival(at(9.9)), Arrival(at(20.0))]
    to_come, came = bookings_to_come(bookings, arrivals, RULES, at(20.0))
    assert [b.id for b in to_come] == ["B0", "B3"]
    assert [b.id for b in came] == ["B1", "B2"]


def test_a_walk_in_among_close_bookings_leaves_the_bookings_ahead_alone() -> None:
    """Truck by truck the nearest would push everyone one booking on, and the last of the day would be missed."""
    bookings = [Booking(f"B{i}", at(8.0 + 0.25 * i), 40.0) for i in range(24)]
    on_time = [Arrival(at(8.0 + 0.25 * i)) for i in range(20)]
    walk_in = Arrival(at(9.1))
    arrivals = sorted([*on_time, walk_in], key=lambda a: a.t_ms)
    found = matched(bookings, arrivals, RULES, at(12.8))
    assert [b.id for b in found.open] == ["B20", "B21", "B22", "B23"]
    assert len(found.strangers) == 1


def test_a_truck_far_too_early_for_the_next_booking_is_a_stranger() -> None:
    bookings = [Booking("A", at(22.2), 40.0), Booking("B", at(23.0), 40.0)]
    arrivals = [Arrival(at(22.2)), Arrival(at(22.25))]
    found = matched(bookings, arrivals, RULES, at(22.5))
    assert [b.id for b in found.open] == ["B"]
    assert len(found.strangers) == 1


@given(st.integers(0, 2**31))
def test_matching_keeps_every_booking_and_every_arrival_once(seed: int) -> None:
    draw = np.random.default_rng(seed)
    bookings = [Booking(f"B{i}", at(float(h)), 40.0) for i, h in enumerate(np.sort(draw.uniform(6.0, 12.0, 12)))]
    arrivals = [Arrival(at(float(h))) for h in np.sort(draw.uniform(5.0, 13.0, int(draw.integers(0, 15))))]
    found = matched(bookings, arrivals, RULES, at(10.0))
    assert sorted([b.id for b in found.open] + [b.id for b, _ in found.pairs]) == sorted(b.id for b in bookings)
    assert len(found.strangers) + len(found.pairs) == len(arrivals)
    assert all(abs(a.t_ms - b.t_ms) <= 3_600_000 for b, a in found.pairs)
