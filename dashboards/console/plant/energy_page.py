"""Electricity: what a kilogram took, by train and for the whole station, by the hour and the day."""

from __future__ import annotations

from typing import Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, day_tools, draw_sheet, panel, rows, unit_names
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS

_MODULES: Final = ("plant/energy", "plant/plot", "plant/figures")


def energy_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the energy page."""
    t, plant = translator(language), live.plant
    trains = unit_names(plant, [("compression", one.unit) for one in plant.trains], language)
    chillers = unit_names(plant, [("cooling", one.unit) for one in plant.chillers], language)
    body = f"""
{day_tools(language)}
<dl id="energy-figures" class="figures"></dl>
{panel("per-kg", t("energy_per_kg"), '<div id="per-kg-plots"></div>')}
<div class="pair">
{panel("machines", t("energy_machines"), rows("machine-rows", "machines"))}
{panel("hours", t("energy_hours"), rows("hour-rows", "hours"))}
</div>
<p class="muted small">{t("energy_note")}</p>"""
    layout = {"trains": trains, "chillers": chillers}
    draw_sheet(live, session, language, Sheet("energy", _MODULES, body, layout))


PAGE: Final = ConsolePage("/energy", TEXTS["page_energy"], 70, energy_page, key="e")
