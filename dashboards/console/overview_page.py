"""The overview: the station's picture, whether today's trucks can be fuelled, what is wrong, one signal's trend."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.layout import signals_now, station_layout
from dashboards.console.pages import act_dialog, data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of

_MODULES: Final = (
    "main", "mimic", "pipes", "pipes_paths", "capacity", "day", "verdict", "alarms", "alarm_acts", "alarm_words",
    "standing", "dialog", "trend", "chart_axis", "whole_rows",
)  # fmt: skip


def overview_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the station's overview."""
    t = translator(language)
    head("overview", _MODULES, ("console", "wall", "pipes"))
    layout = station_layout(live.plant, language) | {"signals": signals_now(live, language)}
    ui.add_body_html(f"""
<div id="console" lang="{html_lang(language)}">
<a class="skip" href="#alarms">{t("skip")}</a>
{header(live, layout["name"], session, language)}
{_banner(language)}
<main>
  <section id="mimic" aria-label="{t("mimic")}"></section>
  <div class="side">
  {_capacity(language)}
  <section id="alarms" class="panel" aria-labelledby="alarms-title" tabindex="-1">
    <h2 id="alarms-title">{t("alarms")} <span id="alarm-counts"></span></h2>
    <p id="alarms-none" class="muted">{t("no_alarms")}</p>
    <ol id="alarm-list"></ol>
    <p id="alarms-more" hidden></p>
    <p id="alarms-hidden" class="muted" hidden></p>
  </section>
  </div>
  {_trend(language)}
</main>
{act_dialog(language)}
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", layout)}
{data_element("context", page_context(live, session, language))}""")


def _banner(language: str) -> str:
    t = translator(language)
    return f"""
<div id="banner" role="alert" aria-live="assertive" data-priority="">
  <span id="banner-symbol"></span>
  <time id="banner-time"></time>
  <span id="banner-text">{t("no_unacked")}</span>
  <span class="spring"></span>
  <button id="banner-ack" type="button" hidden>{t("acknowledge")}</button>
</div>"""


def _capacity(language: str) -> str:
    t = translator(language)
    figures = "".join(
        f'<div class="figure" id="{key}"><dt>{t(label)}</dt><dd><b class="big">–</b>'
        '<span class="sub"></span></dd></div>'
        for key, label in (
            ("kg", "dispensed_plan"),
            ("trucks", "trucks_done"),
            ("servable", "trucks_servable"),
            ("chance", "probability"),
            ("kg-short", "kg_short"),
            ("bottleneck", "bottleneck"),
            ("next-trailer", "next_trailer"),
            ("queue", "queue"),
        )
    )
    return f"""
<section id="capacity" class="panel" aria-labelledby="capacity-title">
  <h2 id="capacity-title">{t("capacity")} <span id="forecast-at" class="muted"></span></h2>
  <p id="verdict" data-level="unknown"><b id="verdict-text">{t("no_forecast")}</b> <span id="verdict-when"></span></p>
  <p id="advice"></p>
  <dl>{figures}</dl>
  <figure id="curve" aria-label="{t("curve")}"></figure>
</section>"""


def _trend(language: str) -> str:
    t = translator(language)
    ranges = "".join(
        f'<button type="button" data-range="{name}" aria-pressed="{"true" if name == "2h" else "false"}">'
        f"{t(f'last_{name}')}</button>"
        for name in ("15m", "2h", "24h")
    )
    return f"""
<section id="trend" class="panel" aria-labelledby="trend-title">
  <div class="tools">
    <h2 id="trend-title">{t("trend")}</h2>
    <input id="trend-signal" list="trend-signals" aria-label="{t("trend_pick")}" placeholder="{t("trend_pick")}">
    <datalist id="trend-signals"></datalist>
    <span role="group" aria-label="{t("trend_range")}" id="trend-ranges">{ranges}</span>
    <b id="trend-value"></b>
    <span id="trend-note" class="muted" role="status"></span>
  </div>
  <div id="trend-chart"></div>
</section>"""


PAGE: Final = ConsolePage("/", TEXTS["page_overview"], 0, overview_page, key="o")
