"""What ingest knows beside the messages: how far delivery is, dead letters, counts per unit and minute.

One SQLite file, one transaction a delivered batch: position, counts and dead letters move together. It is written
without an fsync a transaction (WAL, synchronous NORMAL): a power cut may set all of it back together, and what the
spool still holds is then delivered and counted once more to the same sums. Segments are freed only after `sync`.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from ingest.sequences import UnitSequence
from ingest.spool import Position
from station.errors import DataDirectoryError
from station.many_rows import put_rows

_log = structlog.get_logger(__name__)

_VERSION: Final = 2
LEDGER_FILE: Final = "ledger.sqlite"
"""In the spool's directory."""
DEAD_LETTERS_KEPT: Final = 20_000
_TOPIC_KEPT, _TEXT_KEPT = 512, 500
DEAD_PAYLOAD_KEPT: Final = 4096
"""Bytes of a dead letter's payload that are kept: enough to see what it is; 20 000 of them are 80 MB at most."""
_SCHEMA: Final = """
create table progress (id integer primary key check (id = 1), segment integer, offset integer, sequences blob not null);
create table identity (id integer primary key check (id = 1), name text not null);
create table refusals (reason text primary key, count integer not null);
create table minutes (
    station text, area text, unit text, minute_ms integer, received integer, gaps integer, late integer,
    duplicate integer, refused integer, gap_from integer, gap_to integer, unwritten integer not null,
    primary key (station, area, unit, minute_ms)) without rowid;
create index minutes_unwritten on minutes (minute_ms) where unwritten = 1;
"""

_DEAD_SCHEMA: Final = """
create table dead_blocks (id integer primary key autoincrement, count integer not null, letters text not null);
create view dead_letters as
    select block.id, json_extract(letter.value, '$[0]') as received_ms, json_extract(letter.value, '$[1]') as topic,
    json_extract(letter.value, '$[2]') as payload_base64, json_extract(letter.value, '$[3]') as reason,
    json_extract(letter.value, '$[4]') as text
    from dead_blocks as block, json_each(block.letters) as letter;
"""
"""A row a piece: a flood of rubbish then costs the good messages nothing to speak of; the view is for people."""
_DEAD_SLACK: Final = 5000
"""So many letters more than are kept may stand in the file before the oldest go."""

UnitName = tuple[str, str, str]
"""(station, area, unit)."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, str, str, UnitSequence]]).decode


def encode_sequences(sequences: Mapping[UnitName, UnitSequence]) -> bytes:
    """Return the numbering of all units as the ledger keeps it: how it stands now, whatever happens to it later."""
    return _encode([(*name, state) for name, state in sequences.items()])


class DeadLetter(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message, or a part of one, that was not stored, and why."""

    received_ms: int
    topic: str
    payload: bytes
    reason: str
    text: str

    def cut(self) -> DeadLetter:
        """Return what of it is kept."""
        if len(self.payload) <= DEAD_PAYLOAD_KEPT and len(self.topic) <= _TOPIC_KEPT and len(self.text) <= _TEXT_KEPT:
            return self
        topic, payload, text = self.topic[:_TOPIC_KEPT], self.payload[:DEAD_PAYLOAD_KEPT], self.text[:_TEXT_KEPT]
        return DeadLetter(self.received_ms, topic, payload, self.reason, text)


_letters_json = msgspec.json.Encoder().encode
_letters_of = msgspec.json.Decoder(list[DeadLetter]).decode


@dataclass(slots=True)
class MinuteCount:
    """What happened to one unit in one minute of source time; sums of differences, so `gaps` may be negative."""

    received: int = 0
    gaps: int = 0
    late: int = 0
    duplicate: int = 0
    refused: int = 0
    gap_from_ms: int | None = None
    gap_to_ms: int | None = None


MinuteKey = tuple[str, str, str, int]
"""(station, area, unit, epoch ms of the minute's start)."""


def worker_name(spool_dir: Path) -> str:
    """Return the name of the ingest that uses a spool's directory, made where there is none yet."""
    spool_dir.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(spool_dir / LEDGER_FILE)
    ledger.close()
    return ledger.name


class Ledger:
    """The file. Methods may be called from any thread; one at a time gets in.

    Args:
        path: Made where it is missing; a damaged one is set aside and begun anew, which delivers the spool again.

    Raises:
        DataDirectoryError: Written by a newer version of this program.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(f".damaged-{secrets.token_hex(3)}")
            path.rename(aside)
            for suffix in ("-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            _log.error("ingest ledger is damaged and was begun anew", error=str(error), kept_as=str(aside))
            self._db = _open(path)
        self._dead = _dead_count(self._db)
        self.name = self._identity()

    def _identity(self) -> str:
        """Return this ingest's name for its watermarks; it stays the same as long as the file does."""
        row = self._db.execute("select name from identity").fetchone()
        if row is None:
            row = (secrets.token_hex(4),)
            with self._db:
                self._db.execute("insert into identity values (1, ?)", row)
        return str(row[0])

    def position(self) -> Position | None:
        """Return how far delivery is, None at the very start."""
        with self._lock:
            row = self._db.execute("select segment, offset from progress").fetchone()
        return None if row is None or row[0] is None else Position(*row)

    def sequences(self) -> dict[UnitName, UnitSequence]:
        """Return what is known of each unit's numbering."""
        with self._lock:
            row = self._db.execute("select sequences from progress").fetchone()
        return {} if row is None else {(s, a, u): state for s, a, u, state in _decode(row[0])}

    def commit(
        self,
        position: Position,
        sequences: bytes,
        dead: Sequence[DeadLetter],
        minutes: Mapping[MinuteKey, MinuteCount],
    ) -> None:
        """Book a delivered batch: all of it or nothing.

        Args:
            position: Where the batch ends in the spool.
            sequences: What is known of each unit's numbering up to there (`encode_sequences`).
            dead: What was set aside.
            minutes: What was counted.
        """
        with self._lock, self._db:
            self._db.execute("insert or replace into progress values (1, ?, ?, ?)", (*position, sequences))
            if dead:
                self._bury(dead)
            put_rows(
                self._db.execute,
                "insert into minutes",
                [
                    (*key, c.received, c.gaps, c.late, c.duplicate, c.refused, c.gap_from_ms, c.gap_to_ms, 1)
                    for key, c in minutes.items()
                ],
                """on conflict do update set received = received + excluded.received, gaps = gaps + excluded.gaps,
                late = late + excluded.late, duplicate = duplicate + excluded.duplicate,
                refused = refused + excluded.refused,
                gap_from = min(coalesce(gap_from, excluded.gap_from), coalesce(excluded.gap_from, gap_from)),
                gap_to = max(coalesce(gap_to, excluded.gap_to), coalesce(excluded.gap_to, gap_to)), unwritten = 1""",
            )

    def _bury(self, dead: Sequence[DeadLetter]) -> None:
        self._db.execute("insert into dead_blocks (count, letters) values (?, ?)", _block(dead))
        put_rows(
            self._db.execute,
            "insert into refusals",
            list(Counter(d.reason for d in dead).items()),
            "on conflict do update set count = count + excluded.count",
        )
        self._dead += len(dead)
        if self._dead > DEAD_LETTERS_KEPT + _DEAD_SLACK:
            self._db.execute(
                """delete from dead_blocks where id < (select min(id) from (
                select id, count, sum(count) over (order by id desc) as so_far from dead_blocks)
                where so_far - count < ?)""",
                (DEAD_LETTERS_KEPT,),
            )
            self._dead = _dead_count(self._db)

    def unwritten_minutes(self, most: int) -> list[tuple[MinuteKey, MinuteCount]]:
        """Return minutes whose counts the store does not have yet, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "select * from minutes where unwritten = 1 order by minute_ms limit ?", (most,)
            ).fetchall()
        return [((r[0], r[1], r[2], r[3]), MinuteCount(*r[4:11])) for r in rows]

    def minutes_written(self, keys: Iterable[MinuteKey], forget_before_ms: int) -> None:
        """Book that the store has these minutes; forget the counts of long ago."""
        with self._lock, self._db:
            put_rows(
                self._db.execute,
                "update minutes set unwritten = 0 where (station, area, unit, minute_ms) in (",
                list(keys),
                ")",
            )
            self._db.execute("delete from minutes where unwritten = 0 and minute_ms < ?", (forget_before_ms,))

    def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """Return the newest dead letters, newest first."""
        with self._lock:
            return _newest_letters(self._db, min(most, DEAD_LETTERS_KEPT))

    def refused(self) -> dict[str, int]:
        """Return how many were refused since the file was made, by reason."""
        with self._lock:
            return dict(self._db.execute("select reason, count from refusals order by reason"))

    def sync(self) -> None:
        """Put everything booked so far on the disk for good."""
        with self._lock:
            self._db.execute("pragma wal_checkpoint(passive)").fetchall()

    def close(self) -> None:
        """Release the file; idempotent."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.close()


class LedgerReport(NamedTuple):
    """What a ledger says to somebody who only looks.

    Attributes:
        position: How far delivery is, None at the very start.
        refused: How many were refused, by reason.
        newest: The newest dead letter, None where there is none.
    """

    position: Position | None
    refused: dict[str, int]
    newest: DeadLetter | None


def read_ledger(path: Path) -> LedgerReport:
    """Look at a ledger that may be in use; nothing of it is touched, damaged or not.

    Raises:
        DataDirectoryError: It cannot be read.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            at = db.execute("select segment, offset from progress").fetchone()
            refused = dict(db.execute("select reason, count from refusals order by reason"))
            # One that this program has not opened for writing yet is of version 1, with a row a letter.
            newest = _newest_letters(db, 1) if _version_of(db) > 1 else []
    except sqlite3.Error as error:
        raise DataDirectoryError(f"{path} cannot be read: {error}") from error
    position = None if at is None or at[0] is None else Position(*at)
    return LedgerReport(position, refused, newest[0] if newest else None)


def _block(letters: Sequence[DeadLetter]) -> tuple[int, str]:
    return len(letters), _letters_json([letter.cut() for letter in letters]).decode()


def _dead_count(db: sqlite3.Connection) -> int:
    return int(db.execute("select coalesce(sum(count), 0) from dead_blocks").fetchone()[0])


def _newest_letters(db: sqlite3.Connection, most: int) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    for (letters,) in db.execute("select letters from dead_blocks order by id desc"):
        found += reversed(_letters_of(letters))
        if len(found) >= most:
            break
    return found[:most]


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, timeout=5.0)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        _upgrade(db, path)
        db.execute("select count(*) from progress").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection, path: Path) -> None:
    version = _version_of(db)
    if version > _VERSION:
        raise DataDirectoryError(f"{path} is of version {version}, this program knows {_VERSION}: use a newer one")
    if version == 0:
        db.executescript(f"begin; {_SCHEMA} {_DEAD_SCHEMA} pragma user_version = {_VERSION}; commit;")
    elif version == 1:
        with db:
            _to_blocks(db)


def _version_of(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def _to_blocks(db: sqlite3.Connection) -> None:
    """Version 1 had a row a letter."""
    rows = db.execute("select received_ms, topic, payload, reason, text from dead_letters order by id").fetchall()
    db.execute("drop table dead_letters")
    for statement in _DEAD_SCHEMA.split(";")[:-1]:
        db.execute(statement)
    if rows:
        db.execute("insert into dead_blocks (count, letters) values (?, ?)", _block([DeadLetter(*row) for row in rows]))
    db.execute(f"pragma user_version = {_VERSION}")
