"""What the forecasts of a day were worth, held against what happened: the daily scorecard.

What happened is taken from the kept forecasts themselves: each tells what had been given by then, and the last one of a
day what stayed missing. So a scorecard needs no readings, and says the same as long as the forecasts are kept.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station.domain.capacity_forecast import Band, Count
from station.domain.plant import Text

NEAR_MS = 15 * 60_000
"""A forecast stands for a moment up to this much later: three regular runs; an older one says nothing of it."""

SCORED_MS = 30 * 60_000
"""Probability and band are scored each half hour: neighbouring runs know nearly the same."""

FIRST_SCORED = dt.time(8)
CHECKED = (dt.time(8), dt.time(12), dt.time(16))
"""Local times at which the expected kilograms are held against what came."""

SHORT_ALERT = "CAP-SHORT"


@dataclass(frozen=True, slots=True)
class KeptForecast:
    """What a scorecard reads of a kept forecast; times epoch ms, see `Forecast`.

    Attributes:
        at_ms: When it was made.
        plan, done: Of the station day.
        kg_by_close: Kilograms that the whole day would have given; None where it was not told.
        shortfall_kg: Expected for the whole day, p50.
        probability: Of a short day.
        shortfall_at_ms: When the day becomes, or became, short; None where it does not.
        bottleneck: What limits, `none` where nothing does.
    """

    at_ms: int
    plan: Count
    done: Count
    kg_by_close: Band | None
    shortfall_kg: float
    probability: float
    shortfall_at_ms: int | None
    bottleneck: str


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A capacity alert was raised, or cleared."""

    alert: str
    raised: bool
    t_ms: int


@dataclass(frozen=True, slots=True)
class ScoredDay:
    """The station day that is scored.

    Attributes:
        start_ms, close_ms: Its beginning and end, epoch ms.
        checks_ms: Moments at which the expected kilograms are checked, epoch ms.
        scored_from_ms: From here on probability and band are scored.
        short_kg: From this shortfall on a day counts as short [kg].
    """

    date: dt.date
    start_ms: int
    close_ms: int
    checks_ms: tuple[int, ...]
    scored_from_ms: int
    short_kg: float


@dataclass(frozen=True, slots=True)
class Check:
    """The forecast of one moment against what came.

    Attributes:
        at_ms: Of the forecast.
        probability: Of a short day, as it said.
        expected_kg: What it expected the whole day to give.
        happened_kg: What the day gave, None while it is not over.
        error_percent: p50 less what happened, in percent of the day's plan; None with it.
        in_band: What happened lies within p10..p90.
    """

    at_ms: int
    probability: float
    expected_kg: Band
    happened_kg: float | None
    error_percent: float | None
    in_band: bool | None


@dataclass(frozen=True, slots=True)
class FirstAlert:
    """The first warning of a shortage.

    Attributes:
        told_lead_minutes: What the forecast of that moment promised.
        real_lead_minutes: From the warning to the truck at which the day became short; None where it did not.
    """

    at_ms: int
    told_lead_minutes: float | None
    real_lead_minutes: float | None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A day's forecasts against what happened.

    Attributes:
        complete: The day is over, and was forecast to its end.
        shortfall_kg: Of the day, as its last forecast has it [kg].
        brier: Mean squared error of the half-hourly probabilities; None while the day is not over.
        in_band_share: Of the half-hourly bands the share that held what happened; None where none can be judged.
        alerts: Alert id -> (raised, cleared).
        bottleneck: Named most among the forecasts that named one, else `none`.
    """

    date: dt.date
    complete: bool
    forecasts: int
    plan: Count
    done: Count
    shortfall_kg: float
    short: bool
    checks: tuple[Check, ...]
    brier: float | None
    in_band_share: float | None
    first_alert: FirstAlert | None
    alerts: Mapping[str, tuple[int, int]]
    bottleneck: str


def scorecard(day: ScoredDay, kept: Sequence[KeptForecast], events: Sequence[AlertEvent]) -> Scorecard:
    """Score a day.

    Args:
        day: Which.
        kept: Its forecasts, oldest first, at least one.
        events: The day's capacity alerts, oldest first.

    Raises:
        ValueError: The day has no forecasts.
    """
    if not kept:
        raise ValueError(f"no forecasts on {day.date}")
    last = kept[-1]
    complete = last.at_ms >= day.close_ms - NEAR_MS
    short = last.shortfall_kg >= day.short_kg
    half_hours = _found(kept, range(day.scored_from_ms, day.close_ms, SCORED_MS))
    happened = last.done.kg if complete else None
    judged = [one.in_band for one in _checks(half_hours, happened, last.plan.kg) if one.in_band is not None]
    return Scorecard(
        date=day.date,
        complete=complete,
        forecasts=len(kept),
        plan=last.plan,
        done=last.done,
        shortfall_kg=last.shortfall_kg,
        short=short,
        checks=tuple(_checks(_found(kept, day.checks_ms), happened, last.plan.kg)),
        brier=_brier(half_hours, short=short) if complete else None,
        in_band_share=sum(judged) / len(judged) if judged else None,
        first_alert=_first_alert(kept, events, short=short),
        alerts=_counts(events),
        bottleneck=_named_most(kept),
    )


def known_at(kept: Sequence[KeptForecast], t_ms: int) -> KeptForecast | None:
    """Return what was known at a moment: the newest forecast not later, None where it would be too old."""
    place = bisect_right(kept, t_ms, key=lambda f: f.at_ms)
    if place == 0 or t_ms - kept[place - 1].at_ms > NEAR_MS:
        return None
    return kept[place - 1]


def _found(kept: Sequence[KeptForecast], moments: Sequence[int]) -> list[KeptForecast]:
    return [found for t_ms in moments if (found := known_at(kept, t_ms)) is not None]


def _checks(forecasts: Sequence[KeptForecast], happened_kg: float | None, plan_kg: float) -> list[Check]:
    checks = []
    for f in forecasts:
        band, error, in_band = f.kg_by_close, None, None
        if band is None:
            continue
        if happened_kg is not None:
            in_band = band.p10 <= happened_kg <= band.p90
            error = 100.0 * (band.p50 - happened_kg) / plan_kg if plan_kg > 0 else None
        checks.append(Check(f.at_ms, f.probability, band, happened_kg, error, in_band))
    return checks


def _brier(half_hours: Sequence[KeptForecast], *, short: bool) -> float | None:
    errors = [(f.probability - float(short)) ** 2 for f in half_hours]
    return sum(errors) / len(errors) if errors else None


def _first_alert(kept: Sequence[KeptForecast], events: Sequence[AlertEvent], *, short: bool) -> FirstAlert | None:
    raised = next((e for e in events if e.raised and e.alert == SHORT_ALERT), None)
    if raised is None:
        return None
    then, began_ms = known_at(kept, raised.t_ms), kept[-1].shortfall_at_ms
    told = None if then is None or then.shortfall_at_ms is None else (then.shortfall_at_ms - raised.t_ms) / 60_000
    real = (began_ms - raised.t_ms) / 60_000 if short and began_ms is not None else None
    return FirstAlert(raised.t_ms, told, real)


def _counts(events: Sequence[AlertEvent]) -> dict[str, tuple[int, int]]:
    raised = Counter(e.alert for e in events if e.raised)
    cleared = Counter(e.alert for e in events if not e.raised)
    return {alert: (raised[alert], cleared[alert]) for alert in sorted(raised | cleared)}


def _named_most(kept: Sequence[KeptForecast]) -> str:
    named = Counter(f.bottleneck for f in kept if f.bottleneck != "none")
    return min(named, key=lambda name: (-named[name], name)) if named else "none"


def scorecard_text(card: Scorecard) -> Text:
    """Return the day in a sentence or two."""
    trucks, plan_trucks = card.done.trucks, card.plan.trucks
    kg, plan_kg, missing = round(card.done.kg), round(card.plan.kg), round(card.shortfall_kg)
    en = f"{trucks} of {plan_trucks} trucks and {kg} of {plan_kg} kg given"
    zh = f"已加注 {trucks} / {plan_trucks} 辆车、{kg} / {plan_kg} kg"
    if not card.complete:
        return Text(
            f"{en} by the last forecast; the day is not complete.", f"{zh}（截至最后一次预测，当日数据不完整）。"
        )
    if not card.short:
        return Text(f"{en}; nobody went short.", f"{zh}；无短缺。")
    lead = None if card.first_alert is None else card.first_alert.real_lead_minutes
    if lead is None:
        return Text(f"{en}; {missing} kg short, without a warning.", f"{zh}；短缺 {missing} kg，未提前预警。")
    if lead <= 0:
        return Text(f"{en}; {missing} kg short, warned too late.", f"{zh}；短缺 {missing} kg，预警过迟。")
    return Text(
        f"{en}; {missing} kg short, warned {round(lead)} min before.",
        f"{zh}；短缺 {missing} kg，提前 {round(lead)} 分钟预警。",
    )
