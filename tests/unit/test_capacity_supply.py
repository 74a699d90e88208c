"""Trailers: who has come, and what silence says."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.domain.capacity_parameters import CapacityParameters
from station.domain.day_plan import Delivery
from station.domain.supply_outlook import (
    lateness_min,
    later_than,
    outage_belief,
    outage_law,
    outlook_of,
    replica_arrivals,
)
from station.domain.trailer_ledger import TrailerLedger
from station.domain.waiting_times import Lasting
from tests.support.capacity_snapshots import MINUTE_MS, at, snapshot
from tests.support.plants import jinma

SUPPLY = jinma().supply
RULES = CapacityParameters()


def minute(n: float) -> int:
    return at(6.0) + round(n * MINUTE_MS)


def deliveries(*minutes: float) -> list[Delivery]:
    return [Delivery(f"T{i}", minute(m), 278.0) for i, m in enumerate(minutes)]


def heard(ledger: TrailerLedger, until: float) -> None:
    """Let the empty weighbridge be heard, so that it counts as working."""
    ledger.bridge(minute(until), 0.0)


def station() -> TrailerLedger:
    ledger = TrailerLedger()
    for bay in ("1", "2"):
        ledger.bay(bay, minute(0), "open")
    ledger.bridge(minute(0), 0.0)
    return ledger


def test_a_weighed_trailer_has_come_and_waits_until_it_docks() -> None:
    ledger = station()
    ledger.bridge(minute(50), 38_900.0)
    ledger.bridge(minute(52), 38_910.0)
    heard(ledger, 56)
    expected, yard = ledger.outlook(deliveries(48, 144), minute(56))
    assert [e.id for e in expected] == ["T1"]
    assert yard == 1
    ledger.bay("1", minute(60), "empty")
    ledger.bay("1", minute(70), "absent")
    ledger.bridge(minute(70.1), 38_700.0)
    heard(ledger, 74)
    assert ledger.bay("1", minute(75), "docked")
    expected, yard = ledger.outlook(deliveries(48, 144), minute(76))
    assert ([e.id for e in expected], yard) == (["T1"], 0)
    assert ledger.bay_since("1") == minute(75)
    ledger.bay("1", minute(80), "earthed")
    assert ledger.bay_since("1") == minute(75)


def test_a_trailer_that_leaves_is_no_arrival() -> None:
    ledger = station()
    ledger.bay("1", minute(10), "empty")
    ledger.bay("1", minute(20), "absent")
    ledger.bridge(minute(24), 38_700.0)
    heard(ledger, 30)
    expected, yard = ledger.outlook(deliveries(48), minute(30))
    assert (len(expected), yard) == (1, 0)


def test_one_comes_while_another_still_stands_on_the_bridge() -> None:
    ledger = station()
    ledger.bay("1", minute(20), "absent")
    ledger.bridge(minute(20.1), 38_700.0)
    ledger.bridge(minute(22), 38_985.0)
    heard(ledger, 30)
    assert ledger.outlook(deliveries(10, 100), minute(30))[1] == 1


def test_an_eta_that_passed_without_a_weighing_is_overdue() -> None:
    ledger = station()
    heard(ledger, 60)
    expected, _ = ledger.outlook(deliveries(48, 144), minute(60))
    assert [e.overdue for e in expected] == [True, False]


def test_without_a_weighbridge_only_a_bay_that_stays_free_proves_it() -> None:
    ledger = TrailerLedger()
    ledger.bay("1", minute(0), "open")
    ledger.bay("2", minute(0), "open")
    expected, _ = ledger.outlook(deliveries(48), minute(60))
    assert not expected[0].overdue
    ledger.bay("1", minute(60), "empty")
    assert not ledger.outlook(deliveries(48), minute(70))[0][0].overdue
    assert ledger.outlook(deliveries(48), minute(81))[0][0].overdue
    ledger.bay("1", minute(90), "absent")
    ledger.bay("1", minute(95), "docked")
    assert ledger.outlook(deliveries(48), minute(96))[0] == ()


def test_a_docking_of_a_trailer_from_before_takes_no_eta_ahead() -> None:
    ledger = station()
    ledger.bay("1", minute(5), "absent")
    ledger.bay("1", minute(10), "docked")
    expected, _ = ledger.outlook(deliveries(48), minute(11))
    assert [e.id for e in expected] == ["T0"]


def test_lateness_follows_the_station_file() -> None:
    assert later_than(10.0, SUPPLY) == pytest.approx(0.5)
    assert later_than(90.0, SUPPLY) == pytest.approx(0.05)
    assert lateness_min(0.0, 0.95, SUPPLY) == pytest.approx(90.0)
    assert lateness_min(60.0, 0.5, SUPPLY) > 60.0


def test_silence_is_believed_an_interruption_after_the_second_missing_trailer() -> None:
    assert outage_belief([], SUPPLY, 0.02) == 0.0
    assert outage_belief([90.0], SUPPLY, 0.02) < 0.3
    assert outage_belief([186.0, 90.0], SUPPLY, 0.02) > 0.95


def test_the_longer_the_silence_the_later_every_trailer_is_expected() -> None:
    arrivals = []
    for hour in (9.0, 9.5, 10.0, 11.0, 12.0, 13.0):
        outlook = outlook_of(jinma(), snapshot(hour, trailer_hours=(8.8, 10.4, 12.0, 13.6), overdue=True), RULES)
        arrivals.append([hour + m / 60.0 for m in outlook.base_min])
        assert (np.diff(outlook.base_min) >= 0.0).all()
        assert outlook.base_min[0] > 0.0
    first, last = np.array([a[0] for a in arrivals]), np.array([a[3] for a in arrivals])
    assert (np.diff(first) > 0.0).all()
    assert (np.diff(last) >= 0.0).all()
    # After 4 h 12 min of silence: the middle of what interruptions have left then; the others wait for the same end.
    left = float(outage_law(RULES).remaining(252.0, np.array(0.5))) / 60.0
    assert left == pytest.approx(4.7, abs=0.1)
    assert first[-1] == pytest.approx(13.0 + left, abs=0.3)
    assert last[-1] > first[-1] + 1.4


def test_replicas_of_an_undisturbed_supply_are_as_late_as_trailers_are() -> None:
    now = snapshot(8.0, trailer_hours=(12.0,))
    outlook = outlook_of(jinma(), now, RULES)
    arrivals = replica_arrivals(jinma(), outlook, RULES, np.random.default_rng(1), 4000)
    net, late = arrivals.net_kg, arrivals.at_min[0] - 240.0
    assert np.median(late) == pytest.approx(10.0, rel=0.1)
    assert np.percentile(late, 95) == pytest.approx(90.0, rel=0.15)
    assert net.max() <= 278.0
    assert net.min() >= 278.0 - 0.05 * 385.0


def damped(
    stands: list[tuple[float, bool]], lag_s: float, sample_s: float, noise_kg: float
) -> list[tuple[float, float]]:
    """Return (minute, kg) of a damped scale on which trailers stand for 3 min each."""
    targets: list[tuple[float, float]] = [(60.0, 0.0)]
    for kg, is_free_before in stands:
        if is_free_before:
            targets.append((240.0, 0.0))
        targets.append((180.0, kg))
    targets.append((240.0, 0.0))
    readings, shown, t_s, sign = [], 0.0, 0.0, 1.0
    for lasts_s, target in targets:
        until = t_s + lasts_s
        while t_s < until:
            shown = target + (shown - target) * math.exp(-sample_s / lag_s)
            sign = -sign
            readings.append((t_s / 60.0, max(0.0, shown + sign * noise_kg)))
            t_s += sample_s
    return readings


weights = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=40)
@given(weights, st.floats(0.5, 20.0), st.sampled_from([1.0, 5.0, 10.0, 15.0]), st.floats(0.0, 10.0))
def test_a_damped_scale_weighs_each_trailer_once(
    order: list[tuple[bool, bool]], lag_s: float, sample_s: float, noise_kg: float
) -> None:
    # Full and empty ones; two alike that follow each other are told apart only by the free bridge between them.
    stands = [(38_985.0 if full else 38_700.0, free) for full, free in order]
    stands = [(kg, free or i == 0 or kg == stands[i - 1][0]) for i, (kg, free) in enumerate(stands)]
    ledger = station()
    for moment, kg in damped(stands, lag_s, sample_s, noise_kg):
        ledger.bridge(minute(moment), kg)
    assert ledger.outlook((), minute(60))[1] == len(stands)


def test_a_half_way_value_is_nobody_s_weight() -> None:
    ledger = station()
    for second, kg in (
        (0, 38_985.0),
        (10, 38_980.0),
        (200, 38_960.0),
        (210, 38_850.0),
        (220, 38_780.0),
        (280, 38_700.0),
    ):
        ledger.bridge(minute(10 + second / 60), kg)
    ledger.bridge(minute(15), 38_700.0)
    heard(ledger, 20)
    assert ledger.outlook((), minute(20))[1] == 2


def test_axle_after_axle_is_one_trailer() -> None:
    ledger = station()
    for second, kg in ((0, 7_000.0), (10, 7_010.0), (20, 21_000.0), (30, 21_000.0), (40, 38_985.0), (50, 38_985.0)):
        ledger.bridge(minute(10 + second / 60), kg)
    heard(ledger, 14)
    assert ledger.outlook((), minute(20))[1] == 1


@given(st.floats(10.0, 900.0), st.floats(0.3, 1.2), st.floats(0.0, 2.0))
def test_what_is_left_of_a_duration_follows_its_whole_law(median: float, sigma: float, so_far: float) -> None:
    law = Lasting(median, sigma)
    passed = so_far * median
    left = law.remaining(passed, np.array([0.1, 0.5, 0.9]))
    assert (np.diff(left) >= 0.0).all()
    for minutes, quantile in zip(left, (0.1, 0.5, 0.9), strict=True):
        if minutes <= 0.0501 * passed:
            continue  # at the least share
        assert law.longer_than(passed + float(minutes)) == pytest.approx(
            (1.0 - quantile) * law.longer_than(passed), rel=2e-3
        )


def test_what_outlasts_its_law_still_takes_a_while() -> None:
    assert (Lasting(60.0, 0.3).remaining(6000.0, np.array([0.01, 0.5])) >= 300.0).all()


def test_whoever_comes_hours_late_shows_that_trailers_come_again() -> None:
    ledger = station()
    plan = deliveries(0, 96, 192, 288, 384, 480)
    ledger.bridge(minute(1), 38_900.0)
    ledger.bridge(minute(2), 0.0)
    heard(ledger, 400)
    silent, _ = ledger.outlook(plan, minute(400))
    assert [(e.id, e.overdue, e.behind_ms) for e in silent if e.overdue] == [
        (f"T{i}", True, None) for i in (1, 2, 3, 4)
    ]
    ledger.bridge(minute(405), 38_900.0)
    ledger.bridge(minute(406), 0.0)
    heard(ledger, 410)
    again, _ = ledger.outlook(plan, minute(410))
    assert [(e.id, e.behind_ms) for e in again] == [
        ("T2", minute(405)),
        ("T3", minute(405)),
        ("T4", minute(405)),
        ("T5", None),
    ]


def test_an_ordinary_delay_of_one_says_nothing_of_the_others() -> None:
    ledger = station()
    plan = deliveries(0, 30, 96)
    ledger.bridge(minute(80), 38_900.0)
    ledger.bridge(minute(81), 0.0)
    heard(ledger, 90)
    expected, _ = ledger.outlook(plan, minute(90))
    assert [(e.id, e.behind_ms) for e in expected] == [("T1", None), ("T2", None)]


def test_those_that_were_held_up_come_one_soon_after_the_other() -> None:
    silent = snapshot(12.0, trailer_hours=(6.0, 7.6, 9.2, 12.4, 14.0, 15.6), overdue=True)
    again = dataclasses.replace(
        silent,
        expected=tuple(dataclasses.replace(e, behind_ms=at(11.9) if e.overdue else None) for e in silent.expected),
    )
    gone, back = outlook_of(jinma(), silent, RULES), outlook_of(jinma(), again, RULES)
    assert gone.outage > 0.9
    assert back.outage < 0.05
    assert not any(back.overdue)
    # 96 min apart as planned, 29 min apart now: those of 12.4 and 14 h stand behind them in the line.
    assert back.eta_min[:3] == pytest.approx([22.8, 51.6, 80.4], abs=0.1)
    assert back.base_min[2] < 100.0 < gone.base_min[0]


def first_heard(*, bays: tuple[str, str] = ("open", "open")) -> TrailerLedger:
    """Return a ledger that believes that one trailer waits in the yard."""
    ledger = TrailerLedger(assumed=1)
    for bay, state in zip(("1", "2"), bays, strict=True):
        ledger.bay(bay, minute(0), state)
    return ledger


def test_a_trailer_that_came_before_we_listened_docks_and_is_no_arrival() -> None:
    ledger = first_heard()
    assert ledger.outlook(deliveries(48, 144), minute(5))[1] == 1
    ledger.bay("1", minute(10), "empty")
    ledger.bay("1", minute(20), "absent")
    assert ledger.bay("1", minute(25), "docked")
    expected, yard = ledger.outlook(deliveries(24, 144), minute(26))
    assert ([e.id for e in expected], yard) == (["T0", "T1"], 0)


@pytest.mark.parametrize("bays", [("open", "open"), ("absent", "open")])
def test_a_bay_that_stays_free_disproves_what_was_assumed_of_the_yard(bays: tuple[str, str]) -> None:
    ledger = first_heard(bays=bays)
    ledger.bay("1", minute(10), "absent")
    assert ledger.outlook(deliveries(48), minute(19))[1] == 1
    assert ledger.outlook(deliveries(48), minute(31))[1] == 0
    # Who docks now is the one that was announced.
    ledger.bay("1", minute(60), "docked")
    assert ledger.outlook(deliveries(48), minute(61))[0] == ()
