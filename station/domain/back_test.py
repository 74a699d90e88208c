"""How good the forecast was: days on which it is known what really happened, and DOMAIN 4.6's scores of them.

Pure: who made the days does not matter, simulated or real. Each score comes with the interval that it has by the
chance of these days (bootstrap over whole days: the forecasts of one day are not independent of each other).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from station.domain.plant import Text

Float = npt.NDArray[np.float64]

SHORT_KG = 40.0
"""A day that leaves at least this much is short, DOMAIN 4.3."""

FIRST_HOUR = 8.0
"""Forecasts count from here on, DOMAIN 4.6."""

SCORED_EVERY_MIN = 30
"""Of a day that was forecast more often only these count, so that each day weighs alike."""

KG_HOURS = (8.0, 12.0, 16.0)
SHORT = "CAP-SHORT"

_RESAMPLES = 500
_INTERVAL = (5.0, 95.0)
"""90 % of the resamples lie between these percentiles."""

_FORTNIGHT = 14.0


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """What is judged of one forecast.

    Attributes:
        minute: Since the begin of the station day.
        probability: That the day ends short, smoothed.
        kg: Kilograms by close: 10th, 50th and 90th percentile.
        bottleneck: The limiting block that it names.
    """

    minute: int
    probability: float
    kg: tuple[float, float, float]
    bottleneck: str


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that was raised or cleared.

    Attributes:
        minute: Since the begin of the station day.
        alert: Its id.
        active: Raised, or cleared.
        bottleneck: The limiting block that the forecast named then.
    """

    minute: int
    alert: str
    active: bool
    bottleneck: str


@dataclass(frozen=True)
class JudgedDay:
    """One station day: what was said, and what was.

    Attributes:
        name: Of the day, for tables.
        onset: `supply`, `sudden`, `standstill` or `none`: what a shortage would come from.
        cause: The limiting block by the script; None where there is no single one.
        plan_kg: Kilograms booked.
        kg: Kilograms that the trucks got that arrived before close.
        short_kg: What they lacked.
        short_minute: Arrival of the truck at which that reached 40 kg; None on a day that was not short.
        points: Forecasts in order.
        changes: Of the alerts, in order.
    """

    name: str
    onset: str
    cause: str | None
    plan_kg: float
    kg: float
    short_kg: float
    short_minute: float | None
    points: tuple[ForecastPoint, ...]
    changes: tuple[AlertChange, ...]

    @property
    def is_short(self) -> bool:
        """Whether the day ended short."""
        return self.short_kg >= SHORT_KG

    @property
    def first_alert(self) -> AlertChange | None:
        """The first time that the shortage alert was raised."""
        return next((c for c in self.changes if c.alert == SHORT and c.active), None)

    @property
    def lead_minutes(self) -> float | None:
        """From the first shortage alert to the shortage; negative where it came after; None without either."""
        first = self.first_alert
        if first is None or self.short_minute is None:
            return None
        return self.short_minute - first.minute

    @cached_property
    def scored(self) -> tuple[ForecastPoint, ...]:
        """The forecasts that count."""
        first, close = FIRST_HOUR * 60, 24 * 60
        return tuple(p for p in self.points if first <= p.minute < close and p.minute % SCORED_EVERY_MIN == 0)

    @cached_property
    def probabilities(self) -> Float:
        """Their probabilities."""
        return np.array([p.probability for p in self.scored], dtype=np.float64)

    @cached_property
    def held(self) -> npt.NDArray[np.bool_]:
        """Whether their bands of kilograms held what was given."""
        return np.array([p.kg[0] <= self.kg <= p.kg[2] for p in self.scored], dtype=np.bool_)

    def at_hour(self, hour: float) -> ForecastPoint | None:
        """Return the forecast of an hour."""
        return next((p for p in self.points if p.minute == round(hour * 60)), None)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a score must be, both ends included; None where an end is open."""

    low: float | None = None
    high: float | None = None

    def met(self, value: float) -> bool:
        """Return whether a value meets it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def text(self, unit: str) -> str:
        """Return it in words of no language."""
        if self.low is None:
            return f"<= {self.high:g} {unit}".rstrip()
        if self.high is None:
            return f">= {self.low:g} {unit}".rstrip()
        return f"{self.low:g} .. {self.high:g} {unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Score:
    """One row of the table.

    Attributes:
        key: For programs.
        name: For readers.
        unit: Of all its numbers.
        demand: DOMAIN 4.6.
        value: Over all days; None where no day says anything of it.
        low, high: Its 90 % interval.
        days: How many days it rests on.
    """

    key: str
    name: Text
    unit: str
    demand: Demand
    value: float | None
    low: float | None
    high: float | None
    days: int

    @property
    def met(self) -> bool | None:
        """Whether the value meets the demand; None where there is none."""
        return None if self.value is None else self.demand.met(self.value)


@dataclass(frozen=True, slots=True)
class Decile:
    """Forecasts of a like probability: their mean, the share of them whose day ended short, and how many they are."""

    probability: float
    observed: float
    forecasts: int


_Days = Sequence[JudgedDay]
_Figure = Callable[[_Days], float | None]
_Applies = Callable[[JudgedDay], bool]


# --- figures of a set of days ---


def _pairs(days: _Days) -> tuple[Float, Float]:
    """Return (probability, outcome 0 or 1) of every forecast that counts."""
    said = [day.probabilities for day in days]
    was = np.repeat([float(day.is_short) for day in days], [len(one) for one in said])
    return np.concatenate(said), was


def brier(days: _Days) -> float | None:
    """Return the mean squared distance between probability and outcome."""
    said, was = _pairs(days)
    return float(np.mean((said - was) ** 2)) if len(said) else None


def skill(days: _Days) -> float | None:
    """Return by what share that is better than saying the climatology of these days each time."""
    said, was = _pairs(days)
    usual = float(np.mean(was)) if len(was) else 0.0
    reference = usual * (1.0 - usual)
    return None if reference == 0.0 else 1.0 - float(np.mean((said - was) ** 2)) / reference


def deciles(days: _Days) -> list[Decile]:
    """Return the reliability of the probabilities, tenth by tenth; empty tenths are left out."""
    said, was = _pairs(days)
    tenth = np.minimum((said * 10.0).astype(np.int64), 9)
    found = []
    for number in range(10):
        here = tenth == number
        if here.any():
            found.append(Decile(float(said[here].mean()), float(was[here].mean()), int(here.sum())))
    return found


def reliability_slope(days: _Days) -> float | None:
    """Return the slope of observed share over probability, each tenth weighing by its forecasts; ideally 1."""
    rows = deciles(days)
    if len(rows) < 2:
        return None
    said = np.array([r.probability for r in rows])
    was = np.array([r.observed for r in rows])
    weight = np.array([r.forecasts for r in rows], dtype=np.float64)
    middle_said, middle_was = np.average(said, weights=weight), np.average(was, weights=weight)
    spread = float(np.sum(weight * (said - middle_said) ** 2))
    return float(np.sum(weight * (said - middle_said) * (was - middle_was)) / spread) if spread > 0.0 else None


def coverage(days: _Days) -> float | None:
    """Return the share of the forecasts whose 10..90 % band of kilograms by close holds what was given [%]."""
    held = np.concatenate([day.held for day in days])
    return 100.0 * float(np.mean(held)) if len(held) else None


def _kg_error(hour: float) -> _Figure:
    def error(days: _Days) -> float | None:
        found = [
            abs(point.kg[1] - day.kg) / day.plan_kg
            for day in days
            if day.plan_kg > 0.0 and (point := day.at_hour(hour)) is not None
        ]
        return 100.0 * float(np.mean(found)) if found else None

    return error


def _lead(onset: str, percentile: float) -> _Figure:
    def lead(days: _Days) -> float | None:
        found = [day.lead_minutes for day in days if day.onset == onset and day.lead_minutes is not None]
        return float(np.percentile(found, percentile)) if found else None

    return lead


def missed(days: _Days) -> float | None:
    """Return the share of the short days on which no shortage was alerted [%]."""
    short = [day for day in days if day.is_short]
    return 100.0 * sum(day.first_alert is None for day in short) / len(short) if short else None


def false_alarms(days: _Days) -> float | None:
    """Return how many days of a fortnight had a shortage alert and no shortage."""
    false = sum(not day.is_short and day.first_alert is not None for day in days)
    return _FORTNIGHT * false / len(days) if days else None


def changes_a_day(days: _Days) -> float | None:
    """Return how often the shortage alert was raised or cleared on a day."""
    return sum(c.alert == SHORT for day in days for c in day.changes) / len(days) if days else None


def _named(day: JudgedDay) -> bool:
    first = day.first_alert
    return first is not None and first.bottleneck == day.cause


def bottleneck_right(days: _Days) -> float | None:
    """Return on what share of the alerted short days the first alert named the block that the script struck [%]."""
    found = [_named(day) for day in days if day.is_short and day.cause is not None and day.first_alert is not None]
    return 100.0 * sum(found) / len(found) if found else None


# --- the table ---


def _all(day: JudgedDay) -> bool:
    return bool(day.scored)


def _short(day: JudgedDay) -> bool:
    return day.is_short


def _led(onset: str) -> _Applies:
    return lambda day: day.onset == onset and day.lead_minutes is not None


def _caused(day: JudgedDay) -> bool:
    return day.is_short and day.cause is not None and day.first_alert is not None


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    name: Text
    unit: str
    demand: Demand
    figure: _Figure
    applies: _Applies


_ROWS = (
    _Row("brier", Text("Brier score", "布里尔分数"), "", Demand(high=0.08), brier, _all),
    _Row("skill", Text("Skill over climatology", "相对气候态的技巧评分"), "", Demand(low=0.4), skill, _all),
    _Row("slope", Text("Reliability slope", "可靠性斜率"), "", Demand(0.8, 1.2), reliability_slope, _all),
    _Row("coverage", Text("80 % interval of kg holds", "80 % 区间覆盖率"), "%", Demand(75.0, 87.0), coverage, _all),
    *(
        _Row(
            f"kg-{hour:02.0f}",
            Text(f"kg by close, error at {hour:02.0f}:00", f"{hour:02.0f}:00 预测的全天加注量误差"),
            "%",
            Demand(high=limit),
            _kg_error(hour),
            _all,
        )
        for hour, limit in zip(KG_HOURS, (6.0, 4.0, 2.0), strict=True)
    ),
    _Row(
        "lead-supply", Text("Lead, supply faults, median", "供应中断提前量，中位数"), "min", Demand(low=120.0),
        _lead("supply", 50.0), _led("supply"),
    ),
    _Row(
        "lead-supply-90", Text("Lead, supply faults, 90 % have", "供应中断提前量，90 % 达到"), "min", Demand(low=45.0),
        _lead("supply", 10.0), _led("supply"),
    ),
    _Row(
        "lead-sudden-90", Text("Lead, sudden trips, 90 % have", "突发跳停提前量，90 % 达到"), "min", Demand(low=20.0),
        _lead("sudden", 10.0), _led("sudden"),
    ),
    _Row("missed", Text("Short days missed", "漏报的短缺日"), "%", Demand(high=5.0), missed, _short),
    _Row("false", Text("False alarms in 14 days", "每 14 天误报"), "", Demand(high=1.0), false_alarms, _all),
    _Row("changes", Text("Raised and cleared a day", "每日报警与消除次数"), "", Demand(high=2.0), changes_a_day, _all),
    _Row(
        "bottleneck", Text("Limiting block named right", "瓶颈判断正确"), "%", Demand(low=90.0), bottleneck_right,
        _caused,
    ),
)  # fmt: skip


def scores(days: Sequence[JudgedDay], seed: int = 1) -> list[Score]:
    """Return DOMAIN 4.6's table.

    Args:
        days: At least one.
        seed: Of the resamples.
    """
    draw = np.random.default_rng(seed)
    picks = draw.integers(len(days), size=(_RESAMPLES, len(days)))
    samples = [[days[i] for i in pick] for pick in picks]
    return [_score(row, days, samples) for row in _ROWS]


def _score(row: _Row, days: _Days, samples: Sequence[_Days]) -> Score:
    value = row.figure(days)
    found = [v for sample in samples if (v := row.figure(sample)) is not None] if value is not None else []
    low, high = (float(v) for v in np.percentile(found, _INTERVAL)) if found else (None, None)
    count = sum(row.applies(day) for day in days)
    return Score(row.key, row.name, row.unit, row.demand, value, low, high, count)


def short_at(arrivals: Sequence[tuple[float, float]]) -> tuple[float, float | None]:
    """Return what trucks lacked in all [kg], and the arrival of the one at which it reached `SHORT_KG`.

    Args:
        arrivals: (minute of arrival, kilograms that the truck lacked) of each truck.
    """
    order = sorted(arrivals)
    sums = list(itertools.accumulate(max(0.0, kg) for _, kg in order))
    reached = next((minute for (minute, _), kg in zip(order, sums, strict=True) if kg >= SHORT_KG), None)
    return (sums[-1] if sums else 0.0), reached
