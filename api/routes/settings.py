"""How this service is set, and what the station file says: for reading alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api import openapi_sheet_examples as examples
from api.people.roles import Role
from api.routes.bodies import Page, json_answer
from api.routes.guard import Engineer, Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.plant_facts import Fact
from station.shown_settings import ShownSetting

Section = Literal["supply", "fleet", "fill", "trains", "banks", "chillers", "hoses", "parameters"]


class SettingBody(BaseModel):
    """One setting."""

    name: str
    value: str | None = Field(description="Null where it is not set, or secret; passwords in URLs are left out")
    source: Literal["flag", "environment", "secret file", "file", "default"] = Field(
        description="Where it comes from; `file` is jinma.toml"
    )
    description: str
    secret: bool
    is_set: bool


class SettingList(Page):
    """Every setting, in the order of the documentation."""

    items: list[SettingBody]


class FactBody(BaseModel):
    """One number or word of a station file."""

    section: Section
    unit: str | None = Field(description="The machine that it is of")
    key: str = Field(description="As the file names it")
    value: float | str | bool
    mark: str | None = Field(description="S public source, C computed, E engineering estimate, K recalled; or C/E, ..")
    note: str = Field(description="What the file says beside it, in its own language")
    is_default: bool = Field(description="The file does not set it")


class FactList(Page):
    """Facts in the order of the file."""

    items: list[FactBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of settings and facts."""
    router = APIRouter(tags=["settings"])

    @router.get(
        "/settings",
        summary="The settings with their sources",
        response_model=SettingList,
        **needs(Role.ENGINEER, example=examples.SETTINGS),
    )
    async def list_settings(_: Engineer) -> Response:
        """As they were read at the start; no secret is told."""
        return json_answer({"items": [_setting(one) for one in services.about.settings], "next_cursor": None})

    @router.get(
        "/stations/{station}/facts",
        summary="What the station file says, with where each number comes from",
        response_model=FactList,
        **needs(Role.VIEWER, 404, example=examples.FACTS),
    )
    async def list_facts(
        _: Viewer,
        station: StationId,
        unit: Annotated[str | None, Query(description="Only of this machine", max_length=80)] = None,
        section: Annotated[Section | None, Query(description="Only this section")] = None,
    ) -> Response:
        """Equipment, supply, fleet, fill rules and the forecast's parameters."""
        services.live(station)
        found = services.about.facts.get(station, ())
        items = [_fact(one) for one in found if unit in (None, one.unit) and section in (None, one.section)]
        return json_answer({"items": items, "next_cursor": None})

    return router


def _setting(one: ShownSetting) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "source": one.source,
        "description": one.description,
        "secret": one.is_secret,
        "is_set": one.is_set,
    }


def _fact(one: Fact) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("section", "unit", "key", "value", "mark", "note", "is_default")}
