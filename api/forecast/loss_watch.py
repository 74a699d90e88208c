"""What the banks lose that no hose got: how much, which of them, and since when.

How much: what went in, less what the banks gained, summed over half an hour, for thermometers and meters are wrong by a
little each minute. What went in is told twice, by the unloading meters and by what the trailers lost; the lesser loss
counts, for a meter that sticks would be a leak else. Which: in minutes in which no truck draws, a bank that falls is
the one that loses; where none falls, it is the one that rises by less than the trains deliver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_WINDOW = 30
"""Intervals of a minute over which a loss is summed: what thermometers and meters are wrong by evens out."""

_STILL_KG = 0.05
"""Trucks that got less than this in a minute drew nothing."""
_LEAST_KG = 0.5
"""A loss of less in a minute tells nothing of where it went: thermometers alone make as much."""
_KEPT = 0.95
"""What counts of older minutes with each newer one that tells something."""


@dataclass(slots=True)
class LossWatch:
    """Losses of all banks together, and what speaks for each of them.

    Attributes:
        since_ms: Since when they lose more than `least_kg_h`, epoch ms; None while they do not.
    """

    banks: int
    least_kg_h: float
    since_ms: int | None = None
    _by_meters: deque[float | None] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _by_trailers: deque[float | None] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _spoken: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing that speaks for any bank."""
        self._spoken = [0.0] * self.banks

    def take(
        self,
        gained_kg: float,
        rises_kg: Sequence[float | None],
        given_kg: float,
        at_ms: int,
        left_trailers_kg: float | None = None,
    ) -> None:
        """Take a minute.

        Args:
            gained_kg: What all banks should have gained by the meters [kg].
            rises_kg: What each did gain, None where that is not measured [kg].
            given_kg: What all hoses gave [kg].
            at_ms: Its end, epoch ms.
            left_trailers_kg: What trailers lost by their pressures, None where that is not known [kg].
        """
        rises = [rise for rise in rises_kg if rise is not None]
        lost_kg = gained_kg - sum(rises) if len(rises) == self.banks else None
        self._by_meters.append(lost_kg)
        known = lost_kg is not None and left_trailers_kg is not None
        self._by_trailers.append((left_trailers_kg or 0.0) - given_kg - sum(rises) if known else None)
        if self.kg_h() <= self.least_kg_h:
            self.since_ms = None
        elif self.since_ms is None:
            self.since_ms = at_ms
        if lost_kg is not None and lost_kg >= _LEAST_KG and given_kg <= _STILL_KG:
            self._ask_banks(lost_kg, rises)

    def _ask_banks(self, lost_kg: float, rises: Sequence[float]) -> None:
        """Count a loss against the banks that fell, or else those that rose by less than they were given."""
        falls = [max(0.0, -rise) for rise in rises]
        weights = falls if sum(falls) > 0.5 * lost_kg else [max(0.0, rise) for rise in rises]
        whole = sum(weights)
        if whole > 0.0:
            self._spoken = [
                _KEPT * old + lost_kg * weight / whole for old, weight in zip(self._spoken, weights, strict=True)
            ]

    def kg_h(self) -> float:
        """Return what the banks lose [kg/h]; 0 until half an hour of them is known."""
        lost = _sum(self._by_meters)
        if lost is None:
            return 0.0
        other = _sum(self._by_trailers)
        return max(0.0, lost if other is None else min(lost, other)) * 60.0 / _WINDOW

    def share(self, bank: int) -> float:
        """Return how much of the loss is this bank's [0..1]; 0 for all while nothing speaks for any."""
        whole = sum(self._spoken)
        return self._spoken[bank] / whole if whole > 0.0 else 0.0


def _sum(window: deque[float | None]) -> float | None:
    """Return the sum of a window that is full and known throughout."""
    known = [kg for kg in window if kg is not None]
    return sum(known) if len(known) == _WINDOW else None
