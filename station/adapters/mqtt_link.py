"""One MQTT connection that comes back by itself: address, connecting, subscribing, keep-alive, back-off.

A link owns one thread, in which everything about the connection happens. Each connection is a new client of
`mqtt_frames`, so nothing of an old one can leak into the next.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from station.adapters import mqtt_versions
from station.adapters.mqtt_frames import BatchClient, Received, new_client
from station.back_off import back_off_s
from station.errors import BadInputError, FinalError, JinmaError, TransientError

_log = structlog.get_logger(__name__)

KEEPALIVE_S: Final = 15
"""A broker that vanished without a word is noticed within twice this."""
_CONNECT_S: Final = 3.0
"""For the TCP connection, and again for the broker's CONNACK and SUBACK."""
_BACKOFF_LEAST_S, _BACKOFF_MOST_S = 0.2, 5.0
_STEADY_S: Final = 5.0
"""A connection that held this long was a good one: the next loss begins with the shortest back-off again."""
_TICK_S: Final = 0.5
_BRIEF_MOST: Final = 3
"""So many connections in a row that were lost before they were steady: somebody with our id takes them from us."""
_BAD_LOGIN: Final = frozenset({"Bad user name or password", "Not authorized", "Banned"})


class BrokerUnavailableError(TransientError):
    """No MQTT broker answered at the endpoint that the text names."""


class BrokerRefusedError(FinalError):
    """The broker answered and refused: wrong user or password, or a subscription that its rules forbid."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is and who we are to it; as text it keeps the password to itself."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker shall publish, retained, when we are gone without a word."""

    topic: str
    payload: bytes
    retain: bool = True


def parse_broker_url(url: str) -> BrokerAddress:
    """Return the address in `mqtt://[user:password@]host[:port]` or `mqtts://..` (default ports 1883, 8883).

    Raises:
        BadInputError: The text is none of these; the message never shows a password.
    """
    rule = "must be mqtt://[user:password@]host[:port], or mqtts:// for TLS"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInputError(f"broker URL: {rule}; {error}") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise BadInputError(f"broker URL with scheme {parts.scheme!r} and host {parts.hostname!r}: {rule}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise BadInputError(f"broker URL of host {parts.hostname!r}: nothing may follow host and port; {rule}")
    tls = parts.scheme == "mqtts"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password is not None else None
    return BrokerAddress(parts.hostname, port or (8883 if tls else 1883), user, password, tls)


class LinkUser(Protocol):
    """Who uses a link. All is called in the link's thread and must not block for long."""

    def on_received(self, received: Received) -> None:
        """Take messages."""
        ...

    def on_acknowledged(self, mids: list[int]) -> None:
        """Take PUBACKs."""
        ...

    def on_up(self) -> None:
        """The broker took us in, and our subscriptions."""
        ...

    def on_down(self) -> None:
        """The connection is gone, with every packet id in it; also called when an attempt came to nothing."""
        ...

    def on_taken_over(self) -> None:
        """Another client came with our id, and the broker let us go for it.

        Some brokers say so in MQTT 5; else it is what three connections in a row that do not last suggest.
        """
        ...

    def write(self, client: BatchClient) -> None:
        """Send what is due; called before each wait while the link is up."""
        ...

    def wants_read(self) -> bool:
        """Return False to leave messages with the broker for now."""
        ...


class MqttLink:
    """Keeps a connection up.

    Args:
        address: The broker.
        client_id: Ours; also the thread's name.
        user: Who takes what happens.
        clean_session: False keeps subscriptions and unacknowledged messages on the broker while we are away.
        filters: Subscribed at QoS 1 on every connect.
        will: The last will.
        version5: Speak MQTT 5 with a broker that does, else 3.1.1.
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        user: LinkUser,
        *,
        clean_session: bool,
        filters: Sequence[str] = (),
        will: Will | None = None,
        version5: bool = False,
    ) -> None:
        self.address = address
        self.client_id = client_id
        self._user = user
        self._clean_session = clean_session
        self._filters = tuple(filters)
        self._will = will
        self._version5 = version5
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._error: JinmaError | None = None
        self._explained = False
        self._brief = 0
        self._started = False
        self._up = False
        self._up_since = 0.0
        self._epoch = 0
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._woken = False
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        self.losses = 0
        """Connections lost since the start, for the metrics."""
        self.failures = 0
        """Unexpected errors in our own handling, for the metrics."""

    @property
    def connected(self) -> bool:
        """True while the broker has us and our subscriptions."""
        return self._up

    @property
    def epoch(self) -> int:
        """Number of the connection; packet ids belong to one."""
        return self._epoch

    @property
    def in_own_thread(self) -> bool:
        """True for a caller that must not wait for this link."""
        return threading.current_thread() is self._thread

    def start(self, within_s: float = 0.0) -> None:
        """Connect; returns when the link is up.

        Args:
            within_s: Keep trying this long where nobody answers; 0 gives up at the first failure.

        Raises:
            BrokerUnavailableError: Nobody answered.
            BrokerRefusedError: The broker does not want us; never tried twice.
        """
        deadline = time.monotonic() + within_s
        self._thread.start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._up or self._error is not None)
                error, self._error = self._error, None
                if self._up or error is None:
                    self._started = True
                    return
            if isinstance(error, FinalError) or time.monotonic() >= deadline:
                self.stop()
                raise error

    def wake(self) -> None:
        """Make the link's thread look at its user again; from any thread."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):
                self._wake_out.send(b"\0")

    def stop(self, timeout_s: float = 1.0) -> None:
        """Say goodbye to the broker, so that no will is published, and end the thread; idempotent."""
        self._stopping.set()
        self._woken = False
        self.wake()
        if self._thread.ident is not None and not self.in_own_thread:
            self._thread.join(timeout_s)
        if self._thread.ident is None:
            self._close_wakers()

    def _close_wakers(self) -> None:
        self._wake_in.close()
        self._wake_out.close()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connect_and_serve()
            except Exception:  # noqa: BLE001 - supervises this thread: the next connection starts from nothing
                self.failures += 1
                _log.warning("mqtt connection broke on our side", client=self.client_id, exc_info=True)
                self._fail(BrokerUnavailableError(f"MQTT connection to {self.address} broke on our side; see the log"))
            self._up = False
            self._user.on_down()
            attempt = 0 if time.monotonic() - began > _STEADY_S else attempt + 1
            self._stopping.wait(back_off_s(attempt, _BACKOFF_LEAST_S, _BACKOFF_MOST_S))
        self._close_wakers()

    def _connect_and_serve(self) -> None:
        self._explained = False
        self._attempt()
        if self._version5 and not (self._up or self._explained or self._stopping.is_set()):
            # Refused, or cut off without a word: an old broker, if it takes us in as one.
            self._version5 = False
            self._attempt()
            self._version5 = not self._up
        if self._stopping.is_set():
            return
        if self._up:
            self.losses += 1
            _log.warning("mqtt connection lost", **self._who())
            self._suspect_takeover()
        elif not self._explained:
            self._fail(BrokerUnavailableError(f"no MQTT broker speaks at {self.address}: it closed or kept silent"))

    def _attempt(self) -> None:
        """Connect once, and stay until the connection is gone."""
        self._epoch += 1
        client = self._new_client()
        try:
            mqtt_versions.connect(
                client,
                self.address.host,
                self.address.port,
                KEEPALIVE_S,
                version5=self._version5,
                clean=self._clean_session,
            )
        except OSError as error:
            self._fail(BrokerUnavailableError(f"cannot reach an MQTT broker at {self.address}: {_plain(error)}"))
            return
        sock: Any = client.socket()
        if sock is not None:
            try:
                self._serve(client, sock)
            finally:
                sock.close()

    def _fail(self, error: JinmaError) -> None:
        self._explained = True
        with self._changed:
            self._error = error
            self._changed.notify_all()
        if self._started:
            _log.warning("mqtt broker not available", client=self.client_id, error=str(error))

    def _new_client(self) -> BatchClient:
        client = new_client(self.client_id, clean_session=self._clean_session, version5=self._version5)
        client.connect_timeout = _CONNECT_S
        if self.address.user is not None:
            client.username_pw_set(self.address.user, self.address.password)
        if self.address.tls:
            client.tls_set()
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_received = self._user.on_received
        client.on_acknowledged = self._user.on_acknowledged
        return client

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._version5 and str(reason) == mqtt_versions.UNSUPPORTED:
            return
        if reason.is_failure:
            kind = BrokerRefusedError if str(reason) in _BAD_LOGIN else BrokerUnavailableError
            user = f"user {self.address.user!r}" if self.address.user else "anonymous access"
            self._fail(kind(f"MQTT broker at {self.address} refused {user}: {str(reason).lower()}"))
        elif self._filters:
            mqtt_versions.subscribe(client, self._filters, version5=self._version5)
        else:
            self._set_up()

    def _on_subscribe(self, client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused:
            text = f"MQTT broker at {self.address} refused the subscription to {', '.join(refused)}"
            self._fail(BrokerRefusedError(text))
            client.disconnect()
        else:
            self._set_up()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if str(reason) == mqtt_versions.TAKEN_OVER and not self._stopping.is_set():
            self._brief = 0
            self._say_taken_over()

    def _suspect_takeover(self) -> None:
        self._brief = self._brief + 1 if time.monotonic() - self._up_since < _STEADY_S else 0
        if self._brief >= _BRIEF_MOST:
            self._brief = 0
            self._say_taken_over()

    def _say_taken_over(self) -> None:
        _log.error("another client comes with our id and takes our place: is a second one running?", **self._who())
        self._user.on_taken_over()

    def _who(self) -> dict[str, str]:
        return {"client": self.client_id, "broker": str(self.address)}

    def _set_up(self) -> None:
        self._up = True
        self._up_since = time.monotonic()
        self._user.on_up()
        with self._changed:
            self._error = None
            self._changed.notify_all()

    def _serve(self, client: BatchClient, sock: Any) -> None:
        give_up = time.monotonic() + _CONNECT_S
        next_care = watched = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_in, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if self._up:
                    self._user.write(client)
                elif time.monotonic() > give_up:
                    return
                if client.socket() is None:
                    return
                watched = self._watch(selector, sock, watched, client)
                self._move(selector, sock, watched, client)
                if time.monotonic() >= next_care:
                    next_care = int(time.monotonic()) + 1
                    self._care(client)
        _say_goodbye(client)

    def _move(self, selector: selectors.BaseSelector, sock: Any, watched: int, client: BatchClient) -> None:
        """Wait for the socket or a call, and move what can be moved."""
        ready = {key.fileobj for key, _ in selector.select(_TICK_S)}
        if self._wake_in in ready:
            self._hear_wake()
        if sock in ready:
            if watched & selectors.EVENT_READ:
                client.loop_read()
            if client.want_write():
                client.loop_write()

    def _watch(self, selector: selectors.BaseSelector, sock: Any, watched: int, client: BatchClient) -> int:
        """Ask for just the events that are wanted now; return them."""
        wanted = selectors.EVENT_READ if self._user.wants_read() or not self._up else 0
        if client.want_write():
            wanted |= selectors.EVENT_WRITE
        if wanted != watched:
            if watched:
                selector.unregister(sock)
            if wanted:
                selector.register(sock, wanted)
        return wanted

    def _hear_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_in.recv(64)
        self._woken = False

    def _care(self, client: BatchClient) -> None:
        if self._user.wants_read() or not self._up:
            client.loop_misc()
        else:
            client.ping()


def _say_goodbye(client: BatchClient) -> None:
    """Send what waits and DISCONNECT, for half a second at most."""
    client.disconnect()
    deadline = time.monotonic() + 0.5
    while client.socket() is not None and client.want_write() and time.monotonic() < deadline:
        if client.loop_write() != 0:
            return
        time.sleep(0.005)


def _plain(error: OSError) -> str:
    """Return what the system said, without Python's wrapping."""
    return (error.strerror or str(error) or type(error).__name__).lower()
