"""The chapters of a report that tell of kilograms: given, filled, delivered, held, balanced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from api.reports.document import Chart, Row, Section, Series, Table, Tongue
from station.domain.plant import Plant
from station.domain.report.balance import CUSUM_LIMIT, Account
from station.domain.report.daily_report import DailyReport
from station.domain.report.fills import FULL_SOC, DayFill
from station.domain.report.stock import TRAILERS
from station.domain.report.supply import TrailerStay

BLUE: Final = "#1f6fb4"
GREY: Final = "#8a949a"
GREEN: Final = "#2a9d5c"
RED: Final = "#d1495b"


def dispensing(report: DailyReport, t: Tongue) -> Section:
    """Return what was given, hour by hour, against the plan."""
    given, planned = report.dispensing.given, report.dispensing.planned
    series = [Series(t("given", "已加注"), [t.local(x) for x in given.t_ms], given.value, BLUE)]
    if planned.t_ms:
        series.append(Series(t("booked", "计划"), [t.local(x) for x in planned.t_ms], planned.value, GREY))
    rows = tuple(
        (
            t.clock(hour.start_ms),
            t.number(hour.kg, 1),
            "–" if hour.planned_kg is None else t.number(hour.planned_kg, 1),
            str(hour.trucks),
            "–" if hour.planned_trucks is None else str(hour.planned_trucks),
        )
        for hour in report.dispensing.hours
    )
    heads = (
        t("hour", "时段"),
        t("given, kg", "加注 kg"),
        t("booked, kg", "计划 kg"),
        t("trucks", "车辆"),
        t("booked trucks", "计划车辆"),
    )
    return Section(
        "dispensing",
        t("Dispensed against plan", "加注量与计划"),
        charts=(Chart("given", t("Dispensed, summed up", "累计加注量"), "kg", tuple(series)),),
        tables=(Table("hours", heads, rows),),
    )


def fills(report: DailyReport, t: Tongue) -> Section:
    """Return the fills one by one and in figures."""
    f = report.fill_figures
    figures = (
        (t("fills completed", "完成加注"), str(f.completed)),
        (t("broken off", "中断"), str(f.broken)),
        (t("mean fill", "平均加注量"), t.number(f.mean_kg, 1, "kg")),
        (t("median time", "加注时长中位数"), t.number(f.median_minutes, 1, "min")),
        (t("longest", "最长"), t.number(f.longest_minutes, 1, "min")),
        (
            t(f"ended at SOC {FULL_SOC:.0f} % or more", f"SOC≥{FULL_SOC:.0f} % 占比"),
            _of_known(t, f.full_share, f.full_known),
        ),
        (t("meter and tank differ by over 5 %", "计量与车载储罐相差超 5 %"), _of_checked(t, f.meter_off, f.checked)),
        (t("longest wait expected (P90)", "预测最长等待（P90）"), t.number(report.worst_wait_min, 0, "min")),
    )
    heads = (
        t("hose", "加氢枪"),
        t("link", "通信"),
        t("stop", "停止原因"),
        t("from", "开始"),
        t("to", "结束"),
        t("min", "分钟"),
        "kg",
        t("tank kg", "储罐 kg"),
        "MPa",
        "°C",
        "SOC %",
    )
    rows = tuple(_fill_row(fill, t) for fill in report.fills)
    lines = (
        t(
            "What trucks really waited at the gate is not kept; the wait is the forecasts' own.",
            "入口实际等待时间未保存，等待取自预测。",
        ),
    )
    return Section(
        "fills", t("Fills", "加注明细"), figures=figures, lines=lines, tables=(Table("fills", heads, rows, 3),)
    )


def _of_known(t: Tongue, share: float | None, known: int) -> str:
    return t.unknown if share is None else f"{t.percent(share)} ({known})"


def _of_checked(t: Tongue, off: int, checked: int) -> str:
    return f"{off} / {checked}" if checked else t.unknown


_STOPS: Final = {
    "soc": ("full", "充满"),
    "temperature": ("temperature", "温度"),
    "pressure": ("pressure", "压力"),
    "vehicle": ("vehicle", "车辆"),
    "other": ("other", "其他"),
    "abort": ("aborted", "中止"),
    "fault": ("fault", "故障"),
    "idle": ("end not heard", "未收到结束"),
}
_LINKS: Final = {"yes": ("yes", "有"), "no": ("no", "无"), "lost": ("lost", "丢失")}


def _fill_row(fill: DayFill, t: Tongue) -> Row:
    def span(first: float | None, last: float | None, digits: int) -> str:
        return " – ".join("?" if one is None else f"{one:.{digits}f}" for one in (first, last))

    return (
        fill.hose,
        t(*_LINKS[fill.link]),
        t(*_STOPS.get(fill.stop, _STOPS["other"])),
        t.clock(fill.start_ms),
        t.clock(fill.end_ms),
        f"{fill.minutes:.1f}",
        t.number(fill.kg, 2),
        t.number(fill.tank_kg, 1),
        span(fill.start_mpa, fill.end_mpa, 1),
        span(fill.start_c, fill.end_c, 0),
        span(fill.start_soc, fill.end_soc, 0),
    )


def trailers(report: DailyReport, t: Tongue) -> Section:
    """Return the trailers one by one."""
    heads = (
        t("bay", "卸车位"),
        t("announced", "预报"),
        t("weighed", "过磅"),
        t("docked", "停靠"),
        t("open", "开阀"),
        t("shut", "关阀"),
        t("left", "离开"),
        t("brought, kg", "到站 kg"),
        t("left in it, kg", "剩余 kg"),
        t("given by PVT, kg", "卸气 PVT kg"),
        t("by meter, kg", "流量计 kg"),
        t("by scale, kg", "地磅 kg"),
    )
    rows = tuple(_trailer_row(stay, t) for stay in report.trailers)
    return Section(
        "trailers",
        t("Trailers", "长管拖车"),
        figures=(
            (t("trailers opened in the day", "当日开阀"), str(sum(_opened(report, one) for one in report.trailers))),
        ),
        tables=(Table("trailers", heads, rows, 1),),
    )


def _opened(report: DailyReport, stay: TrailerStay) -> bool:
    return stay.open_ms is not None and report.day.holds(stay.open_ms)


def _trailer_row(stay: TrailerStay, t: Tongue) -> Row:
    def clock(t_ms: int | None) -> str:
        return "–" if t_ms is None else t.clock(t_ms)

    times = (stay.announced_ms, stay.weighed_ms, stay.docked_ms, stay.open_ms, stay.closed_ms, stay.left_ms)
    stands = stay.closed_ms is None  # What has not happened yet is not unknown.
    later = ["–" if stands else t.number(one) for one in (stay.returned_kg, stay.given_kg, stay.metered_kg)]
    scale = "–" if stay.left_ms is None else t.number(stay.scale_kg)
    return (stay.bay, *(clock(one) for one in times), t.number(stay.brought_kg), *later, scale)


def stock(report: DailyReport, plant: Plant, t: Tongue) -> Section:
    """Return what was held, from minute to minute and at both ends."""
    curves = (
        (t("banks", "储氢瓶组"), report.stock.banks, BLUE),
        (t("docked trailers", "在位拖车"), report.stock.trailers, GREEN),
    )
    series = tuple(Series(name, [t.local(x) for x in one.t_ms], one.value, colour) for name, one, colour in curves)
    heads = (
        t("held in", "储存处"),
        t("opening, kg", "期初 kg"),
        t("closing, kg", "期末 kg"),
        t("change, kg", "变化 kg"),
        t("lowest, kg", "最低 kg"),
        t("highest, kg", "最高 kg"),
        t("known", "已知"),
    )
    rows = []
    for held in report.stock.held:
        unit = plant.units.get(("storage", held.name))
        name = (
            t("docked trailers", "在位拖车")
            if held.name == TRAILERS or unit is None
            else unit.label.in_language(t.language)
        )
        values = (held.opening, held.closing)
        rows.append(
            (
                name,
                *(t.number(one) for one in values),
                t.signed(held.change),
                t.number(held.low),
                t.number(held.high),
                t.percent(held.known),
            )
        )
    first, last = t.moment(report.day.from_ms), t.moment(report.day.until_ms)
    return Section(
        "stock",
        t("Stock", "库存"),
        lines=(t(f"Opening is the stock of {first}, closing that of {last}.", f"期初取 {first}，期末取 {last}。"),),
        charts=(Chart("stock", t("Stock over the day", "全天库存"), "kg", series),),
        tables=(Table("stock", heads, tuple(rows)),),
    )


_LEVELS: Final = {
    "none": ("within 1.5 %", "1.5 % 以内"),
    "low": ("over 1.5 %", "超过 1.5 %"),
    "high": ("OVER 3 %", "超过 3 %"),
    "unknown": ("not known", "未知"),
}
_VERDICTS: Final = {
    "fine": ("The days do not lean to one side.", "各日偏差未见单侧累积。"),
    "leak": ("Gas is missing on this day alone: look for a leak.", "仅当日缺氢：请检查泄漏。"),
    "meter": (
        "More than three days in a row lean to one side: a meter may be biased.",
        "连续三天以上单侧偏差：计量可能存在偏置。",
    ),
    "beyond": ("The cumulated sum is past its limit.", "累积和超过限值。"),
}


def balance(report: DailyReport, t: Tongue) -> Section:
    """Return the mass balance of the day and of its shifts, and the row of days."""
    spoken = [(t("day", "全天"), report.account), *((_shift(one, t), one) for one in report.shifts)]
    lines: tuple[tuple[str, str, Callable[[Account], str]], ...] = (
        ("received", "收入", lambda one: t.number(one.terms.received)),
        ("sent back", "退回", lambda one: t.number(one.terms.returned)),
        ("change in docked trailers", "在位拖车变化", lambda one: t.signed(one.terms.trailers_change)),
        ("change in banks", "瓶组变化", lambda one: t.signed(one.terms.banks_change)),
        ("change in lines", "管线变化", lambda one: t.signed(one.terms.lines_change, 1)),
        ("dispensed", "加注", lambda one: t.number(one.terms.dispensed)),
        ("vented (estimate)", "放散（估算）", lambda one: t.number(one.terms.vented, 1)),
        ("UNACCOUNTED", "不平衡量", lambda one: t.signed(one.unaccounted_kg, 1)),
        ("may be wrong by (2 sigma)", "误差范围（2σ）", lambda one: f"± {t.number(one.terms.error, 0)}"),
        ("share of dispensed", "占加注量", lambda one: t.percent(one.share, 2)),
        ("judged", "判断", lambda one: t(*_LEVELS[one.level])),
        ("not known", "缺失信号", lambda one: ", ".join(one.terms.missing) or "–"),
    )
    rows = tuple((t(en, zh), *(tell(one) for _, one in spoken)) for en, zh, tell in lines)
    table = Table("balance", ("kg", *(name for name, _ in spoken)), rows)
    days = report.cusum.days
    names = [f"{day.date:%m-%d}" for day in days]
    chart = Chart(
        "cusum",
        t("Cumulated sum of the daily rest", "每日不平衡累积和 CUSUM"),
        "%",
        (
            Series(t("rest of the day", "当日"), names, [_hundred(day.share) for day in days], GREY, "bar"),
            Series(t("gas missing", "缺氢侧"), names, [_hundred(day.above) for day in days], RED),
            Series(t("gas too much", "多氢侧"), names, [_hundred(day.below) for day in days], BLUE),
        ),
        ((100.0 * CUSUM_LIMIT, t("limit", "限值")),),
    )
    heads = (
        t("day", "日期"),
        t("rest", "不平衡"),
        t("may be wrong by", "误差"),
        t("sum, missing", "累积缺氢"),
        t("sum, too much", "累积多氢"),
    )
    by_day = tuple(
        (
            day.date.isoformat(),
            t.percent(day.share, 2),
            t.percent(day.error_share, 2),
            t.percent(day.above, 2),
            t.percent(day.below, 2),
        )
        for day in days
    )
    return Section(
        "balance",
        t("Mass balance", "物料平衡"),
        lines=(t(*_VERDICTS[report.cusum.verdict]),),
        charts=(chart,),
        tables=(table, Table("cusum", heads, by_day)),
    )


def _shift(account: Account, t: Tongue) -> str:
    return f"{t.clock(account.terms.start_ms)}–{t.clock(account.terms.end_ms)}"


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100.0 * share, 3)
