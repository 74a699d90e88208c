"""Who is asking: bearer tokens, console sessions, and the role that a route needs.

Unsafe methods under the cookie need the session's CSRF value in a header, since a browser sends the cookie by itself.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import anyio.to_thread
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.people.attempts import AttemptLimit
from api.people.login_codes import LoginCodes
from api.people.roles import Role
from api.people.session_book import Session, SessionBook
from api.people.tokens import Tokens
from api.people.users import USER_MARK, MemoryUsers, Users
from api.problems import ProblemError
from station.ports import TokenRow

if TYPE_CHECKING:
    from api.services import ApiServices

COOKIE: Final = "jinma_session"
SESSION_KEY: Final = "jinma_session_row"
NAME_KEY: Final = "jinma_tried_name"
ACT_KEY: Final = "jinma_act"
"""Where a request's scope carries, for the audit: who asks, as whom somebody tried, and what kind of act it is."""
CSRF_HEADER: Final = "X-CSRF-Token"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HASHES_AT_ONCE: Final = 2
"""One argon2 check takes 64 MiB and a core for some 50 ms: forty at once would starve a small machine."""

_PREFIX: Final = re.compile(r"(jm[0-9a-f]{8})\.")

_bearer = HTTPBearer(auto_error=False, description="A token made by `jinma token create`, or the first start's.")
_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, description="The console's session; unsafe methods also need X-CSRF-Token."
)


@dataclass(frozen=True)
class People:
    """All that decides who comes in."""

    tokens: Tokens
    users: Users
    sessions: SessionBook
    login_codes: LoginCodes
    attempts: AttemptLimit = field(default_factory=AttemptLimit)
    hashing: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_HASHES_AT_ONCE))

    @classmethod
    def of(
        cls, tokens: Tokens, wall_ms: Callable[[], int], sessions: Path | None = None, users: Users | None = None
    ) -> People:
        """Return the people of a service; `sessions` is the file that keeps who has come in."""
        users = users or Users(MemoryUsers(), wall_ms)
        row_of = partial(_row_of, tokens, users)
        return cls(tokens, users, SessionBook(row_of, wall_ms, sessions), LoginCodes(wall_ms))

    def row_of(self, prefix: str) -> TokenRow | None:
        """Return what a session hangs on, a token or a user; None once that is over."""
        return _row_of(self.tokens, self.users, prefix)

    def leaves_an_admin(self, *, without_user: str = "", without_token: str = "") -> bool:
        """Return whether somebody who may do everything is left without a user or a token."""
        if any(name != without_user for name in self.users.admins()):
            return True
        rows = (row for row in self.tokens.rows() if row.prefix != without_token and row.role == Role.ADMIN.label)
        return any(self.tokens.row_of(row.prefix) is not None for row in rows)

    def issue_login_code(self) -> str | None:
        """Return a one-time code for the console of this machine, None where no admin token is valid."""
        for row in self.tokens.rows():
            if row.role == Role.ADMIN.label and self.tokens.row_of(row.prefix) is not None:
                return self.login_codes.issue(row.prefix)
        return None

    def is_valid(self, session: Session, cookie: str | None) -> bool:
        """Return whether somebody who came in may stay, as whom they came: their token or user lives, with that role.

        A session must not have been ended either. Being asked is use: a page that is open does not run out.
        """
        row = self.row_of(session.token_prefix)
        if row is None or row.role != session.role.label:
            return False
        return session.csrf is None or (cookie is not None and self.sessions.find(cookie) is not None)


def _row_of(tokens: Tokens, users: Users, prefix: str) -> TokenRow | None:
    return users.row_of(prefix) if prefix.startswith(USER_MARK) else tokens.row_of(prefix)


def services_of(connection: HTTPConnection) -> ApiServices:
    """Return the services of the app that answers a request, also from within a mounted app."""
    services: ApiServices = connection.scope["jinma_services"]
    return services


def session_from_request(request: HTTPConnection) -> Session | None:
    """Return who sends a request (cookie or bearer token), None where nobody known does.

    For the console's pages: they are read only here; what they change goes through the API and its CSRF rule.
    """
    people = services_of(request).people
    cookie = request.cookies.get(COOKIE)
    if cookie is not None:
        session = people.sessions.find(cookie)
        if session is not None:
            return session
    token = bearer_token(request)
    row = None if token is None else people.tokens.check(token)
    return None if row is None else _session_of(row)


def bearer_token(request: HTTPConnection) -> str | None:
    """Return the token of an `Authorization: Bearer` header, None where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def require(role: Role) -> Callable[..., Awaitable[Session]]:
    """Return a dependency that lets in who has at least `role`, and gives their session."""

    async def let_in(
        request: Request,
        _token: Annotated[Any, Depends(_bearer)] = None,
        _session: Annotated[str | None, Depends(_cookie)] = None,
    ) -> Session:
        """Return the session of whoever asks, if their role is enough."""
        session = await identify(request)
        if session.role < role:
            raise ProblemError(403, f"this needs the role {role.label}; {session.name} is {session.role.label}")
        return session

    return let_in


async def identify(request: Request) -> Session:
    """Return who sends a request.

    Raises:
        ProblemError: 401 nobody known, 403 the CSRF value is missing or wrong, 429 too many wrong credentials.
    """
    token = bearer_token(request)
    if token is not None:
        return await _identify_token(request, token)
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise unauthorized("no token: send Authorization: Bearer TOKEN, or open a session")
    session = await anyio.to_thread.run_sync(services_of(request).people.sessions.find, cookie)
    if session is None:
        raise unauthorized("the session is over: open a new one")
    request.scope[SESSION_KEY] = session
    if request.method not in SAFE_METHODS:
        _check_csrf(request, session)
    return session


async def _identify_token(request: Request, token: str) -> Session:
    request.scope[NAME_KEY] = shown_token(token)
    session = _session_of(await check_token(services_of(request).people, token, address_of(request)))
    request.scope[SESSION_KEY] = session
    return session


async def check_token(people: People, token: str, address: str) -> TokenRow:
    """Return the row of a token that came from an address.

    Raises:
        ProblemError: 401 it is wrong, revoked or expired; 429 the address has been wrong too often.
    """
    is_in_memory = people.tokens.is_fresh(token.partition(".")[0])
    row = people.tokens.check(token) if is_in_memory else None
    wait_s = people.attempts.wait_s(address)
    if row is None and wait_s > 0:  # Tokens in use go on from a blocked address; others are not even looked up.
        text = f"{people.attempts.most} wrong credentials came from this address: wait {wait_s:.0f} s"
        raise ProblemError(429, text, (), {"Retry-After": f"{wait_s:.0f}"})
    if not is_in_memory:
        row = await anyio.to_thread.run_sync(people.tokens.check, token)
    if row is None:
        people.attempts.failed(address)
        raise unauthorized("the token is wrong, revoked or expired")
    return row


async def check_password(people: People, name: str, password: str, address: str) -> TokenRow:
    """Return what a session hangs on of a user who knows their password.

    Raises:
        ProblemError: 401 name or password is wrong, or the user is shut out; 429 the address, or whoever tries this
            name, has been wrong too often.
    """
    keys = (address, f"{USER_MARK}{name}")
    async with people.hashing:  # Many guesses at once wait here, so that each sees how the ones before it went.
        wait_s = max(people.attempts.wait_s(key) for key in keys)
        if wait_s > 0:
            text = f"{people.attempts.most} wrong passwords: wait {wait_s:.0f} s"
            raise ProblemError(429, text, (), {"Retry-After": f"{wait_s:.0f}"})
        row = await anyio.to_thread.run_sync(people.users.check, name, password)
        if row is None:
            for key in keys:
                people.attempts.failed(key)
            raise unauthorized("the name or the password is wrong")
        return row


def shown_token(token: str) -> str:
    """Return what may be told of a token: its prefix, where it has the form of ours."""
    found = _PREFIX.match(token)
    return f"token {found[1]}" if found else "a token"


def unauthorized(detail: str) -> ProblemError:
    """Return the 401 that asks for a bearer token."""
    return ProblemError(401, detail, (), {"WWW-Authenticate": "Bearer"})


def address_of(connection: HTTPConnection) -> str:
    """Return the address of the peer, `unknown` where the server gives none."""
    return connection.client.host if connection.client else "unknown"


def is_local(connection: HTTPConnection) -> bool:
    """Return whether a request comes from this machine, and not through a proxy that stands on it."""
    headers = connection.headers
    return address_of(connection) in LOOPBACK and "x-forwarded-for" not in headers and "forwarded" not in headers


def set_cookie(response: Response, cookie: str, *, secure: bool) -> None:
    """Give a browser its session."""
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")


def _check_csrf(request: Request, session: Session) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), (session.csrf or "").encode()):
        raise ProblemError(403, f"{CSRF_HEADER}: must be the csrf value of GET /api/v1/session")


def _session_of(row: TokenRow) -> Session:
    return Session(row.name, Role.parse(row.role), row.prefix)
