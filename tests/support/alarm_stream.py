"""A client of the event stream that comes back after every loss, and keeps what it saw of alarms."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import httpx


class AlarmStream(threading.Thread):
    """Listens to a station's alarms.

    Args:
        base: Tells the service's address and a token, anew for each connection: a restart takes another port.
        station: Whose alarms.

    Attributes:
        seen: (wall time [s], alarm) of every alarm event, oldest first.
        connections: How often it came in.
    """

    def __init__(self, base: Callable[[], tuple[str, str]], station: str) -> None:
        super().__init__(name="alarm-stream", daemon=True)
        self.seen: list[tuple[float, dict[str, Any]]] = []
        self.connections = 0
        self._base = base
        self._path = f"/api/v1/stations/{station}/stream"
        self._ending = threading.Event()

    def run(self) -> None:
        """Listen until told to end; a lost connection is tried again at once."""
        while not self._ending.is_set():
            try:
                self._listen()
            except (httpx.HTTPError, OSError, ValueError):
                self._ending.wait(0.02)

    def _listen(self) -> None:
        url, token = self._base()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", url + self._path, headers=headers, timeout=10) as answer:
            answer.raise_for_status()
            self.connections += 1
            event = ""
            for line in answer.iter_lines():
                if self._ending.is_set():
                    return
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: ") and event == "alarm":
                    self.seen.append((time.time(), json.loads(line[6:])))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join(12)
