"""What every reading store holds to, so that all answer the same questions with the same numbers.

InfluxDB sets the rules, since its points are the contract (section 4): a point merges field by field, an absent field
leaves the stored one, and `{signal}.q` is such a field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from station.domain.signals import BAD_NULL, GOOD, UnitMessage, quality_rank

Stored = tuple[float | None, str]
"""A value as it was written (None: no field) and its quality."""

LAST_MS = 9_000_000_000_000
"""Year 2255: InfluxDB's nanoseconds end in 2262."""

_UNFIT = frozenset("\\\n\r\t\0")


def refusal(message: UnitMessage) -> str | None:
    """Return why no store can hold a message, None where it can be held.

    A backslash or control character in a name has no sure spelling in line protocol; NaN and Infinity have none at all.
    """
    if not message.values:
        return "message carries no values"
    return (
        name_refusal((message.station, message.area, message.unit, *message.values))
        or time_refusal(message.t_ms)
        or number_refusal(message)
    )


def name_refusal(names: Iterable[str]) -> str | None:
    """Return why one of these names cannot be stored, None where all can."""
    for name in names:
        if not name or not _UNFIT.isdisjoint(name):
            return f"name {name!r} is empty or holds a backslash or a control character"
        if name.endswith(".q"):
            return f"name {name!r} ends in .q, which is where qualities are kept"
    return None


def time_refusal(t_ms: int) -> str | None:
    """Return why a time cannot be stored, None where it can."""
    return None if 0 <= t_ms <= LAST_MS else f"time {t_ms} ms is outside 1970..2255"


def number_refusal(message: UnitMessage) -> str | None:
    """Return which value is not a finite number, None where all are finite or null."""
    for signal, value in message.values.items():
        if value is not None and not math.isfinite(value):
            return f"{signal} is {value}: only finite numbers can be stored"
    return None


def storable_fields(fields: Mapping[str, float | str]) -> dict[str, float | str]:
    """Return the fields of a service's point that can be stored: a number that is not finite is a missing one."""
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in fields.items()
        if isinstance(value, str) or math.isfinite(value)
    }


def merged(old: Stored, new: Stored) -> Stored:
    """Return what is stored once `new` came for the same signal and time as `old`.

    A quality that is not good stays: there is no field that takes it back.
    """
    value = old[0] if new[0] is None else new[0]
    return value, old[1] if new[1] == GOOD else new[1]


def visible(stored: Stored) -> Stored:
    """Return value and quality as they are read: null wins over a number that was written for the same time."""
    value, quality = stored
    if quality == BAD_NULL:
        return None, quality
    return value, quality


def worst(qualities: Iterable[str]) -> str:
    """Return the worst quality; of equally bad ones the last in the alphabet, so that all stores name the same."""
    return max(qualities, key=lambda quality: (quality_rank(quality), quality), default=GOOD)


def counts(value: float | None, quality: str) -> bool:
    """Return True for a value that goes into an aggregate: a number, good or uncertain."""
    return value is not None and quality_rank(quality) < 2


def message_from(
    station: str, unit: tuple[str, str], t_ms: int, values: dict[str, float | None], quality: dict[str, str]
) -> UnitMessage:
    """Return the message that a point came from, without boot and seq; `bad:null` goes without saying."""
    spoken = {signal: text for signal, text in quality.items() if text not in (GOOD, BAD_NULL)}
    return UnitMessage(station, unit[0], unit[1], t_ms, values, spoken)
