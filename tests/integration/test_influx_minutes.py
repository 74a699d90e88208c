"""The tasks that keep minutes in a real InfluxDB: installed, run, run again after late data."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from station.adapters import influx_past, influx_readings
from station.adapters.influx_readings import InfluxReadings
from station.adapters.influx_windows import Question
from station.adapters.memory import MemoryReadings
from station.domain.signals import UnitMessage
from station.ports import Aggregate, Minute
from tests.support.influxd import Influxd
from tests.support.processes import wait_until

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HOURS_END = time.time_ns() // 1_000_000 // HOUR * HOUR - HOUR


def message(t_ms: int, value: float, tag: str = "PT-330A", quality: str | None = None) -> UnitMessage:
    return UnitMessage("jinma", "storage", "bank-HB", t_ms, {tag: value}, {tag: quality} if quality else {})


def get(influxd: Influxd, path: str) -> Any:
    request = urllib.request.Request(influxd.url + path, headers={"Authorization": f"Token {influxd.token}"})
    with urllib.request.urlopen(request, timeout=10.0) as answer:
        return json.load(answer)


def tasks_of(influxd: Influxd, bucket: str) -> dict[str, str]:
    """Return the ids of the tasks of a bucket by name."""
    found = get(influxd, "/api/v2/tasks?limit=500")["tasks"]
    return {task["name"]: task["id"] for task in found if task["name"].endswith(f" of {bucket}")}


def run_now(influxd: Influxd, task: str, at_ms: int) -> None:
    """Run a task as if it were `at_ms`, and wait for its end."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000))
    run = influxd.post(f"/api/v2/tasks/{task}/runs", {"scheduledFor": at})
    assert isinstance(run, dict)

    def status() -> str:
        try:
            return str(get(influxd, f"/api/v2/tasks/{task}/runs/{run['id']}")["status"])
        except urllib.error.HTTPError:
            return "between running and being written down"

    wait_until(lambda: status() in ("success", "failed"), 60.0, "task run")
    logs = get(influxd, f"/api/v2/tasks/{task}/runs/{run['id']}/logs")
    # An answer may come once and be missing again while the run is moved from the running to the ended ones.
    wait_until(lambda: status() == "success", 10.0, f"success of {logs}")


def test_tasks_follow_the_present_and_put_late_data_right(influxd: Influxd) -> None:
    now = time.time_ns() // 1_000_000 // MINUTE * MINUTE
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "followed", lambda: now)
    store.install_minutes(["ZS-330D"])
    store.install_minutes(["ZS-330D"])  # again: brought up to date, not doubled
    tasks = tasks_of(influxd, "followed")
    assert sorted(tasks) == ["jinma: late minutes of followed", "jinma: minutes of followed"]
    rules = get(influxd, "/api/v2/buckets?name=followed_1m")["buckets"][0]["retentionRules"]
    assert [rule["everySeconds"] for rule in rules] == [2 * 365 * 86_400]

    recent, old = now - 2 * MINUTE, now - now % HOUR - 2 * DAY
    store.write([message(recent + n * 1000, float(n)) for n in range(4)])
    store.write([message(recent, 1.0, "ZS-330D"), message(recent + 9000, 50.0, quality="bad:range")])
    run_now(influxd, tasks["jinma: minutes of followed"], now)
    assert store.minutes("jinma", "PT-330A", recent, now) == [Minute(recent, 1.5, 0.0, 3.0, 3.0, 4, 1)]
    assert store.minutes("jinma", "ZS-330D", recent, now) == [Minute(recent, None, None, None, 1.0, 1, 0)]

    store.write([message(old + 5 * MINUTE, 7.0), message(old + HOUR, 8.0), message(recent + 20_000, 9.0)])
    assert store.minutes("jinma", "PT-330A", old, old + DAY) == []
    run_now(influxd, tasks["jinma: late minutes of followed"], now)
    run_now(influxd, tasks["jinma: minutes of followed"], now)
    late = [Minute(t, v, v, v, v, 1, 0) for t, v in ((old + 5 * MINUTE, 7.0), (old + HOUR, 8.0))]
    assert store.minutes("jinma", "PT-330A", old, old + DAY) == late
    assert store.minutes("jinma", "PT-330A", recent, now) == [Minute(recent, 3.0, 0.0, 9.0, 9.0, 5, 1)]
    store.close()


def test_windows_older_than_readings_are_kept_come_from_minutes(influxd: Influxd) -> None:
    now = time.time_ns() // 1_000_000 // HOUR * HOUR
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "aged", lambda: now)
    first = now - 20 * DAY
    store.write([message(first + n * 20_000, float(n)) for n in range(180)])
    store.roll_up(first, first + HOUR)
    store.forget_before(now - DAY)
    store.close()
    later = InfluxReadings(influxd.url, influxd.token, influxd.org, "aged", lambda: now + 12 * DAY)
    assert later.raw("jinma", "PT-330A", first, now) == []
    found = later.windows("jinma", "PT-330A", first, first + HOUR, 20 * MINUTE, "mean")
    assert [(window.t_ms, window.value, window.quality) for window in found] == [
        (first + n * 20 * MINUTE, 29.5 + 60.0 * n, "good") for n in range(3)
    ]
    later.close()


def test_a_text_of_another_program_stops_no_minute(influxd: Influxd) -> None:
    now = time.time_ns() // 1_000_000 // HOUR * HOUR - HOUR
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "shared")
    store.write([message(now, 1.0), message(now + 1, 2.0, quality="uncertain:x"), message(now, 5.0, "PT-330B")])
    where = urllib.parse.urlencode({"org": influxd.org, "bucket": "shared", "precision": "ms"})
    urllib.request.urlopen(
        urllib.request.Request(
            f"{influxd.url}/api/v2/write?{where}",
            f'storage,station=jinma,unit=else ZS-1="open" {now}'.encode(),
            {"Authorization": f"Token {influxd.token}"},
        ),
        timeout=10.0,
    ).close()
    store.roll_up(now, now + HOUR)  # most of it without a reading, though the shard knows text and quality
    assert store.minutes("jinma", "PT-330A", now, now + HOUR) == [Minute(now, 1.5, 1.0, 2.0, 2.0, 2, 0)]
    assert store.minutes("jinma", "PT-330B", now, now + HOUR) == [Minute(now, 5.0, 5.0, 5.0, 5.0, 1, 0)]
    store.close()


@pytest.mark.parametrize("aggregate", ["mean", "min", "max", "last", "count"])
def test_long_ranges_are_answered_out_of_minutes_with_the_numbers_of_the_readings(
    influxd: Influxd, monkeypatch: pytest.MonkeyPatch, aggregate: Aggregate
) -> None:
    now, plain = HOURS_END + HOUR, MemoryReadings()
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "long", lambda: now)
    said = long_story()
    plain.write(said)
    if store.is_empty("long"):
        store.write(said)
        monkeypatch.setattr(influx_readings, "_ROLL_UP_STEP_MS", 12 * HOUR)
        store.roll_up(HOURS_END - 9 * HOUR, HOURS_END)  # the first three hours were there before the tasks
    monkeypatch.setattr(influx_past, "LONG_MS", HOUR)
    start, end = HOURS_END - 12 * HOUR + 7 * MINUTE, HOURS_END - 90_000
    for every, offset in ((HOUR, 0), (20 * MINUTE, 5 * MINUTE)):
        expected = plain.windows("jinma", "PT-330A", start, end, every, aggregate, offset)
        found = store.windows("jinma", "PT-330A", start, end, every, aggregate, offset)
        assert [(w.t_ms, w.quality) for w in found] == [(w.t_ms, w.quality) for w in expected]
        assert [w.value for w in found] == pytest.approx([w.value for w in expected], rel=1e-12)
        asked = Question("jinma", ("PT-330A",), start, end, every, offset, (aggregate,))
        assert len(found) / 3 <= len(store._sure(asked, 0)["PT-330A"]) < len(found)
    store.close()


def long_story() -> list[UnitMessage]:
    """Twelve hours, each 10 s: a gap in one, something doubtful in one, something bad in one, an odd minute in one."""
    said: list[UnitMessage] = []
    for n in range(12 * 360):
        t_ms = HOURS_END - 12 * HOUR + n * 10_000
        hour, second = divmod(n * 10, 3600)
        if hour == 4 and 600 <= second < 1500:
            continue
        quality = {(6, 900): "uncertain:drift", (8, 900): "bad:range"}.get((hour, second))
        said.append(message(t_ms, round(40 + n % 97 / 10, 1), quality=quality))
        if (hour, second) == (10, 900):
            said.append(message(t_ms + 5000, 99.9))
    return said
