"""The replay page in a real Chromium: a range is replayed, steered, compared; a log is uploaded; a link leads back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from station.adapters.log_files import LogRecord, write_log
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of
from tests.e2e.desk.conftest import Desk
from tests.e2e.test_console import PHONE, WIDE

READY_MS = 120_000
"""A replay's process begins in seconds; on a machine that does much else it takes its time."""


def begun(page: Page) -> None:
    """Begin a replay of what the form proposes, and wait until it stands at its beginning."""
    page.locator("#replay-forecasts").uncheck()
    page.locator("#replay-range button[type=submit]").click()
    expect(page.locator("#player-state")).to_have_text("paused", timeout=READY_MS)


def test_a_range_is_replayed_steered_and_compared(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("replay")
    begun(page)
    start = page.locator("#bar-start").text_content()
    expect(page.locator("#player-clock")).to_have_text(str(start))
    page.locator('[data-step="60"]').click()
    expect(page.locator("#player-clock")).not_to_have_text(str(start))
    page.locator("#player-speed").select_option("max")
    page.locator("#play").click()
    expect(page.locator("#player-state")).to_have_text("ended", timeout=READY_MS)
    expect(page.locator("#compared-rows")).not_to_be_empty()
    expect(page.locator("#replay-values tbody tr").first).to_be_visible()
    page.locator("#share").click()
    expect(page.locator("#shared")).not_to_be_empty()
    page.locator("#replay-rows button", has_text="End").first.click()
    expect(page.locator("#player")).to_be_hidden()


@pytest.mark.parametrize(
    ("viewport", "language", "word"),
    [(WIDE, "en", "Replay a stretch of the past"), (PHONE, "zh", "回放历史时段")],
    ids=["wide", "phone"],
)
def test_a_log_is_uploaded_in_both_languages_without_overflow(
    desk: Desk, open_page: Callable[..., Page], tmp_path: Path, viewport: dict[str, int], language: str, word: str
) -> None:
    log = tmp_path / "day.ndjson.gz"
    said = [
        UnitMessage("jinma", "storage", "bank-HB", 1_795_406_400_000 + s * 1000, {"PT-330A": 44.0}) for s in range(60)
    ]
    write_log(log, [LogRecord(topic_of(one), encode(one)) for one in said], {"version": "1"})
    page = desk.page()
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    page = open_page("replay", page, language)
    expect(page.locator("#opening-title")).to_have_text(word)
    page.locator("#replay-forecasts").uncheck()
    page.locator("#replay-file").set_input_files(log)
    page.locator("#replay-log button").click()
    expect(page.locator("#player-clock")).to_have_text(re.compile("2026-11-23 12:00:00"), timeout=READY_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.locator("#replay-rows tr", has_text="day.ndjson.gz").locator("button").last.click()
    expect(page.locator("#player")).to_be_hidden()


def test_a_viewer_looks_on_and_begins_nothing(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("replay", desk.page("looker", "viewer"))
    expect(page.locator("#opening")).to_contain_text("needs the role operator")
    expect(page.locator("#replay-range")).to_have_count(0)
