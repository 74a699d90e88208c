"""`jinma doctor`: each trouble is named with what mends it, and --fix mends what it may."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.keeping.housekeeping import forget_replays, housekeeping
from cli.main import app
from ingest.ledger import LEDGER_FILE, DeadLetter, Ledger
from ingest.spool import Position, Spool
from station.adapters.influx_readings import InfluxReadings
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_journal import SqlJournal
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from station.ports import JournalEntry
from station.settings import Settings
from tests.support.influxd import Influxd
from tests.support.plants import jinma
from tests.support.ports import free_port
from tests.support.service import Service

NOW = time.time_ns() // 1_000_000
DAY = 86_400_000


def doctor(*arguments: str | Path, code: int, env: dict[str, str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return what the doctor finds, by what it is about."""
    done = CliRunner().invoke(app, ["doctor", *map(str, arguments), "--json"], env=env)
    assert done.exit_code == code, done.output
    told = json.loads(done.stdout)
    assert told["well"] is (code == 0)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in told["findings"]:
        found.setdefault(finding["about"], []).append(finding)
    return found


def faults(found: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    return {about: one["says"] for about, rows in found.items() for one in rows if one["state"] == "fault"}


def message(t_ms: int) -> UnitMessage:
    return UnitMessage("jinma", "storage", "bank-HB", t_ms, {"PT-330A": 44.0})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with closing(SqliteReadings(tmp_path / "readings.sqlite")) as store:
        store.write([message(NOW - n * DAY // 10) for n in range(20)])
    database = SqlDatabase(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    entries = [JournalEntry("jinma", "A.H", "o", "raised", NOW - DAY + n, NOW, "system") for n in range(9)]
    SqlJournal(database).append(entries)
    database.close()
    return tmp_path


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with Service("--port", "0") as service:
        service.wait_live()
        yield service


def test_a_running_service_is_well(running: Service) -> None:
    found = doctor("--data-dir", running.data_dir, code=0)
    assert {"data", "plant", "broker", "api", "clock", "readings", "journal", "spool", "disk"} <= found.keys()
    assert [one["state"] for one in found["broker"] + found["api"] + found["clock"]] == ["ok"] * 3
    text = CliRunner().invoke(app, ["doctor", "--data-dir", str(running.data_dir)]).output
    assert running.token.partition(".")[2] not in text
    assert text.endswith("all is well\n")


def test_nothing_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    found = doctor("--data-dir", tmp_path / "none", "--api", f"http://127.0.0.1:{free_port()}", code=1)
    assert list(faults(found)) == ["api"]
    assert all(one["do"] for rows in found.values() for one in rows if one["state"] == "fault")
    assert not (tmp_path / "none").exists()


def test_what_is_away_is_named_without_its_password(data: Path) -> None:
    port = free_port()
    places = (
        "--broker",
        f"mqtt://me:secret-1@127.0.0.1:{port}",
        "--journal",
        f"postgresql://me:secret-2@127.0.0.1:{port}/j",
    )
    grafana = ("--grafana", f"http://127.0.0.1:{port}")
    found = doctor("--data-dir", data, *places, *grafana, code=1)
    assert faults(found).keys() == {"broker", "journal", "grafana"}
    assert "secret" not in json.dumps(found)


def test_sizes_and_days_left_are_told(data: Path) -> None:
    found = doctor("--data-dir", data, "--keep", "30d", code=0)
    (disk,) = found["disk"]
    assert disk["figures"]["bytes_per_day"] > 0
    assert disk["figures"]["days_left"] is None or disk["figures"]["days_left"] > 14
    assert "30 days (--keep)" in found["retention"][0]["says"]


def test_a_changed_journal_row_is_a_fault_that_nothing_mends(data: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{data / 'journal.sqlite'}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER journal_no_update"))
        connection.execute(sa.text("UPDATE journal SET note = 'other' WHERE number = 4"))
    engine.dispose()
    found = doctor("--data-dir", data, "--fix", code=1)
    assert faults(found) == {"journal": found["journal"][0]["says"]}
    assert found["journal"][0]["figures"]["first_wrong_row"] == 4


def test_keys_that_others_can_read_are_closed(data: Path) -> None:
    key = data / "token.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    assert "token.key" in faults(doctor("--data-dir", data, code=1))["data"]
    assert [one["mended"] for one in doctor("--data-dir", data, "--fix", code=0)["data"]].count(True) == 1
    assert key.stat().st_mode & 0o777 == 0o600


def test_spool_damage_backlog_and_dead_letters_are_told(data: Path) -> None:
    folder = data / "spool"
    spool, now = Spool(folder, 1 << 24), time.time_ns() // 1_000_000
    for _ in range(3):
        spool.append([("h2/v1/jinma/storage/bank-HB", b"{}")] * 2, now, now - 600_000)
    spool.close()
    with closing(Ledger(folder / LEDGER_FILE)) as ledger:
        segment = min(folder.glob("*.spool"))
        dead = DeadLetter(NOW, "h2/v1/jinma/x/y", b"", "unit", "no such unit")
        ledger.commit(Position(int(segment.stem), 14), b"\x90", [dead], {})
    body = bytearray(segment.read_bytes())
    body[-1] ^= 1
    segment.write_bytes(body)
    found = doctor("--data-dir", data, code=1)
    assert "4 messages wait, the oldest for 0:10" in faults(found)["spool"]
    assert "cannot be read" in found["spool"][1]["says"]
    assert found["dead letters"][0]["figures"] == {"unit": 1}


def test_influxdb_gets_its_minutes_and_its_retention(influxd: Influxd, data: Path) -> None:
    env = {"INFLUXDB_V2_TOKEN": influxd.token}
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "ill")
    store.write([message(NOW), message(NOW - 1000)])
    place = ("--data-dir", data, "--store", influxd.store_url("ill"))
    found = doctor(*place, "--keep", "10d", code=1, env=env)
    assert faults(found).keys() == {"retention", "minutes"}
    assert "bucket ill_1m is missing; task 'jinma: minutes of ill' is missing" in faults(found)["minutes"]
    mended = doctor(*place, "--keep", "10d", "--fix", code=0, env=env)
    assert [rows[0]["mended"] for rows in (mended["retention"], mended["minutes"])] == [True, True]
    assert store.retention_s("ill") == 10 * 86_400
    doctor(*place, "--keep", "10d", code=0, env=env)
    assert "refuses the token" in faults(doctor(*place, code=1, env={"INFLUXDB_V2_TOKEN": "wrong"}))["readings"]
    store.close()


def test_whoever_writes_to_influxdb_installs_minutes_and_a_retention_that_was_said(influxd: Influxd) -> None:
    store = InfluxReadings(influxd.url, influxd.token, influxd.org, "kept")
    loop, _ = housekeeping(Settings(keep="12d"), store, [jinma()], lambda: NOW)
    assert loop._step() is True
    assert (store.minutes_troubles(), store.retention_s("kept")) == ([], 12 * 86_400)
    store.set_retention("kept", 86_400)
    loop, _ = housekeeping(Settings(), store, [jinma()], lambda: NOW)
    assert loop._step() is True
    assert store.retention_s("kept") == 86_400  # nobody said another
    store.close()
    away = InfluxReadings(f"http://127.0.0.1:{free_port()}", "t", "o", "b")
    loop, _ = housekeeping(Settings(), away, [jinma()], lambda: NOW)
    assert loop._step() is False  # asked again soon
    away.close()


def test_whoever_writes_to_sqlite_forgets_by_station_time(tmp_path: Path) -> None:
    with closing(SqliteReadings(tmp_path / "r.sqlite")) as store:
        store.write([message(NOW - n * DAY) for n in range(5)])
        loop, _ = housekeeping(Settings(keep="2d"), store, [jinma()], lambda: NOW - DAY)
        assert loop._step() is True
        assert [one.t_ms for one in store.messages("jinma", 0, NOW + 1)] == [NOW - n * DAY for n in (3, 2, 1, 0)]


def test_a_replay_is_forgotten_a_day_after_it_was_first_seen_whatever_its_times(tmp_path: Path) -> None:
    wall, replay = 1_790_000_000_000, "jinma~ab12cd34"
    with closing(SqliteReadings(tmp_path / "r.sqlite")) as store:
        store.write(
            [msgspec.structs.replace(message(NOW - 300 * DAY), station=station) for station in ("jinma", replay)]
        )
        for later_ms in (0, DAY // 2, DAY - 1):
            forget_replays(store, wall + later_ms)
            assert store.stations() == ["jinma", replay]
        forget_replays(store, wall + DAY + 1)
        assert store.stations() == ["jinma"]
