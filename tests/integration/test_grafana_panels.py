"""Each panel's Flux, run on a real InfluxDB that holds a simulated day: a panel without its data fails."""

from __future__ import annotations

import collections
import datetime as dt
import re
from typing import Any

import pytest

from dashboards.grafana.build import Built, build_station
from station.domain.signals import UnitMessage
from tests.support.grafana_day import AS_OPENED, OUT_OF_MINUTES, WHOLE_DAY, GrafanaDay, Table, View
from tests.support.influxd import Influxd
from tests.support.plants import jinma

PLANT = jinma()
BUCKET = "grafana"
BUILT = build_station(PLANT, bucket=BUCKET)
SAFETY = {"Highest hydrogen": 1, "Emergency shutdown": 1, "Active alarms": 4}
OUTLOOK = {
    "Deliverable": 1, "Trucks servable": 1, "Shortfall today": 1, "Shortfall risk": 1, "Bottleneck": 1,
    "Dispensed and planned": 2,
}  # fmt: skip
SERIES = {  # board -> panel -> how many series it has; those of one title stand in their order
    "overview": [*SAFETY.items(), ("Data age", 8), *OUTLOOK.items(), ("Banks", 3), ("Trailers", 4),
        ("Compressor trains", 4), ("Hoses", 8), ("Bays", 4), ("Active now", 1)],
    "capacity": [*SAFETY.items(), ("Data age", 5), *OUTLOOK.items(), ("Queue wait p90", 1), ("Time to empty", 1),
        ("Trailer needed by", 1), ("Lead to shortfall", 1), ("N-1", 1), ("Deliverable", 3), ("Trucks servable", 3),
        ("Dispensed against plan", 2), ("Shortfall risk", 1), ("Recharge against demand", 2),
        ("Demand by hour", 1), ("Bottleneck", 1),
        ("Queue wait", 2), ("Shortfall today", 2)],
    "storage": [*SAFETY.items(), ("Data age", 2), ("Low bank", 2), ("Middle bank", 2), ("High bank", 2),
        ("Bank temperature", 3), ("High-pressure header", 1), ("Vent stack", 1), ("Bank valves", 6),
        ("Relief and vent", 4), ("Trailers", 4), ("Bays", 4), ("Unloading flow", 4), ("Trailer temperature", 4),
        ("Low-pressure header", 1), ("Inlet filter", 1), ("Weighbridge", 1)],
    "compression": [*SAFETY.items(), ("Data age", 3), ("Compressor trains", 4), ("Flow of each train", 4),
        ("Suction pressure", 4), ("Interstage pressure", 4), ("Discharge pressure", 4), ("First stage", 4),
        ("Second stage", 4), ("Aftercooler", 4), ("Vibration", 4), ("Diaphragm leak", 4), ("Oil pressure", 4),
        ("Oil temperature", 4), ("Motor power", 4), ("Availability", 4), ("Chillers", 2), ("Brine tank", 1),
        ("Brine supply", 2), ("Brine return", 2), ("Brine flow", 2), ("Refrigerant suction", 2),
        ("Refrigerant discharge", 2), ("Chiller power", 2), ("Energy per kilogram", 1), ("Site power", 1),
        ("Cooling water", 1), ("Instrument air", 1)],
    "dispensing": [*SAFETY.items(), ("Data age", 3), ("Hoses", 8), ("Flow of each hose", 8), ("Nozzle pressure", 8),
        ("Delivery temperature", 8), ("Fills", 1), ("Fills by hose", 8), ("Hydrogen by hose", 8),
        ("Vehicle pressure", 8), ("Vehicle temperature", 8), ("State of charge", 8), ("Cabinet purge", 4),
        ("Cabinet temperature", 4), ("Water", 1), ("Carbon monoxide", 1), ("Oxygen", 1), ("Nitrogen+argon", 1),
        ("Methane", 1)],
    "alarms": [*SAFETY.items(), ("Data age", 8), ("Active now", 1), ("Alarm changes", 1), ("Alarm rate", 1),
        ("Most frequent", 1), ("Each detector", 21), ("Highest hydrogen", 1), ("Messages received", 10),
        ("Gaps, late, twice, refused", 4), ("Gateway silence", 11), ("Clock offset", 1), ("Doubtful readings", 8)],
}  # fmt: skip
WITHOUT_A_NUMBER = {"Time to empty"}
"""In the forecast of this day; its newest is null, and the panel says "none"."""
NOT_EACH_TIME = {"Vehicle pressure", "Vehicle temperature", "State of charge", "Demand by hour", "Energy per kilogram"}
"""Not every hose is used in a quarter of an hour, nor is an hour before it among the minutes."""


def panels(board: str, built: Built = BUILT) -> list[dict[str, Any]]:
    return [one for one in built.boards[f"h2-jinma-{board}"]["panels"] if one["type"] != "row"]


def name(panel: dict[str, Any]) -> str:
    """The English part of a panel's title."""
    return re.split(r"[^\x20-\x7e]", panel["title"])[0].strip()


def asked(day: GrafanaDay, panel: dict[str, Any], view: View = AS_OPENED, station: str = PLANT.id) -> list[Table]:
    return [table for target in panel["targets"] for table in day.tables(target["query"], view, station)]


def numbers(day: GrafanaDay, board: str, title: str, station: str = PLANT.id) -> list[float]:
    panel = next(one for one in panels(board) if name(one) == title)
    return [float(table[-1]["_value"]) for table in asked(day, panel, WHOLE_DAY, station)]


@pytest.fixture(scope="module")
def day(influxd: Influxd) -> GrafanaDay:
    return GrafanaDay(influxd, BUCKET, PLANT)


@pytest.mark.parametrize("board", SERIES)
def test_every_panel_shows_data_of_its_shape(day: GrafanaDay, board: str) -> None:
    shown = panels(board)
    assert [name(one) for one in shown] == [title for title, _ in SERIES[board]]
    for panel, (title, series) in zip(shown, SERIES[board], strict=True):
        by_query = [day.tables(target["query"]) for target in panel["targets"]]
        assert sum(map(len, by_query)) == series, title
        for tables in by_query:
            labels = [label_of(panel, table[0]) for table in tables]
            assert len(set(labels)) == len(labels), (title, labels)
            for table in tables:
                check_shape(panel, table, title)


def check_shape(panel: dict[str, Any], table: Table, title: str) -> None:
    if panel["type"] == "table":
        overridden = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
        assert overridden <= set(table[0]), title
        times = [row.get("_time", "") for row in table]
        assert times == sorted(times, reverse=True), title
        return
    values = [float(row["_value"]) for row in table if row["_value"] != ""]
    assert values or title in WITHOUT_A_NUMBER, title
    if panel["type"] in {"timeseries", "state-timeline"}:
        assert len(values) >= (5 if panel["fieldConfig"]["defaults"]["custom"].get("drawStyle") == "bars" else 20), (
            title
        )
        times = [row["_time"] for row in table]
        assert times == sorted(times), title
        assert len(set(times)) == len(times), title


def label_of(panel: dict[str, Any], row: dict[str, str]) -> str:
    """The name that Grafana gives a series: of `_field`, or of the label that the panel names."""
    label = re.search(r"labels\.(\w+)", panel["fieldConfig"]["defaults"].get("displayName", ""))
    return row[label[1]] if label else row.get("_field", "")


@pytest.mark.parametrize("board", SERIES)
def test_long_windows_are_answered_out_of_minutes(day: GrafanaDay, board: str) -> None:
    for panel in panels(board):
        if panel["type"] not in {"timeseries", "state-timeline"} or name(panel) in NOT_EACH_TIME:
            continue
        tables = asked(day, panel, OUT_OF_MINUTES)
        wanted = [series for title, series in SERIES[board] if title == name(panel)]
        assert len(tables) in wanted, name(panel)
        assert all(any(row["_value"] for row in table) for table in tables), name(panel)


def test_minutes_and_readings_show_the_same(day: GrafanaDay) -> None:
    panel = next(one for one in panels("compression") if name(one) == "Discharge pressure")
    by_view = [
        {(row["unit"], row["_time"]): row["_value"] for table in asked(day, panel, view) for row in table}
        for view in (OUT_OF_MINUTES, View(OUT_OF_MINUTES.length, "59s"))
    ]
    minutes, readings = ([float(v) for v in found.values() if v] for found in by_view)
    assert len(minutes) == 4 * 12
    assert (min(minutes), max(minutes)) == (min(readings), max(readings))


def test_numbers_are_those_that_were_written(day: GrafanaDay) -> None:
    assert numbers(day, "overview", "Active alarms") == [0.0, 1.0, 1.0, 0.0]
    assert numbers(day, "overview", "Emergency shutdown") == [0.0]
    assert numbers(day, "overview", "Bottleneck") == [1.0]
    assert 0.0 <= numbers(day, "overview", "Highest hydrogen")[0] < 10.0
    (rate,) = asked(day, next(one for one in panels("alarms") if name(one) == "Alarm rate"))
    assert sum(int(row["_value"]) for row in rate) == 3
    assert numbers(day, "compression", "Availability") == [1.0] * 4
    assert 0.5 < numbers(day, "compression", "Energy per kilogram")[0] < 2.5


def test_fills_and_their_kilograms_agree(day: GrafanaDay) -> None:
    panel = next(one for one in panels("dispensing") if name(one) == "Fills")
    (fills,) = asked(day, panel, WHOLE_DAY)
    by_hose = collections.Counter(row["hose"] for row in fills)
    counted = {
        table[0]["unit"]: int(table[-1]["_value"])
        for table in asked(day, next(one for one in panels("dispensing") if name(one) == "Fills by hose"), WHOLE_DAY)
    }
    assert 60 <= len(fills) <= 130
    assert all(counted[hose] - 1 <= by_hose[hose] <= counted[hose] for hose in counted), "but for one begun before"
    kilograms, given = sum(float(row["kg"]) for row in fills), sum(numbers(day, "dispensing", "Hydrogen by hose"))
    assert 0.9 * given < kilograms <= given + 1.0
    assert all(1.0 < float(row["minutes"]) < 90.0 for row in fills)


def test_a_silence_is_a_gap_and_the_end_of_data_is_seen(day: GrafanaDay) -> None:
    store = day.store()
    end_ms = round(day.end.timestamp() * 1000)
    minutes = [*range(60, 40, -1), *range(20, 10, -1)]
    for minute in minutes:
        unit = PLANT.signals["PT-2103"].unit
        store.write([UnitMessage("gap", "compression", unit, end_ms - minute * 60_000, {"PT-2103": 30.0})])
    store.close()
    panel = next(one for one in panels("compression") if name(one) == "Discharge pressure")
    (table,) = asked(day, panel, View(dt.timedelta(hours=1), "30s"), "gap")
    empty = [row["_time"] for row in table if not row["_value"]]
    wanted = [end_ms - 41 * 60_000 + 30_000, end_ms - 11 * 60_000 + 30_000]
    assert [round(dt.datetime.fromisoformat(t).timestamp() * 1000) for t in empty] == wanted


def test_a_station_without_data_says_so_and_has_no_alarm(day: GrafanaDay) -> None:
    for board in SERIES:
        for panel in panels(board):
            if panel["type"] == "state-timeline" or name(panel) in {"Highest hydrogen", "Deliverable", "Banks"}:
                assert asked(day, panel, station="elsewhere") == [], name(panel)
    assert numbers(day, "overview", "Active alarms", "elsewhere") == [0.0, 0.0, 0.0, 0.0]


def test_data_age_is_the_newest_value_of_an_area(day: GrafanaDay) -> None:
    store = day.store()
    now_ms = round(dt.datetime.now(dt.UTC).timestamp() * 1000)
    for tag, age_ms in (("PT-330A", 90_000), ("PT-310A", 30_000)):
        store.write([UnitMessage("fresh", "storage", PLANT.signals[tag].unit, now_ms - age_ms, {tag: 40.0})])
    store.close()
    (age,) = numbers(day, "overview", "Data age", "fresh")
    assert 30.0 <= age < 60.0


def test_the_station_variable_and_the_marks_find_what_is_there(day: GrafanaDay) -> None:
    board = BUILT.boards["h2-jinma-overview"]
    (variable,) = board["templating"]["list"]
    found = {row["_value"] for table in day.tables(variable["query"]) for row in table}
    assert PLANT.id in found
    assert re.fullmatch(variable["regex"].strip("/"), f"{PLANT.id}~ab12cd34")
    assert not re.fullmatch(variable["regex"].strip("/"), f"{PLANT.id}2")
    marks = [day.tables(one["target"]["query"]) for one in board["annotations"]["list"]]
    told = [[(row["text"].split(":")[0], row["tags"]) for table in tables for row in table] for tables in marks]
    assert told[0] == [("PT-330A.HH", "high")]
    assert sorted(told[1]) == [("PT-152.L", "low"), ("PT-330A.H", "medium")]


def test_rules_find_what_they_watch(day: GrafanaDay) -> None:
    series = {"gas-hh": 21, "gas-h": 21, "esd": 1, "silent": 8, "no-forecast": 1, "shortfall": 1}
    for rule in BUILT.rules["rules"]:
        step = rule["data"][0]
        tables = day.tables(
            step["model"]["query"], View(dt.timedelta(seconds=step["relativeTimeRange"]["from"]), "10s")
        )
        assert len(tables) == series[rule["uid"].removeprefix("alert-jinma-")], rule["title"]
        for table in tables:
            assert len(table) == 1
            assert not {"_field", "_measurement", "_start"} & set(table[0]), "only labels of its own"
