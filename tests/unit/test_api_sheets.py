"""Fills, trailers, electricity, settings and facts as the API tells them, over fakes and in virtual time."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from api.people.roles import Role
from api.services import About
from station.adapters.plant_files import shipped_plant_text
from station.domain.plant_facts import facts_of
from station.domain.signals import UnitMessage
from station.settings import load_settings
from station.shown_settings import shown_settings
from tests.support.live_api import NOON, LiveApi, live_api

pytestmark = pytest.mark.anyio
BASE = "/api/v1/stations/jinma"
MINUTE = 60_000
BEGAN = NOON - 30 * MINUTE
HOSE = ("dispensing", "hose-1A")
VEHICLE = ("vehicle", "hose-1A")
COURSE = ((-1, "idle"), (0, "connect"), (1, "leak-check"), (2, "fill"), (14, "end"), (15, "idle"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    made = live_api()
    made.store.write(fill(made))
    return made


def fill(api: LiveApi) -> list[UnitMessage]:
    """Return a fill of 12 minutes and 36 kg on hose-1A that began half an hour before noon."""
    state, total = (api.plant.tag(*HOSE, role) for role in ("state", "total"))
    names = [one.en for one in api.plant.signals[state].states]
    said = []
    for second in range(-60, 960, 5):
        at = BEGAN + second * 1000
        now = [name for minute, name in COURSE if minute * 60 <= second][-1]
        share = min(1.0, max(0.0, (second - 120) / 720))
        values = {state: float(names.index(now)), total: 500.0 + 36.0 * share}
        values |= {api.plant.tag(*HOSE, "pressure"): 8.0 + 30.0 * share, api.plant.tag(*HOSE, "flow"): 50.0}
        values |= {api.plant.tag(*HOSE, "delivery_temperature"): -20.0}
        said.append(UnitMessage("jinma", *HOSE, at, values))
        if now in ("leak-check", "fill"):
            said.append(UnitMessage("jinma", *VEHICLE, at, vehicle(api, share)))
    return said


def vehicle(api: LiveApi, share: float) -> dict[str, float | None]:
    values = {
        "pressure": 8.0 + 29.0 * share,
        "temperature": 20.0 + 27.0 * share,
        "tank_volume": 2100.0,
        "soc": 18.0 + 79.0 * share,
        "command": 0.0,
    }
    return {api.plant.tag(*VEHICLE, role): value for role, value in values.items()}


async def test_a_fill_is_listed_with_what_the_truck_was_and_how_it_ended(api: LiveApi) -> None:
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/fills")).json()
    (found,) = body["items"]
    assert body["date"] == "2026-11-23"
    assert (found["hose"], found["start"]) == ("hose-1A", "2026-11-23T03:30:00.000Z")
    assert (found["minutes"], found["kg"], found["truck"]) == (14.0, 36.0, "10x210")
    assert (found["result"], found["stop"], found["link"]) == ("complete", "soc", "yes")
    assert found["end_soc"] == pytest.approx(97.0, abs=1.0)
    assert found["peak_c"] == pytest.approx(47.0, abs=0.5)
    assert [one["hose"] for one in body["under_way"]] == [
        one.unit
        for one in api.capacity.newest_snapshot.hoses
        if one.since_ms  # type: ignore[union-attr]
    ]


async def test_fills_are_filtered_and_come_as_csv_in_the_stations_time(api: LiveApi) -> None:
    async with api.client(Role.VIEWER) as client:
        for query, count in (("hose=hose-1B", 0), ("result=broken", 0), ("hose=hose-1A&result=complete", 1)):
            assert len((await client.get(f"{BASE}/fills?{query}")).json()["items"]) == count, query
        assert (await client.get(f"{BASE}/fills?date=2026-11-22")).json()["items"] == []
        answer = await client.get(f"{BASE}/fills?format=csv&lang=en")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="jinma-fills-2026-11-23.csv"' in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row["start"] == "2026-11-23T11:30:00.000+08:00"
    assert (row["hose"], row["kg"], row["result"]) == ("hose-1A", "36.0", "complete")


async def test_a_fill_has_its_curve_with_the_corridor(api: LiveApi) -> None:
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/fills/hose-1A/{BEGAN}")).json()
    assert (body["ended_as"], body["end"]) == ("end", "2026-11-23T03:44:00.000Z")
    columns = [value for value in body.values() if isinstance(value, list)]
    assert {len(column) for column in columns} == {len(body["t"])}
    first = body["state"].index("fill")
    assert body["target_mpa"][first] == pytest.approx(8.0, abs=0.2)
    assert body["target_mpa"][first - 1] is None
    minutes = (body["t"][-1] - body["t"][first]) / MINUTE
    assert body["target_mpa"][-1] == pytest.approx(body["target_mpa"][first] + 2.5 * minutes, abs=0.05)
    assert body["most_mpa"][-1] == pytest.approx(min(43.75, body["target_mpa"][-1] + 7.0))
    assert max(kg for kg in body["kg"] if kg is not None) == pytest.approx(36.0, abs=0.5)


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        (f"fills/hose-1A/{BEGAN + 1}", 404, "path.start"),
        (f"fills/hose-9Z/{BEGAN}", 404, "path.hose"),
        ("fills/hose-1A/99999999999999", 404, "path.start"),
        ("fills?hose=hose-9Z", 422, "query.hose"),
        ("fills?date=2026-11-24", 422, "query.date"),
        ("trailers?date=1969-01-01", 422, "query.date"),
        ("energy?date=tomorrow", 422, "query.date"),
        ("facts?section=weather", 422, "query.section"),
    ],
)
async def test_what_there_is_not_is_named(api: LiveApi, path: str, status: int, place: str) -> None:
    async with api.client(Role.VIEWER) as client:
        answer = await client.get(f"{BASE}/{path}")
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["field"] == place


async def test_trailers_say_who_stands_waits_and_comes(api: LiveApi) -> None:
    now = api.capacity.newest_snapshot
    assert now is not None
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/trailers")).json()
        before = (await client.get(f"{BASE}/trailers?date=2026-11-22")).json()
    assert [bay["bay"] for bay in body["bays"]] == [bay.unit for bay in now.bays]
    for bay, known in zip(body["bays"], now.bays, strict=True):
        if known.pressure_mpa is None:
            assert bay["kg"] is None
        else:
            assert 0.0 <= bay["usable_kg"] < bay["kg"] < 420.0
    assert body["yard"] == now.yard
    assert [one["id"] for one in body["expected"]] == [one.id for one in now.expected]
    assert (before["bays"], before["yard"], before["at"]) == ([], None, None)


async def test_electricity_is_told_by_the_hour(api: LiveApi) -> None:
    tag = api.plant.tag("utilities", "power", "power")
    api.store.write([UnitMessage("jinma", "utilities", "power", NOON - m * MINUTE, {tag: 240.0}) for m in range(1, 61)])
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/energy")).json()
    assert len(body["hours"]) == 12
    assert body["hours"][-1]["station"]["kwh"] == pytest.approx(240.0)
    assert body["hours"][-2]["station"]["kwh"] is None
    assert set(body["whole"]["trains"]) == {train.unit for train in api.plant.trains}


async def test_settings_are_for_engineers_and_tell_no_secret(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINMA_BROKER", "mqtts://gate:pa@ss/w0rd@broker.example:8883")
    monkeypatch.setenv("JINMA_TOKEN", "very secret")
    shown = shown_settings(load_settings(port=8123))
    api.services = dataclasses.replace(api.services, about=About(shown, {"jinma": facts_of(shipped_plant_text())}))
    async with api.client(Role.OPERATOR) as client:
        assert (await client.get("/api/v1/settings")).status_code == 403
        facts = (await client.get(f"{BASE}/facts?unit=bank-HB")).json()["items"]
    async with api.client(Role.ENGINEER) as client:
        answer = await client.get("/api/v1/settings")
    found = {one["name"]: one for one in answer.json()["items"]}
    assert "w0rd" not in answer.text
    assert "very secret" not in answer.text
    assert (found["broker"]["value"], found["broker"]["source"]) == ("mqtts://***@broker.example:8883", "environment")
    assert (found["token"]["value"], found["token"]["secret"], found["token"]["is_set"]) == (None, True, True)
    assert (found["port"]["value"], found["port"]["source"]) == ("8123", "flag")
    assert (found["keep"]["value"], found["keep"]["source"]) == ("7d", "default")
    assert {one["key"]: one["mark"] for one in facts}["volume_m3"] == "C/E"
