"""The corridor of a fill, and where a fill begins and ends."""

from __future__ import annotations

import pytest

from station.domain.fill_curve import MOST_MPA, Corridor, CurvePoint, corridor_of, end_of_fill, ramp_mpa_min
from tests.support.plants import jinma

RULES = jinma().fill


def point(
    minute: float, state: str = "fill", mpa: float | None = 8.0, gas: float = 30.0, at: float = -20.0
) -> CurvePoint:
    return CurvePoint(round(minute * 60_000), state, mpa, gas, at)


def targets(*points: CurvePoint) -> list[float | None]:
    return [None if one is None else round(one.target_mpa, 3) for one in corridor_of(RULES, points)]


def test_the_ramp_begins_at_the_vehicles_pressure_when_gas_first_flows_and_rests_in_pauses() -> None:
    course = (point(0, "connect", 7.0), point(1, mpa=8.0), point(2), point(3, "hold"), point(5), point(6))
    assert targets(*course) == [None, 8.0, 10.5, 13.0, 13.0, 15.5]


def test_the_ramp_is_slower_with_warm_gas_and_half_as_fast_above_75_degrees() -> None:
    assert ramp_mpa_min(RULES, point(0, at=-8.0)) == RULES.ramp_cooled_mpa_min
    assert ramp_mpa_min(RULES, point(0, at=5.0)) == RULES.ramp_uncooled_mpa_min
    assert ramp_mpa_min(RULES, point(0, at=-1.5)) == pytest.approx(2.0)
    assert ramp_mpa_min(RULES, point(0, gas=75.1)) == RULES.ramp_cooled_mpa_min / 2


def test_no_corridor_goes_beyond_125_percent_of_the_nominal_pressure() -> None:
    far = corridor_of(RULES, [point(0, mpa=30.0), point(4), point(60)])
    assert far == [Corridor(30.0, 37.0), Corridor(40.0, MOST_MPA), Corridor(MOST_MPA, MOST_MPA)]


def test_a_vehicle_that_never_speaks_has_no_corridor() -> None:
    assert targets(point(0, mpa=None), point(1, mpa=None)) == [None, None]


def test_a_fill_ends_where_its_hose_leaves_work_whatever_was_unknown_between() -> None:
    steps = [(0, "idle"), (60, "connect"), (80, "leak-check"), (90, None), (120, "fill"), (900, "end"), (960, "idle")]
    assert end_of_fill(steps, 60) == (900, "end")
    assert end_of_fill(steps[:-2], 60) is None
    for wrong in (0, 80, 120, 61):
        with pytest.raises(KeyError):
            end_of_fill(steps, wrong)
