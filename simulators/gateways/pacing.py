"""Pacing: how far station time may have gone, given wall time and the speed asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_BEHIND_S: Final = 1.0
"""Wall seconds a station may fall behind its speed before the loss is written off: a speed is a ceiling, not a debt."""
_AS_ASKED: Final = 0.05
"""A speed reached within this share of the one asked for is called the one asked for."""
_MEASURE_S: Final = 5.0
"""The speed reached is taken over about this much wall time."""


@dataclass(frozen=True, slots=True)
class _Mark:
    wall_ms: int
    t_ms: int


class Pace:
    """Relates station time to wall time.

    Args:
        wall_ms: Asks for wall time, epoch ms.
        t_ms: Station time now, epoch ms.
        speed: Station seconds per wall second, None for as fast as can be.
        keeps_wall_time: Station time is wall time, whatever it costs to catch up; only at speed 1.
    """

    def __init__(self, wall_ms: Callable[[], int], t_ms: int, speed: float | None, *, keeps_wall_time: bool) -> None:
        self.asked = speed
        self.keeps_wall_time = keeps_wall_time and speed == 1.0
        self._wall_ms = wall_ms
        now = wall_ms()
        self._base = _Mark(now, now if self.keeps_wall_time else t_ms)
        self._marks = [_Mark(now, t_ms)]
        self._reached = speed

    def due_ms(self) -> float:
        """Return the station time that has come, epoch ms; infinity where there is no ceiling."""
        if self.asked is None:
            return float("inf")
        return self._base.t_ms + (self._wall_ms() - self._base.wall_ms) * self.asked

    def seconds_until(self, t_ms: int) -> float:
        """Return the wall seconds until a station time is due; 0 if it is."""
        return 0.0 if self.asked is None else max(0.0, (t_ms - self.due_ms()) / 1000.0 / self.asked)

    def behind_s(self, t_ms: int) -> float:
        """Return the wall seconds by which a station that has reached `t_ms` is late."""
        return 0.0 if self.asked is None else max(0.0, (self.due_ms() - t_ms) / 1000.0 / self.asked)

    def write_off(self, t_ms: int) -> None:
        """Start afresh from `t_ms` if too much has been lost, except where wall time is kept."""
        if not self.keeps_wall_time and self.behind_s(t_ms) > MOST_BEHIND_S:
            self._base = _Mark(self._wall_ms(), t_ms)

    def measure(self, t_ms: int) -> float | None:
        """Return the speed reached over the last seconds, having come to `t_ms`; to be asked about each second.

        None where there is neither a measurement yet nor a speed asked for.
        """
        now = self._wall_ms()
        first = self._marks[0]
        if now > first.wall_ms:
            reached = (t_ms - first.t_ms) / (now - first.wall_ms)
            near = self.asked is not None and abs(reached - self.asked) <= _AS_ASKED * self.asked
            self._reached = self.asked if near else round(reached, 2)
        self._marks.append(_Mark(now, t_ms))
        while len(self._marks) > 2 and now - self._marks[1].wall_ms >= _MEASURE_S * 1000.0:
            del self._marks[0]
        return self._reached
