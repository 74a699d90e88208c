"""What one forecast says of each of the nine capacity alerts, row by row of DOMAIN 4.4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from station.domain.capacity_actions import spoken
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_text import (
    BLOCKS,
    action_text,
    local_time,
    possible_text,
    reserve_text,
    shortage_text,
    span,
)
from station.domain.plant import Plant, Text

_RUNS_TO_RAISE, _RUNS_TO_CLEAR = 3, 6

SHORT_CHANCES, RISK_CHANCES = (0.5, 0.2), (0.2, 0.1)
"""Probabilities of a shortage that raise and that clear CAP-SHORT and CAP-RISK where a station file names none."""

HOT_TANK_C = 80.0
"""A tank that a fill would leave hotter than this is near the 85 degC it is built for (DOMAIN 4.4)."""

WARM_HOSES = 2
"""So many hoses with warm gas are the chillers' fault, one is its own."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an alert is judged by.

    Attributes:
        action: Name of the action that the alerts advise; see `capacity_text.best_action`.
    """

    plant: Plant
    rules: CapacityParameters
    forecast: Forecast
    action: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one forecast says of one alert.

    Attributes:
        raises: The raise condition holds in this forecast.
        clears: The clear condition holds.
        priority: While it is active.
        value, limit: What was compared, in the unit of the text.
        text: Its words; may be asked only while `tells`.
        at_once: It is raised so clearly that nothing needs to be waited for.
        eases: It has come far enough below a higher priority's level to fall back to `priority`.
        tells: The forecast still sees the matter.
    """

    raises: bool
    clears: bool
    priority: str
    value: float | None
    limit: float | None
    text: Callable[[], Text]
    at_once: bool = False
    eases: bool = False
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a condition must hold: in runs of the regular grid, or in minutes between any forecasts."""

    judge: Callable[[Context], Verdict]
    raise_runs: int = 0
    clear_runs: int = 0
    raise_min: float = 0.0
    clear_min: float = 0.0


def chance_limits(plant: Plant, alarm: str, usual: tuple[float, float]) -> tuple[float, float]:
    """Return the probabilities from which an alert of a shortage is raised, and under which it clears.

    Args:
        plant: Whose file has the alarm's limit and dead-band.
        alarm: Name of the alert.
        usual: The two where the file has none.
    """
    spec = plant.capacity_alarms.get(alarm)
    if spec is None or spec.limit is None:
        return usual
    return spec.limit, round(spec.limit - spec.deadband, 6)


def _short(c: Context) -> Verdict:
    f, rules = c.forecast, c.rules
    raised_from, clear_under = chance_limits(c.plant, "CAP-SHORT", SHORT_CHANCES)
    p, lead = f.shortfall_probability, f.detail.base_lead_minutes
    # The base case is one course of the day. Where it hangs on one overdue trailer, most replicas of the same run
    # may tell another one: such a shortage is possible, not certain, and waits for its runs.
    sure = f.detail.probability_now >= rules.shortfall_certain_share
    certain = sure and f.detail.base_shortfall_kg >= rules.shortfall_certain_kg
    near = lead is not None and lead <= rules.shortfall_certain_lead_min
    return Verdict(
        raises=p >= raised_from,
        at_once=certain and near,
        clears=p < clear_under and not certain,
        priority="critical" if f.lead_minutes is not None and f.lead_minutes < 60.0 else "high",
        value=round(p, 3),
        limit=raised_from,
        text=lambda: shortage_text(c.plant, f, c.action),
        tells=_sees_shortage(f),
    )


def _sees_shortage(f: Forecast) -> bool:
    return f.detail.short_kg >= 1.0 and f.bottleneck != "none"


def _risk(c: Context) -> Verdict:
    f = c.forecast
    p = f.shortfall_probability
    raised_from, clear_under = chance_limits(c.plant, "CAP-RISK", RISK_CHANCES)
    return Verdict(
        raises=p >= raised_from,
        clears=p < clear_under,
        priority="medium",
        value=round(p, 3),
        limit=raised_from,
        text=lambda: possible_text(shortage_text(c.plant, f, c.action), p),
        tells=_sees_shortage(f),
    )


def _trailer(c: Context) -> Verdict:
    f = c.forecast
    slack = f.detail.trailer_slack_minutes
    return Verdict(
        raises=slack is not None and slack < 60.0,
        clears=slack is None or slack > 90.0,
        priority="high" if slack is not None and slack < 0.0 else "medium",
        value=None if slack is None else round(slack, 1),
        limit=60.0,
        text=lambda: _trailer_text(c, slack or 0.0),
        tells=slack is not None and f.trailer_needed_by_ms is not None,
    )


def _trailer_text(c: Context, slack: float) -> Text:
    f, plant = c.forecast, c.plant
    by, late, eta = local_time(plant, f.trailer_needed_by_ms or f.at_ms), span(abs(slack)), f.detail.next_trailer_eta_ms
    come = Text("none announced", "无到车预告")
    if eta is not None:
        at = local_time(plant, eta)
        late_en, late_zh = ("too late", "将晚") if slack < 0.0 else ("to spare", "余量")
        come = Text(f"expected {at}, {late.en} {late_en}", f"预计 {at} 到站，{late_zh} {late.zh}")
    en = f"The next trailer must be here by {by} ({come.en})."
    zh = f"下一辆长管拖车最迟须在 {by} 到站（{come.zh}）。"
    if _sees_shortage(f):
        short = shortage_text(plant, f, c.action)
        return Text(f"{en} {short.en}", f"{zh}{short.zh}")
    kg = round(f.detail.without_trailers_kg)
    if kg >= 1:
        en, zh = f"{en} Without it {kg} kg go short today.", f"{zh}若不到站，今日将短缺 {kg} kg。"
    en = f"{en} Confirm the delivery; if in doubt call a trailer to be here by {by}."
    return Text(en, f"{zh}请确认送货；如无把握，请增调长管拖车并于 {by} 前到站。")


def _n_minus_1(c: Context) -> Verdict:
    f, least = c.forecast, c.rules.shortfall_kg
    fine = f.detail.base_shortfall_kg < least
    worst = max(f.detail.n_minus_1_shortfall_kg, f.detail.late_trailer_shortfall_kg)

    def text() -> Text:
        lost = reserve_text(f, least)
        if f.detail.down:
            units = spoken(f.detail.down)
            return Text(f"{lost.en} Bring back {units.en}.", f"{lost.zh}请恢复{units.zh}。")
        return Text(
            f"{lost.en} Confirm the next deliveries; put off maintenance.", f"{lost.zh}请确认后续到车，推迟检修。"
        )

    return Verdict(
        raises=fine and not f.n_minus_1_ok,
        clears=f.n_minus_1_ok,
        priority="low",
        value=round(worst, 1),
        limit=least,
        text=text,
        tells=not f.n_minus_1_ok,
    )


def _high_bank(c: Context) -> Verdict:
    static = c.forecast.detail.static
    limit, high = static.end_pressure_mpa + c.plant.fill.end_margin_mpa, static.high_bank_mpa

    def text() -> Text:
        here = static.trucks_here
        trucks = "truck is" if here == 1 else "trucks are"
        return Text(
            f"High bank at {high:.1f} MPa, {limit:.1f} MPa are needed to fill up; {here} {trucks} here. Limit: storage "
            "pressure. Start every train; let the next trucks wait until it recovers.",
            f"高压瓶组 {high:.1f} MPa，加满需 {limit:.1f} MPa，站内 {here} 辆车。限制环节：储氢瓶组压力。"
            "请启动全部压缩机，待压力恢复后再接后续车辆。",
        )

    raises = high < limit and static.trucks_here > 0
    return Verdict(raises, high > limit + 1.0, "medium", round(high, 2), round(limit, 2), text)


def _queue(c: Context) -> Verdict:
    f = c.forecast
    wait = f.queue_wait_p90_minutes
    high = wait >= 60.0

    def text() -> Text:
        w, more = span(wait), Text("", "")
        if f.bottleneck != "none":
            more = Text(f" Limit: {BLOCKS[f.bottleneck].en}.", f"限制环节：{BLOCKS[f.bottleneck].zh}。")
        what = Text(
            "Open every hose and spread the bookings; tell the fleets.", "请开放全部加氢枪，错开预约并通知车队。"
        )
        if _sees_shortage(f):
            what = action_text(c.plant, f, c.action)
        return Text(
            f"One truck in ten will wait {w.en} or longer within the next 2 h.{more.en} {what.en}",
            f"未来 2 小时内约一成车辆将等待 {w.zh} 以上。{more.zh}{what.zh}",
        )

    # Of two levels each has its own way back: under 40 min it is no longer high, under 20 min it is over.
    return Verdict(
        raises=wait >= 30.0,
        clears=wait < 20.0,
        eases=wait < 40.0,
        priority="high" if high else "medium",
        value=round(wait, 1),
        limit=60.0 if high else 30.0,
        text=text,
    )


def _pace(c: Context) -> Verdict:
    f = c.forecast
    pace, given = f.detail.static.pace, f.done.kg

    def text() -> Text:
        share = pace or 0.0
        asked = given / share if share > 0.0 else 0.0
        behind = round(max(0.0, asked - given))
        return Text(
            f"Behind the demand: {round(given)} kg given so far today, {round(100 * share)} % of what was asked for, "
            f"{behind} kg behind. Look at the stop reasons of the last fills and at who waits.",
            f"加注落后于需求：今日已加注 {round(given)} kg，为需求的 {round(100 * share)} %，落后 {behind} kg。"
            "请查看近期加注的停止原因及等待车辆。",
        )

    raises = pace is not None and pace < 0.9 and f.detail.static.local_hour > 10.0
    value = None if pace is None else round(pace, 3)
    return Verdict(raises, pace is None or pace > 0.95, "low", value, 0.9, text, tells=pace is not None)


def _cool(c: Context) -> Verdict:
    detail = c.forecast.detail
    hoses, tank_c = detail.static.hoses_over_temperature, detail.hottest_tank_c
    warm, hot = hoses >= WARM_HOSES, tank_c > HOT_TANK_C

    def text() -> Text:
        said = []
        if hoses:
            noun = "hose" if hoses == 1 else "hoses"
            said.append(
                Text(f"Gas is warmer than -8 degC at {hoses} {noun}.", f"{hoses} 把加氢枪加注时气体温度高于 -8 ℃。")
            )
        if hot:
            said.append(
                Text(f"A fill would end with the tank at {tank_c:.0f} degC.", f"加注结束时气瓶预计达 {tank_c:.0f} ℃。")
            )
        down = [unit for unit in detail.down if unit.startswith("chiller")]
        do = Text("Look at the chillers; fill fewer trucks at once.", "请检查冷水机组，减少同时加注。")
        if down:
            units = spoken(down)
            do = Text(f"Restart {units.en}; fill fewer trucks at once.", f"请尽快恢复{units.zh}，减少同时加注。")
        limit = Text("Limit: cooling.", "限制环节：预冷。")
        return Text(" ".join(t.en for t in (*said, limit, do)), "".join(t.zh for t in (*said, limit, do)))

    value, limit = (float(hoses), float(WARM_HOSES)) if warm or not hot else (round(tank_c, 1), HOT_TANK_C)
    return Verdict(warm or hot, hoses == 0 and not hot, "medium", value, limit, text, tells=hoses > 0 or hot)


def _data(c: Context) -> Verdict:
    f = c.forecast
    degraded = f.detail.static.degraded
    longest = max((seconds for _, seconds in degraded), default=0.0)

    def text() -> Text:
        named = ", ".join(signal for signal, _ in degraded[:4]) + (" .." if len(degraded) > 4 else "")
        since = span(longest / 60.0)
        if not f.valid:
            return Text(
                f"Forecast invalid, inputs missing for {since.en}: {named}. Mend the sensor or gateway.",
                f"预测无效，输入缺失 {since.zh}：{named}。请修复传感器或网关。",
            )
        return Text(
            f"Forecast less certain, inputs degraded for {since.en}: {named}. Mend the sensor or gateway.",
            f"预测精度下降，输入异常 {since.zh}：{named}。请修复传感器或网关。",
        )

    priority = "low" if f.valid else "medium"
    return Verdict(longest > 60.0, not degraded, priority, round(longest), 60.0, text, tells=bool(degraded))


RULES: dict[str, Rule] = {
    "CAP-SHORT": Rule(_short, _RUNS_TO_RAISE, _RUNS_TO_CLEAR),
    "CAP-RISK": Rule(_risk, _RUNS_TO_RAISE, _RUNS_TO_CLEAR),
    "CAP-TRAILER": Rule(_trailer),
    "CAP-N1": Rule(_n_minus_1, clear_min=30.0),
    "CAP-HB": Rule(_high_bank, raise_min=5.0, clear_min=5.0),
    "CAP-QUEUE": Rule(_queue, clear_min=15.0),
    "CAP-PACE": Rule(_pace, raise_min=30.0),
    "CAP-COOL": Rule(_cool, clear_min=15.0),
    "CAP-DATA": Rule(_data, clear_min=2.0),
}
"""DOMAIN 4.4, row by row."""
