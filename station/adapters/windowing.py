"""Aggregates over windows of time, on whole columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import Column
from station.domain.signals import GOOD, quality_rank
from station.errors import BadInputError
from station.ports import Aggregate, Window

AGGREGATES: tuple[Aggregate, ...] = ("mean", "min", "max", "last", "count")
_Floats = npt.NDArray[np.float64]


def check_windows(every_ms: int, aggregate: Aggregate) -> None:
    """Refuse a question that no store can answer.

    Raises:
        BadInputError: `every_ms` is not positive, or `aggregate` unknown.
    """
    if every_ms <= 0:
        raise BadInputError(f"every {every_ms} ms: must be positive")
    if aggregate not in AGGREGATES:
        raise BadInputError(f"aggregate {aggregate!r}: must be one of {', '.join(AGGREGATES)}")


def windows_of(
    column: Column, text_of: Callable[[int], str], every_ms: int, aggregate: Aggregate, offset_ms: int
) -> list[Window]:
    """Return the windows that hold readings; `text_of` names a quality code."""
    check_windows(every_ms, aggregate)
    if not len(column.t_ms):
        return []
    number = (column.t_ms - offset_ms) // every_ms
    first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    starts = (number[first] * every_ms + offset_ms).tolist()
    coded = {code: text_of(code) for code in np.unique(column.code).tolist()}
    bad = [code for code, text in coded.items() if quality_rank(text) == 2]
    kept = ~np.isnan(column.value) & ~np.isin(column.code, bad)
    values = _aggregate(column.value, kept, first, aggregate)
    qualities = _worst_of_windows(column.code, first, coded)
    return [
        Window(t_ms, None if value != value else value, quality)  # noqa: PLR0124 - NaN stands for none
        for t_ms, value, quality in zip(starts, values.tolist(), qualities, strict=True)
    ]


def _aggregate(value: _Floats, kept: npt.NDArray[np.bool_], first: npt.NDArray[np.int64], aggregate: str) -> _Floats:
    """Return one number a window over the kept values, NaN where none was kept."""
    counted = np.add.reduceat(kept.astype(np.int64), first)
    if aggregate == "count":
        result = counted.astype(np.float64)
    elif aggregate == "mean":
        result = np.add.reduceat(np.where(kept, value, 0.0), first) / np.maximum(counted, 1)
    elif aggregate == "min":
        result = np.minimum.reduceat(np.where(kept, value, np.inf), first)
    elif aggregate == "max":
        result = np.maximum.reduceat(np.where(kept, value, -np.inf), first)
    else:
        last = np.maximum.reduceat(np.where(kept, np.arange(len(value)), 0), first)
        result = value[last]
    return np.where(counted > 0, result, np.nan)


def _worst_of_windows(code: npt.NDArray[np.uint32], first: npt.NDArray[np.int64], coded: dict[int, str]) -> list[str]:
    if set(coded.values()) == {GOOD}:
        return [GOOD] * len(first)
    # Codes ranked by how bad they are, so that the worst of a window is its largest rank.
    ranked = sorted(coded, key=lambda one: (quality_rank(coded[one]), coded[one]))
    rank_of = np.zeros(max(coded) + 1, np.int64)
    rank_of[ranked] = np.arange(len(ranked))
    return [coded[ranked[rank]] for rank in np.maximum.reduceat(rank_of[code], first).tolist()]
