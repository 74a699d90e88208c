"""How complete the readings are: what ingest counted per unit and minute, added up over a range and its windows."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.problems import broken
from api.routes.bodies import Page, json_answer
from api.routes.guard import Viewer, needs
from api.routes.params import StationId, TimeText, time_range, window_ms, window_offset_ms
from api.services import ApiServices
from station.domain.completeness import Completeness, Counts, MinuteOfUnit, window_edges
from station.domain.completeness import UnitCompleteness as Found
from station.domain.plant import Plant, UnitKey
from station.ports import ServicePoint
from station.wire.plan_v1 import rfc3339

_USUAL_RANGE: Final = dt.timedelta(hours=24)
_SHOWN_UP_MS: Final = 86_400_000
"""A gap is written down when the unit is heard again: looked for so long behind the range."""
_MOST_WINDOWS: Final = 1000

Every = Annotated[str | None, Query(description="Length of a window: 10m, 1h, 1d", max_length=20)]


class Gap(BaseModel):
    """A stretch in which messages are missing: the times are those of the messages beside it."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    missing: int


class WindowCompleteness(BaseModel):
    """One unit's messages in a window."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    received: int
    expected: int | None = Field(description="By the sequence numbers; null where the device sends none")
    late: int
    duplicate: int
    refused: int


class UnitCompleteness(BaseModel):
    """One unit's messages in the range."""

    area: str
    unit: str
    received: int
    expected: int | None = Field(description="By the sequence numbers; null where the device sends none")
    late: int
    duplicate: int
    refused: int
    gaps: list[Gap]
    windows: list[WindowCompleteness] = Field([], description="With `every`: what each window had and lacks")


class CompletenessList(Page):
    """Every unit of the station."""

    items: list[UnitCompleteness]


def routes(services: ApiServices) -> APIRouter:
    """Return the route of completeness."""
    router = APIRouter(tags=["readings"])

    @router.get(
        "/stations/{station}/completeness",
        summary="Messages received and missing, by unit",
        description=(
            "Without `start` and `end`: the last 24 hours. With `every` (1h): by windows too, from one hour on aligned "
            "to station local time; what a gap lacks is spread over its stretch."
        ),
        response_model=CompletenessList,
        **needs(Role.VIEWER, 404, example=examples.COMPLETENESS),
    )
    def get_completeness(
        _: Viewer, station: StationId, start: TimeText = None, end: TimeText = None, every: Every = None
    ) -> Response:
        """What ingest counted, added up over the range and over each window of it."""
        plant = services.plant(station)
        start_ms, end_ms = time_range(start, end, services.live(plant.id).now_ms, _USUAL_RANGE)
        found = Completeness(plant.units, _edges(plant, start_ms, end_ms, every))
        points = services.store.read_points("ingest", {"station": station}, start_ms, end_ms + _SHOWN_UP_MS)
        found.add(map(_minute, points))
        live = services.stations.get(station)  # A replay is always numbered.
        items = [
            _body(key, unit, found.edges if every else None, numbered=live is None or key in live.numbered)
            for key, unit in found.units.items()
        ]
        return json_answer({"items": items, "next_cursor": None})

    return router


def _edges(plant: Plant, start_ms: int, end_ms: int, every: str | None) -> list[int]:
    if every is None:
        return [start_ms, end_ms]
    every_ms = window_ms(every)
    if (end_ms - start_ms) / every_ms > _MOST_WINDOWS:
        raise broken("query.every", every, f"at most {_MOST_WINDOWS} windows in one answer")
    return window_edges(start_ms, end_ms, every_ms, window_offset_ms(plant, every_ms, start_ms))


def _minute(point: ServicePoint) -> MinuteOfUnit:
    counts = {name: int(value) for name, value in point.fields.items() if not isinstance(value, str)}
    return MinuteOfUnit((point.tags.get("area", ""), point.tags.get("unit", "")), point.t_ms, counts)


def _body(key: UnitKey, unit: Found, edges: list[int] | None, *, numbered: bool) -> dict[str, Any]:
    body = {"area": key[0], "unit": key[1], **_counts(unit.whole, numbered=numbered)}
    body["gaps"] = [{"from": rfc3339(start), "to": rfc3339(end), "missing": n} for start, end, n in unit.gaps]
    if edges is not None:
        body["windows"] = [
            {"from": rfc3339(start), **_counts(counts, numbered=numbered)}
            for start, counts in zip(edges, unit.windows, strict=False)
        ]
    return body


def _counts(counts: Counts, *, numbered: bool) -> dict[str, Any]:
    return {
        "received": counts.received,
        "expected": counts.received + counts.missing if numbered else None,
        "late": counts.late,
        "duplicate": counts.duplicate,
        "refused": counts.refused,
    }
