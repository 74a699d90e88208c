"""kill -9 of the simulator while ingest, and perhaps the broker, is away: all that was measured is stored at last."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import random
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from station.adapters.mqtt import MqttFeed
from station.adapters.sqlite_readings import SqliteReadings
from tests.support.mosquitto import Mosquitto
from tests.support.plants import jinma
from tests.support.processes import OwnedProcess, wait_until

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "2"))
FAR_MS = 4_102_444_800_000
AREAS = {area for area, _ in jinma().units}

Point = tuple[str, str, int]


class Ear:
    """Every reading that a broker was given, run by run."""

    def __init__(self, url: str) -> None:
        self.runs: dict[str, set[Point]] = {}
        self.marks = 0
        self._feed = MqttFeed(url, "test-ear", ["h2/v1/jinma/#"])
        self._feed.start(self._take)

    def _take(self, messages: Sequence[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            area, unit = topic.split("/")[3:5] if topic.count("/") == 4 else ("", "")
            self.marks += area == ""
            if area in AREAS:
                said = json.loads(payload)
                self.runs.setdefault(said["boot"], set()).add((area, unit, said["t"]))

    def heard(self) -> set[Point]:
        return set().union(*self.runs.values())

    def stop(self) -> None:
        self._feed.stop()


def in_store(directory: Path) -> set[Point]:
    store = SqliteReadings(directory / "readings.sqlite")
    try:
        return {(m.area, m.unit, m.t_ms) for m in store.messages("jinma", 0, FAR_MS)}
    finally:
        store.close()


def _has_marks(ear: Ear, simulator: OwnedProcess) -> bool:
    simulator.check_running()
    return ear.marks > 100 and bool(ear.runs)  # marks may stand there from before


@pytest.mark.slow
@pytest.mark.parametrize("broker_too", [False, True], ids=["broker lives", "broker forgets"])
def test_kill_9_of_the_simulator_loses_nothing_that_was_measured(tmp_path: Path, broker_too: bool) -> None:
    chance = random.Random(int(broker_too))
    python = [sys.executable, "-m"]
    with Mosquitto(persistence=False) as broker, contextlib.ExitStack() as ears:
        serving = [*python, "tests.faults.ingest_child", broker.url, str(tmp_path)]
        playing = [*python, "cli.main", "simulate", "--broker", broker.url, "--speed", "20"]
        playing += ["--outbox", str(tmp_path / "outbox"), "--start"]
        # An hour between the starts: faster than the wall, two runs would measure the same moments.
        began = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        starts = [(began + dt.timedelta(hours=number)).isoformat() for number in range(ROUNDS + 1)]
        heard: set[Point] = set()
        for number in range(ROUNDS):
            ingest = OwnedProcess(serving, tmp_path / f"ingest-{number}.log")
            simulator = OwnedProcess([*playing, starts[number]], tmp_path / f"simulator-{number}.log")
            ear = Ear(broker.url)
            ears.callback(ear.stop)  # one that is left behind would speak into other tests
            with ingest, simulator:
                wait_until(partial(_has_marks, ear, simulator), 60, "the first watermarks")
                wait_until(lambda: heard <= in_store(tmp_path), 60, "all of the last run", every_s=0.3)  # noqa: B023
                ingest.kill()
                before = len(ear.heard())
                wait_until(lambda: len(ear.heard()) > before + 500, 60, "readings that ingest misses")  # noqa: B023
                threading.Event().wait(chance.uniform(0.0, 0.5))  # the moment of death is what is varied
                simulator.kill()
            wait_until(lambda: bool(ear.heard() - in_store(tmp_path)), 5, "something not stored")  # noqa: B023
            heard |= ear.heard()
            ear.stop()
            if broker_too:
                broker.kill()
                broker.start()
        log = tmp_path / "last.log"
        simulator = OwnedProcess([*playing, starts[ROUNDS]], tmp_path / "simulator-last.log")
        ear = Ear(broker.url)
        ears.callback(ear.stop)
        with OwnedProcess(serving, log) as last, simulator:
            wait_until(partial(_has_marks, ear, simulator), 60, "the last run's watermarks")
            wait_until(lambda: heard <= in_store(tmp_path), 60, "all that was measured", every_s=0.3)
            assert simulator.stop(5) == 0
            last.stop()
            ear.stop()
            figures = log.read_text().splitlines()[-1]
        assert "missing=0" in figures
        assert "late=0" in figures
        assert "Traceback" not in log.read_text() + (tmp_path / "simulator-last.log").read_text()
    sys.stdout.write(f"{ROUNDS} kills, {len(heard)} readings heard, none lost; {figures}\n")
