"""The nine capacity alerts as timelines of forecasts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from station.domain.capacity import forecast
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.capacity_forecast import Forecast
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

MINUTE = 60_000


@pytest.fixture(scope="module")
def calm() -> Forecast:
    return forecast(jinma(), snapshot(12.0), 0)


class Line:
    """Feeds forecasts and remembers what the alerts did."""

    def __init__(self, calm: Forecast) -> None:
        self.calm, self.alerts, self.minute = calm, CapacityAlerts(jinma()), 0.0
        self.active: dict[str, bool] = {}
        self.priority: dict[str, str] = {}
        self.log: list[tuple[float, str, bool]] = []

    def tell(self, minutes: float = 5.0, detail: dict[str, Any] | None = None, **changes: Any) -> None:
        """One forecast, `minutes` after the last."""
        self.minute += minutes
        parts = dict(detail or {})
        static = dataclasses.replace(self.calm.detail.static, **parts.pop("static", {}))
        made = dataclasses.replace(
            self.calm,
            at_ms=self.calm.at_ms + round(self.minute * MINUTE),
            detail=dataclasses.replace(self.calm.detail, static=static, **parts),
            **changes,
        )
        for condition in self.alerts.update(made):
            self.priority[condition.id] = condition.priority
            if condition.active != self.active.get(condition.id, False):
                self.log.append((self.minute, condition.id, condition.active))
            self.active[condition.id] = condition.active
            assert condition.text.en
            assert condition.text.zh

    def of(self, alert: str) -> list[tuple[float, bool]]:
        return [(minute, active) for minute, name, active in self.log if name == alert]


def test_a_calm_day_tells_nothing(calm: Forecast) -> None:
    line = Line(calm)
    for _ in range(30):
        line.tell()
    assert line.log == []


def test_a_shortage_is_raised_by_three_runs_and_cleared_by_six(calm: Forecast) -> None:
    line = Line(calm)
    for p in (0.6, 0.6, 0.4, 0.6, 0.6, 0.7):
        line.tell(shortfall_probability=p)
    assert line.of("CAP-SHORT") == [(30.0, True)]
    for p in (0.1, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1):
        line.tell(shortfall_probability=p)
    assert line.of("CAP-SHORT") == [(30.0, True), (75.0, False)]


def test_runs_that_events_asked_for_do_not_count(calm: Forecast) -> None:
    line = Line(calm)
    for _ in range(10):
        line.tell(1.0, detail={"on_grid": False}, shortfall_probability=0.9)
    assert line.of("CAP-SHORT") == []


def test_a_certain_near_shortage_is_raised_at_once(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(detail={"base_shortfall_kg": 79.0, "base_lead_minutes": 30.0})
    line.tell(detail={"base_shortfall_kg": 300.0, "base_lead_minutes": 300.0})
    assert line.of("CAP-SHORT") == []
    line.tell(1.0, detail={"base_shortfall_kg": 80.0, "base_lead_minutes": 240.0, "on_grid": False})
    assert line.of("CAP-SHORT") == [(11.0, True)]


def test_a_shortage_within_the_hour_is_critical_and_stays_so(calm: Forecast) -> None:
    line = Line(calm)
    for lead in (200.0, 150.0, 100.0):
        line.tell(shortfall_probability=0.9, lead_minutes=lead)
    assert line.priority["CAP-SHORT"] == "high"
    line.tell(shortfall_probability=0.9, lead_minutes=59.0)
    assert line.priority["CAP-SHORT"] == "critical"
    line.tell(shortfall_probability=0.9, lead_minutes=70.0)
    assert line.priority["CAP-SHORT"] == "critical"


def test_one_alert_for_one_cause(calm: Forecast) -> None:
    line = Line(calm)
    for _ in range(3):
        line.tell(shortfall_probability=0.3)
    assert line.of("CAP-RISK") == [(15.0, True)]
    for _ in range(3):
        line.tell(shortfall_probability=0.8)
    assert line.of("CAP-RISK") == [(15.0, True), (30.0, False)]
    assert line.of("CAP-SHORT") == [(30.0, True)]


def test_after_a_restart_nothing_is_cleared_before_it_is_known_to_be_over(calm: Forecast) -> None:
    alerts = CapacityAlerts(jinma())
    told = []
    for run in range(6):
        now = dataclasses.replace(calm, at_ms=calm.at_ms + run * 300_000, shortfall_probability=0.3)
        told += [c.id for c in alerts.update(now)]
    assert "CAP-SHORT" not in told


def test_the_next_trailer(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(detail={"trailer_slack_minutes": 61.0})
    line.tell(detail={"trailer_slack_minutes": 59.0})
    assert line.priority["CAP-TRAILER"] == "medium"
    line.tell(detail={"trailer_slack_minutes": -5.0})
    assert line.priority["CAP-TRAILER"] == "high"
    line.tell(detail={"trailer_slack_minutes": 80.0})
    line.tell(detail={"trailer_slack_minutes": 91.0})
    assert line.of("CAP-TRAILER") == [(10.0, True), (25.0, False)]


def test_degraded_inputs(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(1.0, detail={"static": {"degraded": (("PT-310A", 60.0),)}, "on_grid": False})
    assert line.of("CAP-DATA") == []
    line.tell(1.0, detail={"static": {"degraded": (("PT-310A", 120.0),)}, "on_grid": False})
    assert line.priority["CAP-DATA"] == "low"
    line.tell(4.0, detail={"static": {"degraded": (("PT-310A", 360.0),)}}, valid=False)
    assert line.priority["CAP-DATA"] == "medium"
    line.tell(1.0, detail={"on_grid": False})
    line.tell(1.0, detail={"on_grid": False})
    line.tell(1.0, detail={"on_grid": False})
    assert line.of("CAP-DATA") == [(2.0, True), (9.0, False)]


@pytest.mark.parametrize(
    ("alert", "bad", "minutes"),
    [
        ("CAP-N1", {"n_minus_1_ok": False, "detail": {"n_minus_1_shortfall_kg": 90.0}}, 0.0),
        ("CAP-QUEUE", {"queue_wait_p90_minutes": 35.0}, 0.0),
        ("CAP-HB", {"detail": {"static": {"high_bank_mpa": 37.0, "trucks_here": 2}}}, 5.0),
        ("CAP-COOL", {"detail": {"static": {"hoses_over_temperature": 2}}}, 0.0),
        ("CAP-PACE", {"detail": {"static": {"pace": 0.85, "local_hour": 14.0}}}, 30.0),
    ],
)
def test_the_others_hold_for_their_time(calm: Forecast, alert: str, bad: dict[str, Any], minutes: float) -> None:
    line = Line(calm)
    for _ in range(10):
        line.tell(**bad)
    assert line.of(alert) == [(5.0 + minutes, True)]
    for _ in range(10):
        line.tell()
    assert len(line.of(alert)) == 2
