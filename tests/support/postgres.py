"""A real PostgreSQL of the test's own, from Debian's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

from tests.support.ports import accepts_connections, free_port
from tests.support.processes import wait_until

_DEBIAN = Path("/usr/lib/postgresql")
_STOP_WITHIN_S = 10.0


def _programs() -> Path:
    """Return the directory of the newest PostgreSQL's programs, or end the test as `require_program` does."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    text = "PostgreSQL is not installed: run scripts/install_test_programs.sh"
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(text)
    pytest.skip(text)


class Postgres:
    """PostgreSQL on a free port of 127.0.0.1 with a cluster of its own; it refuses to run as root, so root lends it
    the user `postgres`.

    Attributes:
        port: Where it listens.
    """

    def __init__(self) -> None:
        self._programs = _programs()
        self._directory = Path(tempfile.mkdtemp(prefix="jinma-postgres-"))
        self._log = self._directory / "output.log"
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._directory, account.pw_uid, account.pw_gid)

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database of the cluster."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tests", name)
        return self.url(name)

    def start(self) -> None:
        """Make the cluster at the first start; return when it accepts connections."""
        data = self._directory / "data"
        if not data.exists():
            self._run("initdb", "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(str(self._programs / "postgres"), "-D", str(data), "-p", str(self.port)),
                    *("-h", "127.0.0.1", "-k", str(self._directory), "-c", "fsync=off"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._account(),
            )

        def ready() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"postgres ended early:\n{self._log.read_text(errors='replace')[-2000:]}")
            return accepts_connections(self.port) and "ready to accept" in self._log.read_text(errors="replace")

        wait_until(ready, 20.0, "PostgreSQL listening")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; open connections are cut: "fast", where SIGTERM would wait for every client."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._log.write_text("")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            capture_output=True,
            cwd=self._directory,
            **self._account(),
        )

    def _account(self) -> dict[str, object]:
        return {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGQUIT)  # "immediate": nothing is written to what is removed
        shutil.rmtree(self._directory, ignore_errors=True)
