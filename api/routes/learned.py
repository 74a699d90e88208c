"""What a station has taught the forecast about itself: now, beside what its file says, and day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import broken
from api.routes.bodies import TextBody, json_answer, text_body
from api.routes.guard import Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Limit, StationId, TimeText, time_range
from api.services import ApiServices
from station.domain.learned import Estimate, Learned, LearnedRow, label_of
from station.domain.plant import Plant
from station.domain.taught import estimators_of, learned_of
from station.wire.plan_v1 import rfc3339

_USUAL_RANGE: Final = dt.timedelta(days=30)
_MOST_OFFSET: Final = 10_000_000

LearnedCursor = Annotated[str | None, Query(description="`next_cursor` of the answer before", max_length=40)]


class LearnedParameter(BaseModel):
    """One parameter of the forecast, learned beside what the station file says."""

    name: str
    text: TextBody
    unit: str
    value: float
    sd: float = Field(description="Scatter of a single event about the value")
    n: float = Field(description="Events that count; of a train the minutes under load")
    weight: float = Field(ge=0, le=1, description="Of what the station file says; 1 where nothing was learned")
    prior: float = Field(description="What the station file says")
    prior_sd: float


class LearnedDay(BaseModel):
    """A parameter at the end of a station day, or at the last full hour of one that is not over."""

    date: str
    at: str
    name: str
    value: float
    sd: float
    n: float
    weight: float = Field(ge=0, le=1)


class LearnedBody(BaseModel):
    """What is learned, and how it came to be."""

    station: str
    at: str | None = Field(description="Station time of what is known now; null before the first readings")
    parameters: list[LearnedParameter]
    arrival_profiles: list[list[float]] = Field(
        description="Monday first: 24 shares of the day's arrivals, hour 0 first"
    )
    history: list[LearnedDay] = Field(description="Only where `start` or `end` is given; by day and name")
    next_cursor: str | None = Field(description="Send it as `cursor` to get more history; null on the last")


def routes(services: ApiServices) -> APIRouter:
    """Return the route of what was learned."""
    router = APIRouter(tags=["capacity"])

    @router.get(
        "/stations/{station}/capacity/learned",
        summary="What the forecast has learned of the station",
        description="With `start` or `end` also the history of the station days that they touch.",
        response_model=LearnedBody,
        **needs(Role.VIEWER, 404, example=examples.LEARNED),
    )
    def get_learned(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: LearnedCursor = None,
    ) -> Response:
        """Each parameter with its prior, how many events have taught it, and what weight the prior has left."""
        live = services.live(station)
        rows: list[LearnedRow] = []
        offset = _offset(cursor)
        if services.learned is not None and (start, end) != (None, None):
            days = _days(live.plant, *time_range(start, end, live.now_ms, _USUAL_RANGE))
            rows = services.learned.range(live.plant.id, *days, limit + 1, offset)
        more = len(rows) > limit
        return json_answer(_now(live) | _history(rows[:limit], str(offset + limit) if more else None))

    return router


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or int(cursor) > _MOST_OFFSET:
        raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
    return int(cursor)


def _days(plant: Plant, start_ms: int, end_ms: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last station day of [start, end)."""
    return _day(plant, start_ms), _day(plant, end_ms - 1)


def _day(plant: Plant, t_ms: int) -> dt.date:
    try:
        return plant.day_of(dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC))
    except OverflowError:  # The calendar's last hours in UTC are beyond it at the station.
        return dt.date.max if t_ms > 0 else dt.date.min


def _now(live: LiveStation) -> dict[str, object]:
    newest = live.capacity.engine.newest_snapshot
    learned = newest.learned if newest is not None else None
    shown = learned if learned is not None else _nothing(live.plant)
    return {
        "station": live.plant.id,
        "at": None if newest is None else rfc3339(newest.at_ms),
        "parameters": [_parameter(name, estimate) for name, estimate in shown.estimates],
        "arrival_profiles": [[round(share, 5) for share in shares] for shares in shown.profiles],
    }


def _nothing(plant: Plant) -> Learned:
    return learned_of(estimators_of(plant))


def _parameter(name: str, estimate: Estimate) -> dict[str, object]:
    text, unit = label_of(name)
    return {
        "name": name,
        "text": text_body(text),
        "unit": unit,
        "value": round(estimate.value, 5),
        "sd": round(estimate.sd, 5),
        "n": round(estimate.n, 1),
        "weight": round(estimate.weight, 4),
        "prior": round(estimate.prior, 5),
        "prior_sd": round(estimate.prior_sd, 5),
    }


def _history(rows: Sequence[LearnedRow], cursor: str | None) -> dict[str, object]:
    return {
        "history": [
            {
                "date": row.date.isoformat(),
                "at": rfc3339(row.at_ms),
                "name": row.parameter,
                "value": round(row.value, 5),
                "sd": round(row.sd, 5),
                "n": round(row.n, 1),
                "weight": round(row.weight, 4),
            }
            for row in rows
        ],
        "next_cursor": cursor,
    }
