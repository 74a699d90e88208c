"""What if: today's forecast beside the one of a changed station or day."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.live.capacity import told_besides
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import BrokenRule, ProblemError, broken, shown
from api.routes.bodies import json_answer
from api.routes.capacity import ForecastBody
from api.routes.guard import Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.capacity import forecast
from station.domain.capacity_forecast import Forecast, forecast_as_json
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.domain.what_if import Changes, changed, left_without, moved_to, removable_units
from station.wire.plan_v1 import PlanError, plan_from_body

REPLICAS: Final = 40
"""Fewer than the service's own forecasts have: two forecasts are to be there within a second."""

_KEPT_MS: Final = 120_000
"""A forecast as it is serves the questions of this long, in station time: less than the station changes in it."""


class WhatIfRequest(BaseModel):
    """What is asked to be otherwise; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    remove: list[str] = Field(
        default_factory=list, max_length=64, description="Trains, chillers, hoses, banks and bays by name"
    )
    delay_trailers_min: float = Field(0.0, ge=0, le=1440)
    add_trucks: int = Field(0, ge=-500, le=500, description="Below 0: so many of those to come stay away")
    ambient_c: float | None = Field(None, ge=-40, le=60)
    plan: dict[str, Any] | None = Field(None, description="Another plan of today, as PUT plan takes it")
    plan_of: dt.date | None = Field(None, description="The plan of another day, its times moved to today")


class WhatIfBody(BaseModel):
    """Both forecasts start from the same moment and the same random numbers; neither is smoothed."""

    base: ForecastBody
    what_if: ForecastBody


class _Bases:
    """The forecast of each station as it is: asked again soon, only what is changed is worked out anew."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[StationSnapshot, Forecast]] = {}

    def start(self, now: StationSnapshot, asked: Changes) -> StationSnapshot:
        """Return the snapshot that both forecasts start from: the newest, unless one before it has its forecast yet.

        A slider is moved on while minutes turn; working out both forecasts on the way would double its wait. A
        question that changes nothing has the newest, and so renews what the next ones start from.
        """
        kept = self._of.get(now.station)
        is_near = kept is not None and 0 <= now.at_ms - kept[0].at_ms <= _KEPT_MS and kept[0].day == now.day
        return kept[0] if kept is not None and is_near and asked != Changes() else now

    def of(self, plant: Plant, start: StationSnapshot) -> Forecast:
        """Return the forecast of a snapshot; one caller at a time."""
        kept = self._of.get(start.station)
        if kept is None or kept[0] is not start:
            kept = self._of[start.station] = (start, forecast(plant, start, REPLICAS))
        return kept[1]


_INPUT = Body(openapi_examples={"a train less, late trailers": {"value": examples.WHAT_IF_BODY}})


def routes(services: ApiServices) -> APIRouter:
    """Return the route of what-if."""
    router = APIRouter(tags=["capacity"])
    one_at_a_time, bases = threading.Lock(), _Bases()

    @router.post(
        "/stations/{station}/capacity/what-if",
        summary="The forecast as it is, and as it would be",
        response_model=WhatIfBody,
        **needs(Role.VIEWER, 404, example=examples.WHAT_IF),
    )
    def post_what_if(_: Viewer, station: StationId, body: Annotated[WhatIfRequest, _INPUT]) -> Response:
        """Changes nothing: units away, trailers later, more trucks, another temperature, another plan, side by side."""
        live = services.live(station)
        now = live.capacity.engine.newest_snapshot
        if live.capacity.absent is not None:
            raise ProblemError(404, live.capacity.absent)
        if now is None:
            raise ProblemError(503, "no snapshot of the station yet; ask again", (), {"Retry-After": "10"})
        asked = _changes(live, now, body)
        # One at a time: two forecasts take a core for half a second, which the live messages need too.
        if not one_at_a_time.acquire(timeout=2.0):
            raise ProblemError(503, "another what-if is being worked out; ask again", (), {"Retry-After": "1"})
        try:
            start = bases.start(now, asked)
            base = bases.of(live.plant, start)
            then = base if asked == Changes() else forecast(*changed(live.plant, start, asked), REPLICAS)
        finally:
            one_at_a_time.release()
        return json_answer({"base": _as_json(base), "what_if": _as_json(then)})

    return router


def _as_json(one: Forecast) -> dict[str, Any]:
    return forecast_as_json(one) | told_besides(one)


def _changes(live: LiveStation, now: StationSnapshot, body: WhatIfRequest) -> Changes:
    plant = live.plant
    units = removable_units(plant)
    rule = f"must be one of {', '.join(units)}"
    rows = [
        BrokenRule(field=f"body.remove[{number}]", value=shown("remove", name), rule=rule)
        for number, name in enumerate(body.remove)
        if name not in units
    ]
    if rows:
        raise ProblemError(422, f"no such unit: {rows[0].value}", rows)
    nothing_left = left_without(plant, body.remove)
    if nothing_left is not None:
        raise broken("body.remove", body.remove, f"must leave at least one of the {nothing_left}")
    if body.plan is not None and body.plan_of is not None:
        raise broken("body.plan_of", body.plan_of.isoformat(), "must not be given beside plan")
    plan = None if body.plan is None else _plan(plant, now, body.plan)
    if body.plan_of is not None:
        plan = _plan_of(live, now, body.plan_of)
    return Changes(frozenset(body.remove), body.delay_trailers_min, body.add_trucks, body.ambient_c, plan)


def _plan_of(live: LiveStation, now: StationSnapshot, date: dt.date) -> DayPlan:
    plan = live.plans.of_day(date)
    if plan is None:
        raise broken("body.plan_of", date.isoformat(), "no plan of that day is known")
    start, then = (round(live.plant.day_start(day).timestamp() * 1000) for day in (now.day, date))
    return moved_to(plan, now.day, start - then)


def _plan(plant: Plant, now: StationSnapshot, body: dict[str, Any]) -> DayPlan:
    try:
        return plan_from_body(body, now.day, plant.timezone, "put")
    except PlanError as error:
        rows = [BrokenRule(field="body.plan", value="", rule=mistake) for mistake in error.mistakes]
        raise ProblemError(422, f"the plan breaks {len(rows)} rule(s); first: {error.mistakes[0]}", rows) from error
