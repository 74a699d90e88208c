"""Every fault of the catalogue, asked for over a real broker: taken, or refused by name."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.faults import fault_kinds
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.wire import topics
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma
from tests.support.processes import OwnedProcess, wait_until
from tests.support.service import jinma as command

UNITS = {
    "train": "train-2",
    "chiller": "chiller-1",
    "bank": "bank-HB",
    "hose": "hose-3B",
    "gateway": jinma().gateways[3].id,
    "signal": "bank-MB",
}
BAD = {
    "no such fault": ({"fault": "meteorite", "unit": "train-2"}, "fault 'meteorite': unknown"),
    "no such unit": ({"fault": "train-trip", "unit": "train-9"}, "unit 'train-9' must be one of"),
    "no such signal": ({"fault": "sensor-bias", "unit": "bank-HB", "signal": "PT-999"}, "signal = 'PT-999'"),
    "too large": ({"fault": "bank-leak", "unit": "bank-HB", "size": 99}, "size = 99 must be a number"),
    "no such option": ({"fault": "esd", "unit": "", "loud": True}, "unknown option 'loud'"),
    "no object": ([1], "no JSON object"),
}


class Playing:
    """A simulator of two stations on a broker."""

    def __init__(self, broker: Mosquitto, folder: Path) -> None:
        line = [sys.executable, "-m", "cli.main", "simulate", "--broker", broker.url, "--stations", "2"]
        self.broker = broker
        self.process = OwnedProcess(line, folder / "simulator.log")

    def logged(self, text: str, **fields: str) -> bool:
        """Return whether a line says this, each field as given."""
        lines = (json.loads(line) for line in self.process.output().splitlines() if line.startswith("{"))
        return any(
            said.get("event") == text and all(value in str(said.get(name)) for name, value in fields.items())
            for said in lines
        )


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    with Mosquitto() as broker:
        played = Playing(broker, tmp_path_factory.mktemp("playing"))
        heard: set[str] = set()
        feed = MqttFeed(broker.url, "test-feed", ["h2/v1/+/storage/+"])
        feed.start(lambda messages: heard.update(topic.split("/")[2] for topic, _ in messages))
        with played.process as process:

            def speaks() -> bool:
                process.check_running()
                return heard == {"jinma", "jinma-2"}

            wait_until(speaks, 40, "both stations")
            yield played
            assert "Traceback" not in process.output()
        feed.stop()


def send(broker: Mosquitto, station: str, body: object) -> None:
    publisher = MqttPublisher(broker.url, "test-commander")
    publisher.publish(topics.simulator_command(station), json.dumps(body).encode())
    assert publisher.settle(5.0)
    publisher.close()


@pytest.mark.parametrize("name", fault_kinds())
def test_every_fault_is_taken_by_the_station_that_it_is_meant_for(playing: Playing, name: str) -> None:
    unit = UNITS.get(fault_kinds()[name].target, "")
    station = "jinma-2" if name == "esd" else "jinma"
    send(playing.broker, station, {"fault": name, "unit": unit, "for_s": 300})
    wait_until(lambda: playing.logged("fault started", fault=name, station=station), 10, f"{name} is taken")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_command_is_refused_by_name_and_harms_nothing(playing: Playing, name: str) -> None:
    body, reason = BAD[name]
    send(playing.broker, "jinma", body)
    event = "fault not started" if isinstance(body, dict) else "fault command is no JSON object with fault and unit"

    def refused() -> bool:
        return playing.logged(event, error=reason) or (not isinstance(body, dict) and playing.logged(event))

    wait_until(refused, 10, f"{name} is refused")
    playing.process.check_running()


def test_the_command_line_starts_a_fault_and_ends_it(playing: Playing) -> None:
    at = ("--unit", "bank-LB", "--broker", playing.broker.url, "--station", "jinma-2")
    assert command("fault", "valve-passby", *at, "--size", "40", "--ramp", "1m").returncode == 0
    wait_until(lambda: playing.logged("fault started", fault="valve-passby", station="jinma-2"), 10, "it is taken")
    assert command("fault", "valve-passby", *at, "--for", "0s").returncode == 0
    wait_until(lambda: playing.logged("fault ended", fault="valve-passby", station="jinma-2"), 10, "it ends")
