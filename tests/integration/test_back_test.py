"""A back-test from end to end: some days, thriftily made; then the command, which makes one of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.back_test import BackTestPlan, run_days, scripts
from cli.back_test_day import DayMaker, Thrift
from cli.main import app
from station.domain.back_test import JudgedDay, brier, missed, skill
from tests.support.plants import jinma

DAYS = int(os.environ.get("JINMA_BACK_TEST_DAYS", "6"))
"""Each costs some ten seconds."""
THRIFT = Thrift(step_s=10.0, every_min=240, busy_min=60, replicas=10, events=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("back-test")


@pytest.fixture(scope="module")
def days(cache: Path) -> list[JudgedDay]:
    return run_days(jinma(), BackTestPlan(days=DAYS, seed=1, jobs=2, cache=cache, thrift=THRIFT))


def test_short_days_and_others_are_told_apart(days: list[JudgedDay]) -> None:
    assert 1 <= sum(day.is_short for day in days) < DAYS
    score, gain = brier(days), skill(days)
    assert score is not None
    assert gain is not None
    assert score < 0.25  # a coin's
    assert gain > 0.0
    assert missed(days) == 0.0


def test_kilograms_are_foretold_better_than_by_the_plan(days: list[JudgedDay]) -> None:
    at_four = [point for day in days if (point := day.at_hour(16.0)) is not None]
    assert len(at_four) == DAYS
    by_forecast = sum(abs(point.kg[1] - day.kg) for point, day in zip(at_four, days, strict=True))
    by_plan = sum(abs(day.plan_kg - day.kg) for day in days)
    assert by_forecast < by_plan


def test_what_is_in_the_cache_is_not_made_again(days: list[JudgedDay], cache: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    plan = BackTestPlan(days=DAYS, seed=1, jobs=1, cache=cache, thrift=THRIFT)
    assert run_days(jinma(), plan) == days
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == before


def test_a_change_of_the_forecast_makes_it_anew_and_a_change_of_the_plant_the_day_too(cache: Path) -> None:
    script = scripts(jinma(), BackTestPlan(1, 1, 1, cache, THRIFT))[0]
    maker = DayMaker.of(jinma(), cache, THRIFT)
    other_forecast = DayMaker(jinma(), cache, THRIFT, maker.lived_by, "another")
    other_plant = DayMaker(jinma(), cache, THRIFT, "another", maker.seen_by)
    files = [one.files(script) for one in (maker, other_forecast, other_plant)]
    assert files[0].log == files[1].log != files[2].log
    assert len({one.forecasts for one in files}) == 3


def test_the_command_prints_the_table_as_json_and_writes_the_page(cache: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    said = CliRunner().invoke(
        app,
        ["back-test", "--days", "1", "--jobs", "1", "--scenario", "normal-day", "--start", "2026-06-01", "--step", "10",
         "--every", "480", "--replicas", "0", "--cache", str(cache), "--output", str(page), "--json"],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["days"] == 1
    assert {row["key"] for row in found["scores"]} >= {"brier", "skill", "coverage", "kg-08", "missed", "bottleneck"}
    assert found["each_day"][0]["name"] == "0 normal-day 2026-06-01"
    text = page.read_text(encoding="utf-8")
    assert 'id="chart-reliability"' in text
    assert "<script src=" not in text


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--step", "7"], "--step"),
        (["--every", "7"], "--every"),
        (["--start", "June"], "--start"),
        (["--scenario", "nonsense"], "nonsense"),
    ],
)
def test_a_wrong_option_is_told_at_once(options: list[str], word: str, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["back-test", "--days", "1", "--cache", str(tmp_path), *options])
    assert said.exit_code == 2
    assert word in said.output
