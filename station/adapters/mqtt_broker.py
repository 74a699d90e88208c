"""A small MQTT 3.1.1 broker for one asyncio loop: what the embedded default and nothing else needs.

QoS 0 and 1, retained messages, wills, sessions that outlive a connection (in memory), wildcards. Not QoS 2, not MQTT 5,
no user names: it listens on loopback. Messages move in batches, as they were read: routing is a dictionary look-up a
message, and a subscriber gets one write a batch. A subscriber that lags slows the publishers down instead of losing
anything; one that has stopped altogether does not hold up the others, and loses the newest beyond `QUEUE_BYTES`.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from typing import Final

import structlog

from station.adapters.mqtt_frames import (
    FrameCutter,
    Outgoing,
    ProtocolError,
    Received,
    join_pubacks,
    join_publishes,
    topic_bytes,
)

_log = structlog.get_logger(__name__)

WINDOW: Final = 4000
"""Messages to one subscriber that wait for its acknowledgement."""
LAGGING: Final = 10_000
"""Messages that wait for one subscriber, at which publishers are not read from until it has caught up to half."""
STALLED_S: Final = 5.0
"""A subscriber that has acknowledged nothing for this long no longer holds up anybody."""
QUEUE_BYTES: Final = 64 * 1024 * 1024
"""For one subscriber: an hour of the station at twenty times its rate."""
_RETAINED_MOST: Final = 20_000
_ROUTES_KEPT: Final = 20_000
_CONNECT_S: Final = 5.0

_ACCEPTED, _BAD_PROTOCOL, _BAD_IDENTIFIER = 0, 1, 2
_CONNECT, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ, _DISCONNECT = 0x10, 0x82, 0xA2, 0xC0, 0xE0


class Session:
    """A client as the broker knows it: subscriptions, what is on its way to it, what waits."""

    def __init__(self, client_id: str, *, clean: bool) -> None:
        self.client_id = client_id
        self.clean = clean
        self.filters: dict[str, int] = {}
        self.connection: Connection | None = None
        self.queue: deque[tuple[Outgoing, int]] = deque()
        """(message, QoS) in order, not sent yet."""
        self.queue_bytes = 0
        self.inflight: dict[int, Outgoing] = {}
        self.heard = time.monotonic()
        self.dropped = 0
        self._mid = 0

    def put(self, message: Outgoing, qos: int) -> None:
        """Queue a message; one that is away gets only what it asked to be kept."""
        if self.connection is None and (self.clean or not qos):
            return
        if self.queue_bytes > QUEUE_BYTES:
            self.dropped += 1
            if self.dropped == 1:
                _log.error("mqtt subscriber takes nothing and begins to lose messages", client=self.client_id)
            return
        self.queue.append((message, qos))
        self.queue_bytes += len(message[1])

    def is_behind(self, most: int) -> bool:
        """Return True where publishers should wait for it: more than `most` wait, and it is alive."""
        waits = len(self.queue) > most and self.connection is not None
        return waits and time.monotonic() - self.heard < STALLED_S

    def take(self) -> tuple[list[Outgoing], list[int]]:
        """Return messages that may go out now, with their packet ids."""
        batch: list[Outgoing] = []
        mids: list[int] = []
        queue, inflight = self.queue, self.inflight
        while queue and len(inflight) < WINDOW:
            message, qos = queue.popleft()
            self.queue_bytes -= len(message[1])
            mid = 0
            if qos:
                mid = self._mid % 65_535 + 1
                while mid in inflight:
                    mid = mid % 65_535 + 1
                self._mid = mid
                inflight[mid] = message
            batch.append(message)
            mids.append(mid)
        return batch, mids


class Broker:
    """Sessions, subscriptions and retained messages; all of it for one event loop."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, tuple[bytes, int]] = {}
        self.connections: set[Connection] = set()
        self._routes: dict[str, list[tuple[Session, int]]] = {}
        self._names: dict[str, bytes] = {}
        self._held: set[Connection] = set()
        self._anonymous = 0

    def name(self, topic: str) -> bytes:
        """Return a topic as it stands in a frame."""
        name = self._names.get(topic)
        if name is None:
            if len(self._names) > _ROUTES_KEPT:
                self._names.clear()
            name = self._names[topic] = topic_bytes(topic)
        return name

    def frames(self, batch: list[Outgoing], mids: list[int]) -> bytes:
        """Return PUBLISH frames as one piece."""
        return join_publishes(batch, mids, {topic: self.name(topic) for topic, _, _ in batch}, dup=False)

    def route(self, received: Received) -> None:
        """Give messages to everyone who subscribed to them."""
        touched: set[Session] = set()
        routes = self._routes
        for (topic, payload), mid in zip(received.messages, received.mids, strict=True):
            targets = routes.get(topic)
            if targets is None:
                targets = self._find_route(topic)
            message = (topic, payload, False)
            for session, qos in targets:
                session.put(message, qos if mid else 0)
                touched.add(session)
        for index in received.retained:
            self._retain(*received.messages[index], 1 if received.mids[index] else 0)
        for session in touched:
            if session.connection is not None:
                session.connection.pump()

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Publish one message, such as a will."""
        self.route(Received([(topic, payload)], [1 if qos else 0], [0] if retain else []))

    def _find_route(self, topic: str) -> list[tuple[Session, int]]:
        if "+" in topic or "#" in topic or not topic:
            raise ProtocolError(f"PUBLISH to {topic[:80]!r}")
        levels = topic.split("/")
        targets = []
        for session in self.sessions.values():
            granted = [qos for one, qos in session.filters.items() if matches(one, levels)]
            if granted:
                targets.append((session, max(granted)))
        if len(self._routes) > _ROUTES_KEPT:
            self._routes.clear()
        self._routes[topic] = targets
        return targets

    def _retain(self, topic: str, payload: bytes, qos: int) -> None:
        if not payload:
            self.retained.pop(topic, None)
        elif topic in self.retained or len(self.retained) < _RETAINED_MOST:
            self.retained[topic] = (payload, qos)
        else:
            _log.error("mqtt broker keeps no more retained messages", topic=topic, kept=_RETAINED_MOST)

    def subscribe(self, session: Session, one: str, qos: int) -> int:
        """Add a subscription and queue what is retained for it; return the QoS granted, 0x80 for a bad filter."""
        if not is_filter(one):
            return 0x80
        granted = min(qos, 1)
        session.filters[one] = granted
        self._routes.clear()
        for topic, (payload, kept_qos) in self.retained.items():
            if matches(one, topic.split("/")):
                session.put((topic, payload, True), min(granted, kept_qos))
        return granted

    def unsubscribe(self, session: Session, one: str) -> None:
        """Drop a subscription."""
        session.filters.pop(one, None)
        self._routes.clear()

    def open_session(self, client_id: str, connection: Connection, *, clean: bool) -> tuple[Session, bool]:
        """Return the session of a client, and whether it was there before; whoever had it is cut off."""
        if not client_id:
            self._anonymous += 1
            client_id = f"anonymous-{self._anonymous}"
        old = self.sessions.get(client_id)
        if old is not None and old.connection is not None:
            old.connection.drop("another client came with the same id", will=True)
        old = self.sessions.get(client_id)
        present = old is not None and not clean and not old.clean
        if old is None or not present:
            if old is not None:
                self._forget(old)
            old = self.sessions[client_id] = Session(client_id, clean=clean)
        old.connection = connection
        old.heard = time.monotonic()
        return old, present

    def leave(self, session: Session) -> None:
        """The connection of a session is gone."""
        session.connection = None
        # What was under way goes first when the client comes back.
        session.queue.extendleft((message, 1) for message in reversed(session.inflight.values()))
        session.queue_bytes += sum(len(message[1]) for message in session.inflight.values())
        session.inflight.clear()
        if session.clean:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
        self._routes.clear()

    def hold_if_lagging(self, connection: Connection, own: Session) -> None:
        """Stop reading from a publisher while a subscriber, other than itself, lags."""
        if any(session.is_behind(LAGGING) for session in self.sessions.values() if session is not own):
            self._held.add(connection)
            connection.pause()

    def let_go_if_caught_up(self) -> None:
        """Read from publishers again once nobody lags."""
        if not self._held or any(session.is_behind(LAGGING // 2) for session in self.sessions.values()):
            return
        held, self._held = self._held, set()
        for connection in held:
            connection.resume()

    def tend(self) -> None:
        """Do what time asks for; to be called each second."""
        now = time.monotonic()
        for connection in list(self.connections):
            if connection in self._held:
                connection.is_heard()
            elif now > connection.silent_until:
                connection.drop("silent for too long", will=True)
        self.let_go_if_caught_up()

    def close(self) -> None:
        """Cut everybody off."""
        for connection in list(self.connections):
            connection.drop("the broker ends", will=False)


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._cutter = FrameCutter()
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._will: tuple[str, bytes, int, bool] | None = None
        self._keepalive_s = 0.0
        self._writable = True
        self.silent_until = time.monotonic() + _CONNECT_S

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client in."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=1024 * 1024)
        self._transport = transport
        self._broker.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take what a client sends."""
        self.is_heard()
        try:
            self._cutter.feed(data, self._received, self._acknowledged, self._other)
        except (ProtocolError, struct.error, IndexError, UnicodeDecodeError) as error:
            self.drop(f"broke the protocol: {error}", will=True)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Notice that a client has gone."""
        self.drop("gone", will=True)

    def pause_writing(self) -> None:
        """Wait: the client does not read as fast as it is written to."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on writing."""
        self._writable = True
        self.pump()

    # What the broker calls.

    def pump(self) -> None:
        """Send what may be sent."""
        if self._session is None or not self._writable or self._transport is None:
            return
        batch, mids = self._session.take()
        if batch:
            self._transport.write(self._broker.frames(batch, mids))

    def is_heard(self) -> None:
        """Count the client as alive from now."""
        if self._keepalive_s:
            self.silent_until = time.monotonic() + self._keepalive_s

    def pause(self) -> None:
        """Read no more for now."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def drop(self, why: str, *, will: bool) -> None:
        """End the connection; idempotent."""
        if self not in self._broker.connections:
            return
        self._broker.connections.discard(self)
        session, self._session = self._session, None
        if self._transport is not None:
            self._transport.close()
        if session is not None:
            _log.debug("mqtt client left", client=session.client_id, why=why)
            self._broker.leave(session)
            if will and self._will is not None:
                topic, payload, qos, retain = self._will
                self._broker.publish(topic, payload, qos, retain=retain)
        self._broker.let_go_if_caught_up()

    # What the frames say.

    def _received(self, received: Received) -> None:
        if self._session is None:
            raise ProtocolError("PUBLISH before CONNECT")
        self._broker.route(received)
        pubacks = join_pubacks(received.mids)
        if pubacks:
            self._write(pubacks)
        self._broker.hold_if_lagging(self, self._session)

    def _acknowledged(self, mids: list[int]) -> None:
        if self._session is None:
            raise ProtocolError("PUBACK before CONNECT")
        for mid in mids:
            self._session.inflight.pop(mid, None)
        self._session.heard = time.monotonic()
        self.pump()
        self._broker.let_go_if_caught_up()

    def _other(self, first: int, body: bytes) -> bool:
        if first == _CONNECT and self._session is None:
            return self._connect(body)
        if self._session is None:
            raise ProtocolError(f"frame {first:#x} before CONNECT")
        if first == _PINGREQ:
            self._write(b"\xd0\x00")
        elif first == _SUBSCRIBE:
            self._subscribe(self._session, body)
        elif first == _UNSUBSCRIBE:
            for one in _texts(body[2:]):
                self._broker.unsubscribe(self._session, one)
            self._write(b"\xb0\x02" + body[:2])
        elif first == _DISCONNECT:
            self.drop("said goodbye", will=False)
            return False
        else:
            raise ProtocolError(f"frame {first:#x} is not spoken here (QoS 2 is not)")
        return True

    def _connect(self, body: bytes) -> bool:
        protocol, position = _text(body, 0)
        level, flags, keepalive_s = struct.unpack_from(">BBH", body, position)
        if (protocol, level) not in (("MQTT", 4), ("MQIsdp", 3)):
            self._write(bytes((0x20, 2, 0, _BAD_PROTOCOL)))
            self.drop("speaks another version of MQTT", will=False)
            return False
        client_id, position = _text(body, position + 4)
        clean = bool(flags & 0x02)
        if not client_id and not clean:
            self._write(bytes((0x20, 2, 0, _BAD_IDENTIFIER)))
            self.drop("wants a session without an id", will=False)
            return False
        if flags & 0x04:
            topic, position = _text(body, position)
            (size,) = struct.unpack_from(">H", body, position)
            payload = body[position + 2 : position + 2 + size]
            self._will = (topic, payload, min(1, flags >> 3 & 3), bool(flags & 0x20))
        # The contract of keep-alive: half as long again; 0 is no limit.
        self._keepalive_s = 1.5 * keepalive_s
        self.silent_until = time.monotonic() + self._keepalive_s if keepalive_s else float("inf")
        self._session, present = self._broker.open_session(client_id, self, clean=clean)
        self._write(bytes((0x20, 2, present, _ACCEPTED)))
        self.pump()
        return True

    def _subscribe(self, session: Session, body: bytes) -> None:
        granted = bytearray()
        position = 2
        while position < len(body):
            one, position = _text(body, position)
            granted.append(self._broker.subscribe(session, one, body[position]))
            position += 1
        self._write(b"\x90" + bytes((2 + len(granted),)) + body[:2] + bytes(granted))
        self.pump()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def is_filter(one: str) -> bool:
    """Return True for a well-formed topic filter; shared subscriptions are not spoken."""
    levels = one.split("/")
    return (
        bool(one)
        and not one.startswith("$share/")
        and all(level in ("+", "#") or not ("+" in level or "#" in level) for level in levels)
        and "#" not in levels[:-1]
    )


def matches(one: str, levels: list[str]) -> bool:
    """Return True if a topic, split into levels, is meant by a filter."""
    wanted = one.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(want in ("+", level) for want, level in zip(wanted, levels, strict=True))


def _text(body: bytes, position: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">H", body, position)
    end = position + 2 + size
    if end > len(body):
        raise ProtocolError("a text that is longer than its frame")
    return body[position + 2 : end].decode("utf-8"), end


def _texts(body: bytes) -> list[str]:
    texts, position = [], 0
    while position < len(body):
        text, position = _text(body, position)
        texts.append(text)
    return texts
