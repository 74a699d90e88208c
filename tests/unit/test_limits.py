"""Limits, delays, bad values and silence: told as timelines, and checked against a slow oracle that steps by ticks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.domain.limits import Change, Delay, SignalWatch
from station.domain.plant import AlarmSpec, Signal, Text
from station.domain.signals import Kind

NO_TEXT = Text("", "")


def spec(
    condition: str,
    limit: float | None = None,
    on_ms: int = 0,
    off_ms: int = 0,
    deadband: float = 0.0,
    states: tuple[int, ...] = (),
) -> AlarmSpec:
    return AlarmSpec(
        condition,
        limit,
        deadband,
        dt.timedelta(milliseconds=on_ms),
        dt.timedelta(milliseconds=off_ms),
        "low",
        latched=False,
        safety=False,
        text=NO_TEXT,
        cause=NO_TEXT,
        consequence=NO_TEXT,
        action=NO_TEXT,
        states=states,
    )


def watch(*specs: AlarmSpec, rate_s: float = 1.0, kind: Kind = Kind.ANALOG_INPUT) -> SignalWatch:
    signal = Signal(
        "PT-1", "storage", "bank", kind, "pressure", NO_TEXT, "MPa", 0, 1, {}, rate_s, None, (), specs, (), "plc"
    )
    made = SignalWatch(signal)
    made.begin(0)
    return made


def says(watched: SignalWatch, *readings: tuple[int, float | None]) -> list[tuple[str, int, bool]]:
    return [
        (change.condition, change.at_ms, change.active)
        for t_ms, value in readings
        for change in watched.take(t_ms, value, good=value is not None)
    ]


def test_a_limit_without_delay_changes_with_the_reading() -> None:
    high = watch(spec("H", 10.0))
    assert says(high, (1000, 9.9), (2000, 10.0), (3000, 9.99)) == [("H", 2000, True), ("H", 3000, False)]


def test_low_limits_hold_from_the_limit_downward() -> None:
    low = watch(spec("L", 10.0, deadband=1.0))
    assert says(low, (1, 10.1), (2, 10.0), (3, 11.0), (4, 11.01)) == [("L", 2, True), ("L", 4, False)]


def test_chatter_within_the_deadband_is_one_change() -> None:
    high = watch(spec("H", 10.0, deadband=2.0))
    chatter = [(t, 10.5 if t % 2 else 8.1) for t in range(1, 1001)]
    assert says(high, *chatter) == [("H", 1, True)]
    assert says(high, (2000, 7.99)) == [("H", 2000, False)]


def test_a_change_is_dated_with_the_moment_at_which_its_delay_elapsed() -> None:
    high = watch(spec("H", 10.0, on_ms=15_000, off_ms=5_000), rate_s=60)
    assert says(high, (1000, 12.0)) == []
    assert high.due_ms == 16_000
    assert says(high, (61_000, 12.0)) == [("H", 16_000, True)]
    assert says(high, (62_000, 1.0)) == []
    assert [change.at_ms for change in high.pass_time(999_999)] == [67_000]


def test_a_condition_shorter_than_its_delay_is_none() -> None:
    high = watch(spec("H", 10.0, on_ms=15_000))
    assert says(high, *((t * 1000, 12.0 if t % 10 < 5 else 1.0) for t in range(1, 200))) == []


def test_a_reading_at_the_deadline_comes_before_it() -> None:
    high = watch(spec("H", 10.0, on_ms=1000))
    assert says(high, (1000, 12.0)) == []
    assert high.pass_time(2000) == []
    assert says(high, (2000, 1.0), (3000, 1.0)) == []
    assert says(high, (4000, 12.0), (5000, 12.0)) == [("H", 5000, True)]


def test_the_onset_tells_since_when() -> None:
    high = watch(spec("H", 10.0, on_ms=500))
    high.take(1000, 12.0, good=True)
    assert high.pass_time(5000) == [Change("H", 1500, True, 12.0, 1000)]


def test_a_bad_value_freezes_limits_and_starts_their_delay_anew() -> None:
    both = watch(spec("H", 10.0, on_ms=2000), spec("BAD", on_ms=500))
    assert says(both, (1000, 12.0), (2000, None)) == []
    assert says(both, (5000, 12.0)) == [("BAD", 2500, True), ("BAD", 5000, False)]
    assert says(both, (6900, 12.0), (7000, 12.0)) == [("H", 7000, True)]
    assert says(both, (8000, None), (9000, 11.0)) == [("BAD", 8500, True), ("BAD", 9000, False)]


def test_a_number_of_bad_quality_is_bad_too() -> None:
    both = watch(spec("H", 10.0), spec("BAD"))
    assert [c.condition for c in both.take(1000, 50.0, good=False)] == ["BAD"]
    assert both.value is None


def test_silence_is_stale_from_its_own_moment_on() -> None:
    stale = watch(spec("STALE", off_ms=100), rate_s=5)
    assert stale.stale_ms == 15_000
    assert says(stale, (1000, 1.0), (16_000, 1.0)) == []
    assert stale.pass_time(31_000) == []
    assert [(c.at_ms, c.active) for c in stale.pass_time(31_001)] == [(31_000, True)]
    assert says(stale, (50_000, 1.0), (50_200, 1.0)) == [("STALE", 50_100, False)]


def test_silence_found_only_by_the_next_reading_is_dated_the_same() -> None:
    stale = watch(spec("STALE"), rate_s=5)
    assert says(stale, (1000, 1.0), (90_000, 1.0)) == [("STALE", 16_000, True), ("STALE", 90_000, False)]


def test_a_signal_never_seen_is_stale_counted_from_the_start() -> None:
    stale = watch(spec("STALE"))
    stale.begin(100_000)
    assert stale.pass_time(115_000) == []
    assert [c.at_ms for c in stale.pass_time(115_001)] == [115_000]


def test_held_silence_does_not_count_until_it_is_excused() -> None:
    stale = watch(spec("STALE"))
    says(stale, (1000, 1.0))
    stale.hold_silence("gateway")
    stale.hold_silence("rule")
    assert stale.pass_time(10**9) == []
    stale.excuse_silence("rule", 5)
    assert stale.pass_time(10**9) == []
    stale.excuse_silence("gateway", 10**9)
    assert stale.pass_time(10**9 + 15_000) == []
    assert [c.at_ms for c in stale.pass_time(10**9 + 15_001)] == [10**9 + 15_000]


def test_states() -> None:
    state = watch(spec("STATE", states=(6, 7)), kind=Kind.STATE)
    assert says(state, (1, 3.0), (2, 6.0), (3, 7.0), (4, 0.0)) == [("STATE", 2, True), ("STATE", 4, False)]
    assert state.lo < 0.0 < state.hi
    assert not state.lo < 1.0 < state.hi


def test_the_fast_path_is_open_only_where_nothing_can_change() -> None:
    both = watch(spec("L", 2.0), spec("H", 10.0, on_ms=1000), spec("HH", 12.0))
    says(both, (1000, 5.0))
    assert (both.lo, both.hi) == (2.0, 10.0)
    says(both, (2000, 10.5))
    assert not both.lo < 10.5 < both.hi, "a delay is under way"
    says(both, (3000, 10.5))
    assert (both.lo, both.hi) == (10.0, 12.0), "active and steady"
    says(both, (4000, None))
    assert not both.lo < 10.5 < both.hi


def test_restart_of_a_condition_counts_its_delay_again() -> None:
    high = watch(spec("H", 10.0, on_ms=1000))
    says(high, (1000, 12.0), (2000, 12.0))
    high.restart("H", 5000)
    assert [c.at_ms for c in high.pass_time(9000)] == [6000]


def test_conditions_of_another_kind_are_left_alone() -> None:
    assert watch(spec("ROC"), spec("CAP-SHORT", 3.0)).conditions == ()


@pytest.mark.parametrize("active", [False, True])
def test_a_delay_holds_while_it_differs(active: bool) -> None:
    delay = Delay(10, 10)
    delay.active = active
    delay.take(not active, 100)
    assert delay.holds is not active
    delay.take(active, 105)
    assert delay.holds is active
    assert delay.pass_time(1000) is None


# The oracle: every millisecond is looked at, one after the other


@dataclass
class Ticker:
    """One condition with its delays, by counting ticks."""

    on: int
    off: int
    active: bool = False
    ticks: int | None = None
    log: list[tuple[int, bool]] = field(default_factory=list)

    def tick(self, t: int, holds: bool) -> None:
        self.ticks = None if holds == self.active else (0 if self.ticks is None else self.ticks + 1)
        if self.ticks is not None and self.ticks >= (self.off if self.active else self.on):
            self.active = not self.active
            self.ticks = None
            self.log.append((t, self.active))


@dataclass
class Oracle:
    limit: float
    deadband: float
    stale_after: int
    high: Ticker
    bad: Ticker
    stale: Ticker

    def run(self, readings: dict[int, float | None], end: int) -> dict[str, list[tuple[int, bool]]]:
        over, is_bad, last = False, False, 0
        for t in range(1, end):
            value = readings.get(t, "nothing")
            if value != "nothing":
                last = t
                is_bad = value is None
                if value is None:
                    over, self.high.ticks = self.high.active, None
                elif isinstance(value, float):
                    over = value >= (self.limit - self.deadband if over else self.limit)
            self.high.tick(t, over)
            self.bad.tick(t, is_bad)
            self.stale.tick(t, t - last >= self.stale_after)
        return {"H": self.high.log, "BAD": self.bad.log, "STALE": self.stale.log}


@settings(max_examples=100, deadline=None)
@given(
    readings=st.dictionaries(
        st.integers(1, 200), st.none() | st.sampled_from([5.0, 8.0, 9.0, 9.5, 10.0, 11.0]), max_size=60
    ),
    delays=st.tuples(*[st.integers(0, 12)] * 6),
    deadband=st.sampled_from([0.0, 0.75, 2.0]),
    looks=st.sets(st.integers(1, 219)),
)
def test_as_the_oracle_whenever_time_is_looked_at(
    readings: dict[int, float | None], delays: tuple[int, ...], deadband: float, looks: set[int]
) -> None:
    on, off, bad_on, bad_off, stale_on, stale_off = delays
    watched = watch(
        spec("H", 10.0, on, off, deadband), spec("BAD", None, bad_on, bad_off), spec("STALE", None, stale_on, stale_off)
    )
    watched.stale_ms = 20  # ticks of the oracle
    got: dict[str, list[tuple[int, bool]]] = {"H": [], "BAD": [], "STALE": []}
    for t in sorted({*readings, *looks, 220}):
        changes = watched.pass_time(t) if t in looks or t == 220 else []
        if t in readings:
            changes += watched.take(t, readings[t], good=readings[t] is not None)
        for change in changes:
            got[change.condition].append((change.at_ms, change.active))
    oracle = Oracle(10.0, deadband, 20, Ticker(on, off), Ticker(bad_on, bad_off), Ticker(stale_on, stale_off))
    assert got == oracle.run(readings, 220)
