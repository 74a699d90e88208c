"""The capacity forecast: the newest one, and what was known when."""

from __future__ import annotations

import datetime as dt
from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.problems import ProblemError
from api.routes.bodies import Bottleneck, Page, TextBody, raw_json
from api.routes.guard import Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, StationId, TimeText, cursor_ms, time_range
from api.services import ApiServices

_USUAL_RANGE: Final = dt.timedelta(hours=24)


class Day(BaseModel):
    """Trucks and kilograms of the station day."""

    trucks: float
    kg: float


class Band(BaseModel):
    """A forecast with its 80 % band."""

    p10: float
    p50: float
    p90: float


class UpperBand(BaseModel):
    """A forecast with its upper edge."""

    p50: float
    p90: float


class Input(BaseModel):
    """A measurement or an announcement that the forecast used."""

    signal: str
    value: float | None
    quality: str
    age_s: float | None


class OverdueTrailer(BaseModel):
    """A trailer whose ETA has passed, and which is proven not to have docked."""

    id: str
    minutes: float


class ForecastBody(BaseModel):
    """Can today's trucks be fuelled?"""

    station: str
    at: str = Field(description="Station time that it starts from")
    horizon_end: str
    valid: bool = Field(description="False where too many inputs are missing to act upon it")
    plan: Day
    done: Day
    deliverable_kg: Band = Field(description="From `at` to `horizon_end`, at the demand expected")
    trucks_servable: Band
    shortfall_kg: UpperBand
    shortfall_probability: float = Field(ge=0, le=1, description="Of 40 kg or more by the end of the day")
    shortfall_at: str | None
    lead_minutes: float | None
    bottleneck: Bottleneck
    time_to_empty_minutes: float | None
    queue_wait_minutes: UpperBand
    trailer_needed_by: str | None
    n_minus_1_ok: bool | None
    inputs: list[Input]
    advice: TextBody
    next_trailer_eta: str | None = Field(None, description="When the next trailer is expected, silence considered")
    trailers_overdue: list[OverdueTrailer] = Field(default_factory=list)
    trucks_short: int | None = Field(None, description="Of the shortage that the advice tells, the day's loss included")
    kg_by_close: Band | None = Field(None, description="Kilograms of the whole station day, what is given included")


class ForecastList(Page):
    """Forecasts, oldest first."""

    items: list[ForecastBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the forecast."""
    router = APIRouter(tags=["capacity"])

    @router.get(
        "/stations/{station}/capacity",
        summary="The newest capacity forecast",
        response_model=ForecastBody,
        **needs(Role.VIEWER, 404, example=examples.CAPACITY),
    )
    async def get_capacity(_: Viewer, station: StationId) -> Response:
        """Whether the trucks of today can be fuelled, what limits it, and what to do."""
        capacity = services.live(station).capacity
        newest = capacity.newest
        if capacity.absent is not None:
            raise ProblemError(404, capacity.absent)
        if newest is None:
            text = "no forecast yet: the first comes within 5 minutes of station time after the first readings"
            raise ProblemError(503, text, (), {"Retry-After": "10"})
        return raw_json(newest)

    @router.get(
        "/stations/{station}/capacity/history",
        summary="Earlier forecasts: what was known when",
        description="Without `start` and `end`: the last 24 hours.",
        response_model=ForecastList,
        **needs(Role.VIEWER, 404, example=examples.CAPACITY_HISTORY),
    )
    def get_history(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Forecasts as they were published."""
        start_ms, end_ms = time_range(start, end, services.live(station).now_ms, _USUAL_RANGE)
        from_ms = cursor_ms(cursor, start_ms, end_ms)
        rows = services.forecasts.range(station, from_ms, end_ms, limit + 1)
        next_cursor = f'"{rows[limit][0]}"' if len(rows) > limit else "null"
        items = b",".join(body for _, body in rows[:limit])
        return raw_json(b'{"items":[%s],"next_cursor":%s}' % (items, next_cursor.encode()))

    return router
