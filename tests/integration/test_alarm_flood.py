"""A thousand alarms at once through the real service: the critical ones are on the stream within a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.adapters.mqtt import MqttPublisher
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of
from tests.support.alarm_plant import alarm_plant_text, tag_of
from tests.support.alarm_stream import AlarmStream
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_until
from tests.support.service import Service

UNITS, EACH = 50, 10
"""1000 signals: half of them critical and latched, half low."""
FLOODS = 4
KINDS = ("prompt", "latched")
SIGNALS = [tag_of(kind, unit, number) for unit in range(UNITS) for kind in KINDS for number in range(EACH)]
CRITICAL = frozenset(tag for tag in SIGNALS if tag.endswith("L"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, MqttPublisher]]:
    folder: Path = tmp_path_factory.mktemp("flood")
    plant = folder / "many.toml"
    plant.write_text(alarm_plant_text(UNITS, EACH, KINDS), encoding="utf-8")
    store = f"sqlite:///{folder / 'readings.sqlite'}"
    with Mosquitto(persistence=False) as broker:
        arguments = ("--broker", broker.url, "--store", store, "--plant", str(plant))
        with Service(*arguments, command="serve", data_dir=folder / "data") as service:
            publisher = MqttPublisher(broker.url, "test-flood")
            yield service, publisher
            publisher.close()


def say(publisher: MqttPublisher, value: float) -> float:
    """Publish a value of all signals; return the wall time before [s]."""
    now_s = time.time()
    messages = []
    for unit in range(UNITS):
        values: dict[str, float | None] = {tag_of(k, unit, n): value for k in KINDS for n in range(EACH)}
        message = UnitMessage("jinma", "storage", f"many-{unit:02}", round(now_s * 1000), values)
        messages.append((topic_of(message), encode(message)))
    publisher.publish_many(messages)
    return now_s


def memory_mib(service: Service) -> float:
    """Return the resident memory of the service [MiB]."""
    status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_every_critical_alarm_of_a_flood_is_shown_within_a_second(place: tuple[Service, MqttPublisher]) -> None:
    service, publisher = place
    worst_s, memory = [], []
    with AlarmStream(lambda: (service.url, service.token), "jinma") as stream:
        wait_until(lambda: stream.connections == 1, 20, "the stream")
        say(publisher, 1.0)
        for _ in range(FLOODS):
            before = len(stream.seen)
            began_s = say(publisher, 55.0)
            wait_until(lambda: len(_shown(stream, before, active=True)) == len(SIGNALS), 20, "all alarms shown")  # noqa: B023 - used in this round only
            shown = _shown(stream, before, active=True)
            worst_s.append(max(shown[tag] for tag in CRITICAL) - began_s)
            say(publisher, 1.0)
            wait_until(lambda: len(_shown(stream, before, active=False)) == len(SIGNALS), 20, "all alarms gone")  # noqa: B023 - as above
            memory.append(memory_mib(service))
    figures = service.get("/stations/jinma/alarms/figures", by="day")
    ours = [bucket for bucket in figures["buckets"] if bucket["alarms"] >= FLOODS * len(SIGNALS)]
    assert len(ours) == 1
    assert ours[0]["by_priority"]["critical"] == FLOODS * len(CRITICAL)
    assert figures["floods"][-1]["end"] is None
    assert figures["floods"][-1]["count"] >= FLOODS * len(SIGNALS)
    sys.stdout.write(
        f"{len(SIGNALS)} alarms at once, {FLOODS} times: the last critical one shown after "
        f"{', '.join(f'{s:.2f}' for s in worst_s)} s; memory {', '.join(f'{m:.0f}' for m in memory)} MiB\n"
    )
    assert min(worst_s) < 1.0
    assert memory[-1] - memory[0] < 60.0


def _shown(stream: AlarmStream, since: int, *, active: bool) -> dict[str, float]:
    """Return when each of our signals' alarms was first shown so."""
    found: dict[str, float] = {}
    for at_s, view in stream.seen[since:]:
        if view["condition"] == "H" and view["active"] is active and view["signal"] in _SET:
            found.setdefault(view["signal"], at_s)
    return found


_SET = frozenset(SIGNALS)
