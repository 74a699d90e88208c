"""The trends page on a month: `python -m bench.bench_trends [--days 30] [--opens 5] [--zooms 20]`.

Ten signals in a SQLite store (each 30 s, the last three hours each second; the minutes that a long range is answered
from are as many as in a full store), the whole service over it, one real Chromium. A time runs from the act (the page's
address, a notch of the wheel) to the frame that shows the new readings, the page's 60 ms of settling included. The CPU
of the page is its main thread's; on a loaded machine it and that of the service say more than the times.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.bench_sqlite import DAY_MS, TAGS
from bench.figures import show
from bench.processes import cpu_s
from bench.station_hours import HOUR_MS
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from tests.support.processes import require_program
from tests.support.service import Service

COARSE_MS, FINE_MS, FINE_HOURS = 30_000, 1_000, 3
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
LONGEST_MS: Final = 60_000
Times = tuple[float, float, float, float]
"""Milliseconds of an act: in all, of its first answer, of the service's CPU, of the page's CPU."""
ZOOM = r"""
async ([turn, share]) => {
  const place = document.getElementById("trends-chart"), box = place.getBoundingClientRect();
  const before = place.dataset.drawn, began = performance.now();
  performance.clearResourceTimings();
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`not drawn after ${before}`)), 60000));
  const drawn = new Promise((done) => new MutationObserver((_, watch) => {
    if (place.dataset.drawn === before) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(done));
  }).observe(place, { attributes: true }));
  place.dispatchEvent(new WheelEvent("wheel", { deltaY: turn, clientX: box.left + 80 + share * (box.width - 140),
    clientY: box.top + 50, bubbles: true, cancelable: true }));
  await Promise.race([drawn, late]);
  const first = performance.getEntriesByType("resource").find(({ name }) => /\/(readings|trends)\?/.test(name));
  return [performance.now() - began, first ? first.responseEnd - first.startTime : 0];
}
"""
WATCH = """
new MutationObserver((_, watch) => {
  if (!document.querySelector("#trends-chart[data-drawn]")) return;
  watch.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.drawnAt = performance.now(); }));
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-drawn"] });
"""
OPENED = r"""
() => { const first = performance.getEntriesByType("resource").find(({ name }) => /\/(readings|trends)\?/.test(name));
  return [window.drawnAt, first ? first.responseEnd - first.startTime : 0]; }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--opens", type=int, default=5)
    parser.add_argument("--zooms", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        data_dir = Path(name) / "data"
        data_dir.mkdir()
        fill(data_dir / "readings.sqlite", asked.days)
        with Service("--keep", f"{asked.days + 2}d", data_dir=data_dir) as service:
            service.wait_live(120.0)
            _measure(service, asked.days, asked.opens, asked.zooms)


def fill(path: Path, days: int) -> None:
    """Make a store of ten signals that ends now."""
    store, now_ms = SqliteReadings(path), time.time_ns() // 1_000_000
    begin_ms = now_ms - now_ms % HOUR_MS - days * DAY_MS
    for hour_ms in range(begin_ms, now_ms, HOUR_MS):
        step_ms = FINE_MS if now_ms - hour_ms < FINE_HOURS * HOUR_MS else COARSE_MS
        store.write(list(_hour(range(hour_ms, min(hour_ms + HOUR_MS, now_ms), step_ms))))
    store.close()


def _hour(moments: range) -> Iterator[UnitMessage]:
    signals = shipped_plant().signals
    units = {signals[tag].key: [one for one in TAGS if signals[one].key == signals[tag].key] for tag in TAGS}
    noise = random.Random(moments.start)
    for t_ms in moments:
        for (area, unit), tags in units.items():
            wave = 30 + 8 * math.sin(t_ms / 7e6)
            yield UnitMessage("jinma", area, unit, t_ms, {tag: round(wave + noise.random(), 2) for tag in tags})


def _measure(service: Service, days: int, opens: int, zooms: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(require_program("chromium")), args=FLAGS)
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.add_init_script(WATCH)
        context.request.post(f"{service.url}/api/v1/session", data={"token": service.token})
        address = f"{service.url}/console/trends?lang=en#s={','.join(TAGS)}&span={days * DAY_MS}"
        pid = service.process.pid
        opened: list[Times] = []
        for _ in range(opens):
            for other in context.pages:
                other.close()  # A live page has work of its own each second.
            page = context.new_page()
            opened.append(_open(page, address, pid))
        acts = [(-100.0, 0.3 + 0.05 * (turn % 8)) for turn in range(zooms)]
        acts += [(100.0, share) for _, share in reversed(acts)]
        zoomed = [_timed(pid, page, lambda notch=notch: page.evaluate(ZOOM, notch)) for notch in acts]
        browser.close()
    columns = ("act", "median [ms]", "p95 [ms]", "first answer [ms]", "CPU of the service [ms]", "CPU of the page [ms]")
    rows = [
        _row(f"open 10 signals over {days} days", opened),
        _row(f"zoom in from {days} days, notch by notch", zoomed[:zooms]),
        _row("and out again", zoomed[zooms:]),
    ]
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    show(f"Trends page in Chromium, SQLite store (machine's load {load:.1f} a core)", columns, rows)


def _open(page: Page, address: str, pid: int) -> Times:
    def act() -> Any:
        page.goto(address, wait_until="commit")
        page.wait_for_function("window.drawnAt", timeout=LONGEST_MS)
        return page.evaluate(OPENED)

    return _timed(pid, page, act)


def _timed(pid: int, page: Page, act: Any) -> Times:
    """Return the milliseconds of an act, of the first answer within it, and of CPU: the service's and the page's."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    began, page_began = cpu_s(pid), _page_cpu_s(session)
    whole_ms, answer_ms = act()
    spent = (cpu_s(pid) - began, _page_cpu_s(session) - page_began)
    session.detach()
    return whole_ms, answer_ms, *(1e3 * one for one in spent)


def _page_cpu_s(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _row(name: str, times: list[Times]) -> tuple[str, ...]:
    whole, *others = np.array(times).T
    figures = (np.median(whole), np.percentile(whole, 95), *map(np.median, others))
    return name, *(f"{one:.0f}" for one in figures)


if __name__ == "__main__":
    main()
