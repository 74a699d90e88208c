"""How long the disk lasts: what grows, how fast, and where it levels off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAY_MS = 86_400_000
LEAST_SPAN_DAYS = 1 / 24
"""Below an hour of data the first minutes of a file say nothing of a day's growth."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Something that grows.

    Attributes:
        bytes: Now.
        per_day: What a day adds, as far as it has come [bytes].
        most: At which it stays, once the oldest goes as fast as the newest comes; None grows for ever.
    """

    bytes: int
    per_day: float
    most: float | None = None

    @classmethod
    def seen(cls, size: int, span_ms: int, keep_days: float | None = None) -> Growth | None:
        """Return the growth of what is kept of a stretch of time, None where that is too short to tell."""
        days = span_ms / DAY_MS
        if days < LEAST_SPAN_DAYS:
            return None
        return cls(size, size / days, None if keep_days is None else max(float(size), size / days * keep_days))


def days_left(free_bytes: float, growths: Sequence[Growth]) -> float | None:
    """Return after how many days at the present rate a disk is full, None where everything levels off before."""
    ends = [(None if g.most is None else (g.most - g.bytes) / g.per_day, g.per_day) for g in growths if g.per_day > 0]
    at = 0.0
    for end in sorted({end for end, _ in ends if end is not None}):
        rate = sum(per_day for until, per_day in ends if until is None or until > at)
        if rate * (end - at) >= free_bytes:
            return at + free_bytes / rate
        free_bytes -= rate * (end - at)
        at = end
    endless = sum(per_day for until, per_day in ends if until is None)
    return at + free_bytes / endless if endless else None
