"""A simulated day, and its busiest hours, as an outsider reads them from a log; the plant's own truth reads nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from simulators.history import fill_history
from simulators.logs import station_log
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.log_files import read_log, read_log_header, write_log
from station.adapters.property_tables import hydrogen_tables
from station.domain.signals import UnitMessage
from station.wire import topics
from station.wire.admission import Admission
from tests.support.plants import jinma

PLANT = jinma()
START = dt.datetime(2026, 6, 1, tzinfo=PLANT.timezone)
START_MS = round(START.timestamp() * 1000)
DAY = dt.timedelta(hours=24)
MINUTE = dt.timedelta(seconds=60)
WHOLE = "JINMA_WHOLE_DAYS" in os.environ
BUSY, BUSY_HOURS = START + dt.timedelta(hours=6), 3
"""What is played at the sensors' own rates unless `JINMA_WHOLE_DAYS=1` plays the day; a whole day at 1 s is in
test_physics_day, and each fill of a whole day in the coarse log below."""
HEADER: dict[str, object] = {"version": "test", "station": PLANT.id, "seed": 1}
CONNECT, LEAK_CHECK, FILL, HOLD, END = range(1, 6)


def station(seed: int = 1, start: dt.datetime = START) -> SimulatedStation:
    physics = StationPhysics(PLANT, hydrogen_tables(), shipped_scenario("normal-day"), start, seed)
    return SimulatedStation(PLANT, physics, seed)


CLOCKS_APART_MS = 80
"""No gateway's clock is further than 40 ms from the true time."""


@dataclass
class Audit:
    """Reads a log line by line and counts what is wrong with it."""

    wrong: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    values: int = 0
    fills: list[float] = field(default_factory=list)
    _newest_ms: int = 0
    _times: dict[str, int] = field(default_factory=dict)
    _seqs: dict[str, int] = field(default_factory=dict)
    _states: dict[str, int] = field(default_factory=dict)
    _totals: dict[str, float] = field(default_factory=dict)
    _first_totals: dict[str, float] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, topic: str, payload: bytes) -> None:
        place = topics.parse_reading(topic)
        if place is None:
            return
        said = msgspec.json.decode(payload)
        self.messages += 1
        self.values += len(said["v"])
        self.seen.update(said["v"])
        self.wrong["not in order of time"] += said["t"] < self._newest_ms - CLOCKS_APART_MS
        self._newest_ms = max(self._newest_ms, said["t"])
        self.wrong["a unit not in order of time"] += said["t"] <= self._times.get(topic, 0)
        self._times[topic] = said["t"]
        self.wrong["number skipped"] += said["seq"] != self._seqs.get(topic, 0) + 1
        self._seqs[topic] = said["seq"]
        if place.area == "dispensing" and place.unit.startswith("hose"):
            self._hose(place.unit, said["v"])
        elif place.area == "vehicle":
            self._vehicle(place.unit, said["v"])

    def _hose(self, hose: str, values: dict[str, float]) -> None:
        total = values.get(PLANT.tag("dispensing", hose, "total"))
        if total is not None:
            self.wrong["total went back"] += total < self._totals.get(hose, 0.0)
            self._totals[hose] = total
            self._first_totals.setdefault(hose, total)
        state = values.get(PLANT.tag("dispensing", hose, "state"))
        if state is None or state == self._states.get(hose):
            return
        self._states[hose] = int(state)
        if state == CONNECT:
            self._begun[hose] = self._totals[hose]
        elif state == END:
            self.fills.append(self._totals[hose] - self._begun.pop(hose))

    @property
    def dispensed_kg(self) -> float:
        """Return the rise of all totals, fills that are still under way included."""
        return sum(self._totals.values()) - sum(self._first_totals.values())

    @property
    def under_way_kg(self) -> float:
        """Return what fills that have not ended have given."""
        return sum(self._totals[hose] - begun for hose, begun in self._begun.items())

    def _vehicle(self, hose: str, values: dict[str, float]) -> None:
        command = PLANT.tag("vehicle", hose, "command")
        closing = values == {command: 4}
        self.wrong["vehicle outside a fill"] += not closing and not LEAK_CHECK <= self._states[hose] <= HOLD


def test_the_same_seed_makes_the_same_bytes_and_another_makes_others(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / f"{name}.ndjson.gz"
        write_log(path, station_log(station(seed), dt.timedelta(minutes=20)), HEADER)
        digests.append(hashlib.sha256(path.read_bytes()).digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_coarse_day_tells_each_fill(tmp_path: Path) -> None:
    plant = station()
    path = tmp_path / "day.ndjson"
    count = write_log(path, station_log(plant, DAY, every=MINUTE), HEADER)
    audit = Audit()
    for record in read_log(path):
        audit.take(record.topic, record.payload)
    truth = plant.physics.truth()
    assert +audit.wrong == Counter()
    assert audit.messages < count < 90_000
    assert audit.seen == set(PLANT.signals)
    assert len(audit.fills) == pytest.approx(truth.trucks, abs=1)
    assert sum(audit.fills) == pytest.approx(truth.dispensed_kg, abs=60.0)  # one may be under way at midnight


def test_a_kept_station_goes_on_as_if_it_had_never_stopped() -> None:
    first = station()
    first.emissions(1800)
    kept = first.snapshot()
    again = SimulatedStation.restore(
        PLANT, lambda data: StationPhysics.restore(PLANT, hydrogen_tables(), data), kept, same_boot=True
    )
    assert again.emissions(900) == first.emissions(900)


def test_history_of_a_day_is_whole_and_goes_on_live() -> None:
    plant = station()
    admission = Admission([PLANT])
    kept: list[UnitMessage] = []
    count = fill_history(plant, kept.extend, START, START + DAY)
    assert count == len(kept)
    assert len({(m.key, m.t_ms) for m in kept}) == count
    end_ms = START_MS + 86_400_000
    assert plant.t_ms == end_ms
    for t_ms, topic, payload, seq in plant.emissions(5):
        assert t_ms >= end_ms
        if seq > 0:
            assert admission.admit(topic, payload, end_ms).refusals == ()


@pytest.mark.slow
def test_what_every_sensor_says_adds_up_from_its_log_alone(tmp_path: Path) -> None:
    begin, hours, trucks = (START, 24, 100) if WHOLE else (BUSY, BUSY_HOURS, 22)
    plant = station(start=begin)
    path = tmp_path / "day.ndjson"
    write_log(path, station_log(plant, dt.timedelta(hours=hours)), HEADER)
    assert read_log_header(path) == json.loads(json.dumps(HEADER))
    audit = Audit()
    for record in read_log(path, lambda number, text: pytest.fail(f"line {number} {text}")):
        audit.take(record.topic, record.payload)
    path.unlink()  # 600 MB of a whole day
    truth = plant.physics.truth()
    assert +audit.wrong == Counter()
    assert audit.seen == set(PLANT.signals)
    assert 38 < audit.messages / (3600 * hours) < 48
    assert 165 < audit.values / (3600 * hours) < 215
    assert truth.trucks == pytest.approx(trucks, abs=2)
    assert audit.dispensed_kg == pytest.approx(truth.dispensed_kg, rel=1e-4)
    assert sum(audit.fills) + audit.under_way_kg == pytest.approx(truth.dispensed_kg, rel=1e-3)
    assert truth.dispensed_kg == pytest.approx(40.0 * trucks, rel=0.05)
    assert truth.closure < 1e-4
