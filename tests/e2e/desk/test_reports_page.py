"""The reports page in a real Chromium: days, the report inside the page, its files, and shift notes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk.conftest import Desk
from tests.e2e.test_console import PHONE, WIDE

Open = Callable[..., Page]
_MADE_MS = 120_000
"""The first report waits for the process that makes it."""


@pytest.mark.parametrize(("language", "words"), [("en", "Daily reports"), ("zh", "日报")])
def test_today_is_shown_in_both_languages_without_overflow(open_page: Open, language: str, words: str) -> None:
    page = open_page("reports", lang=language)
    expect(page.locator("#days-title")).to_have_text(words)
    expect(page.locator("#day-rows tbody tr").first).to_be_visible()
    inside = page.frame_locator("#report-page")
    expect(inside.locator("h1")).to_contain_text(words if language == "zh" else "daily report of", timeout=_MADE_MS)
    expect(inside.locator("#chart-given .main-svg").first).to_be_visible()
    expect(inside.locator(".sim")).to_be_visible()
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_an_operator_writes_a_note_that_stands_in_the_report(desk: Desk, open_page: Open) -> None:
    page = open_page("reports", desk.page("li.wei"))
    expect(page.frame_locator("#report-page").locator("h1")).to_be_visible(timeout=_MADE_MS)
    page.locator("#note-text").fill("Train 2 vibrates <b>more</b> than usual")
    page.locator("#note-kind").select_option("handover")
    page.locator("#note-do").click()
    row = page.locator("#note-rows tbody tr").last
    expect(row).to_contain_text("Train 2 vibrates <b>more</b> than usual")
    expect(row).to_contain_text("li.wei")
    inside = page.frame_locator("#report-page").locator("#table-notes")
    expect(inside).to_contain_text("Train 2 vibrates <b>more</b> than usual", timeout=_MADE_MS)
    for form, begins in (("pdf", b"%PDF-"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")):
        path = page.locator(f"#take-{form}").get_attribute("href")
        answer = page.request.get(f"{desk.service.url}{path}")
        assert answer.ok, answer.text()
        assert answer.body().startswith(begins)


def test_a_viewer_sees_reports_and_writes_nothing(desk: Desk, open_page: Open) -> None:
    page = open_page("reports", desk.page("wall", "viewer"))
    expect(page.locator("#day-rows tbody tr").first).to_be_visible()
    expect(page.locator("#note-form, #make")).to_have_count(0)
