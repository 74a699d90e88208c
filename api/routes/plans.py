"""The day plan: who is booked and which trailers are announced; the newest of MQTT and PUT wins."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.problems import BrokenRule, ProblemError, not_found, shown
from api.routes.bodies import Bottleneck, TextBody, json_answer, text_body
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.day_plan import DayPlan
from station.domain.plan_check import Feasible, feasible
from station.domain.plant import Plant
from station.wire.plan_csv import parse_plan_csv
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


class FeasibleBody(BaseModel):
    """Whether a plan can be carried: today, from the station as it stands; another day, with everything at its best."""

    ok: bool
    trucks: int = Field(description="How many of the plan's trucks are filled")
    kg: float
    shortfall_kg: float
    bottleneck: Bottleneck
    text: TextBody


class TakenPlanBody(PlanBody):
    """A plan as it was taken."""

    feasible: FeasibleBody | None = Field(description="Null for a day that is over")


_CSV: Final = "text/csv"
_PLAN_INPUT: Final = {
    "requestBody": {
        "required": True,
        "description": "As JSON or CSV. Every row that breaks a rule is named, and then nothing is taken.",
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/PlanRequest"},
                "examples": {"a day": {"value": examples.PLAN_BODY}},
            },
            _CSV: {"schema": {"type": "string"}, "examples": {"a day": {"value": examples.PLAN_CSV}}},
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request's body; `is_csv` by its media type."""

    data: bytes
    is_csv: bool


async def _sent(request: Request) -> _Sent:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _Sent(await request.body(), media_type == _CSV)


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the plan."""
    router = APIRouter(tags=["capacity"])
    one_check_at_a_time = threading.Lock()

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

    put_options = needs(Role.OPERATOR, 404, 413, example=examples.TAKEN_PLAN)
    put_options["openapi_extra"] |= _PLAN_INPUT

    @router.put(
        "/stations/{station}/plan/{date}",
        summary="Put the plan of a day",
        response_model=TakenPlanBody,
        **put_options,
    )
    def put_plan(_: Operator, station: StationId, date: PlanDate, sent: Annotated[_Sent, Depends(_sent)]) -> Response:
        """It counts from now on, until a newer one comes by MQTT or PUT; whether it can be carried is said at once."""
        live = services.live(station)
        plan = _from_csv(sent.data, date, live.plant) if sent.is_csv else _checked(_object(sent), date, live.plant)
        live.put_plan(plan)
        with one_check_at_a_time:
            can = feasible(live.plant, plan, live.capacity.engine.newest_snapshot)
        return json_answer(_shown(plan) | {"feasible": None if can is None else _feasible(can)})

    return router


def _object(sent: _Sent) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(sent.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused([BrokenRule(field="body", value="", rule=f"must be JSON: {error}")]) from error
    if not isinstance(body, dict):
        row = BrokenRule(field="body", value=shown("body", body), rule="must be an object with trucks and trailers")
        raise _refused([row])
    return body


def _from_csv(data: bytes, date: dt.date, plant: Plant) -> DayPlan:
    try:
        return parse_plan_csv(data, date, plant.timezone, "put", plant.supply.bays)
    except PlanError as error:
        raise _refused([_line_rule(mistake) for mistake in error.mistakes]) from error


def _line_rule(mistake: str) -> BrokenRule:
    """Take a mistake of a CSV file apart: `line 7: kg = 'x': must be ..`, or `line 7: kg: is missing`."""
    line, _, rest = mistake.partition(": ")
    inner = _rule(rest)
    return BrokenRule(field=f"{line}: {inner.field.removeprefix('body.')}", value=inner.value, rule=inner.rule)


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
    return json_answer(_shown(plan))


def _shown(plan: DayPlan) -> dict[str, Any]:
    return {"date": plan.date.isoformat(), "source": plan.source, **plan_body(plan)}


def _feasible(can: Feasible) -> dict[str, Any]:
    return {
        "ok": can.ok,
        "trucks": can.trucks,
        "kg": round(can.kg, 1),
        "shortfall_kg": round(can.shortfall_kg, 1),
        "bottleneck": can.bottleneck,
        "text": text_body(can.text),
    }
