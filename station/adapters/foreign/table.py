"""The table in other people's text: its encoding, separator and header by looking, and its rows by line."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from station.adapters.foreign.log_map import SEPARATORS, LogMap, folded
from station.adapters.log_packing import CANNOT_UNPACK, opened_to_read
from station.adapters.log_records import MAX_LINE_BYTES
from station.domain.toml_reader import nearest
from station.errors import BadInputError

OnRefused = Callable[[int, str, str], None]
"""Told (line number from 1, reason in one word, what is wrong with it)."""

ENCODINGS: Final = ("utf-8", "gb18030", "cp1252")
"""Tried in this order where no mark tells: GB18030 takes nearly any bytes, so the names of columns must decide."""
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_WORKBOOK: Final = b"PK\x03\x04"
_SAMPLE_BYTES: Final = 256 * 1024
_HEADER_WITHIN: Final = 100
"""Lines in which the names of columns must come; historians put a page of words before them."""
_QUOTE_LINES: Final = 50
"""Lines that one quoted cell may go over: a long remark; an open quote of damage costs only its own line."""


class Row(NamedTuple):
    """A row and the line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written.

    Attributes:
        encoding, separator: As Python names them.
        header_line: On which the names stand, 0 without.
        names: Of the columns, in order.
    """

    encoding: str
    separator: str
    header_line: int
    names: list[str]

    def places(self, wanted: Sequence[str]) -> dict[str, int]:
        """Return where some columns stand, those that do by their name as it was asked for."""
        found: dict[str, int] = {}
        for place, name in enumerate(self.names):
            found.setdefault(folded(name), place)
        return {name: found[folded(name)] for name in wanted if folded(name) in found}


def sample_of(path: Path) -> bytes:
    """Return the first bytes of a text, unpacked.

    Raises:
        BadInputError: It cannot be opened, or is a workbook.
    """
    with opened_to_read(path) as file:
        try:
            sample = file.read(_SAMPLE_BYTES)
        except CANNOT_UNPACK as error:
            raise BadInputError(f"cannot read {path}: {error}") from error
    if sample.startswith(_WORKBOOK):
        raise BadInputError(f"cannot read {path}: it is a workbook or an archive; save the sheet as csv")
    return sample


def marked_encoding(sample: bytes) -> str | None:
    """Return the encoding that a byte order mark tells, None without one."""
    return next((name for mark, name in _MARKS if sample.startswith(mark)), None)


def layout_of(path: Path, rules: LogMap) -> Layout:
    """Return how a log is written: the first way of reading it in which every column that is asked for is there.

    Raises:
        BadInputError: There is none; what is missing is named.
    """
    sample = sample_of(path)
    marked = marked_encoding(sample)
    encodings = [marked] if marked else [rules.encoding] if rules.encoding else list(ENCODINGS)
    separators = [rules.separator] if rules.separator else list(SEPARATORS.values())
    best: Layout | None = None
    most = -1
    for encoding in encodings:
        lines = sample.decode(encoding, "replace").split("\n")[:_HEADER_WITHIN]
        for separator in separators:
            found = _most_named(encoding, separator, lines, rules)
            count = len(found.places(rules.needed))
            if count == len(set(rules.needed)):
                _refuse_twins(path, found, rules)
                return found
            if count > most:
                best, most = found, count
    assert best is not None
    raise BadInputError(_missing(path, best, rules))


def _most_named(encoding: str, separator: str, lines: Sequence[str], rules: LogMap) -> Layout:
    if not rules.has_header:
        width = max((len(split_line(line, separator)) for line in lines[:-1] or lines), default=0)
        return Layout(encoding, separator, 0, [str(place) for place in range(1, width + 1)])
    found = [
        Layout(encoding, separator, number, split_line(line, separator)) for number, line in enumerate(lines, 1)
    ] or [Layout(encoding, separator, 1, [])]
    return max(found, key=lambda layout: len(layout.places(rules.needed)))


def _missing(path: Path, best: Layout, rules: LogMap) -> str:
    places = best.places(rules.needed)
    missing = [name for name in dict.fromkeys(rules.needed) if name not in places]
    hints = nearest(missing[0], best.names) if len(missing) == 1 else ""
    shown = ", ".join(repr(name) for name in missing[:5]) + (
        f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    )
    where = f"line {best.header_line} has {', '.join(best.names)[:300]}" if places else "no line names any of them"
    return f"cannot read {path} with this mapping: it has no column {shown}; {where}{hints}"


def _refuse_twins(path: Path, layout: Layout, rules: LogMap) -> None:
    names = [folded(name) for name in layout.names]
    for name in rules.needed:
        places = [place for place, own in enumerate(names, 1) if own == folded(name)]
        if len(places) > 1:
            raise BadInputError(f"cannot read {path}: columns {places} are all called {name!r}; rename all but one")


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of a line, blanks about them gone; none of one that is no row."""
    try:
        return [cell.strip() for cell in next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])]
    except csv.Error:  # a cell of more than 128 KiB
        return []


def rows(path: Path, layout: Layout, refuse: OnRefused) -> Iterator[Row]:
    """Yield the rows behind the header, blank ones and repeated headers left out; what is no row is refused by line."""
    with opened_to_read(path) as file:
        lines = _Lines(file, layout.encoding, refuse)
        while (numbered := lines.next()) is not None:
            number, text = numbered
            if number <= layout.header_line:
                continue
            cells = _cells(lines, text, layout)
            if cells is None:
                refuse(number, "row", "has a quote that does not end, or text behind one")
            elif any(cells) and cells != layout.names:
                yield Row(number, cells)


def _cells(lines: _Lines, text: str, layout: Layout) -> list[str] | None:
    """Return the cells of the row that begins with a line, None where a quote spoils it."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(layout.separator)]
    joined = text
    taken: list[tuple[int, str]] = []
    while (cells := _strictly(joined, layout.separator)) is None:
        more = lines.next() if len(taken) < _QUOTE_LINES else None
        if more is None or joined.count('"') % 2 == 0:
            lines.put_back([*taken, more] if more is not None else taken)
            return None
        taken.append(more)
        joined = f"{joined}\n{more[1]}"
    if taken and len(cells) != len(layout.names):
        lines.put_back(taken)  # two damaged lines, whose quotes happen to make a pair
        return None
    return [cell.strip() for cell in cells]


def _strictly(text: str, separator: str) -> list[str] | None:
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


class _Lines:
    """Numbered lines of a text that can be put back; bytes that are none of its encoding become U+FFFD."""

    def __init__(self, file: IO[bytes], encoding: str, refuse: OnRefused) -> None:
        # Only \n ends a line here: \r is cut off, and within a quoted cell it is a blank.
        self._file = io.TextIOWrapper(cast("io.BufferedReader", file), encoding, "replace", newline="\n")
        self._refuse = refuse
        self._number = 0
        self._waiting: deque[tuple[int, str]] = deque()

    def next(self) -> tuple[int, str] | None:
        """Return the next line that is not blank, None at the end."""
        if self._waiting:
            return self._waiting.popleft()
        try:
            while line := self._file.readline(MAX_LINE_BYTES + 1):
                self._number += 1
                if len(line) > MAX_LINE_BYTES:
                    self._refuse(self._number, "row", f"is over {MAX_LINE_BYTES} characters long")
                    while line and not line.endswith("\n"):
                        line = self._file.readline(MAX_LINE_BYTES)
                elif line.strip():
                    return self._number, line.rstrip("\r\n")
        except CANNOT_UNPACK as error:
            self._refuse(self._number + 1, "row", f"and all after it cannot be unpacked: {error}")
        return None

    def put_back(self, lines: Sequence[tuple[int, str]]) -> None:
        """Give back lines that were taken, in their order."""
        self._waiting.extendleft(reversed(lines))
