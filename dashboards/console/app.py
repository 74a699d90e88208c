"""The console on the API's own app: NiceGUI pages below /console, all of their files from this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import ui
from starlette.middleware import Middleware

from api.people.session_book import Session
from api.people.sessions import SESSION_KEY
from api.services import ApiServices
from dashboards.console.door import ConsoleDoor
from dashboards.console.headers import ConsoleHeaders
from dashboards.console.language import language_of
from dashboards.console.registry import ConsolePage, console_pages

CONSOLE: Final = "/console"
_STATIC: Final = Path(__file__).parent / "static"
_AWAY_S: Final = 60.0
"""NiceGUI reloads a page that was away for longer, and what was being typed is lost: its own 3 s are a short hiccup."""


def mount_console(app: FastAPI, services: ApiServices) -> None:
    """Serve the console on an app.

    Args:
        app: The API's app; its routes come first.
        services: What the API works with; the first station is the one shown unless `?station=` names another.
    """
    app.add_middleware(ConsoleHeaders, prefix=CONSOLE)
    # Innermost: the audit and the services stand before it.
    app.user_middleware.append(Middleware(ConsoleDoor, prefix=CONSOLE))

    @app.get("/", include_in_schema=False)
    def go_to_console() -> RedirectResponse:
        return RedirectResponse(f"{CONSOLE}/")

    for page in console_pages():
        ui.page(page.path, title="Jinma", dark=None)(_shown(page, services))

    app.mount(f"{CONSOLE}/static", StaticFiles(directory=_STATIC), name="console-static")
    ui.run_with(
        app,
        mount_path=CONSOLE,
        title="Jinma",
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=_AWAY_S,
    )


def _shown(page: ConsolePage, services: ApiServices) -> Callable[..., None]:
    def show(request: Request, station: str = "") -> None:
        session: Session = request.scope[SESSION_KEY]  # The door let nobody else in.
        live = services.stations.get(station) or next(iter(services.stations.values()))
        page.draw(live, session, language_of(request), **request.path_params)

    return show
