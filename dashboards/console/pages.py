"""What the console's pages are made of: plain HTML that is painted at once, and our script that fills it.

Live values are broadcast by the API's stream to every page alike; no NiceGUI element ever carries one, so that a page
costs the server a socket and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.roles import Role
from api.people.session_book import Session
from dashboards.console.registry import ConsolePage, offered_pages
from dashboards.console.texts import text_of, texts_of

STATIC: Final = "/console/static"
_FRAME: Final = ("frame", "date_field", "horn", "keys", "symbols", "numbers", "stream", "dom")
"""Modules that every page loads."""


def login_html(language: str) -> str:
    """Return the page for who is not known yet; a whole document, so that a stranger costs the server nothing more."""
    t = translator(language)
    return f"""<!doctype html>
<html lang="{html_lang(language)}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jinma</title>
{_head_html("login", ("login",), ("console",))}
</head>
<body>
<main class="login" lang="{html_lang(language)}">
  <h1>{t("title")}</h1>
  <form id="login" autocomplete="off">
    <h2>{t("login_title")}</h2>
    <label for="user">{t("user")}</label>
    <input id="user" name="user" maxlength="64" autocomplete="username" autofocus>
    <label for="password">{t("password")}</label>
    <input id="password" name="password" type="password" maxlength="256" autocomplete="current-password">
    <p class="or">{t("or")}</p>
    <label for="token">{t("token")}</label>
    <input id="token" name="token" type="password" maxlength="512" autocomplete="off">
    <p class="muted">{t("token_hint")}</p>
    <p id="login-error" class="problem" role="alert" hidden></p>
    <button type="submit">{t("enter")}</button>
  </form>
  {_language_link(language)}
</main>
{data_element("texts", texts_of(language))}
</body>
</html>
"""


def page_context(live: LiveStation, session: Session, language: str) -> dict[str, Any]:
    """Return what a page's script needs to know of who asks and of the station's moment."""
    return {
        "language": language,
        "csrf": session.csrf,
        "user": session.name,
        "may_operate": session.role >= Role.OPERATOR,
        "may_engineer": session.role >= Role.ENGINEER,
        "now": live.now_ms,
        "speed": live.speed,
        "simulated": live.is_simulated,
        "forecast": None if live.capacity.newest is None else json.loads(live.capacity.newest),
    }


def head(name: str, modules: tuple[str, ...], styles: tuple[str, ...] = ("console",)) -> None:
    """Put our styles and script into the head; the script runs when the page has been read.

    Args:
        name: Of the page.
        modules: The page's script, then the modules that it loads beside those of the frame.
        styles: Style sheets.
    """
    ui.add_head_html(_head_html(name, (*modules, *_FRAME), styles))


def _head_html(name: str, modules: tuple[str, ...], styles: tuple[str, ...]) -> str:
    preloads = "".join(f'<link rel="modulepreload" href="{STATIC}/{module}.js">' for module in modules[1:])
    sheets = "".join(f'<link rel="stylesheet" href="{STATIC}/{style}.css">' for style in styles)
    first = f'<script src="{STATIC}/looks.js"></script>'  # Before the first paint: dark or light, wall or desk.
    return f'{first}{sheets}{preloads}<script type="module" src="{STATIC}/{modules[0]}.js" data-page="{name}"></script>'


def header(live: LiveStation, name: str, session: Session, language: str, here: str = "overview") -> str:
    """Return the top of a page: the station, the way to the other pages, connection, clock, language, log-out."""
    t = translator(language)
    simulated = "" if live.is_simulated else " hidden"
    return f"""
<header id="top">
  <h1>{escape(name)}</h1>
  <strong id="simulated" class="flag"{simulated}>{t("simulated")}</strong>
  <strong id="speed" class="flag" hidden></strong>
  <span class="spring"></span>
  <strong id="horn-test" role="status" hidden></strong>
  <span id="link" class="link" role="status" data-state="connecting"><b id="link-state">{t("connecting")}</b>
    <span id="link-age"></span></span>
  <time id="clock"></time>
  <span id="zone" class="muted"></span>
  <button id="menu" type="button" aria-expanded="false" aria-controls="ways">{t("pages")}</button>
  {_language_link(language)}
  <button id="theme" type="button" aria-label="{t("theme")}" title="{t("theme")}">◐</button>
  <button id="keys-open" type="button" aria-label="{t("keys_title")}" title="{t("keys_title")}">?</button>
  <button id="horn" type="button"></button>
  <button id="log-out" type="button">{t("log_out")}<span class="who muted">{escape(session.name)}</span></button>
  {_ways(here, session, language)}
</header>
<dialog id="keys" aria-labelledby="keys-title">
  <h2 id="keys-title">{t("keys_title")}</h2>
  <dl id="keys-list"></dl>
  <form method="dialog" class="buttons"><button>{t("close")}</button></form>
</dialog>"""


def _ways(here: str, session: Session, language: str) -> str:
    t = translator(language)
    links = "".join(_way(page, here, language) for page in offered_pages(session.role))
    return f'<nav id="ways" aria-label="{t("pages")}">{links}</nav>'


def _way(page: ConsolePage, here: str, language: str) -> str:
    title = escape(page.title.in_language(language)) if page.title else ""
    current = ' aria-current="page"' if page.name == here else ""
    key = f' data-key="{page.key}"' if page.key else ""
    return f'<a href="/console{page.path}?lang={language}"{current}{key}>{title}</a>'


def act_dialog(language: str) -> str:
    """Return the dialog of acts; the page's script fills it."""
    t = translator(language)
    return f"""
<dialog id="act" aria-labelledby="act-title">
  <form method="dialog">
    <h2 id="act-title"></h2>
    <p id="act-text"></p>
    <dl id="act-help"></dl>
    <div id="act-fields"></div>
    <p id="act-problem" class="problem" role="alert" hidden></p>
    <p class="buttons"><button id="act-cancel" type="button">{t("cancel")}</button>
      <button id="act-do" type="submit"></button></p>
  </form>
</dialog>"""


def _language_link(language: str) -> str:
    other, t = ("en" if language == "zh" else "zh"), translator(language)
    return (
        f'<a class="language" href="?lang={other}" hreflang="{other}" lang="{html_lang(other)}" '
        f'aria-label="{t("other_language_name")}">{t("other_language")}</a>'
    )


def data_element(name: str, body: Any) -> str:
    """Return data for the page's script: JSON that cannot end the element it stands in."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="data-{name}">{text}</script>'


def html_lang(language: str) -> str:
    """Return a language as HTML names it."""
    return "zh-CN" if language == "zh" else "en"


def translator(language: str) -> Callable[[str], str]:
    """Return a function from a text's key to its HTML."""
    return lambda key: escape(text_of(key, language))
