"""The scores of a back-test, over days whose figures can be worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from cli.back_test_days import day_of_scenario, kind_names, mixed_day
from simulators.scenario import scenario_state, shipped_scenario
from station.domain.back_test import (
    AlertChange,
    Demand,
    ForecastPoint,
    JudgedDay,
    bottleneck_right,
    brier,
    changes_a_day,
    coverage,
    deciles,
    false_alarms,
    missed,
    reliability_slope,
    scores,
    short_at,
    skill,
)
from tests.support.plants import jinma

ALERT = AlertChange(540, "CAP-SHORT", True, "trailers")


def day(
    *,
    p: float = 0.0,
    short: float | None = None,
    changes: tuple[AlertChange, ...] = (),
    onset: str = "supply",
    cause: str | None = "trailers",
    kg: float = 4000.0,
    said: tuple[float, float, float] = (3900.0, 4000.0, 4100.0),
) -> JudgedDay:
    points = tuple(ForecastPoint(minute, p, said, "trailers") for minute in range(0, 1440, 30))
    lacks = 0.0 if short is None else 500.0
    return JudgedDay("day", onset, cause, 4000.0, kg, lacks, short, points, changes)


def value(key: str, days: list[JudgedDay]) -> float | None:
    return next(s.value for s in scores(days) if s.key == key)


def test_a_perfect_forecast_has_no_brier_and_full_skill() -> None:
    days = [day(p=1.0, short=900.0), day(p=0.0)]
    assert brier(days) == 0.0
    assert skill(days) == 1.0


def test_saying_the_climatology_has_no_skill() -> None:
    days = [day(p=0.25, short=900.0), *[day(p=0.25)] * 3]
    assert brier(days) == pytest.approx(0.25 * 0.75)
    assert skill(days) == pytest.approx(0.0)


def test_skill_is_not_told_where_every_day_is_alike() -> None:
    assert skill([day(p=0.5), day(p=0.2)]) is None


def test_forecasts_before_eight_at_close_and_between_half_hours_do_not_count() -> None:
    odd = tuple(ForecastPoint(minute, 1.0, (0.0, 0.0, 0.0), "none") for minute in (0, 300, 479, 485, 500, 1440))
    judged = JudgedDay("day", "none", None, 4000.0, 4000.0, 0.0, None, odd, ())
    assert brier([judged]) is None
    assert coverage([judged]) is None


def test_deciles_are_the_mean_and_the_share_of_their_own_forecasts() -> None:
    rows = deciles([day(p=0.12), day(p=0.18, short=900.0), day(p=0.95, short=900.0)])
    assert [(round(r.probability, 3), r.observed, r.forecasts) for r in rows] == [(0.15, 0.5, 64), (0.95, 1.0, 32)]


def test_reliable_probabilities_have_slope_one_and_timid_ones_more() -> None:
    reliable = [*[day(p=0.25)] * 3, day(p=0.25, short=900.0), *[day(p=0.75, short=900.0)] * 3, day(p=0.75)]
    timid = [*[day(p=0.4)] * 4, *[day(p=0.6, short=900.0)] * 4]
    assert reliability_slope(reliable) == pytest.approx(1.0)
    assert reliability_slope(timid) == pytest.approx(5.0)


def test_coverage_counts_the_bands_that_hold_the_kilograms() -> None:
    assert coverage([day(), day(kg=3899.0), day(kg=4100.0), day(kg=4101.0)]) == 50.0


def test_the_error_of_kilograms_is_that_of_the_hour_as_a_share_of_the_plan() -> None:
    assert value("kg-12", [day(kg=3900.0), day(kg=4020.0)]) == pytest.approx(100.0 * (100.0 + 20.0) / 2 / 4000.0)


def test_lead_is_from_the_first_alert_to_the_shortage() -> None:
    again = (ALERT, AlertChange(600, "CAP-SHORT", False, "none"), AlertChange(700, "CAP-SHORT", True, "trailers"))
    assert day(short=900.0, changes=again).lead_minutes == 360.0
    assert day(short=500.0, changes=(ALERT,)).lead_minutes == -40.0
    assert day(short=900.0).lead_minutes is None


def test_leads_of_supply_faults_and_sudden_trips_are_told_apart() -> None:
    trips = [day(short=580.0, changes=(ALERT,), onset="sudden", cause="compression")] * 3
    days = [day(short=900.0, changes=(ALERT,)), *trips]
    assert value("lead-supply", days) == 360.0
    assert value("lead-sudden-90", days) == pytest.approx(40.0)


def test_a_short_day_without_alert_is_missed_and_an_alert_without_shortage_is_false() -> None:
    days = [day(short=900.0), day(short=900.0, changes=(ALERT,)), day(changes=(ALERT,)), day()]
    assert missed(days) == 50.0
    assert false_alarms(days) == pytest.approx(14.0 / 4.0)


def test_only_the_shortage_alert_flaps() -> None:
    other = AlertChange(500, "CAP-QUEUE", True, "none")
    assert changes_a_day([day(changes=(other, ALERT)), day()]) == 0.5


def test_the_block_named_by_the_first_alert_is_held_against_the_script() -> None:
    wrong = day(short=900.0, changes=(ALERT,), cause="compression")
    nobody_knows = day(short=900.0, changes=(ALERT,), cause=None)
    assert bottleneck_right([day(short=900.0, changes=(ALERT,)), wrong, nobody_knows, day(short=900.0)]) == 50.0


def test_each_score_has_an_interval_that_holds_its_value_and_says_whether_it_is_met() -> None:
    days = [day(p=0.9, short=900.0, changes=(ALERT,)), day(p=0.1), day(p=0.3, kg=4200.0)] * 5
    for score in scores(days):
        if score.value is not None:
            assert score.low is not None
            assert score.high is not None
            assert score.low - 1e-9 <= score.value <= score.high + 1e-9
            assert score.met is score.demand.met(score.value)
    assert scores(days) == scores(days)


def test_demands_hold_at_both_ends() -> None:
    assert [Demand(75.0, 87.0).met(v) for v in (74.9, 75.0, 87.0, 87.1)] == [False, True, True, False]


def test_the_shortage_begins_with_the_arrival_that_makes_it_forty_kilograms() -> None:
    assert short_at([(700.0, 30.0), (600.0, 15.0), (650.0, -3.0), (800.0, 30.0)]) == (75.0, 700.0)
    assert short_at([(600.0, 39.9)]) == (39.9, None)
    assert short_at([]) == (0.0, None)


# --- the days ---


def test_a_day_follows_from_seed_and_number_alone() -> None:
    one, again, other = mixed_day(jinma(), 3, 17), mixed_day(jinma(), 3, 17), mixed_day(jinma(), 4, 17)
    assert scenario_state(one.scenario) == scenario_state(again.scenario)
    assert (one.seed, one.date) == (again.seed, again.date)
    assert (one.seed, one.date) != (other.seed, other.date)


def test_a_hundred_days_have_every_kind_and_most_begin_before_the_afternoon() -> None:
    days = [mixed_day(jinma(), 1, number) for number in range(120)]
    counts = Counter(one.kind for one in days)
    assert set(counts) == set(kind_names())
    begins = [outage.start for one in days for outage in one.scenario.outages]
    begins += [fault.start for one in days for fault in one.scenario.faults if fault.start is not None]
    early = [b for b in begins if dt.timedelta(hours=2) <= b <= dt.timedelta(hours=13)]
    assert len(early) > 0.8 * len(begins)


def test_tripped_trains_are_different_ones() -> None:
    faults = mixed_day(jinma(), 1, 0, kind="three-trains").scenario.faults
    assert len({fault.unit for fault in faults}) == len(faults) == 3


def test_of_a_scenario_the_cause_is_read_from_its_faults() -> None:
    start = dt.date(2026, 6, 1)
    silent = day_of_scenario(shipped_scenario("no-trailers"), 1, 2, start)
    trip = day_of_scenario(shipped_scenario("train-trip"), 1, 0, start)
    assert (silent.onset, silent.cause, silent.date) == ("supply", "trailers", dt.date(2026, 6, 3))
    assert (trip.onset, trip.cause) == ("sudden", "compression")
