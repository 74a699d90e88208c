"""A real mosquitto of the test's own."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Self

from tests.support.ports import accepts_connections, free_port
from tests.support.processes import OwnedProcess, require_program, wait_until

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
max_queued_messages 0
max_inflight_messages 2000
persistence {persistence}
persistence_location {directory}/
autosave_interval 1
"""
# autosave_interval is seconds here: with autosave_on_changes it would be changes, and every message a write of all.
# max_queued_messages 0 is "no limit": the default of 1000 drops messages silently, which no test of loss could survive.


class Mosquitto:
    """mosquitto on a free port with a directory of its own; `restart()` and `kill()` keep both.

    Attributes:
        port: Where it listens on 127.0.0.1.
        url: `mqtt://127.0.0.1:PORT`.
    """

    def __init__(self, *, persistence: bool = True, extra: str = "") -> None:
        self._program = require_program("mosquitto")
        self._persistence = persistence
        self._extra = extra
        self._directory = Path(tempfile.mkdtemp(prefix="jinma-mosquitto-"))
        self.port = free_port()
        self._process = self._make_process()

    @property
    def url(self) -> str:
        """Broker URL as the commands take it."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def process(self) -> OwnedProcess:
        """The process, for its pid and its output."""
        return self._process

    def _make_process(self) -> OwnedProcess:
        configuration = self._directory / "mosquitto.conf"
        configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                user="root",  # else root's mosquitto drops to a user that cannot write our directory
                persistence="true" if self._persistence else "false",
                directory=self._directory,
            )
            + self._extra
        )
        return OwnedProcess([str(self._program), "-c", str(configuration)], self._directory / "output.log")

    def start(self) -> None:
        """Start it and return when it accepts connections."""
        self._process.start()

        def ready() -> bool:
            self._process.check_running()
            return accepts_connections(self.port)

        wait_until(ready, 10.0, "mosquitto listening")

    def stop(self) -> None:
        """End it kindly: with persistence it saves its sessions."""
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
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
