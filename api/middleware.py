"""What stands before every route: the services in reach, a bound on bodies, the console's one-time login."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.people.sessions import ACT_KEY, SESSION_KEY, is_local, session_from_request, set_cookie, unauthorized
from api.problems import ProblemError, problem_response
from api.services import ApiServices

MAX_BODY_BYTES: Final = 1024 * 1024
"""A plan of 2000 rows, the largest body there is, takes about 200 KB."""
_UPLOAD: Final = ("POST", "/api/v1/replays")
"""Takes a log, which may be as large as the settings say."""
_FORM_BYTES: Final = 64 * 1024
"""What a form has around its file."""
_CONSOLE: Final = "/console"


class BeforeRoutes:
    """Puts the services into each request's scope, also for apps mounted beside ours.

    Args:
        app: What comes after.
        services: Of this app.
    """

    def __init__(self, app: ASGIApp, services: ApiServices) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        scope["jinma_services"] = self._services
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        early = await self._early_answer(request)
        if early is not None:
            await early(scope, receive, send)
        elif request.url.path.startswith("/api/"):
            await self._bounded(request, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _early_answer(self, request: Request) -> Response | None:
        if request.method == "GET" and request.url.path.rstrip("/") == _CONSOLE and "login" in request.query_params:
            return await self._login(request)
        return None

    async def _login(self, request: Request) -> Response:
        """Answer the link with a one-time code: a session and the way on to the console."""
        people = self._services.people
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "login"]
        onward = RedirectResponse(f"{_CONSOLE}?{urlencode(rest)}" if rest else _CONSOLE, 303)
        onward.headers["Cache-Control"] = "no-store"
        request.scope[ACT_KEY] = "login link"
        prefix = people.login_codes.redeem(request.query_params["login"]) if is_local(request) else None
        row = None if prefix is None else await anyio.to_thread.run_sync(people.tokens.row_of, prefix)
        if row is not None:
            cookie, request.scope[SESSION_KEY] = people.sessions.open(row)
            set_cookie(onward, cookie, secure=request.url.scheme == "https")
            return onward
        known = await anyio.to_thread.run_sync(session_from_request, request)
        if known is not None:
            request.scope[SESSION_KEY] = known
            return onward  # The link was opened again by whoever it let in.
        text = "this link works once, within 10 minutes, on this machine: start `jinma run` again, or log in by token"
        return problem_response(request, unauthorized(text))

    async def _bounded(self, request: Request, receive: Receive, send: Send) -> None:
        length, most = request.headers.get("content-length", ""), self._most_bytes(request)
        too_large = f"the body is larger than {most} bytes"
        if length.isdigit() and int(length) > most:
            await problem_response(request, ProblemError(413, too_large))(request.scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            """Receive, and count what came."""
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:  # As an HTTPException: any other error while a body is read becomes a 400.
                raise HTTPException(413, too_large)
            return message

        await self._app(request.scope, counted, send)

    def _most_bytes(self, request: Request) -> int:
        replays = self._services.replays
        if replays is None or (request.method, request.url.path) != _UPLOAD:
            return MAX_BODY_BYTES
        is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
        return replays.most_upload_bytes + _FORM_BYTES if is_form else MAX_BODY_BYTES
