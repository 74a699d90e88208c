"""Each panel's Flux, run on a real InfluxDB that holds a simulated morning: a panel without its data fails."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from api.alarms.points import alarm_points
from api.live.service_points import alarm_point, capacity_point
from dashboards.grafana.build import build_dashboards
from dashboards.grafana.overview import overview_uid
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters import flux
from station.adapters.property_tables import hydrogen_tables
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.ports import ServicePoint
from tests.support.influxd import Influxd
from tests.support.plants import jinma

PLANT = jinma()
BUCKET = "grafana"
LENGTH = dt.timedelta(minutes=50)
FORECAST = {
    "station": "jinma",
    "valid": True,
    "plan": {"trucks": 100, "kg": 4000.0},
    "done": {"trucks": 21, "kg": 840.5},
    "deliverable_kg": {"p10": 2900.0, "p50": 3100.0, "p90": 3300.0},
    "trucks_servable": {"p10": 70.0, "p50": 77.0, "p90": 80.0},
    "shortfall_kg": {"p50": 59.0, "p90": 120.0},
    "shortfall_probability": 0.62,
    "bottleneck": "trailers",
    "shortfall_at": None,
}
SERIES = {  # panel -> how many series or rows it has on a morning like this one
    "Highest hydrogen": 1,
    "Emergency shutdown": 1,
    "Active alarms": 4,
    "Data age": 8,
    "Deliverable": 1,
    "Trucks servable": 1,
    "Shortfall today": 1,
    "Risk of shortfall": 1,
    "Bottleneck": 1,
    "Dispensed against plan": 2,
    "Deliverable to the horizon": 4,
    "Low bank": 2,
    "Middle bank": 2,
    "High bank": 2,
    "Trailers": 4,
    "Bays": 4,
    "Compressor trains": 4,
    "Flow of each train": 4,
    "Hoses": 8,
    "Flow of each hose": 8,
    "Fills in the view": 8,
    "Hydrogen dispensed in the view": 8,
    "Alarms of the view": 1,
}
Table = list[dict[str, str]]


def busy_morning() -> dt.datetime:
    """The last 07:40 of the station, before which many trucks came, less than a day ago."""
    now = dt.datetime.now(PLANT.timezone)
    end = now.replace(hour=7, minute=40, second=0, microsecond=0)
    return end if end < now else end - dt.timedelta(days=1)


@dataclasses.dataclass
class Panels:
    """The dashboard, and the InfluxDB that its queries are asked of."""

    influxd: Influxd
    dashboard: dict[str, Any]
    end: dt.datetime

    def tables(self, query: str, station: str = PLANT.id) -> list[Table]:
        """Ask as Grafana does: with the view's times and the station put in."""
        start, stop = (
            moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") for moment in (self.end - LENGTH, self.end)
        )
        view = f"option v = {{timeRangeStart: {start}, timeRangeStop: {stop}, windowPeriod: 10s}}\n"
        imports, rest = (
            re.findall(r"^import .*$", query, re.MULTILINE),
            re.sub(r"^import .*$", "", query, flags=re.MULTILINE),
        )
        text = "\n".join([*imports, view, rest]).replace("${station}", station)
        request = urllib.request.Request(
            f"{self.influxd.url}/api/v2/query?{urllib.parse.urlencode({'org': self.influxd.org})}",
            json.dumps({"query": text, "dialect": {"annotations": []}}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Token {self.influxd.token}"},
        )
        with urllib.request.urlopen(request, timeout=60.0) as answer:
            rows = list(flux.records(io.StringIO(answer.read().decode(), newline="")))
        found: dict[tuple[str, ...], Table] = {}
        for row in rows:
            key = (row["table"], *(row.get(name, "") for name in ("unit", "_field", "_measurement")))
            found.setdefault(key, []).append(row)
        return list(found.values())

    def panel(self, title: str) -> dict[str, Any]:
        (panel,) = (p for p in self.dashboard["panels"] if name(p) == title)
        assert isinstance(panel, dict)
        return panel

    def asked(self, title: str, station: str = PLANT.id) -> list[Table]:
        return [table for target in self.panel(title)["targets"] for table in self.tables(target["query"], station)]

    def numbers(self, title: str, station: str = PLANT.id) -> list[float]:
        return [float(table[-1]["_value"]) for table in self.asked(title, station)]


def name(panel: dict[str, Any]) -> str:
    """The English part of a panel's title."""
    return re.split(r"[^\x20-\x7e]", panel["title"])[0].strip()


def service_points(end: dt.datetime) -> Iterator[ServicePoint]:
    end_ms = round(end.timestamp() * 1000)
    for minute in range(30, -1, -1):
        yield capacity_point(PLANT.id, end_ms - minute * 60_000 - 1, FORECAST)
    states = {"PT-330A.HH": ["UNACK"], "PT-330A.H": ["UNACK", "ACKED"], "PT-152.L": ["UNACK", "NORM"]}
    for alarm_id, changes in states.items():
        view = alarm_points(PLANT, PLANT.id)[alarm_id].view()
        for number, state in enumerate(changes):
            changed = dataclasses.replace(view, state=state, value=48.1)
            yield alarm_point(PLANT.id, changed, end_ms - 600_000 + number * 60_000)


@pytest.fixture(scope="module")
def panels(influxd: Influxd) -> Iterator[Panels]:
    end = busy_morning()
    begin = (end - LENGTH).astimezone(dt.UTC)
    physics = StationPhysics(PLANT, hydrogen_tables(), shipped_scenario("normal-day"), begin, 1)
    store = open_store(influxd.store_url(BUCKET), influxd.token)
    every = dt.timedelta(seconds=5)
    store.write(SimulatedStation(PLANT, physics, 1).advance(LENGTH.total_seconds(), step_s=5.0, every=every))
    store.write_points(list(service_points(end)))
    yield Panels(influxd, build_dashboards(PLANT, bucket=BUCKET)[overview_uid(PLANT)], end)
    store.close()


def test_every_panel_is_known_here(panels: Panels) -> None:
    assert [name(p) for p in panels.dashboard["panels"] if p["type"] != "row"] == list(SERIES)


@pytest.mark.parametrize("title", SERIES)
def test_a_panel_shows_data_of_its_shape(panels: Panels, title: str) -> None:
    tables = panels.asked(title)
    panel = panels.panel(title)
    assert len(tables) == SERIES[title], tables[:3]
    if panel["type"] == "table":
        assert {"_time", "priority", "id", "state", "text_zh", "text_en"} <= set(tables[0][0])
        assert [row["_time"] for row in tables[0]] == sorted((row["_time"] for row in tables[0]), reverse=True)
        return
    for table in tables:
        assert all(float(row["_value"]) == float(row["_value"]) for row in table)
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert len(table) >= 10
            assert all(row["_time"] for row in table)
    label = re.search(r"labels\.(\w+)", panel["fieldConfig"]["defaults"].get("displayName", ""))
    if label:
        assert len({table[0][label[1]] for table in tables}) == len(tables)


def test_numbers_are_those_that_were_written(panels: Panels) -> None:
    assert panels.numbers("Active alarms") == [0.0, 1.0, 1.0, 0.0]
    assert panels.numbers("Emergency shutdown") == [0.0]
    assert panels.numbers("Deliverable") == [3100.0]
    assert panels.numbers("Bottleneck") == [1.0]
    assert sorted(panels.numbers("Dispensed against plan")) == [840.5, 4000.0]
    assert 0.0 <= panels.numbers("Highest hydrogen")[0] < 10.0
    fills, kilograms = sum(panels.numbers("Fills in the view")), sum(panels.numbers("Hydrogen dispensed in the view"))
    assert fills >= 3
    assert 20.0 * fills < kilograms < 80.0 * (fills + 8)


def test_a_station_without_data_says_so_and_has_no_alarm(panels: Panels) -> None:
    assert panels.asked("Highest hydrogen", "elsewhere") == []
    assert panels.asked("Emergency shutdown", "elsewhere") == []
    assert panels.asked("Deliverable", "elsewhere") == []
    assert panels.numbers("Active alarms", "elsewhere") == [0.0, 0.0, 0.0, 0.0]


def test_data_age_is_the_newest_value_of_an_area(panels: Panels) -> None:
    store = open_store(panels.influxd.store_url(BUCKET), panels.influxd.token)
    now_ms = round(dt.datetime.now(dt.UTC).timestamp() * 1000)
    for tag, age_ms in (("PT-330A", 90_000), ("PT-310A", 30_000)):
        store.write([UnitMessage("fresh", "storage", PLANT.signals[tag].unit, now_ms - age_ms, {tag: 40.0})])
    store.close()
    (age,) = panels.numbers("Data age", "fresh")
    assert 30.0 <= age < 60.0


def test_the_station_variable_and_the_marks_find_what_is_there(panels: Panels) -> None:
    (variable,) = panels.dashboard["templating"]["list"]
    found = {row["_value"] for table in panels.tables(variable["query"]) for row in table}
    assert PLANT.id in found
    assert re.fullmatch(variable["regex"].strip("/"), f"{PLANT.id}~ab12cd34")
    assert not re.fullmatch(variable["regex"].strip("/"), f"{PLANT.id}2")
    (marks,) = panels.dashboard["annotations"]["list"]
    (table,) = panels.tables(marks["target"]["query"])
    assert {(row["text"], row["tags"]) for row in table} == {
        ("PT-330A.HH", "high"),
        ("PT-330A.H", "medium"),
        ("PT-152.L", "low"),
    }
