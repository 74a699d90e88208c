from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from simulators.measuring.instruments import Instruments, instrument_type, measured_range, seed_of, standard_noise
from station.domain.signals import Kind
from tests.support.fake_physics import START_MS
from tests.support.plants import jinma

PLANT = jinma()
SIGNALS = list(PLANT.signals.values())
PLACE = {signal.tag: column for column, signal in enumerate(SIGNALS)}
INSTRUMENTS = Instruments(PLANT, seed=1)
ALL = np.arange(len(SIGNALS))


def columns(*tags: str) -> np.ndarray:
    return np.array([PLACE[tag] for tag in tags])


def measured(tag: str, truth: np.ndarray, step_ms: int = 1000) -> np.ndarray:
    t_ms = START_MS + step_ms * np.arange(1, len(truth) + 1)
    return INSTRUMENTS.measure(columns(tag), t_ms, truth[:, None])[:, 0]


def test_noise_is_centred_of_deviation_one_bounded_and_not_shared() -> None:
    keys = np.array([seed_of(1, "a"), seed_of(1, "b")], dtype=np.uint64)
    noise = standard_noise(keys, START_MS + 200 * np.arange(40_000))
    assert abs(noise.mean(axis=0)).max() < 0.02
    assert abs(noise.std(axis=0) - 1.0).max() < 0.02
    assert abs(noise).max() < 3.47
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02
    assert abs(np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]) < 0.02


def test_a_day_is_the_same_however_it_is_cut() -> None:
    t_ms = START_MS + 1000 * np.arange(1, 301)
    truth = np.tile(np.linspace(0.0, 20.0, len(SIGNALS)), (300, 1))
    whole = INSTRUMENTS.measure(ALL, t_ms, truth)
    pieces = [
        INSTRUMENTS.measure(ALL, t_ms[a:b], truth[a:b]) for a, b in ((0, 1), (1, 8), (8, 150), (150, 299), (299, 300))
    ]
    np.testing.assert_array_equal(np.vstack(pieces), whole)
    some = columns("PT-330A", "TT-330C")
    np.testing.assert_array_equal(INSTRUMENTS.measure(some, t_ms, truth[:, some]), whole[:, some])


def test_seeds_differ_and_the_same_seed_is_the_same() -> None:
    truth = np.full(100, 44.0)
    t_ms = START_MS + 1000 * np.arange(100)
    pressure = columns("PT-330A")
    again = Instruments(PLANT, seed=1).measure(pressure, t_ms, truth[:, None])
    other = Instruments(PLANT, seed=2).measure(pressure, t_ms, truth[:, None])
    np.testing.assert_array_equal(INSTRUMENTS.measure(pressure, t_ms, truth[:, None]), again)
    assert (again != other).any()


@pytest.mark.parametrize(
    ("tag", "decimals"), [("PT-330A", 2), ("TT-330C", 1), ("FT-210B", 1), ("FQ-516A", 3), ("PT-210A", 3)]
)
def test_values_are_cut_to_the_resolution_and_write_short(tag: str, decimals: int) -> None:
    shown = measured(tag, np.linspace(0.01, 40.0, 500))
    for value in shown.tolist():
        assert len(repr(value).partition(".")[2]) <= decimals


def test_fixed_errors_stay_inside_the_error_budget() -> None:
    truth = np.full(5000, 41.0)
    for tag in ("PT-310A", "PT-310B", "PT-320A", "PT-330A", "PT-330B"):
        assert abs(measured(tag, truth, step_ms=17_000).mean() - 41.0) < 0.05
        assert abs(measured(tag, truth, step_ms=17_000) - 41.0).max() < 0.15


def test_a_resting_transmitter_moves_and_a_stopped_flow_is_zero() -> None:
    assert len(set(measured("PT-330A", np.full(60, 44.0)).tolist())) > 1
    assert len(set(measured("PT-210A", np.full(60, 0.02)).tolist())) > 1
    assert set(measured("FT-210B", np.zeros(60)).tolist()) == {0.0}
    assert set(measured("JT-210C", np.zeros(60)).tolist()) == {0.0}


def test_a_counter_never_goes_back_and_never_runs_ahead() -> None:
    truth = 1000.0 + np.cumsum(np.full(2000, 0.00007))
    shown = measured("FQ-516A", truth, step_ms=200)
    assert (np.diff(shown) >= 0.0).all()
    assert (shown <= truth).all()
    assert (truth - shown < 0.0011).all()


def test_a_reading_stops_at_the_ends_of_its_instrument() -> None:
    low, high = measured_range(PLANT.signals["PT-330A"])
    assert (low, high) == (0.0, 60.0)
    shown = measured("PT-330A", np.array([-100.0, 30.0, 100.0]))
    assert shown[[0, 2]].tolist() == [low, high]
    at_end = INSTRUMENTS.pegged(columns("PT-330A"), shown[:, None])
    assert at_end is not None
    assert at_end[:, 0].tolist() == [True, False, True]
    assert INSTRUMENTS.pegged(columns("PT-330A"), shown[1:2, None]) is None


def test_a_wind_vane_goes_round() -> None:
    shown = measured("ZT-844", np.full(500, 359.9))
    assert shown.min() >= 0.0
    assert shown.max() < 360.0
    assert shown.min() < 20.0


def test_states_pass_unchanged_and_no_value_stays_none() -> None:
    tags = columns("XS-518A", "ZS-330D", "PT-330A", "FQ-516A")
    truth = np.array([[5.0, 1.0, np.nan, np.nan]])
    shown = INSTRUMENTS.measure(tags, np.array([START_MS]), truth)
    np.testing.assert_array_equal(shown, truth)


def test_no_value_is_minus_zero() -> None:
    shown = measured("PDT-154", np.full(500, -0.01))
    assert not np.signbit(shown[shown == 0.0]).any()


def test_every_measured_signal_of_the_station_has_an_instrument() -> None:
    unknown = dataclasses.replace(PLANT.signals["PT-330A"], unit_of_measure="furlong")
    for signal in SIGNALS:
        if signal.kind is Kind.ANALOG_INPUT:
            assert instrument_type(signal) is not instrument_type(unknown), signal.tag
    assert instrument_type(PLANT.signals["PT-2107"]).resolution == 0.001
    assert instrument_type(PLANT.signals["PT-330A"]).resolution == 0.01
