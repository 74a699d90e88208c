"""A whole ingest as a process of its own, ended by SIGTERM: `python -m tests.faults.ingest_child BROKER DIRECTORY`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from ingest.service import GATHER_S, IngestService, feed_filters
from station.adapters.clocks import WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.wire.admission import Admission


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    url, directory = sys.argv[1], Path(sys.argv[2])
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    store = SqliteReadings(directory / "readings.sqlite")
    publisher = MqttPublisher(url, "test-ingest-marks", first_connect_s=10)
    feed = MqttFeed(
        url, "jinma-ingest", feed_filters(station_clock=False), persistent=True, gather_s=GATHER_S, first_connect_s=10
    )
    service = IngestService(feed, publisher, store, Admission([shipped_plant()]), WallClock(), directory / "spool")
    service.start()
    say("started")
    ending.wait()
    service.stop()
    publisher.close()
    store.close()
    say(repr(service.figures()))


if __name__ == "__main__":
    main()
