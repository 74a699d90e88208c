"""Logs as wide csv (contract section 8): a line a moment, `t`, a column a signal, `{signal}.q` where one is not good.

A wide log cannot say in its columns whose signals they are; ours says so in a second `#` line, of another's the station
files tell.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import msgspec

from station.adapters.log_csv import Stamps, number_of, quoted, time_of
from station.adapters.log_records import Found, Number, OnBadLine, record_of
from station.domain.plant import Plant
from station.domain.signals import BAD_NULL, GOOD, UnitMessage
from station.errors import BadInputError
from station.wire.json_v1 import MAX_SIGNALS
from station.wire.topics import ReadingTopic

QUALITY: Final = ".q"
_ROWS_A_WRITE: Final = 500
_encode: Final = msgspec.json.Encoder().encode
_Cell = tuple[Number | None, str]
_Place = tuple[str, str]


def write_wide(file: IO[bytes], messages: Callable[[], Iterable[UnitMessage]], header: Mapping[str, object]) -> int:
    """Write messages of one station in order of time; return how many there were.

    Args:
        file: Where to.
        messages: Gives them from the beginning; asked twice, for the columns stand before the first row.
        header: What made the log; its line is written at once.

    Raises:
        BadInputError: A signal stands on two units.
    """
    file.write(b"# " + _encode(dict(header)) + b"\n")
    file.flush()
    units, doubtful = _columns(messages())
    columns = [tag for tags in units.values() for tag in tags]
    columns = [name for tag in columns for name in ((tag, tag + QUALITY) if tag in doubtful else (tag,))]
    told = {"/".join(unit): list(tags) for unit, tags in units.items()}
    file.write(b"# " + _encode({"units": told}) + b"\n")
    file.write((",".join(map(quoted, ("t", *columns))) + "\n").encode())
    return _write_rows(file, messages(), {name: place for place, name in enumerate(columns)})


def _columns(messages: Iterable[UnitMessage]) -> tuple[dict[_Place, dict[str, None]], set[str]]:
    """Return the signals of each unit, and those that are not good at some time."""
    units: dict[_Place, dict[str, None]] = defaultdict(dict)
    owner: dict[str, _Place] = {}
    doubtful: set[str] = set()
    for message in messages:
        tags = units[message.key]
        for tag in message.values.keys() - tags.keys():
            if owner.setdefault(tag, message.key) != message.key:
                both = f"{'/'.join(owner[tag])} and {'/'.join(message.key)}"
                raise BadInputError(f"signal {tag} stands on {both} in this range: a wide csv cannot tell them apart")
            tags[tag] = None
        doubtful |= message.quality.keys()
        if None in message.values.values():
            doubtful |= {tag for tag, value in message.values.items() if value is None}
    return {unit: dict.fromkeys(sorted(units[unit])) for unit in sorted(units)}, doubtful


def _write_rows(file: IO[bytes], messages: Iterable[UnitMessage], places: Mapping[str, int]) -> int:
    stamps, count = Stamps(), 0
    parts: list[str] = []
    t_ms: int | None = None
    blank = [""] * len(places)
    cells = list(blank)
    for message in messages:
        count += 1
        if message.t_ms != t_ms and t_ms is not None:
            parts.append(f"{stamps.of(t_ms)},{','.join(cells)}\n")
            cells = list(blank)
            if len(parts) >= _ROWS_A_WRITE:
                file.write("".join(parts).encode())
                parts.clear()
        t_ms = message.t_ms
        for tag, value in message.values.items():
            if value is not None:
                cells[places[tag]] = repr(value)
        if message.quality or None in message.values.values():
            for tag in message.values:
                if (said := message.quality_of(tag)) != GOOD:
                    cells[places[tag + QUALITY]] = quoted(said)
    if t_ms is not None:
        parts.append(f"{stamps.of(t_ms)},{','.join(cells)}\n")
    file.write("".join(parts).encode())
    return count


def is_wide(cells: Sequence[str]) -> bool:
    """Return whether these are the names of a wide log's columns."""
    return len(cells) > 1 and cells[0] == "t"


def read_wide(lines: Iterable[tuple[int, bytes]], tell: OnBadLine, plants: Sequence[Plant]) -> Iterator[Found]:
    """Yield the messages of numbered lines; what is no reading is told of, a cell at a time.

    Raises:
        BadInputError: The log does not say whose it is, and more or fewer than one station file could.
    """
    said: dict[str, Any] = {}
    table: _Table | None = None
    for number, line in lines:
        try:
            if line.startswith(b"#"):
                said |= _said(line[1:])
                continue
            cells = next(csv.reader([line.decode().rstrip("\r\n")], strict=True))
        except (ValueError, csv.Error) as error:
            tell(number, f"is no row: {error}")
            continue
        if table is not None:
            yield from table.row(number, cells)
        elif is_wide(cells):
            table = _Table(number, cells, _owners(said, plants), tell)
        else:
            tell(number, "stands before the names of the columns")


def _said(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _owners(said: Mapping[str, Any], plants: Sequence[Plant]) -> dict[str, ReadingTopic]:
    """Return whose each signal is: by the log's own words, else by the station file."""
    station = said.get("station")
    if not isinstance(station, str):
        if len(plants) != 1:
            raise BadInputError("this wide csv does not say of which station it is: name its file with --plant")
        station = plants[0].id
    plant = next((plant for plant in plants if plant.id == station.partition("~")[0]), None)
    known = {} if plant is None else {tag: ReadingTopic(station, *own.key) for tag, own in plant.signals.items()}
    units = said.get("units")
    for unit, tags in units.items() if isinstance(units, dict) else ():
        area, _, name = str(unit).partition("/")
        known |= {str(tag): ReadingTopic(station, area, name) for tag in tags}
    return known


class _Table:
    """The columns of a wide log, by the unit that they are of."""

    def __init__(self, line: int, names: Sequence[str], owners: Mapping[str, ReadingTopic], tell: OnBadLine) -> None:
        self._tell = tell
        self._width = len(names)
        places = {name: place for place, name in enumerate(names)}
        units: dict[ReadingTopic, list[tuple[str, int, int | None]]] = defaultdict(list)
        for tag in names[1:]:
            if tag.endswith(QUALITY) and tag.removesuffix(QUALITY) in places:
                continue
            if tag in owners:
                units[owners[tag]].append((tag, places[tag], places.get(tag + QUALITY)))
            else:
                tell(line, f"column {tag!r}: no such signal is known")
        self._units = [
            (topic, columns[first : first + MAX_SIGNALS])
            for topic, columns in units.items()
            for first in range(0, len(columns), MAX_SIGNALS)
        ]

    def row(self, line: int, cells: Sequence[str]) -> Iterator[Found]:
        """Yield the messages of a row."""
        if len(cells) != self._width:
            self._tell(line, f"has {len(cells)} of {self._width} cells")
            return
        try:
            t_ms = time_of(cells[0])
        except ValueError as error:
            self._tell(line, f"t = {cells[0][:40]}: {error}")
            return
        for topic, columns in self._units:
            found = dict(self._readings(line, cells, columns))
            if found:
                values = {tag: value for tag, (value, _) in found.items()}
                yield Found(record_of(topic, t_ms, values, {tag: q for tag, (_, q) in found.items()}), line)

    def _readings(
        self, line: int, cells: Sequence[str], columns: Sequence[tuple[str, int, int | None]]
    ) -> Iterator[tuple[str, _Cell]]:
        for tag, place, place_q in columns:
            text, quality = cells[place], "" if place_q is None else cells[place_q]
            if not text and not quality:
                continue
            try:
                value = number_of(text) if text else None
            except ValueError as error:
                self._tell(line, f"{tag}: {error}")
                continue
            yield tag, (value, quality or (BAD_NULL if value is None else GOOD))
