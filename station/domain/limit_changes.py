"""Limits that are set while the station is watched: the same rules as in a station file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from station.domain.plant import Signal
from station.domain.toml_reader import nearest
from station.errors import BadInputError

_ORDER = ("LL", "L", "H", "HH")


def checked_limits(signal: Signal, now: Mapping[str, float], wanted: Mapping[str, float | None]) -> dict[str, float]:
    """Return the new value of each limit that is asked for.

    Args:
        signal: With the station file's limits.
        now: All its limits as they are.
        wanted: New ones by name; None for the station file's own.

    Raises:
        BadInputError: One that the signal has not, that is no number, that lies outside what the instrument can read,
            on the wrong side of normal, or that would cross its neighbour. The text names the limit, value and rule.
    """
    if not wanted:
        raise BadInputError("limits: none is named")
    for name in wanted:
        if name not in signal.limits:
            raise BadInputError(f"limits.{name}: {signal.tag} has {_listed(signal)}{nearest(name, signal.limits)}")
    new = {name: signal.limits[name] if value is None else float(value) for name, value in wanted.items()}
    low, high = signal.instrument_range
    for name, value in new.items():
        if not math.isfinite(value) or not low <= value <= high:
            raise BadInputError(f"limits.{name} = {value:g}: must lie within the instrument's {low:g} to {high:g}")
        if name in {"LL", "L"} and value > signal.normal_hi:
            raise BadInputError(f"limits.{name} = {value:g}: is above everything normal (to {signal.normal_hi:g})")
        if name in {"H", "HH"} and value < signal.normal_lo:
            raise BadInputError(f"limits.{name} = {value:g}: is below everything normal (from {signal.normal_lo:g})")
    after = {**now, **new}
    ordered = [(name, after[name]) for name in _ORDER if name in after]
    for (lower, below), (upper, above) in pairwise(ordered):
        if below >= above:
            raise BadInputError(f"limits.{lower} = {below:g}: must be below {upper} = {above:g}")
    return new


def _listed(signal: Signal) -> str:
    return f"only {', '.join(signal.limits)}" if signal.limits else "no limits"
