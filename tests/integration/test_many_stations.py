"""Several stations from one process: their files, their log in order of time, their words on a broker."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from station.adapters.plant_files import read_plant
from tests.support.mosquitto import Mosquitto
from tests.support.service import jinma

START = "2026-06-01T07:00:00+08:00"


def test_the_station_files_differ_by_their_ids_alone_and_can_be_used(tmp_path: Path) -> None:
    said = jinma("simulate", "--stations", "3", "--write-plants", str(tmp_path / "plants"))
    assert said.returncode == 0, said.stderr
    files = [Path(line) for line in said.stdout.split()]
    plants = [read_plant(file) for file in files]
    assert [plant.id for plant in plants] == ["jinma", "jinma-2", "jinma-3"]
    assert all(plant.units == plants[0].units for plant in plants)
    again = jinma(
        "simulate", "--plant", str(files[1]), "--output", str(tmp_path / "x.ndjson"), "--duration", "2s"
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "h2/v1/jinma-2/" in (tmp_path / "x.ndjson").read_text()


def test_a_log_of_several_is_in_order_of_time_and_each_has_a_course_of_its_own(tmp_path: Path) -> None:
    log, truth = tmp_path / "three.ndjson", tmp_path / "truth.json"
    line = ("simulate", "--stations", "3", "--start", START, "--duration", "300s", "--output", str(log))
    said = jinma(*line, "--truth", str(truth), "--json")
    assert said.returncode == 0, said.stderr
    assert set(json.loads(said.stdout)) == set(json.loads(truth.read_text())) == {"jinma", "jinma-2", "jinma-3"}
    header, *lines = [json.loads(text) for text in log.read_text().splitlines()]
    assert header["log"]["station"] == "jinma,jinma-2,jinma-3"
    values: dict[str, list[float]] = {}
    times: list[int] = []
    boots: set[str] = set()
    for entry in lines:
        station, area, unit = entry["topic"].split("/")[2:5]
        payload = entry["payload"]
        if (area, unit) == ("storage", "bank-HB"):
            values.setdefault(station, []).append(payload["v"]["PT-330A"])
            times.append(payload["t"])
            boots.add(payload["boot"])
    assert {len(column) for column in values.values()} == {300}
    assert values["jinma"] != values["jinma-2"] != values["jinma-3"]
    assert len(boots) == 3
    # Gateways' clocks differ by some hundredths of a second, so the shown times may.
    assert all(after - before > -200 for before, after in itertools.pairwise(times))
    assert log.read_bytes() == _again(tmp_path, line)


def _again(folder: Path, line: tuple[str, ...]) -> bytes:
    other = folder / "again.ndjson"
    assert jinma(*line[:-1], str(other)).returncode == 0
    return other.read_bytes()


def test_many_end_in_good_order_on_one_connection(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        line = ("simulate", "--stations", "25", "--start", START, "--duration", "60s", "--speed", "max")
        said = jinma(*line, "--broker", broker.url, "--outbox", str(tmp_path / "outbox"))
        assert said.returncode == 0, said.stderr
        ended = [json.loads(text) for text in said.stderr.splitlines() if "simulator ended" in text]
        assert ended[0]["settled"]
        assert ended[0]["messages"] > 25 * 60 * 20
    assert len(list((tmp_path / "outbox").iterdir())) == 25


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    both = ("--output", str(tmp_path / "x.ndjson"), "--outbox", str(tmp_path))
    assert jinma("simulate", *both).returncode == 2
    assert jinma("simulate", "--stations", "0").returncode == 2
