"""Storage and trailers: how much gas there is and where, each pressure against its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dashboards.grafana.page import Page, Row
from dashboards.grafana.panels import ALARM, NORMAL, QUANTITY, Words

_VALVE: Final = {0: ("closed 关", NORMAL), 1: ("open 开", QUANTITY)}
_SAFE: Final = {0: ("normal 正常", NORMAL), 1: ("acting 动作", ALARM)}


def rows(page: Page) -> Iterator[Row]:
    """Yield the rows, top to bottom."""
    yield page.safety("storage", "trailer")
    yield "Banks 储氢瓶组", [*_banks(page), *_bank_equipment(page)]
    yield "Trailers 长管拖车", list(_trailers(page))
    yield "Low-pressure header and weighbridge 低压总管与地磅", list(_inlet(page))


def _banks(page: Page) -> Iterator[Any]:
    banks = page.plant.banks
    for bank in banks:
        sensors = [s for role in ("pressure_a", "pressure_b") for s in page.playing("storage", role, [bank.unit])]
        label = page.plant.units["storage", bank.unit].label
        about = f"Recharge starts at {bank.recharge_start_mpa:g} MPa; two transmitters."
        yield from page.trend(Words(label.en, label.zh, about), sensors, (24 // len(banks), 9), by_signal=True)


def _bank_equipment(page: Page) -> Iterator[Any]:
    units = [bank.unit for bank in page.plant.banks]
    yield from page.trend(Words("Bank temperature", "瓶组温度"), page.playing("storage", "temperature", units), (8, 8))
    header = page.playing("storage", "pressure", ["header-hp"])
    yield from page.trend(Words("High-pressure header", "高压总管"), header, (8, 8), by_signal=True)
    vent = page.playing("storage", "temperature", ["vent"])
    about = "A rise is gas that burns at the mouth of the stack."
    yield from page.trend(Words("Vent stack", "放空立管", about), vent, (8, 8), by_signal=True)
    valves = [s for role in ("inlet_open", "outlet_open") for s in page.playing("storage", role, units)]
    about = "Inlet and outlet valves of the banks, on change and each minute."
    yield from page.switches(Words("Bank valves", "瓶组阀门", about), valves, (12, 8), _VALVE)
    guards = [s for role in ("relief_lifted", "flow_switch") for s in page.playing("storage", role)]
    about = "Relief valves that lifted, flow in the vent stack. Anything but normal is an alarm."
    yield from page.switches(Words("Relief and vent", "安全阀与放空", about), guards, (12, 8), _SAFE)


def _trailers(page: Page) -> Iterator[Any]:
    bays = page.plant.supply.bays
    about = f"Pressure at each bay; a trailer is empty at {page.plant.supply.floor_mpa:g} MPa."
    yield from page.trend(Words("Trailers", "长管拖车", about), page.playing("trailer", "pressure", bays), (12, 8))
    yield from page.timeline(Words("Bays", "卸气位"), page.playing("trailer", "state", bays), (12, 8))
    flows = page.playing("trailer", "flow", bays)
    yield from page.trend(Words("Unloading flow", "卸气流量"), flows, (12, 8), "mean")
    warm = page.playing("trailer", "temperature", bays)
    yield from page.trend(Words("Trailer temperature", "拖车温度", "It falls while gas is drawn."), warm, (12, 8))


def _inlet(page: Page) -> Iterator[Any]:
    header = page.playing("trailer", "pressure", ["header-lp"])
    yield from page.trend(Words("Low-pressure header", "低压总管"), header, (8, 8), by_signal=True)
    dirt = page.playing("trailer", "filter_differential")
    about = "A rise at the same flow is a filter that plugs."
    yield from page.trend(Words("Inlet filter", "入口过滤器", about), dirt, (8, 8), by_signal=True)
    yield from page.trend(Words("Weighbridge", "地磅"), page.playing("trailer", "mass"), (8, 8), by_signal=True)
