"""The overview: is it safe, is the data fresh, can it serve its trucks, how does each part stand. One wall screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.grafana.boards.alarm_lists import standing_alarms
from dashboards.grafana.boards.forecast_tiles import outlook
from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import Words


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom; the first four fill a screen of 1920 by 1080."""
    yield page.safety()
    yield "Can today's trucks be fuelled? 今日供氢能力", list(outlook(page))
    yield "Gas and compressors 供气与压缩", list(_gas(page))
    yield "Hoses and bays 加氢枪与卸气位", list(_states(page))
    yield "Active alarms 当前报警", [standing_alarms(page, (24, 9))]


def _gas(page: Page) -> Iterator[Any]:
    plant = page.plant
    banks = page.playing("storage", "pressure_a", [bank.unit for bank in plant.banks])
    about = "Pressure now, coloured by each bank's own limits. Stale values are not shown."
    yield from page.levels(Words("Banks", "储氢瓶组", about), banks, (6, 8))
    trailers = page.playing("trailer", "pressure", plant.supply.bays)
    about = "Pressure now at each bay, coloured by its limits. A bay without a trailer has none."
    yield from page.levels(Words("Trailers", "长管拖车", about), trailers, (6, 8))
    trains = page.playing("compression", "state", [train.unit for train in plant.trains])
    yield from page.timeline(Words("Compressor trains", "压缩机"), trains, (12, 8))


def _states(page: Page) -> Iterator[Any]:
    hoses = page.playing("dispensing", "state", [hose.unit for hose in page.plant.hoses])
    yield from page.timeline(Words("Hoses", "加氢枪"), hoses, (12, 8))
    yield from page.timeline(Words("Bays", "卸气位"), page.playing("trailer", "state", page.plant.supply.bays), (12, 8))
