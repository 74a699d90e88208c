"""A plan that can never work is said at once."""

from __future__ import annotations

import dataclasses
import datetime as dt

from station.domain.day_plan import Booking, DayPlan, Delivery
from station.domain.plan_check import feasible
from station.domain.truck_queue import profile_bookings
from tests.support.capacity_snapshots import DAY, at, snapshot
from tests.support.plants import jinma

PLANT = jinma()
NOW = snapshot(7.0)
TOMORROW = DAY + dt.timedelta(days=1)
DAY_MS = 86_400_000


def plan(trucks: int, trailers: int, date: dt.date = TOMORROW) -> DayPlan:
    start = at(0.0) + (date - DAY).days * DAY_MS
    fleet = dataclasses.replace(PLANT.fleet, trucks_per_day=trucks)
    bookings = profile_bookings(fleet, date, start)
    etas = [start + round((n + 0.5) / max(trailers, 1) * DAY_MS) for n in range(trailers)]
    return DayPlan(date, bookings, tuple(Delivery(f"T{n}", eta, 278.0) for n, eta in enumerate(etas)), "put")


def test_the_usual_day_can_be_carried() -> None:
    can = feasible(PLANT, plan(100, 15), NOW)
    assert can is not None
    assert (can.ok, can.trucks, can.bottleneck) == (True, 100, "none")
    assert "100 trucks, 4000 kg" in can.text.en
    assert "100 辆车" in can.text.zh


def test_too_few_trailers_are_said_with_how_many_trucks_they_carry() -> None:
    can = feasible(PLANT, plan(100, 5), NOW)
    assert can is not None
    assert not can.ok
    assert can.bottleneck == "trailers"
    # Four full trailers, five to come and what the banks give above their floors carry about this many.
    supplied = 9 * 278.0 + 450.0
    assert abs(can.kg - supplied) < 0.12 * supplied
    assert can.kg + can.shortfall_kg == 4000.0
    assert 40 * can.trucks <= can.kg + 40.0
    assert f"fills {can.trucks} of these 100 trucks" in can.text.en
    assert "长管拖车供应" in can.text.zh


def test_more_trucks_than_can_be_taken_in_an_hour_are_said() -> None:
    start = at(0.0) + DAY_MS
    rush = tuple(Booking(f"B{n}", start + 8 * 3_600_000 + n * 20_000, 40.0) for n in range(90))
    full = plan(0, 15)
    can = feasible(PLANT, dataclasses.replace(full, trucks=rush), NOW)
    assert can is not None
    assert not can.ok
    assert can.bottleneck != "none"
    assert 20 < can.trucks < 90


def test_today_is_judged_from_the_station_as_it_stands() -> None:
    well = feasible(PLANT, plan(100, 15, DAY), NOW)
    broken = snapshot(7.0, trains_down=3, bay_mpa=(8.0, 8.0, None, None))
    ill = feasible(PLANT, plan(100, 15, DAY), broken)
    assert well is not None
    assert ill is not None
    assert well.ok
    assert not ill.ok
    assert "As the station stands now" in ill.text.en


def test_a_day_that_is_over_is_not_judged_and_a_station_not_heard_of_is_at_its_best() -> None:
    assert feasible(PLANT, plan(100, 15, DAY - dt.timedelta(days=1)), NOW) is None
    unheard = feasible(PLANT, plan(100, 15), None)
    assert unheard is not None
    assert unheard.ok
    empty = feasible(PLANT, plan(0, 0), NOW)
    assert empty is not None
    assert empty.ok
