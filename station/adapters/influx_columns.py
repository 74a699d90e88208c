"""InfluxDB's answers as columns: Arrow reads the CSV, numpy puts it in order; no row is touched by Python."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from station.adapters.reading_tables import ReadingTable
from station.domain.signals import BAD_NULL, GOOD, UnitMessage

COLUMNS: Final = ("_time", "_measurement", "unit", "_field", "_value")
_TIME_BITS: Final = 44
"""Of a key (place of the signal, t): times end in 2255, under 2^43 ms."""

Series = tuple[str, str, str]
"""(area, unit, signal)."""
Quality = tuple[Series, int, str]
"""Of what and when, and its text."""


class Numbers(NamedTuple):
    """Values as they came: t, place in `series`, value."""

    t_ms: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    series: Sequence[Series]


NO_NUMBERS: Final = Numbers(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), ())


class NotOneSchemaError(Exception):
    """An answer holds more than numbers: text that another program wrote, or an error."""


def read_numbers(answer: io.BufferedReader) -> Numbers:
    """Return the numbers of an answer in CSV.

    Raises:
        NotOneSchemaError: It holds something else too; the answer is then not read to its end.
    """
    import pyarrow as pa  # noqa: PLC0415 - half a second that only whole stations need
    from pyarrow import csv  # noqa: PLC0415

    if not answer.peek(1).strip():
        return NO_NUMBERS
    words = pa.dictionary(pa.int32(), pa.string())
    types = {"_time": pa.timestamp("ms", "UTC"), "_value": pa.float64()} | dict.fromkeys(COLUMNS[1:4], words)
    convert = csv.ConvertOptions(column_types=types, include_columns=list(COLUMNS))
    try:
        table = csv.read_csv(answer, convert_options=convert).unify_dictionaries().combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise NotOneSchemaError from error
    if not len(table):
        return NO_NUMBERS
    t_ms, area, unit, field, value = (table.column(name).chunk(0) for name in COLUMNS)
    code = np.zeros(len(table), np.int64)
    for column in (area, unit, field):
        code = code * len(column.dictionary) + column.indices.to_numpy()
    found, place = np.unique(code, return_inverse=True)
    texts = [column.dictionary.to_pylist() for column in (area, unit, field)]
    series = [_series(number, texts) for number in found.tolist()]
    times = t_ms.cast(pa.int64()).to_numpy()
    return Numbers(times, place.astype(np.int64), value.to_numpy(zero_copy_only=False), series)


def _series(code: int, texts: Sequence[Sequence[str]]) -> Series:
    rest, field = divmod(code, len(texts[2]))
    area, unit = divmod(rest, len(texts[1]))
    return texts[0][area], texts[1][unit], texts[2][field]


def table_of(numbers: Numbers, qualities: Sequence[Quality]) -> ReadingTable:
    """Return numbers and qualities as one table: a quality without a number belongs to a null."""
    series = sorted({*numbers.series, *(own for own, _, _ in qualities)})
    place_of = {own: place for place, own in enumerate(series)}
    moved = np.array([place_of[own] for own in numbers.series], np.int64)
    key = (moved[numbers.place] << _TIME_BITS | numbers.t_ms) if len(numbers.place) else numbers.place
    order = np.argsort(key, kind="stable")
    key, value = key[order], numbers.value[order].copy()
    texts: dict[str, int] = {GOOD: 0}
    quality = np.zeros(len(key), np.int32)
    lone: dict[int, int] = {}
    for own, t_ms, text in qualities:
        wanted = place_of[own] << _TIME_BITS | t_ms
        at = int(np.searchsorted(key, wanted))
        code = texts.setdefault(text, len(texts))
        if at == len(key) or key[at] != wanted:
            lone[wanted] = code
            continue
        quality[at] = code
        if text == BAD_NULL:
            value[at] = np.nan
    key = np.concatenate([key, np.array(list(lone), np.int64)])
    value = np.concatenate([value, np.full(len(lone), np.nan)])
    quality = np.concatenate([quality, np.array(list(lone.values()), np.int32)])
    return _in_order(key, value, quality, series, list(texts))


def _in_order(
    key: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.int32],
    series: Sequence[Series],
    texts: Sequence[str],
) -> ReadingTable:
    """Return the table in the order of (t, area, unit); series are sorted, and with them their units."""
    place, t_ms = key >> _TIME_BITS, key & ((1 << _TIME_BITS) - 1)
    order = np.lexsort((place, t_ms))
    units = list(dict.fromkeys((area, unit) for area, unit, _ in series))
    rank_of = {unit: rank for rank, unit in enumerate(units)}
    rank = np.array([rank_of[area, unit] for area, unit, _ in series], np.int32)
    place = place[order]
    return ReadingTable(
        t_ms[order],
        rank[place] if len(series) else place.astype(np.int32),
        place.astype(np.int32),
        value[order],
        quality[order],
        units,
        [signal for _, _, signal in series],
        texts,
    )


def table_of_messages(messages: Sequence[UnitMessage]) -> ReadingTable:
    """Return the readings of messages as a table."""
    said = [(*message.key, one) for message in messages for one in message.readings()]
    series = sorted({(area, unit, one.signal) for area, unit, one in said})
    place_of = {own: place for place, own in enumerate(series)}
    place = np.array([place_of[area, unit, one.signal] for area, unit, one in said], np.int64)
    numbers = Numbers(
        np.array([one.t_ms for _, _, one in said], np.int64),
        place,
        np.array([np.nan if one.value is None else one.value for _, _, one in said], np.float64),
        series,
    )
    return table_of(numbers, [((a, u, one.signal), one.t_ms, one.quality) for a, u, one in said if one.quality != GOOD])
