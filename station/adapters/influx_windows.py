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

from station.adapters import flux
from station.adapters.influx_answers import Numbers
from station.adapters.windowing import MINUTE_MS
from station.domain.signals import GOOD
from station.ports import Aggregate, Course

LONG_MS: Final = 48 * 3_600_000
"""Below, the readings of one signal are as quick: 86 400 a day at most."""
SETTLED_MS: Final = 360_000
"""Younger minutes may still be put right: the task of late data runs each five."""
DOUBT: Final = "doubt"
"""Result that counts the qualities of each window that are not good."""

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

    def to_minutes(self, bucket: str, minutes: str) -> str:
        """Return the Flux that asks the minutes, and whether they are sure; see `sure_rows`."""
        wanted = {name: _VALUE[name] for name in self.names} | _CHECKS
        parts = [self.part(name, minutes, *how) for name, how in wanted.items()]
        return "\n".join([*parts, self._doubt(bucket)])

    def _doubt(self, bucket: str) -> str:
        return self.part(DOUBT, bucket, ".q", "count")


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
