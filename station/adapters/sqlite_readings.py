"""The reading store in one SQLite file.

Layout, and why: a row a message takes writes as fast as they come, but a day of one signal would read every message of
its unit; a row a value reads well, but takes 24 bytes and falls to half its speed by ten million rows. So both, one
after the other: `head` holds the newest messages of each unit, a row each; when a unit has `SEAL_ROWS` of them they
are moved, in the same transaction as the write that reached it, into `blocks`, one compressed row a signal and hour.
A query merges the two, head over blocks, which also makes late data and second arrivals right without a special case.
`latest` holds the newest reading of each signal, so that a page of 303 of them costs one look.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from station.adapters.point_rules import (
    merged,
    name_refusal,
    number_refusal,
    storable_fields,
    time_refusal,
    visible,
)
from station.adapters.sqlite_blocks import (
    GOOD_CODE,
    NULL_CODE,
    SLOT_MS,
    Column,
    body_prefix,
    columns_of_bodies,
    decode_block,
    encode_block,
    merge_bodies,
    merge_columns,
)
from station.adapters.sqlite_file import SqliteFile
from station.adapters.sqlite_queries import Hour, Qualities, blocks_of, carriers_of, columns_of, one, slots_of
from station.adapters.windowing import windows_of
from station.domain.signals import Reading, UnitMessage
from station.errors import PointsRefusedError
from station.ports import Aggregate, ServicePoint, Window

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS units (
    id INTEGER PRIMARY KEY, station TEXT NOT NULL, area TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (station, area, unit));
CREATE TABLE IF NOT EXISTS signals (
    id INTEGER PRIMARY KEY, unit_id INTEGER NOT NULL, tag TEXT NOT NULL, UNIQUE (unit_id, tag));
CREATE INDEX IF NOT EXISTS signals_by_tag ON signals (tag);
CREATE TABLE IF NOT EXISTS qualities (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
INSERT OR IGNORE INTO qualities VALUES (0, 'good'), (1, 'bad:null');
CREATE TABLE IF NOT EXISTS head (
    unit_id INTEGER NOT NULL, t INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (unit_id, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    signal_id INTEGER NOT NULL, slot INTEGER NOT NULL, t_first INTEGER NOT NULL, t_last INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (signal_id, slot));
CREATE INDEX IF NOT EXISTS blocks_by_slot ON blocks (slot, signal_id, t_first, t_last);
CREATE TABLE IF NOT EXISTS latest (
    signal_id INTEGER PRIMARY KEY, t INTEGER NOT NULL, value REAL, code INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS points (
    measurement TEXT NOT NULL, t INTEGER NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (measurement, t, tags)) WITHOUT ROWID;
"""

SEAL_ROWS = 4096
"""Messages of one unit in `head` before they move into blocks: a query unpacks at most this many in about 4 ms."""

_PUT_MESSAGE = """INSERT INTO head VALUES (?, ?, ?)
    ON CONFLICT (unit_id, t) DO UPDATE SET body = merge_bodies(body, excluded.body)"""
# As point_rules.merged: at the same time a number and a quality stay until another takes their place.
_PUT_LATEST = f"""INSERT INTO latest VALUES (?, ?, ?, ?) ON CONFLICT (signal_id) DO UPDATE SET
    value = CASE WHEN excluded.t > t THEN excluded.value ELSE coalesce(excluded.value, value) END,
    code = CASE WHEN excluded.t > t OR excluded.code <> {GOOD_CODE} THEN excluded.code ELSE code END,
    t = excluded.t
    WHERE excluded.t >= latest.t"""  # noqa: S608 - a constant
_PUT_POINT = """INSERT INTO points VALUES (?, ?, ?, ?)
    ON CONFLICT (measurement, t, tags) DO UPDATE SET fields = json_patch(fields, excluded.fields)"""
_PUT_BLOCK = "INSERT OR REPLACE INTO blocks (signal_id, slot, t_first, t_last, body) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all messages of one unit with the same signals share."""

    unit_id: int
    signal_ids: tuple[int, ...]
    prefix: bytes
    numbers: struct.Struct


class SqliteReadings:
    """A `ReadingStore` in one SQLite file; several processes may have it open.

    Args:
        path: The file; made where missing.

    Raises:
        DataDirectoryError: The file is newer than this program, or damaged.
        StoreUnavailableError: It cannot be opened now.
    """

    writes_at_once = 1

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, SCHEMA, SCHEMA_VERSION, _register)
        self._file.on_rollback(self._forget_ids)
        # All four are touched by the writer thread alone.
        self._shapes: dict[tuple[str, str, str, tuple[str, ...]], _Shape | str] = {}
        self._codes: dict[str, int] = {}
        self._head_rows: dict[int, int] = {}

    def _forget_ids(self) -> None:
        self._shapes.clear()
        self._codes.clear()
        self._head_rows.clear()

    # -- writing ------------------------------------------------------------------------------------------------

    def write(self, messages: Sequence[UnitMessage]) -> None:
        """Store messages; see `ReadingStore.write`."""
        if not messages:
            return
        refused = self._file.write(lambda connection: self._write(connection, messages))
        if refused:
            raise PointsRefusedError(refused)

    def _write(self, connection: sqlite3.Connection, messages: Sequence[UnitMessage]) -> dict[int, str]:
        refused: dict[int, str] = {}
        rows: list[tuple[int, int, bytes]] = []
        newest: dict[tuple[int, ...], list[tuple[_Shape, UnitMessage]]] = {}
        for index, message in enumerate(messages):
            shape = self._shape(connection, message)
            body = shape if isinstance(shape, str) else self._body(connection, shape, message)
            if isinstance(shape, str) or isinstance(body, str):
                refused[index] = str(body)
                continue
            rows.append((shape.unit_id, message.t_ms, body))
            seen = newest.get(shape.signal_ids)
            if seen is None or message.t_ms > seen[0][1].t_ms:
                newest[shape.signal_ids] = [(shape, message)]
            elif message.t_ms == seen[0][1].t_ms:
                seen.append((shape, message))
        connection.executemany(_PUT_MESSAGE, rows)
        connection.executemany(_PUT_LATEST, self._latest_rows(connection, newest))
        self._seal_full_units(connection, rows)
        return refused

    def _shape(self, connection: sqlite3.Connection, message: UnitMessage) -> _Shape | str:
        """Return the shape of a message, or why it is refused."""
        key = (message.station, message.area, message.unit, tuple(message.values))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._new_shape(connection, message)
            if len(self._shapes) > 20_000:  # a device that never sends the same signals twice shall not fill memory
                self._shapes.clear()
            self._shapes[key] = shape
        return shape

    def _new_shape(self, connection: sqlite3.Connection, message: UnitMessage) -> _Shape | str:
        if not message.values:
            return "message carries no values"
        unit = (message.station, message.area, message.unit)
        if reason := name_refusal((*unit, *message.values)):
            return reason
        connection.execute("INSERT OR IGNORE INTO units (station, area, unit) VALUES (?, ?, ?)", unit)
        unit_id = int(one(connection, "SELECT id FROM units WHERE station = ? AND area = ? AND unit = ?", unit))
        ids: list[int] = []
        for tag in message.values:
            connection.execute("INSERT OR IGNORE INTO signals (unit_id, tag) VALUES (?, ?)", (unit_id, tag))
            ids.append(int(one(connection, "SELECT id FROM signals WHERE unit_id = ? AND tag = ?", (unit_id, tag))))
        return _Shape(unit_id, tuple(ids), body_prefix(ids), struct.Struct(f"<{len(ids)}d"))

    def _body(self, connection: sqlite3.Connection, shape: _Shape, message: UnitMessage) -> bytes | str:
        """Return the body of a message, or why it is refused."""
        if reason := time_refusal(message.t_ms):
            return reason
        values = message.values.values()
        if not message.quality:
            try:
                # A sum is finite only where all of its terms are: one look instead of a look at each.
                if math.isfinite(sum(values)):  # type: ignore[arg-type]
                    return shape.prefix + shape.numbers.pack(*values)
            except TypeError:  # a null among them
                pass
        if reason := number_refusal(message):
            return reason
        numbers = shape.numbers.pack(*(math.nan if value is None else value for value in values))
        codes = [self._code(connection, message.quality_of(signal)) for signal in message.values]
        if not any(codes):
            return shape.prefix + numbers
        return shape.prefix + numbers + struct.pack(f"<{len(codes)}I", *codes)

    def _code(self, connection: sqlite3.Connection, quality: str) -> int:
        code = self._codes.get(quality)
        if code is None:
            connection.execute("INSERT OR IGNORE INTO qualities (text) VALUES (?)", (quality,))
            code = int(one(connection, "SELECT id FROM qualities WHERE text = ?", (quality,)))
            if len(self._codes) > 20_000:
                self._codes.clear()
            self._codes[quality] = code
        return code

    def _latest_rows(
        self, connection: sqlite3.Connection, newest: Mapping[tuple[int, ...], list[tuple[_Shape, UnitMessage]]]
    ) -> list[tuple[int, int, float | None, int]]:
        found: dict[int, tuple[int, tuple[float | None, str]]] = {}
        every = sorted((pair for pairs in newest.values() for pair in pairs), key=lambda pair: pair[1].t_ms)
        for shape, message in every:
            for signal_id, (tag, value) in zip(shape.signal_ids, message.values.items(), strict=True):
                new = (value, message.quality_of(tag))
                before = found.get(signal_id)
                same_time = before is not None and before[0] == message.t_ms
                found[signal_id] = (message.t_ms, merged(before[1], new) if before and same_time else new)
        return [(i, t_ms, value, self._code(connection, q)) for i, (t_ms, (value, q)) in found.items()]

    def _seal_full_units(self, connection: sqlite3.Connection, rows: Sequence[tuple[int, int, bytes]]) -> None:
        written: dict[int, int] = defaultdict(int)
        for unit_id, _, _ in rows:
            written[unit_id] += 1
        for unit_id, count in written.items():
            held = self._head_rows.get(unit_id)
            if held is None:
                held = int(one(connection, "SELECT count(*) FROM head WHERE unit_id = ?", (unit_id,)))
            else:
                held += count
            if held >= SEAL_ROWS:
                _seal(connection, unit_id)
                held = 0
            self._head_rows[unit_id] = held

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services; fields of the same point come together."""
        rows = [
            (p.measurement, p.t_ms, _tags_text(p.tags), json.dumps(fields, ensure_ascii=False))
            for p in points
            if (fields := storable_fields(p.fields))
        ]

        def put(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT_POINT, rows)

        if rows:
            self._file.write(put)

    def forget_before(self, t_ms: int) -> None:
        """Delete everything older than `t_ms`; an hour that lies across it is cut."""
        self._file.write(lambda connection: _forget_before(connection, t_ms))

    # -- reading ------------------------------------------------------------------------------------------------

    def read_points(self, measurement: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> list[ServicePoint]:
        """Return points of a measurement, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT t, tags, fields FROM points WHERE measurement = ? AND t >= ? AND t < ? ORDER BY t, tags",
                (measurement, start_ms, end_ms),
            ).fetchall()
        points = [ServicePoint(measurement, dict(json.loads(own)), json.loads(fields), t) for t, own, fields in rows]
        return [point for point in points if tags.items() <= point.tags.items()]

    def latest(self, station: str, signals: Sequence[str]) -> dict[str, Reading]:
        """Return the newest reading of each signal that has one."""
        wanted = set(signals)
        with self._file.reading() as connection:
            rows = connection.execute(
                """SELECT s.tag, l.t, l.value, q.text FROM units u JOIN signals s ON s.unit_id = u.id
                   JOIN latest l ON l.signal_id = s.id JOIN qualities q ON q.id = l.code
                   WHERE u.station = ? ORDER BY l.t""",
                (station,),
            ).fetchall()
        return {tag: Reading(tag, t, *visible((value, text))) for tag, t, value, text in rows if tag in wanted}

    def raw(self, station: str, signal: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of one signal, oldest first."""
        found: list[Reading] = []
        with self._file.reading() as connection:
            names = Qualities(connection)
            for column in columns_of(connection, carriers_of(connection, station, signal), start_ms, end_ms):
                rest = None if limit is None else limit - len(found)
                if rest == 0:
                    break
                for t_ms, value, code in zip(*(part[:rest].tolist() for part in column), strict=True):
                    number = None if code == NULL_CODE or math.isnan(value) else value
                    found.append(Reading(signal, t_ms, number, names.text(code)))
        return found

    def windows(
        self,
        station: str,
        signal: str,
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregate: Aggregate,
        offset_ms: int = 0,
    ) -> list[Window]:
        """Return non-empty windows; see `ReadingStore.windows`."""
        with self._file.reading() as connection:
            names = Qualities(connection)
            parts = list(columns_of(connection, carriers_of(connection, station, signal), start_ms, end_ms))
            whole = merge_columns(parts)
            return windows_of(whole, names.text, every_ms, aggregate, offset_ms)

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the stored messages in order of (t, area, unit); an hour at a time is held in memory."""
        with self._file.reading() as connection:
            slots = slots_of(connection, station, start_ms, end_ms)
        for slot in slots:
            with self._file.reading() as connection:
                hour = Hour(connection, station, slot)
            yield from hour.messages(start_ms, end_ms)

    def span(self, station: str) -> tuple[int, int] | None:
        """Return the times of the oldest and the newest message of a station."""
        with self._file.reading() as connection:
            newest = connection.execute(
                """SELECT max(l.t) FROM units u JOIN signals s ON s.unit_id = u.id
                   JOIN latest l ON l.signal_id = s.id WHERE u.station = ?""",
                (station,),
            ).fetchone()[0]
            if newest is None:
                return None
            oldest = connection.execute(
                """SELECT min(t) FROM (
                   SELECT (SELECT min(h.t) FROM head h WHERE h.unit_id = u.id) AS t
                   FROM units u WHERE u.station = :station
                   UNION ALL
                   SELECT (SELECT b.t_first FROM blocks b WHERE b.signal_id = s.id ORDER BY b.slot LIMIT 1)
                   FROM units u JOIN signals s ON s.unit_id = u.id WHERE u.station = :station)""",
                {"station": station},
            ).fetchone()[0]
        return int(oldest), int(newest)

    def stations(self) -> list[str]:
        """Return the ids of stations that have readings, sorted."""
        with self._file.reading() as connection:
            rows = connection.execute(
                """SELECT DISTINCT u.station FROM units u JOIN signals s ON s.unit_id = u.id
                   JOIN latest l ON l.signal_id = s.id ORDER BY 1"""
            ).fetchall()
        return [station for (station,) in rows]

    def close(self) -> None:
        """Finish what is being written and close the file; idempotent."""
        self._file.close()


def _register(connection: sqlite3.Connection) -> None:
    connection.create_function("merge_bodies", 2, merge_bodies, deterministic=True)


def _tags_text(tags: Mapping[str, str]) -> str:
    return json.dumps(sorted((name, value) for name, value in tags.items() if value), ensure_ascii=False)


def _seal(connection: sqlite3.Connection, unit_id: int) -> None:
    """Move a unit's messages from `head` into `blocks`."""
    rows = connection.execute("SELECT t, body FROM head WHERE unit_id = ?", (unit_id,)).fetchall()
    for signal_id, column in columns_of_bodies(rows).items():
        slots = column.t_ms // SLOT_MS
        for slot in np.unique(slots).tolist():
            part = column.between(slot * SLOT_MS, (slot + 1) * SLOT_MS)
            whole = merge_columns([*blocks_of(connection, signal_id, slot, slot), part])
            _put_block(connection, signal_id, slot, whole)
    connection.execute("DELETE FROM head WHERE unit_id = ?", (unit_id,))


def _put_block(connection: sqlite3.Connection, signal_id: int, slot: int, column: Column) -> None:
    first, last = int(column.t_ms[0]), int(column.t_ms[-1])
    connection.execute(_PUT_BLOCK, (signal_id, slot, first, last, encode_block(column, slot)))


def _forget_before(connection: sqlite3.Connection, t_ms: int) -> None:
    slot = t_ms // SLOT_MS
    connection.execute("DELETE FROM blocks WHERE slot < ?", (slot,))
    rows = connection.execute("SELECT signal_id, body FROM blocks WHERE slot = ?", (slot,)).fetchall()
    for signal_id, body in rows:
        rest = decode_block(body, slot).between(t_ms, (slot + 1) * SLOT_MS)
        if len(rest.t_ms):
            _put_block(connection, signal_id, slot, rest)
        else:
            connection.execute("DELETE FROM blocks WHERE signal_id = ? AND slot = ?", (signal_id, slot))
    for (unit_id,) in connection.execute("SELECT id FROM units").fetchall():
        connection.execute("DELETE FROM head WHERE unit_id = ? AND t < ?", (unit_id, t_ms))
    connection.execute("DELETE FROM latest WHERE t < ?", (t_ms,))
    connection.execute("DELETE FROM points WHERE t < ?", (t_ms,))
