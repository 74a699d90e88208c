"""Readings of one signal as columns, and how the SQLite reading store packs an hour of them into a block.

Numbers whose decimal digits are few (an instrument's 0.01 MPa) become integers, then differences, so that zlib leaves
one to two bytes of a value; any other number stays a float, its bytes sorted by significance. Both are exact: the
encoder decodes and compares before it trusts the shorter form.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SLOT_MS = 3_600_000
"""Span of one block: an hour of a 1 s signal is some 4 KB, read in under 0.1 ms."""

GOOD_CODE = 0
NULL_CODE = 1
"""Codes of `good` and `bad:null`; the others are numbered by the store as they come."""

ZIP_LEVEL = 1
"""Level 6 saves 8 % more and takes four times as long."""
SCALES = (1.0, 10.0, 100.0, 1000.0)
_RAW = 255
_HEAD = struct.Struct("<IBBq")  # count, scale index or _RAW, flag: qualities follow, first scaled number
EXACT = float(2**53)
"""Below, a float holds every whole number."""


class Column(NamedTuple):
    """Readings of one signal by ascending time: epoch ms, value (NaN: none), quality code."""

    t_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    code: npt.NDArray[np.uint32]

    def between(self, start_ms: int, end_ms: int) -> Column:
        """Return the part in [start, end)."""
        low, high = np.searchsorted(self.t_ms, (start_ms, end_ms))
        return self.at(slice(low, high))

    def at(self, places: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Column:
        """Return some of the readings."""
        return Column(self.t_ms[places], self.value[places], self.code[places])


EMPTY = Column(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint32))


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
    scale, first, numbers = shortest(column.value)
    coded = bool(column.code.any())
    parts = [by_significance(offsets), by_significance(numbers)]
    if coded:
        parts.append(by_significance(column.code.astype(np.uint32)))
    return _HEAD.pack(len(column.t_ms), scale, coded, first) + zlib.compress(b"".join(parts), ZIP_LEVEL)


def decode_block(block: bytes, slot: int) -> Column:
    """Return the column of a block."""
    count, scale, coded, first = _HEAD.unpack_from(block)
    unpack = Unpacking(zlib.decompress(block[_HEAD.size :]), count)
    t_ms = slot * SLOT_MS + np.cumsum(unpack.array(np.int32), dtype=np.int64)
    value = unpack.numbers(scale, first)
    code = unpack.array(np.uint32) if coded else np.zeros(count, np.uint32)
    return Column(t_ms, value, code)


def shortest(value: npt.NDArray[np.float64]) -> tuple[int, int, npt.NDArray[Any]]:
    """Return (scale index, first, differences as int32) where that is exact, else (_RAW, 0, the floats)."""
    index, scaled = decimals(value)
    if scaled is None:
        return _RAW, 0, value
    steps = np.diff(scaled, prepend=scaled[:1])
    if np.abs(steps).max(initial=0.0) >= 2**31:
        return _RAW, 0, value
    return index, int(scaled[0]), steps.astype(np.int32)


def decimals(value: npt.NDArray[np.float64]) -> tuple[int, npt.NDArray[np.float64] | None]:
    """Return (scale index, the values as whole numbers) at the least scale at which all are whole, else (.., None)."""
    if not np.isfinite(value).all():
        return _RAW, None
    for index, scale in enumerate(SCALES):
        scaled = np.rint(value * scale)
        if np.abs(scaled).max(initial=0.0) >= EXACT:
            break
        if np.array_equal(scaled / scale, value):
            return index, scaled
    return _RAW, None


def by_significance(numbers: npt.NDArray[Any]) -> bytes:
    """Return all lowest bytes, then all next ones: like bytes stand together, which zlib wants."""
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), -1).T.tobytes()


class Unpacking:
    """Takes arrays of one length off unzipped bytes, in the order in which they were packed."""

    def __init__(self, data: bytes, count: int) -> None:
        self._data = data
        self._count = count
        self._at = 0

    def array(self, dtype: type[Any]) -> npt.NDArray[Any]:
        """Return the next array."""
        size = np.dtype(dtype).itemsize
        table = np.frombuffer(self._data, np.uint8, self._count * size, self._at).reshape(size, self._count)
        self._at += self._count * size
        numbers: npt.NDArray[Any] = np.ascontiguousarray(table.T).view(dtype).reshape(self._count)
        return numbers

    def numbers(self, scale: int, first: int) -> npt.NDArray[np.float64]:
        """Return the next array as `shortest` had it."""
        if scale == _RAW:
            return self.array(np.float64)
        whole: npt.NDArray[np.float64] = (first + np.cumsum(self.array(np.int32), dtype=np.int64)) / SCALES[scale]
        return whole
