"""Alarms and data quality: what calls for somebody, how the alarm system does, and whether the data can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.grafana import panels
from dashboards.grafana.boards.alarm_lists import alarm_changes, standing_alarms
from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import NORMAL, WARNING, Words


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom."""
    yield page.safety()
    yield "Alarms 报警", list(_alarms(page))
    yield "Gas detectors 气体探测", list(_gas(page))
    yield "Data quality 数据质量", list(_data(page))


def _alarms(page: Page) -> Iterator[Any]:
    yield standing_alarms(page, (12, 9))
    yield alarm_changes(page, (12, 9))
    about = "Alarms raised in each ten minutes; more than ten is a flood (ISA-18.2)."
    rate = panels.columns_panel(Words("Alarm rate", "报警频率", about), page.alarms.rate(), (12, 7), "short")
    yield rate.decimals(0).display_name("raised 发生")
    about = "The ten that were raised most often in the view: work on these first."
    columns = {"id": ("Alarm 报警", 0), "times": ("Times 次数", 120)}
    words = Words("Most frequent", "最频繁", about)
    yield panels.list_panel(words, page.alarms.most_frequent(), (12, 7), columns).no_value("none in the view 无记录")


def _gas(page: Page) -> Iterator[Any]:
    gas = page.playing("fire_gas", "gas")
    if gas:
        yield from page.levels(Words("Each detector", "各探测器", "Now, coloured by its limits."), gas, (12, 14))
        low, high = gas[0].instrument_range
        about = "Highest of all detectors, the max of each window. " + panels.limits_text(gas[0].limits, "%LEL")
        yield panels.trend_panel(
            Words("Highest hydrogen", "最高氢浓度", about),
            [page.readings.highest_over_time("fire_gas", [s.tag for s in gas])],
            (12, 14),
            unit=panels.unit_of(gas[0]),
            ends=(max(low, 0.0), high),
            steps=panels.limit_steps(gas[0].limits),
        ).display_name("highest 最高")


def _data(page: Page) -> Iterator[Any]:
    about = "Messages that ingest took, a minute and area."
    yield panels.trend_panel(
        Words("Messages received", "接收消息", about), [page.ingest.received()], (12, 8), unit="suffix: /min"
    ).min(0).display_name(panels.AREA_LABEL)  # fmt: skip
    about = "Messages that were missing, late, twice or refused, a minute."
    troubles = panels.trend_panel(
        Words("Gaps, late, twice, refused", "缺失、迟到、重复、拒收", about),
        [page.ingest.troubles()], (12, 8), unit="suffix: /min",
    ).min(0).display_name(panels.SIGNAL_NAME)  # fmt: skip
    names = {"gaps": "missing 缺失", "late": "late 迟到", "duplicate": "twice 重复", "refused": "refused 拒收"}
    yield panels.named_series(troubles, names)
    heartbeats = page.playing("system", "heartbeat_age")
    about = "How long each gateway has been silent, by the site's own watch."
    gateways = {gateway.heartbeat: gateway.id for gateway in page.plant.gateways if gateway.heartbeat}
    for panel in page.trend(Words("Gateway silence", "网关静默", about), heartbeats, (12, 8), by_signal=True):
        yield panels.named_series(panel, gateways)
    clocks = page.playing("system", "clock_offset")
    yield from page.trend(Words("Clock offset", "时钟偏差"), clocks, (6, 8), by_signal=True)
    about = "Readings of the view that were uncertain or bad, by area."
    query = page.readings.doubtful(page.areas())
    doubtful = panels.value_panel(
        Words("Doubtful readings", "可疑数据", about), [query], (6, 8), [(None, NORMAL), (1.0, WARNING)]
    )
    yield doubtful.unit("short").decimals(0).display_name(panels.AREA_LABEL)
