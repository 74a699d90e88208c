"""The past of signals out of InfluxDB: their readings, their minutes, and windows of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from influxdb_client.rest import ApiException

from station.adapters import flux
from station.adapters.influx_answers import Numbers, column_of, is_number, joined_windows, numbers_told
from station.adapters.influx_minutes import MINUTE_FIELDS, minutes_as_columns, minutes_told
from station.adapters.influx_windows import (
    LONG_MS,
    SETTLED_MS,
    Question,
    Rows,
    course_of,
    even_means,
    rows_of,
    sure_rows,
    told,
    unsure,
)
from station.adapters.influx_writing import InfluxWriting
from station.adapters.point_rules import Stored, visible, worst
from station.adapters.windowing import MINUTE_MS, OutOfCourses, check_windows, course_of_minutes, course_of_readings
from station.domain.signals import AREAS, GOOD, Reading, quality_rank
from station.errors import StoreUnavailableError
from station.ports import Aggregate, Course, Minute

IN_AREAS = flux.any_of("_measurement", AREAS)


class InfluxPast(InfluxWriting, OutOfCourses):
    """Asks two buckets: of readings, and of minutes, which has the same name and `_1m`."""

    def __init__(self, url: str, token: str, org: str, bucket: str, now_ms: Callable[[], int]) -> None:
        super().__init__(url, token, org, bucket, now_ms)
        self._minutes_bucket = f"{bucket}_1m"

    def minutes(self, station: str, signal: str, start_ms: int, end_ms: int) -> list[Minute]:
        """Return minutes of a signal, oldest first; none where no task was installed."""
        first_ms, last_ms = (-(-edge // MINUTE_MS) * MINUTE_MS for edge in (start_ms, end_ms))
        if last_ms <= first_ms:
            return []
        fields = flux.any_of("_field", [signal + suffix for suffix in MINUTE_FIELDS])
        query = flux.source(self._minutes_bucket, first_ms, last_ms)
        query += flux.where(flux.any_of("station", [station]), IN_AREAS, fields)
        try:
            return minutes_told(self._records(query))
        except StoreUnavailableError as error:
            if _is_missing(error):
                return []
            raise

    def _of(self, station: str, signal: str, start_ms: int, end_ms: int, *, suffixes: Sequence[str] = ("",)) -> str:
        """Return the source of a signal's fields."""
        fields = flux.any_of("_field", [signal + suffix for suffix in suffixes])
        return flux.source(self._bucket, start_ms, end_ms) + flux.where(flux.any_of("station", [station]), fields)

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

    def courses(
        self,
        station: str,
        signals: Sequence[str],
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregates: Sequence[Aggregate],
        offset_ms: int = 0,
    ) -> list[Course]:
        """Return windows of some signals with several numbers each; see `ReadingStore.courses`.

        InfluxDB aggregates; only the windows in which some value is bad are worked out here from their readings.
        """
        check_windows(every_ms, aggregates)
        of = tuple(dict.fromkeys(signals))
        asked = Question(station, of, start_ms, end_ms, every_ms, offset_ms, tuple(aggregates))
        if asked.is_even and (course := self._even_course(asked)) is not None:
            return [course] * len(signals)
        found = self._rows(asked)
        return [course_of(asked, found[signal]) for signal in signals]

    def _even_course(self, asked: Question) -> Course | None:
        """Return the windows of `Question.is_even`, None where they must be asked for in another way."""
        is_long = asked.end_ms - asked.start_ms >= LONG_MS
        if asked.is_of_minutes and (is_long or asked.start_ms < self._oldest_ms(asked)):
            return None
        answer = self._whole(asked.to_even_means(self._bucket))
        with self._faults():
            found = even_means(asked, answer)
        if found is None:
            return None
        means, doubt_ms = found
        starts = list(asked.starts)
        if None in means:
            starts = [t_ms for t_ms, mean in zip(starts, means, strict=True) if mean is not None]
            means = [mean for mean in means if mean is not None]
        if doubt_ms is None:  # as nearly always
            return Course(starts, {"mean": means}, [GOOD] * len(means))
        rows: Rows = {t_ms: ((mean,), GOOD) for t_ms, mean in zip(starts, means, strict=True)}
        doubted = {doubt_ms - (doubt_ms - asked.offset_ms) % asked.every_ms, asked.starts[-1]}
        return course_of(asked, rows | self._doubtful(asked, asked.signals[0], rows, (doubted, set())))

    def _oldest_ms(self, asked: Question) -> int:
        """Return from when on readings are kept; 0 where nothing else could answer."""
        return self._now_ms() - self._raw_kept_ms if self._raw_kept_ms and asked.is_of_minutes else 0

    def _rows(self, asked: Question) -> dict[str, Rows]:
        """Return the windows of each signal: out of minutes as far as those are sure, others out of what there is."""
        if asked.end_ms <= asked.start_ms or not asked.signals:
            return {signal: {} for signal in asked.signals}
        oldest_ms = self._oldest_ms(asked)
        found = self._sure(asked, oldest_ms)
        if asked.start_ms >= oldest_ms and not any(found.values()):
            return self._out_of_readings(asked)
        alike: dict[tuple[int, ...], list[str]] = {}
        for signal in asked.signals:
            alike.setdefault(tuple(unsure(asked, found[signal])), []).append(signal)
        for starts, signals in alike.items():
            for is_old, read in ((True, self._out_of_minutes), (False, self._out_of_readings)):
                left = [t_ms for t_ms in starts if (t_ms < oldest_ms) == is_old]
                for run in joined_windows(left, asked.every_ms):
                    for signal, rows in read(asked.of(*signals).over(*run)).items():
                        found[signal].update(rows)
        return found

    def _sure(self, asked: Question, oldest_ms: int) -> dict[str, Rows]:
        """Return those windows of a range, long or older than readings are kept, that the minutes are sure of."""
        settled = asked.over(asked.start_ms, self._now_ms() - SETTLED_MS)
        is_long = settled.end_ms - settled.start_ms >= LONG_MS or settled.start_ms < min(oldest_ms, settled.end_ms)
        if asked.is_of_minutes and is_long:
            try:
                answer = self._numbers(settled.to_minutes(self._bucket, self._minutes_bucket), asked)
                return {signal: sure_rows(settled, answer, signal) for signal in asked.signals}
            except StoreUnavailableError as error:
                if not _is_missing(error):
                    raise
        return {signal: {} for signal in asked.signals}

    def _out_of_minutes(self, asked: Question) -> dict[str, Rows]:
        """Return windows of a range of which readings have gone."""
        found: dict[str, Rows] = {}
        for signal in asked.signals:
            kept = minutes_as_columns(self.minutes(asked.station, signal, asked.start_ms, asked.end_ms))
            text_of = (GOOD, "bad").__getitem__
            found[signal] = rows_of(course_of_minutes(kept, text_of, asked.every_ms, asked.names, asked.offset_ms))
        return found

    def _out_of_readings(self, asked: Question) -> dict[str, Rows]:
        answer = self._numbers(asked.to_readings(self._bucket), asked)
        found: dict[str, Rows] = {}
        for signal in asked.signals:
            rows, doubts, shared = told(asked, answer, signal)
            found[signal] = rows | self._doubtful(asked, signal, rows, (doubts, shared)) if doubts or shared else rows
        return found

    def _doubtful(self, asked: Question, signal: str, rows: Rows, windows: tuple[set[int], set[int]]) -> Rows:
        """Return the windows in which a quality is not good, and those of which two units said something.

        Of the former the first and the last will do, or what is before and after them.
        """
        doubts, shared = windows
        found: Rows = {}
        anew = set(shared)
        qualities = self._qualities(asked, signal, doubts) if doubts else {}
        for t_ms, said in qualities.items():
            if t_ms not in rows or any(quality_rank(quality) == 2 for quality in said):
                anew.add(t_ms)  # without a number, or InfluxDB counted one that does not count
            else:
                found[t_ms] = (rows[t_ms][0], worst(said))
        for low, high in joined_windows(sorted(anew), asked.every_ms):
            part = asked.over(low, high)
            column, names = column_of(self.raw(asked.station, signal, part.start_ms, part.end_ms))
            again = course_of_readings(column, names.__getitem__, asked.every_ms, asked.names, asked.offset_ms)
            found |= rows_of(again)
        return found

    def _qualities(self, asked: Question, signal: str, windows: set[int]) -> dict[int, list[str]]:
        """Return the qualities that are not good of some windows, by their start."""
        part = asked.of(signal).over(min(windows), max(windows) + asked.every_ms)
        query = part.fields(self._bucket, ".q") + part.windows(
            "(tables=<-, column) => tables |> distinct(column: column)"
        )
        times = flux.Times()
        found: dict[int, list[str]] = defaultdict(list)
        for row in self._records(query):
            t_ms = times.ms(row["_time"])
            found[t_ms - (t_ms - asked.offset_ms) % asked.every_ms].append(row["_value"])
        return found

    def _numbers(self, query: str, asked: Question) -> Numbers:
        answer = self._whole(query)
        with self._faults():
            return numbers_told(answer, asked.every_ms, asked.offset_ms)


def _is_missing(error: StoreUnavailableError) -> bool:
    """Return whether it is the bucket of minutes that is not there."""
    return isinstance(error.__cause__, ApiException) and error.__cause__.status == 404
