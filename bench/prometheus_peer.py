"""The peer of the alarm benchmark: the same rule in Prometheus and Alertmanager, as fast as they go by intervals."""

from __future__ import annotations

import http.server
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.alarm_ears import serving, webhook
from tests.support.ports import free_port
from tests.support.processes import OwnedProcess, find_program, wait_until

PROGRAMS = ("prometheus", "prometheus-alertmanager")
"""Debian packages of the same names."""
_START_S = 30.0
_PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - {{job_name: station, static_configs: [{{targets: ["{exporter}"]}}]}}
"""
_RULES = "groups: [{name: fire, rules: [{alert: Flame, expr: flame == 1, labels: {priority: critical}}]}]\n"
_ALERTMANAGER = """\
route: {{receiver: hook, group_by: [sample], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}", send_resolved: false}}]}}]
"""
# Each sample has a label of its own, so that each is a new alert in a new group, which nothing holds back.


def missing_programs() -> list[str]:
    """Return which programs of this peer are not installed."""
    return [name for name in PROGRAMS if find_program(name) is None]


@contextmanager
def prometheus() -> Iterator[Callable[[str], float]]:
    """Run both with an exporter of our own; gives what raises a flame by a name and returns the seconds until told."""
    burning: list[str] = []

    class Exporter(http.server.BaseHTTPRequestHandler):
        """Exposes the flames that burn."""

        def do_GET(self) -> None:
            """Answer a scrape."""
            body = "".join(f'flame{{sample="{name}"}} 1\n' for name in burning).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ExitStack() as stack:
        hook, told = stack.enter_context(webhook(_samples))
        exporter = stack.enter_context(serving(Exporter))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jinma-bench-prometheus-")))
        for process, ready in _processes(folder, hook, exporter.removeprefix("http://")):
            stack.enter_context(process)
            wait_until(lambda process=process, ready=ready: _answers(process, ready), _START_S, ready)

        def raise_flame(name: str) -> float:
            begin = time.perf_counter()
            burning.append(name)
            took_s = told.moment(name) - begin
            burning.remove(name)
            return took_s

        yield raise_flame


def _samples(body: Any) -> Iterator[str]:
    for alert in body["alerts"]:
        yield alert["labels"]["sample"]


def _processes(folder: Path, hook: str, exporter: str) -> Iterator[tuple[OwnedProcess, str]]:
    """Yield Alertmanager, then Prometheus, each with the address at which it says that it is ready."""
    alertmanager, server = free_port(), free_port()
    (folder / "alertmanager.yml").write_text(_ALERTMANAGER.format(hook=hook))
    (folder / "rules.yml").write_text(_RULES)
    (folder / "prometheus.yml").write_text(
        _PROMETHEUS.format(folder=folder, alertmanager=alertmanager, exporter=exporter)
    )
    programs = {name: str(find_program(name)) for name in PROGRAMS}
    yield (
        OwnedProcess(
            [
                programs["prometheus-alertmanager"],
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alerts",
                f"--web.listen-address=127.0.0.1:{alertmanager}",
                "--cluster.listen-address=",
            ],
            folder / "alertmanager.log",
        ),
        f"http://127.0.0.1:{alertmanager}/-/ready",
    )
    yield (
        OwnedProcess(
            [
                programs["prometheus"],
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{server}",
            ],
            folder / "prometheus.log",
        ),
        f"http://127.0.0.1:{server}/-/ready",
    )


def _answers(process: OwnedProcess, ready: str) -> bool:
    process.check_running()
    try:
        return httpx.get(ready, timeout=2).is_success
    except httpx.HTTPError:
        return False
