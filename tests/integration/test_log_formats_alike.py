"""A simulated stretch in every format: the same readings in each, the same bytes for the same seed."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from cli.simulate import simulate_station
from simulators.logs import station_log
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.log_files import NULL, read_log, write_log
from station.adapters.property_tables import hydrogen_tables
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.wire import json_v1, topics
from tests.support.plants import jinma

START = dt.datetime.fromisoformat("2026-06-01T10:55+08:00")
Row = tuple[str, str, str, str, int, float | None, str]
FORMATS = (".ndjson", ".ndjson.gz", ".ndjson.zst", ".csv", ".parquet", ".lp")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Ten minutes with a sensor that gives no value, in each format."""
    folder = tmp_path_factory.mktemp("logs")
    station = SimulatedStation(
        jinma(), StationPhysics(jinma(), hydrogen_tables(), shipped_scenario("sensor-faults"), START, 1), 1
    )
    records = list(station_log(station, dt.timedelta(minutes=10)))
    made = {suffix: folder / f"log{suffix}" for suffix in FORMATS}
    assert {write_log(path, records, {"seed": 1}) for path in made.values()} == {len(records)}
    return made


def of_messages(path: Path) -> Iterator[Row]:
    for record in read_log(path, lambda number, text: pytest.fail(f"line {number} {text}")):
        topic = topics.parse_reading(record.topic)
        if topic is not None:
            said = json_v1.decode(record.payload)
            message = UnitMessage(*topic, said.t_ms, said.values, said.quality)
            yield from ((*topic, r.signal, r.t_ms, r.value, r.quality) for r in message.readings())


@pytest.fixture(scope="module")
def said(logs: dict[str, Path]) -> list[Row]:
    return list(of_messages(logs[".ndjson"]))


def test_the_log_has_what_is_hard_to_carry(said: list[Row]) -> None:
    assert len(said) > 60_000
    assert any(row[3] == "VT-2409" and row[5] is None for row in said)


@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_every_format_reads_back_as_the_same_log(suffix: str, logs: dict[str, Path], said: list[Row]) -> None:
    assert sorted(of_messages(logs[suffix]), key=repr_of) == sorted(said, key=repr_of)


def repr_of(row: Row) -> tuple[object, ...]:
    return (row[4], *row[:4], row[5] is None, row[5] or 0.0)


def test_csv_read_by_others_is_the_same_log(logs: dict[str, Path], said: list[Row]) -> None:
    with logs[".csv"].open(newline="") as file:
        assert json.loads(file.readline().removeprefix("#")) == {"seed": 1}
        rows = list(csv.DictReader(file))
    assert len(rows) == len(said)
    for row, (station, area, unit, signal, t_ms, value, quality) in zip(rows, said, strict=True):
        assert (row["station"], row["area"], row["unit"], row["signal"]) == (station, area, unit, signal)
        assert (None if row["value"] == "" else float(row["value"])) == value
        assert row["quality"] == quality
        if t_ms % 60_000 == 0:
            assert dt.datetime.fromisoformat(row["t"]).timestamp() * 1000 == t_ms
    assert {row["value"] for row in rows if row["signal"] == "XS-518A"} <= {str(n) for n in range(8)}  # no 1.0


def test_parquet_read_by_others_is_the_same_log(logs: dict[str, Path], said: list[Row]) -> None:
    table = parquet.read_table(logs[".parquet"])
    names = ("station", "area", "unit", "signal")
    columns = [table.column(name).to_pylist() for name in names]
    t_ms = table.column("t").cast("int64").to_pylist()
    rest = (table.column("value").to_pylist(), table.column("quality").to_pylist())
    assert list(zip(*columns, t_ms, *rest, strict=True)) == said


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_seed_makes_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        simulate(tmp_path / f"{name}{suffix}", duration="10m", every="60s")
    first = (tmp_path / f"a{suffix}").read_bytes()
    assert len(first) > 1000
    assert (tmp_path / f"b{suffix}").read_bytes() == first


def simulate(output: Path, *, duration: str, every: str | None) -> None:
    simulate_station(
        broker=None, output=output, scenario=None, start=None, duration=duration, every=every, speed=None, seed=3,
        truth=None, stations=1, outbox=None, write_plants=None, plant=None, as_json=False,
    )  # fmt: skip


def test_a_suffix_that_tells_no_format_is_said_before_a_day_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="must end in"):
        simulate(tmp_path / "year.xlsx", duration="365d", every=None)
    simulate(Path(NULL), duration="1m", every=None)
