"""What faults of single sensors do to what is shown: drift, bias, noise, spikes, standing still, no value.

Every error is a function of (seed, tag, time) but for one: what a stuck sensor holds is what it showed at the start of
its fault, and that is carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from simulators.faults import Fault
from simulators.measuring.instruments import Columns, Flags, Floats, Instruments, Times, seed_of, uniform
from station.domain.plant import Plant

SPIKE_EACH_MS: Final = 30_000
"""One sample in this time is a spike."""
_SPIKE_SAMPLES: Final = 6
"""Of a sensor that is sampled rarely, one in this many."""

Held = dict[str, tuple[int, float]]
"""Tag -> (start of the fault, epoch ms; value held)."""


class SensorFaults:
    """The instruments with their faults.

    Args:
        plant: The station.
        instruments: The same without.
        seed: Same seed, same spikes and gaps.
    """

    def __init__(self, plant: Plant, instruments: Instruments, seed: int) -> None:
        signals = list(plant.signals.values())
        self._instruments = instruments
        self._seed = seed
        self._place = {signal.tag: column for column, signal in enumerate(signals)}
        # A discrete signal is sampled on change: its gaps are as long as its period.
        self._periods_ms = [
            round(1000 * (signal.fill_rate_s or signal.rate_s) if not signal.kind.is_discrete else 1000 * signal.rate_s)
            for signal in signals
        ]
        self._slow_ms = [round(1000 * signal.rate_s) for signal in signals]
        self._by_column: dict[int, list[Fault]] = {}
        self.held: Held = {}

    def begin(self, faults: Sequence[Fault], t_ms: Times, truth: Floats) -> None:
        """Take the faults that touch a block.

        Args:
            faults: Of the layer `instrument`.
            t_ms: Epoch ms of the carried row and of the block's.
            truth: What acts on the instruments at each, all signals.
        """
        self._by_column = {}
        for fault in faults:
            self._by_column.setdefault(self._place[fault.signal], []).append(fault)
        stuck = [fault for fault in faults if fault.name == "sensor-stuck"]
        self.held = {
            fault.signal: self.held[fault.signal]
            for fault in stuck
            if self.held.get(fault.signal, (None,))[0] == fault.start_ms
        }
        for fault in stuck:
            if fault.signal not in self.held:
                self._hold(fault, t_ms, truth)

    def measure(self, columns: Columns, t_ms: Times, truth: Floats) -> Floats:
        """Return what is shown; NaN where there is no value, be it for lack of a truth or for a sensor's failure."""
        if not self._by_column:
            return self._instruments.measure(columns, t_ms, truth)
        struck = [(place, self._by_column[c]) for place, c in enumerate(columns.tolist()) if c in self._by_column]
        shown = self._shown(columns, t_ms, truth, struck)
        for place, faults in struck:
            for fault in faults:
                self._stand_still(fault, t_ms, shown[:, place])
            for fault in faults:
                if fault.name == "sensor-dropout":
                    shown[self._missing(fault, int(columns[place]), t_ms), place] = np.nan
        return shown

    def _shown(self, columns: Columns, t_ms: Times, truth: Floats, struck: Sequence[tuple[int, list[Fault]]]) -> Floats:
        errors = [
            (place, self._error(fault, int(columns[place]), t_ms))
            for place, faults in struck
            for fault in faults
            if fault.name in _ERRORS
        ]
        return self._instruments.measure(columns, t_ms, truth, errors)

    def _error(self, fault: Fault, column: int, t_ms: Times) -> Floats:
        strength = fault.strengths(t_ms)
        if fault.name == "sensor-noise":
            return self._instruments.more_noise(column, t_ms, (fault.size - 1.0) * strength)
        if fault.name == "sensor-spike":
            strength = strength * self._spikes(fault, column, t_ms)
        return fault.size * strength

    def _spikes(self, fault: Fault, column: int, t_ms: Times) -> Flags:
        """Return which samples are spikes: one of each stretch of time, wherever in it the hash says."""
        period_ms = self._slow_ms[column]
        samples = max(_SPIKE_SAMPLES, SPIKE_EACH_MS // period_ms)
        numbers = t_ms // period_ms
        chosen = uniform(seed_of(self._seed, "spike", fault.signal), numbers // samples) * samples
        spikes: Flags = (numbers % samples == chosen.astype(np.int64)) & (t_ms % period_ms == 0)
        return spikes

    def _missing(self, fault: Fault, column: int, t_ms: Times) -> Flags:
        slots = t_ms // self._periods_ms[column]
        missing: Flags = uniform(seed_of(self._seed, "dropout", fault.signal), slots) < fault.size
        return missing & _lasts(fault, t_ms)

    def _hold(self, fault: Fault, t_ms: Times, truth: Floats) -> None:
        """Note what a sensor shows as it comes to a standstill: of the last row before, else of the first with any."""
        column = self._place[fault.signal]
        rows = np.flatnonzero(~np.isnan(truth[:, column]))
        if not rows.size:
            return
        before = rows[t_ms[rows] <= fault.start_ms]
        row = int(before[-1]) if before.size else int(rows[0])
        struck = [(0, self._by_column[column])]
        shown = self._shown(np.array([column]), t_ms[row : row + 1], truth[row : row + 1, [column]], struck)
        self.held[fault.signal] = (fault.start_ms, float(shown[0, 0]))

    def _stand_still(self, fault: Fault, t_ms: Times, shown: Floats) -> None:
        held = self.held.get(fault.signal)
        if fault.name == "sensor-stuck" and held is not None:
            shown[_lasts(fault, t_ms) & ~np.isnan(shown)] = held[1]


_ERRORS: Final = frozenset({"sensor-drift", "sensor-bias", "sensor-noise", "sensor-spike"})


def _lasts(fault: Fault, t_ms: Times) -> Flags:
    during: Flags = (t_ms >= fault.start_ms) & (t_ms < fault.end_ms)
    return during
