"""Which booked trucks have come: arrivals are matched to bookings, by name where known, else by time."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from station.domain.day_plan import Booking

_NEAR_MS = 60 * 60_000
"""A truck further than this from a booking is another truck."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A truck that came: `id` where the gate named it."""

    t_ms: int
    id: str | None = None


def bookings_to_come(bookings: Sequence[Booking], arrivals: Sequence[Arrival]) -> tuple[list[Booking], list[Booking]]:
    """Return (bookings that have not come, bookings that have), by time.

    A named arrival takes its own booking; an unnamed one the nearest that is still open, so that a truck that never
    comes stays behind as overdue instead of being passed on from truck to truck.

    Args:
        bookings: Sorted by time.
        arrivals: In the order they came.
    """
    named = {a.id for a in arrivals if a.id is not None}
    came = [b for b in bookings if b.id in named]
    open_ones = [b for b in bookings if b.id not in named]
    known = {b.id for b in came}
    times = [b.t_ms for b in open_ones]
    for arrival in arrivals:
        if arrival.id in known:
            continue
        index = _nearest(times, arrival.t_ms)
        if index is not None:
            came.append(open_ones.pop(index))
            times.pop(index)
    return open_ones, sorted(came, key=lambda b: b.t_ms)


def _nearest(times: list[int], t_ms: int) -> int | None:
    place = bisect.bisect_left(times, t_ms)
    around = [i for i in (place - 1, place) if 0 <= i < len(times) and abs(times[i] - t_ms) <= _NEAR_MS]
    return min(around, key=lambda i: abs(times[i] - t_ms), default=None)
