"""What the broker keeps for a service that is away: all of a short absence, nothing of a long one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.live_session import KEPT_FOR_S, LiveSession
from station.adapters.mqtt import MqttFeed, MqttPublisher, parse_broker_url
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_until

TOPIC = "h2/v1/jinma/storage/bank-HB"


def come(broker: Mosquitto, file: Path, taken: list[bytes]) -> MqttFeed:
    """Come in as the service does; what arrives goes into `taken`."""

    def take(messages: Sequence[tuple[str, bytes]]) -> None:
        taken.extend(payload for _, payload in messages)

    session = LiveSession(file)
    session.begin(parse_broker_url(broker.url), 5.0)
    feed = MqttFeed(broker.url, session.client_id, [TOPIC], persistent=True, insistent=False)
    feed.start(take)
    return feed


@pytest.mark.parametrize(("away_s", "kept"), [(30.0, True), (KEPT_FOR_S + 60.0, False)])
def test_a_short_absence_is_made_up_for_and_a_long_one_is_not(tmp_path: Path, away_s: float, kept: bool) -> None:
    file = tmp_path / "live.session"
    with Mosquitto(persistence=False) as broker:
        publisher, taken = MqttPublisher(broker.url, "test-session"), list[bytes]()
        come(broker, file, []).stop()
        publisher.publish(TOPIC, b"while away")
        assert publisher.settle(10)
        then_s = time.time() - away_s
        os.utime(file, (then_s, then_s))
        feed = come(broker, file, taken)
        publisher.publish(TOPIC, b"back")
        wait_until(lambda: b"back" in taken, 10, "what is published now")
        feed.stop()
        publisher.close()
    assert taken == ([b"while away", b"back"] if kept else [b"back"])
