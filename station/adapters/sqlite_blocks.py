"""The two encodings of the SQLite reading store: a message's body, and a compressed block of one signal's hour.

Body (the newest messages, one row each): `u16 n, u32 signal id [n], f8 value [n], u32 quality code [n]`; the codes are
left out where all are good. NaN stands for "no number was sent".

Block: numbers whose decimal digits are few (an instrument's 0.01 MPa) become integers, then differences, so that zlib
leaves one to two bytes of a value; any other number stays a float, its bytes sorted by significance. Both are exact:
the encoder decodes and compares before it trusts the shorter form.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SLOT_MS = 3_600_000
"""Span of one block: an hour of a 1 s signal is some 4 KB, read in under 0.1 ms."""

GOOD_CODE = 0
NULL_CODE = 1
"""Codes of `good` and `bad:null`; the others are numbered by the store as they come."""

_LEVEL = 1  # zlib level 6 saves 8 % more and takes four times as long
_SCALES = (1.0, 10.0, 100.0, 1000.0)
_RAW = 255
_HEAD = struct.Struct("<IBBq")  # count, scale index or _RAW, flag: qualities follow, first scaled number
_EXACT = float(2**53)


class Column(NamedTuple):
    """Readings of one signal by ascending time: epoch ms, value (NaN: none), quality code."""

    t_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    code: npt.NDArray[np.uint32]

    def between(self, start_ms: int, end_ms: int) -> Column:
        """Return the part in [start, end)."""
        low, high = np.searchsorted(self.t_ms, (start_ms, end_ms))
        return Column(self.t_ms[low:high], self.value[low:high], self.code[low:high])


EMPTY = Column(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint32))


def body_prefix(signal_ids: Sequence[int]) -> bytes:
    """Return the part of a body that all messages with the same signals share."""
    return struct.pack(f"<H{len(signal_ids)}I", len(signal_ids), *signal_ids)


def _body_type(count: int, size: int) -> np.dtype[Any]:
    fields: list[tuple[str, str, int]] = [("ids", "<u4", count), ("value", "<f8", count)]
    if size > 2 + 12 * count:
        fields.append(("code", "<u4", count))
    return np.dtype([("n", "<u2"), *fields])


def merge_bodies(old: bytes, new: bytes) -> bytes:
    """Return one body with the signals of both, as `point_rules.merged` says; called by SQLite on a second arrival."""
    if old == new:
        return old
    merged = _body_entries(old)
    for signal, (value, code) in _body_entries(new).items():
        before = merged.get(signal, (np.nan, GOOD_CODE))
        merged[signal] = (before[0] if np.isnan(value) else value, code or before[1])
    values, codes = zip(*merged.values(), strict=True)
    body = body_prefix(list(merged)) + struct.pack(f"<{len(values)}d", *values)
    return body + struct.pack(f"<{len(codes)}I", *codes) if any(codes) else body


def _body_entries(body: bytes) -> dict[int, tuple[float, int]]:
    count = int.from_bytes(body[:2], "little")
    row = np.frombuffer(body, _body_type(count, len(body)))[0]
    codes = row["code"].tolist() if "code" in row.dtype.names else [GOOD_CODE] * count
    return dict(zip(row["ids"].tolist(), zip(row["value"].tolist(), codes, strict=True), strict=True))


def columns_of_bodies(rows: Iterable[tuple[int, bytes]]) -> dict[int, Column]:
    """Return the readings of each signal id out of (t, body) rows of one unit."""
    alike: dict[tuple[int, bytes], tuple[list[int], list[bytes]]] = defaultdict(lambda: ([], []))
    for t_ms, body in rows:
        count = body[0] | body[1] << 8
        times, bodies = alike[len(body), body[: 2 + 4 * count]]
        times.append(t_ms)
        bodies.append(body)
    parts: dict[int, list[Column]] = defaultdict(list)
    for (size, prefix), (times, bodies) in alike.items():
        count = prefix[0] | prefix[1] << 8
        table = np.frombuffer(b"".join(bodies), _body_type(count, size))
        t_ms_all = np.array(times, np.int64)
        codes = table["code"] if size > 2 + 12 * count else np.zeros((len(times), count), np.uint32)
        for place, signal in enumerate(np.frombuffer(prefix, "<u4", count, 2).tolist()):
            parts[signal].append(Column(t_ms_all, table["value"][:, place], codes[:, place]))
    return {signal: merge_columns(columns) for signal, columns in parts.items()}


def merge_columns(columns: Sequence[Column]) -> Column:
    """Return one column in order of time; of the same time, a later column's field takes the place of an earlier's."""
    if not columns:
        return EMPTY
    t_ms = np.concatenate([column.t_ms for column in columns])
    value = np.concatenate([column.value for column in columns])
    code = np.concatenate([column.code for column in columns])
    steps = np.diff(t_ms)
    if (steps > 0).all():
        return Column(t_ms, value, code)
    order = np.argsort(t_ms, kind="stable")
    t_ms, value, code = t_ms[order], value[order], code[order]
    first = np.flatnonzero(np.diff(t_ms, prepend=t_ms[0] - 1))
    if len(first) == len(t_ms):
        return Column(t_ms, value, code)
    places = np.arange(len(t_ms))
    # The newest place that holds a number (a quality) within each run of equal times; none: the run's first.
    numbered = np.maximum.reduceat(np.where(np.isnan(value), -1, places), first)
    coded = np.maximum.reduceat(np.where(code == GOOD_CODE, -1, places), first)
    return Column(
        t_ms[first],
        value[np.where(numbered < 0, first, numbered)],
        code[np.where(coded < 0, first, coded)],
    )


def encode_block(column: Column, slot: int) -> bytes:
    """Return the compressed block of a column that lies within one slot."""
    offsets = np.diff((column.t_ms - slot * SLOT_MS).astype(np.int32), prepend=np.int32(0))
    scale, first, numbers = _shortest(column.value)
    coded = bool(column.code.any())
    parts = [_by_significance(offsets), _by_significance(numbers)]
    if coded:
        parts.append(_by_significance(column.code.astype(np.uint32)))
    return _HEAD.pack(len(column.t_ms), scale, coded, first) + zlib.compress(b"".join(parts), _LEVEL)


def _shortest(value: npt.NDArray[np.float64]) -> tuple[int, int, npt.NDArray[Any]]:
    """Return (scale index, first, differences as int32) where that is exact, else (_RAW, 0, the floats)."""
    if not np.isfinite(value).all():
        return _RAW, 0, value
    for index, scale in enumerate(_SCALES):
        scaled = np.rint(value * scale)
        if np.abs(scaled).max(initial=0.0) >= _EXACT:
            break
        if np.array_equal(scaled / scale, value):
            steps = np.diff(scaled, prepend=scaled[:1])
            if np.abs(steps).max(initial=0.0) < 2**31:
                return index, int(scaled[0]), steps.astype(np.int32)
            break
    return _RAW, 0, value


def _by_significance(numbers: npt.NDArray[Any]) -> bytes:
    """Return all lowest bytes, then all next ones: like bytes stand together, which zlib wants."""
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), -1).T.tobytes()


def _from_significance(data: bytes, dtype: type[Any], count: int, at: int) -> npt.NDArray[Any]:
    size = np.dtype(dtype).itemsize
    table = np.frombuffer(data, np.uint8, count * size, at).reshape(size, count)
    numbers: npt.NDArray[Any] = np.ascontiguousarray(table.T).view(dtype).reshape(count)
    return numbers


def decode_block(block: bytes, slot: int) -> Column:
    """Return the column of a block."""
    count, scale, coded, first = _HEAD.unpack_from(block)
    data = zlib.decompress(block[_HEAD.size :])
    offsets = _from_significance(data, np.int32, count, 0)
    t_ms = slot * SLOT_MS + np.cumsum(offsets, dtype=np.int64)
    at = 4 * count
    value: npt.NDArray[np.float64]
    if scale == _RAW:
        value = _from_significance(data, np.float64, count, at)
        at += 8 * count
    else:
        steps = _from_significance(data, np.int32, count, at)
        value = (first + np.cumsum(steps, dtype=np.int64)) / _SCALES[scale]
        at += 4 * count
    code = _from_significance(data, np.uint32, count, at) if coded else np.zeros(count, np.uint32)
    return Column(t_ms, value, code)
