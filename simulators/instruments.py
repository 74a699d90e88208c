"""Instruments: what a transmitter shows of a true value.

A measured value is the true one plus a fixed error, a slow wander and noise, clipped to the instrument's range and cut
to its resolution. Every error is a pure function of (seed, tag, time), so that a day is the same however it is cut into
blocks, and a value can be worked out again without its history.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from station.domain.plant import Plant, Signal
from station.domain.signals import Kind

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Columns = npt.NDArray[np.intp]

ANY_SPAN: Final = float("inf")


@dataclass(frozen=True, slots=True)
class InstrumentType:
    """How well instruments of one unit of measure read; everything in that unit.

    Attributes:
        widest_span: Holds for instrument ranges up to this wide; the narrowest that fits is taken.
        resolution: Smallest step shown.
        noise: Standard deviation from sample to sample.
        bias: Largest fixed error; each instrument has its own within it.
        wander: Amplitude of the slow drift over hours and days.
        zero_cut: What is no more than its errors is shown as zero (low-flow cut-off).
        full_circle: Values go round at this number (a wind vane's 360), 0 where they do not.
    """

    widest_span: float
    resolution: float
    noise: float
    bias: float = 0.0
    wander: float = 0.0
    zero_cut: bool = False
    full_circle: float = 0.0


# Estimates of good process instruments. Noise is at least 0.6 of the resolution where a quantity rests for hours, so
# that a healthy idle transmitter never shows the unmoving value by which a stuck one is known. Bias and wander together
# stay well inside the station's error budget (bank pressure 0.15 MPa, trailer pressure 0.1 MPa, temperature 5 K).
INSTRUMENT_TYPES: Final[dict[str, tuple[InstrumentType, ...]]] = {
    "MPa": (
        InstrumentType(2.0, 0.001, 0.0008, bias=0.002, wander=0.001),  # oil, air, water, leak detection
        InstrumentType(ANY_SPAN, 0.01, 0.008, bias=0.03, wander=0.01),  # 0.06 % of a 50 MPa range
    ),
    "degC": (InstrumentType(ANY_SPAN, 0.1, 0.06, bias=0.2, wander=0.1),),  # Pt100 class A
    "kg/h": (InstrumentType(ANY_SPAN, 0.1, 0.2, zero_cut=True),),  # Coriolis
    "g/s": (InstrumentType(ANY_SPAN, 0.1, 0.12, zero_cut=True),),  # Coriolis
    "kg": (InstrumentType(ANY_SPAN, 20.0, 4.0),),  # a 60 t weighbridge's scale division
    "kPa": (InstrumentType(ANY_SPAN, 0.1, 0.06, bias=0.2, wander=0.1),),
    "Pa": (InstrumentType(ANY_SPAN, 1.0, 1.0, bias=1.0),),
    "mm/s": (InstrumentType(ANY_SPAN, 0.01, 0.03, zero_cut=True),),
    "kW": (InstrumentType(ANY_SPAN, 0.1, 0.2, zero_cut=True),),
    "m3/h": (InstrumentType(ANY_SPAN, 0.1, 0.08, bias=0.1, zero_cut=True),),
    "%": (InstrumentType(ANY_SPAN, 0.1, 0.06),),
    "%LEL": (InstrumentType(ANY_SPAN, 0.1, 0.12, bias=0.2, wander=0.2),),  # catalytic bead
    "V": (InstrumentType(ANY_SPAN, 0.1, 0.2),),
    "Hz": (InstrumentType(ANY_SPAN, 0.01, 0.006),),
    "m/s": (InstrumentType(ANY_SPAN, 0.1, 0.2),),
    "deg": (InstrumentType(ANY_SPAN, 1.0, 3.0, full_circle=360.0),),
    "mm/h": (InstrumentType(ANY_SPAN, 0.1, 0.0),),
    "L": (InstrumentType(ANY_SPAN, 1.0, 0.0),),  # told by the vehicle, not measured
    "umol/mol": (
        InstrumentType(1.0, 0.001, 0.001),  # carbon monoxide
        InstrumentType(20.0, 0.01, 0.02),
        InstrumentType(ANY_SPAN, 0.1, 0.3),
    ),
}
RESOLUTION_ONLY: Final[dict[str, float]] = {
    "kg": 0.001,  # dispenser totalisers, which are sold by
    "kWh": 0.01,
    "ms": 1.0,
}
"""Steps of what is counted, commanded or computed; 0.1 where the unit is not named, 0.01 for MPa."""
FINEST: Final = InstrumentType(ANY_SPAN, 0.001, 0.0)
"""For a measured quantity in a unit that the table does not know: as it is, to three decimals."""

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
    """Return how a signal is measured: noise and errors for analogue inputs, a resolution alone for the others."""
    if signal.kind is not Kind.ANALOG_INPUT:
        usual = 0.01 if signal.unit_of_measure == "MPa" else 0.1
        return InstrumentType(ANY_SPAN, RESOLUTION_ONLY.get(signal.unit_of_measure, usual), 0.0)
    lowest, highest = signal.instrument_range
    for kind in INSTRUMENT_TYPES.get(signal.unit_of_measure, ()):
        if highest - lowest <= kind.widest_span:
            return kind
    return FINEST


def seed_of(seed: int, *names: str) -> int:
    """Return 64 bits that depend on the seed and on every name."""
    text = "/".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def standard_noise(keys: npt.NDArray[np.uint64], t_ms: Times) -> Floats:
    """Return noise of mean 0 and deviation 1 for each (time, key): a hash, so that it needs no history.

    The sum of four 16-bit parts of a mixed counter: nearly normal, and never beyond 3.47 deviations, so that noise
    alone makes no spike.

    Args:
        keys: One 64-bit key a signal, see `seed_of`.
        t_ms: Epoch ms of each sample.

    Returns:
        float64[len(t_ms), len(keys)].

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), over key + time * golden ratio.
    """
    mixed = t_ms.astype(np.uint64)[:, None] * _GOLDEN + keys
    mixed ^= mixed >> np.uint64(30)
    mixed *= _MIX_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _MIX_2
    mixed ^= mixed >> np.uint64(31)
    parts = mixed.view(np.uint16).reshape(*mixed.shape, 4)
    total = parts[..., 0].astype(np.float64)
    for part in range(1, 4):
        total += parts[..., part]
    total -= _SIXTEEN_BIT_SUM_MEAN
    total /= _SIXTEEN_BIT_SUM_SD
    return total


class Instruments:
    """Every instrument of a station, vectorised over signals and time.

    Args:
        plant: The station.
        seed: Same seed, same errors.
    """

    def __init__(self, plant: Plant, seed: int) -> None:
        signals = list(plant.signals.values())
        kinds = [instrument_type(signal) for signal in signals]
        self._keys = np.array([seed_of(seed, "noise", signal.tag) for signal in signals], dtype=np.uint64)
        self._noise = np.array([kind.noise for kind in kinds])
        self._zero_cut = np.array([(kind.bias + _ZERO_CUT * kind.noise) * kind.zero_cut for kind in kinds])
        self._full_circle = np.array([kind.full_circle for kind in kinds])
        self._up = np.array([1.0 / kind.resolution if kind.resolution < 1.0 else 1.0 for kind in kinds]).round()
        self._down = np.array([max(1.0, kind.resolution) for kind in kinds])
        self._counter = np.array([signal.kind is Kind.COUNTER for signal in signals])
        self._range = np.array([_limits_of(signal) for signal in signals]).T
        self._bias = np.array([kind.bias for kind in kinds]) * _draws(seed, "bias", signals)
        self._waves = _wander_waves(seed, signals, np.array([kind.wander for kind in kinds]))

    def measure(self, columns: Columns, t_ms: Times, truth: Floats) -> Floats:
        """Return what the instruments show.

        Args:
            columns: Which signals, as positions in the order of the plant's signals.
            t_ms: Epoch ms of each row.
            truth: True values, float64[len(t_ms), len(columns)]; NaN stays NaN.

        Returns:
            Measured values of the same shape; states and digital inputs unchanged.
        """
        shown = np.array(truth, dtype=np.float64)
        noisy = np.flatnonzero(self._noise[columns] > 0.0)
        if noisy.size:
            shown[:, noisy] += self._errors(columns[noisy], t_ms)
        cut = np.flatnonzero(self._zero_cut[columns] > 0.0)
        shown[:, cut] *= np.abs(shown[:, cut]) >= self._zero_cut[columns[cut]]
        lowest, highest = self._range[:, columns]
        np.clip(shown, lowest, highest, out=shown)
        return self._cut_to_resolution(columns, shown)

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


def _limits_of(signal: Signal) -> tuple[float, float]:
    """Return the ends of what an instrument can show: only a measured quantity saturates."""
    if signal.kind is not Kind.ANALOG_INPUT or instrument_type(signal).full_circle:
        return -np.inf, np.inf
    return signal.instrument_range
