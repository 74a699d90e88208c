"""What the sheets of this folder have in common: the frame around them, and the choice of the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from api.live.station import LiveStation
from api.people.session_book import Session
from dashboards.console.layout import signal_layout
from dashboards.console.pages import data_element, head, header, html_lang, page_context, translator
from dashboards.console.texts import texts_of
from station.domain.plant import Plant, UnitKey

SHARED: Final = ("plant/sheet", "sheet_table", "dialog")


@dataclass(frozen=True)
class Sheet:
    """One page as its frame needs it.

    Attributes:
        name: As the navigation calls it.
        modules: Its script below `static/plant/`, then what that loads besides `SHARED`.
        body: HTML within `main`.
        layout: What its script needs of the station besides id, name and zone.
    """

    name: str
    modules: tuple[str, ...]
    body: str
    layout: dict[str, Any] = field(default_factory=dict)


def draw_sheet(live: LiveStation, session: Session, language: str, sheet: Sheet) -> None:
    """Draw a page of this folder."""
    head(sheet.name, (*sheet.modules, *SHARED), ("console", "sheet", "plant/plant"))
    plant, name = live.plant, live.plant.label.in_language(language)
    layout = {"id": plant.id, "name": name, "timezone": plant.timezone.key, "signals": {}, **sheet.layout}
    ui.add_body_html(f"""
<div id="console" class="sheet plant {sheet.name}" lang="{html_lang(language)}">
{header(live, name, session, language, sheet.name)}
<main>{sheet.body}</main>
</div>
{data_element("texts", texts_of(language))}
{data_element("layout", layout)}
{data_element("context", page_context(live, session, language))}""")


def signals_of(live: LiveStation, tags: tuple[str, ...], language: str) -> dict[str, Any]:
    """Return what a script needs of some signals, with the limits as they are set now."""
    return {tag: _signal(live, tag, language) for tag in tags}


def _signal(live: LiveStation, tag: str, language: str) -> dict[str, Any]:
    body, limits = signal_layout(live.plant.signals[tag], language), live.alarms.limits_of(tag)
    if limits and max(abs(limit) for limit in limits.values()) < 1.0:
        body["digits"] = max(2, body["digits"])  # Carbon monoxide has its limit at 0.2.
    return {**body, "limits": limits}


def unit_names(plant: Plant, keys: list[UnitKey], language: str) -> dict[str, str]:
    """Return unit -> its name."""
    return {unit: plant.units[area, unit].label.in_language(language) for area, unit in keys}


def day_tools(language: str, more: str = "") -> str:
    """Return the choice of a station day, with further tools behind it."""
    t = translator(language)
    return f"""
<form id="day-form" class="tools">
  <button id="day-before" type="button" aria-label="{t("day_before")}">‹</button>
  <label>{t("day_of_sheet")} <input id="day" type="date" required></label>
  <button id="day-after" type="button" aria-label="{t("day_after")}">›</button>
  <span id="day-note" class="muted" role="status"></span>
  <span class="spring"></span>{more}
</form>"""


def panel(name: str, title: str, inner: str, *, tools: str = "") -> str:
    """Return a section with its heading; `title` is HTML."""
    return f"""
<section id="{name}" class="panel" aria-labelledby="{name}-title">
  <div class="tools"><h2 id="{name}-title">{title}</h2>{tools}</div>
  {inner}
</section>"""


def rows(name: str, of: str) -> str:
    """Return a place for a table that scrolls by itself and can be reached by the keyboard."""
    return f'<div id="{name}" class="rows" role="group" aria-labelledby="{of}-title" tabindex="0"></div>'
