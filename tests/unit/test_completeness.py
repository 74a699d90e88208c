"""Counts of minutes become hours; a gap is spread over the hours that it lies in."""

from __future__ import annotations

from station.domain.completeness import Completeness, MinuteOfUnit, window_edges

HOUR, MINUTE = 3_600_000, 60_000
BANK = ("storage", "bank-HB")


def minute(t_ms: int, **counts: int) -> MinuteOfUnit:
    return MinuteOfUnit(BANK, t_ms, counts)


def test_a_gap_over_three_hours_is_missing_in_each_of_them() -> None:
    found = Completeness([BANK], window_edges(0, 4 * HOUR, HOUR, 0))
    found.add([
        minute(10 * MINUTE, received=60),
        # told when the unit was heard again, at 3:30, of what is missing since 0:30
        minute(3 * HOUR + 30 * MINUTE, received=60, gaps=600, gap_from=30 * MINUTE, gap_to=3 * HOUR + 30 * MINUTE),
    ])  # fmt: skip
    unit = found.units[BANK]
    assert [window.missing for window in unit.windows] == [100, 200, 200, 100]
    assert [window.received for window in unit.windows] == [60, 0, 0, 60]
    assert (unit.whole.received, unit.whole.missing) == (120, 600)
    assert unit.gaps == [[30 * MINUTE, 3 * HOUR + 30 * MINUTE, 600]]


def test_a_gap_that_showed_after_the_range_counts_in_it_and_what_came_then_does_not() -> None:
    found = Completeness([BANK], [0, HOUR])
    found.add([minute(2 * HOUR, received=60, gaps=7, gap_from=50 * MINUTE, gap_to=2 * HOUR)])
    unit = found.units[BANK]
    assert (unit.whole.received, unit.whole.missing) == (0, 1)
    assert unit.gaps == [[50 * MINUTE, 2 * HOUR, 7]]


def test_what_filled_up_again_is_no_gap_and_other_stations_units_do_not_count() -> None:
    found = Completeness([BANK], [0, HOUR])
    found.add([minute(0, received=3, gaps=0, gap_from=0, gap_to=MINUTE), MinuteOfUnit(("x", "y"), 0, {"received": 1})])
    assert (found.units[BANK].whole.missing, found.units[BANK].gaps) == (0, [])


def test_shares_of_a_gap_add_up_whatever_the_edges() -> None:
    for edges in ([0, 1, 2, 3, 10], [0, 7, 10], [0, 10]):
        found = Completeness([BANK], edges)
        found.add([minute(9, gaps=10, gap_from=0, gap_to=9)])
        assert sum(window.missing for window in found.units[BANK].windows) == 10 == found.units[BANK].whole.missing


def test_windows_begin_at_local_hours_and_end_with_the_range() -> None:
    assert window_edges(90 * MINUTE, 4 * HOUR, HOUR, 30 * MINUTE) == [90 * MINUTE, 150 * MINUTE, 210 * MINUTE, 4 * HOUR]
    assert window_edges(0, HOUR, HOUR, 0) == [0, HOUR]
