"""Limits that are set while the station is watched: the same rules as in a station file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from station.domain.plant import Signal
from station.domain.toml_reader import nearest
from station.errors import BadInputError

_ORDER = ("LL", "L", "H", "HH")


class LimitRuleError(BadInputError):
    """A limit that breaks a rule: its `name`, the `value` that was wished (None for the file's own), and the `rule`."""

    def __init__(self, name: str, value: float | None, rule: str) -> None:
        shown = "" if value is None else f" = {value:g}"
        super().__init__(f"limits.{name}{shown}: {rule}")
        self.name, self.value, self.rule = name, value, rule


def checked_limits(signal: Signal, now: Mapping[str, float], wanted: Mapping[str, float | None]) -> dict[str, float]:
    """Return the new value of each limit that is asked for.

    Args:
        signal: With the station file's limits.
        now: All its limits as they are.
        wanted: New ones by name; None for the station file's own.

    Raises:
        LimitRuleError: One that the signal has not, that is no number, that lies outside what the instrument can read,
            on the wrong side of normal, or that would cross its neighbour.
        BadInputError: None is named.
    """
    if not wanted:
        raise BadInputError("limits: none is named")
    for name in wanted:
        if name not in signal.limits:
            rule = f"{signal.tag} has {_listed(signal)}{nearest(name, signal.limits)}"
            raise LimitRuleError(name, wanted[name], rule)
    new = {name: signal.limits[name] if value is None else float(value) for name, value in wanted.items()}
    low, high = signal.instrument_range
    for name, value in new.items():
        if not math.isfinite(value) or not low <= value <= high:
            raise LimitRuleError(name, value, f"must lie within the instrument's {low:g} to {high:g}")
        if name in {"LL", "L"} and value > signal.normal_hi:
            raise LimitRuleError(name, value, f"is above everything normal (to {signal.normal_hi:g})")
        if name in {"H", "HH"} and value < signal.normal_lo:
            raise LimitRuleError(name, value, f"is below everything normal (from {signal.normal_lo:g})")
    after = {**now, **new}
    ordered = [(name, after[name]) for name in _ORDER if name in after]
    for (lower, below), (upper, above) in pairwise(ordered):
        if below >= above:
            name, rule = (
                (lower, f"must be below {upper} = {above:g}")
                if lower in new
                else (upper, f"must be above {lower} = {below:g}")
            )
            raise LimitRuleError(name, after[name], rule)
    return new


def _listed(signal: Signal) -> str:
    return f"only {', '.join(signal.limits)}" if signal.limits else "no limits"
