"""The forecast in words, in both languages: what is short, when, why, and what to do about it (DOMAIN 4.4)."""

from __future__ import annotations

import datetime as dt

from station.domain.capacity_actions import best
from station.domain.capacity_forecast import Forecast, TriedAction
from station.domain.capacity_parameters import CapacityParameters
from station.domain.plant import Plant, Text

BLOCKS = {
    "trailers": Text("trailer supply", "长管拖车供应"),
    "compression": Text("compression", "压缩机"),
    "storage": Text("storage pressure", "储氢瓶组压力"),
    "cooling": Text("cooling", "预冷"),
    "dispensing": Text("hoses", "加氢枪"),
    "none": Text("none", "无"),
}

LIKELY = 0.5
"""From this probability on a shortage is told as what will happen."""


def local_time(plant: Plant, t_ms: int, day: dt.date | None = None) -> str:
    """Return hh:mm of the station's day, with the date in front where it is another day than `day`."""
    moment = dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC).astimezone(plant.timezone)
    if day is not None and moment.date() != day:
        return f"{moment:%m-%d %H:%M}"
    return f"{moment:%H:%M}"


def span(minutes: float) -> Text:
    """Return a duration in words: 45 min, 3 h 05 min."""
    whole = round(minutes)
    if whole < 60:
        return Text(f"{whole} min", f"{whole} 分钟")
    return Text(f"{whole // 60} h {whole % 60:02d} min", f"{whole // 60} 小时 {whole % 60:02d} 分")


def advice_text(plant: Plant, forecast: Forecast) -> Text:
    """Return the advice of a forecast: the shortage and the best action, or that all is well and until when."""
    if forecast.detail.short_kg < 1.0 or forecast.bottleneck == "none":
        return _all_well(plant, forecast)
    told, chance = shortage_text(plant, forecast), forecast.detail.probability_now
    return told if chance >= LIKELY else possible_text(told, chance)


def possible_text(shortage: Text, probability: float) -> Text:
    """Return the text of a shortage that is not the likely course, with its probability."""
    percent = round(100.0 * probability)
    return Text(f"Shortage possible ({percent} %): {shortage.en}", f"可能短缺（{percent} %）：{shortage.zh}")


def reserve_text(f: Forecast, shortfall_kg: float) -> Text:
    """Return which redundancy is lost: one more train away, the next trailer 2 h late, or both.

    Args:
        f: The forecast.
        shortfall_kg: A day is short from this sum on [kg].
    """
    train, trailer = f.detail.n_minus_1_shortfall_kg, f.detail.late_trailer_shortfall_kg
    lost = []
    if train >= shortfall_kg:
        lost.append(
            Text(f"with one more train away {round(train)} kg", f"若再停一台压缩机，今日将短缺 {round(train)} kg")
        )
    if trailer >= shortfall_kg:
        late = f"若下一辆长管拖车晚到 2 小时，今日将短缺 {round(trailer)} kg"
        lost.append(Text(f"with the next trailer 2 h late {round(trailer)} kg", late))
    if not lost:
        return Text("Reserve is back.", "冗余已恢复。")
    en, zh = ", ".join(t.en for t in lost), "；".join(t.zh for t in lost)
    return Text(f"No reserve: {en} go short today.", f"无冗余：{zh}。")


def _all_well(plant: Plant, f: Forecast) -> Text:
    day = _day(plant, f)
    until = local_time(plant, f.horizon_end_ms, day)
    trucks = round(f.trucks_servable.p50)
    en = f"All {trucks} trucks expected until {until} can be filled."
    zh = f"至 {until} 预计到站的 {trucks} 辆车均可加注。"
    if f.trailer_needed_by_ms is not None:
        by = local_time(plant, f.trailer_needed_by_ms, day)
        en += f" The next trailer is needed by {by}."
        zh += f"下一辆长管拖车最迟须在 {by} 到站。"
    if not f.n_minus_1_ok:
        reserve = reserve_text(f, CapacityParameters.of(plant.parameters).shortfall_kg)
        en += f" {reserve.en}"
        zh += reserve.zh
    return Text(en, zh)


def shortage_text(plant: Plant, forecast: Forecast, keep: str | None = None) -> Text:
    """Return the shortage: kilograms, trucks, when, lead, limiting block, best action.

    Args:
        plant: The station.
        forecast: What is told.
        keep: Name of the action advised before, which is told again while it is not clearly worse.
    """
    f, detail = forecast, forecast.detail
    kg, trucks = round(detail.short_kg), detail.short_trucks
    en = f"{kg} kg and {trucks} {'truck' if trucks == 1 else 'trucks'} short today"
    zh = f"今日预计短缺 {kg} kg、{trucks} 辆车加不满"
    if f.shortfall_at_ms is not None:
        at, lead = local_time(plant, f.shortfall_at_ms, _day(plant, f)), span(f.lead_minutes or 0.0)
        en += f" from {at} on, in {lead.en}"
        zh += f"，自 {at} 起（{lead.zh}后）"
    block = BLOCKS[f.bottleneck]
    en += f". Limit: {block.en}"
    zh += f"。限制环节：{block.zh}"
    late = _overdue(f)
    action = action_text(plant, f, keep)
    return Text(f"{en}{late.en}. {action.en}", f"{zh}{late.zh}。{action.zh}")


def _day(plant: Plant, f: Forecast) -> dt.date:
    return plant.day_of(dt.datetime.fromtimestamp(f.at_ms / 1000.0, dt.UTC))


def _overdue(f: Forecast) -> Text:
    late = f.detail.overdue
    if not late or f.bottleneck != "trailers":
        return Text("", "")
    first = span(late[0][1])
    count = len(late)
    noun = "trailer" if count == 1 else "trailers"
    return Text(
        f" ({count} {noun} overdue without word, the first by {first.en})",
        f"（{count} 辆长管拖车逾期未到且无通知，最早一辆已逾期 {first.zh}）",
    )


def best_action(forecast: Forecast, keep: str | None = None) -> TriedAction | None:
    """Return the action that helps most, None where none helps; `keep` names the one advised before."""
    return best(forecast.detail.actions, forecast.detail.short_kg, keep)


def action_text(plant: Plant, f: Forecast, keep: str | None = None) -> Text:
    """Return the best next action and what it leaves short; arguments as for `shortage_text`."""
    action = best_action(f, keep)
    if action is None:
        return _without_remedy(plant, f)
    did, lost = action.text, f.detail.lost_kg
    left = round(action.left_kg)
    if action.left_kg - lost < 1.0:
        more = Text(" more", "新的") if lost >= 1.0 else Text("", "")
        return Text(f"{did.en}: then nobody{more.en} goes short.", f"{did.zh}：可避免{more.zh}短缺。")
    return Text(f"{did.en}: then {left} kg stay short.", f"{did.zh}：仍短缺 {left} kg。")


def _without_remedy(plant: Plant, f: Forecast) -> Text:
    if f.bottleneck != "trailers":
        return Text("Tell the fleets: move bookings to later hours.", "通知车队：预约改到较晚时段。")
    by = f.trailer_needed_by_ms
    if by is None or by <= f.at_ms:
        return Text("Call a trailer at once; tell the fleets to come later.", "立即增调长管拖车；通知车队推迟到站。")
    at = local_time(plant, by, _day(plant, f))
    en = f"Call a trailer to be here by {at}; tell the fleets to come later."
    return Text(en, f"增调长管拖车，最迟 {at} 到站；通知车队推迟到站。")
