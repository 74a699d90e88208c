"""How much longer something lasts that has lasted so long already, where its whole duration is lognormal.

Repairs and interruptions alike: of what has lasted two hours the short ones are over, so the long ones count more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from station.domain.lanes import Float

_NORMAL = NormalDist()
_GRID = np.linspace(-6.0, 6.0, 2401)
_GRID_CDF = np.array([_NORMAL.cdf(float(z)) for z in _GRID])

_LEAST_SHARE = 0.05
"""What has outlasted its law lasts at least this share longer."""


def normal_quantile(u: Float) -> Float:
    """Return the standard normal quantile by interpolation, good to 1e-5 within +-4 sigma."""
    return np.asarray(np.interp(u, _GRID_CDF, _GRID))


@dataclass(frozen=True, slots=True)
class Lasting:
    """A lognormal duration.

    Attributes:
        median_min: Half of them are over by then [min].
        sigma: Standard deviation of the logarithm.
    """

    median_min: float
    sigma: float

    def longer_than(self, minutes: float) -> float:
        """Return the probability that it lasts longer than this [0..1]."""
        if minutes <= 0.0:
            return 1.0
        return _NORMAL.cdf(-math.log(minutes / self.median_min) / self.sigma)

    def remaining(self, so_far_min: float, quantile: Float) -> Float:
        """Return quantiles of what is left after so many minutes [min].

        Args:
            so_far_min: How long it has lasted [min].
            quantile: Any shape, each 0..1.
        """
        tail = (1.0 - np.asarray(quantile)) * self.longer_than(so_far_min)
        whole = self.median_min * np.exp(-self.sigma * normal_quantile(tail))
        return np.asarray(np.maximum(whole - so_far_min, _LEAST_SHARE * so_far_min))
