"""The journal database: opened, upgraded after a backup, its failures told apart. SQLite or PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from station.adapters.sql_schema import HEAD, KNOWN, forecasts, journal, metadata
from station.errors import BadInputError, DataDirectoryError, JournalUnavailableError

_CREDENTIALS = re.compile(r"://.*@")
_BUSY_MS = 5_000
"""An append of another process takes milliseconds; whoever holds the lock for longer is stuck."""
_MIGRATION_LOCK = 0x4A696E6D61
"""PostgreSQL's advisory lock while the schema is made: any number of our own (it spells the name)."""


class SqlDatabase:
    """One journal database, shared by the journal, the plan book, the forecast history and the tokens.

    Args:
        url: SQLAlchemy URL of a SQLite file (`sqlite:///PATH`) or of PostgreSQL (`postgresql://user@host/name`).
        begin_anew_at: Drop every table of ours, and make those of this revision; None opens what is there.

    Raises:
        BadInputError: The URL is of neither.
        DataDirectoryError: It was written by a newer program, or is no journal database.
        JournalUnavailableError: It does not answer.
    """

    def __init__(self, url: str, begin_anew_at: str | None = None) -> None:
        self._url = _parsed(url)
        self.name = self._url.render_as_string(hide_password=True)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._one_writer = threading.Lock()
        if self._is_sqlite:
            _check_sqlite_file(self._url)
        self._engine = _engine(self._url, is_sqlite=self._is_sqlite)
        try:
            if begin_anew_at is None:
                self._upgrade()
            else:
                self._begin_anew(begin_anew_at)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that only reads.

        Raises:
            JournalUnavailableError: The database failed.
        """
        with self._told_apart(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Give a connection that sees the database as of one moment, however long it reads.

        Raises:
            JournalUnavailableError: The database failed.
        """
        with self.reading() as connection:
            if not self._is_sqlite:
                connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that is committed, durably, at the end of the block.

        Raises:
            JournalUnavailableError: The database failed; nothing of the block has happened.
        """
        with self._told_apart(), self._turn(), self._engine.connect() as connection:
            connection.execution_options(journal_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let threads write one after the other, without the growing pauses at which SQLite polls its own lock."""
        if not self._is_sqlite:
            yield
            return
        if not self._one_writer.acquire(timeout=_BUSY_MS / 1000):
            raise JournalUnavailableError(f"journal {self.name}: another thread has been writing for too long")
        try:
            yield
        finally:
            self._one_writer.release()

    def bytes_on_disk(self) -> int:
        """Return what the database takes on its disk."""
        if self._is_sqlite:
            path = Path(str(self._url.database))
            return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*") if ".before-" not in file.name)
        with self.reading() as connection:
            return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())

    def span_ms(self) -> int:
        """Return over how long rows were added: alarms and forecasts, which come by far most often [ms]."""
        with self.reading() as connection:
            edges = [
                connection.execute(sa.select(sa.func.min(column), sa.func.max(column))).one()
                for column in (journal.c.t_ms, forecasts.c.at_ms)
            ]
        return max((int(newest - oldest) for oldest, newest in edges if oldest is not None), default=0)

    def close(self) -> None:
        """Release every connection; idempotent."""
        self._engine.dispose()

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            said = " ".join(str(error.orig).split())  # PostgreSQL's words come on several lines.
            raise JournalUnavailableError(f"journal {self.name}: {said}") from error

    def _upgrade(self) -> None:
        with self.reading() as connection:
            revision = _revision(connection)
        if revision == HEAD:
            return
        self._check(revision)
        if revision is not None and self._is_sqlite:
            self._back_up(revision)
        with self.writing() as connection:
            if not self._is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            if _revision(connection) != HEAD:
                _migrate(connection)

    def _begin_anew(self, revision: str) -> None:
        with self.writing() as connection:
            metadata.drop_all(connection)
            connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
            if not self._is_sqlite:  # what guards the journal's rows there
                connection.execute(sa.text("DROP FUNCTION IF EXISTS journal_is_append_only()"))
                connection.execute(sa.text("DROP FUNCTION IF EXISTS shift_notes_are_append_only()"))
            _migrate(connection, revision)

    def _check(self, revision: str | None) -> None:
        if revision is not None and revision not in KNOWN:
            raise DataDirectoryError(
                f"journal {self.name}: its schema {revision} is newer than this program's {HEAD}: "
                "start the newer program, or restore the backup made before its upgrade"
            )

    def _back_up(self, revision: str) -> None:
        path = Path(str(self._url.database))
        target = path.with_name(f"{path.name}.before-{HEAD}-from-{revision}")
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)


def revision_of(url: str) -> str | None:
    """Return the revision of a journal database without bringing it up to date, None where it has no tables of ours.

    Raises:
        BadInputError: The URL is of no database that a journal may lie in.
        JournalUnavailableError: It does not answer.
    """
    parsed = _parsed(url)
    engine = _engine(parsed, is_sqlite=parsed.get_backend_name() == "sqlite")
    try:
        with engine.connect() as connection:
            return _revision(connection)
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        raise JournalUnavailableError(f"journal {parsed.render_as_string(hide_password=True)}: {said}") from error
    finally:
        engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # Its words may hold the URL as it is; of what cannot be read nobody knows where the password stands.
        raise BadInputError(f"journal {_CREDENTIALS.sub('://***@', url)!r}: not a database URL") from error
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database:
        return parsed
    raise BadInputError(f"journal {parsed.render_as_string()}: must be sqlite:///PATH or postgresql://user@host/name")


def _check_sqlite_file(url: URL) -> None:
    path = Path(str(url.database))
    if not path.parent.is_dir():
        raise BadInputError(f"journal {path}: there is no directory {path.parent}")
    if path.exists():
        with path.open("rb") as file:
            start = file.read(16)
        if start and start != b"SQLite format 3\x00":
            raise DataDirectoryError(f"journal {path}: is not a SQLite database")


def _engine(url: URL, *, is_sqlite: bool) -> sa.Engine:
    try:
        if not is_sqlite:
            return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
        engine = sa.create_engine(url, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False})
    except ModuleNotFoundError as error:
        raise BadInputError(f"journal: PostgreSQL needs the package {error.name}: install jinma[postgresql]") from error
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # We say BEGIN ourselves, below: the driver would begin too late.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # A commit is on the disk before anyone sees the alarm.


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that reads first and writes later can be refused in between.
    writes = connection.get_execution_options().get("journal_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(connection: sa.Connection, revision: str = "head") -> None:
    # Imported here: it takes a quarter of a second, and a database is upgraded once in its life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("journal_migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
