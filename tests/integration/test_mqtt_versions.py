"""MQTT 5 where the broker has it, 3.1.1 where not: windows, sessions, takeovers, properties, old brokers."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from structlog.testing import CapturingLogger

from station.adapters.embedded_broker import EmbeddedBroker
from station.adapters.mqtt import BrokerUnavailableError, MqttFeed, MqttPublisher
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_until

TOPIC = "h2/v1/jinma/storage/bank-HB"
FILTER = "h2/v1/+/storage/+"
_ids = itertools.count()


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    # The window is mosquitto's own default, which is what most brokers in the field run with.
    with Mosquitto(persistence=False, extra="max_inflight_messages 20\n") as broker:
        yield broker


def name() -> str:
    return f"test-version-{next(_ids)}"


def publish(broker: Mosquitto, payloads: Sequence[bytes]) -> None:
    publisher = MqttPublisher(broker.url, name())
    publisher.publish_many([(TOPIC, payload) for payload in payloads])
    assert publisher.settle(10)
    publisher.close()


@pytest.mark.parametrize(("version5", "most"), [(True, 20_000), (False, 20)])
def test_a_feed_says_itself_how_much_it_takes_at_a_time(broker: Mosquitto, version5: bool, most: int) -> None:
    got: list[bytes] = []
    taken: list[int] = []
    let_go = threading.Event()

    def hold(messages: Sequence[tuple[str, bytes]]) -> None:
        taken.append(len(messages))
        assert let_go.wait(20)
        got.extend(payload for _, payload in messages)

    feed = MqttFeed(broker.url, name(), [FILTER], persistent=True, version5=version5)
    feed.start(hold)
    payloads = [b"%d" % number for number in range(3000)]
    publish(broker, payloads)
    # What is here and not acknowledged: all of it, or just the window.
    here = min(most, len(payloads))
    wait_until(lambda: sum(taken) + feed.waiting == here, 10, "the window filled")
    let_go.set()
    wait_until(lambda: len(got) == len(payloads), 20, "all of it")
    assert got == payloads
    feed.stop()


def test_a_session_is_kept_while_its_feed_speaks_now_one_version_now_the_other(broker: Mosquitto) -> None:
    client_id = name()
    got: list[bytes] = []
    for round_, version5 in enumerate((False, True, False, True)):
        feed = MqttFeed(broker.url, client_id, [FILTER], persistent=True, version5=version5)
        feed.start(lambda messages: got.extend(payload for _, payload in messages))
        wait_until(lambda: len(got) == round_, 10, "what was published meanwhile")  # noqa: B023 - used in this round
        feed.stop()
        publish(broker, [b"%d" % round_])
    assert got == [b"0", b"1", b"2"]


def test_a_takeover_is_seen_and_said(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    client_id = name()
    # A logger of its own: one that a command of an earlier test has set up is kept, and would say it elsewhere.
    said = CapturingLogger()
    monkeypatch.setattr("station.adapters.mqtt_link._log", said)
    first = MqttFeed(broker.url, client_id, [FILTER], persistent=True)
    second = MqttFeed(broker.url, client_id, [FILTER], persistent=True)
    try:
        first.start(lambda _: None)
        second.start(lambda _: None)
        wait_until(lambda: first.takeovers > 0, 30, "the takeover")
        second.stop()
        wait_until(lambda: first.connected, 15, "the first one back")
        told = [call for call in said.calls if call.method_name == "error"]
        assert any("takes our place" in call.args[0] and call.kwargs["client"] == client_id for call in told)
    finally:
        second.stop()
        first.stop()


def test_properties_of_a_message_are_passed_over(broker: Mosquitto) -> None:
    got: list[bytes] = []
    feed = MqttFeed(broker.url, name(), [FILTER])
    feed.start(lambda messages: got.extend(payload for _, payload in messages))
    client = Client(CallbackAPIVersion.VERSION2, name(), protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = ("made by", "x" * 200)
    properties.ContentType = "application/json"
    for number in range(3):
        client.publish(TOPIC, b"%d" % number, qos=1, properties=properties if number != 1 else None)
    wait_until(lambda: len(got) == 3, 10, "three messages")
    assert got == [b"0", b"1", b"2"]
    client.disconnect()
    client.loop_stop()
    feed.stop()


def test_an_old_broker_is_spoken_to_in_its_own_version() -> None:
    broker = EmbeddedBroker()
    broker.start()
    got: list[bytes] = []
    feed = MqttFeed(broker.url, name(), [FILTER], persistent=True)
    feed.start(lambda messages: got.extend(payload for _, payload in messages))
    publisher = MqttPublisher(broker.url, name())
    publisher.publish(TOPIC, b"heard")
    wait_until(lambda: got == [b"heard"], 5, "a message")
    publisher.close()
    feed.stop()
    broker.stop()


def test_what_speaks_no_mqtt_at_all_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ending = threading.Event()

        def hang_up() -> None:
            server.settimeout(0.2)
            while not ending.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(BrokerUnavailableError, match=f"no MQTT broker speaks at 127.0.0.1:{port}"):
            MqttFeed(f"mqtt://127.0.0.1:{port}", name(), [FILTER]).start(lambda _: None)
        ending.set()
        thread.join()
