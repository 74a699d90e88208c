"""The chapters of a report that tell of machines, alarms, forecasts, gas quality, data and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.reports.document import Chart, Section, Series, Table, Tongue
from api.reports.flow_sections import BLUE
from station.domain.alarm_figures import Figure
from station.domain.capacity_text import BLOCKS
from station.domain.plant import Plant
from station.domain.report.alarm_day import AlarmDay
from station.domain.report.daily_report import DailyReport
from station.domain.report.equipment import MachineDay, availability_of
from station.domain.report.notes import ShiftNote
from station.domain.scorecard import scorecard_text
from station.domain.words import AREA_WORDS, PRIORITY_WORDS


def energy(report: DailyReport, t: Tongue) -> Section:
    """Return the electricity."""
    e = report.energy
    figures = (
        (t("site", "全站"), t.number(e.site, 0, "kWh")),
        (t("for each kg dispensed", "每千克加注"), t.number(e.per_kg, 3, "kWh/kg")),
        (t("compressors", "压缩机"), t.number(e.trains, 0, "kWh")),
        (t("chillers", "制冷机"), t.number(e.chillers, 0, "kWh")),
        (t("all else", "其余"), t.number(e.rest, 0, "kWh")),
        (t("highest minute", "最大分钟功率"), t.number(e.peak_kw, 0, "kW")),
        (t("minutes metered", "计量覆盖"), t.percent(e.metered_share)),
    )
    return Section("energy", t("Electricity", "电耗"), figures=figures)


def machines(report: DailyReport, plant: Plant, t: Tongue) -> Section:
    """Return running hours and availability."""
    areas = ("compression", "cooling", "dispensing")
    figures = tuple(
        (AREA_WORDS[area].in_language(t.language), t.percent(availability_of(report.machines, area))) for area in areas
    )
    heads = (
        t("machine", "设备"),
        t("ran, h", "运行 h"),
        t("at work, h", "负载 h"),
        t("broken, h", "故障 h"),
        t("not known, h", "未知 h"),
        t("starts", "启动"),
        t("failures", "故障次数"),
        t("availability", "可用率"),
        t("h between failures", "故障间隔 h"),
    )
    rows = tuple(_machine_row(one, plant, t) for one in report.machines)
    title = t("Availability of machines", "设备可用率")
    return Section("machines", title, figures=figures, tables=(Table("machines", heads, rows),))


def _machine_row(one: MachineDay, plant: Plant, t: Tongue) -> tuple[str, ...]:
    between = "–" if not one.failures else t.number(one.hours_between_failures, 1)
    hours = (one.running, one.at_work, one.down, one.unknown)
    return (
        plant.units[(one.area, one.unit)].label.in_language(t.language),
        *(f"{one:.2f}" for one in hours),
        str(one.starts),
        str(one.failures),
        t.percent(one.availability),
        between,
    )


_RATES: Final = {
    "per_day": ("alarms a day", "每天报警"),
    "per_hour": ("an hour", "每小时"),
    "per_hour_worst": ("worst hour", "最多小时"),
    "per_10_min": ("in 10 min", "每 10 分钟"),
    "per_10_min_worst": ("worst 10 min", "最多 10 分钟"),
    "periods_over_10_percent": ("10-min periods over 10, %", "超过 10 条的 10 分钟段 %"),
}


def alarms(report: DailyReport, plant: Plant, t: Tongue) -> Section:
    """Return the alarm figures with their targets."""
    title, day = t("Alarms", "报警统计"), report.alarms
    if day is None:
        return Section("alarms", title, lines=(t("Not known: no journal was read.", "未知：未读取报警日志。"),))
    hours = [t.local(report.day.start_ms + place * 3_600_000) for place in range(len(day.hourly))]
    bars = Series(t("alarms", "报警"), [f"{hour:%H}" for hour in hours], list(day.hourly), BLUE, "bar")
    chart = Chart("alarms", t("Alarms by hour", "每小时报警"), "", (bars,), ((6.0, t("target", "目标")),))
    tables = [_rates(day, t), _acknowledged(day, t), *_lists(day, plant, t)]
    figures = (
        (t("alarms", "报警"), str(day.count)),
        (t("found in late data", "迟到数据中发现"), str(day.late)),
        (t("floods", "报警泛滥"), str(len(day.floods))),
        (t("active over 24 h", "持续超 24 小时"), str(len(day.stale))),
    )
    return Section(
        "alarms",
        title,
        figures=figures,
        charts=(chart,),
        tables=tuple(one for one in tables if one.rows),
    )


def _rates(day: AlarmDay, t: Tongue) -> Table:
    figures = {name: day.rates[name] for name in _RATES if name in day.rates}
    rows = [(t(*_RATES[name]), t.number(one.value, 1), _aim(one, t), _met(one, t)) for name, one in figures.items()]
    top = Figure(round(sum(one.percent for one in day.top), 1) if day.top else None, 5.0)
    for label, one in (
        (("top ten, % of all", "前十占比 %"), top),
        (("chattering alarms", "抖动报警"), Figure(float(len(day.chattering)), 0.0)),
        (("fleeting alarms", "短暂报警"), Figure(float(len(day.fleeting)), 0.0)),
        (("active over 24 h", "持续超 24 小时"), Figure(float(len(day.stale)), 5.0)),
    ):
        shown = "–" if one.value is None else t.number(one.value, 1)
        rows.append((t(*label), shown, _aim(one, t), _met(one, t)))
    return Table("alarm-figures", (t("figure", "指标"), t("found", "实际"), t("target", "目标"), ""), tuple(rows))


def _aim(one: Figure, t: Tongue) -> str:
    if one.target is None:
        return "–"
    most = "" if one.most is None else t(f" (at most {one.most:g})", f"（上限 {one.most:g}）")
    return f"≤ {one.target:g}{most}"


def _met(one: Figure, t: Tongue) -> str:
    return "–" if one.met is None else t("met", "达标") if one.met else t("NOT MET", "未达标")


def _acknowledged(day: AlarmDay, t: Tongue) -> Table:
    heads = (
        t("priority", "优先级"),
        t("raised", "次数"),
        t("share", "占比"),
        t("acknowledged", "已确认"),
        t("median, min", "中位数 min"),
        t("target, min", "目标 min"),
        t("within target", "目标内"),
    )
    rows = tuple(
        (
            PRIORITY_WORDS[one.priority].in_language(t.language),
            str(one.raised),
            f"{day.priority_percent[one.priority]:.1f} %",
            str(one.count),
            "–" if one.median_min is None else f"{one.median_min:.1f}",
            "–" if one.target_min is None else f"{one.target_min:g}",
            "–" if one.within_target_percent is None else f"{one.within_target_percent:.0f} %",
        )
        for one in day.acknowledged
    )
    return Table("acknowledged", heads, rows)


def _lists(day: AlarmDay, plant: Plant, t: Tongue) -> list[Table]:
    def named(alarm: str) -> tuple[str, str]:
        return alarm, alarm_text(plant, alarm, t.language)

    text, count = t("text", "内容"), t("times", "次数")
    top = tuple((*named(one.alarm), str(one.count), f"{one.percent:.1f} %") for one in day.top)
    floods = tuple(
        (
            t.clock(one.start_ms),
            t("going on", "持续中") if one.end_ms is None else t.clock(one.end_ms),
            one.first,
            str(one.count),
        )
        for one in day.floods
    )
    hidden = tuple(
        (
            *named(one.alarm),
            t("shelved", "搁置") if one.how == "shelved" else t("out of service", "停用"),
            one.who,
            one.note,
            t.clock(one.at_ms),
        )
        for one in day.hidden
    )
    heads = {
        "top": (t("Most frequent: alarm", "最频繁：报警"), text, count, t("share", "占比")),
        "floods": (t("Flood: from", "泛滥：开始"), t("to", "结束"), t("first", "首出"), count),
        "hidden": (
            t("Hidden by people: alarm", "人工屏蔽：报警"),
            text,
            t("how", "方式"),
            t("who", "人员"),
            t("why", "原因"),
            t("at", "时间"),
        ),
    }
    repeated = (
        ("chattering", t("Chattering: alarm", "抖动：报警"), day.chattering),
        ("fleeting", t("Fleeting: alarm", "短暂：报警"), day.fleeting),
    )
    tables = [Table("top", heads["top"], top, 2), Table("floods", heads["floods"], floods, 3)]
    tables += [
        Table(key, (head, text, count), tuple((*named(one.alarm), str(one.count)) for one in found), 2)
        for key, head, found in repeated
    ]
    stale = tuple(named(one) for one in day.stale)
    tables.append(Table("stale", (t("Active over 24 h: alarm", "持续超 24 小时：报警"), text), stale, 2))
    return [*tables, Table("hidden", heads["hidden"], hidden, 5)]


def alarm_text(plant: Plant, alarm: str, language: str) -> str:
    """Return an alarm's words by its id; empty where the station file does not know it (any more)."""
    spec = plant.capacity_alarms.get(alarm) or plant.system_alarms.get(alarm)
    if spec is None:
        tag, _, condition = alarm.rpartition(".")
        signal = plant.signals.get(tag)
        specs = () if signal is None else signal.alarms
        spec = next((one for one in specs if one.condition == condition), None)
    return "" if spec is None else spec.text.in_language(language)


def forecast(report: DailyReport, t: Tongue) -> Section:
    """Return what the forecasts of the day were worth."""
    title, card = t("Forecast scorecard", "预测评分"), report.scorecard
    if card is None:
        return Section("forecast", title, lines=(t("No forecast of this day was kept.", "当日无预测记录。"),))
    first = card.first_alert
    lead = None if first is None else first.real_lead_minutes
    figures = (
        (t("forecasts kept", "预测次数"), str(card.forecasts)),
        (t("shortfall at the end", "日终短缺"), t.number(card.shortfall_kg, 0, "kg")),
        (t("first shortage alert", "首次短缺报警"), t("none", "无") if first is None else t.clock(first.at_ms)),
        (t("real lead of it", "实际提前量"), "–" if lead is None else t.number(lead, 0, "min")),
        ("Brier", "–" if card.brier is None else f"{card.brier:.4f}"),
        (
            t("80 % bands that held", "80 % 区间命中"),
            "–" if card.in_band_share is None else t.percent(card.in_band_share),
        ),
        (t("limit named most", "最常指出的瓶颈"), BLOCKS[card.bottleneck].in_language(t.language)),
    )
    heads = (
        t("made at", "预测时刻"),
        t("probability of a shortage", "短缺概率"),
        "P10 kg",
        "P50 kg",
        "P90 kg",
        t("came, kg", "实际 kg"),
        t("error, % of plan", "误差（占计划 %）"),
        t("in the band", "区间内"),
    )
    rows = tuple(
        (
            t.clock(one.at_ms),
            t.percent(one.probability, 0),
            *(f"{kg:,.0f}" for kg in (one.expected_kg.p10, one.expected_kg.p50, one.expected_kg.p90)),
            "–" if one.happened_kg is None else f"{one.happened_kg:,.0f}",
            "–" if one.error_percent is None else f"{one.error_percent:+.2f}",
            "–" if one.in_band is None else t("yes", "是") if one.in_band else t("NO", "否"),
        )
        for one in card.checks
    )
    text = scorecard_text(card).in_language(t.language)
    return Section("forecast", title, figures=figures, lines=(text,), tables=(Table("checks", heads, rows),))


def quality(report: DailyReport, plant: Plant, t: Tongue) -> Section:
    """Return what the analysers said."""
    heads = (
        t("impurity", "杂质"),
        t("unit", "单位"),
        t("mean", "平均"),
        t("highest", "最高"),
        t("limit", "限值"),
        t("minutes over it", "超限分钟"),
        t("hours known", "有数据小时"),
    )
    rows = tuple(
        (
            plant.signals[one.tag].name.in_language(t.language),
            one.unit.replace("umol", "µmol"),
            t.number(one.mean, 3),
            t.number(one.high, 3),
            "–" if one.limit is None else f"{one.limit:g}",
            str(one.over_minutes) if one.known else t.unknown,
            t.percent(one.known, 0),
        )
        for one in report.quality
    )
    lines = (
        t(
            "Sulphur, halides and others are known from laboratory samples alone.",
            "硫、卤化物等仅由实验室取样测定。",
        ),
    )
    return Section("quality", t("Gas quality", "氢气质量"), lines=lines, tables=(Table("quality", heads, rows, 2),))


def completeness(report: DailyReport, plant: Plant, t: Tongue) -> Section:
    """Return how complete the data are."""
    c = report.completeness
    figures = (
        (t("messages received of those sent", "消息接收率"), t.percent(c.share, 3)),
        (
            t("minutes with a value, of the signals read here", "有数据的分钟（本报表信号）"),
            t.percent(c.minutes_known, 2),
        ),
    )
    heads = (
        t("area", "区域"),
        t("received", "接收"),
        t("missing", "缺失"),
        t("late", "迟到"),
        t("twice", "重复"),
        t("refused", "拒收"),
        t("complete", "完整率"),
    )
    rows = tuple(
        (
            AREA_WORDS[one.area].in_language(t.language) if one.area in AREA_WORDS else one.area,
            *(f"{n:,}" for n in (one.received, one.missing, one.late, one.duplicate, one.refused)),
            t.percent(one.share, 3),
        )
        for one in c.areas
    )
    gaps = tuple(
        (f"{one.area}/{one.unit}", t.clock(one.from_ms), t.clock(one.to_ms), f"{one.missing:,}") for one in c.gaps
    )
    silent = tuple((one.tag, plant.signals[one.tag].name.in_language(t.language), str(one.minutes)) for one in c.silent)
    tables = (
        Table("areas", heads, rows),
        Table(
            "gaps",
            (t("Longest gaps: unit", "最长缺口：单元"), t("from", "开始"), t("to", "结束"), t("messages", "消息")),
            gaps,
            3,
        ),
        Table("silent", (t("Silent: signal", "无数据：信号"), t("name", "名称"), t("minutes", "分钟")), silent, 2),
    )
    return Section(
        "data", t("Data completeness", "数据完整性"), figures=figures, tables=tuple(x for x in tables if x.rows)
    )


def notes(written: Sequence[ShiftNote], t: Tongue) -> Section:
    """Return what operators wrote down."""
    title = t("Shift notes and hand-over", "交接班记录")
    if not written:
        return Section("notes", title, lines=(t("None was written.", "无记录。"),))
    kinds = {"note": t("note", "记录"), "handover": t("HAND-OVER, signed", "交班签字")}
    rows = tuple((t.moment(one.t_ms), kinds.get(one.kind, one.kind), one.who, one.text) for one in written)
    heads = (t("at", "时间"), t("kind", "类型"), t("who", "人员"), t("text", "内容"))
    return Section("notes", title, tables=(Table("notes", heads, rows, 4),))
