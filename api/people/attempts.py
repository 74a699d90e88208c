"""A limit on wrong credentials per address, so that guessing is slow and the log stays readable."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_ADDRESSES: Final = 10_000
"""Bounded: an attacker with many addresses pushes out the oldest, never the memory."""


class AttemptLimit:
    """Counts failures per address within a window.

    Args:
        most: Failures allowed in the window.
        window_s: Length of the window [s]; also how long a blocked address stays blocked after its first failure.
        monotonic: Seconds that never go back.
    """

    def __init__(self, most: int = 10, window_s: float = 60.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._window_s = window_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Return the seconds until an address may try again, 0 when it may now."""
        with self._lock:
            began, count = self._failures.get(address, (0.0, 0))
            left = began + self._window_s - self._monotonic()
            return max(left, 0.0) if count >= self.most else 0.0

    def failed(self, address: str) -> None:
        """Count a failure."""
        now = self._monotonic()
        with self._lock:
            began, count = self._failures.pop(address, (now, 0))
            if now - began >= self._window_s:
                began, count = now, 0
            self._failures[address] = (began, count + 1)
            if len(self._failures) > _MOST_ADDRESSES:
                self._failures.popitem(last=False)
