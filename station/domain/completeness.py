"""How complete a station's messages are: counts of minutes added up over windows, gaps as stretches of time.

A gap is counted in the minute of the message that showed it, which may lie hours behind what is missing. Here its
messages are spread evenly over its stretch, so that each hour is told what it lacks itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from station.domain.plant import UnitKey

MINUTE_MS: Final = 60_000
COUNTS: Final = ("received", "late", "duplicate", "refused")


@dataclass(slots=True)
class Counts:
    """What happened in a stretch of time.

    Attributes:
        received, late, duplicate, refused: Messages.
        missing: That were sent, by their numbers, and did not come.
    """

    received: int = 0
    late: int = 0
    duplicate: int = 0
    refused: int = 0
    missing: int = 0


@dataclass(slots=True)
class UnitCompleteness:
    """One unit's messages.

    Attributes:
        whole: Of the range.
        windows: Of each window of it.
        gaps: [from ms, to ms, missing] by time; stretches that touch are one.
    """

    whole: Counts
    windows: list[Counts]
    gaps: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MinuteOfUnit:
    """What an ingest counted of one unit in one minute: `received`, `gaps`, .. by name; `gap_from`, `gap_to` in ms."""

    unit: UnitKey
    t_ms: int
    counts: Mapping[str, int]


class Completeness:
    """Adds minutes up.

    Args:
        units: Of the station.
        edges: Where windows begin, epoch ms, and where the last one ends; what lies outside does not count.
    """

    def __init__(self, units: Iterable[UnitKey], edges: Sequence[int]) -> None:
        self.edges = list(edges)
        self.units = {key: UnitCompleteness(Counts(), [Counts() for _ in edges[1:]]) for key in units}

    def add(self, minutes: Iterable[MinuteOfUnit]) -> None:
        """Add minutes, oldest first; those of units that the station does not have are left out."""
        for minute in minutes:
            unit = self.units.get(minute.unit)
            if unit is None:
                continue
            place = self._place(minute.t_ms)
            if place is not None:
                for counts in (unit.whole, unit.windows[place]):
                    for name in COUNTS:
                        setattr(counts, name, getattr(counts, name) + minute.counts.get(name, 0))
            missing = minute.counts.get("gaps", 0)
            if missing > 0:
                start_ms = minute.counts.get("gap_from", minute.t_ms)
                self._add_gap(unit, start_ms, minute.counts.get("gap_to", minute.t_ms + MINUTE_MS), missing)

    def _place(self, t_ms: int) -> int | None:
        if not self.edges[0] <= t_ms < self.edges[-1]:
            return None
        return bisect_right(self.edges, t_ms) - 1

    def _add_gap(self, unit: UnitCompleteness, start_ms: int, end_ms: int, missing: int) -> None:
        shares = [_before(edge, start_ms, end_ms, missing) for edge in self.edges]
        inside = shares[-1] - shares[0]
        if inside <= 0:
            return
        unit.whole.missing += inside
        for counts, low, high in zip(unit.windows, shares, shares[1:], strict=False):
            counts.missing += high - low
        if unit.gaps and unit.gaps[-1][1] >= start_ms:
            unit.gaps[-1][1] = max(end_ms, unit.gaps[-1][1])
            unit.gaps[-1][2] += missing
        else:
            unit.gaps.append([start_ms, end_ms, missing])


def _before(t_ms: int, start_ms: int, end_ms: int, missing: int) -> int:
    """Return how many of a gap's messages lie before a moment."""
    if t_ms <= start_ms:
        return 0
    if t_ms >= end_ms:
        return missing
    return missing * (t_ms - start_ms) // (end_ms - start_ms)


def window_edges(start_ms: int, end_ms: int, every_ms: int, offset_ms: int) -> list[int]:
    """Return the edges of the windows of [start, end), aligned to `offset_ms`; the first and the last may be cut."""
    first = start_ms - (start_ms - offset_ms) % every_ms + every_ms
    return [start_ms, *range(first, end_ms, every_ms), end_ms]
