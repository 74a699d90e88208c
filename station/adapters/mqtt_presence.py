"""Presence at a broker: many idle connections, each with a last will, in one thread.

A will belongs to a connection, so each device whose death the broker shall tell has one of its own. It carries two
retained words and a ping now and then; what the devices measure goes another way.
"""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from station.adapters.mqtt_frames import BatchClient, Outgoing, new_client
from station.adapters.mqtt_link import KEEPALIVE_S, BrokerAddress, parse_broker_url
from station.back_off import back_off_s

_log = structlog.get_logger(__name__)

_CONNECT_S: Final = 3.0
"""For the TCP connection, and again for the broker's CONNACK."""
_BACKOFF_LEAST_S, _BACKOFF_MOST_S = 0.2, 10.0
_TICK_S: Final = 0.5
_CARE_S: Final = 1.0
_GOODBYE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Member:
    """One device.

    Attributes:
        name: Ours for it, such as (station, gateway).
        client_id: To the broker; the same in every run, so that a newcomer takes the place of a connection that died
            without the broker's noticing, and no late will speaks against it.
        topic: Of its retained word.
        word: Returns the word: True on line, False off line (also the will, made when it connects).
    """

    name: tuple[str, str]
    client_id: str
    topic: str
    word: Callable[[bool], bytes]


@dataclass(slots=True)
class _Line:
    """A member's connection, while it has one."""

    member: Member
    client: BatchClient | None = None
    sock: Any = None
    up: bool = False
    gives_up_at: float = 0.0
    next_try: float = 0.0
    tries: int = 0
    unsettled: dict[int, Outgoing] = field(default_factory=dict)


class MqttPresence:
    """Keeps members on line; every one comes back by itself.

    Args:
        url: The broker, as text or as an address.
        members: Who is to be present.
    """

    def __init__(self, url: str | BrokerAddress, members: Sequence[Member]) -> None:
        self._address = parse_broker_url(url) if isinstance(url, str) else url
        self._lines = [_Line(member) for member in members]
        self._cut: frozenset[tuple[str, str]] = frozenset()
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="mqtt-presence", daemon=True)
        self.failures = 0
        """Unexpected errors in our own handling, for the metrics."""

    @property
    def online(self) -> int:
        """How many members the broker has."""
        return sum(line.up for line in self._lines)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def cut(self, gateways: frozenset[tuple[str, str]]) -> None:
        """Take these members away without a word, so that their wills are published; all others come back.

        Args:
            gateways: Names of members.
        """
        self._cut = gateways

    def end(self) -> None:
        """Say for each that it goes, disconnect in good order and end; idempotent."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(2.0 * _GOODBYE_S + _TICK_S)

    def _run(self) -> None:
        next_care = 0.0
        while not self._stopping.is_set():
            try:
                self._open_and_cut()
                self._move(min(_TICK_S, 0.02 if any(line.client and not line.up for line in self._lines) else _TICK_S))
                if time.monotonic() >= next_care:
                    next_care = time.monotonic() + _CARE_S
                    self._care()
            except Exception:  # noqa: BLE001 - supervises this thread: all lines begin anew
                self.failures += 1
                _log.warning("presence broke on our side", exc_info=True)
                for line in self._lines:
                    self._drop(line)
                self._stopping.wait(_BACKOFF_LEAST_S)
        self._say_goodbye()
        self._selector.close()

    def _open_and_cut(self) -> None:
        """Drop who is to be away, and connect who is not there; one that fails makes all others wait too."""
        now = time.monotonic()
        for line in self._lines:
            if line.member.name in self._cut:
                if line.client is not None:
                    self._drop(line)
                    line.next_try = 0.0
            elif (
                line.client is None and now >= line.next_try and not self._stopping.is_set() and not self._connect(line)
            ):
                self._back_off(line)
                for other in self._lines:
                    other.next_try = max(other.next_try, line.next_try)
                return

    def _connect(self, line: _Line) -> bool:
        member = line.member
        client = new_client(member.client_id, clean_session=True)
        client.connect_timeout = _CONNECT_S
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set()
        client.will_set(member.topic, member.word(False), qos=1, retain=True)
        client.on_connect = lambda *said: self._connected(line, said[3])
        client.on_acknowledged = lambda mids: self._acknowledged(line, mids)
        try:
            client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except OSError as error:
            if not line.tries:
                _log.warning("gateways cannot reach the broker", broker=str(self._address), error=str(error))
            return False
        line.client, line.sock = client, client.socket()
        line.gives_up_at = time.monotonic() + _CONNECT_S
        if line.sock is not None:
            self._selector.register(line.sock, selectors.EVENT_READ, line)
        return True

    def _connected(self, line: _Line, reason: Any) -> None:
        if reason.is_failure or line.client is None:
            return  # the broker closes; the next try comes after the back-off
        line.up, line.tries = True, 0
        line.client.send([(line.member.topic, line.member.word(True), True)], line.unsettled)

    @staticmethod
    def _acknowledged(line: _Line, mids: list[int]) -> None:
        for mid in mids:
            line.unsettled.pop(mid, None)

    def _move(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            line: _Line = key.data
            if line.client is not None:
                line.client.loop_read()
        for line in self._lines:
            if line.client is None:
                continue
            if line.client.want_write():
                line.client.loop_write()
            if line.client.socket() is None or (not line.up and time.monotonic() > line.gives_up_at):
                self._drop(line)
                self._back_off(line)

    def _care(self) -> None:
        for line in self._lines:
            if line.client is not None:
                line.client.loop_misc()

    def _back_off(self, line: _Line) -> None:
        line.tries += 1
        line.next_try = time.monotonic() + back_off_s(line.tries, _BACKOFF_LEAST_S, _BACKOFF_MOST_S)

    def _drop(self, line: _Line) -> None:
        """Close a connection without DISCONNECT, as a cable that is pulled would."""
        if line.sock is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(line.sock)
            line.sock.close()
        line.client, line.sock, line.up = None, None, False
        line.unsettled.clear()

    def _say_goodbye(self) -> None:
        deadline = time.monotonic() + _GOODBYE_S
        for line in self._lines:
            if line.up and line.client is not None and line.member.name not in self._cut:
                line.client.send([(line.member.topic, line.member.word(False), True)], line.unsettled)
        while any(line.up and line.unsettled for line in self._lines) and time.monotonic() < deadline:
            self._move(0.02)
        for line in self._lines:
            if line.client is not None and line.up:
                line.client.disconnect()
        self._move(0.0)
        for line in self._lines:
            self._drop(line)
