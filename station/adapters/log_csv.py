"""Logs as long csv (contract section 8): a line a reading, `t,station,area,unit,signal,value,quality`."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Final

import msgspec

from station.adapters.log_records import (
    Found,
    Gathering,
    Number,
    OnBadLine,
    ReadingRecords,
    Readings,
    Records,
    quality_of,
)
from station.domain.signals import AREAS, GOOD
from station.wire.plan_v1 import parse_time
from station.wire.topics import ReadingTopic

COLUMNS: Final = ("t", "station", "area", "unit", "signal", "value", "quality")
NEEDED: Final = frozenset(COLUMNS[:-1])
_OURS: Final = {name: place for place, name in enumerate(COLUMNS)}
_ROWS_A_WRITE: Final = 2000
_MOST_DIGITS: Final = 16
"""Of whole numbers that a float holds; longer ones become floats, as a store would have them."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_encode: Final = msgspec.json.Encoder().encode


def write_csv(file: IO[bytes], records: Records, header: Mapping[str, object]) -> int:
    """Write the readings of a log as they come; return how many records there were. Numbers stand as in the JSON."""
    readings = ReadingRecords(records)
    file.write(b"# " + _encode(dict(header)) + b"\n" + ",".join(COLUMNS).encode() + b"\n")
    forms: dict[tuple[str, tuple[str, ...]], str] = {}
    stamps = Stamps()
    parts: list[str] = []
    for topic, said in readings:
        values = tuple(said.v.values())
        key = (topic, tuple(said.v))
        form = forms.get(key)
        if form is None:
            form = forms[key] = _form(*key)
        if said.q or None in values:
            parts.append(_doubtful(topic, said, stamps.of(said.t)))
        else:
            parts.append(form.replace("\0", stamps.of(said.t)) % values)
        if len(parts) >= _ROWS_A_WRITE:
            file.write("".join(parts).encode())
            parts.clear()
    file.write("".join(parts).encode())
    return readings.count


class Stamps:
    """Times as RFC 3339 with milliseconds, UTC; those of one second are made once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def of(self, t_ms: int) -> str:
        """Return a time as text."""
        second, ms = divmod(t_ms, 1000)
        if second != self._second:
            self._text = (_EPOCH + dt.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._text}.{ms:03d}Z"


def _form(topic: str, signals: tuple[str, ...]) -> str:
    """Return the rows of a message in which all is good, with NUL for the time and %r for each value."""
    place = ",".join(map(quoted, topic.split("/")[2:]))
    return "".join(f"\0,{place},{quoted(signal)},".replace("%", "%%") + f"%r,{GOOD}\n" for signal in signals)


def _doubtful(topic: str, said: Readings, stamp: str) -> str:
    place = ",".join(map(quoted, topic.split("/")[2:]))
    return "".join(
        f"{stamp},{place},{quoted(signal)},{'' if value is None else repr(value)},"
        f"{quoted(quality_of(said, signal, value))}\n"
        for signal, value in said.v.items()
    )


def quoted(text: str) -> str:
    """Return a text as a cell."""
    if not any(mark in text for mark in ',"\r\n\0'):
        return text
    return '"' + text.replace("\0", "").replace('"', '""') + '"'


def read_csv(lines: Iterable[tuple[int, bytes]], tell: OnBadLine) -> Iterator[Found]:
    """Yield the messages of numbered lines, one of which names the columns; without it they stand as we write them.

    A row that is no reading is told of. A quality left empty is good where there is a value.
    """
    gathered = Gathering()
    places: dict[tuple[str, ...], ReadingTopic] = {}
    columns: dict[str, int] | None = None
    for number, line in lines:
        if line.startswith(b"#"):
            continue
        try:
            cells = next(csv.reader([line.decode().rstrip("\r\n")], strict=True))
            if not cells[0][:1].isdecimal() and names_columns(cells):  # a time is quicker to tell
                columns = {name.strip(): place for place, name in enumerate(cells)}
                continue
            row = _row(cells, columns or _OURS, places)
        except (ValueError, IndexError, csv.Error) as error:
            tell(number, f"is no reading: {error}")
            continue
        if (found := gathered.take(number, *row)) is not None:
            yield found
    if (found := gathered.rest()) is not None:
        yield found


def names_columns(cells: Sequence[str]) -> bool:
    """Return whether these are the names of a long log's columns, in any order, others among them."""
    return {cell.strip() for cell in cells} >= NEEDED


def is_row(cells: Sequence[str]) -> bool:
    """Return whether these are most likely a long log's reading."""
    return 6 <= len(cells) <= 7 and cells[2] in AREAS


def _row(
    cells: list[str], columns: Mapping[str, int], places: dict[tuple[str, ...], ReadingTopic]
) -> tuple[ReadingTopic, int, str, Number | None, str]:
    if len(cells) != len(columns):
        raise ValueError(f"has {len(cells)} of {len(columns)} columns")
    names = tuple(cells[columns[name]] for name in ("station", "area", "unit"))
    place = places.get(names)
    if place is None:
        if names[1] not in AREAS or not all(names) or any("/" in name for name in names):
            raise ValueError(f"station, area, unit = {', '.join(names)}")
        place = places[names] = ReadingTopic(*names)
    text, quality = cells[columns["value"]], cells[columns["quality"]] if "quality" in columns else ""
    value = None if text == "" else number_of(text)
    signal = cells[columns["signal"]]
    if not signal:
        raise ValueError("signal is empty")
    return place, time_of(cells[columns["t"]]), signal, value, quality or ("bad:null" if value is None else GOOD)


def time_of(text: str) -> int:
    """Return epoch ms of RFC 3339 with a zone or of epoch ms.

    Raises:
        ValueError: Neither of both.
    """
    return parse_time(int(text) if text.isdigit() else text)


def number_of(text: str) -> Number:
    """Return the number of a cell; whole ones stay whole.

    Raises:
        ValueError: It is none, or not finite.
    """
    if len(text) < _MOST_DIGITS and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    value = float(text)
    if value - value != 0.0 or "_" in text:
        raise ValueError(f"value = {text[:40]}: must be a finite number")
    return value
