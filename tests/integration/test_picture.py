"""`jinma picture`: a page that stands alone, with data in each of its charts."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.simulator_side import new_station, scenario_named
from simulators.logs import station_log
from simulators.measuring.stated_accuracy import stated_accuracy
from simulators.pictures import Course, page
from simulators.pictures.figures import expectations, figures
from simulators.pictures.texts import TEXTS
from station.adapters.log_files import write_log
from station.errors import BadInputError
from tests.support.plants import jinma

START = "2026-06-01T07:00:00+08:00"
CHARTS = 19
DATED = ("x", "y", "z")


def charts_of(text: str) -> dict[str, list[dict[str, object]]]:
    """Return the traces of each chart of a page, as the browser is given them."""
    found = re.finditer(r'Plotly\.newPlot\(\s*"chart-([\w]+)",\s*(\[.*?\])\s*,\s*\{"template"', text, re.DOTALL)
    return {match[1]: json.loads(match[2]) for match in found}


def points(values: object) -> np.ndarray:
    """Return the numbers of a trace, whether written out or packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]))
    return np.array([value for value in values if isinstance(value, int | float)])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("picture") / "morning.html"
    options = ["picture", "--start", START, "--duration", "90m", "--output", str(file)]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    return file


def test_the_page_holds_every_chart_with_data(drawn: Path) -> None:
    charts = charts_of(drawn.read_text(encoding="utf-8"))
    assert len(charts) == CHARTS
    for name, traces in charts.items():
        assert traces, name
        if name == "queue":
            continue  # nobody may have waited
        known = [points(trace.get("y") if name not in ("bays", "trains", "hoses") else trace["z"]) for trace in traces]
        assert sum(np.isfinite(values).sum() for values in known) >= 2, name
    banks = [points(trace["y"]) for trace in charts["banks"]]
    assert all(np.nanmin(values) > 30.0 and np.nanmax(values) < 46.0 for values in banks)


def test_the_page_needs_no_network_and_carries_its_library_once(drawn: Path) -> None:
    text = drawn.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)\s*=\s*["\']', re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))
    assert text.count("plotly.js v") == 1
    assert '<meta name="viewport"' in text


def test_the_table_names_what_is_in_range_and_what_is_out(drawn: Path) -> None:
    text = drawn.read_text(encoding="utf-8")
    rows = re.findall(r'<tr data-figure="(\w+)">.*?<span class="(\w+)">', text)
    assert {"mean_kg", "end_soc", "brine_highest"} <= {key for key, _ in rows}
    judged = dict(rows)
    assert judged["dispensed_kg"] == "open"  # an hour and a half is no day
    assert judged["end_soc"] == "in"


def test_a_log_gives_the_same_picture_as_the_simulation_that_made_it(tmp_path: Path) -> None:
    plant, grain = jinma(), dt.timedelta(seconds=20)
    begin = dt.datetime.fromisoformat(START)
    log, out = tmp_path / "log.ndjson", tmp_path / "log.html"
    station = new_station(plant, scenario_named("normal-day"), begin, 1)
    write_log(log, station_log(station, dt.timedelta(minutes=40), every=grain), {"station": plant.id})
    result = CliRunner().invoke(app, ["picture", str(log), "--output", str(out), "--lang", "zh"])
    assert result.exit_code == 0, result.output
    text = out.read_text(encoding="utf-8")
    assert len(charts_of(text)) == CHARTS
    assert TEXTS["banks"].zh in text
    assert 'lang="zh-CN"' in text


def test_wrong_options_and_an_empty_log_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    for options in (["--lang", "de"], [str(empty)], [str(empty), "--seed", "3"], ["--duration", "400d"]):
        result = CliRunner().invoke(app, ["picture", *options, "--output", str(tmp_path / "x.html")])
        assert result.exit_code == 2, result.output
        assert not (tmp_path / "x.html").exists()


def test_every_expectation_can_be_worked_out_and_has_a_reasonable_range() -> None:
    plant = jinma()
    course = Course(plant, stated_accuracy(plant), 20.0)
    with pytest.raises(BadInputError, match="nothing of this station"):
        course.finish()
    station = new_station(plant, scenario_named("normal-day"), dt.datetime.fromisoformat(START), 1)
    for topic, payload in station_log(station, dt.timedelta(hours=1.2), every=dt.timedelta(seconds=20)):
        course.take(topic, payload)
    course.finish()
    found = {figure.key for figure in figures(course)}
    assert expectations().keys() - found <= {"trailer_net_kg"}  # no trailer may have opened
    assert all(expected.low < expected.high for expected in expectations().values())
    assert "<table" in page(course, "a test", "0", "en")
