"""The sheets of the plant in a browser: a unit's page, a fill's curve, trailers, electricity, gas quality, settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk.conftest import Desk
from tests.e2e.desk.test_accessibility import serious
from tests.e2e.test_console import OVERLAPS, PHONE, WIDE

LONG_MS = 40_000
"""A day is read out of the store; other tests may have the machine meanwhile."""
UNITS = {"compression/train-1": 13, "storage/bank-HB": 6, "dispensing/hose-1A": 12, "trailer/bay-1": 6}
"""Units, and how many signals each has; a hose's with its vehicle's."""


@pytest.mark.parametrize("path", UNITS)
def test_a_unit_shows_all_its_signals_live_with_their_last_hours(
    desk: Desk, open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(f"units/{path}", lang="zh" if path.startswith("s") else "en")
    assert page.locator("#signal-rows tbody tr").count() == UNITS[path]
    page.locator("#signal-rows .spark path").first.wait_for(timeout=LONG_MS)
    page.locator("#fact-rows :is(.origin, .muted)").first.wait_for(timeout=LONG_MS)
    first = page.locator("#signal-rows .value b").first
    expect(first).not_to_have_text("–", timeout=LONG_MS)
    assert serious(page) == []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(OVERLAPS) == []


def test_a_unit_shows_its_alarms_their_history_and_its_maintenance(desk: Desk, open_page: Callable[..., Page]) -> None:
    path = "/stations/jinma/units/storage/bank-HB/maintenance"
    page = open_page("units/storage/bank-HB")
    expect(page.locator('#alarm-rows tr[data-id="PT-330A.L"]')).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#history-rows")).to_contain_text("PT-330A.L", timeout=LONG_MS)
    now = dt.datetime.fromisoformat(desk.service.get("/stations/jinma")["time"])
    body = {"reason": "gauge change, permit 7", "until": (now + dt.timedelta(days=2)).isoformat()}
    try:
        assert desk.service.ask("PUT", path, json=body).status_code in {200, 202}
        page.reload()
        expect(page.locator("#maintenance-now")).to_be_visible(timeout=LONG_MS)
    finally:
        desk.service.ask("DELETE", path)


STAND = """
async ([alarm, states]) => {
  const { takeAlarm } = await import("/console/static/standing.js");
  const seen = {};
  for (const state of states) {
    takeAlarm({ ...alarm, id: "PT-2207.LL", signal: "PT-2207", active: true, late: false, state });
    await new Promise((done) => setTimeout(done, 200));
    const marks = '[data-unit="compression/train-2"] .mark svg, [data-tag="PT-2207"] .mark svg';
    seen[state] = document.querySelectorAll(marks).length;
  }
  return seen;
}
"""


@pytest.mark.parametrize("path", ["units", "units/compression/train-2"])
def test_an_alarm_that_is_hidden_by_design_or_by_hand_marks_nothing(
    desk: Desk, open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(path)
    page.locator(".units .state, #signal-rows .value b").first.wait_for(timeout=LONG_MS)
    alarm = desk.service.get("/stations/jinma/alarms/PT-330A.L")
    seen = page.evaluate(STAND, [alarm, ["UNACK", "SUPPRESSED", "ACKED", "SHELVED", "OUT_OF_SERVICE"]])
    assert seen == {"UNACK": 1, "SUPPRESSED": 0, "ACKED": 1, "SHELVED": 0, "OUT_OF_SERVICE": 0}


def test_a_unit_that_there_is_not_is_said_to_be_none(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("units/storage/bank-XX")
    expect(page.locator("main [role=alert]")).to_contain_text("storage/bank-XX")


def test_a_fill_opens_as_its_curve_and_closes_to_where_one_was(desk: Desk, open_page: Callable[..., Page]) -> None:
    before = desk.await_fills()
    page = open_page("fills")
    if before:
        page.locator("#day-before").click()
    row = page.locator("[data-fill]").first
    row.wait_for(timeout=LONG_MS)
    listed = page.locator("[data-fill]").count()
    page.locator("#result").select_option("broken")
    assert page.locator("[data-fill]").count() < listed
    page.locator("#result").select_option("")
    button = page.locator("[data-fill] button").first
    button.click()
    page.locator("#curve-plots .plot svg").nth(4).wait_for(timeout=LONG_MS)
    expect(page.locator("#curve-note")).to_contain_text("kg")
    page.locator("#curve-plots .plot svg").last.hover()
    expect(page.locator("#curve-plots .readout").first).to_contain_text(":")
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#fill-curve")).to_be_hidden()
    expect(button).to_be_focused()


def test_trailers_electricity_and_gas_quality_show_their_figures(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("trailers")
    expect(page.locator("#trailer-figures .figure")).to_have_count(4, timeout=LONG_MS)
    expect(page.locator("#bay-cards .card")).to_have_count(4)
    page = open_page("energy", page)
    expect(page.locator("#per-kg-plots .plot")).to_have_count(3, timeout=LONG_MS)
    page.locator("#hour-rows tbody tr").first.wait_for(timeout=LONG_MS)
    page = open_page("quality", page)
    expect(page.locator("#course-plots .plot")).to_have_count(6, timeout=LONG_MS)
    page.locator('[data-range="7d"]').click()
    expect(page.locator('[data-range="7d"]')).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#course-note")).to_contain_text("1 h", timeout=LONG_MS)


def test_settings_are_shown_to_engineers_and_the_stations_numbers_to_all(
    desk: Desk, open_page: Callable[..., Page]
) -> None:
    page = open_page("settings")
    expect(page.locator('[data-setting="speed"]')).to_contain_text("20", timeout=LONG_MS)
    expect(page.locator('[data-setting="speed"]')).to_contain_text("flag")
    page.locator('#fact-rows [data-key="no_show_share"] .origin').wait_for(timeout=LONG_MS)
    page.locator("#section").select_option("banks")
    expect(page.locator('#fact-rows [data-key="volume_m3"]')).to_have_count(3, timeout=LONG_MS)
    viewer = open_page("settings", desk.page("vera", "viewer"))
    assert viewer.locator("#setting-rows").count() == 0
    expect(viewer.locator("#settings [role=note]")).to_contain_text("Only engineers")
    viewer.locator('#fact-rows [data-key="no_show_share"]').wait_for(timeout=LONG_MS)
