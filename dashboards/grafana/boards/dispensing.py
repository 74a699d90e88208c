"""Dispensing and fills: what each hose does, the gas it gives, the vehicle at it, and the fills that were made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import Words
from station.domain.plant import Signal

_KG: Final = "suffix: kg"
_PANELS_A_LINE: Final = 6
"""Narrower ones cannot be read."""


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom."""
    yield page.safety("dispensing", "cooling", "storage")
    yield "Hoses 加氢枪", list(_hoses(page))
    yield "Fills of the view 加注记录", list(_fills(page))
    yield "Vehicles at the hoses 车辆", list(_vehicles(page))
    yield "Dispensers 加氢机", list(_dispensers(page))
    yield "Hydrogen purity 氢气纯度", list(_purity(page))


def _hoses(page: Page) -> Iterator[Any]:
    units = [hose.unit for hose in page.plant.hoses]
    yield from page.timeline(Words("Hoses", "加氢枪"), page.playing("dispensing", "state", units), (24, 8))
    yield from page.trend(Words("Flow of each hose", "加氢流量"), page.playing("dispensing", "flow", units), (8, 8))
    pressures = page.playing("dispensing", "pressure", units)
    yield from page.trend(Words("Nozzle pressure", "枪口压力"), pressures, (8, 8))
    cold = page.playing("dispensing", "delivery_temperature", units)
    about = "Means something while gas flows; a pipe at rest is as warm as the air."
    yield from page.trend(Words("Delivery temperature", "加注气体温度", about), cold, (8, 8), "mean")


def _fills(page: Page) -> Iterator[Any]:
    units = [hose.unit for hose in page.plant.hoses]
    states = [s for s in page.playing("dispensing", "state", units) if _tells_fills(s)]
    totals = page.playing("dispensing", "total", units)
    if states and totals:
        connect, end = (states[0].state_number(name) for name in ("connect", "end"))
        query = page.readings.fill_list([s.tag for s in states], [s.tag for s in totals], connect, end)
        about = "Fills that reached their end: kilograms are the rise of the hose's counter from connecting on."
        columns = {
            "_time": ("Ended 结束", 190), "hose": ("Hose 加氢枪", 130), "kg": ("Mass 质量", 110),
            "minutes": ("Time 用时", 110),
        }  # fmt: skip
        panel = panels.list_panel(Words("Fills", "加注", about), query, (10, 9), columns)
        panel = panel.override_by_name("kg", [panels.own("unit", _KG), panels.own("decimals", 1)])
        yield panel.override_by_name("minutes", [panels.own("unit", "m"), panels.own("decimals", 0)])
    if states:
        query = page.readings.fill_count([s.tag for s in states], states[0].state_number("end"))
        words = Words("Fills by hose", "加注次数", "Fills that reached their end in the view.")
        yield panels.bars_panel(words, query, (7, 9), "short").decimals(0).display_name(panels.UNIT_LABEL)
    if totals:
        query = page.readings.rise("dispensing", [s.tag for s in totals])
        words = Words("Hydrogen by hose", "加氢量", "Rise of each hose's counter in the view.")
        yield panels.bars_panel(words, query, (7, 9), _KG).decimals(1).display_name(panels.UNIT_LABEL)


def _tells_fills(signal: Signal) -> bool:
    return {"connect", "end"} <= {state.en for state in signal.states}


def _vehicles(page: Page) -> Iterator[Any]:
    units = [hose.unit for hose in page.plant.hoses]
    for role, en, zh, about in (
        ("pressure", "Vehicle pressure", "车载压力", "By the vehicle's infrared link, during a fill only."),
        ("temperature", "Vehicle temperature", "车载温度", "By the vehicle's infrared link, during a fill only."),
        ("soc", "State of charge", "充装率", "Worked out of density, during a fill only."),
    ):
        yield from page.trend(Words(en, zh, about), page.playing("vehicle", role, units), (8, 8))


def _dispensers(page: Page) -> Iterator[Any]:
    purge = page.playing("dispensing", "purge_differential")
    about = "Overpressure that keeps gas out of the cabinets."
    yield from page.trend(Words("Cabinet purge", "机柜正压", about), purge, (12, 7))
    cabinets = page.playing("dispensing", "cabinet_temperature")
    yield from page.trend(Words("Cabinet temperature", "机柜温度"), cabinets, (12, 7))


def _purity(page: Page) -> Iterator[Any]:
    impurities = [s for s in page.plant.signals.values() if s.area == "quality"][:_PANELS_A_LINE]
    for number, signal in enumerate(impurities):
        # five panels of 24: the widths differ by one
        width = 24 * (number + 1) // len(impurities) - 24 * number // len(impurities)
        name = signal.name.en[:1].upper() + signal.name.en[1:]
        yield from page.trend(Words(name, signal.name.zh), [signal], (width, 7), by_signal=True)
