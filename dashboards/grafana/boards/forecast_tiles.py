"""Tiles of the newest forecast, which overview and capacity share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.page import Page
from dashboards.grafana.panels import ALARM, CALM, NORMAL, WARNING, Steps, Words

KG: Final = "suffix: kg"
BOTTLENECKS: Final = {
    0: ("none 无", NORMAL), 1: ("trailers 拖车", WARNING), 2: ("compression 压缩", WARNING),
    3: ("storage 储氢", WARNING), 4: ("cooling 制冷", WARNING), 5: ("dispensing 加氢", WARNING),
}  # fmt: skip
"""As the capacity points number them."""
_SHORTFALL_KG: Final = 40.0
"""For a station file that does not set it: one average fill (contract, section 6)."""
_ONE_FORECAST: Final = "The newest forecast; one older than 15 minutes is not shown."


def alarm_steps(page: Page, *alarms: tuple[str, str]) -> Steps:
    """Return the steps of capacity alarms, (id, colour) from the lowest limit up; without those it has not."""
    specs = page.plant.capacity_alarms
    found = ((specs[name].limit, colour) for name, colour in alarms if name in specs)
    return [(None, NORMAL), *((limit, colour) for limit, colour in found if limit is not None)]


def risk_steps(page: Page) -> Steps:
    """Return the steps of the probability of a shortfall."""
    return alarm_steps(page, ("CAP-RISK", WARNING), ("CAP-SHORT", ALARM))


def shortfall_steps(page: Page) -> Steps:
    """Return the steps of a shortfall's kilograms."""
    return [(None, NORMAL), (page.plant.parameters.get("shortfall_kg", _SHORTFALL_KG), ALARM)]


def tile(page: Page, words: Words, fields: Sequence[str], width: int, steps: Steps = CALM) -> Any:
    """Return numbers of the newest forecast."""
    said = Words(words.en, words.zh, f"{words.about} {_ONE_FORECAST}")
    return panels.value_panel(said, [page.forecasts.newest(*fields)], (width, 4), steps)


def tile_if_any(page: Page, words: Words, field: str, width: int) -> Any:
    """Return a number that a forecast may lack, then in words."""
    said = Words(words.en, words.zh, f"{words.about} {_ONE_FORECAST}")
    panel = panels.value_panel(said, [page.forecasts.newest_if_any(field)], (width, 4))
    return panel.no_value(panels.NONE)


def outlook(page: Page) -> Iterator[Any]:
    """Yield the six tiles that say whether today's trucks can be fuelled."""
    about = "What the station can deliver to the horizon, median."
    yield tile(page, Words("Deliverable", "可供氢量", about), ["deliverable_kg_p50"], 4).unit(KG).decimals(0)
    about = "Trucks that can still be served to the horizon, median."
    yield tile(page, Words("Trucks servable", "可服务车辆", about), ["trucks_servable_p50"], 3).decimals(0)
    about = "Asked today and not delivered, median."
    yield (
        tile(page, Words("Shortfall today", "今日缺口", about), ["shortfall_kg_p50"], 4, shortfall_steps(page))
        .unit(KG)
        .decimals(0)
    )
    about = "Probability of a shortfall today, smoothed. Limits of CAP-RISK and CAP-SHORT."
    risk = Words("Shortfall risk", "缺氢概率", about)
    yield tile(page, risk, ["shortfall_probability"], 3, risk_steps(page)).unit("percentunit").decimals(0)
    about = "What limits the station."
    names = panels.number_mapping(BOTTLENECKS)
    yield tile(page, Words("Bottleneck", "瓶颈", about), ["bottleneck"], 4).mappings(names)
    about = "Kilograms of the station day."
    done = tile(page, Words("Dispensed and planned", "已加与计划", about), ["done_kg", "plan_kg"], 6)
    yield panels.named_series(done.unit(KG).decimals(0), {"done_kg": "dispensed 已加", "plan_kg": "planned 计划"})
