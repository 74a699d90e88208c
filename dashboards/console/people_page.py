"""The people page: users, tokens of machines, and the audit. For admins; others are told so."""

from __future__ import annotations

from html import escape
from typing import Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.pages import act_dialog, data_element, head, header, html_lang, page_context, translator
from dashboards.console.registry import ConsolePage
from dashboards.console.texts import TEXTS, text_of, texts_of

_MODULES: Final = ("people", "users", "tokens", "audit", "sheet_table", "dialog")
_REFUSED: Final = ("refused",)


def people_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the people page, or say why it is not for whoever asks."""
    admin = session.role >= Role.ADMIN
    head("people", _MODULES if admin else _REFUSED, ("console", "sheet"))
    name = live.plant.label.in_language(language)
    layout = {"id": live.plant.id, "name": name, "timezone": live.plant.timezone.key, "signals": {}}
    ui.add_body_html(f"""
<div id="console" class="sheet" lang="{html_lang(language)}">
{header(live, name, session, language, "people")}
<main>{_tables(language) if admin else _refusal(session, language)}</main>
{act_dialog(language)}
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", layout)}
{data_element("context", page_context(live, session, language))}""")


def _refusal(session: Session, language: str) -> str:
    t = translator(language)
    role = text_of(f"short_{session.role.label}", language)
    who = text_of("people_refused_who", language).format(session.name, role)
    return f"""
<section id="refusal" class="panel" role="alert"><h2>{t("people_refused")}</h2><p>{escape(who)}</p></section>"""


def _tables(language: str) -> str:
    t = translator(language)
    return f"""
<section id="users" class="panel" aria-labelledby="users-title">
  <div class="tools"><h2 id="users-title">{t("users")}</h2><span class="spring"></span>
    <button id="add-user" type="button">{t("add_user")}</button></div>
  <div id="user-rows" class="rows" role="group" aria-labelledby="users-title" tabindex="0"></div>
</section>
<section id="tokens" class="panel" aria-labelledby="tokens-title">
  <div class="tools"><h2 id="tokens-title">{t("tokens")}</h2><span class="spring"></span>
    <button id="add-token" type="button">{t("add_token")}</button></div>
  <div id="token-rows" class="rows" role="group" aria-labelledby="tokens-title" tabindex="0"></div>
</section>
<section id="audit" class="panel" aria-labelledby="audit-title">
  <form id="audit-form" class="tools"><h2 id="audit-title">{t("audit")}</h2>
    <span class="muted small">{t("wall_times")}</span><span class="spring"></span>
    <label>{t("audit_who")} <input id="audit-who" maxlength="80" autocomplete="off"></label>
    <button type="submit">{t("show_journal")}</button></form>
  <div id="audit-rows" class="rows" role="group" aria-labelledby="audit-title" tabindex="0"></div>
  <p><button id="audit-more" type="button" hidden>{t("more")}</button></p>
</section>"""


PAGE: Final = ConsolePage("/people", TEXTS["page_people"], 110, people_page, least=Role.ADMIN, key="p")
