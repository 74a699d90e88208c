"""Electricity of a day, hour by hour: of the station, its trains and chillers, and what a kilogram took."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_sheet_examples as examples
from api.people.roles import Role
from api.routes.bodies import json_answer
from api.routes.days import DateQuery, day_asked
from api.routes.guard import Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.report.energy_hours import EnergyPart, EnergyStretch
from station.wire.plan_v1 import rfc3339


class PartBody(BaseModel):
    """One machine or the whole station; null is not known."""

    kwh: float | None
    kg: float | None = Field(description="Pressed by a train, dispensed by the station; null of a chiller")
    kwh_per_kg: float | None = Field(description="Null too where less than a kilogram moved")


class StretchBody(BaseModel):
    """An hour, or the day as far as it goes."""

    start: str
    end: str
    station: PartBody
    trains: dict[str, PartBody]
    chillers: dict[str, PartBody]
    rest_kwh: float | None = Field(description="The station less its machines")


class EnergyBody(BaseModel):
    """A day's electricity by the instruments' power."""

    date: str
    whole: StretchBody
    hours: list[StretchBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the route of electricity."""
    router = APIRouter(tags=["energy"])

    @router.get(
        "/stations/{station}/energy",
        summary="Electricity of a day, hour by hour",
        response_model=EnergyBody,
        **needs(Role.VIEWER, 404, example=examples.ENERGY),
    )
    async def get_energy(_: Viewer, station: StationId, date: DateQuery = None) -> Response:
        """Kilowatt-hours by machine, and for each kilogram that a train pressed and the station dispensed."""
        live = services.live(station)
        day = day_asked(live, date)
        found = await anyio.to_thread.run_sync(services.parts.energy, live, day, limiter=services.reading)
        hours = [_stretch(one) for one in found.hours]
        return json_answer({"date": day.isoformat(), "whole": _stretch(found.whole), "hours": hours})

    return router


def _stretch(stretch: EnergyStretch) -> dict[str, Any]:
    return {
        "start": rfc3339(stretch.start_ms),
        "end": rfc3339(stretch.end_ms),
        "station": _part(stretch.station),
        "trains": {unit: _part(part) for unit, part in stretch.trains.items()},
        "chillers": {unit: _part(part) for unit, part in stretch.chillers.items()},
        "rest_kwh": _rounded(stretch.rest_kwh),
    }


def _part(part: EnergyPart) -> dict[str, Any]:
    return {"kwh": _rounded(part.kwh), "kg": _rounded(part.kg), "kwh_per_kg": _rounded(part.kwh_per_kg)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
