"""Learning from what is heard: synthetic weeks give their habits back, once, over restarts, a row a day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pytest

from api.forecast.gate import Gate
from api.forecast.handling_watch import HandlingWatch
from api.forecast.hose_watch import HoseWatch
from api.forecast.learning import Learning
from api.forecast.lessons import HOUR_MS, Stretch, learn
from api.forecast.measured import Measured
from api.forecast.snapshots import Known
from api.forecast.stock_book import StockBook
from api.forecast.tags import capacity_tags
from api.forecast.train_health import TrainHealth
from station.adapters.memory_learned import MemoryLearned
from station.domain import isotherms
from station.domain.arrivals import Arrival
from station.domain.day_plan import Booking, DayPlan, Delivery
from station.domain.estimators import Estimator
from station.domain.fill_ledger import Fill, FillLedger
from station.domain.learned import (
    AFTER,
    ARRIVAL,
    CONNECT,
    FILL_KG,
    LATENESS,
    NO_SHOW,
    PROFILES,
    UNDERFILL,
    WALK_IN,
    Estimate,
    LearnedRow,
)
from station.domain.signals import Reading
from station.domain.supply_outlook import gross_kg
from station.domain.taught import estimators_of
from station.domain.trailer_ledger import TrailerLedger
from station.errors import JournalUnavailableError
from tests.support.capacity_snapshots import DAY, at
from tests.support.plants import jinma

PLANT = jinma()
TAGS = capacity_tags(PLANT)
MINUTE = 60_000
FULL_KG = 40_380.0


def known_of(**changes: object) -> Known:
    """Return what the inputs know of a station that has said nothing, with changes."""
    nothing = Known(
        plant=PLANT,
        tags=TAGS,
        measured=Measured(PLANT),
        fills=FillLedger(PLANT.fleet.mean_fill_kg),
        trailers=TrailerLedger(),
        gate=Gate(),
        health=TrainHealth(PLANT, TAGS),
        stock=StockBook(PLANT, TAGS),
        hoses=HoseWatch(PLANT, TAGS),
        plans={},
        down_since_ms={},
    )
    return dataclasses.replace(nothing, **changes)  # type: ignore[arg-type]


def estimate(lessons: dict[str, Estimator], name: str) -> Estimate:
    return lessons[name].estimate()


class Weeks:
    """Days of trucks with known habits: half an hour between bookings, most named at the gate."""

    def __init__(self, days: int, seed: int = 1, *, named: bool = True) -> None:
        draw = np.random.default_rng(seed)
        self.plans: dict[dt.date, DayPlan] = {}
        self.gate, self.fills, self.days = Gate(), FillLedger(40.0), days
        for day in range(days):
            start = at(24.0 * day)
            booked = [Booking(f"B{day}-{n}", start + (15 + 30 * n) * MINUTE, 40.0 + n % 3) for n in range(48)]
            date = DAY + dt.timedelta(days=day)
            self.plans[date] = DayPlan(date, tuple(booked), (), "put")
            for booking in booked:
                if draw.random() < 0.08:
                    continue
                came = booking.t_ms + round(float(draw.normal(6.0, 9.0)) * MINUTE)
                self._truck(came, booking.kg * float(draw.normal(0.92, 0.05)), booking.id if named else None)
            for stranger in draw.uniform(0.0, 24.0, 3):
                self._truck(start + round(float(stranger) * HOUR_MS), 30.0, f"X{day}-{stranger:.3f}")
        self.gate.arrivals.sort(key=lambda arrival: arrival.t_ms)

    def _truck(self, t_ms: int, kg: float, name: str | None) -> None:
        self.gate.arrivals.append(Arrival(t_ms, name))
        self.fills.fills.append(
            Fill("hose-1A", t_ms + 1000, t_ms + 15 * MINUTE, kg - 1.0, completed=True, missing_kg=1.0)
        )

    def known(self) -> Known:
        trailers = TrailerLedger(since_ms=at(0.0))
        return known_of(gate=self.gate, fills=self.fills, plans=self.plans, trailers=trailers)


def taught_by(weeks: Weeks) -> dict[str, Estimator]:
    lessons, known = estimators_of(PLANT), weeks.known()
    for hour in range(6, weeks.days * 24 - 6, 6):
        learn(known, lessons, Stretch(at(hour), at(hour + 6), gate_heard=True))
    return lessons


@pytest.fixture(scope="module")
def month() -> dict[str, Estimator]:
    return taught_by(Weeks(28))


def test_who_comes_when_is_found_again(month: dict[str, Estimator]) -> None:
    assert estimate(month, ARRIVAL).value == pytest.approx(6.0, abs=1.0)
    assert estimate(month, ARRIVAL).sd == pytest.approx(9.0, rel=0.1)
    n = estimate(month, NO_SHOW).n
    assert n == pytest.approx(27.5 * 48, rel=0.03)
    # A truck that nobody expects takes the place of one that does not come, where both fall into the same hour.
    pull = 200.0 / (200.0 + n)
    net = estimate(month, NO_SHOW).value - 0.01 * pull - estimate(month, WALK_IN).value
    assert net == pytest.approx((0.08 - 3.0 / 48.0) * (1.0 - pull), abs=0.01)
    assert 0.01 < estimate(month, NO_SHOW).value < 0.09


def test_kilograms_of_named_trucks_are_found_again(month: dict[str, Estimator]) -> None:
    assert estimate(month, FILL_KG).value == pytest.approx(0.92, abs=0.015)
    assert estimate(month, FILL_KG).sd == pytest.approx(0.05, abs=0.02)
    assert estimate(month, FILL_KG).weight < 0.15


def test_kilograms_of_trucks_without_a_name_are_found_again() -> None:
    lessons = taught_by(Weeks(21, 3, named=False))
    assert estimate(lessons, FILL_KG).value == pytest.approx(0.92, abs=0.02)
    assert estimate(lessons, ARRIVAL).sd == pytest.approx(10.0, abs=3.0)


def test_each_weekday_counts_its_own_arrivals(month: dict[str, Estimator]) -> None:
    monday, sunday = (sum(month[PROFILES[n]].state()) for n in (0, 6))
    assert sum(sum(month[name].state()) for name in PROFILES) > 1200
    assert monday == pytest.approx(4 * 47, rel=0.15)
    assert sunday == pytest.approx(4 * 47, rel=0.15)


def test_a_stretch_in_which_next_to_nobody_came_was_not_heard() -> None:
    weeks = Weeks(2)
    weeks.gate.arrivals = [a for a in weeks.gate.arrivals if not at(9.0) < a.t_ms < at(18.5)]
    lessons, known = estimators_of(PLANT), weeks.known()
    learn(known, lessons, Stretch(at(10.0), at(17.0), gate_heard=True))
    assert not estimate(lessons, NO_SHOW).known
    learn(known, lessons, Stretch(at(26.0), at(40.0), gate_heard=False))
    assert not estimate(lessons, ARRIVAL).known


def test_a_day_without_plan_teaches_its_profile_alone() -> None:
    weeks = Weeks(2)
    weeks.plans.clear()
    lessons = taught_by(weeks)
    assert estimate(lessons, PROFILES[0]).known
    assert not estimate(lessons, WALK_IN).known


# --- trailers ---


def trailers_of(late_min: Sequence[float]) -> tuple[TrailerLedger, dict[dt.date, DayPlan]]:
    """Return a ledger of trailers, one each two hours from 02:00 on, weighed on arrival."""
    ledger, deliveries = TrailerLedger(), []
    ledger.bridge(at(0.0), 0.0)
    events: list[tuple[int, float]] = []
    for n, late in enumerate(late_min):
        eta = at(2.0 + 2.0 * n)
        deliveries.append(Delivery(f"T{n}", eta, 278.0))
        arrived = eta + round(late * MINUTE)
        events += [(arrived - 1000, 0.0), (arrived, FULL_KG), (arrived + 120_000, 0.0)]
    for t_ms, kg in sorted(events):
        ledger.bridge(t_ms, kg)
    ledger.outlook([], at(2.0 + 2.0 * len(late_min) + 24.0))
    days: dict[dt.date, list[Delivery]] = {}
    for d in deliveries:
        days.setdefault(PLANT.day_of(dt.datetime.fromtimestamp(d.eta_ms / 1000, dt.UTC)), []).append(d)
    return ledger, {day: DayPlan(day, (), tuple(rows), "put") for day, rows in days.items()}


def test_lateness_of_weighed_trailers_is_found_again() -> None:
    lessons = estimators_of(PLANT)
    draw = np.random.default_rng(5)
    for _ in range(20):
        late = np.minimum(np.exp(draw.normal(math.log(25.0), 0.4, 22)), 100.0)
        ledger, plans = trailers_of([float(x) for x in late])
        learn(known_of(trailers=ledger, plans=plans), lessons, Stretch(at(0.0), at(47.0), gate_heard=False))
    found = estimate(lessons, LATENESS)
    assert found.n > 250
    # The file's 10 min still weigh a little, and its scatter of 1.34.
    assert math.exp(found.value) == pytest.approx(25.0, rel=0.12)
    assert found.sd == pytest.approx(0.4, abs=0.2)


def test_trailers_that_an_interruption_held_back_hardly_count() -> None:
    lessons = estimators_of(PLANT)
    ledger, plans = trailers_of([5.0, 5.0, 420.0, 305.0, 190.0, 75.0, 5.0, 5.0])
    learn(known_of(trailers=ledger, plans=plans), lessons, Stretch(at(0.0), at(30.0), gate_heard=False))
    assert 3.0 < estimate(lessons, LATENESS).n < 5.0
    assert math.exp(estimate(lessons, LATENESS).value) < 12.0


def test_trailers_of_four_days_are_told_apart_on_the_fifth() -> None:
    """An arrival that is forgotten before its delivery would make every later trailer the one before it."""
    ledger = TrailerLedger()
    ledger.bridge(at(0.0), 0.0)
    plan = [Delivery(f"T{n}", at(1.5 + 2.0 * n), 278.0) for n in range(60)]
    for hour in range(5 * 24):
        came = [d for d in plan if at(hour) < d.eta_ms + 5 * MINUTE <= at(hour + 1)]
        for d in came:
            ledger.bridge(d.eta_ms + 5 * MINUTE, FULL_KG)
        ledger.bridge(at(hour + 1), 0.0)
        now = at(hour + 1) + 1000
        first = PLANT.day_of(dt.datetime.fromtimestamp(now / 1000, dt.UTC)) - dt.timedelta(days=2)
        asked = [d for d in plan if d.eta_ms >= PLANT.day_start(first).timestamp() * 1000]
        expected, _ = ledger.outlook(asked, now)
        assert not [e for e in expected if e.overdue], f"hour {hour + 1}"


def read(measured: Measured, tag: str, t_ms: int, value: float) -> None:
    measured.prime(Reading(tag, t_ms, value, "good"))


def test_a_trailer_is_weighed_by_its_pressure_before_it_is_opened() -> None:
    lessons, measured, ledger = estimators_of(PLANT), Measured(PLANT), TrailerLedger()
    watch, bay = HandlingWatch(PLANT, TAGS, lessons), TAGS.bays[0]
    numbers = {name: float(PLANT.signals[bay.state].state_number(name)) for name in ("absent", "docked", "open")}
    plans = {DAY: DayPlan(DAY, (), (Delivery("T", at(9.8), 278.0),), "put")}
    for t, name, mpa in ((10.0, "absent", 0.1), (10.1, "docked", 18.0), (10.5, "docked", 18.0), (10.9, "open", 17.9)):
        read(measured, bay.state, at(t), numbers[name])
        read(measured, bay.pressure, at(t), mpa)
        read(measured, bay.temperature, at(t), 20.0)
        ledger.bay(bay.unit, at(t), name)
        watch.tick(measured, ledger, plans, at(t))
        watch.tick(measured, ledger, plans, at(t))
    supply = PLANT.supply
    net = supply.volume_m3 * (isotherms.density(18.0, 20.0) - isotherms.density(5.0, 20.0))
    found = estimate(lessons, UNDERFILL)
    assert found.n == 1.0
    assert found.value == pytest.approx((20 * 0.025 + (278.0 - net) / gross_kg(supply)) / 21.0)


# --- handling ---


def test_handling_is_timed_from_the_states_of_a_hose() -> None:
    lessons = estimators_of(PLANT)
    watch, draw = HandlingWatch(PLANT, TAGS, lessons), np.random.default_rng(8)
    t = at(6.0)
    for before, after in zip(draw.normal(5.0, 1.0, 600), draw.lognormal(math.log(6.0), 0.2, 600), strict=True):
        for name, minutes in (
            ("idle", 9.0),
            ("connect", before - 0.4),
            ("leak-check", 0.4),
            ("fill", 12.0),
            ("end", after),
        ):
            watch.hose("hose-1A", t, name, list)
            t += round(minutes * MINUTE)
    assert estimate(lessons, CONNECT).value == pytest.approx(5.0, abs=0.35)
    assert estimate(lessons, AFTER).value == pytest.approx(math.log(6.0), abs=0.09)
    # The prior of 100 fills about a shorter time still widens it a little.
    assert estimate(lessons, AFTER).sd == pytest.approx(0.2, abs=0.08)


@pytest.mark.parametrize(("queue", "taught"), [([], 0.0), (["next"], 1.0)])
def test_a_hose_that_is_free_at_once_tells_by_the_next_truck_if_one_waited(queue: list[str], taught: float) -> None:
    lessons = estimators_of(PLANT)
    watch = HandlingWatch(PLANT, TAGS, lessons)
    for minute, name in ((0, "fill"), (10, "end"), (10, "idle"), (14, "connect")):
        watch.hose("hose-1A", at(6.0) + minute * MINUTE, name, lambda: queue)
    assert estimate(lessons, AFTER).n == taught


def test_a_hose_heard_again_from_before_teaches_nothing_twice() -> None:
    lessons = estimators_of(PLANT)
    watch = HandlingWatch(PLANT, TAGS, lessons)
    for _ in range(2):
        for minute, name in ((0, "idle"), (1, "connect"), (5, "fill")):
            watch.hose("hose-1A", at(6.0) + minute * MINUTE, name, list)
        watch.forget()
    assert estimate(lessons, CONNECT).n == 1.0


# --- kept ---


def run(learning: Learning, known: Known, start_h: int, end_h: int) -> None:
    """Let station time pass, the hoses heard each minute that is looked at."""
    for quarter in range(start_h * 4, end_h * 4 + 1):
        now = at(quarter / 4.0)
        for hose in TAGS.hoses:
            read(known.measured, hose.state, now, 0.0)
        learning.tick(known, now)


def test_what_was_learned_is_kept_a_row_a_day_and_goes_on_after_a_restart() -> None:
    book, weeks = MemoryLearned(), Weeks(4)
    whole, known = Learning(PLANT, TAGS), weeks.known()
    run(whole, known, 0, 80)

    known = weeks.known()
    first = Learning(PLANT, TAGS, book, book.save)
    run(first, known, 0, 50)
    first.keep_rows(known.health)
    again = Learning(PLANT, TAGS, book, book.save)
    known = weeks.known()
    again.prime(known.health, at(0.0), at(50.0))
    before = {name: e.n for name, e in first.learned.estimates if name != "none"}
    assert {name: e.n for name, e in again.learned.estimates} == before
    run(again, known, 50, 80)
    for (name, one), (_, other) in zip(whole.learned.estimates, again.learned.estimates, strict=True):
        assert other.n == pytest.approx(one.n), name
        assert other.value == pytest.approx(one.value, abs=1e-3), name

    rows = book.range(PLANT.id, DAY, DAY + dt.timedelta(days=9))
    shown = [(row.date, row.at_ms) for row in rows if row.parameter == NO_SHOW]
    days = [DAY + dt.timedelta(days=n) for n in range(4)]
    # Midnight is the end of the day before it.
    assert shown == [(days[0], at(24.0)), (days[1], at(48.0)), (days[2], at(72.0)), (days[3], at(80.0))]
    assert [row.n for row in rows if row.parameter == NO_SHOW] == sorted(r.n for r in rows if r.parameter == NO_SHOW)


def test_a_later_day_leaves_the_rows_of_earlier_ones() -> None:
    book, weeks = MemoryLearned(), Weeks(3)
    learning, known = Learning(PLANT, TAGS, book, book.save), weeks.known()
    run(learning, known, 0, 24)
    first_day = book.range(PLANT.id, DAY, DAY)
    run(learning, known, 24, 60)
    assert book.range(PLANT.id, DAY, DAY) == first_day
    assert len(first_day) == len({row.parameter for row in first_day}) == len(learning.learned.estimates)


def test_a_start_at_an_earlier_time_knows_no_more_than_was_known_then() -> None:
    book, weeks = MemoryLearned(), Weeks(3)
    learning, known = Learning(PLANT, TAGS, book, book.save), weeks.known()
    run(learning, known, 0, 60)
    earlier = Learning(PLANT, TAGS, book)
    earlier.prime(known.health, at(24.0), at(30.0))
    assert earlier.learned.of(NO_SHOW) == next(
        dataclasses.replace(untaught, value=row.value, sd=row.sd, n=row.n, weight=row.weight)
        for row in book.range(PLANT.id, DAY, DAY)
        if row.parameter == NO_SHOW and (untaught := learning.learned.of(NO_SHOW))
    )


class AwayBook(MemoryLearned):
    """A book that does not answer until told."""

    away = True

    def newest(self, station: str, at_ms: int) -> list[LearnedRow]:
        if self.away:
            raise JournalUnavailableError("away")
        return super().newest(station, at_ms)


def test_while_the_book_is_away_nothing_in_it_is_overwritten() -> None:
    book, weeks = AwayBook(), Weeks(3)
    run(Learning(PLANT, TAGS, None, book.save), weeks.known(), 0, 40)
    kept = book.range(PLANT.id, DAY, DAY + dt.timedelta(days=9))
    learning, known = Learning(PLANT, TAGS, book, book.save), weeks.known()
    learning.prime(known.health, at(24.0), at(40.0))
    run(learning, known, 40, 42)
    assert book.range(PLANT.id, DAY, DAY + dt.timedelta(days=9)) == kept
    book.away = False
    run(learning, known, 42, 44)
    taught, before = learning.learned.of(NO_SHOW), next(r for r in kept[::-1] if r.parameter == NO_SHOW)
    assert taught is not None
    assert taught.n > before.n > 0.0


def test_a_trains_health_outlives_a_restart() -> None:
    health = TrainHealth(PLANT, TAGS)
    health.restore(PLANT.trains[1].unit, (0.8, 0.0004, 60.0))
    health.restore("train-of-another-station", (0.8, 0.0004, 60.0))
    health.restore(PLANT.trains[0].unit, (0.8,))
    found = health.estimates()
    assert (found[PLANT.trains[1].unit].value, found[PLANT.trains[0].unit].value) == (0.8, 1.0)
    assert found[PLANT.trains[1].unit].sd == pytest.approx(0.02)
    assert found[PLANT.trains[1].unit].weight == pytest.approx(math.exp(-6.0))
    assert len(found) == len(PLANT.trains)
    assert health.states()[PLANT.trains[1].unit] == pytest.approx((0.8, 0.0004, 60.0))
