"""Users and tokens, and who did what: for admins."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.people.roles import Role
from api.people.users import USER_MARK
from api.problems import ProblemError, broken, not_found
from api.routes.bodies import Page, json_answer
from api.routes.guard import Admin, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, TimeText, time_range
from api.services import ApiServices
from station.ports import AuditRow, TokenRow, UserRow
from station.settings import parse_duration
from station.wire.plan_v1 import rfc3339

RoleName = Literal["viewer", "operator", "engineer", "admin"]
UserName = Annotated[str, Path(description="Name of the user", max_length=64, examples=["li.wei"])]
Prefix = Annotated[str, Path(description="The part of a token before its dot", max_length=80, examples=["jm1a2b3c4d"])]
_USUAL: Final = dt.timedelta(days=7)


class UserBody(BaseModel):
    """A user; never the password."""

    name: str
    role: RoleName
    disabled: bool
    created: str
    last_login: str | None


class UserList(Page):
    """Users, by name."""

    items: list[UserBody]


class NewUser(BaseModel):
    """A user to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    role: RoleName
    password: str = Field(min_length=1, max_length=256)


class UserChange(BaseModel):
    """What is to be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName | None = None
    disabled: bool | None = None
    password: str | None = Field(None, min_length=1, max_length=256)


class TokenBody(BaseModel):
    """A token; never the secret."""

    prefix: str
    name: str
    role: RoleName
    created: str
    expires: str | None
    last_used: str | None


class TokenList(Page):
    """Tokens, oldest first."""

    items: list[TokenBody]


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    role: RoleName
    expires: str | None = Field(None, max_length=40, description="Dies after this long, e.g. 90d; default never")


class MadeToken(TokenBody):
    """A new token with its secret, this once."""

    token: str


class AuditBody(BaseModel):
    """One act, or one that was refused."""

    at: str
    who: str
    role: str
    address: str
    action: str
    status: int
    detail: str


class AuditList(Page):
    """Acts, newest first."""

    items: list[AuditBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of people."""
    router = APIRouter(tags=["people"])
    _add_users(router, services)
    _add_tokens(router, services)

    @router.get(
        "/audit",
        summary="Who did what, and who was not let do it",
        response_model=AuditList,
        **needs(Role.ADMIN, example=examples.AUDIT),
    )
    def get_audit(
        _: Admin,
        start: TimeText = None,
        end: TimeText = None,
        who: Annotated[str | None, Query(max_length=80, description="Only this user or token")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Every unsafe request and every refused one of the last week, or of a range of wall time."""
        start_ms, end_ms = time_range(start, end, services.wall_ms(), _USUAL)
        if cursor is not None and not cursor.isdigit():
            raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
        if services.audit is None:
            raise ProblemError(503, "no audit is kept here")
        rows = services.audit.range(start_ms, end_ms, who, limit, None if cursor is None else int(cursor))
        following = str(rows[-1][0]) if len(rows) == limit else None
        return json_answer({"items": [_audit(row) for _, row in rows], "next_cursor": following})

    return router


def _add_users(router: APIRouter, services: ApiServices) -> None:
    options = needs(Role.ADMIN, 404, 409, 413, example=examples.USER)

    @router.get(
        "/users", summary="List the users", response_model=UserList, **needs(Role.ADMIN, example=examples.USERS)
    )
    def list_users(_: Admin) -> Response:
        """Names and roles, never passwords."""
        return json_answer({"items": [_user(row) for row in services.people.users.rows()], "next_cursor": None})

    @router.post("/users", summary="Make a user", response_model=UserBody, **options)
    async def add_user(_: Admin, body: NewUser) -> Response:
        """A password has at least 12 characters."""
        users = services.people.users
        await anyio.to_thread.run_sync(users.add, body.name, Role.parse(body.role), body.password)
        return json_answer(_user(_row(services, body.name)))

    @router.patch("/users/{name}", summary="Change a user", response_model=UserBody, **options)
    async def change_user(_: Admin, name: UserName, body: UserChange) -> Response:
        """Another role counts within seconds; a new password, and shutting out, end the user's sessions."""
        row = _row(services, name)
        weaker = body.disabled is True or (body.role is not None and body.role != Role.ADMIN.label)
        if weaker and row.role == Role.ADMIN.label and not services.people.leaves_an_admin(without_user=name):
            raise _last_admin()
        users = services.people.users
        if body.password is not None:
            await anyio.to_thread.run_sync(users.set_password, name, body.password)
        users.change(name, None if body.role is None else Role.parse(body.role), disabled=body.disabled)
        if body.password is not None or body.disabled:
            services.people.sessions.end_of(f"{USER_MARK}{name}:")
        return json_answer(_user(_row(services, name)))

    @router.delete("/users/{name}", summary="Delete a user", status_code=204, **needs(Role.ADMIN, 404, 409))
    def remove_user(_: Admin, name: UserName) -> Response:
        """Sessions end at once, streams within 5 s."""
        row = _row(services, name)
        if row.role == Role.ADMIN.label and not services.people.leaves_an_admin(without_user=name):
            raise _last_admin()
        services.people.users.remove(name)
        services.people.sessions.end_of(f"{USER_MARK}{name}:")
        return Response(status_code=204)


def _add_tokens(router: APIRouter, services: ApiServices) -> None:
    @router.get(
        "/tokens", summary="List the tokens", response_model=TokenList, **needs(Role.ADMIN, example=examples.TOKENS)
    )
    def list_tokens(_: Admin) -> Response:
        """Prefix, role, expiry and last use; never a secret."""
        return json_answer({"items": [_token(row) for row in services.people.tokens.rows()], "next_cursor": None})

    @router.post(
        "/tokens",
        summary="Make a token",
        response_model=MadeToken,
        **needs(Role.ADMIN, 413, example=examples.MADE_TOKEN),
    )
    def add_token(_: Admin, body: NewToken) -> Response:
        """The secret is shown this once."""
        expires_ms = None if body.expires is None else services.wall_ms() + _duration_ms(body.expires)
        token = services.people.tokens.create(body.name, Role.parse(body.role), expires_ms)
        row = services.people.tokens.row_of(token.partition(".")[0])
        if row is None:
            raise broken("body.expires", body.expires, "must be longer than nothing")
        return json_answer({**_token(row), "token": token})

    @router.delete("/tokens/{prefix}", summary="Revoke a token", status_code=204, **needs(Role.ADMIN, 404, 409))
    def revoke_token(_: Admin, prefix: Prefix) -> Response:
        """It opens nothing any more; its streams close within 5 s."""
        row = services.people.tokens.row_of(prefix)
        is_admin = row is not None and row.role == Role.ADMIN.label
        if is_admin and not services.people.leaves_an_admin(without_token=prefix):
            raise _last_admin()
        if not services.people.tokens.revoke(prefix):
            raise not_found("token", "path.prefix", prefix)
        return Response(status_code=204)


def _duration_ms(text: str) -> int:
    try:
        duration = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise broken("body.expires", text, "must be a duration such as 90d") from error
    if not isinstance(duration, dt.timedelta) or duration <= dt.timedelta():
        raise broken("body.expires", text, "must be longer than nothing")
    return round(duration.total_seconds() * 1000)


def _row(services: ApiServices, name: str) -> UserRow:
    row = next((row for row in services.people.users.rows() if row.name == name), None)
    if row is None:
        raise not_found("user", "path.name", name)
    return row


def _last_admin() -> ProblemError:
    return ProblemError(409, "nobody would be left who may do everything: make another admin first")


def _moment(t_ms: int | None) -> str | None:
    return None if t_ms is None else rfc3339(t_ms)


def _user(row: UserRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "disabled": row.disabled,
        "created": rfc3339(row.created_ms),
        "last_login": _moment(row.last_login_ms),
    }


def _token(row: TokenRow) -> dict[str, Any]:
    return {
        "prefix": row.prefix,
        "name": row.name,
        "role": row.role,
        "created": rfc3339(row.created_ms),
        "expires": _moment(row.expires_ms),
        "last_used": _moment(row.last_used_ms),
    }


def _audit(row: AuditRow) -> dict[str, Any]:
    return {
        "at": rfc3339(row.at_ms),
        "who": row.who,
        "role": row.role,
        "address": row.address,
        "action": row.action,
        "status": row.status,
        "detail": row.detail,
    }
