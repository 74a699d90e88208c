"""The capacity alerts over successive forecasts, each with its own hysteresis (DOMAIN 4.4).

An alert that has not been decided since the start is neither raised nor cleared: a restart in the middle of a shortage
leaves the alarm as the journal has it, until the forecasts say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from station.domain.capacity_forecast import Forecast
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_text import local_time, possible_text, reserve_text, shortage_text, span
from station.domain.plant import Plant, Text

MINUTE_MS = 60_000
_RUNS_TO_RAISE, _RUNS_TO_CLEAR = 3, 6
SHORT, RISK = "CAP-SHORT", "CAP-RISK"
_WORSE = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class CapacityCondition:
    """A capacity alert as it stands: `value` against `limit` in the unit of its text."""

    id: str
    active: bool
    priority: str
    at_ms: int
    value: float | None
    limit: float | None
    text: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one forecast says of one alert.

    Attributes:
        raises: The raise condition holds in this forecast.
        at_once: So clearly that nothing needs to be waited for.
        clears: The clear condition holds.
        priority: While it is active.
    """

    raises: bool
    clears: bool
    priority: str
    value: float | None
    limit: float | None
    text: Callable[[], Text]
    at_once: bool = False


@dataclass(slots=True)
class _Memory:
    """One alert's past; `active` None while undecided; counts are runs of the regular grid."""

    active: bool | None = None
    priority: str = "low"
    raising: int = 0
    clearing: int = 0
    raising_since_ms: int | None = None
    clearing_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    """How long a condition must hold: in runs of the regular grid, or in minutes between any forecasts."""

    judge: Callable[[Plant, CapacityParameters, Forecast], Verdict]
    raise_runs: int = 0
    clear_runs: int = 0
    raise_min: float = 0.0
    clear_min: float = 0.0


class CapacityAlerts:
    """The hysteresis of all nine alerts.

    Args:
        plant: The station; its `capacity_alarms` name the alerts that are wanted.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._rules = CapacityParameters.of(plant.parameters)
        # In the order of the rules: the shortage is decided before the risk of it.
        self._memory = {alert: _Memory() for alert in RULES if alert in plant.capacity_alarms}

    def update(self, forecast: Forecast) -> list[CapacityCondition]:
        """Take the next forecast.

        Args:
            forecast: Smoothed, in the order of their times.

        Returns:
            The alerts that are active, with what they say now, and those that have just cleared.
        """
        told = []
        for alert, memory in self._memory.items():
            verdict = RULES[alert].judge(self._plant, self._rules, forecast)
            was = memory.active
            self._step(RULES[alert], memory, verdict, forecast)
            if alert == RISK and self._is_active(SHORT):
                # One alert for one cause: the shortage says all that the risk of it said.
                memory.active = False
            if memory.active or memory.active is not was:
                told.append(self._condition(alert, memory, verdict, forecast))
        return told

    def _is_active(self, alert: str) -> bool:
        return alert in self._memory and bool(self._memory[alert].active)

    def _condition(self, alert: str, memory: _Memory, verdict: Verdict, forecast: Forecast) -> CapacityCondition:
        return CapacityCondition(
            id=alert,
            active=bool(memory.active),
            priority=memory.priority,
            at_ms=forecast.at_ms,
            value=verdict.value,
            limit=verdict.limit,
            text=verdict.text() if memory.active else self._plant.capacity_alarms[alert].text,
        )

    def _step(self, rule: _Rule, memory: _Memory, verdict: Verdict, forecast: Forecast) -> None:
        _count(memory, verdict, forecast)
        if memory.active:
            if _WORSE.index(verdict.priority) > _WORSE.index(memory.priority) and verdict.raises:
                memory.priority = verdict.priority
            if _held(memory.clearing, memory.clearing_since_ms, rule.clear_runs, rule.clear_min, forecast.at_ms):
                memory.active = False
        elif verdict.at_once or _held(
            memory.raising, memory.raising_since_ms, rule.raise_runs, rule.raise_min, forecast.at_ms
        ):
            memory.active, memory.priority = True, verdict.priority
        elif memory.clearing_since_ms is not None and memory.clearing >= rule.clear_runs:
            memory.active = False


def _count(memory: _Memory, verdict: Verdict, forecast: Forecast) -> None:
    """Count regular runs in a row; a forecast that an event asked for breaks a row but does not lengthen it."""
    step = int(forecast.detail.on_grid)
    memory.raising = memory.raising + step if verdict.raises else 0
    memory.clearing = memory.clearing + step if verdict.clears else 0
    if not verdict.raises:
        memory.raising_since_ms = None
    elif memory.raising_since_ms is None:
        memory.raising_since_ms = forecast.at_ms
    if not verdict.clears:
        memory.clearing_since_ms = None
    elif memory.clearing_since_ms is None:
        memory.clearing_since_ms = forecast.at_ms


def _held(runs: int, since_ms: int | None, least_runs: int, least_min: float, at_ms: int) -> bool:
    """Return whether a condition holds and has held for long enough."""
    return since_ms is not None and runs >= least_runs and at_ms - since_ms >= least_min * MINUTE_MS


# --- the nine ---


def _short(plant: Plant, rules: CapacityParameters, f: Forecast) -> Verdict:
    p, detail = f.shortfall_probability, f.detail
    lead = detail.base_lead_minutes
    certain = detail.base_shortfall_kg >= rules.shortfall_certain_kg
    near = lead is not None and lead <= rules.shortfall_certain_lead_min
    return Verdict(
        raises=p >= 0.5,
        at_once=certain and near,
        clears=p < 0.2 and not certain,
        priority="critical" if f.lead_minutes is not None and f.lead_minutes < 60.0 else "high",
        value=round(p, 3),
        limit=0.5,
        text=lambda: shortage_text(plant, f),
    )


def _risk(plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    p = f.shortfall_probability

    return Verdict(
        raises=p >= 0.2,
        clears=p < 0.1,
        priority="medium",
        value=round(p, 3),
        limit=0.2,
        text=lambda: possible_text(shortage_text(plant, f), p),
    )


def _trailer(plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    slack, needed, eta = f.detail.trailer_slack_minutes, f.trailer_needed_by_ms, f.detail.next_trailer_eta_ms

    def text() -> Text:
        assert slack is not None
        assert needed is not None
        by, late = local_time(plant, needed), span(abs(slack))
        come = Text("none announced", "无到车预告")
        if eta is not None:
            at = local_time(plant, eta)
            come = Text(f"expected {at}", f"预计 {at} 到站")
        margin = Text(f"{late.en} to spare", f"余量 {late.zh}")
        if slack < 0.0:
            margin = Text(f"{late.en} too late", f"将晚 {late.zh}")
        return Text(
            f"The next trailer must be here by {by} ({come.en}, {margin.en}). Call a trailer.",
            f"下一辆长管拖车最迟须在 {by} 到站（{come.zh}，{margin.zh}）。请联系增调。",
        )

    return Verdict(
        raises=slack is not None and slack < 60.0,
        clears=slack is None or slack > 90.0,
        priority="high" if slack is not None and slack < 0.0 else "medium",
        value=None if slack is None else round(slack, 1),
        limit=60.0,
        text=text,
    )


def _n_minus_1(_plant: Plant, rules: CapacityParameters, f: Forecast) -> Verdict:
    fine = f.detail.base_shortfall_kg < rules.shortfall_kg
    worst = max(f.detail.n_minus_1_shortfall_kg, f.detail.late_trailer_shortfall_kg)
    return Verdict(
        raises=fine and not f.n_minus_1_ok,
        clears=f.n_minus_1_ok,
        priority="low",
        value=round(worst, 1),
        limit=rules.shortfall_kg,
        text=lambda: reserve_text(f),
    )


def _high_bank(plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    static, margin = f.detail.static, plant.fill.end_margin_mpa
    limit = static.end_pressure_mpa + margin
    high = static.high_bank_mpa

    def text() -> Text:
        return Text(
            f"High bank at {high:.1f} MPa, trucks need {limit:.1f} MPa to be filled up. Hold trucks until it recovers.",
            f"高压瓶组 {high:.1f} MPa，加满需 {limit:.1f} MPa。请待压力恢复后再加注。",
        )

    raises = high < limit and static.trucks_here > 0
    return Verdict(raises, high > limit + 1.0, "medium", round(high, 2), round(limit, 2), text)


def _queue(_plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    wait = f.queue_wait_p90_minutes
    high = wait >= 60.0

    def text() -> Text:
        w = span(wait)
        return Text(
            f"One truck in ten will wait {w.en} or longer within the next 2 h. Tell the fleets.",
            f"未来 2 小时内约一成车辆将等待 {w.zh} 以上。请通知车队。",
        )

    return Verdict(
        wait >= 30.0, wait < 20.0, "high" if high else "medium", round(wait, 1), 60.0 if high else 30.0, text
    )


def _pace(_plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    pace, hour = f.detail.static.pace, f.detail.static.local_hour

    def text() -> Text:
        percent = round(100.0 * (pace or 0.0))
        return Text(
            f"Only {percent} % of the kilograms asked for so far today were given.",
            f"今日已加注量仅为已到车辆需求的 {percent} %。",
        )

    raises = pace is not None and pace < 0.9 and hour > 10.0
    return Verdict(raises, pace is None or pace > 0.95, "low", None if pace is None else round(pace, 3), 0.9, text)


def _cool(_plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    hoses = f.detail.static.hoses_over_temperature

    def text() -> Text:
        return Text(
            f"Gas is warmer than -8 degC at {hoses} hoses in a fill. Look at the chillers.",
            f"{hoses} 把加氢枪加注时气体温度高于 -8 ℃。请检查冷水机组。",
        )

    return Verdict(hoses >= 2, hoses == 0, "medium", float(hoses), 2.0, text)


def _data(_plant: Plant, _rules: CapacityParameters, f: Forecast) -> Verdict:
    degraded = f.detail.static.degraded
    longest = max((seconds for _, seconds in degraded), default=0.0)

    def text() -> Text:
        named = ", ".join(signal for signal, _ in degraded[:4]) + (" .." if len(degraded) > 4 else "")
        if not f.valid:
            return Text(f"Forecast invalid, inputs missing: {named}", f"预测无效，缺少输入：{named}")
        return Text(f"Forecast less certain, inputs degraded: {named}", f"预测精度下降，输入异常：{named}")

    return Verdict(longest > 60.0, not degraded, "low" if f.valid else "medium", round(longest), 60.0, text)


RULES: dict[str, _Rule] = {
    SHORT: _Rule(_short, _RUNS_TO_RAISE, _RUNS_TO_CLEAR),
    RISK: _Rule(_risk, _RUNS_TO_RAISE, _RUNS_TO_CLEAR),
    "CAP-TRAILER": _Rule(_trailer),
    "CAP-N1": _Rule(_n_minus_1, clear_min=30.0),
    "CAP-HB": _Rule(_high_bank, raise_min=5.0, clear_min=5.0),
    "CAP-QUEUE": _Rule(_queue, clear_min=15.0),
    "CAP-PACE": _Rule(_pace, raise_min=30.0),
    "CAP-COOL": _Rule(_cool, raise_min=5.0, clear_min=15.0),
    "CAP-DATA": _Rule(_data, clear_min=2.0),
}
"""DOMAIN 4.4, row by row."""
