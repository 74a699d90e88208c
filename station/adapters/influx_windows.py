"""Windows out of InfluxDB: how they are asked for, and what of an answer is sure.

Over a long range the minutes are asked, a sixtieth of the values, wherever they say the same as the readings: a window
is taken from them where each of its minutes is there, none of its values was bad or uncertain, and (for a mean) each
minute has as many values, so that the mean of the means is the mean. What is not sure is left to the readings: the
newest minutes, what was written before there was a task, gaps, doubtful values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from station.adapters import flux
from station.adapters.influx_answers import Numbers, is_number
from station.adapters.windowing import MINUTE_MS
from station.domain.signals import GOOD
from station.ports import Aggregate, Course

LONG_MS: Final = 48 * 3_600_000
"""Below, the readings of one signal are as quick: 86 400 a day at most."""
SETTLED_MS: Final = 360_000
"""Younger minutes may still be put right: the task of late data runs each five."""
EVEN: Final = 2000
"""Windows, at most, that are asked for without their times, the empty ones too: a day by the minute and some more."""
DOUBT: Final = "doubt"
"""Result that counts the qualities of each window that are not good."""

_MEANS: Final = ",result,table,_value\r\n"
_MEAN: Final = "\r\n,mean,0,"
"""How means without times begin in an answer, and each of them."""
_MEANS_DECODER: Final = msgspec.json.Decoder(list[float | None])

_VALUE: Final[Mapping[str, tuple[str, str]]] = {
    "mean": (".mean", "mean"),
    "min": (".min", "min"),
    "max": (".max", "max"),
    "last": (".last", "last"),
    "count": (".count", "sum"),
}
_CHECKS: Final = {
    "there": (".count", "count"),
    "least": (".count", "min"),
    "most": (".count", "max"),
    "bad": (".bad", "max"),
}
"""Name -> field of the minutes, and what is asked of it."""

Row = tuple[tuple[float | None, ...], str]
"""The numbers of a window in the order in which they were asked for, and its quality."""
Rows = dict[int, Row]
"""Windows by their start."""


@dataclass(frozen=True, slots=True)
class Question:
    """Windows of [start, end).

    Attributes:
        station: Whose.
        signals: Of which; each once.
        start_ms, end_ms: Epoch ms.
        every_ms, offset_ms: Where windows are.
        names: What is wanted of each.
    """

    station: str
    signals: tuple[str, ...]
    start_ms: int
    end_ms: int
    every_ms: int
    offset_ms: int
    names: tuple[Aggregate, ...]

    def over(self, start_ms: int, end_ms: int) -> Question:
        """Return the question about that part of a range which this one holds."""
        return replace(self, start_ms=max(start_ms, self.start_ms), end_ms=min(end_ms, self.end_ms))

    def of(self, *signals: str) -> Question:
        """Return the question about some of the signals."""
        return replace(self, signals=signals)

    @property
    def is_of_minutes(self) -> bool:
        """Whether windows are made of whole minutes."""
        return self.every_ms % MINUTE_MS == 0 and self.offset_ms % MINUTE_MS == 0

    @property
    def is_even(self) -> bool:
        """Whether windows can be told apart by their place alone: selectors leave empty ones out, means do not."""
        return self.names == ("mean",) and len(self.signals) == 1 and 0 < len(self.starts) <= EVEN

    @property
    def starts(self) -> range:
        """The start of every window."""
        return range(self.start_ms - (self.start_ms - self.offset_ms) % self.every_ms, self.end_ms, self.every_ms)

    def fields(self, bucket: str, suffix: str = "") -> str:
        """Return the source of the signals' fields."""
        named = flux.any_of("_field", [signal + suffix for signal in self.signals])
        return flux.source(bucket, self.start_ms, self.end_ms) + flux.where(
            flux.any_of("station", [self.station]), named
        )

    def windows(self, function: str) -> str:
        """Return what makes windows of a source; InfluxDB's storage does it where the function is one of its own."""
        every, offset = flux.duration(self.every_ms), flux.duration(self.offset_ms % self.every_ms)
        grid = f"every: {every}, offset: {offset}, fn: {function}"
        return (
            f' |> aggregateWindow({grid}, createEmpty: false, timeSrc: "_start")'
            ' |> keep(columns: ["_time", "_field", "_value"])'
        )

    def part(self, name: str, bucket: str, suffix: str, function: str) -> str:
        """Return the Flux of one result."""
        return f'{self.fields(bucket, suffix)}{self.windows(function)} |> yield(name: "{name}")'

    def to_readings(self, bucket: str) -> str:
        """Return the Flux that asks the readings; see `told`."""
        return "\n".join([*(self.part(name, bucket, "", name) for name in self.names), self._doubt(bucket)])

    def to_even_means(self, bucket: str) -> str:
        """Return the Flux of `is_even` that asks the readings; see `even_means`.

        Without times and names an answer is half as long, and read in a seventh of the time.
        """
        every, offset = flux.duration(self.every_ms), flux.duration(self.offset_ms % self.every_ms)
        means = f" |> aggregateWindow(every: {every}, offset: {offset}, fn: mean)"
        means += ' |> keep(columns: ["_value"]) |> yield(name: "mean")'
        # Where there is a doubt is asked once there is one: rare enough, and windows cost 0.5 ms to set up.
        doubt = f' |> first() |> keep(columns: ["_time"]) |> yield(name: "{DOUBT}")'
        return f"{self.fields(bucket)}{means}\n{self.fields(bucket, '.q')}{doubt}"

    def to_minutes(self, bucket: str, minutes: str) -> str:
        """Return the Flux that asks the minutes, and whether they are sure; see `sure_rows`."""
        wanted = {name: _VALUE[name] for name in self.names} | _CHECKS
        parts = [self.part(name, minutes, *how) for name, how in wanted.items()]
        return "\n".join([*parts, self._doubt(bucket)])

    def _doubt(self, bucket: str) -> str:
        return self.part(DOUBT, bucket, ".q", "count")


def even_means(question: Question, answer: bytes) -> tuple[list[float | None], int | None] | None:
    """Return the means in an answer of `Question.to_even_means`, a place a window, and when the first doubt is.

    Returns:
        None where places do not tell the windows, as where two units say something of the signal.

    Raises:
        FluxError: The answer holds an error.
    """
    before, _, after = answer.decode().partition(_MEANS)
    means, _, rest = after.partition("\r\n\r\n")
    doubts: list[int] = []
    if before.strip() or rest.strip():
        times = flux.Times()
        for header, rows in flux.tables(f"{before}\r\n{rest}".split("\r\n")):
            doubts += [times.ms(row[header.index("_time")]) for row in rows]
    numbers: list[float | None] = _mean_numbers(means) if means else [None] * len(question.starts)
    return None if len(numbers) != len(question.starts) else (numbers, min(doubts, default=None))


def _mean_numbers(lines: str) -> list[float | None]:
    """Return the numbers of means without times, none where something else is among them."""
    said = lines.removeprefix(_MEAN[2:]).replace(_MEAN, ",")
    try:  # As JSON they are read in a fifth of the time that `float` takes.
        return _MEANS_DECODER.decode(f"[{said}]")
    except msgspec.DecodeError:  # an empty window, as a rule
        each = said.split(",")
    return [float(one) if one else None for one in each] if all(not one or is_number(one) for one in each) else []


def told(question: Question, answer: Numbers, signal: str) -> tuple[Rows, set[int], set[int]]:
    """Return the windows of a signal in an answer of `Question.to_readings`, as if all were good.

    Returns:
        Windows; those in which a quality is not good; those of which two units said something.
    """
    columns = [answer.get((name, signal), []) for name in question.names]
    doubts = {t_ms for t_ms, _ in answer.get((DOUBT, f"{signal}.q"), ())}
    first = dict(columns[0])
    shared: set[int] = set()
    if len(first) < len(columns[0]):
        shared = {t_ms for t_ms, count in Counter(t_ms for t_ms, _ in columns[0]).items() if count > 1}
    if len(columns) == 1:
        return {t_ms: ((number,), GOOD) for t_ms, number in columns[0]}, doubts, shared
    others = [dict(column) for column in columns[1:]]
    rows: Rows = {t_ms: ((number, *(one.get(t_ms) for one in others)), GOOD) for t_ms, number in first.items()}
    return rows, doubts, shared


def sure_rows(question: Question, answer: Numbers, signal: str) -> Rows:
    """Return the windows of a signal in an answer of `Question.to_minutes` that are sure."""

    def column(name: str, suffix: str) -> dict[int, float]:
        return dict(answer.get((name, signal + suffix), ()))

    counts = answer.get(("there", f"{signal}.count"), [])
    there, least, most, bad = (column(name, suffix) for name, (suffix, _) in _CHECKS.items())
    if len(there) < len(counts):  # two units carry the signal
        return {}
    doubt = column(DOUBT, ".q")
    numbers = [column(name, _VALUE[name][0]) for name in question.names]
    return {
        t_ms: (tuple(one[t_ms] for one in numbers), GOOD)
        for t_ms, minutes in there.items()
        if question.start_ms <= t_ms <= question.end_ms - question.every_ms
        and minutes == question.every_ms // MINUTE_MS
        and t_ms not in doubt
        and bad.get(t_ms) == 0
        and ("mean" not in question.names or least[t_ms] == most[t_ms])
        and all(t_ms in one for one in numbers)
    }


def unsure(question: Question, sure: Rows) -> list[int]:
    """Return the windows of [start, end) that are not sure, by their start."""
    return [t_ms for t_ms in question.starts if t_ms not in sure]


def rows_of(course: Course) -> Rows:
    """Return the windows of a course."""
    numbers = zip(*course.numbers.values(), strict=True)
    return {t_ms: (own, quality) for t_ms, own, quality in zip(course.t_ms, numbers, course.quality, strict=True)}


def course_of(question: Question, rows: Rows) -> Course:
    """Return windows as a course."""
    starts = sorted(rows)
    told = [rows[t_ms] for t_ms in starts]
    numbers = {name: [own[place] for own, _ in told] for place, name in enumerate(question.names)}
    return Course(starts, numbers, [quality for _, quality in told])
