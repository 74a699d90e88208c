"""The alarm state machine against an oracle that is nothing but a table."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.domain.alarms import AlarmState, AlarmStateError, occurrence_id
from station.domain.plant import Text

HOUR = dt.timedelta(hours=1)

# What an alarm does, written down once more as a table: (latching, state, event) -> state. States: N normal, U unacked
# active, A acked active, R returned unacked, K latched unacked, L latched acked; a small letter has not been shown yet.
# What is not listed is refused for operators' events, and changes nothing for the process's.
ORDINARY = {
    ("N", "raise"): "U",
    ("R", "raise"): "U",
    ("U", "clear"): "R",
    ("A", "clear"): "N",
    ("u", "clear"): "N",
    ("a", "clear"): "N",
    ("U", "ack"): "A",
    ("u", "ack"): "a",
    ("R", "ack"): "N",
    ("U", "worse"): "U",
    ("u", "worse"): "u",
    ("A", "worse"): "U",
    ("a", "worse"): "u",
}
LATCHING = {
    ("N", "raise"): "U",
    ("K", "raise"): "U",
    ("L", "raise"): "U",
    ("k", "raise"): "U",
    ("l", "raise"): "U",
    ("U", "clear"): "K",
    ("A", "clear"): "L",
    ("u", "clear"): "k",
    ("a", "clear"): "l",
    ("U", "ack"): "A",
    ("u", "ack"): "a",
    ("K", "ack"): "L",
    ("k", "ack"): "l",
    ("L", "reset"): "N",
    ("l", "reset"): "N",
    ("U", "worse"): "U",
    ("u", "worse"): "u",
    ("A", "worse"): "U",
    ("a", "worse"): "u",
}
NAMES = {"N": "NORM", "U": "UNACK", "A": "ACKED", "R": "RTNUN", "K": "LATCHED", "L": "LATCHED"}
EVENTS = ("raise", "clear", "ack", "reset", "worse", "suppress", "reveal", "shelve", "unshelve", "out", "return")
OPERATOR = {"ack", "reset"}


@dataclass
class Table:
    latching: bool
    safety: bool
    state: str = "N"
    worst: bool = False
    suppressed: bool = False
    shelved: bool = False
    out: bool = False
    asked: str = ""

    @property
    def hidden(self) -> bool:
        return self.suppressed or self.shelved or self.out

    @property
    def name(self) -> str:
        for flag, name in ((self.out, "OUT_OF_SERVICE"), (self.suppressed, "SUPPRESSED"), (self.shelved, "SHELVED")):
            if flag:
                return name
        return NAMES[self.state.upper()]

    def do(self, event: str, who: str) -> bool:
        """Take an event; returns False where an operator is refused."""
        if event in {"suppress", "reveal"}:
            self.suppressed = event == "suppress"
            return self._show()
        if event in {"shelve", "unshelve", "out", "return"}:
            return self._overlay(event, who) and self._show()
        if event == "worse" and (self.worst or self.state.upper() not in "UA"):
            return True
        following = (LATCHING if self.latching else ORDINARY).get((self.state, event))
        if following is None:
            return event not in OPERATOR
        if event == "raise":
            self.worst = False
            following = following.lower() if self.hidden else following
        if event == "worse":
            self.worst = True
        self.state = following
        return self._show()

    def _overlay(self, event: str, who: str) -> bool:
        if event == "shelve":
            allowed = not self.safety and not self.out
            self.shelved = self.shelved or allowed
            return allowed
        if event == "unshelve":
            allowed, self.shelved = self.shelved, False
            return allowed
        if event == "return":
            allowed, self.out, self.asked = self.out or bool(self.asked), False, ""
            return allowed
        if self.out or (self.safety and self.asked == who):
            return False
        if self.safety and not self.asked:
            self.asked = who
            return True
        self.out, self.shelved, self.asked = True, False, ""
        return True

    def _show(self) -> bool:
        if not self.hidden and self.state != "N":
            self.state = self.state.upper()
        return True


def drive(state: AlarmState, event: str, who: str, t: int, table: Table) -> AlarmState:
    does = {
        "raise": lambda: state.raised(occurrence_id("A", t), t, "low"),
        "clear": lambda: state.cleared(t, latching=table.latching),
        "ack": lambda: state.acknowledged(t, who),
        "reset": state.reset,
        "worse": lambda: state.escalated("high"),
        "suppress": lambda: state.suppressed_now(True),
        "reveal": lambda: state.suppressed_now(False),
        "shelve": lambda: state.shelved(t, who, HOUR, safety=table.safety),
        "unshelve": state.unshelved,
        "out": lambda: state.taken_out(t, who, None, safety=table.safety),
        "return": state.returned_to_service,
    }
    return does[event]()


def compare(events: list[tuple[str, str]], *, latching: bool, safety: bool) -> None:
    table, state = Table(latching, safety), AlarmState()
    for t, (event, who) in enumerate(events, start=1):
        try:
            state, allowed = drive(state, event, who, t, table), True
        except AlarmStateError:
            allowed = False
        assert table.do(event, who) == allowed, (t, event)
        letter = table.state.upper()
        assert state.name == table.name
        assert state.own_name == NAMES[letter]
        assert state.active == (letter in "UA")
        assert state.acked == (letter in "NAL")
        assert state.latched == (letter in "KL")
        assert state.is_open == (letter != "N")


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(["Wang", "Li"])), max_size=120),
    latching=st.booleans(),
    safety=st.booleans(),
)
def test_any_events_as_the_table_says(events: list[tuple[str, str]], latching: bool, safety: bool) -> None:
    compare(events, latching=latching, safety=safety)


def test_a_hundred_thousand_transitions_as_the_table_says() -> None:
    dice = random.Random(20261123)
    for latching, safety in ((False, False), (False, True), (True, False), (True, True)):
        events = [(dice.choice(EVENTS), dice.choice(["Wang", "Li"])) for _ in range(25_000)]
        compare(events, latching=latching, safety=safety)


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
