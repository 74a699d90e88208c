"""A simulated plant as its instruments show it: measured values by tag, without the wire."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from simulators.block import TruthBlock
from simulators.faults import FaultBoard
from simulators.measuring.sampling import Sampler
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from tests.support.plants import jinma

Floats = npt.NDArray[np.float64]

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")


class MeasuredStation:
    """A plant and what its signals have shown.

    Attributes:
        physics: The plant; faults are brought on with `physics.inject`.
    """

    def __init__(self, scenario: str, hour: float, *, seed: int = 1, midnight: dt.datetime = MIDNIGHT) -> None:
        start = midnight + dt.timedelta(hours=hour)
        self.physics = StationPhysics(jinma(), hydrogen_tables(), shipped_scenario(scenario), start, seed)
        self.start_ms = self.physics.t_ms
        self._sampler = Sampler(jinma(), seed, "b")
        self._samples: dict[str, list[tuple[Floats, Floats]]] = {}

    def run(self, hours: float, dt_s: float = 10.0) -> TruthBlock:
        """Go on for a while; return the truth of it, which no test of a signature needs."""
        block = self.physics.advance(round(hours * 3600.0 / dt_s), dt_s)
        for group in self._sampler.sample(block, faults=FaultBoard()).groups:
            at_s = group.at_ms / 1000.0
            for tag, column in zip(group.tags, group.columns, strict=True):
                self._samples.setdefault(tag, []).append((at_s, np.array(column, dtype=np.float64)))
        return block

    def at(self, tag: str, hours: Floats) -> Floats:
        """Return what a signal showed last at some moments, in hours since the start; NaN where nothing yet."""
        known = self._samples.get(tag)
        if known is None:
            return np.full(len(hours), np.nan)
        seconds, values = (np.concatenate(parts) for parts in zip(*known, strict=True))
        order = np.argsort(seconds, kind="stable")
        place = np.searchsorted(seconds[order], self.start_ms / 1000.0 + hours * 3600.0, side="right") - 1
        return np.where(place >= 0, values[order][np.maximum(place, 0)], np.nan)

    def samples(self, tag: str) -> tuple[Floats, Floats]:
        """Return (hours since the start, value) of each sample of a signal."""
        known = self._samples.get(tag, [])
        if not known:
            return np.empty(0), np.empty(0)
        seconds, values = (np.concatenate(parts) for parts in zip(*known, strict=True))
        order = np.argsort(seconds, kind="stable")
        return (seconds[order] - self.start_ms / 1000.0) / 3600.0, values[order]


def stretch(flags: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return [first, last) of the longest stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    best = int(np.argmax(ends - starts))
    return int(starts[best]), int(ends[best])
