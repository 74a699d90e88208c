"""What-if: what is taken away never serves more, what is asked for nothing changes nothing."""

from __future__ import annotations

import pytest

from station.domain.capacity import forecast, forecast_as_json
from station.domain.day_plan import Booking, DayPlan
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


def test_another_plan_takes_the_place_of_the_day_s() -> None:
    plan = DayPlan(DAY, (Booking("A", at(10.0), 40.0), Booking("B", at(20.0), 30.0)), (), "put")
    _, then = changed(jinma(), BASE, Changes(plan=plan))
    assert [b.id for b in then.demand.bookings] == ["B"]
    assert then.expected == ()
    assert (then.demand.plan_trucks, then.demand.plan_kg) == (2, 70.0)
