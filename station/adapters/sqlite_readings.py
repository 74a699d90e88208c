"""The reading store in one SQLite file.

Layout, and why: a row a message takes writes as fast as they come, but a day of one signal would read every message of
its unit; a row a value reads well, but takes 24 bytes and falls to half its speed by ten million rows. So both, one
after the other: `head` holds the newest messages of each unit as they came, a row a write; when a unit has `SEAL_ROWS`
of them they are moved, in the same transaction as a write, into `blocks`, one compressed row a signal and hour, and
into `minutes` and `quarters` (of an hour), what is kept of them for longer. A query merges the two, head over blocks,
which also makes late data and second arrivals right without a special case. `latest` holds the newest reading of each
signal, so that a page of 303 of them costs one look.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from station.adapters.point_rules import (
    LAST_MS,
    merged,
    name_refusal,
    number_refusal,
    storable_fields,
    time_refusal,
    visible,
)
from station.adapters.reading_tables import ReadingTable
from station.adapters.sqlite_blocks import GOOD_CODE, NULL_CODE, SLOT_MS
from station.adapters.sqlite_file import SqliteFile, Upgrades
from station.adapters.sqlite_head import head_prefix, head_row
from station.adapters.sqlite_minutes import forget_minutes
from station.adapters.sqlite_past import Past
from station.adapters.sqlite_queries import Hour, Qualities, one, slots_of
from station.adapters.sqlite_sealing import forget_before, forget_station, seal
from station.adapters.sqlite_upgrade import make_way, upgrade
from station.adapters.windowing import MINUTE_MS, OutOfCourses, check_windows
from station.domain.signals import Reading, UnitMessage
from station.errors import PointsRefusedError
from station.many_rows import put_rows
from station.ports import Aggregate, Course, Minute, ServicePoint

SCHEMA_VERSION = 3
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
    unit_id INTEGER NOT NULL, t_first INTEGER NOT NULL, arrival INTEGER NOT NULL, size INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (unit_id, t_first, arrival)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrivals (only INTEGER PRIMARY KEY CHECK (only = 1), count INTEGER NOT NULL);
INSERT OR IGNORE INTO arrivals VALUES (1, 0);
CREATE TABLE IF NOT EXISTS blocks (
    signal_id INTEGER NOT NULL, slot INTEGER NOT NULL, t_first INTEGER NOT NULL, t_last INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (signal_id, slot));
CREATE INDEX IF NOT EXISTS blocks_by_slot ON blocks (slot, signal_id, t_first, t_last);
CREATE TABLE IF NOT EXISTS minutes (
    signal_id INTEGER NOT NULL, span INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (signal_id, span));
CREATE INDEX IF NOT EXISTS minutes_by_span ON minutes (span, signal_id);
CREATE TABLE IF NOT EXISTS quarters (
    signal_id INTEGER NOT NULL, span INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (signal_id, span));
CREATE INDEX IF NOT EXISTS quarters_by_span ON quarters (span, signal_id);
CREATE TABLE IF NOT EXISTS latest (
    signal_id INTEGER PRIMARY KEY, t INTEGER NOT NULL, value REAL, code INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS points (
    measurement TEXT NOT NULL, t INTEGER NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (measurement, t, tags)) WITHOUT ROWID;
"""

SEAL_ROWS = 4096
"""Messages of one unit in `head` before they move into blocks: a query unpacks at most this many in about 4 ms."""

# As point_rules.merged: at the same time a number and a quality stay until another takes their place.
_ON_KNOWN_SIGNAL = f"""ON CONFLICT (signal_id) DO UPDATE SET
    value = CASE WHEN excluded.t > t THEN excluded.value ELSE coalesce(excluded.value, value) END,
    code = CASE WHEN excluded.t > t OR excluded.code <> {GOOD_CODE} THEN excluded.code ELSE code END,
    t = excluded.t
    WHERE excluded.t >= latest.t"""
_ON_KNOWN_POINT = """ON CONFLICT (measurement, t, tags) DO UPDATE SET fields = json_patch(fields, excluded.fields)"""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all messages of one unit with the same signals share."""

    unit_id: int
    signal_ids: tuple[int, ...]
    prefix: bytes


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages of one shape: each its place in the batch that was written, its time and its line of values."""

    said: Sequence[UnitMessage]
    places: npt.NDArray[np.int64]
    t_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    has_nulls: bool

    def newest(self) -> list[int]:
        """Return which messages are of the newest time."""
        newest: list[int] = np.flatnonzero(self.t_ms == self.t_ms.max()).tolist()
        return newest


_decode_fields = msgspec.json.Decoder(dict[str, float | str]).decode
_Key = tuple[str, ...]
_HeadRow = tuple[int, int, int, int, bytes]
"""Unit, first time, first arrival, messages, body."""


class SqliteReadings(OutOfCourses):
    """A `ReadingStore` in one SQLite file; several processes may have it open.

    Args:
        path: The file; made where missing, brought to the present layout where it has an older one.
        seal_rows: Messages of one unit in `head` before they move into blocks.

    Raises:
        DataDirectoryError: The file is newer than this program, or damaged.
        StoreUnavailableError: It cannot be opened now.
    """

    writes_at_once = 1

    def __init__(self, path: Path, seal_rows: int = SEAL_ROWS) -> None:
        self._file = SqliteFile(path, SCHEMA, SCHEMA_VERSION, Upgrades(make_way, upgrade))
        self._seal_rows = seal_rows
        self._file.on_rollback(self._forget_ids)
        # All three are touched by the writer thread alone.
        self._shapes: dict[_Key, _Shape | str] = {}
        self._codes: dict[str, int] = {}
        self._held: dict[int, int] = {}

    def _forget_ids(self) -> None:
        self._shapes.clear()
        self._codes.clear()
        self._held.clear()

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
        alike: dict[_Key, list[int]] = defaultdict(list)
        for index, message in enumerate(messages):
            alike[message.station, message.area, message.unit, *message.values].append(index)
        arrival = self._arrivals(connection, len(messages))
        rows: list[_HeadRow] = []
        newest: list[tuple[int, int, _Shape, UnitMessage]] = []
        for key, indexes in alike.items():
            shape = self._shape(connection, key)
            if isinstance(shape, str):
                refused.update(dict.fromkeys(indexes, shape))
                continue
            batch = _batch_of(messages, indexes, refused)
            if batch.said:
                rows += self._head_rows(connection, shape, batch, arrival)
                said = [(int(batch.places[place]), batch.said[place]) for place in batch.newest()]
                newest += [(message.t_ms, came, shape, message) for came, message in said]
        put_rows(connection.execute, "INSERT INTO head", rows)
        put_rows(connection.execute, "INSERT INTO latest", self._latest_rows(connection, newest), _ON_KNOWN_SIGNAL)
        self._seal_full_units(connection, rows)
        return refused

    def _arrivals(self, connection: sqlite3.Connection, count: int) -> int:
        """Return the first of some new arrival numbers; several processes draw from the same row."""
        connection.execute("UPDATE arrivals SET count = count + ?", (count,))
        return int(one(connection, "SELECT count FROM arrivals", ())) - count

    def _shape(self, connection: sqlite3.Connection, key: _Key) -> _Shape | str:
        """Return the shape of messages, or why they are refused."""
        shape = self._shapes.get(key)
        if shape is None:
            shape = _new_shape(connection, key)
            if len(self._shapes) > 20_000:  # a device that never sends the same signals twice shall not fill memory
                self._shapes.clear()
            self._shapes[key] = shape
        return shape

    def _head_rows(
        self, connection: sqlite3.Connection, shape: _Shape, batch: _Batch, arrival: int
    ) -> Iterator[_HeadRow]:
        """Yield the rows of messages with the same signals, one an hour."""
        code = self._codes_of(connection, batch)
        places = batch.places + arrival
        first_ms, last_ms = int(batch.t_ms.min()), int(batch.t_ms.max())
        if first_ms // SLOT_MS == last_ms // SLOT_MS:
            body = head_row(shape.prefix, batch.t_ms, places, batch.value, code)
            yield shape.unit_id, first_ms, int(places[0]), len(places), body
            return
        slots = batch.t_ms // SLOT_MS
        for slot in np.unique(slots).tolist():
            own = slots == slot
            t_ms, came = batch.t_ms[own], places[own]
            body = head_row(shape.prefix, t_ms, came, batch.value[own], None if code is None else code[own])
            yield shape.unit_id, int(t_ms.min()), int(came[0]), len(came), body

    def _codes_of(self, connection: sqlite3.Connection, batch: _Batch) -> npt.NDArray[np.uint32] | None:
        """Return the quality codes of messages, None where all is good."""
        doubtful = [place for place, message in enumerate(batch.said) if message.quality]
        if batch.has_nulls:
            doubtful += np.flatnonzero(np.isnan(batch.value).any(axis=1)).tolist()
        if not doubtful:
            return None
        code = np.full(batch.value.shape, GOOD_CODE, np.uint32)
        for place in doubtful:
            message = batch.said[place]
            code[place] = [self._code(connection, message.quality_of(signal)) for signal in message.values]
        return code

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
        self, connection: sqlite3.Connection, newest: Sequence[tuple[int, int, _Shape, UnitMessage]]
    ) -> list[tuple[int, int, float | None, int]]:
        found: dict[int, tuple[int, tuple[float | None, str]]] = {}
        # Of the same time, in the order in which they came: they merge.
        for _, _, shape, message in sorted(newest, key=itemgetter(0, 1)):
            for signal_id, (tag, value) in zip(shape.signal_ids, message.values.items(), strict=True):
                new = (value, message.quality_of(tag))
                before = found.get(signal_id)
                same_time = before is not None and before[0] == message.t_ms
                found[signal_id] = (message.t_ms, merged(before[1], new) if before and same_time else new)
        return [(i, t_ms, value, self._code(connection, q)) for i, (t_ms, (value, q)) in found.items()]

    def _seal_full_units(self, connection: sqlite3.Connection, rows: Sequence[_HeadRow]) -> None:
        written: dict[int, int] = defaultdict(int)
        for unit_id, _, _, size, _ in rows:
            written[unit_id] += size
        for unit_id, size in written.items():
            if unit_id in self._held:
                self._held[unit_id] += size
            else:
                self._held[unit_id] = one(connection, "SELECT sum(size) FROM head WHERE unit_id = ?", (unit_id,))
        # Units with one rate fill up together: one of them a write, so that no write waits for all.
        fullest = max(written, key=self._held.__getitem__, default=None)
        for unit_id in written:
            limit = self._seal_rows if unit_id == fullest else 2 * self._seal_rows
            if self._held[unit_id] >= limit:
                seal(connection, unit_id)
                self._held[unit_id] = 0

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services; fields of the same point come together."""
        rows = [
            (p.measurement, p.t_ms, _tags_text(p.tags), json.dumps(fields, ensure_ascii=False))
            for p in points
            if (fields := storable_fields(p.fields))
        ]

        def put(connection: sqlite3.Connection) -> None:
            put_rows(connection.execute, "INSERT INTO points", rows, _ON_KNOWN_POINT)

        if rows:
            self._file.write(put)

    def forget_before(self, t_ms: int) -> None:
        """Delete readings and points older than `t_ms`; minutes stay."""

        def forget(connection: sqlite3.Connection) -> None:
            forget_before(connection, t_ms)
            self._held.clear()  # what it sealed is in `head` no more

        self._file.write(forget)

    def forget_station(self, station: str) -> None:
        """Delete everything of a station."""

        def forget(connection: sqlite3.Connection) -> None:
            forget_station(connection, station)
            self._held.clear()

        self._file.write(forget)

    def forget_minutes_before(self, t_ms: int) -> None:
        """Delete minutes older than `t_ms`."""
        self._file.write(lambda connection: forget_minutes(connection, t_ms, Qualities(connection).text))

    # -- reading ------------------------------------------------------------------------------------------------

    def read_points(self, measurement: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> list[ServicePoint]:
        """Return points of a measurement, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT t, tags, fields FROM points WHERE measurement = ? AND t >= ? AND t < ? ORDER BY t, tags",
                (measurement, start_ms, end_ms),
            ).fetchall()
        # A day of a station has 73 000 points of measurement `ingest`, and 51 sets of tags.
        tags_of = {own: dict(json.loads(own)) for own in {own for _, own, _ in rows}}
        wanted = {own for own, named in tags_of.items() if tags.items() <= named.items()}
        return [
            ServicePoint(measurement, tags_of[own], _decode_fields(fields), t)
            for t, own, fields in rows
            if own in wanted
        ]

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
            past = Past(connection, station, [signal], start_ms, end_ms)
            for column in past.readings(signal):
                rest = None if limit is None else limit - len(found)
                if rest == 0:
                    break
                for t_ms, value, code in zip(*(part[:rest].tolist() for part in column), strict=True):
                    number = None if code == NULL_CODE or math.isnan(value) else value
                    found.append(Reading(signal, t_ms, number, past.text_of(code)))
        return found

    def courses(
        self,
        station: str,
        signals: Sequence[str],
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregates: Sequence[Aggregate],
        offset_ms: int = 0,
    ) -> list[Course]:
        """Return windows of some signals with several numbers each; see `ReadingStore.courses`."""
        check_windows(every_ms, aggregates)
        with self._file.reading() as connection:
            past = Past(connection, station, signals, start_ms, end_ms)
            return [past.course(signal, every_ms, aggregates, offset_ms) for signal in signals]

    def minutes(self, station: str, signal: str, start_ms: int, end_ms: int) -> list[Minute]:
        """Return minutes of a signal, oldest first."""
        first_ms, last_ms = (-(-edge // MINUTE_MS) * MINUTE_MS for edge in (start_ms, end_ms))
        with self._file.reading() as connection:
            return Past(connection, station, [signal], first_ms, last_ms).minutes(signal).told()

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the stored messages in order of (t, area, unit); an hour at a time is held in memory."""
        for hour in self._hours(station, start_ms, end_ms):
            yield from hour.messages(start_ms, end_ms)
            del hour

    def tables(self, station: str, start_ms: int, end_ms: int) -> Iterator[ReadingTable]:
        """Yield the readings of [start, end) as columns, an hour at a time."""
        for hour in self._hours(station, start_ms, end_ms):
            yield hour.table(start_ms, end_ms)
            del hour

    def _hours(self, station: str, start_ms: int, end_ms: int) -> Iterator[Hour]:
        with self._file.reading() as connection:
            slots = slots_of(connection, station, start_ms, end_ms)
        for slot in slots:
            with self._file.reading() as connection:
                hour = Hour(connection, station, slot)
            yield hour
            del hour  # here and in the loops over it: one hour is held while the next is read, not two

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
                   SELECT (SELECT min(h.t_first) FROM head h WHERE h.unit_id = u.id) AS t
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


def _new_shape(connection: sqlite3.Connection, key: _Key) -> _Shape | str:
    unit, tags = key[:3], key[3:]
    if not tags:
        return "message carries no values"
    if reason := name_refusal(key):
        return reason
    connection.execute("INSERT OR IGNORE INTO units (station, area, unit) VALUES (?, ?, ?)", unit)
    unit_id = int(one(connection, "SELECT id FROM units WHERE station = ? AND area = ? AND unit = ?", unit))
    ids: list[int] = []
    for tag in tags:
        connection.execute("INSERT OR IGNORE INTO signals (unit_id, tag) VALUES (?, ?)", (unit_id, tag))
        ids.append(int(one(connection, "SELECT id FROM signals WHERE unit_id = ? AND tag = ?", (unit_id, tag))))
    return _Shape(unit_id, tuple(ids), head_prefix(ids))


def _batch_of(messages: Sequence[UnitMessage], indexes: list[int], refused: dict[int, str]) -> _Batch:
    """Return some messages with the same signals; those that cannot be stored are named with the reason."""
    said = [messages[index] for index in indexes]
    times = [message.t_ms for message in said]
    numbers = [number for message in said for number in message.values.values()]
    value = np.array(numbers, np.float64).reshape(len(said), -1)
    is_plain = bool(np.isfinite(value).all())
    if is_plain and min(times) >= 0 and max(times) <= LAST_MS:
        return _Batch(said, np.array(indexes, np.int64), np.array(times, np.int64), value, has_nulls=False)
    reasons = [time_refusal(message.t_ms) or number_refusal(message) for message in said]
    refused.update({index: reason for index, reason in zip(indexes, reasons, strict=True) if reason})
    kept = [place for place, reason in enumerate(reasons) if not reason]
    places, t_ms = np.array(indexes, np.int64)[kept], np.array([times[place] for place in kept], np.int64)
    return _Batch([said[place] for place in kept], places, t_ms, value[kept], has_nulls=not is_plain)


def _tags_text(tags: Mapping[str, str]) -> str:
    return json.dumps(sorted((name, value) for name, value in tags.items() if value), ensure_ascii=False)
