"""The console under live clients: `python -m bench.bench_console [--clients 50] [--seconds 60] [--soak 3600]`.

Each client is what a browser is to the service: it logs in, loads the page, holds NiceGUI's socket and reads the shared
stream; it draws nothing, so that the machine can hold fifty. One real Chromium looks on and says how old a value is
when it is shown: from the reading's own time to the frame in which it stands, with the stream's second of gathering
within. The service runs its own simulator at station rate; what it takes without clients is measured first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import time
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import numpy as np
import socketio
from playwright.async_api import Page, async_playwright

from bench.bench_trends import FLAGS
from bench.figures import show
from bench.processes import cpu_s, memory_mb
from tests.support.processes import require_program
from tests.support.service import Service

QUIET_S: Final = 10.0
PATIENCE_S: Final = 120.0
LAG = """
async () => {
  const { valueOf } = await import("/console/static/numbers.js");
  window.__lags = [];
  const seen = new Map();
  new MutationObserver(() => requestAnimationFrame(() => {
    for (const cell of document.querySelectorAll("#mimic .value[data-tag]")) {
      const held = valueOf(cell.dataset.tag);
      if (!held || seen.get(cell.dataset.tag) === held[2]) continue;
      if (seen.has(cell.dataset.tag)) window.__lags.push(Date.now() - held[2]);
      seen.set(cell.dataset.tag, held[2]);
    }
  })).observe(document.getElementById("mimic"), { subtree: true, childList: true, characterData: true });
}
"""


@dataclass
class Sample:
    """What the service took over a stretch of time."""

    cores: float
    memory_mb: float
    events: int


class Client:
    """One console without a screen."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._socket = socketio.AsyncClient(reconnection=False)
        self.events = 0
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Log in, load the page, open its socket, read the stream until cancelled."""
        patience = aiohttp.ClientTimeout(total=None, sock_read=PATIENCE_S)
        jar = aiohttp.CookieJar(unsafe=True)  # Cookies of an address, too.
        async with aiohttp.ClientSession(timeout=patience, cookie_jar=jar) as session:
            body = {"token": self._token}
            async with session.post(f"{self._url}/api/v1/session", json=body) as answer:
                answer.raise_for_status()
            async with session.get(f"{self._url}/console/") as answer:
                page = await answer.text()
            cookies = "; ".join(f"{one.key}={one.value}" for one in session.cookie_jar)
            await self._open_socket(page, cookies)
            await self._listen(session)

    async def _open_socket(self, page: str, cookies: str) -> None:
        found = re.search(r"client_id\W+([0-9a-f-]{36})", page)
        if found is None:
            raise SystemExit("the page names no client")
        name = found.group(1)
        query = f"client_id={name}&tab_id={name}&document_id={name}&next_message_id=0&implicit_handshake=true"
        await self._socket.connect(
            f"{self._url}?{query}", headers={"Cookie": cookies}, transports=["websocket"],
            socketio_path="/console/_nicegui_ws/socket.io",
        )  # fmt: skip

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self._url}/api/v1/stations/jinma/stream?conflate=1s") as answer:
            async for line in answer.content:
                if line.startswith(b"event: readings"):
                    self.events += 1
                    self.ready.set()
        raise SystemExit("the stream ended")

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--soak", type=float, default=0.0, help="seconds; memory is then printed each minute")
    asked = parser.parse_args()
    with Service() as service:
        service.wait_live(PATIENCE_S)
        asyncio.run(_measure(service, asked.clients, asked.soak or asked.seconds))


async def _measure(service: Service, count: int, seconds: float) -> None:
    pid = service.process.pid
    alone = await _sample(pid, [], QUIET_S)
    clients = [Client(service.url, service.token) for _ in range(count)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(client.run()) for client in clients]
        for client in clients:
            await asyncio.wait_for(client.ready.wait(), PATIENCE_S)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=str(require_program("chromium")), args=FLAGS)
            context = await browser.new_context(viewport={"width": 1920, "height": 1080})
            await context.request.post(f"{service.url}/api/v1/session", data={"token": service.token})
            page = await context.new_page()
            await page.goto(f"{service.url}/console/?lang=en")
            await page.wait_for_selector('#link[data-state="live"]', timeout=PATIENCE_S * 1e3)
            await page.evaluate(LAG)
            samples = await _soak(pid, clients, seconds)
            lags = await _lags(page)
            await browser.close()
        for client in clients:
            await client.close()
        for task in running:
            task.cancel()
    _show(alone, samples, count, seconds, lags)


async def _soak(pid: int, clients: list[Client], seconds: float) -> list[Sample]:
    """Return a sample a minute, the last one shorter."""
    samples = []
    ends = time.monotonic() + seconds
    while (rest := ends - time.monotonic()) > 1.0:
        samples.append(await _sample(pid, clients, min(60.0, rest)))
        print(f"{samples[-1].cores:.2f} cores, {samples[-1].memory_mb:.0f} MB, {samples[-1].events} events", flush=True)
    return samples


async def _sample(pid: int, clients: list[Client], seconds: float) -> Sample:
    began_s, began_cpu_s, began = time.monotonic(), cpu_s(pid), sum(client.events for client in clients)
    await asyncio.sleep(seconds)
    cores = (cpu_s(pid) - began_cpu_s) / (time.monotonic() - began_s)
    return Sample(cores, memory_mb(pid), sum(client.events for client in clients) - began)


async def _lags(page: Page) -> Any:
    return np.array(await page.evaluate("window.__lags"), dtype=float)


def _show(alone: Sample, samples: list[Sample], count: int, seconds: float, lags: Any) -> None:
    cores = [one.cores for one in samples]
    events = sum(one.events for one in samples) / max(count, 1) / seconds
    p50, p95, most = np.percentile(lags, (50, 95, 100)) if len(lags) else (np.nan,) * 3
    rows = [
        ("service without clients", f"{alone.cores:.2f} cores, {alone.memory_mb:.0f} MB"),
        (f"with {count} clients and a Chromium, {seconds:.0f} s", f"{np.mean(cores):.2f} cores, most {max(cores):.2f}"),
        ("its memory, first and last minute", f"{samples[0].memory_mb:.0f} and {samples[-1].memory_mb:.0f} MB"),
        ("events of readings a client and second", f"{events:.2f}"),
        (f"age of {len(lags)} values when shown", f"median {p50:.0f} ms, p95 {p95:.0f} ms, most {most:.0f} ms"),
    ]  # fmt: skip
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    show(f"Console with live clients (machine's load {load:.1f} a core)", ("", "figure"), rows)


if __name__ == "__main__":
    main()
