"""Whoever is shut out is out within 5 s: streams and the console's own sockets, by HTTP and from another process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.people.roles import Role
from api.people.tokens import Tokens
from api.people.users import Users
from station.adapters.clocks import wall_ms
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_tokens import SqlTokens
from station.adapters.sql_users import SqlUsers
from tests.support.service import Service

WITHIN_S = 5.0
STREAM = "/api/v1/stations/jinma/stream?conflate=1s"
PASSWORD = "eight hoses and a bank"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service("--no-simulator") as running:
        yield running


@dataclass
class Watched:
    """Live connections of one person, and when each ended."""

    service: Service
    stack: ExitStack
    cookie: str = ""
    csrf: str = ""
    ended: dict[str, float] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def client(self) -> httpx.Client:
        return self.stack.enter_context(httpx.Client(base_url=self.service.url, timeout=30))

    def come_in(self, proof: dict[str, str]) -> None:
        """Open a session, the stream, and a socket of the console; a token opens the stream by itself."""
        client = self.client()
        opened = client.post("/api/v1/session", json=proof)
        assert opened.status_code == 200, opened.text
        self.cookie, self.csrf = client.cookies["jinma_session"], opened.json()["csrf"]
        self.follow_socket(self.cookie)
        if "token" in proof:
            self.follow_stream(self.client(), {"Authorization": f"Bearer {proof['token']}"})
        else:
            self.follow_stream(client)

    def log_out(self) -> httpx.Response:
        client = self.client()
        client.cookies.set("jinma_session", self.cookie)
        return client.delete("/api/v1/session", headers={"X-CSRF-Token": self.csrf})

    def follow_stream(self, client: httpx.Client, headers: dict[str, str] | None = None) -> None:
        begun = threading.Event()

        def read() -> None:
            with client.stream("GET", STREAM, headers=headers) as answer:
                assert answer.status_code == 200
                for _ in answer.iter_bytes():
                    begun.set()

        self._follow("stream", read)
        assert begun.wait(10)

    def follow_socket(self, cookie: str) -> None:
        socket = self.stack.enter_context(socket_of(self.service, cookie))
        assert socket.recv(10)  # engine.io opens

        def read() -> None:
            with suppress(ConnectionClosed):
                while True:
                    socket.recv(30)
                    socket.send("3")  # its pong

        self._follow("socket", read)

    def took(self, began: float) -> dict[str, float]:
        """Return the seconds after which each connection was closed, once all are."""
        for thread in self.threads:
            thread.join(max(0.0, began + 2 * WITHIN_S - time.monotonic()))
        return {what: round(at - began, 2) for what, at in self.ended.items()}

    def _follow(self, name: str, until_it_ends: Callable[[], None]) -> None:
        def run() -> None:
            until_it_ends()
            self.ended[name] = time.monotonic()

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()


def socket_of(service: Service, cookie: str) -> ClientConnection:
    url = service.url.replace("http://", "ws://") + "/console/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    return connect(url, additional_headers={"Cookie": f"jinma_session={cookie}"}, open_timeout=10)


def test_whoever_is_shut_out_is_out_within_five_seconds(service: Service) -> None:
    """Each act upon a person or a token of their own, all at once: by HTTP, and from another process."""
    database = SqlDatabase(f"sqlite:///{service.data_dir / 'journal.sqlite'}")
    users = Users(SqlUsers(database), wall_ms)
    tokens = Tokens(SqlTokens(database), (service.data_dir / "token.key").read_bytes(), wall_ms)
    acts: dict[str, Callable[[str], object]] = {
        "new password elsewhere": lambda name: users.set_password(name, "another long word"),
        "new role elsewhere": lambda name: users.change(name, Role.VIEWER),
        "disabled elsewhere": lambda name: users.change(name, disabled=True),
        "removed elsewhere": users.remove,
        "new password": lambda name: service.ask("PATCH", f"/users/{name}", json={"password": "another long word"}),
        "new role": lambda name: service.ask("PATCH", f"/users/{name}", json={"role": "engineer"}),
        "disabled": lambda name: service.ask("PATCH", f"/users/{name}", json={"disabled": True}),
        "removed": lambda name: service.ask("DELETE", f"/users/{name}"),
        "logged out": lambda name: people[name].log_out(),
        "token revoked elsewhere": tokens.revoke,
        "token revoked": lambda prefix: service.ask("DELETE", f"/tokens/{prefix}"),
        "nothing": lambda name: None,
    }
    people: dict[str, Watched] = {}
    with ExitStack() as stack:
        for number, act in enumerate(acts):
            if act.startswith("token"):
                token = tokens.create(act, Role.VIEWER)
                key, proof = token.partition(".")[0], {"token": token}
            else:
                key, proof = f"p{number}", {"user": f"p{number}", "password": PASSWORD}
                users.add(key, Role.OPERATOR, PASSWORD)
            people[key] = Watched(service, stack)
            people[key].come_in(proof)
        began: dict[str, float] = {}
        for key, (name, act_upon) in zip(people, acts.items(), strict=True):
            done = act_upon(key)
            assert not isinstance(done, httpx.Response) or done.is_success, name
            began[key] = time.monotonic()
        took = {name: people[key].took(began[key]) for key, name in zip(people, acts, strict=True) if name != "nothing"}
        last = people[next(reversed(people))]
        assert not last.ended, "nobody else is cut"
        users.remove(next(reversed(people)))
        last.took(time.monotonic())
    database.close()
    for name, seconds in took.items():
        assert seconds.keys() == {"socket", "stream"}, name
        assert max(seconds.values()) < WITHIN_S, name


def test_a_socket_without_a_session_does_not_open(service: Service) -> None:
    for cookie in ("", "nonsense"):
        with pytest.raises(InvalidStatus, match="403"):
            socket_of(service, cookie)
    assert not service.tracebacks()
