"""Alarms, the plan and the forecast over HTTP, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from api.people.roles import Role
from station.domain.plant import Text
from tests.support.capacity_snapshots import snapshot
from tests.support.live_api import NOON, Condition, LiveApi, ScriptedCapacity, forecast_at, live_api

pytestmark = pytest.mark.anyio
BANK = ("storage", "bank-HB")
BASE = "/api/v1/stations/jinma"
GAS = "AT-701.HH"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    return live_api()


def raise_high_pressure(api: LiveApi) -> None:
    for _ in range(20):
        api.clock.advance(1)
        api.say(BANK, {"PT-330A": 46.5})


async def test_alarms_are_listed_and_filtered(api: LiveApi) -> None:
    raise_high_pressure(api)
    async with api.client(Role.VIEWER) as client:
        items = (await client.get(f"{BASE}/alarms")).json()["items"]
        by_area = (await client.get(f"{BASE}/alarms?area=cooling")).json()["items"]
        by_state = (await client.get(f"{BASE}/alarms?state=ACKED&state=SHELVED")).json()["items"]
        by_both = (await client.get(f"{BASE}/alarms?state=UNACK&priority=medium&area=storage")).json()["items"]
        wrong = await client.get(f"{BASE}/alarms?state=LOUD")
        one = (await client.get(f"{BASE}/alarms/PT-330A.H")).json()
        normal = (await client.get(f"{BASE}/alarms/PT-330A.LL")).json()
    assert "PT-330A.H" in [item["id"] for item in items]
    assert [item["id"] for item in by_both] == ["PT-330A.H"]
    assert {item["group"].partition("/")[0] for item in by_area} == {"cooling"}
    assert (by_state, wrong.status_code) == ([], 422)
    assert one in items
    assert one["limit"] == 46.0
    assert one["text"]["zh"]
    assert normal["state"] == "NORM"


async def test_an_acknowledgement_carries_name_and_comment_into_the_journal(api: LiveApi) -> None:
    raise_high_pressure(api)
    async with api.client(Role.OPERATOR) as client:
        acked = await client.post(f"{BASE}/alarms/PT-330A.H/ack", json={"comment": "trains stopped"})
        rows = (await client.get(f"{BASE}/alarms/journal")).json()["items"]
        first = (await client.get(f"{BASE}/alarms/journal?limit=1")).json()
        rest = (await client.get(f"{BASE}/alarms/journal?cursor={first['next_cursor']}")).json()
    assert acked.json()["state"] == "ACKED"
    assert acked.json()["acked_by"] == "test operator"
    (act,) = [row for row in rows if row["event"] == "acked"]
    assert (act["id"], act["who"], act["note"]) == ("PT-330A.H", "test operator", "trains stopped")
    assert first["items"] + rest["items"] == rows


async def test_the_journal_of_one_alarm_begins_with_its_newest_row_where_asked(api: LiveApi) -> None:
    raise_high_pressure(api)
    url = f"{BASE}/alarms/journal?alarm=PT-330A.H&order=newest"
    async with api.client(Role.OPERATOR) as client:
        await client.post(f"{BASE}/alarms/PT-330A.H/ack")
        page = (await client.get(f"{url}&limit=1")).json()
        rest = (await client.get(f"{url}&cursor={page['next_cursor']}")).json()
    assert [row["event"] for row in page["items"] + rest["items"]] == ["acked", "raised"]
    assert rest["next_cursor"] is None


async def test_shelving_hides_for_a_while(api: LiveApi) -> None:
    raise_high_pressure(api)
    url = f"{BASE}/alarms/PT-330A.H"
    async with api.client(Role.OPERATOR) as client:
        shelved = await client.post(f"{url}/shelve", json={"for": "30m", "reason": "sensor on test"})
        assert shelved.json()["state"] == "SHELVED"
        assert 'jinma_alarms_active{priority="medium",station="jinma"} 0.0' in (await client.get("/metrics")).text
        assert shelved.json()["shelved_until"] == "2026-11-23T04:30:20.000Z"
        assert (await client.post(f"{url}/unshelve")).json()["state"] == "UNACK"
        for body in ({"for": "soon", "reason": "x"}, {"for": "0s", "reason": "x"}, {"for": "1h"}, {"reason": "x"}):
            assert (await client.post(f"{url}/shelve", json=body)).status_code == 422
        assert (await client.post(f"{url}/shelve", json={"for": "9h", "reason": "x"})).status_code == 409


async def test_a_safety_alarm_goes_out_of_service_by_two_people_only(api: LiveApi) -> None:
    safety = next(f"{s.tag}.{a.condition}" for s in api.plant.signals.values() for a in s.alarms if a.safety)
    url, body = f"{BASE}/alarms/{safety}/out-of-service", {"reason": "permit 118", "until": "2026-11-23T16:00:00+08:00"}
    api.say(BANK, {"PT-330A": 44.0})
    async with api.client(Role.OPERATOR) as first, api.client(Role.ENGINEER) as second:
        asked = await first.post(url, json=body)
        assert asked.status_code == 202
        assert (asked.json()["state"], asked.json()["safety"]) == ("NORM", True)
        (waiting,) = [one for one in (await second.get(f"{BASE}/alarms")).json()["items"] if one["id"] == safety]
        assert waiting["out_of_service_asked_by"] == "test operator"
        done = await second.post(url, json=body)
        assert done.status_code == 200
        assert done.json()["state"] == "OUT_OF_SERVICE"
        assert done.json()["out_of_service_by"] == "test engineer"
        assert done.json()["out_of_service_until"] == "2026-11-23T08:00:00.000Z"
        back = await second.post(f"{BASE}/alarms/{safety}/return-to-service", json={"comment": "done"})
        assert back.json()["state"] == "NORM"
        assert (await first.post(url, json={"reason": "x", "until": "later"})).status_code == 422


async def test_the_plan_is_put_read_back_and_used(api: LiveApi) -> None:
    url = f"{BASE}/plan/2026-11-23"
    body = {
        "trucks": [{"id": "豫A1", "time": "2026-11-23T08:10:00+08:00", "kg": 40}],
        "trailers": [{"id": "T-07", "eta": NOON, "bay": "bay-2", "kg": 278.0}],
    }
    async with api.client(Role.OPERATOR) as client:
        put = await client.put(url, json=body)
        got = await client.get(url)
    assert put.status_code == 200
    taken = put.json()
    can = taken.pop("feasible")
    assert taken == got.json()
    assert (can["ok"], can["trucks"], can["kg"], can["shortfall_kg"], can["bottleneck"]) == (True, 1, 40.0, 0.0, "none")
    assert can["text"].keys() == {"en", "zh"}
    assert got.json()["source"] == "put"
    assert got.json()["trucks"] == [{"id": "豫A1", "time": "2026-11-23T00:10:00.000Z", "kg": 40.0}]
    assert got.json()["trailers"][0]["eta"] == "2026-11-23T04:00:00.000Z"
    assert api.capacity.plans[-1].kg == 40.0


async def test_every_bad_row_of_a_plan_is_named_and_nothing_is_taken(api: LiveApi) -> None:
    body: dict[str, Any] = {
        "trucks": [
            {"id": "A", "time": "2026-11-23T08:10:00+08:00", "kg": -1},
            {"id": "A", "time": "2026-11-24T08:10:00+08:00", "kg": 40},
            {"id": "B", "time": "2026-11-23T08:20:00+08:00", "kg": 40},
        ],
        "trailers": [{"id": "T", "eta": "noon", "kg": 278}],
    }
    url = f"{BASE}/plan/2026-11-23"
    async with api.client(Role.OPERATOR) as client:
        refused = await client.put(url, json=body)
        bay = await client.put(
            url, json={"trucks": [], "trailers": [{"id": "T", "eta": NOON, "kg": 278, "bay": "bay-9"}]}
        )
        missing = await client.put(url, json={"trucks": []})
        shapes = [await client.put(url, json=one) for one in ([], {"trucks": {}, "trailers": None})]
        assert (await client.get(url)).status_code == 404
    fields = [row["field"] for row in refused.json()["errors"]]
    assert refused.status_code == 422
    assert fields == ["body.trucks[0].kg", "body.trucks[1].time", "body.trailers[0].eta"]
    assert refused.json()["errors"][0]["value"] == "-1"
    assert bay.json()["errors"][0]["field"] == "body.trailers[0].bay"
    assert missing.json()["errors"][0]["field"] == "body.trailers"
    assert [answer.status_code for answer in shapes] == [422, 422]


async def test_the_forecast_and_its_history(api: LiveApi) -> None:
    api.capacity.conditions = [Condition("CAP-SHORT", True, "high", NOON, 372.0, 40.0, Text("short", "短缺"))]
    for number in range(5):
        api.clock.t_ms = NOON + number * 300_000
        api.capacity.ready = [forecast_at(api.clock.t_ms, shortfall_p50_kg=float(number))]
        api.say(BANK, {"PT-330A": 44.0})
    api.live.capacity.history.deliver()
    async with api.client(Role.VIEWER) as client:
        newest = (await client.get(f"{BASE}/capacity")).json()
        first = (await client.get(f"{BASE}/capacity/history?limit=3")).json()
        rest = (await client.get(f"{BASE}/capacity/history?start={NOON - 1}&cursor={first['next_cursor']}")).json()
        alarms = (await client.get(f"{BASE}/alarms?priority=high&area=system")).json()["items"]
    assert newest["shortfall_kg"]["p50"] == 4.0
    assert newest["at"] == "2026-11-23T04:20:00.000Z"
    assert [item["shortfall_kg"]["p50"] for item in first["items"] + rest["items"]] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert rest["next_cursor"] is None
    assert "CAP-SHORT" in [alarm["id"] for alarm in alarms]


async def test_a_plan_comes_as_csv_too_and_each_bad_line_is_named(api: LiveApi) -> None:
    url = f"{BASE}/plan/2026-11-23"
    good = "kind,id,time,kg,bay\ntruck,豫A1,18:10,40,\ntrailer,T-07,20:00,278,bay-2\n"
    bad = "truck,A,18:10,-1,\ntrailer,T,20:00,278,bay-9\n"
    async with api.client(Role.OPERATOR) as client:
        refused = await client.put(url, content=bad, headers={"Content-Type": "text/csv; charset=utf-8"})
        assert (await client.get(url)).status_code == 404
        taken = await client.put(url, content=good.encode("gb18030"), headers={"Content-Type": "text/csv"})
        got = (await client.get(url)).json()
    assert refused.status_code == 422
    fields = [(row["field"], row["value"]) for row in refused.json()["errors"]]
    assert fields == [("line 1: kg", "'-1'"), ("line 2: bay", "'bay-9'")]
    assert taken.status_code == 200
    assert got["trucks"] == [{"id": "豫A1", "time": "2026-11-23T10:10:00.000Z", "kg": 40.0}]
    assert got["trailers"][0]["bay"] == "bay-2"


async def test_a_plan_that_cannot_work_is_said_with_how_many_trucks_it_carries(api: LiveApi) -> None:
    rows = [
        {"id": f"B{n}", "time": f"2026-11-24T{6 + n // 10:02d}:{n % 10 * 6:02d}:00+08:00", "kg": 40} for n in range(150)
    ]
    async with api.client(Role.OPERATOR) as client:
        answer = await client.put(f"{BASE}/plan/2026-11-24", json={"trucks": rows, "trailers": []})
        old = await client.put(f"{BASE}/plan/2026-01-01", json={"trucks": [], "trailers": []})
    can = answer.json()["feasible"]
    assert not can["ok"]
    assert 20 < can["trucks"] < 60
    assert can["bottleneck"] == "trailers"
    assert old.json()["feasible"] is None


async def test_what_if_takes_banks_bays_and_the_plan_of_another_day(api: LiveApi) -> None:
    url = f"{BASE}/capacity/what-if"
    day = {"trucks": [{"id": "A", "time": "2026-11-24T22:00:00+08:00", "kg": 40}], "trailers": []}
    async with api.client(Role.OPERATOR) as client:
        await client.put(f"{BASE}/plan/2026-11-24", json=day)
        moved = (await client.post(url, json={"plan_of": "2026-11-24"})).json()
        less = await client.post(url, json={"remove": ["bank-LB", "bay-1"]})
        none = await client.post(url, json={"remove": ["bay-1", "bay-2", "bay-3", "bay-4"]})
        unknown = await client.post(url, json={"plan_of": "2027-01-01"})
        both = await client.post(url, json={"plan_of": "2026-11-24", "plan": day})
    assert moved["what_if"]["plan"] == {"trucks": 1, "kg": 40.0}
    assert less.status_code == 200
    assert less.json()["what_if"]["deliverable_kg"]["p50"] <= less.json()["base"]["deliverable_kg"]["p50"]
    assert none.json()["errors"][0]["rule"] == "must leave at least one of the bays"
    assert unknown.json()["errors"][0]["field"] == "body.plan_of"
    assert both.status_code == 422


async def test_what_if_keeps_what_it_starts_from_for_two_minutes_unless_nothing_is_changed(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(minute: int, **body: object) -> str:
        newest = snapshot(12.0 + minute / 60.0)
        monkeypatch.setattr(ScriptedCapacity, "newest_snapshot", property(lambda _: newest))
        both = (await client.post(f"{BASE}/capacity/what-if", json=body)).json()
        assert both["what_if"]["at"] == both["base"]["at"]
        assert both["base"]["kg_by_close"]["p50"] > 0.0
        return str(both["base"]["at"][11:16])

    async with api.client(Role.VIEWER) as client:
        assert await start(0, add_trucks=5) == "04:00"
        assert await start(2, add_trucks=-5) == "04:00"
        assert await start(2) == "04:02"
        assert await start(5, add_trucks=5) == "04:05"
