"""What a station teaches: known habits are found again, and without any the forecast is the file's."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import pickle

import numpy as np
import pytest

from station.domain.capacity import forecast
from station.domain.capacity_forecast import forecast_as_json
from station.domain.capacity_parameters import CapacityParameters
from station.domain.estimators import ArrivalScatter, HourProfile, Prior, Sample, Share
from station.domain.lanes import NEVER
from station.domain.learned import AFTER, ARRIVAL, FILL_KG, LATENESS, NO_SHOW, PROFILES, UNDERFILL, WALK_IN, label_of
from station.domain.supply_outlook import gross_kg, outlook_of, replica_arrivals
from station.domain.taught import estimators_of, learned_of, taught, underfill_share
from station.domain.truck_queue import base_trucks, demand_of, replica_trucks
from tests.support.capacity_snapshots import at, snapshot
from tests.support.plants import jinma

PLANT = jinma()
USUAL = Prior(10.0, 2.0, worth=20.0, most=1000.0)


def test_nothing_seen_is_the_prior_itself() -> None:
    rules = CapacityParameters.of(PLANT.parameters)
    untaught = learned_of(estimators_of(PLANT))
    assert all(e.weight == 1.0 and not e.known and e.value == e.prior for _, e in untaught.estimates)
    assert taught(PLANT, untaught) == (PLANT, rules)
    assert untaught.profiles == (PLANT.fleet.hourly_share,) * 7


@pytest.mark.parametrize("hour", [6.5, 18.0])
def test_a_forecast_of_a_station_that_taught_nothing_is_the_files(hour: float) -> None:
    now = snapshot(hour)
    ignorant = dataclasses.replace(now, learned=learned_of(estimators_of(PLANT)))
    assert forecast_as_json(forecast(PLANT, ignorant, 8)) == forecast_as_json(forecast(PLANT, now, 8))


def test_a_mean_and_its_scatter_are_found_again() -> None:
    sample = Sample(USUAL)
    for x in np.random.default_rng(1).normal(14.0, 3.0, 800):
        sample.add(float(x))
    found = sample.estimate()
    assert found.value == pytest.approx(14.0, abs=0.35)
    assert found.sd == pytest.approx(3.0, rel=0.08)
    assert found.weight == pytest.approx(20.0 / 820.0)
    assert sample.mean == pytest.approx(14.0, abs=0.35)


def test_the_conjugate_rule_by_hand() -> None:
    sample = Sample(USUAL)
    sample.add(13.0, weight=2.0)
    found = sample.estimate()
    # 20 of mean 10 and variance 4, 2 of 13: their joint mean and variance.
    assert found.value == pytest.approx(226.0 / 22.0)
    assert found.sd**2 == pytest.approx((20 * 4.0 + 2 * 9.0) / 22.0 - (6.0 / 22.0) ** 2)


def test_noise_that_is_not_the_quantitys_is_taken_off() -> None:
    draw, sample = np.random.default_rng(2), Sample(Prior(1.0, 0.06, 20.0, 5000.0))
    for x in draw.normal(1.0, 0.06, 3000) + draw.normal(0.0, 0.1, 3000):
        sample.add(float(x), noise=0.01)
    assert sample.estimate().sd == pytest.approx(0.06, rel=0.15)


def test_an_old_habit_fades() -> None:
    sample = Sample(dataclasses.replace(USUAL, most=200.0))
    for x in (8.0,) * 2000 + (12.0,) * 600:
        sample.add(x)
    assert sample.estimate().n == pytest.approx(200.0)
    assert sample.estimate().value > 11.5


def test_a_share_is_found_again() -> None:
    share = Share(Prior(0.01, 0.0995, 200.0, 6000.0))
    for _ in range(50):
        share.add(8.0, 100.0)
    assert share.estimate().value == pytest.approx((2.0 + 400.0) / 5200.0)
    for _ in range(500):
        share.add(0.0, 100.0)
    assert share.estimate().n == pytest.approx(6000.0)
    assert share.estimate().value < 0.01


@pytest.mark.parametrize(
    ("bias", "sd", "named"),
    [
        (0.0, 12.0, True),
        (8.0, 24.0, True),
        (-6.0, 6.0, True),
        (0.0, 12.0, False),
        (8.0, 16.0, False),
        (-6.0, 6.0, False),
    ],
)
def test_scatter_about_bookings_is_found_again_also_of_trucks_without_a_name(
    bias: float, sd: float, *, named: bool
) -> None:
    draw, scatter = np.random.default_rng(3), ArrivalScatter(Prior(0.0, 12.0, 20.0, 6000.0))
    # Nights with a booking each 50 minutes; far fewer of them where trucks have names.
    usual = np.arange(0.0, 500.0, 50.0)
    for _ in range(40 if named else 300):
        for booked, t in zip(usual, usual + draw.normal(bias, sd, len(usual)), strict=True):
            scatter.add(
                [float(t - booked)] if named else [float(t - b) for b in usual if abs(t - b) < 150.0], named=named
            )
    found = scatter.estimate()
    assert found.sd == pytest.approx(sd, rel=0.12)
    assert found.value == pytest.approx(bias, abs=2.5)
    assert found.weight < 0.5


def test_bookings_too_dense_to_tell_teach_nothing_of_the_scatter() -> None:
    draw, scatter = np.random.default_rng(4), ArrivalScatter(Prior(0.0, 12.0, 50.0, 6000.0))
    usual = np.arange(0.0, 1440.0, 3.0)
    for t in draw.uniform(200.0, 1240.0, 200):
        scatter.add([float(t - b) for b in usual if abs(t - b) < 150.0], named=False)
    assert scatter.estimate().sd == pytest.approx(12.0, rel=0.1)
    assert scatter.estimate().weight > 0.8


def test_a_weekdays_profile_moves_to_what_came() -> None:
    profile = HourProfile(PLANT.fleet.hourly_share, 300.0, 5000.0)
    for _ in range(900):
        profile.add(13)
    assert sum(profile.shares()) == pytest.approx(1.0)
    assert profile.shares()[13] == pytest.approx((300.0 * PLANT.fleet.hourly_share[13] + 900.0) / 1200.0)
    assert profile.estimate().weight == pytest.approx(0.25)


def test_a_state_restores_every_estimator() -> None:
    taught_ones = _lessons()
    again = estimators_of(PLANT)
    for name, estimator in again.items():
        estimator.restore(taught_ones[name].state())
        estimator.restore((1.0,) * 5)  # of another layout: refused
        assert estimator.estimate().value == pytest.approx(taught_ones[name].estimate().value)
        assert estimator.estimate().n == taught_ones[name].estimate().n


def _lessons() -> dict[str, Sample | Share | ArrivalScatter | HourProfile]:
    lessons = estimators_of(PLANT)
    samples = {LATENESS: math.log(40.0), UNDERFILL: 0.08, FILL_KG: 1.1, AFTER: math.log(9.0)}
    for name, x in samples.items():
        sample = lessons[name]
        assert isinstance(sample, Sample)
        for shift in (-0.01, 0.01):
            for _ in range(200):
                sample.add(x + shift)
    no_show, walk_in, arrival = lessons[NO_SHOW], lessons[WALK_IN], lessons[ARRIVAL]
    assert isinstance(no_show, Share)
    assert isinstance(walk_in, Share)
    assert isinstance(arrival, ArrivalScatter)
    no_show.add(200.0, 2000.0)
    walk_in.add(400.0, 2000.0)
    for off in np.random.default_rng(5).normal(10.0, 6.0, 300):
        arrival.add([float(off)], named=True)
    return lessons  # type: ignore[return-value]


def test_what_was_learned_takes_the_place_of_the_files() -> None:
    learned = learned_of(_lessons())
    plant, rules = taught(PLANT, learned)
    assert plant.supply.lateness_median > dt.timedelta(minutes=35)
    assert plant.supply.lateness_p95 < PLANT.supply.lateness_p95
    assert rules.fill_kg_ratio == pytest.approx(1.08, abs=0.005)
    assert plant.fleet.handling > PLANT.fleet.handling
    assert rules.no_show_share == pytest.approx(0.092, abs=0.001)
    assert pickle.loads(pickle.dumps(learned)) == learned


def test_trucks_follow_what_was_learned() -> None:
    learned = learned_of(_lessons())
    now = dataclasses.replace(snapshot(12.0, booked=[(18.0, 40.0)] * 4), learned=learned)
    plant, rules = taught(PLANT, learned)
    demand = demand_of(plant, now, rules, at(25.0))
    lane = base_trucks(plant, demand, rules)
    came = lane.arrive_min[:, 0] < NEVER
    booked = np.isclose(lane.arrive_min[:, 0], 360.0 + rules.arrival_bias_min)
    assert lane.asked_kg[booked, 0].tolist() == [pytest.approx(40.0 * rules.fill_kg_ratio)] * 4
    # Of 0.18 walk-ins a booking and 100 bookings, those of the afternoon; the base case sets off those who stay away.
    share = sum(PLANT.fleet.hourly_share[12:])
    afternoon = 100 * rules.walk_in_share * share
    assert (came & ~booked).sum() == pytest.approx(afternoon - 100 * rules.no_show_share * share, abs=1.0)
    many = replica_trucks(plant, demand, rules, np.random.default_rng(1), 3000)
    numbers = (many.arrive_min < NEVER).sum(axis=0)
    assert numbers.mean() == pytest.approx(afternoon + 4 * (1.0 - rules.no_show_share), abs=0.3)
    day_sd = 100 * share * math.sqrt(rules.walk_in_share * (1.0 - rules.walk_in_share) / (rules.day_share_worth + 1.0))
    assert numbers.std() == pytest.approx(math.hypot(math.sqrt(afternoon), day_sd), rel=0.2)


def test_a_learned_weekday_moves_the_trucks_of_a_day_without_plan() -> None:
    lessons = estimators_of(PLANT)
    monday = lessons[PROFILES[0]]
    assert isinstance(monday, HourProfile)
    for _ in range(3000):
        monday.add(20)
    now = snapshot(12.0, trucks=0)
    demand = dataclasses.replace(now.demand, profile_days=(now.day,))
    now = dataclasses.replace(now, demand=demand, learned=learned_of(lessons))
    plant, rules = taught(PLANT, now.learned)
    arrive = base_trucks(plant, demand_of(plant, now, rules, at(24.0)), rules).arrive_min[:, 0]
    expected = monday.shares()[20] * PLANT.fleet.trucks_per_day
    assert expected > 80.0
    assert ((arrive >= 480.0) & (arrive < 540.0)).sum() == pytest.approx(expected, abs=1.5)


def test_trailers_follow_what_was_learned() -> None:
    learned = learned_of(_lessons())
    now = dataclasses.replace(snapshot(6.0, trailer_hours=(8.0, 10.0)), learned=learned)
    plant, rules = taught(PLANT, learned)
    outlook = outlook_of(plant, now, rules)
    assert outlook.base_min[0] > 120.0 + 35.0
    arrivals = replica_arrivals(plant, outlook, rules, np.random.default_rng(1), 3000)
    assert float(np.median(arrivals.at_min[0])) == pytest.approx(
        120.0 + plant.supply.lateness_median.total_seconds() / 60, abs=2
    )
    missing = outlook.announced_kg[0] - arrivals.net_kg.mean()
    assert missing == pytest.approx(0.0774 * gross_kg(plant.supply), rel=0.03)
    assert outlook.announced_kg[0] - outlook.net_kg[0] == pytest.approx(0.0762 * gross_kg(plant.supply), rel=0.03)
    assert underfill_share(plant.supply, 278.0, 278.0 - missing) == pytest.approx(0.0774, rel=0.03)


def test_every_parameter_has_a_name_in_both_languages() -> None:
    for name in (*estimators_of(PLANT), "train_health.train-2"):
        text, unit = label_of(name)
        assert text.en
        assert text.zh
        assert unit
