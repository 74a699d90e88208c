"""Programs started by the tests: found, started, awaited and ended, each by its own process id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pytest

STOP_WITHIN_S = 30.0
"""influxd flushes its caches when it ends; the others take under a second, or twenty on a machine at its limits."""


def program_cache() -> Path:
    """Return the directory in which scripts/install_test_programs.sh leaves what it builds."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jinma" / "bin"


def find_program(name: str) -> Path | None:
    """Return a program from PATH, the system directories that PATH often lacks, or our cache."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(program_cache())])
    found = shutil.which(name, path=search)
    return Path(found) if found else None


def require_program(name: str) -> Path:
    """Return a program, or end the test: failed where CI=true, else skipped with the remedy in the reason."""
    found = find_program(name)
    if found is not None:
        return found
    text = f"{name} is not installed: run scripts/install_test_programs.sh"
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(text)
    pytest.skip(text)


def wait_until(holds: Callable[[], bool], within_s: float, what: str, every_s: float = 0.02) -> None:
    """Poll until `holds()` is true.

    Raises:
        TimeoutError: It was not within `within_s` seconds; the text names `what`.
    """
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within_s:g} s")
        time.sleep(every_s)


def wait_while_moving(done: Callable[[], float], target: float, still_s: float, what: str) -> None:
    """Poll until `done()` has reached a target, for as long as it comes nearer: a slow machine takes longer.

    Raises:
        TimeoutError: It stood still for `still_s` seconds; the text says where.
    """
    reached, moved_s = done(), time.monotonic()
    while reached < target:
        time.sleep(0.5)
        before, reached = reached, done()
        if reached != before:
            moved_s = time.monotonic()
        elif time.monotonic() - moved_s > still_s:
            raise TimeoutError(f"{what}: at {reached:g} of {target:g} for {still_s:g} s")


class OwnedProcess:
    """A child process with its output in a file; ended at the end of the `with` block, killed if it lingers."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.log = log
        self._env = dict(os.environ) | dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program; its output is appended to the log file."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=self._env
            )

    @property
    def pid(self) -> int:
        """Id of the running process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def running(self) -> bool:
        """Return True while the process lives."""
        return self._process is not None and self._process.poll() is None

    def check_running(self) -> None:
        """Raise RuntimeError with the end of its output when the process has ended."""
        if not self.running():
            raise RuntimeError(f"{self.command[0]} ended early:\n{self.output()[-2000:]}")

    def output(self) -> str:
        """Return what the program has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, within_s: float = STOP_WITHIN_S) -> int | None:
        """End it kindly (SIGTERM), kill it after `within_s`; return its exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
