"""Whole units in maintenance, and limits changed without a restart; both stand in the alarm journal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, Strict

from api import openapi_examples as examples
from api.alarms.desk import Maintenance
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import broken, not_found
from api.routes.alarms import AlarmBody
from api.routes.bodies import Page, json_answer
from api.routes.guard import Engineer, Operator, Viewer, needs
from api.routes.params import StationId, moment
from api.services import ApiServices
from station.domain.alarm_views import AlarmView, alarm_view_json
from station.domain.limit_changes import LimitRuleError
from station.domain.plant import UnitKey
from station.wire.plan_v1 import rfc3339

Area = Annotated[str, Path(description="Area of the unit", max_length=40, examples=["compression"])]
UnitName = Annotated[str, Path(description="Name of the unit", max_length=80, examples=["train-2"])]
SignalTag = Annotated[str, Path(description="Signal", max_length=80, examples=["PT-330A"])]


class MaintenanceRequest(BaseModel):
    """Why, and until when."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=400, examples=["change of the second-stage diaphragm, permit 118"])
    until: str | int = Field(description="RFC 3339 or epoch ms; it ends by itself then", examples=["2026-11-23T18:00Z"])


class MaintenanceBody(BaseModel):
    """A unit in maintenance."""

    area: str
    unit: str
    until: str | None
    who: str
    pending: list[str] = Field(description="Safety alarms that wait for a second user, who asks for the same")


class MaintenanceList(Page):
    """Units in maintenance."""

    items: list[MaintenanceBody]


class LimitsRequest(BaseModel):
    """New limits of a signal; those left out stay, null takes the station file's own again."""

    model_config = ConfigDict(extra="forbid")

    limits: dict[str, Annotated[float, Strict()] | None] = Field(min_length=1, max_length=4, examples=[{"H": 46.5}])
    reason: str = Field(min_length=1, max_length=400)


class LimitsBody(BaseModel):
    """A signal's limits as they are now, and the alarms that this changed."""

    signal: str
    limits: dict[str, float]
    changed: list[AlarmBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of maintenance and limits."""
    router = APIRouter(tags=["alarms"])
    _add_maintenance(router, services)

    @router.put(
        "/stations/{station}/signals/{signal}/limits",
        summary="Change limits without a restart",
        response_model=LimitsBody,
        **needs(Role.ENGINEER, 404, 409, example=examples.LIMITS),
    )
    def put_limits(who: Engineer, station: StationId, signal: SignalTag, body: LimitsRequest) -> Response:
        """They count from the signal's next reading on; old, new, who and why are in the journal."""
        live = services.live(station)
        if signal not in live.plant.signals:
            raise not_found("signal", "path.signal", signal)
        try:
            changed = live.act(lambda e, now_ms: e.set_limits(signal, body.limits, who.name, body.reason, now_ms))
        except LimitRuleError as error:
            raise broken(f"body.limits.{error.name}", error.value, error.rule) from error
        limits = live.alarms.limits_of(signal)
        return json_answer({"signal": signal, "limits": limits, "changed": _views(changed)})

    return router


def _add_maintenance(router: APIRouter, services: ApiServices) -> None:
    path = "/stations/{station}/units/{area}/{unit}/maintenance"
    options = needs(Role.OPERATOR, 404, 409, example=examples.MAINTENANCE)
    pending = {"description": "Its safety alarms wait for a second user", "model": MaintenanceBody}

    @router.get(
        "/stations/{station}/maintenance",
        summary="Units in maintenance",
        response_model=MaintenanceList,
        **needs(Role.VIEWER, 404, example=examples.MAINTENANCES),
    )
    def list_maintenance(_: Viewer, station: StationId) -> Response:
        """Whose alarms are out of service as a whole."""
        rows = [_maintenance(one) for one in services.live(station).alarms.maintenance()]
        return json_answer({"items": rows, "next_cursor": None})

    @router.put(
        path,
        summary="Put a unit into maintenance",
        description="Its alarms go out of service. Safety alarms wait (202) for a second user's same request (200).",
        response_model=MaintenanceBody,
        responses={**options["responses"], 202: pending},
        openapi_extra=options["openapi_extra"],
    )
    def begin(who: Operator, station: StationId, area: Area, unit: UnitName, body: MaintenanceRequest) -> Response:
        """Until it is put back, or until its time."""
        live = services.live(station)
        key, until_ms = _key(live, area, unit), moment("body.until", str(body.until))
        if until_ms <= live.now_ms:
            raise broken("body.until", body.until, "must be later than now")
        _, state = live.act(lambda e, now_ms: e.begin_maintenance(key, who.name, body.reason, until_ms, now_ms))
        return json_answer(_maintenance(state), 202 if state.pending else 200)

    @router.delete(path, summary="End a unit's maintenance", response_model=MaintenanceBody, **options)
    def end(who: Operator, station: StationId, area: Area, unit: UnitName) -> Response:
        """Its alarms are shown as they are now."""
        live = services.live(station)
        key = _key(live, area, unit)
        live.act(lambda e, now_ms: e.end_maintenance(key, who.name, "maintenance ended", now_ms))
        return json_answer(_maintenance(Maintenance(area, unit, None, who.name, ())))


def _key(live: LiveStation, area: str, unit: str) -> UnitKey:
    if (area, unit) not in live.plant.units:
        raise not_found("unit", "path.unit", f"{area}/{unit}")
    return (area, unit)


def _views(views: list[AlarmView]) -> list[dict[str, Any]]:
    return [alarm_view_json(view) for view in views]


def _maintenance(one: Maintenance) -> dict[str, Any]:
    until = None if one.until_ms is None else rfc3339(one.until_ms)
    return {"area": one.area, "unit": one.unit, "until": until, "who": one.who, "pending": list(one.pending)}
