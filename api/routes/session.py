"""The console's session: opened with a token or a password, kept in a cookie, closed again."""

from __future__ import annotations

from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api import openapi_examples as examples
from api.people.roles import Role
from api.people.session_book import Session
from api.people.sessions import (
    ACT_KEY,
    COOKIE,
    NAME_KEY,
    SESSION_KEY,
    address_of,
    check_password,
    check_token,
    set_cookie,
    shown_token,
    unauthorized,
)
from api.people.users import USER_MARK
from api.problems import broken, responses
from api.routes.bodies import json_answer
from api.routes.guard import Viewer, answer_example, needs
from api.services import ApiServices
from station.ports import TokenRow
from station.wire.plan_v1 import rfc3339

_OPENED: Final = (
    "Sets the cookie `jinma_session` (HttpOnly, SameSite=Strict). Needs no role: token or password is the proof."
)


class Login(BaseModel):
    """What opens a session: a token, or a user and their password."""

    model_config = ConfigDict(extra="forbid")

    token: str | None = Field(None, min_length=1, max_length=512, examples=["jm1a2b3c4d.SECRET"])
    user: str | None = Field(None, min_length=1, max_length=64, examples=["li.wei"])
    password: str | None = Field(None, min_length=1, max_length=256)

    @model_validator(mode="after")
    def _one_of_both(self) -> Login:
        """Refuse what is neither, or both."""
        by_user = self.user is not None and self.password is not None
        if (self.token is not None) is by_user or (self.user is None) is not (self.password is None):
            raise ValueError("must hold token, or user and password")
        return self


class PasswordChange(BaseModel):
    """One's own password, old and new."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(min_length=1, max_length=256)
    new: str = Field(min_length=1, max_length=256)


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
        """Exchange a token, or a user's password, for a cookie."""
        row = await _proven(services, request, body)
        cookie, session = services.people.sessions.open(row)
        request.scope[SESSION_KEY] = session
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

    @router.post("/session/password", summary="Change one's own password", status_code=204, **needs(Role.VIEWER, 413))
    async def change_password(request: Request, session: Viewer, body: PasswordChange) -> Response:
        """Every session of the user ends, this one too."""
        people = services.people
        if not session.token_prefix.startswith(USER_MARK):
            raise broken("body.old", "", "who came in by a token has no password")
        await check_password(people, session.name, body.old, address_of(request))
        await anyio.to_thread.run_sync(people.users.set_password, session.name, body.new)
        people.sessions.end_of(f"{USER_MARK}{session.name}:")
        return Response(status_code=204)

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


async def _proven(services: ApiServices, request: Request, body: Login) -> TokenRow:
    """Return what the session hangs on; the name that was tried goes to the audit, and of a token its prefix."""
    request.scope[ACT_KEY] = "login"
    if body.user is None or body.password is None:
        request.scope[NAME_KEY] = shown_token(body.token or "")
        return await check_token(services.people, body.token or "", address_of(request))
    request.scope[NAME_KEY] = body.user
    return await check_password(services.people, body.user, body.password, address_of(request))


def _body(session: Session) -> dict[str, str | None]:
    return {
        "name": session.name,
        "role": session.role.label,
        "csrf": session.csrf,
        "expires_at": None if session.expires_ms is None else rfc3339(session.expires_ms),
    }
