"""The mosquitto configuration that is shipped: it starts, keeps sessions through a crash, lets nobody do too much."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.adapters.mqtt import BrokerRefusedError, MqttFeed, MqttPublisher
from tests.support.ports import accepts_connections, free_port
from tests.support.processes import OwnedProcess, require_program, wait_until

DEPLOYED = Path(__file__).parents[2] / "deploy" / "mosquitto"
_ids = itertools.count()


class Deployed:
    """A mosquitto with our configuration; only its paths, its port and its user are the test's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        data, passwords, acl = directory / "data", directory / "passwords", directory / "acl"
        data.mkdir()
        passwords.touch(mode=0o600)
        for user in ("gateway", "ingest", "api"):
            command = [str(require_program("mosquitto_passwd")), "-b", str(passwords), user, f"{user}-word"]
            subprocess.run(command, check=True, capture_output=True)
        shutil.copy(DEPLOYED / "acl", acl)
        acl.chmod(0o600)
        text = (DEPLOYED / "mosquitto.conf").read_text()
        for old, new in (
            ("listener 1883", f"listener {self.port} 127.0.0.1\nuser root"),
            ("/mosquitto/data/", f"{data}/"),
            ("/run/secrets/mosquitto_passwords", str(passwords)),
            ("/mosquitto/config/acl", str(acl)),
        ):
            assert old in text
            text = text.replace(old, new)
        configuration = directory / "mosquitto.conf"
        configuration.write_text(text)
        self.process = OwnedProcess(
            [str(require_program("mosquitto")), "-c", str(configuration)], directory / "output.log"
        )

    def start(self) -> None:
        self.process.start()
        wait_until(lambda: accepts_connections(self.port), 10, "mosquitto listening")

    def url(self, user: str) -> str:
        return f"mqtt://{user}:{user}-word@127.0.0.1:{self.port}"


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    broker = Deployed(tmp_path)
    broker.start()
    yield broker
    broker.process.stop()


def name() -> str:
    return f"test-{next(_ids)}"


def test_every_setting_has_its_reason() -> None:
    lines = (DEPLOYED / "mosquitto.conf").read_text().splitlines()
    settings = [line for line in lines if re.match(r"[a-z_]+ ", line)]
    assert len(settings) >= 14
    assert not {line.split()[0] for line in settings} & {"port", "bind_address"}


def test_what_ingest_missed_survives_a_crash_of_the_broker(deployed: Deployed) -> None:
    client_id, got = name(), list[bytes]()
    feed = MqttFeed(deployed.url("ingest"), client_id, ["h2/v1/+/storage/+"], persistent=True)
    feed.start(lambda _: None)
    feed.stop()
    gateway = MqttPublisher(deployed.url("gateway"), name())
    numbers = [b"number-%04d" % number for number in range(2000)]
    gateway.publish_many([("h2/v1/jinma/storage/bank-HB", number) for number in numbers])
    assert gateway.settle(10)
    saved = deployed.directory / "data" / "mosquitto.db"
    wait_until(lambda: saved.exists() and numbers[-1] in saved.read_bytes(), 10, "the queue saved")
    deployed.process.kill()
    deployed.start()
    feed = MqttFeed(deployed.url("ingest"), client_id, ["h2/v1/+/storage/+"], persistent=True)
    feed.start(lambda messages: got.extend(payload for _, payload in messages))
    wait_until(lambda: len(got) >= len(numbers), 20, "all that was missed")
    assert got == numbers
    gateway.close()
    feed.stop()


def test_nobody_comes_in_without_a_name_and_ingest_publishes_no_readings(deployed: Deployed) -> None:
    with pytest.raises(BrokerRefusedError):
        MqttPublisher(f"mqtt://127.0.0.1:{deployed.port}", name())
    got: list[tuple[str, bytes]] = []
    feed = MqttFeed(deployed.url("api"), name(), ["h2/v1/#"])
    feed.start(got.extend)
    ingest, gateway = (MqttPublisher(deployed.url(user), name()) for user in ("ingest", "gateway"))
    ingest.publish("h2/v1/jinma/storage/bank-HB", b"forged")
    ingest.publish("h2/v1/jinma/stored/storage/bank-HB", b"mark")
    assert ingest.settle(5)
    gateway.publish("h2/v1/jinma/storage/bank-HB", b"reading")
    assert gateway.settle(5)
    wait_until(lambda: len(got) == 2, 5, "two messages")
    assert [payload for _, payload in got] == [b"mark", b"reading"]
    for one in (ingest, gateway):
        one.close()
    feed.stop()
