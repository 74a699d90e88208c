"""Trailers: the bays, the yard, who is expected, and the day's stays with their net mass by three ways."""

from __future__ import annotations

from typing import Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, day_tools, draw_sheet, panel, rows, signals_of, unit_names
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS

_MODULES: Final = ("plant/trailers", "plant/figures")


def trailers_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the trailers page."""
    t, plant = translator(language), live.plant
    supply = plant.supply
    keys = [("trailer", bay) for bay in supply.bays]
    places = {bay: {role: plant.tag("trailer", bay, role) for role in ("state", "pressure", "flow")} for _, bay in keys}
    tags = tuple(tag for place in places.values() for tag in place.values())
    body = f"""
<div id="now-part">
<dl id="trailer-figures" class="figures"></dl>
{panel("bays", t("trailer_bays"), '<div id="bay-cards" class="cards"></div>')}
{panel("expected", t("trailer_expected"), rows("expected-rows", "expected"))}
</div>
{panel("stays", t("trailer_stays"), day_tools(language) + rows("stay-rows", "stays"))}
<p class="muted small">{t("stays_note")}</p>"""
    layout = {
        "bays": unit_names(plant, keys, language),
        "places": places,
        "full_mpa": supply.fill_pressure_mpa,
        "floor_mpa": supply.floor_mpa,
        "signals": signals_of(live, tags, language),
    }
    draw_sheet(live, session, language, Sheet("trailers", _MODULES, body, layout))


PAGE: Final = ConsolePage("/trailers", TEXTS["page_trailers"], 60, trailers_page, key="b")
