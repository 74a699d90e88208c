"""The past as a picture needs it: some signals over one grid of windows, all that is drawn of them in one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_sheet_examples as examples
from api.people.roles import Role
from api.problems import broken
from api.routes.bodies import json_answer
from api.routes.guard import Viewer, needs
from api.routes.params import (
    USUAL_RANGE,
    Every,
    StationId,
    TimeText,
    some_signals,
    time_range,
    window_ms,
    window_offset_ms,
)
from api.routes.readings import Signals
from api.services import ApiServices
from station.domain.plant import Plant, Signal
from station.domain.signals import GOOD, Kind
from station.ports import Course, ReadingStore

_MOST_WINDOWS: Final = 10_000
"""Of one signal: more than any screen has pixels."""
_NUMBERS: Final = ("mean", "min", "max", "last")
_STEPPED: Final = (Kind.STATE, Kind.DIGITAL_INPUT)
"""Of these a mean says nothing."""
Numbers = list[float | None]


class TrendSeries(BaseModel):
    """One signal: a number a window, null where there is none."""

    signal: str
    unit: str = Field(description="Unit of measure")
    mean: Numbers | None = Field(description="Null for states and switches, as min and max")
    min: Numbers | None
    max: Numbers | None
    last: Numbers | None = Field(description="Of states and switches; null for others")
    doubts: list[tuple[int, int, str]] = Field(
        description="[first window, how many, `uncertain:reason` | `bad:reason`] where the worst is not good"
    )


class Trends(BaseModel):
    """Signals over the same windows."""

    t: int = Field(description="Start of the first window, epoch ms")
    every_ms: int = Field(description="Length of a window")
    size: int = Field(description="How many windows")
    series: list[TrendSeries]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Whole windows."""

    t_ms: int
    every_ms: int
    size: int
    offset_ms: int

    @classmethod
    def over(cls, plant: Plant, start_ms: int, end_ms: int, every: str) -> _Grid:
        """Return the windows that hold a range: whole ones, which the store has worked out beforehand.

        Raises:
            ProblemError: 422, not a length of windows, or too many of them.
        """
        every_ms = window_ms(every)
        offset_ms = window_offset_ms(plant, every_ms, start_ms)
        first_ms = start_ms - (start_ms - offset_ms) % every_ms
        size = -((first_ms - end_ms) // every_ms)
        if size > _MOST_WINDOWS:
            raise broken("query.every", every, f"the range may hold {_MOST_WINDOWS} windows at most")
        return cls(first_ms, every_ms, size, offset_ms)

    def answer(self, store: ReadingStore, station: str, signals: Sequence[Signal]) -> Response:
        """Ask the store and return what it says."""
        tags = [one.tag for one in signals]
        end_ms = self.t_ms + self.size * self.every_ms
        courses = store.courses(station, tags, self.t_ms, end_ms, self.every_ms, _NUMBERS, self.offset_ms)
        series = [self._series(*pair) for pair in zip(signals, courses, strict=True)]
        return json_answer({"t": self.t_ms, "every_ms": self.every_ms, "size": self.size, "series": series})

    def _series(self, signal: Signal, course: Course) -> dict[str, Any]:
        places = [(t_ms - self.t_ms) // self.every_ms for t_ms in course.t_ms]
        is_stepped = signal.kind in _STEPPED
        shown = {
            name: self._spread(places, course.numbers[name]) if (name == "last") == is_stepped else None
            for name in _NUMBERS
        }
        return {
            "signal": signal.tag,
            "unit": signal.unit_of_measure,
            **shown,
            "doubts": _doubts(places, course.quality),
        }

    def _spread(self, places: Sequence[int], numbers: Sequence[float | None]) -> Sequence[float | None]:
        if len(places) == self.size:
            return numbers
        spread: Numbers = [None] * self.size
        for place, number in zip(places, numbers, strict=True):
            spread[place] = number
        return spread


def routes(services: ApiServices) -> APIRouter:
    """Return the route of trends."""
    router = APIRouter(tags=["readings"])

    @router.get(
        "/stations/{station}/trends",
        summary="Past readings of some signals as a picture needs them",
        description=(
            "Each window's mean, least and greatest, of states its last, for all signals at once. Windows are those of "
            "`/readings`, and whole: the first holds `start`, the last what is before `end`. Nothing came in a window "
            "that is null and in no doubt. Without `start` and `end`: the last hour."
        ),
        response_model=Trends,
        **needs(Role.VIEWER, 404, example=examples.TRENDS),
    )
    async def get_trends(
        _: Viewer,
        station: StationId,
        signal: Signals = None,
        start: TimeText = None,
        end: TimeText = None,
        every: Every = "1m",
    ) -> Response:
        """All signals over the same windows."""
        plant = services.plant(station)
        signals = some_signals(plant, signal)
        start_ms, end_ms = time_range(start, end, services.live(plant.id).now_ms, USUAL_RANGE)
        grid = _Grid.over(plant, start_ms, end_ms, every)
        return await anyio.to_thread.run_sync(grid.answer, services.store, station, signals, limiter=services.reading)

    return router


def _doubts(places: Sequence[int], quality: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return runs of windows whose quality is the same and not good."""
    doubts: list[tuple[int, int, str]] = []
    doubtful = [(place, text) for place, text in zip(places, quality, strict=True) if text != GOOD]
    # Within a run of neighbours, place less rank stays the same.
    for (_, text), run in groupby(enumerate(doubtful), lambda item: (item[1][0] - item[0], item[1][1])):
        found = [place for _, (place, _) in run]
        doubts.append((found[0], len(found), text))
    return doubts
