"""The API's answer to a page of trends, over fakes and in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from api.people.roles import Role
from station.domain.signals import UnitMessage
from tests.support.live_api import NOON, LiveApi, live_api

pytestmark = pytest.mark.anyio
URL = "/api/v1/stations/jinma/trends"
MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    return live_api()


def bank(t_ms: int, quality: dict[str, str] | None = None, **values: float | None) -> UnitMessage:
    named: dict[str, float | None] = {name.replace("_", "-"): value for name, value in values.items()}
    return UnitMessage("jinma", "storage", "bank-HB", t_ms, named, quality or {})


async def trends(api: LiveApi, **query: Any) -> dict[str, Any]:
    async with api.client(Role.VIEWER) as client:
        answer = await client.get(URL, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def test_all_signals_stand_on_one_grid_with_all_that_is_drawn_of_them(api: LiveApi) -> None:
    begin = NOON - 5 * MINUTE
    api.store.write([bank(begin + n * 10_000, PT_330A=float(n)) for n in range(12)])  # the first two minutes
    api.store.write([bank(NOON - 90_000, {"PT-330A": "uncertain:drift"}, PT_330A=7.0)])
    api.store.write([bank(begin + 30_000, ZS_330D=0.0), bank(begin + 40_000, ZS_330D=1.0)])
    body = await trends(api, signal=["PT-330A", "ZS-330D"], start=begin + 20_000, end=NOON - 20_000, every="1m")
    pressure, valve = body.pop("series")
    assert body == {"t": begin, "every_ms": MINUTE, "size": 5}  # whole windows
    assert pressure == {
        "signal": "PT-330A",
        "unit": "MPa",
        "mean": [2.5, 8.5, None, 7.0, None],
        "min": [0.0, 6.0, None, 7.0, None],
        "max": [5.0, 11.0, None, 7.0, None],
        "last": None,
        "doubts": [[3, 1, "uncertain:drift"]],
    }
    assert (valve["last"], valve["mean"], valve["min"], valve["max"]) == (
        [1.0, None, None, None, None],
        None,
        None,
        None,
    )


async def test_what_is_bad_is_told_from_what_never_came(api: LiveApi) -> None:
    begin = NOON - 8 * MINUTE
    qualities = [None, "bad:range", "bad:range", None, "bad:range", "uncertain", "uncertain"]
    for n, quality in enumerate(qualities):
        if n != 3:
            api.store.write([bank(begin + n * MINUTE, {"PT-330A": quality} if quality else {}, PT_330A=40.0 + n)])
    (series,) = (await trends(api, signal="PT-330A", start=begin, end=NOON))["series"]
    assert series["mean"] == [40.0, None, None, None, None, 45.0, 46.0, None]
    assert series["doubts"] == [[1, 2, "bad:range"], [4, 1, "bad:range"], [5, 2, "uncertain"]]


async def test_its_windows_are_those_of_readings(api: LiveApi) -> None:
    api.store.write([bank(NOON - n * 7 * MINUTE, PT_330A=float(n % 11)) for n in range(1, 200)])
    over = {"signal": "PT-330A", "start": NOON - 20 * HOUR, "end": NOON, "every": "4h"}
    body = await trends(api, **over)
    async with api.client(Role.VIEWER) as client:
        for name in ("mean", "min", "max"):
            points = (await client.get(URL.replace("trends", "readings"), params={**over, "aggregate": name})).json()
            starts = [body["t"] + n * body["every_ms"] for n in range(body["size"])]
            found = list(zip(starts, body["series"][0][name], strict=True))
            assert found == [(t_ms, number) for t_ms, number, _ in points["series"][0]["points"]]
    assert body["t"] % (4 * HOUR) == 0  # 16:00 UTC, where the station's day begins


async def test_without_a_range_it_is_the_last_hour_by_the_minute(api: LiveApi) -> None:
    api.store.write([bank(NOON, PT_330A=40.0)])
    body = await trends(api, signal="PT-330A")
    assert (body["t"], body["every_ms"], body["size"]) == (NOON - HOUR, MINUTE, 61)
    assert body["series"][0]["mean"][-1] == 40.0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "query.signal"),
        ({"signal": "PT-999"}, "query.signal"),
        ({"signal": "PT-330A", "every": "soon"}, "query.every"),
        ({"signal": "PT-330A", "every": "1s", "start": NOON - 4 * HOUR, "end": NOON}, "query.every"),
        ({"signal": "PT-330A", "start": 2, "end": 1}, "query.start"),
    ],
)
async def test_a_wrong_question_is_refused(api: LiveApi, query: dict[str, Any], field: str) -> None:
    async with api.client(Role.VIEWER) as client:
        answer = await client.get(URL, params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
