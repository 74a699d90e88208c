"""Logs out and in: `python -m bench.bench_logs [--hours 24] [--influx-minutes 60] [--formats .csv] [--round-trip]`.

A day of the station (StationHours: a busy hour again and again, 303 signals) is exported by the command itself from
SQLite in every format: values a second over the whole run of the command, the first byte in the file since its start,
its most memory. With `--round-trip` each log is imported again by the command into an empty store, and the two stores
are held against each other reading by reading. Then an hour is exported from InfluxDB beside influxdb-client's own
`query_stream` over the same range.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from influxdb_client import InfluxDBClient

from bench.figures import count_values, messages, show
from bench.station_hours import HOUR_MS, StationHours
from station.adapters.log_export import export_log
from station.adapters.reading_tables import ReadingTable
from station.adapters.sqlite_readings import SqliteReadings
from station.adapters.store_urls import open_store
from tests.support.influxd import Influxd

START_MS = 1_780_243_200_000  # 2026-06-01 00:00 at the station
FORMATS = (".parquet", ".ndjson", ".ndjson.gz", ".ndjson.zst", ".csv", "wide.csv", ".lp")
BATCH = 2000


class Run(NamedTuple):
    """One run of a command; `cpu_s` is what it would take of a core of its own, whatever else the machine does."""

    seconds: float
    cpu_s: float
    first_byte_s: float
    first_byte_cpu_s: float
    memory_mb: float
    said: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--influx-minutes", type=int, default=60, help="0: no InfluxDB")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--round-trip", action="store_true", help="import each log again and compare the stores")
    parser.add_argument("--keep", type=Path, help="keep, or use again, the store here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        folder = Path(name)
        if asked.hours:
            store = (asked.keep or folder) / f"day-{asked.hours}.sqlite"
            values = _filled(store, asked.hours)
            _exports(store, values, asked.hours, asked.formats.split(","), folder, round_trip=asked.round_trip)
        if asked.influx_minutes:
            with Influxd() as influx:
                _influx(influx, asked.influx_minutes * 60_000, folder)


def _filled(path: Path, hours: int) -> int:
    """Return how many values a store of some hours has; it is made where it is missing."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    store = SqliteReadings(path)
    if is_new:
        _fill(store, hours)
    values = sum(len(table.t_ms) for table in store.tables("jinma", START_MS, START_MS + hours * HOUR_MS))
    store.close()
    return values


def _fill(store: SqliteReadings, hours: int) -> None:
    station = StationHours()
    for hour in range(hours):
        said = station.hour(START_MS + hour * HOUR_MS)
        while batch := list(islice(said, BATCH)):
            store.write(batch)


def _exports(store: Path, values: int, hours: int, formats: list[str], folder: Path, *, round_trip: bool) -> None:
    rows = []
    for suffix in formats:
        log = folder / f"log{suffix if suffix.startswith('.') else '-' + suffix}"
        run = _export(f"sqlite:///{store}", hours, log, wide="wide" in suffix)
        row = [suffix, *_figures(run, values), f"{log.stat().st_size / 1e6:,.0f}"]
        if round_trip:
            other = folder / "other.sqlite"
            back = _run(["import", str(log), "--store", f"sqlite:///{other}", "--json"], None)
            row += [f"{values / back.cpu_s:,.0f}", f"{back.memory_mb:.0f}", _compared(store, other, hours)]
            for file in folder.glob("other.sqlite*"):
                file.unlink()
        log.unlink()
        rows.append(tuple(row))
        print("  ".join(row), flush=True)
    columns = ("format", "values/s", "of CPU", "first byte [s]", "of CPU", "memory [MB]", "file [MB]")
    more = ("in: of CPU", "memory [MB]", "equal") if round_trip else ()
    show(f"`jinma export` of {hours} h, {values:,} values, from SQLite", (*columns, *more), rows)


def _figures(run: Run, values: int) -> list[str]:
    rates = (values / run.seconds, values / run.cpu_s)
    firsts = (run.first_byte_s, run.first_byte_cpu_s)
    return [*(f"{rate:,.0f}" for rate in rates), *(f"{first:.2f}" for first in firsts), f"{run.memory_mb:.0f}"]


def _export(url: str, hours: int, log: Path, *, wide: bool = False, token: str = "") -> Run:
    ends = [_stamp(START_MS), _stamp(START_MS + hours * HOUR_MS)]
    words = ["export", "--store", url, "--from", ends[0], "--to", ends[1], "--output", str(log), "--json"]
    return _run([*words, *(["--layout", "wide"] if wide else [])], log.with_name(f"unfinished-{log.name}"), token)


def _run(words: list[str], watched: Path | None, token: str = "") -> Run:
    """Run the command; watch for the first byte of a file that it writes, and for its memory."""
    command = [str(Path(sys.executable).with_name("jinma")), *words]
    began = time.perf_counter()
    first_s = first_cpu_s = memory_mb = 0.0
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdout=said, env={**os.environ, "INFLUXDB_V2_TOKEN": token}) as child,
    ):
        ended = 0
        while not ended:
            if not first_s and watched is not None and watched.exists() and watched.stat().st_size:
                first_s, first_cpu_s = time.perf_counter() - began, _cpu_s(child.pid)
            memory_mb = max(memory_mb, _memory_mb(child.pid))
            time.sleep(0.005)
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        answer = said.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, first_s, first_cpu_s, memory_mb, json.loads(answer))


def _cpu_s(pid: int) -> float:
    """Return what a process has taken of a core so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    """Return the most memory that a process has had; `ru_maxrss` of a child would count this process before it too."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def _stamp(t_ms: int) -> str:
    return f"{np.datetime64(t_ms, 'ms')}Z"


def _compared(one: Path, other: Path, hours: int) -> str:
    """Return how many readings two stores have alike by (station, area, unit, signal, t, value, quality), or NO."""
    stores = SqliteReadings(one), SqliteReadings(other)
    try:
        end_ms = START_MS + hours * HOUR_MS
        pairs = zip(*(store.tables("jinma", START_MS, end_ms) for store in stores), strict=True)
        count = 0
        for tables in pairs:
            mine, theirs = (_sorted(table) for table in tables)
            if any(not np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(mine, theirs, strict=True)):
                return "NO"
            count += len(mine[0])
        return f"{count:,}"
    finally:
        for store in stores:
            store.close()


def _sorted(table: ReadingTable) -> list[np.ndarray[Any, Any]]:
    owners = np.array(["/".join(table.units[unit]) for unit in range(len(table.units))])[table.unit]
    tags = np.array(table.tags)[table.signal]
    order = np.lexsort((owners, tags, table.t_ms))
    return [
        table.t_ms[order],
        tags[order],
        owners[order],
        table.value[order],
        np.array(table.qualities)[table.quality][order],
    ]


def _influx(influx: Influxd, span_ms: int, folder: Path) -> None:
    url = influx.store_url("bench-logs")
    store = open_store(url, influx.token)
    now_ms = time.time_ns() // 1_000_000
    first_ms = now_ms - now_ms % HOUR_MS - 2 * HOUR_MS
    simulated = messages(span_ms / 60_000)
    shift_ms = first_ms - simulated[0].t_ms  # of the last 30 days, as the bucket asks
    said = [msgspec.structs.replace(message, t_ms=message.t_ms + shift_ms) for message in simulated]
    for first in range(0, len(said), BATCH):
        store.write(said[first : first + BATCH])
    store.close()
    values = count_values(said)
    before_s = _cpu_s(influx.process.pid)
    rows = []
    for suffix in (".parquet", ".ndjson"):
        row = _exported(influx, first_ms, first_ms + span_ms, folder / f"influx{suffix}", values)
        served_s, before_s = _cpu_s(influx.process.pid) - before_s, _cpu_s(influx.process.pid)
        rows.append((f"export_log {suffix}", *row, f"{values / served_s:,.0f}"))
        print("  ".join(rows[-1]), flush=True)
    streamed = _streamed(influx, first_ms, first_ms + span_ms)
    served_s = _cpu_s(influx.process.pid) - before_s
    rows.append(("influxdb-client query_stream", *streamed, f"{values / served_s:,.0f}"))
    columns = ("", "values/s", "of CPU", "of influxd's CPU")
    show(f"{values:,} values out of InfluxDB", columns, rows)


def _exported(influx: Influxd, first_ms: int, last_ms: int, log: Path, values: int) -> tuple[str, str]:
    """Return what an export carries in this process, without the start of a command: values/s, and of CPU."""
    store = open_store(influx.store_url("bench-logs"), influx.token)
    began, began_cpu = time.perf_counter(), time.process_time()
    export_log(store, "jinma", first_ms, last_ms, log, version="bench")
    rates = (values / (time.perf_counter() - began), values / (time.process_time() - began_cpu))
    store.close()
    log.unlink()
    return f"{rates[0]:,.0f}", f"{rates[1]:,.0f}"


def _streamed(influx: Influxd, first_ms: int, last_ms: int) -> tuple[str, str]:
    """Return what influxdb-client's own stream of records carries: values/s, and of CPU."""
    flux = (
        f'from(bucket: "bench-logs") |> range(start: time(v: {first_ms * 1_000_000}), '
        f"stop: time(v: {last_ms * 1_000_000}))"
    )
    began, began_cpu = time.perf_counter(), time.process_time()
    with InfluxDBClient(url=influx.url, token=influx.token, org=influx.org, timeout=600_000) as client:
        count = sum(1 for _ in client.query_api().query_stream(flux))
    rates = (count / (time.perf_counter() - began), count / (time.process_time() - began_cpu))
    return f"{rates[0]:,.0f}", f"{rates[1]:,.0f}"


if __name__ == "__main__":
    main()
