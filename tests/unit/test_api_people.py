"""Who may do what: tokens, sessions, roles, CSRF, the login link, and the routes at the root."""

from __future__ import annotations

import urllib.parse
from typing import Any

import httpx
import jsonschema
import pytest

from api.people.roles import Role
from station.errors import StoreUnavailableError
from tests.support.live_api import LiveApi, live_api

pytestmark = pytest.mark.anyio
BASE = "/api/v1/stations/jinma"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    return live_api()


@pytest.fixture(scope="module")
def quiet() -> LiveApi:
    """One API for tests that leave nothing behind: making one takes 50 ms."""
    return live_api()


def operations(api: LiveApi) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (method, path, operation) of the API description."""
    return [
        (method.upper(), path, operation)
        for path, methods in api.app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_operation_is_described(quiet: LiveApi) -> None:
    ids = set()
    for method, path, operation in operations(quiet):
        assert operation["summary"], path
        assert "x-required-role" in operation, path
        ids.add(operation["operationId"])
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
            elif status == "200" and path.startswith("/api/"):
                assert all("example" in content for content in answer["content"].values()), path
    assert len(ids) == len(operations(quiet))
    assert len(ids) >= 25


async def test_a_wrong_token_is_refused_and_not_echoed(quiet: LiveApi) -> None:
    async with quiet.client(None) as client:
        answer = await client.get(BASE, headers={"Authorization": "Bearer jm123.very-secret"})
        login = await client.post("/api/v1/session", json={"token": ["very-secret"]})
        extra = await client.post("/api/v1/session", json={"password": "very-secret"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert (login.status_code, extra.status_code) == (422, 422)
    assert "very-secret" not in answer.text + login.text + extra.text


async def test_guessing_is_slowed_down_and_tokens_in_use_go_on(api: LiveApi) -> None:
    async with api.client(Role.VIEWER, "10.0.0.9") as known, api.client(None, "10.0.0.9") as guesser:
        assert (await known.get(BASE)).status_code == 200
        for number in range(10):
            answer = await guesser.get(BASE, headers={"Authorization": f"Bearer jm{number}.x"})
            assert answer.status_code == 401
        blocked = await guesser.get(BASE, headers={"Authorization": "Bearer jm0.x"})
        assert blocked.status_code == 429
        assert 0 < int(blocked.headers["retry-after"]) <= 60
        assert (await guesser.post("/api/v1/session", json={"token": "jm1.y"})).status_code == 429
        assert (await known.get(BASE)).status_code == 200
    async with api.client(Role.VIEWER, "10.0.0.10") as other:
        assert (await other.get(BASE)).status_code == 200


async def open_session(api: LiveApi, client: httpx.AsyncClient, role: Role = Role.OPERATOR) -> str:
    answer = await client.post("/api/v1/session", json={"token": api.tokens.create("li.wei", role)})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    csrf: str = answer.json()["csrf"]
    return csrf


async def test_a_session_needs_its_csrf_value_for_unsafe_methods(quiet: LiveApi) -> None:
    async with quiet.client(None) as client:
        csrf = await open_session(quiet, client)
        me = (await client.get("/api/v1/session")).json()
        assert (me["name"], me["role"], me["csrf"]) == ("li.wei", "operator", csrf)
        url = f"{BASE}/alarms/PT-330A.HH/unshelve"
        for headers in ({}, {"X-CSRF-Token": "wrong"}):
            refused = await client.post(url, headers=headers)
            assert refused.status_code == 403
            assert "X-CSRF-Token" in refused.json()["detail"]
        assert (await client.post(url, headers={"X-CSRF-Token": csrf})).status_code == 409
        closed = await client.delete("/api/v1/session", headers={"X-CSRF-Token": csrf})
        assert closed.status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_closed_session_is_over_even_for_a_copy_of_the_cookie(quiet: LiveApi) -> None:
    async with quiet.client(None) as client:
        csrf = await open_session(quiet, client)
        cookie = client.cookies["jinma_session"]
        await client.delete("/api/v1/session", headers={"X-CSRF-Token": csrf})
        client.cookies.set("jinma_session", cookie)
        assert (await client.get(BASE)).status_code == 401


async def test_a_bearer_token_has_no_session_to_close(quiet: LiveApi) -> None:
    async with quiet.client(Role.VIEWER) as client:
        assert (await client.get("/api/v1/session")).json()["csrf"] is None
        assert (await client.delete("/api/v1/session")).status_code == 401


async def test_the_login_link_opens_a_session_once_from_this_machine(api: LiveApi) -> None:
    api.tokens.create("chief", Role.ADMIN)
    code = api.people.issue_login_code()
    async with api.client(None, "10.0.0.9") as far:
        assert (await far.get(f"/console?login={code}")).status_code == 401
    async with api.client(None) as near:
        forwarded = await near.get(f"/console?login={code}", headers={"X-Forwarded-For": "10.0.0.9"})
        assert forwarded.status_code == 401
        opened = await near.get(f"/console?login={code}&lang=zh")
        assert (opened.status_code, opened.headers["location"]) == (303, "/console?lang=zh")
        assert (await near.get("/api/v1/session")).json()["role"] == "admin"
        again = await near.get(f"/console?login={code}")
        assert (again.status_code, again.headers["location"]) == (303, "/console")
    async with api.client(None) as other:
        used = await other.get(f"/console?login={code}")
        assert used.status_code == 401
        assert used.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/stations/lunar", 404),
        ("GET", "/api/v1/stations/jinma~short/log", 404),
        ("GET", "/api/v1/stations/jinma~abcd%0d%0aX/log", 404),
        ("GET", f"{BASE}/alarms/PT-999.HH", 404),
        ("GET", f"{BASE}/plan/someday", 422),
        ("GET", f"{BASE}/plan/2026-11-23", 404),
        ("DELETE", BASE, 405),
        ("GET", f"{BASE}/capacity", 503),
        ("POST", f"{BASE}/alarms/PT-330A.HH/reset", 409),
    ],
)
async def test_every_error_is_a_problem(quiet: LiveApi, method: str, path: str, status: int) -> None:
    async with quiet.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == urllib.parse.unquote(path).replace("\r\n", "")


async def test_a_body_that_is_too_large_or_no_json_is_a_problem(quiet: LiveApi) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 65536

    async with quiet.client() as client:
        url = f"{BASE}/plan/2026-11-23"
        known = await client.put(url, content=b" " * (1024 * 1024 + 1), headers={"Content-Type": "application/json"})
        unknown = await client.put(url, content=endless(), headers={"Content-Type": "application/json"})
        broken = await client.put(url, content=b"{", headers={"Content-Type": "application/json"})
        deep = await client.put(
            url, content=b'{"trucks":' + b"[" * 100_000, headers={"Content-Type": "application/json"}
        )
        plain = await client.put(url, content=b"{}", headers={"Content-Type": "text/plain"})
        nothing = await client.put(url)
    statuses = [answer.status_code for answer in (known, unknown, broken, deep, plain, nothing)]
    assert statuses == [413, 413, 422, 422, 422, 422]
    for answer in (known, unknown, broken, deep, plain, nothing):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_store_that_is_away_is_a_503_that_says_so(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailableError("the reading store http://127.0.0.1:1 does not answer")

    monkeypatch.setattr(api.store, "windows", away)
    monkeypatch.setattr(api.store, "messages", away)
    async with api.client() as client:
        for url in (f"{BASE}/readings?signal=PT-330A", f"{BASE}/log"):
            answer = await client.get(url)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "does not answer" in answer.json()["detail"]


async def test_a_surprise_tells_nothing_of_the_inside(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise KeyError("secret inside")

    monkeypatch.setattr(api.store, "windows", surprise)
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    token = api.tokens.create("x", Role.VIEWER)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        answer = await client.get(f"{BASE}/readings?signal=PT-330A")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret inside" not in answer.text


async def test_health_is_open_and_metrics_are_open_here_only(api: LiveApi) -> None:
    api.say(("storage", "bank-HB"), {"PT-330A": 44.0})
    async with (
        api.client(None) as here,
        api.client(None, "10.0.0.9") as far,
        api.client(Role.VIEWER, "10.0.0.9") as known,
    ):
        assert (await far.get("/healthz")).json() == {"status": "ok"}
        assert (await far.get("/metrics")).status_code == 401
        assert (await far.get("/readyz")).status_code == 401
        assert (await known.get("/metrics")).status_code == 200
        assert (await here.get("/readyz")).json()["status"] == "ready"
        text = (await here.get("/metrics")).text
    assert 'jinma_messages_received_total{station="jinma"} 1.0' in text
    assert 'jinma_alarms_active{priority="critical",station="jinma"} 0.0' in text
    assert 'jinma_stream_clients{station="jinma"} 0.0' in text


async def test_what_is_not_ready_is_named(api: LiveApi) -> None:
    checks: Any = api.services.checks
    checks["broker"] = lambda: "mqtt://127.0.0.1:1883 is not connected"
    checks["store"] = lambda: None
    async with api.client(None) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["errors"] == [
        {"field": "broker", "value": "", "rule": "broker: mqtt://127.0.0.1:1883 is not connected"}
    ]


async def test_examples_are_as_they_are_described(quiet: LiveApi) -> None:
    description = quiet.app.openapi()
    checked = 0
    for _, path, operation in operations(quiet):
        for status, answer in operation["responses"].items():
            for media, content in answer.get("content", {}).items():
                if media.endswith("json") and "example" in content and "schema" in content:
                    schema = {**content["schema"], "components": description["components"]}
                    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(content["example"]))
                    assert not errors, (path, status, errors[0])
                    checked += 1
    assert checked > 60
