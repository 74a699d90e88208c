"""Texts of the command line that mean times."""

from __future__ import annotations

import datetime as dt

from station.errors import BadInputError
from station.settings import parse_duration
from station.wire.plan_v1 import parse_time


def duration(text: str, option: str) -> dt.timedelta:
    """Return a duration such as `24h` or `1h30m`.

    Raises:
        BadInputError: It is none; the option is named.
    """
    try:
        value = parse_duration(text)
    except ValueError as error:
        raise BadInputError(f"{option}: {error}") from error
    assert isinstance(value, dt.timedelta)
    return value


def moment_ms(text: str, option: str) -> int:
    """Return epoch ms of an RFC 3339 text with a zone.

    Raises:
        BadInputError: It is none; the option is named.
    """
    try:
        return parse_time(text)
    except ValueError as error:
        raise BadInputError(f"{option} {text!r}: {error}") from error


def speed(text: str, option: str = "--speed") -> float | None:
    """Return station seconds per wall second, None for `max`.

    Raises:
        BadInputError: Neither a number above 0 nor `max`.
    """
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 1e6:
        raise BadInputError(f"{option} {text!r}: must be a number above 0, or max")
    return value
