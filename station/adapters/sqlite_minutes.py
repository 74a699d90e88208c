"""Minutes of signals in the SQLite reading store: one packed row a signal and six hours.

They are worked out of whole hours in the same transaction in which those are packed, so that late data puts them right
by itself; a trend over weeks reads them instead of the readings.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import ZIP_LEVEL, Unpacking, by_significance, shortest
from station.adapters.windowing import MINUTE_MS, Minutes, joined, strung

SPAN_MS: Final = 6 * 3_600_000
"""Of one row: packed again in 0.3 ms at each hour sealed; a month of one signal is 120 rows, read in some 15 ms."""

_UNPACKED: Final = 1500
"""Rows that stay unpacked, 30 KB each: a month of ten signals, which is what a page of trends asks for again."""
_HEAD = struct.Struct("<HBBBBB4q")  # count, flag: all good, scale index of each number, first of each number
_PUT = "INSERT OR REPLACE INTO minutes (signal_id, span, body) VALUES (?, ?, ?)"


def put_minutes(connection: sqlite3.Connection, signal_id: int, minutes: Minutes) -> None:
    """Keep minutes beside those that are there; see `joined` for the same minute twice."""
    spans = minutes.t_ms // SPAN_MS
    for span in np.unique(spans).tolist():
        row = connection.execute("SELECT body FROM minutes WHERE signal_id = ? AND span = ?", (signal_id, span))
        (body,) = row.fetchone() or (None,)
        new = minutes.at(spans == span)
        whole = new if body is None else joined(_unpacked(body, span), new)
        connection.execute(_PUT, (signal_id, span, _packed(whole, span)))


def minutes_kept(connection: sqlite3.Connection, signal_id: int, start_ms: int, end_ms: int) -> Minutes:
    """Return the minutes of a signal that begin in [start, end), as far as its hours were packed."""
    rows = connection.execute(
        "SELECT span, body FROM minutes WHERE signal_id = ? AND span BETWEEN ? AND ? ORDER BY span",
        (signal_id, start_ms // SPAN_MS, (end_ms - 1) // SPAN_MS),
    )
    whole = strung([_unpacked(body, span) for span, body in rows])
    low, high = np.searchsorted(whole.t_ms, (start_ms, end_ms)).tolist()
    return whole.at(slice(low, high))


def forget_minutes(connection: sqlite3.Connection, t_ms: int) -> None:
    """Delete minutes that begin before `t_ms`, but for those whose readings are still there."""
    oldest = connection.execute("SELECT min(t_first) FROM blocks WHERE slot = (SELECT min(slot) FROM blocks)")
    (kept_ms,) = oldest.fetchone()
    if kept_ms is not None:
        t_ms = min(t_ms, kept_ms - kept_ms % MINUTE_MS)
    span = t_ms // SPAN_MS
    connection.execute("DELETE FROM minutes WHERE span < ?", (span,))
    rows = connection.execute("SELECT signal_id, body FROM minutes WHERE span = ?", (span,)).fetchall()
    for signal_id, body in rows:
        whole = _unpacked(body, span)
        rest = whole.at(whole.t_ms >= t_ms)
        if len(rest.t_ms):
            connection.execute(_PUT, (signal_id, span, _packed(rest, span)))
        else:
            connection.execute("DELETE FROM minutes WHERE signal_id = ? AND span = ?", (signal_id, span))


def _packed(minutes: Minutes, span: int) -> bytes:
    place = (minutes.t_ms - span * SPAN_MS) // MINUTE_MS
    is_empty = minutes.counted == 0
    numbers = [
        shortest(np.where(is_empty, 0.0, part) if is_empty.any() else part)
        for part in (minutes.total, minutes.low, minutes.high, minutes.last)
    ]
    all_good = not (minutes.bad.any() or minutes.code.any())
    parts: list[npt.NDArray[Any]] = [np.diff(place, prepend=0).astype(np.uint16), minutes.counted.astype(np.uint32)]
    if not all_good:
        parts += [minutes.bad.astype(np.uint32), minutes.code.astype(np.uint32)]
    parts += [steps for _, _, steps in numbers]
    head = _HEAD.pack(len(place), all_good, *(scale for scale, _, _ in numbers), *(first for _, first, _ in numbers))
    return head + zlib.compress(b"".join(map(by_significance, parts)), ZIP_LEVEL)


@lru_cache(maxsize=_UNPACKED)
def _unpacked(body: bytes, span: int) -> Minutes:
    """Return the minutes of a row; what was asked for before is at hand, as long as the row is the same."""
    size, all_good, *rest = _HEAD.unpack_from(body)
    unpack = Unpacking(zlib.decompress(body[_HEAD.size :]), size)
    place = np.cumsum(unpack.array(np.uint16), dtype=np.int64)
    count = unpack.array(np.uint32).astype(np.int64)
    bad = np.zeros(size, np.int64) if all_good else unpack.array(np.uint32).astype(np.int64)
    code = np.zeros(size, np.uint32) if all_good else unpack.array(np.uint32)
    total, low, high, last = (unpack.numbers(scale, first) for scale, first in zip(rest[:4], rest[4:], strict=True))
    if not all_good:
        is_empty = count == 0
        low, high, last = (np.where(is_empty, np.nan, part) for part in (low, high, last))
    return Minutes(span * SPAN_MS + place * MINUTE_MS, count, bad, total, low, high, last, code)
