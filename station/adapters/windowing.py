"""Aggregates over windows of time, on whole columns, and the minutes that are kept of them when readings have gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import EXACT, SCALES, Column, decimals
from station.domain.signals import quality_rank
from station.errors import BadInputError
from station.ports import Aggregate, Course, Minute, ReadingStore, Window

AGGREGATES: tuple[Aggregate, ...] = ("mean", "min", "max", "last", "count")
MINUTE_MS: Final = 60_000
_Floats = npt.NDArray[np.float64]
_Places = npt.NDArray[np.int64]
TextOf = Callable[[int], str]
"""Names a quality code."""


class OutOfCourses:
    """A store whose windows of one signal and one aggregate are a course with one number."""

    def windows(
        self: ReadingStore,
        station: str,
        signal: str,
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregate: Aggregate,
        offset_ms: int = 0,
    ) -> list[Window]:
        """Return non-empty windows; see `ReadingStore.windows`."""
        (course,) = self.courses(station, [signal], start_ms, end_ms, every_ms, [aggregate], offset_ms)
        return course.windows(aggregate)


class Minutes(NamedTuple):
    """What is kept of a signal's minutes, or of longer steps, by ascending time; one without readings has no place.

    Attributes:
        t_ms: Start, epoch ms.
        count: Good and uncertain values.
        bad: Readings that are bad, null among them.
        total, low, high, last: Sum, least, greatest and last of the counted values; NaN where none was.
        code: Worst quality.
    """

    t_ms: _Places
    counted: _Places
    bad: _Places
    total: _Floats
    low: _Floats
    high: _Floats
    last: _Floats
    code: npt.NDArray[np.uint32]

    def at(self, places: npt.NDArray[np.bool_] | _Places | slice) -> Minutes:
        """Return some of the minutes."""
        return Minutes(
            self.t_ms[places], self.counted[places], self.bad[places], self.total[places],
            self.low[places], self.high[places], self.last[places], self.code[places],
        )  # fmt: skip

    def told(self) -> list[Minute]:
        """Return the minutes as whoever asks a store for them sees them."""
        mean = self.total / np.maximum(self.counted, 1)
        columns = (self.t_ms, mean, self.low, self.high, self.last, self.counted, self.bad)
        return [
            Minute(t_ms, mean, low, high, last, count, bad) if count else Minute(t_ms, None, None, None, None, 0, bad)
            for t_ms, mean, low, high, last, count, bad in zip(*(column.tolist() for column in columns), strict=True)
        ]


def _or_none(numbers: list[float | None], empty: Sequence[int]) -> list[float | None]:
    for place in empty:
        numbers[place] = None
    return numbers


def _told(code: npt.NDArray[np.uint32], coded: Mapping[int, str]) -> Iterator[str]:
    """Yield the text of each code."""
    if len(coded) == 1:
        return repeat(next(iter(coded.values())), len(code))
    return map(coded.__getitem__, code.tolist())


_NO_PLACES: Final = np.empty(0, np.int64)
_NO_NUMBERS: Final = np.empty(0, np.float64)
NO_MINUTES: Final = Minutes(
    _NO_PLACES, _NO_PLACES, _NO_PLACES, _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, np.empty(0, np.uint32)
)


def minutes_of(column: Column, text_of: TextOf, step_ms: int = MINUTE_MS, offset_ms: int = 0) -> Minutes:
    """Return the minutes, or other steps, of some readings."""
    number = (column.t_ms - offset_ms) // step_ms
    first = _firsts(number)
    coded = _texts(column.code, text_of)
    kept = _counted(column, coded)
    if not len(first):
        return NO_MINUTES
    count = np.add.reduceat(kept, first, dtype=np.int64)
    readings = np.diff(first, append=len(number))
    low, high, last = (_aggregate(column.value, kept, first, name) for name in ("min", "max", "last"))
    total = _totals(np.where(kept, column.value, 0.0), first)
    worst = _worst(column.code, first, coded)
    begun = number[first] * step_ms + offset_ms
    return Minutes(begun, count, readings - count, total, low, high, last, worst)


def strung(parts: Sequence[Minutes]) -> Minutes:
    """Return minutes one after the other."""
    columns: list[Any] = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Minutes(*columns) if columns else NO_MINUTES


def coarser(minutes: Minutes, text_of: TextOf, step_ms: int, offset_ms: int = 0) -> Minutes:
    """Return minutes put together to longer steps; both `step_ms` and `offset_ms` are whole minutes."""
    number = (minutes.t_ms - offset_ms) // step_ms
    first = _firsts(number)
    if not len(first):
        return NO_MINUTES
    kept = minutes.counted > 0
    low, high, last = (
        _aggregate(value, kept, first, name)
        for value, name in ((minutes.low, "min"), (minutes.high, "max"), (minutes.last, "last"))
    )
    worst = _worst(minutes.code, first, _texts(minutes.code, text_of))
    counted, bad = np.add.reduceat(minutes.counted, first), np.add.reduceat(minutes.bad, first)
    total = _totals(np.where(kept, minutes.total, 0.0), first)
    return Minutes(number[first] * step_ms + offset_ms, counted, bad, total, low, high, last, worst)


def replaced(old: Minutes, new: Minutes) -> Minutes:
    """Return the steps of both in order of time; of the same one the new."""
    if not len(old.t_ms) or not len(new.t_ms):
        return new if len(new.t_ms) else old
    # New steps mostly stand at the end: what lies before them is neither looked through nor put in order.
    at = int(np.searchsorted(old.t_ms, new.t_ms[0]))
    rest = old.at(slice(at, None))
    tail = strung([rest.at(~np.isin(rest.t_ms, new.t_ms)), new])
    return strung([old.at(slice(at)), tail.at(np.argsort(tail.t_ms))])


def joined(old: Minutes, new: Minutes) -> Minutes:
    """Return the minutes of both; of the same minute the one with more readings, the new one where both have as many.

    Readings only ever come to be more, until they are forgotten: what is worked out of the rest then replaces nothing.
    """
    whole = strung([old, new])
    is_new = np.arange(len(whole.t_ms)) >= len(old.t_ms)
    order = np.lexsort((is_new, whole.counted + whole.bad, whole.t_ms))
    t_ms = whole.t_ms[order]
    return whole.at(order[np.diff(t_ms, append=np.iinfo(np.int64).max) != 0])


def course_of_minutes(
    minutes: Minutes, text_of: TextOf, every_ms: int, aggregates: Sequence[Aggregate], offset_ms: int
) -> Course:
    """Return the windows that hold minutes; both `every_ms` and `offset_ms` are whole minutes."""
    number = (minutes.t_ms - offset_ms) // every_ms
    first = _firsts(number)
    if not len(first):
        return Course([], {name: [] for name in aggregates}, [])
    values = {name: _of_minutes(minutes, first, name) for name in aggregates}
    coded = _texts(minutes.code, text_of)
    return _course(number[first] * every_ms + offset_ms, values, _worst(minutes.code, first, coded), coded)


def _of_minutes(minutes: Minutes, first: _Places, aggregate: Aggregate) -> _Floats:
    if aggregate in ("mean", "count"):
        counted = np.add.reduceat(minutes.counted, first)
        value = counted if aggregate == "count" else _totals(minutes.total, first) / np.maximum(counted, 1)
        return np.where(counted > 0, value, np.nan)
    source = {"min": minutes.low, "max": minutes.high, "last": minutes.last}[aggregate]
    return _aggregate(source, minutes.counted > 0, first, aggregate)


def check_windows(every_ms: int, aggregates: Sequence[Aggregate]) -> None:
    """Refuse a question that no store can answer.

    Raises:
        BadInputError: `every_ms` is not positive, or an aggregate unknown.
    """
    if every_ms <= 0:
        raise BadInputError(f"every {every_ms} ms: must be positive")
    for aggregate in set(aggregates).difference(AGGREGATES):
        raise BadInputError(f"aggregate {aggregate!r}: must be one of {', '.join(AGGREGATES)}")


def course_of_readings(
    column: Column, text_of: TextOf, every_ms: int, aggregates: Sequence[Aggregate], offset_ms: int
) -> Course:
    """Return the windows that hold readings."""
    number = (column.t_ms - offset_ms) // every_ms
    first = _firsts(number)
    if not len(first):
        return Course([], {name: [] for name in aggregates}, [])
    coded = _texts(column.code, text_of)
    kept = _counted(column, coded)
    values = {name: _aggregate(column.value, kept, first, name) for name in aggregates}
    return _course(number[first] * every_ms + offset_ms, values, _worst(column.code, first, coded), coded)


def _course(
    starts: _Places, values: Mapping[Aggregate, _Floats], worst: npt.NDArray[np.uint32], coded: Mapping[int, str]
) -> Course:
    numbers = {
        name: _or_none(value.tolist(), np.flatnonzero(np.isnan(value)).tolist()) for name, value in values.items()
    }
    return Course(starts.tolist(), numbers, list(_told(worst, coded)))


def _firsts(number: _Places) -> _Places:
    """Return where each run of equal numbers begins."""
    return np.flatnonzero(np.diff(number, prepend=number[:1] - 1))


def _texts(code: npt.NDArray[np.uint32], text_of: TextOf) -> dict[int, str]:
    if len(code) and not code.any():
        return {0: text_of(0)}
    return {one: text_of(one) for one in np.unique(code).tolist()}


def _counted(column: Column, coded: Mapping[int, str]) -> npt.NDArray[np.bool_]:
    """Return which readings go into aggregates."""
    bad = [code for code, text in coded.items() if quality_rank(text) == 2]
    return ~np.isnan(column.value) & ~np.isin(column.code, bad) if bad else ~np.isnan(column.value)


def _totals(value: _Floats, first: _Places) -> _Floats:
    """Return sums; those of decimals are exact, so that they do not depend on how readings were put together."""
    index, whole = decimals(value)
    with np.errstate(over="ignore"):
        if whole is not None and np.abs(whole).max() * len(whole) < EXACT:
            return np.add.reduceat(whole, first) / SCALES[index]
        return np.add.reduceat(value, first)


def _aggregate(value: _Floats, kept: npt.NDArray[np.bool_], first: _Places, aggregate: str) -> _Floats:
    """Return one number a window over the kept values, NaN where none was kept."""
    if kept.all() and aggregate in _OF_ALL:
        return _OF_ALL[aggregate](value, first)
    counted = np.add.reduceat(kept, first, dtype=np.int64)
    if aggregate == "count":
        result = counted.astype(np.float64)
    elif aggregate == "mean":
        result = _totals(np.where(kept, value, 0.0), first) / np.maximum(counted, 1)
    elif aggregate == "min":
        result = np.minimum.reduceat(np.where(kept, value, np.inf), first)
    elif aggregate == "max":
        result = np.maximum.reduceat(np.where(kept, value, -np.inf), first)
    else:
        last = np.maximum.reduceat(np.where(kept, np.arange(len(value)), 0), first)
        result = value[last]
    return np.where(counted > 0, result, np.nan)


# Where every value counts, which is nearly always, there is nothing to leave out: a third of the time.
_OF_ALL: Final[Mapping[str, Callable[[_Floats, _Places], _Floats]]] = {
    "min": np.minimum.reduceat,
    "max": np.maximum.reduceat,
    "last": lambda value, first: value[np.append(first[1:], len(value)) - 1],
}


def _worst(code: npt.NDArray[np.uint32], first: _Places, coded: Mapping[int, str]) -> npt.NDArray[np.uint32]:
    """Return the worst code of each run."""
    if len(coded) == 1:
        return code[first]
    # Codes ranked by how bad they are, so that the worst of a window is its largest rank.
    ranked = np.array(sorted(coded, key=lambda one: (quality_rank(coded[one]), coded[one])), np.uint32)
    rank_of = np.zeros(max(coded) + 1, np.int64)
    rank_of[ranked] = np.arange(len(ranked))
    return ranked[np.maximum.reduceat(rank_of[code], first)]
