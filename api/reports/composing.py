"""A report put into words: what stands first, what is not known, and the chapters in their order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from api.reports import flow_sections as flow
from api.reports import plant_sections as rest
from api.reports.document import Document, Section, Tongue
from station.domain.plant import Plant, Text
from station.domain.report.daily_report import DailyReport
from station.domain.report.equipment import availability_of
from station.domain.report.notes import ShiftNote


def document(plant: Plant, report: DailyReport, notes: Sequence[ShiftNote], language: str) -> Document:
    """Return a report as people read it.

    Args:
        plant: The station.
        report: The day.
        notes: Its shift notes, oldest first.
        language: `zh` or `en`.
    """
    t = Tongue(language, plant.timezone)
    label, date = plant.label.in_language(language), report.date.isoformat()
    return Document(
        language=language,
        title=t(f"{label}: daily report of {date}", f"{label} 日报 {date}"),
        stamp=t("SIMULATED", "模拟数据") if report.simulated else "",
        made=_made(report, t),
        warnings=tuple(_warnings(report, t)),
        sections=(
            _summary(report, t),
            flow.dispensing(report, t),
            flow.fills(report, t),
            flow.trailers(report, t),
            flow.stock(report, plant, t),
            flow.balance(report, t),
            rest.energy(report, t),
            rest.machines(report, plant, t),
            rest.alarms(report, plant, t),
            rest.forecast(report, t),
            rest.quality(report, plant, t),
            rest.completeness(report, plant, t),
            rest.notes(notes, t),
        ),
    )


def figures_text(plant: Plant, report: DailyReport) -> Text:
    """Return the day at a glance in some lines: what a notice of it says."""

    def lines(language: str) -> str:
        t = Tongue(language, plant.timezone)
        colon = t(": ", "：")
        figures = [f"{name}{colon}{value}" for name, value in _summary(report, t).figures]
        return "\n".join([*_warnings(report, t), *figures])

    return Text(lines("en"), lines("zh"))


def _made(report: DailyReport, t: Tongue) -> str:
    at = dt.datetime.fromtimestamp(report.made_at_ms / 1000.0, t.zone)
    return t(
        f"Version {report.version}, made at {at:%Y-%m-%d %H:%M:%S} by jinma {report.program}; times are the station's, "
        f"{t.zone.key}",
        f"版本 {report.version}，生成于 {at:%Y-%m-%d %H:%M:%S}，jinma {report.program}；时间为站点时区 {t.zone.key}",
    )


def _warnings(report: DailyReport, t: Tongue) -> list[str]:
    day, found = report.day, []
    if not day.complete:
        found.append(
            t(f"The day is not over: until {t.clock(day.until_ms)}.", f"当日未结束：截至 {t.clock(day.until_ms)}。")
        )
    if day.from_ms > day.start_ms:
        found.append(t(f"Readings begin at {t.clock(day.from_ms)}.", f"数据自 {t.clock(day.from_ms)} 开始。"))
    missing = report.account.terms.missing
    if missing:
        names = ", ".join(missing[:8]) + (" .." if len(missing) > 8 else "")
        found.append(t(f"The mass balance is not known: no value of {names}.", f"物料平衡未知：缺少 {names}。"))
    known = report.completeness.minutes_known
    if known < 0.98:
        found.append(
            t(
                f"{100 * (1 - known):.1f} % of the minutes read here have no value; see the last tables.",
                f"本报表所用数据有 {100 * (1 - known):.1f} % 的分钟无值，见末尾各表。",
            )
        )
    lost = sum(area.missing for area in report.completeness.areas)
    if lost > 0:
        found.append(t(f"{lost:,} messages were lost or have not come yet.", f"{lost:,} 条消息丢失或尚未到达。"))
    if report.fill_figures.kg_unknown:
        number = report.fill_figures.kg_unknown
        found.append(t(f"The kilograms of {number} fills are not known.", f"{number} 次加注的千克数未知。"))
    return found


def _summary(report: DailyReport, t: Tongue) -> Section:
    d, account, c = report.dispensing, report.account, report.completeness
    planned = t("no plan", "无计划") if d.planned_kg is None else t.number(d.planned_kg, 0, "kg")
    booked = t("no plan", "无计划") if d.planned_trucks is None else str(d.planned_trucks)
    rest = t.signed(account.unaccounted_kg, 1, "kg")
    error = "" if account.unaccounted_kg is None else f" ± {account.terms.error:,.0f} kg"
    figures = (
        (t("dispensed / booked", "加注 / 计划"), f"{t.number(d.kg, 0, 'kg')} / {planned}"),
        (t("trucks / booked", "车辆 / 计划"), f"{report.fill_figures.completed} / {booked}"),
        (t("received in trailers", "拖车收入"), _of(account.terms.received, account.terms.missing, t)),
        (t("sent back in them", "拖车退回"), _of(account.terms.returned, account.terms.missing, t)),
        (t("compressed", "压缩量"), t.number(d.compressed_kg, 0, "kg")),
        (t("vented (estimate)", "放散（估算）"), _of(account.terms.vented, account.terms.missing, t)),
        (t("stock at the end", "期末库存"), t.number(_closing(report), 0, "kg")),
        (t("change of stock", "库存变化"), t.signed(_change(report), 0, "kg")),
        (t("unaccounted", "不平衡量"), rest + error),
        (t("electricity for each kg", "单位电耗"), t.number(report.energy.per_kg, 2, "kWh/kg")),
        (t("availability of compressors", "压缩机可用率"), t.percent(availability_of(report.machines, "compression"))),
        (t("alarms", "报警"), t.unknown if report.alarms is None else str(report.alarms.count)),
        (t("messages received", "消息接收率"), t.percent(c.share, 2)),
    )
    return Section("summary", t("The day at a glance", "当日概览"), figures=figures)


def _of(kg: float, missing: Sequence[str], t: Tongue) -> str:
    return t.number(None if missing else kg, 0, "kg")


def _closing(report: DailyReport) -> float | None:
    closing = [held.closing for held in report.stock.held]
    return None if None in closing else sum(kg or 0.0 for kg in closing)


def _change(report: DailyReport) -> float | None:
    changes = [held.change for held in report.stock.held]
    return None if None in changes else sum(kg or 0.0 for kg in changes)
