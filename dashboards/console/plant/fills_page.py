"""The fills of a day, and one of them as its curve."""

from __future__ import annotations

from html import escape
from typing import Final

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import translator
from dashboards.console.plant.sheet import Sheet, day_tools, draw_sheet, panel, rows, unit_names
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS

_MODULES: Final = ("plant/fills", "plant/fill_curve", "plant/plot", "plant/figures")


def fills_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the fills page."""
    t, plant = translator(language), live.plant
    names = unit_names(plant, [("dispensing", hose.unit) for hose in plant.hoses], language)
    hoses = "".join(f'<option value="{escape(unit)}">{escape(name)}</option>' for unit, name in names.items())
    more = f"""
  <label>{t("fill_hose")} <select id="hose"><option value="">{t("all")}</option>{hoses}</select></label>
  <label>{t("fill_result")} <select id="result"><option value="">{t("all")}</option>
    <option value="complete">{t("result_complete")}</option><option value="broken">{t("result_broken")}</option>
    <option value="short">{t("result_short")}</option></select></label>
  <a id="csv" class="button" download>CSV</a>"""
    body = f"""
{day_tools(language, more)}
<dl id="fill-figures" class="figures"></dl>
<div class="split">
{panel("fills", t("page_fills"), rows("fill-rows", "fills"))}
<section id="fill-curve" class="panel" aria-labelledby="curve-title" hidden>
  <div class="tools"><h2 id="curve-title" tabindex="-1"></h2><span class="spring"></span>
    <button id="curve-close" type="button">{t("close")}</button></div>
  <p id="curve-note" class="muted" role="status"></p>
  <div id="curve-plots"></div>
  <p class="muted small">{t("corridor_note")}</p>
</section>
</div>"""
    layout = {"hoses": names, "full_soc": round(100.0 * plant.fill.end_soc - 2.0, 1)}
    draw_sheet(live, session, language, Sheet("fills", _MODULES, body, layout))


PAGE: Final = ConsolePage("/fills", TEXTS["page_fills"], 50, fills_page, key="f")
