"""Logs as parquet (contract section 8): the long form, a row a reading, strings as dictionaries, times as timestamps.

Rows are gathered by the pattern of their message (unit and signals), so that a message costs one look-up and its values
go into columns by numpy, not one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from station.adapters.log_records import Found, Gathering, OnBadLine, ReadingRecords, Readings, Records, quality_of
from station.adapters.reading_tables import ReadingTable
from station.domain.signals import AREAS, GOOD
from station.errors import BadInputError
from station.wire.topics import ReadingTopic

MAGIC: Final = b"PAR1"
_HEADER: Final = b"log"
_ROWS_A_GROUP: Final = 500_000
"""Some 25 MB in memory while it is gathered."""
_ROWS_A_BATCH: Final = 250_000
"""Of columns that are there already: some twenty minutes of a station."""
_STRINGS: Final = ("station", "area", "unit", "signal", "quality")
_READ_ROWS: Final = 65_536

Codes = npt.NDArray[np.int32]


def write_parquet(file: IO[bytes], records: Records, header: Mapping[str, object]) -> int:
    """Write the readings of a log in row groups; return how many records there were."""
    schema = _schema(header)
    readings = ReadingRecords(records)
    columns = _Columns()
    with _writer(file, schema) as writer:
        for topic, said in readings:
            columns.add(topic, said)
            if columns.rows >= _ROWS_A_GROUP:
                writer.write_batch(columns.batch(schema), _ROWS_A_GROUP * 2)
        if columns.rows:
            writer.write_batch(columns.batch(schema), _ROWS_A_GROUP * 2)
    return readings.count


def write_parquet_tables(
    file: IO[bytes], station: str, tables: Iterable[ReadingTable], header: Mapping[str, object]
) -> None:
    """Write the readings of a station that come as columns, each table as a row group or more."""
    schema = _schema(header)
    with _writer(file, schema) as writer:
        for table in tables:
            _write_table(writer, station, table, schema)
            del table  # it need not be held while the next is read


def _write_table(writer: Any, station: str, table: ReadingTable, schema: Any) -> None:
    for first in range(0, len(table.t_ms), _ROWS_A_BATCH):
        part = table.at(slice(first, first + _ROWS_A_BATCH))
        writer.write_batch(_table_batch(station, part, schema), _ROWS_A_BATCH)


def _table_batch(station: str, table: ReadingTable, schema: Any) -> Any:
    tags = _Words()
    own = np.array([tags.of(tag) for tag in table.tags], np.int32)  # a tag that moved to another unit has two places
    areas = _Words()
    area = np.array([areas.of(name) for name, _ in table.units], np.int32)
    columns: dict[str, tuple[Codes, Sequence[str]]] = {
        "station": (np.zeros(len(table.t_ms), np.int32), [station]),
        "area": (area[table.unit], list(areas.number)),
        "unit": (table.unit, [unit for _, unit in table.units]),
        "signal": (own[table.signal], list(tags.number)),
        "quality": (table.quality, table.qualities),
    }
    return _batch(table.t_ms, table.value, columns, schema)


def _batch(
    t_ms: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    columns: Mapping[str, tuple[Codes, Sequence[str]]],
    schema: Any,
) -> Any:
    """Return an Arrow batch; each column of strings comes as (place in its words, the words)."""
    import pyarrow as pa  # noqa: PLC0415

    arrays = {
        name: pa.DictionaryArray.from_arrays(pa.array(code), pa.array(words, pa.string()))
        for name, (code, words) in columns.items()
    }
    arrays["t"] = pa.array(t_ms.view("datetime64[ms]")).cast(schema.field("t").type)
    arrays["value"] = pa.array(value, mask=np.isnan(value))
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _schema(header: Mapping[str, object]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - half a second that only this format needs

    words = pa.dictionary(pa.int32(), pa.string())
    fields = [pa.field(name, words, nullable=False) for name in _STRINGS]
    time = pa.field("t", pa.timestamp("ms", "UTC"), nullable=False)
    fields = [time, *fields[:4], pa.field("value", pa.float64()), fields[4]]
    return pa.schema(fields, {_HEADER: json.dumps(dict(header), ensure_ascii=False).encode()})


def _writer(file: IO[bytes], schema: Any) -> Any:
    from pyarrow import parquet  # noqa: PLC0415

    return parquet.ParquetWriter(file, schema, compression="zstd", use_dictionary=list(_STRINGS))


class _Words:
    """Strings of one column and their numbers."""

    def __init__(self, *known: str) -> None:
        self.number = {word: place for place, word in enumerate(known)}

    def of(self, word: str) -> int:
        return self.number.setdefault(word, len(self.number))


class _Columns:
    """The rows of one row group, and what all of them have in common."""

    def __init__(self) -> None:
        self.rows = 0
        self._words = {name: _Words() for name in _STRINGS}
        self._words["quality"].of(GOOD)
        self._patterns: dict[tuple[str, tuple[str, ...]], int] = {}
        self._sizes: list[int] = []
        self._places: list[tuple[int, int, int]] = []
        self._signals: list[int] = []
        self._clear()

    def _clear(self) -> None:
        self.rows = 0
        self._t: list[int] = []
        self._pattern: list[int] = []
        self._values: list[float | None] = []
        self._doubtful: list[tuple[int, int]] = []

    def add(self, topic: str, said: Readings) -> None:
        """Take the readings of one message."""
        key = (topic, tuple(said.v))
        pattern = self._patterns.get(key)
        if pattern is None:
            pattern = self._new_pattern(*key)
        values = said.v.values()
        if said.q or None in values:
            quality = self._words["quality"]
            for place, (signal, value) in enumerate(said.v.items()):
                if (text := quality_of(said, signal, value)) != GOOD:
                    self._doubtful.append((self.rows + place, quality.of(text)))
        self._t.append(said.t)
        self._pattern.append(pattern)
        self._values.extend(values)
        self.rows += len(values)

    def _new_pattern(self, topic: str, signals: tuple[str, ...]) -> int:
        station, area, unit = topic.split("/")[2:]
        words = self._words
        self._places.append((words["station"].of(station), words["area"].of(area), words["unit"].of(unit)))
        self._signals += map(words["signal"].of, signals)
        self._sizes.append(len(signals))
        self._patterns[topic, signals] = len(self._patterns)
        return len(self._patterns) - 1

    def batch(self, schema: Any) -> Any:
        """Return the rows as an Arrow batch, and begin anew."""
        value = np.array(self._values, dtype=np.float64)
        columns = {name: (code, list(self._words[name].number)) for name, code in self._codes().items()}
        sizes = np.array(self._sizes)[self._pattern]
        t_ms = np.repeat(np.array(self._t, dtype=np.int64), sizes)
        self._clear()
        return _batch(t_ms, value, columns, schema)

    def _codes(self) -> dict[str, Codes]:
        """Return the numbers of every column of strings, a row each."""
        pattern = np.array(self._pattern)
        sizes = np.array(self._sizes)
        size = sizes[pattern]
        firsts = np.cumsum(sizes) - sizes
        within = np.arange(self.rows) - np.repeat(np.cumsum(size) - size, size)
        by_pattern = np.repeat(pattern, size)
        places = np.array(self._places, dtype=np.int32)[by_pattern]
        quality = np.zeros(self.rows, dtype=np.int32)
        if self._doubtful:
            rows, texts = np.array(self._doubtful, dtype=np.int32).T
            quality[rows] = texts
        return {
            "station": places[:, 0],
            "area": places[:, 1],
            "unit": places[:, 2],
            "signal": np.array(self._signals, dtype=np.int32)[firsts[by_pattern] + within],
            "quality": quality,
        }


def parquet_header(path: Path) -> dict[str, object] | None:
    """Return what made a log, None where it does not say.

    Raises:
        BadInputError: It is no parquet file.
    """
    said = (_opened(path).schema_arrow.metadata or {}).get(_HEADER)
    try:
        found = None if said is None else json.loads(said)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def parquet_rows(path: Path) -> int:
    """Return how many rows a file has.

    Raises:
        BadInputError: It is no parquet file.
    """
    return int(_opened(path).metadata.num_rows)


def read_parquet(path: Path, tell: OnBadLine) -> Iterator[Found]:
    """Yield the messages of a long-form file; a row that is no reading is told of by its number from 1.

    Raises:
        BadInputError: It is no parquet file, or has other columns.
    """
    file = _opened(path)
    missing = {"t", "station", "area", "unit", "signal", "value"} - set(file.schema_arrow.names)
    if missing:
        raise BadInputError(f"cannot read {path}: it has no column {', '.join(sorted(missing))}")
    gathered, number = Gathering(), 0
    for batch in _batches(file, tell):
        for place, t_ms, signal, value, quality in _rows(batch):
            number += 1
            if place.area not in AREAS or None in (*place, signal, t_ms) or "/" in place.unit:
                tell(number, f"is no reading: {', '.join(map(str, place))}")
            elif value is not None and value - value != 0.0:
                tell(number, f"is no reading: {signal} = {value}: must be finite")
            elif (found := gathered.take(number, place, t_ms, signal, value, quality)) is not None:
                yield found
    if (found := gathered.rest()) is not None:
        yield found


def _batches(file: Any, tell: OnBadLine) -> Iterator[Any]:
    """Yield the batches of a file; a row group that is damaged is told of and left out."""
    first = 1
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        try:
            yield from file.iter_batches(_READ_ROWS, row_groups=[group])
        except OSError as error:  # Arrow's own errors of damage are of this class
            tell(first, f"or another of the {count} from there on is damaged, and they are left out: {error}")
        first += count


def _opened(path: Path) -> Any:
    from pyarrow import lib, parquet  # noqa: PLC0415

    try:
        return parquet.ParquetFile(path)
    except (lib.ArrowInvalid, OSError) as error:
        raise BadInputError(f"cannot read {path}: {error}") from error


def _rows(batch: Any) -> Iterator[tuple[ReadingTopic, int, str, float | None, str]]:
    import pyarrow as pa  # noqa: PLC0415

    columns = {name: batch.column(name) for name in batch.schema.names}
    t_ms = columns["t"].cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    names = [columns[name].cast(pa.string()).to_pylist() for name in ("station", "area", "unit", "signal")]
    values = columns["value"].cast(pa.float64()).to_pylist()
    said = columns["quality"].cast(pa.string()).to_pylist() if "quality" in columns else [None] * len(values)
    for t, station, area, unit, signal, value, quality in zip(t_ms, *names, values, said, strict=True):
        number = None if value is None or isnan(value) else value
        yield ReadingTopic(station, area, unit), t, signal, number, quality or ("bad:null" if number is None else GOOD)
