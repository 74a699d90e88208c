"""All units of the station, by area: the way to each unit's own page."""

from __future__ import annotations

from html import escape
from typing import Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, draw_sheet, panel, signals_of
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS
from station.domain.plant import Plant, Unit

_MODULES: Final = ("plant/units", "standing", "alarm_words")


def units_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the list of units."""
    t, plant = translator(language), live.plant
    areas = dict.fromkeys(area for area, _ in plant.units)
    body = "".join(panel(f"area-{area}", t(f"area_{area}"), _links(plant, area, language)) for area in areas)
    states = tuple(signal.tag for signal in plant.signals.values() if signal.role == "state")
    layout = {"signals": signals_of(live, tuple(plant.signals), language), "states": list(states)}
    draw_sheet(live, session, language, Sheet("units", _MODULES, f'<div class="areas">{body}</div>', layout))


def _links(plant: Plant, area: str, language: str) -> str:
    units = [unit for (where, _), unit in plant.units.items() if where == area]
    return f'<ul class="units">{"".join(_link(plant, unit, language) for unit in units)}</ul>'


def _link(plant: Plant, unit: Unit, language: str) -> str:
    key = f"{unit.area}/{unit.name}"
    state = next((tag for tag in unit.tags if plant.signals[tag].role == "state"), "")
    chip = f'<span class="state" data-tag="{escape(state)}"></span>' if state else ""
    return (
        f'<li data-unit="{escape(key)}"><a href="/console/units/{escape(key)}?lang={language}">'
        f'{escape(unit.label.in_language(language))}</a><span class="mark"></span>{chip}</li>'
    )


PAGE: Final = ConsolePage("/units", TEXTS["page_units"], 40, units_page, key="u")
