"""What holds for every page that the navigation offers, on a wide screen and a phone, in both languages."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Request, expect

from api.people.roles import Role
from dashboards.console.registry import offered_pages
from tests.e2e.desk.conftest import Desk
from tests.e2e.test_console import OVERLAPS, PAINT, PHONE, WIDE

PATHS = [page.path.strip("/") for page in offered_pages(Role.ADMIN)]
SIZES = "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
SLOWEST_PAINT_MS = 1500
QUIET_LOOKS = 10
"""So many looks, 0.1 s apart, at which no request is on its way: a page that is loaded asks for no more."""
TRIES = 4
"""Other tests may have the machine meanwhile: the best of so many loads counts."""


@dataclass
class Asked:
    """Which requests of a page are on their way; streams never end."""

    page: Page
    under_way: set[Request] = field(default_factory=set)

    @classmethod
    def of(cls, page: Page) -> Asked:
        asked = cls(page)
        page.on("request", lambda one: asked.under_way.add(one) if "/stream" not in one.url else None)
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda one: asked.under_way.discard(one))  # type: ignore[call-overload]  # noqa: PLW0108 - playwright wants a function
        return asked

    def wait_answered(self, within_s: float = 40.0) -> None:
        """Return once nothing has been on its way for a second."""
        deadline, quiet = time.monotonic() + within_s, 0
        while quiet < QUIET_LOOKS:
            assert time.monotonic() < deadline, [one.url for one in self.under_way]
            self.page.wait_for_timeout(100)
            quiet = 0 if self.under_way else quiet + 1


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path or "overview")
def test_a_page_fits_a_wide_screen_and_a_phone_without_an_error(
    desk: Desk, open_page: Callable[..., Page], path: str, language: str
) -> None:
    page = open_page(path, lang=language)
    expect(page.locator("#ways [aria-current]")).to_have_count(1)
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("role", ["viewer", "operator", "engineer"])
def test_no_page_asks_for_what_a_role_is_refused(desk: Desk, open_page: Callable[..., Page], role: str) -> None:
    """A page that is not offered says so itself; no request is sent that the API would answer with 403."""
    page = desk.page(f"a.{role}", role)
    asked, refused = Asked.of(page), []
    page.on("response", lambda answer: refused.append((answer.status, answer.url)) if answer.status >= 400 else None)
    for path in [*PATHS, "units/compression/train-1"]:
        open_page(path, page)
        for tab in page.locator('[role="tab"]').all():
            tab.click()
        asked.wait_answered()
    assert refused == []
    expect(page.locator('#ways a[href^="/console/people"]')).to_have_count(0)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path or "overview")
def test_a_page_is_painted_within_a_second_and_a_half(desk: Desk, path: str) -> None:
    page = desk.page()
    page.add_init_script(PAINT)
    paints: list[float] = []
    while len(paints) < TRIES and not any(0 < one < SLOWEST_PAINT_MS for one in paints):
        page.goto(f"{desk.service.url}/console/{path}?lang=en")
        page.wait_for_selector('#link[data-state="live"]', timeout=40_000)
        paints.append(page.evaluate("window.__paint"))
    assert 0 < min(paints) < SLOWEST_PAINT_MS, paints


def test_keys_open_their_list_and_pages_but_not_while_somebody_types(
    desk: Desk, open_page: Callable[..., Page]
) -> None:
    page = open_page("alarms")
    page.locator("#filter-text").focus()
    page.keyboard.type("?gt")
    expect(page.locator("#filter-text")).to_have_value("?gt")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("g t")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_selector("#trends-chart canvas", timeout=20_000)


def test_dark_and_light_follow_the_system_until_somebody_chooses(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("trends")
    theme = "document.documentElement.dataset.theme"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{theme} === 'dark'")  # the page hears of it with its next frame
    page.locator("#theme").click()
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"
    page.evaluate("localStorage.removeItem('jinma_theme')")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wall_screen_has_no_buttons_but_horn_and_acknowledgement_and_fits(desk: Desk, language: str) -> None:
    page = desk.page()
    page.goto(f"{desk.service.url}/console/?wall=1&lang={language}")
    page.wait_for_selector('#link[data-state="live"]', timeout=40_000)
    page.locator("#mimic .value b").first.wait_for()
    for hidden in ("#ways", "#log-out", "#theme", "#trend"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#horn")).to_be_visible()
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        1920,
        1080,
    ]
    sizes = page.locator(".tile .main b").evaluate_all(SIZES)
    assert min(sizes) >= 34  # 16 minutes of arc at 5 m on a screen of 75 inches.
