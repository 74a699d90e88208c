"""The nine capacity alerts as timelines of forecasts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from station.domain.capacity import forecast
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.capacity_forecast import Forecast, TriedAction
from station.domain.plant import Plant, Text
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

MINUTE = 60_000


@pytest.fixture(scope="module")
def calm() -> Forecast:
    return forecast(jinma(), snapshot(12.0), 0)


class Line:
    """Feeds forecasts and remembers what the alerts did."""

    def __init__(self, calm: Forecast, plant: Plant | None = None) -> None:
        self.calm, self.alerts, self.minute = calm, CapacityAlerts(plant or jinma()), 0.0
        self.active: dict[str, bool] = {}
        self.priority: dict[str, str] = {}
        self.log: list[tuple[float, str, bool]] = []
        self.text: dict[str, Text] = {}

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
            self.text[condition.id] = condition.text
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
    for p in (0.6, 0.6, 0.59, 0.6, 0.6, 0.7):
        line.tell(shortfall_probability=p)
    assert line.of("CAP-SHORT") == [(30.0, True)]
    for p in (0.1, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1):
        line.tell(shortfall_probability=p)
    assert line.of("CAP-SHORT") == [(30.0, True), (75.0, False)]


@pytest.mark.parametrize("alert", ["CAP-SHORT", "CAP-RISK"])
def test_a_chance_is_judged_by_the_limit_and_dead_band_of_the_station_file(calm: Forecast, alert: str) -> None:
    own = dataclasses.replace(jinma().capacity_alarms[alert], limit=0.4, deadband=0.1)
    plant = dataclasses.replace(jinma(), capacity_alarms={**jinma().capacity_alarms, alert: own})
    line = Line(calm, plant)
    for p in (*[0.39] * 9, *[0.4] * 3, *[0.3] * 9, *[0.29] * 6):
        line.tell(shortfall_probability=p)
    raised = [minute for minute, active in line.of(alert) if active]
    cleared = [minute for minute, active in line.of(alert) if not active]
    assert (len(raised), cleared) == (1, [135.0])
    assert 50.0 <= raised[0] <= 60.0


def test_runs_that_events_asked_for_do_not_count(calm: Forecast) -> None:
    line = Line(calm)
    for _ in range(10):
        line.tell(1.0, detail={"on_grid": False}, shortfall_probability=0.9)
    assert line.of("CAP-SHORT") == []


def test_a_certain_near_shortage_is_raised_at_once(calm: Forecast) -> None:
    line, likely = Line(calm), {"probability_now": 0.65}
    line.tell(detail={"base_shortfall_kg": 79.0, "base_lead_minutes": 30.0, **likely})
    line.tell(detail={"base_shortfall_kg": 300.0, "base_lead_minutes": 300.0, **likely})
    assert line.of("CAP-SHORT") == []
    line.tell(1.0, detail={"base_shortfall_kg": 80.0, "base_lead_minutes": 240.0, "on_grid": False, **likely})
    assert line.of("CAP-SHORT") == [(11.0, True)]


def test_a_base_case_that_most_replicas_gainsay_is_not_certain(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(detail={"base_shortfall_kg": 300.0, "base_lead_minutes": 30.0, "probability_now": 0.64})
    assert line.of("CAP-SHORT") == []
    line.tell(1.0, detail={"base_shortfall_kg": 300.0, "base_lead_minutes": 30.0, "probability_now": 0.65})
    assert line.of("CAP-SHORT") == [(6.0, True)]


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


SHORTAGE: dict[str, Any] = {"shortfall_probability": 0.9, "bottleneck": "trailers"}
"""A shortage as three regular runs tell it."""


def short(line: Line, runs: int = 3, **more: Any) -> None:
    for _ in range(runs):
        line.tell(**(SHORTAGE | {"detail": {"short_kg": 300.0, "short_trucks": 9}} | more))


def test_a_queue_has_two_levels_each_with_its_own_way_back(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(queue_wait_p90_minutes=61.0)
    assert line.priority["CAP-QUEUE"] == "high"
    for _ in range(3):
        line.tell(queue_wait_p90_minutes=39.0)
    assert line.priority["CAP-QUEUE"] == "high"
    line.tell(queue_wait_p90_minutes=39.0)
    assert line.priority["CAP-QUEUE"] == "medium"
    line.tell(queue_wait_p90_minutes=60.0)
    assert line.priority["CAP-QUEUE"] == "high"
    for _ in range(4):
        line.tell(queue_wait_p90_minutes=19.0)
    assert line.of("CAP-QUEUE") == [(5.0, True), (50.0, False)]


@pytest.mark.parametrize("wait", [21.0, 29.0])
def test_a_queue_between_the_levels_neither_begins_nor_ends(calm: Forecast, wait: float) -> None:
    line = Line(calm)
    line.tell(queue_wait_p90_minutes=wait)
    assert line.of("CAP-QUEUE") == []
    line.tell(queue_wait_p90_minutes=30.0)
    for _ in range(6):
        line.tell(queue_wait_p90_minutes=wait)
    assert line.of("CAP-QUEUE") == [(10.0, True)]


def test_the_risk_is_raised_by_three_runs_and_cleared_by_six(calm: Forecast) -> None:
    line = Line(calm)
    for p in (0.2, 0.2, 0.2, 0.15, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09):
        line.tell(shortfall_probability=p)
    assert line.of("CAP-RISK") == [(15.0, True), (50.0, False)]


def test_a_lost_reserve_is_over_after_half_an_hour(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(n_minus_1_ok=False, detail={"n_minus_1_shortfall_kg": 90.0, "down": ("train-2",)})
    assert "with one more train away 90 kg" in line.text["CAP-N1"].en
    assert "Bring back train 2" in line.text["CAP-N1"].en
    line.tell(n_minus_1_ok=False, detail={"late_trailer_shortfall_kg": 70.0})
    assert "with the next trailer 2 h late 70 kg" in line.text["CAP-N1"].en
    both = {"n_minus_1_shortfall_kg": 90.0, "late_trailer_shortfall_kg": 70.0}
    line.tell(n_minus_1_ok=False, detail=both)
    assert "train away 90 kg" in line.text["CAP-N1"].en
    assert "2 h late 70 kg" in line.text["CAP-N1"].en
    for _ in range(7):
        line.tell()
    assert line.of("CAP-N1") == [(5.0, True), (50.0, False)]


def test_a_hot_tank_ahead_is_cooling_too(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(detail={"hottest_tank_c": 80.0})
    assert line.of("CAP-COOL") == []
    line.tell(detail={"hottest_tank_c": 83.0, "down": ("chiller-1", "chiller-2")})
    assert "83 degC" in line.text["CAP-COOL"].en
    assert "Restart chiller 1 and chiller 2" in line.text["CAP-COOL"].en
    assert "冷水机组 1、冷水机组 2" in line.text["CAP-COOL"].zh
    for _ in range(4):
        line.tell()
    assert line.of("CAP-COOL") == [(10.0, True), (30.0, False)]


def test_the_high_bank_and_the_pace_have_bands(calm: Forecast) -> None:
    line, limit = Line(calm), calm.detail.static.end_pressure_mpa + 2.0
    low = {"high_bank_mpa": limit - 0.1, "trucks_here": 1, "pace": 0.89, "local_hour": 12.0}
    band = {"high_bank_mpa": limit + 0.9, "trucks_here": 1, "pace": 0.94, "local_hour": 12.0}
    for _ in range(7):
        line.tell(detail={"static": low})
    assert line.of("CAP-HB") == [(10.0, True)]
    assert line.of("CAP-PACE") == [(35.0, True)]
    for _ in range(7):
        line.tell(detail={"static": band})
    assert len(line.log) == 2
    over = {"high_bank_mpa": limit + 1.1, "pace": 0.96, "local_hour": 12.0}
    line.tell(detail={"static": over})
    line.tell(detail={"static": over})
    assert line.of("CAP-HB")[-1] == (80.0, False)
    assert line.of("CAP-PACE")[-1] == (75.0, False)


def test_an_empty_yard_of_trucks_or_an_early_hour_raises_nothing(calm: Forecast) -> None:
    line = Line(calm)
    for _ in range(9):
        line.tell(detail={"static": {"high_bank_mpa": 20.0, "trucks_here": 0, "pace": 0.5, "local_hour": 9.9}})
    assert line.log == []


def test_a_shortage_speaks_for_what_says_less_of_it(calm: Forecast) -> None:
    line = Line(calm)
    late = {"trailer_slack_minutes": -30.0, "n_minus_1_shortfall_kg": 90.0}
    line.tell(n_minus_1_ok=False, detail=late)
    assert line.active["CAP-TRAILER"]
    assert line.active["CAP-N1"]
    short(line, n_minus_1_ok=False, detail=late | {"short_kg": 300.0})
    assert {name for name, active in line.active.items() if active} == {"CAP-SHORT"}
    # The limiting block may change while the shortage lasts: that is no new cause.
    short(line, n_minus_1_ok=False, detail=late | {"short_kg": 300.0}, bottleneck="storage")
    assert {name for name, active in line.active.items() if active} == {"CAP-SHORT"}
    for _ in range(6):
        line.tell(shortfall_probability=0.05, detail={"trailer_slack_minutes": 30.0})
    assert not line.active["CAP-SHORT"]
    assert line.active["CAP-TRAILER"]


def test_a_trailer_is_told_beside_a_shortage_of_something_else(calm: Forecast) -> None:
    line = Line(calm)
    late = {"trailer_slack_minutes": 30.0, "short_kg": 300.0}
    short(line, detail=late, bottleneck="compression")
    assert line.active["CAP-SHORT"]
    assert line.active["CAP-TRAILER"]


def test_consequences_of_a_shortage_are_not_raised_anew_but_end_by_their_own_rule(calm: Forecast) -> None:
    line = Line(calm)
    line.tell(queue_wait_p90_minutes=45.0)
    low = {"static": {"high_bank_mpa": 30.0, "trucks_here": 3, "pace": 0.5, "local_hour": 14.0}, "short_kg": 300.0}
    short(line, 9, detail=low, queue_wait_p90_minutes=45.0)
    assert line.of("CAP-HB") == [(15.0, True)]
    assert line.of("CAP-PACE") == []
    for _ in range(4):
        line.tell(**SHORTAGE, detail={"short_kg": 300.0})
    assert line.of("CAP-QUEUE")[-1][1] is False
    assert line.of("CAP-HB")[-1][1] is False
    assert line.active["CAP-SHORT"]
    short(line, 9, detail=low, queue_wait_p90_minutes=45.0)
    assert not line.active["CAP-QUEUE"]
    assert not line.active["CAP-HB"]


def test_what_a_shortage_held_back_is_raised_when_it_is_over(calm: Forecast) -> None:
    line = Line(calm)
    short(line, 4, queue_wait_p90_minutes=10.0)
    for _ in range(7):
        line.tell(shortfall_probability=0.05, queue_wait_p90_minutes=45.0)
    assert line.of("CAP-SHORT")[-1] == (50.0, False)
    assert line.of("CAP-QUEUE") == [(50.0, True)]


def test_an_alert_follows_the_newest_forecast_and_keeps_its_words_while_it_eases(calm: Forecast) -> None:
    line = Line(calm)
    short(line)
    assert "300 kg and 9 trucks" in line.text["CAP-SHORT"].en
    short(line, 1, detail={"short_kg": 210.0, "short_trucks": 6})
    assert "210 kg and 6 trucks" in line.text["CAP-SHORT"].en
    eased = []
    for _ in range(5):
        line.tell(shortfall_probability=0.1)
        eased.append(line.text["CAP-SHORT"])
    assert len(set(eased)) == 1
    assert "210 kg and 6 trucks" in eased[0].en
    assert "Easing" in eased[0].en
    short(line, 1)
    assert "Easing" not in line.text["CAP-SHORT"].en


def test_an_alert_says_the_same_action_while_two_are_alike(calm: Forecast) -> None:
    line, advised = Line(calm), []
    for other in (0.0, 25.0, 0.0, 25.0):
        actions = tuple(
            TriedAction(name, kg, Text(f"Do {name}", name), 0) for name, kg in (("one", 20.0), ("other", other))
        )
        short(line, detail={"short_kg": 900.0, "short_trucks": 20, "actions": actions})
        advised.append("Do one" in line.text["CAP-SHORT"].en)
    assert len(set(advised)) == 1


def test_a_restart_in_a_shortage_clears_what_the_shortage_speaks_for(calm: Forecast) -> None:
    line = Line(calm)
    short(line, 2, n_minus_1_ok=False)
    assert "CAP-RISK" not in line.active
    short(line, 1, n_minus_1_ok=False)
    # The journal may still have them active from before the restart: the clear is told once.
    assert line.active["CAP-RISK"] is False
    assert line.active["CAP-N1"] is False
