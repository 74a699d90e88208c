"""Programs that bring MQTT to InfluxDB, ours and Telegraf, as bench_ingest_peer runs them: a process each."""

from __future__ import annotations

import os
import re
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.service import feed_filters
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.processes import OwnedProcess, find_program

_TICKS = os.sysconf("SC_CLK_TCK")
_POINTS = re.compile(r"^storage_writer_req_points_sum\S* (\S+)$", re.MULTILINE)

TELEGRAF = """\
[agent]
  interval = "1s"
  flush_interval = "{flush}"
  metric_batch_size = {batch}
  metric_buffer_limit = {buffer}
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = [{topics}]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "{client}"
  max_undelivered_messages = {undelivered}
  data_format = "json_v2"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "+/+/+/+/+"
    measurement = "_/_/_/measurement/_"
    tags = "_/_/station/_/unit"
  [[inputs.mqtt_consumer.json_v2]]
    timestamp_path = "t"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "v"
[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
  content_encoding = "identity"
"""


@dataclass(frozen=True)
class Peer:
    """One program with its settings.

    Attributes:
        title: In the table.
        command: Makes the command line in a folder of the run's own.
        env: What the process is given beside its own environment.
    """

    title: str
    command: Callable[[Path, Mosquitto, Influxd], list[str]]
    env: Callable[[Influxd], Mapping[str, str]] = field(default=lambda _: {})

    def process(self, folder: Path, broker: Mosquitto, influx: Influxd) -> OwnedProcess:
        """Return the process, not started."""
        return OwnedProcess(self.command(folder, broker, influx), folder / "output.log", self.env(influx))


def peers() -> list[Peer]:
    """Return Telegraf as it comes, Telegraf tuned (where it is built), and ours."""
    found = []
    if find_program("telegraf") is not None:
        found.append(Peer("Telegraf 1.37, default", _telegraf(1000, 1000, 10_000, "10s")))
        found.append(Peer("Telegraf 1.37, tuned", _telegraf(10_000, 5000, 50_000, "1s")))
    return [*found, Peer("jinma ingest", _ours, lambda influx: {"INFLUXDB_V2_TOKEN": influx.token})]


def _ours(folder: Path, broker: Mosquitto, influx: Influxd) -> list[str]:
    program = str(Path(sys.executable).with_name("jinma"))
    where = ["--broker", broker.url, "--store", influx.store_url(), "--spool", str(folder / "spool")]
    return [program, "ingest", *where]


def _telegraf(undelivered: int, batch: int, buffer: int, flush: str) -> Callable[[Path, Mosquitto, Influxd], list[str]]:
    def command(folder: Path, broker: Mosquitto, influx: Influxd) -> list[str]:
        configuration = folder / "telegraf.conf"
        topics = ", ".join(f'"{one}"' for one in feed_filters(station_clock=False))
        text = TELEGRAF.format(
            flush=flush,
            batch=batch,
            buffer=buffer,
            undelivered=undelivered,
            port=broker.port,
            topics=topics,
            client=f"telegraf-{undelivered}",
            url=influx.url,
            token=influx.token,
            org=influx.org,
            bucket=influx.bucket,
        )
        configuration.write_text(text)
        return [str(find_program("telegraf")), "--config", str(configuration), "--quiet"]

    return command


def cpu_s(pid: int) -> float:
    """Return the processor seconds that a process has used, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def points_written(influx: Influxd) -> int:
    """Return how many points InfluxDB has taken since it started, as it says itself: no query disturbs it."""
    with urllib.request.urlopen(f"{influx.url}/metrics", timeout=10) as answer:
        return int(sum(float(found) for found in _POINTS.findall(answer.read().decode())))


def end_kindly(process: OwnedProcess) -> None:
    """SIGTERM and the wait for its end."""
    os.kill(process.pid, signal.SIGTERM)
    process.stop()
