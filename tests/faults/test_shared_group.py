"""Two ingests share the messages of a broker, and one of them is killed: none lost, none doubled."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from station.adapters.store_urls import open_store
from tests.support import service
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.pouring import AREA, TAG, UNIT, Pouring
from tests.support.processes import wait_until

RATE = 3000.0
_MINUTE_MS = 60_000


@pytest.mark.slow
def test_two_workers_lose_and_double_nothing(tmp_path: Path) -> None:
    with Influxd() as influx, Mosquitto(persistence=False) as broker:
        own = {"INFLUXDB_V2_TOKEN": influx.token}
        homes = [tmp_path / "one", tmp_path / "two"]
        for home in homes:
            home.mkdir()
        one, two = (
            service.ingest(broker.url, influx.store_url(), home, "--shared-group", "pair", env=own) for home in homes
        )
        store = open_store(influx.store_url(), influx.token)
        pouring = Pouring(broker.url, RATE)

        def stored() -> list[int]:
            rows = store.raw("jinma", TAG, pouring.base_ms, pouring.base_ms + pouring.sent)
            return [int(row.value or 0) for row in rows]

        with one, two:
            pouring.start()
            wait_until(lambda: len(stored()) > RATE, 30, "the first messages stored", every_s=0.2)
            two.kill()
            before = pouring.sent
            wait_until(lambda: pouring.sent > before + RATE, 30, "messages while one is away")
            two.start()
            wait_until(lambda: pouring.sent > before + 2 * RATE, 30, "messages for both")
            pouring.stop()
            wait_until(lambda: len(stored()) == pouring.sent, 30, "all of it stored", every_s=0.5)
        assert stored() == list(range(pouring.sent))
        tags = {"station": "jinma", "area": AREA, "unit": UNIT}
        start_ms = pouring.base_ms - pouring.base_ms % _MINUTE_MS
        counts = store.read_points("ingest", tags, start_ms, pouring.base_ms + pouring.sent)
        store.close()
        pouring.publisher.close()
    received = {point.tags["worker"]: 0.0 for point in counts}
    for point in counts:
        received[point.tags["worker"]] += float(point.fields["received"])
        assert point.fields["gaps"] == 0
    assert len(received) == 2
    assert min(received.values()) > pouring.sent / 4, "one of them did it all"
    sys.stdout.write(f"{pouring.sent} messages, 0 lost, 0 doubled; {sum(received.values()) - pouring.sent:.0f} twice\n")


def test_a_second_ingest_without_a_group_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Mosquitto(persistence=False) as broker:
        one = service.ingest(broker.url, f"sqlite:///{tmp_path}/one.sqlite", tmp_path / "one")
        two = service.ingest(broker.url, f"sqlite:///{tmp_path}/two.sqlite", tmp_path / "two")
        with one:
            pouring = Pouring(broker.url, 100.0)
            pouring.start()
            with two:
                wait_until(lambda: not two.running(), 30, "the end of the second one")
                assert two.stop() == 1
                assert "station jinma: ingest" in two.output()
            assert one.running()
            pouring.stop()
            pouring.publisher.close()
