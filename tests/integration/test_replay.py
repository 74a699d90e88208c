"""A log published again: under which station, when, how fast, and through a real broker."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from station.adapters.log_files import LogRecord, read_log, write_log
from station.adapters.log_replay import ReplayTarget, new_replay_id, replay_log, replay_target
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.errors import BadInputError
from station.wire import topics
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_until

T0 = 1_795_420_800_000
TARGET = ReplayTarget(None, "ab12cd34")
UNITS = [("storage", "bank-HB", "PT-330A"), ("trailer", "bay-1", "PT-111")]


class Recorder:
    """A publisher that remembers what it was given, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str, dict[str, object]]] = []
        self.batches: list[int] = []

    def publish_many(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self.batches.append(len(messages))
        self.sent += [(time.monotonic(), topic, json.loads(payload)) for topic, payload in messages]

    def settle(self, timeout_s: float) -> bool:
        return True

    def times(self) -> list[object]:
        return [payload["t"] for _, _, payload in self.sent]


def log(seconds: int = 3, step_ms: int = 1000) -> list[LogRecord]:
    made = [LogRecord(topics.plan("jinma", "2026-11-23"), b'{"trucks":[],"trailers":[]}')]
    for n in range(seconds):
        for area, unit, tag in UNITS:
            payload = {"t": T0 + n * step_ms, "boot": "old", "seq": 90 + n, "v": {tag: 44.10 + n, "ZS-1": None}}
            if n == 1:
                payload["q"] = {tag: "uncertain:drift"}
            made.append(LogRecord(topics.reading("jinma", area, unit), json.dumps(payload).encode()))
    return made


def test_a_replay_has_its_own_station_boot_and_numbers() -> None:
    out = Recorder()
    assert replay_log(log, out, TARGET, speed=None, loop=2) == 12
    assert {topic for _, topic, _ in out.sent} == {
        "h2/v1/jinma~ab12cd34/storage/bank-HB",
        "h2/v1/jinma~ab12cd34/trailer/bay-1",
    }
    bank = [payload for _, topic, payload in out.sent if topic.endswith("bank-HB")]
    boots = ["ab12cd34-1"] * 3 + ["ab12cd34-2"] * 3
    assert [(p["boot"], p["seq"]) for p in bank] == list(zip(boots, [1, 2, 3, 1, 2, 3], strict=True))
    assert [p["t"] for p in bank] == [T0, T0 + 1000, T0 + 2000] * 2
    assert bank[1]["v"] == {"PT-330A": 45.10, "ZS-1": None}
    assert bank[1]["q"] == {"PT-330A": "uncertain:drift"}
    assert "q" not in bank[0]


def test_a_replay_of_a_replay_and_a_station_by_name() -> None:
    assert ReplayTarget(None, "ab12cd34").of("jinma~zzzzzzzz") == "jinma~ab12cd34"
    assert ReplayTarget("other", "ab12cd34").of("jinma") == "other~ab12cd34"
    assert ReplayTarget("jinma", None).of("jinma~zzzzzzzz") == "jinma"


def test_range_and_signals_are_chosen() -> None:
    out = Recorder()
    chosen = replay_log(log, out, TARGET, speed=None, start_ms=T0 + 1000, end_ms=T0 + 2000, signals="PT-33*")
    assert chosen == 1
    ((_, topic, payload),) = out.sent
    assert topic.endswith("bank-HB")
    assert payload["v"] == {"PT-330A": 45.10}
    assert payload["q"] == {"PT-330A": "uncertain:drift"}


def test_inter_arrival_times_are_kept_and_divided_by_the_speed() -> None:
    out = Recorder()
    begin = time.monotonic()
    replay_log(lambda: log(6, 500), out, TARGET, speed=10.0)
    after = [moment - begin for moment, topic, _ in out.sent if topic.endswith("bank-HB")]
    # Never early; late where the machine is, and then caught up.
    assert all(late_s >= 0.05 * n - 0.001 for n, late_s in enumerate(after))
    assert after[-1] < 2.0
    assert sum(out.batches) == 12
    assert all(size % 2 == 0 for size in out.batches)  # what is due together goes out together


def test_arrival_times_of_the_log_set_the_pace_where_it_has_them() -> None:
    late = [LogRecord(r.topic, r.payload, T0 + 100 * n) for n, r in enumerate(log(3, 3_600_000)[1:])]
    out = Recorder()
    begin = time.monotonic()
    replay_log(lambda: late, out, TARGET, speed=5.0)
    assert 0.1 <= time.monotonic() - begin < 60.0  # two hours by their own times, half an hour at this speed


def test_now_moves_all_times_alike_anew_each_loop() -> None:
    out = Recorder()
    before = time.time_ns() // 1_000_000
    replay_log(log, out, TARGET, speed=None, loop=2, time="now")
    after = time.time_ns() // 1_000_000
    times = [t for t in out.times() if isinstance(t, int)]
    for first in (0, 6):
        assert before <= times[first] <= after
        assert [t - times[first] for t in times[first : first + 6]] == [0, 0, 1000, 1000, 2000, 2000]


def test_stop_ends_a_slow_replay_at_once() -> None:
    out, stop = Recorder(), threading.Event()
    worker = threading.Thread(target=replay_log, args=(log, out, TARGET), kwargs={"speed": 0.001, "stop": stop})
    worker.start()
    wait_until(lambda: len(out.sent) == 2, 5.0, "first messages")
    stop.set()
    worker.join(1.0)
    assert not worker.is_alive()
    assert len(out.sent) == 2


def test_stop_ends_a_replay_that_passes_over_what_is_not_wanted() -> None:
    def endless() -> Iterator[LogRecord]:
        while True:
            yield from log(10)

    out, stop = Recorder(), threading.Event()
    options = {"speed": None, "stop": stop, "start_ms": T0 + 3_600_000}
    worker = threading.Thread(target=replay_log, args=(endless, out, TARGET), kwargs=options)
    worker.start()
    stop.set()
    worker.join(5.0)
    assert not worker.is_alive()
    assert out.sent == []


def test_bad_records_are_named_and_passed_over() -> None:
    topic = topics.reading("jinma", "storage", "bank-HB")
    bad = [LogRecord(topic, payload) for payload in (b"{", b'{"v":{}}', b'{"t":"soon","v":{}}', b"\xff", b"[]")]
    told: list[str] = []
    out = Recorder()
    assert replay_log(lambda: [*bad, *log(1)], out, TARGET, speed=None, on_bad=told.append) == 2
    assert len(told) == 5
    assert all(text.startswith(topic) for text in told)


def test_wrong_options_are_refused() -> None:
    for options, text in [({"speed": 0.0}, "--speed 0"), ({"loop": -1}, "--loop -1"), ({"signals": "XX*"}, "nothing")]:
        with pytest.raises(BadInputError, match=text):
            replay_log(log, Recorder(), TARGET, **options)  # type: ignore[arg-type]


def test_a_living_station_must_be_meant() -> None:
    living = ReplayTarget("jinma", None)
    assert replay_target("jinma", time="now", yes=True) == living
    for time_, yes in [("original", True), ("now", False)]:
        with pytest.raises(BadInputError, match="living station"):
            replay_target("jinma", time=time_, yes=yes)
    for options in ({"speed": None, "time": "now"}, {"speed": 2.0, "time": "now"}, {"speed": 1.0}):
        with pytest.raises(BadInputError, match="living station"):
            replay_log(log, Recorder(), living, **options)  # type: ignore[arg-type]
    out = Recorder()
    replay_log(lambda: log(1), out, living, time="now")
    assert out.sent[0][1] == "h2/v1/jinma/storage/bank-HB"
    assert str(out.sent[0][2]["boot"]).startswith("replay-")
    assert replay_target("jinma~ab12cd34", time="original", yes=False) == ReplayTarget("jinma", "ab12cd34")
    with pytest.raises(BadInputError, match="8 characters"):
        replay_target("jinma~ab", time="original", yes=False)
    made = replay_target(None, time="original", yes=False)
    assert made.station is None
    assert made.replay_id is not None
    assert len({new_replay_id() for _ in range(100)}) == 100


@pytest.fixture
def received(mosquitto: Mosquitto) -> Iterator[list[tuple[str, bytes]]]:
    got: list[tuple[str, bytes]] = []
    feed = MqttFeed(mosquitto.url, "replay-test-feed", ["h2/v1/jinma~ab12cd34/+/+"], persistent=False)
    feed.start(got.extend)
    wait_until(lambda: feed.connected, 5.0, "subscribed")
    yield got
    feed.stop()


def test_a_log_file_through_mosquitto_at_full_speed(
    mosquitto: Mosquitto, received: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "day.ndjson.gz"
    write_log(path, log(2500), {"version": "1"})
    publisher = MqttPublisher(mosquitto.url, "replay-test", window=500)
    told: list[tuple[int, int]] = []
    try:
        done = replay_log(
            lambda: read_log(path), publisher, TARGET, speed=None, progress=lambda *args: told.append(args)
        )
    finally:
        publisher.close()
    assert done == 5000
    wait_until(lambda: len(received) >= 5000, 20.0, "all replayed messages received")
    bank = [json.loads(payload) for topic, payload in received if topic.endswith("/storage/bank-HB")]
    assert [p["seq"] for p in bank] == list(range(1, 2501))
    assert told
    assert told[0][1] >= T0
