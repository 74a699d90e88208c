"""The capacity page: can today's trucks be filled, what was known when, the plan, and what if."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.layout import chances
from dashboards.console.pages import data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of
from dashboards.console.what_if_section import WHAT_IF_MODULES, what_if_layout, what_if_section
from station.domain.plant import Plant

_MODULES: Final = (
    "outlook", "outlook_figures", "day_curve", "chart_axis", "look_back", "plan_editor", "plan_csv", "day", "verdict",
    *WHAT_IF_MODULES,
)  # fmt: skip
_FIGURES: Final = (
    ("chance", "probability"),
    ("by-close", "by_close"),
    ("deliverable", "deliverable_now"),
    ("servable", "trucks_servable"),
    ("bottleneck", "bottleneck"),
    ("next-trailer", "next_trailer"),
    ("reserve", "n_minus_1"),
    ("queue", "queue_wait"),
    ("empty", "empty_in"),
)


def capacity_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the capacity page."""
    head("capacity", _MODULES, ("console", "sheet", "capacity"))
    name = live.plant.label.in_language(language)
    may_operate = session.role >= Role.OPERATOR
    ui.add_body_html(f"""
<div id="console" class="sheet outlook" lang="{html_lang(language)}">
{header(live, name, session, language, "capacity")}
<main>
{_answer(language)}
{_curve(language)}
{what_if_section(live.plant, language)}
{_look_back(language)}
{_plan(language, may_operate=may_operate)}
</main>
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", _layout(live.plant, name))}
{data_element("context", page_context(live, session, language))}""")


def _layout(plant: Plant, name: str) -> dict[str, Any]:
    """Return what the page's scripts need of the station."""
    return {
        "id": plant.id,
        "name": name,
        "timezone": plant.timezone.key,
        "chances": chances(plant),
        "totals": list(plant.tags_with_role("total")),
        "bays": list(plant.supply.bays),
        "signals": {},
        "what_if": what_if_layout(plant),
    }


def _answer(language: str) -> str:
    t = translator(language)
    figures = "".join(
        f'<div class="figure" id="{key}"><dt>{t(label)}</dt><dd><b class="big">–</b>'
        '<span class="sub"></span></dd></div>'
        for key, label in _FIGURES
    )
    return f"""
<section id="answer" class="panel" aria-labelledby="answer-title">
  <h2 id="answer-title">{t("capacity")} <span id="forecast-at" class="muted"></span></h2>
  <p id="verdict" data-level="unknown" role="status"><b id="verdict-text">{t("no_forecast")}</b>
    <span id="verdict-when"></span> <span id="verdict-limit"></span></p>
  <p id="advice"></p>
  <dl class="figures">{figures}</dl>
  <p id="inputs"></p>
</section>"""


def _curve(language: str) -> str:
    t = translator(language)
    return f"""
<section id="day" class="panel" aria-labelledby="day-title">
  <h2 id="day-title">{t("day_curve")}</h2>
  <div id="day-curve"></div>
  <p class="muted small">{t("curve_note")}</p>
</section>"""


def _look_back(language: str) -> str:
    t = translator(language)
    return f"""
<section id="look-back" class="panel" aria-labelledby="look-back-title">
  <h2 id="look-back-title">{t("looking_back")}</h2>
  <form id="known" class="tools"><label>{t("moment")} <input id="known-at" type="datetime-local" required></label>
    <button type="submit">{t("show")}</button></form>
  <div id="known-answer" role="status"></div>
  <h2>{t("scorecard")}</h2>
  <form id="score" class="tools"><label>{t("score_day")} <input id="score-day" type="date" required></label>
    <button type="submit">{t("show")}</button></form>
  <div id="score-answer" role="status"></div>
</section>"""


def _plan(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    if may_operate:
        acts = f"""
  <p class="tools"><button id="plan-save" type="button">{t("save")}</button>
    <button id="plan-discard" type="button">{t("discard")}</button></p>
  <details id="csv"><summary>{t("csv")}</summary>
    <p class="muted small" id="csv-hint">{t("csv_hint")}</p>
    <textarea id="csv-text" rows="6" aria-labelledby="csv-hint" spellcheck="false"></textarea>
    <p class="tools"><input id="csv-file" type="file" accept=".csv,text/csv" aria-label="{t("csv")}">
      <button id="csv-take" type="button">{t("csv_take")}</button></p>
    <ul id="csv-problems" class="problem"></ul></details>"""
    else:
        acts = f'<p class="muted">{t("plan_read_only")}</p>'
    return f"""
<section id="plan" class="panel" aria-labelledby="plan-title">
  <h2 id="plan-title">{t("plan_title")}</h2>
  <p class="tools"><label>{t("plan_day")} <input id="plan-day" type="date"></label>
    <span id="plan-state" role="status"></span></p>
  {acts}
  <p id="plan-feasible" hidden></p>
  <ul id="plan-problems" class="problem"></ul>
  <div id="plan-tables">
    <div><h3>{t("deliveries")}</h3><div class="rows"><table id="trailers"></table></div></div>
    <div><h3>{t("bookings")}</h3><div class="rows"><table id="trucks"></table></div></div>
  </div>
</section>"""


PAGE: Final = ConsolePage("/capacity", TEXTS["page_capacity"], 10, capacity_page, key="c")
