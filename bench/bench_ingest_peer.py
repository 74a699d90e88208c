"""From mosquitto into InfluxDB beside Telegraf: `python -m bench.bench_ingest_peer`.

150 bytes of JSON and one point of four fields a message, QoS 1, sessions that outlive a connection, the same broker and
the same InfluxDB for all, one after the other. "Backlog": the messages wait in the broker. "Stream": they are published
while the program runs. Rates and processor time are taken between the first point that InfluxDB has and the last, so
that nobody's start counts. JINMA_BENCH_MESSAGES sets how many messages (200 000), JINMA_BENCH_ROUNDS how many rounds
(1); of several the best counts, for other programs on the machine only ever take away.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import show
from bench.ingest_peers import Peer, cpu_s, end_kindly, peers, points_written
from station.adapters.mqtt import MqttPublisher
from station.adapters.plant_files import shipped_plant
from station.wire import topics
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.processes import OwnedProcess, find_program, wait_until

COUNT = int(os.environ.get("JINMA_BENCH_MESSAGES", "200000"))
ROUNDS = int(os.environ.get("JINMA_BENCH_ROUNDS", "1"))
PATIENCE_S = 600.0
_UNITS_MOST = 24
_BROKER = "max_inflight_messages 20000\n"
"""The same for all, and more than any of them takes at a time: it is not the broker that is measured."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Figures:
    """What one run came to."""

    rate: float
    """Messages a second."""
    cpu_us: float
    """Processor time of the program, a message."""


def main() -> None:
    """Print the table."""
    if find_program("influxd") is None:
        sys.stdout.write("no influxd: scripts/build_influxd.sh builds it\n")
        return
    rows = _rows(peers())
    beside = next((row for row in rows if "tuned" in row[0].title), rows[-1])
    show(
        f"MQTT to InfluxDB: {COUNT} messages of four values, QoS 1; x is beside Telegraf, tuned",
        ("", "backlog msg/s", "x", "us CPU", "x", "stream msg/s", "x", "us CPU", "x"),
        [(peer.title, *_cells(backlog, beside[1]), *_cells(stream, beside[2])) for peer, backlog, stream in rows],
    )


def _cells(figures: Figures, beside: Figures) -> tuple[str, ...]:
    rate, cpu = figures.rate / beside.rate, figures.cpu_us / beside.cpu_us
    return f"{figures.rate:,.0f}", f"{rate:.2f}", f"{figures.cpu_us:.1f}", f"{cpu:.2f}"


def _rows(compared: Sequence[Peer]) -> list[tuple[Peer, Figures, Figures]]:
    """Run all of them in turn, round after round, so that a busy minute of the machine strikes everybody."""
    runs: dict[tuple[str, str], list[Figures]] = {}
    for _ in range(ROUNDS):
        for kind in ("backlog", "stream"):
            for peer in compared:
                runs.setdefault((kind, peer.title), []).append(_run(kind, peer))
    return [(peer, _best(runs["backlog", peer.title]), _best(runs["stream", peer.title])) for peer in compared]


def _best(runs: Sequence[Figures]) -> Figures:
    return Figures(max(run.rate for run in runs), min(run.cpu_us for run in runs))


def _run(kind: str, peer: Peer) -> Figures:
    with (
        Mosquitto(persistence=False, extra=_BROKER) as broker,
        Influxd() as influx,
        tempfile.TemporaryDirectory(prefix="jinma-bench-") as name,
    ):
        folder = Path(name)
        with peer.process(folder, broker, influx) as process:
            _warm_up(broker, influx, process)
            if kind == "backlog":
                end_kindly(process)
                _publish(broker, COUNT)
                process.start()
                return _measured(influx, process)
            publishing = OwnedProcess(
                [sys.executable, "-m", "bench.bench_ingest_peer", broker.url], folder / "publishing.log"
            )
            with publishing:
                return _measured(influx, process)


def _warm_up(broker: Mosquitto, influx: Influxd, process: OwnedProcess) -> None:
    """See that one message comes through, which also makes the subscription and the shard."""
    before = points_written(influx)

    def through() -> bool:
        process.check_running()
        _publish(broker, 1)
        return points_written(influx) > before

    wait_until(through, 60.0, f"a first point of {process.command[0]}", every_s=0.5)
    settled = [-1, points_written(influx)]
    while settled[-1] != settled[-2]:  # what was published while it started is through
        time.sleep(1.5)
        settled.append(points_written(influx))


def _measured(influx: Influxd, process: OwnedProcess) -> Figures:
    """Watch from the first point to the last."""
    start = points_written(influx)
    seen: list[tuple[float, float, int]] = []

    def done() -> bool:
        count = points_written(influx) - start
        if count > 0:
            seen.append((time.perf_counter(), cpu_s(process.pid), count))
        return count >= COUNT

    wait_until(done, PATIENCE_S, f"{COUNT} points of {process.command[0]}", every_s=0.05)
    (begin, cpu_before, first), (end, cpu_after, last) = seen[0], seen[-1]
    return Figures((last - first) / (end - begin), (cpu_after - cpu_before) / (last - first) * 1e6)


def _publish(broker: Mosquitto, count: int) -> None:
    publish(broker.url, made(count))


def made(count: int) -> list[tuple[str, bytes]]:
    """Return messages of about 150 bytes with four analog values, each a point of its own, spread over the units."""
    plant = shipped_plant()
    found = []
    for (area, unit), about in plant.units.items():
        analog = [tag for tag in about.tags if not plant.signals[tag].kind.is_discrete][:4]
        if len(analog) == 4:
            found.append((topics.reading(plant.id, area, unit), analog))
    units = found[:_UNITS_MOST]
    base_ms = time.time_ns() // 1_000_000 - 3_600_000
    boot = f"{os.getpid():08x}-{next(_numbers):03}"
    return [
        (units[n % len(units)][0], _payload(units[n % len(units)][1], base_ms + n // len(units), n, len(units), boot))
        for n in range(count)
    ]


def _payload(tags: Sequence[str], t_ms: int, n: int, units: int, boot: str) -> bytes:
    values = {
        tag: round(40.0 + (n * 7919 + index * 104_729) % 1_000_003 / 100_000, 5) for index, tag in enumerate(tags)
    }
    return json.dumps({"t": t_ms, "boot": boot, "seq": n // units, "v": values}).encode()


def publish(url: str, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish everything and wait for the last PUBACK."""
    publisher = MqttPublisher(url, f"bench-publisher-{os.getpid()}-{next(_numbers)}", window=5000)
    publisher.publish_many(messages)
    if not publisher.settle(PATIENCE_S):
        raise TimeoutError("mosquitto did not take the messages")
    publisher.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        publish(sys.argv[1], made(COUNT))
    else:
        main()
