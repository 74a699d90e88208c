"""InfluxDB's line protocol, written by hand: one message is one line, as contract section 4 lays it down.

All numbers are floats (a field that once was an integer would refuse every float after it), times are epoch ms.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import msgspec

from station.adapters.point_rules import LAST_MS, name_refusal, refusal, storable_fields
from station.domain.signals import GOOD, UnitMessage
from station.ports import ServicePoint

_OF_NUMBERS: Final = str.maketrans("", "", "0123456789+-.e,")
"""What is left without these is a null (of None, NaN, Infinity) or a bool."""
_encode = msgspec.json.Encoder().encode
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


@functools.lru_cache(maxsize=65_536)
def _template(station: str, area: str, unit: str, *signals: str) -> str | None:
    """Return a line with a place for each value and the time; None where a name cannot be stored."""
    if not signals or name_refusal((station, area, unit, *signals)):
        return None
    fields = ",".join([escape_key(signal).replace("%", "%%") + "=%s" for signal in signals])
    return f"{_head(station, area, unit).replace('%', '%%')} {fields} %s"


def joined_lines(messages: Sequence[UnitMessage], refused: dict[int, str]) -> str | None:
    """Return the lines of a batch; those that no store can hold go to `refused`, by their index.

    The same lines as `message_line`, four times as fast, for all numbers of a batch become text in one call: numbers of
    JSON are numbers of line protocol. None where that cannot be done: a bool, NaN or Infinity came so far.
    """
    templates: list[str] = []
    numbers: list[float | None] = []
    for index, message in enumerate(messages):
        values = message.values
        t_ms = message.t_ms
        template = _template(message.station, message.area, message.unit, *values) if 0 <= t_ms <= LAST_MS else None
        if template is not None and not message.quality and None not in values.values():
            templates.append(template)
            numbers += values.values()
            numbers.append(t_ms)
        elif reason := refusal(message):
            refused[index] = reason
        else:
            templates.append(message_line(message).replace("%", "%%"))
    texts = _encode(numbers).decode()[1:-1]
    if texts.translate(_OF_NUMBERS):
        return None
    return "\n".join(templates) % (tuple(texts.split(",")) if numbers else ())


def message_line(message: UnitMessage) -> str:
    """Return the line of a message that `point_rules.refusal` has passed.

    A null has no field of its own: its `.q` says `bad:null`, or what the device said of it.
    """
    head = _head(message.station, message.area, message.unit)
    values = message.values
    if not message.quality and None not in values.values():
        # A bool or integer that came so far is a float all the same; -0.0 stays what was sent, as in `joined_lines`.
        fields = ",".join(
            [f"{escape_key(signal)}={float(value)!r}" for signal, value in values.items() if value is not None]
        )
        return f"{head} {fields} {message.t_ms}"
    parts: list[str] = []
    for signal, value in values.items():
        key = escape_key(signal)
        if value is not None:
            parts.append(f"{key}={float(value)!r}")
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
