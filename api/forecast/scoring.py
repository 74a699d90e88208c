"""A day's scorecard from what is kept: forecasts as they were published, and the alarm journal."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from station.domain.capacity_forecast import Band, Count
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_text import BLOCKS
from station.domain.plant import Plant
from station.domain.scorecard import (
    CHECKED,
    FIRST_SCORED,
    AlertEvent,
    Check,
    FirstAlert,
    KeptForecast,
    Scorecard,
    ScoredDay,
    scorecard,
    scorecard_text,
)
from station.ports import AlarmJournal, ForecastHistory
from station.wire.plan_v1 import parse_time, rfc3339

_MOST_A_DAY: Final = 4 * 1440
"""Forecasts read of a day; one a minute is the most that events ask for."""
_PAGE: Final = 5000
_CAPACITY_ALERT: Final = "CAP-"
_RAISED: Final = {"raised": True, "cleared": False}


class _Day(msgspec.Struct):
    trucks: float
    kg: float


class _Band(msgspec.Struct):
    p10: float
    p50: float
    p90: float


class _UpperBand(msgspec.Struct):
    p50: float


class _Published(msgspec.Struct):
    """What is read of a forecast (contract section 6)."""

    plan: _Day
    done: _Day
    shortfall_kg: _UpperBand
    shortfall_probability: float
    shortfall_at: str | None
    bottleneck: str
    kg_by_close: _Band | None = None


_decoder = msgspec.json.Decoder(_Published)


def day_scorecard(plant: Plant, forecasts: ForecastHistory, journal: AlarmJournal, date: dt.date) -> Scorecard | None:
    """Return the scorecard of a station day, None where it has no forecasts.

    Raises:
        JournalUnavailableError: What is kept cannot be read now.
    """
    day = _scored_day(plant, date)
    kept = _kept(forecasts, plant.id, day.start_ms, day.close_ms)
    if not kept:
        return None
    return scorecard(day, kept, _alerts(journal, plant.id, day.start_ms, day.close_ms))


def scorecard_as_json(card: Scorecard) -> dict[str, Any]:
    """Return a scorecard as plain JSON types, times RFC 3339 UTC."""
    text, block = scorecard_text(card), BLOCKS[card.bottleneck]
    return {
        "date": card.date.isoformat(),
        "complete": card.complete,
        "forecasts": card.forecasts,
        "plan": _count(card.plan),
        "done": _count(card.done),
        "shortfall_kg": round(card.shortfall_kg, 1),
        "short": card.short,
        "checks": [_check(one) for one in card.checks],
        "brier": _rounded(card.brier, 4),
        "in_band_share": _rounded(card.in_band_share, 3),
        "first_alert": None if card.first_alert is None else _first(card.first_alert),
        "alerts": [{"id": name, "raised": up, "cleared": down} for name, (up, down) in card.alerts.items()],
        "bottleneck": card.bottleneck,
        "bottleneck_text": {"en": block.en, "zh": block.zh},
        "text": {"en": text.en, "zh": text.zh},
    }


def _scored_day(plant: Plant, date: dt.date) -> ScoredDay:
    def local_ms(time: dt.time) -> int:
        return round(dt.datetime.combine(date, time, plant.timezone).timestamp() * 1000)

    return ScoredDay(
        date=date,
        start_ms=round(plant.day_start(date).timestamp() * 1000),
        close_ms=round(plant.day_start(date + dt.timedelta(days=1)).timestamp() * 1000),
        checks_ms=tuple(local_ms(time) for time in CHECKED),
        scored_from_ms=local_ms(FIRST_SCORED),
        short_kg=CapacityParameters.of(plant.parameters).shortfall_kg,
    )


def _kept(forecasts: ForecastHistory, station: str, start_ms: int, end_ms: int) -> list[KeptForecast]:
    return [_read(at_ms, body) for at_ms, body in forecasts.range(station, start_ms, end_ms, _MOST_A_DAY)]


def _read(at_ms: int, body: bytes) -> KeptForecast:
    said = _decoder.decode(body)
    by_close = said.kg_by_close
    return KeptForecast(
        at_ms=at_ms,
        plan=Count(round(said.plan.trucks), said.plan.kg),
        done=Count(round(said.done.trucks), said.done.kg),
        kg_by_close=None if by_close is None else Band(by_close.p10, by_close.p50, by_close.p90),
        shortfall_kg=said.shortfall_kg.p50,
        probability=said.shortfall_probability,
        shortfall_at_ms=None if said.shortfall_at is None else parse_time(said.shortfall_at),
        bottleneck=said.bottleneck,
    )


def _alerts(journal: AlarmJournal, station: str, start_ms: int, end_ms: int) -> list[AlertEvent]:
    events: list[AlertEvent] = []
    after = 0
    while rows := journal.entries(station, start_ms, end_ms, after, _PAGE):
        after = rows[-1][0]
        events += [
            AlertEvent(entry.alarm_id, _RAISED[entry.event], entry.t_ms)
            for _, entry in rows
            if entry.alarm_id.startswith(_CAPACITY_ALERT) and entry.event in _RAISED
        ]
    return sorted(events, key=lambda event: event.t_ms)


def _count(count: Count) -> dict[str, float]:
    return {"trucks": count.trucks, "kg": round(count.kg, 1)}


def _check(check: Check) -> dict[str, Any]:
    band = check.expected_kg
    return {
        "at": rfc3339(check.at_ms),
        "probability": round(check.probability, 4),
        "expected_kg": {"p10": band.p10, "p50": band.p50, "p90": band.p90},
        "happened_kg": _rounded(check.happened_kg, 1),
        "error_percent": _rounded(check.error_percent, 2),
        "in_band": check.in_band,
    }


def _first(alert: FirstAlert) -> dict[str, Any]:
    return {
        "at": rfc3339(alert.at_ms),
        "told_lead_minutes": _rounded(alert.told_lead_minutes, 1),
        "real_lead_minutes": _rounded(alert.real_lead_minutes, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
