"""Where the data of reports are, as addresses that travel to the process that makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from api.reports.gathering import Books, Sources
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_forecasts import SqlForecasts
from station.adapters.sql_journal import SqlJournal
from station.adapters.sql_notes import SqlNotes
from station.adapters.sql_plans import SqlPlans
from station.adapters.store_urls import open_store


@dataclass(frozen=True)
class SourceAddresses:
    """A store's URL with its token, and the journal database's URL where there is one."""

    store: str
    token: str | None = field(repr=False)
    journal: str | None = field(repr=False)

    @contextmanager
    def open(self) -> Iterator[Sources]:
        """Give store and books, closed afterwards.

        Raises:
            JinmaError: One of them cannot be opened.
        """
        with ExitStack() as closing:
            store = open_store(self.store, self.token)
            closing.callback(store.close)
            if self.journal is None:
                yield Sources(store, None)
                return
            database = SqlDatabase(self.journal)
            closing.callback(database.close)
            yield Sources(store, books_of(database))


def books_of(database: SqlDatabase) -> Books:
    """Return what a report reads of a journal database."""
    return Books(SqlJournal(database), SqlForecasts(database), SqlPlans(database), SqlNotes(database))
