"""Users and the audit in the journal database, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from station.adapters.sql_audit import SqlAudit
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notices import SqlNotices
from station.adapters.sql_users import SqlUsers
from station.notice_ports import NoticeRow, NoticeTry
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


def notice(priority: str, target: str = "shift", **changes: object) -> NoticeRow:
    made = NoticeRow("jinma", "A.HH", "A.HH@1", priority, "raised", "all", target, 100, 100, 900, '{"alarm":1}')
    return replace(made, **changes)  # type: ignore[arg-type]


def test_notices_wait_the_most_urgent_first_and_every_try_is_kept(database: SqlDatabase) -> None:
    book = SqlNotices(database)
    many = {"alarm_id": "", "occurrence": "flood@1", "kind": "flood", "body": '{"alarms":[]}'}
    book.add([notice("low"), notice("high"), notice("critical", due_ms=101), notice("critical", "chief")])
    book.add(
        [notice("medium", **many), notice("low", kind="test"), notice("high", station="elsewhere"), notice("high")]
    )
    assert [row.priority for row in book.due("shift", 100)] == ["high", "high", "high", "medium", "low", "low"]
    assert [row.number for row in book.due("shift", 101, limit=2)] == [3, 2]
    book.settle(NoticeTry(3, 110, 9, ok=False, duplicate=False, answer="500"), "waiting", 200)
    book.settle(NoticeTry(3, 200, 9, ok=True, duplicate=True, answer="204"), "sent", 200)
    assert [row.number for row in book.due("shift", 300, limit=1)] == [2]
    of_late = book.since("jinma", 100)
    assert [(row.kind, row.body) for row in of_late] == [
        *[("raised", "")] * 4, ("flood", '{"alarms":[]}'), ("raised", "")
    ]  # fmt: skip
    assert book.since("jinma", 101) == []
    assert [row.number for row in book.told("jinma", "A.HH@1")] == [1, 2, 3, 4, 6, 8]
    ((row, tries),) = [one for one in book.range("jinma", 0, 1000) if one[0].number == 3]
    assert (row.state, row.tries) == ("sent", 2)
    assert [(one.ok, one.duplicate, one.answer) for one in tries] == [(False, False, "500"), (True, True, "204")]
    assert book.waiting() == (7, 100)
