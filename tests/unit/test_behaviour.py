"""How a value moves: too fast, away from its twin, not at all, for a moment, in and out."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.behaviour import Behaviour, Deviation, Dropout, Rate, Spike, Stuck
from station.domain.limits import Change, SignalWatch
from station.domain.plant import AlarmSpec, Signal, Text
from station.domain.signals import Kind
from tests.support.plants import jinma

SECOND = 1000
MINUTE = 60 * SECOND


def told(behaviour: Behaviour, values: list[float | None], step_ms: int = SECOND) -> list[bool | None]:
    """Return the answers to one value a step."""
    found: list[bool | None] = []
    held = False
    for number, value in enumerate(values):
        answer = behaviour.take(number * step_ms, value, held)
        held = held if answer is None else answer
        found.append(answer)
    return found


def test_a_rate_is_told_once_its_window_is_full_and_ends_below_four_fifths() -> None:
    rate = Rate(6.0, 20 * SECOND)
    slow = [0.05 * n for n in range(30)]
    fast = [slow[-1] + 0.11 * n for n in range(1, 31)]
    easing = [fast[-1] + 0.085 * n for n in range(1, 31)]
    answers = told(rate, [*slow, *fast, *easing, *([easing[-1]] * 30)])
    assert answers[:16] == [None] * 16
    assert not any(answers[16:45])
    assert all(answers[50:90]), "5.1 a minute is under the limit, but not under four fifths of it"
    assert not any(answers[-10:])


def test_a_fall_is_a_rate_too() -> None:
    assert told(Rate(6.0, 20 * SECOND), [-0.2 * n for n in range(40)])[-1]


class Twin:
    """Another signal."""

    def __init__(self, value: float | None, t_ms: int = 0) -> None:
        self.value, self.t_ms = value, t_ms


def test_a_deviation_has_a_dead_band_and_wants_a_twin_that_speaks() -> None:
    twin = Twin(40.0)
    apart = Deviation(0.9, 0.2, twin, 15 * SECOND)
    assert told(apart, [40.0, 40.95, 40.8, 40.6, 39.05]) == [False, True, True, False, True]
    assert apart.take(16 * SECOND, 50.0, False) is None
    twin.value = None
    assert apart.take(0, 50.0, False) is None


def test_a_stuck_value_is_told_after_its_time_and_ends_with_the_last_digit() -> None:
    answers = told(Stuck(10 * SECOND), [1.0, 1.1, *([1.2] * 12), 1.21])
    assert answers == [*([False] * 12), True, True, False]


def test_a_silent_signal_is_not_stuck() -> None:
    stuck = Stuck(10 * SECOND)
    assert stuck.take(0, 1.0, False) is False
    assert stuck.take(5 * MINUTE, 1.1, False) is False


def test_a_spike_comes_back_and_a_step_does_not() -> None:
    flat = [20.0] * 5
    assert told(Spike(4.0, 3 * SECOND), [*flat, 30.0, 20.2, *flat])[6] is True
    assert not any(told(Spike(4.0, 3 * SECOND), [*flat, 30.0, 30.0, 30.1, 30.0, 30.0, 20.0]))
    assert any(told(Spike(4.0, 3 * SECOND), [*flat, 10.0, 9.0, 19.8]))


def test_a_loose_wire_is_told_and_a_dead_sensor_is_not() -> None:
    good, moment, dead = [1.0] * 5, [None] * 3, [None] * 40
    loose = told(Dropout(3, 2 * MINUTE, 15 * SECOND), [*good, *moment, *good, *moment, *good, *moment, *good])
    assert loose.count(True) == 5
    broken = told(Dropout(3, 2 * MINUTE, 15 * SECOND), [*good, *dead, *good, *dead, *good, *dead, *good])
    assert True not in broken
    slow = told(Dropout(3, 10 * SECOND, 15 * SECOND), [*good, *moment, *good, *moment, *good, *moment, *good])
    assert True not in slow


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=60), st.integers(1, 90_000))
def test_no_course_breaks_a_behaviour_and_bad_values_decide_nothing(values: list[float | None], step_ms: int) -> None:
    kinds: list[Behaviour] = [Rate(1.0, MINUTE), Stuck(MINUTE), Spike(1.0, 3000), Dropout(3, MINUTE, 15_000)]
    for behaviour in kinds:
        for value, answer in zip(values, told(behaviour, values, step_ms), strict=True):
            assert value is not None or answer is None


# --- in a signal's watch ---


def alarm(
    condition: str, *, limit: float | None = None, on_s: float = 0, off_s: float = 0, over_s: float = 0
) -> AlarmSpec:
    none = Text("", "")
    on, off, over = (dt.timedelta(seconds=s) for s in (on_s, off_s, over_s))
    return AlarmSpec(
        condition, limit, 0.0, on, off, "low", latched=False, safety=False, text=none, cause=none, consequence=none,
        action=none, over=over, times=3,
    )  # fmt: skip


def watch_of(tag: str, *alarms: AlarmSpec) -> SignalWatch:
    none = Text("", "")
    signal = Signal(
        tag,
        "storage",
        "bank",
        Kind.ANALOG_INPUT,
        "pressure_a",
        none,
        "MPa",
        0,
        45,
        {},
        1.0,
        None,
        (),
        alarms,
        (),
        "plc",
    )
    watch = SignalWatch(signal)
    watch.begin(0)
    return watch


def play(watch: SignalWatch, values: list[float | None]) -> list[Change]:
    changes: list[Change] = []
    for second, value in enumerate(values, start=1):
        changes += watch.take(second * SECOND, value, good=value is not None)
    return changes


def test_a_spike_s_alarm_lasts_its_off_delay_and_is_dated_with_the_return() -> None:
    changes = play(watch_of("PT-1", alarm("SPIKE", limit=4.0, off_s=60, over_s=3)), [20.0, 30.0, *([20.0] * 90)])
    assert [(c.at_ms, c.active) for c in changes] == [(3 * SECOND, True), (64 * SECOND, False)]


def test_silence_and_bad_values_make_nothing_stuck() -> None:
    watch = watch_of("PT-1", alarm("STUCK", over_s=60))
    play(watch, [1.0, 1.0])
    assert watch.pass_time(10 * MINUTE) == []
    assert watch.take(11 * MINUTE, None, good=False) == []
    assert watch.take(11 * MINUTE + SECOND, 1.1, good=True) == []


def test_twins_that_drift_apart_are_told_once_after_the_delay() -> None:
    one, two = watch_of("PT-1", alarm("DEV", limit=0.895, on_s=60, off_s=60)), watch_of("PT-2")
    one.pair(two)
    changes: list[Change] = []
    for second in range(1, 400):
        two.take(second * SECOND, 40.0, good=True)
        changes += one.take(second * SECOND, 40.0 + 0.01 * second, good=True)
    assert [(c.condition, c.active, c.onset_ms) for c in changes] == [("DEV", True, 90 * SECOND)]


def test_a_sensor_of_the_shipped_station_has_its_behaviours() -> None:
    plant = jinma()
    bank = {a.condition: a for a in plant.signals["PT-330A"].alarms}
    assert {"ROC", "DEV", "STUCK", "SPIKE", "DROPOUT"} <= bank.keys()
    assert bank["DEV"].limit == pytest.approx(0.02 * 16.8)
    assert (plant.signals["PT-330A"].twin, plant.signals["PT-330B"].twin) == ("PT-330B", None)
    assert "DEV" not in {a.condition for a in plant.signals["PT-330B"].alarms}
    assert [a.condition for a in plant.signals["XS-518A"].alarms] == ["DROPOUT", "STATE", "STALE", "BAD"]
    assert "STUCK" not in {a.condition for s in plant.signals.values() if s.area == "vehicle" for a in s.alarms}
