"""How soon the console's pages say that the server is not there, and how soon they are.

`python -m bench.bench_console_pages [--silences 10] [--loads 3]`: the server is held (it keeps its connections and says
nothing), and killed and started again: how long until the page says "no data since", and how long until it lives again
once the server does; under two minutes. Then Largest Contentful Paint of every page of the registry in both languages,
of a unit's page for one unit of each area; the first load of a page is with nothing cached. That is 144 loads, and most
of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from playwright.async_api import Browser
from playwright.async_api import Error as PlaywrightError

from bench.console_eye import PAINT, STATES, Eye, chromium, eye_of, session_of
from bench.figures import show
from bench.processes import cpu_s
from dashboards.console.language import LANGUAGES
from tests.support.console_paths import every_path
from tests.support.ports import free_port
from tests.support.service import Service

PATIENCE_S: Final = 60.0
SETTLE_S: Final = 0.6
"""After a page lives its tables still come, and what they paint counts: it is there once nothing more came so long."""
SETTLED_WITHIN_S: Final = 3.0
LOOK_S: Final = 2.0
"""A page that loads itself anew from a server that is held answers nobody until the server goes on."""
SILENCES_WITHIN_S: Final = 180.0
_PHASES = random.Random(1)  # At which moment of the stream's second a server falls silent.


@dataclass(frozen=True)
class Load:
    """One load of a page."""

    paint_ms: float
    answer_ms: float
    service_cpu_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=3)
    parser.add_argument("--silences", type=int, default=10)
    asked = parser.parse_args()
    with Service("--port", str(free_port())) as service:
        service.wait_live(PATIENCE_S)
        asyncio.run(_measure(service, asked.loads, asked.silences))


async def _measure(service: Service, loads: int, silences: int) -> None:
    async with chromium() as browser:
        if silences:
            async with asyncio.timeout(SILENCES_WITHIN_S):
                await _silences(browser, service, silences)
        if loads:
            await _paints(browser, service, loads)


async def _paints(browser: Browser, service: Service, count: int) -> None:
    rows = []
    for path in every_path():
        for language in LANGUAGES:
            context = await session_of(browser, service)
            await context.add_init_script(PAINT)
            eye = await eye_of(context)
            loads = [await _load(eye, service, f"/console/{path}?lang={language}") for _ in range(count)]
            await context.close()
            rows.append(_row(f"/{path} {language}", loads))
            print(*rows[-1], flush=True)
    columns = (
        "page",
        "LCP, nothing cached [ms]",
        "median [ms]",
        "most [ms]",
        "first byte, median [ms]",
        "CPU of the service [ms]",
    )
    show(f"Largest Contentful Paint, {count} loads each ({_load_now()})", columns, rows)


async def _load(eye: Eye, service: Service, path: str) -> Load:
    began_s = cpu_s(service.process.pid)
    await eye.open(service.url + path)
    took_ms = 1e3 * (cpu_s(service.process.pid) - began_s)
    paint_ms = await _settled(eye)
    answer = "performance.getEntriesByType('navigation')[0].responseStart"
    return Load(paint_ms, await eye.page.evaluate(answer), took_ms)


async def _settled(eye: Eye) -> float:
    """Return the Largest Contentful Paint [ms] once it stays what it is."""
    until_s, paint_ms, since_s = time.monotonic() + SETTLED_WITHIN_S, -1.0, time.monotonic()
    while time.monotonic() < until_s and time.monotonic() - since_s < SETTLE_S:
        await asyncio.sleep(0.1)
        newest = float(await eye.page.evaluate("window.__paint"))
        if newest != paint_ms:
            paint_ms, since_s = newest, time.monotonic()
    return paint_ms


def _row(name: str, loads: list[Load]) -> tuple[str, ...]:
    paints = [one.paint_ms for one in loads]
    figures = (
        paints[0],
        np.median(paints),
        max(paints),
        np.median([one.answer_ms for one in loads]),
        np.median([one.service_cpu_ms for one in loads]),
    )
    return (name, *(f"{one:.0f}" for one in figures))


async def _silences(browser: Browser, service: Service, count: int) -> None:
    context = await session_of(browser, service)
    await context.add_init_script(STATES)
    eye = await eye_of(context)
    await eye.open(f"{service.url}/console/?lang=en")
    held = [await _held(eye, service) for _ in range(count)]
    killed = [await _killed(eye, service) for _ in range(max(1, count // 3))]
    columns = ("server", "times", "says so, median [ms]", "most [ms]", "lives again, median [ms]", "most [ms]")
    show(f"A server that says nothing ({_load_now()})", columns, [_times("held", held), _times("killed", killed)])


async def _held(eye: Eye, service: Service) -> tuple[float, float]:
    """Hold the server for some seconds; return when the page said so, and when it lived after the server did [ms]."""
    await asyncio.sleep(2.0 + _PHASES.random())
    stopped_ms = time.time() * 1e3
    os.kill(service.process.pid, signal.SIGSTOP)
    try:
        said_ms = await _said(eye, stopped_ms, ("silent", "lost"))
    finally:
        back_ms = time.time() * 1e3
        os.kill(service.process.pid, signal.SIGCONT)
    return said_ms - stopped_ms, await _said(eye, back_ms, ("live",)) - back_ms


async def _killed(eye: Eye, service: Service) -> tuple[float, float]:
    """Kill the server and start it again; the second figure counts from its first live reading."""
    await asyncio.sleep(2.0 + _PHASES.random())
    stopped_ms = time.time() * 1e3
    await asyncio.to_thread(service.end, signal.SIGKILL)
    said_ms = await _said(eye, stopped_ms, ("silent", "lost"))
    await asyncio.to_thread(service.start)
    await asyncio.to_thread(service.wait_live, PATIENCE_S)
    back_ms = time.time() * 1e3
    return said_ms - stopped_ms, max(0.0, await _said(eye, said_ms, ("live",)) - back_ms)


async def _said(eye: Eye, after_ms: float, states: tuple[str, ...]) -> float:
    """Return the wall ms of the first frame after a moment in which the page told one of the states."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        seen = await _noted(eye)
        found = next((at_ms for state, at_ms in seen if at_ms > after_ms and state in states), None)
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise SystemExit(f"the page never told {' or '.join(states)}")


async def _noted(eye: Eye) -> list[tuple[str, float]]:
    """Return what the page noted, nothing while it loads itself anew."""
    with contextlib.suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(LOOK_S):
            return list(await eye.page.evaluate("JSON.parse(sessionStorage.getItem('bench_states') ?? '[]')"))
    return []


def _times(name: str, found: list[tuple[float, float]]) -> tuple[str, ...]:
    said, back = np.array(found).T
    figures = (np.median(said), said.max(), np.median(back), back.max())
    return (name, str(len(found)), *(f"{one:.0f}" for one in figures))


def _load_now() -> str:
    return f"machine's load {os.getloadavg()[0] / (os.cpu_count() or 1):.1f} a core"


if __name__ == "__main__":
    main()
