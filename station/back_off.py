"""How long to wait before a thing that failed is tried again: longer each time, and never all at once."""

from __future__ import annotations

import random

_chance = random.Random()  # noqa: S311 - jitter, no secret
"""A generator of its own: the global one belongs to whoever seeds it, and threads must not draw from it meanwhile."""


def back_off_s(attempt: int, least_s: float, most_s: float) -> float:
    """Return a pause before the next try.

    Args:
        attempt: Tries that have failed in a row, from 1 on.
        least_s: The shortest pause [s].
        most_s: The longest [s].

    Returns:
        A time between `least_s` and `least_s` doubled with each attempt, capped [s].
    """
    return _chance.uniform(least_s, min(most_s, least_s * 2.0 ** min(attempt, 16)))
