"""The service's own alarms: delays on wall time, limits of the station file, words that say what is wrong."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from api.live.background import BackgroundLoop
from api.live.dispatch import Dispatch
from api.live.heartbeat import Heartbeat
from api.live.watchdog import (
    BROKER,
    CLOCK,
    DATA,
    DISK,
    FORECAST,
    SPOOL,
    STORE,
    RefusedMessages,
    SlowCheck,
    Watchdog,
    checked,
    held,
    measured,
    spools,
)
from api.live.watchdog import forecasts as forecast_look
from station.wire import topics
from station.wire.plan_v1 import IngestWord, ingest_payload
from tests.support.live_api import NOON, LiveApi, VirtualClock, forecast_at, live_api
from tests.support.processes import wait_until


@pytest.fixture
def api() -> LiveApi:
    return live_api()


def state(api: LiveApi, alarm: str) -> str:
    return api.live.alarms.alarm(alarm).state


def test_what_is_away_is_told_after_its_delay_with_its_words_and_ends(api: LiveApi) -> None:
    wall, away = VirtualClock(0), ["refused by 127.0.0.1"]

    def check() -> str | None:
        return away[0] if away else None

    dog = Watchdog([api.live], {BROKER: held(check), STORE: checked(check)}, wall.now_ms)
    for second in range(14):
        wall.t_ms = second * 1000
        dog.look()
    assert state(api, BROKER) == "NORM"
    wall.t_ms = 16_000
    dog.look()
    assert state(api, BROKER) == "UNACK"
    text = api.live.alarms.alarm(BROKER).text
    assert (text.en, text.zh) == ("No connection to the MQTT broker", "与 MQTT 代理断开")
    for second in range(17, 62):
        wall.t_ms = second * 1000
        dog.look()
    text = api.live.alarms.alarm(STORE).text
    assert text.en == "The reading store does not answer: refused by 127.0.0.1"
    assert text.zh == "数据存储无响应：refused by 127.0.0.1"
    away.clear()
    for second in range(62, 94):
        wall.t_ms = second * 1000
        dog.look()
    assert (state(api, BROKER), state(api, STORE)) == ("RTNUN", "RTNUN")


def test_the_fullest_spool_that_a_station_s_ingests_tell_of_raises_the_alarm(api: LiveApi) -> None:
    wall = VirtualClock(0)
    dog = Watchdog([api.live], {SPOOL: spools(wall.now_ms)}, wall.now_ms)

    def say(worker: str, spool: float) -> None:
        word = ingest_payload(IngestWord(wall.t_ms, spool, 5.0))
        api.live.on_messages([(topics.ingest("jinma", worker), word)])

    def pass_minutes(minutes: int, full: float | None) -> None:
        for second in range(60 * minutes):
            wall.t_ms += 1000
            if full is not None and second % 10 == 0:
                say("one", 0.1)
                say("two", full)
            dog.look()

    pass_minutes(2, None)
    assert state(api, SPOOL) == "NORM", "nothing is known of any spool"
    pass_minutes(2, 0.5)
    assert state(api, SPOOL) == "NORM"
    pass_minutes(2, 0.9)
    assert state(api, SPOOL) == "UNACK"
    assert api.live.alarms.alarm(SPOOL).value == 90.0
    pass_minutes(3, None)
    assert state(api, SPOOL) == "UNACK", "an ingest that says no more does not end the alarm"
    pass_minutes(2, 0.0)
    assert state(api, SPOOL) == "RTNUN"
    assert not api.live.refused


def test_a_store_that_hangs_is_told_although_its_check_never_ends(api: LiveApi) -> None:
    wall, hangs, begun, ended = VirtualClock(0), threading.Event(), threading.Event(), threading.Event()

    def check() -> None:
        begun.set()
        assert hangs.wait(20)

    store = SlowCheck(check, wall.seconds)
    dog = Watchdog([api.live], {STORE: store}, wall.now_ms)
    maker = threading.Thread(target=lambda: (store.make(), ended.set()))
    maker.start()
    try:
        assert begun.wait(10)
        for second in range(72):
            wall.t_ms = second * 1000
            dog.look()
        assert state(api, STORE) == "UNACK", "10 s without an answer, then its on-delay of 60 s"
        hangs.set()
        assert ended.wait(10)
        for second in range(72, 104):
            wall.t_ms = second * 1000
            dog.look()
        assert state(api, STORE) == "RTNUN"
    finally:
        hangs.set()
        maker.join(10)


def test_limits_and_dead_bands_are_the_station_file_s_and_little_disk_is_wrong(api: LiveApi) -> None:
    wall, spool, free = VirtualClock(0), [85.0], [11.0]
    dog = Watchdog([api.live], {SPOOL: measured(lambda: spool[0]), DISK: measured(lambda: free[0])}, wall.now_ms)

    def pass_minutes(minutes: int) -> None:
        for _ in range(60 * minutes):
            wall.t_ms += 1000
            dog.look()

    pass_minutes(2)
    assert (state(api, SPOOL), state(api, DISK)) == ("UNACK", "NORM")
    assert api.live.alarms.alarm(SPOOL).value == 85.0
    spool[0], free[0] = 75.0, 9.9
    pass_minutes(2)
    assert (state(api, SPOOL), state(api, DISK)) == ("UNACK", "UNACK"), "within the dead-band it stays"
    spool[0], free[0] = 69.0, 12.5
    pass_minutes(2)
    assert (state(api, SPOOL), state(api, DISK)) == ("RTNUN", "RTNUN")


def test_a_forecast_that_stays_away_is_told(api: LiveApi) -> None:
    wall = VirtualClock(0)
    dog = Watchdog([api.live], {FORECAST: forecast_look}, wall.now_ms)
    dog.look()
    api.capacity.ready.append(forecast_at(NOON))
    api.say(("storage", "bank-HB"), {"PT-330A": 44.0})
    assert api.live.capacity.newest_at_ms == NOON
    for second in range(0, 1400, 10):
        wall.t_ms = second * 1000
        api.clock.t_ms = NOON + second * 1000
        api.live.tick()
        dog.look()
    assert state(api, FORECAST) == "UNACK"


def test_refused_messages_are_told_with_their_reasons(api: LiveApi) -> None:
    wall, look = VirtualClock(0), RefusedMessages(lambda: 0)
    dog = Watchdog([api.live], {DATA: look}, wall.now_ms)
    dog.look()
    assert state(api, DATA) == "NORM"
    api.live.on_messages([("h2/v1/jinma/storage/bank-HB", b"no json")])
    wall.t_ms = 1000
    dog.look()
    assert state(api, DATA) == "UNACK"
    assert "json 1" in api.live.alarms.alarm(DATA).text.en


def test_a_look_that_fails_blinds_no_other_and_what_was_active_goes_on(api: LiveApi) -> None:
    wall = VirtualClock(0)

    def broken() -> float:
        raise OSError("no such disk")

    looks = {DISK: measured(broken), BROKER: checked(lambda: "away")}
    dog = Watchdog([api.live], looks, wall.now_ms)
    for second in (0, 20):
        wall.t_ms = second * 1000
        dog.look()
    assert state(api, BROKER) == "UNACK"
    again = Watchdog([api.live], {BROKER: checked(lambda: None)}, wall.now_ms)
    for second in (30, 60):
        wall.t_ms = second * 1000
        again.look()
    assert state(api, BROKER) == "RTNUN"


def test_the_worst_clock_of_all_gateways_counts(api: LiveApi) -> None:
    assert api.live.alarms.worst_clock_offset_ms() == 0
    assert CLOCK in api.plant.system_alarms


# --- the beat to the outside ---


@pytest.fixture
def switch() -> Iterator[tuple[str, list[str]]]:
    """A dead man's switch on this machine: (its address, what it was asked)."""
    asked: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(500 if "wrong" in self.path else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_heartbeat_is_sent_only_while_the_core_goes_on(switch: tuple[str, list[str]]) -> None:
    url, asked = switch
    rounds = [1]
    beat = Heartbeat(f"{url}/beat", lambda: rounds[0])
    assert beat.beat()
    assert not beat.beat(), "the core stands still"
    rounds[0] = 2
    assert beat.beat()
    assert asked == ["/beat", "/beat"]


def test_no_heartbeat_is_sent_while_a_message_holds_the_core_up(switch: tuple[str, list[str]], api: LiveApi) -> None:
    url, asked = switch
    ticker = BackgroundLoop("ticker", Dispatch({"jinma": api.live}).tick, 0.01)
    beat = Heartbeat(f"{url}/beat", lambda: ticker.rounds)
    entered, goes_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        entered.set()
        assert goes_on.wait(20)

    stuck = threading.Thread(target=api.live.act, args=(hang,))
    ticker.start()
    try:
        wait_until(beat.beat, 10.0, "a first beat", every_s=0.05)
        stuck.start()
        assert entered.wait(10)
        wait_until(lambda: not beat.beat(), 10.0, "the end of the beats", every_s=0.2)
        silent_at = len(asked)
        assert [beat.beat(), beat.beat()] == [False, False]
        assert len(asked) == silent_at
        goes_on.set()
        wait_until(beat.beat, 10.0, "the beats' return", every_s=0.05)
    finally:
        goes_on.set()
        ticker.stop()
        stuck.join(10)


def test_a_heartbeat_that_does_not_arrive_is_counted(switch: tuple[str, list[str]]) -> None:
    url, _ = switch
    numbers = iter(range(100))
    beat = Heartbeat(f"{url}/wrong", lambda: next(numbers))
    assert [beat.beat(), beat.beat(), beat.failures] == [False, False, 2]
    nobody = Heartbeat("http://127.0.0.1:9/", lambda: next(numbers))
    assert not nobody.beat()
