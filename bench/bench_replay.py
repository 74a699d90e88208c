"""Replays: a day at full speed with and without forecasts, jumps in a month, and the pace of `jinma replay` at 1x.

`python -m bench.bench_replay [--hours N] [--days N] [--store FILE]`; a store that is there already is taken as it is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from api.forecast.runners import WorkerRunner
from api.live.told import plan_point, queue_point
from api.replay.comparison import occurrences_of
from api.replay.player import Player, Stage
from api.replay.sandbox_books import LearnedThen
from api.replay.tape import Tape
from bench.figures import messages, show
from bench.station_hours import StationHours
from cli.simulator_side import new_station, scenario_named
from station.adapters.embedded_broker import EmbeddedBroker
from station.adapters.log_files import LogRecord
from station.adapters.log_replay import ReplayTarget, replay_log
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.wire.admission import Admission, Policy
from station.wire.json_v1 import encode, topic_of
from station.wire.plan_v1 import parse_gate_queue, parse_plan

DAY = dt.date(2026, 6, 1)
HOUR_MS = 3_600_000
SCENARIO = "train-trip"
PACED_S = 60.0
JUMPS = 30
NAME = "jinma~bench000"
BUSY_HOURS = (9, 10)
MOST_SIGNALS = 200
"""Of 303; those of vehicles are silent between fills."""
_EVER = dt.timedelta(days=36_500)
_ADMISSION = Admission([shipped_plant()], policy=Policy(oldest=_EVER, newest=_EVER))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24, help="of the day that is played")
    parser.add_argument("--days", type=int, default=30, help="in the store; of the later ones two busy hours each")
    parser.add_argument("--store", type=Path, default=None, help="keep the store here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.store or Path(folder) / "readings.sqlite"
        plant, made = shipped_plant(), file.exists()
        store = SqliteReadings(file)
        start_ms = round(plant.day_start(DAY).timestamp() * 1000)
        if not made:
            _fill(store, plant, options.hours)
            _fill_busy_hours(store, start_ms, options.days)
        _play(store, plant, start_ms, options.hours)
        _jump(store, plant, start_ms, options.days)
        store.close()
    _pace()


def _fill(store: SqliteReadings, plant: Plant, hours: int) -> None:
    """Put a simulated day into a store, with what the station was told."""
    station = new_station(plant, scenario_named(SCENARIO), plant.day_start(DAY), seed=1)
    began = time.perf_counter()
    for _ in range(hours):
        block: list[UnitMessage] = []
        for t_ms, topic, payload, _ in station.emissions(3600.0):
            _, _, _, kind, name = topic.split("/", 4)
            if kind == "plan":
                plan = parse_plan(payload, dt.date.fromisoformat(name), plant.timezone, "mqtt")
                store.write_points([plan_point(plant.id, plan, t_ms)])
            elif kind == "queue":
                store.write_points([queue_point(plant.id, parse_gate_queue(payload)[1], t_ms)])
            elif kind != "gateway":
                block.append(_message(topic, payload))
        store.write(block)
    print(f"{hours} h of {SCENARIO} simulated and stored in {time.perf_counter() - began:.0f} s", flush=True)


def _fill_busy_hours(store: SqliteReadings, start_ms: int, days: int) -> None:
    """Put two busy hours into each of the days after the first."""
    hours = StationHours()
    for day in range(1, days):
        for hour in BUSY_HOURS:
            store.write(list(hours.hour(start_ms + (24 * day + hour) * HOUR_MS)))


def _play(store: SqliteReadings, plant: Plant, start_ms: int, hours: int) -> None:
    rows = [_played(store, plant, start_ms, hours, runner) for runner in (None, WorkerRunner(plant))]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show(
        f"replay at full speed: {hours} h of {SCENARIO}, {memory:.0f} MB at most",
        ("", "s", "s of CPU, forecasts apart", "x real time", "alarms", "forecasts"),
        rows,
    )


def _played(store: SqliteReadings, plant: Plant, start_ms: int, hours: int, runner: WorkerRunner | None) -> list[str]:
    told: list[str] = []
    tape = Tape(store, plant, start_ms + hours * HOUR_MS)
    learned = LearnedThen()
    stage = Stage(plant, NAME, tape, start_ms, [], learned, runner, lambda event, _: told.append(event))
    player = Player(stage, None)
    began, cpu = time.perf_counter(), time.process_time()
    player.seek(start_ms)
    player.play()
    while player.state == "playing":
        time.sleep(player.run(0.02))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    if runner is not None:
        runner.close()
    seen = occurrences_of(player.rows.take_new(), start_ms, tape.end_ms)
    name = "alarms" if runner is None else "alarms and forecasts"
    counts = [str(len(seen)), str(told.count("capacity"))]
    return [name, f"{took:.1f}", f"{cpu:.1f}", f"{hours * 3600 / took:,.0f}", *counts]


def _jump(store: SqliteReadings, plant: Plant, start_ms: int, days: int) -> None:
    """Jump to random seconds of the busy hours of all days, and await values and alarms."""
    tape = Tape(store, plant, start_ms + days * 24 * HOUR_MS)
    player = Player(Stage(plant, NAME, tape, start_ms, [], LearnedThen(), None, lambda *_: None), None)
    pick, took, cpu = random.Random(1), [], time.process_time()
    for _ in range(JUMPS):
        day, second = pick.randrange(1, days), pick.randrange(900, 7200)
        began = time.perf_counter()
        player.seek(start_ms + (24 * day + BUSY_HOURS[0]) * HOUR_MS + second * 1000)
        player.sandbox.alarms.alarms()
        took.append(time.perf_counter() - began)
        assert len(player.sandbox.latest.all()) > MOST_SIGNALS
    mean_cpu = (time.process_time() - cpu) / JUMPS
    show(
        f"jumps to any second of {days} days",
        ("", "median s", "longest s", "mean s of CPU"),
        [(f"{JUMPS} jumps", f"{statistics.median(took):.2f}", f"{max(took):.2f}", f"{mean_cpu:.2f}")],
    )


def _pace() -> None:
    """Replay a minute of the busy hour at 1x through the embedded broker, and see when it arrives."""
    busy = messages(PACED_S / 60.0)
    said = [LogRecord(topic_of(one), encode(one)) for one in busy]
    broker = EmbeddedBroker()
    broker.start()
    arrived: list[float] = []

    def on_messages(batch: list[tuple[str, bytes]]) -> None:
        arrived.extend([time.perf_counter()] * len(batch))

    feed = MqttFeed(broker.url, "bench-replay-feed", ["h2/v1/jinma~bench000/+/+"], persistent=False)
    feed.start(on_messages)
    _wait(lambda: feed.connected)
    publisher = MqttPublisher(broker.url, "bench-replay")
    replay_log(lambda: said, publisher, ReplayTarget(None, "bench000"), speed=1.0)
    _wait(lambda: len(arrived) >= len(said))
    publisher.close()
    feed.stop()
    broker.stop()
    times = [one.t_ms / 1000 for one in busy]
    off = sorted(
        abs((b - a) - max(0.0, d - c)) * 1000
        for (a, b), (c, d) in zip(pairwise(arrived), pairwise(_due(times)), strict=True)
    )
    show(
        f"jinma replay at 1x, {len(said)} messages in {PACED_S:.0f} s: inter-arrival time against the log's, ms",
        ("", "median", "p99", "longest"),
        [("off by", f"{statistics.median(off):.2f}", f"{off[int(len(off) * 0.99)]:.2f}", f"{off[-1]:.2f}")],
    )


def _due(times: list[float]) -> Iterator[float]:
    """Yield when each is due: one that lies before the one ahead of it goes with it."""
    newest = times[0]
    for t in times:
        newest = max(newest, t)
        yield newest


def _message(topic: str, payload: bytes) -> UnitMessage:
    admitted = _ADMISSION.admit(topic, payload, 0).message
    assert admitted is not None
    return admitted


def _moved(message: UnitMessage, by_ms: int) -> UnitMessage:
    return msgspec.structs.replace(message, t_ms=message.t_ms + by_ms)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 30.0
    while not done() and time.monotonic() < until:
        time.sleep(0.01)


if __name__ == "__main__":
    main()
