"""InfluxDB's line protocol, written by hand: one message is one line, as contract section 4 lays it down.

All numbers are floats (a field that once was an integer would refuse every float after it), times are epoch ms.
"""

from __future__ import annotations

import functools

from station.adapters.point_rules import storable_fields
from station.domain.signals import GOOD, UnitMessage
from station.ports import ServicePoint

_KEY_ESCAPES = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_MEASUREMENT_ESCAPES = str.maketrans({",": r"\,", " ": r"\ "})
_STRING_ESCAPES = str.maketrans({'"': r"\"", "\\": r"\\"})


@functools.lru_cache(maxsize=65_536)
def escape_key(name: str) -> str:
    """Return a tag key, tag value or field key as it stands in a line."""
    return name.translate(_KEY_ESCAPES)


def escape_measurement(name: str) -> str:
    """Return a measurement as it stands in a line; an equals sign is no special character there."""
    return name.translate(_MEASUREMENT_ESCAPES)


def quote(text: str) -> str:
    """Return a string field's value."""
    return f'"{text.translate(_STRING_ESCAPES)}"'


@functools.lru_cache(maxsize=4096)
def _head(station: str, area: str, unit: str) -> str:
    """Return measurement and tags; tags in the order of the alphabet, as InfluxDB likes them."""
    return f"{escape_measurement(area)},station={escape_key(station)},unit={escape_key(unit)}"


def message_line(message: UnitMessage) -> str:
    """Return the line of a message that `point_rules.refusal` has passed.

    A null has no field of its own: its `.q` says `bad:null`, or what the device said of it.
    """
    head = _head(message.station, message.area, message.unit)
    values = message.values
    if not message.quality and None not in values.values():
        # `+ 0.0`: a bool or integer that came so far is a float all the same
        fields = ",".join([f"{escape_key(signal)}={(value or 0.0) + 0.0!r}" for signal, value in values.items()])
        return f"{head} {fields} {message.t_ms}"
    parts: list[str] = []
    for signal, value in values.items():
        key = escape_key(signal)
        if value is not None:
            parts.append(f"{key}={value + 0.0!r}")
        quality = message.quality_of(signal)
        if quality != GOOD:
            parts.append(f"{key}.q={quote(quality)}")
    return f"{head} {','.join(parts)} {message.t_ms}"


def point_line(point: ServicePoint) -> str | None:
    """Return the line of a service's point, None where it has no field that can be stored. Empty tags are left out."""
    fields = [
        f"{escape_key(name)}={quote(value) if isinstance(value, str) else repr(value)}"
        for name, value in storable_fields(point.fields).items()
    ]
    if not fields:
        return None
    tags = "".join(f",{escape_key(name)}={escape_key(value)}" for name, value in sorted(point.tags.items()) if value)
    return f"{escape_measurement(point.measurement)}{tags} {','.join(fields)} {point.t_ms}"
