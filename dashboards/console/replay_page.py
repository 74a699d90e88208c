"""The replay page: a stretch of the past lived through once more, with a time bar, its alarms as bookmarks."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.layout import chances, signal_layout
from dashboards.console.pages import data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of

_MODULES: Final = (
    "replay", "replay_bar", "replay_open", "replay_tables", "alarm_words", "verdict", "sheet_table", "dialog",
)  # fmt: skip
SPEEDS: Final = ("0.1", "0.5", "1", "2", "5", "10", "60", "300", "3600", "max")
_STEPS: Final = ((-60, "−", "step_minute"), (-1, "−", "step_second"), (1, "+", "step_second"), (60, "+", "step_minute"))


def replay_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the replay page."""
    head("replay", _MODULES, ("console", "sheet", "replay"))
    name = live.plant.label.in_language(language)
    may_operate = session.role >= Role.OPERATOR
    ui.add_body_html(f"""
<div id="console" class="sheet" lang="{html_lang(language)}">
{header(live, name, session, language, "replay")}
<main>
{_opening(language, may_operate=may_operate)}
{_player(language, may_operate=may_operate)}
</main>
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", _layout(live, language))}
{data_element("context", page_context(live, session, language))}""")


def _layout(live: LiveStation, language: str) -> dict[str, Any]:
    plant = live.plant
    return {
        "id": plant.id,
        "name": plant.label.in_language(language),
        "timezone": plant.timezone.key,
        "chances": chances(plant),
        "signals": {signal.tag: signal_layout(signal, language) for signal in plant.signals.values()},
        "units": {f"{area}/{name}": unit.label.in_language(language) for (area, name), unit in plant.units.items()},
    }


def _opening(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    forms = f'<p class="muted">{t("replay_watch")}</p>'
    if may_operate:
        forms = f"""
  <form id="replay-range" class="tools"><b>{t("replay_range")}</b>
    <label>{t("from")} <input id="replay-from" type="datetime-local" required></label>
    <label>{t("to")} <input id="replay-to" type="datetime-local" required></label>
    <button type="submit">{t("replay_begin")}</button></form>
  <form id="replay-log" class="tools"><b>{t("replay_log")}</b>
    <label>{t("replay_file")} <input id="replay-file" type="file" required></label>
    <button type="submit">{t("replay_upload")}</button><span id="replay-upload" role="status"></span></form>
  <p class="tools"><label><input id="replay-forecasts" type="checkbox" checked> {t("replay_forecasts")}</label></p>"""
    return f"""
<section id="opening" class="panel" aria-labelledby="opening-title">
  <h2 id="opening-title">{t("replay_new")}</h2>{forms}
  <p id="opening-problem" class="problem" role="alert"></p>
  <h3>{t("replay_open")}</h3>
  <div id="replay-rows" class="rows" role="group" aria-label="{t("replay_open")}" tabindex="0"></div>
</section>"""


def _player(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    return f"""
<section id="player" class="panel" aria-labelledby="player-title" hidden>
  <h2 id="player-title" tabindex="-1"><strong class="flag">{t("replay_flag")}</strong>
    <span id="player-what"></span></h2>
  <div class="tools"><time id="player-clock"></time> <b id="player-state" role="status"></b>
    <span id="player-note" class="muted"></span></div>
  <div id="bar"><div id="bar-played"></div><div id="bar-marks"></div>
    <input id="bar-at" type="range" min="0" max="1" step="1" value="0" aria-label="{t("replay_bar")}"></div>
  <div class="bar-ends muted small"><time id="bar-start"></time><time id="bar-end"></time></div>
  {_controls(language) if may_operate else ""}
  <p id="player-problem" class="problem" role="alert"></p>
</section>
<div id="moment-parts" hidden>
<section class="panel" aria-labelledby="replay-alarms-title"><h2 id="replay-alarms-title">{t("replay_alarms")}</h2>
  <div id="replay-alarms" class="rows" role="group" aria-labelledby="replay-alarms-title" tabindex="0"></div></section>
<section class="panel" aria-labelledby="replay-forecast-title">
  <h2 id="replay-forecast-title">{t("replay_forecast")}</h2>
  <p id="replay-verdict"></p><p id="replay-advice" class="muted"></p>
  <div class="tools"><h2 id="replay-values-title">{t("replay_values")}</h2>
    <label>{t("replay_unit")} <select id="replay-unit"></select></label></div>
  <div id="replay-values" class="rows" role="group" aria-labelledby="replay-values-title" tabindex="0"></div></section>
</div>
<section id="compared" class="panel" aria-labelledby="compared-title" hidden>
  <h2 id="compared-title">{t("replay_compared")}</h2>
  <p class="muted small">{t("replay_compared_note")} <span id="compared-counts"></span></p>
  <div id="compared-rows" class="rows" role="group" aria-labelledby="compared-title" tabindex="0"></div>
</section>"""


def _controls(language: str) -> str:
    t = translator(language)
    steps = "".join(
        f'<button type="button" data-step="{seconds}">{sign}{t(unit)}</button>' for seconds, sign, unit in _STEPS
    )
    speeds = "".join(
        f'<option value="{speed}">{t("replay_max") if speed == "max" else f"{speed}×"}</option>' for speed in SPEEDS
    )
    return f"""
  <div class="tools" id="controls">
    <button id="play" type="button">{t("replay_play")}</button>
    <span role="group" aria-label="{t("replay_steps")}" class="tools">{steps}</span>
    <button id="mark-before" type="button">{t("replay_before")}</button>
    <button id="mark-after" type="button">{t("replay_after")}</button>
    <label>{t("replay_speed")} <select id="player-speed">{speeds}</select></label>
    <form id="go" class="tools"><label>{t("replay_go")}
      <input id="go-at" type="datetime-local" step="1" required></label>
      <button type="submit">{t("replay_go")}</button></form>
    <button id="share" type="button">{t("replay_share")}</button><span id="shared" role="status"></span>
  </div>"""


PAGE: Final = ConsolePage("/replay", TEXTS["page_replay"], 100, replay_page, key="y")
