"""A day of one signal by the minute over HTTP: `python -m bench.bench_readings_http [--days 30] [--rounds 100]`.

The service over a real InfluxDB that holds `--days` of bank-HB each second and the weather each ten; beside it the bare
Flux query of the same windows, on a connection that stays open as ours does. All are asked in turn, so that whatever
else the machine does meets all alike. With `--store sqlite` the same readings in SQLite, beside nothing else.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from bench.figures import show
from bench.processes import cpu_s
from station.adapters.line_protocol import message_line
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from tests.support.influxd import Influxd
from tests.support.service import Service

DAY_MS, MINUTE_MS, WINDOWS = 86_400_000, 60_000, 1440
UNITS = (("storage", "bank-HB", ("PT-330A", "PT-330B"), 1_000), ("utilities", "weather", ("TT-841",), 10_000))
ASKED = ("PT-330A", "TT-841")
LINES_A_WRITE = 10_000
WARM_UP = 6
SETTLED_CPU_S = 0.2

Ask = Callable[[str, int], bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=60, help="of each signal")
    parser.add_argument("--store", choices=("influx", "sqlite"), default="influx")
    asked = parser.parse_args()
    end_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    span = (end_ms - asked.days * DAY_MS, end_ms)
    (_over_influx if asked.store == "influx" else _over_sqlite)(span, asked.rounds)


def _over_influx(span: tuple[int, int], rounds: int) -> None:
    with Influxd() as influx:
        keeper = _Kept(f"127.0.0.1:{influx.port}", f"Token {influx.token}")
        for batch in _batches(*span):
            lines = "\n".join(message_line(one) for one in batch).encode()
            keeper.post(f"/api/v2/write?org={influx.org}&bucket={influx.bucket}&precision=ms", lines, "text/plain")
        place = ("--no-simulator", "--store", influx.store_url(), "--keep", "36500d")
        with Service(*place, env={"INFLUXDB_V2_TOKEN": influx.token}) as service:
            _settle(service)
            questions = {
                "GET /readings, every=1m": _route(service),
                "the bare Flux query": _bare(influx, keeper, ""),
                "the same, of time and value alone": _bare(influx, keeper, ' |> keep(columns: ["_time", "_value"])'),
            }
            _show("InfluxDB", span, _in_turn(questions, span, rounds), "the bare Flux query")


def _over_sqlite(span: tuple[int, int], rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        store = SqliteReadings(Path(name) / "readings.sqlite")
        for batch in _batches(*span):
            store.write(batch)
        store.close()
        with Service("--no-simulator", "--keep", "36500d", data_dir=Path(name)) as service:
            _settle(service)
            _show("SQLite", span, _in_turn({"GET /readings, every=1m": _route(service)}, span, rounds), None)


def _settle(service: Service) -> None:
    """Wait until the service has caught up with its past: some ten seconds after a start, half a minute at most."""
    for _ in range(15):
        before = cpu_s(service.process.pid)
        time.sleep(2)
        if cpu_s(service.process.pid) - before < SETTLED_CPU_S:
            return


def _in_turn(questions: Mapping[str, Ask], span: tuple[int, int], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of each question about each signal."""
    random = np.random.default_rng(3)
    seconds: dict[tuple[str, str], list[float]] = {(name, tag): [] for name in questions for tag in ASKED}
    for number in range(WARM_UP + rounds):
        for tag in ASKED:
            start_ms = int(random.integers(span[0], span[1] - DAY_MS + 1)) // 1000 * 1000
            names = list(questions)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                began = time.perf_counter()
                questions[name](tag, start_ms)
                if number >= WARM_UP:
                    seconds[name, tag].append(time.perf_counter() - began)
    return seconds


def _show(
    store: str, span: tuple[int, int], seconds: Mapping[tuple[str, str], Sequence[float]], beside: str | None
) -> None:
    rows: list[tuple[str, ...]] = []
    for (name, tag), own in seconds.items():
        middle, high = (f"{one:.1f}" for one in np.percentile(own, (50, 95)) * 1e3)
        of_bare = ("", "")
        if beside is not None:
            ratios = np.percentile(own, (50, 95)) / np.percentile(seconds[beside, tag], (50, 95))
            of_bare = (f"{ratios[0]:.2f} x", f"{ratios[1]:.2f} x")
        rows.append((tag, name, middle, high, *of_bare))
    title = f"{store} with {(span[1] - span[0]) // DAY_MS} days: 24 h of one signal by the minute"
    show(title, ("", "", "median [ms]", "p95 [ms]", "of the bare", "p95"), rows)


class _Kept:
    """One connection that stays open."""

    def __init__(self, address: str, authorization: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=120)
        self._headers = {"Authorization": authorization}

    def post(self, path: str, body: bytes, kind: str) -> bytes:
        self._connection.request("POST", path, body, self._headers | {"Content-Type": kind})
        return self._read()

    def get(self, path: str) -> bytes:
        try:
            self._connection.request("GET", path, headers=self._headers)
            return self._read()
        except http.client.RemoteDisconnected:  # A server ends what has been silent for five seconds.
            self._connection.close()
            self._connection.request("GET", path, headers=self._headers)
            return self._read()

    def _read(self) -> bytes:
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {body[:300]!r}")
        return body


def _route(service: Service) -> Ask:
    """Return what asks our API, and looks at least at how many windows came."""
    kept = _Kept(service.url.removeprefix("http://"), f"Bearer {service.token}")

    def ask(tag: str, start_ms: int) -> bytes:
        asked = {"signal": tag, "start": start_ms, "end": start_ms + DAY_MS, "every": "1m", "aggregate": "mean"}
        body = kept.get(f"/api/v1/stations/jinma/readings?{urlencode(asked | {'limit': 2 * WINDOWS})}")
        if not WINDOWS <= body.count(b'"good"') <= WINDOWS + 1:
            raise RuntimeError(f"{tag} from {start_ms}: {body.count(b'good')} windows")
        return body

    return ask


def _bare(influx: Influxd, kept: _Kept, more: str) -> Ask:
    def ask(tag: str, start_ms: int) -> bytes:
        span = f"start: time(v: {start_ms}000000), stop: time(v: {start_ms + DAY_MS}000000)"
        flux = (
            f'from(bucket: "{influx.bucket}") |> range({span})'
            f' |> filter(fn: (r) => r.station == "jinma" and r._field == "{tag}")'
            f" |> aggregateWindow(every: 1m, fn: mean, createEmpty: false){more}"
        )
        return kept.post(f"/api/v2/query?org={influx.org}", json.dumps({"query": flux}).encode(), "application/json")

    return ask


def _batches(start_ms: int, end_ms: int) -> Iterator[list[UnitMessage]]:
    said = _said(start_ms, end_ms)
    while batch := list(islice(said, LINES_A_WRITE)):
        yield batch


def _said(start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
    random = np.random.default_rng(1)
    for hour_ms in range(start_ms, end_ms, DAY_MS // 24):
        for area, unit, tags, every_ms in UNITS:
            count = min(DAY_MS // 24, end_ms - hour_ms) // every_ms
            values = np.round(40 + random.normal(0, 0.05, (count, len(tags))).cumsum(axis=0) % 5, 2).tolist()
            for place, row in enumerate(values):
                yield UnitMessage("jinma", area, unit, hour_ms + every_ms * place, dict(zip(tags, row, strict=True)))


if __name__ == "__main__":
    main()
