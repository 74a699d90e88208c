"""What the pages of alarms and people are tried on: one service at 20 times real speed, people of each role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.test_console import FLAGS, WIDE, log_in
from tests.integration.test_notices_sent import Hook
from tests.support.ports import free_port
from tests.support.processes import require_program, wait_until
from tests.support.service import Service

LOW = ("PT-330A", "PT-330B", "PT-320A", "PT-320B")
"""Signals whose alarm L stands, of medium priority."""
PASSWORD = "seven green chillers"
NAVIGATION_MS = 120_000.0
"""A page that never comes fails; one that waits for a machine that plays days beside it does not."""
FIRST_FILL_S = 300.0
"""At twenty times real speed: an hour and forty minutes without a truck are not heard of."""
FEW_FILLS = 3
NOTICES = """
[targets.hook]
webhook = "{hook}"
secret = "a secret of the test"
timeout_s = 2
[targets.pager]
webhook = "http://127.0.0.1:{closed}/nobody"
secret = "a secret of the test"
timeout_s = 1
[[routes]]
name = "none"
priorities = ["critical"]
areas = ["quality"]
targets = ["hook", "pager"]
"""


@dataclass
class Desk:
    """The service, and pages of it for whoever is asked for."""

    service: Service
    browser: Browser
    sessions: dict[str | None, BrowserContext] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def page(self, user: str | None = None, role: str = "operator") -> Page:
        """Return a fresh page in the session of the admin's token, or of a user, who is made when first asked for."""
        if user not in self.sessions:
            self.sessions[user] = self._logged_in(user, role)
        page = self.sessions[user].new_page()
        page.set_default_navigation_timeout(NAVIGATION_MS)
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        return page

    def _logged_in(self, user: str | None, role: str) -> BrowserContext:
        context = self.browser.new_context(locale="en-GB")
        if user is None:
            log_in(context.request, self.service)
            return context
        self.service.ask("POST", "/users", json={"name": user, "role": role, "password": PASSWORD}).raise_for_status()
        body = {"user": user, "password": PASSWORD}
        answer = context.request.post(f"{self.service.url}/api/v1/session", data=body)
        assert answer.ok, answer.text()
        return context

    def limits(self, signal: str, **limits: float | None) -> None:
        """Set limits, so that an alarm comes or goes."""
        body = {"limits": limits, "reason": "test"}
        self.service.ask("PUT", f"/stations/jinma/signals/{signal}/limits", json=body).raise_for_status()

    def await_fills(self) -> bool:
        """Wait for a whole fill, and return whether the day before is the one to look at.

        At twenty times real speed it may just have struck midnight, and the first hours of a night bring few trucks.
        """
        counts: list[int] = []

        def known() -> bool:
            today = self.service.get("/stations/jinma/fills", result="complete")
            day_before = dt.date.fromisoformat(today["date"]) - dt.timedelta(days=1)
            before = self.service.get("/stations/jinma/fills", result="complete", date=day_before.isoformat())
            counts[:] = len(today["items"]), len(before["items"])
            return any(counts)

        wait_until(known, FIRST_FILL_S, "a first fill", every_s=1.0)
        today, before = counts
        return today < before and today < FEW_FILLS

    def close_pages(self) -> None:
        """Close every page; sessions stay."""
        for context in self.sessions.values():
            for page in context.pages:
                page.close()

    def refused(self, status: int) -> None:
        """Forget what the browser itself says of an answer that a test provoked."""
        self.problems = [said for said in self.problems if str(status) not in said]


@pytest.fixture(scope="package")
def desk_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    hook, file = Hook(), Path(tmp_path_factory.mktemp("notices")) / "notices.toml"
    file.write_text(NOTICES.format(hook=hook.url, closed=free_port()), encoding="utf-8")
    with Service("--port", str(free_port()), "--speed", "20", env={"JINMA_NOTICES": str(file)}) as running:
        running.wait_live()
        yield running
    hook.end()


@pytest.fixture(scope="package")
def desk_browser() -> Iterator[Browser]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(program), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def whole_desk(desk_service: Service, desk_browser: Browser) -> Desk:
    """A desk with four alarms: a bank is always below 44.9 MPa, or nearly full."""
    made = Desk(desk_service, desk_browser)
    for signal in LOW:
        made.limits(signal, L=44.9)
    return made


@pytest.fixture
def desk(whole_desk: Desk) -> Iterator[Desk]:
    """The desk, every page closed afterwards; a page that had an error fails its test."""
    whole_desk.problems.clear()
    yield whole_desk
    whole_desk.close_pages()
    assert whole_desk.problems == []


@pytest.fixture
def open_page(desk: Desk) -> Callable[..., Page]:
    """Return what opens a live page of the console."""

    def opened(path: str, page: Page | None = None, lang: str = "en") -> Page:
        shown = page or desk.page()
        name, _, part = path.partition("#")
        shown.goto(f"{desk.service.url}/console/{name}?lang={lang}#{part}")
        shown.wait_for_selector('#link[data-state="live"]', timeout=40_000)
        return shown

    return opened
