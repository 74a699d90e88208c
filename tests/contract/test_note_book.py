"""One suite over every book of shift notes: in memory, SQLite, and a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from station.adapters.memory_notes import MemoryNotes
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notes import SqlNotes
from station.domain.report.notes import ShiftNote
from station.errors import JournalUnavailableError
from station.ports import NoteBook
from tests.support.postgres import Postgres

DAY = dt.date(2026, 11, 23)
NOTE = ShiftNote("jinma", DAY, "note", 1795406400000, 1795406400123, "li.wei", "2号机组振动偏大\n油位正常 <b>✓</b>")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with Postgres() as server:
        yield server.create_database("notes")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlDatabase]:
    with _database(request, tmp_path) as opened:
        yield opened


def _database(request: pytest.FixtureRequest, folder: Path) -> closing[SqlDatabase]:
    is_server = request.param == "postgresql"
    return closing(SqlDatabase(request.getfixturevalue("postgres") if is_server else f"sqlite:///{folder}/journal.db"))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NoteBook]:
    if request.param == "memory":
        yield MemoryNotes()
        return
    with _database(request, tmp_path) as opened:
        yield SqlNotes(opened)


def test_notes_come_back_as_they_were_in_their_order(book: NoteBook) -> None:
    station = f"station-{id(book)}"  # PostgreSQL's database is shared by the tests of this file.
    first = replace(NOTE, station=station)
    second = replace(first, kind="handover", who="王芳", text="交班")
    numbers = [book.append(first), book.append(second)]
    assert numbers[0] < numbers[1]
    assert book.of_day(station, DAY) == list(zip(numbers, [first, second], strict=True))


def test_days_and_stations_are_kept_apart(book: NoteBook) -> None:
    station = f"other-{id(book)}"
    book.append(replace(NOTE, station=station))
    book.append(replace(NOTE, station=station, date=DAY + dt.timedelta(days=1)))
    book.append(replace(NOTE, station=station, date=DAY + dt.timedelta(days=1)))
    assert book.counts(station) == {DAY: 1, DAY + dt.timedelta(days=1): 2}
    assert len(book.of_day(station, DAY)) == 1
    assert book.of_day("nobody", DAY) == []
    assert book.counts("nobody") == {}


@pytest.mark.parametrize("act", ["UPDATE shift_notes SET text = 'x'", "DELETE FROM shift_notes"])
def test_the_database_itself_refuses_to_change_a_note(database: SqlDatabase, act: str) -> None:
    book = SqlNotes(database)
    book.append(replace(NOTE, station=act[:6]))
    with pytest.raises(JournalUnavailableError, match="append-only"), database.writing() as connection:
        connection.execute(sa.text(act))
    assert [note.text for _, note in book.of_day(act[:6], DAY)] == [NOTE.text]
