"""The day plan: who is booked and which trailers are announced; the newest of MQTT and PUT wins."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.problems import BrokenRule, ProblemError, not_found, shown
from api.routes.bodies import json_answer
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.wire.plan_v1 import PlanError, plan_body, plan_from_body

PlanDate = Annotated[dt.date, Path(description="Station day", examples=["2026-11-23"])]


class Truck(BaseModel):
    """A booking."""

    id: str = Field(min_length=1, max_length=64)
    time: str | int = Field(description="Arrival, RFC 3339 or epoch ms, on the plan's day")
    kg: float = Field(gt=0, le=200)


class Trailer(BaseModel):
    """An announced delivery."""

    id: str = Field(min_length=1, max_length=64)
    eta: str | int = Field(description="Arrival at the gate, RFC 3339 or epoch ms")
    kg: float = Field(gt=0, le=2000, description="Net, down to the pressure at which trailers go back")
    bay: str | None = None


class PlanRequest(BaseModel):
    """A plan as it is put."""

    trucks: list[Truck]
    trailers: list[Trailer]


class PlanBody(PlanRequest):
    """A plan as it is kept."""

    date: str
    source: str = Field(description="`mqtt` or `put`: where the newest came from")


_PLAN_INPUT = Body(
    description="Every row that breaks a rule is named, and then nothing is taken.",
    openapi_examples={"a day": {"value": examples.PLAN_BODY}},
    json_schema_extra={"$ref": "#/components/schemas/PlanRequest"},
)


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the plan."""
    router = APIRouter(tags=["capacity"])

    @router.get(
        "/stations/{station}/plan/{date}",
        summary="The plan of a day",
        response_model=PlanBody,
        **needs(Role.VIEWER, 404, example=examples.PLAN),
    )
    def get_plan(_: Viewer, station: StationId, date: PlanDate) -> Response:
        """The newest plan of the day, and where it came from."""
        plan = services.live(station).plans.of_day(date)
        if plan is None:
            raise not_found("plan", "path.date", date.isoformat())
        return _answer(plan)

    @router.put(
        "/stations/{station}/plan/{date}",
        summary="Put the plan of a day",
        response_model=PlanBody,
        **needs(Role.OPERATOR, 404, 413, example=examples.PLAN),
    )
    def put_plan(
        _: Operator, station: StationId, date: PlanDate, body: Annotated[dict[str, Any], _PLAN_INPUT]
    ) -> Response:
        """It counts from now on, until a newer one comes by MQTT or PUT."""
        live = services.live(station)
        plan = _checked(body, date, live.plant)
        live.put_plan(plan)
        return _answer(plan)

    return router


def _checked(body: dict[str, Any], date: dt.date, plant: Plant) -> DayPlan:
    rows = [
        BrokenRule(field=f"body.{name}", value="missing", rule="must be given, as a list")
        for name in ("trucks", "trailers")
        if name not in body
    ]
    if rows:
        raise _refused(rows)
    try:
        plan = plan_from_body(body, date, plant.timezone, "put")
    except PlanError as error:
        raise _refused([_rule(mistake) for mistake in error.mistakes]) from error
    bays = plant.supply.bays
    rule = f"must be one of {', '.join(bays)}, or null"
    rows = [
        BrokenRule(field=f"body.trailers[{number}].bay", value=shown("bay", row.get("bay")), rule=rule)
        for number, row in enumerate(body["trailers"])
        if row.get("bay") not in (None, *bays)
    ]
    if rows:
        raise _refused(rows)
    return plan


def _refused(rows: list[BrokenRule]) -> ProblemError:
    detail = f"the plan breaks {len(rows)} rule(s) and was not taken; first: {rows[0].field} {rows[0].rule}"
    return ProblemError(422, detail, rows)


def _rule(mistake: str) -> BrokenRule:
    """Take a mistake's text apart: `trucks[3].kg = -1: must be ..`, or `trucks: must be a list`."""
    place, has_value, rest = mistake.partition(" = ")
    if not has_value:
        place, _, rule = mistake.partition(": ")
        return BrokenRule(field=f"body.{place}", value="", rule=rule or mistake)
    value, _, rule = rest.partition(": ")
    return BrokenRule(field=f"body.{place}", value=shown(place, value), rule=rule)


def _answer(plan: DayPlan) -> Response:
    return json_answer({"date": plan.date.isoformat(), "source": plan.source, **plan_body(plan)})
