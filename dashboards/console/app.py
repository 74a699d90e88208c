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

from api.live.station import LiveStation
from api.people.session_book import Session
from api.people.sessions import SESSION_KEY
from api.services import ApiServices
from dashboards.console.alarms_page import alarms_page
from dashboards.console.capacity_page import capacity_page
from dashboards.console.completeness_page import completeness_page
from dashboards.console.door import ConsoleDoor
from dashboards.console.headers import ConsoleHeaders
from dashboards.console.language import language_of
from dashboards.console.pages import overview_page
from dashboards.console.people_page import people_page
from dashboards.console.replay_page import replay_page
from dashboards.console.reports_page import reports_page

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

    @ui.page("/", title="Jinma", dark=None)
    def overview(request: Request, station: str = "") -> None:
        show(overview_page, request, station)

    @ui.page("/capacity", title="Jinma", dark=None)
    def capacity(request: Request, station: str = "") -> None:
        show(capacity_page, request, station)

    @ui.page("/alarms", title="Jinma", dark=None)
    def alarms(request: Request, station: str = "") -> None:
        show(alarms_page, request, station)

    @ui.page("/replay", title="Jinma", dark=None)
    def replay(request: Request, station: str = "") -> None:
        show(replay_page, request, station)

    @ui.page("/reports", title="Jinma", dark=None)
    def reports(request: Request, station: str = "") -> None:
        show(reports_page, request, station)

    @ui.page("/completeness", title="Jinma", dark=None)
    def completeness(request: Request, station: str = "") -> None:
        show(completeness_page, request, station)

    @ui.page("/people", title="Jinma", dark=None)
    def people(request: Request, station: str = "") -> None:
        show(people_page, request, station)

    def show(draw: Callable[[LiveStation, Session, str], None], request: Request, station: str) -> None:
        session: Session = request.scope[SESSION_KEY]  # The door let nobody else in.
        live = services.stations.get(station) or next(iter(services.stations.values()))
        draw(live, session, language_of(request))

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
