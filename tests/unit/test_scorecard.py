"""The daily scorecard and what was known at a moment: scoring by hand-made days, and both over HTTP."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import msgspec
import pytest

from api.people.roles import Role
from station.domain.capacity_forecast import Band, Count, forecast_as_json
from station.domain.scorecard import AlertEvent, KeptForecast, ScoredDay, known_at, scorecard, scorecard_text
from station.ports import JournalEntry
from station.wire.plan_v1 import rfc3339
from tests.support.live_api import LiveApi, forecast_at, live_api

pytestmark = pytest.mark.anyio
HOUR = 3_600_000
START = 1795363200000
"""2026-11-23T00:00 at the station."""
DAY = ScoredDay(
    dt.date(2026, 11, 23),
    START,
    START + 24 * HOUR,
    tuple(START + h * HOUR for h in (8, 12, 16)),
    START + 8 * HOUR,
    40.0,
)
BY_CLOSE: dict[str, object] = {"kg_by_close": {"p10": 2700.0, "p50": 2900.0, "p90": 3000.0}}
BASE = "/api/v1/stations/jinma/capacity"


def kept(hour: float, **changes: object) -> KeptForecast:
    """Return a forecast of a day that gives 100 kg an hour and ends short of nothing."""
    done = round(100 * hour)
    usual = KeptForecast(
        at_ms=START + round(hour * HOUR),
        plan=Count(60, 2400.0),
        done=Count(done // 40, float(done)),
        kg_by_close=Band(2300.0, 2412.0, 2500.0),
        shortfall_kg=0.0,
        probability=0.1,
        shortfall_at_ms=None,
        bottleneck="none",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def whole_day(**changes: object) -> list[KeptForecast]:
    return [kept(step / 12, **changes) for step in range(288)]


def test_a_calm_day_is_scored_by_what_the_forecasts_saw() -> None:
    card = scorecard(DAY, whole_day(), [])
    assert (card.complete, card.short, card.first_alert, card.bottleneck) == (True, False, None, "none")
    assert card.brier == pytest.approx(0.01)
    eight, noon, four = card.checks
    assert (eight.at_ms, noon.at_ms, four.at_ms) == DAY.checks_ms
    # 2392 kg by 23:55; every forecast said 2412.
    assert four.happened_kg == pytest.approx(2392)
    assert four.error_percent == pytest.approx(100 * 20 / 2400)
    assert four.in_band is True
    assert card.in_band_share == 1.0


def test_a_band_that_was_missed_is_said_to_be() -> None:
    card = scorecard(DAY, whole_day(kg_by_close=Band(10.0, 20.0, 30.0)), [])
    assert card.checks[0].in_band is False
    assert card.in_band_share == 0.0


def test_a_forecast_that_told_no_kilograms_by_close_is_not_judged_by_them() -> None:
    card = scorecard(DAY, whole_day(kg_by_close=None), [])
    assert (card.checks, card.in_band_share) == ((), None)


def test_a_short_day_names_its_first_warning_the_lead_and_the_limit() -> None:
    began = START + 15 * HOUR
    day = whole_day(shortfall_kg=300.0, probability=0.9, shortfall_at_ms=began, bottleneck="compression")
    events = [
        AlertEvent("CAP-RISK", raised=True, t_ms=START + 9 * HOUR),
        AlertEvent("CAP-SHORT", raised=True, t_ms=START + 10 * HOUR),
        AlertEvent("CAP-RISK", raised=False, t_ms=START + 10 * HOUR),
        AlertEvent("CAP-SHORT", raised=True, t_ms=START + 14 * HOUR),
    ]
    card = scorecard(DAY, day, events)
    assert card.short
    assert card.brier == pytest.approx(0.01)
    assert card.first_alert is not None
    assert (card.first_alert.told_lead_minutes, card.first_alert.real_lead_minutes) == (300.0, 300.0)
    assert card.alerts == {"CAP-RISK": (1, 1), "CAP-SHORT": (2, 0)}
    assert card.bottleneck == "compression"
    assert "warned 300 min before" in scorecard_text(card).en
    assert "提前 300 分钟" in scorecard_text(card).zh
    assert "without a warning" in scorecard_text(scorecard(DAY, day, [])).en
    late = scorecard(DAY, day, [AlertEvent("CAP-SHORT", raised=True, t_ms=began + HOUR)])
    assert "too late" in scorecard_text(late).en


def test_a_false_alarm_has_no_real_lead() -> None:
    events = [AlertEvent("CAP-SHORT", raised=True, t_ms=START + 10 * HOUR)]
    first = scorecard(DAY, whole_day(), events).first_alert
    assert first is not None
    assert first.real_lead_minutes is None


def test_a_day_that_is_not_over_claims_no_result() -> None:
    card = scorecard(DAY, whole_day()[:150], [])
    assert (card.complete, card.brier, card.in_band_share) == (False, None, None)
    assert [check.happened_kg for check in card.checks] == [None, None]
    assert "not complete" in scorecard_text(card).en


def test_a_day_without_forecasts_has_no_scorecard() -> None:
    with pytest.raises(ValueError, match="no forecasts"):
        scorecard(DAY, [], [])


def test_an_old_forecast_says_nothing_of_a_moment() -> None:
    day = [kept(8)]
    assert known_at(day, START + 8 * HOUR - 1) is None
    assert known_at(day, START + 8 * HOUR + 600_000) == day[0]
    assert known_at(day, START + 9 * HOUR) is None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> LiveApi:
    """Return an API that keeps a day's forecasts, one each 5 minutes, and one alert of it."""
    api = live_api()
    for step in range(288):
        at_ms = START + step * 300_000
        body = BY_CLOSE | forecast_as_json(
            forecast_at(at_ms, done=Count(step // 4, 10.0 * step), shortfall_at_ms=START + 15 * HOUR)
        )
        api.live.capacity.history.put((at_ms, _encoded(body)))
    api.live.capacity.history.deliver()
    rows = [
        ("CAP-SHORT", "raised", 10),
        ("CAP-SHORT", "acked", 11),
        ("PT-330A.H", "raised", 12),
        ("CAP-SHORT", "cleared", 22),
    ]
    api.journal.append(
        [JournalEntry("jinma", i, f"{i}@1", e, START + h * HOUR, START + h * HOUR, "system") for i, e, h in rows]
    )
    return api


def _encoded(body: dict[str, object]) -> bytes:

    return msgspec.json.encode(body)


async def test_a_scorecard_is_had_over_http(api: LiveApi) -> None:
    async with api.client(Role.VIEWER) as client:
        card = (await client.get(f"{BASE}/scorecard/2026-11-23")).json()
        empty = [
            (await client.get(f"{BASE}/scorecard/{d}")).status_code for d in ("2026-11-21", "0001-01-01", "9999-12-31")
        ]
    assert empty == [404, 404, 404]
    assert (card["complete"], card["short"], card["forecasts"]) == (True, True, 288)
    assert card["done"] == {"trucks": 71, "kg": 2870.0}
    assert [check["at"] for check in card["checks"]] == [rfc3339(t) for t in DAY.checks_ms]
    assert {check["error_percent"] for check in card["checks"]} == {0.75}
    assert card["in_band_share"] == 1.0
    assert card["first_alert"] == {
        "at": rfc3339(START + 10 * HOUR), "told_lead_minutes": 300.0, "real_lead_minutes": 300.0,
    }  # fmt: skip
    assert card["alerts"] == [{"id": "CAP-SHORT", "raised": 1, "cleared": 1}]
    assert card["bottleneck_text"] == {"en": "trailer supply", "zh": "长管拖车供应"}
    assert card["brier"] == pytest.approx(0.07**2, abs=1e-4)


async def test_what_was_known_at_ten_is_the_newest_forecast_until_then(api: LiveApi) -> None:
    async with api.client(Role.VIEWER) as client:

        async def at(text: str) -> str | int:
            answer = await client.get(f"{BASE}/known", params={"at": text})
            return answer.json()["at"] if answer.status_code == 200 else answer.status_code

        assert await at("2026-11-23T10:02:00+08:00") == "2026-11-23T02:00:00.000Z"
        assert await at(str(START + 24 * HOUR + 6 * HOUR)) == "2026-11-23T15:55:00.000Z"
        assert await at(str(START - 1)) == 404
        assert await at("ten") == 422
