"""A simulated station through a real mosquitto: all of it, in order, whatever happens to the broker."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pytest

from ingest.service import GATHER_S, IngestService, feed_filters
from simulators.gateways import outbox
from simulators.gateways.publishing import Progress, Published, listening_filters, publish_station
from simulators.measuring.sampled import NOT_NUMBERED
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.clocks import FollowedClock, WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.property_tables import hydrogen_tables
from station.adapters.sqlite_readings import SqliteReadings
from station.wire.admission import Admission
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma
from tests.support.processes import wait_until

PLANT = jinma()
START = dt.datetime(2026, 6, 1, 7, 0, tzinfo=PLANT.timezone)
START_MS = round(START.timestamp() * 1000)


def morning() -> SimulatedStation:
    """The station as the morning's trucks come."""
    physics = StationPhysics(PLANT, hydrogen_tables(), shipped_scenario("normal-day"), START, seed=1)
    return SimulatedStation(PLANT, physics, seed=1)


def publish(
    station: SimulatedStation,
    url: str,
    speed: float | None,
    seconds: int,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Published:
    publisher = MqttPublisher(url, "test-simulator")
    feed = MqttFeed(url, "test-simulator-in", listening_filters(PLANT.id))
    try:
        return publish_station(
            station,
            publisher,
            speed,
            WallClock(),
            stop or threading.Event(),
            on_progress,
            feed=feed,
            until_ms=START_MS + 1000 * seconds,
            keeps_wall_time=False,
        )
    finally:
        publisher.close(0.0)


class Listener:
    """Everything that a broker says on the station's topics."""

    def __init__(self, url: str, filters: Sequence[str]) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._feed = MqttFeed(url, "test-listener", filters)

    def __enter__(self) -> Self:
        self._feed.start(self.heard.extend)
        return self

    def __exit__(self, *_: object) -> None:
        self._feed.stop()


def test_all_arrives_in_order_and_the_clock_never_runs_ahead_of_it() -> None:
    twin = morning()
    sent = [(topic, payload) for _, topic, payload, seq in twin.emissions(120) if seq != NOT_NUMBERED]
    with Mosquitto() as broker, Listener(broker.url, ["h2/v1/+/+/+", "h2/v1/+/clock"]) as listener:
        done = publish(morning(), broker.url, None, 120)
        assert done.settled
        assert done.messages == len(sent)

        def readings() -> list[tuple[str, bytes]]:
            others = ("/clock", "/gateway/", "/plan/", "/queue/")
            return [message for message in listener.heard if not any(other in message[0] for other in others)]

        wait_until(lambda: len(readings()) >= len(sent), 10.0, "all readings heard")
        assert readings() == sent
        newest = START_MS
        for topic, payload in listener.heard:
            said = json.loads(payload)
            if "v" in said:
                newest = said["t"]
            elif topic.endswith("/clock"):
                assert said["t"] <= newest
                assert said["speed"] != 1.0


def test_retained_words_wait_for_whoever_comes_later() -> None:
    with Mosquitto() as broker:
        publish(morning(), broker.url, None, 70)
        with Listener(broker.url, ["h2/v1/jinma/+/+", "h2/v1/jinma/clock"]) as listener:
            wait_until(lambda: len(listener.heard) >= len(PLANT.gateways) + 4, 10.0, "retained words heard")
    said = {topic.removeprefix("h2/v1/jinma/"): json.loads(payload) for topic, payload in listener.heard}
    assert {"clock", "plan/2026-06-01", "plan/2026-06-02", "queue/gate"} < set(said)
    assert len(said["plan/2026-06-01"]["trucks"]) > 50
    gateways = [body for name, body in said.items() if name.startswith("gateway/")]
    assert all(body["sim"] and not body["online"] for body in gateways)  # it ended in good order


def test_a_broker_that_forgets_everything_costs_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_FIRST_LOOK_S", 0.5)
    twin = {
        (tuple(topic.split("/")[3:]), json.loads(payload)["t"])
        for _, topic, payload, seq in morning().emissions(180)
        if seq != NOT_NUMBERED
    }
    store = SqliteReadings(tmp_path / "store.sqlite")
    clock = FollowedClock()
    with Mosquitto(persistence=False) as broker:
        service = IngestService(
            MqttFeed(broker.url, "test-ingest", feed_filters(station_clock=True), persistent=True, gather_s=GATHER_S),
            MqttPublisher(broker.url, "test-ingest-out"),
            store,
            Admission([PLANT]),
            clock,
            tmp_path / "spool",
            follow=clock.update,
        )
        service.start()
        crashed = threading.Event()

        def crash(progress: Progress) -> None:
            if progress.t_ms > START_MS + 60_000 and not crashed.is_set():
                crashed.set()
                broker.kill()
                broker.start()

        def stored() -> set[tuple[tuple[str, ...], int]]:
            # A gateway's clock may be some hundredths of a second before the first moment, or after the last.
            return {(m.key, m.t_ms) for m in store.messages(PLANT.id, START_MS - 1000, START_MS + 181_000)}

        try:
            stop = threading.Event()
            station = morning()
            runner = threading.Thread(
                target=publish, args=(station, broker.url, 20.0, 300, stop, crash), name="test-publisher"
            )
            runner.start()
            try:
                wait_until(lambda: stored() >= twin, 30.0, "everything stored", every_s=0.3)
            finally:
                stop.set()
                runner.join(5.0)
            assert crashed.is_set()
            assert not runner.is_alive()
        finally:
            service.stop()
            store.close()


def test_it_ends_within_three_seconds_with_the_broker_away() -> None:
    with Mosquitto() as broker:
        stop, ended = threading.Event(), threading.Event()
        results: list[Published] = []
        sent = threading.Event()

        def run() -> None:
            results.append(publish(morning(), broker.url, None, 86_400, stop, lambda _: sent.set()))
            ended.set()

        threading.Thread(target=run, name="test-publisher", daemon=True).start()
        assert sent.wait(10.0)
        broker.kill()
        stop.set()
        assert ended.wait(3.0)
        assert not results[0].settled


def test_a_fault_sent_by_mqtt_shows_in_the_readings() -> None:
    trip = {"fault": "train-trip", "unit": "train-2", "for_s": 600}
    state = PLANT.tag("compression", "train-2", "state")
    tripped = PLANT.signals[state].state_number("trip")
    with Mosquitto() as broker, Listener(broker.url, ["h2/v1/jinma/compression/train-2"]) as listener:
        commander = MqttPublisher(broker.url, "test-commander")
        stop = threading.Event()

        def command(progress: Progress) -> None:
            if progress.t_ms < START_MS + 30_000:
                commander.publish(listening_filters(PLANT.id)[0], json.dumps(trip).encode())

        runner = threading.Thread(
            target=publish, args=(morning(), broker.url, 20.0, 3600, stop, command), name="test-publisher"
        )
        runner.start()
        try:
            wait_until(
                lambda: any(json.loads(payload)["v"].get(state) == tripped for _, payload in list(listener.heard)),
                15.0,
                "train-2 tripped",
            )
        finally:
            stop.set()
            runner.join(5.0)
            commander.close(0.5)
