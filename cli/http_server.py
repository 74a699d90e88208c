"""The HTTP server around the app: its port taken first, its end asked for from outside."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
from fastapi import FastAPI

from station.errors import FinalError


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens, before anything else is started.

    Raises:
        FinalError: The port is in use, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        raise FinalError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; stop what uses it, or name another with --port"
        ) from error
    return listener


class HttpServer(uvicorn.Server):
    """A uvicorn that leaves signals to whoever started it.

    Args:
        app: What is served.
        on_started: Called once, when requests are taken.
    """

    def __init__(self, app: FastAPI, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="on")
        )
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take no signals: the composition root has them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    def ask_to_end(self) -> None:
        """End soon: open answers get a second."""
        self.should_exit = True
