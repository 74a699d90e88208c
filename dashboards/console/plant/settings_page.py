"""Settings with their sources, and what the station file says with its marks: for reading alone."""

from __future__ import annotations

from typing import Final

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.setting_texts import SETTING_REMARKS_ZH
from dashboards.console.plant.sheet import Sheet, draw_sheet, panel, rows
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS

_MODULES: Final = ("plant/settings", "plant/facts")
_SECTIONS: Final = ("parameters", "fill", "supply", "fleet", "trains", "banks", "chillers", "hoses")


def settings_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the settings page; who is no engineer sees the station's numbers alone."""
    t = translator(language)
    options = "".join(f'<option value="{name}">{t(f"section_{name}")}</option>' for name in _SECTIONS)
    tools = f'<span class="spring"></span><label>{t("section")} <select id="section">{options}</select></label>'
    refused = f'<p class="flagged" role="note">{t("settings_refused")}</p>'
    inner = rows("setting-rows", "settings") if session.role >= Role.ENGINEER else refused
    settings = f'<p class="muted small">{t("settings_note")}</p>{inner}'
    facts = f'<p class="muted small">{t("marks_note")}</p>{rows("fact-rows", "facts")}'
    body = panel("settings", t("settings_title"), settings) + panel("facts", t("facts_title"), facts, tools=tools)
    units = {f"{unit}": one.label.in_language(language) for (_, unit), one in live.plant.units.items()}
    remarks = SETTING_REMARKS_ZH if language == "zh" else {}
    draw_sheet(live, session, language, Sheet("settings", _MODULES, body, {"units": units, "remarks": remarks}))


PAGE: Final = ConsolePage("/settings", TEXTS["page_settings"], 120, settings_page, key="s")
