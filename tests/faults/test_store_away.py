"""InfluxDB away for long while 2000 messages a second come: nothing lost, no memory taken, quickly made up for.

Away 3 s by default, `JINMA_FAULT_ROUNDS` x 3 s beyond 10 rounds (200 rounds: ten minutes).
"""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from station.adapters.store_urls import open_store
from tests.support import service
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.pouring import TAG, Marks, Pouring
from tests.support.processes import wait_until

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "10"))
AWAY_S = 3.0 if ROUNDS <= 10 else 3.0 * ROUNDS
RATE = 2000.0
MORE_MEMORY_MOST = 50 * 1024 * 1024


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def delivered(port: int) -> int:
    """What the ingest's metrics say of the messages that the store has."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert "jinma_ingest_write_seconds_bucket" in text
    return int(float(text.split("\njinma_ingest_delivered_total ")[1].split()[0]))


@pytest.mark.slow
def test_an_outage_of_influxdb_costs_delay_only(tmp_path: Path) -> None:
    with Influxd() as influx, Mosquitto(persistence=False) as broker:
        metrics = free_port()
        own = {"INFLUXDB_V2_TOKEN": influx.token, "JINMA_METRICS_PORT": str(metrics)}
        with service.ingest(broker.url, influx.store_url(), tmp_path, env=own) as ingest:
            marks = Marks(broker.url)
            pouring = Pouring(broker.url, RATE)
            pouring.start()
            wait_until(lambda: marks.seq > RATE, 30, "the first messages stored")
            before = resident_bytes(ingest.pid)
            influx.kill()
            began = time.monotonic()
            wait_until(lambda: time.monotonic() - began > AWAY_S, AWAY_S + 5, "the outage", every_s=0.2)
            more = resident_bytes(ingest.pid) - before
            influx.start()
            pouring.stop()
            first = delivered(metrics)
            wait_until(lambda: delivered(metrics) > first, 30, "the store taken up again", every_s=0.01)
            again, waiting = time.monotonic(), pouring.sent - delivered(metrics)
            wait_until(lambda: delivered(metrics) == pouring.sent, 60 + AWAY_S, "all of it stored", every_s=0.01)
            rate = waiting / (time.monotonic() - again)
            wait_until(lambda: marks.seq == pouring.sent - 1, 10, "the watermark")
            pouring.publisher.close()
            marks.stop()
        store = open_store(influx.store_url(), influx.token)
        stored = store.raw("jinma", TAG, pouring.base_ms, pouring.base_ms + pouring.sent)
        store.close()
    assert [int(reading.value or 0) for reading in stored] == list(range(pouring.sent))
    assert more < MORE_MEMORY_MOST
    sys.stdout.write(
        f"away {AWAY_S:.0f} s: {pouring.sent} messages, 0 lost, {more / 1e6:+.1f} MB, "
        f"drained at {rate:.0f}/s, {rate / RATE:.1f} x their arrival\n"
    )
