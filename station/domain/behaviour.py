"""Conditions that look at how a value moves: too fast, away from its twin, not at all, for a moment, in and out.

Each keeps what it needs of the past and is asked with every reading that is newer than the last, on source time. A bad
value decides nothing here, but for the drop-outs, which are made of bad values.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

_FULL_SHARE = 0.8
"""A rate is told once the past covers this share of its window."""
_STILL_FAST_SHARE = 0.8
"""A rate is over once it has fallen below this share of its limit."""
_BACK_SHARE = 0.3
"""A spike is over where the value has come back to within this share of its height."""


class Behaviour(Protocol):
    """A yes-or-no question about a value and its past."""

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:
        """Return whether it holds with this reading, None where nothing can be told.

        Args:
            t_ms: Source time, epoch ms; rises from call to call.
            value: None for a bad reading.
            held: Whether it held before.
        """
        ...

    def forget(self) -> None:
        """Drop the past: time was set anew."""
        ...


class Rate:
    """Holds while the value has moved, within `over_ms`, at `limit` per minute or faster, up or down."""

    __slots__ = ("_limit", "_over_ms", "_past")

    def __init__(self, limit: float, over_ms: int) -> None:
        self._limit, self._over_ms = limit, over_ms
        self._past: deque[tuple[int, float]] = deque()

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:
        """Return whether it moves too fast."""
        if value is None:
            return None
        past = self._past
        past.append((t_ms, value))
        # The oldest one kept is the newest that is at least a window away.
        while len(past) > 1 and past[1][0] <= t_ms - self._over_ms:
            past.popleft()
        since_ms, before = past[0]
        if t_ms - since_ms < _FULL_SHARE * self._over_ms:
            return None
        per_minute = abs(value - before) * 60_000.0 / (t_ms - since_ms)
        return per_minute >= self._limit * (_STILL_FAST_SHARE if held else 1.0)

    def forget(self) -> None:
        """Drop the past."""
        self._past.clear()


class Told(Protocol):
    """What is known of another signal."""

    @property
    def t_ms(self) -> int:
        """Source time of its newest reading, epoch ms."""
        ...

    @property
    def value(self) -> float | None:
        """Its newest good value."""
        ...


class Deviation:
    """Holds while the value is `limit` or more away from that of its redundant twin, until nearer by the dead-band."""

    __slots__ = ("_back", "_fresh_ms", "_limit", "_twin")

    def __init__(self, limit: float, deadband: float, twin: Told, fresh_ms: int) -> None:
        self._limit, self._back, self._twin, self._fresh_ms = limit, limit - deadband, twin, fresh_ms

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:
        """Return whether the two tell different stories; None while the twin is silent."""
        other = self._twin.value
        if value is None or other is None or t_ms - self._twin.t_ms > self._fresh_ms:
            return None
        return abs(value - other) >= (self._back if held else self._limit)

    def forget(self) -> None:
        """Nothing is kept."""


class Stuck:
    """Holds once every reading of `after_ms` has been the very same: a live sensor's last digit is never still."""

    __slots__ = ("_after_ms", "_last", "_since_ms")

    def __init__(self, after_ms: int) -> None:
        self._after_ms = after_ms
        self._last: float | None = None
        self._since_ms = 0

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:  # noqa: ARG002 - it knows itself
        """Return whether the value has stood still for too long."""
        if value is None:
            return None
        if value != self._last:
            self._last, self._since_ms = value, t_ms
        return t_ms - self._since_ms >= self._after_ms

    def forget(self) -> None:
        """Drop the past."""
        self._last = None


class Spike:
    """Holds at the reading with which a value is back from a jump of `limit` or more that lasted `within_ms` at most.

    A value that stays where it jumped to has moved: a trailer that docks is no spike.
    """

    __slots__ = ("_before", "_height", "_jumped_ms", "_last", "_limit", "_within_ms")

    def __init__(self, limit: float, within_ms: int) -> None:
        self._limit, self._within_ms = limit, within_ms
        self._last: float | None = None
        self._before = self._height = 0.0
        self._jumped_ms: int | None = None

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:  # noqa: ARG002 - a moment has no past
        """Return whether a spike has just ended."""
        if value is None:
            return None
        last, self._last = self._last, value
        if self._jumped_ms is not None:
            if t_ms - self._jumped_ms > self._within_ms:
                self._jumped_ms = None
            elif abs(value - self._before) <= _BACK_SHARE * self._height:
                self._jumped_ms = None
                return True
            return False
        if last is not None and abs(value - last) >= self._limit:
            self._before, self._height, self._jumped_ms = last, abs(value - last), t_ms
        return False

    def forget(self) -> None:
        """Drop the past."""
        self._last = self._jumped_ms = None


class Dropout:
    """Holds while a signal was bad for a moment `times` times within `over_ms`: a loose wire, not a dead sensor.

    What is bad for longer than `moment_ms` is a failed sensor and told as such.
    """

    __slots__ = ("_bad_since_ms", "_ends", "_moment_ms", "_over_ms", "_times")

    def __init__(self, times: int, over_ms: int, moment_ms: int) -> None:
        self._times, self._over_ms, self._moment_ms = times, over_ms, moment_ms
        self._ends: deque[int] = deque(maxlen=times)
        self._bad_since_ms: int | None = None

    def take(self, t_ms: int, value: float | None, held: bool) -> bool | None:  # noqa: ARG002 - it knows itself
        """Return whether it comes and goes."""
        if value is None:
            self._bad_since_ms = t_ms if self._bad_since_ms is None else self._bad_since_ms
            return None
        if self._bad_since_ms is not None:
            if t_ms - self._bad_since_ms <= self._moment_ms:
                self._ends.append(t_ms)
            self._bad_since_ms = None
        return len(self._ends) == self._times and t_ms - self._ends[0] <= self._over_ms

    def forget(self) -> None:
        """Drop the past."""
        self._ends.clear()
        self._bad_since_ms = None
