"""A Chromium that looks at the console: what it is asked to note, and when it saw what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench.bench_trends import FLAGS
from tests.support.processes import require_program
from tests.support.service import Service

LIVE: Final = '#link[data-state="live"]'
PATIENCE_MS: Final = 120_000.0
PAINT: Final = """
window.__paint = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.__paint = one.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
# A change is on the glass in the frame after the one that drew it.
SHOWN: Final = """
(tag) => {
  window.__shown = [];
  let last = "";
  const note = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    const text = document.querySelector(`#mimic .value[data-tag="${tag}"] b`).textContent;
    if (text !== last) window.__shown.push([last = text, Date.now()]);
  }));
  new MutationObserver(note)
    .observe(document.getElementById("mimic"), { subtree: true, childList: true, characterData: true });
}
"""
# A server that was started anew makes the page load itself: what was noted before must outlive that.
STATES: Final = """
document.addEventListener("DOMContentLoaded", () => {
  const link = document.getElementById("link");
  if (!link) return;
  const note = () => requestAnimationFrame(() => {
    const seen = JSON.parse(sessionStorage.getItem("bench_states") ?? "[]");
    sessionStorage.setItem("bench_states", JSON.stringify([...seen, [link.dataset.state, Date.now()]]));
  });
  new MutationObserver(note).observe(link, { attributes: true, attributeFilter: ["data-state"] });
});
"""


@dataclass(frozen=True)
class Heap:
    """What a page holds after the garbage is collected."""

    mb: float
    nodes: int


@dataclass
class Eye:
    """One page in the session of the admin's token."""

    page: Page
    tools: CDPSession

    async def open(self, url: str) -> None:
        """Open a page of the console and return when it is live."""
        await self.page.goto(url)
        await self.page.wait_for_selector(LIVE, timeout=PATIENCE_MS)

    async def heap(self) -> Heap:
        """Collect the garbage and return what is left."""
        await self.tools.send("HeapProfiler.collectGarbage")
        found: Any = await self.tools.send("Performance.getMetrics")
        metrics = {one["name"]: one["value"] for one in found["metrics"]}
        return Heap(metrics["JSHeapUsedSize"] / 2**20, int(metrics["Nodes"]))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(require_program("chromium")), args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def session_of(browser: Browser, service: Service) -> BrowserContext:
    """Return a fresh profile, nothing cached, that is logged in."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.request.post(f"{service.url}/api/v1/session", data={"token": service.token})
    return context


async def eye_of(context: BrowserContext) -> Eye:
    """Return a page of a profile."""
    page = await context.new_page()
    tools = await context.new_cdp_session(page)
    await tools.send("Performance.enable")
    return Eye(page, tools)
