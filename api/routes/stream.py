"""The event stream of a station."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api import openapi_examples as examples
from api.people.roles import Role
from api.people.session_book import Session
from api.people.sessions import COOKIE
from api.routes.guard import Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices

EVENT_STREAM: Final = "text/event-stream"
_OPENING: Final = b"retry: 2000\n: stream of the station\n\n"
"""Sent at once, so that a client knows that it is heard; it comes back 2 s after a cut."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_DESCRIPTION: Final = """\
Server-sent events with ids:

- `readings`: a message as it came (`t`, `v`, `q`, ..) with its `area` and `unit`;
- `alarm`: an alarm that changed, as in `/alarms/{id}`;
- `capacity`: a new forecast, as in `/capacity`;
- `reset`: events are missing (the ring of ten minutes is past, or this client reads too slowly): load the state anew.

A comment comes at least each 5 s. `Last-Event-ID` goes on where a client was cut off. With `conflate=1s`, `readings`
are merged to at most one event a second, `{"t", "values": {signal: [value, quality, t]}}` of what changed, beginning
with the whole state."""

Conflate = Annotated[Literal["1s"] | None, Query(description="Merge readings to one event a second")]
LastEventId = Annotated[str | None, Header(description="Id of the last event seen", max_length=60)]


def routes(services: ApiServices) -> APIRouter:
    """Return the route of the stream."""
    router = APIRouter(tags=["stream"])

    @router.get(
        "/stations/{station}/stream",
        summary="Readings, alarms and forecasts as they come",
        description=_DESCRIPTION,
        response_class=StreamingResponse,
        **needs(Role.VIEWER, 404, example=examples.STREAM, media_type=EVENT_STREAM),
    )
    async def stream(
        request: Request,
        session: Viewer,
        station: StationId,
        conflate: Conflate = None,
        last_event_id: LastEventId = None,
    ) -> Response:
        """Send the stream."""
        may_stay = staying(services, request, session)
        hub = services.live(station).hub
        return event_stream(hub.listen(last_event_id, conflate=conflate is not None, may_stay=may_stay))

    return router


def staying(services: ApiServices, request: Request, session: Session) -> Callable[[], bool]:
    """Return what tells whether the one who asks may still be here."""
    cookie = request.cookies.get(COOKIE)
    return lambda: services.people.is_valid(session, cookie)


def event_stream(blocks: AsyncIterator[bytes]) -> Response:
    """Return the answer that sends an event stream."""

    async def events() -> AsyncIterator[bytes]:
        """Yield the opening, then what is heard."""
        yield _OPENING
        async for block in blocks:
            yield block

    return StreamingResponse(events(), media_type=EVENT_STREAM, headers=_HEADERS)
