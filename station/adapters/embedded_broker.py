"""The MQTT broker of the embedded default: amqtt in a thread of its own, on loopback, for one machine.

It carries about 1600 messages/s with two subscribers (an idle station sends 32, a mean day 43) and forgets everything
when it ends; whoever needs more, or sessions that outlive the process, runs mosquitto. amqtt gives a message up when a
subscriber has not acknowledged it within 5 s; ingest acknowledges after an fsync, milliseconds later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from typing import Any, Final

import structlog
from amqtt.broker import Broker
from amqtt.errors import BrokerError

from station.errors import BadInputError, TransientError

_log = structlog.get_logger(__name__)

_PORTS_TRIED: Final = 50
_START_S: Final = 10.0
_STOP_S: Final = 0.6
"""amqtt says goodbye to its clients for up to 5 s; ours are stopped before it, and a SIGTERM gives 3 s in all."""


class EmbeddedBroker:
    """A broker in this process, for anyone on this machine; anonymous, hence loopback only.

    Args:
        host: A loopback address.
        port: The port wished for; the next free one is taken where it is in use.

    Raises:
        BadInputError: The host is not loopback.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 1883) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise BadInputError(f"embedded broker on {host}: it asks nobody's name, so it listens on loopback only")
        self._host = host
        self._wished = port
        self._port = 0
        self._error: Exception | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)

    @property
    def port(self) -> int:
        """The port in use, 0 before `start`."""
        return self._port

    @property
    def url(self) -> str:
        """The address to hand to clients."""
        return f"mqtt://{self._host}:{self._port}"

    def start(self) -> int:
        """Listen, and return the port.

        Raises:
            TransientError: No port was free, or the broker did not come up.
        """
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._thread.start()
        if not self._ready.wait(_START_S) or self._error is not None:
            raise TransientError(
                f"embedded broker: no port of {self._wished}..{self._wished + _PORTS_TRIED - 1} on {self._host} "
                f"could be opened ({self._error or 'all are in use'})"
            )
        return self._port

    def stop(self) -> None:
        """End the broker and drop its clients; idempotent."""
        if self._loop is None or self._ending is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_STOP_S + 0.3)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        broker = await self._listen()
        if broker is None:
            return
        self._ready.set()
        await self._ending.wait()
        try:
            await asyncio.wait_for(broker.shutdown(), _STOP_S)
        except TimeoutError:
            _log.debug("embedded broker ended without waiting for its clients")

    async def _listen(self) -> Any:
        for port in range(self._wished, self._wished + _PORTS_TRIED):
            if not _is_free(self._host, port):
                continue
            broker = Broker(_settings(self._host, port))
            try:
                await broker.start()
            except BrokerError as error:
                self._error = error
                continue
            self._port, self._error = port, None
            return broker
        return None


def _is_free(host: str, port: int) -> bool:
    """Look before amqtt does: it logs a port in use with a traceback, and that is no error here."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _settings(host: str, port: int) -> dict[str, Any]:
    """Return amqtt's settings: nothing but letting clients in; no topic check, no $SYS, no files."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}", "max_connections": 100}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
