"""Logs into a store: out and in again in every format, another's by a mapping file, twice without a change."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import pytest

from cli.log_export import export_range
from cli.log_import import import_file, print_draft
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.log_export import export_log
from station.adapters.log_files import log_records, write_log
from station.adapters.log_order import in_time_order
from station.adapters.property_tables import hydrogen_tables
from station.adapters.sqlite_readings import SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.ports import ReadingStore
from station.wire import json_v1
from tests.support.foreign import EXAMPLE, HEADER, foreign_log
from tests.support.influxd import Influxd
from tests.support.plants import jinma

START = dt.datetime.fromisoformat("2026-06-01T10:55+08:00")
FORMATS = (".ndjson", ".ndjson.gz", ".csv", ".csv.zst", "wide.csv", "wide.csv.gz", ".parquet", ".lp")
FAR_MS = 4_102_444_800_000
Row = tuple[object, ...]


@pytest.fixture(scope="module")
def said() -> list[UnitMessage]:
    """Two minutes of all units, with a sensor that gives no value; whole points, as a store has them."""
    physics = StationPhysics(jinma(), hydrogen_tables(), shipped_scenario("sensor-faults"), START, 1)
    found: dict[Row, UnitMessage] = {}
    for message in SimulatedStation(jinma(), physics, 1).advance(120.0):
        found[message.key, message.t_ms] = message
    return list(found.values())


@pytest.fixture(scope="module")
def full(said: list[UnitMessage], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "readings.sqlite"
    store = SqliteReadings(path)
    store.write(said)
    store.close()
    return path


def rows_of(store: ReadingStore) -> set[Row]:
    """What two logs are compared by (contract section 8)."""
    return {
        (m.station, m.area, m.unit, r.signal, r.t_ms, r.value, r.quality)
        for station in store.stations()
        for m in store.messages(station, 0, FAR_MS)
        for r in m.readings()
    }


def rows_in(path: Path) -> set[Row]:
    store = SqliteReadings(path)
    try:
        return rows_of(store)
    finally:
        store.close()


def taken(file: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    """What `jinma import --json` says."""
    named = {"store": None, "data_dir": None, "map_file": None, "plant": None, "dry_run": False, "refused": None}
    capsys.readouterr()
    import_file(file, **{**named, **options}, as_json=True)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def exported(store: Path, output: Path, layout: str = "long") -> None:
    export_range(
        store=f"sqlite:///{store}", data_dir=None, start="2026-01-01T00:00Z", end="2027-01-01T00:00Z",
        output=output, station=None, layout=layout, as_json=True,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", FORMATS)
def test_out_and_in_again_is_the_same_log_and_twice_changes_nothing(
    suffix: str, said: list[UnitMessage], full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, other = tmp_path / f"log{suffix}", tmp_path / "other.sqlite"
    exported(full, log, "wide" if suffix.startswith("wide") else "long")
    for _ in range(2):
        answer = taken(log, capsys, store=f"sqlite:///{other}")
        assert answer["refused"] == {}
        assert answer["readings"] == sum(len(message.values) for message in said)
        assert rows_in(other) == rows_in(full)
    again = tmp_path / f"again{suffix}"
    exported(other, again, "wide" if suffix.startswith("wide") else "long")
    assert again.read_bytes() == log.read_bytes()


def test_into_influxdb_and_out_of_it(
    said: list[UnitMessage], full: Path, influxd: Influxd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteReadings(full)
    export_log(store, "jinma", 0, FAR_MS, tmp_path / "log.ndjson", version="1")
    store.close()
    now_ms = int(dt.datetime.now(dt.UTC).timestamp() * 1000)  # a bucket of 30 days refuses what is older
    shift_ms = now_ms - 86_400_000 - said[0].t_ms
    moved = [UnitMessage(m.station, m.area, m.unit, m.t_ms + shift_ms, m.values, m.quality) for m in said]
    old = UnitMessage("jinma", "storage", "bank-HB", said[0].t_ms - 365 * 86_400_000, {"PT-330A": 1.0})
    write_log(tmp_path / "moved.lp", log_records([old, *moved]), {})
    influx = open_store(influxd.store_url("import"), influxd.token)
    influx.prepare()  # type: ignore[attr-defined]
    side = tmp_path / "refused.csv"
    answer = taken_with_token(tmp_path / "moved.lp", influxd, side, capsys)
    assert answer["refused"] == {"store": 1}
    assert side.read_text().splitlines()[1].startswith("2,store,")
    assert answer["readings"] == sum(len(message.values) for message in said)
    expected = {(m.key, m.t_ms, r.signal, r.value, r.quality) for m in moved for r in m.readings()}
    found = list(influx.messages("jinma", now_ms - 2 * 86_400_000, now_ms))
    assert {(m.key, m.t_ms, r.signal, r.value, r.quality) for m in found for r in m.readings()} == expected
    influx.close()


def taken_with_token(log: Path, influxd: Influxd, side: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFLUXDB_V2_TOKEN", influxd.token)
        return taken(log, capsys, store=influxd.store_url("import"), refused=side)


def test_the_shipped_example_brings_its_log_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, store = foreign_log(tmp_path / "run.csv"), tmp_path / "s.sqlite"
    options: dict[str, Any] = {"map_file": EXAMPLE / "map.toml", "plant": [EXAMPLE / "station.toml"]}
    dry = taken(log, capsys, **options, dry_run=True)
    assert (dry["rows"], dry["readings"], len(dry["signals"])) == (120, 120 * 22, 22)
    assert (dry["first"], dry["last"]) == ("2026-10-14T00:30:00.000Z", "2026-10-14T00:31:59.000Z")
    assert list(tmp_path.iterdir()) == [log]
    for _ in range(2):
        answer = taken(log, capsys, **options, store=f"sqlite:///{store}")
        assert {**answer, "dry_run": True} == dry
        found = rows_in(store)
        assert len(found) == 120 * 22
    t_ms = 1_791_937_802_000
    at_two = {row[3]: row[5] for row in found if row[4] == t_ms}
    assert at_two | {"PT-310A": 25.998, "TT-310C": 25.0, "PI-611A": 5.2, "TI-612A": 25.2, "FT-515A": 12.3} == at_two
    assert [at_two["XS-344"], at_two["XS-345"]] == [0.0, 1.0]


def test_each_refused_line_stands_in_the_side_file_and_the_rest_comes_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "day.csv"
    log.write_text(
        "t,station,area,unit,signal,value,quality\n"
        "2026-06-01T00:00:00Z,jinma,storage,bank-HB,PT-330A,44.1,good\n"
        "2026-06-01T00:00:00Z,jinma,storage,bank-HB,PT-999,44.1,good\n"
        "2026-06-01T00:00:00Z,elsewhere,storage,bank-HB,PT-330A,44.1,good\n"
        "2026-06-01T00:00:00Z,elsewhere,storage,bank-HB,PT-330B,44.1,good\n"
        "2026-06-01T00:00:01Z,jinma,dispensing,hose-1A,XS-518A,99,good\n"
        "2026-06-01,jinma,storage,bank-HB,PT-330A,44.1,good\n"
        "2026-06-01T00:00:02Z,jinma,storage,bank-HB,PT-330A,44.2,good\n"
    )
    answer = taken(log, capsys, store="sqlite:///s.sqlite")
    assert (answer["rows"], answer["readings"]) == (2, 2)
    assert answer["refused"] == {"signal": 1, "station": 2, "value": 1, "line": 1}
    assert answer["refused_file"] == "day.csv.refused.csv"
    with Path("day.csv.refused.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["line"]), row["reason"]) for row in rows] == [
        (3, "signal"), (4, "station"), (5, "station"), (7, "line"), (6, "value"),
    ]  # fmt: skip
    assert "'elsewhere': has no station file here" in rows[1]["text"]


def test_a_dry_run_names_refused_lines_and_stores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "day.ndjson"
    write_log(log, log_records([UnitMessage("jinma", "storage", "bank-HB", 1_780_272_000_000, {"PT-330A": 1.0})]), {})
    log.write_text(log.read_text() + "rubbish\n" * 30)
    import_file(
        log, store="sqlite:///never.sqlite", data_dir=None, map_file=None, plant=None, dry_run=True, refused=None,
        as_json=False,
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert "dry run: nothing was stored" in out
    assert "readings  1 of 1 signals: PT-330A" in out
    assert "refused   30: line 30" in out
    assert "line 3 is no message" in err
    assert len(err.splitlines()) == 21
    assert not Path("never.sqlite").exists()


@pytest.mark.parametrize(
    ("text", "options", "what"),
    [
        ('{"topic":"h2/v1/ghost/storage/b","payload":{"t":1780272000000,"v":{"A":1}}}', {}, r"known: jinma\); name it"),
        ("Zeit;Druck\n1;2\n", {}, "--map-draft"),
        ("", {}, "holds no readings"),
        ('{"topic":"h2/v1/jinma/plan/2026-06-01","payload":{}}', {}, "holds no readings"),
        ('{"topic":5}', {}, "all of it was refused"),
        (HEADER, {"map_file": EXAMPLE / "map.toml"}, "name it with --plant"),
        (HEADER, {"map_file": Path("nowhere.toml")}, "nowhere.toml"),
        ("t,PT-111\n2026-06-01T00:00Z,1\n", {"plant": [EXAMPLE / "station.toml"]}, "all of it was refused"),
    ],
)
def test_what_cannot_come_in_is_said(
    text: str, options: dict[str, Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    with pytest.raises(BadInputError, match=what):
        taken(log, capsys, dry_run=True, **options)


def test_a_draft_of_a_log_of_ours_is_refused(full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported(full, tmp_path / "log.lp")
    with pytest.raises(BadInputError, match=r"a log of ours \(lp\)"):
        print_draft(tmp_path / "log.lp", None)
    capsys.readouterr()
    print_draft(foreign_log(tmp_path / "run.csv"), None)
    assert '"bank_low_pressure_pa" = {signal="", unit="Pa"}' in capsys.readouterr().out


def test_a_signal_on_two_units_does_not_go_into_a_wide_csv(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "s.sqlite")
    for unit in ("bank-HB", "bank-LB"):
        store.write([UnitMessage("jinma", "storage", unit, 1_780_272_000_000, {"PT-330A": 1.0})])
    with pytest.raises(BadInputError, match=r"PT-330A stands on storage/bank-HB and storage/bank-LB"):
        export_log(store, "jinma", 0, FAR_MS, tmp_path / "log.csv", version="1", layout="wide")
    with pytest.raises(BadInputError, match="--layout wide"):
        export_log(store, "jinma", 0, FAR_MS, tmp_path / "log.lp", version="1", layout="wide")
    store.close()
    assert [path.name for path in tmp_path.iterdir() if "log" in path.name] == []
    with pytest.raises(BadInputError, match="must be long or wide"):
        exported(tmp_path / "s.sqlite", tmp_path / "log.csv", "broad")


def test_runs_on_disk_come_out_in_order_of_time() -> None:
    times = [(7919 * n) % 1000 for n in range(1000)]
    messages = [UnitMessage("s", "storage", f"u{n}", t_ms, {"A": math.pi}) for n, t_ms in enumerate(times)]
    found = list(in_time_order(log_records([*messages, *messages]), run=150))
    assert sorted(found) == sorted(log_records([*messages, *messages]))
    assert [json_v1.decode(record.payload).t_ms for record in found] == sorted(times * 2)
