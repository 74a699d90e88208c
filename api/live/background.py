"""Supervised background loops: named, restarted with a jittered back-off, counted when they fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from station.back_off import back_off_s

_FIRST_BACKOFF_S: Final = 0.5
_LONGEST_BACKOFF_S: Final = 10.0
_log = structlog.get_logger(__name__)


class BackgroundLoop:
    """Calls `step` again and again from a thread of its own until stopped.

    Args:
        name: Of the thread, in the log and the metrics.
        step: Does one round; returns False to be called again only after a back-off.
        every_s: Pause between rounds [s].

    Attributes:
        failures, rounds: Rounds that broke, and those that did not.
    """

    def __init__(self, name: str, step: Callable[[], bool | None], every_s: float) -> None:
        self.name = name
        self.failures = 0
        self.rounds = 0
        self._step = step
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End after the round that is under way; idempotent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failed = 0
        while not self._stop.wait(self._every_s):
            failed = 0 if self._round() else failed + 1
            if failed and self._stop.wait(back_off_s(failed, _FIRST_BACKOFF_S, _LONGEST_BACKOFF_S)):
                return

    def _round(self) -> bool:
        try:
            went_well = self._step() is not False
        except Exception:  # noqa: BLE001 - the supervisor: a fault in one round must not end the loop.
            self.failures += 1
            _log.exception("background loop failed", loop=self.name, failures=self.failures)
            return False
        self.rounds += 1
        return went_well
