"""`jinma run` as a user meets it: a first start, its end, a second start, high speeds, and what it refuses."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from station.wire import topics
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma as jinma_plant
from tests.support.processes import wait_until
from tests.support.service import Service, ingest, jinma

PLANT = jinma_plant()
TOTALS = [tag for tag in PLANT.signals if tag.startswith("FQ-")]
PEAK = "2026-06-01T07:00:00+08:00"
PEAK_MS = round(dt.datetime.fromisoformat(PEAK).timestamp() * 1000)
BANK = topics.reading("jinma", "storage", "bank-HB")
FAR_MS = 4_102_444_800_000


def midnight_ms(now_ms: int | None = None) -> int:
    now = dt.datetime.fromtimestamp((now_ms or wall_ms()) / 1000, dt.UTC)
    return round(PLANT.day_start(PLANT.day_of(now)).timestamp() * 1000)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def stored(data_dir: Path, end_ms: int = FAR_MS) -> dict[tuple[str, str, int], UnitMessage]:
    """Everything that an ended service has in its store, up to a time."""
    store = SqliteReadings(data_dir / "readings.sqlite")
    try:
        return {(m.area, m.unit, m.t_ms): m for m in store.messages("jinma", 0, end_ms)}
    finally:
        store.close()


def totals_never_go_back(messages: Iterable[UnitMessage]) -> int:
    """Return how many totaliser values there are, each no lower than the one before."""
    newest: dict[str, float] = {}
    count = 0
    for message in sorted(messages, key=lambda m: m.t_ms):
        for tag in TOTALS:
            value = message.values.get(tag)
            if value is not None:
                assert value >= newest.get(tag, 0.0), f"{tag} went back at {message.t_ms}"
                newest[tag], count = value, count + 1
    assert len(newest) == len(TOTALS)
    return count


def longest_silence_s(messages: Iterable[UnitMessage], since_ms: int) -> float:
    """Return the longest time in which no unit at all said anything."""
    times = sorted({m.t_ms for m in messages if m.t_ms >= since_ms})
    return max(b - a for a, b in itertools.pairwise(times)) / 1000


def restless(service: Service) -> list[str]:
    """Return the alarms that would call an operator."""
    items = service.get("/stations/jinma/alarms", limit=1000)["items"]
    return [item["id"] for item in items if item["state"] in ("UNACK", "LATCHED", "RTNUN")]


@pytest.mark.alone
def test_a_first_start_is_live_soon_and_a_second_goes_on_from_it() -> None:
    began_s, began_ms = time.monotonic(), wall_ms()
    with Service() as service:
        service.wait_live()
        live_s = time.monotonic() - began_s
        assert httpx.get(f"{service.url}/readyz").json()["status"] == "ready"
        wait_until(lambda: service.metrics()["jinma_ingest_delivered_total"] > 150, 30, "a few seconds of readings")
        assert restless(service) == []
        second = jinma("run", "--no-browser", "--port", "0", "--data-dir", str(service.data_dir))
        assert second.returncode == 1
        assert f"in use by process {service.process.pid}" in second.stderr
        assert service.get("/stations")["items"][0]["id"] == "jinma"  # it does not mind
        code, ended_s = service.end(signal.SIGINT)
        assert (code, service.tracebacks()) == (130, [])
        assert ended_s < 3.0
        first = stored(service.data_dir)
        _check_first_history(first, midnight_ms(began_ms), began_ms)
        off_ms = wall_ms()

        service.start()
        service.wait_live()
        back_ms = wall_ms()
        assert restless(service) == []
        code, terminated_s = service.end(signal.SIGTERM)
        assert (code, service.tracebacks()) == (0, [])
        assert terminated_s < 3.0
        both = stored(service.data_dir)
    assert first.items() <= both.items()
    assert totals_never_go_back(both.values()) > len(TOTALS)
    assert longest_silence_s(both.values(), began_ms) <= (back_ms - off_ms) / 1000 + 60.0
    sys.stdout.write(f"first live value after {live_s:.1f} s, Ctrl-C {ended_s:.2f} s, SIGTERM {terminated_s:.2f} s\n")


def _check_first_history(first: dict[tuple[str, str, int], UnitMessage], start_ms: int, began_ms: int) -> None:
    """From station midnight every unit is there, at least once in the minute."""
    assert {key[:2] for key in first} >= {(area, unit) for area, unit in PLANT.units if area != "vehicle"}
    times = sorted(t_ms for area, unit, t_ms in first if (area, unit) == ("storage", "bank-HB"))
    assert times[0] <= start_ms + 60_000
    assert longest_silence_s(first.values(), start_ms) <= 60.0
    assert times[-1] > began_ms
    totals_never_go_back(first.values())


class Heard:
    """A subscriber of its own: (area, unit, t) of every message."""

    def __init__(self, url: str) -> None:
        self.messages: list[tuple[str, str, int]] = []
        self.speeds: list[float] = []
        self._feed = MqttFeed(url, "test-heard", [*topics.READING_FILTERS, topics.clock("+")])
        self._feed.start(self._take)

    def _take(self, batch: Iterable[tuple[str, bytes]]) -> None:
        for topic, payload in batch:
            said = json.loads(payload)
            place = topics.parse_reading(topic)
            if place is not None:
                self.messages.append((place.area, place.unit, said["t"]))
            else:
                self.speeds.append(said["speed"])

    def stop(self) -> None:
        self._feed.stop()


def simulate(broker: str, speed: int, wall_s: int) -> Heard:
    """Let the peak hour pass at a speed for some wall seconds, as a process of its own."""
    heard = Heard(broker)
    try:
        done = jinma(
            "simulate", "--broker", broker, "--start", PEAK, "--speed", str(speed), "--duration", f"{speed * wall_s}s"
        )
        assert done.returncode == 0, done.stderr
    finally:
        heard.stop()
    assert len(heard.messages) == len(set(heard.messages))
    return heard


def check_nothing_lost(heard: Heard, kept: dict[tuple[str, str, int], UnitMessage]) -> None:
    published, there = Counter(key[:2] for key in heard.messages), Counter(key[:2] for key in kept)
    assert len(published) >= len([unit for unit in PLANT.units if unit[0] != "vehicle"])
    assert there == published
    assert set(heard.messages) == set(kept)


@pytest.mark.alone
def test_speed_20_of_the_peak_hour_on_the_embedded_broker_loses_nothing() -> None:
    with Service("--no-simulator") as service:
        heard = simulate(service.broker, 20, 12)
        wait_until(
            lambda: service.metrics()["jinma_ingest_delivered_total"] >= len(heard.messages), 20, "all delivered"
        )
        figures = service.metrics()
        assert figures["jinma_ingest_missing"] == 0
        assert not any(name.startswith(("jinma_ingest_refused", "jinma_messages_refused")) for name in figures)
        assert service.interrupt() == 130
        check_nothing_lost(heard, stored(service.data_dir))
        assert service.tracebacks() == []
    reached = heard.speeds[-1]
    sys.stdout.write(f"asked 20, reached {reached}; {len(heard.messages)} messages, none lost\n")
    assert reached >= 19.0


@pytest.mark.alone
def test_run_at_speed_20_reaches_it_and_loses_nothing_when_it_ends_in_the_middle() -> None:
    """Someone beside the ingest hears what the simulator says until the end; the store must have all of it."""
    with Service("--speed", "20") as service:
        service.wait_live()
        heard = Heard(service.broker)
        name = 'jinma_station_speed{station="jinma"}'
        wait_until(lambda: service.metrics()[name] >= 19.0 and len(heard.speeds) > 5, 30, "speed 20", every_s=0.2)
        wait_until(lambda: len(heard.messages) > 1500, 30, "messages")
        assert service.metrics()["jinma_ingest_missing"] == 0
        code, took_s = service.end(signal.SIGINT)
        heard.stop()
        kept = stored(service.data_dir)
    assert code == 130
    assert took_s < 3.0
    assert [key for key in heard.messages if key not in kept] == []
    sys.stdout.write(f"reached {heard.speeds[-1]}; {len(heard.messages)} messages heard until the end, none lost\n")


def newest(service: Service) -> int:
    return max(item["t"] for item in service.get("/stations/jinma/readings/latest", signal="PT-330A")["items"])


def test_speed_200_on_mosquitto_loses_nothing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    (tmp_path / "data").mkdir()
    with ingest(mosquitto.url, f"sqlite:///{tmp_path}/readings.sqlite", tmp_path, "--clock", "station") as taking:
        heard = simulate(mosquitto.url, 200, 6)

        def all_there() -> bool:
            taking.check_running()
            store = SqliteReadings(tmp_path / "readings.sqlite")
            try:
                return sum(1 for _ in store.messages("jinma", 0, FAR_MS)) >= len(heard.messages)
            finally:
                store.close()

        wait_until(all_there, 60, "all stored", every_s=0.5)
        assert taking.stop() == 0
        assert '"missing": 0' in taking.output()
    check_nothing_lost(heard, stored(tmp_path))
    sys.stdout.write(f"asked 200, reached {heard.speeds[-1]}; {len(heard.messages)} messages, none lost\n")


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = jinma("run", "--no-browser", "--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert said.returncode == 1
    (line,) = said.stderr.splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port" in line


@pytest.fixture(scope="module")
def quiet() -> Iterable[Service]:
    """A service without a simulator: what comes is what the test sends."""
    with Service("--no-simulator") as service:
        yield service


def payload(t_ms: int, **values: Any) -> bytes:
    names = {"pressure": "PT-330A", "inlet": "ZS-330D"}
    return json.dumps({"t": t_ms, "v": {names.get(name, name): value for name, value in values.items()}}).encode()


def test_bad_messages_are_counted_and_the_good_ones_go_on(quiet: Service) -> None:
    now_ms = wall_ms()
    good = [(BANK, payload(now_ms + n, pressure=44.0 + n / 10)) for n in range(7)]
    bad: list[tuple[str, tuple[str, bytes]]] = [
        ("json", (BANK, b'{"t": 17, "v": {"PT-330A": 4')),
        ("json", (BANK, b"\xff\xfe\x00")),
        ("time", (BANK, payload(now_ms + 25 * 3_600_000, pressure=1.0))),
        ("time", (BANK, payload(now_ms - 31 * 86_400_000, pressure=2.0))),
        ("signal", (BANK, payload(now_ms + 100, **{"PT-999": 3.0}))),
        ("value", (BANK, payload(now_ms + 200, pressure="high"))),
        ("value", (BANK, payload(now_ms + 300, inlet=0.5))),
        ("unit", (topics.reading("jinma", "storage", "bank-XX"), payload(now_ms, pressure=4.0))),
        ("station", (topics.reading("nowhere", "storage", "bank-HB"), payload(now_ms, pressure=5.0))),
        ("size", (BANK, b'{"t": 17, "x": "' + b"x" * 70_000 + b'"}')),
    ]
    mixed = [one for pair in zip(good, [message for _, message in bad], strict=False) for one in pair]
    rest = [message for _, message in bad][len(good) :]
    publisher = MqttPublisher(quiet.broker, "test-bad-input")
    publisher.publish_many([*mixed, *rest])
    assert publisher.settle(10)
    publisher.close()
    wait_until(lambda: refused(quiet).total() >= len(bad), 10, "all refused ones counted")
    wait_until(lambda: newest(quiet) == now_ms + 6, 10, "the newest good one")
    points = quiet.get(
        "/stations/jinma/readings", signal="PT-330A", aggregate="raw", start=now_ms - 1000, end=now_ms + 60_000
    )["series"][0]["points"]
    assert [point[0] for point in points] == [now_ms + n for n in range(7)]
    assert refused(quiet) == Counter(reason for reason, _ in bad)
    assert quiet.tracebacks() == []


def refused(service: Service) -> Counter[str]:
    """Dead letters by reason."""
    start = 'jinma_ingest_refused_total{reason="'
    found = {name.removeprefix(start)[:-2]: round(n) for name, n in service.metrics().items() if name.startswith(start)}
    return Counter(found)


@pytest.mark.parametrize(
    ("path", "how", "status"),
    [
        ("/stations", {"headers": {}}, 401),
        ("/stations", {"headers": {"Authorization": "Bearer jm00000000.wrong"}}, 401),
        ("/stations/nowhere", {}, 404),
        ("/stations/jinma/readings/latest?signal=PT-999", {}, 422),
        ("/stations/jinma/readings?signal=PT-330A&start=yesterday", {}, 422),
        ("/stations/jinma/readings?signal=PT-330A&every=1fortnight", {}, 422),
        ("/stations/jinma/alarms/NO-SUCH.HH", {}, 404),
        ("/nothing/here", {}, 404),
    ],
)
def test_a_bad_request_is_a_clear_problem(quiet: Service, path: str, how: dict[str, Any], status: int) -> None:
    answer = quiet.ask("GET", path, **how)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    said = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert len(said["detail"]) > 10
