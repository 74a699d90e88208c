"""Flux: questions as text with every name quoted, and answers out of InfluxDB's CSV."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
FAR_MS = 9_000_000_000_000
"""Year 2255: near the end of InfluxDB's nanoseconds; readings may be up to 24 h ahead of its own clock."""


def text(name: str) -> str:
    """Return a Flux string literal; `${` would begin an interpolation."""
    return '"' + name.translate(_ESCAPES).replace("${", r"\${") + '"'


def any_of(column: str, names: Iterable[str]) -> str:
    """Return the condition that a column has one of some values."""
    return "(" + " or ".join(f"r[{text(column)}] == {text(name)}" for name in names) + ")"


def source(bucket: str, start_ms: int = 0, end_ms: int = FAR_MS) -> str:
    """Return `from(..) |> range(..)`, [start, end)."""
    start = min(max(start_ms, 0), FAR_MS)
    end = min(max(end_ms, start + 1), FAR_MS + 1)
    return f"from(bucket: {text(bucket)}) |> range(start: {moment(start)}, stop: {moment(end)})"


def where(*conditions: str) -> str:
    """Return a filter by conditions on `r` that must all hold."""
    return f" |> filter(fn: (r) => {' and '.join(conditions)})"


def moment(t_ms: int) -> str:
    """Return a time."""
    return f"time(v: {t_ms * 1_000_000})"


def duration(ms: int) -> str:
    """Return a duration of at least 0 ms."""
    return f"{ms}ms"


class FluxError(Exception):
    """InfluxDB ended an answer with an error in its midst."""


def tables(lines: Iterable[str]) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Yield (header, its rows) of an answer in CSV without annotations; a new schema begins after an empty line.

    Rows must be taken before the next header is asked for.

    Raises:
        FluxError: The answer holds an error.
    """
    rows = iter(csv.reader(lines))
    header = next(rows, None)
    while header is not None:
        if "error" in header:
            reason = next(rows, ["", ""])
            raise FluxError(dict(zip(header, reason, strict=False)).get("error", "unknown"))
        if header:
            yield header, _until_empty(rows)
        header = next(rows, None)


def _until_empty(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for row in rows:
        if not row:
            return
        yield row


def records(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of an answer by column name."""
    for header, rows in tables(lines):
        for row in rows:
            yield dict(zip(header, row, strict=False))


def all_ms(stamps: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return epoch ms of many times as InfluxDB writes them; three times as quick as one by one."""
    return np.array([stamp[:-1] for stamp in stamps], "datetime64[ms]").astype(np.int64)


class Times:
    """RFC 3339 to epoch ms, quickly: neighbouring readings mostly share their second."""

    def __init__(self) -> None:
        self._second = ""
        self._second_ms = 0

    def ms(self, stamp: str) -> int:
        """Return epoch ms of a time as InfluxDB writes it (`2026-11-23T08:00:00.2Z`)."""
        if stamp[:19] != self._second:
            self._second = stamp[:19]
            self._second_ms = int(dt.datetime.fromisoformat(self._second + "+00:00").timestamp()) * 1000
        fraction = stamp[20:-1]
        return self._second_ms + int(fraction[:3].ljust(3, "0")) if fraction else self._second_ms
