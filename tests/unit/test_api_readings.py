"""The API's answers about the plant and its readings, over fakes and in virtual time."""

from __future__ import annotations

import json
import time

import pytest

from api.people.roles import Role
from station.domain.signals import UnitMessage
from station.ports import ServicePoint
from tests.support.live_api import NOON, LiveApi, live_api

pytestmark = pytest.mark.anyio
BANK = ("storage", "bank-HB")
BASE = "/api/v1/stations/jinma"
MINUTE = 60_000


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


def store_minutes(api: LiveApi, minutes: int, station: str = "jinma") -> None:
    """Store PT-330A = 0, 1, 2, .. each 10 s of some minutes before noon."""
    start = NOON - minutes * MINUTE
    api.store.write(
        [
            UnitMessage(station, *BANK, start + n * 10_000, {"PT-330A": float(n), "PT-330B": 40.0})
            for n in range(minutes * 6)
        ]
    )


async def test_stations_say_what_they_are(quiet: LiveApi) -> None:
    async with quiet.client(Role.VIEWER) as client:
        (item,) = (await client.get("/api/v1/stations")).json()["items"]
        detail = (await client.get(BASE)).json()
    assert item["id"] == "jinma"
    assert item["timezone"] == "Asia/Shanghai"
    assert item["time"] == "2026-11-23T04:00:00.000Z"
    assert item["signals"] == 303
    assert item["simulated"] is False
    assert len(detail["units"]) == 51
    assert len(detail["hoses"]) == 8
    assert detail["gateways"][0]["online"] is None


async def test_signals_are_listed_filtered_and_paged(quiet: LiveApi) -> None:
    async with quiet.client(Role.VIEWER) as client:
        every = (await client.get(f"{BASE}/signals")).json()
        bank = (await client.get(f"{BASE}/signals?area=storage&unit=bank-HB")).json()["items"]
        pages, cursor = [], ""
        while cursor is not None:
            page = (await client.get(f"{BASE}/signals?limit=100{cursor}")).json()
            pages.append(len(page["items"]))
            cursor = None if page["next_cursor"] is None else f"&cursor={page['next_cursor']}"
    assert (len(every["items"]), every["next_cursor"]) == (303, None)
    assert pages == [100, 100, 100, 3]
    pressure = next(signal for signal in bank if signal["signal"] == "PT-330A")
    assert pressure["unit"] == "MPa"
    assert pressure["unit_of_plant"] == "bank-HB"
    assert pressure["limits"] == {"LL": 34.0, "L": 38.0, "H": 46.0, "HH": 48.0}
    assert pressure["name"]["zh"]
    assert {signal["unit_of_plant"] for signal in bank} == {"bank-HB"}


async def test_latest_gives_value_quality_time_and_age(api: LiveApi) -> None:
    api.say(BANK, {"PT-330A": 44.12, "PT-330B": None})
    api.clock.advance(1.5)
    async with api.client(Role.VIEWER) as client:
        items = (await client.get(f"{BASE}/readings/latest?signal=PT-330A&signal=PT-330B&signal=PT-310A")).json()[
            "items"
        ]
    assert items == [
        {"signal": "PT-330A", "value": 44.12, "quality": "good", "t": NOON, "age_s": 1.5},
        {"signal": "PT-330B", "value": None, "quality": "bad:null", "t": NOON, "age_s": 1.5},
    ]


async def test_latest_of_all_303_takes_no_longer_than_a_few_of_one(api: LiveApi) -> None:
    """They are held ready together: a question for each would take hundreds of times as long."""
    for unit in api.plant.units.values():
        api.say((unit.area, unit.name), dict.fromkeys(unit.tags, 1.0))
    async with api.client(Role.VIEWER) as client:
        assert len((await client.get(f"{BASE}/readings/latest")).json()["items"]) == 303
        took: dict[str, list[float]] = {"": [], "?signal=PT-330A": []}
        for _ in range(5):
            for query, seconds in took.items():
                began = time.process_time()
                await client.get(f"{BASE}/readings/latest{query}")
                seconds.append(time.process_time() - began)
    every, one = map(min, took.values())
    assert every < 20.0 * one


async def test_latest_of_a_replay_comes_from_the_store(api: LiveApi) -> None:
    store_minutes(api, 1, "jinma~ab12cd34")
    async with api.client(Role.VIEWER) as client:
        (item,) = (await client.get("/api/v1/stations/jinma~ab12cd34/readings/latest?signal=PT-330A")).json()["items"]
    assert item["value"] == 5.0


async def test_windows_are_aligned_to_the_epoch(api: LiveApi) -> None:
    store_minutes(api, 3)
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/readings?signal=PT-330A&aggregate=mean&every=1m")).json()
    (series,) = body["series"]
    assert (series["signal"], series["unit"]) == ("PT-330A", "MPa")
    assert series["points"] == [
        [NOON - 3 * MINUTE, 2.5, "good"],
        [NOON - 2 * MINUTE, 8.5, "good"],
        [NOON - 1 * MINUTE, 14.5, "good"],
    ]
    assert body["next_cursor"] is None


@pytest.mark.parametrize(("aggregate", "value"), [("min", 0.0), ("max", 5.0), ("last", 5.0), ("count", 6.0)])
async def test_each_aggregate_gives_its_own(api: LiveApi, aggregate: str, value: float) -> None:
    store_minutes(api, 1)
    async with api.client(Role.VIEWER) as client:
        body = (await client.get(f"{BASE}/readings?signal=PT-330A&aggregate={aggregate}")).json()
    assert body["series"][0]["points"][0][1] == value


async def test_days_begin_at_local_midnight(api: LiveApi) -> None:
    store_minutes(api, 1)
    async with api.client(Role.VIEWER) as client:
        url = f"{BASE}/readings?signal=PT-330A&every=1d&start=2026-11-22T00:00:00%2B08:00"
        points = (await client.get(url)).json()["series"][0]["points"]
    assert points[0][0] == NOON - 12 * 3_600_000  # 00:00 in Shanghai


@pytest.mark.parametrize("aggregate", ["raw", "mean"])
async def test_pages_follow_one_another_without_gap_or_overlap(api: LiveApi, aggregate: str) -> None:
    store_minutes(api, 3)
    api.store.write([UnitMessage("jinma", *BANK, NOON - 2 * MINUTE + 5_000, {"PT-330B": 41.0})])
    query = f"{BASE}/readings?signal=PT-330A&signal=PT-330B&aggregate={aggregate}&every=30s"
    async with api.client(Role.VIEWER) as client:
        whole = (await client.get(query)).json()
        found: list[list[object]] = [[], []]
        cursor, pages = "", 0
        while cursor is not None:
            page = (await client.get(f"{query}&start={NOON - 60 * MINUTE}&end={NOON + 1}&limit=4{cursor}")).json()
            for series, points in zip(page["series"], found, strict=True):
                assert len(series["points"]) <= 4
                points.extend(series["points"])
            cursor = None if page["next_cursor"] is None else f"&cursor={page['next_cursor']}"
            pages += 1
    assert pages > 3
    assert found == [series["points"] for series in whole["series"]]


async def test_times_may_be_rfc3339_or_epoch_ms(api: LiveApi) -> None:
    store_minutes(api, 3)
    async with api.client(Role.VIEWER) as client:
        text = await client.get(
            f"{BASE}/readings",
            params={
                "signal": "PT-330A",
                "aggregate": "raw",
                "start": "2026-11-23T11:58:00+08:00",
                "end": "2026-11-23T04:00:00Z",
            },
        )
        number = await client.get(f"{BASE}/readings?signal=PT-330A&aggregate=raw&start={NOON - 2 * MINUTE}&end={NOON}")
    assert text.json() == number.json()
    assert len(text.json()["series"][0]["points"]) == 12


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "query.signal"),
        ("signal=PT-999", "query.signal"),
        ("signal=PT-330A&every=soon", "query.every"),
        ("signal=PT-330A&every=1ms", "query.every"),
        ("signal=PT-330A&every=9999999d", "query.every"),
        ("signal=PT-330A&aggregate=median", "query.aggregate"),
        ("signal=PT-330A&start=yesterday", "query.start"),
        ("signal=PT-330A&start=2026-11-23T00:00:00", "query.start"),
        ("signal=PT-330A&start=2&end=1", "query.start"),
        ("signal=PT-330A&start=0", "query.start"),
        ("signal=PT-330A&limit=0", "query.limit"),
        ("signal=PT-330A&limit=x", "query.limit"),
        ("signal=PT-330A&cursor=1", "query.cursor"),
        ("signal=PT-330A&cursor=x", "query.cursor"),
        ("&".join(f"signal={name}" for name in ["PT-330A"] * 3 + ["nothing"]), "query.signal"),
    ],
)
async def test_a_wrong_query_is_told_by_field_value_and_rule(quiet: LiveApi, query: str, field: str) -> None:
    async with quiet.client(Role.VIEWER) as client:
        answer = await client.get(f"{BASE}/readings?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["errors"][0]["field"] == field
    assert body["errors"][0]["rule"]
    assert body["instance"] == f"{BASE}/readings"


async def test_too_many_signals_are_refused(quiet: LiveApi) -> None:
    tags = list(quiet.plant.signals)[:65]
    async with quiet.client(Role.VIEWER) as client:
        answer = await client.get(f"{BASE}/readings", params={"signal": tags})
    assert answer.json()["errors"][0]["rule"] == "at most 64 in one query"


async def test_completeness_adds_up_minutes_and_joins_gaps(api: LiveApi) -> None:
    def minute(n: int, received: float, gaps: float, **more: float) -> ServicePoint:
        tags = {"station": "jinma", "area": "storage", "unit": "bank-HB"}
        fields = {"received": received, "gaps": gaps, "late": 1.0, "duplicate": 0.0, "refused": 0.0, **more}
        return ServicePoint("ingest", tags, fields, NOON - n * MINUTE)

    api.store.write_points(
        [
            minute(5, 60, 0),
            minute(4, 58, 2, gap_from=NOON - 4 * MINUTE + 5000, gap_to=NOON - 4 * MINUTE + 8000),
            minute(3, 50, 10),
            minute(2, 30, 30),
            minute(1, 60, 0),
        ]
    )
    message = UnitMessage("jinma", *BANK, NOON, {"PT-330A": 44.0}, boot="b", seq=1)
    api.live._take_reading(message)
    async with api.client(Role.VIEWER) as client:
        items = (await client.get(f"{BASE}/completeness")).json()["items"]
    assert len(items) == 51
    row = next(item for item in items if item["unit"] == "bank-HB")
    assert (row["received"], row["expected"], row["late"]) == (258, 300, 5)
    assert row["gaps"] == [
        {"from": "2026-11-23T03:56:05.000Z", "to": "2026-11-23T03:56:08.000Z", "missing": 2},
        {"from": "2026-11-23T03:57:00.000Z", "to": "2026-11-23T03:59:00.000Z", "missing": 40},
    ]
    quiet = next(item for item in items if item["unit"] == "bank-LB")
    assert (quiet["received"], quiet["expected"], quiet["gaps"]) == (0, None, [])


async def test_the_log_is_streamed_line_by_line(api: LiveApi) -> None:
    store_minutes(api, 300)
    async with api.client(Role.VIEWER) as client:
        answer = await client.get(f"{BASE}/log?start={NOON - 300 * MINUTE}&end={NOON}&format=ndjson")
    lines = answer.text.splitlines()
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert json.loads(lines[0]) == {
        "log": {"version": "0.0.0", "station": "jinma", "start": NOON - 300 * MINUTE, "end": NOON}
    }
    assert len(lines) == 1801
    assert json.loads(lines[1]) == {
        "topic": "h2/v1/jinma/storage/bank-HB",
        "payload": {"t": NOON - 300 * MINUTE, "v": {"PT-330A": 0.0, "PT-330B": 40.0}},
    }


async def test_the_log_may_be_of_some_signals(api: LiveApi) -> None:
    store_minutes(api, 1)
    api.store.write([UnitMessage("jinma", "storage", "bank-LB", NOON - 1000, {"PT-310A": 30.0})])
    async with api.client(Role.VIEWER) as client:
        lines = (await client.get(f"{BASE}/log?signal=PT-330B")).text.splitlines()
        empty = await client.get(f"{BASE}/log?start=1&end=2")
        other = await client.get(f"{BASE}/log?format=pdf")
    assert [list(json.loads(line)["payload"]["v"]) for line in lines[1:]] == [["PT-330B"]] * 6
    assert len(empty.text.splitlines()) == 1
    assert other.status_code == 422
