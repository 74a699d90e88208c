"""Questions to a SQLite reading store's file, each within one read transaction: blocks and newest messages as one."""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from station.adapters.point_rules import message_from
from station.adapters.reading_tables import ReadingTable
from station.adapters.sqlite_blocks import (
    EMPTY,
    GOOD_CODE,
    NULL_CODE,
    SLOT_MS,
    Column,
    decode_block,
    merge_columns,
)
from station.adapters.sqlite_head import columns_of_head
from station.domain.signals import BAD_NULL, GOOD, UnitMessage


@dataclass(frozen=True, slots=True)
class Carrier:
    """A row of `signals` that a question is about."""

    signal_id: int
    unit_id: int


class Qualities:
    """Texts of quality codes, as of one read transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._texts = {GOOD_CODE: GOOD, NULL_CODE: BAD_NULL}

    def text(self, code: int) -> str:
        """Return the quality that a code stands for."""
        if code not in self._texts:
            self._texts[code] = str(one(self._connection, "SELECT text FROM qualities WHERE id = ?", (code,)))
        return self._texts[code]


class Hour:
    """One slot of a whole station, flat, in the order of (t, area, unit)."""

    def __init__(self, connection: sqlite3.Connection, station: str, slot: int) -> None:
        self._station = station
        self._qualities = Qualities(connection)
        units = connection.execute(
            "SELECT id, area, unit FROM units WHERE station = ? ORDER BY area, unit", (station,)
        ).fetchall()
        self._units: list[tuple[str, str]] = [(area, unit) for _, area, unit in units]
        self._tags: list[str] = []
        ranks: list[int] = []
        columns: list[Column] = []
        for rank, (unit_id, _, _) in enumerate(units):
            for tag, column in _unit_columns(connection, unit_id, slot):
                self._tags.append(tag)
                ranks.append(rank)
                columns.append(column)
        sizes = [len(column.t_ms) for column in columns]
        signal = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        rank_all = np.repeat(np.array(ranks, np.int32), sizes)
        flat = Column(*(np.concatenate(parts) for parts in zip(*columns, strict=True))) if columns else EMPTY
        columns.clear()  # some 20 MB of an hour
        order = np.lexsort((signal, rank_all, flat.t_ms))
        self._rank: npt.NDArray[np.int32] = rank_all[order]
        self._signal: npt.NDArray[np.int32] = signal[order]
        self._flat = Column(flat.t_ms[order], flat.value[order], flat.code[order])
        for code in np.unique(self._flat.code).tolist():
            self._qualities.text(code)  # asked for now: the transaction is over when messages are made

    def table(self, start_ms: int, end_ms: int) -> ReadingTable:
        """Return the readings in [start, end)."""
        low, high = np.searchsorted(self._flat.t_ms, (start_ms, end_ms)).tolist()
        t_ms, value, code = self._flat.at(slice(low, high))
        is_null = (code == NULL_CODE) | np.isnan(value)
        value = np.where(is_null, np.nan, value)
        codes, quality = np.unique(np.where(is_null & (code == GOOD_CODE), NULL_CODE, code), return_inverse=True)
        texts = [self._qualities.text(one) for one in codes.tolist()]
        rank, signal = self._rank[low:high], self._signal[low:high]
        return ReadingTable(t_ms, rank, signal, value, quality.astype(np.int32), self._units, self._tags, texts)

    def messages(self, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the messages in [start, end)."""
        low, high = np.searchsorted(self._flat.t_ms, (start_ms, end_ms)).tolist()
        t_ms, rank = self._flat.t_ms[low:high], self._rank[low:high]
        if low == high:
            return
        new = np.flatnonzero((np.diff(t_ms) != 0) | (np.diff(rank) != 0)) + 1
        starts = (np.concatenate(([0], new)) + low).tolist()
        ends = [*starts[1:], high]
        for first in range(0, len(starts), 8192):  # Python numbers of a part at a time: memory stays flat
            yield from self._part(starts[first : first + 8192], ends[first : first + 8192])

    def _part(self, starts: Sequence[int], ends: Sequence[int]) -> Iterator[UnitMessage]:
        base = starts[0]
        part = slice(base, ends[-1])
        values = self._flat.value[part].tolist()
        signals = self._signal[part].tolist()
        codes = self._flat.code[part]
        plain = not codes.any() and not np.isnan(self._flat.value[part]).any()
        code_list = [] if plain else codes.tolist()
        times, ranks = self._flat.t_ms[starts].tolist(), self._rank[starts].tolist()
        tags, station = self._tags, self._station
        for start, end, t_ms, rank in zip(starts, ends, times, ranks, strict=True):
            a, b = start - base, end - base
            numbers: dict[str, float | None] = dict(zip([tags[i] for i in signals[a:b]], values[a:b], strict=True))
            if plain:
                area, unit = self._units[rank]
                yield UnitMessage(station, area, unit, t_ms, numbers)
            else:
                yield self._with_quality(rank, t_ms, numbers, code_list[a:b])

    def _with_quality(
        self, rank: int, t_ms: int, numbers: dict[str, float | None], codes: Sequence[int]
    ) -> UnitMessage:
        quality: dict[str, str] = {}
        for (tag, value), code in zip(list(numbers.items()), codes, strict=True):
            if code == NULL_CODE or value is None or math.isnan(value):
                numbers[tag] = None
            if code != GOOD_CODE:
                quality[tag] = self._qualities.text(code)
        return message_from(self._station, self._units[rank], t_ms, numbers, quality)


def one(connection: sqlite3.Connection, query: str, parameters: Sequence[Any]) -> Any:
    """Return the only value of a query that has exactly one row."""
    return connection.execute(query, parameters).fetchone()[0]


def carriers_of(connection: sqlite3.Connection, station: str, signal: str) -> list[Carrier]:
    """Return who carries a signal: one unit as a rule, two after it moved."""
    rows = connection.execute(
        "SELECT s.id, s.unit_id FROM signals s JOIN units u ON u.id = s.unit_id WHERE s.tag = ? AND u.station = ?",
        (signal, station),
    )
    return [Carrier(*row) for row in rows]


def blocks_of(
    connection: sqlite3.Connection,
    signal_id: int,
    first_slot: int,
    last_slot: int,
    decode: Callable[[bytes, int], Column] = decode_block,
) -> Iterator[Column]:
    """Yield the sealed hours of a signal, first_slot..last_slot, oldest first."""
    rows = connection.execute(
        "SELECT slot, body FROM blocks WHERE signal_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (signal_id, first_slot, last_slot),
    )
    for slot, body in rows:
        yield decode(body, slot)


def head_of(
    connection: sqlite3.Connection, unit_id: int, start_ms: int, end_ms: int, only: AbstractSet[int] | None = None
) -> dict[int, Column]:
    """Return a unit's newest readings by signal id (`only` of some), those of the hours that [start, end) touches."""
    # No row lies across the end of an hour, so its first time is enough to find it.
    rows = connection.execute(
        "SELECT body FROM head WHERE unit_id = ? AND t_first >= ? AND t_first < ?",
        (unit_id, start_ms - start_ms % SLOT_MS, end_ms),
    )
    return columns_of_head((body for (body,) in rows), only)


class Newest:
    """Readings of [start, end) that are in no block yet: a unit's are unpacked once for all signals that are asked for.

    Args:
        connection: In a read transaction.
        carriers: Of all signals that will be asked for.
        start_ms: Epoch ms.
        end_ms: As `start_ms`, exclusive.
    """

    def __init__(self, connection: sqlite3.Connection, carriers: Sequence[Carrier], start_ms: int, end_ms: int) -> None:
        wanted: dict[int, set[int]] = defaultdict(set)
        for one in carriers:
            wanted[one.unit_id].add(one.signal_id)
        self._over = (start_ms, end_ms)
        self._of_unit = {unit: head_of(connection, unit, start_ms, end_ms, only) for unit, only in wanted.items()}

    def of(self, carriers: Sequence[Carrier]) -> Column:
        """Return those of one signal."""
        found = [self._of_unit[one.unit_id].get(one.signal_id, EMPTY) for one in carriers]
        return merge_columns(found).between(*self._over)


def slots_of(connection: sqlite3.Connection, station: str, start_ms: int, end_ms: int) -> list[int]:
    """Return the hours of [start, end) in which a station may have messages."""
    first, last = start_ms // SLOT_MS, (end_ms - 1) // SLOT_MS
    rows = connection.execute(
        """SELECT DISTINCT b.slot FROM units u JOIN signals s ON s.unit_id = u.id JOIN blocks b ON b.signal_id = s.id
             AND b.slot BETWEEN :first AND :last WHERE u.station = :station
           UNION SELECT DISTINCT h.t_first / :slot_ms FROM units u JOIN head h ON h.unit_id = u.id
             AND h.t_first >= :first * :slot_ms AND h.t_first < :end WHERE u.station = :station ORDER BY 1""",
        {"first": first, "last": last, "station": station, "slot_ms": SLOT_MS, "end": end_ms},
    )
    return [slot for (slot,) in rows]


def _unit_columns(connection: sqlite3.Connection, unit_id: int, slot: int) -> list[tuple[str, Column]]:
    """Return tag and readings of each signal of a unit that has some in one slot."""
    fresh = head_of(connection, unit_id, slot * SLOT_MS, (slot + 1) * SLOT_MS)
    found: list[tuple[str, Column]] = []
    for signal_id, tag in connection.execute("SELECT id, tag FROM signals WHERE unit_id = ? ORDER BY id", (unit_id,)):
        whole = merge_columns([*blocks_of(connection, signal_id, slot, slot), fresh.get(signal_id, EMPTY)])
        if len(whole.t_ms):
            found.append((tag, whole))
    return found
