"""Scenario files: the shipped ones load, a wrong one is told by line."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.check import check_file, print_keys
from scripts.make_scenarios_doc import OUTPUT, scenario_document
from simulators.fault_plan import faults_of_day
from simulators.scenario import (
    ScenarioError,
    load_scenario,
    scenario_names,
    scenario_of_state,
    scenario_state,
    shipped_scenario,
)
from simulators.scenario_keys import sections
from station.errors import BadInputError
from tests.support.plants import jinma

SHIPPED = Path(__file__).parents[2] / "simulators"
WRONG = """[title]
en = "x"
[demand]
boking = 3
jitter_min = "8"
[[outage]]
from = "25:00"
until = "03:00"
[[fault]]
name = "valve-passbye"
unit = ""
at = "10:00"
for_min = -1
"""


def test_the_five_promised_scenarios_are_shipped() -> None:
    names = scenario_names()
    assert {"normal-day", "late-trailers", "late-trailers-told", "train-trip", "hot-day"} <= set(names)
    for name in names:
        scenario = shipped_scenario(name)
        assert scenario.name == name
        assert scenario.title.en
        assert scenario.title.zh


def test_a_word_of_the_delay_is_the_only_difference_between_the_late_scenarios() -> None:
    untold, told = shipped_scenario("late-trailers").outages[0], shipped_scenario("late-trailers-told").outages[0]
    assert (untold.start, untold.end, untold.spacing) == (told.start, told.end, told.spacing)
    assert untold.told is None
    assert told.told == dt.timedelta(hours=9, minutes=30)


def test_every_mistake_is_named_with_its_line() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(WRONG, "odd.toml")
    lines = {mistake.line: mistake.text for mistake in caught.value.mistakes}
    assert "zh" in lines[1]
    assert "did you mean 'bookings'" in lines[4]
    assert "jitter_min" in lines[5]
    assert "from" in lines[7]
    assert "unknown" in lines[10]
    assert "unit" in lines[11]
    assert "for_min" in lines[13]
    assert str(caught.value).startswith("odd.toml: line 1: ")


def test_what_is_not_toml_is_told_by_line() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario('[title]\nen = "x\n')
    assert caught.value.mistakes[0].line == 2


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (['name = "train-trip"', 'unit = "train-9"', 'at = "10:00"'], "line 6: fault train-trip: unit 'train-9'"),
        (['name = "train-trip"', 'unit = "train-1"'], "line 4: key 'at' is missing"),
        (['name = "bank-leak"', 'unit = "bank-HB"', 'at = "10:00"', "size = 9"], "line 8: fault bank-leak: size"),
        (['name = "sensor-bias"', 'unit = "bank-HB"', 'at = "10:00"', 'signal = "X"'], "line 8: fault sensor-bias"),
        (['name = "esd"', 'unit = "any"', 'date = "2026-13-01"', 'at = "10:00"'], "line 7: date '2026-13-01' must be"),
        (['name = "esd"', 'unit = "any"', 'weekdays = ["mon", "sunday"]', 'at = "10:00"'], "'sunday' must be one of"),
        (['name = "esd"', 'unit = "any"', 'weekdays = ["mon"]', "per_year = 3"], "do not go together"),
    ],
)
def test_a_fault_that_the_station_cannot_play_is_refused_at_once(lines: list[str], text: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(text)):
        load_scenario("\n".join(['[title]\nen = "x"\nzh = "y"\n[[fault]]', *lines]), "x.toml", jinma())


def test_a_fault_comes_on_its_days_alone_and_any_draws_from_all() -> None:
    def days_of(when: str, days: int = 365) -> list[dt.date]:
        text = f'[title]\nen = "x"\nzh = "y"\n[[fault]]\nname = "train-trip"\nunit = "any"\nat = "10:00"\n{when}\n'
        scenario = load_scenario(text, "x.toml", jinma())
        all_days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(days)]
        return [day for day in all_days if list(faults_of_day(jinma(), scenario, 1, day, 0))]

    assert len(days_of("")) == 365
    assert days_of('date = "2026-07-14"') == [dt.date(2026, 7, 14)] == days_of("date = 2026-07-14")
    assert {day.weekday() for day in days_of('weekdays = ["tue", "sun"]')} == {1, 6}
    assert 25 <= len(days_of("per_year = 40")) <= 55


def test_a_scenario_comes_back_from_a_snapshot_as_it_was() -> None:
    for name in scenario_names():
        scenario = shipped_scenario(name)
        assert scenario_of_state(json.loads(json.dumps(scenario_state(scenario)))) == scenario
    with pytest.raises(ValueError, match="scenario"):
        scenario_of_state({"name": 5})


def test_the_page_of_scenarios_is_the_one_made_from_the_program() -> None:
    assert OUTPUT.read_text(encoding="utf-8") == scenario_document(jinma()), "run: python -m scripts.make_scenarios_doc"


def test_each_key_of_the_table_is_taken_within_its_range_and_refused_beyond() -> None:
    for part in sections().values():
        for key in part.keys:
            if key.kind not in ("number", "minutes", "whole") or part.many:
                continue
            for value, good in ((key.low, True), (key.high, True), (key.low - 1, False), (key.high + 1, False)):
                text = f'[title]\nen = "x"\nzh = "y"\n[{part.name}]\n{key.name} = {value}\n'
                if good:
                    load_scenario(text)
                else:
                    with pytest.raises(ScenarioError, match=f"line 5: {key.name}"):
                        load_scenario(text)


def test_check_tells_the_day_and_what_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    file = SHIPPED / "scenarios/late-trailers-told.toml"
    assert check_file(file, jinma(), as_json=False) == 0
    told = capsys.readouterr().out
    assert "08:00-15:20" in told
    assert "nobody says a word" not in told
    assert re.search(r"demand\.jitter_min +8\.0 min", told)
    assert check_file(file, jinma(), as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert [line["at"] for line in said["timeline"]] == ["08:00", "09:30"]
    assert said["set"] == {"deliveries.on_call": False}
    assert "deliveries.on_call" not in said["default"]


def test_check_knows_fill_cases_and_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_file(SHIPPED / "fills/dicken-2007.toml", jinma(), as_json=False) == 0
    assert "fill case, no mistakes" in capsys.readouterr().out
    print_keys("scenario", as_json=True)
    keys = {(row["section"], row["key"]) for row in json.loads(capsys.readouterr().out)}
    assert {("[demand]", "bookings"), ("[[fault]]", "per_year"), ("[[outage]]", "told")} <= keys
    print_keys("scenario", as_json=False)
    assert "afternoon" in capsys.readouterr().out
    with pytest.raises(BadInputError, match="must be scenario"):
        print_keys("plant", as_json=False)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BadInputError, match="normal-day"):
        shipped_scenario("sunny-day")


@given(st.integers(0, 30), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_damage_to_a_line_never_raises_anything_else(number: int, line: str) -> None:
    lines = WRONG.splitlines()
    lines[number % len(lines)] = line
    with pytest.raises(ScenarioError):
        load_scenario("\n".join(lines))
