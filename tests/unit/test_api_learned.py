"""What was learned, over HTTP: now beside the station file, and day by day."""

from __future__ import annotations

import datetime as dt

import anyio

from station.domain.learned import NO_SHOW, LearnedRow
from tests.support.live_api import NOON, LiveApi, live_api

DAY = dt.date(2026, 11, 23)


def get(api: LiveApi, query: str = "") -> dict[str, object]:
    async def ask() -> dict[str, object]:
        async with api.client() as client:
            answer = await client.get(f"/api/v1/stations/jinma/capacity/learned{query}")
            return {"status": answer.status_code, **answer.json()}

    return anyio.run(ask)


def kept(api: LiveApi, days: int) -> None:
    for n in range(days):
        date, at_ms = DAY - dt.timedelta(days=n), NOON - n * 86_400_000
        for name in (NO_SHOW, "train_health.train-1"):
            api.learned.save([LearnedRow("jinma", name, date, at_ms, at_ms, 0.02, 0.14, 90.0 - n, 0.5, (1.0,))])


def test_a_station_that_taught_nothing_shows_its_file() -> None:
    answer = get(live_api())
    assert answer["status"] == 200
    rows = {row["name"]: row for row in answer["parameters"]}  # type: ignore[attr-defined]
    assert (rows[NO_SHOW]["value"], rows[NO_SHOW]["n"], rows[NO_SHOW]["weight"]) == (0.02, 0.0, 1.0)
    assert rows[NO_SHOW]["text"]["zh"]
    assert len(answer["arrival_profiles"]) == 7  # type: ignore[arg-type]
    assert answer["history"] == []


def test_history_comes_by_day_and_in_pages() -> None:
    api = live_api()
    kept(api, 40)
    start = "?start=2026-11-22T08:00:00%2B08:00&end=2026-11-23T12:00:00%2B08:00"
    first = get(api, f"{start}&limit=3")
    days = [(row["date"], row["name"], row["n"]) for row in first["history"]]  # type: ignore[attr-defined]
    assert days == [
        ("2026-11-22", NO_SHOW, 89.0),
        ("2026-11-22", "train_health.train-1", 89.0),
        ("2026-11-23", NO_SHOW, 90.0),
    ]
    rest = get(api, f"{start}&limit=3&cursor={first['next_cursor']}")
    assert [row["name"] for row in rest["history"]] == ["train_health.train-1"]  # type: ignore[attr-defined]
    assert rest["next_cursor"] is None
    assert get(api, f"{start}&cursor=x")["status"] == 422
    assert len(get(api, "?end=2026-11-24T00:00:00%2B08:00")["history"]) == 60  # type: ignore[arg-type]


def test_the_ends_of_the_calendar_are_days_like_others() -> None:
    api = live_api()
    kept(api, 3)
    for query in ("?end=9999-12-31T23:59:59Z", "?start=1969-01-01T00:00:00Z&end=1969-01-02T00:00:00Z"):
        assert get(api, query)["status"] == 200
