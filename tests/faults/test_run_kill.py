"""kill -9 of a whole `jinma run` at random moments: it comes back whole; `JINMA_FAULT_ROUNDS` times.

The embedded broker dies with the process and forgets what nobody had taken. So this asks that what is on disk stays,
that nothing goes back or is told twice, and that the hole is no longer than the time away.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_journal import SqlJournal
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from tests.support.plants import jinma
from tests.support.processes import wait_until
from tests.support.service import Service

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "2"))
TOTALS = [tag for tag in jinma().signals if tag.startswith("FQ-")]
DAY_MS = 86_400_000
FAR_MS = 4_102_444_800_000


def kept_messages(service: Service) -> list[UnitMessage]:
    """Everything in the store of an ended service, by time."""
    store = SqliteReadings(service.data_dir / "readings.sqlite")
    try:
        return list(store.messages("jinma", 0, FAR_MS))
    finally:
        store.close()


def check_files(service: Service) -> None:
    """Every database is whole, and the journal's chain of hashes holds."""
    for path in service.data_dir.rglob("*.sqlite"):
        db = sqlite3.connect(path)
        try:
            assert db.execute("pragma integrity_check").fetchone() == ("ok",), path
        finally:
            db.close()
    database = SqlDatabase(f"sqlite:///{service.data_dir / 'journal.sqlite'}")
    try:
        assert SqlJournal(database).verify() is None
    finally:
        database.close()


def check_totals(messages: Sequence[UnitMessage]) -> None:
    """No totaliser goes back, across however many deaths."""
    newest: dict[str, float] = {}
    for message in messages:
        for tag in TOTALS:
            value = message.values.get(tag)
            if value is not None:
                assert value >= newest.get(tag, 0.0), f"{tag} went back at {message.t_ms}"
                newest[tag] = value
    assert len(newest) == len(TOTALS)


def check_alarms(service: Service) -> int:
    """No alarm is raised twice without having cleared; return how many rows the journal has."""
    rows: list[dict[str, Any]] = []
    now_ms = time.time_ns() // 1_000_000
    cursor: dict[str, str] = {}
    while True:
        page = service.get(
            "/stations/jinma/alarms/journal", start=now_ms - 2 * DAY_MS, end=now_ms + 2 * DAY_MS, **cursor
        )
        rows += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    raised = Counter((row["id"], row["occurrence"]) for row in rows if row["event"] == "raised")
    assert [key for key, times in raised.items() if times > 1] == []
    active: set[str] = set()
    for row in rows:
        if row["event"] == "raised":
            assert row["id"] not in active, f"{row['id']} was raised again at {row['at']}"
            active.add(row["id"])
        elif row["event"] == "cleared":
            active.discard(row["id"])
    return len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("speed", ["1", "20"])
def test_kill_9_of_a_running_station_leaves_it_whole(speed: str) -> None:
    chance = random.Random(int(speed))
    back_s = []
    before: list[UnitMessage] = []
    with Service("--speed", speed) as service:
        service.wait_live()
        for _ in range(ROUNDS):
            threading.Event().wait(chance.uniform(0.2, 4.0))  # the moment of death is what is varied
            service.process.kill()
            check_files(service)
            dead = kept_messages(service)
            began_s = time.monotonic()
            service.start()
            service.wait_live()
            back_s.append(time.monotonic() - began_s)
            assert {(m.area, m.unit, m.t_ms) for m in before} <= {(m.area, m.unit, m.t_ms) for m in dead}
            before = dead
        rows = check_alarms(service)
        wait_until(lambda: service.metrics()["jinma_ingest_delivered_total"] > 60, 20, "more readings")
        assert service.interrupt() == 130
        assert service.tracebacks() == []
        after = kept_messages(service)
    assert {(m.area, m.unit, m.t_ms) for m in before} <= {(m.area, m.unit, m.t_ms) for m in after}
    check_totals(after)
    sys.stdout.write(
        f"speed {speed}: {ROUNDS} kills, {len(after)} messages, {rows} journal rows,"
        f" live again after {max(back_s):.1f} s at most\n"
    )
