"""Threads that must not end: named, restarted after a failure with a jittered back-off, counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from station.back_off import back_off_s

_log = structlog.get_logger(__name__)

_LEAST_S, _MOST_S = 0.2, 10.0
_STEADY_S: Final = 60.0
"""Having run this long before it failed, a thread starts again with the shortest pause."""


def backoff_s(attempt: int) -> float:
    """Return how long to wait before try number `attempt` (1 is the first repeat) [s]."""
    return back_off_s(attempt, _LEAST_S, _MOST_S)


class Supervised:
    """A thread that runs a function until it returns; what it raises is logged and it is run again.

    Args:
        name: The thread's name, and in the log.
        run: Ends by returning once `stopping` is set.
        stopping: Set by the owner.
    """

    def __init__(self, name: str, run: Callable[[], None], stopping: threading.Event) -> None:
        self._name = name
        self._run = run
        self._stopping = stopping
        self.failures = 0
        self._thread = threading.Thread(target=self._supervise, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return False if it takes longer."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _supervise(self) -> None:
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                self._run()
            except Exception:  # noqa: BLE001 - this is the supervisor
                self.failures += 1
                _log.warning("thread failed and starts again", thread=self._name, exc_info=True)
            else:
                return
            attempt = 1 if time.monotonic() - began > _STEADY_S else attempt + 1
            if self._stopping.wait(backoff_s(attempt)):
                return
