"""The API behind a real server: streams over real sockets, revocation, slow clients, a stop that does not hang."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.people.roles import Role
from station.adapters.clocks import wall_ms
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_tokens import SqlTokens
from tests.support.live_api import LiveApi, VirtualClock, live_api
from tests.support.ports import free_port

BANK = ("storage", "bank-HB")
STREAM = "/api/v1/stations/jinma/stream"


class WallTime(VirtualClock):
    """Wall time, where a test runs against real sockets."""

    def now_ms(self) -> int:
        return wall_ms()

    def seconds(self) -> float:
        return time.monotonic()


@dataclass
class Served:
    """An API and where it is served."""

    api: LiveApi
    url: str
    server: uvicorn.Server
    thread: threading.Thread

    def client(self, token: str | None = None) -> httpx.Client:
        token = token or self.api.tokens.create("test", Role.VIEWER)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def say(self, value: float) -> None:
        self.api.say(BANK, {"PT-330A": value}, wall_ms())

    def stop(self) -> None:
        """Stop as the commands do; a stream that were waited for would hold it for ever."""
        self.api.services.close_streams()
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(live_api(WallTime())) as one:
        yield one


@contextmanager
def serving(api: LiveApi) -> Iterator[Served]:
    port = free_port()
    config = uvicorn.Config(create_app(api.services), "127.0.0.1", port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-server")
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    one = Served(api, f"http://127.0.0.1:{port}", server, thread)
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def events_of(client: httpx.Client, **options: object) -> Iterator[Iterator[tuple[str, str, dict[str, object]]]]:
    """Yield (id, event, data) as they come; comments are passed over."""
    with client.stream("GET", STREAM, **options) as answer:  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _parsed(answer.iter_lines())


def _parsed(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def wait_for_clients(served: Served, count: int) -> None:
    deadline = time.monotonic() + 30
    while served.api.live.hub.clients != count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.api.live.hub.clients == count


def test_readings_arrive_when_they_are_said_and_a_client_that_comes_back_misses_none(served: Served) -> None:
    with served.client() as client:
        with events_of(client) as events:
            wait_for_clients(served, 1)
            took = []
            for _ in range(5):  # something that looks each second would take that, each time
                began = time.perf_counter()
                served.say(1.0)
                last, kind, data = next(events)
                took.append(time.perf_counter() - began)
        assert (kind, data["area"], data["unit"], data["v"]) == ("readings", *BANK, {"PT-330A": 1.0})
        assert min(took) < 0.2
        wait_for_clients(served, 0)
        for number in range(2, 6):
            served.say(float(number))
        with events_of(client, headers={"Last-Event-ID": last}) as events:
            values = [next(events)[2]["v"] for _ in range(4)]
    assert values == [{"PT-330A": float(number)} for number in range(2, 6)]


def test_a_conflating_client_gets_the_state_then_at_most_one_event_a_second(served: Served) -> None:
    served.say(1.0)
    with served.client() as client, events_of(client, params={"conflate": "1s"}) as events:
        state = next(events)[2]
        wait_for_clients(served, 1)
        began = time.monotonic()
        for number in range(50):
            served.say(float(number))
        changed = next(events)[2]
        took = time.monotonic() - began
    assert state["values"]["PT-330A"][:2] == [1.0, "good"]  # type: ignore[index]
    assert changed["values"]["PT-330A"][0] == 49.0  # type: ignore[index]
    assert took > 0.2


def test_revoking_a_token_closes_its_stream_within_five_seconds_and_no_other(served: Served) -> None:
    token = served.api.tokens.create("wall display", Role.VIEWER)
    with served.client(token) as client, served.client() as other, events_of(other) as kept:
        with events_of(client) as events:
            wait_for_clients(served, 2)
            served.api.tokens.revoke(token.partition(".")[0])
            began = time.monotonic()
            assert list(events) == []
            assert time.monotonic() - began < 5
        served.say(7.0)
        assert next(kept)[2]["v"] == {"PT-330A": 7.0}


def test_a_token_that_another_process_revokes_closes_its_stream_too(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with serving(live_api(WallTime(), SqlTokens(database))) as served:
        token = served.api.tokens.create("wall display", Role.VIEWER)
        with served.client(token) as client, events_of(client) as events:
            wait_for_clients(served, 1)
            assert SqlTokens(database).remove(token.partition(".")[0])
            began = time.monotonic()
            assert list(events) == []
            assert time.monotonic() - began < 5
    database.close()


def test_a_client_that_does_not_read_is_cut_and_the_others_go_on(served: Served) -> None:
    token = served.api.tokens.create("stuck", Role.VIEWER)
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as stuck, served.client() as client, events_of(client) as events:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        wait_for_clients(served, 2)
        deadline = time.monotonic() + 20
        heard = sent = 0
        while served.api.live.hub.cut_clients == 0 and time.monotonic() < deadline:
            for _ in range(500):
                served.api.live.hub.publish("readings", b'{"x":"%s"}' % (b"x" * 2000))
            sent += 500
            while heard < sent:
                next(events)
                heard += 1
        assert served.api.live.hub.cut_clients == 1
        assert heard == sent


def test_the_server_stops_with_streams_open(served: Served) -> None:
    with served.client() as client, events_of(client) as events, events_of(client, params={"conflate": "1s"}) as other:
        wait_for_clients(served, 2)
        next(other)
        served.stop()  # says whether it did
        assert list(events) == []
