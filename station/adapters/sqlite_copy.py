"""A copy of a SQLite file as of one moment, while others write to it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from station.adapters.sqlite_file import BUSY_TIMEOUT_S, sqlite_errors

_PAGES_AT_ONCE: Final = 4096
"""16 MB: often enough for a progress bar."""


def copy_database(source: Path, target: Path, told: Callable[[int], None] = lambda _: None) -> int:
    """Copy a database; writers go on meanwhile, and the copy knows nothing of what they do.

    Args:
        source: The file, in WAL mode.
        target: Made anew; without a WAL beside it.
        told: Hears the bytes copied so far.

    Returns:
        The file's `user_version`.

    Raises:
        StoreUnavailableError: It is locked, or the disk is full.
        DataDirectoryError: It is damaged.
    """
    target.unlink(missing_ok=True)
    with (
        sqlite_errors(source),
        contextlib.closing(sqlite3.connect(source, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        # A read transaction held throughout: without it each commit of another process would begin the copy anew.
        reader.execute("BEGIN")
        version = int(reader.execute("PRAGMA user_version").fetchone()[0])
        size = int(reader.execute("PRAGMA page_size").fetchone()[0])
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reader.backup(writer, pages=_PAGES_AT_ONCE, progress=lambda _, left, all_: told((all_ - left) * size))
        writer.execute("PRAGMA journal_mode=DELETE")
    return version


def version_of(file: Path) -> int:
    """Return a file's `user_version` without touching it.

    Raises:
        StoreUnavailableError: It cannot be opened.
        DataDirectoryError: It is no database.
    """
    with (
        sqlite_errors(file),
        contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("PRAGMA user_version").fetchone()[0])
