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


@dataclass(frozen=True, slots=True)
class Matched:
    """Arrivals against bookings.

    Attributes:
        pairs: Bookings that have come, each with its arrival.
        open: Bookings that have not, by time.
        strangers: Arrivals that no booking is near to.
    """

    pairs: list[tuple[Booking, Arrival]]
    open: list[Booking]
    strangers: list[Arrival]


def bookings_to_come(bookings: Sequence[Booking], arrivals: Sequence[Arrival]) -> tuple[list[Booking], list[Booking]]:
    """Return (bookings that have not come, bookings that have), by time; see `matched`."""
    found = matched(bookings, arrivals)
    return found.open, sorted((booking for booking, _ in found.pairs), key=lambda b: b.t_ms)


def matched(bookings: Sequence[Booking], arrivals: Sequence[Arrival]) -> Matched:
    """Return which booking each arrival is.

    A named arrival takes its own booking; an unnamed one the nearest that is still open, so that a truck that never
    comes stays behind as overdue instead of being passed on from truck to truck.

    Args:
        bookings: Sorted by time.
        arrivals: In the order they came.
    """
    named = {a.id: a for a in arrivals if a.id is not None}
    pairs = [(b, named[b.id]) for b in bookings if b.id in named]
    open_ones = [b for b in bookings if b.id not in named]
    known = {b.id for b, _ in pairs}
    times = [b.t_ms for b in open_ones]
    strangers = []
    for arrival in arrivals:
        if arrival.id in known:
            continue
        index = _nearest(times, arrival.t_ms)
        if index is None:
            strangers.append(arrival)
            continue
        pairs.append((open_ones.pop(index), arrival))
        times.pop(index)
    return Matched(pairs, open_ones, strangers)


def _nearest(times: list[int], t_ms: int) -> int | None:
    place = bisect.bisect_left(times, t_ms)
    around = [i for i in (place - 1, place) if 0 <= i < len(times) and abs(times[i] - t_ms) <= _NEAR_MS]
    return min(around, key=lambda i: abs(times[i] - t_ms), default=None)
