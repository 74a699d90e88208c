"""The two clocks: the wall's, and one that follows a simulator's retained clock topic (contract section 2)."""

from __future__ import annotations

import datetime as dt
import threading
import time

from station.wire.plan_v1 import ClockReading


def wall_ms() -> int:
    """Return wall time, epoch ms."""
    return time.time_ns() // 1_000_000


class WallClock:
    """Station time is wall time: the plant is real, or simulated at speed 1."""

    def now(self) -> dt.datetime:
        """Return wall time, aware UTC."""
        return dt.datetime.now(dt.UTC)

    def now_ms(self) -> int:
        """Return wall time, epoch ms."""
        return wall_ms()

    def speed(self) -> float:
        """Return 1."""
        return 1.0


class FollowedClock:
    """Station time as the clock topic tells it; wall time until the first word.

    At speed 1 it runs on between words. At any other speed it stands until the next word (one each wall second):
    readings are still under way then, and a clock ahead of them would make silent signals out of busy ones.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: ClockReading | None = None

    def update(self, said: ClockReading) -> None:
        """Take a clock message."""
        with self._lock:
            self._said = said

    def now_ms(self) -> int:
        """Return station time, epoch ms."""
        with self._lock:
            said = self._said
        if said is None:
            return wall_ms()
        if said.speed == 1.0:
            return said.t_ms + max(0, wall_ms() - said.wall_ms)
        return said.t_ms

    def now(self) -> dt.datetime:
        """Return station time, aware UTC."""
        return dt.datetime.fromtimestamp(self.now_ms() / 1000, dt.UTC)

    def speed(self) -> float:
        """Return the speed that was last announced, 1 before any word."""
        with self._lock:
            return 1.0 if self._said is None else self._said.speed
