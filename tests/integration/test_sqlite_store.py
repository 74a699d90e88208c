"""The SQLite store as a file: versions, damage, a crash, a neighbour, a full unit, time."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from station.adapters.sqlite_readings import SCHEMA_VERSION, SEAL_ROWS, SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.errors import DataDirectoryError, PointsRefusedError, StoreUnavailableError
from station.ports import ServicePoint
from tests.support.processes import wait_until

T0 = 1_795_420_800_000


def message(t_ms: int, value: float = 1.0, unit: str = "bank-HB", tag: str = "PT-330A") -> UnitMessage:
    return UnitMessage("jinma", "storage", unit, t_ms, {tag: value})


def test_a_file_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, path in [
        ("sqlite:///relative/r.db", tmp_path / "relative/r.db"),
        (f"sqlite:///{tmp_path}/absolute%20one.db", tmp_path / "absolute one.db"),
    ]:
        store = open_store(url)
        store.write([message(T0)])
        store.close()
        assert path.is_file()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqliteReadings(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(DataDirectoryError, match=f"version {SCHEMA_VERSION + 1}.*newer jinma"):
        SqliteReadings(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_text("no database at all, though it is long enough to have a header of one hundred bytes" * 3)
    with pytest.raises(DataDirectoryError, match=str(path)):
        SqliteReadings(path)
    assert path.read_text().startswith("no database")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match="cannot make"):
        SqliteReadings(tmp_path / "file" / "r.db")


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "r.db")
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.write([message(T0)])
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.latest("jinma", ["PT-330A"])


def test_a_lock_held_by_another_program_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    store = SqliteReadings(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writer = threading.Thread(target=store.write, args=([message(T0)],))
    writer.start()
    assert store.latest("jinma", ["PT-330A"]) == {}  # readers go on
    other.execute("COMMIT")
    writer.join(5.0)
    assert not writer.is_alive()
    assert store.latest("jinma", ["PT-330A"])["PT-330A"].value == 1.0
    other.close()
    store.close()


def test_a_failed_transaction_takes_no_neighbour_along_and_ids_stay_right(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "r.db")
    writer = store._file

    def fail(connection: sqlite3.Connection) -> None:
        store._write(connection, [message(T0, 5.0, "bank-LB", "PT-310A")])  # ids that the rollback takes back
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreUnavailableError, match="disk I/O error"):
        writer.write(fail)
    store.write([message(T0, 7.0, "bank-MB", "PT-320A"), message(T0, 6.0, "bank-LB", "PT-310A")])
    latest = store.latest("jinma", ["PT-310A", "PT-320A"])
    assert {tag: reading.value for tag, reading in latest.items()} == {"PT-310A": 6.0, "PT-320A": 7.0}
    assert len(list(store.messages("jinma", T0, T0 + 1))) == 2
    store.close()


WRITER = """
import sys
from pathlib import Path
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
store = SqliteReadings(Path(sys.argv[1]))
start = int(sys.argv[2])
n = 0
while True:
    numbers = range(n, n + 500)
    store.write([UnitMessage("jinma", "storage", "bank-HB", start + i, {"PT-330A": float(i)}) for i in numbers])
    n += 500
    print(n, flush=True)
"""


def test_what_write_returned_for_survives_a_kill(tmp_path: Path) -> None:
    path, told = tmp_path / "r.db", tmp_path / "told"
    with told.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(T0)], stdout=output)
    try:
        wait_until(lambda: told.stat().st_size > 60, 20.0, "batches written")  # past the first move into blocks
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    promised = int(told.read_text().split("\n")[-2])
    store = SqliteReadings(path)
    readings = store.raw("jinma", "PT-330A", T0, T0 + 10**9)
    assert promised > SEAL_ROWS
    assert [r.value for r in readings] == [float(n) for n in range(len(readings))]
    assert promised <= len(readings) <= promised + 500
    store.close()


def test_a_station_hour_is_written_and_asked_quickly(tmp_path: Path) -> None:
    """Loose bounds, a fifth of what an idle machine does: they catch a lost index, not a busy neighbour."""
    store = SqliteReadings(tmp_path / "r.db")
    tags = [f"PT-{n}" for n in range(300)]
    seconds = [T0 + n * 1000 for n in range(0, 3600, 3)]
    spent = 0.0
    for first in range(0, len(seconds), 40):
        batch = [
            UnitMessage("jinma", "storage", f"unit-{u}", t, dict.fromkeys(tags[6 * u : 6 * u + 6], t % 977 / 100))
            for t in seconds[first : first + 40]
            for u in range(50)
        ]
        begin = time.perf_counter()
        store.write(batch)
        spent += time.perf_counter() - begin
    assert 300 * len(seconds) / spent > 60_000
    assert fastest(lambda: store.latest("jinma", tags)) < 0.010
    assert fastest(lambda: store.windows("jinma", "PT-7", T0, T0 + 3_600_000, 60_000, "mean")) < 0.050
    store.close()


def fastest(ask: object) -> float:
    assert callable(ask)
    spent = []
    for _ in range(3):
        begin = time.perf_counter()
        ask()
        spent.append(time.perf_counter() - begin)
    return min(spent)


def test_points_that_cannot_be_stored_do_not_stop_others(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "r.db")
    with pytest.raises(PointsRefusedError):
        store.write([message(T0, float("nan"))])
    store.write_points([ServicePoint("capacity", {"station": "jinma"}, {"p50": float("inf")}, T0)])
    assert store.read_points("capacity", {}, T0, T0 + 1) == []
    store.close()
