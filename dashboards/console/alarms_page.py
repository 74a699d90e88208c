"""The alarms page: what stands now, what happened, how good the alarms are, and which units are in maintenance."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.layout import signals_now
from dashboards.console.pages import act_dialog, data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, text_of, texts_of
from station.domain.plant import Plant
from station.domain.signals import AREAS

_MODULES: Final = (
    "alarm_desk", "alarm_list", "alarm_filter", "alarm_groups", "alarm_detail", "alarm_acts", "alarm_words",
    "moment_chart", "journal", "figures", "buckets", "maintenance", "trial", "tabs", "dialog", "standing",
)  # fmt: skip
_TABS: Final = (
    ("now", "alarms_now", ""),
    ("journal", "journal", ""),
    ("figures", "figures", ""),
    ("maintenance", "maintenance", '<span id="maintenance-count"></span>'),
)


def alarms_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the alarms page."""
    head("alarms", _MODULES, ("console", "sheet", "alarms"))
    t = translator(language)
    name = live.plant.label.in_language(language)
    may_operate = session.role >= Role.OPERATOR
    ui.add_body_html(f"""
<div id="console" class="sheet{"" if may_operate else " watch-only"}" lang="{html_lang(language)}">
<a class="skip" href="#alarm-groups">{t("skip")}</a>
{header(live, name, session, language, "alarms")}
<main>
<div class="tools" id="parts">{_tabs(language)}<span class="spring"></span>
{_trial(language, may_operate=may_operate)}</div>
<div id="trial-result" class="panel" role="status" hidden></div>
{_now(language, may_operate=may_operate)}
{_journal(language)}
{_figures(language)}
{_maintenance(language, may_operate=may_operate)}
</main>
{act_dialog(language)}
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", alarms_layout(live, language))}
{data_element("context", page_context(live, session, language))}""")


def alarms_layout(live: LiveStation, language: str) -> dict[str, Any]:
    """Return what the page's scripts need of the station: signals, units, areas and the ids of all alarms."""
    plant = live.plant
    return {
        "id": plant.id,
        "name": plant.label.in_language(language),
        "timezone": plant.timezone.key,
        "signals": signals_now(live, language),
        "units": {f"{area}/{name}": unit.label.in_language(language) for (area, name), unit in plant.units.items()},
        "areas": _areas(plant, language),
        "ids": live.alarms.ids(),
    }


def _areas(plant: Plant, language: str) -> dict[str, str]:
    there = {area for area, _ in plant.units} | {"system"}
    names = {area: text_of(f"area_{area}", language) for area in AREAS if area in there}
    return names | {"capacity": text_of("capacity", language)}


def _tabs(language: str) -> str:
    t = translator(language)
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{name}" data-tab="{name}" aria-controls="part-{name}" '
        f'aria-selected="{"true" if name == "now" else "false"}" tabindex="{0 if name == "now" else -1}">'
        f"{t(label)}{more}</button>"
        for name, label, more in _TABS
    )
    return f'<div id="alarm-tabs" role="tablist" aria-label="{t("parts")}">{tabs}</div>'


def _trial(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    return f'<button id="trial" type="button">{t("trial")}</button>' if may_operate else ""


def _part(name: str, body: str) -> str:
    hidden = "" if name == "now" else " hidden"
    return f'<div id="part-{name}" role="tabpanel" aria-labelledby="tab-{name}" tabindex="-1"{hidden}>{body}</div>'


def _now(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    many = ""
    if may_operate:
        many = (
            f'<button id="choose-all" type="button">{t("choose_all")}</button>'
            f'<button id="ack-many" type="button" disabled>{t("acknowledge")}</button>'
        )
    return _part(
        "now",
        f"""
<div id="list" class="panel">
  <h2 class="heard">{t("alarms_now")}</h2>
  {_filter(language)}
  <p id="flood" role="status" hidden></p>
  <div class="tools">{many}<span class="muted small keys">{t("keys")}</span></div>
  <div id="alarm-groups" tabindex="-1"></div>
  <p id="list-empty" class="muted">{t("list_empty")}</p>
</div>
{_detail(language)}""",
    )


def _filter(language: str) -> str:
    t = translator(language)
    views = "".join(
        f'<option value="{name}">{t(f"view_{name}")}</option>' for name in ("auto", "cause", "area", "time")
    )
    return f"""
  <details id="filter" open><summary>{t("filters")}</summary>
    <div id="filter-states" class="choices" role="group" aria-label="{t("filter_state")}"></div>
    <div id="filter-priorities" class="choices" role="group" aria-label="{t("priority")}"></div>
    <div class="tools">
      <label>{t("area")} <select id="filter-area"><option value="">{t("all_areas")}</option></select></label>
      <label>{t("filter_text")} <input id="filter-text" type="search" autocomplete="off" size="14"></label>
      <label>{t("view")} <select id="view">{views}</select></label>
      <form id="find" class="tools"><label>{t("find_alarm")}
        <input id="find-id" list="find-ids" autocomplete="off" size="14" required></label>
        <datalist id="find-ids"></datalist><button type="submit">{t("open_alarm")}</button></form>
    </div>
    <p id="find-problem" class="problem" role="alert"></p>
  </details>"""


def _detail(language: str) -> str:
    t = translator(language)
    return f"""
<section id="detail" class="panel" aria-labelledby="detail-title" hidden>
  <div class="tools detail-head"><span id="detail-symbol"></span><h2 id="detail-title" tabindex="-1"></h2>
    <button id="detail-close" type="button">{t("close")}</button></div>
  <p><b id="detail-now"></b></p>
  <p id="detail-acts" class="tools"></p>
  <dl id="detail-facts" class="facts2"></dl>
  <section><h3>{t("help")}</h3><dl id="detail-help" class="facts2"></dl></section>
  <section id="detail-trend"><h3>{t("around")}</h3><div id="moment"></div></section>
  <section><h3>{t("history")}</h3>
    <div id="detail-history" class="rows" tabindex="0" role="group" aria-label="{t("history")}"></div></section>
</section>"""


def _journal(language: str) -> str:
    t = translator(language)
    ranges = "".join(
        f'<button type="button" data-journal-range="{name}">{t(f"range_{name}")}</button>'
        for name in ("1h", "24h", "7d")
    )
    return _part(
        "journal",
        f"""
<div class="panel">
  <h2 class="heard">{t("journal")}</h2>
  <form id="journal-form" class="tools">
    <label>{t("from")} <input id="journal-from" type="datetime-local" required></label>
    <label>{t("to")} <input id="journal-to" type="datetime-local" required></label>
    <label>{t("only_alarm")} <input id="journal-alarm" list="find-ids" autocomplete="off" size="14"></label>
    <button type="submit">{t("show_journal")}</button>
    <span class="tools">{ranges}</span>
    <span class="spring"></span>
    <a class="button" data-export="csv" download>{t("as_csv")}</a>
    <a class="button" data-export="xlsx" download>{t("as_xlsx")}</a>
  </form>
  <div id="journal-rows" class="rows" role="group" aria-label="{t("journal")}" tabindex="0"></div>
  <p><button id="journal-more" type="button" hidden>{t("more")}</button></p>
</div>""",
    )


def _figures(language: str) -> str:
    t = translator(language)
    choices = "".join(
        f'<button type="button" data-by="{name}" aria-pressed="false">{t(f"by_{name}")}</button>'
        for name in ("hour", "day", "month")
    )
    return _part(
        "figures",
        f"""
<div class="panel">
  <h2 class="heard">{t("figures")}</h2>
  <p id="figures-by" class="tools" role="group" aria-label="{t("figures_by")}">{choices}</p>
  <div id="figures-body" role="status"></div>
</div>""",
    )


def _maintenance(language: str, *, may_operate: bool) -> str:
    t = translator(language)
    form = ""
    if may_operate:
        form = f"""
  <form id="maintenance-form" class="tools"><label>{t("maintenance_new")}
    <select id="maintenance-unit"></select></label>
    <button type="submit">{t("begin")}</button></form>"""
    return _part(
        "maintenance",
        f"""
<div class="panel">
  <h2 class="heard">{t("maintenance")}</h2>
  <div id="maintenance-rows" class="rows" role="group" aria-label="{t("maintenance")}" tabindex="0"></div>{form}
</div>""",
    )


PAGE: Final = ConsolePage("/alarms", TEXTS["page_alarms"], 20, alarms_page, key="a")
