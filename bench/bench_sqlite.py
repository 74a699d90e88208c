"""The SQLite store filled and asked: `python -m bench.bench_sqlite [--values 100e6] [--days 30] [--keep FOLDER]`.

First it is filled with a simulated hour of the whole station, shifted from hour to hour with other noise (see
`station_hours`), in batches as the ingest delivers a backlog. Then `jinma run` keeps house over a store that holds
`--days` of the units of ten signals, its own simulator publishing at station rate, and is asked over HTTP.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from bench.figures import count_values, show
from bench.processes import cpu_s
from bench.station_hours import HOUR_MS, StationHours
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from tests.support.service import Service

BATCH = 2000
DAY_MS = 24 * HOUR_MS
TAGS = (
    "PT-310A", "PT-320A", "PT-330A", "PT-310B", "PT-320B", "PT-330B", "PT-341", "TT-351", "TT-310C", "TT-330C",
)  # fmt: skip
UNITS = tuple(("storage", unit) for unit in ("bank-LB", "bank-MB", "bank-HB", "header-hp", "vent"))
READERS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=float, default=3e6)
    parser.add_argument("--days", type=int, default=3, help="days of ten signals that are asked about")
    parser.add_argument("--keep", type=Path, help="keep the store of the first part here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        folder = asked.keep or Path(name) / "filled"
        folder.mkdir(parents=True, exist_ok=True)
        _filled(folder / "readings.sqlite", int(asked.values))
        if asked.days:
            _questions(Path(name) / "data", asked.days)


def _filled(path: Path, values: int) -> None:
    hours, store = StationHours(), SqliteReadings(path)
    rows: list[tuple[str, ...]] = []
    done, stretch, spent_s, cpu_s, longest_s = 0, 0, 0.0, 0.0, 0.0
    every = min(10_000_000, max(values // 5, 1))
    for batch in _batches(hours, time.time_ns() // 1_000_000 - values * HOUR_MS // hours.values):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        store.write(batch)
        took_s = time.perf_counter() - began_s
        spent_s, cpu_s, longest_s = spent_s + took_s, cpu_s + time.process_time() - began_cpu_s, max(longest_s, took_s)
        stretch += count_values(batch)
        if stretch >= every:
            done += stretch
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            row = (f"{stretch / spent_s:,.0f}", f"{stretch / cpu_s:,.0f}", f"{longest_s * 1e3:.0f}", f"{memory}")
            rows.append((f"{done / 1e6:,.1f} M", *row, f"{_size(path) / done:.2f}"))
            print("  ".join(rows[-1]), flush=True)
            stretch, spent_s, cpu_s, longest_s = 0, 0.0, 0.0, 0.0
        if done >= values:
            break
    store.close()
    rows.append(("closed", "", "", "", "", f"{_size(path) / max(done, 1):.2f}"))
    columns = ("values", "values/s", "values/s of CPU", "longest write [ms]", "most memory [MB]", "bytes/value")
    show(f"SQLite: a station hour of {hours.values:,} values again and again, {BATCH} messages a write", columns, rows)


def _batches(hours: StationHours, start_ms: int) -> Iterator[list[UnitMessage]]:
    start_ms -= start_ms % HOUR_MS
    while True:
        said = hours.hour(start_ms)
        while batch := list(islice(said, BATCH)):
            yield batch
        start_ms += HOUR_MS


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))


def _questions(data_dir: Path, days: int) -> None:
    data_dir.mkdir(parents=True)
    store, hours = SqliteReadings(data_dir / "readings.sqlite"), StationHours(UNITS)
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - now_ms % HOUR_MS - days * DAY_MS
    for hour_ms in range(start_ms, start_ms + days * DAY_MS, HOUR_MS):
        store.write(list(hours.hour(hour_ms)))
    store.close()
    with Service("--keep", f"{days + 2}d", data_dir=data_dir) as service:
        service.wait_live(120.0)
        _ask(service, start_ms, days)


def _ask(service: Service, start_ms: int, days: int) -> None:
    end_ms = start_ms + days * DAY_MS
    random = np.random.default_rng(2)

    def day_of(tag: str) -> str:
        begin_ms = int(random.integers(start_ms, max(end_ms - DAY_MS, start_ms) + 1))
        return _query((tag,), begin_ms, begin_ms + DAY_MS, every="1m", aggregate="mean", limit=2000)

    def second() -> str:
        begin_ms = int(random.integers(start_ms, end_ms - 1000))
        return _query(TAGS[:1], begin_ms, begin_ms + 1000, aggregate="raw")

    def tag() -> str:
        return str(random.choice(TAGS[:8]))

    trend = _query(TAGS, start_ms, end_ms, every="1h", aggregate="mean", limit=2000)
    picture = _query(TAGS, start_ms, end_ms, route="trends", every="1h")
    fine = _query(TAGS, start_ms, end_ms, every="5m", aggregate="mean", limit=10_000)
    reader = _Reader(service)
    questions: list[tuple[str, Callable[[], list[float]]]] = [
        ("a day of one signal by the minute", lambda: reader.times(day_of(tag()) for _ in range(200))),
        ("one second, anywhere", lambda: reader.times(second() for _ in range(200))),
        (f"10 signals over {days} days by the hour", lambda: reader.times([trend] * 20)),
        ("the same with least and greatest, as a picture", lambda: reader.times([picture] * 20)),
        (f"10 signals over {days} days by 5 minutes", lambda: reader.times([fine] * 10)),
    ]
    days_asked = [day_of(tag()) for _ in range(READERS * 20)]
    for name, pause_s in ((f"{READERS} readers, a day each second", 1.0), (f"{READERS} readers without a pause", 0.0)):
        questions.append((name, lambda pause_s=pause_s: _at_once(service, days_asked, pause_s)))
    pictures = [picture] * READERS * 4
    questions.append((f"{READERS} readers, a picture each four seconds", lambda: _at_once(service, pictures, 4.0)))
    rows = [(name, *_figures(service, ask)) for name, ask in questions]
    age_s, load = service.newest_age_s(), os.getloadavg()[0] / (os.cpu_count() or 1)
    show(
        f"SQLite through the API of `jinma run`, its simulator publishing (newest value {age_s:.1f} s old at the end, "
        f"machine's load {load:.1f} a core)",
        ("question", "median [ms]", "p95 [ms]", "most [ms]", "CPU of the service [ms an answer]"),
        rows,
    )


def _figures(service: Service, ask: Callable[[], list[float]]) -> tuple[str, ...]:
    """Return the percentiles of what was asked, and the service's CPU an answer, what it does besides counted in."""
    began_s = cpu_s(service.process.pid)
    took = ask()
    return *_percentiles(took), f"{(cpu_s(service.process.pid) - began_s) / len(took) * 1e3:.1f}"


def _query(tags: Iterable[str], start_ms: int, end_ms: int, *, route: str = "readings", **how: object) -> str:
    pairs = [("signal", tag) for tag in tags] + [("start", start_ms), ("end", end_ms), *how.items()]
    return f"/api/v1/stations/jinma/{route}?" + urlencode(pairs)


class _Reader:
    """One client on one connection."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.ports["http"], timeout=60.0)
        self._headers = {"Authorization": f"Bearer {service.token}"}

    def times(self, paths: Iterable[str], pause_s: float = 0.0) -> list[float]:
        """Return the seconds that each answer took, to its last byte."""
        return [self._time(path, pause_s) for path in paths]

    def _time(self, path: str, pause_s: float) -> float:
        began_s = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_s = time.perf_counter() - began_s
        if answer.status != 200 or not _has_numbers(body):
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
        time.sleep(max(0.0, pause_s - took_s))
        return took_s


def _has_numbers(body: bytes) -> bool:
    first = json.loads(body)["series"][0]
    return any(number is not None for number in first.get("points") or first.get("mean") or ())


def _at_once(service: Service, paths: list[str], pause_s: float) -> list[float]:
    """Return the seconds that each answer took to so many readers at once."""
    found: list[float] = []

    def work(number: int) -> None:
        time.sleep(pause_s * number / READERS)
        found.extend(_Reader(service).times(paths[number::READERS], pause_s))

    _run_all([lambda number=number: work(number) for number in range(READERS)])
    return found


def _run_all(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _percentiles(seconds: list[float]) -> tuple[str, str, str]:
    return tuple(f"{number * 1e3:.0f}" for number in np.percentile(seconds, (50, 95, 100)))  # type: ignore[return-value]


if __name__ == "__main__":
    main()
