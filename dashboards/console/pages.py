"""What the console's pages are made of."""

from __future__ import annotations

from html import escape

from nicegui import ui

from api.live.station import LiveStation
from api.people.sessions import Session


def login_page(language: str) -> None:
    """Draw the page for who is not known yet."""
    ui.add_body_html(f'<main lang="{language}">login</main>')


def overview_page(live: LiveStation, session: Session, language: str) -> None:
    """Draw the station's overview."""
    name = escape(live.plant.label.in_language(language))
    ui.add_body_html(f'<main lang="{language}"><h1>{name}</h1><p>{escape(session.name)}</p></main>')
