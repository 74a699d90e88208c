"""Cutting and joining MQTT frames, however hostile the cuts of the stream are."""

from __future__ import annotations

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.adapters import mqtt_frames
from station.adapters.mqtt_frames import (
    MAX_FRAME,
    MAX_PAYLOAD,
    FrameCutter,
    FramedClient,
    Outgoing,
    PlainClient,
    ProtocolError,
    Received,
    join_publishes,
    knows_paho,
    new_client,
)

Event = tuple[object, ...]


class Taken:
    """Everything a cutter hands over, in order."""

    def __init__(self, *, version5: bool = False) -> None:
        self.cutter = FrameCutter(version5=version5)
        self.events: list[Event] = []

    def feed(self, chunk: bytes, *, go_on: bool = True) -> bool:
        return self.cutter.feed(
            chunk,
            self._received,
            lambda mids: self.events.extend(("puback", mid) for mid in mids),
            lambda first, body: (self.events.append(("other", first, body)), go_on)[1],
        )

    def _received(self, received: Received) -> None:
        retained = set(received.retained)
        for index, ((topic, payload), mid) in enumerate(zip(received.messages, received.mids, strict=True)):
            self.events.append(("publish", topic, payload, mid, index in retained))


def names_of(batch: list[Outgoing]) -> dict[str, bytes]:
    return {topic: len(topic.encode()).to_bytes(2, "big") + topic.encode() for topic, _, _ in batch}


def frames(batch: list[Outgoing], first_mid: int = 1, *, dup: bool = False) -> bytes:
    mids = range(first_mid, first_mid + len(batch))
    return join_publishes(batch, list(mids), names_of(batch), dup=dup)


def expected(batch: list[Outgoing], first_mid: int = 1) -> list[Event]:
    return [("publish", t, p, first_mid + i, r) for i, (t, p, r) in enumerate(batch)]


MESSAGE = st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=300), st.booleans())


@given(st.lists(MESSAGE, min_size=1, max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_cut_of_the_stream_gives_the_same_messages(batch: list[Outgoing], cuts: list[int]) -> None:
    stream = frames(batch[:1]) + b"\xd0\x00" + b"\x40\x02\x00\x07" + frames(batch[1:], 2)
    taken = Taken()
    position = turn = 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        taken.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
    assert sorted(map(repr, taken.events)) == sorted(
        map(repr, [*expected(batch[:1]), ("other", 0xD0, b""), ("puback", 7), *expected(batch[1:], 2)])
    )
    assert [event for event in taken.events if event[0] == "publish"] == expected(batch)


def publish_5(topic: str, payload: bytes, mid: int, properties: bytes) -> bytes:
    """A PUBLISH of MQTT 5 at QoS 1."""
    name = topic.encode()
    size = mqtt_frames._length_bytes(len(properties))
    body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + size + properties + payload
    return b"\x32" + mqtt_frames._length_bytes(len(body)) + body


@given(
    st.lists(st.tuples(MESSAGE, st.just(b"") | st.binary(max_size=200)), min_size=1, max_size=6),
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_version_5_has_properties_between_head_and_payload(
    batch: list[tuple[Outgoing, bytes]], cuts: list[int]
) -> None:
    frames_5 = [publish_5(message[0], message[1], 1 + n, properties) for n, (message, properties) in enumerate(batch)]
    stream = b"".join(frames_5) + b"\x40\x04\x00\x07\x10\x00"
    taken = Taken(version5=True)
    position = turn = 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        taken.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
    said = [("publish", message[0], message[1], 1 + n, False) for n, (message, _) in enumerate(batch)]
    assert [event for event in taken.events if event[0] == "publish"] == said
    assert [event for event in taken.events if event[0] != "publish"] == [("puback", 7)]


def test_properties_that_do_not_end_are_refused() -> None:
    with pytest.raises(ProtocolError, match="properties"):
        Taken(version5=True).feed(b"\x32\x06\x00\x01a\x00\x01\x09")


def test_one_byte_at_a_time() -> None:
    batch: list[Outgoing] = [("h2/v1/jinma/storage/bank-HB", b"x" * size, False) for size in (0, 1, 99, 100, 101, 130)]
    taken = Taken()
    for byte in frames(batch):
        taken.feed(bytes((byte,)))
    assert taken.events == expected(batch)


def test_a_thousand_frames_in_one_read_are_one_batch() -> None:
    batch: list[Outgoing] = [(f"h2/v1/jinma/storage/bank-{i % 7}", b"%d" % i, False) for i in range(1000)]
    batches: list[int] = []
    FrameCutter().feed(frames(batch), lambda r: batches.append(len(r.mids)), lambda _: None, lambda *_: True)
    assert batches == [1000]


@pytest.mark.parametrize("remaining", [127, 128, 129, 16_383, 16_384, 16_385, 65_536])
@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 7])
def test_edges_of_the_remaining_length(remaining: int, cut: int) -> None:
    batch: list[Outgoing] = [("ab", b"y" * (remaining - 6), False), ("cd", b"", True)]
    stream = frames(batch)
    taken = Taken()
    taken.feed(stream[:cut])
    taken.feed(stream[cut:])
    assert taken.events == expected(batch)


def test_a_remaining_length_of_five_bytes_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Taken().feed(b"\x32\xff\xff\xff\xff\x01")


@pytest.mark.parametrize(
    "frame",
    [
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2, which was never asked for
        b"\x32\x01\x00",  # no room for the topic's length
        b"\x32\x05\x00\x09a\x00\x01",  # a topic longer than the frame
        b"\x32\x04\x00\x01a\x00",  # half a packet id
        b"\x32\x05\x00\x01a\x00\x00",  # packet id 0
        b"\x40\x03\x00\x01\x00",  # a PUBACK that is too long
    ],
)
def test_broken_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        Taken().feed(frame + b"\xd0\x00" * 4)


def test_qos_0_has_no_packet_id() -> None:
    taken = Taken()
    taken.feed(b"\x30\x06\x00\x01aABC")
    assert taken.events == [("publish", "a", b"ABC", 0, False)]


def test_a_topic_that_is_no_utf_8_still_arrives() -> None:
    taken = Taken()
    taken.feed(b"\x32\x07\x00\x02\xff\xfe\x00\x05x")
    assert taken.events == [("publish", "\ufffd\ufffd", b"x", 5, False)]


def test_a_payload_over_the_bound_is_cut_and_the_next_message_is_whole() -> None:
    batch: list[Outgoing] = [("a", b"z" * (MAX_PAYLOAD + 1000), False), ("b", b"good", False)]
    taken = Taken()
    taken.feed(frames(batch))
    assert taken.events == [("publish", "a", b"z" * MAX_PAYLOAD, 1, False), ("publish", "b", b"good", 2, False)]


def test_a_giant_frame_is_dropped_while_it_is_read_and_can_be_acknowledged() -> None:
    batch: list[Outgoing] = [("a", b"z" * (3 * MAX_FRAME), False), ("b", b"good", False)]
    stream = frames(batch)
    taken = Taken()
    held = 0
    for position in range(0, len(stream), 50_000):
        taken.feed(stream[position : position + 50_000])
        held = max(held, len(taken.cutter._rest))
    assert taken.events == [("publish", "a", b"z" * MAX_PAYLOAD, 1, False), ("publish", "b", b"good", 2, False)]
    assert held < 4 * MAX_PAYLOAD


def test_a_handler_that_refuses_ends_the_work() -> None:
    taken = Taken()
    assert not taken.feed(b"\x20\x02\x00\x05" + frames([("a", b"", False)]), go_on=False)
    assert taken.events == [("other", 0x20, b"\x00\x05")]


@given(st.lists(MESSAGE, min_size=1, max_size=5), st.booleans())
def test_joined_frames_say_dup_and_retain(batch: list[Outgoing], dup: bool) -> None:
    taken = Taken()
    stream = frames(batch, dup=dup)
    taken.feed(stream)
    assert taken.events == expected(batch)
    assert bool(stream[0] & 0x08) == dup
    assert bool(stream[0] & 0x01) == batch[0][2]


def test_the_installed_paho_is_known_and_another_is_not() -> None:
    assert knows_paho()
    assert not knows_paho("3.0.0")


def test_an_unknown_paho_gets_the_plain_client(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(new_client("a", clean_session=True), FramedClient)
    monkeypatch.setattr(mqtt_frames, "knows_paho", lambda: False)
    assert isinstance(new_client("a", clean_session=True), PlainClient)


def test_a_paho_without_a_private_part_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(paho.Client, "_packet_queue")
    assert not knows_paho()


def test_packet_ids_in_flight_are_not_given_out_again() -> None:
    client = FramedClient("a", clean_session=True)
    inflight: dict[int, Outgoing] = {2: ("old", b"", False)}
    client.send([("a", b"1", False), ("b", b"2", False)], inflight)
    assert list(inflight) == [2, 1, 3]


def test_more_topics_than_are_kept_go_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_frames, "_TOPICS_KEPT", 4)
    client = FramedClient("a", clean_session=True)
    inflight: dict[int, Outgoing] = {}
    for first in (0, 3, 6):
        client.send([(f"topic-{number}", b"x", False) for number in range(first, first + 6)], inflight)
    assert len(inflight) == 18
    assert len(client._names) <= 4 + 6
