"""The data directory: one process at a time, a schema version, everything this service keeps in its place."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import IO, Final

from station.errors import DataDirectoryError

SCHEMA: Final = 1
"""Version of the layout below. A newer one is refused; an older one is upgraded after a backup."""


REPORTS: Final = "reports"
"""Folder of the daily reports, one folder a station in it."""


class DataDirectory:
    """An opened, locked data directory.

    Raises:
        DataDirectoryError: In use by another process, of a newer version, or not writable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = self._take_lock()
        except OSError as error:
            raise DataDirectoryError(f"data directory {path}: {error.strerror or error}") from error
        try:
            self._check_schema()
        except BaseException:
            self._lock.close()
            raise

    @property
    def readings_url(self) -> str:
        """URL of the embedded reading store."""
        return f"sqlite:///{self.path / 'readings.sqlite'}"

    @property
    def journal_url(self) -> str:
        """URL of the embedded journal."""
        return f"sqlite:///{self.path / 'journal.sqlite'}"

    @property
    def spool(self) -> Path:
        """Folder of the ingest spool."""
        return self.path / "spool"

    @property
    def reports(self) -> Path:
        """Folder of the daily reports."""
        return self.path / REPORTS

    @property
    def live_session(self) -> Path:
        """File with the name under which the broker keeps messages for the live core."""
        return self.path / "live.session"

    @property
    def outbox(self) -> Path:
        """Folder in which the simulator's gateways keep what is not stored yet."""
        return self.path / "outbox"

    @property
    def admin_token(self) -> Path:
        """File of the first admin token."""
        return self.path / "admin.token"

    def simulator_state(self, station: str) -> Path:
        """Return the file in which a station's simulator keeps its state."""
        return self.path / "simulator" / f"{station}.state"

    def write_ports(self, **ports: object) -> None:
        """Name the ports in use in run.json, at once."""
        temporary = self.path / "run.json.new"
        temporary.write_text(json.dumps({"pid": os.getpid(), **ports}, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.path / "run.json")

    def close(self) -> None:
        """Give the directory free; idempotent."""
        (self.path / "run.json").unlink(missing_ok=True)
        self._lock.close()

    def _take_lock(self) -> IO[str]:
        lock = (self.path / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DataDirectoryError(
                f"data directory {self.path} is in use by process {owner}: stop it, or name another with --data-dir"
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def _check_schema(self) -> None:
        file = self.path / "schema.json"
        if not file.exists():
            self._write_schema(file)
            return
        try:
            found = json.loads(file.read_text(encoding="utf-8"))["schema"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise DataDirectoryError(f"{file} cannot be read: {error}") from error
        if not isinstance(found, int) or found > SCHEMA:
            raise DataDirectoryError(
                f"data directory {self.path} is of version {found}, this program knows {SCHEMA}: use the newer program"
            )
        if found < SCHEMA:
            backup = self.path.with_name(f"{self.path.name}.before-{SCHEMA}")
            shutil.copytree(self.path, backup, dirs_exist_ok=True)
            self._write_schema(file)

    @staticmethod
    def _write_schema(file: Path) -> None:
        file.write_text(json.dumps({"schema": SCHEMA}) + "\n", encoding="utf-8")
