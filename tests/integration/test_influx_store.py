"""What a real InfluxDB does that no fake does: refuse, restart, be away, and be set up wrongly."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request

import pytest

from station.adapters.influx_bucket import RETENTION_S
from station.adapters.influx_readings import InfluxReadings
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.errors import BadInputError, PointsRefusedError, StoreUnavailableError
from tests.support.influxd import Influxd
from tests.support.ports import free_port

DAY = 86_400_000


def message(t_ms: int, value: float = 1.0, unit: str = "bank-HB") -> UnitMessage:
    return UnitMessage("jinma", "storage", unit, t_ms, {"PT-330A": value})


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def bucket_named(influxd: Influxd, name: str) -> dict[str, object]:
    request = urllib.request.Request(
        f"{influxd.url}/api/v2/buckets?name={name}", headers={"Authorization": f"Token {influxd.token}"}
    )
    with urllib.request.urlopen(request, timeout=10.0) as answer:
        (bucket,) = json.load(answer)["buckets"]
    assert isinstance(bucket, dict)
    return bucket


def test_a_missing_bucket_is_made_and_keeps_30_days(influxd: Influxd) -> None:
    store = open_store(influxd.store_url("made-by-us"), influxd.token)
    rules = bucket_named(influxd, "made-by-us")["retentionRules"]
    assert isinstance(rules, list)
    assert [rule["everySeconds"] for rule in rules] == [RETENTION_S]
    store.close()
    open_store(influxd.store_url("made-by-us"), influxd.token).close()


def test_points_beyond_retention_are_refused_and_the_rest_is_stored(influxd: Influxd) -> None:
    store = open_store(influxd.store_url("refusing"), influxd.token)
    now = now_ms()
    batch = [message(now - n * 1000, float(n)) for n in range(100)]
    for place in (3, 50, 51, 99):
        batch[place] = message(now - 40 * DAY - place)
    with pytest.raises(PointsRefusedError) as caught:
        store.write(batch)
    assert sorted(caught.value.refused) == [3, 50, 51, 99]
    assert all("retention" in reason for reason in caught.value.refused.values())
    assert len(store.raw("jinma", "PT-330A", now - DAY, now + 1)) == 96
    with pytest.raises(PointsRefusedError) as caught:
        store.write([message(now - 40 * DAY - n) for n in range(3000)])
    assert len(caught.value.refused) == 3000
    store.close()


def test_a_field_that_another_program_made_a_text_is_refused_alone(influxd: Influxd) -> None:
    store = open_store(influxd.store_url("conflict"), influxd.token)
    now = now_ms()
    request = urllib.request.Request(
        f"{influxd.url}/api/v2/write?org={influxd.org}&bucket=conflict&precision=ms",
        f'storage,station=jinma,unit=elsewhere ZS-1="open" {now}'.encode(),
        {"Authorization": f"Token {influxd.token}"},
    )
    urllib.request.urlopen(request, timeout=10.0).close()
    odd = UnitMessage("jinma", "storage", "bank-MB", now, {"ZS-1": 1.0})
    with pytest.raises(PointsRefusedError) as caught:
        store.write([message(now), odd, message(now, 3.0, "bank-LB")])
    assert len(store.raw("jinma", "PT-330A", now, now + 1)) == 1  # of two units at one time, one reading
    assert {m.unit for m in store.messages("jinma", now, now + 1)} == {"bank-HB", "bank-LB"}
    assert store.latest("jinma", ["ZS-1"]) == {}
    assert store.raw("jinma", "ZS-1", now, now + 1) == []
    assert list(caught.value.refused) == [1]
    assert "type conflict" in caught.value.refused[1]
    store.close()


def test_wrong_settings_are_told_at_once_with_the_endpoint(influxd: Influxd) -> None:
    url = urllib.parse.urlsplit(influxd.url).netloc
    with pytest.raises(BadInputError, match=rf"{url} refuses the token: set INFLUXDB_V2_TOKEN"):
        open_store(influxd.store_url(), "wrong")
    with pytest.raises(BadInputError, match=rf"{url}.*organisation 'nobody'"):
        open_store(f"influxdb://{url}/nobody/nothing", influxd.token)
    for bad, text in [
        (f"influxdb://{url}/onlyorg", "organisation and bucket"),
        (f"influxdb://{url}/a/b/c", "organisation and bucket"),
        ("influxdb:///org/bucket", "host"),
        ("influxdb://host:port/org/bucket", "[Pp]ort"),
        ("postgres://host/x", "unknown kind"),
        ("sqlite://", "three slashes"),
        ("sqlite://relative.db", "three slashes"),
        ("readings.db", "unknown kind"),
    ]:
        with pytest.raises(BadInputError, match=text):
            open_store(bad, "token")
    with pytest.raises(BadInputError, match="INFLUXDB_V2_TOKEN"):
        open_store(influxd.store_url(), None)


def test_a_token_that_may_only_read_says_so_and_data_waits(influxd: Influxd) -> None:
    bucket = bucket_named(influxd, influxd.bucket)
    resource = {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}
    made = influxd.post(
        "/api/v2/authorizations",
        {"orgID": bucket["orgID"], "permissions": [{"action": "read", "resource": resource}]},
    )
    assert isinstance(made, dict)
    store = open_store(influxd.store_url(), made["token"])
    assert store.raw("nobody", "PT-330A", 0, 1) == []
    with pytest.raises(StoreUnavailableError, match=influxd.url):
        store.write([message(now_ms())])
    store.close()


def test_nobody_answers() -> None:
    port = free_port()
    store = open_store(f"influxdb://127.0.0.1:{port}/org/bucket", "token")
    with pytest.raises(StoreUnavailableError, match=f"127.0.0.1:{port} cannot be reached"):
        store.write([message(now_ms())])
    with pytest.raises(StoreUnavailableError, match=f"127.0.0.1:{port} cannot be reached"):
        store.latest("jinma", ["PT-330A"])
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.write([message(now_ms())])


def test_a_restart_of_influxd_and_a_deleted_bucket_are_survived() -> None:
    with Influxd() as server:
        store = InfluxReadings(server.url, server.token, server.org, "h2")
        now = now_ms()
        store.write([message(now - 2)])
        server.stop()
        with pytest.raises(StoreUnavailableError):
            store.write([message(now - 1)])
        server.start()
        store.write([message(now - 1), message(now)])
        assert len(store.raw("jinma", "PT-330A", now - 10, now + 1)) == 3
        made = bucket_named(server, "h2")["id"]
        request = urllib.request.Request(
            f"{server.url}/api/v2/buckets/{made}", headers={"Authorization": f"Token {server.token}"}, method="DELETE"
        )
        urllib.request.urlopen(request, timeout=10.0).close()
        with pytest.raises(StoreUnavailableError, match="bucket"):
            store.latest("jinma", ["PT-330A"])
        store.write([message(now)])  # made again
        assert len(store.raw("jinma", "PT-330A", now - 10, now + 1)) == 1
        store.close()
