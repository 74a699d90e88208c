"""Looking back on the forecasts: what was known at a moment, and what a day's forecasts were worth."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.forecast.scoring import day_scorecard, scorecard_as_json
from api.people.roles import Role
from api.problems import not_found
from api.routes.bodies import Bottleneck, TextBody, json_answer, raw_json
from api.routes.capacity import Band, Day, ForecastBody
from api.routes.guard import Viewer, needs
from api.routes.params import StationId, moment
from api.services import ApiServices

_OLDEST_MS: Final = 24 * 3_600_000
"""What was forecast more than a day before a moment is no answer to what was known at it."""
_STEPS_MS: Final = (15 * 60_000, _OLDEST_MS)
"""Most moments have a forecast of the last few minutes: the day before them is read only where they have not."""
_LAST_DATE: Final = dt.date(9998, 12, 31)

ScoredDate = Annotated[dt.date, Path(description="Station day", examples=["2026-11-23"])]
Moment = Annotated[
    str, Query(description="RFC 3339 with a zone, or epoch ms", max_length=40, examples=["2026-11-23T10:00:00+08:00"])
]


class CheckBody(BaseModel):
    """The forecast of one moment against what came."""

    at: str
    probability: float = Field(description="Of a short day, as the forecast said it")
    expected_kg: Band = Field(description="What the whole day was expected to give")
    happened_kg: float | None = Field(description="What it gave; null while it is not over")
    error_percent: float | None = Field(description="p50 less what happened, in percent of the day's plan")
    in_band: bool | None = Field(description="What happened lies within p10..p90")


class FirstAlertBody(BaseModel):
    """The day's first CAP-SHORT."""

    at: str
    told_lead_minutes: float | None = Field(description="What the forecast of that moment promised")
    real_lead_minutes: float | None = Field(description="To the truck that made the day short; null where none did")


class AlertCount(BaseModel):
    """How often one alert came and went."""

    id: str
    raised: int
    cleared: int


class ScorecardBody(BaseModel):
    """A day's forecasts against what happened, as the kept forecasts have it."""

    date: str
    complete: bool = Field(description="The day is over, and was forecast to its end")
    forecasts: int
    plan: Day
    done: Day
    shortfall_kg: float
    short: bool = Field(description="40 kg or more were missing")
    checks: list[CheckBody] = Field(description="Forecasts of 08:00, 12:00 and 16:00")
    brier: float | None = Field(description="Of the half-hourly probabilities from 08:00; null before the day is over")
    in_band_share: float | None = Field(description="Of the half-hourly 80 % bands the share that held")
    first_alert: FirstAlertBody | None
    alerts: list[AlertCount]
    bottleneck: Bottleneck = Field(description="Named most")
    bottleneck_text: TextBody
    text: TextBody


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the look back."""
    router = APIRouter(tags=["capacity"])

    @router.get(
        "/stations/{station}/capacity/known",
        summary="What was known at a moment",
        response_model=ForecastBody,
        **needs(Role.VIEWER, 404, example=examples.CAPACITY),
    )
    def get_known(_: Viewer, station: StationId, at: Moment) -> Response:
        """The newest forecast not later than `at`, as it was published; 404 where the day before `at` has none."""
        live, at_ms = services.live(station), moment("query.at", at)
        for reach_ms in _STEPS_MS:
            rows = services.forecasts.range(live.plant.id, max(0, at_ms - reach_ms), at_ms + 1, 2 * 1440)
            if rows:
                return raw_json(rows[-1][1])
        raise not_found("forecast", "query.at", at)

    @router.get(
        "/stations/{station}/capacity/scorecard/{date}",
        summary="What a day's forecasts were worth",
        response_model=ScorecardBody,
        **needs(Role.VIEWER, 404, example=examples.SCORECARD),
    )
    def get_scorecard(_: Viewer, station: StationId, date: ScoredDate) -> Response:
        """Plan and done, errors and band, probability, warnings; of today as far as it goes."""
        plant = services.live(station).plant
        in_time = dt.date(1970, 1, 2) <= date <= _LAST_DATE  # Epoch ms of the days around it can be had.
        card = day_scorecard(plant, services.forecasts, services.journal, date) if in_time else None
        if card is None:
            raise not_found("forecast", "path.date", date.isoformat())
        return json_answer(scorecard_as_json(card))

    return router
