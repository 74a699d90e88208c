"""The completeness page: what each unit sent in each hour, and what of it is missing."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.pages import act_dialog, data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of

_MODULES: Final = ("completeness", "completeness_grid", "sheet_table", "dialog")
_LEGEND: Final = ("full", "short", "silent", "counted", "uncounted")


def completeness_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the completeness page."""
    head("completeness", _MODULES, ("console", "sheet", "completeness"))
    name = live.plant.label.in_language(language)
    units = {f"{area}/{unit}": it.label.in_language(language) for (area, unit), it in live.plant.units.items()}
    layout = {
        "id": live.plant.id, "name": name, "timezone": live.plant.timezone.key, "signals": {}, "units": units,
    }  # fmt: skip
    ui.add_body_html(f"""
<div id="console" class="sheet" lang="{html_lang(language)}">
{header(live, name, session, language, "completeness")}
<main>{_grid(language)}{_detail(language)}</main>
{act_dialog(language)}
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", layout)}
{data_element("context", page_context(live, session, language))}""")


def _grid(language: str) -> str:
    t = translator(language)
    legend = "".join(f'<li data-kind="{kind}"><i></i>{t(f"completeness_{kind}")}</li>' for kind in _LEGEND)
    return f"""
<section id="completeness" class="panel" aria-labelledby="completeness-title">
  <form id="completeness-form" class="tools"><h2 id="completeness-title">{t("completeness")}</h2>
    <span class="spring"></span>
    <button type="button" id="day-before" aria-label="{t("completeness_before")}">◀</button>
    <label>{t("completeness_day")} <input type="date" id="day"></label>
    <button type="button" id="day-after" aria-label="{t("completeness_after")}">▶</button>
    <button type="button" id="newest" aria-pressed="true">{t("completeness_newest")}</button>
    <label class="check"><input type="checkbox" id="only-short"> {t("completeness_only")}</label></form>
  <p id="sum" role="status"></p>
  <ul id="legend" class="muted small">{legend}</ul>
  <div id="grid" role="group" aria-label="{t("completeness_grid")}" tabindex="0"></div>
</section>"""


def _detail(language: str) -> str:
    t = translator(language)
    return f"""
<section id="detail" class="panel" aria-labelledby="detail-title" tabindex="-1">
  <h2 id="detail-title">{t("completeness_gaps")}</h2>
  <div id="detail-body"><p class="muted">{t("completeness_choose")}</p></div>
</section>"""


PAGE: Final = ConsolePage("/completeness", TEXTS["page_completeness"], 80, completeness_page, key="m")
