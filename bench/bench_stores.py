"""Both stores at work: values/s written, a window query, the newest values: `python -m bench.bench_stores`.

Beside SQLite stand the same values in a bare table of rows; beside InfluxDB the same lines posted without us.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import count_values, messages, seconds_a_call, show
from station.adapters.line_protocol import message_line
from station.adapters.plant_files import shipped_plant
from station.adapters.sqlite_readings import SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.ports import ReadingStore
from tests.support.influxd import Influxd
from tests.support.processes import find_program

BATCH = 2000
MINUTES = 15
DAY_S = 86_400
TAG = "PT-330A"

Row = tuple[str, str, str, str, str]


def main() -> None:
    said = messages(MINUTES)
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        folder = Path(name)
        rows = _rows("SQLite", SqliteReadings(folder / "r.sqlite"), said, "a bare table", _bare(folder / "bare", said))
        if find_program("influxd") is not None:
            with Influxd() as influx:
                store = open_store(influx.store_url(), influx.token)
                rows += _rows("InfluxDB", store, said, "the same lines posted", _posted(influx, said))
    show(
        f"stores: {count_values(said)} values, {BATCH} messages a batch; then a day of one signal at 1 s",
        ("", "values/s written", "beside", "a day by the minute [ms]", "303 newest [ms]"),
        rows,
    )


def _rows(name: str, store: ReadingStore, said: Sequence[UnitMessage], other: str, beside: float) -> list[Row]:
    begin = time.perf_counter()
    for batch in _batches(said):
        store.write(batch)
    rate = count_values(said) / (time.perf_counter() - begin)
    start_ms = said[0].t_ms - 2 * DAY_S * 1000
    day = [
        UnitMessage("jinma", "storage", "bank-HB", start_ms + 1000 * second, {TAG: 40.0 + second % 60 * 0.1}, {})
        for second in range(DAY_S)
    ]
    for batch in _batches(day):
        store.write(batch)
    end_ms = start_ms + DAY_S * 1000
    window = seconds_a_call(lambda: store.windows("jinma", TAG, start_ms, end_ms, 60_000, "mean"))
    tags = list(shipped_plant().signals)
    latest = seconds_a_call(lambda: store.latest("jinma", tags))
    store.close()
    return [
        (name, f"{rate:,.0f}", f"{rate / beside:.2f} x", f"{window * 1e3:.1f}", f"{latest * 1e3:.1f}"),
        (f"  {other}", f"{beside:,.0f}", "", "", ""),
    ]


def _batches(said: Sequence[UnitMessage]) -> Iterator[Sequence[UnitMessage]]:
    for begin in range(0, len(said), BATCH):
        yield said[begin : begin + BATCH]


def _bare(file: Path, said: Sequence[UnitMessage]) -> float:
    database = sqlite3.connect(file)
    database.executescript(
        "pragma journal_mode = wal; "
        "create table r (signal text, t integer, value real, primary key (signal, t)) without rowid"
    )
    begin = time.perf_counter()
    for batch in _batches(said):
        with database:
            database.executemany(
                "insert or replace into r values (?, ?, ?)",
                [(signal, message.t_ms, value) for message in batch for signal, value in message.values.items()],
            )
    rate = count_values(said) / (time.perf_counter() - begin)
    database.close()
    return rate


def _posted(influx: Influxd, said: Sequence[UnitMessage]) -> float:
    bodies = ["\n".join(map(message_line, batch)).encode() for batch in _batches(said)]
    address = f"{influx.url}/api/v2/write?org={influx.org}&bucket={influx.bucket}&precision=ms"
    begin = time.perf_counter()
    for body in bodies:
        request = urllib.request.Request(address, body, {"Authorization": f"Token {influx.token}"})
        urllib.request.urlopen(request, timeout=30).close()
    return count_values(said) / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
