"""Users with passwords, their sessions, tokens over HTTP, and the audit of it all."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from api.people.roles import Role
from api.people.users import MemoryUsers, Users
from station.errors import BadInputError
from tests.support.live_api import LiveApi, live_api

pytestmark = pytest.mark.anyio
BASE = "/api/v1/stations/jinma"
PASSWORD = "eight hoses and a bank"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    made = live_api()
    made.people.users.add("li.wei", Role.OPERATOR, PASSWORD)
    return made


async def test_a_password_opens_a_session_and_a_wrong_one_does_not(api: LiveApi) -> None:
    async with api.client(None) as client:
        opened = await client.post("/api/v1/session", json={"user": "li.wei", "password": PASSWORD})
        assert (opened.status_code, opened.json()["role"]) == (200, "operator")
        assert (await client.get("/api/v1/session")).json()["name"] == "li.wei"
    async with api.client(None) as other:
        texts = set()
        for user, password in (("li.wei", "eight hoses and a bang"), ("nobody", PASSWORD)):
            answer = await other.post("/api/v1/session", json={"user": user, "password": password})
            assert answer.status_code == 401
            assert password not in answer.text
            texts.add(answer.json()["detail"])
        assert len(texts) == 1, "nobody learns which names there are"
        for body in ({"user": "li.wei"}, {"token": "x", "user": "a", "password": "b"}, {}):
            assert (await other.post("/api/v1/session", json=body)).status_code == 422


async def test_guessing_one_s_password_is_slowed_down_from_every_address(api: LiveApi) -> None:
    body = {"user": "li.wei", "password": "wrong wrong wrong"}
    for number in range(10):
        async with api.client(None, f"10.0.0.{number}") as guesser:
            assert (await guesser.post("/api/v1/session", json=body)).status_code == 401
    async with api.client(None, "10.0.1.1") as guesser:
        blocked = await guesser.post("/api/v1/session", json=body | {"password": PASSWORD})
        assert blocked.status_code == 429
        assert 0 < int(blocked.headers["retry-after"]) <= 60
    api.clock.advance(61)
    # The limit counts on a clock of its own; another name is not held up at all.
    api.people.users.add("zhao", Role.VIEWER, PASSWORD)
    async with api.client(None, "10.0.1.2") as other:
        assert (await other.post("/api/v1/session", json={"user": "zhao", "password": PASSWORD})).status_code == 200


async def test_guesses_that_come_all_at_once_are_no_more_than_those_one_by_one(api: LiveApi) -> None:
    body = {"user": "li.wei", "password": "wrong wrong wrong"}
    async with api.client(None, "10.0.0.66") as guesser:
        answers = await asyncio.gather(*(guesser.post("/api/v1/session", json=body) for _ in range(60)))
    tried = [answer.status_code for answer in answers].count(401)
    assert 10 <= tried <= 11, "two are looked at together; each sees how the ones before it went"
    assert {answer.status_code for answer in answers} == {401, 429}


async def test_a_flood_of_refusals_fills_no_disk(api: LiveApi) -> None:
    async with api.client(None, "10.0.0.67") as stranger, api.client(Role.ADMIN) as admin:
        for _ in range(200):
            assert (await stranger.get(BASE)).status_code == 401
        rows = (await admin.get("/api/v1/audit")).json()["items"]
        assert len(rows) == 60
        api.clock.advance(61)
        await stranger.get(BASE)
        newest = (await admin.get("/api/v1/audit")).json()["items"][0]
    assert newest["detail"] == "and 140 more refusals in the minute before"


async def test_what_breaks_and_what_is_too_large_is_in_the_audit_too(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprise(*_: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr(api.live, "act", surprise)
    token = api.tokens.create("chief", Role.ADMIN)
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        client.headers["Authorization"] = f"Bearer {token}"
        await client.post(f"{BASE}/alarms/PT-330A.HH/ack")
        await client.put(f"{BASE}/plan/2026-11-23", content=b" " * 2_000_000)
        rows = (await client.get("/api/v1/audit")).json()["items"]
    assert [(row["who"], row["status"]) for row in rows] == [("", 413), ("chief", 500)]


async def test_who_lacks_the_csrf_value_is_named_in_the_audit(api: LiveApi) -> None:
    async with api.client(None) as client, api.client(Role.ADMIN) as admin:
        await client.post("/api/v1/session", json={"user": "li.wei", "password": PASSWORD})
        assert (await client.post(f"{BASE}/alarms/PT-330A.HH/ack")).status_code == 403
        newest = (await admin.get("/api/v1/audit")).json()["items"][0]
    assert (newest["who"], newest["role"], newest["status"]) == ("li.wei", "operator", 403)


@pytest.mark.parametrize(
    "change",
    [{"password": "another long password"}, {"disabled": True}, None],
    ids=["password", "disabled", "deleted"],
)
async def test_a_user_s_end_ends_sessions_and_streams(api: LiveApi, change: dict[str, object] | None) -> None:
    async with api.client(None) as client, api.client(Role.ADMIN) as admin:
        await client.post("/api/v1/session", json={"user": "li.wei", "password": PASSWORD})
        cookie = client.cookies["jinma_session"]
        session = api.people.sessions.find(cookie)
        assert session is not None
        assert api.people.is_valid(session, cookie)
        if change is None:
            assert (await admin.delete("/api/v1/users/li.wei")).status_code == 204
        else:
            assert (await admin.patch("/api/v1/users/li.wei", json=change)).status_code == 200
        assert not api.people.is_valid(session, cookie), "the stream asks this within 5 s"
        assert (await client.get(BASE)).status_code == 401


async def test_another_process_s_change_counts_within_seconds() -> None:
    api = live_api()
    table = MemoryUsers()
    here = Users(table, api.clock.now_ms, api.clock.seconds)
    elsewhere = Users(table, api.clock.now_ms, api.clock.seconds)
    here.add("li.wei", Role.OPERATOR, PASSWORD)
    row = here.check("li.wei", PASSWORD)
    assert row is not None
    elsewhere.change("li.wei", Role.VIEWER)
    api.clock.advance(3)
    lowered = here.row_of(row.prefix)
    assert lowered is not None
    assert lowered.role == "viewer"
    elsewhere.set_password("li.wei", "yet another password")
    api.clock.advance(3)
    assert here.row_of(row.prefix) is None


async def test_one_changes_one_s_own_password_with_the_old_one(api: LiveApi) -> None:
    async with api.client(None) as client:
        opened = await client.post("/api/v1/session", json={"user": "li.wei", "password": PASSWORD})
        headers = {"X-CSRF-Token": opened.json()["csrf"]}
        new = "a completely new one"
        wrong = await client.post("/api/v1/session/password", json={"old": "no", "new": new}, headers=headers)
        assert wrong.status_code == 401
        weak = await client.post("/api/v1/session/password", json={"old": PASSWORD, "new": "short"}, headers=headers)
        assert weak.status_code == 422
        done = await client.post("/api/v1/session/password", json={"old": PASSWORD, "new": new}, headers=headers)
        assert done.status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401
        again = await client.post("/api/v1/session", json={"user": "li.wei", "password": new})
        assert again.status_code == 200
    async with api.client(Role.VIEWER) as machine:
        body = {"old": PASSWORD, "new": "a completely new one"}
        assert (await machine.post("/api/v1/session/password", json=body)).status_code == 422


async def test_admins_make_change_and_list_users(api: LiveApi) -> None:
    async with api.client(Role.ADMIN) as admin:
        made = await admin.post("/api/v1/users", json={"name": "chen", "role": "engineer", "password": PASSWORD})
        assert (made.status_code, made.json()["role"]) == (200, "engineer")
        twice = await admin.post("/api/v1/users", json={"name": "chen", "role": "viewer", "password": PASSWORD})
        assert twice.status_code == 422
        for password in ("short", "my Zhao's password", "aaaaaaaaaaaaaaaa", " " * 14):
            refused = await admin.post("/api/v1/users", json={"name": "zhao", "role": "viewer", "password": password})
            assert refused.status_code == 422, password
        assert (await admin.patch("/api/v1/users/nobody", json={"role": "viewer"})).status_code == 404
        listed = await admin.get("/api/v1/users")
    assert [row["name"] for row in listed.json()["items"]] == ["chen", "li.wei"]
    assert "argon2" not in listed.text


async def test_the_last_admin_cannot_be_taken_away(api: LiveApi) -> None:
    api.people.users.add("chief", Role.ADMIN, PASSWORD)
    async with api.client(Role.ADMIN) as admin:
        prefix = next(row.prefix for row in api.tokens.rows() if row.role == "admin")
        assert (await admin.patch("/api/v1/users/chief", json={"role": "viewer"})).status_code == 200
        assert (await admin.delete(f"/api/v1/tokens/{prefix}")).status_code == 409
        assert (await admin.patch("/api/v1/users/chief", json={"role": "admin"})).status_code == 200
        assert (await admin.delete(f"/api/v1/tokens/{prefix}")).status_code == 204
        assert (await admin.get("/api/v1/users")).status_code == 401
    assert not api.people.leaves_an_admin(without_user="chief")


async def test_tokens_are_made_listed_and_revoked_over_http(api: LiveApi) -> None:
    async with api.client(Role.ADMIN) as admin:
        made = (await admin.post("/api/v1/tokens", json={"name": "wall", "role": "viewer", "expires": "90d"})).json()
        assert made["expires"] == "2027-02-21T04:00:00.000Z"
        listed = await admin.get("/api/v1/tokens")
        assert made["token"] not in listed.text
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with api.client(None) as wall:
            assert (await wall.get(BASE, headers=headers)).status_code == 200
            assert (await admin.delete(f"/api/v1/tokens/{made['prefix']}")).status_code == 204
            assert (await wall.get(BASE, headers=headers)).status_code == 401
        assert (await admin.delete(f"/api/v1/tokens/{made['prefix']}")).status_code == 404
        for expires in ("soon", "0s", "-1d"):
            body = {"name": "x", "role": "viewer", "expires": expires}
            assert (await admin.post("/api/v1/tokens", json=body)).status_code == 422


async def test_every_act_and_every_refusal_is_in_the_audit(api: LiveApi) -> None:
    async with api.client(None, "10.0.0.7") as client, api.client(Role.ADMIN) as admin:
        await client.post("/api/v1/session", json={"user": "li.wei", "password": "not this one at all"})
        opened = await client.post("/api/v1/session", json={"user": "li.wei", "password": PASSWORD})
        headers = {"X-CSRF-Token": opened.json()["csrf"]}
        await client.post(f"{BASE}/alarms/PT-330A.HH/ack", headers=headers)
        await client.put(f"{BASE}/signals/PT-330A/limits", json={}, headers=headers)
        await client.get(BASE)
        async with api.client(None, "10.0.0.8") as stranger:
            await stranger.get(BASE)
        rows = (await admin.get("/api/v1/audit")).json()["items"]
        mine = (await admin.get("/api/v1/audit?who=li.wei&limit=2")).json()
        rest = (await admin.get(f"/api/v1/audit?who=li.wei&cursor={mine['next_cursor']}")).json()
        assert (await admin.get("/api/v1/audit?cursor=x")).status_code == 422
    seen = [(row["who"], row["role"], row["address"], row["action"].split("/")[-1], row["status"]) for row in rows][
        ::-1
    ]
    assert seen == [
        ("li.wei", "", "10.0.0.7", "session", 401),
        ("li.wei", "operator", "10.0.0.7", "session", 200),
        ("li.wei", "operator", "10.0.0.7", "ack", 409),
        ("li.wei", "operator", "10.0.0.7", "limits", 403),
        ("", "", "10.0.0.8", "jinma", 401),
    ]
    assert "not this one" not in str(rows)
    assert [*mine["items"], *rest["items"]] == [row for row in rows if row["who"] == "li.wei"]


def test_wrong_names_are_refused() -> None:
    users = Users(MemoryUsers(), lambda: 0)
    for name in ("", " li", "a:b", "x" * 65, "a\nb"):
        with pytest.raises(BadInputError, match="user"):
            users.add(name, Role.VIEWER, PASSWORD)
    with pytest.raises(BadInputError, match="there is none"):
        users.set_password("nobody", PASSWORD)
