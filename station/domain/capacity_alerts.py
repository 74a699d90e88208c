"""The capacity alerts over successive forecasts, each with its own hysteresis (DOMAIN 4.4).

An alert that has not been decided since the start is neither raised nor cleared: a restart in the middle of a shortage
leaves the alarm as the journal has it, until the forecasts say otherwise.

One alert for one cause. While CAP-SHORT is active it speaks for the cause: CAP-RISK and CAP-N1, which said less of the
same, are cleared; so is CAP-TRAILER once the shortage is one of trailers, and stays silent until the shortage is over,
however often the limiting block changes. CAP-HB, CAP-QUEUE and CAP-PACE are consequences of a shortage: they are not
raised anew while it lasts, and one that is active ends by its own rule. CAP-COOL and CAP-DATA stand for themselves: a
hot tank and a missing sensor want hands of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.capacity_alert_rules import RULES, Context, Rule, Verdict
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_text import best_action
from station.domain.plant import Plant, Text

MINUTE_MS = 60_000
SHORT, TRAILER = "CAP-SHORT", "CAP-TRAILER"
_SAID_BY_SHORT = ("CAP-RISK", "CAP-N1")
_FOLLOWS_FROM_SHORT = ("CAP-HB", "CAP-QUEUE", "CAP-PACE")
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


@dataclass(slots=True)
class _Row:
    """A condition in a row of forecasts: how many runs of the regular grid, and since when."""

    runs: int = 0
    since_ms: int | None = None

    def count(self, forecast: Forecast, *, holds: bool) -> None:
        """Take the next forecast; one that an event asked for may break a row but does not lengthen it."""
        if not holds:
            self.runs, self.since_ms = 0, None
            return
        self.runs += int(forecast.detail.on_grid)
        if self.since_ms is None:
            self.since_ms = forecast.at_ms

    def held(self, runs: int, minutes: float, at_ms: int) -> bool:
        """Return whether the condition holds and has held for long enough."""
        return self.since_ms is not None and self.runs >= runs and at_ms - self.since_ms >= minutes * MINUTE_MS


class _Memory:
    """One alert's past; `active` None while undecided; `text` is what it said last while it had something to say."""

    def __init__(self) -> None:
        self.active: bool | None = None
        self.priority = "low"
        self.raising, self.clearing, self.easing = _Row(), _Row(), _Row()
        self.text: Text | None = None


class CapacityAlerts:
    """The hysteresis of all nine alerts.

    Args:
        plant: The station; its `capacity_alarms` name the alerts that are wanted.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._rules = CapacityParameters.of(plant.parameters)
        # In the order of the rules: the shortage is decided before what it speaks for.
        self._memory = {alert: _Memory() for alert in RULES if alert in plant.capacity_alarms}
        self._action: str | None = None
        self._short_of_trailers = False

    def update(self, forecast: Forecast) -> list[CapacityCondition]:
        """Take the next forecast.

        Args:
            forecast: Smoothed, in the order of their times.

        Returns:
            The alerts that are active, with what they say now, and those that have just cleared.
        """
        best = best_action(forecast, self._action)
        self._action = None if best is None else best.name
        context = Context(self._plant, self._rules, forecast, self._action)
        told = []
        for alert, memory in self._memory.items():
            rule = RULES[alert]
            verdict, was = rule.judge(context), memory.active
            self._step(alert, memory, verdict, forecast)
            if memory.active or memory.active is not was:
                told.append(self._condition(alert, memory, verdict, forecast))
            if alert == SHORT:
                cause = forecast.bottleneck == "trailers"
                self._short_of_trailers = bool(memory.active) and (self._short_of_trailers or cause)
        return told

    def _is_short(self) -> bool:
        return SHORT in self._memory and bool(self._memory[SHORT].active)

    def _silent(self, alert: str) -> bool:
        """Return whether the shortage already says what this alert would."""
        return (alert in _SAID_BY_SHORT and self._is_short()) or (alert == TRAILER and self._short_of_trailers)

    def _condition(self, alert: str, memory: _Memory, verdict: Verdict, forecast: Forecast) -> CapacityCondition:
        text = self._plant.capacity_alarms[alert].text
        if memory.active:
            text = _active_text(memory, verdict, text)
        else:
            memory.text = None
        return CapacityCondition(
            id=alert,
            active=bool(memory.active),
            priority=memory.priority,
            at_ms=forecast.at_ms,
            value=verdict.value,
            limit=verdict.limit,
            text=text,
        )

    def _step(self, alert: str, memory: _Memory, verdict: Verdict, forecast: Forecast) -> None:
        rule, at_ms = RULES[alert], forecast.at_ms
        memory.raising.count(forecast, holds=verdict.raises)
        memory.clearing.count(forecast, holds=verdict.clears)
        memory.easing.count(forecast, holds=verdict.eases)
        if self._silent(alert):
            memory.active = False
        elif memory.active:
            _go_on(rule, memory, verdict, at_ms)
        elif verdict.at_once or memory.raising.held(rule.raise_runs, rule.raise_min, at_ms):
            # One that follows from a shortage waits until that is over; it counts on meanwhile.
            if alert not in _FOLLOWS_FROM_SHORT or not self._is_short():
                memory.active, memory.priority = True, verdict.priority
        elif memory.clearing.held(rule.clear_runs, 0.0, at_ms):
            memory.active = False


def _go_on(rule: Rule, memory: _Memory, verdict: Verdict, at_ms: int) -> None:
    """Let an active alert get worse by a class at once, better by one after its time, or end."""
    if memory.clearing.held(rule.clear_runs, rule.clear_min, at_ms):
        memory.active = False
        return
    worse = verdict.raises and _WORSE.index(verdict.priority) > _WORSE.index(memory.priority)
    if worse or memory.easing.held(rule.clear_runs, rule.clear_min, at_ms):
        memory.priority = verdict.priority


def _active_text(memory: _Memory, verdict: Verdict, standing: Text) -> Text:
    """Return what an active alert says: the newest forecast's words while it still sees the matter.

    On the way to the end, when the newest forecast no longer sees it, the last words stay, marked once: a text of
    nothing short and nothing to do would be a riddle, and one that comes and goes is worse.
    """
    if verdict.tells:
        memory.text = verdict.text()
        return memory.text
    last = memory.text or standing
    return Text(f"{last.en} (Easing; not seen in the newest forecast.)", f"{last.zh}（趋于缓解，最新预测中未再出现。）")
