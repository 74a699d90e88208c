"""kill -9 of mosquitto, without a word on its disk, while a device publishes 2000/s; `JINMA_FAULT_ROUNDS` / 5 times.

A device that keeps what is above the watermark loses nothing. One that does not keep loses what the broker had
acknowledged, and the gaps that are reported say exactly how much.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.service import GATHER_S, IngestService, feed_filters
from station.adapters.clocks import WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.wire.admission import Admission
from tests.support.mosquitto import Mosquitto
from tests.support.pouring import Marks, Pouring, stored_numbers
from tests.support.processes import wait_until

KILLS = max(2, int(os.environ.get("JINMA_FAULT_ROUNDS", "10")) // 5)
RATE = 2000.0


@contextmanager
def ingest(url: str, directory: Path) -> Iterator[IngestService]:
    store = SqliteReadings(directory / "readings.sqlite")
    feed = MqttFeed(url, "jinma-ingest", feed_filters(station_clock=False), persistent=True, gather_s=GATHER_S)
    publisher = MqttPublisher(url, "test-ingest-marks")
    service = IngestService(feed, publisher, store, Admission([shipped_plant()]), WallClock(), directory / "spool")
    service.start()
    try:
        yield service
    finally:
        service.stop()
        publisher.close()
        store.close()


def kill_it(broker: Mosquitto, service: IngestService, chance: random.Random) -> None:
    """Kill the broker again and again, each time after some of the messages have come through."""
    for _ in range(KILLS):
        before = service.figures().delivered
        wait_until(lambda: service.figures().delivered > before + 500, 30, "messages")  # noqa: B023 - in this round
        broker.kill()
        threading.Event().wait(chance.uniform(0.0, 1.0))  # how long it is away is what is varied
        broker.start()


@pytest.mark.slow
def test_a_device_that_keeps_what_is_above_the_watermark_loses_nothing(tmp_path: Path) -> None:
    with Mosquitto(persistence=False) as broker, ingest(broker.url, tmp_path) as service:
        marks = Marks(broker.url)
        pouring = Pouring(broker.url, RATE, marks)
        pouring.start()
        kill_it(broker, service, random.Random(2))
        pouring.stop()
        for _ in range(20):
            if marks.seq == pouring.sent - 1:
                break
            pouring.send_again()
            threading.Event().wait(1.0)
        wait_until(lambda: marks.seq == pouring.sent - 1, 30, "all settled")
        pouring.publisher.close()
        marks.stop()
        assert service.figures().missing == 0
    assert stored_numbers(tmp_path / "readings.sqlite", pouring) == list(range(pouring.sent))
    sys.stdout.write(f"{KILLS} kills of the broker, {pouring.sent} messages, 0 lost\n")


@pytest.mark.slow
def test_what_a_device_without_memory_loses_is_what_the_gaps_report(tmp_path: Path) -> None:
    missing = 0
    with Mosquitto(persistence=False) as broker:
        pouring = Pouring(broker.url, RATE)
        for round_ in range(KILLS + 1):
            with ingest(broker.url, tmp_path) as service:
                if round_ == 0:
                    pouring.start()
                wait_until(lambda: service.figures().delivered > 500, 30, "messages")
                if round_ == KILLS:
                    pouring.stop()
                    _wait_for_the_last(service)
            missing += service.figures().missing
            if round_ < KILLS:
                before = pouring.sent  # now the broker keeps for the ingest that is away, until it dies with it
                wait_until(lambda: pouring.sent > before + 500, 30, "messages")  # noqa: B023 - in this round
                broker.kill()
                broker.start()
        pouring.publisher.close()
    stored = stored_numbers(tmp_path / "readings.sqlite", pouring)
    lost = pouring.sent - len(set(stored))
    tail = pouring.sent - 1 - max(stored)
    assert lost == missing + tail
    assert lost >= 500 * KILLS, "nothing was lost: this has shown nothing"
    sys.stdout.write(f"{KILLS} kills of the broker, {pouring.sent} messages, {lost} lost, {missing} reported\n")


def _wait_for_the_last(service: IngestService) -> None:
    """Nobody says which message is the last: wait until nothing comes any more, and all that came is stored."""
    seen = [(-1, -1), (0, 0)]
    while seen[-1] != seen[-2] or service.figures().oldest_age_s is not None:
        threading.Event().wait(1.0)
        figures = service.figures()
        seen.append((figures.received, figures.delivered))
