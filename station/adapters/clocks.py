"""The two clocks: the wall's, and one that follows a simulator's retained clock topic (contract section 2)."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from station.errors import PayloadError
from station.wire.plan_v1 import ClockReading, clock_payload, parse_clock

KEPT_WORD_S: Final = 10.0
"""A living simulator says the time each wall second; ten are given to a broker that has much to deliver first."""


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


class KeptClock(FollowedClock):
    """A followed clock that outlives its process: an ingest starts with what its broker kept, older than any new word.

    Such messages belong to the time of the last word before the end. It stands in for the first new one, briefly: a
    clock that nobody tells any more must not shut out a station that has gone back to wall time.

    Args:
        file: Where the last word is kept.
        monotonic: Seconds that never go back.
    """

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._file = file
        self._monotonic = monotonic
        self._until_s = monotonic() + KEPT_WORD_S
        self._kept = _read_word(file)

    def update(self, said: ClockReading) -> None:
        """Take a clock message, and keep it."""
        super().update(said)
        self._kept = None
        temporary = self._file.with_suffix(".new")
        temporary.write_bytes(clock_payload(said.t_ms, said.wall_ms, said.speed))
        temporary.replace(self._file)

    def now_ms(self) -> int:
        """Return station time, epoch ms."""
        kept = self._kept
        if kept is None or self._monotonic() > self._until_s:
            return super().now_ms()
        return kept.t_ms


def _read_word(file: Path) -> ClockReading | None:
    try:
        return parse_clock(file.read_bytes())
    except (OSError, PayloadError):
        return None
