"""How soon, how cheaply, and with how much rubbish: `python -m bench.bench_ingest_service`.

1. From a publish until InfluxDB answers a query with it, at 200 messages/s.
2. Processor time of `jinma ingest` at the station's own rate, beside InfluxDB and beside SQLite.
3. 10 000 messages that are refused among 100 000 good ones: what becomes of the rate of the good ones.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.bench_ingest_peer import made, publish
from bench.figures import show
from bench.ingest_peers import cpu_s, points_written
from ingest.service import feed_filters
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.store_urls import open_store
from station.wire import topics
from tests.support import service
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.processes import OwnedProcess, find_program, wait_until

RATE, ASKED = 200.0, 150
FOR_S = float(os.environ.get("JINMA_BENCH_SECONDS", "30"))
GOOD, POISON, POISON_ROUNDS = 100_000, 10_000, 6
TAG, TOPIC = "PT-330A", topics.reading("jinma", "storage", "bank-HB")
_BAD = (b"\xff\xfe", b'{"t":"now","v":{}}', b'{"t":1,"v":{"PT-330A":1}}', b'{"v":{"PT-330A":1}}')


def main() -> None:
    """Print the tables."""
    if find_program("influxd") is None:
        sys.stdout.write("no influxd: scripts/build_influxd.sh builds it\n")
        return
    _show_delays()
    _show_own_rate()
    _show_poison()


@contextmanager
def _running(influx: Influxd | None) -> Iterator[tuple[Mosquitto, service.Ingest, Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="jinma-bench-") as name,
        Mosquitto(persistence=False, extra="max_inflight_messages 20000\n") as broker,
    ):
        folder = Path(name)
        store = f"sqlite:///{folder}/readings.sqlite" if influx is None else influx.store_url()
        own = {} if influx is None else {"INFLUXDB_V2_TOKEN": influx.token}
        with service.ingest(broker.url, store, folder, env=own) as ingest:
            yield broker, ingest, folder


class _Steady(threading.Thread):
    """Publishes at a rate, each message by itself, and notes when."""

    def __init__(self, url: str, rate: float) -> None:
        super().__init__(name="steady", daemon=True)
        self.at: list[float] = []
        self.base_ms = time.time_ns() // 1_000_000 - 3_600_000
        self.ending = threading.Event()
        self._rate = rate
        self._publisher = MqttPublisher(url, "bench-steady")

    def run(self) -> None:
        """Publish until told to end."""
        began = time.perf_counter()
        while not self.ending.is_set():
            number = len(self.at)
            self.at.append(time.perf_counter())
            payload = b'{"t":%d,"boot":"s","seq":%d,"v":{"%s":%d}}' % (
                self.base_ms + number,
                number,
                TAG.encode(),
                number,
            )
            self._publisher.publish(TOPIC, payload)
            self.ending.wait(max(0.0, began + (number + 1) / self._rate - time.perf_counter()))
        self._publisher.close()


def _show_delays() -> None:
    """Ask again and again for the message that was published last, until it is there."""
    delays: list[float] = []
    with Influxd() as influx, _running(influx) as (broker, _, _):
        store = open_store(influx.store_url(), influx.token)
        steady = _Steady(broker.url, RATE)
        steady.start()
        wait_until(lambda: bool(store.raw("jinma", TAG, steady.base_ms, steady.base_ms + 1)), 30, "the first one")
        for _ in range(ASKED):
            number = len(steady.at)
            wait_until(lambda: len(steady.at) > number, 10, "the next one", every_s=0.0005)  # noqa: B023 - now
            t_ms = steady.base_ms + number
            wait_until(lambda: bool(store.raw("jinma", TAG, t_ms, t_ms + 1)), 10, "a point", every_s=0.0)  # noqa: B023
            delays.append(1000 * (time.perf_counter() - steady.at[number]))
        steady.ending.set()
        steady.join()
        store.close()
    cuts = statistics.quantiles(delays, n=100)
    show(
        f"from a publish until InfluxDB answers a query with it, {RATE:.0f} messages/s",
        (f"{ASKED} asked for, the query included", "median ms", "p95 ms", "p99 ms"),
        [("jinma ingest", f"{statistics.median(delays):.0f}", f"{cuts[94]:.0f}", f"{cuts[98]:.0f}")],
    )


def _show_own_rate() -> None:
    rows = []
    with Influxd() as influx:
        for title, where in (("InfluxDB", influx), ("SQLite", None)):
            with _running(where) as (broker, ingest, folder):
                simulate = [str(Path(sys.executable).with_name("jinma")), "simulate", "--broker", broker.url]
                with OwnedProcess(simulate, folder / "simulate.log"):
                    rows.append((title, *_used_by(ingest, broker)))
    show("processor of `jinma ingest` at the station's own rate", ("store", "messages/s", "of a core"), rows)


def _used_by(ingest: service.Ingest, broker: Mosquitto) -> tuple[str, str]:
    count = [0]

    def hear(messages: Sequence[tuple[str, bytes]]) -> None:
        count[0] += len(messages)

    feed = MqttFeed(broker.url, "bench-ear", feed_filters(station_clock=False))
    feed.start(hear)
    wait_until(lambda: count[0] > 500, 60, "a steady state")
    cpu, heard, began = cpu_s(ingest.pid), count[0], time.perf_counter()
    wait_until(lambda: time.perf_counter() - began > FOR_S, FOR_S + 5, "the time", every_s=0.2)
    used, took, heard = cpu_s(ingest.pid) - cpu, time.perf_counter() - began, count[0] - heard
    feed.stop()
    return f"{heard / took:.0f}", f"{100 * used / took:.2f} %"


def _show_poison() -> None:
    good = made(GOOD)
    mixed = list(good)
    for index in range(POISON):
        mixed.insert(index * 11, (good[index][0], _BAD[index % len(_BAD)]))
    with Influxd() as influx:
        pairs = [(_rate_of_good(influx, good), _rate_of_good(influx, mixed)) for _ in range(POISON_ROUNDS)]
    # The best of some: each takes a second or two, and other programs on the machine only ever take away.
    plain, spoilt = max(alone for (alone, _), _ in pairs), max(among for _, (among, _) in pairs)
    kept = min(count for _, (_, count) in pairs)
    show(
        f"{GOOD} good messages, waiting in mosquitto",
        ("", "good msg/s", "x", "dead letters"),
        [
            ("alone", f"{plain:,.0f}", "1.00", "0"),
            (f"{POISON} more among them, that are refused", f"{spoilt:,.0f}", f"{spoilt / plain:.2f}", f"{kept}"),
        ],
    )


def _rate_of_good(influx: Influxd, messages: Sequence[tuple[str, bytes]]) -> tuple[float, int]:
    with _running(influx) as (broker, ingest, folder):
        ingest.stop()
        publish(broker.url, messages)
        before = points_written(influx)
        seen: list[tuple[float, int]] = []
        ingest.start()

        def done() -> bool:
            count = points_written(influx) - before
            if count:
                seen.append((time.perf_counter(), count))
            return count >= GOOD

        wait_until(done, 120, "all the good ones", every_s=0.01)
        ingest.stop()
        ledger = sqlite3.connect(folder / "spool" / "ledger.sqlite")
        (kept,) = ledger.execute("select count(*) from dead_letters").fetchone()
        ledger.close()
    (begin, first), (end, last) = seen[0], seen[-1]
    return (last - first) / (end - begin), kept


if __name__ == "__main__":
    main()
