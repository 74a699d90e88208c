"""The journal database of a service, opened by a command beside it; what the command does there stands in the audit."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from station.adapters.clocks import wall_ms
from station.adapters.sql_audit import SqlAudit
from station.adapters.sql_database import SqlDatabase
from station.errors import BadInputError
from station.ports import AuditRow
from station.settings import load_settings

_HERE: Final = "command line"
_SQLITE: Final = "sqlite:///"
_DONE: Final = 200


@dataclass(frozen=True)
class JournalPlace:
    """An open journal database.

    Attributes:
        folder: The data directory, where the key of the tokens is.
    """

    database: SqlDatabase
    folder: Path

    def note(self, action: str) -> None:
        """Write down what was done, and by whom on this machine."""
        row = AuditRow(wall_ms(), _who(), "", _HERE, action[:200], _DONE, "")
        SqlAudit(self.database).append([row])


def journal_url(journal: str | None, data_dir: Path | None) -> tuple[str, Path]:
    """Return (URL of the journal, data directory) of a service that has run.

    Raises:
        BadInputError: There is no journal yet.
    """
    settings = load_settings(journal=journal, data_dir=data_dir)
    folder = settings.data_dir
    if settings.journal is not None:
        file = Path(settings.journal.removeprefix(_SQLITE))
        if settings.journal.startswith(_SQLITE) and file.parent.is_dir() and not file.exists():
            raise BadInputError(f"--journal {settings.journal}: there is no such file; name a service's journal")
        return settings.journal, folder
    if not (folder / "journal.sqlite").exists():
        raise BadInputError(f"--data-dir {folder}: no service has run there yet; name its data directory")
    return f"{_SQLITE}{folder / 'journal.sqlite'}", folder


@contextmanager
def open_journal_place(journal: str | None, data_dir: Path | None) -> Iterator[JournalPlace]:
    """Give the journal database of a service, which may be running.

    Raises:
        BadInputError: There is no journal yet.
        JournalUnavailableError: It does not answer.
    """
    url, folder = journal_url(journal, data_dir)
    database = SqlDatabase(url)
    try:
        yield JournalPlace(database, folder)
    finally:
        database.close()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container's user often has no name.
        return f"uid {os.getuid()}"
