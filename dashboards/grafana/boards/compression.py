"""Compression and cooling: what each train and chiller does, its wear, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.grafana import panels
from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import Words


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom."""
    yield page.safety("compression", "cooling", "utilities")
    yield "Trains 压缩机", list(_trains(page))
    yield "Health of the trains 压缩机健康", list(_health(page))
    yield "Cooling 制冷", list(_cooling(page))
    yield "Power and services 电力与公用工程", list(_services(page))


def _trains(page: Page) -> Iterator[Any]:
    units = [train.unit for train in page.plant.trains]
    states = page.playing("compression", "state", units)
    yield from page.timeline(Words("Compressor trains", "压缩机"), states, (12, 8))
    flows = page.playing("compression", "flow", units)
    yield from page.trend(Words("Flow of each train", "压缩流量"), flows, (12, 8), "mean")
    for role, en, zh in (
        ("suction_pressure", "Suction pressure", "进气压力"),
        ("interstage_pressure", "Interstage pressure", "级间压力"),
        ("discharge_pressure", "Discharge pressure", "排气压力"),
        ("stage1_temperature", "First stage", "一级排气温度"),
        ("stage2_temperature", "Second stage", "二级排气温度"),
        ("aftercooler_temperature", "Aftercooler", "后冷却器温度"),
    ):
        yield from page.trend(Words(en, zh), page.playing("compression", role, units), (8, 7))


def _health(page: Page) -> Iterator[Any]:
    units = [train.unit for train in page.plant.trains]
    for role, en, zh, about in (
        ("vibration", "Vibration", "振动", "A slow rise is wear."),
        ("leak_pressure", "Diaphragm leak", "膜片检漏", "Pressure between the diaphragms: a rise is a torn one."),
        ("oil_pressure", "Oil pressure", "油压", "Low while a train stands."),
        ("oil_temperature", "Oil temperature", "油温", ""),
    ):
        yield from page.trend(Words(en, zh, about), page.playing("compression", role, units), (8, 7))
    power = page.playing("compression", "power", units)
    yield from page.trend(Words("Motor power", "电机功率"), power, (8, 7), "mean")
    states = [s for s in page.playing("compression", "state", units) if "trip" in [state.en for state in s.states]]
    if states:
        about = "Share of the view in which a train was not tripped."
        query = page.readings.share_not_in("compression", [s.tag for s in states], [states[0].state_number("trip")])
        panel = panels.bars_panel(Words("Availability", "可用率", about), query, (8, 7), "percentunit")
        yield panel.max(1).decimals(1).display_name(panels.UNIT_LABEL)


def _cooling(page: Page) -> Iterator[Any]:
    units = [chiller.unit for chiller in page.plant.chillers]
    yield from page.timeline(Words("Chillers", "制冷机"), page.playing("cooling", "state", units), (12, 7))
    level = page.playing("cooling", "level")
    yield from page.trend(Words("Brine tank", "载冷剂液位"), level, (12, 7), by_signal=True)
    for role, en, zh in (
        ("supply_temperature", "Brine supply", "载冷剂供液温度"),
        ("return_temperature", "Brine return", "载冷剂回液温度"),
        ("brine_flow", "Brine flow", "载冷剂流量"),
        ("suction_pressure", "Refrigerant suction", "制冷剂吸气压力"),
        ("discharge_pressure", "Refrigerant discharge", "制冷剂排气压力"),
        ("power", "Chiller power", "制冷机功率"),
    ):
        yield from page.trend(Words(en, zh), page.playing("cooling", role, units), (8, 7))


def _services(page: Page) -> Iterator[Any]:
    energy, hoses = page.playing("utilities", "energy"), page.playing("dispensing", "total")
    if energy and hoses:
        about = "Electricity of the site over hydrogen dispensed, both over the view; a short view says little."
        query = page.readings.quotient_of_rises(
            ("utilities", [s.tag for s in energy]), ("dispensing", [s.tag for s in hoses])
        )
        yield (
            panels.value_panel(Words("Energy per kilogram", "单位能耗", about), [query], (6, 7))
            .unit("suffix: kWh/kg")
            .decimals(2)
        )
    power = page.playing("utilities", "power")
    yield from page.trend(Words("Site power", "全站功率"), power, (6, 7), "mean", by_signal=True)
    water = page.playing("utilities", "supply_temperature")
    yield from page.trend(Words("Cooling water", "冷却水温度"), water, (6, 7), by_signal=True)
    air = page.playing("utilities", "air_pressure")
    yield from page.trend(Words("Instrument air", "仪表空气"), air, (6, 7), by_signal=True)
