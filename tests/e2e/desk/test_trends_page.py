"""The trends page in a real Chromium."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk.conftest import Desk

TWO = "s=PT-330A,XS-220D&span=7200000"


@pytest.fixture
def trends(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Return what opens the page on a view and waits for its lines."""

    def opened(view: str, lang: str = "en") -> Page:
        page = open_page(f"trends#{view}", lang=lang)
        drawn(page, r".")
        return page

    return opened


def drawn(page: Page, what: str) -> None:
    expect(page.locator("#trends-chart")).to_have_attribute("data-drawn", re.compile(what), timeout=20_000)


def span_s(page: Page) -> float:
    begin, end = page.evaluate("import('/console/static/trends_view.js').then((view) => view.rangeInView())")
    return float(end - begin) / 1000


def view_of(page: Page) -> str:
    return page.url.partition("#")[2]


def test_a_signal_is_found_by_tag_and_by_its_name_in_either_language(desk: Desk, trends: Callable[..., Page]) -> None:
    page = trends(TWO)
    for typed, tag in (("TT-841", "TT-841"), ("1号卸气位", "PT-"), ("BANK pressure redundant", "PT-3")):
        page.locator("#trends-signal").fill(typed)
        expect(page.locator("#trends-found li").first).to_contain_text(tag)
    page.locator("#trends-signal").fill("tt-841")
    page.locator("#trends-signal").press("Enter")
    drawn(page, "PT-330A,XS-220D,TT-841")
    expect(page.locator('tr[data-tag="TT-841"] [data-value="at"]')).to_have_text(re.compile(r"\d"))
    page.get_by_role("button", name="Remove PT-330A").click()
    drawn(page, " XS-220D,TT-841")
    assert view_of(page).startswith("s=XS-220D,TT-841&")


def test_wheel_drag_and_keys_move_through_time_and_end_comes_back_to_the_present(
    desk: Desk, trends: Callable[..., Page]
) -> None:
    page = trends(TWO)
    live = page.locator("#trends-live")
    expect(live).to_have_attribute("aria-pressed", "true")
    box = page.locator("#trends-chart").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.wheel(0, -100)
    expect(live).to_have_attribute("aria-pressed", "false")
    assert span_s(page) == pytest.approx(7200 / 1.25, rel=0.01)
    before = page.locator("#trends-range").text_content()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 200, box["y"] + 100, steps=4)
    page.mouse.up()
    expect(page.locator("#trends-range")).not_to_have_text(before or "")
    page.locator("#trends-chart").focus()
    for _ in range(14):
        page.keyboard.press("+")
    assert span_s(page) == 2.0  # Seconds; no nearer.
    page.keyboard.press("End")
    expect(live).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="30 d").click()
    assert span_s(page) == 30 * 86400
    expect(page.locator("#trends-how")).to_contain_text("means of 1 h")


def test_the_cursor_reads_values_and_a_chosen_signal_shows_its_limits(desk: Desk, trends: Callable[..., Page]) -> None:
    page = trends(TWO)
    page.locator("#trends-chart").hover(position={"x": 600, "y": 100})
    expect(page.locator("#trends-rows thead")).to_contain_text("At cursor")
    expect(page.locator('tr[data-tag="PT-330A"] [data-value="at"]')).to_have_text(re.compile(r"^\d+\.\d\d$"))
    page.mouse.move(5, 5)
    expect(page.locator("#trends-rows thead")).to_contain_text("Now")
    page.get_by_role("button", name="PT-330A", exact=True).click()
    expect(page.get_by_role("button", name="PT-330A", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_view_is_saved_chosen_again_and_deleted(desk: Desk, trends: Callable[..., Page]) -> None:
    page = trends(TWO)
    page.locator("#trends-save").click()
    page.locator("#act-view").fill("banks <b>")
    page.locator("#act-do").click()
    expect(page.locator("#trends-note")).to_contain_text("banks <b>")
    page = trends("s=TT-841&span=900000")
    page.locator("#trends-views").select_option("banks <b>")
    drawn(page, "PT-330A,XS-220D")
    assert view_of(page) == TWO
    page.locator("#trends-forget").click()
    expect(page.locator("#trends-views option")).to_have_count(1)


def test_what_is_seen_is_saved_as_csv_and_as_a_picture(desk: Desk, trends: Callable[..., Page], tmp_path: Path) -> None:
    page = trends(TWO, lang="zh")
    expect(page.locator('tr[data-tag="PT-330A"] [data-value="least"]')).to_have_text(re.compile(r"\d"), timeout=10_000)
    with page.expect_download() as csv_file:
        page.locator("#trends-csv").click()
    csv_file.value.save_as(tmp_path / "seen.csv")
    top, *rows = csv.reader((tmp_path / "seen.csv").read_text(encoding="utf-8").splitlines())
    assert top[0] == "# jinma"
    assert rows[0] == ["t", "PT-330A.mean", "PT-330A.min", "PT-330A.max", "PT-330A.q", "XS-220D", "XS-220D.q"]
    assert len(rows) > 20
    full = [row for row in rows[1:] if row[1]]
    assert all(row[0].endswith("+08:00") and float(row[2]) <= float(row[1]) <= float(row[3]) for row in full)
    with page.expect_download() as picture:
        page.locator("#trends-png").click()
    picture.value.save_as(tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "seen.png").stat().st_size > 20_000
    link = page.locator("#trends-log").get_attribute("href")
    assert link
    log = desk.page().request.get(f"{desk.service.url}{link}")
    assert log.ok
    assert "PT-330A" in log.text()


def test_the_picture_follows_the_present_and_marks_an_alarm(desk: Desk, trends: Callable[..., Page]) -> None:
    page = trends("s=PT-330A,PT-330B&span=60000")
    first = page.locator('tr[data-tag="PT-330A"] [data-value="at"]').text_content()
    expect(page.locator('tr[data-tag="PT-330A"] [data-value="at"]')).not_to_have_text(first or "", timeout=15_000)
    found = page.evaluate("""async () => {
      const { alarmsIn } = await import("/console/static/trends_alarms.js");
      const { stationNow } = await import("/console/static/numbers.js");
      return (await alarmsIn(["PT-330A"], [stationNow() - 86400000, stationNow()])).spans;
    }""")
    assert {"PT-330A.L"} <= {one["id"] for one in found}
    assert {one["priority"] for one in found if one["id"] == "PT-330A.L"} == {"medium"}


def test_an_address_that_names_nothing_known_shows_an_empty_view(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("trends#s=NO-SUCH,<b>&span=x&to=-1")
    expect(page.locator("#trends-none")).to_be_visible()
    page.locator("#trends-signal").fill("no such signal at all")
    page.locator("#trends-signal").press("Enter")
    expect(page.locator("#trends-none")).to_be_visible()


def test_the_limits_labels_stand_apart_and_within_the_panel(desk: Desk, trends: Callable[..., Page]) -> None:
    apart = """async () => {
      const { apart } = await import("/console/static/trends_paint.js");
      return apart([60, 10, 12, 14, 98, 99].map((at) => ({ at })), { top: 10, bottom: 100 }).map(({ at }) => at);
    }"""
    places = sorted(trends(TWO).evaluate(apart))
    assert places[0] >= 10
    assert places[-1] <= 100
    assert all(below - above >= 13 for above, below in itertools.pairwise(places))
