"""Actions against a shortage: tried in the model, told in words, the latest that still helps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from station.domain.capacity import forecast
from station.domain.capacity_actions import Action, best, spoken, tried
from station.domain.capacity_forecast import Forecast, TriedAction
from station.domain.capacity_lanes import with_moved_trucks
from station.domain.capacity_snapshot import Done
from station.domain.lanes import Lanes, Trucks
from station.domain.plant import Text
from tests.support.capacity_snapshots import at, snapshot
from tests.support.plants import jinma

FULL = (20.0, 20.0, 20.0, 18.0)
LATE = snapshot(15.0, trailer_hours=[20.0], bay_mpa=(18.0, 15.0, 11.0, 8.0))


def left(f: Forecast) -> dict[str, float]:
    return {a.name: a.left_kg for a in f.detail.actions}


def action(name: str, kg: float, effort: int = 0) -> TriedAction:
    return TriedAction(name, kg, Text(name, name), effort)


@pytest.fixture(scope="module")
def late() -> Forecast:
    return forecast(jinma(), LATE, 0)


@pytest.fixture(scope="module")
def trains_away() -> Forecast:
    return forecast(jinma(), snapshot(13.0, trains_down=3, yard=3, trucks=140), 0)


def test_the_latest_trailer_that_avoids_the_shortage_is_called(late: Forecast) -> None:
    assert left(late)["call-trailer"] == pytest.approx(0.0, abs=1.0)
    assert late.advice.en.endswith("Call a trailer to be here by 18:00: then nobody goes short.")
    assert late.advice.zh.endswith("增调一辆长管拖车，最迟 18:00 到站：可避免短缺。")


def test_the_hour_called_for_stays_as_time_passes() -> None:
    seven_minutes_on = dataclasses.replace(LATE, at_ms=LATE.at_ms + 7 * 60_000)
    assert "by 18:00: then nobody" in forecast(jinma(), seven_minutes_on, 0).advice.en


def test_what_the_crew_does_together_is_never_worse_than_the_best_of_it(late: Forecast) -> None:
    kg = left(late)
    assert kg["call-2-trailers"] <= kg["call-trailer"] + 1.0
    assert kg["call-trailer+end-at-90"] <= min(kg["call-trailer"], kg["end-at-90"]) + 1.0


def test_two_trailers_and_smaller_fills_where_one_is_not_enough() -> None:
    f = forecast(jinma(), snapshot(15.0, trailer_hours=[], bay_mpa=(7.0, 6.0, None, None)), 0)
    kg = left(f)
    assert kg["call-2-trailers"] < kg["call-trailer"] - 200.0
    assert "Call 2 trailers to be here by 16:30 and end fills at 90 %" in f.advice.en
    assert f"then {round(kg['call-2-trailers+end-at-90'])} kg stay short" in f.advice.en


def test_each_tripped_train_is_tried_alone_and_all_together(trains_away: Forecast) -> None:
    kg = left(trains_away)
    alone = [kg[f"restart-train-{n}"] for n in range(1, 4)]
    assert alone == pytest.approx([alone[0]] * 3)
    assert kg["restart-all-trains"] < alone[0] < trains_away.detail.short_kg


def test_the_train_that_gives_more_helps_more() -> None:
    now = snapshot(16.0, trains_down=4, yard=3, bay_mpa=FULL)
    trains = [dataclasses.replace(t, available=t.unit == "train-1", health=0.05) for t in now.trains]
    now = dataclasses.replace(now, trains=(*trains[:2], dataclasses.replace(trains[2], health=1.0), trains[3]))
    f = forecast(jinma(), now, 0)
    assert left(f)["restart-train-3"] < left(f)["restart-train-2"]


def test_a_chiller_is_brought_back() -> None:
    f = forecast(jinma(), snapshot(16.0, chillers_down=2, warm_c=42.0, yard=2, bay_mpa=FULL), 0)
    assert left(f)["restart-chiller-1"] == pytest.approx(0.0, abs=1.0)
    assert "Restart chiller 1: then nobody goes short" in f.advice.en
    assert "尽快恢复冷水机组 1 运行" in f.advice.zh
    assert f.detail.hottest_tank_c == pytest.approx(42.0 + 43.0)


def test_bookings_are_moved_out_of_the_tight_hours_into_quiet_ones() -> None:
    f = forecast(jinma(), snapshot(15.0, trains_down=2, trucks=150), 0)
    assert left(f)["move-bookings"] < 1.0
    assert "Move 14 trucks from 18:00-20:00 to 21:00-24:00: then nobody goes short." in f.advice.en
    assert "将 18:00-20:00 的 14 辆车改约至 21:00-24:00" in f.advice.zh


def test_nobody_is_asked_to_move_trucks_that_a_profile_stands_in_for() -> None:
    now = snapshot(15.0, booked=[], trailer_hours=[20.0])
    now = dataclasses.replace(now, demand=dataclasses.replace(now.demand, profile_days=(now.day,)))
    assert not [name for name in left(forecast(jinma(), now, 0)) if "move" in name]


def test_what_is_lost_is_not_promised_back() -> None:
    lost = Done(trucks=40, kg=1500.0, short_trucks=2, short_kg=60.0, short_at_ms=at(11.0), asked_kg=1560.0)
    f = forecast(jinma(), dataclasses.replace(LATE, done=lost), 0)
    assert left(f)["call-trailer"] == pytest.approx(60.0, abs=1.0)
    assert "then nobody more goes short" in f.advice.en


def test_moving_trucks_keeps_every_truck_and_its_kilograms() -> None:
    trucks = Trucks(
        arrive_min=np.array([[10.0], [70.0], [80.0], [90.0], [200.0]]),
        asked_kg=np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]),
        after_min=np.full((5, 1), 4.0),
        at_hose=(3,),
        given_kg=(0.5,),
        connect_left_min=(0.0,),
    )
    empty = np.zeros((1, 1))
    base = Lanes(
        trucks=trucks,
        **{f.name: empty for f in dataclasses.fields(Lanes) if f.name != "trucks"},  # type: ignore[arg-type]
    )
    moved = with_moved_trucks(base, (60.0, 120.0), (180.0, 300.0), 2).trucks
    assert moved.arrive_min[:, 0].tolist() == [10.0, 90.0, 200.0, 210.0, 270.0]
    assert moved.asked_kg[:, 0].tolist() == [1.0, 4.0, 5.0, 2.0, 3.0]


def test_of_arrival_times_the_latest_as_good_as_the_best_is_kept() -> None:
    actions = tuple(Action("call-trailer", Text(str(i), str(i)), lambda lane: lane, 0) for i in range(4))
    (kept,) = tried(actions, np.array([10.0, 9.5, 10.4, 60.0]))
    assert (kept.text.en, kept.left_kg) == ("2", 10.4)


def test_the_least_effort_among_those_that_help_alike() -> None:
    found = best((action("less", 0.0, 4), action("call", 10.0, 0), action("far", 90.0, 0)), 300.0)
    assert found is not None
    assert found.name == "call"
    assert best((action("none", 95.0),), 100.0) is None


def test_an_advice_is_kept_until_another_is_clearly_better() -> None:
    pair = (action("one", 0.0), action("other", 25.0))
    kept = best(pair, 1000.0, keep="other")
    assert kept is not None
    assert kept.name == "other"
    better = best((action("one", 0.0), action("other", 45.0)), 1000.0, keep="other")
    assert better is not None
    assert better.name == "one"


def test_units_are_called_as_on_site() -> None:
    assert spoken(["train-3"]) == Text("train 3", "压缩机组 3")
    assert spoken(["train-1", "train-2", "chiller-1"]).en == "train 1, train 2 and chiller 1"
    assert spoken(["train-1", "train-2"]).zh == "压缩机组 1、压缩机组 2"
