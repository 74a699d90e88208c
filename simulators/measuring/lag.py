"""The lag of instruments: each follows what acts on it with a time constant of its own.

A first-order lag, worked out exactly for a truth that moves on a straight line from step to step, so that a steady rise
is shown late by just the time constant, whatever the step. It is carried from block to block.
"""

from __future__ import annotations

import numpy as np

from simulators.measuring.instruments import Columns, Floats, Times, instrument_type
from station.domain.plant import Plant


class Lag:
    """What acts on every instrument, after its lag.

    Args:
        plant: The station.
    """

    def __init__(self, plant: Plant) -> None:
        lags_s = np.array([instrument_type(signal).lag_s for signal in plant.signals.values()])
        self.columns: Columns = np.flatnonzero(lags_s > 0.0)
        self._lags_ms = lags_s[self.columns] * 1000.0
        self._last = np.full(len(self.columns), np.nan)
        self._weights: dict[int, tuple[Floats, Floats, Floats]] = {}

    @property
    def state(self) -> list[float | None]:
        """What the next block needs of the past."""
        return [None if np.isnan(x) else x for x in self._last.tolist()]

    def resume(self, state: list[float | None]) -> None:
        """Go on from what `state` was."""
        self._last = np.array([np.nan if x is None else x for x in state], dtype=np.float64)

    def follow(self, rows: Floats, t_ms: Times) -> Floats:
        """Return rows with the lagging columns after their lag.

        Args:
            rows: The carried row of the last block (NaN where there is none), and those of this one.
            t_ms: Epoch ms of each; all but the first interval are equal.
        """
        truth = rows[:, self.columns]
        lagged = np.empty_like(truth)
        lagged[0] = self._last
        if len(t_ms) > 1:
            self._fill(truth, lagged, 1, 2, int(t_ms[1] - t_ms[0]))
        if len(t_ms) > 2:
            self._fill(truth, lagged, 2, len(t_ms), int(t_ms[2] - t_ms[1]))
        self._last = lagged[-1].copy()
        after = rows.copy()
        after[:, self.columns] = lagged
        return after

    def _fill(self, truth: Floats, lagged: Floats, first: int, end: int, step_ms: int) -> None:
        """Work out rows [first, end) of `lagged`; what has a value again after none begins with it."""
        if step_ms not in self._weights:
            self._weights = {step_ms: self._work_out(step_ms)}
        kept, of_before, of_now = self._weights[step_ms]
        lagged[first:end] = of_before * truth[first - 1 : end - 1] + of_now * truth[first:end]
        begins = ~np.isnan(truth[first:end])
        begins &= np.isnan(truth[first - 1 : end - 1])
        begin_rows: list[bool] = np.any(begins, axis=1).tolist()
        before = lagged[first - 1]
        if np.isnan(before).any():  # no lag is known of what already had a value: a first row, or a new instrument
            before = np.where(np.isnan(before), truth[first - 1], before)
        part = np.empty_like(before)
        for number, begin in enumerate(begin_rows):
            row = lagged[first + number]
            np.multiply(kept, before, out=part)
            row += part
            if begin:
                np.copyto(row, truth[first + number], where=begins[number])
            before = row

    def _work_out(self, step_ms: int) -> tuple[Floats, Floats, Floats]:
        """Return how much the shown value, the truth before and the truth now weigh after a step."""
        steps = step_ms / self._lags_ms
        kept = np.exp(-steps)
        mean = -np.expm1(-steps) / steps
        return kept, mean - kept, 1.0 - mean
