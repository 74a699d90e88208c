"""What holds for every page in Chromium."""

from __future__ import annotations

from playwright.sync_api import expect

expect.set_options(timeout=15_000)
"""Playwright's own 5 s are soon over where others have the machine; a time that is promised stands at its test."""
