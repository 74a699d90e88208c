"""Many MQTT frames from one read: a paho client that takes and gives messages in batches.

paho spends several system calls and Python calls on a packet. Here one read takes up to 256 KiB, all PUBLISH frames in
it are cut at once, and acknowledgements and publications leave as one write. Connecting, sessions, keep-alive and
subscriptions stay paho's: every frame that is neither PUBLISH nor PUBACK goes through its own handler.

Private parts of paho that are touched: `_sock_recv`, `_in_packet`, `_packet_handle`, `_packet_queue`, `_mid_generate`,
`_msgtime_mutex`, `_last_bytes_received`, `_loop_rc_handle`. They are known to be right in the versions of
`TESTED_PAHO`; with any other version `new_client` gives `PlainClient`, slower and on paho's public parts alone.
Both MQTT 5 and 3.1.1 are spoken by a client that receives; publishing is 3.1.1. A client serves one connection and is
thrown away with it, so that packet ids and acknowledgements can never outlive their connection. All methods are for the
one thread that drives the connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt as paho_package
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

_log = logging.getLogger(__name__)

TESTED_PAHO: Final = ("2.2.",)
_PRIVATE: Final = (
    "_sock_recv",
    "_in_packet",
    "_packet_handle",
    "_packet_queue",
    "_mid_generate",
    "_msgtime_mutex",
    "_last_bytes_received",
    "_loop_rc_handle",
)

READ_BYTES: Final = 256 * 1024
MAX_PAYLOAD: Final = 64 * 1024 + 1
"""Of a longer payload only this much is handed over: one byte above what the wire takes, so its size refuses it."""
MAX_FRAME: Final = 1024 * 1024
"""A longer PUBLISH is not held in memory: its head is handed over, the rest is read and dropped."""
_TOPICS_KEPT: Final = 65_536
"""Distinct topics whose text is kept, 10 MB at most; a station has about a hundred, and a load test 500 stations."""

_PUBLISH, _PUBACK, _PINGREQ = 0x30, 0x40, 0xC0


Outgoing = tuple[str, bytes, bool]
"""(topic, payload, retain) to publish at QoS 1; a plain tuple, for a thousand are made at a time."""


@dataclass(slots=True)
class Received:
    """Messages that came in one after the other.

    Attributes:
        messages: (topic, payload) in the order sent.
        mids: Packet id of each; 0 is QoS 0, which wants no acknowledgement.
        retained: Indexes of those that the broker had kept, not heard just now.
    """

    messages: list[tuple[str, bytes]] = field(default_factory=list)
    mids: list[int] = field(default_factory=list)
    retained: list[int] = field(default_factory=list)


class ProtocolError(Exception):
    """The other side sent bytes that are no MQTT of the version agreed on."""


OnReceived = Callable[[Received], None]
OnAcknowledged = Callable[[list[int]], None]


class FrameCutter:
    """Cuts a byte stream into MQTT frames, however the stream was cut into reads.

    Args:
        version5: Frames are of MQTT 5: a PUBLISH has properties (nearly always none) before its payload.
    """

    def __init__(self, *, version5: bool = False) -> None:
        self._version5 = version5
        self._head = 3 if version5 else 2
        self._rest = b""
        self._skip = 0
        self._topics: dict[bytes, str] = {}

    def feed(  # noqa: C901, PLR0912 - the hot loop: a call a message would cost a third of it
        self,
        chunk: bytes,
        on_received: OnReceived,
        on_acknowledged: OnAcknowledged,
        on_other: Callable[[int, bytes], bool],
    ) -> bool:
        """Take a chunk and hand over what is whole in it, in order of kinds: neighbours of a kind as one batch.

        Args:
            chunk: Bytes as read.
            on_received: Takes PUBLISH frames.
            on_acknowledged: Takes packet ids of PUBACK frames.
            on_other: Takes (first byte, body) of any other frame; False ends the work at once.

        Returns:
            False if `on_other` did.

        Raises:
            ProtocolError: The stream is no MQTT at QoS 0 or 1.
        """
        data = self._rest + chunk if self._rest else chunk
        if self._skip:
            data = self._drop(data)
        received = Received()
        acknowledged: list[int] = []
        take, take_mid, acked = received.messages.append, received.mids.append, acknowledged.append
        topics, head, version5 = self._topics, self._head, self._version5
        position, size = 0, len(data)
        while size - position >= 2:
            first, length, body = data[position], data[position + 1], position + 2
            if length & 0x80:
                if size > body and data[body] < 0x80:  # as most of a reading's are: 128 bytes to 16 KiB
                    length += (data[body] << 7) - 0x80
                    body += 1
                else:
                    length, body = _long_length(data, position + 1)
                    if body == 0:
                        break
            end = body + length
            kind = first & 0xF0
            if end > size:
                if kind == _PUBLISH and length > MAX_FRAME and size - body > 2 * MAX_PAYLOAD:
                    self._cut_publish(data, first, body, end, received)
                    self._skip = end - size
                    position = size
                break
            if kind == _PUBLISH:
                at_mid = body + 2 + (data[body] << 8) + data[body + 1] if length >= 2 else size
                topic = topics.get(data[body + 2 : at_mid])
                at_payload = at_mid + head
                if (
                    topic is not None
                    and first & 0x06 == 0x02
                    and at_payload <= end <= at_payload + MAX_PAYLOAD
                    and not (version5 and data[at_mid + 2])
                ):
                    if first & 1:
                        received.retained.append(len(received.mids))
                    take((topic, data[at_payload:end]))
                    take_mid((data[at_mid] << 8) + data[at_mid + 1])
                else:
                    self._cut_publish(data, first, body, end, received)
            elif kind == _PUBACK:
                if length != 2 and not (version5 and length > 2):
                    raise ProtocolError(f"PUBACK of {length} bytes")
                acked((data[body] << 8) + data[body + 1])
            else:
                _hand_over(received, acknowledged, on_received, on_acknowledged)
                received, acknowledged = Received(), []
                take, take_mid, acked = received.messages.append, received.mids.append, acknowledged.append
                if not on_other(first, data[body:end]):
                    return False
            position = end
        self._rest = data[position:]
        _hand_over(received, acknowledged, on_received, on_acknowledged)
        return True

    def _drop(self, data: bytes) -> bytes:
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        return data[dropped:]

    def _cut_publish(self, data: bytes, first: int, body: int, end: int, received: Received) -> None:
        """Take one PUBLISH, checked with care; its payload may reach beyond `data`."""
        qos = (first & 0x06) >> 1
        at_mid = body + 2 + int.from_bytes(data[body : body + 2], "big")
        at_payload = at_mid + 2 if qos else at_mid
        if qos > 1 or end < body + 2 or at_payload > end or at_payload > len(data):
            raise ProtocolError(f"PUBLISH of QoS {qos} that ends before its head does")
        mid = int.from_bytes(data[at_mid:at_payload], "big")
        if self._version5:
            at_payload = _behind_properties(data, at_payload, end)
        if qos and not mid:
            raise ProtocolError("PUBLISH with packet id 0")
        topic = self._topic(data[body + 2 : at_mid])
        if first & 1:
            received.retained.append(len(received.mids))
        received.messages.append((topic, data[at_payload : min(end, at_payload + MAX_PAYLOAD)]))
        received.mids.append(mid)

    def _topic(self, raw: bytes) -> str:
        topic = self._topics.get(raw)
        if topic is None:
            topic = raw.decode("utf-8", "replace")
            if len(self._topics) < _TOPICS_KEPT and len(raw) < 256:
                self._topics[raw] = topic
        return topic


def _hand_over(
    received: Received, acknowledged: list[int], on_received: OnReceived, on_acknowledged: OnAcknowledged
) -> None:
    if acknowledged:
        on_acknowledged(acknowledged)
    if received.mids:
        on_received(received)


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """Return (remaining length, position behind it); position 0 where more bytes are needed."""
    length = shift = 0
    for position in range(at, min(at + 4, len(data))):
        byte = data[position]
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return length, position + 1
        shift += 7
    if len(data) - at >= 4:
        raise ProtocolError("remaining length of more than four bytes")
    return 0, 0


def _behind_properties(data: bytes, at: int, end: int) -> int:
    """Return the place behind a PUBLISH's properties, of which we asked for none and understand none."""
    size, behind = _long_length(data, at)
    if behind == 0 or behind + size > min(end, len(data)):
        raise ProtocolError("PUBLISH of which the properties do not end")
    return behind + size


def _length_bytes(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    if length < 0x4000:
        return bytes((length & 0x7F | 0x80, length >> 7))
    out = bytearray()
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def join_publishes(batch: Sequence[Outgoing], mids: Sequence[int], names: Mapping[str, bytes], *, dup: bool) -> bytes:
    """Return PUBLISH frames as one piece: QoS 1, or QoS 0 where the packet id is 0.

    Args:
        batch: What to publish.
        mids: The packet id of each.
        names: Each topic with its length before it (`topic_bytes`).
        dup: They were sent before, on an earlier connection.
    """
    first = 0x3A if dup else 0x32
    parts: list[bytes] = []
    for (topic, payload, retain), mid in zip(batch, mids, strict=True):
        name = names[topic]
        if mid:
            size = len(name) + 2 + len(payload)
            parts += (bytes((first | retain,)), _length_bytes(size), name, mid.to_bytes(2, "big"), payload)
        else:
            parts += (bytes((0x30 | retain,)), _length_bytes(len(name) + len(payload)), name, payload)
    return b"".join(parts)


def topic_bytes(topic: str) -> bytes:
    """Return a topic as it stands in a frame, its length before it."""
    raw = topic.encode("utf-8", "replace")
    return len(raw).to_bytes(2, "big") + raw


def join_pubacks(mids: Sequence[int]) -> bytes:
    """Return PUBACK frames as one piece; packet id 0, of QoS 0, gets none."""
    return b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids if mid])


def _no_received(_: Received) -> None:
    pass


def _no_acknowledged(_: list[int]) -> None:
    pass


def _options(client_id: str, *, clean_session: bool, version5: bool) -> dict[str, Any]:
    return {
        "callback_api_version": CallbackAPIVersion.VERSION2,
        "client_id": client_id,
        "clean_session": None if version5 else clean_session,  # MQTT 5 says it when it connects
        "protocol": MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311,
        "manual_ack": True,
        "reconnect_on_failure": False,
    }


class FramedClient(paho.Client):
    """paho with large reads and joined writes (see the module's text)."""

    def __init__(self, client_id: str, *, clean_session: bool, version5: bool = False) -> None:
        super().__init__(**_options(client_id, clean_session=clean_session, version5=version5))
        self.on_received: OnReceived = _no_received
        self.on_acknowledged: OnAcknowledged = _no_acknowledged
        self._cutter = FrameCutter(version5=version5)
        self._names: dict[str, bytes] = {}

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Read once, up to 256 KiB (all that is pending under TLS), and hand over what came."""
        while self._sock is not None:
            try:
                chunk = self._sock_recv(READ_BYTES)
            except BlockingIOError:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            except OSError as error:
                _log.debug("read failed: %s", error)
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            if not chunk:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            with self._msgtime_mutex:
                self._last_bytes_received = time.monotonic()
            code = self._take(chunk)
            if code > 0:
                return self._loop_rc_handle(code)
            # TLS hands out a record (16 KiB) at a time, and select does not see what it still holds.
            pending = getattr(self._sock, "pending", None)
            if pending is None or not pending():
                break
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _take(self, chunk: bytes) -> MQTTErrorCode:
        refused: list[MQTTErrorCode] = []

        def other(first: int, body: bytes) -> bool:
            code = self._handle_other(first, body)
            if code > 0:
                refused.append(code)
            return code <= 0 and self._sock is not None

        try:
            self._cutter.feed(chunk, self.on_received, self.on_acknowledged, other)
        except ProtocolError as error:
            _log.warning("broker broke the protocol: %s", error)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return refused[0] if refused else MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_other(self, first: int, body: bytes) -> MQTTErrorCode:
        """Give a whole frame to paho's own handler, as if paho had read it."""
        packet: Any = self._in_packet
        packet.update(
            command=first,
            have_remaining=1,
            remaining_count=[],
            remaining_length=len(body),
            packet=bytearray(body),
            to_process=0,
            pos=0,
        )
        try:
            return self._packet_handle()
        except paho.MalformedPacket as error:  # type: ignore[attr-defined]
            raise ProtocolError(str(error)) from error
        finally:
            packet.update(command=0, have_remaining=0, remaining_length=0, packet=bytearray())

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send PUBACKs in the order given, as one piece."""
        pieces = join_pubacks(mids)
        if pieces:
            self._packet_queue(_PUBACK, pieces, 0, 0)

    def send(self, batch: Sequence[Outgoing], inflight: MutableMapping[int, Outgoing], *, again: bool = False) -> None:
        """Publish a batch at QoS 1 as one piece; `again` marks what was sent on an earlier connection (DUP)."""
        names = self._names
        if len(names) > _TOPICS_KEPT:  # here and not in the loop: each topic of the batch is needed below
            names.clear()
        mids: list[int] = []
        for item in batch:
            if item[0] not in names:
                names[item[0]] = topic_bytes(item[0])
            mid = self._mid_generate()
            while mid in inflight:
                mid = self._mid_generate()
            inflight[mid] = item
            mids.append(mid)
        if mids:
            # Entered as QoS 1, for which paho does nothing once it is written: the PUBACK is ours to take.
            self._packet_queue(_PUBLISH, join_publishes(batch, mids, names, dup=again), mids[0], 1)

    def ping(self) -> None:
        """Tell the broker that we live while its messages are left unread; paho would wait for the unread answer."""
        self._packet_queue(_PINGREQ, b"\xc0\x00", 0, 0)


class PlainClient(paho.Client):
    """The same on paho's public parts alone: a batch is one message, every acknowledgement a call."""

    def __init__(self, client_id: str, *, clean_session: bool, version5: bool = False) -> None:
        super().__init__(**_options(client_id, clean_session=clean_session, version5=version5))
        self.max_inflight_messages_set(65_535)
        self.on_received: OnReceived = _no_received
        self.on_acknowledged: OnAcknowledged = _no_acknowledged
        self.on_message = self._received
        self.on_publish = self._acknowledged

    def _received(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        raw: bytes = message._topic  # noqa: SLF001 - `topic` raises on bytes that are no UTF-8
        topic = raw.decode("utf-8", "replace")
        mid = message.mid if message.qos else 0
        self.on_received(
            Received([(topic, bytes(message.payload[:MAX_PAYLOAD]))], [mid], [0] if message.retain else [])
        )

    def _acknowledged(self, _client: paho.Client, _data: Any, mid: int, *_: Any) -> None:
        self.on_acknowledged([mid])

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send PUBACKs in the order given."""
        for mid in mids:
            self.ack(mid, 1)

    def send(self, batch: Sequence[Outgoing], inflight: MutableMapping[int, Outgoing], *, again: bool = False) -> None:  # noqa: ARG002 - paho sets DUP itself
        """Publish a batch at QoS 1."""
        for topic, payload, retain in batch:
            inflight[self.publish(topic, payload, qos=1, retain=retain).mid] = (topic, payload, retain)

    def ping(self) -> None:
        """Do what paho does for keep-alive; after long unread silence it drops the connection, and all comes again."""
        self.loop_misc()


BatchClient = FramedClient | PlainClient


def knows_paho(version: str = paho_package.__version__) -> bool:
    """Return True for a paho whose private parts are known to be as they are used here."""
    return version.startswith(TESTED_PAHO) and all(
        hasattr(paho.Client, name) or name in paho.Client.__init__.__code__.co_names for name in _PRIVATE
    )


def new_client(client_id: str, *, clean_session: bool, version5: bool = False) -> BatchClient:
    """Return a client for one connection: framed where paho is known, else plain."""
    kind = FramedClient if knows_paho() else PlainClient
    return kind(client_id, clean_session=clean_session, version5=version5)
