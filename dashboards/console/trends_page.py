"""The trends page: any signals over any time from seconds to a month, with their limits and alarms."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.layout import signals_now
from dashboards.console.pages import act_dialog, data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of
from station.domain.plant import Plant

_MODULES: Final = (
    "trends", "trends_alarms", "trends_chart", "trends_data", "trends_export", "trends_legend", "trends_moves",
    "trends_paint", "trends_ticks", "trends_view", "trends_views", "chart_axis", "signal_search", "dialog",
)  # fmt: skip
_OF_SIGNAL: Final = ("name", "unit", "digits", "limits", "stale_s", "states")
_SPANS: Final = ("1m", "15m", "2h", "24h", "7d", "30d")


def trends_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the trends page."""
    head("trends", _MODULES, ("console", "sheet", "trends"))
    name = live.plant.label.in_language(language)
    ui.add_body_html(f"""
<div id="console" class="sheet trends" lang="{html_lang(language)}">
<a class="skip" href="#trends-legend">{translator(language)("trends_signals")}</a>
{header(live, name, session, language, "trends")}
<main>
{_tools(live.plant.id, language)}
{_picture(language)}
</main>
{act_dialog(language)}
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", trends_layout(live, language))}
{data_element("context", page_context(live, session, language))}""")


def trends_layout(live: LiveStation, language: str) -> dict[str, Any]:
    """Return what the page's scripts need of the station: signals as they are now, their other name, their alarms.

    No more than that: it stands in the page, which is made and read before anything is drawn.
    """
    plant = live.plant
    other = "en" if language == "zh" else "zh"
    return {
        "id": plant.id,
        "name": plant.label.in_language(language),
        "timezone": plant.timezone.key,
        "signals": {
            tag: {name: body[name] for name in _OF_SIGNAL if name in body}
            | {"other": plant.signals[tag].name.in_language(other)}
            for tag, body in signals_now(live, language).items()
        },
        "alarms": {
            f"{tag}.{alarm.condition}": alarm.priority
            for tag, signal in plant.signals.items()
            for alarm in signal.alarms
        },
        "usual": usual_signals(plant),
    }


def usual_signals(plant: Plant) -> list[str]:
    """Return what is shown to who has chosen nothing: the pressure of each bank, else the first signal."""
    keys = [("storage", bank.unit) for bank in plant.banks]
    tags = [one.tag for one in plant.signals.values() if one.key in keys and one.role == "pressure_a"]
    return tags[:8] or list(plant.signals)[:1]


def _tools(station: str, language: str) -> str:
    t = translator(language)
    spans = "".join(
        f'<button type="button" data-span="{name}" aria-pressed="false">{t(f"span_{name}")}</button>' for name in _SPANS
    )
    moves = "".join(
        f'<button type="button" data-move="{name}" aria-label="{t(f"trends_{name}")}" title="{t(f"trends_{name}")}">'
        f"{sign}</button>"
        for name, sign in (("earlier", "‹"), ("later", "›"), ("in", "+"), ("out", "−"))
    )
    return f"""
<section id="trends-tools" class="panel" aria-label="{t("trend")}">
  <div class="tools">
    <h2 class="heard">{t("trend")}</h2>
    <form id="trends-find" class="finder"><input id="trends-signal" role="combobox" aria-expanded="false"
      aria-autocomplete="list" aria-controls="trends-found" autocomplete="off" aria-label="{t("trends_add")}"
      placeholder="{t("trends_add")}"><ul id="trends-found" role="listbox" aria-label="{t("trends_add")}" hidden></ul>
    </form>
    <span role="group" aria-label="{t("trends_span")}" class="joined" id="trends-spans">{spans}</span>
    <span class="joined">{moves}</span>
    <button id="trends-live" type="button" aria-pressed="true">{t("trends_live")}</button>
    <span class="spring"></span>
    <label>{t("trends_view")} <select id="trends-views"></select></label>
    <button id="trends-save" type="button">{t("trends_save")}</button>
    <button id="trends-forget" type="button" hidden>{t("trends_forget")}</button>
    <button id="trends-csv" type="button" title="{t("trends_csv_name")}">{t("trends_csv")}</button>
    <button id="trends-png" type="button" title="{t("trends_png_name")}">{t("trends_png")}</button>
    <a id="trends-log" class="button" download="{station}.ndjson" title="{t("trends_log_name")}">{t("trends_log")}</a>
  </div>
</section>"""


def _picture(language: str) -> str:
    t = translator(language)
    return f"""
<section id="trends-picture" class="panel" aria-labelledby="trends-range">
  <h2 id="trends-range"></h2>
  <p class="tools small muted"><span id="trends-how"></span><span id="trends-note" role="status"></span></p>
  <div id="trends-chart" tabindex="0" role="group" aria-label="{t("trends_chart")}"></div>
</section>
<section id="trends-legend" class="panel" aria-labelledby="trends-signals" tabindex="-1">
  <h2 id="trends-signals">{t("trends_signals")}</h2>
  <p id="trends-none" class="muted" hidden>{t("trends_none")}</p>
  <div id="trends-rows"></div>
</section>"""


PAGE: Final = ConsolePage("/trends", TEXTS["page_trends"], 30, trends_page, key="t")
