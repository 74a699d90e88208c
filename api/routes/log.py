"""A log of the stored messages, streamed in flat memory."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api import openapi_examples as examples
from api.people.roles import Role
from api.routes.guard import Viewer, needs
from api.routes.params import StationId, TimeText, known_signals, time_range
from api.routes.readings import Signals
from api.services import ApiServices
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of

NDJSON: Final = "application/x-ndjson"
_USUAL_RANGE: Final = dt.timedelta(hours=24)
_CHUNK_BYTES: Final = 64 * 1024


def routes(services: ApiServices) -> APIRouter:
    """Return the route of the log."""
    router = APIRouter(tags=["readings"])

    @router.get(
        "/stations/{station}/log",
        summary="A log of the stored messages",
        description="One line a message, in order of time. Without `start` and `end`: the last 24 hours.",
        response_class=StreamingResponse,
        **needs(Role.VIEWER, 404, example=examples.LOG, media_type=NDJSON),
    )
    def get_log(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        format: Annotated[Literal["ndjson"], Query(description="Form of the log")] = "ndjson",  # noqa: A002 - its name
        signal: Signals = None,
    ) -> Response:
        """Stream the log."""
        plant = services.plant(station)
        wanted = {one.tag for one in known_signals(plant, signal)} if signal else None
        start_ms, end_ms = time_range(start, end, services.live(plant.id).now_ms, _USUAL_RANGE)
        header = {"version": services.version, "station": station, "start": start_ms, "end": end_ms}
        messages = _only(services.store.messages(station, start_ms, end_ms), wanted)
        first = next(messages, None)  # A store that is away says so here, while a 503 can still be sent.
        rest = messages if first is None else itertools.chain([first], messages)
        name = f"{station.replace('~', '-')}-{start_ms}-{end_ms}.{format}"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(_chunks(header, rest), media_type=NDJSON, headers=disposition)

    return router


def _only(messages: Iterator[UnitMessage], wanted: set[str] | None) -> Iterator[UnitMessage]:
    if wanted is None:
        yield from messages
        return
    for message in messages:
        values = {tag: value for tag, value in message.values.items() if tag in wanted}
        if values:
            quality = {tag: said for tag, said in message.quality.items() if tag in values}
            yield msgspec.structs.replace(message, values=values, quality=quality)


def _chunks(header: dict[str, object], messages: Iterable[UnitMessage]) -> Iterator[bytes]:
    """Yield lines joined to chunks of 64 KiB: one hop from the reading thread each, not one a line."""
    lines = [msgspec.json.encode({"log": header}) + b"\n"]
    size = len(lines[0])
    for message in messages:
        lines.append(b'{"topic":"%s","payload":%s}\n' % (topic_of(message).encode(), encode(message)))
        size += len(lines[-1])
        if size >= _CHUNK_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
    yield b"".join(lines)
