"""Log files of messages (contract section 8): which format a file has, and writing and reading it in flat memory.

Written by suffix; read by looking, whatever the name. A line or row that cannot be read is named by its number and
costs only itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final, Literal

from station.adapters.foreign.log_map import LogMap
from station.adapters.foreign.reading import find_foreign
from station.adapters.foreign.table import OnRefused
from station.adapters.log_csv import is_row, names_columns, read_csv, write_csv
from station.adapters.log_lines import is_line, read_lines, write_lines
from station.adapters.log_ndjson import header_of, read_ndjson, write_ndjson
from station.adapters.log_order import in_time_order
from station.adapters.log_packing import PACKED, opened_to_read, opened_to_write, plain_lines
from station.adapters.log_parquet import MAGIC, parquet_header, parquet_rows, read_parquet, write_parquet
from station.adapters.log_records import (
    MAX_LINE_BYTES,
    Found,
    LogRecord,
    OnBadLine,
    Records,
    log_records,
    numbered_lines,
)
from station.adapters.log_wide import is_wide, read_wide
from station.domain.plant import Plant
from station.errors import BadInputError

__all__ = [
    "MAX_LINE_BYTES", "NULL", "PARQUET", "SUFFIXES", "LogFormat", "LogRecord", "OnBadLine", "check_suffix",
    "count_lines", "find_messages", "is_csv", "log_format", "log_records", "read_log", "read_log_header", "write_log",
]  # fmt: skip

NULL: Final = "null:"
"""A path of this name takes every message and keeps none: for measuring what makes them."""

PARQUET: Final = ".parquet"

_Write = Callable[[IO[bytes], Records, Mapping[str, object]], int]
LogFormat = Literal["ndjson", "csv", "csv wide", "lp", "parquet"]
_LOOKED_AT: Final = 100
"""Lines among which one must tell the format: the first ones may be damaged."""

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


def is_csv(path: Path) -> bool:
    """Return whether a path's suffix says csv, packed or not."""
    return _writer(path) is write_csv


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


def read_log(
    path: Path, on_bad: OnBadLine | None = None, *, plants: Sequence[Plant] = (), rules: LogMap | None = None
) -> Iterator[LogRecord]:
    """Yield the messages of a log in flat memory; header lines are passed over.

    Args:
        path: The log: ndjson, csv or line protocol, plain or packed, or long parquet; with `rules` any table of text.
        on_bad: Told of each line that is no message, and of each cell that is no reading.
        plants: Stations that are known; asked of a wide csv that does not say whose its signals are.
        rules: A mapping file's, for a log that is none of ours; its messages come in order of time.

    Raises:
        BadInputError: The file cannot be opened, or is of a kind that is not read here.
    """
    tell = on_bad or _pass_over
    found = find_messages(path, lambda line, _reason, text: tell(line, text), plants=plants, rules=rules)
    records = (one.record for one in found)
    yield from records if rules is None else in_time_order(records)


def find_messages(
    path: Path, refuse: OnRefused, *, plants: Sequence[Plant] = (), rules: LogMap | None = None
) -> Iterator[Found]:
    """Yield the messages of a log as `read_log` does, each with its lines, in the order of the file.

    Args:
        path: As of `read_log`.
        refuse: Told of (line, reason in one word, what is wrong).
        plants: As of `read_log`.
        rules: As of `read_log`.

    Raises:
        BadInputError: As of `read_log`.
    """

    def tell(line: int, text: str) -> None:
        refuse(line, "line", text)

    if rules is not None:
        yield from find_foreign(path, rules, refuse)
    elif _is_parquet(path):
        yield from read_parquet(path, tell)
    else:
        yield from _find_lines(path, tell, plants)


def _find_lines(path: Path, tell: OnBadLine, plants: Sequence[Plant]) -> Iterator[Found]:
    lines = numbered_lines(path, tell)
    first: list[tuple[int, bytes]] = []
    kind: LogFormat | None = None
    for numbered in lines:
        first.append(numbered)
        if not numbered[1].startswith(b"#"):
            kind = _format_of(numbered[1])
        if kind is not None or len(first) >= _LOOKED_AT:
            break
    said = chain(first, lines)
    match kind:
        case "ndjson":
            yield from read_ndjson(said, tell)
        case "csv":
            yield from read_csv(said, tell)
        case "csv wide":
            yield from read_wide(said, tell, plants)
        case "lp":
            yield from read_lines(said, tell)
        case _ if first:
            raise BadInputError(
                f"cannot read {path}: it is no log of ours; another's table needs a mapping file (--map): "
                "`jinma import FILE --map-draft` writes a first one"
            )


def count_lines(path: Path) -> int | None:
    """Return how many lines a log has, of parquet rows; None of a packed one, which one would have to unpack first.

    Raises:
        BadInputError: It cannot be opened.
    """
    if _is_parquet(path):
        return parquet_rows(path)
    return plain_lines(path)


def log_format(path: Path) -> LogFormat | None:
    """Return the format that a log of ours has, found by looking, None where it is none.

    Raises:
        BadInputError: The file cannot be opened.
    """
    if _is_parquet(path):
        return "parquet"
    looked_at = (line for _, line in islice(numbered_lines(path, _pass_over), _LOOKED_AT) if not line.startswith(b"#"))
    return next((kind for line in looked_at if (kind := _format_of(line)) is not None), None)


def _format_of(line: bytes) -> LogFormat | None:
    """Return the format that has such a line, None where none has: it may be a damaged one."""
    text = line.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        return "ndjson"
    cells = [cell.strip(' "') for cell in text.split(",")]
    if names_columns(cells) or is_row(cells):
        return "csv"
    if is_wide(cells):
        return "csv wide"
    return "lp" if is_line(text) else None


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
