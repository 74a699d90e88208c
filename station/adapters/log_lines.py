"""Logs in InfluxDB's line protocol (contract sections 4 and 8): a line a message, times in ms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

import msgspec

from station.adapters.line_protocol import escape_key, escape_measurement, message_line
from station.adapters.log_records import (
    Found,
    LogRecord,
    Number,
    OnBadLine,
    ReadingRecords,
    Readings,
    Records,
    record_of,
)
from station.adapters.point_rules import refusal
from station.domain.signals import AREAS, BAD_NULL, GOOD, UnitMessage
from station.wire.topics import ReadingTopic

_LINES_A_WRITE: Final = 2000
_MOST_DIGITS: Final = 15
"""Of times, the year 33658, and of whole numbers that a float holds."""
_encode: Final = msgspec.json.Encoder().encode
_HEAD: Final = re.compile(r"((?:[^\\ ]|\\.)+) +")
_FIELD: Final = re.compile(r'((?:[^\\,= ]|\\.)+)=("(?:[^"\\]|\\.)*"|[^,\s]+)')
_ESCAPED: Final = re.compile(r"\\(.)")


def write_lines(file: IO[bytes], records: Records, header: Mapping[str, object]) -> int:
    """Write the readings of a log as they come; return how many records there were.

    What InfluxDB has no spelling for (a backslash in a name) is left out, as every store does.
    """
    readings = ReadingRecords(records)
    file.write(b"# " + _encode(dict(header)) + b"\n")
    forms: dict[tuple[str, tuple[str, ...]], str | None] = {}
    parts: list[str] = []
    for topic, said in readings:
        values = tuple(said.v.values())
        key = (topic, tuple(said.v))
        if key not in forms:
            forms[key] = _form(*key)
        form = forms[key]
        if form is None:
            continue
        if said.q or None in values:
            parts.append(message_line(_message(topic, said)) + "\n")
        else:
            parts.append(form % (*map(float, values), said.t))  # type: ignore[arg-type]
        if len(parts) >= _LINES_A_WRITE:
            file.write("".join(parts).encode())
            parts.clear()
    file.write("".join(parts).encode())
    return readings.count


def _message(topic: str, said: Readings) -> UnitMessage:
    station, area, unit = topic.split("/")[2:]
    return UnitMessage(station, area, unit, said.t, said.v, said.q)


def _form(topic: str, signals: tuple[str, ...]) -> str | None:
    """Return the line of a message in which all is good, with %r for each value and %d for the time."""
    station, area, unit = topic.split("/")[2:]
    if refusal(UnitMessage(station, area, unit, 0, dict.fromkeys(signals, 0.0))) is not None:
        return None
    head = f"{escape_measurement(area)},station={escape_key(station)},unit={escape_key(unit)} "
    fields = ",".join(escape_key(signal).replace("%", "%%") + "=%r" for signal in signals)
    return f"{head.replace('%', '%%')}{fields} %d\n"


def is_line(text: str) -> bool:
    """Return whether a text is most likely a line of a station's readings."""
    head = _HEAD.match(text)
    return head is not None and head[1].split(",", 1)[0] in AREAS and _FIELD.match(text, head.end()) is not None


def read_lines(lines: Iterable[tuple[int, bytes]], tell: OnBadLine) -> Iterator[Found]:
    """Yield the messages of numbered lines; a line that is no message of a station is told of."""
    for number, line in lines:
        if line.startswith(b"#"):
            continue
        try:
            yield Found(_record(line.decode().strip()), number)
        except ValueError as error:
            tell(number, f"is no reading: {error}")


def _record(line: str) -> LogRecord:
    head = _HEAD.match(line)
    if head is None:
        raise ValueError("must be measurement,tags fields time")
    area, tags = _head(head[1])
    if area not in AREAS or not {"station", "unit"} <= tags.keys():
        raise ValueError(f"{area}: must be an area with the tags station and unit")
    values: dict[str, Number | None] = {}
    quality: dict[str, str] = {}
    fields, end = _fields(line, head.end())
    for name, value in fields:
        if not value.startswith('"'):
            values[name] = _number(value)
        elif name.endswith(".q"):
            signal = name.removesuffix(".q")
            quality[signal] = _plain(value[1:-1])
            values.setdefault(signal, None)
        else:
            raise ValueError(f"{name} is a text")
    time = line[end:].strip()
    if not time:
        raise ValueError("has no time")
    if not (time.isascii() and time.isdecimal() and len(time) <= _MOST_DIGITS):
        raise ValueError(f"time {time[:40]}: must be epoch ms")
    values |= {signal: None for signal, said in quality.items() if said == BAD_NULL}
    spoken = {signal: quality.get(signal, GOOD if value is not None else BAD_NULL) for signal, value in values.items()}
    return record_of(ReadingTopic(tags["station"], area, tags["unit"]), int(time), values, spoken)


def _head(text: str) -> tuple[str, dict[str, str]]:
    measurement, *tags = re.split(r"(?<!\\),", text)
    pairs = [re.split(r"(?<!\\)=", tag, maxsplit=1) for tag in tags]
    found = {_plain(pair[0]): _plain(pair[-1]) for pair in pairs}
    if any(len(pair) != 2 for pair in pairs) or len(found) != len(pairs):
        raise ValueError(f"{text[:80]}: tags must be name=value, each once")
    return _plain(measurement), found


def _fields(line: str, at: int) -> tuple[list[tuple[str, str]], int]:
    """Return the fields that begin at a place, as they are written but for their names, and where they end."""
    fields = []
    while True:
        found = _FIELD.match(line, at)
        if found is None:
            raise ValueError(f"{line[at : at + 40]}: must be name=value")
        fields.append((_plain(found[1]), found[2]))
        at = found.end()
        if line[at : at + 1] != ",":
            return fields, at
        at += 1


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _number(text: str) -> Number:
    if text in ("t", "T", "true", "True", "TRUE"):
        return 1
    if text in ("f", "F", "false", "False", "FALSE"):
        return 0
    if text.endswith(("i", "u")):
        text = text[:-1]
        if len(text) <= _MOST_DIGITS:
            return int(text)
    value = float(text)
    if value - value != 0.0:
        raise ValueError(f"{text[:40]}: must be finite")
    return value
