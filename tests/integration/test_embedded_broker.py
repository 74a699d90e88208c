"""The embedded broker, with our clients, with plain paho, and with bytes that are no MQTT."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from station.adapters import mqtt_broker
from station.adapters.embedded_broker import EmbeddedBroker
from station.adapters.mqtt import MqttFeed, MqttPublisher, Will
from station.adapters.mqtt_broker import is_filter, matches
from station.errors import BadInputError, TransientError
from tests.support.ports import free_port
from tests.support.processes import wait_until

_ids = itertools.count()


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(port=free_port())
    broker.start()
    yield broker
    broker.stop()


def name() -> str:
    return f"test-{next(_ids)}"


class Heard:
    def __init__(self, broker: EmbeddedBroker, *filters: str, persistent: bool = False, client_id: str = "") -> None:
        self.payloads: list[bytes] = []
        self.feed = MqttFeed(broker.url, client_id or name(), filters, persistent=persistent)
        self.feed.start(lambda messages: self.payloads.extend(payload for _, payload in messages))

    def await_payloads(self, expected: list[bytes]) -> None:
        wait_until(lambda: len(self.payloads) >= len(expected), 20, f"{len(expected)} messages")
        assert self.payloads == expected


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


def test_messages_reach_every_subscriber_once_and_in_order(broker: EmbeddedBroker) -> None:
    heard = [Heard(broker, "h2/v1/+/storage/+", "h2/v1/#"), Heard(broker, "h2/v1/jinma/storage/bank-HB")]
    other = Heard(broker, "h2/v1/+/cooling/+")
    publisher = MqttPublisher(broker.url, name())
    publisher.publish_many([("h2/v1/jinma/storage/bank-HB", number) for number in numbers(20_000)])
    assert publisher.settle(20)
    for one in heard:
        one.await_payloads(numbers(20_000))
    assert other.payloads == []
    publisher.close()
    for one in (*heard, other):
        one.feed.stop()


def test_retained_messages_come_with_a_subscription_and_can_be_taken_back(broker: EmbeddedBroker) -> None:
    publisher = MqttPublisher(broker.url, name())
    for topic in ("a/1", "a/2", "b/1"):
        publisher.publish(topic, topic.encode(), retain=True)
    publisher.publish("a/2", b"", retain=True)
    assert publisher.settle(5)
    heard = Heard(broker, "a/+")
    heard.await_payloads([b"a/1"])
    publisher.publish("a/1", b"live", retain=True)
    heard.await_payloads([b"a/1", b"live"])
    publisher.close()
    heard.feed.stop()


def test_a_session_keeps_what_came_while_its_client_was_away(broker: EmbeddedBroker) -> None:
    publisher, client_id = MqttPublisher(broker.url, name()), name()
    heard = Heard(broker, "a", persistent=True, client_id=client_id)
    heard.feed.stop()
    publisher.publish_many([("a", number) for number in numbers(5000)])
    assert publisher.settle(10)
    again = Heard(broker, "a", persistent=True, client_id=client_id)
    again.await_payloads(numbers(5000))
    again.feed.stop()
    clean = Heard(broker, "a", client_id=client_id)
    publisher.publish("a", b"only this")
    clean.await_payloads([b"only this"])
    publisher.close()
    clean.feed.stop()


def test_what_was_not_acknowledged_comes_again(broker: EmbeddedBroker) -> None:
    publisher, client_id = MqttPublisher(broker.url, name()), name()
    refusing = MqttFeed(broker.url, client_id, ["a"], persistent=True)

    def refuse(_: object) -> None:
        raise TransientError("not now")

    refusing.start(refuse)
    publisher.publish_many([("a", number) for number in numbers(100)])
    assert publisher.settle(5)
    wait_until(lambda: refusing.failures > 0, 5, "a refusal")
    refusing.stop()
    heard = Heard(broker, "a", persistent=True, client_id=client_id)
    heard.await_payloads(numbers(100))
    publisher.close()
    heard.feed.stop()


def test_a_lagging_subscriber_slows_the_publisher_and_loses_nothing(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_broker, "LAGGING", 500)
    monkeypatch.setattr(mqtt_broker, "WINDOW", 50)
    taken: list[bytes] = []
    slow = MqttFeed(broker.url, name(), ["a"], batch_most=50)

    def take(messages: object) -> None:
        time.sleep(0.002)
        taken.extend(payload for _, payload in messages)  # type: ignore[attr-defined]

    slow.start(take)
    publisher = MqttPublisher(broker.url, name(), window=100)
    publisher.publish_many([("a", number) for number in numbers(5000)])
    assert len(taken) > 3000
    wait_until(lambda: len(taken) == 5000, 20, "all of them")
    assert taken == numbers(5000)
    publisher.close()
    slow.stop()


def test_a_subscriber_that_has_stopped_holds_nobody_up(broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_broker, "LAGGING", 100)
    monkeypatch.setattr(mqtt_broker, "WINDOW", 10)
    monkeypatch.setattr(mqtt_broker, "STALLED_S", 0.3)
    wedge = threading.Event()
    stuck = MqttFeed(broker.url, name(), ["a"])
    stuck.start(lambda _: wedge.wait(20) and None)
    lively = Heard(broker, "a")
    publisher = MqttPublisher(broker.url, name(), window=50)
    publisher.publish_many([("a", number) for number in numbers(3000)])
    assert publisher.settle(10)
    lively.await_payloads(numbers(3000))
    wedge.set()
    publisher.close()
    stuck.stop()
    lively.feed.stop()


def test_the_will_comes_after_a_crash_and_a_later_client_of_the_same_id_takes_over(broker: EmbeddedBroker) -> None:
    heard = Heard(broker, "gone")
    kind = MqttPublisher(broker.url, name(), will=Will("gone", b"kind", retain=False))
    kind.close()
    rude = MqttPublisher(broker.url, client_id := name(), will=Will("gone", b"rude", retain=False))
    usurper = MqttPublisher(broker.url, client_id)
    # The two may cut each other off more than once before they are closed.
    wait_until(lambda: bool(heard.payloads), 5, "the will")
    assert set(heard.payloads) == {b"rude"}
    rude.close(0)
    usurper.close()
    heard.feed.stop()


def test_plain_paho_understands_it(broker: EmbeddedBroker) -> None:
    got: list[tuple[str, bytes, int, bool]] = []
    subscribed, published = threading.Event(), threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="plain")
    client.on_connect = lambda c, *_: c.subscribe([("a/#", 1), ("b", 0), ("$share/g/a", 1)])
    reasons: list[str] = []

    def on_subscribe(_c: object, _d: object, _m: int, codes: list[object], _p: object) -> None:
        reasons.extend(map(str, codes))
        subscribed.set()

    client.on_subscribe = on_subscribe
    client.on_message = lambda _c, _d, m: got.append((m.topic, bytes(m.payload), m.qos, m.retain))
    client.on_publish = lambda *_: published.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert subscribed.wait(5)
    assert reasons == ["Granted QoS 1", "Granted QoS 0", "Unspecified error"]
    for topic, qos in (("a/x/y", 1), ("b", 1), ("a", 0), ("c", 1)):
        client.publish(topic, b"p", qos=qos)
    wait_until(lambda: len(got) == 3, 5, "three messages")
    assert got == [("a/x/y", b"p", 1, False), ("b", b"p", 0, False), ("a", b"p", 0, False)]
    assert published.wait(5)
    client.unsubscribe("a/#")
    client.publish("a/x/y", b"p", qos=1)
    client.publish("b", b"last", qos=1)
    wait_until(lambda: len(got) == 4, 5, "one more")
    assert got[-1][1] == b"last"
    client.disconnect()
    client.loop_stop()


def test_silence_beyond_the_keepalive_ends_a_connection(broker: EmbeddedBroker) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as client:
        client.settimeout(10)
        client.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x01\x00\x01z")
        assert client.recv(10) == b"\x20\x02\x00\x00"
        client.sendall(b"\xc0\x00")
        assert client.recv(10) == b"\xd0\x00"
        began = time.monotonic()
        assert client.recv(10) == b""
        assert time.monotonic() - began > 0.5  # and before the socket's 10 s


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 100,
        b"\x10\xff\xff\xff\xff\xff",
        b"\x10\x02\x00\xff",
        b"\x32\x05\x00\x01a\x00\x01",
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01q\x34\x05\x00\x01a\x00\x01",
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01q\x82\x05\x00\x01\x00\xffa",
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01q\x32\x07\x00\x03a/#\x00\x01",
    ],
)
def test_what_is_no_mqtt_is_cut_off_and_the_rest_goes_on(broker: EmbeddedBroker, rubbish: bytes) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as client:
        client.settimeout(5)
        client.sendall(rubbish)
        answer = b""
        while piece := client.recv(100):
            answer += piece
        assert answer in (b"", b"\x20\x02\x00\x00")
    publisher = MqttPublisher(broker.url, name())
    publisher.publish("a", b"")
    assert publisher.settle(5)
    publisher.close()


def test_another_version_of_mqtt_is_told_so(broker: EmbeddedBroker) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as client:
        client.settimeout(5)
        client.sendall(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01q")
        assert client.recv(10) == b"\x20\x02\x00\x01"
        assert client.recv(10) == b""


def test_it_takes_the_next_free_port_and_ends_quickly_with_clients_there() -> None:
    first = EmbeddedBroker(port=free_port())
    port = first.start()
    second = EmbeddedBroker(port=port)
    assert second.start() > port
    publisher = MqttPublisher(first.url, name())
    began = time.monotonic()
    first.stop()
    second.stop()
    second.stop()
    assert time.monotonic() - began < 20.0  # a client that is there says something within its keep-alive of 30 s
    wait_until(lambda: not publisher.connected, 5, "the loss seen")
    publisher.close(0)


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(BadInputError, match="loopback"):
        EmbeddedBroker(host="0.0.0.0")


@pytest.mark.parametrize(
    ("one", "topic", "expected"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "b", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("+", "a", True),
        ("+/+", "a", False),
        ("a/b", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("/+", "/a", True),
        ("+", "/a", False),
    ],
)
def test_filters(one: str, topic: str, expected: bool) -> None:
    assert is_filter(one)
    assert matches(one, topic.split("/")) == expected


@pytest.mark.parametrize("one", ["", "a/#/b", "a#", "a+/b", "#/a", "$share/g/a"])
def test_bad_filters(one: str) -> None:
    assert not is_filter(one)
