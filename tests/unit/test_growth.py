"""Days until a disk is full: what grows for ever, and what levels off."""

from __future__ import annotations

import pytest

from cli.keeping.growth import DAY_MS, Growth, days_left


@pytest.mark.parametrize(
    ("free", "growths", "days"),
    [
        (100.0, [], None),
        (100.0, [Growth(0, 10.0)], 10.0),
        (100.0, [Growth(20, 10.0, most=70.0)], None),  # grows by 50 more, and stays
        (100.0, [Growth(0, 10.0, most=200.0)], 10.0),
        (100.0, [Growth(0, 10.0, most=50.0), Growth(0, 5.0)], 5.0 + 25.0 / 5.0),
        (100.0, [Growth(0, 10.0, most=20.0), Growth(0, 10.0, most=30.0), Growth(0, 1.0)], 3.0 + 47.0),
        (0.0, [Growth(0, 1.0)], 0.0),
    ],
)
def test_days_left(free: float, growths: list[Growth], days: float | None) -> None:
    assert days_left(free, growths) == pytest.approx(days)


def test_growth_is_what_is_there_by_the_time_that_it_covers() -> None:
    assert Growth.seen(700, 7 * DAY_MS, 30.0) == Growth(700, 100.0, 3000.0)
    assert Growth.seen(700, 14 * DAY_MS, 7.0) == Growth(700, 50.0, 700.0)  # --keep was made shorter: no more than now
    assert Growth.seen(700, 7 * DAY_MS) == Growth(700, 100.0)
    assert Growth.seen(700, DAY_MS // 48) is None
