"""Instruments: what a transmitter shows of a true value.

A measured value is the true one plus a fixed error, a slow wander and noise, clipped to the instrument's range and cut
to its resolution. Every error is a pure function of (seed, tag, time), so that a day is the same however it is cut into
blocks, and a value can be worked out again without its history.
"""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from station.domain.plant import Plant, Signal
from station.domain.signals import Kind

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Columns = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]


class InstrumentType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How well a kind of instrument reads; everything in the unit it reads in. Explained in `instruments.toml`."""

    resolution: float
    noise: float
    bias: float = 0.0
    wander: float = 0.0
    lag_s: float = 0.0
    zero_cut: bool = False
    full_circle: float = 0.0
    floor: float | None = None
    top: float | None = None
    widest_span: float | None = None
    areas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def fits(self, signal: Signal) -> bool:
        """Return whether a signal is measured so."""
        lowest, highest = signal.instrument_range
        return (
            (not self.areas or signal.area in self.areas)
            and (not self.roles or signal.role in self.roles)
            and (self.widest_span is None or highest - lowest <= self.widest_span)
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    types: dict[str, tuple[InstrumentType, ...]]
    resolutions: dict[str, float]


@functools.cache
def _file() -> _File:
    text = resources.files("simulators.measuring").joinpath("instruments.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File)


_USUAL_STEP: Final = 0.1
_FINEST: Final = InstrumentType(resolution=0.001, noise=0.0)
"""For a measured quantity in a unit that the file does not know: as it is, to three decimals."""
_ZERO_CUT: Final = 3.5
"""Deviations of noise that a cut-off hides: all of them, see `standard_noise`."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_SIXTEEN_BIT_SUM_MEAN: Final = 2.0 * 65535.0
_SIXTEEN_BIT_SUM_SD: Final = 65536.0 / np.sqrt(3.0)
_WANDER_WAVES: Final = ((31.0, 0.7), (7.3, 0.3))
"""(period in hours, share): two that fit neither a day nor each other, so that none wanders in step with the sun."""


def instrument_type(signal: Signal) -> InstrumentType:
    """Return how a signal is measured: noise, errors, lag for analogue inputs, a resolution alone for the others."""
    if signal.kind is not Kind.ANALOG_INPUT:
        return InstrumentType(resolution=_file().resolutions.get(signal.unit_of_measure, _USUAL_STEP), noise=0.0)
    kinds = _file().types.get(signal.unit_of_measure, ())
    return next((kind for kind in kinds if kind.fits(signal)), _FINEST)


def measured_range(signal: Signal) -> tuple[float, float]:
    """Return the ends of what the instrument of a signal can show: only a measured quantity saturates."""
    kind = instrument_type(signal)
    if signal.kind is not Kind.ANALOG_INPUT or kind.full_circle:
        return -np.inf, np.inf
    lowest, highest = signal.instrument_range
    return (
        lowest if kind.floor is None else kind.floor,
        highest if kind.top is None else max(highest, kind.top),
    )


def seed_of(seed: int, *names: str) -> int:
    """Return 64 bits that depend on the seed and on every name."""
    text = "/".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def standard_noise(keys: Keys, t_ms: Times) -> Floats:
    """Return noise of mean 0 and deviation 1 for each (time, key): a hash, so that it needs no history.

    The sum of four 16-bit parts of a mixed counter: nearly normal, and never beyond 3.47 deviations, so that noise
    alone makes no spike.

    Args:
        keys: One 64-bit key a signal, see `seed_of`.
        t_ms: Epoch ms of each sample.

    Returns:
        float64[len(t_ms), len(keys)].
    """
    mixed = _mixed(keys, t_ms)
    parts = mixed.view(np.uint16).reshape(*mixed.shape, 4)
    total = parts[..., 0].astype(np.float64)
    for part in range(1, 4):
        total += parts[..., part]
    total -= _SIXTEEN_BIT_SUM_MEAN
    total /= _SIXTEEN_BIT_SUM_SD
    return total


def uniform(key: int, numbers: Times) -> Floats:
    """Return one number of 0..1 for each of `numbers`, by the same hash."""
    mixed = _mixed(np.array([key], dtype=np.uint64), numbers)[:, 0]
    return (mixed >> np.uint64(11)) / 2.0**53


def _mixed(keys: Keys, numbers: Times) -> Keys:
    """Return 64 well mixed bits for each (number, key).

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), over key + number * golden ratio.
    """
    mixed = numbers.astype(np.uint64)[:, None] * _GOLDEN + keys
    mixed ^= mixed >> np.uint64(30)
    mixed *= _MIX_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(31)
    return mixed


class Instruments:
    """Every instrument of a station, vectorised over signals and time. Their lag is `simulators.measuring.lag`'s.

    Args:
        plant: The station.
        seed: Same seed, same errors.
    """

    def __init__(self, plant: Plant, seed: int) -> None:
        signals = list(plant.signals.values())
        kinds = [instrument_type(signal) for signal in signals]
        self._keys = np.array([seed_of(seed, "noise", signal.tag) for signal in signals], dtype=np.uint64)
        self._noise = np.array([kind.noise for kind in kinds])
        # What has no noise of its own is given one of half its resolution if it is to be noisy.
        self._base_noise = np.array([kind.noise or kind.resolution / 2.0 for kind in kinds])
        self._zero_cut = np.array([(kind.bias + _ZERO_CUT * kind.noise) * kind.zero_cut for kind in kinds])
        self._full_circle = np.array([kind.full_circle for kind in kinds])
        self._up = np.array([1.0 / kind.resolution if kind.resolution < 1.0 else 1.0 for kind in kinds]).round()
        self._down = np.array([max(1.0, kind.resolution) for kind in kinds])
        self._counter = np.array([signal.kind is Kind.COUNTER for signal in signals])
        self._range = np.array([measured_range(signal) for signal in signals]).T
        self._ends = np.where(np.isfinite(self._range), self._shown_ends(), self._range)
        self._bias = np.array([kind.bias for kind in kinds]) * _draws(seed, "bias", signals)
        self._waves = _wander_waves(seed, signals, np.array([kind.wander for kind in kinds]))

    def measure(
        self, columns: Columns, t_ms: Times, truth: Floats, faulty: Sequence[tuple[int, Floats]] = ()
    ) -> Floats:
        """Return what the instruments show.

        Args:
            columns: Which signals, as positions in the order of the plant's signals.
            t_ms: Epoch ms of each row.
            truth: What acts on the instruments, float64[len(t_ms), len(columns)]; NaN stays NaN.
            faulty: (place within `columns`, error of each row) of the sensors that are off.

        Returns:
            Measured values of the same shape; states and digital inputs unchanged.
        """
        shown = np.array(truth, dtype=np.float64)
        noisy = np.flatnonzero(self._noise[columns] > 0.0)
        if noisy.size:
            shown[:, noisy] += self._errors(columns[noisy], t_ms)
        for place, errors in faulty:
            shown[:, place] += errors
        cut = np.flatnonzero(self._zero_cut[columns] > 0.0)
        shown[:, cut] *= np.abs(shown[:, cut]) >= self._zero_cut[columns[cut]]
        lowest, highest = self._range[:, columns]
        np.clip(shown, lowest, highest, out=shown)
        return self._cut_to_resolution(columns, shown)

    def pegged(self, columns: Columns, shown: Floats) -> Flags | None:
        """Return which shown values stand at an end of their instrument's range, None where none does."""
        lowest, highest = self._ends[:, columns]
        at_end: Flags = (shown <= lowest) | (shown >= highest)
        return at_end if at_end.any() else None

    def more_noise(self, column: int, t_ms: Times, share: Floats) -> Floats:
        """Return what is to be added to a signal so that its noise is (1 + share) times the usual."""
        noise = standard_noise(self._keys[[column]], t_ms)[:, 0]
        louder: Floats = noise * self._base_noise[column] * share
        return louder

    def _shown_ends(self) -> Floats:
        ends = np.where(np.isfinite(self._range), self._range, 0.0)
        return self._cut_to_resolution(np.arange(ends.shape[1]), ends)

    def _errors(self, columns: Columns, t_ms: Times) -> Floats:
        errors = standard_noise(self._keys[columns], t_ms)
        errors *= self._noise[columns]
        errors += self._bias[columns]
        hours = t_ms / 3.6e6
        for period_h, in_phase, across in self._waves:
            angle = hours * (2.0 * np.pi / period_h)
            errors += np.sin(angle)[:, None] * in_phase[columns]
            errors += np.cos(angle)[:, None] * across[columns]
        return errors

    def _cut_to_resolution(self, columns: Columns, shown: Floats) -> Floats:
        up, down = self._up[columns], self._down[columns]
        shown *= up
        shown /= down
        counters = np.flatnonzero(self._counter[columns])
        whole = np.floor(shown[:, counters])  # a counter never shows what has not yet passed
        np.rint(shown, out=shown)
        shown[:, counters] = whole
        # Whole numbers over a power of ten: the double nearest to the short decimal, which JSON then writes short.
        shown *= down
        shown /= up
        circles = np.flatnonzero(self._full_circle[columns])
        if circles.size:
            shown[:, circles] %= self._full_circle[columns[circles]]
        shown += 0.0  # no minus zero
        return shown


def _draws(seed: int, purpose: str, signals: list[Signal]) -> Floats:
    """Return one uniform number of -1..1 a signal."""
    return np.array([seed_of(seed, purpose, signal.tag) / 2.0**63 - 1.0 for signal in signals])


def _wander_waves(seed: int, signals: list[Signal], amplitude: Floats) -> list[tuple[float, Floats, Floats]]:
    """Return (period in hours, sine part, cosine part) of each wave of each signal's drift."""
    waves = []
    for period_h, share in _WANDER_WAVES:
        phase = np.pi * _draws(seed, f"wander-{period_h}", signals)
        waves.append((period_h, share * amplitude * np.cos(phase), share * amplitude * np.sin(phase)))
    return waves
