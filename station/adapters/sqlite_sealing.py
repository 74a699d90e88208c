"""What happens to readings in the SQLite store as they age: packed into blocks, minutes and quarters, and forgotten."""

from __future__ import annotations

import json
import sqlite3

import numpy as np

from station.adapters.sqlite_blocks import SLOT_MS, Column, decode_block, encode_block, merge_columns
from station.adapters.sqlite_head import columns_of_head
from station.adapters.sqlite_minutes import put_minutes
from station.adapters.sqlite_queries import Qualities, blocks_of
from station.adapters.windowing import TextOf, minutes_of

_PUT_BLOCK = "INSERT OR REPLACE INTO blocks (signal_id, slot, t_first, t_last, body) VALUES (?, ?, ?, ?, ?)"
_SLOTS_AT_ONCE = 24


def seal(connection: sqlite3.Connection, unit_id: int) -> None:
    """Move a unit's messages from `head` into `blocks`, and work out the minutes of the hours that they touch."""
    text_of = Qualities(connection).text
    rows = connection.execute("SELECT body FROM head WHERE unit_id = ?", (unit_id,)).fetchall()
    for signal_id, column in columns_of_head(body for (body,) in rows).items():
        hours: list[Column] = []
        for slot in np.unique(column.t_ms // SLOT_MS).tolist():
            part = column.between(slot * SLOT_MS, (slot + 1) * SLOT_MS)
            whole = merge_columns([*blocks_of(connection, signal_id, slot, slot), part])
            _put_block(connection, signal_id, slot, whole)
            hours.append(whole)
        put_minutes(connection, signal_id, minutes_of(merge_columns(hours), text_of), text_of)
    connection.execute("DELETE FROM head WHERE unit_id = ?", (unit_id,))


def _put_block(connection: sqlite3.Connection, signal_id: int, slot: int, column: Column) -> None:
    first, last = int(column.t_ms[0]), int(column.t_ms[-1])
    connection.execute(_PUT_BLOCK, (signal_id, slot, first, last, encode_block(column, slot)))


def forget_before(connection: sqlite3.Connection, t_ms: int) -> None:
    """Delete readings and service points older than `t_ms`; an hour that lies across it is cut."""
    old = connection.execute("SELECT DISTINCT unit_id FROM head WHERE t_first < ?", (t_ms,)).fetchall()
    for (unit_id,) in old:  # their minutes stay
        seal(connection, unit_id)
    slot = t_ms // SLOT_MS
    connection.execute("DELETE FROM blocks WHERE slot < ?", (slot,))
    rows = connection.execute("SELECT signal_id, body FROM blocks WHERE slot = ?", (slot,)).fetchall()
    for signal_id, body in rows:
        rest = decode_block(body, slot).between(t_ms, (slot + 1) * SLOT_MS)
        if len(rest.t_ms):
            _put_block(connection, signal_id, slot, rest)
        else:
            connection.execute("DELETE FROM blocks WHERE signal_id = ? AND slot = ?", (signal_id, slot))
    connection.execute("DELETE FROM latest WHERE t < ?", (t_ms,))
    connection.execute("DELETE FROM points WHERE t < ?", (t_ms,))


def forget_station(connection: sqlite3.Connection, station: str) -> None:
    """Delete everything of a station but the names of its units and signals: somebody may hold their ids."""
    units = connection.execute("SELECT id FROM units WHERE station = ?", (station,)).fetchall()
    of = "SELECT s.id FROM signals s JOIN units u ON u.id = s.unit_id WHERE u.station = ?"
    signals = connection.execute(of, (station,)).fetchall()
    connection.executemany("DELETE FROM head WHERE unit_id = ?", units)
    connection.executemany("DELETE FROM blocks WHERE signal_id = ?", signals)
    connection.executemany("DELETE FROM minutes WHERE signal_id = ?", signals)
    connection.executemany("DELETE FROM quarters WHERE signal_id = ?", signals)
    connection.executemany("DELETE FROM latest WHERE signal_id = ?", signals)
    pair = json.dumps(["station", station], ensure_ascii=False)
    connection.execute("DELETE FROM points WHERE instr(tags, ?)", (pair,))


def work_out_minutes(connection: sqlite3.Connection) -> None:
    """Work out the minutes of every block, for a file that was made before minutes were kept."""
    text_of: TextOf = Qualities(connection).text
    for (signal_id,) in connection.execute("SELECT DISTINCT signal_id FROM blocks").fetchall():
        slots = [slot for (slot,) in connection.execute("SELECT slot FROM blocks WHERE signal_id = ?", (signal_id,))]
        for first in range(min(slots), max(slots) + 1, _SLOTS_AT_ONCE):
            hours = list(blocks_of(connection, signal_id, first, first + _SLOTS_AT_ONCE - 1))
            put_minutes(connection, signal_id, minutes_of(merge_columns(hours), text_of), text_of)
