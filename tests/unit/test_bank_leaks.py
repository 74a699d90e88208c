"""A bank that leaks: who loses is told from pressures, and the forecast lets it go on until it is closed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from api.forecast.loss_watch import LossWatch
from station.domain.bank_leaks import leak_share_min, leak_until_min
from station.domain.capacity import forecast
from station.domain.capacity_lanes import base_lane, frame_of, relaxed
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.lanes_together import joined
from station.domain.reduced_station import ReducedStation
from station.domain.supply_outlook import outlook_of
from station.domain.truck_queue import demand_of
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

RULES = CapacityParameters.of(jinma().parameters)
HIGH = 2
BANK_KG = (500.0, 510.0, 520.0)


def leaking(now: StationSnapshot, kg_h: float, bank: int = HIGH, for_min: float = 0.0) -> StationSnapshot:
    banks = [dataclasses.replace(b, loss_share=float(i == bank)) for i, b in enumerate(now.banks)]
    return dataclasses.replace(now, banks=tuple(banks), lost_kg_h=kg_h, leaking_min=for_min)


def watched(minutes: list[tuple[float, tuple[float, ...], float]]) -> LossWatch:
    """Return a watch that has heard (gained by the meters, rises, given) of each minute [kg]."""
    watch = LossWatch(3, RULES.leak_kg_h)
    for number, (gained, rises, given) in enumerate(minutes, start=1):
        watch.take(gained, rises, given, number * 60_000)
    return watch


def test_a_bank_that_falls_while_nobody_draws_is_the_one_that_loses() -> None:
    watch = watched([(0.0, (0.0, -3.0, 0.05), 0.0)] * 40)
    assert [round(watch.share(i)) for i in range(3)] == [0, 1, 0]
    assert watch.kg_h() == pytest.approx(177.0)
    assert watch.since_ms == 30 * 60_000


def test_where_none_falls_it_is_the_one_that_rises_by_too_little() -> None:
    watch = watched([(7.0, (0.0, 0.0, 3.0), 0.0)] * 40)
    assert [watch.share(i) for i in range(3)] == [0.0, 0.0, 1.0]
    assert watch.kg_h() == pytest.approx(240.0)


def test_minutes_in_which_trucks_draw_speak_for_no_bank() -> None:
    watch = watched([(-8.0, (-8.0, 0.0, -4.0), 8.0)] * 40)
    assert [watch.share(i) for i in range(3)] == [0.0, 0.0, 0.0]
    assert watch.kg_h() == pytest.approx(240.0)


def test_what_meters_are_wrong_by_is_no_leak() -> None:
    draw = np.random.default_rng(3)
    watch = watched([(float(x), (0.0, 0.0, 0.0), 0.0) for x in draw.normal(0.0, 0.5, 300)])
    assert watch.kg_h() < RULES.leak_kg_h
    assert watch.since_ms is None


def test_a_leak_that_was_closed_is_over_half_an_hour_later() -> None:
    watch = watched([(0.0, (0.0, -3.0, 0.0), 0.0)] * 40 + [(0.0, (0.0, 0.0, 0.0), 0.0)] * 31)
    assert watch.kg_h() == 0.0
    assert watch.since_ms is None


def test_a_meter_that_sticks_is_no_leak_where_the_trailers_tell_otherwise() -> None:
    watch = LossWatch(3, RULES.leak_kg_h)
    for number in range(60):
        watch.take(5.0, (0.0, 0.0, 0.0), 0.0, number * 60_000, 0.0)
    assert watch.kg_h() == 0.0
    for number in range(60, 120):
        watch.take(5.0, (0.0, 0.0, 0.0), 0.0, number * 60_000, 4.0)
    assert watch.kg_h() == pytest.approx(240.0)


def test_a_bank_that_is_not_measured_leaves_the_loss_unknown() -> None:
    watch = LossWatch(3, RULES.leak_kg_h)
    for number in range(60):
        watch.take(5.0, (0.0, None, 0.0), 0.0, number * 60_000)
    assert watch.kg_h() == 0.0


def test_a_small_loss_is_not_projected() -> None:
    assert not leak_share_min(leaking(snapshot(), RULES.leak_kg_h), RULES, BANK_KG).any()


def test_a_loss_that_nothing_tells_the_bank_of_is_shared_by_what_each_holds() -> None:
    now = dataclasses.replace(snapshot(), lost_kg_h=153.0)
    share = leak_share_min(now, RULES, BANK_KG)[:, 0]
    assert share == pytest.approx(np.full(3, 153.0 / 60.0 / 1530.0))


def test_a_leak_that_has_lasted_lasts_on() -> None:
    half = np.array([0.5])
    fresh, old = (leak_until_min(leaking(snapshot(), 200.0, for_min=m), RULES, half)[0] for m in (0.0, 240.0))
    assert fresh == pytest.approx(60.0 * RULES.leak_median_h)
    assert 240.0 + old > fresh


def run_with(now: StationSnapshot, hours: int, *, until_min: float) -> tuple[float, float, float]:
    """Return (leaked kg, given kg, what the balance misses) of a base case whose leak ends at a minute."""
    plant, steps = jinma(), hours * 60
    frame = frame_of(plant, now, RULES, steps)
    demand = demand_of(plant, now, RULES, now.at_ms + steps * 60_000)
    base = base_lane(plant, now, RULES, frame, demand, outlook_of(plant, now, RULES))
    base = dataclasses.replace(base, leak_until_min=np.array([until_min]))
    course = ReducedStation(frame, joined([base, relaxed(base, "storage")]), ()).run()
    assert course.leaked_kg[1] == 0.0
    return float(course.leaked_kg[0]), float(course.dispensed_kg[0]), float(np.abs(course.closure_kg()).max())


def test_a_leak_takes_gas_until_it_is_closed_and_mass_is_conserved() -> None:
    quiet = leaking(snapshot(12.0, trucks=0), 120.0)
    short, _, missed = run_with(quiet, 6, until_min=60.0)
    long, _, _ = run_with(quiet, 6, until_min=180.0)
    assert missed < 1e-6
    # Trains make up for what is lost, so the bank stays full and the leak steady.
    assert short == pytest.approx(120.0, rel=0.05)
    assert long == pytest.approx(360.0, rel=0.05)


def test_a_large_leak_of_the_high_bank_makes_a_busy_day_short() -> None:
    sound = snapshot(8.0, trucks=110, trains_down=1)
    before, after = forecast(jinma(), sound, 40), forecast(jinma(), leaking(sound, 300.0), 40)
    assert before.detail.probability_now < 0.3
    assert after.detail.probability_now > 0.7
    assert after.bottleneck == "storage"
