"""Readings out of a store into a log: the same readings, whatever the store."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stores import log_store
from station.adapters.log_export import export_log
from station.adapters.log_files import read_log, read_log_header
from station.adapters.memory import MemoryReadings
from station.adapters.sqlite_readings import SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import UnitMessage
from station.errors import BadInputError, StoreUnavailableError
from station.ports import ReadingStore
from station.settings import load_settings
from station.wire import json_v1, topics
from tests.support.influxd import Influxd

T0 = 1_795_420_800_000


def hour_of_readings(station: str) -> list[UnitMessage]:
    rng = random.Random(3)
    messages = []
    for second in range(0, 3600, 5):
        for unit in ("bank-HB", "bank-LB"):
            values: dict[str, float | None] = {f"PT-{unit}": round(rng.uniform(30, 45), 2), f"ZS-{unit}": 1.0}
            if second % 60 == 0:
                values[f"TT-{unit}"] = None if second % 600 == 0 else round(rng.uniform(10, 30), 1)
            quality = {f"PT-{unit}": "uncertain:drift"} if second % 100 == 0 else {}
            messages.append(UnitMessage(station, "storage", unit, T0 + second * 1000, values, quality))
    return messages


def readings(path: Path) -> set[tuple[object, ...]]:
    """A log as contract section 8 compares it: (station, area, unit, signal, t, value, quality)."""
    found = set()
    for record in read_log(path, lambda number, text: pytest.fail(f"line {number} {text}")):
        topic = topics.parse_reading(record.topic)
        assert topic is not None
        said = json_v1.decode(record.payload)
        assert said.boot is None
        assert said.seq is None
        for signal, value in said.values.items():
            quality = said.quality.get(signal, "good" if value is not None else "bad:null")
            found.add((*topic, signal, said.t_ms, value, quality))
    return found


def expected(messages: list[UnitMessage]) -> set[tuple[object, ...]]:
    return {
        (m.station, m.area, m.unit, reading.signal, m.t_ms, reading.value, reading.quality)
        for m in messages
        for reading in m.readings()
    }


@pytest.mark.parametrize("kind", ["memory", "sqlite", "influx"])
@pytest.mark.parametrize("suffix", [".ndjson", ".ndjson.gz", ".ndjson.zst", ".csv", ".lp", ".parquet"])
def test_a_log_holds_exactly_what_was_asked(
    kind: str, suffix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store: ReadingStore
    if kind == "influx":
        influxd: Influxd = request.getfixturevalue("influxd")
        store = open_store(influxd.store_url(), influxd.token)
    else:
        store = MemoryReadings() if kind == "memory" else SqliteReadings(tmp_path / "s.db")
    station = f"export-{kind}{suffix.replace('.', '-')}"
    sent = hour_of_readings(station)
    store.write(sent)
    path = tmp_path / f"log{suffix}"
    told: list[tuple[int, int]] = []
    start, end = T0 + 10_000, T0 + 3_000_000
    wanted = [m for m in sent if start <= m.t_ms < end]
    count = export_log(store, station, start, end, path, lambda *args: told.append(args), version="1.2.3")
    store.close()
    assert count == len(wanted)
    assert readings(path) == expected(wanted)
    assert read_log_header(path) == {
        "version": "1.2.3",
        "station": station,
        "range": ["2026-11-23T08:00:10.000Z", "2026-11-23T08:50:00.000Z"],
    }
    times = [json_v1.decode(record.payload).t_ms for record in read_log(path)]
    assert times == sorted(times)
    assert [p.name for p in tmp_path.glob("unfinished-*")] == []


def test_the_same_readings_make_the_same_bytes(tmp_path: Path) -> None:
    store = MemoryReadings()
    store.write(hour_of_readings("jinma"))
    for name in ("a.ndjson.gz", "b.ndjson.gz"):
        export_log(store, "jinma", T0, T0 + 3_600_000, tmp_path / name, version="1")
    assert (tmp_path / "a.ndjson.gz").read_bytes() == (tmp_path / "b.ndjson.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes()).count(b"\n") == 1441


def test_a_point_of_more_signals_than_a_message_may_have(tmp_path: Path) -> None:
    store = MemoryReadings()
    halves = [{f"X-{n}": float(n) for n in range(first, first + 200)} for first in (0, 200)]
    sent = [UnitMessage("jinma", "system", "gateways", T0, values, {"X-399": "bad:old"}) for values in halves]
    store.write([UnitMessage("jinma", "system", "gateways", T0, halves[0]), sent[1]])
    assert export_log(store, "jinma", T0, T0 + 1, tmp_path / "x.ndjson", version="1") == 2
    assert len(readings(tmp_path / "x.ndjson")) == 400


class Failing(MemoryReadings):
    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        yield from list(super().messages(station, start_ms, end_ms))[:10]
        raise StoreUnavailableError("gone")


def test_a_failure_leaves_no_half_file_and_the_old_one_whole(tmp_path: Path) -> None:
    store = Failing()
    store.write(hour_of_readings("jinma"))
    path = tmp_path / "log.ndjson"
    path.write_text("old")
    with pytest.raises(StoreUnavailableError):
        export_log(store, "jinma", T0, T0 + 3_600_000, path, version="1")
    assert [p.name for p in tmp_path.iterdir()] == ["log.ndjson"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("station", "start", "end", "name", "text"),
    [
        ("jinma", T0, T0, "log.ndjson", "must be later than --from 2026-11-23T08:00:00.000Z"),
        ("jinma", T0, T0 + 1, "log.txt", "must end in .ndjson, .csv, .lp .packed with .gz or .zst too. or .parquet"),
        ("nowhere", T0, T0 + 1, "log.ndjson", "it holds: jinma"),
        ("jinma", T0, T0 + 1, "no/such/folder/log.ndjson", "cannot write"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, station: str, start: int, end: int, name: str, text: str) -> None:
    store = MemoryReadings()
    store.write(hour_of_readings("jinma"))
    with pytest.raises(BadInputError, match=text):
        export_log(store, station, start, end, tmp_path / name, version="1")


def test_a_store_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    settings = load_settings(store=f"sqlite:///{tmp_path}/typo.db")
    with pytest.raises(BadInputError, match=r"there is no .*typo\.db"):
        log_store(settings, must_exist=True)
    assert not (tmp_path / "typo.db").exists()
    log_store(settings, must_exist=False).close()
    log_store(settings, must_exist=True).close()
