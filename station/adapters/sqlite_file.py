"""One SQLite file as a service uses it: one writer thread with group commit, and readers that never wait for it."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from station.errors import DataDirectoryError, StoreUnavailableError

Result = TypeVar("Result")
_Job = tuple[Callable[[sqlite3.Connection], Any], "Future[Any]"]


class Upgrades(NamedTuple):
    """How a file of an older version becomes one of the present; both are told the version found, within a transaction.

    Attributes:
        make_way: Puts aside what the new tables stand in the way of.
        upgrade: Fills the new tables; of an empty file (version 0) there is nothing to do.
    """

    make_way: Callable[[sqlite3.Connection, int], None]
    upgrade: Callable[[sqlite3.Connection, int], None]


GROUP_LIMIT = 64
"""Waiting jobs that share one transaction, and with it one fsync."""

BUSY_TIMEOUT_S = 10.0
"""Another process (ingest beside serve) may hold the write lock for one transaction of its own."""


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn sqlite3's errors into the project's: locked, full or away passes, damage does not."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.InterfaceError) as error:
        raise StoreUnavailableError(f"SQLite store {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DataDirectoryError(f"SQLite store {path} is damaged or no database: {error}") from error


class SqliteFile:
    """A database file in WAL mode.

    Args:
        path: The file; it and its directory are made where missing.
        schema: Statements that make an empty file; versioned by `version` in `user_version`.
        version: What this program writes; a file that carries a higher one is refused.
        upgrades: What brings an older file to `version`; a copy of the file is kept beside it first.
    """

    def __init__(self, path: Path, schema: str, version: int, upgrades: Upgrades) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._on_rollback: Callable[[], None] = lambda: None
        with sqlite_errors(path):
            self._writer = self._open_file(schema, version, upgrades)
        self._thread = threading.Thread(target=self._run, name=f"sqlite-writer {path.name}", daemon=True)
        self._thread.start()

    def _open_file(self, schema: str, version: int, upgrades: Upgrades) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(f"cannot make {self.path.parent}: {error.strerror}") from error
        connection = self._connect()
        try:
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
            self._refuse_newer(found, version)
            connection.execute("PRAGMA journal_mode=WAL")
            if found < version:
                self._bring_to(connection, schema, version, upgrades)
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_to(self, connection: sqlite3.Connection, schema: str, version: int, upgrades: Upgrades) -> None:
        """Make or upgrade the tables in one transaction; another process may be about the same and is waited for."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if 0 < found < version:
                self._keep_copy(version)
                upgrades.make_way(connection, found)
            if found < version:
                for statement in schema.split(";"):
                    connection.execute(statement)
                with self._upgrade_errors(version):
                    upgrades.upgrade(connection, found)
                connection.execute(f"PRAGMA user_version={version}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    @contextlib.contextmanager
    def _upgrade_errors(self, version: int) -> Iterator[None]:
        """Say what stands in the way; the file stays as it was."""
        try:
            yield
        except (ValueError, struct.error, zlib.error) as error:
            raise DataDirectoryError(f"{self.path} cannot be brought to version {version}: {error}") from error

    def _keep_copy(self, version: int) -> None:
        copy = self.path.with_name(f"{self.path.name}.before-{version}")
        unfinished = copy.with_name(f"unfinished-{copy.name}")
        unfinished.unlink(missing_ok=True)
        with (
            contextlib.closing(sqlite3.connect(self.path)) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as target,
        ):
            source.backup(target)
        unfinished.replace(copy)

    def _refuse_newer(self, found: int, version: int) -> None:
        if found > version:
            raise DataDirectoryError(
                f"{self.path} has schema version {found}, this program knows up to {version}: use a newer jinma"
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        # FULL: a commit is on the disk when `write` returns, since the spool forgets the batch then.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-32768")  # 32 MB
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # 16 MB: fewer, larger copies into the file
        return connection

    def on_rollback(self, forget: Callable[[], None]) -> None:
        """Have `forget` called in the writer thread when a transaction was undone: caches of row ids are wrong then."""
        self._on_rollback = forget

    def write(self, job: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `job` in the writer thread inside a transaction; return its result after the commit.

        A job may run twice (again alone, when a neighbour in its group failed), each time in a fresh transaction.
        """
        future: Future[Result] = Future()
        with self._gate:  # no job may come after the word that ends the writer: nobody would answer it
            if self._closed:
                raise StoreUnavailableError(f"SQLite store {self.path} is closed")
            self._jobs.put((job, future))
        with sqlite_errors(self.path):
            return future.result()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one read transaction: everything is seen as of one moment."""
        with sqlite_errors(self.path):
            if self._closed:
                raise StoreUnavailableError(f"SQLite store {self.path} is closed")
            with self._idle_lock:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._connect()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()
                self._put_back(connection)

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < 8:  # a burst of readers leaves no more than this many open
                self._idle.append(connection)
                return
        connection.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            ended = False
            while len(group) < GROUP_LIMIT and not ended:
                try:
                    waiting = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if waiting is None:
                    ended = True
                else:
                    group.append(waiting)
            self._commit(group)
            if ended:
                break
        self._writer.close()

    def _commit(self, group: list[_Job]) -> None:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [job(connection) for job, _ in group]
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits for the job
            if connection.in_transaction:
                connection.rollback()
            self._on_rollback()
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for one in group:
                self._commit([one])
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def close(self) -> None:
        """Finish the jobs that wait, then close all connections; idempotent."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
