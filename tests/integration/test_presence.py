"""Each gateway's word at the broker: on line, off line in good order, and the will of one gone without a word."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from station.adapters.embedded_broker import EmbeddedBroker
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.mqtt_presence import Member, MqttPresence
from station.wire import topics
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma
from tests.support.processes import OwnedProcess, wait_until

GATEWAYS = [gateway.id for gateway in jinma().gateways]


class Words:
    """What the gateways last said, and how often each spoke."""

    def __init__(self, url: str) -> None:
        self.last: dict[str, bool] = {}
        self.count = 0
        self._feed = MqttFeed(url, "test-words", ["h2/v1/jinma/gateway/+"])
        self._feed.start(self._take)

    def _take(self, messages: Sequence[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            said = json.loads(payload)
            assert said["sim"] is True
            self.last[topic.split("/")[-1]] = said["online"]
            self.count += 1

    def all_are(self, online: bool) -> bool:
        return len(self.last) == len(GATEWAYS) and set(self.last.values()) == {online}

    def stop(self) -> None:
        self._feed.stop()


@pytest.fixture(params=["mosquitto", "embedded"])
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "mosquitto":
        with Mosquitto() as broker:
            yield broker.url
    else:
        embedded = EmbeddedBroker()
        embedded.start()
        yield embedded.url
        embedded.stop()


def word(online: bool) -> bytes:
    return json.dumps({"online": online, "t": 1, "sim": True}).encode()


def members() -> list[Member]:
    return [Member(("jinma", one), f"test-{one}", topics.gateway("jinma", one), word) for one in GATEWAYS]


def test_all_are_there_one_is_cut_off_and_comes_back_and_all_say_goodbye(broker_url: str) -> None:
    words = Words(broker_url)
    presence = MqttPresence(broker_url, members())
    presence.start()
    try:
        wait_until(lambda: words.all_are(True), 10, "all on line")
        assert presence.online == len(GATEWAYS)
        cut = GATEWAYS[2]
        presence.cut(frozenset({("jinma", cut)}))
        wait_until(lambda: not words.last[cut], 5, "the will of the one cut off")
        assert [name for name, online in words.last.items() if not online] == [cut]
        presence.cut(frozenset())
        wait_until(lambda: words.all_are(True), 5, "it is back")
        assert presence.failures == 0
    finally:
        presence.end()
    wait_until(lambda: words.all_are(False), 5, "all said goodbye")
    assert words.count == 2 * len(GATEWAYS) + 2
    words.stop()


def test_presence_waits_for_a_broker_and_outlives_it() -> None:
    with Mosquitto(persistence=False) as broker:
        broker.kill()
        presence = MqttPresence(broker.url, members())
        presence.start()
        try:
            broker.start()
            wait_until(lambda: presence.online == len(GATEWAYS), 10, "all on line")
            broker.kill()
            wait_until(lambda: presence.online == 0, 10, "none on line")
            broker.start()
            wait_until(lambda: presence.online == len(GATEWAYS), 15, "all on line again")
            words = Words(broker.url)
            wait_until(lambda: words.all_are(True), 5, "the words of all")
            words.stop()
        finally:
            presence.end()


def test_the_wills_of_a_killed_simulator_are_published_and_an_outage_takes_its_gateway_away(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        words = Words(broker.url)
        playing = [sys.executable, "-m", "cli.main", "simulate", "--broker", broker.url, "--speed", "20"]
        with OwnedProcess(playing, tmp_path / "simulator.log") as simulator:

            def all_online() -> bool:
                simulator.check_running()
                return words.all_are(True)

            wait_until(all_online, 30, "all on line")
            commander = MqttPublisher(broker.url, "test-commander")
            outage = {"fault": "network-outage", "unit": GATEWAYS[1], "for_s": 60}
            commander.publish(topics.simulator_command("jinma"), json.dumps(outage).encode())
            wait_until(lambda: not words.last[GATEWAYS[1]], 10, "the will of the one cut off")
            assert sum(not online for online in words.last.values()) == 1
            wait_until(all_online, 15, "it is back after its outage")
            commander.close()
            simulator.kill()
            wait_until(lambda: words.all_are(False), 5, "all wills")
        words.stop()
