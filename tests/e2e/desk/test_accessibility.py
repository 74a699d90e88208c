"""axe-core over every page of the console: nothing serious, in light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from api.people.roles import Role
from dashboards.console.registry import offered_pages
from tests.e2e.desk.conftest import Desk

SEEN = {
    "": ("#mimic .value b",),
    "capacity": ("#day-curve canvas",),
    "alarms": ("#list .what", "#journal-rows tr", "#figures-body .figure", "#maintenance-rows p"),
    "replay": ("#replay-rows > *",),
    "people": ("#audit-rows tr",),
    "trends": ("#trends-chart canvas",),
}
"""Pages, and what is to be seen on each of their tabs; of others their own part."""
PATHS = [page.path.strip("/") for page in offered_pages(Role.ADMIN)]


def serious(page: Page) -> list[str]:
    """Return what axe-core finds of serious or critical impact, with where it stands."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    bad = [one for one in found if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in bad for node in one["nodes"]]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path or "overview")
def test_a_page_has_no_serious_violation(desk: Desk, open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path)
    for at, shown in enumerate(SEEN.get(path, ("main > *",))):
        if at:
            page.locator('[role="tab"]').nth(at).click()
        page.locator(shown).first.wait_for(timeout=20_000)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert serious(page) == [], (shown, scheme)


def test_an_alarm_in_full_and_a_dialog_have_no_serious_violation(desk: Desk, open_page: Callable[..., Page]) -> None:
    page = open_page("alarms", lang="zh")
    page.locator("#find-id").fill("PT-330A.HH")
    page.locator("#find-id").press("Enter")
    page.locator("#moment svg").wait_for(timeout=20_000)
    assert serious(page) == []
    page.locator("#detail-acts").get_by_role("button", name="搁置").first.click()
    assert serious(page) == []
