"""What the benchmark of alarms hears: a station's event stream and a webhook, each thing with its moment."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

PATIENCE_S = 30.0


class Heard:
    """Things by name with the moment at which they came (`time.perf_counter`); whoever wants one waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at: dict[str, float] = {}

    def note(self, name: str) -> None:
        """Remember that a thing came now."""
        now = time.perf_counter()
        with self._changed:
            self._at.setdefault(name, now)
            self._changed.notify_all()

    def forget(self) -> None:
        """Forget what came and nobody waited for."""
        with self._changed:
            self._at.clear()

    def moment(self, name: str) -> float:
        """Return when a thing came; waits for it.

        Raises:
            TimeoutError: It did not come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: name in self._at, PATIENCE_S):
                raise TimeoutError(f"{name}: not heard within {PATIENCE_S:g} s")
            return self._at.pop(name)


class Stream:
    """Listens to a station's event stream from a thread of its own.

    Args:
        url: Of the API.
        token: Who listens.

    Attributes:
        alarms: `{alarm id} {state}`, each change of an alarm.
        newest_ms: Source time of the newest reading, epoch ms; 0 before the first.
        readings, forecasts: How many came.
    """

    def __init__(self, url: str, token: str) -> None:
        self.alarms = Heard()
        self.newest_ms = 0
        self.readings = 0
        self.forecasts = 0
        self._client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S)
        self._url = f"{url}/api/v1/stations/jinma/stream"
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._thread.join(PATIENCE_S)

    def _listen(self) -> None:
        try:
            with self._client.stream("GET", self._url) as answer:
                rest = b""
                for block in answer.iter_raw():
                    *frames, rest = (rest + block).split(b"\n\n")
                    for frame in frames:
                        self._take(frame)
        except (httpx.HTTPError, OSError, RuntimeError):
            return  # The client was closed: that is how this ends.

    def _take(self, frame: bytes) -> None:
        if b"\nevent: readings\n" in frame:
            self.readings += 1
            start = frame.index(b'"t":') + 4
            self.newest_ms = max(self.newest_ms, int(frame[start : start + 13]))
        elif b"\nevent: alarm\n" in frame:
            alarm = json.loads(frame.partition(b"\ndata: ")[2])
            self.alarms.note(f"{alarm['id']} {alarm['state']}")
        elif b"\nevent: capacity\n" in frame:
            self.forecasts += 1


@contextmanager
def webhook(name_of: Callable[[Any], Iterator[str]]) -> Iterator[tuple[str, Heard]]:
    """Serve a webhook while this lasts: (its address, what it was told).

    Args:
        name_of: The names of the things that a JSON body tells of.
    """
    heard = Heard()

    class Answer(http.server.BaseHTTPRequestHandler):
        """Takes everything."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Note what is told, and thank for it."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for name in name_of(body):
                heard.note(name)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Answer) as url:
        yield f"{url}/hook", heard


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on 127.0.0.1 while this lasts; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
