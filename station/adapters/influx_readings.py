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

from influxdb_client.rest import ApiException

from station.adapters import flux
from station.adapters.clocks import wall_ms
from station.adapters.influx_answers import (
    is_number,
    joined_windows,
    message_of_point,
    newest_reading,
    windows_of_readings,
    windows_told,
)
from station.adapters.influx_columns import NO_NUMBERS, NotOneSchemaError, read_numbers, table_of, table_of_messages
from station.adapters.influx_minutes import (
    MINUTE_FIELDS,
    late_task,
    minute_task,
    minutes_as_columns,
    minutes_told,
    preamble,
    put_task,
    range_program,
    task_troubles,
)
from station.adapters.influx_windows import LONG_MS, SETTLED_MS, question, sure_windows, unsure
from station.adapters.influx_writing import InfluxWriting
from station.adapters.point_rules import Stored, visible, worst
from station.adapters.reading_tables import ReadingTable
from station.adapters.windowing import AGGREGATES, MINUTE_MS, check_windows, course_of, windows_of_minutes
from station.domain.signals import AREAS, GOOD, Reading, UnitMessage, quality_rank
from station.errors import StoreUnavailableError
from station.ports import Aggregate, Course, Minute, ServicePoint, Window

MINUTES_RETENTION_S = 2 * 365 * 86_400
"""Of the bucket of minutes: contract section 4."""

_ROLL_UP_STEP_MS = 600_000
"""Of a question that waits for its answer: ten minutes of a whole station take some seconds."""

_IN_AREAS = flux.any_of("_measurement", AREAS)
_ROW = frozenset({"result", "table"})
_FIRST_STEP_MS, _LONGEST_STEP_MS, _FEW_ROWS = 60_000, 3_600_000, 20_000
"""Steps of reading all signals of a station: a minute at first, then as long as keeps 20 000 .. 80 000 rows."""
_FEW_LINES = 100_000
"""As `_FEW_ROWS`, of rows that become columns: a line of them takes 30 bytes, not 300."""
_QUESTIONS = 2
"""Halves of a step asked for at a time: InfluxDB writes an answer on one core, we take a tenth of one to read it."""
_KEPT = ' |> keep(columns: ["_time", "_measurement", "unit", "_field", "_value"])'
_Part = TypeVar("_Part")


class InfluxReadings(InfluxWriting):
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
        self._minutes_bucket = f"{bucket}_1m"
        self.buckets = (bucket, self._minutes_bucket)

    def forget_before(self, t_ms: int) -> None:
        """Delete everything older than `t_ms`, points of our services too."""
        self._ready()
        self._delete_before(t_ms, self._bucket)

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

    def minutes(self, station: str, signal: str, start_ms: int, end_ms: int) -> list[Minute]:
        """Return minutes of a signal, oldest first; none where no task was installed."""
        first_ms, last_ms = (-(-edge // MINUTE_MS) * MINUTE_MS for edge in (start_ms, end_ms))
        if last_ms <= first_ms:
            return []
        fields = flux.any_of("_field", [signal + suffix for suffix in MINUTE_FIELDS])
        query = flux.source(self._minutes_bucket, first_ms, last_ms)
        query += flux.where(flux.any_of("station", [station]), _IN_AREAS, fields)
        try:
            return minutes_told(self._records(query))
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, ApiException) and error.__cause__.status == 404:
                return []
            raise

    # -- reading ------------------------------------------------------------------------------------------------

    def _of(self, station: str, signal: str, start_ms: int, end_ms: int, *, suffixes: Sequence[str] = ("",)) -> str:
        """Return the source of a signal's fields."""
        fields = flux.any_of("_field", [signal + suffix for suffix in suffixes])
        return flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), fields)

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
        conditions = [flux.any_of("station", [station]), _IN_AREAS]
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

    def raw(self, station: str, signal: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of one signal, oldest first."""
        if end_ms <= start_ms or limit == 0:
            return []
        query = self._of(station, signal, start_ms, end_ms, suffixes=("", ".q"))
        query += ' |> keep(columns: ["_time", "_field", "_value"])'
        # The newest `limit` of value and quality, each: a quality within the first `limit` times is among them.
        query += ' |> sort(columns: ["_time"])' + (f" |> limit(n: {limit})" if limit is not None else "")
        times = flux.Times()
        points: dict[int, Stored] = {}
        with self._answer(query) as lines:
            for header, rows in flux.tables(lines):
                at_time, at_field, at_value = (header.index(name) for name in ("_time", "_field", "_value"))
                for row in rows:
                    t_ms = times.ms(row[at_time])
                    value, quality = points.get(t_ms, (None, GOOD))
                    is_value = row[at_field] == signal
                    if is_value and not is_number(row[at_value]):
                        continue
                    points[t_ms] = (float(row[at_value]), quality) if is_value else (value, row[at_value])
        return [Reading(signal, t_ms, *visible(points[t_ms])) for t_ms in sorted(points)][:limit]

    def windows(
        self,
        station: str,
        signal: str,
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregate: Aggregate,
        offset_ms: int = 0,
    ) -> list[Window]:
        """Return non-empty windows; see `ReadingStore.windows`.

        InfluxDB aggregates; only the windows in which some value is bad are worked out here from their readings.
        """
        check_windows(every_ms, aggregate)
        if end_ms <= start_ms:
            return []
        is_old = self._raw_kept_ms > 0 and start_ms < self._now_ms() - self._raw_kept_ms
        if is_old and every_ms % MINUTE_MS == 0 and offset_ms % MINUTE_MS == 0:
            kept = minutes_as_columns(self.minutes(station, signal, start_ms, end_ms))
            if len(kept.t_ms):
                return windows_of_minutes(kept, (GOOD, "bad").__getitem__, every_ms, aggregate, offset_ms)
        over = (start_ms, end_ms)
        sure = self._sure(station, signal, over, every_ms, aggregate, offset_ms)
        if not sure:
            return self._out_of_readings(station, signal, over, every_ms, aggregate, offset_ms)
        windows = dict(sure)
        for low, high in joined_windows(unsure(sure, over, every_ms, offset_ms), every_ms):
            part = (max(low, start_ms), min(high, end_ms))
            again = self._out_of_readings(station, signal, part, every_ms, aggregate, offset_ms)
            windows.update({window.t_ms: window for window in again})
        return [windows[t_ms] for t_ms in sorted(windows)]

    def courses(
        self, station: str, signals: Sequence[str], start_ms: int, end_ms: int, every_ms: int, offset_ms: int = 0
    ) -> list[Course]:
        """Return windows of some signals with all their numbers; see `ReadingStore.courses`."""
        check_windows(every_ms)
        over = (start_ms, end_ms, every_ms)
        return [
            course_of({name: self.windows(station, one, *over, name, offset_ms) for name in AGGREGATES})
            for one in signals
        ]

    def _sure(
        self, station: str, signal: str, over: tuple[int, int], every_ms: int, aggregate: Aggregate, offset_ms: int
    ) -> dict[int, Window]:
        """Return those windows of a long range that the minutes are sure of."""
        whole_minutes = every_ms % MINUTE_MS == 0 and offset_ms % MINUTE_MS == 0
        settled = (over[0], min(over[1], self._now_ms() - SETTLED_MS))
        if not whole_minutes or settled[1] - settled[0] < LONG_MS:
            return {}
        query = question(self.buckets, station, signal, settled, _grid(every_ms, offset_ms), aggregate)
        try:
            with self._answer(query) as lines:
                return sure_windows(flux.tables(lines), settled, every_ms, aggregate)
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, ApiException) and error.__cause__.status == 404:  # no bucket of minutes
                return {}
            raise

    def _out_of_readings(
        self, station: str, signal: str, over: tuple[int, int], every_ms: int, aggregate: Aggregate, offset_ms: int
    ) -> list[Window]:
        start_ms, end_ms = over
        grid = _grid(every_ms, offset_ms)
        common = 'createEmpty: false, timeSrc: "_start") |> keep(columns: ["_time", "_field", "_value"])'
        query = (
            f"{self._of(station, signal, start_ms, end_ms)} |> aggregateWindow({grid}, fn: {aggregate}, {common}"
            f' |> yield(name: "value")\n'
            f"{self._of(station, signal, start_ms, end_ms, suffixes=('.q',))} |> aggregateWindow({grid}, "
            f'fn: (tables=<-, column) => tables |> distinct(column: column), {common} |> yield(name: "quality")'
        )
        with self._answer(query) as lines:
            values, qualities = windows_told(flux.tables(lines), signal, every_ms, offset_ms)
        doubtful = {t for t, found in values.items() if len(found) > 1}  # two units carry the signal
        doubtful |= {t for t, found in qualities.items() if any(quality_rank(quality) == 2 for quality in found)}
        if not qualities and not doubtful:
            return [Window(t_ms, found[0], GOOD) for t_ms, found in sorted(values.items())]
        windows = {
            t_ms: Window(t_ms, found[0], worst(qualities.get(t_ms, ())))
            for t_ms, found in values.items()
            if t_ms not in doubtful
        }
        for low, high in joined_windows(sorted(doubtful), every_ms):
            readings = self.raw(station, signal, max(low, start_ms), min(high, end_ms))
            again = windows_of_readings(readings, every_ms, aggregate, offset_ms)
            windows.update({window.t_ms: window for window in again})
        return [windows[t_ms] for t_ms in sorted(windows)]

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
        query = source + flux.where(own, _IN_AREAS, r"r._field !~ /\.q$/") + _KEPT
        try:
            with self._answer(query) as lines:
                numbers = read_numbers(cast("io.BufferedReader", lines.buffer))
        except NotOneSchemaError:  # of an error the other way tells
            return table_of_messages(self._messages_between(station, start_ms, end_ms)[1])
        times = flux.Times()
        qualities = [
            ((row["_measurement"], row["unit"], row["_field"][:-2]), times.ms(row["_time"]), row["_value"])
            for row in self._records(source + flux.where(own, _IN_AREAS, r"r._field =~ /\.q$/") + _KEPT)
        ]
        return table_of(numbers, qualities)

    def _messages_between(self, station: str, start_ms: int, end_ms: int) -> tuple[int, list[UnitMessage]]:
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), _IN_AREAS)
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
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), _IN_AREAS)
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
            f"predicate: (r) => {_IN_AREAS}, start: {flux.moment(0)}, stop: {flux.moment(flux.FAR_MS)})"
        )
        return sorted(row["_value"] for row in self._records(query))


def _grid(every_ms: int, offset_ms: int) -> str:
    return f"every: {flux.duration(every_ms)}, offset: {flux.duration(offset_ms % every_ms)}"
