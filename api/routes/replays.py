"""Replays: the past lived through once more, with alarms and forecasts of its own."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import anyio.to_thread
import msgspec
from fastapi import APIRouter, Body, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from api import openapi_examples as examples
from api.people.roles import Role
from api.problems import ProblemError, broken, not_found
from api.replay.comparison import Compared, Occurrence
from api.replay.desk import ReplayDesk, Wanted
from api.replay.replay import Replay
from api.routes.alarms import AlarmList
from api.routes.bodies import Page, Priority, json_answer, page_of
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, moment
from api.routes.stream import EVENT_STREAM, Conflate, LastEventId, event_stream, staying
from api.services import ApiServices
from station.wire.plan_v1 import rfc3339

ReplayId = Annotated[str, Path(description="Id of a replay", max_length=40, examples=["ab12cd34"])]
Moment = str | int
Speed = Literal["max"] | Annotated[float, Field(ge=0.1, le=3600)]
FORM: Final = "multipart/form-data"
_FIELD_BYTES: Final = 4096
_CREATE: Final = """\
Give `station` with `start` and `end` for a range of the store, or with `file` for a log: upload it as
`multipart/form-data` with the same fields, or name one that was uploaded before (`file` of an earlier answer). It plays
at once, unless `state` is `paused`. A log is loaded first: `loaded` tells how much of it is there (0..1)."""
_STREAM: Final = """\
What the stream of a station carries, from the replay: `readings`, `alarm`, `capacity`, `reset`; besides, `replay` tells
where it stands, as `GET /replays/{id}` does with times in epoch ms (`at_ms`, `start_ms`, ..). A jump sends `reset`.
At full speed the replay waits for a listener that falls behind, for up to 2 s."""


class ReplayRequest(BaseModel):
    """What is to be replayed."""

    model_config = ConfigDict(extra="forbid")

    station: str = Field(max_length=80, examples=["jinma"])
    start: Moment | None = Field(None, description="RFC 3339 with a zone, or epoch ms")
    end: Moment | None = Field(None, description="The moment after the last")
    file: str | None = Field(None, max_length=100, description="A log that was uploaded before")
    speed: Speed = Field(1.0, description="Station seconds a second, 0.1 to 3600, or `max`")
    state: Literal["playing", "paused"] = "playing"
    forecasts: bool = Field(True, description="Whether the capacity is worked out anew too")


class ReplayChange(BaseModel):
    """What is to be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["playing", "paused"] | None = None
    at: Moment | None = Field(None, description="RFC 3339 with a zone, or epoch ms")
    speed: Speed | None = None


class StretchBody(BaseModel):
    """A stretch [from, to)."""

    from_: str = Field(alias="from")
    to: str


class ReplayBody(BaseModel):
    """A replay."""

    id: str
    station: str
    state: Literal["playing", "paused", "ended"]
    at: str | None = Field(description="All before it has been lived through; null while a log is loaded")
    speed: float | Literal["max"]
    start: str | None
    end: str | None
    file: str | None = Field(description="Name of the uploaded log, null for a range of the store")
    loaded: float = Field(description="How much of it is there [0..1]")
    refused: int = Field(description="Lines and values of the log that could not be taken")
    first_refused: str | None = Field(description="The first of them")
    forecasts: bool
    played: list[StretchBody]
    problem: str | None = Field(description="What went wrong last")


class ReplayList(Page):
    """Replays, oldest first."""

    items: list[ReplayBody]


class OccurrenceBody(BaseModel):
    """One time that an alarm was active."""

    raised_at: str
    cleared_at: str | None
    priority: Priority
    first_out: bool


class ComparedBody(BaseModel):
    """An alarm then, by the journal, and now, by today's limits."""

    id: str
    verdict: Literal["same", "changed", "only_then", "only_now", "not_played"]
    then: OccurrenceBody | None
    now: OccurrenceBody | None


class Comparison(Page):
    """Alarms of the range; `not_played` are those of stretches that the replay has not lived through yet."""

    played: list[StretchBody]
    counts: dict[str, int]
    items: list[ComparedBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of replays."""
    router = APIRouter(tags=["replays"])
    _add_lists(router, services)
    _add_acts(router, services)
    _add_views(router, services)
    return router


def _add_lists(router: APIRouter, services: ApiServices) -> None:
    @router.get(
        "/replays", summary="All replays", response_model=ReplayList, **needs(Role.VIEWER, example=examples.REPLAYS)
    )
    def list_replays(_: Viewer, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
        """List the replays that are open."""
        page, after = page_of(_desk(services).all(), cursor, limit)
        return json_answer({"items": [_body(replay) for replay in page], "next_cursor": after})

    @router.get(
        "/replays/{replay}",
        summary="One replay",
        response_model=ReplayBody,
        **needs(Role.VIEWER, 404, example=examples.REPLAY),
    )
    def get_replay(_: Viewer, replay: ReplayId) -> Response:
        """Tell where a replay stands."""
        return json_answer(_body(_find(services, replay)))


def _add_acts(router: APIRouter, services: ApiServices) -> None:
    options = needs(Role.OPERATOR, 404, 409, 413, example=examples.REPLAY)
    options["openapi_extra"]["requestBody"] = _request_body()

    @router.post("/replays", summary="Begin a replay", description=_CREATE, response_model=ReplayBody, **options)
    async def post_replay(_: Operator, request: Request) -> Response:
        """Begin a replay of a range or a log."""
        if not request.headers.get("content-type", "").startswith(FORM):
            asked = _checked(await _json(request))
            return json_answer(_body(await anyio.to_thread.run_sync(_create, services, asked, None)))
        async with request.form(max_files=1, max_fields=10, max_part_size=_FIELD_BYTES) as form:
            upload = form.get("file")
            asked = _checked({name: value for name, value in form.items() if isinstance(value, str)})
            log = upload if isinstance(upload, UploadFile) else None
            return json_answer(_body(await anyio.to_thread.run_sync(_create, services, asked, log)))

    @router.patch(
        "/replays/{replay}",
        summary="Play, pause, move, another speed",
        response_model=ReplayBody,
        **needs(Role.OPERATOR, 404, 409, example=examples.REPLAY),
    )
    def patch_replay(
        _: Operator,
        replay: ReplayId,
        body: Annotated[ReplayChange, Body(openapi_examples={"a moment": {"value": examples.REPLAY_CHANGE}})],
    ) -> Response:
        """Change what is named; a move of up to five minutes ahead lives through them, a longer one jumps."""
        found = _find(services, replay)
        at_ms = None if body.at is None else moment("body.at", str(body.at))
        if at_ms is not None and found.range_ms is not None and not found.range_ms[0] <= at_ms <= found.range_ms[1]:
            start, end = (rfc3339(t_ms) for t_ms in found.range_ms)
            raise broken("body.at", body.at, f"must be within the replay, {start} to {end}")
        speed = () if body.speed is None else (_speed(body.speed),)
        found.change(body.state, at_ms, speed)
        return json_answer(_body(found))

    @router.delete(
        "/replays/{replay}",
        summary="End a replay",
        status_code=204,
        response_class=Response,
        **needs(Role.OPERATOR, 404),
    )
    def delete_replay(_: Operator, replay: ReplayId) -> None:
        """End a replay; an uploaded log stays."""
        _find(services, replay)
        _desk(services).remove(replay)


def _add_views(router: APIRouter, services: ApiServices) -> None:
    @router.get(
        "/replays/{replay}/alarms",
        summary="Alarms of a replay that are not normal",
        response_model=AlarmList,
        **needs(Role.VIEWER, 404, example=examples.ALARMS),
    )
    def list_alarms(_: Viewer, replay: ReplayId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
        """List the alarms at the moment where the replay stands."""
        page, after = page_of(_find(services, replay).alarms(), cursor, limit)
        return json_answer({"items": page, "next_cursor": after})

    @router.get(
        "/replays/{replay}/comparison",
        summary="Alarms then beside alarms by today's limits",
        response_model=Comparison,
        **needs(Role.VIEWER, 404, example=examples.COMPARISON),
    )
    def get_comparison(
        _: Viewer,
        replay: ReplayId,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Put what the journal has of the range beside what the replay has raised by now."""
        found = _find(services, replay)
        pairs = _desk(services).compare(found)
        counts: dict[str, int] = {}
        for pair in pairs:
            counts[pair.verdict] = counts.get(pair.verdict, 0) + 1
        page, after = page_of(pairs, cursor, limit)
        body = {"played": _stretches(found), "counts": counts, "items": [_pair(pair) for pair in page]}
        return json_answer(body | {"next_cursor": after})

    @router.get(
        "/replays/{replay}/stream",
        summary="Readings, alarms and forecasts of a replay as they come",
        description=_STREAM,
        response_class=StreamingResponse,
        **needs(Role.VIEWER, 404, example=examples.STREAM, media_type=EVENT_STREAM),
    )
    async def stream(
        request: Request,
        session: Viewer,
        replay: ReplayId,
        conflate: Conflate = None,
        last_event_id: LastEventId = None,
    ) -> Response:
        """Send the stream."""
        may_stay = staying(services, request, session)
        return event_stream(
            _find(services, replay).listen(last_event_id, conflate=conflate is not None, may_stay=may_stay)
        )


def _desk(services: ApiServices) -> ReplayDesk:
    if services.replays is None:
        raise ProblemError(503, "this service plays no replays")
    return services.replays


def _find(services: ApiServices, replay_id: str) -> Replay:
    replay = _desk(services).get(replay_id)
    if replay is None:
        raise not_found("replay", "path.replay", replay_id)
    return replay


# Beginning


def _request_body() -> dict[str, Any]:
    """Return the description of both bodies that begin a replay."""
    schema = ReplayRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    form = {**schema, "properties": {**schema["properties"], "file": {"type": "string", "format": "binary"}}}
    json_part = {"schema": schema, "examples": {"a range": {"value": examples.REPLAY_RANGE}}}
    return {"required": True, "content": {"application/json": json_part, FORM: {"schema": form}}}


async def _json(request: Request) -> object:
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise broken("body", "", "must be JSON in UTF-8") from error


def _checked(said: object) -> ReplayRequest:
    try:
        return ReplayRequest.model_validate(said)
    except ValidationError as error:
        rows = [{**row, "loc": ("body", *row["loc"])} for row in error.errors(include_url=False)]
        raise RequestValidationError(rows) from error


def _create(services: ApiServices, asked: ReplayRequest, upload: UploadFile | None) -> Replay:
    desk, live = _desk(services), services.stations.get(asked.station)
    if live is None:
        raise broken("body.station", asked.station, f"must be one of {', '.join(services.stations)}")
    range_ms = _range(asked, is_log=upload is not None or asked.file is not None)
    file = asked.file
    if upload is not None:
        file = desk.upload(upload.file, upload.filename or "log")
    wanted = Wanted(live, range_ms, file, _speed(asked.speed), asked.forecasts, asked.state == "playing")
    return desk.create(wanted)


def _range(asked: ReplayRequest, *, is_log: bool) -> tuple[int, int] | None:
    if asked.start is None and asked.end is None and is_log:
        return None
    if asked.start is None or asked.end is None:
        missing = "start" if asked.start is None else "end"
        rule = "must be given beside the other one" if is_log else "must be given, or file"
        raise broken(f"body.{missing}", None, rule)
    start_ms, end_ms = moment("body.start", str(asked.start)), moment("body.end", str(asked.end))
    if start_ms >= end_ms:
        raise broken("body.start", asked.start, "must be before end")
    return start_ms, end_ms


def _speed(said: Speed) -> float | None:
    return None if said == "max" else float(said)


# Told


def _body(replay: Replay) -> dict[str, object]:
    body = replay.body()
    times = {name.removesuffix("_ms"): body.pop(name) for name in ("at_ms", "start_ms", "end_ms")}
    body.pop("played_ms")
    if times["start"] is None:
        times["at"] = None
    told = {name: None if t_ms is None else rfc3339(t_ms) for name, t_ms in times.items()}
    return body | told | {"played": _stretches(replay)}


def _stretches(replay: Replay) -> list[dict[str, str]]:
    return [{"from": rfc3339(start), "to": rfc3339(end)} for start, end in replay.played]


def _pair(pair: Compared) -> dict[str, object]:
    return {
        "id": pair.alarm_id,
        "verdict": pair.verdict,
        "then": _occurrence(pair.then),
        "now": _occurrence(pair.now),
    }


def _occurrence(one: Occurrence | None) -> dict[str, object] | None:
    if one is None:
        return None
    cleared = None if one.cleared_ms is None else rfc3339(one.cleared_ms)
    return {
        "raised_at": rfc3339(one.raised_ms),
        "cleared_at": cleared,
        "priority": one.priority,
        "first_out": one.first_out,
    }
