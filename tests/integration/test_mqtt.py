"""Feed and publisher against a real mosquitto: order, acknowledgement, reconnecting, refusals."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from station.adapters import mqtt_frames
from station.adapters.mqtt import (
    BrokerRefusedError,
    BrokerUnavailableError,
    MqttFeed,
    MqttPublisher,
    Will,
    parse_broker_url,
)
from station.errors import BadInputError, TransientError
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.processes import wait_until

_ids = itertools.count()


@pytest.fixture
def topic() -> str:
    return f"test/{next(_ids)}/{free_port()}"


@pytest.fixture
def own_broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


class Taken:
    """What a feed handed over; may refuse for a while."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.sizes: list[int] = []
        self.refuse: BaseException | None = None
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self.hold.wait(10)
        if self.refuse is not None:
            raise self.refuse
        self.messages += messages
        self.sizes.append(len(messages))

    def await_count(self, count: int, within_s: float = 10.0) -> list[bytes]:
        wait_until(lambda: len(self.messages) >= count, within_s, f"{count} messages")
        return [payload for _, payload in self.messages]


def name() -> str:
    return f"test-{next(_ids)}"


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


def test_everything_arrives_once_and_in_order(mosquitto: Mosquitto, topic: str) -> None:
    taken = Taken()
    feed = MqttFeed(mosquitto.url, name(), [topic + "/+"])
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name(), window=100)
    publisher.publish_many([(f"{topic}/a", payload) for payload in numbers(3000)])
    assert publisher.settle(10)
    assert taken.await_count(3000) == numbers(3000)
    assert publisher.close()
    feed.stop()


def test_the_plain_client_does_the_same(mosquitto: Mosquitto, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_frames, "knows_paho", lambda: False)
    taken = Taken()
    feed = MqttFeed(mosquitto.url, name(), [topic])
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name(), window=50)
    publisher.publish_many([(topic, payload) for payload in numbers(500)])
    assert publisher.settle(10)
    assert taken.await_count(500) == numbers(500)
    publisher.close()
    feed.stop()


def test_gathering_hands_over_few_batches(mosquitto: Mosquitto, topic: str) -> None:
    taken = Taken()
    feed = MqttFeed(mosquitto.url, name(), [topic], gather_s=0.2)
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name())
    publisher.publish_many([(topic, payload) for payload in numbers(500)])
    taken.await_count(500)
    assert len(taken.sizes) < 100
    publisher.close()
    feed.stop()


def test_what_was_not_taken_comes_again_to_a_persistent_feed(mosquitto: Mosquitto, topic: str) -> None:
    taken, client_id = Taken(), name()
    taken.refuse = TransientError("not now")
    feed = MqttFeed(mosquitto.url, client_id, [topic], persistent=True)
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name())
    publisher.publish_many([(topic, payload) for payload in numbers(20)])
    publisher.settle(5)
    wait_until(lambda: feed.failures > 0, 5, "a refusal")
    feed.stop()
    assert taken.messages == []
    publisher.publish(topic, b"20")
    publisher.settle(5)
    again = Taken()
    feed = MqttFeed(mosquitto.url, client_id, [topic], persistent=True)
    feed.start(again)
    assert again.await_count(21) == numbers(21)
    publisher.close()
    feed.stop()


def test_a_bug_in_the_taker_costs_one_batch_of_a_feed_that_is_not_persistent(mosquitto: Mosquitto, topic: str) -> None:
    taken = Taken()
    taken.refuse = ValueError("a bug")
    feed = MqttFeed(mosquitto.url, name(), [topic])
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name())
    publisher.publish(topic, b"spoilt")
    wait_until(lambda: feed.failures == 1, 5, "the failure")
    taken.refuse = None
    publisher.publish(topic, b"good")
    assert taken.await_count(1) == [b"good"]
    publisher.close()
    feed.stop()


def test_both_come_back_after_a_broker_crash_and_nothing_is_lost(own_broker: Mosquitto, topic: str) -> None:
    changes: list[bool] = []
    taken = Taken()
    feed = MqttFeed(own_broker.url, name(), [topic], persistent=True, on_connection_change=changes.append)
    feed.start(taken)
    publisher = MqttPublisher(own_broker.url, name(), window=5000)
    publisher.publish_many([(topic, payload) for payload in numbers(100)])
    taken.await_count(100)
    # What a crash takes before the broker has saved the session is the broker's own affair.
    saved = own_broker._directory / "mosquitto.db"
    wait_until(lambda: saved.exists() and topic.encode() in saved.read_bytes(), 5, "the session saved")
    own_broker.kill()
    wait_until(lambda: not feed.connected and not publisher.connected, 5, "the loss seen")
    publisher.publish_many([(topic, payload) for payload in numbers(100, 100)])
    assert not publisher.settle(0.05)
    own_broker.start()
    assert publisher.settle(15)
    taken.await_count(200)
    assert list(dict.fromkeys(p for _, p in taken.messages)) == numbers(200)
    assert changes[:1] == [True]
    assert False in changes
    publisher.close()
    feed.stop()


def test_retained_messages_can_be_left_out(mosquitto: Mosquitto, topic: str) -> None:
    publisher = MqttPublisher(mosquitto.url, name())
    publisher.publish(topic, b"old", retain=True)
    assert publisher.settle(5)
    every, live = Taken(), Taken()
    feeds = [MqttFeed(mosquitto.url, name(), [topic], skip_retained=skip) for skip, _ in ((False, every), (True, live))]
    feeds[0].start(every)
    feeds[1].start(live)
    publisher.publish(topic, b"new")
    assert every.await_count(2) == [b"old", b"new"]
    assert live.await_count(1) == [b"new"]
    publisher.publish(topic, b"", retain=True)
    publisher.close()
    for feed in feeds:
        feed.stop()


def test_a_slow_taker_leaves_the_rest_with_the_broker(mosquitto: Mosquitto, topic: str) -> None:
    taken = Taken()
    taken.hold.clear()
    feed = MqttFeed(mosquitto.url, name(), [topic])
    feed.start(taken)
    publisher = MqttPublisher(mosquitto.url, name())
    publisher.publish_many([(topic, bytes(60_000)) for _ in range(600)])
    assert publisher.settle(10)
    wait_until(lambda: not feed.wants_read(), 10, "the feed full")
    taken.hold.set()
    taken.await_count(600)
    assert feed.connected
    publisher.close()
    feed.stop()


def test_the_window_bounds_what_is_on_its_way(own_broker: Mosquitto, topic: str) -> None:
    publisher = MqttPublisher(own_broker.url, name(), window=10)
    own_broker.kill()
    sent: list[int] = []

    def pour() -> None:
        for number in range(30):
            publisher.publish(topic, b"%d" % number)
            sent.append(number)

    thread = threading.Thread(target=pour)
    thread.start()
    wait_until(lambda: len(sent) == 10, 5, "a full window")
    assert publisher.unsettled == 10
    own_broker.start()
    thread.join(10)
    assert publisher.settle(10)
    publisher.close()


def test_closing_frees_a_waiting_caller(own_broker: Mosquitto, topic: str) -> None:
    publisher = MqttPublisher(own_broker.url, name(), window=1)
    own_broker.kill()
    raised: list[BaseException] = []

    def pour() -> None:
        try:
            for _ in range(3):
                publisher.publish(topic, b"")
        except TransientError as error:
            raised.append(error)

    thread = threading.Thread(target=pour)
    thread.start()
    wait_until(lambda: publisher.unsettled == 1, 5, "a full window")
    assert not publisher.close(0.1)
    thread.join(5)
    assert raised


def test_the_will_is_published_after_a_crash_and_not_after_a_goodbye(mosquitto: Mosquitto, topic: str) -> None:
    taken = Taken()
    feed = MqttFeed(mosquitto.url, name(), [topic])
    feed.start(taken)
    kind = MqttPublisher(mosquitto.url, name(), will=Will(topic, b"gone", retain=False))
    kind.close()
    rude = MqttPublisher(mosquitto.url, client_id := name(), will=Will(topic, b"crashed", retain=False))
    usurper = MqttPublisher(mosquitto.url, client_id)  # the broker cuts the first off, as if it had died
    # The two may cut each other off more than once before they are closed.
    assert set(taken.await_count(1)) == {b"crashed"}
    rude.close(0)
    usurper.close()
    feed.stop()


def test_nobody_there_is_one_clear_line() -> None:
    port = free_port()
    with pytest.raises(BrokerUnavailableError, match=f"127.0.0.1:{port}: connection refused"):
        MqttPublisher(f"mqtt://127.0.0.1:{port}", name())
    with pytest.raises(BrokerUnavailableError, match=f"127.0.0.1:{port}"):
        MqttFeed(f"mqtt://127.0.0.1:{port}", name(), ["a"]).start(lambda _: None)


def test_a_service_may_wait_for_its_broker(own_broker: Mosquitto, topic: str) -> None:
    own_broker.stop()
    threading.Timer(0.5, own_broker.start).start()
    publisher = MqttPublisher(own_broker.url, name(), first_connect_s=10)
    publisher.publish(topic, b"")
    assert publisher.settle(5)
    publisher.close()


def test_something_else_on_the_port_is_no_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(BrokerUnavailableError, match="no MQTT broker speaks"):
            MqttPublisher(f"mqtt://127.0.0.1:{server.getsockname()[1]}", name())
        thread.join(5)


def test_a_wrong_password_is_final_and_never_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    passwords = tmp_path_factory.mktemp("broker") / "passwords"
    passwords.write_text("plant:$6$" + "A" * 16 + "$" + "B" * 88 + "\n")
    passwords.chmod(0o600)
    with Mosquitto(extra=f"allow_anonymous false\npassword_file {passwords}\n") as broker:
        with pytest.raises(BrokerRefusedError, match="refused user 'plant'") as caught:
            MqttPublisher(f"mqtt://plant:guess@127.0.0.1:{broker.port}", name())
        assert "guess" not in str(caught.value)
        with pytest.raises(BrokerRefusedError, match="refused anonymous access"):
            MqttFeed(broker.url, name(), ["a"]).start(lambda _: None)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:1883", "http://host", "mqtt://", "mqtt://host:99999", "mqtt://host/path", "mqtt://u:secret@h:x"],
)
def test_bad_urls_are_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(BadInputError, match="broker URL") as caught:
        parse_broker_url(url)
    assert "secret" not in str(caught.value)


def test_good_urls() -> None:
    address = parse_broker_url("mqtt://us%40er:p%3Aw@host")
    assert (address.host, address.port, address.user, address.password, address.tls) == (
        "host",
        1883,
        "us@er",
        "p:w",
        False,
    )
    assert "p:w" not in repr(address) + str(address)
    assert parse_broker_url("mqtts://[::1]").port == 8883
    assert str(parse_broker_url("mqtt://[::1]:1")) == "[::1]:1"
