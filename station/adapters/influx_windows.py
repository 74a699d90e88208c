"""Windows over long ranges out of InfluxDB's minutes: a sixtieth of the values, wherever they say the same.

A window is taken from the minutes where each of its minutes is there, none of its values was bad or uncertain, and (for
a mean) each minute has as many values, so that the mean of the means is the mean. What is not sure is left to the
readings: the newest minutes, what was written before there was a task, gaps, doubtful values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from station.adapters import flux
from station.adapters.windowing import MINUTE_MS
from station.domain.signals import GOOD
from station.ports import Aggregate, Window

LONG_MS: Final = 48 * 3_600_000
"""Below, the readings of one signal are as quick: 86 400 a day at most."""
SETTLED_MS: Final = 360_000
"""Younger minutes may still be put right: the task of late data runs each five."""

_VALUE: Final[Mapping[str, tuple[str, str]]] = {
    "mean": (".mean", "mean"),
    "min": (".min", "min"),
    "max": (".max", "max"),
    "last": (".last", "last"),
    "count": (".count", "sum"),
}
_CHECKS: Final = (
    ("there", ".count", "count"),
    ("least", ".count", "min"),
    ("most", ".count", "max"),
    ("bad", ".bad", "max"),
)
"""Name -> field of the minutes, and what is asked of it."""

_Range = tuple[int, int]


def question(buckets: Sequence[str], station: str, signal: str, over: _Range, grid: str, aggregate: Aggregate) -> str:
    """Return the Flux that asks for windows and for whether they are sure.

    Args:
        buckets: Of readings, and of minutes.
        station: Whose.
        signal: Which.
        over: [start, end), epoch ms.
        grid: Arguments of `aggregateWindow` that say where windows are.
        aggregate: What is wanted.
    """
    raw, minutes = buckets

    def part(name: str, bucket: str, field: str, function: str) -> str:
        return (
            flux.source(bucket, *over)
            + flux.where(flux.any_of("station", [station]), flux.any_of("_field", [signal + field]))
            + f' |> aggregateWindow({grid}, fn: {function}, createEmpty: false, timeSrc: "_start")'
            + f' |> keep(columns: ["_time", "_value"]) |> yield(name: "{name}")'
        )

    parts = [part("value", minutes, *_VALUE[aggregate]), part("doubt", raw, ".q", "count")]
    return "\n".join([*parts, *(part(name, minutes, field, function) for name, field, function in _CHECKS)])


def sure_windows(
    tables: Iterable[tuple[list[str], Iterator[list[str]]]], over: _Range, every_ms: int, aggregate: Aggregate
) -> dict[int, Window]:
    """Return the windows of an answer that are sure, by their start."""
    found: dict[str, dict[int, float]] = {}
    rows_told = 0
    for header, rows in tables:
        at_name, at_time, at_value = (header.index(name) for name in ("result", "_time", "_value"))
        said = list(rows)
        rows_told += len(said)
        for t_ms, row in zip(flux.all_ms([row[at_time] for row in said]).tolist(), said, strict=True):
            found.setdefault(row[at_name], {})[t_ms] = float(row[at_value])
    if sum(map(len, found.values())) < rows_told:  # two units carry the signal
        return {}
    value, doubt, there, least, most, bad = (
        found.get(name, {}) for name in ("value", "doubt", "there", "least", "most", "bad")
    )
    return {
        t_ms: Window(t_ms, number, GOOD)
        for t_ms, number in value.items()
        if over[0] <= t_ms <= over[1] - every_ms
        and t_ms not in doubt
        and there.get(t_ms) == every_ms // MINUTE_MS
        and bad.get(t_ms) == 0
        and (aggregate != "mean" or least.get(t_ms) == most.get(t_ms))
    }


def unsure(sure: Mapping[int, Window], over: _Range, every_ms: int, offset_ms: int) -> list[int]:
    """Return the windows of [start, end) that are not sure, by their start."""
    first = over[0] - (over[0] - offset_ms) % every_ms
    return [t_ms for t_ms in range(first, over[1], every_ms) if t_ms not in sure]
