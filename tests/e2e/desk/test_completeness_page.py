"""The completeness page in a real Chromium, against the real service: a grid of units and hours, and gaps."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from station.adapters.store_urls import open_store
from station.ports import ServicePoint
from tests.e2e.desk.conftest import Desk
from tests.e2e.test_console import OVERLAPS, PHONE, WIDE

Open = Callable[..., Page]
ROW = '#grid tr[data-unit="storage/bank-LB"]'


@pytest.mark.parametrize(("language", "words"), [("en", "Completeness of the data"), ("zh", "数据完整性")])
def test_it_shows_in_both_languages_without_overflow(desk: Desk, open_page: Open, language: str, words: str) -> None:
    page = open_page("completeness", lang=language)
    expect(page.locator("#completeness-title")).to_have_text(words)
    expect(page.locator("#grid tbody tr")).to_have_count(51)
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.evaluate(
            "document.querySelector('#grid').scrollWidth <= document.querySelector('#grid').clientWidth"
        )
        assert page.evaluate(OVERLAPS) == []


def test_a_gap_shows_in_its_hours_and_in_the_units_list(desk: Desk, open_page: Open) -> None:
    answer = desk.service.get("/stations/jinma/completeness", every="1h")
    hour_ms = round(dt.datetime.fromisoformat(answer["items"][0]["windows"][-3]["from"]).timestamp() * 1000)
    tags = {"station": "jinma", "area": "storage", "unit": "bank-LB", "by": "test"}
    counts = {"received": 0.0, "gaps": 900.0, "gap_from": hour_ms + 60_000.0, "gap_to": hour_ms + 600_000.0}
    store = open_store(desk.service.store)
    store.write_points([ServicePoint("ingest", tags, counts, hour_ms + 600_000)])
    store.close()
    page = open_page("completeness")
    short = page.locator(f'{ROW} td[data-kind="short"]')
    expect(short.first).to_be_visible()
    page.locator("#only-short").check()
    expect(page.locator(ROW)).to_be_visible()
    page.locator(f"{ROW} button").click()
    expect(page.locator("#detail-title")).to_contain_text("Gaps")
    expect(page.locator("#detail-body tbody tr").first).to_contain_text("900")
    page.locator("#day-before").click()
    expect(page.locator("#day")).not_to_have_value("")
    expect(page.locator("#newest")).to_have_attribute("aria-pressed", "false")


def test_hours_in_which_the_service_did_not_run_say_so(desk: Desk, open_page: Open) -> None:
    page = open_page("completeness")
    hours = page.locator(f'{ROW} td[data-kind="uncounted"]')
    # The service of these tests is younger than 24 hours of station time.
    expect(hours.first).to_have_attribute("title", re.compile("before the service began or while it did not run"))
    expect(page.locator('#legend [data-kind="uncounted"]')).to_be_visible()
