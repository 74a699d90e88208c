"""Scenario files: the shipped ones load, a wrong one is told by line."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.scenario import ScenarioError, load_scenario, scenario_names, shipped_scenario
from station.errors import BadInputError

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
