"""`jinma` commands as processes of their own, as a user starts them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.processes import OwnedProcess, wait_until

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 120.0
"""Three seconds on a quiet machine; one that is asked for forty times that has other things to do than tests."""
_JINMA = (sys.executable, "-m", "cli.main")


def jinma(
    *arguments: str, env: dict[str, str] | None = None, timeout_s: float = 120.0, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it said; `text` is typed into it."""
    return subprocess.run(
        [*_JINMA, *arguments],
        cwd=ROOT,
        env=dict(os.environ) | (env or {}),
        capture_output=True,
        input=text,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def ingest(broker: str, store: str, data_dir: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Ingest:
    """Return a `jinma ingest` that is not started yet."""
    place = ("--broker", broker, "--store", store, "--spool", str(data_dir / "spool"))
    return Ingest([*_JINMA, "ingest", *place, *arguments], data_dir / "ingest.log", env)


class Ingest(OwnedProcess):
    """A running `jinma ingest`."""

    def start(self) -> None:
        """Start it and return when it takes messages."""
        super().start()

        def ready() -> bool:
            self.check_running()
            return "ingest takes messages" in self.output()

        try:
            wait_until(ready, START_WITHIN_S, "ingest taking messages")
        except BaseException:
            self.stop()
            raise


class Service:
    """A running `jinma run` or `jinma serve` with a data directory of its own, which outlives `stop`."""

    def __init__(
        self, *arguments: str, command: str = "run", data_dir: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="jinma-service-"))
        self._env = env
        self.data_dir = data_dir or self._home / "data"
        base = ["--no-browser"] if command == "run" else []
        self._line: Sequence[str] = [
            *_JINMA, command, *base, "--port", "0", "--data-dir", str(self.data_dir), *arguments,
        ]  # fmt: skip
        self.process = self._make()

    def _make(self) -> OwnedProcess:
        return OwnedProcess(list(self._line), self._home / "output.log", self._env)

    @property
    def ports(self) -> dict[str, Any]:
        """What run.json says."""
        return dict(json.loads((self.data_dir / "run.json").read_text()))

    @property
    def url(self) -> str:
        """Address of API and console."""
        return f"http://127.0.0.1:{self.ports['http']}"

    @property
    def broker(self) -> str:
        """URL of the broker in use."""
        return f"mqtt://{self.ports['broker']}"

    @property
    def store(self) -> str:
        """URL of the embedded store."""
        return f"sqlite:///{self.data_dir / 'readings.sqlite'}"

    @property
    def token(self) -> str:
        """The admin token."""
        return (self.data_dir / "admin.token").read_text().strip()

    def login_url(self) -> str:
        """Return the one-time link that it printed last."""
        lines = [line for line in self.process.output().splitlines() if line.startswith("console: ")]
        return lines[-1].removeprefix("console: ")

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of a GET below /api/v1, asked with the admin token."""
        answer = self.ask("GET", path, params=parameters)
        answer.raise_for_status()
        return answer.json()

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Return the answer to a request below /api/v1, asked with the admin token unless headers are given."""
        how.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        return httpx.request(method, f"{self.url}/api/v1{path}", timeout=30, **how)

    def metrics(self) -> dict[str, float]:
        """Return the metrics, each by its name with labels as Prometheus writes it."""
        text = httpx.get(f"{self.url}/metrics", timeout=10).text
        rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event, oldest first."""
        rows = (line for line in self.process.output().splitlines() if line.startswith("{"))
        return [row for line in rows if (row := json.loads(line)).get("event") == event]

    def tracebacks(self) -> list[str]:
        """Return the lines of its output that tell of a failure nobody expected."""
        return [line for line in self.process.output().splitlines() if re.search(r'Traceback|"level": "error"', line)]

    def start(self) -> None:
        """Start it and return when it answers."""
        (self.data_dir / "run.json").unlink(missing_ok=True)
        self.process = self._make()
        self.process.start()
        wait_until(self._answers, START_WITHIN_S, "service answering")

    def _answers(self) -> bool:
        self.process.check_running()
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).is_success
        except (httpx.HTTPError, OSError, ValueError):
            return False

    def newest_age_s(self) -> float | None:
        """Return the age of the newest reading that the service knows of, None before the first."""
        items = self.get("/stations/jinma/readings/latest")["items"]
        return min((item["age_s"] for item in items if item["value"] is not None), default=None)

    def wait_live(self, within_s: float = START_WITHIN_S) -> None:
        """Return when a reading of the last two seconds is there."""

        def live() -> bool:
            self.process.check_running()
            age_s = self.newest_age_s()
            return age_s is not None and age_s < 2.0

        wait_until(live, within_s, "first live value", every_s=0.1)

    def interrupt(self, within_s: float = 10.0) -> int:
        """Press Ctrl-C and return the exit code."""
        return self.end(signal.SIGINT, within_s)[0]

    def end(self, number: signal.Signals, within_s: float = 10.0) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds it took."""
        began_s = time.monotonic()
        os.kill(self.process.pid, number)
        wait_until(lambda: not self.process.running(), within_s, f"end after {number.name}")
        took_s = time.monotonic() - began_s
        code = self.process.stop()
        assert code is not None
        return code, took_s

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.process.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()
        shutil.rmtree(self._home, ignore_errors=True)
