"""Whole units in maintenance, limits changed without a restart, and Grafana's contact point, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.alarms.engine import AlarmEngine
from api.people.roles import Role
from station.adapters.memory_journal import MemoryJournal
from station.domain.limit_changes import checked_limits
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from tests.support.live_api import NOON, LiveApi, live_api
from tests.support.plants import jinma

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parents[1] / "data"
BASE = "/api/v1/stations/jinma"
BANK, TRAIN = ("storage", "bank-HB"), ("compression", "train-2")
UNTIL = "2026-11-23T16:00:00+08:00"
WORK = {"reason": "diaphragm, permit 118", "until": UNTIL}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    return live_api()


async def test_a_unit_in_maintenance_hides_its_alarms_and_comes_back(api: LiveApi) -> None:
    url = f"{BASE}/units/compression/train-2/maintenance"
    signals = [t for t in api.plant.units[TRAIN].tags if t.startswith("PT-22")]
    async with api.client(Role.OPERATOR) as client:
        put = await client.put(url, json=WORK)
        assert (put.status_code, put.json()["pending"]) == (200, [])
        listed = (await client.get(f"{BASE}/maintenance")).json()["items"]
        assert listed == [
            {"area": "compression", "unit": "train-2", "until": "2026-11-23T08:00:00.000Z", "who": "test operator",
             "pending": []}
        ]  # fmt: skip
        for second in range(0, 40, 2):
            api.say(TRAIN, dict.fromkeys(signals, 60.0), NOON + second * 1000)
        shown = (await client.get(f"{BASE}/alarms")).json()["items"]
        hidden = [one for one in shown if one["state"] == "OUT_OF_SERVICE" and one["active"]]
        assert hidden
        assert not [one for one in shown if one["group"] == "compression/train-2" and one["state"] == "UNACK"]
        assert (await client.delete(url)).status_code == 200
        assert (await client.get(f"{BASE}/maintenance")).json()["items"] == []
        back = (await client.get(f"{BASE}/alarms/{hidden[0]['id']}")).json()
        assert back["state"] == "UNACK"
        rows = (await client.get(f"{BASE}/alarms/journal?limit=5000")).json()["items"]
    assert {row["note"] for row in rows if row["event"] == "out_of_service"} == {"maintenance: diaphragm, permit 118"}


async def test_safety_alarms_of_a_unit_wait_for_a_second_person(api: LiveApi) -> None:
    detector = next(s for s in api.plant.signals.values() if s.role == "gas" and any(a.safety for a in s.alarms))
    unit = detector.key
    url = f"{BASE}/units/{unit[0]}/{unit[1]}/maintenance"
    async with api.client(Role.OPERATOR) as first, api.client(Role.ENGINEER) as second:
        asked = await first.put(url, json=WORK)
        assert asked.status_code == 202
        assert asked.json()["pending"]
        again = await first.put(url, json=WORK)
        assert (again.status_code, again.json()["pending"]) == (202, asked.json()["pending"])
        done = await second.put(url, json=WORK)
        assert (done.status_code, done.json()["pending"]) == (200, [])
        safety = asked.json()["pending"][0]
        assert (await first.get(f"{BASE}/alarms/{safety}")).json()["state"] == "OUT_OF_SERVICE"
        await first.delete(url)
        assert (await first.get(f"{BASE}/alarms/{safety}")).json()["state"] == "NORM"


async def test_what_was_out_of_service_before_stays_so_after_the_maintenance(api: LiveApi) -> None:
    alarm = next(f"{t}.{a.condition}" for t in api.plant.units[TRAIN].tags for a in api.plant.signals[t].alarms)
    async with api.client(Role.OPERATOR) as client:
        await client.post(f"{BASE}/alarms/{alarm}/out-of-service", json={"reason": "own", "until": None})
        await client.put(f"{BASE}/units/compression/train-2/maintenance", json=WORK)
        await client.delete(f"{BASE}/units/compression/train-2/maintenance")
        assert (await client.get(f"{BASE}/alarms/{alarm}")).json()["state"] == "OUT_OF_SERVICE"


async def test_maintenance_ends_by_itself_and_refuses_what_makes_no_sense(api: LiveApi) -> None:
    url = f"{BASE}/units/compression/train-2/maintenance"
    async with api.client(Role.OPERATOR) as client:
        for body in ({"reason": "", "until": UNTIL}, {"reason": "x", "until": "soon"}, {"reason": "x", "until": 5}):
            assert (await client.put(url, json=body)).status_code == 422
        assert (await client.put(f"{BASE}/units/compression/train-9/maintenance", json=WORK)).status_code == 404
        await client.put(url, json={"reason": "short", "until": NOON + 60_000})
        for second in (10, 40, 62, 64):
            api.say(BANK, {"PT-330A": 43.0 + second / 1000}, NOON + second * 1000)
            api.live.act(lambda engine, _, s=second: engine.advance(NOON + s * 1000))  # type: ignore[misc]
        assert (await client.get(f"{BASE}/maintenance")).json()["items"] == []


async def test_a_limit_is_changed_judged_by_journalled_and_kept(api: LiveApi) -> None:
    url = f"{BASE}/signals/PT-330A/limits"
    body = {"limits": {"H": 44.5}, "reason": "season"}
    async with api.client(Role.ENGINEER) as client:
        changed = (await client.put(url, json=body)).json()
        assert changed["limits"] == {"LL": 34.0, "L": 38.0, "H": 44.5, "HH": 48.0}
        assert [one["id"] for one in changed["changed"]] == ["PT-330A.H"]
        assert "44.5" in changed["changed"][0]["text"]["en"]
        assert "46" not in changed["changed"][0]["text"]["zh"]
        listed = (await client.get(f"{BASE}/signals?unit=bank-HB")).json()["items"]
        assert next(one for one in listed if one["signal"] == "PT-330A")["limits"]["H"] == 44.5
        for second in range(0, 30, 2):
            api.say(BANK, {"PT-330A": 45.0 + second / 100, "PT-330B": 45.0 + second / 100}, NOON + second * 1000)
        high = (await client.get(f"{BASE}/alarms/PT-330A.H")).json()
        assert (high["state"], high["limit"]) == ("UNACK", 44.5)
        assert (await client.get(f"{BASE}/alarms/PT-330B.H")).json()["state"] == "NORM"
        rows = (await client.get(f"{BASE}/alarms/journal")).json()["items"]
        (row,) = [row for row in rows if row["event"] == "limit_changed"]
        assert (row["note"], row["who"]) == ("H 46 -> 44.5: season", "test engineer")
        back = (await client.put(url, json={"limits": {"H": None}, "reason": "as before"})).json()
        assert back["limits"]["H"] == 46.0


async def test_wrong_limits_are_refused_with_the_rule(api: LiveApi) -> None:
    url = f"{BASE}/signals/PT-330A/limits"
    wrong: list[tuple[dict[str, Any], str, str, str]] = [
        ({"H": 48.5}, "body.limits.H", "48.5", "must be below HH = 48"),
        ({"L": 39.0, "LL": 40.0}, "body.limits.LL", "40", "must be below L = 39"),
        ({"HH": 45.5}, "body.limits.HH", "45.5", "must be above H = 46"),
        ({"H": 500.0}, "body.limits.H", "500", "must lie within the instrument's 32.6 to 49.4"),
        ({"H": float("nan")}, "body.limits.H", "nan", "must lie within the instrument's 32.6 to 49.4"),
        ({"X": 1.0}, "body.limits.X", "1", "PT-330A has only LL, L, H, HH"),
        ({"L": 46.0, "H": 45.5}, "body.limits.L", "46", "is above everything normal (to 45)"),
        ({"H": True}, "body.limits.H", "True", "Input should be a valid number"),
        ({"H": "45"}, "body.limits.H", "45", "Input should be a valid number"),
    ]
    async with api.client(Role.ENGINEER) as client:
        for limits, field, value, rule in wrong:
            body, headers = json.dumps({"limits": limits, "reason": "x"}), {"Content-Type": "application/json"}
            answer = await client.put(url, content=body, headers=headers)
            assert answer.status_code == 422, limits
            (error,) = answer.json()["errors"]
            assert (error["field"], error["value"].removesuffix(".0"), error["rule"]) == (field, value, rule)
        assert (await client.put(url, json={"limits": {}, "reason": "x"})).status_code == 422
        assert (await client.put(url, json={"limits": {"H": 45}, "reason": " "})).status_code == 409
        assert (await client.get(f"{BASE}/alarms/journal")).json()["items"] == [], "nothing was changed"
        assert (
            await client.put(f"{BASE}/signals/PT-999/limits", json={"limits": {"H": 1}, "reason": "x"})
        ).status_code == 404
    async with api.client(Role.OPERATOR) as client:
        assert (await client.put(url, json={"limits": {"H": 45}, "reason": "x"})).status_code == 403


def test_a_changed_limit_outlives_a_restart() -> None:
    journal = MemoryJournal()
    first = AlarmEngine(jinma(), journal, wall_ms=lambda: NOON)
    first.set_limits("PT-330A", {"H": 44.5}, "li.wei", "season", NOON)
    second = AlarmEngine(jinma(), journal, wall_ms=lambda: NOON)
    second.restore()
    assert second.limits_of("PT-330A")["H"] == 44.5
    assert second.alarm("PT-330A.H").limit is None or second.alarm("PT-330A.H").limit == 44.5


def test_two_limits_may_move_together_and_alone_may_not_cross() -> None:
    signal = jinma().signals["PT-330A"]
    now = dict(signal.limits)
    assert checked_limits(signal, now, {"H": 48.2, "HH": 48.6}) == {"H": 48.2, "HH": 48.6}
    with pytest.raises(BadInputError, match="must be below HH"):
        checked_limits(signal, now, {"H": 48.2})


async def test_grafana_s_alerts_become_one_alarm_and_end_with_them(api: LiveApi) -> None:
    def said(status: str, *names: str, severity: str = "critical", station: str = "jinma") -> dict[str, Any]:
        return {
            "receiver": "station-api",
            "status": status,
            "alerts": [
                {
                    "status": status,
                    "fingerprint": name,
                    "labels": {"alertname": name, "severity": severity, "station": station},
                    "annotations": {"summary": "H2 above 25 %LEL"},
                    "values": {"B": 5.87},
                }
                for name in names
            ],
            "truncatedAlerts": 0,
        }

    async with api.client(Role.OPERATOR) as client:
        answer = await client.post("/api/v1/hooks/grafana", json=said("firing", "H2 high", "brine warm"))
        assert answer.json() == {"firing": {"jinma": 2}}
        alarm = (await client.get(f"{BASE}/alarms/SYS-GRAFANA")).json()
        assert (alarm["state"], alarm["priority"], alarm["value"]) == ("UNACK", "critical", 2.0)
        assert alarm["text"]["en"] == "Grafana: H2 high: H2 above 25 %LEL; brine warm: H2 above 25 %LEL"
        await client.post("/api/v1/hooks/grafana", json=said("resolved", "H2 high"))
        assert (await client.get(f"{BASE}/alarms/SYS-GRAFANA")).json()["active"]
        await client.post("/api/v1/hooks/grafana", json=said("resolved", "brine warm"))
        assert not (await client.get(f"{BASE}/alarms/SYS-GRAFANA")).json()["active"]
        other = await client.post("/api/v1/hooks/grafana", json=said("firing", "disk", station="elsewhere"))
        assert other.json()["firing"] == {"jinma": 1}, "of no station of ours: told at all of them"
        assert (await client.post("/api/v1/hooks/grafana", json={"alerts": 5})).status_code == 422
    async with api.client(Role.VIEWER) as client:
        assert (await client.post("/api/v1/hooks/grafana", json=said("firing", "x"))).status_code == 403


async def test_what_grafana_sends_is_taken_and_sent_again_changes_nothing(api: LiveApi) -> None:
    body = json.loads((DATA / "grafana" / "alert-webhook.json").read_text())
    url = f"{BASE}/alarms/SYS-GRAFANA"
    async with api.client(Role.OPERATOR) as client, api.client(None) as nobody:
        assert (await nobody.post("/api/v1/hooks/grafana", json=body)).status_code == 401
        assert (await client.post("/api/v1/hooks/grafana", json=body)).json() == {"firing": {"jinma": 2}}
        first = (await client.get(url)).json()
        assert (first["state"], first["priority"], first["value"]) == ("UNACK", "critical", 2.0)
        assert first["text"]["zh"].startswith("Grafana 告警：H2 high: H2 above 25 %LEL")
        await client.post(f"{url}/ack", json={"comment": "seen"})
        rows = len((await client.get(f"{BASE}/alarms/journal")).json()["items"])
        for _ in range(3):
            api.clock.advance(60)
            assert (await client.post("/api/v1/hooks/grafana", json=body)).json() == {"firing": {"jinma": 2}}
        again = (await client.get(url)).json()
        assert (again["state"], again["occurrence"]) == ("ACKED", first["occurrence"])
        assert len((await client.get(f"{BASE}/alarms/journal")).json()["items"]) == rows
        body["alerts"][1]["fingerprint"] = "another"
        api.clock.advance(1)
        assert (await client.post("/api/v1/hooks/grafana", json=body)).json() == {"firing": {"jinma": 3}}
        news = (await client.get(url)).json()
        assert (news["state"], news["value"]) == ("UNACK", 3.0), "one more is news"
        assert news["occurrence"] != first["occurrence"]
        for fingerprint in ("another", "68de6649f604091d", "68e86649f60c5da2", "never heard of"):
            body["alerts"] = [body["alerts"][0] | {"status": "resolved", "fingerprint": fingerprint}]
            ended = await client.post("/api/v1/hooks/grafana", json=body)
        assert ended.json() == {"firing": {"jinma": 0}}
        assert (await client.get(url)).json()["state"] == "RTNUN"


async def test_another_end_of_a_maintenance_is_taken_and_never_a_later_one_for_safety_alarms(api: LiveApi) -> None:
    detector = next(s for s in api.plant.signals.values() if s.role == "gas" and any(a.safety for a in s.alarms))
    url = f"{BASE}/units/{detector.area}/{detector.unit}/maintenance"
    ids = [f"{tag}.{a.condition}" for tag in api.plant.units[detector.key].tags for a in api.plant.signals[tag].alarms]
    safety = {
        f"{tag}.{a.condition}"
        for tag in api.plant.units[detector.key].tags
        for a in api.plant.signals[tag].alarms
        if a.safety
    }

    def ends() -> tuple[set[int | None], set[int | None]]:
        points = {point.id: point.state.out_until_ms for point in api.live.alarms._points_of_unit(detector.key)}
        assert points.keys() == set(ids), "every alarm of the unit"
        return {points[i] for i in safety}, {points[i] for i in ids if i not in safety}

    hour = 3_600_000
    async with api.client(Role.OPERATOR) as first, api.client(Role.ENGINEER) as second:
        for who in (first, second):
            await who.put(url, json={"reason": "gas test", "until": NOON + 2 * hour})
        assert ends() == ({NOON + 2 * hour}, {NOON + 2 * hour})
        later = await first.put(url, json={"reason": "takes longer", "until": NOON + 5 * hour})
        assert (later.status_code, later.json()["until"]) == (200, "2026-11-23T09:00:00.000Z")
        assert ends() == ({NOON + 2 * hour}, {NOON + 5 * hour})
        assert (await first.get(f"{BASE}/maintenance")).json()["items"][0]["until"] == "2026-11-23T09:00:00.000Z"
        await first.put(url, json={"reason": "soon done", "until": NOON + hour})
        assert ends() == ({NOON + hour}, {NOON + hour})


def test_maintenance_by_two_covers_every_alarm_of_every_unit_and_ends_after_a_restart() -> None:
    journal, units = MemoryJournal(), list(jinma().units)
    first = AlarmEngine(jinma(), journal, wall_ms=lambda: NOON)
    for unit in units:
        for who in ("li.wei", "zhao"):
            first.begin_maintenance(unit, who, "permit 118", NOON + 60_000, NOON)
    mine = [f"{tag}.{spec.condition}" for tag in jinma().signals for spec in jinma().signals[tag].alarms]
    assert len(mine) > 1000
    assert {first.alarm(alarm).state for alarm in mine} == {"OUT_OF_SERVICE"}
    second = AlarmEngine(jinma(), journal, wall_ms=lambda: NOON)
    second.restore()
    second.advance(NOON + 30_000)
    assert {(one.area, one.unit, one.until_ms) for one in second.maintenance()} == {
        (*unit, NOON + 60_000) for unit in units
    }
    for after_s in range(59, 63):
        second.advance(NOON + after_s * 1000)
    assert second.maintenance() == []
    assert "OUT_OF_SERVICE" not in {second.alarm(alarm).state for alarm in mine}
    ended = [entry for _, entry in journal.entries("jinma", 0, 1 << 50, limit=10_000)]
    ended = [entry for entry in ended if entry.event == "returned_to_service"]
    assert {entry.alarm_id for entry in ended} == set(mine)
    assert {(entry.t_ms, entry.who, entry.note) for entry in ended} == {(NOON + 60_000, "system", "time is up")}


def test_a_limit_takes_a_value_that_stands_beyond_it_already_after_its_delay() -> None:
    engine = AlarmEngine(jinma(), MemoryJournal(), wall_ms=lambda: NOON)
    engine.advance(NOON)

    def say(second: int) -> None:
        engine.observe(UnitMessage("jinma", *BANK, NOON + second * 1000, {"PT-330A": 45.0, "PT-330B": 45.0}))
        engine.advance(NOON + second * 1000)

    for second in range(10):
        say(second)
    engine.set_limits("PT-330A", {"H": 44.5}, "li.wei", "season", NOON + 9_500)
    for second in range(10, 25):
        say(second)
        assert not engine.alarm("PT-330A.H").active
    for second in (25, 26):
        say(second)
    raised = engine.alarm("PT-330A.H")
    assert (raised.active, raised.raised_at, raised.limit) == (True, NOON + 25_000, 44.5)
    engine.set_limits("PT-330A", {"H": None}, "li.wei", "as before", NOON + 26_500)
    for second in range(27, 45):
        say(second)
    assert not engine.alarm("PT-330A.H").active, "and lets go of what the old one took"
