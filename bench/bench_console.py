"""The console under live clients: `python -m bench.bench_console [--clients 50] [--seconds 60] [--soak 3600]`.

Each client is what a browser is to the service: it logs in, loads the page, holds NiceGUI's socket and reads the shared
stream; it draws nothing, so that the machine can hold fifty. One real Chromium looks on, and a device beside the
simulator publishes readings to the broker: how long each takes from there to the screen is measured, the stream's
second of gathering within. A soak goes on for longer and says what the memory of both sides grows by in an hour. The
service runs its own simulator at station rate; what it takes without clients is measured first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import numpy as np
import socketio

from bench.console_eye import SHOWN, Eye, Heap, chromium, eye_of, session_of
from bench.console_readings import TAG, Device
from bench.figures import show
from bench.processes import cpu_s, memory_mb, own_memory_mb
from tests.support.service import Service

QUIET_S: Final = 10.0
PATIENCE_S: Final = 120.0
SETTLE_MIN: Final = 11
"""The stream's ring holds ten minutes: until it is full, memory grows by what it is meant to hold."""


@dataclass
class Sample:
    """What the service took over a stretch of time."""

    cores: float
    memory_mb: float
    own_mb: float
    events: int
    heap: Heap | None = None


@dataclass
class Run:
    """All that was measured."""

    alone: Sample
    samples: list[Sample] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    published: int = 0


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

    @property
    def connected(self) -> bool:
        """Whether the socket still stands."""
        return bool(self._socket.connected)

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--soak", type=float, default=0.0, help="seconds; a line is printed each minute")
    asked = parser.parse_args()
    seconds = asked.soak or asked.seconds
    with Service() as service:
        service.wait_live(PATIENCE_S)
        run = asyncio.run(_measure(service, asked.clients, seconds))
    _show(run, asked.clients, seconds)


async def _measure(service: Service, count: int, seconds: float) -> Run:
    pid = service.process.pid
    run = Run(await _sample(pid, [], QUIET_S))
    clients, device = [Client(service.url, service.token) for _ in range(count)], Device()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(client.run()) for client in clients]
        for client in clients:
            await asyncio.wait_for(client.ready.wait(), PATIENCE_S)
        async with chromium() as browser:
            eye = await eye_of(await session_of(browser, service))
            await eye.open(f"{service.url}/console/?lang=en")
            await eye.page.evaluate(SHOWN, TAG)
            running.append(tasks.create_task(device.run(service)))
            run.samples = await _soak(pid, clients, seconds, eye)
            run.lags = device.lags_ms(await eye.page.evaluate("window.__shown"))
            run.published = len(device.sent)
        if not all(client.connected for client in clients):
            raise SystemExit("a client's socket was closed meanwhile")
        for client in clients:
            await client.close()
        for task in running:
            task.cancel()
    return run


async def _soak(pid: int, clients: list[Client], seconds: float, eye: Eye) -> list[Sample]:
    """Return a sample a minute, the last one shorter."""
    samples = []
    ends = time.monotonic() + seconds
    while (rest := ends - time.monotonic()) > 1.0:
        sample = await _sample(pid, clients, min(60.0, rest))
        sample.heap = await eye.heap()
        samples.append(sample)
        page = f"page {sample.heap.mb:.1f} MB, {sample.heap.nodes} nodes"
        print(
            f"{sample.cores:.2f} cores, {sample.memory_mb:.1f} MB, {sample.own_mb:.1f} of its own, "
            f"{sample.events} events, {page}",
            flush=True,
        )
    return samples


async def _sample(pid: int, clients: list[Client], seconds: float) -> Sample:
    began_s, began_cpu_s, began = time.monotonic(), cpu_s(pid), sum(client.events for client in clients)
    await asyncio.sleep(seconds)
    cores = (cpu_s(pid) - began_cpu_s) / (time.monotonic() - began_s)
    return Sample(cores, memory_mb(pid), own_memory_mb(pid), sum(client.events for client in clients) - began)


def _show(run: Run, count: int, seconds: float) -> None:
    samples = run.samples
    cores = [one.cores for one in samples]
    events = sum(one.events for one in samples) / max(count, 1) / seconds
    p50, p95, most = np.percentile(run.lags, (50, 95, 100)) if run.lags else (np.nan,) * 3
    rows = [
        ("service without clients", f"{run.alone.cores:.2f} cores, {run.alone.memory_mb:.0f} MB"),
        (f"with {count} clients and a Chromium, {seconds:.0f} s", f"{np.mean(cores):.2f} cores, most {max(cores):.2f}"),
        ("its memory, first and last minute", f"{samples[0].memory_mb:.0f} and {samples[-1].memory_mb:.0f} MB"),
        ("events of readings a client and second", f"{events:.2f}"),
        (f"{len(run.lags)} of {run.published} readings, published to shown",
         f"median {p50:.0f} ms, p95 {p95:.0f} ms, most {most:.0f} ms"),
        *_growth(samples),
    ]  # fmt: skip
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    show(f"Console with live clients (machine's load {load:.1f} a core)", ("", "figure"), rows)


def _growth(samples: list[Sample]) -> list[tuple[str, str]]:
    """Return what an hour adds, by a line through the minutes after the ring is full; nothing where they are few."""
    settled = samples[SETTLE_MIN:-1]  # The last one may be short.
    if len(settled) < 5:
        return []
    what = f"growth an hour, minutes {SETTLE_MIN + 1} to {SETTLE_MIN + len(settled)}"
    heaps = [one.heap for one in settled if one.heap is not None]
    service, page = _per_hour([one.own_mb for one in settled]), _per_hour([one.mb for one in heaps])
    nodes = _per_hour([float(one.nodes) for one in heaps])
    return [(what, f"service {service:+.1f} MB of its own, page {page:+.1f} MB and {nodes:+.0f} nodes")]


def _per_hour(minutes: list[float]) -> float:
    slope: Any = np.polyfit(np.arange(len(minutes)), minutes, 1)[0]
    return float(60.0 * slope)


if __name__ == "__main__":
    main()
