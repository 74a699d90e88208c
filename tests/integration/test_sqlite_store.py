"""The SQLite store as a file: versions, damage, a crash, a neighbour, a full unit, time."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from station.adapters.memory import MemoryReadings
from station.adapters.sqlite_blocks import SLOT_MS, Column, encode_block
from station.adapters.sqlite_readings import SCHEMA_VERSION, SEAL_ROWS, SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import Reading, UnitMessage
from station.errors import DataDirectoryError, PointsRefusedError, StoreUnavailableError
from station.ports import ServicePoint
from tests.support.processes import wait_until

T0 = 1_795_420_800_000
DAY = 86_400_000


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


PACKER = """
import os, signal, sys
from pathlib import Path
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
path, start, deadly, left = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
store = SqliteReadings(path, seal_rows=100)

def die_at(statement):
    global left
    left -= deadly in statement
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

store._file._writer.set_trace_callback(die_at)
for first in range(0, 10_000, 50):
    values = [(start + 1000 * n, {"A": float(n), "B": 0.5}) for n in range(first, first + 50)]
    store.write([UnitMessage("jinma", "storage", "bank-HB", t_ms, both) for t_ms, both in values])
    print(first + 50, flush=True)
"""


@pytest.mark.parametrize(
    ("deadly", "times"),
    [
        ("INSERT OR REPLACE INTO blocks", 1),
        ("INSERT OR REPLACE INTO blocks", 40),
        ("INSERT OR REPLACE INTO minutes", 2),
        ("INSERT OR REPLACE INTO quarters", 3),
        ("DELETE FROM head", 1),
        ("DELETE FROM head", 30),
        ("COMMIT", 80),
    ],
)
def test_a_kill_in_the_midst_of_packing_loses_and_doubles_nothing(tmp_path: Path, deadly: str, times: int) -> None:
    path = tmp_path / "r.db"
    line = [sys.executable, "-c", PACKER, str(path), str(T0), deadly, str(times)]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    promised = int(ended.stdout.split()[-1])
    store = SqliteReadings(path, seal_rows=100)
    readings = store.raw("jinma", "A", 0, T0 + DAY)
    assert [r.value for r in readings] == [float(n) for n in range(promised)]
    store.write([message_ab(n) for n in range(promised - 50, promised + 300)])  # the spool sends what it is not sure of
    assert [r.value for r in store.raw("jinma", "A", 0, T0 + DAY)] == [float(n) for n in range(promised + 300)]
    assert sum(one.count for one in store.minutes("jinma", "B", 0, T0 + DAY)) == promised + 300
    store.close()


def message_ab(n: int) -> UnitMessage:
    return UnitMessage("jinma", "storage", "bank-HB", T0 + 1000 * n, {"A": float(n), "B": 0.5})


def test_answers_stay_right_while_two_pack_and_others_ask(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    stores = [SqliteReadings(path, seal_rows=40) for _ in range(2)]
    written = [0]
    wrong: list[str] = []

    def write(store: SqliteReadings) -> None:
        for first in range(0, 1200, 30):  # both write the same messages
            store.write([message_ab(n) for n in range(first, first + 30)])
            written[0] = max(written[0], first + 30)

    def ask(store: SqliteReadings) -> None:
        while any(thread.is_alive() for thread in writers):
            least = written[0]
            readings = [r.value for r in store.raw("jinma", "A", 0, T0 + DAY)]
            counted = sum(w.value or 0 for w in store.windows("jinma", "A", 0, T0 + DAY, 3_600_000, "count"))
            hours = sum(len(m.values) for m in store.messages("jinma", T0, T0 + DAY))
            if readings != [float(n) for n in range(len(readings))] or min(len(readings), counted, hours / 2) < least:
                wrong.append(f"{least} written, {len(readings)} read, {counted} counted, {hours / 2} messages")

    writers = [threading.Thread(target=write, args=(store,)) for store in stores]
    readers = [threading.Thread(target=ask, args=(store,)) for store in stores]
    for thread in [*writers, *readers]:
        thread.start()
    for thread in [*writers, *readers]:
        thread.join()
    assert wrong == []
    assert [r.value for r in stores[0].raw("jinma", "A", 0, T0 + DAY)] == [float(n) for n in range(1200)]
    for store in stores:
        store.close()


def test_late_data_and_a_backfill_go_into_packed_hours(tmp_path: Path) -> None:
    store, memory = SqliteReadings(tmp_path / "r.db", seal_rows=64), MemoryReadings()
    order = list(range(0, 14_400, 7))
    random.Random(4).shuffle(order)
    gaps = [n for n in range(0, 14_400, 5) if n % 7]
    for batch in (order[:1500], gaps, order[1200:], order[:30]):
        for each in (store, memory):
            each.write([message_ab(n) for n in batch])
    store.write([])
    assert store.raw("jinma", "A", T0, T0 + DAY) == memory.raw("jinma", "A", T0, T0 + DAY)
    assert store.minutes("jinma", "A", T0, T0 + DAY) == memory.minutes("jinma", "A", T0, T0 + DAY)
    for asked in ((T0, T0 + DAY, 60_000), (T0 + 1234, T0 + 7_654_321, 300_000)):
        for aggregate in ("mean", "min", "max", "last", "count"):
            question = ("jinma", "A", *asked, aggregate)
            assert store.windows(*question) == memory.windows(*question)
    store.close()


def test_quarters_follow_late_data_forgetting_and_a_file_that_had_none(tmp_path: Path) -> None:
    store, memory = SqliteReadings(tmp_path / "r.db", seal_rows=200), MemoryReadings()
    said = [n for n in range(0, 40_000, 10) if n // 60 % 15 != 14]  # each quarter's last minute is silent
    order = sorted(said, key=lambda n: n // 1000 % 7 == 3)  # some of it comes late
    span, names = ("jinma", ["A", "B"], T0 - DAY, T0 + DAY), ("mean", "min", "max", "last", "count")

    def agree() -> None:
        for every, offset in ((900_000, 0), (3_600_000, 900_000), (14_400_000, -28_800_000)):
            assert store.courses(*span, every, names, offset) == memory.courses(*span, every, names, offset)

    for first in range(0, len(order), 500):
        for each in (store, memory):
            each.write([message_ab(n) for n in order[first : first + 500]])
        agree()
    for each in (store, memory):
        each.forget_before(T0 + 25_000_000)
    agree()
    for each in (store, memory):  # later still: where the readings beside it have gone, their minutes are there
        each.write([message_ab(n) for n in (14 * 60, 8 * 900 + 14 * 60 + 30)])
        each.write([message_ab(n) for n in range(40_000, 40_400)])
    agree()
    for each in (store, memory):
        each.forget_before(T0 + 25_000_000)
    agree()
    for each in (store, memory):
        each.forget_minutes_before(T0 + 5 * 900_000 + 7 * 60_000)  # within a quarter
    agree()
    oldest = store.courses(*span, 900_000, names)[0]
    assert (oldest.t_ms[0], oldest.numbers["min"][0]) == (T0 + 5 * 900_000, float(5 * 900 + 7 * 60))
    store.close()
    older = sqlite3.connect(tmp_path / "r.db")
    older.executescript("DROP TABLE quarters; PRAGMA user_version = 2")
    older.close()
    store = SqliteReadings(tmp_path / "r.db")
    agree()
    kept = store._file._writer.execute("SELECT count(*) FROM quarters").fetchone()
    assert kept == (2,)  # a row a signal
    store.close()


VERSION_1 = """
CREATE TABLE units (
    id INTEGER PRIMARY KEY, station TEXT NOT NULL, area TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (station, area, unit));
CREATE TABLE signals (
    id INTEGER PRIMARY KEY, unit_id INTEGER NOT NULL, tag TEXT NOT NULL, UNIQUE (unit_id, tag));
CREATE INDEX signals_by_tag ON signals (tag);
CREATE TABLE qualities (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
INSERT INTO qualities VALUES (0, 'good'), (1, 'bad:null'), (2, 'bad:range');
CREATE TABLE head (
    unit_id INTEGER NOT NULL, t INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (unit_id, t)) WITHOUT ROWID;
CREATE TABLE blocks (
    signal_id INTEGER NOT NULL, slot INTEGER NOT NULL, t_first INTEGER NOT NULL, t_last INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (signal_id, slot));
CREATE INDEX blocks_by_slot ON blocks (slot, signal_id, t_first, t_last);
CREATE TABLE latest (signal_id INTEGER PRIMARY KEY, t INTEGER NOT NULL, value REAL, code INTEGER NOT NULL);
CREATE TABLE points (
    measurement TEXT NOT NULL, t INTEGER NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (measurement, t, tags)) WITHOUT ROWID;
INSERT INTO units VALUES (1, 'jinma', 'storage', 'bank-HB');
INSERT INTO signals VALUES (1, 1, 'A'), (2, 1, 'B');
PRAGMA user_version = 1;
"""


def file_of_version_1(path: Path) -> None:
    """Two hours in blocks, the last two messages of them in `head`: one plain, one that is bad and null."""
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    for slot in (T0 // SLOT_MS, T0 // SLOT_MS + 1):
        t_ms = np.arange(slot * SLOT_MS, (slot + 1) * SLOT_MS, 10_000)
        block = encode_block(Column(t_ms, t_ms % 977 / 10, np.zeros(len(t_ms), np.uint32)), slot)
        connection.execute("INSERT INTO blocks VALUES (1, ?, ?, ?, ?)", (slot, int(t_ms[0]), int(t_ms[-1]), block))
    names = struct.pack("<H2I", 2, 1, 2)
    plain = names + struct.pack("<2d", 5.0, 6.0)
    doubtful = names + struct.pack("<2d2I", 7.0, float("nan"), 2, 1)
    newest = T0 + 2 * SLOT_MS
    connection.executemany("INSERT INTO head VALUES (1, ?, ?)", [(newest, plain), (newest + 1000, doubtful)])
    connection.execute("INSERT INTO latest VALUES (1, ?, 7.0, 2), (2, ?, NULL, 1)", (newest + 1000, newest + 1000))
    connection.commit()
    connection.close()


def test_a_file_of_version_1_is_brought_up_to_date_after_a_copy(tmp_path: Path) -> None:
    path, newest = tmp_path / "r.db", T0 + 2 * SLOT_MS
    file_of_version_1(path)
    store = SqliteReadings(path)
    readings = store.raw("jinma", "A", 0, newest + 10_000)
    assert len(readings) == 722
    assert readings[-2:] == [Reading("A", newest, 5.0), Reading("A", newest + 1000, 7.0, "bad:range")]
    assert store.raw("jinma", "B", 0, newest + 10_000)[-1] == Reading("B", newest + 1000, None, "bad:null")
    assert store.minutes("jinma", "A", T0, newest)[0].count == 6
    store.forget_before(newest)
    assert len(store.minutes("jinma", "A", T0, newest)) == 120
    store.close()
    copy = sqlite3.connect(tmp_path / "r.db.before-3")
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT count(*) FROM head").fetchone() == (2,)
    copy.close()
    SqliteReadings(path).close()  # once


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    file_of_version_1(path)
    damaged = sqlite3.connect(path)
    damaged.execute("UPDATE blocks SET body = x'00'")
    damaged.commit()
    damaged.close()
    with pytest.raises(DataDirectoryError, match="cannot be brought to version 3"):
        SqliteReadings(path)
    left = sqlite3.connect(path)
    assert left.execute("PRAGMA user_version").fetchone() == (1,)
    assert left.execute("SELECT count(*) FROM head").fetchone() == (2,)
    left.close()


def test_a_store_that_has_grown_is_written_and_asked_as_quickly_as_a_new_one(tmp_path: Path) -> None:
    """In time of the processor, after some minutes and after an hour: a lost index makes ten of one."""
    store, batch = SqliteReadings(tmp_path / "r.db"), itertools.count()
    tags = [f"PT-{n}" for n in range(300)]

    def write() -> None:
        first = T0 + 120_000 * next(batch)
        store.write(
            [
                UnitMessage("jinma", "storage", f"unit-{u}", t, dict.fromkeys(tags[6 * u : 6 * u + 6], t % 977 / 100))
                for t in range(first, first + 120_000, 3000)
                for u in range(50)
            ]
        )

    asked = {
        "write": write,
        "latest": lambda: store.latest("jinma", tags),
        "windows": lambda: store.windows("jinma", "PT-7", T0, T0 + 120_000, 5000, "mean"),
    }
    new = {what: fastest(ask) for what, ask in asked.items()}
    for _ in range(25):
        write()
    grown = {what: fastest(ask) for what, ask in asked.items()}
    assert {what: grown[what] / new[what] for what in asked if grown[what] > 4.0 * new[what]} == {}
    sys.stdout.write(", ".join(f"{what} {grown[what] / new[what]:.1f}" for what in asked) + " times as long\n")
    store.close()


def fastest(ask: Callable[[], object]) -> float:
    spent = []
    for _ in range(3):
        begin = time.process_time()
        ask()
        spent.append(time.process_time() - begin)
    return min(spent)


def test_points_that_cannot_be_stored_do_not_stop_others(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "r.db")
    with pytest.raises(PointsRefusedError):
        store.write([message(T0, float("nan"))])
    store.write_points([ServicePoint("capacity", {"station": "jinma"}, {"p50": float("inf")}, T0)])
    assert store.read_points("capacity", {}, T0, T0 + 1) == []
    store.close()
