"""The real servers that the tests start come up, answer and go away."""

from __future__ import annotations

import json
import urllib.request

from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.ports import accepts_connections


def test_mosquitto_listens_restarts_and_leaves_nothing() -> None:
    with Mosquitto() as broker:
        first = broker.process.pid
        broker.restart()
        assert broker.process.pid != first
        assert accepts_connections(broker.port)
    assert not broker.process.running()
    assert not accepts_connections(broker.port)


def test_influxd_is_set_up_with_its_bucket_and_token(influxd: Influxd) -> None:
    request = urllib.request.Request(
        f"{influxd.url}/api/v2/buckets?name={influxd.bucket}", headers={"Authorization": f"Token {influxd.token}"}
    )
    with urllib.request.urlopen(request, timeout=10.0) as answer:
        buckets = json.load(answer)["buckets"]
    assert [b["name"] for b in buckets] == [influxd.bucket]
