"""Notices and their tries in the journal database: what waits there is sent, also after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import notice_tries, notices
from station.notice_ports import NoticeRow, NoticeTry

_WAITING = "waiting"
_URGENCY = sa.case({"critical": 0, "high": 1, "medium": 2}, value=notices.c.priority, else_=3)
"""After an outage the critical alarm of this minute does not wait behind yesterday's."""
_TRY_FIELDS = [field.name for field in fields(NoticeTry)]


class SqlNotices:
    """A `NoticeBook` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, rows: Sequence[NoticeRow]) -> None:
        """Commit new notices."""
        values = [{name: value for name, value in asdict(row).items() if name != "number"} for row in rows]
        if values:
            with self._database.writing() as connection:
                connection.execute(sa.insert(notices), values)

    def due(self, target: str, now_ms: int, limit: int = 20) -> list[NoticeRow]:
        """Return a target's notices that wait and are due, the most urgent first, then the oldest."""
        mine = (notices.c.state == _WAITING) & (notices.c.target == target) & (notices.c.due_ms <= now_ms)
        query = sa.select(notices).where(mine).order_by(_URGENCY, notices.c.number).limit(limit)
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query)]

    def settle(self, tried: NoticeTry, state: str, due_ms: int) -> None:
        """Commit a try and what became of its notice."""
        update = sa.update(notices).where(notices.c.number == tried.notice)
        with self._database.writing() as connection:
            connection.execute(sa.insert(notice_tries), asdict(tried))
            connection.execute(update.values(state=state, due_ms=due_ms, tries=notices.c.tries + 1))

    def told(self, station: str, occurrence: str) -> list[NoticeRow]:
        """Return the notices of an occurrence."""
        query = sa.select(notices).where(notices.c.station == station, notices.c.occurrence == occurrence)
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query.order_by(notices.c.number))]

    def since(self, station: str, created_ms: int) -> list[NoticeRow]:
        """Return the notices made from a time on, tests left out; bodies only of those that tell many alarms."""
        body = sa.case((notices.c.alarm_id == "", notices.c.body), else_="").label("body")
        columns = [body if column.name == "body" else column for column in notices.c]
        of_late = (notices.c.station == station) & (notices.c.created_ms >= created_ms) & (notices.c.kind != "test")
        query = sa.select(*columns).where(of_late).order_by(notices.c.number)
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query)]

    def waiting(self) -> tuple[int, int | None]:
        """Return how many wait, and since when the oldest does (epoch ms)."""
        query = sa.select(sa.func.count(), sa.func.min(notices.c.created_ms)).where(notices.c.state == _WAITING)
        with self._database.reading() as connection:
            count, oldest_ms = connection.execute(query).one()
        return int(count), oldest_ms

    def range(
        self, station: str, start_ms: int, end_ms: int, limit: int = 1000, before: int | None = None
    ) -> list[tuple[NoticeRow, list[NoticeTry]]]:
        """Return notices made in [start, end), newest first, below a number, each with its tries."""
        inside = (notices.c.created_ms >= start_ms) & (notices.c.created_ms < end_ms)
        query = sa.select(notices).where(notices.c.station == station, inside)
        if before is not None:
            query = query.where(notices.c.number < before)
        with self._database.reading() as connection:
            rows = [_row(found) for found in connection.execute(query.order_by(notices.c.number.desc()).limit(limit))]
            numbers = [row.number for row in rows]
            tried = sa.select(notice_tries).where(notice_tries.c.notice.in_(numbers)).order_by(notice_tries.c.number)
            tries = [_try(found) for found in connection.execute(tried)]
        return [(row, [one for one in tries if one.notice == row.number]) for row in rows]


def _row(found: sa.Row[tuple[object, ...]]) -> NoticeRow:
    return NoticeRow(**found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _try(found: sa.Row[tuple[object, ...]]) -> NoticeTry:
    return NoticeTry(**{name: found._mapping[name] for name in _TRY_FIELDS})  # noqa: SLF001 - as above
