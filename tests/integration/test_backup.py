"""Backups, tried by restoring: what was saved is laid down in a fresh place and compared, value by value."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.main import app
from ingest.ledger import LEDGER_FILE, Ledger
from ingest.spool import Spool
from ingest.spool_report import report_of
from station.adapters.influx_readings import InfluxReadings
from station.adapters.journal_rows import take_rows
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_journal import SqlJournal
from station.adapters.sql_schema import metadata
from station.adapters.sqlite_copy import copy_database
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from station.ports import JournalEntry, ServicePoint
from tests.support.influxd import Influxd
from tests.support.postgres import Postgres

MINUTE, HOUR = 60_000, 3_600_000
START = 1_795_392_000_000


def messages(count: int) -> list[UnitMessage]:
    """Values, states, nulls and qualities of two units."""
    said: list[UnitMessage] = []
    for n in range(count):
        quality = {"PT-330A": "uncertain:drift"} if n % 7 == 0 else {}
        null = {"PT-330B": None} if n % 11 == 0 else {"PT-330B": n / 8}
        said.append(UnitMessage("jinma", "storage", "bank-HB", START + n * 1000, {"PT-330A": n / 100, **null}, quality))
        if n % 60 == 0:
            said.append(UnitMessage("jinma", "compression", "train-1", START + n * 1000, {"XS-210": n % 3}, {}))
    return said


POINTS = [
    ServicePoint("ingest", {"station": "jinma", "area": "storage", "unit": "bank-HB"}, {"received": 60.0}, START),
    ServicePoint(
        "alarms", {"station": "jinma", "id": "PT-330A.HH", "priority": "critical"}, {"text_en": 'a "b", c'}, START
    ),
]
BIG = b"\x00\xff\x80 bytes"


def entry(n: int) -> JournalEntry:
    return JournalEntry(
        "jinma", "PT-330A.HH", f"o{n}", "raised", START + n, START + n, "王芳", 1.5, None, "注", {"n": n}
    )


def fill_journal(url: str) -> None:
    """Rows in every table, of every type."""
    database = SqlDatabase(url)
    SqlJournal(database).append([entry(n) for n in range(2500)])
    with database.writing() as connection:
        for table in metadata.sorted_tables:
            if not table.name.startswith("journal"):
                connection.execute(sa.insert(table), [_row(table, n) for n in range(3)])
    database.close()


def _row(table: sa.Table, n: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, sa.LargeBinary):
            made[column.name] = BIG
        elif isinstance(column.type, sa.Boolean):
            made[column.name] = n % 2 == 0
        elif isinstance(column.type, sa.Text):
            made[column.name] = f"t{n}"
        elif column.primary_key and column.autoincrement is True:
            continue
        else:
            made[column.name] = None if column.nullable else n + 1
    return made


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    database = SqlDatabase(url)
    with database.reading() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }
    database.close()
    return found


def contents(store: SqliteReadings | InfluxReadings) -> dict[str, Any]:
    """Everything that a store answers of our messages."""
    end = START + 10 * HOUR
    return {
        "messages": list(store.messages("jinma", START, end)),
        "minutes": {tag: store.minutes("jinma", tag, START, end) for tag in ("PT-330A", "PT-330B", "XS-210")},
        "points": [store.read_points(one, {}, START, end) for one in ("ingest", "alarms")],
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory in which a service has run."""
    folder = tmp_path / "data"
    folder.mkdir()
    with closing(SqliteReadings(folder / "readings.sqlite", seal_rows=500)) as store:
        store.write(messages(3000))
        store.write_points(POINTS)
    fill_journal(f"sqlite:///{folder / 'journal.sqlite'}")
    (folder / "token.key").write_bytes(BIG)
    (folder / "simulator").mkdir()
    (folder / "simulator" / "jinma.state").write_bytes(BIG * 100)
    for name in ("run.json", "sessions.json", "readings.sqlite.before-2", "unfinished-x"):
        (folder / name).write_text("left out")
    (folder / "schema.json").write_text('{"schema": 1}')
    spool = Spool(folder / "spool", 1 << 24)
    spool.append([("h2/v1/jinma/storage/bank-HB", b"{}")] * 3, START, START)
    spool.close()
    with closing(Ledger(folder / "spool" / LEDGER_FILE)):
        pass
    return folder


def run(*arguments: str | Path, code: int = 0, env: dict[str, str] | None = None) -> Any:
    """Run a command, expect its exit code, and return its JSON, or what it said on stderr."""
    done = CliRunner().invoke(app, [*map(str, arguments), *(["--json"] if code == 0 else [])], env=env)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_everything_comes_back_in_a_fresh_place(data: Path, tmp_path: Path) -> None:
    file, fresh = tmp_path / "saved.zip", tmp_path / "fresh"
    plant = Path(__file__).parents[1] / "data" / "small-station.toml"
    saved = run("backup", file, "--data-dir", data, "--plant", plant)
    assert (saved["readings"], saved["journal"], file.stat().st_mode & 0o777) == ("sqlite", "sqlite", 0o600)
    assert not list(tmp_path.glob(".saved*"))

    done = run("restore", file, "--data-dir", fresh)
    assert (done["journal_first_wrong_row"], done["set_aside"]) == (None, None)
    with (
        closing(SqliteReadings(data / "readings.sqlite")) as old,
        closing(SqliteReadings(fresh / "readings.sqlite")) as new,
    ):
        assert contents(old) == contents(new)
    assert rows_of(f"sqlite:///{data / 'journal.sqlite'}") == rows_of(f"sqlite:///{fresh / 'journal.sqlite'}")
    for name in ("token.key", "simulator/jinma.state"):
        assert (fresh / name).read_bytes() == (data / name).read_bytes()
    assert (fresh / "settings" / plant.name).read_text() == plant.read_text()
    assert report_of(fresh / "spool", None).waiting == 3
    names = {path.name for path in fresh.iterdir()}
    assert names == {
        "lock",
        "schema.json",
        "readings.sqlite",
        "journal.sqlite",
        "spool",
        "settings",
        "token.key",
        "simulator",
    }


def test_what_is_there_is_set_aside_only_when_that_was_said(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "saved.zip"
    run("backup", file, "--data-dir", data)
    assert "is there already" in run("backup", file, "--data-dir", data, code=2)
    assert "add --overwrite" in run("restore", file, "--data-dir", data, code=2)
    (data / "token.key").write_bytes(b"later")
    aside = Path(run("restore", file, "--data-dir", data, "--overwrite")["set_aside"])
    assert ((data / "token.key").read_bytes(), (aside / "token.key").read_bytes()) == (BIG, b"later")
    run("backup", tmp_path / "again.zip", "--data-dir", data)
    with zipfile.ZipFile(tmp_path / "again.zip") as again:
        assert not [name for name in again.namelist() if "replaced" in name]


def test_files_elsewhere_are_set_aside_with_the_log_that_a_crash_left(data: Path, tmp_path: Path) -> None:
    file, store = tmp_path / "saved.zip", tmp_path / "elsewhere" / "r.sqlite"
    run("backup", file, "--data-dir", data)
    place = ("--data-dir", tmp_path / "fresh", "--store", f"sqlite:///{store}")
    store.parent.mkdir()
    store.with_name("r.sqlite-wal").write_bytes(b"left")
    assert "r.sqlite-wal already" in run("restore", file, *place, code=2)
    aside = Path(run("restore", file, *place, "--overwrite")["set_aside"])
    assert (aside / "r.sqlite-wal").read_bytes() == b"left"
    with closing(SqliteReadings(store)) as new, closing(SqliteReadings(data / "readings.sqlite")) as old:
        assert contents(new) == contents(old)


def rewritten(file: Path, target: Path, change: dict[str, bytes]) -> Path:
    """Return a copy of a backup some of whose entries hold other bytes."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            made.writestr(name, change.get(name, source.read(name)))
    return target


def test_a_damaged_or_newer_backup_changes_nothing(data: Path, tmp_path: Path) -> None:
    file, fresh, odd = tmp_path / "saved.zip", tmp_path / "fresh", tmp_path / "odd.zip"
    run("backup", file, "--data-dir", data)
    manifest = msgspec.json.decode(zipfile.ZipFile(file).read("manifest.json"))

    def refused(change: dict[str, Any], code: int = 2) -> str:
        bodies = {name: body if isinstance(body, bytes) else msgspec.json.encode(body) for name, body in change.items()}
        said: str = run("restore", rewritten(file, odd, bodies), "--data-dir", fresh, code=code)
        assert not fresh.exists()
        return said

    assert "data/token.key is not what was saved" in refused({"data/token.key": b"other"}, code=1)
    assert "readings is of version 99" in refused({"manifest.json": manifest | {"readings_schema": 99}})
    assert "data directory is of version 99" in refused({"manifest.json": manifest | {"data_schema": 99}})
    assert "journal is of schema 0099" in refused({"manifest.json": manifest | {"journal_schema": "0099"}})
    assert "of format 2" in refused({"manifest.json": manifest | {"jinma_backup": 2}})
    entries = [*manifest["entries"], {"name": "data/../../x", "bytes": 0, "sha256": ""}]
    assert "is not what manifest.json lists" in refused({"manifest.json": manifest | {"entries": entries}})

    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    odd.write_bytes(body)
    assert "damaged" in run("restore", odd, "--check", code=1) or "not what was saved" in run(
        "restore", odd, "--check", code=1
    )
    odd.write_bytes(file.read_bytes()[:-1000])
    assert "cut short" in run("restore", odd, "--check", code=2)
    assert run("restore", file, "--check")["checked"] is True


def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    source = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA synchronous=OFF")
        writer.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, value INTEGER, filler BLOB)")
        writer.execute("BEGIN")
        writer.executemany("INSERT INTO t VALUES (?, 1, zeroblob(4000))", [(n,) for n in range(13_000)])
        writer.execute("COMMIT")
        seen: list[int] = []

        def meanwhile(done: int) -> None:
            seen.append(done)
            writer.execute("UPDATE t SET value = 2 WHERE n % 100 = 0")  # behind the copy and before it

        copy_database(source, tmp_path / "b.sqlite", meanwhile)
    assert len(seen) == 4  # 16 MB each: it was not begun anew
    with closing(sqlite3.connect(tmp_path / "b.sqlite")) as copy:
        assert copy.execute("SELECT max(value), count(*) FROM t").fetchone() == (1, 13_000)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def test_a_journal_goes_to_postgresql_and_comes_back(postgres: Postgres, data: Path, tmp_path: Path) -> None:
    first, second = postgres.create_database("first"), postgres.create_database("second")
    run("backup", tmp_path / "1.zip", "--data-dir", data)
    run("restore", tmp_path / "1.zip", "--data-dir", tmp_path / "a", "--journal", first)
    saved = run("backup", tmp_path / "2.zip", "--data-dir", tmp_path / "a", "--journal", first)
    assert saved["journal"] == "postgresql"
    run("restore", tmp_path / "2.zip", "--data-dir", tmp_path / "b", "--journal", second)
    assert rows_of(first) == rows_of(second) == rows_of(f"sqlite:///{data / 'journal.sqlite'}")

    said = run("restore", tmp_path / "2.zip", "--data-dir", tmp_path / "c", "--journal", second, code=2)
    assert "holds 3 rows of audit already" in said
    database = SqlDatabase(second)
    SqlJournal(database).append([entry(2500)])
    with database.writing() as connection:  # its own numbering goes on behind the rows that came
        connection.execute(sa.insert(metadata.tables["plans"]).values(station="s", date="d", source="s", body="b"))
    assert SqlJournal(database).verify() is None
    database.close()
    run("restore", tmp_path / "2.zip", "--data-dir", tmp_path / "c", "--journal", second, "--overwrite")
    assert rows_of(second) == rows_of(first)


def test_an_older_journal_is_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'j.sqlite'}"
    columns = b'["prefix","keyed_hash","role","name","created_ms","expires_ms","last_used_ms"]'
    assert take_rows(url, "0001", {"tokens": [columns, b'["p","h","viewer","n",1,null,null]']}) == 1
    rows = rows_of(url)
    assert (len(rows["tokens"]), rows["users"]) == (1, [])


def test_influxdb_is_saved_through_its_own_interface(influxd: Influxd, data: Path, tmp_path: Path) -> None:
    env = {"INFLUXDB_V2_TOKEN": influxd.token}
    old = InfluxReadings(influxd.url, influxd.token, influxd.org, "saved", lambda: START)
    new = InfluxReadings(influxd.url, influxd.token, influxd.org, "laid", lambda: START)
    old.prepare()
    old.set_retention("saved", 0)
    old.write(messages(3000))
    old.write_points(POINTS)
    old.roll_up(START, START + HOUR, ["XS-210"])
    run("backup", tmp_path / "i.zip", "--data-dir", data, "--store", influxd.store_url("saved"), env=env)
    said = run("restore", tmp_path / "i.zip", "--data-dir", tmp_path / "x", code=2)
    assert "came out of InfluxDB" in said
    target = ("--data-dir", tmp_path / "fresh", "--store", influxd.store_url("laid"))
    done = run("restore", tmp_path / "i.zip", *target, env=env)
    assert (done["lines"] > 3000, done["too_old"]) == (True, 0)
    assert contents(old) == contents(new)
    assert len(contents(new)["messages"]) == 3050
    assert (new.retention_s("laid"), new.retention_s("laid_1m")) == (0, 2 * 365 * 86_400)
    again = ("--data-dir", tmp_path / "other", "--store", influxd.store_url("laid"))
    assert "holds points already" in run("restore", tmp_path / "i.zip", *again, code=2, env=env)
    old.close()
    new.close()
