"""From older layouts of the SQLite reading store to the present one."""

from __future__ import annotations

import logging
import sqlite3
import struct
from typing import Final

from station.adapters.sqlite_minutes import work_out_quarters
from station.adapters.sqlite_queries import Qualities
from station.adapters.sqlite_sealing import work_out_minutes

_LOG = logging.getLogger(__name__)
_VERSION_1: Final = 1
"""`head` had a row a message, of (unit, t), and no minutes were kept."""
_VERSION_2: Final = 2
"""No quarters of an hour were kept."""


def make_way(connection: sqlite3.Connection, found: int) -> None:
    """Put tables aside whose form changes, before those of the present layout are made."""
    if found == _VERSION_1:
        connection.execute("ALTER TABLE head RENAME TO head_1")


def upgrade(connection: sqlite3.Connection, found: int) -> None:
    """Bring what an older layout holds into the present one, whose tables are there."""
    if found == _VERSION_1:
        _LOG.info("upgrading the reading store: minutes are worked out once")
        rows = connection.execute("SELECT unit_id, t, body FROM head_1").fetchall()
        connection.executemany(
            "INSERT INTO head VALUES (?, ?, ?, 1, ?)",
            [(unit_id, t_ms, arrival, _row(t_ms, arrival, body)) for arrival, (unit_id, t_ms, body) in enumerate(rows)],
        )
        connection.execute("UPDATE arrivals SET count = ?", (len(rows),))
        connection.execute("DROP TABLE head_1")
        work_out_minutes(connection)
    if found == _VERSION_2:
        _LOG.info("upgrading the reading store: quarters of an hour are worked out once")
        work_out_quarters(connection, Qualities(connection).text)


def _row(t_ms: int, arrival: int, body: bytes) -> bytes:
    """Return a row of one message; the body was `u16 n, u32 id [n], f8 value [n]` and codes where not all were good."""
    count = body[0] | body[1] << 8
    names, rest = body[: 2 + 4 * count], body[2 + 4 * count :]
    return names + bytes([len(rest) > 8 * count]) + struct.pack("<qq", t_ms, arrival) + rest
