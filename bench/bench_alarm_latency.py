"""From a published reading to the alarm on the stream and to a webhook: `python -m bench.bench_alarm_latency`.

Real mosquitto, `jinma serve` and `jinma simulate` as processes of their own; the journal is on disk and fsynced before
an alarm is shown, forecasts are made in their worker all the while. Flame detectors without delay are added to the
shipped station, which only this benchmark publishes: the simulator's own messages are the traffic around them. The same
rule runs in Prometheus and Alertmanager at the end.

`JINMA_BENCH_SAMPLES` says how many alarms are raised at each rate (default 200).
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.alarm_ears import Heard, Stream, webhook
from bench.figures import show
from bench.prometheus_peer import missing_programs, prometheus
from station.adapters.clocks import wall_ms
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.plant_files import shipped_plant_text
from station.domain.signals import UnitMessage
from station.wire import topics
from station.wire.json_v1 import encode, topic_of
from station.wire.plan_v1 import ClockReading, parse_clock
from tests.support.mosquitto import Mosquitto
from tests.support.processes import OwnedProcess, wait_until
from tests.support.service import ROOT, Service

SAMPLES = int(os.environ.get("JINMA_BENCH_SAMPLES", "200"))
PEER_SAMPLES = 30
SPEEDS = (1, 20)
BUSY = "2026-06-01T10:00:00+08:00"
"""Trucks at every hose."""
TOMORROW = "2026-06-02"
DETECTORS = [f"BE-{number}" for number in range(7801, 7813)]
_UNIT = """
[[units]]
at = "fire_gas/bench"
en = "Benchmark"
zh = "基准测试"
signals = [
{signals}
]
"""
_SIGNAL = '  {{tag="{tag}", role="flame", kind="DI", normal=[0, 0], HH=1, rate=60, en="flame {tag}", zh="火焰 {tag}"}},'
_NOTICES = """
[targets.hook]
webhook = "{url}"
secret = "bench"
[[routes]]
name = "critical"
priorities = ["critical"]
targets = ["hook"]
cleared = false
"""


@dataclass
class Figures:
    """What was measured at one speed, in seconds; CPU in seconds a wall second."""

    shown: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    speed: float = 0.0
    messages_s: float = 0.0
    forecasts: int = 0
    core_cpu: float = 0.0
    worker_cpu: float = 0.0
    waiting: float = 0.0


class SimulatorClock:
    """The simulator's time, which also runs between its words: what a device beside it would date its readings with."""

    def __init__(self) -> None:
        self._said: ClockReading | None = None

    def on_messages(self, batch: Sequence[tuple[str, bytes]]) -> None:
        """Take words of the clock topic."""
        self._said = parse_clock(batch[-1][1])

    @property
    def is_told(self) -> bool:
        """Whether a word has come."""
        return self._said is not None

    def now_ms(self) -> int:
        """Return station time, epoch ms."""
        assert self._said is not None, "no simulator has told the time"
        return self._said.t_ms + round(self._said.speed * (wall_ms() - self._said.wall_ms))


@dataclass
class Bench:
    """One service with its simulator, and who listens to it."""

    service: Service
    stream: Stream
    publisher: MqttPublisher
    told: Heard
    clock: SimulatorClock
    _last_ms: int = 0

    def sample(self, tag: str) -> tuple[float, float]:
        """Raise an alarm and put it back to normal; returns the seconds until it was shown, and told."""
        alarm = f"{tag}.HH"
        self.stream.alarms.forget()
        begin = self._say(tag, 1)
        shown = self.stream.alarms.moment(f"{alarm} UNACK") - begin
        told = self.told.moment(alarm) - begin
        self._say(tag, 0)
        self.stream.alarms.moment(f"{alarm} LATCHED")
        for act in ("ack", "reset"):
            self.service.ask("POST", f"/stations/jinma/alarms/{alarm}/{act}").raise_for_status()
        self.stream.alarms.moment(f"{alarm} NORM")
        return shown, told

    def ask_for_forecast(self, number: int) -> None:
        """Change tomorrow's plan: the next minute of the station is worth a forecast, grid or not."""
        trucks = [{"id": f"T{number}", "time": f"{TOMORROW}T10:00:00+08:00", "kg": 30}]
        self.publisher.publish(topics.plan("jinma", TOMORROW), json.dumps({"trucks": trucks, "trailers": []}).encode())

    def _say(self, tag: str, value: float) -> float:
        """Publish a reading of now, and return when."""
        self._last_ms = max(self._last_ms + 1, self.clock.now_ms())
        message = UnitMessage("jinma", "fire_gas", "bench", self._last_ms, {tag: value})
        topic, payload = topic_of(message), encode(message)
        begin = time.perf_counter()
        self.publisher.publish(topic, payload)
        return begin


def main() -> None:
    taken = {speed: _measured(speed) for speed in SPEEDS}
    rows = []
    for speed, figures in taken.items():
        rows.append(_row(f"alarm on the stream, {speed}x", figures.shown))
        rows.append(_row(f"notice at the webhook, {speed}x", figures.told))
    columns = ("", "alarms", "p50 ms", "p99 ms", "max ms")
    show("from the published reading, over mosquitto", columns, rows)
    show(
        "meanwhile",
        ("", "speed reached", "messages/s", "most waiting", "forecasts", "CPU of the service", "CPU of its worker"),
        [
            (
                f"{speed}x",
                f"{f.speed:.1f}x",
                f"{f.messages_s:,.0f}",
                f"{f.waiting:.0f}",
                str(f.forecasts),
                f"{f.core_cpu:.0%}",
                f"{f.worker_cpu:.0%}",
            )
            for speed, f in taken.items()
        ],
    )
    _peer(taken[1])


def _row(title: str, seconds: list[float]) -> tuple[str, ...]:
    said = [f"{1000 * _quantile(seconds, q):.1f}" for q in (0.5, 0.99, 1.0)]
    return (title, str(len(seconds)), *said)


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- our side ---


def _measured(speed: int) -> Figures:
    """Return the figures of one speed."""
    figures, draw = Figures(), random.Random(speed)
    with _service(speed) as bench:
        begin, cpu = time.perf_counter(), _cpu(bench.service.process.pid)
        readings, forecasts, t_ms = bench.stream.readings, bench.stream.forecasts, bench.stream.newest_ms
        for number in range(SAMPLES):
            if number % 20 == 0:
                bench.ask_for_forecast(number)
            time.sleep(draw.uniform(0.0, 0.8))  # No beat of ours may fall in with the beats of the service.
            shown, told = bench.sample(DETECTORS[number % len(DETECTORS)])
            figures.shown.append(shown)
            figures.told.append(told)
            if number % 10 == 0:
                figures.waiting = max(figures.waiting, bench.service.metrics()["jinma_messages_waiting"])
        took_s = time.perf_counter() - begin
        core, worker = (after - old for after, old in zip(_cpu(bench.service.process.pid), cpu, strict=True))
        figures.core_cpu, figures.worker_cpu = core / took_s, worker / took_s
        figures.messages_s = (bench.stream.readings - readings) / took_s
        figures.speed = (bench.stream.newest_ms - t_ms) / 1000 / took_s
        figures.forecasts = bench.stream.forecasts - forecasts
    return figures


@contextmanager
def _service(speed: int) -> Iterator[Bench]:
    """Run broker, service and simulator, everything in full swing."""
    with (
        tempfile.TemporaryDirectory(prefix="jinma-bench-") as name,
        webhook(_alarm_of) as (hook, told),
        Mosquitto() as broker,
    ):
        folder = Path(name)
        plant, notices = folder / "plant.toml", folder / "notices.toml"
        signals = "\n".join(_SIGNAL.format(tag=tag) for tag in DETECTORS)
        plant.write_text(shipped_plant_text() + _UNIT.format(signals=signals), encoding="utf-8")
        notices.write_text(_NOTICES.format(url=hook))
        with (
            Service(
                *("--broker", broker.url, "--store", f"sqlite:///{folder}/readings.sqlite", "--plant", str(plant)),
                *("--clock", "station"),
                command="serve",
                data_dir=folder / "data",
                env={"JINMA_NOTICES": str(notices)},
            ) as service,
            Stream(service.url, service.token) as stream,
            _simulator(broker.url, speed, folder),
        ):
            wait_until(lambda: stream.forecasts > 0, 90.0, "a first forecast")
            clock, publisher = SimulatorClock(), MqttPublisher(broker.url, "bench")
            feed = MqttFeed(broker.url, "bench-clock", [topics.clock("jinma")])
            feed.start(clock.on_messages)
            try:
                wait_until(lambda: clock.is_told, 10.0, "the simulator's clock")
                yield Bench(service, stream, publisher, told, clock)
            finally:
                publisher.close()
                feed.stop()


def _simulator(broker: str, speed: int, folder: Path) -> OwnedProcess:
    line = ("-m", "cli.main", "simulate", "--broker", broker, "--start", BUSY, "--speed", str(speed))
    return OwnedProcess(
        [sys.executable, *line, "--duration", "12h"], folder / "simulate.log", {"PYTHONPATH": str(ROOT)}
    )


def _alarm_of(body: Any) -> Iterator[str]:
    if body["kind"] == "raised":
        yield body["alarm"]["id"]


def _cpu(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process and of its children so far (Linux)."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return _cpu_of(pid), sum(_cpu_of(child) for child in children)


def _cpu_of(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


# --- the other side ---


def _peer(ours: Figures) -> None:
    """Measure Prometheus and Alertmanager, and state the ratio."""
    missing = missing_programs()
    if missing:
        print(f"NOT COMPARED: {', '.join(missing)} missing; as root: apt-get install {' '.join(missing)}", flush=True)
        return
    draw, theirs = random.Random(7), []
    with prometheus() as raise_flame:
        for number in range(PEER_SAMPLES):
            time.sleep(draw.uniform(0.5, 1.5))
            theirs.append(raise_flame(str(number)))
    rows = [_row("Jinma, over MQTT, journal fsynced", ours.told), _row("Prometheus and Alertmanager, 1 s", theirs)]
    ratios = [f"{_quantile(theirs, q) / _quantile(ours.told, q):.0f}x" for q in (0.5, 0.99, 1.0)]
    rows.append(("ratio", "", *ratios))
    show(
        "the same rule until a webhook is told, at the normal rate", ("", "alarms", "p50 ms", "p99 ms", "max ms"), rows
    )


if __name__ == "__main__":
    main()
