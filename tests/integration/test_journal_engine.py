"""The alarm engine over a real journal: killed at any moment it loses nothing that was seen, and doubles nothing."""

from __future__ import annotations

import datetime as dt
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from api.alarms.engine import AlarmEngine
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.memory_journal import MemoryJournal
from station.adapters.property_tables import hydrogen_tables
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_journal import SqlJournal, open_journal
from station.adapters.timed_journal import TimedJournal
from station.domain.signals import UnitMessage
from station.ports import JournalEntry
from tests.support.alarm_timeline import STATION, Timeline, ms, spec, station
from tests.support.alarm_timeline import signal as signal_of
from tests.support.live_api import LiveApi, live_api
from tests.support.plants import jinma

PLANT = station([signal_of(f"PT-{n}", f"bank-{n}", spec("H", 40.0)) for n in range(20)])
CHILD = """
import itertools, random, sys
from tests.integration.test_journal_engine import PLANT
from tests.support.alarm_timeline import STATION, ms
from api.alarms.engine import AlarmEngine
from station.adapters.sql_journal import open_journal
from station.domain.signals import UnitMessage

journal = open_journal(sys.argv[1])
engine = AlarmEngine(PLANT, journal, wall_ms=lambda: 0)
engine.restore()
start, dice = int(sys.argv[2]), random.Random(sys.argv[2])
engine.advance(ms(start))
for at in itertools.count(start):
    for n in range(20):
        engine.observe(UnitMessage(STATION, "storage", f"bank-{n}", ms(at), {f"PT-{n}": dice.choice([30.0, 45.0])}))
    engine.advance(ms(at))
    for view in engine.take_changes():
        print(view.occurrence, view.state, flush=True)
"""


def test_killed_at_any_moment_nothing_seen_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    url, dice, seen = f"sqlite:///{tmp_path}/journal.db", random.Random(7), set[str]()
    for number in range(3):
        command = [sys.executable, "-c", CHILD, url, str(number * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(dice.uniform(0.05, 0.4))  # the moment of the crash: any will do
            child.send_signal(signal.SIGKILL)
            lines = [first, *child.stdout.read().splitlines()]
        seen.update(line.split()[0] for line in lines[:-1] if line.endswith(("UNACK", "UNACK\n")))
    journal = open_journal(url)
    raised = Counter(
        entry.occurrence for _, entry in journal.entries(STATION, 0, 1 << 60, limit=10**6) if entry.event == "raised"
    )
    assert seen
    assert seen <= set(raised), "what was shown is in the journal"
    assert max(raised.values()) == 1
    assert journal.verify() is None
    open_alarms = _open_alarms(journal.entries(STATION, 0, 1 << 60, limit=10**6))
    again = AlarmEngine(PLANT, journal, wall_ms=lambda: 0)
    again.restore()
    assert {view.id for view in again.alarms() if view.active} == open_alarms
    journal.close()


def _open_alarms(rows: list[tuple[int, JournalEntry]]) -> set[str]:
    active: set[str] = set()
    for _, entry in rows:
        if entry.event == "raised":
            active.add(entry.alarm_id)
        elif entry.event == "cleared":
            active.discard(entry.alarm_id)
    return active


def test_a_restart_over_a_file_continues(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    line = Timeline(PLANT, journal)
    line.push(1, {"PT-3": 45.0})
    line.engine.acknowledge("PT-3.H", "王工", "已知", ms(2))
    before = line.engine.alarm("PT-3.H")
    journal.close()
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    again = Timeline(PLANT, journal, at_s=5)
    assert again.engine.alarm("PT-3.H") == before
    again.push(6, {"PT-3": 45.0})
    again.push(7, {"PT-3": 1.0})
    assert again.events("PT-3.H") == [("raised", 1), ("acked", 2), ("cleared", 7)]
    journal.close()


def test_a_flood_of_a_thousand_alarms_is_committed_and_shown_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not alarm by alarm: each commit waits for the disk."""
    tags = {f"PT-{n}": 45.0 for n in range(1000)}
    plant = station([signal_of(tag, "bank", spec("H", 40.0)) for tag in tags])
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    engine = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    engine.advance(ms(0))
    append, commits = SqlJournal.append, []

    def counted(self: SqlJournal, entries: Sequence[JournalEntry]) -> None:
        commits.append(len(entries))
        append(self, entries)

    monkeypatch.setattr(SqlJournal, "append", counted)
    engine.observe(UnitMessage(STATION, "storage", "bank", ms(1), tags))
    assert len(engine.alarms()) == 1000
    assert commits == [1000]
    assert len(journal.newest_by_alarm(STATION)) == 1000
    journal.close()


@pytest.mark.parametrize(
    ("scenario", "expected"), [("normal-day", []), ("train-trip", ["XS-220D.STATE"])], ids=["normal-day", "train-trip"]
)
def test_the_morning_of_a_day_raises_what_it_must_and_nothing_else(scenario: str, expected: list[str]) -> None:
    plant, journal = jinma(), MemoryJournal()
    start = dt.datetime(2026, 6, 1, 9, 30, tzinfo=plant.timezone)
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario(scenario), start, 1)
    simulated = SimulatedStation(plant, physics, 1)
    engine = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    engine.advance(simulated.t_ms)
    for _ in range(9):
        for message in simulated.advance(600):
            engine.observe(message)
            engine.advance(message.t_ms)
    raised = [view.id for view in engine.take_changes() if view.state == "UNACK"]
    assert raised == expected


def test_an_alarm_is_on_the_disk_before_it_is_on_the_stream(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path}/journal.db")
    with database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL: each commit is fsynced"
    order: list[tuple[str, int, int]] = []

    class Looked(SqlJournal):
        def append(self, entries: Sequence[JournalEntry]) -> None:
            order.append(("begins", _rows(tmp_path), _alarms_shown(api)))
            super().append(entries)
            order.append(("committed", _rows(tmp_path), _alarms_shown(api)))

    timed = TimedJournal(Looked(database))
    api = live_api(alarm_journal=timed)
    api.say(("fire_gas", "bays"), {"BE-761": 0})
    api.clock.advance(1)
    api.say(("fire_gas", "bays"), {"BE-761": 1})
    order.append(("shown", _rows(tmp_path), _alarms_shown(api)))
    assert order == [("begins", 0, 0), ("committed", 1, 0), ("shown", 1, 1)]
    timed.close()
    database.close()


def _rows(folder: Path) -> int:
    """Return how many alarms somebody else finds in the journal's file."""
    with closing(sqlite3.connect(folder / "journal.db")) as other:
        found: int = other.execute("SELECT count(*) FROM journal WHERE event = 'raised'").fetchone()[0]
        return found


def _alarms_shown(api: LiveApi) -> int:
    return sum(b"event: alarm" in frame.data for frame in api.live.hub._ring)
