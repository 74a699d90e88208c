"""Electricity hour by hour, of days whose answer is known."""

from __future__ import annotations

import math

import pytest

from station.domain.report.energy_hours import energy_day
from tests.support.report_days import HandMadeDay


def day_of_work(until: float = 24.0) -> HandMadeDay:
    """Return a day on which train-1 presses 100 kg/h with 100 kW from 01:00, and hose-1A gives 60 kg in hour 2."""
    day = HandMadeDay(until=until)
    tag = day.plant.tag
    for role in ("power", "flow"):
        day.level(tag("compression", "train-1", role), (1.0, 100.0))
    day.level(tag("dispensing", "hose-1A", "total"), (2.5, 1060.0))
    day.level(tag("utilities", "power", "power"), (1.0, 160.0))
    return day


def test_each_hour_has_what_it_took_and_what_moved() -> None:
    day = day_of_work()
    found = energy_day(day.plant, day.readings())
    assert len(found.hours) == 24
    first, second, third = found.hours[:3]
    assert (first.trains["train-1"].kwh, first.trains["train-1"].kwh_per_kg) == (0.0, None)
    assert second.trains["train-1"].kwh_per_kg == pytest.approx(1.0)
    assert second.station.kwh == pytest.approx(160.0)
    assert (second.station.kg, second.station.kwh_per_kg) == (0.0, None)
    assert third.station.kg == pytest.approx(60.0)
    assert third.station.kwh_per_kg == pytest.approx(160.0 / 60.0)
    assert third.rest_kwh == pytest.approx(60.0)
    assert found.whole.station.kg == pytest.approx(60.0)
    assert found.whole.trains["train-1"].kg == pytest.approx(2300.0)


def test_a_day_under_way_ends_with_the_part_of_its_last_hour() -> None:
    day = day_of_work(until=2.75)
    found = energy_day(day.plant, day.readings())
    assert len(found.hours) == 3
    assert found.hours[-1].station.kwh == pytest.approx(160.0 * 0.75)
    assert found.hours[-1].end_ms - found.hours[-1].start_ms == 45 * 60_000


def test_a_machine_that_was_silent_is_not_known_and_leaves_no_rest() -> None:
    day = day_of_work()
    day.level(day.plant.tag("compression", "train-2", "power"), (4.0, math.nan), (4.5, 0.0))
    found = energy_day(day.plant, day.readings())
    assert found.hours[4].trains["train-2"].kwh is None
    assert found.hours[4].rest_kwh is None
    assert found.hours[5].trains["train-2"].kwh == 0.0


def test_a_minute_old_day_is_told_too() -> None:
    day = day_of_work(until=1 / 60)
    assert len(energy_day(day.plant, day.readings()).hours) == 1
