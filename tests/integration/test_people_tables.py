"""Users and the audit in the journal database, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from station.adapters.sql_audit import SqlAudit
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_users import SqlUsers
from station.ports import AuditRow, UserRow
from tests.support.postgres import Postgres

ROW = UserRow("li.wei", "operator", "$argon2id$..", 1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlDatabase]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    else:
        url = request.getfixturevalue("postgres").create_database(f"people_{abs(hash(request.node.name))}")
    opened = SqlDatabase(url)
    yield opened
    opened.close()


def test_users_are_kept_once_by_name(database: SqlDatabase) -> None:
    users = SqlUsers(database)
    assert users.add(ROW)
    assert not users.add(UserRow("li.wei", "admin", "other", 2))
    assert users.get("li.wei") == ROW
    assert users.get("nobody") is None
    changed = UserRow("li.wei", "viewer", "$new", 1, disabled=True, last_login_ms=9)
    assert users.replace(changed)
    assert not users.replace(UserRow("zhao", "viewer", "", 1))
    users.add(UserRow("chen", "viewer", "x", 3))
    assert [row.name for row in users.rows()] == ["chen", "li.wei"]
    assert users.get("li.wei") == changed
    assert users.remove("li.wei")
    assert not users.remove("li.wei")


def test_the_audit_is_read_newest_first_in_pages(database: SqlDatabase) -> None:
    audit = SqlAudit(database)
    rows = [
        AuditRow(t, "li.wei" if t % 2 else "", "operator" if t % 2 else "", "10.0.0.7", f"POST /{t}", 200, "")
        for t in range(10)
    ]
    audit.append(rows[:6])
    audit.append([])
    audit.append(rows[6:])
    everything = audit.range(0, 100)
    assert [row for _, row in everything] == rows[::-1]
    first = audit.range(0, 100, limit=4)
    assert [row for _, row in audit.range(0, 100, limit=100, before=first[-1][0])] == rows[::-1][4:]
    assert [row.at_ms for _, row in audit.range(2, 7, "li.wei")] == [5, 3]
