"""Estimators that begin with what the station file says and give way to what is observed.

Each has a prior that is worth some number of observations, and counts at most so many of its own: beyond that the
oldest fade, so that a habit that changes is followed. Without a single observation each gives exactly its prior. The
state of each is a row of numbers that says nothing of the prior: a changed station file takes effect at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from station.domain.learned import Estimate

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anything is observed.

    Attributes:
        value: Mean, in the parameter's own unit.
        sd: Scatter of a single observation about it.
        worth: How many observations this counts for.
        most: Observations that count beside it; older ones fade.
    """

    value: float
    sd: float
    worth: float
    most: float


def untaught(prior: Prior) -> Estimate:
    """Return the estimate of one that has seen nothing."""
    return Estimate(prior.value, prior.sd, 0.0, 1.0, prior.value, prior.sd)


class Estimator(Protocol):
    """Something that learns one parameter."""

    def estimate(self) -> Estimate:
        """Return prior and observations together."""
        ...

    def state(self) -> tuple[float, ...]:
        """Return what a restart continues from."""
        ...

    def restore(self, state: Sequence[float]) -> None:
        """Continue from a state; one of another length is refused in silence, as of another version's layout."""
        ...


@dataclass(slots=True)
class Sample:
    """Mean and scatter of a quantity, by the normal law with its conjugate prior."""

    prior: Prior
    _n: float = 0.0
    _total: float = 0.0
    _squares: float = 0.0

    def add(self, x: float, weight: float = 1.0, noise: float = 0.0) -> None:
        """Take an observation.

        Args:
            x: The observation.
            weight: How much it counts [0..1].
            noise: Variance that is in it but not in the quantity.
        """
        keep = 1.0 if self._n + weight <= self.prior.most else (self.prior.most - weight) / self._n
        self._n = self._n * keep + weight
        self._total = self._total * keep + weight * x
        self._squares = self._squares * keep + weight * (x * x - noise)

    def estimate(self) -> Estimate:
        """Return prior and observations together."""
        prior, n = self.prior, self._n
        if n <= 0.0:
            return untaught(prior)
        whole = prior.worth + n
        off = (self._total - n * prior.value) / whole
        # Second moment about the prior's mean; the conjugate posterior's variance follows from it.
        about = self._squares - 2.0 * prior.value * self._total + n * prior.value**2
        variance = (prior.worth * prior.sd**2 + about) / whole - off**2
        # Noise taken off can leave too little of a few observations: never below a fifth of the usual scatter.
        sd = math.sqrt(max(variance, (0.2 * prior.sd) ** 2))
        return Estimate(prior.value + off, sd, n, prior.worth / whole, prior.value, prior.sd)

    @property
    def mean(self) -> float:
        """Mean of the observations alone, 0 without any."""
        return self._total / self._n if self._n > 0.0 else 0.0

    def state(self) -> tuple[float, ...]:
        """Return (count, sum, sum of squares)."""
        return (self._n, self._total, self._squares)

    def restore(self, state: Sequence[float]) -> None:
        """Continue from a state."""
        if len(state) == 3:
            self._n, self._total, self._squares = state


@dataclass(slots=True)
class Share:
    """Share of cases in which something happens, by the binomial law with its conjugate prior."""

    prior: Prior
    _hits: float = 0.0
    _n: float = 0.0

    def add(self, hits: float, cases: float) -> None:
        """Take some cases, of which so many were hits."""
        keep = 1.0 if self._n + cases <= self.prior.most else max(0.0, self.prior.most - cases) / max(self._n, cases)
        self._hits, self._n = self._hits * keep + hits, self._n * keep + cases

    def estimate(self) -> Estimate:
        """Return prior and observations together."""
        prior = self.prior
        if self._n <= 0.0:
            return untaught(prior)
        whole = prior.worth + self._n
        share = (prior.worth * prior.value + self._hits) / whole
        # More strangers than bookings is possible: then the scatter is that of a count.
        sd = math.sqrt(share * max(1.0 - share, 0.0)) if share < 1.0 else math.sqrt(share)
        return Estimate(share, sd, self._n, prior.worth / whole, prior.value, prior.sd)

    def state(self) -> tuple[float, ...]:
        """Return (hits, cases)."""
        return (self._hits, self._n)

    def restore(self, state: Sequence[float]) -> None:
        """Continue from a state."""
        if len(state) == 2:
            self._hits, self._n = state


_SD_GRID = np.geomspace(3.0, 48.0, 24)
_BIAS_GRID = np.linspace(-24.0, 24.0, 25)
_STRANGERS_MIN = 0.003
"""Trucks a minute that belong to no booking, four a day: keeps a single stranger from deciding [1/min]."""


@dataclass(slots=True)
class ArrivalScatter:
    """How trucks scatter about their bookings, learned although most come unnamed.

    Nobody says which booking an unnamed truck had, and taking the nearest would make every station look punctual. But
    whatever the scatter, arrivals are as dense as the bookings blurred by it: so each arrival adds the logarithm of
    that density to every pair (bias, scatter) of a grid. A named one adds the density about its own booking. Unnamed
    trucks cannot tell scatters apart that are wider than a third of the gap between bookings: there the prior stays.
    """

    prior: Prior
    _n: float = 0.0
    _log: Float = field(default_factory=lambda: np.zeros((len(_BIAS_GRID), len(_SD_GRID))))

    def add(self, off_min: Sequence[float], *, named: bool) -> None:
        """Take an arrival.

        Args:
            off_min: Minutes after each booking it may have had; after its own alone where it is named.
            named: Whether it is.
        """
        if not off_min:
            return
        off = np.asarray(off_min, dtype=np.float64)[:, np.newaxis, np.newaxis] - _BIAS_GRID[:, np.newaxis]
        density = np.exp(-0.5 * (off / _SD_GRID) ** 2) / (_SD_GRID * math.sqrt(2.0 * math.pi))
        keep = 1.0 if self._n + 1.0 <= self.prior.most else (self.prior.most - 1.0) / self._n
        self._n = self._n * keep + 1.0
        floor = 1e-4 if named else _STRANGERS_MIN
        self._log = self._log * keep + np.log(density.sum(axis=0) + floor)

    def estimate(self) -> Estimate:
        """Return bias (value) and scatter (sd) [min], prior and observations together."""
        prior = self.prior
        if self._n <= 0.0:
            return untaught(prior)
        before = self._moments(0.0)
        after = self._moments(1.0)
        weight = min(1.0, after[2] / before[2])
        # What the grid makes of the prior alone is taken off again, as far as the prior counts.
        return Estimate(
            value=after[0] - weight * (before[0] - prior.value),
            sd=after[1] * (prior.sd / before[1]) ** weight,
            n=self._n,
            weight=weight,
            prior=prior.value,
            prior_sd=prior.sd,
        )

    def _moments(self, share: float) -> tuple[float, float, float]:
        """Return (bias, scatter, variance of the scatter's logarithm) with this share of what was observed."""
        prior = self.prior
        off = (prior.sd**2 + (_BIAS_GRID[:, np.newaxis] - prior.value) ** 2) / (2.0 * _SD_GRID**2)
        log = -prior.worth * (np.log(_SD_GRID) + off) + share * self._log
        mass = np.exp(log - log.max())
        mass /= mass.sum()
        logs = np.log(_SD_GRID)
        centre = float((mass * logs).sum())
        # A posterior narrower than the grid is as wide as half a step of it.
        spread = float((mass * (logs - centre) ** 2).sum()) + (0.5 * float(logs[1] - logs[0])) ** 2 / 3.0
        return float((mass * _BIAS_GRID[:, np.newaxis]).sum()), math.exp(centre), spread

    def state(self) -> tuple[float, ...]:
        """Return the count and the grid, row by row."""
        return (self._n, *(round(float(x), 4) for x in self._log.ravel()))

    def restore(self, state: Sequence[float]) -> None:
        """Continue from a state."""
        if len(state) == 1 + self._log.size:
            self._n = state[0]
            self._log = np.array(state[1:], dtype=np.float64).reshape(self._log.shape)


@dataclass(slots=True)
class HourProfile:
    """Shares of a day's arrivals by the hour, by the multinomial law with its conjugate prior.

    Attributes:
        usual: 24 shares of the station file, sum 1.
        worth, most: As of `Prior`.
    """

    usual: tuple[float, ...]
    worth: float
    most: float
    _counts: list[float] = field(default_factory=lambda: [0.0] * 24)

    def add(self, hour: int) -> None:
        """Take an arrival in an hour of the day, 0 first."""
        n = sum(self._counts)
        if n + 1.0 > self.most:
            self._counts = [c * (self.most - 1.0) / n for c in self._counts]
        self._counts[hour] += 1.0

    def shares(self) -> tuple[float, ...]:
        """Return 24 shares, sum 1; the file's own where nothing was learned."""
        n = sum(self._counts)
        if n <= 0.0:
            return self.usual
        return tuple((self.worth * u + c) / (self.worth + n) for u, c in zip(self.usual, self._counts, strict=True))

    def estimate(self) -> Estimate:
        """Return the mean hour of arrival and its scatter [h]: what of a profile can be followed over months."""
        value, sd = _mean_hour(self.shares())
        prior, prior_sd = _mean_hour(self.usual)
        n = sum(self._counts)
        return Estimate(value, sd, n, self.worth / (self.worth + n), prior, prior_sd)

    def state(self) -> tuple[float, ...]:
        """Return the counts."""
        return tuple(self._counts)

    def restore(self, state: Sequence[float]) -> None:
        """Continue from a state."""
        if len(state) == 24:
            self._counts = list(state)


def _mean_hour(shares: Sequence[float]) -> tuple[float, float]:
    hours, weights = np.arange(24) + 0.5, np.asarray(shares)
    mean = float((weights * hours).sum() / weights.sum())
    return mean, math.sqrt(float((weights * (hours - mean) ** 2).sum() / weights.sum()))
