"""Capacity: kilograms and trucks against the plan, what binds and when, as it was forecast at each moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.boards.forecast_tiles import (
    BOTTLENECKS,
    KG,
    alarm_steps,
    outlook,
    risk_steps,
    shortfall_steps,
    tile,
    tile_if_any,
)
from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import NORMAL, WARNING, Words

_KG_H_OF_G_S: Final = 3.6


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom."""
    yield page.safety("trailer", "compression", "storage", "cooling", "dispensing")
    yield "Today 今日", list(outlook(page))
    yield "Ahead 预计", list(_ahead(page))
    yield "Against the plan 与计划相比", list(_against_plan(page))
    yield "Supply against demand 供需", list(_balance(page))


def _ahead(page: Page) -> Iterator[Any]:
    about = "Wait of nine in ten trucks over the next two hours. Limit of CAP-QUEUE."
    steps = alarm_steps(page, ("CAP-QUEUE", WARNING))
    yield (
        tile(page, Words("Queue wait p90", "排队等待", about), ["queue_wait_minutes_p90"], 4, steps)
        .unit("m")
        .decimals(0)
    )
    about = "Until the stock is empty at the demand expected; none while it lasts."
    yield tile_if_any(page, Words("Time to empty", "耗尽时间", about), "time_to_empty_minutes", 5).unit("m").decimals(0)
    about = "By when the next trailer must be here; none where none is needed."
    needed = Words("Trailer needed by", "拖车最迟到达", about)
    yield tile_if_any(page, needed, "trailer_needed_by", 6).unit("dateTimeFromNow")
    about = "From now to the truck at which the shortfall begins; none where none is expected."
    yield tile_if_any(page, Words("Lead to shortfall", "缺氢提前量", about), "lead_minutes", 5).unit("m").decimals(0)
    about = "Whether one more failure can be borne."
    lamp = panels.number_mapping({0: ("no reserve 无备用", WARNING), 1: ("reserve 有备用", NORMAL)})
    yield tile(page, Words("N-1", "冗余", about), ["n_minus_1_ok"], 4).mappings(lamp)


def _against_plan(page: Page) -> Iterator[Any]:
    about = "What the station can deliver to the horizon, with its band, as it was forecast at each moment."
    yield _band(page, Words("Deliverable", "可供氢量", about), "deliverable_kg", KG)
    about = "Trucks that can be served to the horizon, with their band."
    yield _band(page, Words("Trucks servable", "可服务车辆", about), "trucks_servable", "short")
    about = "Kilograms of the station day: dispensed and planned."
    done = panels.trend_panel(
        Words("Dispensed against plan", "已加与计划", about),
        [page.forecasts.over_time("done_kg", "plan_kg")], (12, 8), unit=KG,
    ).min(0).display_name(panels.SIGNAL_NAME)  # fmt: skip
    yield panels.named_series(done, {"done_kg": "dispensed 已加", "plan_kg": "planned 计划"})
    about = "Probability of a shortfall today, smoothed. Limits of CAP-RISK and CAP-SHORT."
    yield panels.trend_panel(
        Words("Shortfall risk", "缺氢概率", about),
        [page.forecasts.over_time("shortfall_probability")],
        (12, 8),
        unit="percentunit",
        ends=(0.0, 1.0),
        steps=risk_steps(page),
    ).display_name("probability 概率")


def _band(page: Page, words: Words, field: str, unit: str) -> Any:
    asked = page.forecasts.over_time(*(f"{field}_{quantile}" for quantile in ("p10", "p50", "p90")))
    panel = panels.trend_panel(words, [asked], (12, 8), unit=unit).min(0).display_name(panels.SIGNAL_NAME)
    for quantile, more in (("p10", []), ("p50", [panels.own("custom.lineWidth", 2)]), ("p90", _FILLED)):
        panel = panel.override_by_name(f"{field}_{quantile}", [panels.own("displayName", quantile), *more])
    return panel


_FILLED: Final = [panels.own("custom.fillBelowTo", "p10"), panels.own("custom.fillOpacity", 15)]


def _balance(page: Page) -> Iterator[Any]:
    yield from _recharge(page)
    hoses = page.playing("dispensing", "total")
    if hoses:
        about = "Dispensed in each hour of the view; the newest is still growing."
        demand = page.readings.rise_by_hour("dispensing", [s.tag for s in hoses])
        panel = panels.columns_panel(Words("Demand by hour", "每小时加氢量", about), demand, (8, 8), KG)
        yield panel.decimals(0).display_name("dispensed 已加")
    about = "What limited the station, as it was forecast at each moment."
    query = page.forecasts.over_time("bottleneck")
    words = Words("Bottleneck", "瓶颈", about)
    names = panels.number_mapping(BOTTLENECKS)
    yield panels.timeline_panel(words, [query], (8, 8), names).display_name("bottleneck 瓶颈")
    about = "Wait of trucks over the next two hours, as it was forecast at each moment. Limit of CAP-QUEUE."
    waits = panels.trend_panel(
        Words("Queue wait", "排队等待", about),
        [page.forecasts.over_time("queue_wait_minutes_p50", "queue_wait_minutes_p90")],
        (12, 8), unit="m", steps=alarm_steps(page, ("CAP-QUEUE", WARNING)),
    ).min(0).display_name(panels.SIGNAL_NAME)  # fmt: skip
    yield panels.named_series(waits, {"queue_wait_minutes_p50": "p50", "queue_wait_minutes_p90": "p90"})
    about = "Asked today and not delivered, as it was forecast at each moment."
    short = panels.trend_panel(
        Words("Shortfall today", "今日缺口", about),
        [page.forecasts.over_time("shortfall_kg_p50", "shortfall_kg_p90")],
        (12, 8), unit=KG, steps=shortfall_steps(page),
    ).min(0).display_name(panels.SIGNAL_NAME)  # fmt: skip
    yield panels.named_series(short, {"shortfall_kg_p50": "p50", "shortfall_kg_p90": "p90"})


def _recharge(page: Page) -> Iterator[Any]:
    trains, hoses = page.playing("compression", "flow"), page.playing("dispensing", "flow")
    if not trains or not hoses:
        return
    rated = sum(train.rated_kg_h for train in page.plant.trains)
    about = (
        f"What all trains compress and all hoses give, at each moment; the trains are rated {rated:g} kg/h together."
    )
    panel = panels.trend_panel(
        Words("Recharge against demand", "补气与加氢", about),
        [
            page.readings.summed("compression", [s.tag for s in trains]),
            page.readings.summed("dispensing", [s.tag for s in hoses], times=_KG_H_OF_G_S),
        ],
        (8, 8),
        unit="suffix: kg/h",
    ).min(0)
    for letter, name in (("A", "recharge 补气"), ("B", "demand 加氢")):
        panel = panel.override_by_query(letter, [panels.own("displayName", name)])
    yield panel
