"""Many rows in a few statements: all of them, in order, whatever their number."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest

from station.many_rows import put_rows


class Spied:
    """A database that remembers how many statements it was given."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create table counts (name text primary key, count integer not null)")
        self.statements = 0

    def execute(self, sql: str, values: Sequence[object]) -> object:
        self.statements += 1
        return self.db.execute(sql, values)

    def rows(self) -> list[tuple[str, int]]:
        return self.db.execute("select name, count from counts order by rowid").fetchall()


@pytest.mark.parametrize("count", [0, 1, 2, 2500, 2501, 20_000])
def test_every_row_is_put_in_few_statements(count: int) -> None:
    spied = Spied()
    rows = [(f"n{number}", number) for number in range(count)]
    put_rows(spied.execute, "insert into counts", rows)
    assert spied.rows() == rows
    assert spied.statements == -(-count // 2500)


def test_rows_of_one_statement_meet_each_other_in_order() -> None:
    spied = Spied()
    put_rows(
        spied.execute,
        "insert into counts",
        [("a", 1), ("b", 5), ("a", 2)],
        "on conflict do update set count = 10 * count + excluded.count",
    )
    assert spied.rows() == [("a", 12), ("b", 5)]


def test_rows_may_stand_within_a_condition() -> None:
    spied = Spied()
    put_rows(spied.execute, "insert into counts", [("a", 1), ("b", 5), ("c", 2)])
    put_rows(spied.execute, "delete from counts where (name, count) in (", [("a", 1), ("b", 2), ("c", 2)], ")")
    assert spied.rows() == [("b", 5)]
