"""The hash chain of the alarm journal: each row's hash covers the one before it, so that a changed row is found."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import msgspec

from station.ports import JournalEntry

BEFORE_FIRST = "0" * 64
"""The hash before row 1."""
_encoder = msgspec.json.Encoder(order="sorted")


def detail_text(entry: JournalEntry) -> str:
    """Return an entry's detail as canonical JSON: what is stored is what is hashed."""
    return _encoder.encode(entry.detail).decode()


def chained_hash(previous: str, number: int, entry: JournalEntry, detail: str) -> str:
    """Return the hash of row `number`, hexadecimal SHA-256 over the previous hash and the row as canonical JSON.

    Args:
        previous: Hash of the row before, `BEFORE_FIRST` for row 1.
        number: Row number, from 1 without gaps.
        entry: The row, `storable`.
        detail: Its detail as stored.
    """
    row = (
        number,
        entry.station,
        entry.alarm_id,
        entry.occurrence,
        entry.event,
        entry.t_ms,
        entry.received_ms,
        entry.who,
        entry.value,
        entry.limit,
        entry.note,
        detail,
    )
    return hashlib.sha256(previous.encode() + _encoder.encode(row)).hexdigest()


def storable(entry: JournalEntry) -> JournalEntry:
    """Return an entry as every database can keep it: no NUL, no half of a character, finite numbers, no minus zero."""
    return dataclasses.replace(
        entry,
        who=_plain(entry.who),
        note=_plain(entry.note),
        value=_finite(entry.value),
        limit=_finite(entry.limit),
    )


def _finite(value: float | None) -> float | None:
    # SQLite gives minus zero back as zero, of which the hash is another; adding zero leaves no minus.
    return None if value is None or not math.isfinite(value) else float(value) + 0.0


def _plain(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
