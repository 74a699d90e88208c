"""`jinma` commands as processes of their own, as a user starts them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.processes import OwnedProcess, wait_until

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60.0


def jinma(
    *arguments: str, env: dict[str, str] | None = None, timeout_s: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=dict(os.environ) | (env or {}),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Service:
    """A running `jinma run` or `jinma serve` with a data directory of its own, which outlives `stop`."""

    def __init__(self, *arguments: str, command: str = "run", data_dir: Path | None = None) -> None:
        self._own = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="jinma-service-"))
        base = ["--no-browser"] if command == "run" else []
        self._line: Sequence[str] = [
            sys.executable, "-m", "cli.main", command, *base,
            "--port", "0", "--data-dir", str(self.data_dir), *arguments,
        ]  # fmt: skip
        self.process = self._make()

    def _make(self) -> OwnedProcess:
        return OwnedProcess(list(self._line), self.data_dir.parent / f"{self.data_dir.name}.log")

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

    def login_url(self) -> str:
        """Return the one-time link that it printed last."""
        lines = [line for line in self.process.output().splitlines() if line.startswith("console: ")]
        return lines[-1].removeprefix("console: ")

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of a GET below /api/v1, asked with the admin token."""
        token = (self.data_dir / "admin.token").read_text().strip()
        answer = httpx.get(
            f"{self.url}/api/v1{path}", params=parameters, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

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
        os.kill(self.process.pid, signal.SIGINT)
        wait_until(lambda: not self.process.running(), within_s, "end after Ctrl-C")
        code = self.process.stop()
        assert code is not None
        return code

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.process.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()
        if self._own:
            shutil.rmtree(self.data_dir, ignore_errors=True)
