"""The console's session: opened with a token, kept in a cookie, closed again."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.people.session_book import Session
from api.people.sessions import COOKIE, address_of, check_token, set_cookie, unauthorized
from api.problems import responses
from api.routes.bodies import json_answer
from api.routes.guard import Viewer, answer_example, needs
from api.services import ApiServices
from station.wire.plan_v1 import rfc3339

_OPENED: Final = "Sets the cookie `jinma_session` (HttpOnly, SameSite=Strict). Needs no role: the token is the proof."


class Login(BaseModel):
    """What opens a session."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=512, examples=["jm1a2b3c4d.SECRET"])


class SessionBody(BaseModel):
    """Who is asking."""

    name: str
    role: str
    csrf: str | None = Field(description="Send it as X-CSRF-Token with unsafe methods; null for a bearer token")
    expires_at: str | None


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of the session."""
    router = APIRouter(tags=["session"])

    @router.post(
        "/session",
        summary="Open a session",
        description=_OPENED,
        response_model=SessionBody,
        responses=responses(401, 413, 422, 429, 503),
        openapi_extra={"x-required-role": "none", **answer_example(examples.SESSION)},
    )
    async def open_session(request: Request, body: Login) -> Response:
        """Exchange a token for a cookie."""
        row = await check_token(services.people, body.token, address_of(request))
        cookie, session = services.people.sessions.open(row)
        answer = json_answer(_body(session))
        set_cookie(answer, cookie, secure=request.url.scheme == "https")
        return answer

    @router.get(
        "/session",
        summary="Who am I",
        response_model=SessionBody,
        **needs(Role.VIEWER, example=examples.SESSION),
    )
    async def get_session(session: Viewer) -> Response:
        """Name and role of whoever asks, and the CSRF value of their session."""
        return json_answer(_body(session))

    @router.delete("/session", summary="Close the session", status_code=204, **needs(Role.VIEWER))
    async def close_session(request: Request, session: Viewer) -> Response:
        """The cookie is worth nothing afterwards."""
        cookie = request.cookies.get(COOKIE)
        if session.csrf is None or cookie is None:
            raise unauthorized("there is no session to close: a bearer token has none")
        services.people.sessions.end(cookie)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    return router


def _body(session: Session) -> dict[str, str | None]:
    return {
        "name": session.name,
        "role": session.role.label,
        "csrf": session.csrf,
        "expires_at": None if session.expires_ms is None else rfc3339(session.expires_ms),
    }
