"""Replays over the API: begun, steered, watched, compared and ended; nothing of the living is touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from api.people.roles import Role
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of
from station.wire.plan_v1 import parse_time, rfc3339
from tests.support.live_api import NOON, LiveApi, live_api

pytestmark = pytest.mark.anyio
BANK = ("storage", "bank-HB")
START, END = NOON - 3_600_000, NOON - 1_800_000
RANGE = {"station": "jinma", "start": START, "end": END, "speed": "max"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def messages() -> list[UnitMessage]:
    """Return half an hour of the high bank, ten minutes of it above its limit of 46 MPa."""
    return [
        UnitMessage("jinma", *BANK, START + s * 1000, {"PT-330A": 46.9 if 600 <= s < 1200 else 44.0 + s % 7 / 10})
        for s in range(1800)
    ]


@pytest.fixture
async def api() -> AsyncIterator[LiveApi]:
    made = live_api()
    made.store.write(messages())
    yield made
    assert made.services.replays is not None
    made.services.replays.close()


async def get_until(client: httpx.AsyncClient, path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask until the answer is as wanted."""
    body: dict[str, Any] = {}
    for _ in range(1500):
        body = (await client.get(path)).json()
        if wanted(body):
            return body
        await asyncio.sleep(0.02)
    raise AssertionError(f"not in time: {body}")


async def test_a_range_is_played_out_compared_and_leaves_the_living_alone(api: LiveApi) -> None:
    before = len(api.journal.entries("jinma", 0, 1 << 60))
    async with api.client(Role.OPERATOR) as client:
        begun = (await client.post("/api/v1/replays", json=RANGE)).json()
        assert {"id", "station", "state", "at", "speed"} <= begun.keys()
        assert (begun["station"], begun["speed"], begun["start"]) == ("jinma", "max", rfc3339(START))
        path = f"/api/v1/replays/{begun['id']}"
        ended = await get_until(client, path, lambda body: body["state"] == "ended")
        assert ended["played"] == [{"from": rfc3339(START), "to": rfc3339(END)}]
        assert ended["at"] == rfc3339(END)
        told = (await client.get(f"{path}/comparison")).json()
        highs = [(item["verdict"], item["now"]["raised_at"]) for item in told["items"] if item["id"] == "PT-330A.H"]
        assert highs == [("only_now", rfc3339(START + 615_000))]
        assert told["counts"]["only_now"] == len(told["items"])
    assert len(api.journal.entries("jinma", 0, 1 << 60)) == before
    assert api.live.alarms.changes_since(0) == (0, [])


async def test_it_is_moved_paused_stepped_and_given_another_speed(api: LiveApi) -> None:
    async with api.client(Role.OPERATOR) as client:
        body = RANGE | {"state": "paused", "forecasts": False}
        path = f"/api/v1/replays/{(await client.post('/api/v1/replays', json=body)).json()['id']}"
        await get_until(client, path, lambda body: body["loaded"] == 1.0)
        moved = (await client.patch(path, json={"at": rfc3339(START + 700_000), "speed": 0.1})).json()
        assert (moved["state"], moved["at"], moved["speed"]) == ("paused", rfc3339(START + 700_000), 0.1)
        standing = (await client.get(f"{path}/alarms")).json()["items"]
        high = next(alarm for alarm in standing if alarm["id"] == "PT-330A.H")
        assert high["active"]
        assert high["station"].startswith("jinma~")
        stepped = (await client.patch(path, json={"at": START + 701_000})).json()
        assert stepped["played"] == [{"from": rfc3339(START + 700_000), "to": rfc3339(START + 701_000)}]
        assert (await client.patch(path, json={"state": "playing", "speed": "max"})).json()["state"] == "playing"
        await get_until(client, path, lambda body: body["state"] == "ended")
        again = (await client.patch(path, json={"state": "playing", "speed": 1})).json()
        assert parse_time(again["at"]) < START + 60_000
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404


async def test_its_stream_carries_what_a_live_one_does(api: LiveApi) -> None:
    assert api.services.replays is not None
    async with api.client(Role.OPERATOR) as client:
        begun = (await client.post("/api/v1/replays", json=RANGE | {"state": "paused"})).json()
        path = f"/api/v1/replays/{begun['id']}"
        await get_until(client, path, lambda body: body["loaded"] == 1.0)
        replay = api.services.replays.get(begun["id"])
        assert replay is not None
        seen: dict[str, list[dict[str, Any]]] = {}

        async def listen() -> None:
            async for block in replay.listen(None, conflate=False, may_stay=lambda: True):
                for frame in block.decode().split("\n\n"):
                    lines = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line[1:])
                    if "event" in lines:
                        seen.setdefault(lines["event"], []).append(json.loads(lines["data"]))

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0)
        await client.patch(path, json={"state": "playing"})
        await get_until(client, path, lambda body: body["state"] == "ended")
        await asyncio.sleep(0.2)
        listening.cancel()
    assert len(seen["readings"]) == 1800
    assert seen["readings"][0] == {"area": "storage", "unit": "bank-HB", "t": START, "v": {"PT-330A": 44.0}}
    assert any(alarm["id"] == "PT-330A.H" and alarm["active"] for alarm in seen["alarm"])
    assert seen["capacity"]
    assert seen["replay"][-1]["state"] == "ended"


async def test_an_uploaded_log_is_replayed_and_can_be_named_again(api: LiveApi) -> None:
    lines = [
        b'{"log":{"version":"1"}}',
        b"not a line",
        b'{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":1,"v":{"X":1}}}',
    ]
    lines += [b'{"topic":"%b","payload":%b}' % (topic_of(m).encode(), encode(m)) for m in messages()[:900]]
    async with api.client(Role.OPERATOR) as client:
        form = {"station": "jinma", "speed": "max"}
        answer = await client.post("/api/v1/replays", data=form, files={"file": ("day one.ndjson", b"\n".join(lines))})
        assert answer.status_code == 200, answer.text
        path = f"/api/v1/replays/{answer.json()['id']}"
        ended = await get_until(client, path, lambda body: body["state"] == "ended")
        assert ended["problem"] is None
        assert (ended["start"], ended["refused"]) == (rfc3339(START), 2)
        assert ended["first_refused"].startswith("line 2")
        assert ended["file"].endswith("-day-one.ndjson")
        again = await client.post("/api/v1/replays", json={"station": "jinma", "file": ended["file"], "speed": "max"})
        await get_until(client, f"/api/v1/replays/{again.json()['id']}", lambda body: body["state"] == "ended")


async def test_a_log_without_a_reading_of_the_station_says_what_it_holds(api: LiveApi) -> None:
    line = b'{"topic":"h2/v1/lunar/storage/bank-HB","payload":{"t":1,"v":{"PT-330A":1}}}\n'
    async with api.client(Role.OPERATOR) as client:
        answer = await client.post("/api/v1/replays", data={"station": "jinma"}, files={"file": ("a.ndjson", line)})
        path = f"/api/v1/replays/{answer.json()['id']}"
        ended = await get_until(client, path, lambda body: body["problem"] is not None)
        assert ended["problem"] == "the log holds no reading of station jinma; it holds lunar"
        refused = await client.patch(path, json={"state": "playing"})
        assert refused.status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"station": "lunar", "start": START, "end": END}, "body.station"),
        ({"station": "jinma", "start": START}, "body.end"),
        ({"station": "jinma", "start": END, "end": START}, "body.start"),
        ({"station": "jinma", "start": "soon", "end": END}, "body.start"),
        (RANGE | {"speed": 0.05}, "body.speed"),
        (RANGE | {"speed": 3601}, "body.speed"),
        (RANGE | {"loop": 2}, "body.loop"),
        ([], "body"),
    ],
)
async def test_what_is_wrong_with_a_wish_is_named(api: LiveApi, body: Any, field: str) -> None:
    async with api.client(Role.OPERATOR) as client:
        answer = await client.post("/api/v1/replays", json=body)
    assert answer.status_code == 422
    assert any(row["field"].startswith(field) for row in answer.json()["errors"])


async def test_there_are_no_more_than_may_be_and_an_idle_one_goes(api: LiveApi) -> None:
    desk = api.services.replays
    assert desk is not None
    async with api.client(Role.OPERATOR) as client:
        wish = RANGE | {"state": "paused", "forecasts": False}
        first = (await client.post("/api/v1/replays", json=wish)).json()
        await client.post("/api/v1/replays", json=wish)
        third = await client.post("/api/v1/replays", json=wish)
        assert third.status_code == 409
        assert "setting replays" in third.json()["detail"]
        listed = (await client.get("/api/v1/replays")).json()["items"]
        assert listed[0]["id"] == first["id"]
        assert (await client.patch(f"/api/v1/replays/{first['id']}", json={"at": END + 1})).status_code == 422
        for replay in desk.all():
            replay.touched_s -= 3600.0
        desk.sweep()
        assert desk.all() == []


async def test_a_log_that_is_not_there_or_too_large_is_refused(api: LiveApi) -> None:
    async with api.client(Role.OPERATOR) as client:
        missing = await client.post("/api/v1/replays", json={"station": "jinma", "file": "../../secret"})
        assert missing.status_code == 422
        assert "no such log" in missing.json()["detail"]
        large = {"file": ("a.ndjson", b"x" * 1_200_000)}
        assert (await client.post("/api/v1/replays", data={"station": "jinma"}, files=large)).status_code == 413
