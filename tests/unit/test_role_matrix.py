"""Every route, socket and page against each role and against nobody, enumerated from the app that is served."""

from __future__ import annotations

from functools import cache

import nicegui
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.people.roles import Role
from dashboards.console.app import mount_console
from tests.support.doors import Door, doors, first_answer
from tests.support.live_api import LiveApi, live_api

pytestmark = pytest.mark.anyio

OPEN = {
    ("GET", "/"),  # the way to the console
    ("GET", "/healthz"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/session"),  # the credentials are in the body
    ("GET", "/console/static/login.js"),
    ("GET", "/console/static/console.css"),
}
"""Open to anybody. Each way in that is added here has to be argued for."""
LIBRARY = "/console/_nicegui/"
"""Scripts and styles of the page library: the same for everybody."""
OPEN_HERE = {("GET", "/readyz"), ("GET", "/metrics")}
"""Open on this machine, for a viewer elsewhere."""
MOUNTED = {
    "/console/static": [("GET", "/login.js"), ("GET", "/console.css")],
    "/console/_nicegui_ws": [
        ("SOCKET", "/socket.io/?EIO=4&transport=websocket"),
        ("GET", "/socket.io/?EIO=4&transport=polling"),
    ],
    f"{LIBRARY}{nicegui.__version__}/static": [("GET", "/nicegui.js")],
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@cache
def whole() -> tuple[LiveApi, FastAPI, list[Door]]:
    """Return an API, the app with its console, and every way into it."""
    api = live_api()
    app = create_app(api.services)
    mount_console(app, api.services)
    return api, app, [door for door in doors(app, MOUNTED) if not door.path.startswith(LIBRARY)]


def headers_of(api: LiveApi, role: Role | None) -> dict[str, str]:
    return {} if role is None else {"Authorization": f"Bearer {api.tokens.create('test', role)}"}


def least_role(door: Door) -> Role | None:
    """Return the least role that may come in, None for anybody."""
    if (door.method, door.path) in OPEN:
        return None
    if door.path.startswith("/console"):
        return Role.VIEWER
    assert door.role is not None, f"{door.method} {door.path} names no role"
    return Role.parse(door.role)


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: "nobody" if role is None else role.label)
async def test_every_way_in_is_open_to_exactly_the_roles_it_names(role: Role | None) -> None:
    api, app, ways = whole()
    for door in ways:
        headers = headers_of(api, role)
        status, body = await first_answer(app, door, headers)
        needed = least_role(door)
        place = f"{door.method} {door.path}: {status} {body[:200]!r}"
        if needed is None or (role is not None and role >= needed):
            assert status not in {403, 405, 500}, place
            if (door.method, door.path) != ("POST", "/api/v1/session"):
                assert status != 401 or door.path == "/api/v1/session", place  # a bearer has no session to close
            assert b'id="login"' not in body, place
        elif door.method == "SOCKET":
            assert status == 403, place
        elif is_page(door):
            assert status == 200, place
            assert b'id="login"' in body, place
            assert b"jinma_" not in body, place
            assert b"PT-330A" not in body, place
        else:
            assert status == (401 if role is None else 403), place
            assert b'"detail"' in body, place


def is_page(door: Door) -> bool:
    return door.path.startswith("/console") and door.method == "GET" and "_nicegui_ws" not in door.path


async def test_the_matrix_has_every_kind_of_way_in() -> None:
    _, _, ways = whole()
    assert len(ways) >= 50
    assert sum(door.method == "SOCKET" for door in ways) == 1
    assert sum(is_page(door) for door in ways) >= 4
    assert {("GET", "/api/v1/stations/{station}/stream"), *OPEN, *OPEN_HERE} <= {(d.method, d.path) for d in ways}


async def test_roles_are_no_less_than_what_is_done_with_them() -> None:
    for door in whole()[2]:
        if door.path.startswith(("/api/v1/users", "/api/v1/tokens", "/api/v1/audit")):
            assert door.role == "admin", door
        elif door.path.endswith("/limits"):
            assert door.role == "engineer", door
        elif door.method in {"PUT", "PATCH", "DELETE", "POST"} and "/session" not in door.path:
            assert door.role in {"operator", "engineer", "admin"} or door.path.endswith("/what-if"), door


async def test_metrics_and_readiness_are_open_on_this_machine_only() -> None:
    _, app, ways = whole()
    for door in ways:
        if (door.method, door.path) in OPEN_HERE:
            assert (await first_answer(app, door, {}, "127.0.0.1"))[0] == 200
            assert (await first_answer(app, door, {"X-Forwarded-For": "10.0.0.9"}, "127.0.0.1"))[0] == 401


async def test_a_revoked_token_and_an_ended_session_are_nobody() -> None:
    api, app, ways = whole()
    token = api.tokens.create("gone", Role.ADMIN)
    row = api.tokens.check(token)
    assert row is not None
    cookie, _ = api.people.sessions.open(row)
    api.tokens.revoke(row.prefix)
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"jinma_session={cookie}"}):
        for door in ways:
            if door.path.endswith("/stream") or door.method == "SOCKET":
                assert (await first_answer(app, door, headers))[0] in {401, 403}, door
