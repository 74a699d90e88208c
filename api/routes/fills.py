"""Fills: those of a day as a list or a CSV, and one of them as its curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api import openapi_sheet_examples as examples
from api.journal_table import Cell, csv_lines
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import broken, not_found
from api.reports.fill_curves import FillCurve, read_curve
from api.routes.bodies import json_answer
from api.routes.days import DateQuery, day_asked, local_time
from api.routes.guard import Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.plant import Plant, Text
from station.domain.report.fill_list import ListedFill
from station.wire.plan_v1 import rfc3339

Result = Literal["complete", "broken"]
ResultQuery = Annotated[Result | None, Query(description="Only those that passed through `end`, or that broke off")]
HoseQuery = Annotated[str | None, Query(description="Only this hose", max_length=80, examples=["hose-1A"])]
HosePath = Annotated[str, Path(description="Hose", max_length=80, examples=["hose-1A"])]
StartPath = Annotated[int, Path(description="When it connected, epoch ms", ge=0, le=10**14, examples=[1795406400000])]
_COLUMNS: Final = (
    (Text("hose", "加氢枪"), "hose"),
    (Text("start", "开始"), "start"),
    (Text("end", "结束"), "end"),
    (Text("minutes", "时长(分)"), "minutes"),
    (Text("truck", "车型"), "truck"),
    (Text("tank_litres", "储罐容积(L)"), "tank_litres"),
    (Text("kg", "质量(kg)"), "kg"),
    (Text("tank_kg", "按储罐计算(kg)"), "tank_kg"),
    (Text("start_soc", "起始SOC(%)"), "start_soc"),
    (Text("end_soc", "结束SOC(%)"), "end_soc"),
    (Text("start_mpa", "起始压力(MPa)"), "start_mpa"),
    (Text("end_mpa", "结束压力(MPa)"), "end_mpa"),
    (Text("peak_c", "最高温度(°C)"), "peak_c"),
    (Text("link", "车辆通信"), "link"),
    (Text("result", "结果"), "result"),
    (Text("stop", "停止原因"), "stop"),
)


class FillBody(BaseModel):
    """One fill; null is not known."""

    hose: str
    start: str = Field(description="It connected")
    end: str
    minutes: float
    truck: str | None = Field(description="Kind of truck that has such a tank; no signal tells which truck it was")
    tank_litres: float | None
    kg: float | None = Field(description="Rise of the hose's total")
    tank_kg: float | None = Field(description="What the tank gained by pressure, temperature and volume")
    start_soc: float | None
    end_soc: float | None
    start_mpa: float | None
    end_mpa: float | None
    peak_c: float | None = Field(description="The warmest that the vehicle's gas became")
    link: Literal["yes", "no", "lost"]
    result: Result
    stop: str = Field(description="soc, temperature, pressure, vehicle, other; of a broken one the state it went into")


class OpenFill(BaseModel):
    """A fill under way, as the last full minute has it."""

    hose: str
    start: str
    kg: float
    asked_kg: float | None


class Fills(BaseModel):
    """The fills that ended in a day, oldest first."""

    date: str
    items: list[FillBody]
    under_way: list[OpenFill] = Field(description="Today alone")
    next_cursor: str | None


class CurveBody(BaseModel):
    """A fill as its curve; each list has one place a point, null is not known."""

    hose: str
    start: str
    end: str | None = Field(description="Null while it goes on")
    ended_as: str | None
    every_ms: int
    t: list[int] = Field(description="Epoch ms")
    state: list[str | None]
    vehicle_mpa: list[float | None]
    nozzle_mpa: list[float | None]
    target_mpa: list[float | None] = Field(description="Of the station file's ramp")
    most_mpa: list[float | None] = Field(description="7 MPa above it, 43.75 MPa at most")
    kg: list[float | None] = Field(description="Since it connected")
    flow_g_s: list[float | None]
    soc: list[float | None]
    gas_c: list[float | None]
    delivery_c: list[float | None]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of fills."""
    router = APIRouter(tags=["fills"])
    options = needs(Role.VIEWER, 404, example=examples.FILLS)
    options["responses"][200] = {"content": {"text/csv": {"schema": {"type": "string"}, "example": "hose,start,.."}}}

    @router.get("/stations/{station}/fills", summary="The fills of a day", response_model=Fills, **options)
    async def get_fills(
        _: Viewer,
        station: StationId,
        date: DateQuery = None,
        hose: HoseQuery = None,
        result: ResultQuery = None,
        form: Annotated[Literal["json", "csv"], Query(alias="format", description="Form of the answer")] = "json",
        lang: Annotated[Literal["zh", "en"], Query(description="Of the CSV's heads")] = "zh",
    ) -> Response:
        """Worked out of the hoses' states and totals; a fill counts to the day of its end."""
        live = services.live(station)
        day = day_asked(live, date)
        if hose is not None:
            _check_hose(live.plant, "query.hose", hose, 422)
        listed = await anyio.to_thread.run_sync(services.parts.fills, live, day, limiter=services.reading)
        found = [_fill(one) for one in listed if _wanted(one, hose, result)]
        if form == "csv":
            name = f"{station}-fills-{day.isoformat()}.csv"
            disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
            lines = csv_lines([head.in_language(lang) for head, _ in _COLUMNS], _rows(live.plant, found))
            return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=disposition)
        under_way = _under_way(live, hose) if date is None and result is None else []
        items = [_told(one) for one in found]
        return json_answer({"date": day.isoformat(), "items": items, "under_way": under_way, "next_cursor": None})

    @router.get(
        "/stations/{station}/fills/{hose}/{start}",
        summary="The curve of a fill",
        response_model=CurveBody,
        **needs(Role.VIEWER, 404, example=examples.FILL_CURVE),
    )
    async def get_curve(_: Viewer, station: StationId, hose: HosePath, start: StartPath) -> Response:
        """Pressure with the corridor of the station's ramp, mass, state of charge, temperatures."""
        live = services.live(station)
        _check_hose(live.plant, "path.hose", hose, 404)
        curve = await anyio.to_thread.run_sync(
            read_curve, live.plant, services.store, hose, start, live.now_ms, limiter=services.reading
        )
        if curve is None:
            raise not_found("fill", "path.start", str(start))
        return json_answer(_curve(curve))

    return router


def _check_hose(plant: Plant, place: str, hose: str, status: int) -> None:
    names = [one.unit for one in plant.hoses]
    if hose not in names:
        raise broken(place, hose, f"must be one of {', '.join(names)}", status)


def _wanted(listed: ListedFill, hose: str | None, result: Result | None) -> bool:
    return hose in (None, listed.fill.hose) and result in (None, _result(listed))


def _result(listed: ListedFill) -> Result:
    return "complete" if listed.fill.completed else "broken"


def _fill(listed: ListedFill) -> dict[str, Any]:
    fill = listed.fill
    named = ("kg", "tank_kg", "start_soc", "end_soc", "start_mpa", "end_mpa")
    return {
        "hose": fill.hose,
        "start": fill.start_ms,
        "end": fill.end_ms,
        "minutes": round(fill.minutes, 2),
        "truck": listed.truck,
        "tank_litres": listed.tank_litres,
        **{name: _rounded(getattr(fill, name)) for name in named},
        "peak_c": _rounded(listed.peak_c),
        "link": fill.link,
        "result": _result(listed),
        "stop": fill.stop,
    }


def _told(fill: dict[str, Any]) -> dict[str, Any]:
    return {**fill, "start": rfc3339(fill["start"]), "end": rfc3339(fill["end"])}


def _rows(plant: Plant, fills: Sequence[dict[str, Any]]) -> Iterator[list[Cell]]:
    for fill in fills:
        local = {**fill, "start": local_time(plant, fill["start"]), "end": local_time(plant, fill["end"])}
        yield [local[key] for _, key in _COLUMNS]


def _under_way(live: LiveStation, hose: str | None) -> list[dict[str, Any]]:
    now = live.capacity.engine.newest_snapshot
    hoses = () if now is None else now.hoses
    return [
        {
            "hose": one.unit,
            "start": rfc3339(one.since_ms),
            "kg": round(one.given_kg, 2),
            "asked_kg": _rounded(one.asked_kg),
        }
        for one in hoses
        if one.since_ms is not None and hose in (None, one.unit)
    ]


def _curve(curve: FillCurve) -> dict[str, Any]:
    points, corridor = curve.points, curve.corridor
    return {
        "hose": curve.hose,
        "start": rfc3339(curve.start_ms),
        "end": None if curve.end_ms is None else rfc3339(curve.end_ms),
        "ended_as": curve.ended_as,
        "every_ms": curve.every_ms,
        "t": [point.t_ms for point in points],
        "state": [point.state for point in points],
        "vehicle_mpa": [_rounded(point.vehicle_mpa) for point in points],
        "target_mpa": [None if one is None else round(one.target_mpa, 3) for one in corridor],
        "most_mpa": [None if one is None else round(one.most_mpa, 3) for one in corridor],
        "gas_c": [_rounded(point.gas_c) for point in points],
        "delivery_c": [_rounded(point.delivery_c) for point in points],
        **{name: [_rounded(value) for value in column] for name, column in curve.besides.items()},
    }


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
