"""The capacity page in a real Chromium: the answer in both languages, a plan that is edited and put, what if."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.e2e.test_console import FLAGS, PHONE, WIDE, log_in
from tests.support.ports import free_port
from tests.support.processes import require_program
from tests.support.service import Service

DAY = dt.date(2030, 5, 6)
PLAN = {
    "trucks": [{"id": "A-1", "time": "2030-05-06T08:10:00+08:00", "kg": 40}],
    "trailers": [{"id": "T-1", "eta": "2030-05-06T05:00:00+08:00", "kg": 278, "bay": None}],
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service("--port", str(free_port()), "--speed", "20") as running:
        running.wait_live()
        running.ask("PUT", f"/stations/jinma/plan/{DAY}", json=PLAN).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def page(service: Service) -> Iterator[Page]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        chromium: Browser = playwright.chromium.launch(executable_path=str(program), args=FLAGS)
        context = chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="en-GB")
        log_in(context.request, service)
        yield context.new_page()
        chromium.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(("language", "words"), [("en", "What if"), ("zh", "假设分析")])
def test_the_page_answers_in_both_languages_without_overflow(
    page: Page, service: Service, viewport: dict[str, int], language: str, words: str
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    page.goto(f"{service.url}/console/?lang={language}")
    if viewport == PHONE:
        page.locator("#menu").click()
    page.locator('#ways a[href^="/console/capacity"]').click()
    expect(page.locator("#verdict")).not_to_have_attribute("data-level", "unknown", timeout=40_000)
    expect(page.locator("#day-curve canvas")).to_be_visible(timeout=10_000)
    expect(page.locator("#what-if-title")).to_have_text(words)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert problems == []


def test_a_row_of_the_plan_is_edited_and_the_whole_plan_put(page: Page, service: Service) -> None:
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.goto(f"{service.url}/console/capacity?lang=en")
    page.locator("#plan-day").fill(DAY.isoformat())
    row = page.locator("#trucks tbody tr").first
    expect(row.locator("input").first).to_have_value("A-1")
    expect(row.locator("input").nth(1)).to_have_value("08:10")
    row.locator("input").nth(1).fill("09:30")
    row.locator("input").nth(2).fill("35")
    page.locator("#trucks tfoot button").click()
    expect(page.locator("#plan-state")).to_contain_text("not saved")
    page.locator("#plan-save").click()
    expect(page.locator("#plan-state")).to_contain_text("Saved at")
    expect(page.locator("#plan-feasible")).to_contain_text("The station can carry this plan: 2 trucks, 70 kg.")
    plan = service.get(f"/stations/jinma/plan/{DAY}")
    assert [(one["id"], one["time"], one["kg"]) for one in plan["trucks"]] == [
        ("A-1", "2030-05-06T01:30:00.000Z", 35.0), ("new-2", "2030-05-06T01:30:00.000Z", 35.0),
    ]  # fmt: skip
    assert [one["id"] for one in plan["trailers"]] == ["T-1"]


def test_a_csv_names_its_bad_lines_and_fills_the_table_once_it_is_good(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/console/capacity?lang=zh")
    page.locator("#csv summary").click()
    page.locator("#csv-text").fill("truck,A-1,25:xx,40\ntruck,A-2,10:00,-1")
    page.locator("#csv-take").click()
    expect(page.locator("#csv-problems li")).to_have_count(2)
    page.locator("#csv-text").fill("kind,id,time,kg,bay\ntruck,A-9,10:00,41\ntrailer,T-9,05:00,278,bay-2")
    page.locator("#csv-take").click()
    expect(page.locator("#trucks tbody tr")).to_have_count(1)
    expect(page.locator("#trailers tbody input").nth(1)).to_have_value("05:00")
    expect(page.locator("#trailers tbody select")).to_have_value("bay-2")


def test_a_slider_moved_by_the_keyboard_is_answered_side_by_side_with_no_button_pressed(
    page: Page, service: Service
) -> None:
    page.goto(f"{service.url}/console/capacity?lang=en")
    slider, says = page.get_by_role("slider", name="More or fewer trucks"), page.locator("#what-if-add-now")
    slider.focus()
    expect(says).to_have_text("as it is now")
    with page.expect_response(lambda one: one.request.post_data == '{"add_trucks":120}') as answered:
        slider.press("End")
    both = answered.value.json()
    # More than double a day of 100: whatever the hour, the changed day is another one.
    assert both["what_if"]["plan"]["trucks"] == both["base"]["plan"]["trucks"] + 120
    expect(says).to_have_text("120 trucks more")
    expect(slider).to_have_attribute("aria-valuetext", "120 trucks more")
    expect(page.locator("#what-if-note")).to_contain_text("after the move")
    changed = page.locator("#what-if-table td.changed")
    expect(changed.first).to_be_visible()
    page.get_by_role("button", name="More or fewer trucks: as it is now").click()
    expect(changed).to_have_count(0)
    expect(says).to_have_text("as it is now")
    expect(slider).to_be_focused()


def test_switches_take_units_away_and_the_reset_brings_them_back(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/console/capacity?lang=en")
    train = page.get_by_role("switch", name="Compressor train 2")
    with page.expect_response(lambda one: one.request.post_data == '{"remove":["train-2"]}') as answered:
        train.press("Space")
    assert answered.value.ok
    page.locator("#what-if-others summary").click()
    for bay in page.locator("#what-if-others fieldset", has_text="Trailer bays").get_by_role("switch").all():
        bay.uncheck()
    expect(page.locator("#what-if-note")).to_have_text("Trailer bays: at least one must stay in service.")
    page.locator("#what-if-reset").click()
    expect(train).to_be_checked()
    expect(page.locator("#what-if-note")).to_contain_text("after the move")
    expect(page.locator("#what-if-table td.changed")).to_have_count(0)
    expect(page.locator("#what-if-reset")).to_be_disabled()


def test_of_many_moves_one_is_asked_at_a_time_and_the_newest_is_shown(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/console/capacity?lang=en")
    under_way: set[Request] = set()
    most = 0

    def begin(request: Request) -> None:
        nonlocal most
        if request.url.endswith("/what-if"):
            under_way.add(request)
            most = max(most, len(under_way))

    page.on("request", begin)
    page.on("requestfinished", lambda one: under_way.discard(one))  # noqa: PLW0108 - playwright wants a function
    slider = page.get_by_role("slider", name="Every trailer later by")
    for key in ("PageUp", "PageUp", "End", "PageDown", "Home", "PageUp", "End", "ArrowLeft"):
        slider.press(key)
        page.wait_for_timeout(200)
    expect(page.locator("#what-if-delay-now")).to_have_text("+11 h 55 min")
    expect(page.locator("#what-if-note")).to_contain_text("after the move")
    page.remove_listener("request", begin)
    assert most == 1


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_dates_read_the_same_whatever_the_browser_s_language(page: Page, service: Service, locale: str) -> None:
    """A browser's own field says 05/06/2030 in one language and 2030/05/06 in another."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(locale=locale)
    log_in(context.request, service)
    shown = context.new_page()
    shown.goto(f"{service.url}/console/capacity?lang=zh")
    day = shown.get_by_role("textbox", name="计划日期")
    expect(day).to_have_value(re.compile(r"^\d{4}-\d\d-\d\d$"))
    expect(shown.locator("#known-at")).to_have_value(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d$"))
    was = day.input_value()
    day.fill("2030/2/30")
    day.press("Enter")
    expect(shown.get_by_role("alert").filter(has_text="2030/2/30")).to_be_visible()
    expect(day).to_have_value(was)
    day.fill("2030年5月6日")
    day.press("Enter")
    expect(day).to_have_value(DAY.isoformat())
    expect(shown.locator("#trucks tbody tr")).not_to_have_count(0)
    shown.get_by_role("button", name="计划日期：日历").click()
    expect(shown.locator("input.calendar")).to_have_value(DAY.isoformat())
    context.close()
