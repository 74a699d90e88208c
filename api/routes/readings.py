"""Readings: the newest, and the past raw or in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.routes.bodies import Page, json_answer
from api.routes.guard import Viewer, needs
from api.routes.params import (
    DEFAULT_LIMIT,
    USUAL_RANGE,
    Cursor,
    Every,
    Limit,
    StationId,
    TimeText,
    cursor_ms,
    known_signals,
    some_signals,
    time_range,
    window_ms,
    window_offset_ms,
)
from api.services import ApiServices
from station.domain.plant import Plant, Signal
from station.domain.signals import Reading
from station.ports import ReadingStore

Signals = Annotated[list[str] | None, Query(description="Signal id; repeat it for several", examples=[["PT-330A"]])]
Aggregate = Literal["raw", "mean", "min", "max", "last", "count"]
Point = tuple[int, float | None, str]


class LatestReading(BaseModel):
    """The newest reading of a signal."""

    signal: str
    value: float | None
    quality: str
    t: int = Field(description="Source time, epoch ms")
    age_s: float = Field(description="Station time since then")


class LatestList(Page):
    """Newest readings of the signals that have one."""

    items: list[LatestReading]


class Series(BaseModel):
    """The points of one signal, oldest first."""

    signal: str
    unit: str = Field(description="Unit of measure")
    points: list[tuple[int, float | None, str]] = Field(
        description="[epoch ms, value or null, `good` | `uncertain:reason` | `bad:reason`]"
    )


class SeriesList(BaseModel):
    """A page of all signals asked for: each series holds the same stretch of time."""

    series: list[Series]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Grid:
    """Windows as a query asks for them."""

    every_ms: int
    offset_ms: int
    aggregate: Aggregate

    @classmethod
    def of(cls, plant: Plant, every: str, start_ms: int, aggregate: Aggregate) -> _Grid:
        """Return the windows of a station; see `window_ms` and `window_offset_ms`."""
        every_ms = window_ms(every)
        return cls(every_ms, window_offset_ms(plant, every_ms, start_ms), aggregate)

    def page_end(self, start_ms: int, end_ms: int, limit: int) -> int:
        """Return where a page of at most `limit` windows ends."""
        first_ms = start_ms - (start_ms - self.offset_ms) % self.every_ms
        return min(end_ms, first_ms + limit * self.every_ms)

    def points(
        self, store: ReadingStore, station: str, tags: Sequence[str], start_ms: int, end_ms: int
    ) -> list[Sequence[Point]]:
        """Return the windows of each signal."""
        over = (start_ms, end_ms, self.every_ms)
        return [
            list(zip(one.t_ms, one.numbers[self.aggregate], one.quality, strict=True))
            for one in store.courses(station, tags, *over, [self.aggregate], self.offset_ms)
        ]


@dataclass(frozen=True, slots=True)
class _Query:
    """A question about the past, checked."""

    store: ReadingStore
    station: str
    signals: Sequence[Signal]
    start_ms: int
    end_ms: int
    limit: int

    def answer(self, grid: _Grid | None) -> Response:
        """Return a page: raw readings without a grid."""
        if grid is None:
            rows, next_ms = _raw_page(self.store, self.station, self.signals, self.start_ms, self.end_ms, self.limit)
        else:
            next_ms = grid.page_end(self.start_ms, self.end_ms, self.limit)
            tags = [one.tag for one in self.signals]
            rows = grid.points(self.store, self.station, tags, self.start_ms, next_ms)
        return json_answer(_series_body(self.signals, rows, next_ms if next_ms < self.end_ms else None))


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of readings."""
    router = APIRouter(tags=["readings"])

    @router.get(
        "/stations/{station}/readings/latest",
        summary="The newest reading of each signal",
        response_model=LatestList,
        **needs(Role.VIEWER, 404, example=examples.LATEST),
    )
    async def get_latest(_: Viewer, station: StationId, signal: Signals = None) -> Response:
        """Signals that never said anything are left out; a failed sensor has value null."""
        tags = [one.tag for one in known_signals(services.plant(station), signal)]
        live = services.stations.get(station)
        if live is None:  # A replay: it is in the store only.
            found = await anyio.to_thread.run_sync(services.store.latest, station, tags)
            return _latest_answer(list(found.values()), max((one.t_ms for one in found.values()), default=0))
        readings = [reading for tag in tags if (reading := live.latest.get(tag)) is not None]
        return _latest_answer(readings, live.now_ms)

    @router.get(
        "/stations/{station}/readings",
        summary="Past readings, raw or in windows",
        description=(
            "Windows are aligned to the epoch, from `every` = 1h on to station local time; their quality is the worst "
            "within. `limit` counts points of one series. Without `start` and `end`: the last hour."
        ),
        response_model=SeriesList,
        **needs(Role.VIEWER, 404, example=examples.READINGS),
    )
    async def get_readings(
        _: Viewer,
        station: StationId,
        signal: Signals = None,
        start: TimeText = None,
        end: TimeText = None,
        every: Every = "1m",
        aggregate: Annotated[Aggregate, Query(description="`raw`, or what a window gives")] = "mean",
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Points of each signal, oldest first, in pages."""
        plant = services.plant(station)
        signals = some_signals(plant, signal)
        now_ms = services.live(plant.id).now_ms
        start_ms, end_ms = time_range(start, end, now_ms, USUAL_RANGE)
        from_ms = cursor_ms(cursor, start_ms, end_ms)
        grid = None if aggregate == "raw" else _Grid.of(plant, every, start_ms, aggregate)
        query = _Query(services.store, station, signals, from_ms, end_ms, limit)
        return await anyio.to_thread.run_sync(query.answer, grid, limiter=services.reading)

    return router


def _latest_answer(readings: Sequence[Reading], now_ms: int) -> Response:
    items = [
        {
            "signal": reading.signal,
            "value": reading.value,
            "quality": reading.quality,
            "t": reading.t_ms,
            "age_s": max(0.0, (now_ms - reading.t_ms) / 1000),
        }
        for reading in readings
    ]
    return json_answer({"items": items, "next_cursor": None})


def _raw_page(
    store: ReadingStore, station: str, signals: Sequence[Signal], start_ms: int, end_ms: int, limit: int
) -> tuple[list[Sequence[Point]], int]:
    """Return the points of a page, and where the next begins: every series ends where the fullest one is full."""
    read = [store.raw(station, one.tag, start_ms, end_ms, limit + 1) for one in signals]
    next_ms = min((found[limit].t_ms for found in read if len(found) > limit), default=end_ms)
    rows: list[Sequence[Point]] = [
        [(one.t_ms, one.value, one.quality) for one in found if one.t_ms < next_ms] for found in read
    ]
    return rows, next_ms


def _series_body(signals: Sequence[Signal], rows: Sequence[Sequence[Point]], next_ms: int | None) -> dict[str, Any]:
    series = [
        {"signal": one.tag, "unit": one.unit_of_measure, "points": points}
        for one, points in zip(signals, rows, strict=True)
    ]
    return {"series": series, "next_cursor": None if next_ms is None else str(next_ms)}
