"""The HTTP server of the commands: what it starts, and in which order."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from cli.http_server import HttpServer


def test_what_waits_for_the_app_begins_after_its_start_and_finds_it_serving() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        seen.append("app started")
        yield
        seen.append("app ended")

    app = FastAPI(lifespan=life)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def started() -> None:
            seen.append("told")
            server.should_exit = True

        server = HttpServer(app, started)
        server.run(sockets=[listener])
    assert seen == ["app started", "told", "app ended"]
