"""One suite over every alarm journal: in memory, SQLite, and a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.adapters.memory_journal import MemoryJournal
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_forecasts import SqlForecasts
from station.adapters.sql_journal import SqlJournal, open_journal
from station.adapters.sql_plans import SqlPlans
from station.adapters.sql_tokens import SqlTokens
from station.adapters.timed_journal import TimedJournal
from station.domain.day_plan import Booking, DayPlan, Delivery
from station.ports import AlarmJournal, JournalEntry, TokenRow
from tests.support.postgres import Postgres

ENTRY = JournalEntry(
    station="jinma",
    alarm_id="PT-330A.HH",
    occurrence="PT-330A.HH@1000",
    event="raised",
    t_ms=1000,
    received_ms=1795430400123,
    who="system",
    value=48.25,
    limit=48.0,
    note="瓶组压力超高",
    detail={"state": {"active": True, "acked": False, "raised_ms": 1000, "text": {"en": "high", "zh": "高"}}},
)
DAY = dt.date(2026, 6, 1)
_names = itertools.count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def _url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database(f"journal{next(_names)}")


@pytest.fixture(params=["memory", "timed", "sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlarmJournal]:
    if request.param == "timed":
        timed = TimedJournal(MemoryJournal())
        yield timed
        timed.close()
        return
    opened = open_journal("memory://" if request.param == "memory" else _url(request.param, tmp_path, request))
    yield opened
    opened.close()
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlDatabase]:
    opened = SqlDatabase(_url(request.param, tmp_path, request))
    yield opened
    opened.close()


def test_an_entry_comes_back_as_it_was(journal: AlarmJournal) -> None:
    bare = JournalEntry("jinma", "", "", "login", 2000, 5, "Wang", detail={})
    journal.append([ENTRY, bare])
    assert journal.entries("jinma", 0, 10_000) == [(1, ENTRY), (2, bare)]
    assert journal.verify() is None


def test_nothing_appended_is_nothing(journal: AlarmJournal) -> None:
    journal.append([])
    assert journal.entries("jinma", 0, 1 << 50) == []
    assert journal.newest_by_alarm("jinma") == []
    assert journal.verify() is None


def test_entries_are_selected_by_station_time_and_row(journal: AlarmJournal) -> None:
    rows = [replace(ENTRY, t_ms=t) for t in (100, 300, 200, 400)]
    journal.append([*rows, replace(ENTRY, station="jinma~ab12cd34", t_ms=200)])
    assert [n for n, _ in journal.entries("jinma", 100, 400)] == [1, 2, 3]
    assert [n for n, _ in journal.entries("jinma", 0, 1000, after=2)] == [3, 4]
    assert [n for n, _ in journal.entries("jinma", 0, 1000, limit=2)] == [1, 2]
    assert [n for n, _ in journal.entries("jinma~ab12cd34", 0, 1000)] == [5]
    assert [n for n, _ in journal.entries("jinma", 0, 1000, newest_first=True)] == [4, 3, 2, 1]
    assert [n for n, _ in journal.entries("jinma", 0, 1000, after=3, limit=1, newest_first=True)] == [2]


def test_entries_of_one_alarm_are_selected(journal: AlarmJournal) -> None:
    other = replace(ENTRY, alarm_id="PT-330B.HH")
    journal.append([ENTRY, other, ENTRY, replace(ENTRY, station="elsewhere")])
    assert [n for n, _ in journal.entries("jinma", 0, 10_000, alarm_id=ENTRY.alarm_id)] == [1, 3]
    assert [n for n, _ in journal.entries("jinma", 0, 10_000, 3, alarm_id=ENTRY.alarm_id, newest_first=True)] == [1]
    assert journal.entries("jinma", 0, 10_000, alarm_id="PT-1.H") == []


def test_the_newest_entry_of_each_alarm_is_what_a_restart_needs(journal: AlarmJournal) -> None:
    other = replace(ENTRY, alarm_id="PT-330B.HH")
    cleared = replace(ENTRY, event="cleared", t_ms=500)  # of an earlier source time: the row's order counts
    journal.append([ENTRY, other])
    journal.append([cleared, replace(ENTRY, alarm_id="", event="login"), replace(ENTRY, station="elsewhere")])
    assert journal.newest_by_alarm("jinma") == [other, cleared]


def test_whole_numbers_and_what_no_number_is(journal: AlarmJournal) -> None:
    journal.append([replace(ENTRY, value=3, limit=float("inf"))])
    [(_, entry)] = journal.entries("jinma", 0, 10_000)
    assert (entry.value, entry.limit) == (3.0, None)
    assert journal.verify() is None


def test_a_minus_zero_keeps_the_chain_whole(journal: AlarmJournal) -> None:
    journal.append([replace(ENTRY, value=-0.0, limit=-0.0)])
    assert journal.verify() is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.text(max_size=20),
    note=st.text(max_size=40),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    word=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)
def test_any_words_and_numbers_keep_the_chain_whole(
    journal: AlarmJournal, who: str, note: str, value: float | None, word: str
) -> None:
    journal.append([replace(ENTRY, who=who, note=note, value=value, detail={"word": word})])
    entry = journal.entries("jinma", 0, 10_000, limit=100_000)[-1][1]
    assert entry.value == value
    assert entry.detail == {"word": word}
    assert journal.verify() is None


def test_memory_chain_notices_a_changed_row() -> None:
    journal = MemoryJournal()
    journal.append([ENTRY, replace(ENTRY, event="acked"), replace(ENTRY, event="cleared")])
    journal._rows[1] = (replace(ENTRY, event="acked", who="somebody else"), journal._rows[1][1])
    assert journal.verify() == 2


# What shares the database


def test_plans_newest_wins_also_of_one_source(database: SqlDatabase) -> None:
    book = SqlPlans(database)
    assert book.newest("jinma", DAY) is None
    first = DayPlan(DAY, (Booking("T-1", 1000, 40.5),), (Delivery("D-1", 2000, 278.0, "bay-1"),), "mqtt")
    second = replace(first, trucks=(), source="put")
    book.save("jinma", first)
    book.save("jinma", second)
    book.save("jinma", replace(first, date=DAY + dt.timedelta(days=1)))
    book.save("elsewhere", first)
    assert book.newest("jinma", DAY) == second
    assert book.newest("jinma", DAY, "mqtt") == first
    assert book.newest("jinma", DAY, "station-file") is None


def test_forecasts_one_a_time(database: SqlDatabase) -> None:
    history = SqlForecasts(database)
    for at_ms, body in ((300, b"c"), (100, b"a"), (200, b"b"), (200, b"b again")):
        history.append("jinma", at_ms, body)
    history.append("elsewhere", 150, b"x")
    assert history.range("jinma", 100, 300) == [(100, b"a"), (200, b"b again")]
    assert history.range("jinma", 0, 1000, limit=1) == [(100, b"a")]


def test_tokens(database: SqlDatabase) -> None:
    table = SqlTokens(database)
    late = TokenRow("bbb", "hash", "viewer", "Grafana", created_ms=20, expires_ms=99)
    early = TokenRow("aaa", "hash", "admin", "admin", created_ms=10)
    for row in (late, early):
        table.add(row)
    assert table.rows() == [early, late]
    assert table.get("bbb") == late
    assert table.get("ccc") is None
    table.touch("aaa", 50)
    table.touch("ccc", 50)
    table.add(replace(late, role="operator"))
    assert table.rows() == [replace(early, last_used_ms=50), replace(late, role="operator")]
    assert table.remove("aaa")
    assert not table.remove("aaa")


def test_two_openers_chain_one_after_the_other(database: SqlDatabase) -> None:
    mine, theirs = SqlJournal(database), SqlJournal(SqlDatabase(_raw_url(database)))
    for journal in (mine, theirs, mine, theirs):
        journal.append([ENTRY])
    assert [n for n, _ in mine.entries("jinma", 0, 10_000)] == [1, 2, 3, 4]
    assert mine.verify() is None
    theirs.close()


def _raw_url(database: SqlDatabase) -> str:
    return database._url.render_as_string(hide_password=False)
