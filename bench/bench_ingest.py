"""From mosquitto into a store, beside a paho subscriber that only counts: `python -m bench.bench_ingest`.

The messages wait in the broker before either of them connects, so that neither waits for a publisher.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bench.figures import count_values, messages, packets, show
from cli.ingest_side import CLIENT, build_ingest
from ingest.service import feed_filters
from station.adapters.memory import MemoryReadings
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.adapters.store_urls import open_store
from station.ports import ReadingStore
from station.settings import load_settings
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.processes import find_program, wait_until

MINUTES = 12
PATIENCE_S = 30.0

Figures = tuple[float, float]
"""Seconds of the wall and of our processor, a message."""


def main() -> None:
    said = messages(MINUTES, dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1))
    sent = packets(said)
    with Mosquitto() as broker, tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        folder = Path(name)
        counted = _count_only(broker, sent)
        rows = [("paho, counting", counted)]
        rows.append(("ingest, store in memory", _ingest(broker, sent, MemoryReadings(), folder / "a")))
        rows.append(("ingest, SQLite", _ingest(broker, sent, SqliteReadings(folder / "r.sqlite"), folder / "b")))
        if find_program("influxd") is not None:
            with Influxd() as influx:
                store = open_store(influx.store_url(), influx.token)
                rows.append(("ingest, InfluxDB", _ingest(broker, sent, store, folder / "c")))
    show(
        f"ingest: {len(sent)} messages, {count_values(said)} values, waiting in mosquitto",
        ("", "messages/s", "us of the wall", "us of our CPU", "x paho's CPU"),
        [_row(title, figures, counted) for title, figures in rows],
    )


def _row(title: str, figures: Figures, beside: Figures) -> tuple[str, ...]:
    wall, cpu = figures
    return title, f"{1 / wall:,.0f}", f"{wall * 1e6:.1f}", f"{cpu * 1e6:.1f}", f"{cpu / beside[1]:.2f}"


def _fill(broker: Mosquitto, sent: Sequence[tuple[str, bytes]]) -> None:
    publisher = MqttPublisher(broker.url, "bench-publisher")
    publisher.publish_many(sent)
    if not publisher.settle(PATIENCE_S):
        raise TimeoutError("mosquitto did not take the messages")
    publisher.close()


def _timed(begin: Callable[[], None], finished: Callable[[], bool], count: int) -> Figures:
    wall, cpu = time.perf_counter(), time.process_time()
    begin()
    wait_until(finished, PATIENCE_S, "all messages")
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


def _count_only(broker: Mosquitto, sent: Sequence[tuple[str, bytes]]) -> Figures:
    count = 0

    def on_message(_client: Client, _data: object, _message: MQTTMessage) -> None:
        nonlocal count
        count += 1

    def on_connect(
        client: Client, _data: object, _flags: ConnectFlags, _code: ReasonCode, _more: Properties | None
    ) -> None:
        client.subscribe([(one, 1) for one in feed_filters(station_clock=False)])

    client = Client(CallbackAPIVersion.VERSION2, "bench-counting", clean_session=False)
    client.on_message, client.on_connect = on_message, on_connect
    subscribed: list[int] = []
    client.on_subscribe = lambda *_: subscribed.append(1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    wait_until(lambda: bool(subscribed), PATIENCE_S, "a subscription")
    client.disconnect()
    client.loop_stop()
    _fill(broker, sent)

    def begin() -> None:
        client.connect("127.0.0.1", broker.port)
        client.loop_start()

    figures = _timed(begin, lambda: count >= len(sent), len(sent))
    client.unsubscribe(list(feed_filters(station_clock=False)))
    client.disconnect()
    client.loop_stop()
    return figures


def _ingest(broker: Mosquitto, sent: Sequence[tuple[str, bytes]], store: ReadingStore, spool: Path) -> Figures:
    feed = MqttFeed(broker.url, CLIENT, feed_filters(station_clock=False), persistent=True)
    feed.start(lambda _messages: None)
    feed.stop()
    _fill(broker, sent)
    failed: list[Exception] = []
    side = build_ingest(
        load_settings(), [shipped_plant()], broker.url, store, spool, follows_station=False, on_failure=failed.append
    )
    figures = _timed(side.start, lambda: bool(failed) or side.service.figures().delivered >= len(sent), len(sent))
    side.stop()
    store.close()
    if failed:
        raise failed[0]
    return figures


if __name__ == "__main__":
    main()
