"""The console's door: nobody unknown gets a page or its socket, and a socket closes once its session is over.

It stands before all of NiceGUI, so that a page that is added later is guarded without a word of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import anyio.to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.people.session_book import Session
from api.people.sessions import COOKIE, SESSION_KEY, services_of, session_from_request, unauthorized
from api.problems import problem_response
from dashboards.console.language import language_of
from dashboards.console.pages import login_html

SOCKET: Final = "/_nicegui_ws/"
OPEN: Final = ("/static/", "/_nicegui/")
"""Scripts and styles, ours and the library's: the same for everybody, and the login page needs them."""
_CHECK_S: Final = 1.0
"""With 2 s of caching a socket of a session that is over closes within 4 s."""
_OVER: Final = 4401
"""Close code of our own: who asks is not known any more."""


class ConsoleDoor:
    """Lets whoever has a session into the console.

    Args:
        app: What comes after.
        prefix: Path of the console.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        path = scope.get("path", "")
        inside = path == self._prefix or path.startswith(f"{self._prefix}/")
        if not inside or path.startswith(tuple(self._prefix + name for name in OPEN)):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        session = await anyio.to_thread.run_sync(session_from_request, connection)
        if session is None:
            await self._refuse(scope, receive, send)
            return
        scope[SESSION_KEY] = session
        if scope["type"] == "websocket":
            await self._watched(connection, session, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _OVER})
            return
        request = Request(scope)
        if request.url.path.startswith(self._prefix + SOCKET):
            answer = problem_response(request, unauthorized("no session: log in at the console"))
        else:
            answer = HTMLResponse(login_html(language_of(request)), headers={"Cache-Control": "no-store"})
        await answer(scope, receive, send)

    async def _watched(self, connection: HTTPConnection, session: Session, receive: Receive, send: Send) -> None:
        """Serve a socket until its session is over."""
        over = asyncio.create_task(_session_over(connection, session), name="console-socket-session")
        closed = False

        async def received() -> Message:
            """Receive, or end where the session has."""
            nonlocal closed
            coming = asyncio.ensure_future(receive())
            await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            coming.cancel()
            closed = True
            await send({"type": "websocket.close", "code": _OVER})
            return {"type": "websocket.disconnect", "code": _OVER}

        async def sent(message: Message) -> None:
            """Send; what comes after the close is lost with the page that it was for."""
            if not closed:
                await send(message)

        try:
            await self._app(connection.scope, received, sent)
        finally:
            over.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await over


async def _session_over(connection: HTTPConnection, session: Session) -> None:
    """Return once somebody who came in may not stay."""
    people, cookie = services_of(connection).people, connection.cookies.get(COOKIE)
    # Asked, since nobody tells of an end that another process brought about.
    while await anyio.to_thread.run_sync(people.is_valid, session, cookie):  # noqa: ASYNC110 - as above
        await asyncio.sleep(_CHECK_S)
