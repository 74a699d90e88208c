"""The messages of a log in order of time, in flat memory: sorted runs on disk, merged."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO, Final

import msgspec

from station.adapters.log_ndjson import read_ndjson, write_ndjson
from station.adapters.log_records import LogRecord

RUN: Final = 100_000
"""Messages sorted in memory at a time: some 50 MB."""


class _Timed(msgspec.Struct):
    t: int


_decode_time: Final = msgspec.json.Decoder(_Timed).decode


def in_time_order(records: Iterable[LogRecord], run: int = RUN) -> Iterator[LogRecord]:
    """Yield readings by their time; of the same time, in the order in which they came.

    Args:
        records: Readings of a log whose rows may stand in any order (all of one tag, then all of the next).
        run: Messages sorted at a time; a log of no more is never put on disk.
    """
    source = iter(records)
    last = _sorted(source, run)
    with ExitStack() as files:
        parts: list[Iterator[LogRecord]] = []
        while following := _sorted(source, run):
            file = files.enter_context(tempfile.TemporaryFile())
            write_ndjson(file, last, {})
            parts.append(_told(file))
            last = following
        yield from heapq.merge(*parts, last, key=_time)


def _time(record: LogRecord) -> int:
    return _decode_time(record.payload).t


def _sorted(source: Iterator[LogRecord], run: int) -> list[LogRecord]:
    return sorted(islice(source, run), key=_time)


def _told(file: IO[bytes]) -> Iterator[LogRecord]:
    file.seek(0)
    for found in read_ndjson(enumerate(file, 1), _pass_over):
        yield found.record


def _pass_over(_line: int, _text: str) -> None:
    """Say nothing: the lines are our own."""
