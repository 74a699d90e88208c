from __future__ import annotations

import numpy as np
import pytest

from simulators.measuring.instruments import instrument_type
from simulators.measuring.lag import Lag
from tests.support.fake_physics import START_MS
from tests.support.plants import jinma

PLANT = jinma()
PLACE = {tag: column for column, tag in enumerate(PLANT.signals)}
WELL, FAST = "TT-330C", "PT-330A"


def rows(tag: str, values: np.ndarray) -> np.ndarray:
    made = np.zeros((len(values) + 1, len(PLANT.signals)))
    made[0] = np.nan
    made[1:, PLACE[tag]] = values
    return made


def moments(count: int, step_ms: int) -> np.ndarray:
    return START_MS + step_ms * np.arange(-1, count)


@pytest.mark.parametrize("step_s", [1, 10])
def test_a_step_is_shown_to_63_percent_after_the_time_constant_whatever_the_step(step_s: int) -> None:
    lag_s = instrument_type(PLANT.signals[WELL]).lag_s
    assert 10.0 <= lag_s <= 20.0
    steps = 300 // step_s
    seconds = step_s * np.arange(steps)
    shown = Lag(PLANT).follow(rows(WELL, np.where(seconds >= 60, 100.0, 0.0)), moments(steps, 1000 * step_s))
    at = np.interp(60 + lag_s, seconds, shown[1:, PLACE[WELL]])
    # The step itself is a ramp of one step's length, whose middle is half a step early.
    expected = 100.0 * (1.0 - np.exp(-(lag_s + step_s / 2.0) / lag_s))
    assert at == pytest.approx(expected, abs=3.0)


@pytest.mark.parametrize("step_s", [1, 10])
def test_a_steady_rise_is_shown_late_by_just_the_time_constant(step_s: int) -> None:
    lag_s = instrument_type(PLANT.signals[WELL]).lag_s
    seconds = step_s * np.arange(400 // step_s)
    shown = Lag(PLANT).follow(rows(WELL, 0.5 * seconds), moments(len(seconds), 1000 * step_s))
    assert 0.5 * seconds[-1] - shown[-1, PLACE[WELL]] == pytest.approx(0.5 * lag_s, rel=1e-6)


def test_a_pressure_follows_within_a_second_and_a_gas_detector_in_some() -> None:
    for tag, t90_s in ((FAST, 1.0), ("AT-801", 10.0)):
        signal = PLANT.signals.get(tag) or next(s for s in PLANT.signals.values() if s.role == "gas")
        assert 2.303 * instrument_type(signal).lag_s <= t90_s


def test_the_first_value_and_one_after_none_are_shown_at_once() -> None:
    values = np.array([5.0, 5.0, np.nan, np.nan, 40.0, 40.0])
    shown = Lag(PLANT).follow(rows(WELL, values), moments(6, 1000))[1:, PLACE[WELL]]
    np.testing.assert_array_equal(shown, values)


def test_it_is_the_same_however_time_is_cut() -> None:
    values = 20.0 * np.sin(np.arange(50.0))
    values[17:23] = np.nan
    made, times = rows(WELL, values), moments(50, 1000)
    whole = Lag(PLANT).follow(made, times)
    lag = Lag(PLANT)
    for first, end in ((0, 1), (1, 2), (2, 18), (18, 20), (20, 49), (49, 50)):
        part = lag.follow(made[first : end + 1], times[first : end + 1])
        np.testing.assert_array_equal(part[1:], whole[first + 1 : end + 1])
        again = Lag(PLANT)
        again.resume(lag.state)
        lag = again
