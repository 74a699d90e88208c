"""The people page in a real Chromium: users, tokens and the audit, against the real service."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk.conftest import PASSWORD, Desk
from tests.e2e.test_console import PHONE, WIDE

Open = Callable[..., Page]


@pytest.mark.parametrize(("language", "words"), [("en", "Users"), ("zh", "用户")])
def test_it_shows_in_both_languages_without_overflow(desk: Desk, open_page: Open, language: str, words: str) -> None:
    page = open_page("people", lang=language)
    expect(page.locator("#users-title")).to_have_text(words)
    expect(page.locator("#token-rows tbody tr").first).to_be_visible()
    expect(page.locator("#audit-rows tbody tr").first).to_be_visible()
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_user_is_added_comes_in_and_is_shut_out(desk: Desk, open_page: Open) -> None:
    page = open_page("people")
    page.locator("#add-user").click()
    page.locator("#act-name").fill("chen.jie")
    page.locator("#act-role").select_option("operator")
    page.locator("#act-password").fill(PASSWORD)
    page.locator("#act-do").click()
    row = page.locator('#user-rows [data-user="chen.jie"]')
    expect(row).to_contain_text("✓ may enter")

    theirs = desk.browser.new_context(locale="en-GB").new_page()
    theirs.goto(f"{desk.service.url}/console/people")
    theirs.locator("#user").fill("chen.jie")
    theirs.locator("#password").fill(PASSWORD)
    theirs.keyboard.press("Enter")
    expect(theirs.locator("#refusal")).to_contain_text("Only admins may see people")
    expect(theirs.locator("#refusal")).to_contain_text("You are chen.jie, with the role operator.")
    expect(theirs.locator("#log-out .who")).to_have_text("chen.jie")

    row.get_by_role("button", name="Role of chen.jie").click()
    page.locator("#act-role").select_option("engineer")
    page.locator("#act-do").click()
    expect(row).to_contain_text("engineer")
    row.get_by_role("button", name="Disable chen.jie").click()
    page.locator("#act-do").click()
    expect(row).to_contain_text("✕ disabled")
    theirs.reload()
    expect(theirs.locator("#login")).to_be_visible()

    theirs.context.close()

    row.get_by_role("button", name="Enable chen.jie").click()
    page.locator("#act-do").click()
    row.get_by_role("button", name="New password of chen.jie").click()
    page.locator("#act-password").fill("eight orange trailers")
    page.locator("#act-do").click()
    expect(page.locator("#act")).not_to_be_visible()
    for password, status in ((PASSWORD, 401), ("eight orange trailers", 200)):
        body = {"user": "chen.jie", "password": password}
        assert httpx.post(f"{desk.service.url}/api/v1/session", json=body).status_code == status
    row.get_by_role("button", name="Delete chen.jie").click()
    page.locator("#act-do").click()
    expect(row).to_have_count(0)


def test_a_weak_password_is_refused_in_words(desk: Desk, open_page: Open) -> None:
    page = open_page("people", lang="zh")
    page.locator("#add-user").click()
    page.locator("#act-name").fill("weak")
    page.locator("#act-password").fill("aaaaaaaaaaaaaa")
    page.locator("#act-do").click()
    expect(page.locator("#act-problem")).to_contain_text("未执行：填写有误")
    page.locator("#act-cancel").click()
    desk.refused(422)


def test_a_token_is_shown_once_used_and_revoked(desk: Desk, open_page: Open) -> None:
    page = open_page("people")
    page.locator("#add-token").click()
    page.locator("#act-name").fill("wall screen")
    page.locator("#act-lives").select_option("30d")
    page.locator("#act-do").click()
    expect(page.locator("#act-text")).to_contain_text("shown this once")
    token = page.locator("#act-token").input_value()
    page.locator("#act-cancel").click()
    prefix = token.partition(".")[0]
    row = page.locator(f'#token-rows [data-token="{prefix}"]')
    expect(row).to_contain_text("wall screen")
    assert token not in page.content()

    def asked() -> int:
        return desk.service.ask("GET", "/session", headers={"Authorization": f"Bearer {token}"}).status_code

    assert asked() == 200
    row.get_by_role("button", name="Revoke wall screen").click()
    page.locator("#act-do").click()
    expect(row).to_have_count(0)
    assert asked() == 401


def test_the_audit_tells_what_was_denied_page_by_page(desk: Desk, open_page: Open) -> None:
    token = desk.service.ask("POST", "/tokens", json={"name": "curious", "role": "viewer"}).json()["token"]
    # From an address of its own: of one address no more than 60 refusals a minute are noted, others' among them.
    place, own = httpx.HTTPTransport(local_address="127.0.0.9"), {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=desk.service.url, headers=own, transport=place) as curious:
        for _ in range(55):
            assert curious.get("/api/v1/users").status_code == 403
    page = open_page("people")
    page.locator("#audit-who").fill("curious")

    page.locator('#audit-form button[type="submit"]').click()
    expect(page.locator('#audit-rows [data-status="403"]')).to_have_count(50, timeout=10_000)
    expect(page.locator("#audit-rows tbody tr").first).to_contain_text("GET /api/v1/users")
    expect(page.locator("#audit-rows tbody tr").first).to_contain_text("✕ denied")
    page.locator("#audit-more").click()
    expect(page.locator('#audit-rows [data-status="403"]')).to_have_count(55)


def test_the_last_admin_cannot_be_taken_away(desk: Desk, open_page: Open) -> None:
    page = open_page("people")
    page.locator('#token-rows tr:has-text("admin")').first.get_by_role("button").click()
    page.locator("#act-do").click()
    expect(page.locator("#act-problem")).to_contain_text("nobody would be left who may do everything")
    desk.refused(409)
