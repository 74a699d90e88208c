"""axe-core over every page of the console: nothing serious, wide and on a phone, light and dark, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, TimeoutError  # noqa: A004 - playwright's own

from dashboards.console.registry import console_pages
from station.adapters.plant_files import shipped_plant
from tests.e2e.desk.conftest import Desk
from tests.e2e.test_console import PHONE, WIDE
from tests.support.console_paths import every_path

SEEN = {
    "": ("#mimic .value b",),
    "capacity": ("#day-curve canvas",),
    "alarms": ("#list .what", "#journal-rows tr", "#figures-body .figure", "#maintenance-rows p"),
    "replay": ("#replay-rows > *",),
    "people": ("#audit-rows tr",),
    "trends": ("#trends-chart canvas",),
    "fills": ("#fill-rows tbody tr",),
    "trailers": ("#stay-rows tbody tr",),
    "energy": ("#hour-rows tbody tr",),
    "quality": ("#course-plots .plot",),
    "completeness": ("#grid tr[data-unit]",),
    "settings": ("#fact-rows .origin",),
}
"""Pages, and what is to be seen on each of their tabs; of others their own part."""
PATHS = every_path()
LOOKS = {
    "en": ((WIDE, "light"), (PHONE, "dark")),
    "zh": ((WIDE, "dark"), (PHONE, "light")),
}
"""Each two of language, size and colours are met together; all three of each page would take twice the time."""


def serious(page: Page) -> list[str]:
    """Return what axe-core finds of serious or critical impact, with where it stands."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    bad = [one for one in found if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in bad for node in one["nodes"]]


def await_shown(page: Page, shown: str) -> None:
    """Wait for what is to be seen, of the day before where at twenty times real speed it has just struck midnight."""
    day_before = page.locator("#day-before")
    first = page.locator(shown).first
    if day_before.count():
        try:
            first.wait_for(timeout=5_000)
        except TimeoutError:
            day_before.click()
    first.wait_for(timeout=20_000)


def test_every_page_of_the_registry_is_looked_at() -> None:
    kinds = {page.path.strip("/").partition("/{")[0] for page in console_pages()}
    assert kinds <= set(PATHS)
    units = {path.split("/")[1] for path in PATHS if path.startswith("units/")}
    assert units == {area for area, _ in shipped_plant().units}


@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path or "overview")
def test_a_page_has_no_serious_violation(desk: Desk, open_page: Callable[..., Page], path: str, language: str) -> None:
    if path == "fills":
        desk.await_fills()
    page = open_page(path, lang=language)
    for at, shown in enumerate(SEEN.get(path, ("main > *",))):
        if at:
            page.locator('[role="tab"]').nth(at).click()
        await_shown(page, shown)
        for size, scheme in LOOKS[language]:
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert serious(page) == [], (shown, size, scheme)
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def test_an_alarm_in_full_and_a_dialog_have_no_serious_violation(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("alarms", lang="zh")
    page.locator("#find-id").fill("PT-330A.HH")
    page.locator("#find-id").press("Enter")
    page.locator("#moment svg").wait_for(timeout=20_000)
    assert serious(page) == []
    page.locator("#detail-acts").get_by_role("button", name="搁置").first.click()
    assert serious(page) == []
