"""What a report reads of a station day: states as they changed, minutes, and readings around moments that matter.

A day has 16 million values; a report needs some 20 000 of them. So it is asked for in two steps: first the states of
bays, machines and hoses, then, around the moments that these name, what instruments said just before and after.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from station.domain.plant import Plant
from station.domain.signals import Reading, quality_rank

MINUTE_MS: Final = 60_000
STALE_MS: Final = 180_000
"""States come on change and each 60 s: three of them missing, and nobody knows the state any more (contract 7)."""
BEFORE_MS: Final = 3 * 3_600_000
"""A fill that ends in the day, and the docking of a trailer that leaves in it, may have begun so much before."""
NEAR_MS: Final = 20_000
"""A transmitter's word stands for a moment up to this much later; the slowest of those asked speaks each 10 s."""

PLAUSIBLE: Final = {"MPa": 150.0, "degC": 150.0}
"""No vessel is beyond these, whichever way: it is a broken transmitter's number, and no equation of state has it."""
_ALL_HEARD_MS: Final = 120_000
"""Two minutes after a station's first word every signal that speaks at least each minute has spoken."""

_LINE_ROLES: Final = ("pressure", "delivery_temperature")

Floats = npt.NDArray[np.float64]
Steps = Sequence[tuple[int, float | None]]
"""(epoch ms, value) of each change of a state, oldest first; None from where nobody knows it any more."""


@dataclass(frozen=True, slots=True)
class ReportDay:
    """The station day that is reported.

    Attributes:
        start_ms, end_ms: Local midnight to local midnight, epoch ms.
        from_ms: `start_ms`, or soon after the station's first readings ever, where those are of this day.
        until_ms: As far as the report goes: `end_ms`, or now where the day is not over.
    """

    date: dt.date
    start_ms: int
    end_ms: int
    from_ms: int
    until_ms: int

    @classmethod
    def of(cls, plant: Plant, date: dt.date, now_ms: int, first_ms: int = 0) -> ReportDay:
        """Return a day of a station as far as it has gone at `now_ms`; its first readings ever are of `first_ms`."""
        start, end = (round(plant.day_start(day).timestamp() * 1000) for day in (date, date + dt.timedelta(days=1)))
        until = max(start, min(end, now_ms))
        return cls(date, start, end, min(until, max(start, first_ms + _ALL_HEARD_MS)), until)

    @property
    def complete(self) -> bool:
        """Whether the day is over."""
        return self.until_ms >= self.end_ms

    @property
    def minutes(self) -> int:
        """How many minutes of the day have begun."""
        return -(-(self.until_ms - self.start_ms) // MINUTE_MS)

    @property
    def first_minute(self) -> int:
        """The place of the first minute that there are readings of: 0 but on a station's first day."""
        return (self.from_ms - self.start_ms) // MINUTE_MS

    def holds(self, t_ms: int) -> bool:
        """Return whether a moment lies in the reported part of the day."""
        return self.start_ms <= t_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """The minutes of one signal, one place a minute of the day; NaN where no good or uncertain value was."""

    mean: Floats
    last: Floats
    low: Floats
    high: Floats

    @classmethod
    def empty(cls, minutes: int) -> MinuteSeries:
        """Return a signal that said nothing."""
        return cls(*(np.full(minutes, math.nan) for _ in range(4)))

    @property
    def known(self) -> int:
        """How many minutes have a value."""
        return int(np.isfinite(self.last).sum())

    def since(self, place: int) -> MinuteSeries:
        """Return the minutes from a place on."""
        return MinuteSeries(self.mean[place:], self.last[place:], self.low[place:], self.high[place:])


@dataclass(frozen=True, slots=True)
class DayReadings:
    """Everything that a report reads of a day.

    Attributes:
        steps: State tag -> its changes, from `BEFORE_MS` before the day on.
        minutes: Tag -> its minutes.
        moments: Tag -> (times, values) of its readings around the moments of `windows`; a bad value is NaN.
    """

    day: ReportDay
    steps: Mapping[str, Steps] = field(default_factory=dict)
    minutes: Mapping[str, MinuteSeries] = field(default_factory=dict)
    moments: Mapping[str, tuple[Sequence[int], Sequence[float]]] = field(default_factory=dict)

    def series(self, tag: str) -> MinuteSeries:
        """Return a signal's minutes, all of them empty where it said nothing."""
        return self.minutes.get(tag) or MinuteSeries.empty(self.day.minutes)

    def heard(self, tag: str) -> MinuteSeries:
        """Return a signal's minutes from the first on that the station has readings of."""
        return self.series(tag).since(self.day.first_minute)

    def before(self, tag: str, t_ms: int, within_ms: int = NEAR_MS) -> float | None:
        """Return the newest word of a signal not later than a moment; None where it is too old, or was bad."""
        newest = self._newest(tag, t_ms, within_ms)
        return None if newest is None else _known(newest)

    def _newest(self, tag: str, t_ms: int, within_ms: int) -> float | None:
        """Return the newest word not later than a moment, bad or not; None where there is none, or it is too old."""
        times, values = self.moments.get(tag, ((), ()))
        place = bisect_right(times, t_ms) - 1
        return None if place < 0 or t_ms - times[place] > within_ms else values[place]

    def lately(self, tag: str, t_ms: int) -> float | None:
        """Return the same; of a signal that said nothing near the moment what the minute before it ended with.

        A history that is filled in speaks once a minute. It is for what is at rest meanwhile: a trailer before its bay
        opens and after it was emptied, a hose's line, whose gas in a minute changes by some grams.
        """
        newest = self._newest(tag, t_ms, NEAR_MS)
        if newest is not None:
            return _known(newest)
        minute = (t_ms - self.day.start_ms) // MINUTE_MS - 1
        last = self.series(tag).last
        return _known(float(last[minute])) if 0 <= minute < len(last) else None

    def after(self, tag: str, t_ms: int, within_ms: int = NEAR_MS) -> float | None:
        """Return the first word of a signal not before a moment; None where it comes too late, or was bad."""
        times, values = self.moments.get(tag, ((), ()))
        place = bisect_left(times, t_ms)
        if place >= len(times) or times[place] - t_ms > within_ms:
            return None
        return _known(values[place])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in one state [start, end); `state` is its number, None where nobody knows."""

    state: int | None
    start_ms: int
    end_ms: int

    @property
    def hours(self) -> float:
        """How long."""
        return (self.end_ms - self.start_ms) / 3_600_000.0


def steps_of(readings: Iterable[Reading], until_ms: int) -> list[tuple[int, float | None]]:
    """Return the changes of a state: a bad reading, or three minutes without one, leave it unknown."""
    found: list[tuple[int, float | None]] = []
    last_ms: int | None = None
    for reading in readings:
        if last_ms is not None and reading.t_ms - last_ms > STALE_MS:
            found.append((last_ms + STALE_MS, None))
        value = None if quality_rank(reading.quality) == 2 else reading.value
        if not found or found[-1][1] != value:
            found.append((reading.t_ms, value))
        last_ms = reading.t_ms
    if last_ms is not None and until_ms - last_ms > STALE_MS and found[-1][1] is not None:
        found.append((last_ms + STALE_MS, None))
    return found


def spans_of(steps: Steps, start_ms: int, end_ms: int) -> Iterator[Span]:
    """Yield the stretches of [start, end) in each state, oldest first; before the first word nobody knows it."""
    edges = [(start_ms, None), *steps]
    for place, (t_ms, value) in enumerate(edges):
        next_ms = edges[place + 1][0] if place + 1 < len(edges) else end_ms
        first_ms, last_ms = max(t_ms, start_ms), min(next_ms, end_ms)
        if first_ms < last_ms:
            yield Span(None if value is None else int(value), first_ms, last_ms)


@dataclass(frozen=True, slots=True)
class StateTags:
    """The state signals that a report reads: tags by unit."""

    bays: Mapping[str, str]
    trains: Mapping[str, str]
    chillers: Mapping[str, str]
    hoses: Mapping[str, str]

    @classmethod
    def of(cls, plant: Plant) -> StateTags:
        """Return those of a station."""

        def states(area: str, units: Iterable[str]) -> dict[str, str]:
            return {unit: plant.tag(area, unit, "state") for unit in units}

        return cls(
            states("trailer", plant.supply.bays),
            states("compression", (train.unit for train in plant.trains)),
            states("cooling", (chiller.unit for chiller in plant.chillers)),
            states("dispensing", (hose.unit for hose in plant.hoses)),
        )

    def all(self) -> list[str]:
        """Return every tag."""
        return [tag for units in (self.bays, self.trains, self.chillers, self.hoses) for tag in units.values()]


def line_tags(plant: Plant) -> list[str]:
    """Return the signals whose minutes the balance reads besides: how full the hoses' lines are."""
    return [plant.tag("dispensing", hose.unit, role) for hose in plant.hoses for role in _LINE_ROLES]


def minute_tags(plant: Plant) -> list[str]:
    """Return the signals whose minutes a report reads."""
    wanted: list[tuple[str, Iterable[str], tuple[str, ...]]] = [
        ("trailer", plant.supply.bays, ("pressure", "temperature", "flow")),
        ("trailer", ["weighbridge"], ("mass",)),
        ("compression", [train.unit for train in plant.trains], ("flow", "power")),
        ("storage", [bank.unit for bank in plant.banks], ("pressure_a", "pressure_b", "temperature")),
        ("cooling", [chiller.unit for chiller in plant.chillers], ("power",)),
        ("dispensing", [hose.unit for hose in plant.hoses], ("total",)),
        ("utilities", ["power"], ("power", "energy")),
    ]
    tags = [plant.tag(area, unit, role) for area, units, roles in wanted for unit in units for role in roles]
    return [*tags, *(signal.tag for signal in plant.signals.values() if signal.area == "quality")]
