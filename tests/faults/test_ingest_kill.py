"""kill -9 of ingest at full rate: nothing lost, nothing doubled, quickly back; `JINMA_FAULT_ROUNDS` times."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.sqlite_readings import SqliteReadings
from station.wire import topics
from tests.support.mosquitto import Mosquitto
from tests.support.processes import OwnedProcess, wait_until

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "10"))
TOPIC, TAG = topics.reading("jinma", "storage", "bank-HB"), "PT-330A"
BATCH = 50
PAUSE_S = 0.01
"""50 messages each 10 ms: up to 5000/s, a hundred times the station's own rate."""


class Pouring(threading.Thread):
    """Publishes numbered messages until told to end; each has a time of its own, so each is a point of its own."""

    def __init__(self, url: str) -> None:
        super().__init__(name="pouring")
        self.publisher = MqttPublisher(url, "test-pouring")
        self.sent = 0
        self.base_ms = time.time_ns() // 1_000_000 - 3_600_000
        self.ending = threading.Event()

    def run(self) -> None:
        for start in itertools.count(0, BATCH):
            self.publisher.publish_many([(TOPIC, self._payload(number)) for number in range(start, start + BATCH)])
            self.sent = start + BATCH
            if self.ending.wait(PAUSE_S):
                return

    def _payload(self, number: int) -> bytes:
        return b'{"t":%d,"boot":"b","seq":%d,"v":{"%s":%d}}' % (self.base_ms + number, number, TAG.encode(), number)


class Marks:
    """The watermark as a publisher sees it."""

    def __init__(self, url: str) -> None:
        self.seq = -1
        self._feed = MqttFeed(url, "test-marks", [topics.stored("jinma", "storage", "bank-HB")])
        self._feed.start(self._take)

    def _take(self, messages: object) -> None:
        for _, payload in messages:  # type: ignore[attr-defined]
            self.seq = int(payload.split(b'"seq":')[1].split(b",")[0])

    def stop(self) -> None:
        self._feed.stop()


@pytest.mark.slow
def test_kill_9_of_ingest_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    # The broker lives on here; without saving its state it is ten times as fast.
    with Mosquitto(persistence=False) as broker:
        command = [sys.executable, "-m", "tests.faults.ingest_child", broker.url, str(tmp_path)]
        log = tmp_path / "ingest.log"
        with OwnedProcess(command, log) as first:
            wait_until(lambda: "started" in first.output(), 20, "the first ingest")
            pouring, marks = Pouring(broker.url), Marks(broker.url)
            pouring.start()
            first.kill()
        back_s = []
        for _ in range(ROUNDS):
            log.unlink(missing_ok=True)
            before = marks.seq
            with OwnedProcess(command, log) as child:
                wait_until(lambda: "started" in child.output(), 20, "an ingest")
                began = time.monotonic()
                wait_until(lambda: marks.seq > before, 10, "the first delivery")  # noqa: B023 - used in this round only
                back_s.append(time.monotonic() - began)
                threading.Event().wait(chance.uniform(0.0, 0.3))  # the moment of death is what is varied
                child.kill()
        pouring.ending.set()
        pouring.join(10)
        assert pouring.publisher.settle(30)
        with OwnedProcess(command, log) as last:
            wait_until(lambda: marks.seq == pouring.sent - 1, 60, "all settled")
            last.stop()
            assert last.output().count("Traceback") == 0
        pouring.publisher.close()
        marks.stop()
    _check_store(tmp_path / "readings.sqlite", pouring)
    assert max(back_s) < 2.0
    sys.stdout.write(f"{ROUNDS} kills, {pouring.sent} messages, first delivery after {max(back_s):.2f} s at most\n")


def _check_store(path: Path, pouring: Pouring) -> None:
    store = SqliteReadings(path)
    stored = [int(r.value or 0) for r in store.raw("jinma", TAG, pouring.base_ms, pouring.base_ms + pouring.sent)]
    store.close()
    lost = set(range(pouring.sent)) - set(stored)
    assert not lost, f"{len(lost)} of {pouring.sent} lost, the first is {min(lost)}"
    assert len(stored) == pouring.sent


def test_sigterm_ends_ingest_at_once_with_nothing_lost(tmp_path: Path) -> None:
    with Mosquitto(persistence=False) as broker:
        command = [sys.executable, "-m", "tests.faults.ingest_child", broker.url, str(tmp_path)]
        with OwnedProcess(command, tmp_path / "ingest.log") as child:
            wait_until(lambda: "started" in child.output(), 20, "the ingest")
            pouring = Pouring(broker.url)
            pouring.start()
            wait_until(lambda: pouring.sent > 500, 10, "some messages")
            began = time.monotonic()
            os.kill(child.pid, signal.SIGTERM)
            wait_until(lambda: not child.running(), 5, "the end")
            assert time.monotonic() - began < 3.0
            assert child.stop() == 0
        pouring.ending.set()
        pouring.join(10)
        pouring.publisher.settle(10)
        with OwnedProcess(command, tmp_path / "ingest.log") as child:
            marks = Marks(broker.url)
            wait_until(lambda: marks.seq == pouring.sent - 1, 20, "all settled")
            marks.stop()
        pouring.publisher.close()
    _check_store(tmp_path / "readings.sqlite", pouring)
