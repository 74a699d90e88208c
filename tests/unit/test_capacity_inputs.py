"""From messages to snapshots, and from passing time to forecasts."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from api.forecast.engine import CLOCKS_APART_MS, CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.live.capacity import LiveCapacity
from api.live.outbox import Outbox
from station.adapters.memory import MemoryReadings
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import InputNow, StationSnapshot, Unserved
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.domain.signals import UnitMessage
from station.domain.static_capacity import inputs_valid
from tests.support.capacity_inputs import HARMS, PLANT, TAGS, ScriptedStation, at_rest, messages, state
from tests.support.capacity_snapshots import DAY, at

NOON = at(12.0)
SECOND = 1000
MINUTE = 60_000


def hear(
    inputs: CapacityInputs, t_ms: int, values: dict[str, float | None], quality: dict[str, str] | None = None
) -> None:
    for message in messages(t_ms, values, quality):
        inputs.observe(message)


def healthy(t_ms: int = NOON) -> CapacityInputs:
    inputs = CapacityInputs(PLANT)
    hear(inputs, t_ms, dict(at_rest()))
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
    others = {tag: v for tag, v in at_rest().items() if tag not in (bank.pressure_a, bank.pressure_b)}
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
        hear(inputs, t_ms, dict(at_rest()))
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
    hear(inputs, NOON + MINUTE + SECOND, dict(at_rest()))
    engine.advance(NOON + 2 * MINUTE + CLOCKS_APART_MS + 1)
    assert runner.asked[2:] == [(NOON + 2 * MINUTE, False)]


def test_a_restart_takes_the_day_from_the_store() -> None:
    store = MemoryReadings()
    told = healthy()
    hose, bay = TAGS.hoses[1], TAGS.bays[0]
    played: list[UnitMessage] = messages(NOON, dict(at_rest()))
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


def test_a_clock_set_back_keeps_what_is_in_the_store_of_the_new_time() -> None:
    store, hose = MemoryReadings(), TAGS.hoses[1]
    played: list[UnitMessage] = messages(NOON - 3600 * SECOND, dict(at_rest()))
    for second, name, total in ((-3000, "fill", 5003.0), (-2400, "end", 5039.5), (-2340, "idle", 5039.5)):
        played += messages(NOON + second * SECOND, {hose.state: state(hose.state, name), hose.total: total})
    store.write(played)
    inputs, runner = healthy(NOON + 8 * 3600 * SECOND), Recorder()
    engine = CapacityEngine(PLANT, inputs, runner)
    live = LiveCapacity(PLANT, engine, inputs, CapacityAlerts(PLANT), Outbox("history", lambda rows: None))
    live.observe(messages(NOON + 8 * 3600 * SECOND, dict(at_rest()))[0])
    live.advance(NOON + 8 * 3600 * SECOND + CLOCKS_APART_MS + 1)
    live.prime(store, NOON)
    live.advance(NOON + CLOCKS_APART_MS + 1)
    assert engine.newest_snapshot is not None
    assert (engine.newest_snapshot.at_ms, engine.newest_snapshot.done.trucks) == (NOON, 1)


def test_tomorrow_s_plan_counts_beyond_midnight() -> None:
    inputs = healthy(at(20.0))
    inputs.observe_plan(plan())
    tomorrow = DAY + dt.timedelta(days=1)
    assert inputs.snapshot(at(20.1)).demand.profile_days == (tomorrow,)
    inputs.observe_plan(DayPlan(tomorrow, (Booking("N", at(25.0), 40.0),), (), "put"))
    demand = inputs.snapshot(at(20.1)).demand
    assert demand.profile_days == ()
    assert [b.id for b in demand.bookings] == ["N"]


def test_a_truck_whose_link_fails_still_takes_what_its_tank_lacked_at_its_last_word() -> None:
    station = ScriptedStation(NOON)
    station.run(5.0)
    asked = station.seen[-1].hoses[0].asked_kg
    station.hurt = dict.fromkeys((station.filling.soc, station.filling.tank_volume), HARMS[0])
    station.run(6.0)
    hose = station.seen[-1].hoses[0]
    assert hose.given_kg > 10.0
    # Not that much more with each kilogram given: what is stale is not what is lacking now.
    assert hose.asked_kg == pytest.approx(asked, abs=2.0)
    assert note(station.seen[-1], station.filling.soc).source == station.filling.total


def test_a_truck_without_a_link_takes_what_it_told_the_gate_and_is_no_fault() -> None:
    inputs, hose = healthy(), TAGS.hoses[1]
    inputs.observe_queue(NOON, [WaitingTruck("A", NOON - MINUTE, 33.0)])
    hear(inputs, NOON + SECOND, {hose.state: state(hose.state, "connect")})
    hear(inputs, NOON + 200 * SECOND, {hose.state: state(hose.state, "fill"), hose.total: 5010.0} | {hose.soc: None})
    now = inputs.snapshot(NOON + 201 * SECOND)
    assert now.hoses[1].asked_kg == 33.0
    named = note(now, hose.soc)
    assert (named.quality, named.source, named.degraded_s) == ("uncertain:no-link", "booking", 0.0)


def test_a_silent_hose_is_known_by_its_totaliser() -> None:
    station = ScriptedStation(NOON)
    station.hurt = {station.filling.state: HARMS[0], TAGS.hoses[3].state: HARMS[0]}
    station.changes = {}
    station.run(10.0)
    now = station.seen[-1]
    assert (now.hoses[0].state, now.hoses[3].state) == ("fill", "idle")
    assert now.hoses[0].given_kg == pytest.approx(1.2 * 8, abs=1.3)
    assert now.hoses[0].since_ms is not None
    assert now.hoses[3].since_ms is None


def test_a_truck_back_in_the_line_from_a_broken_hose_has_come_once() -> None:
    inputs, hose = healthy(), TAGS.hoses[0]
    truck = WaitingTruck("A", NOON, 40.0)
    inputs.observe_queue(NOON + MINUTE, [truck])
    hear(inputs, NOON + 2 * MINUTE, {hose.state: state(hose.state, "connect")})
    inputs.observe_queue(NOON + 2 * MINUTE + SECOND, [])
    hear(inputs, NOON + 5 * MINUTE, {hose.state: state(hose.state, "fill"), hose.total: 5001.0})
    hear(inputs, NOON + 8 * MINUTE, {hose.soc: 40.0, hose.tank_volume: 2100.0})
    hear(inputs, NOON + 8 * MINUTE, {hose.state: state(hose.state, "fault"), hose.total: 5008.0})
    inputs.observe_queue(NOON + 8 * MINUTE + SECOND, [truck])
    now = inputs.snapshot(NOON + 60 * MINUTE)
    assert now.done.short_trucks == 0, "it waits for the rest"
    assert now.done.asked_kg == pytest.approx(40.0)
    inputs.observe_queue(NOON + 61 * MINUTE, [])
    inputs.tick(NOON + 70 * MINUTE)
    assert inputs.snapshot(NOON + 70 * MINUTE).done.unserved == (Unserved(NOON, NOON + 61 * MINUTE, 40.0),)


def test_who_left_unserved_is_known_after_a_restart() -> None:
    inputs, gone = CapacityInputs(PLANT), Unserved(NOON - 90 * MINUTE, NOON - 30 * MINUTE, 44.0)
    inputs.prime(MemoryReadings(), NOON)
    inputs.recall([gone])
    inputs.recall([gone])
    hear(inputs, NOON, dict(at_rest()))
    done = inputs.snapshot(NOON + SECOND).done
    assert (done.short_trucks, done.short_kg) == (1, 44.0)
    inputs.prime(MemoryReadings(), NOON + MINUTE)
    assert inputs.snapshot(NOON + MINUTE).done.short_trucks == 1, "the store knows nothing of the gate"


@pytest.mark.parametrize(
    ("tag", "name"), [(TAGS.chillers[0].state, "trip"), (TAGS.hoses[2].state, "fault"), (TAGS.trains[0].state, "trip")]
)
def test_what_goes_out_of_order_asks_for_a_forecast(tag: str, name: str) -> None:
    inputs = healthy()
    inputs.take_event()
    hear(inputs, NOON + SECOND, {tag: state(tag, name)})
    assert inputs.take_event()
    hear(inputs, NOON + 2 * SECOND, {tag: state(tag, name)})
    assert not inputs.take_event()
    hear(inputs, NOON + 3 * SECOND, {tag: at_rest()[tag]})
    assert inputs.take_event(), "and back in order"
