"""What happens to an alarm, step by step; test_alarms_oracle.py holds it against a table by the thousand."""

from __future__ import annotations

import datetime as dt

import pytest

from station.domain.alarms import AlarmState, AlarmStateError
from station.domain.plant import Text

HOUR = dt.timedelta(hours=1)


def test_a_latched_alarm_wants_acknowledgement_then_reset() -> None:
    state = AlarmState().raised("A@1", 1, "critical", 26.0, 25.0)
    with pytest.raises(AlarmStateError, match="still there"):
        state.reset()
    state = state.cleared(2, latching=True)
    assert (state.name, state.acked, state.active) == ("LATCHED", False, False)
    with pytest.raises(AlarmStateError, match="acknowledge the alarm first"):
        state.reset()
    state = state.acknowledged(3, "Wang")
    assert state.name == "LATCHED"
    assert state.reset().name == "NORM"
    with pytest.raises(AlarmStateError, match="not latched"):
        state.reset().reset()


def test_acknowledging_never_hides_an_active_alarm() -> None:
    state = AlarmState().raised("A@1", 1, "high").acknowledged(2, "Wang")
    assert (state.name, state.active, state.acked_by, state.acked_ms) == ("ACKED", True, "Wang", 2)
    with pytest.raises(AlarmStateError, match="already acknowledged by Wang"):
        state.acknowledged(3, "Li")
    with pytest.raises(AlarmStateError, match="nothing to acknowledge"):
        state.cleared(4, latching=False).acknowledged(5, "Li")


def test_a_new_occurrence_knows_nothing_of_the_last() -> None:
    first = AlarmState().raised("A@1", 1, "low", 5.0).acknowledged(2, "Wang").escalated("high", 9.0)
    second = first.cleared(3, latching=False).raised("A@4", 4, "low", 6.0)
    assert second.occurrence == "A@4"
    assert (second.acked, second.acked_by, second.cleared_ms, second.priority, second.value) == (
        False,
        None,
        None,
        "low",
        6.0,
    )


def test_escalation_realarms_within_the_occurrence() -> None:
    state = AlarmState().raised("CAP-SHORT@1", 1, "high").acknowledged(2, "Wang")
    worse = state.escalated("critical", 372.0, 40.0, Text("worse", "更糟"))
    assert (worse.name, worse.occurrence, worse.priority) == ("UNACK", "CAP-SHORT@1", "critical")
    assert worse.escalated("high") is worse
    assert state.escalated("high") is state


@pytest.mark.parametrize("duration", [dt.timedelta(), -HOUR, 8 * HOUR + dt.timedelta(seconds=1)])
def test_shelving_ends_within_a_shift(duration: dt.timedelta) -> None:
    with pytest.raises(AlarmStateError, match="at most 8 h"):
        AlarmState().shelved(0, "Wang", duration, safety=False)


def test_what_shelved_hides_is_shown_as_it_is_when_it_ends() -> None:
    shelved = AlarmState().shelved(0, "Wang", HOUR, safety=False)
    assert shelved.shelved_until_ms == 3_600_000
    active = shelved.raised("A@1", 1, "low")
    assert active.name == "SHELVED"
    assert active.unshelved().name == "UNACK"
    assert active.cleared(2, latching=False).unshelved().name == "NORM", "nobody saw it: nothing to acknowledge"
    assert active.cleared(2, latching=True).unshelved().name == "LATCHED"


def test_a_safety_alarm_is_never_shelved_and_leaves_service_by_two_people() -> None:
    fresh = AlarmState()
    with pytest.raises(AlarmStateError, match="safety"):
        fresh.shelved(0, "Wang", HOUR, safety=True)
    asked = fresh.taken_out(0, "Wang", None, safety=True)
    assert asked.name == "NORM"
    with pytest.raises(AlarmStateError, match="second user"):
        asked.taken_out(1, "Wang", None, safety=True)
    assert asked.taken_out(900_000, "Li", None, safety=True).name == "OUT_OF_SERVICE"
    late = asked.taken_out(900_001, "Li", None, safety=True)
    assert (late.name, late.asked_out_by) == ("NORM", "Li"), "the first wish has lapsed: Li is the first now"


def test_out_of_service_ends_in_the_future() -> None:
    with pytest.raises(AlarmStateError, match="later than now"):
        AlarmState().taken_out(1000, "Wang", 1000, safety=False)


def test_the_journal_gives_back_every_state() -> None:
    state = (
        AlarmState()
        .raised("A@1", 1, "high", 5.5, 5.0, Text("short", "短缺"))
        .marked_first_out(True)
        .acknowledged(2, "王工")
        .shelved(3, "Li", HOUR, safety=False)
    )
    assert AlarmState.from_detail(state.as_detail()) == state
    assert AlarmState().as_detail() == {}
    assert AlarmState.from_detail({"a_field_of_tomorrow": 1, "active": True}).active
