"""Which booked trucks have come: arrivals are matched to bookings, by name where known, else by what is likeliest.

Trucks without a name are matched all at once, in order: each pair costs minus the logarithm of its likelihood, and so
does a truck that was never booked and a booking whose truck has not come. Taking the nearest booking truck by truck
would let every walk-in take somebody's booking, who then takes the next one's: the day would end one truck richer than
was ever expected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station.domain.capacity_parameters import CapacityParameters
from station.domain.day_plan import Booking

_NEAR_MIN = 60.0
"""A truck further than this from a booking is another truck [min]."""

_LEAST_SHARE = 0.02
"""However rare trucks without bookings, and bookings without trucks, are said to be, this share is thought possible."""

_LEAST_SPAN_MIN = 60.0
_NEVER, _ROUNDING = 1e9, 1e-9
_OPEN, _STRANGER, _PAIR = 0, 1, 2

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A truck that came: `id` where the gate named it."""

    t_ms: int
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """Arrivals against bookings.

    Attributes:
        pairs: Bookings that have come, each with its arrival.
        open: Bookings that have not, by time.
        strangers: Arrivals that belong to no booking.
    """

    pairs: list[tuple[Booking, Arrival]]
    open: list[Booking]
    strangers: list[Arrival]


def bookings_to_come(
    bookings: Sequence[Booking], arrivals: Sequence[Arrival], rules: CapacityParameters, at_ms: int
) -> tuple[list[Booking], list[Booking]]:
    """Return (bookings that have not come, bookings that have), by time; see `matched`."""
    found = matched(bookings, arrivals, rules, at_ms)
    return found.open, sorted((booking for booking, _ in found.pairs), key=lambda b: b.t_ms)


def matched(bookings: Sequence[Booking], arrivals: Sequence[Arrival], rules: CapacityParameters, at_ms: int) -> Matched:
    """Return which booking each arrival is.

    A named arrival takes its own booking; the others are matched so that all of them together are likeliest.

    Args:
        bookings: Sorted by time.
        arrivals: In the order they came.
        rules: How trucks scatter about their bookings, and how many come unbooked or not at all.
        at_ms: Until when arrivals are known, epoch ms: a booking of later may still come.
    """
    named = {a.id: a for a in arrivals if a.id is not None}
    pairs = [(b, named[b.id]) for b in bookings if b.id in named]
    known = {b.id for b, _ in pairs}
    unnamed = sorted((a for a in arrivals if a.id not in known), key=lambda a: a.t_ms)
    left = [b for b in bookings if b.id not in known]
    found = _likeliest(left, unnamed, _Law(rules, bookings), at_ms)
    pairs += [(left[i], unnamed[j]) for i, j in found]
    taken, placed = {i for i, _ in found}, {j for _, j in found}
    return Matched(
        pairs,
        [b for i, b in enumerate(left) if i not in taken],
        [a for j, a in enumerate(unnamed) if j not in placed],
    )


class _Law:
    """Costs of a match, of a stranger and of an open booking: minus the logarithm of how likely each is."""

    def __init__(self, rules: CapacityParameters, bookings: Sequence[Booking]) -> None:
        self._bias, self._scale = rules.arrival_bias_min, rules.booking_sd_min * math.sqrt(3.0) / math.pi
        self._no_show = max(rules.no_show_share, _LEAST_SHARE)
        span_min = (bookings[-1].t_ms - bookings[0].t_ms) / 6e4 if bookings else 0.0
        # Strangers come as densely as bookings do, at their share of them.
        per_min = max(len(bookings), 1) / max(span_min, _LEAST_SPAN_MIN)
        self.stranger = -math.log(max(rules.walk_in_share, _LEAST_SHARE) * per_min)

    def pair(self, minutes: Float) -> Float:
        """Return the cost of trucks that came this long after a booking."""
        x = np.abs(minutes - self._bias) / self._scale
        cost = x + 2.0 * np.log1p(np.exp(-x)) + math.log(self._scale) - math.log1p(-self._no_show)
        return np.where(np.abs(minutes) > _NEAR_MIN, _NEVER, cost)

    def missing(self, overdue_min: float) -> float:
        """Return the cost of a booking whose truck has not come; none of one that lies well ahead."""
        x = max(-60.0, min(60.0, (overdue_min - self._bias) / self._scale))
        return -math.log(self._no_show + (1.0 - self._no_show) / (1.0 + math.exp(x)))


def _likeliest(
    bookings: Sequence[Booking], arrivals: Sequence[Arrival], law: _Law, at_ms: int
) -> list[tuple[int, int]]:
    """Return pairs (booking, arrival) of least cost, both ascending: for a law like this trucks never change order."""
    if not arrivals:
        return []
    came_min = np.array([(a.t_ms - at_ms) / 6e4 for a in arrivals])
    # A booking that is near to no arrival stays open whatever the others do.
    first, last = came_min[0] - _NEAR_MIN, came_min[-1] + _NEAR_MIN
    near = [i for i, b in enumerate(bookings) if first <= (b.t_ms - at_ms) / 6e4 <= last]
    strangers = law.stranger * np.arange(len(arrivals) + 1)
    best, steps = strangers, []
    for index in near:
        booked_min = (bookings[index].t_ms - at_ms) / 6e4
        stays = best + law.missing(-booked_min)
        belongs = np.concatenate(([_NEVER], best[:-1] + law.pair(came_min - booked_min)))
        either = np.minimum(stays, belongs)
        best = np.minimum.accumulate(either - strangers) + strangers
        steps.append(np.where(best < either - _ROUNDING, _STRANGER, np.where(belongs < stays, _PAIR, _OPEN)))
    return [(near[i], j) for i, j in _traced(steps, len(arrivals))]


def _traced(steps: Sequence[npt.NDArray[np.int64]], arrivals: int) -> list[tuple[int, int]]:
    """Return the pairs on the way back from the last booking and arrival."""
    found, i, j = [], len(steps), arrivals
    while i > 0 and j > 0:
        way = steps[i - 1][j]
        if way == _PAIR:
            found.append((i - 1, j - 1))
        i, j = i - int(way != _STRANGER), j - int(way != _OPEN)
    return found[::-1]
