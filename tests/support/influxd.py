"""A real InfluxDB 2 of the test's own, set up with an organisation, a bucket and a token."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.support.ports import free_port
from tests.support.processes import OwnedProcess, require_program, wait_until


class Influxd:
    """influxd on a free port with a directory of its own; `restart()` keeps both.

    Attributes:
        org, bucket, token: What `/api/v2/setup` was given; the bucket keeps its points for ever, so that tests may
            use any date.
        port: Where it listens on 127.0.0.1.
    """

    org = "jinma"
    bucket = "test"

    def __init__(self) -> None:
        self._program = require_program("influxd")
        self._directory = Path(tempfile.mkdtemp(prefix="jinma-influxd-"))
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self._process = OwnedProcess(self._command(), self._directory / "output.log")

    def _command(self) -> list[str]:
        return [
            str(self._program),
            f"--http-bind-address=127.0.0.1:{self.port}",
            f"--bolt-path={self._directory}/influxd.bolt",
            f"--sqlite-path={self._directory}/influxd.sqlite",
            f"--engine-path={self._directory}/engine",
            "--reporting-disabled",
            "--store=disk",
            "--log-level=warn",
        ]

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def store_url(self, bucket: str | None = None) -> str:
        """Return the store URL of a bucket as the commands take it."""
        return f"influxdb://127.0.0.1:{self.port}/{self.org}/{bucket or self.bucket}"

    @property
    def process(self) -> OwnedProcess:
        """The process, for its pid and its output."""
        return self._process

    def start(self) -> None:
        """Start it and return when it answers."""
        self._process.start()

        def ready() -> bool:
            self._process.check_running()
            return self._answers()

        wait_until(ready, 60.0, "influxd answering", every_s=0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def set_up(self) -> None:
        """Create the organisation, the bucket, a user and the token; once in the life of its directory."""
        body = {
            "username": "tests",
            "password": secrets.token_hex(16),
            "org": self.org,
            "bucket": self.bucket,
            "token": self.token,
            "retentionPeriodSeconds": 0,
        }
        self.post("/api/v2/setup", body)

    def post(self, path: str, body: object) -> object:
        """POST JSON with the token; return the decoded answer."""
        request = urllib.request.Request(
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            return json.loads(answer.read() or b"null")

    def stop(self) -> None:
        """End it kindly."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    def restart(self) -> None:
        """Stop and start again on the same port with the same directory."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove its directory."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
            self.set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
