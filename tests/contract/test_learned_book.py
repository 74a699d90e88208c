"""One suite over every book of what was learned: in memory, SQLite, and a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from station.adapters.memory_learned import MemoryLearned
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_learned import SqlLearned
from station.domain.learned import LearnedRow
from station.ports import LearnedBook
from tests.support.postgres import Postgres

DAY = dt.date(2026, 6, 1)
HOUR_MS = 3_600_000
_names = itertools.count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LearnedBook]:
    if request.param == "memory":
        yield MemoryLearned()
        return
    url = f"sqlite:///{tmp_path}/journal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"learned{next(_names)}")
    database = SqlDatabase(url)
    yield SqlLearned(database)
    database.close()


def row(parameter: str = "no_show_share", day: int = 0, hour: float = 24.0, n: float = 90.0) -> LearnedRow:
    at_ms = round((24 * day + hour) * HOUR_MS)
    date = DAY + dt.timedelta(days=day)
    return LearnedRow("jinma", parameter, date, at_ms, at_ms - 3 * HOUR_MS, 0.0125, 0.11, n, 0.25, (2.0, n, 1e-9))


def test_a_row_comes_back_as_it_was(book: LearnedBook) -> None:
    bare = replace(row("train_health.train-1"), state=(), until_ms=0)
    book.save([row(), bare])
    assert book.newest("jinma", 24 * HOUR_MS) == [row(), bare]
    assert book.range("jinma", DAY, DAY) == [row(), bare]
    book.save([])


def test_a_day_keeps_its_newest_row_and_other_days_theirs(book: LearnedBook) -> None:
    book.save([row(hour=5.0, n=5.0)])
    book.save([row(hour=24.0, n=20.0), row("walk_in_share")])
    book.save([row(day=1, hour=8.0, n=30.0)])
    assert [(r.date.day, r.parameter, r.n) for r in book.range("jinma", DAY, DAY + dt.timedelta(days=1))] == [
        (1, "no_show_share", 20.0),
        (1, "walk_in_share", 90.0),
        (2, "no_show_share", 30.0),
    ]


def test_the_newest_of_each_parameter_is_not_later_than_asked(book: LearnedBook) -> None:
    book.save([row(day=n, n=float(n)) for n in range(4)])
    book.save([row("walk_in_share", day=1), replace(row(day=3), station="elsewhere")])
    found = book.newest("jinma", 3 * 24 * HOUR_MS)
    assert [(r.parameter, r.date.day) for r in found] == [("no_show_share", 3), ("walk_in_share", 2)]
    assert book.newest("jinma", 1000) == []
    assert book.newest("nowhere", 1 << 50) == []


def test_days_are_read_in_pages(book: LearnedBook) -> None:
    names = ("connect_min", "no_show_share")
    book.save([row(name, day) for day in (2, 0, 1) for name in names])
    last = DAY + dt.timedelta(days=1)
    assert [(r.date.day, r.parameter) for r in book.range("jinma", DAY, last)] == [
        (d, n) for d in (1, 2) for n in names
    ]
    assert book.range("jinma", DAY, last, limit=2, offset=1) == [row(names[1], 0), row(names[0], 1)]
    assert book.range("jinma", last + dt.timedelta(days=5), last + dt.timedelta(days=9)) == []
    assert book.range("elsewhere", DAY, last) == []
