"""Ingest on a real mosquitto and a real SQLite store: outages, poison, a second ingest."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.service import GATHER_S, WATERMARK_FILTER, IngestService, feed_filters
from ingest.watermarks import SecondIngestError
from station.adapters.clocks import WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from station.errors import JinmaError, StoreUnavailableError
from station.ports import Reading
from station.wire import topics
from station.wire.admission import Admission
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_until

TAG = "PT-330A"
TOPIC = topics.reading("jinma", "storage", "bank-HB")
_ids = itertools.count()


class Away(SqliteReadings):
    """A store that can be away."""

    away = threading.Event()

    def write(self, messages: Sequence[UnitMessage]) -> None:
        if self.away.is_set():
            raise StoreUnavailableError("store at nowhere:1 does not answer")
        super().write(messages)


class Station:
    """A broker, a store, an ingest and a device."""

    def __init__(self, broker: Mosquitto, directory: Path) -> None:
        self.broker = broker
        self.directory = directory
        self.store = Away(directory / "readings.sqlite")
        self.store.away = threading.Event()
        self.device = MqttPublisher(broker.url, f"device-{next(_ids)}")
        self.base_ms = time.time_ns() // 1_000_000 - 600_000
        self.marks: list[dict[str, object]] = []
        self.mark_feed = MqttFeed(broker.url, f"marks-{next(_ids)}", [topics.stored("jinma", "storage", "bank-HB")])
        self.mark_feed.start(lambda messages: self.marks.extend(json.loads(p) for _, p in messages))
        self.ingests: list[IngestService] = []
        self.markers: list[MqttPublisher] = []

    def ingest(self, spool: str = "spool", **options: object) -> IngestService:
        number = next(_ids)
        watch = MqttFeed(self.broker.url, f"watch-{number}", [WATERMARK_FILTER], skip_retained=True)
        feed = MqttFeed(
            self.broker.url, "jinma-ingest", feed_filters(station_clock=False), persistent=True, gather_s=GATHER_S
        )
        publisher = MqttPublisher(self.broker.url, f"marker-{number}")
        self.markers.append(publisher)
        service = IngestService(
            feed,
            publisher,
            self.store,
            Admission([shipped_plant()]),
            WallClock(),
            self.directory / spool,
            watch=watch,
            **options,  # type: ignore[arg-type]
        )
        service.start()
        self.ingests.append(service)
        return service

    def send(self, numbers: Sequence[int]) -> None:
        self.device.publish_many([(TOPIC, self.payload(number)) for number in numbers])
        assert self.device.settle(20)

    def payload(self, number: int) -> bytes:
        return b'{"t":%d,"boot":"b","seq":%d,"v":{"PT-330A":%d}}' % (self.base_ms + number, number, number)

    def readings(self) -> list[Reading]:
        return self.store.raw("jinma", TAG, self.base_ms, self.base_ms + 600_000)

    def await_values(self, numbers: Sequence[int]) -> None:
        wait_until(lambda: len(self.readings()) >= len(numbers), 20, f"{len(numbers)} readings")
        assert [int(r.value or 0) for r in self.readings()] == list(numbers)

    def close(self) -> None:
        for service in self.ingests:
            service.stop()
        for publisher in (self.device, *self.markers):
            publisher.close()
        self.mark_feed.stop()
        self.store.close()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Mosquitto(persistence=False) as broker:
        station = Station(broker, tmp_path)
        try:
            yield station
        finally:
            station.close()


def test_an_outage_of_the_store_is_made_up_for(station: Station) -> None:
    service = station.ingest()
    station.send(range(100))
    station.await_values(range(100))
    station.store.away.set()
    station.send(range(100, 3000))
    wait_until(lambda: service.figures().store_error is not None, 10, "the outage seen")
    wait_until(lambda: service.figures().committed == 3000, 10, "all of it acknowledged")
    assert len(station.readings()) == 100
    station.store.away.clear()
    station.await_values(range(3000))
    assert service.figures().missing == 0
    wait_until(lambda: bool(station.marks) and station.marks[-1]["seq"] == 2999, 5, "the watermark")


def test_what_came_while_ingest_was_away_is_with_the_broker(station: Station) -> None:
    station.ingest().stop()
    station.send(range(500))
    service = station.ingest()
    station.await_values(range(500))
    assert service.figures().duplicates == 0


def test_a_restart_of_the_broker_is_survived(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        station = Station(broker, tmp_path)
        station.ingest()
        station.send(range(200))
        broker.restart()
        station.send(range(200, 400))
        station.await_values(range(400))
        station.close()


def test_poison_among_good_costs_nothing_but_itself(station: Station) -> None:
    service = station.ingest()
    good, poison = range(10_000), 1000
    mixed = [(TOPIC, station.payload(number)) for number in good]
    bad = [
        (TOPIC, b"\xff\xfe"),
        (TOPIC, b'{"t":"now","v":{}}'),
        ("h2/v1/jinma/storage/bank-XX", station.payload(1)),
        ("h2/v1/elsewhere/storage/bank-HB", station.payload(1)),
        (TOPIC, b'{"t":1,"v":{"PT-330A":1}}'),
    ]
    for index in range(poison):
        mixed.insert(index * 11, bad[index % len(bad)])
    station.device.publish_many(mixed)
    station.await_values(good)
    wait_until(lambda: sum(service.figures().refused.values()) == poison, 10, "all poison set aside")
    assert service.figures().refused == dict.fromkeys(("json", "shape", "unit", "station", "time"), poison // len(bad))
    assert len(service.dead_letters(10**6)) == poison


def test_a_full_spool_leaves_the_rest_with_the_broker(station: Station) -> None:
    service = station.ingest(spool_bytes=100_000)
    station.store.away.set()
    station.send(range(8000))
    wait_until(lambda: service.figures().spool_full, 10, "a full spool")
    assert service.figures().spool_bytes <= 100_000
    assert service.figures().committed < 8000
    station.store.away.clear()
    station.await_values(range(8000))
    assert service.figures().missing == 0


def test_a_second_ingest_yields_to_the_first(station: Station) -> None:
    first = station.ingest()
    station.send(range(10))
    station.await_values(range(10))
    ended: list[JinmaError] = []
    station.ingest("second-spool", on_failure=ended.append)
    sent = itertools.count(10)

    def keep_sending() -> bool:
        number = next(sent)
        station.device.publish_many([(TOPIC, station.payload(number))])
        return bool(ended)

    wait_until(keep_sending, 20, "the second ingest gone", every_s=0.1)
    assert isinstance(ended[0], SecondIngestError)
    assert first.name in str(ended[0])
    assert station.device.settle(5)
    station.await_values(range(next(sent)))


def test_the_stop_of_an_ingest_is_quick(station: Station) -> None:
    service = station.ingest()
    station.store.away.set()
    station.send(range(1000))
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 10.0  # it does not wait for the store, which stays away
    station.store.away.clear()
    station.ingest()
    station.await_values(range(1000))
