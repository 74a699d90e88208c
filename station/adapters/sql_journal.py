"""The alarm journal in a database: append-only, each row chained to the one before by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from station.adapters.journal_chain import BEFORE_FIRST, chained_hash, detail_text, storable
from station.adapters.memory_journal import MemoryJournal
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import journal, journal_head
from station.ports import AlarmJournal, JournalEntry

_VERIFY_BATCH = 2_000


class SqlJournal:
    """An `AlarmJournal` in SQLite or PostgreSQL. Any number of processes may append; their rows queue up.

    Args:
        database: Where it lies; `close` closes it.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self.database = database

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Commit entries durably, in order.

        Raises:
            JournalUnavailableError: The database failed; none of them is kept.
        """
        if not entries:
            return
        with self.database.writing() as connection:
            # The head is locked until the commit: two writers would otherwise chain to the same row.
            head = connection.execute(sa.select(journal_head.c.number, journal_head.c.hash).with_for_update()).one()
            number, before = head.number, head.hash
            rows = []
            for entry in map(storable, entries):
                number += 1
                detail = detail_text(entry)
                before = chained_hash(before, number, entry, detail)
                rows.append(_row(number, entry, detail, before))
            connection.execute(sa.insert(journal), rows)
            connection.execute(sa.update(journal_head).values(number=number, hash=before))

    def entries(
        self,
        station: str,
        start_ms: int,
        end_ms: int,
        after: int = 0,
        limit: int = 1000,
        *,
        alarm_id: str | None = None,
        newest_first: bool = False,
    ) -> list[tuple[int, JournalEntry]]:
        """Return rows of a station; see `AlarmJournal.entries`."""
        number = journal.c.number
        query = sa.select(journal).where(journal.c.station == station)
        query = query.where(journal.c.t_ms >= start_ms, journal.c.t_ms < end_ms)
        if alarm_id is not None:
            query = query.where(journal.c.alarm_id == alarm_id)
        if after:
            query = query.where(number < after if newest_first else number > after)
        query = query.order_by(number.desc() if newest_first else number).limit(limit)
        with self.database.reading() as connection:
            return [(row.number, _entry(row)) for row in connection.execute(query)]

    def newest_by_alarm(self, station: str) -> list[JournalEntry]:
        """Return the newest entry of each alarm id, in the order of the rows."""
        newest = (
            sa.select(sa.func.max(journal.c.number))
            .where(journal.c.station == station, journal.c.alarm_id != "")
            .group_by(journal.c.alarm_id)
        )
        query = sa.select(journal).where(journal.c.number.in_(newest)).order_by(journal.c.number)
        with self.database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def verify(self) -> int | None:
        """Return the number of the first row that is changed, missing or out of place, None where all is whole."""
        with self.database.reading() as connection:
            head = connection.execute(sa.select(journal_head.c.number, journal_head.c.hash)).one()
            number, before = 0, BEFORE_FIRST
            query = sa.select(journal).order_by(journal.c.number).execution_options(yield_per=_VERIFY_BATCH)
            with connection.execute(query) as rows:  # On PostgreSQL a cursor of the server, left in the middle.
                for row in rows:
                    number += 1
                    if row.number != number or chained_hash(before, number, _entry(row), row.detail) != row.hash:
                        return number
                    before = row.hash
            return None if (head.number, head.hash) == (number, before) else number + 1

    def close(self) -> None:
        """Release everything; idempotent."""
        self.database.close()


def open_journal(url: str) -> AlarmJournal:
    """Return the journal of a URL: `sqlite:///PATH`, `postgresql://user@host/name` or `memory://`.

    Raises:
        BadInputError: The URL is of none of them.
        DataDirectoryError: It was written by a newer program.
        JournalUnavailableError: It does not answer.
    """
    return MemoryJournal() if url == "memory://" else SqlJournal(SqlDatabase(url))


def _row(number: int, entry: JournalEntry, detail: str, chained: str) -> dict[str, object]:
    return {
        "number": number,
        "station": entry.station,
        "alarm_id": entry.alarm_id,
        "occurrence": entry.occurrence,
        "event": entry.event,
        "t_ms": entry.t_ms,
        "received_ms": entry.received_ms,
        "who": entry.who,
        "value": entry.value,
        "limit_value": entry.limit,
        "note": entry.note,
        "detail": detail,
        "hash": chained,
    }


def _entry(row: Any) -> JournalEntry:
    return JournalEntry(
        station=row.station,
        alarm_id=row.alarm_id,
        occurrence=row.occurrence,
        event=row.event,
        t_ms=row.t_ms,
        received_ms=row.received_ms,
        who=row.who,
        value=row.value,
        limit=row.limit_value,
        note=row.note,
        detail=msgspec.json.decode(row.detail),
    )
