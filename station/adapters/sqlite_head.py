"""The newest messages of the SQLite reading store, as they came: one row a write, unit and set of signals.

A row is `u16 n, u32 signal id [n], u8 coded` and a record a message: `i8 t, i8 arrival, f8 value [n], u32 quality code
[n]`, the codes left out where all are good. NaN stands for "no number was sent". Arrival numbers count messages over
the whole file: of two messages of the same unit and time the one with the larger number came later.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import Column, merge_columns


def head_prefix(signal_ids: Sequence[int]) -> bytes:
    """Return the part of a row that all messages with the same signals share."""
    return struct.pack(f"<H{len(signal_ids)}I", len(signal_ids), *signal_ids)


def _record(count: int, *, coded: bool) -> np.dtype[Any]:
    codes = [("code", "<u4", count)] if coded else []
    return np.dtype([("t", "<i8"), ("arrival", "<i8"), ("value", "<f8", count), *codes])


def head_row(
    prefix: bytes,
    t_ms: npt.NDArray[np.int64],
    arrival: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    code: npt.NDArray[np.uint32] | None,
) -> bytes:
    """Return the row of some messages with the same signals; `value` and `code` have a line a message."""
    records = np.empty(len(t_ms), _record(value.shape[1], coded=code is not None))
    records["t"], records["arrival"], records["value"] = t_ms, arrival, value
    if code is not None:
        records["code"] = code
    return prefix + bytes([code is not None]) + records.tobytes()


def columns_of_head(rows: Iterable[bytes], only: AbstractSet[int] | None = None) -> dict[int, Column]:
    """Return the readings of each signal id (or of `only` some) out of the rows of one unit."""
    alike: dict[bytes, list[bytes]] = defaultdict(list)
    for row in rows:
        size = 3 + 4 * (row[0] | row[1] << 8)
        alike[row[:size]].append(row[size:])
    parts: dict[int, list[tuple[npt.NDArray[np.int64], Column]]] = defaultdict(list)
    for prefix, bodies in alike.items():
        count = prefix[0] | prefix[1] << 8
        ids = np.frombuffer(prefix, "<u4", count, 2).tolist()
        if only is not None and only.isdisjoint(ids):
            continue
        records = np.frombuffer(b"".join(bodies), _record(count, coded=bool(prefix[-1])))
        t_ms, arrival = records["t"].astype(np.int64), records["arrival"].astype(np.int64)
        codes = records["code"] if prefix[-1] else np.zeros((len(records), count), np.uint32)
        for place, signal in enumerate(ids):
            if only is not None and signal not in only:
                continue
            parts[signal].append((arrival, Column(t_ms, records["value"][:, place], codes[:, place])))
    return {signal: _in_time(found) for signal, found in parts.items()}


def _in_time(parts: Sequence[tuple[npt.NDArray[np.int64], Column]]) -> Column:
    """Return one column of parts that came interleaved: what came later takes the place of what came earlier."""
    arrival = np.concatenate([own for own, _ in parts])
    whole = Column(*(np.concatenate(part) for part in zip(*(column for _, column in parts), strict=True)))
    if (np.diff(arrival) < 0).any():
        order = np.argsort(arrival)
        whole = whole.at(order)
    return merge_columns([whole])
