"""The same station-hour around a capacity alert, by the embedded default and by mosquitto and InfluxDB.

The station is wound forward to the hour in question once. Two simulators then go on from there, each as fast as its
broker takes the messages, so that the two ways differ in how the messages are cut and timed, and in nothing else.
`JINMA_TWO_WAYS_HOURS=2` compares two hours.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.publish import publish
from cli.simulator_side import keep_station, kept_station, new_station, scenario_named
from simulators.gateways.publishing import Published
from simulators.history import fill_history
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma
from tests.support.processes import wait_until, wait_while_moving
from tests.support.service import Service, ingest

PLANT = jinma()
MIDNIGHT = dt.datetime(2026, 6, 1, tzinfo=PLANT.timezone)
BEGIN = MIDNIGHT + dt.timedelta(hours=11, minutes=45)
"""In `late-trailers` a trailer is needed by then, and half an hour later the station will probably be short."""
HOURS = float(os.environ.get("JINMA_TWO_WAYS_HOURS", "1"))
BEGIN_MS = round(BEGIN.timestamp() * 1000)
END_MS = BEGIN_MS + round(HOURS * 3_600_000)
DAY_MS = round(MIDNIGHT.timestamp() * 1000)
STANDS_STILL_S = 60.0
"""Nothing taken for so long: nothing more will be."""


@dataclass(frozen=True)
class Told:
    """What one way says of these hours."""

    published: Published
    alarms: dict[str, dict[str, Any]]
    journal: list[tuple[str, ...]]
    forecasts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[UnitMessage]]:
    """The station as it is at the beginning, and what it said of the day so far."""
    station = new_station(PLANT, scenario_named("late-trailers"), MIDNIGHT, 1)
    history: list[UnitMessage] = []
    fill_history(station, history.extend, MIDNIGHT, BEGIN)
    state = tmp_path_factory.mktemp("morning") / "jinma.state"
    keep_station(station, state)
    return state, history


def bucket_of(influxd: Influxd, name: str) -> str:
    """Make a bucket of this test's own, which keeps June for ever, and return its store URL."""
    headers = {"Authorization": f"Token {influxd.token}"}
    org = httpx.get(f"{influxd.url}/api/v2/orgs", params={"org": influxd.org}, headers=headers).json()["orgs"][0]["id"]
    influxd.post("/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": []})
    return influxd.store_url(name)


def fill(store_url: str, token: str | None, history: list[UnitMessage]) -> None:
    store = open_store(store_url, token)
    for start in range(0, len(history), 5000):
        store.write(history[start : start + 5000])
    store.close()


class Way(threading.Thread):
    """Publishes the hours to a service in a thread, and takes down what the service says in the end."""

    def __init__(self, name: str, service: Service, state: Path) -> None:
        super().__init__(name=name)
        self.service = service
        self.told: Told | None = None
        self._state = state
        self._ending = threading.Event()

    def run(self) -> None:
        station = kept_station(PLANT, scenario_named("late-trailers"), self._state)
        assert station is not None
        done = publish(station, self.service.broker, None, self._ending, until_ms=END_MS, keeps_wall_time=False)
        wait_while_moving(self._heard, done.messages, STANDS_STILL_S, f"{self.name}: messages heard")
        wait_until(self._last_forecast_is_there, STANDS_STILL_S, f"{self.name}: the last forecast", every_s=0.5)
        self.told = Told(done, self._alarms(), self._journal(), self._forecasts())

    def _heard(self) -> float:
        self.service.process.check_running()
        return self.service.metrics()['jinma_messages_received_total{station="jinma"}']

    def _last_forecast_is_there(self) -> bool:
        # The grid point at the very end is asked for by the first message beyond it, which does not come.
        return bool(self.service.get("/stations/jinma/capacity/history", start=END_MS - 300_000, end=END_MS)["items"])

    def _alarms(self) -> dict[str, dict[str, Any]]:
        names = ("priority", "state", "active", "acked", "raised_at", "cleared_at", "first_out", "value", "limit")
        items = self.service.get("/stations/jinma/alarms", limit=1000)["items"]
        return {item["id"]: {name: item[name] for name in names} for item in items}

    def _journal(self) -> list[tuple[str, ...]]:
        """By the time of the event: a forecast's worker may be done a little before or after the next message."""
        rows = self._pages("/stations/jinma/alarms/journal")
        names = ("at", "id", "occurrence", "event", "value", "limit", "who", "note")
        return sorted(tuple(str(row[name]) for name in names) for row in rows)

    def _forecasts(self) -> list[dict[str, Any]]:
        return self._pages("/stations/jinma/capacity/history")

    def _pages(self, path: str) -> list[dict[str, Any]]:
        found, cursor = [], {}
        while True:
            page = self.service.get(path, start=BEGIN_MS - 60_000, end=END_MS + 60_000, **cursor)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}


def compare_stores(embedded: str, other: str, token: str) -> int:
    """Hold every message of one store against the other's; return how many there are."""
    one, two = open_store(embedded), open_store(other, token)
    try:
        count = 0
        pairs = itertools.zip_longest(one.messages("jinma", DAY_MS, END_MS), two.messages("jinma", DAY_MS, END_MS))
        for count, (left, right) in enumerate(pairs, start=1):  # noqa: B007 - counts
            assert left == right
        return count
    finally:
        one.close()
        two.close()


@pytest.mark.slow
def test_mosquitto_and_influxdb_say_what_the_embedded_default_says(
    morning: tuple[Path, list[UnitMessage]], influxd: Influxd, tmp_path: Path
) -> None:
    state, history = morning
    began_s = time.monotonic()
    store, env = bucket_of(influxd, "two-ways"), {"INFLUXDB_V2_TOKEN": influxd.token}
    embedded = Service("--no-simulator")
    embedded.data_dir.mkdir(parents=True)
    fill(embedded.store, None, history)
    fill(store, influxd.token, history)
    mosquitto = Mosquitto()  # of its own: another test's retained clock would be this station's
    place = ("--broker", mosquitto.url, "--store", store, "--clock", "station")
    with (
        mosquitto,
        embedded,
        ingest(mosquitto.url, store, tmp_path, "--clock", "station", env=env) as taking,
        Service(*place, command="serve", env=env) as serving,
    ):
        ways = [Way("embedded", embedded, state), Way("mosquitto", serving, state)]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        taking.stop()
        assert embedded.tracebacks() == serving.tracebacks() == []
        embedded.process.stop()
        one, two = (way.told for way in ways)
        assert one is not None
        assert two is not None
        assert one.published.messages == two.published.messages
        count = compare_stores(embedded.store, store, influxd.token)
    assert count == len(history) + one.published.messages
    assert one.forecasts == two.forecasts
    assert one.journal == two.journal
    assert one.alarms == two.alarms
    assert one.alarms["CAP-TRAILER"]["raised_at"] is not None
    assert one.alarms["CAP-SHORT"]["raised_at"] is not None
    sys.stdout.write(
        f"{count} messages, {len(one.journal)} journal rows, {len(one.forecasts)} forecasts alike;"
        f" CAP-SHORT raised {one.alarms['CAP-SHORT']['raised_at']}; {time.monotonic() - began_s:.0f} s\n"
    )
