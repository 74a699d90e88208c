"""Who did what, in the journal database: rows are added and read, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import audit
from station.ports import AuditRow

_FIELDS = [field.name for field in fields(AuditRow)]


class SqlAudit:
    """An `AuditTrail` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def append(self, rows: Sequence[AuditRow]) -> None:
        """Commit rows."""
        if rows:
            with self._database.writing() as connection:
                connection.execute(sa.insert(audit), [asdict(row) for row in rows])

    def range(
        self, start_ms: int, end_ms: int, who: str | None = None, limit: int = 1000, before: int | None = None
    ) -> list[tuple[int, AuditRow]]:
        """Return (number, row) of [start, end), newest first, at most `limit` whose number is below `before`."""
        query = sa.select(audit).where(audit.c.at_ms >= start_ms, audit.c.at_ms < end_ms)
        if who is not None:
            query = query.where(audit.c.who == who)
        if before is not None:
            query = query.where(audit.c.number < before)
        query = query.order_by(audit.c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return [(row.number, AuditRow(**{name: row._mapping[name] for name in _FIELDS})) for row in found]  # noqa: SLF001
