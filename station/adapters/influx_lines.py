"""A bucket of InfluxDB 2 as line protocol: all of it out, whoever wrote it, and in again."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from influxdb_client import BucketRetentionRules
from influxdb_client.rest import ApiException

from station.adapters import flux
from station.adapters.influx_answers import said_reason
from station.adapters.influx_bucket import TYPED, InfluxBucket

_FIRST_STEP_MS, _LONGEST_STEP_MS, _FEW_ROWS = 60_000, 86_400_000, 50_000
"""A minute at first, then as long as keeps 50 000 .. 200 000 rows in memory: a station makes 11 000 a minute."""
_LINES_AT_ONCE: Final = 5000
_DROPPED: Final = re.compile(r"dropped[ =](\d+)")
_SHARD_SIZE: Final = re.compile(r'^storage_shard_disk_size\{bucket="(\w+)"[^}]*\} (\S+)$', re.MULTILINE)
_NAME = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ "})
_TEXT = str.maketrans({"\\": r"\\", '"': r"\""})
_SUFFIX: Final = {"long": "i", "unsignedLong": "u"}
_Series = tuple[str, str]
"""Measurement with its tags, as a line begins, and the field."""


class InfluxLines(InfluxBucket):
    """See `InfluxBucket`."""

    def retention_s(self, bucket: str) -> int | None:
        """Return how long a bucket keeps its points [s], 0 for ever, None where there is no such bucket."""
        with self._faults():
            found = self._client.buckets_api().find_bucket_by_name(bucket)
        if found is None:
            return None
        return int(found.retention_rules[0].every_seconds) if found.retention_rules else 0

    def set_retention(self, bucket: str, kept_s: int) -> None:
        """Let a bucket keep its points for so long [s], 0 for ever; it is made where it is missing.

        Raises:
            BadInputError: The token may not.
        """
        with self._faults(settings_are_final=True):
            buckets = self._client.buckets_api()
            found = buckets.find_bucket_by_name(bucket)
            if found is None:
                self._make_bucket(bucket, kept_s)
                return
            # For ever is a rule too, of 0 s: an empty list changes nothing.
            found.retention_rules = [BucketRetentionRules(type="expire", every_seconds=kept_s)]
            buckets.update_bucket(found)

    def bytes_of(self, bucket: str) -> int | None:
        """Return what a bucket's shards take on InfluxDB's disk, None where it does not tell (`/metrics` is closed)."""
        with self._faults():
            found = self._client.buckets_api().find_bucket_by_name(bucket)
            try:
                text = self._client.api_client.call_api(
                    "/metrics", "GET", response_type="str", _return_http_data_only=True
                )
            except ApiException:
                return None
        sizes = [float(size) for of, size in _SHARD_SIZE.findall(str(text)) if found is not None and of == found.id]
        return round(sum(sizes)) if sizes else None

    def lines(self, bucket: str) -> Iterator[bytes]:
        """Yield every point of a bucket as line protocol, ms, some ten thousand lines at a time, oldest first."""
        at = self._time_at_edge(bucket, "first", 0)
        last = None if at is None else self._time_at_edge(bucket, "last", 0)
        step = _FIRST_STEP_MS
        while at is not None and last is not None and at <= last:
            rows, body = self._lines_between(bucket, at, at + step)
            if body:
                yield body
            at += step
            if rows == 0:
                at = self._time_at_edge(bucket, "first", at)
            elif rows < _FEW_ROWS:
                step = min(2 * step, _LONGEST_STEP_MS)
            elif rows > 4 * _FEW_ROWS:
                step = max(step // 2, 1)

    def _time_at_edge(self, bucket: str, edge: str, start_ms: int) -> int | None:
        best = "min" if edge == "first" else "max"
        query = f'{flux.source(bucket, start_ms)} |> {edge}() |> keep(columns: ["_time"]) |> {best}(column: "_time")'
        times = flux.Times()
        found = [times.ms(row["_time"]) for row in self._records(query)]
        return (min(found) if edge == "first" else max(found)) if found else None

    def _lines_between(self, bucket: str, start_ms: int, end_ms: int) -> tuple[int, bytes]:
        query = f'{flux.source(bucket, start_ms, end_ms)} |> drop(columns: ["_start", "_stop"])'
        points: dict[tuple[int, str], list[str]] = defaultdict(list)
        times, count = flux.Times(), 0
        with self._answer(query, TYPED) as lines:
            for header, types, rows in _typed_tables(lines):
                at_time, at_value, at_table = (header.index(name) for name in ("_time", "_value", "table"))
                kind = types[at_value]
                own: dict[str, _Series] = {}
                for row in rows:
                    key = row[at_table]  # rows of one table are of one series
                    series, field = own.get(key) or own.setdefault(key, _series_of(header, row))
                    points[times.ms(row[at_time]), series].append(f"{field}={_value(row[at_value], kind)}")
                    count += 1
        text = "".join(f"{series} {','.join(points[t_ms, series])} {t_ms}\n" for t_ms, series in sorted(points))
        return count, text.encode()

    def take_lines(self, bucket: str, lines: Iterable[bytes]) -> tuple[int, int]:
        """Write lines into a bucket; returns (how many, how many were refused, being older than it keeps).

        Raises:
            BadInputError: InfluxDB cannot read them.
            StoreUnavailableError: It does not answer.
        """
        said, taken, refused = iter(lines), 0, 0
        while piece := list(islice(said, _LINES_AT_ONCE)):
            taken += len(piece)
            refused += self._take(bucket, b"".join(piece))
        return taken, refused

    def _take(self, bucket: str, body: bytes) -> int:
        with self._faults(settings_are_final=True):
            try:
                self._writer.write(bucket, self._org, body, write_precision="ms")
            except ApiException as error:
                dropped = _DROPPED.search(said_reason(error))
                if error.status == 422 and dropped:
                    return int(dropped[1])
                raise
        return 0

    def is_empty(self, bucket: str) -> bool:
        """Return whether a bucket holds nothing, or is not there."""
        if self.retention_s(bucket) is None:
            return True
        return self._time_at_edge(bucket, "first", 0) is None


def _typed_tables(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str], Iterator[list[str]]]]:
    """Yield (header, types of the columns, rows) of an answer with the annotation `datatype`."""
    rows = csv.reader(lines)
    for row in rows:
        if row and row[0] == "#datatype":
            header = next(rows, [])
            if "error" in header:
                reason = dict(zip(header, next(rows, []), strict=False)).get("error", "unknown")
                raise flux.FluxError(reason)
            yield header, row, _until_empty(rows)


def _until_empty(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for row in rows:
        if not row:
            return
        yield row


def _series_of(header: list[str], row: list[str]) -> _Series:
    """Return how a line of a row begins, and its field."""
    said = dict(zip(header, row, strict=False))
    tags = "".join(
        f",{name.translate(_NAME)}={value.translate(_NAME)}"
        for name, value in sorted(said.items())
        if value and name not in ("", "result", "table") and not name.startswith("_")
    )
    return said["_measurement"].translate(_MEASUREMENT) + tags, said["_field"].translate(_NAME)


def _value(text: str, kind: str) -> str:
    if kind == "string":
        return f'"{text.replace(chr(13) + chr(10), chr(10)).translate(_TEXT)}"'
    return text + _SUFFIX.get(kind, "")
