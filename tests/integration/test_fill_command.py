"""`jinma fill` as a person uses it."""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

RUN = CliRunner()


def test_the_shipped_cases_are_listed() -> None:
    text = RUN.invoke(app, ["fill", "--list"]).stdout
    assert "dicken-2007" in text
    assert len(text.splitlines()) >= 10
    rows = json.loads(RUN.invoke(app, ["fill", "--list", "--json"]).stdout)
    assert {"name", "title", "source"} <= rows[0].keys()


def test_a_case_is_told_as_a_table_as_json_and_as_a_course(tmp_path: Path) -> None:
    course = tmp_path / "course.csv"
    told = RUN.invoke(app, ["fill", "dicken-2007", "--output", str(course)])
    assert told.exit_code == 0
    assert "temperature_c rmse" in told.stdout
    assert "MISSED" not in told.stdout
    with course.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["pressure_mpa"]) == pytest.approx(9.3, abs=1e-2)
    said = json.loads(RUN.invoke(app, ["fill", "dicken-2007", "--json"]).stdout)
    assert said["ok"] is True
    assert said["end"]["temperature_c"] == pytest.approx(float(rows[-1]["temperature_c"]), abs=1e-3)


def test_a_case_of_ones_own_is_a_file(tmp_path: Path) -> None:
    text = resources.files("simulators.fills").joinpath("striednig-2014-5.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace("w_m2_k = 175", "w_m2_k = 20"), encoding="utf-8")
    told = RUN.invoke(app, ["fill", str(mine)])
    assert told.exit_code == 0  # a miss is a result, no failure
    assert "MISSED" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["fill"], "name a case"), (["fill", "dicken"], "no fill case 'dicken'"), (["fill", "none.toml"], "none.toml")],
)
def test_what_cannot_be_played_exits_2_and_says_why(arguments: list[str], said: str) -> None:
    told = RUN.invoke(app, arguments)
    assert told.exit_code == 2
    assert said in told.output


def test_a_file_with_mistakes_names_their_lines(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('format = "fill/1"\n[vessel]\nvolume_l = -1\n', encoding="utf-8")
    told = RUN.invoke(app, ["fill", str(wrong)])
    assert told.exit_code == 2
    assert "line 3: vessel: volume_l -1 must be above 0" in told.output
