"""From messages to snapshots, and from passing time to forecasts."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from api.forecast.engine import CLOCKS_APART_MS, CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.tags import capacity_tags
from station.adapters.memory import MemoryReadings
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import InputNow, StationSnapshot
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.domain.signals import UnitMessage
from station.domain.static_capacity import inputs_valid
from tests.support.capacity_snapshots import DAY, at
from tests.support.plants import jinma

PLANT = jinma()
TAGS = capacity_tags(PLANT)
NOON = at(12.0)
SECOND = 1000
MINUTE = 60_000


def state(tag: str, name: str) -> float:
    return float(PLANT.signals[tag].state_number(name))


def usual_values() -> dict[str, float]:
    """A healthy station at rest, every capacity input with a value."""
    values: dict[str, float] = {}
    for bay in TAGS.bays:
        values |= {
            bay.pressure: 12.0,
            bay.hose_pressure: 11.9,
            bay.temperature: 20.0,
            bay.flow: 0.0,
            bay.state: state(bay.state, "open"),
        }
    for bank in TAGS.banks:
        values |= {bank.pressure_a: 43.0, bank.pressure_b: 43.2, bank.temperature: 21.0}
    for train in TAGS.trains:
        values |= {train.suction: 12.0, train.flow: 0.0, train.state: state(train.state, "stop")}
    for chiller in TAGS.chillers:
        values[chiller.state] = state(chiller.state, "run")
    for hose in TAGS.hoses:
        values |= {hose.state: state(hose.state, "idle"), hose.total: 5000.0, hose.delivery_temperature: 18.0}
    values |= {
        TAGS.weighbridge: 0.0,
        TAGS.header_pressure: 11.9,
        TAGS.header_temperature: 19.0,
        TAGS.bank_header_temperature: 20.0,
    }
    return values | {TAGS.ambient: 18.0}


def messages(t_ms: int, values: dict[str, float | None], quality: dict[str, str] | None = None) -> list[UnitMessage]:
    """One message a unit."""
    units: dict[tuple[str, str], dict[str, float | None]] = {}
    for tag, value in values.items():
        units.setdefault(PLANT.signals[tag].key, {})[tag] = value
    marked = quality or {}
    return [
        UnitMessage(PLANT.id, area, unit, t_ms, inside, {t: q for t, q in marked.items() if t in inside})
        for (area, unit), inside in units.items()
    ]


def hear(
    inputs: CapacityInputs, t_ms: int, values: dict[str, float | None], quality: dict[str, str] | None = None
) -> None:
    for message in messages(t_ms, values, quality):
        inputs.observe(message)


def healthy(t_ms: int = NOON) -> CapacityInputs:
    inputs = CapacityInputs(PLANT)
    hear(inputs, t_ms, dict(usual_values()))
    return inputs


def note(snapshot: StationSnapshot, signal: str) -> InputNow:
    return next(i for i in snapshot.inputs if i.signal == signal)


def test_a_healthy_station() -> None:
    now = healthy().snapshot(NOON + SECOND)
    assert [b.pressure_mpa for b in now.bays] == [12.0] * 4
    assert [b.pressure_mpa for b in now.banks] == [pytest.approx(43.1)] * 3
    assert all(t.available and t.health == 1.0 for t in now.trains)
    assert now.ambient_c == 18.0
    assert now.day == DAY
    assert now.close_ms == at(24.0)
    assert all(i.degraded_s == 0.0 for i in now.inputs)
    assert note(now, "queue/gate").quality == "uncertain:inferred"
    assert note(now, f"plan/{DAY}").quality == "uncertain:profile"
    # The horizon of twelve hours has just passed midnight.
    assert now.demand.profile_days == (DAY, DAY + dt.timedelta(days=1))


def test_a_bad_sensor_is_replaced_by_its_twin_and_named() -> None:
    inputs, bank = healthy(), TAGS.banks[2]
    hear(inputs, NOON + SECOND, {bank.pressure_a: 12.0}, {bank.pressure_a: "bad:drift"})
    now = inputs.snapshot(NOON + 400 * SECOND)
    hear(inputs, NOON + 399 * SECOND, {bank.pressure_b: 40.0})
    now = inputs.snapshot(NOON + 400 * SECOND)
    assert now.banks[2].pressure_mpa == 40.0
    named = note(now, bank.pressure_a)
    assert (named.source, named.quality, named.value) == (bank.pressure_b, "bad:drift", 40.0)
    assert named.degraded_s == pytest.approx(399.0)
    hear(inputs, NOON + 401 * SECOND, {bank.pressure_a: 41.0})
    assert note(inputs.snapshot(NOON + 402 * SECOND), bank.pressure_a).source == "measured"


def test_a_null_is_a_failed_sensor() -> None:
    inputs, bay = healthy(), TAGS.bays[0]
    hear(inputs, NOON + SECOND, {bay.pressure: None, bay.hose_pressure: 9.5})
    now = inputs.snapshot(NOON + 2 * SECOND)
    assert now.bays[0].pressure_mpa == 9.5
    assert note(now, bay.pressure).quality == "bad:null"


def test_silence_invalidates_the_forecast_after_five_minutes() -> None:
    inputs, bank = healthy(), TAGS.banks[0]
    others = {tag: v for tag, v in usual_values().items() if tag not in (bank.pressure_a, bank.pressure_b)}
    hear(inputs, NOON + 10 * MINUTE, dict(others))
    early = inputs.snapshot(NOON + 5 * MINUTE)
    assert note(early, bank.pressure_a).quality == "bad:stale"
    assert inputs_valid(early)
    late = inputs.snapshot(NOON + 10 * MINUTE)
    assert note(late, bank.pressure_a).source == "last value"
    assert not inputs_valid(late)


def test_old_news_changes_nothing() -> None:
    inputs, bank = healthy(), TAGS.banks[0]
    hear(inputs, NOON - MINUTE, {bank.pressure_a: 20.0, bank.pressure_b: 20.0})
    assert inputs.snapshot(NOON + SECOND).banks[0].pressure_mpa == pytest.approx(43.1)


def test_a_trailer_that_has_just_docked_is_not_taken_for_the_last_one() -> None:
    inputs, bay = healthy(), TAGS.bays[1]
    for second, name in ((10, "empty"), (20, "absent"), (400, "docked")):
        hear(inputs, NOON + second * SECOND, {bay.state: state(bay.state, name)})
    now = inputs.snapshot(NOON + 401 * SECOND)
    assert (now.bays[1].state, now.bays[1].pressure_mpa) == ("docked", None)
    assert note(now, bay.pressure).degraded_s <= 1.0
    hear(inputs, NOON + 402 * SECOND, {bay.pressure: 19.8, bay.temperature: 15.0})
    assert inputs.snapshot(NOON + 403 * SECOND).bays[1].pressure_mpa == 19.8


def test_a_fill_from_connect_to_end() -> None:
    inputs, hose = healthy(), TAGS.hoses[2]
    hear(inputs, NOON + SECOND, {hose.state: state(hose.state, "connect")})
    hear(inputs, NOON + 200 * SECOND, {hose.state: state(hose.state, "fill"), hose.total: 5010.0})
    hear(inputs, NOON + 200 * SECOND, {hose.soc: 57.0, hose.tank_volume: 2100.0})
    now = inputs.snapshot(NOON + 201 * SECOND)
    assert now.hoses[2].given_kg == pytest.approx(10.0)
    assert now.hoses[2].asked_kg == pytest.approx(10.0 + 0.40 * 24.0 * 2.1)
    hear(inputs, NOON + 800 * SECOND, {hose.soc: 80.0, hose.tank_volume: 2100.0})
    hear(inputs, NOON + 801 * SECOND, {hose.state: state(hose.state, "end"), hose.total: 5022.0})
    done = inputs.snapshot(NOON + 802 * SECOND).done
    assert (done.trucks, done.kg) == (1, pytest.approx(22.0))
    # It left at 80 % instead of 97 %.
    assert done.short_trucks == 1
    assert done.short_kg == pytest.approx(0.17 * 24.0 * 2.1)


def test_the_last_word_of_a_link_that_fell_silent_makes_no_truck_short() -> None:
    inputs, hose = healthy(), TAGS.hoses[2]
    hear(inputs, NOON + SECOND, {hose.state: state(hose.state, "connect")})
    hear(inputs, NOON + 200 * SECOND, {hose.state: state(hose.state, "fill"), hose.total: 5010.0})
    hear(inputs, NOON + 200 * SECOND, {hose.soc: 57.0, hose.tank_volume: 2100.0})
    hear(inputs, NOON + 801 * SECOND, {hose.state: state(hose.state, "end"), hose.total: 5037.0})
    done = inputs.snapshot(NOON + 802 * SECOND).done
    assert (done.trucks, done.kg, done.short_trucks) == (1, pytest.approx(37.0), 0)


def plan(*hours: float) -> DayPlan:
    trucks = tuple(Booking(f"K{h}", at(h), 40.0) for h in hours)
    return DayPlan(DAY, trucks, (Delivery("T1", at(13.0), 278.0),), "mqtt")


def test_bookings_that_came_are_not_expected_again() -> None:
    inputs = healthy()
    inputs.observe_plan(plan(12.2, 12.3, 15.0))
    hose = TAGS.hoses[0]
    hear(inputs, at(12.2), {hose.state: state(hose.state, "connect")})
    inputs.observe_queue(at(12.25), [WaitingTruck("K12.3", at(12.24), 40.0)])
    now = inputs.snapshot(at(12.26))
    assert [b.id for b in now.demand.bookings] == ["K15.0"]
    assert [w.id for w in now.waiting] == ["K12.3"]
    assert (now.demand.plan_trucks, now.demand.plan_kg) == (3, 120.0)
    assert now.expected[0].id == "T1"


def test_a_truck_called_to_a_hose_is_not_gone_and_one_that_vanishes_is() -> None:
    inputs, hose = healthy(), TAGS.hoses[0]
    both = [WaitingTruck("A", NOON, 40.0), WaitingTruck("B", NOON + 1, 38.0)]
    inputs.observe_queue(NOON + 20 * MINUTE, both)
    inputs.observe_queue(NOON + 30 * MINUTE, both[1:])
    # The queue may be told before the hose is heard.
    hear(inputs, NOON + 30 * MINUTE + SECOND, {hose.state: state(hose.state, "connect")})
    inputs.observe_queue(NOON + 61 * MINUTE, [])
    inputs.tick(NOON + 70 * MINUTE)
    done = inputs.snapshot(NOON + 70 * MINUTE).done
    assert (done.short_trucks, done.short_kg) == (1, 38.0)


def test_a_train_s_health_is_learned_while_it_runs() -> None:
    inputs, train = healthy(), TAGS.trains[0]
    for minute in range(60):
        t_ms = NOON + minute * MINUTE
        hear(inputs, t_ms, {train.state: state(train.state, "loaded"), train.flow: 88.0, train.suction: 12.0})
        inputs.tick(t_ms)
    health = [t.health for t in inputs.snapshot(NOON + 60 * MINUTE).trains]
    assert health[0] == pytest.approx(0.8, abs=0.01)
    assert health[1:] == [1.0, 1.0, 1.0]


class Recorder:
    """A runner that remembers what it was asked for."""

    backlog = 0

    def __init__(self) -> None:
        self.asked: list[tuple[int, bool]] = []

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        self.asked.append((snapshot.at_ms, on_grid))

    def finished(self) -> list[Forecast]:
        return []

    def close(self) -> None:
        pass


def test_forecasts_fall_on_a_grid_of_station_time_and_on_events() -> None:
    inputs, runner = healthy(NOON - 1), Recorder()
    engine = CapacityEngine(PLANT, inputs, runner)
    for second in range(0, 1260, 7):
        t_ms = NOON + second * SECOND
        engine.advance(t_ms)
        hear(inputs, t_ms, dict(usual_values()))
        if second == 399:
            hear(inputs, t_ms, {TAGS.trains[1].state: state(TAGS.trains[1].state, "trip")})
    # The train trips at 6:39 and is back with the next message.
    minutes = [((t - NOON) // MINUTE, grid) for t, grid in runner.asked]
    assert minutes == [(0, True), (5, True), (7, False), (10, True), (15, True), (20, True)]
    assert [i.at_ms for i in engine.indicators()] == [NOON + m * MINUTE for m in range(21)]


def test_a_long_silence_is_one_forecast_and_time_set_back_starts_anew() -> None:
    inputs, runner = healthy(NOON), Recorder()
    engine = CapacityEngine(PLANT, inputs, runner)
    engine.advance(NOON + CLOCKS_APART_MS + 1)
    engine.advance(NOON + 8 * 60 * MINUTE + CLOCKS_APART_MS + 1)
    assert runner.asked == [(NOON, True), (NOON + 8 * 60 * MINUTE, True)]
    engine.advance(NOON + SECOND)
    engine.advance(NOON + MINUTE + CLOCKS_APART_MS + 1)
    assert inputs.snapshot(NOON + MINUTE).bays[0].pressure_mpa is None
    assert len(runner.asked) == 2, "of a station that was forgotten nothing is forecast"
    hear(inputs, NOON + MINUTE + SECOND, dict(usual_values()))
    engine.advance(NOON + 2 * MINUTE + CLOCKS_APART_MS + 1)
    assert runner.asked[2:] == [(NOON + 2 * MINUTE, False)]


def test_a_restart_takes_the_day_from_the_store() -> None:
    store = MemoryReadings()
    told = healthy()
    hose, bay = TAGS.hoses[1], TAGS.bays[0]
    played: list[UnitMessage] = messages(NOON, dict(usual_values()))
    steps: list[tuple[int, dict[str, float]]] = [
        (60, {hose.state: state(hose.state, "connect"), hose.total: 5000.0}),
        (300, {hose.state: state(hose.state, "fill"), hose.total: 5003.0}),
        (900, {hose.state: state(hose.state, "end"), hose.total: 5039.5}),
        (960, {hose.state: state(hose.state, "idle"), hose.total: 5039.5}),
        (1000, {bay.state: state(bay.state, "empty")}),
        (1600, {bay.state: state(bay.state, "absent")}),
        (1900, {bay.state: state(bay.state, "docked")}),
    ]
    for second, values in steps:
        played += messages(NOON + second * SECOND, dict(values))
    store.write(played)
    for message in played:
        told.observe(message)
    fresh = CapacityInputs(PLANT)
    fresh.prime(store, NOON + 2000 * SECOND)
    one, two = told.snapshot(NOON + 2000 * SECOND), fresh.snapshot(NOON + 2000 * SECOND)
    assert (two.done.trucks, two.done.kg) == (1, pytest.approx(39.5))
    assert one.done == two.done
    assert one.bays == two.bays
    assert one.banks == two.banks
    assert one.demand == two.demand
    assert dataclasses.replace(one, inputs=()) == dataclasses.replace(two, inputs=())


def test_tomorrow_s_plan_counts_beyond_midnight() -> None:
    inputs = healthy(at(20.0))
    inputs.observe_plan(plan())
    tomorrow = DAY + dt.timedelta(days=1)
    assert inputs.snapshot(at(20.1)).demand.profile_days == (tomorrow,)
    inputs.observe_plan(DayPlan(tomorrow, (Booking("N", at(25.0), 40.0),), (), "put"))
    demand = inputs.snapshot(at(20.1)).demand
    assert demand.profile_days == ()
    assert [b.id for b in demand.bookings] == ["N"]
