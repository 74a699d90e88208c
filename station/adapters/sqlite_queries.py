"""Questions to a SQLite reading store's file, each within one read transaction: blocks and newest messages as one."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from station.adapters.point_rules import message_from
from station.adapters.sqlite_blocks import (
    EMPTY,
    GOOD_CODE,
    NULL_CODE,
    SLOT_MS,
    Column,
    columns_of_bodies,
    decode_block,
    merge_columns,
)
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
        signal = np.repeat(np.arange(len(columns), dtype=np.int32), sizes)
        rank_all = np.repeat(np.array(ranks, np.int32), sizes)
        flat = Column(*(np.concatenate(parts) for parts in zip(*columns, strict=True))) if columns else EMPTY
        order = np.lexsort((signal, rank_all, flat.t_ms))
        self._rank: npt.NDArray[np.int32] = rank_all[order]
        self._signal: npt.NDArray[np.int32] = signal[order]
        self._flat = Column(flat.t_ms[order], flat.value[order], flat.code[order])
        for code in np.unique(self._flat.code).tolist():
            self._qualities.text(code)  # asked for now: the transaction is over when messages are made

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


def blocks_of(connection: sqlite3.Connection, signal_id: int, first_slot: int, last_slot: int) -> Iterator[Column]:
    """Yield the sealed hours of a signal, first_slot..last_slot, oldest first."""
    rows = connection.execute(
        "SELECT slot, body FROM blocks WHERE signal_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (signal_id, first_slot, last_slot),
    )
    for slot, body in rows:
        yield decode_block(body, slot)


def _head(connection: sqlite3.Connection, carrier: Carrier, start_ms: int, end_ms: int) -> Column:
    rows = connection.execute(
        "SELECT t, body FROM head WHERE unit_id = ? AND t >= ? AND t < ? ORDER BY t",
        (carrier.unit_id, start_ms, end_ms),
    )
    return columns_of_bodies(rows).get(carrier.signal_id, EMPTY)


def columns_of(
    connection: sqlite3.Connection, carriers: Sequence[Carrier], start_ms: int, end_ms: int
) -> Iterator[Column]:
    """Yield the readings of a signal in [start, end), oldest first, about an hour at a time."""
    if not carriers or end_ms <= start_ms:
        return
    fresh = merge_columns([_head(connection, carrier, start_ms, end_ms) for carrier in carriers])
    done_ms = start_ms
    slots = sorted({slot for c in carriers for slot in _block_slots(connection, c, start_ms, end_ms)})
    for slot in slots:
        until_ms = min(end_ms, (slot + 1) * SLOT_MS)
        sealed = [column for c in carriers for column in blocks_of(connection, c.signal_id, slot, slot)]
        parts = [*sealed, fresh.between(done_ms, until_ms)]
        yield merge_columns(parts).between(start_ms, until_ms)
        done_ms = until_ms
    yield fresh.between(done_ms, end_ms)


def _block_slots(connection: sqlite3.Connection, carrier: Carrier, start_ms: int, end_ms: int) -> list[int]:
    rows = connection.execute(
        "SELECT slot FROM blocks WHERE signal_id = ? AND slot BETWEEN ? AND ?",
        (carrier.signal_id, start_ms // SLOT_MS, (end_ms - 1) // SLOT_MS),
    )
    return [slot for (slot,) in rows]


def slots_of(connection: sqlite3.Connection, station: str, start_ms: int, end_ms: int) -> list[int]:
    """Return the hours of [start, end) in which a station may have messages."""
    first, last = start_ms // SLOT_MS, (end_ms - 1) // SLOT_MS
    rows = connection.execute(
        """SELECT DISTINCT b.slot FROM units u JOIN signals s ON s.unit_id = u.id JOIN blocks b ON b.signal_id = s.id
             AND b.slot BETWEEN :first AND :last WHERE u.station = :station
           UNION SELECT DISTINCT h.t / :slot_ms FROM units u JOIN head h ON h.unit_id = u.id
             AND h.t >= :start AND h.t < :end WHERE u.station = :station ORDER BY 1""",
        {"first": first, "last": last, "station": station, "slot_ms": SLOT_MS, "start": start_ms, "end": end_ms},
    )
    return [slot for (slot,) in rows]


def _unit_columns(connection: sqlite3.Connection, unit_id: int, slot: int) -> list[tuple[str, Column]]:
    """Return tag and readings of each signal of a unit that has some in one slot."""
    rows = connection.execute(
        "SELECT t, body FROM head WHERE unit_id = ? AND t >= ? AND t < ? ORDER BY t",
        (unit_id, slot * SLOT_MS, (slot + 1) * SLOT_MS),
    )
    fresh = columns_of_bodies(rows)
    found: list[tuple[str, Column]] = []
    for signal_id, tag in connection.execute("SELECT id, tag FROM signals WHERE unit_id = ? ORDER BY id", (unit_id,)):
        whole = merge_columns([*blocks_of(connection, signal_id, slot, slot), fresh.get(signal_id, EMPTY)])
        if len(whole.t_ms):
            found.append((tag, whole))
    return found
