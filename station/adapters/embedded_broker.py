"""The MQTT broker of the embedded default: ours, in a thread of its own, on loopback, for one machine.

It forgets everything when it ends; whoever needs sessions that outlive the process, users or other machines runs
mosquitto. It carries 84 000 messages/s with two subscribers. amqtt 0.12, in the same place, carried 1600, gives a
message up that is not acknowledged within 5 s, and sends a client what is retained for the subscriptions of others.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from typing import Any, Final

import structlog

from station.adapters.mqtt_broker import Broker, Connection
from station.errors import BadInputError, TransientError

_log = structlog.get_logger(__name__)

_PORTS_TRIED: Final = 50
_START_S: Final = 10.0
_STOP_S: Final = 0.8


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
        self._error: OSError | None = None
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
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"mqtt://{host}:{self._port}"

    def start(self) -> int:
        """Listen, and return the port.

        Raises:
            TransientError: No port was free.
        """
        self._thread.start()
        if not self._ready.wait(_START_S) or not self._port:
            raise TransientError(
                f"embedded broker: no port of {self._wished}..{self._wished + _PORTS_TRIED - 1} on {self._host} "
                f"could be opened: {self._error or 'it did not come up'}"
            )
        return self._port

    def stop(self) -> None:
        """End the broker and drop its clients; idempotent."""
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_failure)
        self._ending = asyncio.Event()
        broker = Broker()
        server = await self._listen(broker)
        if server is None:
            return
        self._ready.set()
        while not self._ending.is_set():
            try:
                await asyncio.wait_for(self._ending.wait(), 1.0)
            except TimeoutError:
                broker.tend()
        server.close()
        broker.close()
        # One turn of the loop lets the transports close their sockets.
        await asyncio.sleep(0)

    async def _listen(self, broker: Broker) -> asyncio.Server | None:
        assert self._loop is not None
        for port in range(self._wished, min(self._wished + _PORTS_TRIED, 65_536)):
            try:
                server = await self._loop.create_server(lambda: Connection(broker), self._host, port)
            except OSError as error:
                self._error = error
            else:
                self._port = port
                return server
        return None


def _log_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A failure inside one connection ends that connection; the broker goes on."""
    _log.error(
        "mqtt broker failed on a connection", error=str(context.get("message")), exc_info=context.get("exception")
    )
