"""Trailers: what stands at the bays, who waits and who is expected, and the day's stays by scale and by gas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_sheet_examples as examples
from api.live.station import LiveStation
from api.people.roles import Role
from api.routes.bodies import json_answer
from api.routes.days import DateQuery, day_asked
from api.routes.guard import Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.capacity_snapshot import Expected
from station.domain.docked import DockedTrailer, docked_trailers
from station.domain.report.supply import TrailerStay
from station.wire.plan_v1 import rfc3339

_NOT_NOW: Final[dict[str, Any]] = {"at": None, "bays": [], "yard": None, "expected": []}
"""Nothing is known of the moment, or another day is asked about."""


class BayBody(BaseModel):
    """A bay, as the last full minute has it; null is not known, or nothing stands there."""

    bay: str
    state: str
    since: str
    pressure_mpa: float | None
    temperature_c: float | None
    kg: float | None = Field(description="By pressure, temperature and volume")
    usable_kg: float | None = Field(description="Of it what lies above the pressure at which a trailer goes back")


class ExpectedBody(BaseModel):
    """A trailer that is announced and has not come."""

    id: str
    eta: str
    kg: float
    overdue: bool = Field(description="Its ETA has passed, and it is proven not here")
    late_minutes: float = Field(description="After its ETA, 0 before it")


class StayBody(BaseModel):
    """A trailer that stood at a bay; null is not known, or has not happened."""

    bay: str
    announced: str | None = Field(description="When the plan had it come")
    weighed: str | None = Field(description="It drove onto the scale")
    docked: str | None
    open: str | None
    closed: str | None
    left: str | None
    late_minutes: float | None = Field(description="It came so long after it was announced; below 0 before")
    brought_kg: float | None = Field(description="Held when it opened, by pressure and temperature")
    returned_kg: float | None
    given_kg: float | None = Field(description="Net, by pressure, temperature and volume")
    scale_kg: float | None = Field(description="Net, by weight coming less weight leaving")
    metered_kg: float | None = Field(description="Net, by the bay's meter")


class Trailers(BaseModel):
    """The trailers of a day; bays, yard and expected ones are as of now, of today alone."""

    date: str
    at: str | None = Field(description="Of what is now; null before the first full minute, and of another day")
    bays: list[BayBody]
    yard: int | None = Field(description="Known to wait")
    expected: list[ExpectedBody]
    items: list[StayBody]
    next_cursor: str | None


def routes(services: ApiServices) -> APIRouter:
    """Return the route of trailers."""
    router = APIRouter(tags=["trailers"])

    @router.get(
        "/stations/{station}/trailers",
        summary="The trailers of a day",
        response_model=Trailers,
        **needs(Role.VIEWER, 404, example=examples.TRAILERS),
    )
    async def get_trailers(_: Viewer, station: StationId, date: DateQuery = None) -> Response:
        """Who stands, waits and is expected now, and each stay of the day with its net mass by three ways."""
        live = services.live(station)
        day = day_asked(live, date)
        stays = await anyio.to_thread.run_sync(services.parts.trailers, live, day, limiter=services.reading)
        now = _now(live) if date is None else _NOT_NOW
        body = {"date": day.isoformat(), **now, "items": [_stay(one) for one in stays], "next_cursor": None}
        return json_answer(body)

    return router


def _now(live: LiveStation) -> dict[str, Any]:
    now = live.capacity.engine.newest_snapshot
    if now is None:
        return _NOT_NOW
    return {
        "at": rfc3339(now.at_ms),
        "bays": [_bay(one) for one in docked_trailers(live.plant.supply, now.bays)],
        "yard": now.yard,
        "expected": _expected(now.expected, now.at_ms),
    }


def _bay(docked: DockedTrailer) -> dict[str, Any]:
    bay = docked.bay
    return {
        "bay": bay.unit,
        "state": bay.state,
        "since": rfc3339(bay.since_ms),
        "pressure_mpa": _rounded(bay.pressure_mpa, 3),
        "temperature_c": _rounded(bay.temperature_c),
        "kg": _rounded(docked.kg),
        "usable_kg": _rounded(docked.usable_kg),
    }


def _expected(expected: Sequence[Expected], at_ms: int) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "eta": rfc3339(one.eta_ms),
            "kg": one.kg,
            "overdue": one.overdue,
            "late_minutes": round(max(0, at_ms - one.eta_ms) / 60_000.0, 1),
        }
        for one in expected
    ]


def _stay(stay: TrailerStay) -> dict[str, Any]:
    came_ms = stay.weighed_ms or stay.docked_ms
    known = came_ms is not None and stay.announced_ms is not None
    moments = ("announced", "weighed", "docked", "open", "closed", "left")
    masses = ("brought_kg", "returned_kg", "given_kg", "scale_kg", "metered_kg")
    return {
        "bay": stay.bay,
        **{name: _time(getattr(stay, f"{name}_ms")) for name in moments},
        "late_minutes": round(((came_ms or 0) - (stay.announced_ms or 0)) / 60_000.0, 1) if known else None,
        **{name: _rounded(getattr(stay, name)) for name in masses},
    }


def _time(t_ms: int | None) -> str | None:
    return None if t_ms is None else rfc3339(t_ms)


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
