"""The plant: stations, their equipment and their signals."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import broken
from api.routes.bodies import Page, TextBody, json_answer, page_of, text_body
from api.routes.guard import Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, StationId
from api.services import ApiServices
from station.domain.plant import Gateway, Plant, Signal, Unit
from station.domain.signals import AREAS
from station.wire.plan_v1 import rfc3339


class StationBody(BaseModel):
    """A station in the list."""

    id: str
    name: TextBody
    timezone: str
    time: str = Field(description="Station time now")
    speed: float = Field(description="Station seconds per wall second; shown on every page unless 1")
    simulated: bool = Field(description="Some of the data are simulated")
    signals: int


class StationList(Page):
    """All stations."""

    items: list[StationBody]


class UnitBody(BaseModel):
    """A piece of equipment within an area."""

    area: str
    unit: str
    name: TextBody
    signals: list[str]


class GatewayBody(BaseModel):
    """A device that publishes some units."""

    id: str
    name: TextBody
    units: list[tuple[str, str]]
    online: bool | None = Field(description="null while it has said nothing")
    simulated: bool | None


class StationDetail(StationBody):
    """A station with its equipment."""

    units: list[UnitBody]
    gateways: list[GatewayBody]
    bays: list[str]
    trains: list[str]
    banks: list[str]
    chillers: list[str]
    hoses: list[str]
    trucks_per_day: int
    mean_fill_kg: float


class SignalBody(BaseModel):
    """A signal with everything that a chart or a check needs."""

    signal: str
    area: str
    unit_of_plant: str
    kind: str
    name: TextBody
    unit: str = Field(description="Unit of measure; `-` for digital, `enum` for states")
    normal: tuple[float, float]
    range: tuple[float, float] = Field(description="Instrument range")
    limits: dict[str, float] = Field(description="The configured of LL, L, H, HH, as they are set now")
    rate_s: float
    states: list[TextBody] = Field(description="Names of the states, number 0 first")
    watches: list[str] | str | None
    gateway: str


class SignalList(Page):
    """Signals, in the order of the station file."""

    items: list[SignalBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the plant."""
    router = APIRouter(tags=["plant"])

    @router.get(
        "/stations",
        summary="List the stations",
        response_model=StationList,
        **needs(Role.VIEWER, example=examples.STATIONS),
    )
    async def list_stations(_: Viewer) -> Response:
        """All stations that this service watches, with their time."""
        return json_answer({"items": [_station(live) for live in services.stations.values()], "next_cursor": None})

    @router.get(
        "/stations/{station}",
        summary="One station with its equipment and gateways",
        response_model=StationDetail,
        **needs(Role.VIEWER, 404, example=examples.STATION_DETAIL),
    )
    async def get_station(_: Viewer, station: StationId) -> Response:
        """The equipment of a station by area and unit, and what its gateways say of themselves."""
        return json_answer(_station_detail(services.live(station)))

    @router.get(
        "/stations/{station}/signals",
        summary="List the signals",
        response_model=SignalList,
        **needs(Role.VIEWER, 404, example=examples.SIGNALS),
    )
    async def list_signals(
        _: Viewer,
        station: StationId,
        area: Annotated[str | None, Query(description="Only this area", max_length=40)] = None,
        unit: Annotated[str | None, Query(description="Only this unit of plant", max_length=80)] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Every signal with unit, range, limits and names in both languages."""
        if area is not None and area not in AREAS:
            raise broken("query.area", area, f"must be one of {', '.join(AREAS)}")
        chosen = [
            signal
            for signal in services.plant(station).signals.values()
            if area in (None, signal.area) and unit in (None, signal.unit)
        ]
        items, next_cursor = page_of(chosen, cursor, limit)
        live = services.live(station)
        rows = [_signal(one, live.alarms.limits_of(one.tag)) for one in items]
        return json_answer({"items": rows, "next_cursor": next_cursor})

    return router


def _station(live: LiveStation) -> dict[str, Any]:
    return {
        "id": live.plant.id,
        "name": text_body(live.plant.label),
        "timezone": live.plant.timezone.key,
        "time": rfc3339(live.now_ms),
        "speed": live.speed,
        "simulated": live.is_simulated,
        "signals": len(live.plant.signals),
    }


def _station_detail(live: LiveStation) -> dict[str, Any]:
    plant = live.plant
    return {
        **_station(live),
        "units": [_unit(unit) for unit in plant.units.values()],
        "gateways": [_gateway(gateway, live) for gateway in plant.gateways],
        **_equipment(plant),
    }


def _equipment(plant: Plant) -> dict[str, Any]:
    return {
        "bays": list(plant.supply.bays),
        "trains": [train.unit for train in plant.trains],
        "banks": [bank.unit for bank in plant.banks],
        "chillers": [chiller.unit for chiller in plant.chillers],
        "hoses": [hose.unit for hose in plant.hoses],
        "trucks_per_day": plant.fleet.trucks_per_day,
        "mean_fill_kg": plant.fleet.mean_fill_kg,
    }


def _unit(unit: Unit) -> dict[str, Any]:
    return {"area": unit.area, "unit": unit.name, "name": text_body(unit.label), "signals": list(unit.tags)}


def _gateway(gateway: Gateway, live: LiveStation) -> dict[str, Any]:
    state = live.gateways.all().get(gateway.id)
    return {
        "id": gateway.id,
        "name": text_body(gateway.label),
        "units": list(gateway.units),
        "online": None if state is None else state.online,
        "simulated": None if state is None else state.sim,
    }


def _signal(signal: Signal, limits: dict[str, float]) -> dict[str, Any]:
    return {
        "signal": signal.tag,
        "area": signal.area,
        "unit_of_plant": signal.unit,
        "kind": signal.kind.value,
        "name": text_body(signal.name),
        "unit": signal.unit_of_measure,
        "normal": [signal.normal_lo, signal.normal_hi],
        "range": signal.instrument_range,
        "limits": limits,
        "rate_s": signal.rate_s,
        "states": [text_body(state) for state in signal.states],
        "watches": signal.watches,
        "gateway": signal.gateway,
    }
