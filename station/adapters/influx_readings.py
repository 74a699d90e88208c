"""The reading store in InfluxDB 2, through influxdb-client's synchronous calls.

Lines are written by hand (`line_protocol`) and answers read as CSV (`flux`): the client's own batching drops what it
could not send, and its row objects cost ten times a CSV row.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from influxdb_client import BucketRetentionRules, Dialect, InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from station.adapters import flux
from station.adapters.influx_answers import (
    Line,
    is_number,
    joined_windows,
    message_of_point,
    newest_reading,
    rfc3339,
    said_reason,
    shortened,
    windows_of_readings,
    young_enough,
)
from station.adapters.line_protocol import joined_lines, message_line, point_line
from station.adapters.point_rules import Stored, refusal, visible, worst
from station.adapters.windowing import check_windows
from station.domain.signals import AREAS, GOOD, Reading, UnitMessage, quality_rank
from station.errors import BadInputError, JinmaError, PointsRefusedError, StoreUnavailableError
from station.ports import Aggregate, ServicePoint, Window

RETENTION_S = 30 * 86_400
"""Of a bucket that we make: contract section 4."""

LINES_PER_WRITE = 5000
"""InfluxDB's own advice; larger bodies gain nothing and cost more when one line of them is refused."""

CONNECT_MS, READ_MS = 5_000, 60_000
_DIALECT = Dialect(header=True, delimiter=",", annotations=[], comment_prefix="#", date_time_format="RFC3339")
_DROPPED = re.compile(r"dropped[ =](\d+)")
_IN_AREAS = flux.any_of("_measurement", AREAS)


# A replaced token or bucket is to be mended by a person while data waits; it is no reason to throw data away.
_SETTING_FAULTS = {
    401: "refuses the token: set INFLUXDB_V2_TOKEN",
    403: "does not let this token do that",
    404: "does not know the organisation or the bucket",
}
_ROW = frozenset({"result", "table"})
_FIRST_STEP_MS, _LONGEST_STEP_MS, _FEW_ROWS = 60_000, 3_600_000, 20_000
"""Steps of reading all signals of a station: a minute at first, then as long as keeps 20 000 .. 80 000 rows."""
_LOG = logging.getLogger(__name__)


class InfluxReadings:
    """A `ReadingStore` in one bucket of InfluxDB 2.

    Args:
        url: `http://host:8086` or `https://..`.
        token: May read and write the bucket; where the bucket is missing, may make it.
        org: Organisation by name.
        bucket: Bucket by name.
    """

    writes_at_once = 2
    """Requests at a time: two bring 330 000 points/s on two cores, more of them nothing."""

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self.url = url
        self._org = org
        self._bucket = bucket
        # gzip costs 5 % of the rate and saves nine tenths of the bytes: it pays over a network, which is where TLS is.
        self._client: Any = InfluxDBClient(
            url=url, token=token, org=org, timeout=(CONNECT_MS, READ_MS), enable_gzip=url.startswith("https:")
        )
        self._writer: Any = self._client.write_api(write_options=SYNCHRONOUS)
        self._prepared = False
        self._prepare_lock = threading.Lock()
        self._closed = False

    def prepare(self) -> None:
        """See that organisation and bucket are there and the token is right; make the bucket, kept 30 days.

        Raises:
            BadInputError: Wrong token or organisation, or no bucket and no right to make one.
            StoreUnavailableError: InfluxDB does not answer.
        """
        with self._prepare_lock:
            if self._prepared:
                return
            with self._faults(settings_are_final=True):
                if self._client.buckets_api().find_bucket_by_name(self._bucket) is None:
                    self._make_bucket()
            self._prepared = True

    def _make_bucket(self) -> None:
        organisations = self._client.organizations_api().find_organizations(org=self._org)
        if not organisations:
            raise BadInputError(f"InfluxDB {self.url}: organisation {self._org!r} is not there, or not for this token")
        rules = BucketRetentionRules(type="expire", every_seconds=RETENTION_S)
        try:
            self._client.buckets_api().create_bucket(
                bucket_name=self._bucket, retention_rules=rules, org=organisations[0]
            )
        except ApiException as error:
            if error.status == 422:  # another process was quicker
                return
            raise BadInputError(
                f"InfluxDB {self.url}: bucket {self._bucket!r} is not there, or not for this token, "
                f"and it may not be made: {said_reason(error)}"
            ) from error
        _LOG.info("made bucket %s in %s, kept for 30 days", self._bucket, self.url)

    @contextlib.contextmanager
    def _faults(self, *, settings_are_final: bool = False) -> Iterator[None]:
        """Turn the client's errors into the project's, the endpoint named."""
        try:
            yield
        except ApiException as error:
            raise self._fault(error, settings_are_final=settings_are_final) from error
        except (HTTPError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise StoreUnavailableError(f"InfluxDB {self.url} cannot be reached: {shortened(reason)}") from error
        except flux.FluxError as error:
            raise StoreUnavailableError(f"InfluxDB {self.url} broke off its answer: {error}") from error

    def _fault(self, error: ApiException, *, settings_are_final: bool) -> JinmaError:
        if error.status == 404:
            self._prepared = False  # the bucket was deleted: the next use makes it again
        fault = _SETTING_FAULTS.get(error.status)
        if fault is not None:
            of = f"organisation {self._org!r}, bucket {self._bucket!r}"
            text = f"InfluxDB {self.url} {fault} ({of}): {said_reason(error)}"
            return BadInputError(text) if settings_are_final else StoreUnavailableError(text)
        text = f"InfluxDB {self.url} answered {error.status}: {said_reason(error)}"
        return BadInputError(text) if error.status == 400 else StoreUnavailableError(text)

    def _ready(self) -> None:
        if self._closed:
            raise StoreUnavailableError(f"InfluxDB {self.url}: this store is closed")
        if self._prepared:
            return
        try:
            self.prepare()
        except BadInputError as error:  # found wrong after the start: data waits until it is mended
            raise StoreUnavailableError(str(error)) from error

    # -- writing ------------------------------------------------------------------------------------------------

    def write(self, messages: Sequence[UnitMessage]) -> None:
        """Store messages; see `ReadingStore.write`."""
        self._ready()
        refused: dict[int, str] = {}
        for first in range(0, len(messages), LINES_PER_WRITE):
            self._write_piece(messages[first : first + LINES_PER_WRITE], first, refused)
        if refused:
            raise PointsRefusedError(refused)

    def _write_piece(self, messages: Sequence[UnitMessage], first: int, refused: dict[int, str]) -> None:
        unfit: dict[int, str] = {}
        body = joined_lines(messages, unfit)
        if body is not None:
            with self._faults():
                reason = self._refusal(body) if body else None
            if reason is None:
                refused.update({first + index: why for index, why in unfit.items()})
                return
        lines: list[Line] = []  # line by line, so that each has its index
        for index, message in enumerate(messages, first):
            if why := refusal(message):
                refused[index] = why
            else:
                lines.append((index, message_line(message)))
        self._post(lines, refused)

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services; fields of the same point come together."""
        self._ready()
        refused: dict[int, str] = {}
        self._post_all([(i, line) for i, point in enumerate(points) if (line := point_line(point))], refused)
        if refused:
            raise PointsRefusedError(refused)

    def _post_all(self, lines: Sequence[Line], refused: dict[int, str]) -> None:
        for first in range(0, len(lines), LINES_PER_WRITE):
            self._post(lines[first : first + LINES_PER_WRITE], refused)

    def _post(self, lines: Sequence[Line], refused: dict[int, str]) -> None:
        """Write lines; where some are refused, halve until the bad ones stand alone (a point written twice is one)."""
        with self._faults():
            reason = self._refusal("\n".join([line for _, line in lines])) if lines else None
        if reason is None:
            return
        dropped = _DROPPED.search(reason)
        if len(lines) == 1 or (dropped and int(dropped[1]) == len(lines)):
            refused.update(dict.fromkeys((index for index, _ in lines), reason))
            return
        kept = young_enough(lines, reason)
        if len(kept) < len(lines):
            refused.update(dict.fromkeys({index for index, _ in lines} - {index for index, _ in kept}, reason))
            self._post(kept, refused)  # written already, unless there is another fault among them
            return
        middle = len(lines) // 2
        self._post(lines[:middle], refused)
        self._post(lines[middle:], refused)

    def _refusal(self, body: str) -> str | None:
        try:
            self._writer.write(self._bucket, self._org, body.encode(), write_precision="ms")
        except ApiException as error:
            if error.status in (400, 413, 422):  # unreadable, too large, partly written
                return said_reason(error)
            raise
        return None

    def forget_before(self, t_ms: int) -> None:
        """Delete everything older than `t_ms`, points of our services too."""
        self._ready()
        stop = f"{rfc3339(t_ms - 1)[:-1]}999999Z"  # right whether or not the stop is included
        with self._faults():
            self._client.delete_api().delete("1970-01-01T00:00:00Z", stop, "", self._bucket, self._org)

    # -- reading ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _answer(self, query: str) -> Iterator[io.TextIOWrapper]:
        """Ask a query; give the answer's lines as they come."""
        self._ready()
        with self._faults():
            response = self._client.query_api().query_raw(query, dialect=_DIALECT)
            response.auto_close = False  # urllib3 would close under the text layer, which then trips over it
            try:
                yield io.TextIOWrapper(io.BufferedReader(response, 1 << 18), "utf-8", newline="")
            except BaseException:
                response.close()  # with the rest of its answer unread, this connection serves nobody else
                raise
            finally:
                response.release_conn()

    def _records(self, query: str) -> list[dict[str, str]]:
        with self._answer(query) as lines:
            return list(flux.records(lines))

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
        grid = f"every: {flux.duration(every_ms)}, offset: {flux.duration(offset_ms % every_ms)}"
        common = 'createEmpty: false, timeSrc: "_start") |> keep(columns: ["_time", "_field", "_value"])'
        query = (
            f"{self._of(station, signal, start_ms, end_ms)} |> aggregateWindow({grid}, fn: {aggregate}, {common}"
            f' |> yield(name: "value")\n'
            f"{self._of(station, signal, start_ms, end_ms, suffixes=('.q',))} |> aggregateWindow({grid}, "
            f'fn: (tables=<-, column) => tables |> distinct(column: column), {common} |> yield(name: "quality")'
        )
        times = flux.Times()
        values: dict[int, list[float]] = defaultdict(list)
        qualities: dict[int, list[str]] = defaultdict(list)
        for row in self._records(query):
            t_ms = times.ms(row["_time"])
            t_ms -= (t_ms - offset_ms) % every_ms  # the first window is cut to the range, its name is not
            if row["_field"] == signal:
                values[t_ms].append(float(row["_value"]))
            else:
                qualities[t_ms].append(row["_value"])
        doubtful = {t for t, found in values.items() if len(found) > 1}  # two units carry the signal
        doubtful |= {t for t, found in qualities.items() if any(quality_rank(quality) == 2 for quality in found)}
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
        step = _FIRST_STEP_MS
        at = start_ms
        while at < end_ms:
            until = min(at + step, end_ms)
            rows, messages = self._messages_between(station, at, until)
            yield from messages
            at = until
            if rows == 0:
                ahead = self._first_time(station, at, end_ms)
                if ahead is None:
                    return
                at = ahead
            elif rows < _FEW_ROWS:
                step = min(2 * step, _LONGEST_STEP_MS)
            elif rows > 4 * _FEW_ROWS:
                step = max(step // 2, 1)

    def _messages_between(self, station: str, start_ms: int, end_ms: int) -> tuple[int, list[UnitMessage]]:
        query = flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), _IN_AREAS)
        query += ' |> keep(columns: ["_time", "_measurement", "unit", "_field", "_value"])'
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

    def close(self) -> None:
        """Release the connections; idempotent."""
        if not self._closed:
            self._closed = True
            self._writer.close()
            self._client.close()
