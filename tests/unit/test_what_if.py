"""What-if: what is taken away never serves more, what is asked for nothing changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.domain.capacity import forecast, forecast_as_json
from station.domain.capacity_snapshot import DemandAhead
from station.domain.day_plan import Booking, DayPlan
from station.domain.truck_queue import profile_bookings
from station.domain.what_if import Changes, changed, removable_units
from tests.support.capacity_snapshots import DAY, at, snapshot
from tests.support.plants import jinma

BASE = snapshot(18.0)


def served_kg(changes: Changes) -> float:
    return forecast(*changed(jinma(), BASE, changes), 0).deliverable_kg.p50


def test_no_change_gives_the_same_forecast() -> None:
    same = forecast(*changed(jinma(), BASE, Changes()), 5)
    assert forecast_as_json(same) == forecast_as_json(forecast(jinma(), BASE, 5))


@pytest.mark.parametrize(
    "changes",
    [
        Changes(remove=frozenset(unit for unit in removable_units(jinma()) if unit.startswith("train"))),
        Changes(delay_trailers_min=600.0),
        Changes(remove=frozenset(("train-1", "train-2", "train-3")), delay_trailers_min=600.0, ambient_c=40.0),
    ],
)
def test_what_is_taken_away_never_serves_more(changes: Changes) -> None:
    assert served_kg(changes) <= served_kg(Changes()) + 1e-6


def test_without_any_train_late_trucks_go_short() -> None:
    trains = frozenset(t.unit for t in jinma().trains)
    heavy = Changes(remove=trains, add_trucks=60, delay_trailers_min=900.0)
    assert forecast(*changed(jinma(), BASE, heavy), 0).detail.base_shortfall_kg > 40.0


def test_more_trucks_come_within_the_day_and_are_counted_in_the_plan() -> None:
    _, then = changed(jinma(), BASE, Changes(add_trucks=20))
    assert then.demand.plan_trucks == BASE.demand.plan_trucks + 20
    assert len(then.demand.bookings) == len(BASE.demand.bookings) + 20
    assert all(BASE.at_ms <= b.t_ms < BASE.close_ms for b in then.demand.bookings)


@pytest.mark.parametrize("fewer", [1, 7, 18])
def test_fewer_trucks_are_left_out_all_over_the_rest_of_the_day(fewer: int) -> None:
    _, then = changed(jinma(), BASE, Changes(add_trucks=-fewer))
    left_out = [b for b in BASE.demand.bookings if b not in then.demand.bookings]
    assert then.demand.plan_trucks == BASE.demand.plan_trucks - fewer
    assert then.demand.plan_kg == pytest.approx(BASE.demand.plan_kg - sum(b.kg for b in left_out))
    assert len(left_out) == fewer
    if fewer > 1:
        ahead = [b.t_ms for b in BASE.demand.bookings]
        assert left_out[-1].t_ms - left_out[0].t_ms > 0.3 * (ahead[-1] - ahead[0])


def test_more_trucks_than_are_to_come_cannot_stay_away() -> None:
    _, then = changed(jinma(), BASE, Changes(add_trucks=-500))
    assert then.demand.bookings == ()
    assert then.demand.plan_trucks == BASE.demand.plan_trucks - len(BASE.demand.bookings)


def test_fewer_trucks_on_a_day_without_a_plan_thin_its_profile() -> None:
    demand = DemandAhead((), (DAY,), 100, 100 * jinma().fleet.mean_fill_kg)
    whole = replace(snapshot(0.0), demand=demand)
    _, then = changed(jinma(), whole, Changes(add_trucks=-30))
    usual = profile_bookings(jinma().fleet, DAY, at(0.0))
    assert len(then.demand.bookings) == len(usual) - 30
    assert then.demand.profile_days == ()


def test_another_plan_takes_the_place_of_the_day_s() -> None:
    plan = DayPlan(DAY, (Booking("A", at(10.0), 40.0), Booking("B", at(20.0), 30.0)), (), "put")
    _, then = changed(jinma(), BASE, Changes(plan=plan))
    assert [b.id for b in then.demand.bookings] == ["B"]
    assert then.expected == ()
    assert (then.demand.plan_trucks, then.demand.plan_kg) == (2, 70.0)
