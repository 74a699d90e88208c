"""The reports page: the days, one of them as it was, its forms to take along, and the shift notes."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from api.reports.drawing import MEDIA_TYPES
from dashboards.console.pages import data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, texts_of
from station.domain.report.notes import KINDS, LONGEST_NOTE

_MODULES: Final = ("reports", "shift_notes", "sheet_table", "dialog")
FORMS: Final = ("pdf", "html", "csv", "json")
"""In the order of the buttons; all of `MEDIA_TYPES`, and JSON."""
assert {*MEDIA_TYPES, "json"} == set(FORMS)


def reports_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the reports page."""
    t = translator(language)
    head("reports", _MODULES, ("console", "sheet", "reports"))
    name = live.plant.label.in_language(language)
    layout = {"id": live.plant.id, "name": name, "timezone": live.plant.timezone.key, "signals": {}}
    ui.add_body_html(f"""
<div id="console" class="sheet reports" lang="{html_lang(language)}">
{header(live, name, session, language, "reports")}
<main>
  <section id="days" class="panel" aria-labelledby="days-title">
    <h2 id="days-title">{t("reports")}</h2>
    <div id="day-rows" class="rows" role="group" aria-labelledby="days-title" tabindex="0"></div>
  </section>
  <div class="day">
    <section id="notes" class="panel" aria-labelledby="notes-title">
      <h2 id="notes-title">{t("notes_title")}</h2>
      <div id="note-rows" class="rows" role="group" aria-labelledby="notes-title" tabindex="0"></div>
      {_form(language) if session.role >= Role.OPERATOR else f'<p class="muted">{t("notes_operators")}</p>'}
    </section>
    <section id="report" class="panel" aria-labelledby="report-title">
      <div class="tools"><h2 id="report-title"></h2><span id="report-version" class="muted small"></span>
        <span class="spring"></span>{_buttons(session, language)}</div>
      <p id="report-note" class="muted" role="status"></p>
      <iframe id="report-page" sandbox="allow-scripts allow-popups allow-downloads" hidden></iframe>
    </section>
  </div>
</main>
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", layout)}
{data_element("context", page_context(live, session, language))}""")


def _form(language: str) -> str:
    t = translator(language)
    options = "".join(f'<option value="{kind}">{t(f"note_{kind}")}</option>' for kind in KINDS)
    return f"""
<form id="note-form">
  <label for="note-text">{t("note_text")}</label>
  <textarea id="note-text" rows="3" maxlength="{LONGEST_NOTE}" required></textarea>
  <p class="tools"><label for="note-kind">{t("note_kind")}</label><select id="note-kind">{options}</select>
    <button id="note-do" type="submit">{t("note_write")}</button>
    <span class="muted small">{t("note_rule")}</span></p>
  <p id="note-answer" role="status"></p>
  <p id="note-problem" class="problem" role="alert" hidden></p>
</form>"""


def _buttons(session: Session, language: str) -> str:
    t = translator(language)
    links = "".join(f'<a class="button" id="take-{form}" hidden download>{form.upper()}</a>' for form in FORMS)
    anew = (
        f'<button id="make" type="button" hidden>{t("report_make")}</button>' if session.role >= Role.OPERATOR else ""
    )
    return (
        f'<a class="button" id="open" target="_blank" rel="noopener" hidden>{t("report_open")}</a>'
        f'<span id="take" class="small" hidden>{t("report_take")}</span>{links}{anew}'
    )


PAGE: Final = ConsolePage("/reports", TEXTS["page_reports"], 90, reports_page, key="r")
