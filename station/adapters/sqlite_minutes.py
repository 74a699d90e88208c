"""What is kept of signals for longer than readings are, in the SQLite store: minutes, and quarters of an hour of them.

They are worked out of whole hours in the same transaction in which those are packed, so that late data puts them right
by itself. A day is drawn from minutes, a month from quarters: a tenth of the rows, a fifteenth of the numbers.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import ZIP_LEVEL, Unpacking, by_significance, shortest
from station.adapters.windowing import MINUTE_MS, NO_MINUTES, Minutes, TextOf, coarser, joined, replaced, strung

_UNPACKED: Final = 1500
"""Rows that stay unpacked, 20 KB each: a month of ten signals by the minute, years of them by the quarter."""
_HEAD = struct.Struct("<HBBBBB4q")  # count, flag: all good, scale index of each number, first of each number


class Level(NamedTuple):
    """A width of what is kept.

    Attributes:
        table: One packed row a signal and span.
        step_ms: What one place of a row stands for.
        span_ms: Of a row.
    """

    table: str
    step_ms: int
    span_ms: int

    def sql(self, statement: str) -> str:
        """Return a statement about this level's table."""
        return statement.replace("{table}", self.table)


MINUTES: Final = Level("minutes", MINUTE_MS, 6 * 3_600_000)
"""A row is packed again in 0.3 ms at each hour sealed; a day of one signal is five."""
QUARTERS: Final = Level("quarters", 15 * MINUTE_MS, 4 * 86_400_000)
"""Of an hour: every zone's offset is whole quarters, so that local hours and days are made of them. A month is nine."""


def put_minutes(connection: sqlite3.Connection, signal_id: int, minutes: Minutes, text_of: TextOf) -> None:
    """Keep minutes beside those that are there, and the quarters they are in; of the same minute twice see `joined`."""
    quarters: list[Minutes] = []
    spans = minutes.t_ms // MINUTES.span_ms
    for span in np.unique(spans).tolist():
        new = minutes.at(spans == span)
        whole = joined(_row_of(connection, MINUTES, signal_id, span), new)
        _put(connection, MINUTES, signal_id, span, whole)
        touched = np.isin(whole.t_ms // QUARTERS.step_ms, new.t_ms // QUARTERS.step_ms)
        quarters.append(coarser(whole.at(touched), text_of, QUARTERS.step_ms))
    put_quarters(connection, signal_id, strung(quarters))


def put_quarters(connection: sqlite3.Connection, signal_id: int, quarters: Minutes) -> None:
    """Keep quarters of an hour; they take the place of the same ones that are there."""
    spans = quarters.t_ms // QUARTERS.span_ms
    for span in np.unique(spans).tolist():
        new = quarters.at(spans == span)
        _put(connection, QUARTERS, signal_id, span, replaced(_row_of(connection, QUARTERS, signal_id, span), new))


def kept_between(connection: sqlite3.Connection, level: Level, signal_id: int, start_ms: int, end_ms: int) -> Minutes:
    """Return what is kept of a signal and begins in [start, end), as far as its hours were packed."""
    rows = connection.execute(
        level.sql("SELECT span, body FROM {table} WHERE signal_id = ? AND span BETWEEN ? AND ? ORDER BY span"),
        (signal_id, start_ms // level.span_ms, (end_ms - 1) // level.span_ms),
    )
    whole = strung([_unpacked(level, body, span) for span, body in rows])
    low, high = np.searchsorted(whole.t_ms, (start_ms, end_ms)).tolist()
    return whole.at(slice(low, high))


def forget_minutes(connection: sqlite3.Connection, t_ms: int, text_of: TextOf) -> None:
    """Delete minutes that begin before `t_ms` and their quarters, but for those whose readings are still there."""
    oldest = connection.execute("SELECT min(t_first) FROM blocks WHERE slot = (SELECT min(slot) FROM blocks)")
    (kept_ms,) = oldest.fetchone()
    if kept_ms is not None:
        t_ms = min(t_ms, kept_ms - kept_ms % MINUTE_MS)
    left = _cut(connection, MINUTES, t_ms)
    whole_ms = -(-t_ms // QUARTERS.step_ms) * QUARTERS.step_ms
    _cut(connection, QUARTERS, whole_ms)
    for signal_id in left:  # of the quarter that is cut the rest stays
        rest = kept_between(connection, MINUTES, signal_id, t_ms, whole_ms)
        put_quarters(connection, signal_id, coarser(rest, text_of, QUARTERS.step_ms))


def _cut(connection: sqlite3.Connection, level: Level, t_ms: int) -> Sequence[int]:
    """Delete what begins before `t_ms`; return the signals of which some of the row that lies across it stayed."""
    span = t_ms // level.span_ms
    connection.execute(level.sql("DELETE FROM {table} WHERE span < ?"), (span,))
    rows = connection.execute(level.sql("SELECT signal_id, body FROM {table} WHERE span = ?"), (span,)).fetchall()
    left: list[int] = []
    for signal_id, body in rows:
        whole = _unpacked(level, body, span)
        rest = whole.at(whole.t_ms >= t_ms)
        if len(rest.t_ms):
            _put(connection, level, signal_id, span, rest)
            left.append(signal_id)
        else:
            connection.execute(level.sql("DELETE FROM {table} WHERE signal_id = ? AND span = ?"), (signal_id, span))
    return left


def work_out_quarters(connection: sqlite3.Connection, text_of: TextOf) -> None:
    """Work out the quarters of all minutes, for a file that was made before they were kept."""
    spans = connection.execute(
        "SELECT DISTINCT signal_id, span / ? FROM minutes", (QUARTERS.span_ms // MINUTES.span_ms,)
    ).fetchall()
    for signal_id, span in spans:
        begin_ms = span * QUARTERS.span_ms
        minutes = kept_between(connection, MINUTES, signal_id, begin_ms, begin_ms + QUARTERS.span_ms)
        put_quarters(connection, signal_id, coarser(minutes, text_of, QUARTERS.step_ms))


def _row_of(connection: sqlite3.Connection, level: Level, signal_id: int, span: int) -> Minutes:
    row = connection.execute(level.sql("SELECT body FROM {table} WHERE signal_id = ? AND span = ?"), (signal_id, span))
    (body,) = row.fetchone() or (None,)
    return NO_MINUTES if body is None else _unpacked(level, body, span)


def _put(connection: sqlite3.Connection, level: Level, signal_id: int, span: int, whole: Minutes) -> None:
    statement = level.sql("INSERT OR REPLACE INTO {table} (signal_id, span, body) VALUES (?, ?, ?)")
    connection.execute(statement, (signal_id, span, _packed(level, whole, span)))


def _packed(level: Level, kept: Minutes, span: int) -> bytes:
    place = (kept.t_ms - span * level.span_ms) // level.step_ms
    is_empty = kept.counted == 0
    numbers = [
        shortest(np.where(is_empty, 0.0, part) if is_empty.any() else part)
        for part in (kept.total, kept.low, kept.high, kept.last)
    ]
    all_good = not (kept.bad.any() or kept.code.any())
    parts: list[npt.NDArray[Any]] = [np.diff(place, prepend=0).astype(np.uint16), kept.counted.astype(np.uint32)]
    if not all_good:
        parts += [kept.bad.astype(np.uint32), kept.code.astype(np.uint32)]
    parts += [steps for _, _, steps in numbers]
    head = _HEAD.pack(len(place), all_good, *(scale for scale, _, _ in numbers), *(first for _, first, _ in numbers))
    return head + zlib.compress(b"".join(map(by_significance, parts)), ZIP_LEVEL)


@lru_cache(maxsize=_UNPACKED)
def _unpacked(level: Level, body: bytes, span: int) -> Minutes:
    """Return what a row holds; what was asked for before is at hand, as long as the row is the same."""
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
    return Minutes(span * level.span_ms + place * level.step_ms, count, bad, total, low, high, last, code)
