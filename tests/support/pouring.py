"""A device that publishes numbered messages at a rate, and what the broker says of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.sqlite_readings import SqliteReadings
from station.wire import topics

AREA, UNIT, TAG = "storage", "bank-HB", "PT-330A"
TOPIC = topics.reading("jinma", AREA, UNIT)
PAUSE_S = 0.01
_STUCK_S = 2.0
"""With no word of what is stored for so long, a device that keeps its messages sends them again."""


class Marks:
    """The watermark as a publisher sees it."""

    def __init__(self, url: str) -> None:
        self.seq = -1
        self._feed = MqttFeed(url, "test-marks", [topics.stored("jinma", AREA, UNIT)])
        self._feed.start(self._take)

    def _take(self, messages: Sequence[tuple[str, bytes]]) -> None:
        for _, payload in messages:
            self.seq = max(self.seq, int(json.loads(payload)["seq"]))

    def stop(self) -> None:
        self._feed.stop()


class Pouring(threading.Thread):
    """Publishes numbered messages until told to end; each has a time of its own, so each is a point of its own.

    Args:
        url: The broker.
        rate: Messages a second, in bursts each 10 ms.
        marks: What is stored; a device that has it sends again what lies above it after a reconnect, and when nothing
            of it is stored for 2 s. Without it what the broker acknowledged is forgotten.
    """

    def __init__(self, url: str, rate: float = 5000.0, marks: Marks | None = None) -> None:
        super().__init__(name="pouring")
        self.sent = 0
        self.base_ms = time.time_ns() // 1_000_000 - 7_200_000
        self.ending = threading.Event()
        self._batch = max(1, round(rate * PAUSE_S))
        self._marks = marks
        self._again = threading.Event()
        self.publisher = MqttPublisher(url, "test-pouring", on_connection_change=self._changed)

    def run(self) -> None:
        moved, mark, due = time.monotonic(), -1, time.monotonic()
        while not self.ending.is_set():
            self._send(range(self.sent, self.sent + self._batch))
            self.sent += self._batch
            if self._marks is not None:
                if self._marks.seq != mark:
                    moved, mark = time.monotonic(), self._marks.seq
                if self._again.is_set() or time.monotonic() - moved > _STUCK_S:
                    self.send_again()
                    moved = time.monotonic()
            due = max(due + PAUSE_S, time.monotonic() - 0.1)
            self.ending.wait(max(0.0, due - time.monotonic()))

    def send_again(self) -> None:
        """Send what is not known to be stored."""
        assert self._marks is not None
        self._again.clear()
        self._send(range(self._marks.seq + 1, self.sent))

    def _send(self, numbers: range) -> None:
        self.publisher.publish_many([(TOPIC, self.payload(number)) for number in numbers])

    def payload(self, number: int) -> bytes:
        """Return the message of a number."""
        return b'{"t":%d,"boot":"b","seq":%d,"v":{"%s":%d}}' % (self.base_ms + number, number, TAG.encode(), number)

    def _changed(self, up: bool) -> None:
        if up and self.sent:
            self._again.set()

    def stop(self) -> None:
        """Send no more new ones, and wait for the broker to have all."""
        self.ending.set()
        self.join(30)
        assert not self.is_alive()
        assert self.publisher.settle(60)


def stored_numbers(path: Path, pouring: Pouring) -> list[int]:
    """Return the numbers in a SQLite store, by time."""
    store = SqliteReadings(path)
    try:
        rows = store.raw("jinma", TAG, pouring.base_ms, pouring.base_ms + pouring.sent)
    finally:
        store.close()
    return [int(row.value or 0) for row in rows]
