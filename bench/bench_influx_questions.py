"""InfluxDB asked about the past: `python -m bench.bench_influx_questions [--days 30] [--rounds 60]`.

Ten signals of one unit, a value a second, through our store; beside it the bare Flux query of the same windows, its
answer read to the last byte. Both are asked in turn, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import urllib.request
from collections.abc import Callable, Iterator

import numpy as np

from bench.figures import show
from station.adapters.influx_readings import InfluxReadings
from tests.support.influxd import Influxd

DAY_MS, MINUTE_MS = 86_400_000, 60_000
TAGS = tuple(f"PT-3{number}A" for number in range(10, 20))
LINES_A_WRITE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    now_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    start_ms = now_ms - asked.days * DAY_MS
    with Influxd() as influx:
        began = time.perf_counter()
        for body in _lines(start_ms, now_ms):
            _post(influx, f"/api/v2/write?org={influx.org}&bucket={influx.bucket}&precision=ms", body)
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        store = InfluxReadings(influx.url, influx.token, influx.org, influx.bucket)
        _ask(influx, store, start_ms, now_ms, asked.rounds)
        store.close()


def _ask(influx: Influxd, store: InfluxReadings, start_ms: int, now_ms: int, rounds: int) -> None:
    random = np.random.default_rng(3)
    ours: list[float] = []
    bare: list[float] = []
    for number in range(rounds):
        begin_ms = int(random.integers(start_ms, now_ms - DAY_MS + 1))
        tag = TAGS[number % len(TAGS)]
        windows: list[Callable[[], object]] = [
            lambda tag=tag, at=begin_ms: store.windows("jinma", tag, at, at + DAY_MS, MINUTE_MS, "mean"),
            lambda tag=tag, at=begin_ms: _bare(influx, tag, at, at + DAY_MS, "1m"),
        ]
        for which in (0, 1) if number % 2 else (1, 0):
            (ours, bare)[which].append(_seconds(windows[which]))
    trend: dict[str, list[float]] = {}
    for aggregate in ("mean", "max"):
        trend[f"our store: 10 signals over all by the hour, {aggregate}"] = [
            _seconds(lambda how=aggregate: [store.windows("jinma", t, start_ms, now_ms, 3_600_000, how) for t in TAGS])
            for _ in range(3)
        ]
    rows = [
        _row("our store: a day of one signal by the minute", ours, np.median(ours) / np.median(bare)),
        _row("the bare Flux query of it", bare, 1.0),
        *(_row(name, seconds, None) for name, seconds in trend.items()),
    ]
    show(
        f"InfluxDB with {(now_ms - start_ms) // DAY_MS} days of ten signals at 1 s",
        ("", "median [ms]", "p95 [ms]", "of the bare"),
        rows,
    )


def _seconds(ask: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _row(name: str, seconds: list[float], ratio: float | None) -> tuple[str, ...]:
    median, p95 = np.percentile(seconds, (50, 95)) * 1e3
    return name, f"{median:.0f}", f"{p95:.0f}", "" if ratio is None else f"{ratio:.2f} x"


def _bare(influx: Influxd, tag: str, start_ms: int, end_ms: int, every: str) -> bytes:
    flux = (
        f'from(bucket: "{influx.bucket}") |> range(start: time(v: {start_ms}000000), stop: time(v: {end_ms}000000))'
        f' |> filter(fn: (r) => r.station == "jinma" and r._field == "{tag}")'
        f" |> aggregateWindow(every: {every}, fn: mean, createEmpty: false)"
    )
    return _post(influx, f"/api/v2/query?org={influx.org}", json.dumps({"query": flux}).encode(), "application/json")


def _post(influx: Influxd, path: str, body: bytes, kind: str = "text/plain") -> bytes:
    headers = {"Authorization": f"Token {influx.token}", "Content-Type": kind}
    with urllib.request.urlopen(urllib.request.Request(influx.url + path, body, headers), timeout=120) as answer:
        read: bytes = answer.read()
    return read


def _lines(start_ms: int, end_ms: int) -> Iterator[bytes]:
    random = np.random.default_rng(1)
    for first_ms in range(start_ms, end_ms, 1000 * LINES_A_WRITE):
        count = min(LINES_A_WRITE, (end_ms - first_ms) // 1000)
        values = np.round(40 + random.normal(0, 0.05, (count, len(TAGS))).cumsum(axis=0) % 5, 2).tolist()
        yield "\n".join(
            f"storage,station=jinma,unit=bank-HB {','.join(f'{t}={v}' for t, v in zip(TAGS, row, strict=True))}"
            f" {first_ms + 1000 * place}"
            for place, row in enumerate(values)
        ).encode()


if __name__ == "__main__":
    main()
