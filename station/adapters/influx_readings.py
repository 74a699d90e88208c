"""The reading store in InfluxDB 2, through influxdb-client's synchronous calls.

Lines are written by hand (`line_protocol`) and answers read as CSV (`flux`): the client's own batching drops what it
could not send, and its row objects cost ten times a CSV row.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from station.adapters import flux
from station.adapters.clocks import wall_ms
from station.adapters.influx_answers import (
    is_number,
    message_of_point,
    newest_reading,
)
from station.adapters.influx_columns import NO_NUMBERS, NotOneSchemaError, read_numbers, table_of, table_of_messages
from station.adapters.influx_minutes import (
    late_task,
    minute_task,
    preamble,
    put_task,
    range_program,
    task_troubles,
)
from station.adapters.influx_past import IN_AREAS, InfluxPast
from station.adapters.reading_tables import ReadingTable
from station.adapters.windowing import MINUTE_MS
from station.domain.signals import Reading, UnitMessage
from station.ports import ServicePoint

MINUTES_RETENTION_S = 2 * 365 * 86_400
"""Of the bucket of minutes: contract section 4."""

_ROLL_UP_STEP_MS = 600_000
"""Of a question that waits for its answer: ten minutes of a whole station take some seconds."""

_ROW = frozenset({"result", "table"})
_FIRST_STEP_MS, _LONGEST_STEP_MS, _FEW_ROWS = 60_000, 3_600_000, 20_000
"""Steps of reading all signals of a station: a minute at first, then as long as keeps 20 000 .. 80 000 rows."""
_FEW_LINES = 100_000
"""As `_FEW_ROWS`, of rows that become columns: a line of them takes 30 bytes, not 300."""
_QUESTIONS = 2
"""Halves of a step asked for at a time: InfluxDB writes an answer on one core, we take a tenth of one to read it."""
_KEPT = ' |> keep(columns: ["_time", "_measurement", "unit", "_field", "_value"])'
_Part = TypeVar("_Part")


class InfluxReadings(InfluxPast):
    """A `ReadingStore` in one bucket of InfluxDB 2.

    Args:
        url: `http://host:8086` or `https://..`.
        token: May read and write the bucket; where the bucket is missing, may make it.
        org: Organisation by name.
        bucket: Bucket by name; minutes are kept in the bucket of this name and `_1m`.
        now_ms: Wall time, epoch ms.
    """

    writes_at_once = 2
    """Requests at a time: two bring 330 000 points/s on two cores, more of them nothing."""

    def __init__(self, url: str, token: str, org: str, bucket: str, now_ms: Callable[[], int] = wall_ms) -> None:
        super().__init__(url, token, org, bucket, now_ms)
        self.buckets = (bucket, self._minutes_bucket)

    def forget_before(self, t_ms: int) -> None:
        """Delete everything older than `t_ms`, points of our services too."""
        self._ready()
        self._delete_before(t_ms, self._bucket)

    def forget_station(self, station: str) -> None:
        """Delete everything of a station, in both buckets."""
        self._prepare_minutes()
        for bucket in self.buckets:
            self._delete_station(station, bucket)

    def forget_minutes_before(self, t_ms: int) -> None:
        """Delete minutes older than `t_ms`."""
        self._prepare_minutes()
        self._delete_before(t_ms, self._minutes_bucket)

    # -- minutes ------------------------------------------------------------------------------------------------

    def _prepare_minutes(self) -> None:
        self._ready()
        with self._faults():
            if self._client.buckets_api().find_bucket_by_name(self._minutes_bucket) is None:
                self._make_bucket(self._minutes_bucket, MINUTES_RETENTION_S)

    def install_minutes(self, states: Sequence[str]) -> None:
        """Make the bucket of minutes and the two tasks that fill it; what is there already is brought up to date.

        Args:
            states: Signals of which only last and count are kept.

        Raises:
            BadInputError: The token may not make buckets or tasks.
            StoreUnavailableError: InfluxDB does not answer.
        """
        self._prepare_minutes()
        definitions = preamble(self._bucket, self._minutes_bucket, self._org, states)
        follow, late = self._task_names()
        with self._faults(settings_are_final=True):
            put_task(self._client, self._org, follow, minute_task(definitions, follow))
            put_task(self._client, self._org, late, late_task(definitions, self._bucket, late))

    def _task_names(self) -> tuple[str, str]:
        return f"jinma: minutes of {self._bucket}", f"jinma: late minutes of {self._bucket}"

    def minutes_troubles(self) -> list[str]:
        """Return what keeps minutes from being worked out, a line each; nothing where all is well."""
        self._ready()
        troubles = (
            [] if self.retention_s(self._minutes_bucket) is not None else [f"bucket {self._minutes_bucket} is missing"]
        )
        with self._faults(settings_are_final=True):
            return troubles + task_troubles(self._client, self._org, self._task_names())

    def roll_up(self, start_ms: int, end_ms: int, states: Sequence[str] = ()) -> None:
        """Work out the minutes of [start, end) now, as the tasks do: for what was stored before they were there."""
        self._prepare_minutes()
        definitions = preamble(self._bucket, self._minutes_bucket, self._org, states)
        end_ms = -(-end_ms // MINUTE_MS) * MINUTE_MS
        for first_ms in range(start_ms - start_ms % MINUTE_MS, end_ms, _ROLL_UP_STEP_MS):
            self._records(range_program(definitions, first_ms, min(first_ms + _ROLL_UP_STEP_MS, end_ms)))

    # -- reading ------------------------------------------------------------------------------------------------

    def read_points(self, measurement: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> list[ServicePoint]:
        """Return points of a measurement, oldest first."""
        if end_ms <= start_ms:
            return []
        conditions = [flux.any_of("_measurement", [measurement])]
        conditions += [flux.any_of(name, [value]) for name, value in tags.items()]
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(*conditions)
        times = flux.Times()
        found: dict[tuple[int, tuple[tuple[str, str], ...]], dict[str, float | str]] = defaultdict(dict)
        # A schema of its own for strings and for numbers: two questions tell them apart for certain.
        for is_text, kind in ((False, "float"), (True, "string")):
            typed = f'import "types"\n{query} |> filter(fn: (r) => types.isType(v: r._value, type: "{kind}"))'
            for row in self._records(typed):
                own = tuple(
                    sorted((n, v) for n, v in row.items() if n and not n.startswith("_") and v and n not in _ROW)
                )
                value = row["_value"].replace("\r\n", "\n")  # its CSV writer makes two of one
                found[times.ms(row["_time"]), own][row["_field"]] = value if is_text else float(value)
        return [ServicePoint(measurement, dict(own), found[t_ms, own], t_ms) for t_ms, own in sorted(found)]

    def latest(self, station: str, signals: Sequence[str]) -> dict[str, Reading]:
        """Return the newest reading of each signal that has one."""
        wanted = set(signals)
        conditions = [flux.any_of("station", [station]), IN_AREAS]
        if len(wanted) <= 16:  # beyond, one look at all of the station is quicker than so long a condition
            conditions.append(
                flux.any_of("_field", [s + suffix for s in sorted(wanted) for suffix in ("", ".q")] or [""])
            )
        query = (
            flux.source(self._bucket)
            + flux.where(*conditions)
            + ' |> last() |> keep(columns: ["_time", "_field", "_value"])'
        )
        times = flux.Times()
        newest: dict[str, tuple[int, str]] = {}
        for row in self._records(query):
            if not row["_field"].endswith(".q") and not is_number(row["_value"]):
                continue
            found = (times.ms(row["_time"]), row["_value"])
            if row["_field"] not in newest or found[0] > newest[row["_field"]][0]:
                newest[row["_field"]] = found
        readings = {signal: newest_reading(signal, newest.get(signal), newest.get(f"{signal}.q")) for signal in wanted}
        return {signal: reading for signal, reading in readings.items() if reading}

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the stored messages in order of (t, area, unit); some ten thousand rows are held in memory."""
        for messages in self._stepwise(station, start_ms, end_ms, self._messages_between, _FEW_ROWS):
            yield from messages

    def tables(self, station: str, start_ms: int, end_ms: int) -> Iterator[ReadingTable]:
        """Yield the readings of [start, end) as columns, some hundred thousand at a time."""
        with ThreadPoolExecutor(_QUESTIONS, "influx-tables") as pool:

            def read(of: str, first_ms: int, last_ms: int) -> tuple[int, list[ReadingTable]]:
                middle_ms = (first_ms + last_ms) // 2
                halves = [(of, first_ms, middle_ms), (of, middle_ms, last_ms)]
                found = list(pool.map(self._table_between, *zip(*halves, strict=True)))
                return sum(len(table.t_ms) for table in found), found

            for tables in self._stepwise(station, start_ms, end_ms, read, _FEW_LINES):
                yield from tables

    def _stepwise(
        self, station: str, start_ms: int, end_ms: int, read: Callable[[str, int, int], tuple[int, _Part]], few: int
    ) -> Iterator[_Part]:
        """Yield what `read` gives of a range, in steps of `few` to four times as many rows; gaps are leapt over."""
        step = _FIRST_STEP_MS
        at = start_ms
        while at < end_ms:
            until = min(at + step, end_ms)
            rows, part = read(station, at, until)
            yield part
            at = until
            if rows == 0:
                ahead = self._first_time(station, at, end_ms)
                if ahead is None:
                    return
                at = ahead
            elif rows < few:
                step = min(2 * step, _LONGEST_STEP_MS)
            elif rows > 4 * few:
                step = max(step // 2, 1)

    def _table_between(self, station: str, start_ms: int, end_ms: int) -> ReadingTable:
        if end_ms <= start_ms:
            return table_of(NO_NUMBERS, ())
        source = flux.source(self._bucket, start_ms, end_ms)
        own = flux.any_of("station", [station])
        query = source + flux.where(own, IN_AREAS, r"r._field !~ /\.q$/") + _KEPT
        try:
            with self._answer(query) as lines:
                numbers = read_numbers(cast("io.BufferedReader", lines.buffer))
        except NotOneSchemaError:  # of an error the other way tells
            return table_of_messages(self._messages_between(station, start_ms, end_ms)[1])
        times = flux.Times()
        qualities = [
            ((row["_measurement"], row["unit"], row["_field"][:-2]), times.ms(row["_time"]), row["_value"])
            for row in self._records(source + flux.where(own, IN_AREAS, r"r._field =~ /\.q$/") + _KEPT)
        ]
        return table_of(numbers, qualities)

    def _messages_between(self, station: str, start_ms: int, end_ms: int) -> tuple[int, list[UnitMessage]]:
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), IN_AREAS)
        query += _KEPT
        times = flux.Times()
        points: dict[tuple[int, str, str], tuple[dict[str, float | None], dict[str, str]]] = defaultdict(
            lambda: ({}, {})
        )
        count = 0
        with self._answer(query) as lines:
            for header, rows in flux.tables(lines):
                places = [header.index(name) for name in ("_time", "_measurement", "unit", "_field", "_value")]
                at_time, at_area, at_unit, at_field, at_value = places
                for row in rows:
                    count += 1
                    field = row[at_field]
                    is_quality = field.endswith(".q")
                    if not is_quality and not is_number(row[at_value]):
                        continue
                    values, qualities = points[times.ms(row[at_time]), row[at_area], row[at_unit]]
                    if is_quality:
                        qualities[field[:-2]] = row[at_value]
                    else:
                        values[field] = float(row[at_value])
        return count, [message_of_point(station, key, *points[key]) for key in sorted(points)]

    def _first_time(self, station: str, start_ms: int, end_ms: int) -> int | None:
        times = self._edge_times(station, "first", start_ms, end_ms)
        return min(times, default=None)

    def _edge_times(self, station: str, edge: str, start_ms: int = 0, end_ms: int = flux.FAR_MS) -> list[int]:
        if end_ms <= start_ms:
            return []
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), IN_AREAS)
        times = flux.Times()
        return [times.ms(row["_time"]) for row in self._records(query + f' |> {edge}() |> keep(columns: ["_time"])')]

    def span(self, station: str) -> tuple[int, int] | None:
        """Return the times of the oldest and the newest message of a station."""
        first, last = self._edge_times(station, "first"), self._edge_times(station, "last")
        return (min(first), max(last)) if first and last else None

    def stations(self) -> list[str]:
        """Return the ids of stations that have readings, sorted."""
        query = (
            f'import "influxdata/influxdb/schema"\nschema.tagValues(bucket: {flux.text(self._bucket)}, tag: "station", '
            f"predicate: (r) => {IN_AREAS}, start: {flux.moment(0)}, stop: {flux.moment(flux.FAR_MS)})"
        )
        return sorted(row["_value"] for row in self._records(query))
