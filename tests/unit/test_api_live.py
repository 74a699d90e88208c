"""The live core in virtual time: readings, alarms, forecasts, plans and the time that drives them."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence

import pytest

from api.live import background
from api.live.dispatch import LIVE_FILTERS, Dispatch
from api.live.outbox import Outbox
from api.live.station_time import LEAD_MS, FollowedStationTime, WallStationTime
from station.domain.plant import Text
from station.domain.signals import Reading, UnitMessage
from station.errors import FinalError, StoreUnavailableError
from station.ports import JournalEntry
from station.wire import topics
from station.wire.json_v1 import encode, topic_of
from station.wire.plan_v1 import (
    ClockReading,
    clock_payload,
    gate_queue_payload,
    gateway_payload,
)
from tests.support.live_api import NOON, Condition, LiveApi, VirtualClock, forecast_at, live_api
from tests.support.plants import jinma

BANK = ("storage", "bank-HB")
DATE = "2026-11-23"


@pytest.fixture
def api() -> LiveApi:
    return live_api()


def events(api: LiveApi, kind: str) -> list[dict[str, object]]:
    """Return the data of the events of one kind that were published."""
    frames = [frame.data.decode().split("\n") for frame in api.live.hub._ring]
    return [json.loads(lines[2][6:]) for lines in frames if lines[1] == f"event: {kind}"]


def test_a_reading_becomes_latest_value_event_and_input(api: LiveApi) -> None:
    message = api.say(BANK, {"PT-330A": 44.12, "PT-330B": None})
    assert api.live.latest.get("PT-330A") == Reading("PT-330A", NOON, 44.12)
    assert api.live.latest.get("PT-330B") == Reading("PT-330B", NOON, None, "bad:null")
    (event,) = events(api, "readings")
    assert event == {"area": "storage", "unit": "bank-HB", "t": NOON, "v": {"PT-330A": 44.12, "PT-330B": None}}
    assert api.capacity.messages == [message]


def test_a_late_reading_is_told_but_replaces_nothing(api: LiveApi) -> None:
    api.say(BANK, {"PT-330A": 44.0})
    api.say(BANK, {"PT-330A": 43.0}, NOON - 5000)
    newest = api.live.latest.get("PT-330A")
    assert newest is not None
    assert newest.value == 44.0
    assert len(events(api, "readings")) == 2


def test_bad_messages_are_counted_by_reason_and_the_good_ones_go_on(api: LiveApi) -> None:
    root = "h2/v1/jinma"
    good = UnitMessage("jinma", *BANK, NOON, {"PT-330A": 44.0})
    api.live.on_messages(
        [
            (f"{root}/storage/bank-HB", b"{"),
            (f"{root}/storage/bank-HB", b'{"t":%d,"v":{"PT-999":1,"PT-330B":44.1}}' % NOON),
            (f"{root}/storage/no-such-bank", b'{"t":%d,"v":{"PT-330A":1}}' % NOON),
            (f"{root}/storage/bank-HB", b'{"t":1,"v":{"PT-330A":1}}'),
            (f"{root}/clock", b"no"),
            (f"{root}/plan/{DATE}", b"[]"),
            (f"{root}/plan/someday", b"{}"),
            (f"{root}/gateway/station-plc", b"{}"),
            (f"{root}/queue/elsewhere", b"{}"),
            (topic_of(good), encode(good)),
        ]
    )
    assert api.live.refused == {"json": 1, "signal": 1, "unit": 1, "time": 1, "shape": 2, "plan": 2, "topic": 1}
    assert api.live.received == 10
    assert api.live.latest.get("PT-330A") is not None
    assert api.live.latest.get("PT-330B") is not None


def test_an_alarm_comes_after_its_delay_and_is_told_once(api: LiveApi) -> None:
    for second in range(30):
        api.clock.advance(1)
        api.say(BANK, {"PT-330A": 46.5})
        told = [event for event in events(api, "alarm") if event["id"] == "PT-330A.H"]
        assert bool(told) == (second >= 15), second
    assert len(told) == 1
    assert told[0]["state"] == "UNACK"
    api.live.act(lambda engine, now_ms: engine.acknowledge("PT-330A.H", "li.wei", "seen", now_ms))
    told = [event for event in events(api, "alarm") if event["id"] == "PT-330A.H"]
    assert (told[1]["state"], told[1]["acked_by"]) == ("ACKED", "li.wei")


def test_alarm_changes_go_to_the_store(api: LiveApi) -> None:
    for _ in range(20):
        api.clock.advance(1)
        api.say(BANK, {"PT-330A": 46.5})
    assert api.live._parts.points.deliver()
    rows = api.store.read_points("alarms", {"id": "PT-330A.H"}, NOON, NOON + 60_000)
    assert rows[0].fields["state"] == "UNACK"
    assert rows[0].fields["value"] == 46.5
    assert rows[0].fields["text_zh"]


def test_silence_alone_lets_time_pass(api: LiveApi) -> None:
    api.say(BANK, {"PT-330A": 44.0})
    for _ in range(120):
        api.clock.advance(1)
        api.live.tick()
    assert [event["id"] for event in events(api, "alarm")] == ["SYS-SILENT"]
    assert api.capacity.times[-1] == api.clock.t_ms


def test_a_finished_forecast_is_told_kept_stored_and_alarmed(api: LiveApi) -> None:
    text = Text("372 kg short from 17:00", "17:00起缺372 kg")
    api.capacity.conditions = [Condition("CAP-SHORT", True, "high", NOON, 372.0, 40.0, text)]
    api.capacity.ready = [forecast_at(NOON)]
    api.say(BANK, {"PT-330A": 44.0})
    (event,) = events(api, "capacity")
    assert event["bottleneck"] == "trailers"
    (alarm,) = [event for event in events(api, "alarm") if event["id"] == "CAP-SHORT"]
    assert alarm["text"] == {"en": text.en, "zh": text.zh}
    assert alarm["raised_at"] == "2026-11-23T04:00:00.000Z"
    assert json.loads(api.live.capacity.newest or b"") == event
    api.live.capacity.history.deliver()
    assert api.forecasts.range("jinma", NOON, NOON + 1)[0][0] == NOON
    api.live._parts.points.deliver()
    (point,) = api.store.read_points("capacity", {}, NOON, NOON + 1)
    assert point.fields["shortfall_kg_p50"] == 372.0
    assert point.fields["valid"] == 1.0
    assert point.fields["bottleneck"] == 1.0
    assert point.fields["shortfall_at"] == float(NOON + 5 * 3_600_000)
    assert "time_to_empty_minutes" not in point.fields


def test_a_station_that_has_said_nothing_is_not_forecast(api: LiveApi) -> None:
    api.clock.advance(600)
    api.live.tick()
    assert api.capacity.times == []
    api.say(BANK, {"PT-330A": 44.0})
    api.live.tick()
    assert api.capacity.times == [api.clock.t_ms]


@pytest.mark.parametrize(("speed", "waits"), [(60.0, 1), (1.0, 0)])
def test_too_many_forecasts_under_way_hold_a_simulator_up_and_never_real_time(
    api: LiveApi, speed: float, waits: int
) -> None:
    api.clock.rate, pauses = speed, list[float]()
    api.live.capacity.pause = pauses.append
    api.say(BANK, {"PT-330A": 44.0})
    api.capacity.backlog = 65
    api.capacity.ready = [forecast_at(NOON)]
    api.say(BANK, {"PT-330A": 44.1})
    assert len(pauses) == waits
    assert len(events(api, "capacity")) == 1


def test_alarms_are_shown_before_messages_wait_for_a_forecast(api: LiveApi) -> None:
    api.clock.rate, seen = 60.0, list[int]()
    api.live.capacity.pause = lambda _: seen.append(len(events(api, "alarm")))
    api.say(("fire_gas", "bays"), {"BE-761": 0})
    api.capacity.backlog = 65
    api.clock.advance(1)
    api.say(("fire_gas", "bays"), {"BE-761": 1})
    assert seen == [1]


def test_a_batch_of_messages_costs_one_commit_and_shows_nothing_before(api: LiveApi) -> None:
    commits, append = list[tuple[int, int]](), api.journal.append

    def told(entries: Sequence[JournalEntry]) -> None:
        commits.append((len(entries), len(events(api, "alarm"))))
        append(entries)

    api.journal.append = told  # type: ignore[method-assign]
    units = {"bays": "BE-761", "containers": "BE-763", "banks": "BE-767"}
    said = [UnitMessage("jinma", "fire_gas", unit, NOON, {tag: 1}) for unit, tag in units.items()]
    api.live.on_messages([(topic_of(one), encode(one)) for one in said])
    assert commits == [(3, 0)]
    assert [event["id"] for event in events(api, "alarm")] == ["BE-761.HH", "BE-763.HH", "BE-767.HH"]


def test_a_plan_by_mqtt_is_news_once(api: LiveApi) -> None:
    body = b'{"trucks":[{"id":"A","time":"2026-11-23T08:00:00+08:00","kg":40}],"trailers":[]}'
    topic = topics.plan("jinma", DATE)
    api.live.on_messages([(topic, body)])
    api.live.on_messages([(topic, body)])
    assert len(api.capacity.plans) == 1
    assert api.capacity.plans[0].source == "mqtt"


def test_a_retained_plan_that_comes_again_does_not_displace_one_that_was_put(api: LiveApi) -> None:
    body = b'{"trucks":[{"id":"A","time":"2026-11-23T08:00:00+08:00","kg":40}],"trailers":[]}'
    topic = topics.plan("jinma", DATE)
    api.live.on_messages([(topic, body)])
    put = api.capacity.plans[0].__class__(dt.date(2026, 11, 23), (), (), "put")
    api.live.put_plan(put)
    api.live.on_messages([(topic, body)])
    assert api.live.plans.of_day(put.date) == put
    api.live.on_messages([(topic, body.replace(b"40", b"38"))])
    newest = api.live.plans.of_day(put.date)
    assert newest is not None
    assert (newest.source, newest.kg) == ("mqtt", 38.0)


def test_gateways_and_the_gate_queue_are_known(api: LiveApi) -> None:
    assert not api.live.is_simulated
    api.live.on_messages(
        [
            (topics.gateway("jinma", "station-plc"), gateway_payload(NOON, online=True, sim=True)),
            (topics.gate_queue("jinma"), gate_queue_payload(NOON, [])),
            (topics.gateway("jinma", "other"), b""),
        ]
    )
    assert api.live.is_simulated
    assert api.capacity.queues == [(NOON, ())]
    assert not api.live.refused


def test_a_start_takes_what_the_store_knows() -> None:
    api = live_api()
    api.store.write([UnitMessage("jinma", *BANK, NOON - 5000, {"PT-330A": 43.9})])
    api.live.prime(api.store)
    newest = api.live.latest.get("PT-330A")
    assert newest is not None
    assert newest.value == 43.9
    assert api.capacity.primed_at == NOON


def test_a_dispatch_gives_each_station_its_own() -> None:
    api = live_api()
    message = UnitMessage("jinma", *BANK, NOON, {"PT-330A": 44.0})
    batch = [
        (topic_of(message), encode(message)),
        ("h2/v1/lunar/storage/x", b"{}"),
        ("h2/v1/jinma~ab12cd34/storage/x", b""),
    ]
    for dispatch in (Dispatch({"jinma": api.live}), Dispatch({"jinma": api.live, "other": live_api().live})):
        dispatch.on_messages(batch)
        dispatch.tick()
        assert dispatch.unknown == 1
    assert api.live.received == 2
    assert LIVE_FILTERS[0] == "h2/v1/+/clock"


class Followed:
    """A followed clock that a test looks into."""

    def __init__(self, t_ms: int) -> None:
        self.t_ms = t_ms
        self.rate = 1.0

    def now_ms(self) -> int:
        return self.t_ms

    def speed(self) -> float:
        return self.rate

    def update(self, said: ClockReading) -> None:
        self.t_ms, self.rate = said.t_ms, said.speed


def two_gateways() -> tuple[tuple[str, str], tuple[str, str]]:
    first, second = jinma().gateways[:2]
    return first.units[0], second.units[0]


def test_followed_time_comes_with_the_messages() -> None:
    one, two = two_gateways()
    time = FollowedStationTime(Followed(0), jinma().gateways)
    time.heard(one, NOON)
    assert time.now_ms == NOON
    time.heard(two, NOON)
    time.heard(one, NOON + 1000)
    assert time.now_ms == NOON + 1000


def test_one_gateway_with_a_wrong_clock_does_not_age_the_others() -> None:
    one, two = two_gateways()
    time = FollowedStationTime(Followed(0), jinma().gateways)
    time.heard(one, NOON)
    time.heard(two, NOON)
    time.heard(one, NOON + 600_000)
    assert time.now_ms == NOON + LEAD_MS
    time.heard(two, NOON + 1000)
    assert time.now_ms == NOON + 1000 + LEAD_MS
    time.heard(one, NOON)
    assert time.now_ms == NOON + 1000 + LEAD_MS


def test_a_clock_word_settles_the_time_and_nothing_runs_ahead_of_it() -> None:
    clock = Followed(NOON)
    time = FollowedStationTime(clock, jinma().gateways)
    assert not time.told(ClockReading(NOON + 200_000, 0, 200.0))
    assert time.now_ms == NOON + 200_000
    time.tick()
    assert time.now_ms == NOON + 200_000


def test_before_the_first_word_time_stands_a_while_and_is_then_the_clocks() -> None:
    one, _ = two_gateways()
    clock = Followed(NOON)
    time = FollowedStationTime(clock, jinma().gateways)
    time.heard(one, NOON - 86_400_000)
    clock.t_ms += 5000
    time.tick()
    assert time.now_ms == NOON - 86_400_000
    clock.t_ms += 6000
    time.tick()
    assert time.now_ms == NOON + 11_000


def test_a_simulator_that_begins_anew_sets_time_back() -> None:
    one, two = two_gateways()
    time = FollowedStationTime(Followed(NOON), jinma().gateways)
    time.heard(one, NOON)
    time.heard(two, NOON)
    assert time.told(ClockReading(NOON - 86_400_000, 0, 20.0))
    assert time.now_ms == NOON - 86_400_000
    assert not time.told(ClockReading(NOON - 86_400_000 - 1000, 0, 20.0))
    assert time.now_ms == NOON - 86_400_000


def test_a_live_station_follows_the_clock_topic() -> None:
    api = live_api()
    clock = Followed(NOON)
    api.live._time = FollowedStationTime(clock, api.plant.gateways)
    api.say(BANK, {"PT-330A": 44.0})
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON + 20_000, 0, 20.0))])
    assert (api.live.now_ms, api.live.speed) == (NOON + 20_000, 20.0)
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON - 86_400_000, 0, 20.0))])
    assert api.live.latest.get("PT-330A") is None


def test_a_first_word_of_another_day_has_what_was_known_asked_for_again() -> None:
    api = live_api()
    api.live._time = FollowedStationTime(Followed(NOON), api.plant.gateways)
    day_ms = 86_400_000
    api.store.write([UnitMessage("jinma", *BANK, NOON, {"PT-330A": 44.0})])
    api.store.write([UnitMessage("jinma", *BANK, NOON - day_ms - 5000, {"PT-330B": 43.0})])
    api.live.prime(api.store)
    assert api.capacity.primed_at == NOON
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON - day_ms, 0, 20.0))])
    assert api.capacity.primed_at == NOON - day_ms
    # What the store holds of the later day would stand in the way of all that is heard now.
    assert api.live.latest.get("PT-330A") is None
    assert api.live.latest.get("PT-330B") is not None
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON - day_ms + 60_000, 0, 20.0))])
    assert api.capacity.primed_at == NOON - day_ms
    # A retained word of a run that is over may have come first.
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON, 0, 20.0))])
    assert api.capacity.primed_at == NOON


def test_a_first_word_near_the_wall_asks_for_nothing_again() -> None:
    api = live_api()
    api.live._time = FollowedStationTime(Followed(NOON), api.plant.gateways)
    api.live.prime(api.store)
    api.live.on_messages([(topics.clock("jinma"), clock_payload(NOON + 2000, 0, 1.0))])
    assert api.capacity.primed_at == NOON


def test_wall_time_never_goes_back_and_ignores_the_clock_topic() -> None:
    clock = VirtualClock()
    time = WallStationTime(clock)
    clock.advance(-5)
    assert time.now_ms == NOON
    assert not time.told(ClockReading(NOON + 1, 0, 2.0))
    time.heard(BANK, NOON + 500)
    time.tick()
    assert time.now_ms == NOON


def test_an_outbox_keeps_order_through_an_outage_and_is_bounded() -> None:
    sent: list[int] = []
    away = True

    def send(batch: object) -> None:
        if away:
            raise StoreUnavailableError("away")
        sent.extend(batch)  # type: ignore[arg-type]

    outbox = Outbox[int]("test", send, most=5)
    for number in range(4):
        outbox.put(number)
    assert not outbox.deliver()
    for number in range(4, 8):
        outbox.put(number)
    assert (outbox.waiting, outbox.dropped) == (5, 3)
    away = False
    assert outbox.deliver()
    assert sent == [3, 4, 5, 6, 7]


def test_an_outbox_sets_aside_what_is_refused_for_good() -> None:
    def refuse(_: object) -> None:
        raise FinalError("never")

    outbox = Outbox[int]("test", refuse)
    outbox.put(1)
    assert outbox.deliver()
    assert (outbox.waiting, outbox.dropped) == (0, 1)


def test_a_message_that_breaks_us_does_not_stall_those_behind_it(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    observe = api.live.alarms.observe

    def fragile(message: UnitMessage) -> None:
        if message.values["PT-330A"] == 13.0:
            raise ZeroDivisionError
        observe(message)

    monkeypatch.setattr(api.live.alarms, "observe", fragile)
    messages = [UnitMessage("jinma", *BANK, NOON + n, {"PT-330A": value}) for n, value in enumerate((44.0, 13.0, 45.0))]
    api.live.on_messages([(topic_of(message), encode(message)) for message in messages])
    newest = api.live.latest.get("PT-330A")
    assert newest is not None
    assert newest.value == 45.0
    assert api.live.failures == 1


def test_a_background_loop_that_breaks_is_counted_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_BACKOFF_S", 0.001)
    rounds = 0
    done = threading.Event()

    def step() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ZeroDivisionError
        if rounds == 4:
            done.set()
        return rounds != 2

    loop = background.BackgroundLoop("test", step, 0.001)
    loop.start()
    assert done.wait(5)
    loop.stop()
    assert loop.failures == 1
