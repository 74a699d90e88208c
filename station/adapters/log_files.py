"""Log files of messages (contract section 8): which format a file has, and writing and reading it in flat memory.

Written by suffix; read by looking, whatever the name. A line or row that cannot be read is named by its number and
costs only itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Final

from station.adapters.log_csv import read_csv, write_csv
from station.adapters.log_lines import read_lines, write_lines
from station.adapters.log_ndjson import header_of, read_ndjson, write_ndjson
from station.adapters.log_packing import PACKED, opened_to_read, opened_to_write
from station.adapters.log_parquet import MAGIC, parquet_header, read_parquet, write_parquet
from station.adapters.log_records import (
    MAX_LINE_BYTES,
    LogRecord,
    OnBadLine,
    Records,
    log_records,
    numbered_lines,
)
from station.errors import BadInputError

__all__ = [
    "MAX_LINE_BYTES", "NULL", "PARQUET", "SUFFIXES", "LogRecord", "OnBadLine", "check_suffix", "log_records",
    "read_log", "read_log_header", "write_log",
]  # fmt: skip

NULL: Final = "null:"
"""A path of this name takes every message and keeps none: for measuring what makes them."""

PARQUET: Final = ".parquet"

_Write = Callable[[IO[bytes], Records, Mapping[str, object]], int]
_Lines = Iterable[tuple[int, bytes]]

_TEXTS: Final[dict[str, _Write]] = {".ndjson": write_ndjson, ".csv": write_csv, ".lp": write_lines}
_WRITERS: Final[dict[str, _Write]] = {
    **{text + packed: write for text, write in _TEXTS.items() for packed in ("", *PACKED)},
    PARQUET: write_parquet,
}
SUFFIXES: Final = tuple(_WRITERS)
"""What a log may end in; all but parquet may be packed."""


def check_suffix(path: Path) -> None:
    """Refuse a path that tells no format, before work is done for it.

    Raises:
        BadInputError: Naming what it may end in.
    """
    _writer(path)


def _writer(path: Path) -> _Write:
    found = [suffix for suffix in _WRITERS if path.name.endswith(suffix)]
    if not found:
        raise BadInputError(
            f"--output {path}: must end in {', '.join(_TEXTS)} (packed with {' or '.join(PACKED)} too) or .parquet"
        )
    return _WRITERS[max(found, key=len)]


def write_log(path: Path, records: Records, header: Mapping[str, object]) -> int:
    """Write a log as the records come, in flat memory.

    Args:
        path: Where to; its suffix tells the format. The same records make the same bytes.
        records: (topic, payload) or `LogRecord`, in the order sent. The long forms hold the readings of them alone.
        header: What made the log: version, station, seed or range; never the wall time.

    Returns:
        How many messages came.

    Raises:
        BadInputError: The file cannot be opened, or its suffix tells no format.
        FinalError: Writing failed midway (disk full).
    """
    if path.name == NULL:
        return sum(1 for _ in records)
    write = _writer(path)
    with opened_to_write(path) as file:
        return write(file, records, header)


def read_log(path: Path, on_bad: OnBadLine | None = None) -> Iterator[LogRecord]:
    """Yield the messages of a log in flat memory; header lines are passed over.

    Args:
        path: The log: ndjson, long csv or line protocol, plain or packed, or long parquet.
        on_bad: Told of each line that is no message.

    Raises:
        BadInputError: The file cannot be opened, or is of a kind that is not read here.
    """
    tell = on_bad or _pass_over
    if _is_parquet(path):
        yield from read_parquet(path, tell)
        return
    lines = numbered_lines(path, tell)
    first: list[tuple[int, bytes]] = []
    for numbered in lines:
        first.append(numbered)
        if not numbered[1].startswith(b"#"):
            break
    if first:
        yield from _reader(path, first[-1][1])(chain(first, lines), tell)


def _reader(path: Path, line: bytes) -> Callable[[_Lines, OnBadLine], Iterator[LogRecord]]:
    """Return what reads a text that begins with this line, comments aside."""
    begin = line.lstrip()
    columns = [cell.strip(b' "') for cell in begin.strip().split(b",")]
    if columns[0] == b"t":
        if {b"station", b"area", b"unit", b"signal", b"value"} <= set(columns):
            return read_csv
        raise BadInputError(f"cannot read {path}: a csv log must have the columns t,station,area,unit,signal,value")
    if begin.startswith(b"{") or b" " not in begin or b"=" not in begin:
        return read_ndjson
    return read_lines


def read_log_header(path: Path) -> dict[str, object] | None:
    """Return what made a log, None where it does not say.

    Raises:
        BadInputError: The file cannot be opened, or is of a kind that is not read here.
    """
    if _is_parquet(path):
        return parquet_header(path)
    for _, line in numbered_lines(path, _pass_over):
        if line.startswith(b"#"):
            return _said(line.removeprefix(b"#"))
        return header_of(line)
    return None


def _said(text: bytes) -> dict[str, object] | None:
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _is_parquet(path: Path) -> bool:
    with opened_to_read(path) as file:
        try:
            return file.read(len(MAGIC)) == MAGIC
        except OSError:
            return False  # damaged in its packing: told where its lines are read


def _pass_over(_number: int, _text: str) -> None:
    """Say nothing of a bad line."""
