"""Random numbers that are spread evenly over the lanes (Latin hypercube sampling).

A hundred lanes with independent draws put anything from 40 to 60 of them on the heavy side of a day's demand; drawn
evenly it is always 50. Means stay what they were, and what a forecast says jumps less from run to run for nothing
(M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 1979).
"""

from __future__ import annotations

import numpy as np

from station.domain.lanes import Float

_SHUFFLED_PER_LANE = 16


def even(draw: np.random.Generator, *shape: int) -> Float:
    """Return uniform numbers of which each row, the last axis, has one in each of its equal parts, in any order."""
    places = np.argsort(draw.random(shape), axis=-1)
    return np.asarray((places + draw.random(shape)) / shape[-1])


def even_of(many: Float, draw: np.random.Generator, count: int) -> Float:
    """Return `count` of many draws of any law, one out of each equal part of their order.

    Args:
        many: `draws_for(count)` draws.
        draw: Random numbers.
        count: How many.
    """
    parts = np.sort(many).reshape(count, _SHUFFLED_PER_LANE)
    picked = parts[np.arange(count), draw.integers(_SHUFFLED_PER_LANE, size=count)]
    return np.asarray(draw.permutation(picked))


def draws_for(count: int) -> int:
    """Return how many draws `even_of` wants."""
    return count * _SHUFFLED_PER_LANE
