"""How complete the readings are: what ingest counted per unit and minute, added up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.routes.bodies import Page, json_answer
from api.routes.guard import Viewer, needs
from api.routes.params import StationId, TimeText, time_range
from api.services import ApiServices
from station.domain.plant import UnitKey
from station.ports import ServicePoint
from station.wire.plan_v1 import rfc3339

_USUAL_RANGE: Final = dt.timedelta(hours=24)
_MINUTE_MS: Final = 60_000


class Gap(BaseModel):
    """A stretch in which messages are missing: the times are those of the messages beside it."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    missing: int


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


class CompletenessList(Page):
    """Every unit of the station."""

    items: list[UnitCompleteness]


@dataclass
class _Tally:
    received: int = 0
    missing: int = 0
    late: int = 0
    duplicate: int = 0
    refused: int = 0
    gaps: list[list[int]] = field(default_factory=list)

    def add(self, point: ServicePoint) -> None:
        """Add one minute."""
        counts = {name: int(value) for name, value in point.fields.items() if not isinstance(value, str)}
        self.received += counts.get("received", 0)
        self.late += counts.get("late", 0)
        self.duplicate += counts.get("duplicate", 0)
        self.refused += counts.get("refused", 0)
        if counts.get("gaps", 0) > 0:
            start_ms = counts.get("gap_from", point.t_ms)
            self._add_gap(start_ms, counts.get("gap_to", point.t_ms + _MINUTE_MS), counts["gaps"])

    def _add_gap(self, start_ms: int, end_ms: int, missing: int) -> None:
        self.missing += missing
        if self.gaps and self.gaps[-1][1] >= start_ms:
            self.gaps[-1][1] = max(end_ms, self.gaps[-1][1])
            self.gaps[-1][2] += missing
        else:
            self.gaps.append([start_ms, end_ms, missing])


def routes(services: ApiServices) -> APIRouter:
    """Return the route of completeness."""
    router = APIRouter(tags=["readings"])

    @router.get(
        "/stations/{station}/completeness",
        summary="Messages received and missing, by unit",
        description="Without `start` and `end`: the last 24 hours.",
        response_model=CompletenessList,
        **needs(Role.VIEWER, 404, example=examples.COMPLETENESS),
    )
    def get_completeness(_: Viewer, station: StationId, start: TimeText = None, end: TimeText = None) -> Response:
        """What ingest counted, added up over the range."""
        plant = services.plant(station)
        start_ms, end_ms = time_range(start, end, services.live(plant.id).now_ms, _USUAL_RANGE)
        points = services.store.read_points("ingest", {"station": station}, start_ms, end_ms)
        tallies = _tallies(plant.units, points)
        live = services.stations.get(station)  # A replay is always numbered.
        items = [_body(key, tally, live is None or key in live.numbered) for key, tally in tallies.items()]
        return json_answer({"items": items, "next_cursor": None})

    return router


def _tallies(units: Iterable[UnitKey], points: Iterable[ServicePoint]) -> dict[UnitKey, _Tally]:
    tallies = {key: _Tally() for key in units}
    for point in points:
        tally = tallies.get((point.tags.get("area", ""), point.tags.get("unit", "")))
        if tally is not None:
            tally.add(point)
    return tallies


def _body(key: UnitKey, tally: _Tally, is_numbered: bool) -> dict[str, Any]:
    return {
        "area": key[0],
        "unit": key[1],
        "received": tally.received,
        "expected": tally.received + tally.missing if is_numbered else None,
        "late": tally.late,
        "duplicate": tally.duplicate,
        "refused": tally.refused,
        "gaps": [{"from": rfc3339(start), "to": rfc3339(end), "missing": n} for start, end, n in tally.gaps],
    }
