"""The alarm engine, with its desk, suppression, time and journal, against an oracle that is nothing but a table.

`JINMA_ORACLE_TRANSITIONS=1000000` (as `make faults` does) drives a million; without it there are fewer, to be done
within seconds.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.domain.alarms import AlarmStateError
from station.domain.plant import Suppression
from station.domain.signals import Kind, Reading, UnitMessage
from tests.support.alarm_table import Table
from tests.support.alarm_timeline import STATION, ms, signal, spec, station

TRANSITIONS = int(os.environ.get("JINMA_ORACLE_TRANSITIONS", "50000"))
ROUND = 10_000
"""Transitions with one journal, which a restart reads from its beginning."""
KINDS = {"A": (False, False), "L": (True, False), "S": (True, True), "X": (False, True)}
"""Alarm -> latching, safety."""
_BOTH = ((1, "medium"), (2, "high"))
PLANT = station(
    [
        *(
            signal(tag, "unit", spec("STATE", latched=latched, safety=safety, states=_BOTH), kind=Kind.STATE)
            for tag, (latched, safety) in KINDS.items()
        ),
        signal("D", "decider", kind=Kind.STATE),
    ],
    [Suppression("off", "D", (1,), tuple(KINDS), ("STATE",), dt.timedelta(), on_none=False)],
)
VALUES = {"clear": 0.0, "raise": 1.0, "worse": 2.0}
ACTS = ("ack", "reset", "shelve", "unshelve", "out", "return")
PLANT_EVENTS = ("suppress", "reveal", "restart", "restart elsewhere")
"""`elsewhere`: what suppresses has changed while nobody watched."""
WHO, PAUSES_S, FOR_S = ("Wang", "Li"), (1, 1, 1, 2, 7, 60, 300, 1000), (30, 200, 2000)


class Step(NamedTuple):
    """After a pause, perhaps something that concerns all alarms; then one event of each alarm."""

    pause_s: int
    everywhere: str
    events: tuple[str, ...]
    who: str
    for_s: int


def draw(dice: random.Random) -> Step:
    # Half the events are the process's, or nothing would be there to act upon.
    events = tuple(dice.choice(tuple(VALUES) if dice.random() < 0.5 else ACTS) for _ in KINDS)
    everywhere = dice.choice(PLANT_EVENTS[:2]) if dice.random() < 0.2 else ""
    if dice.random() < 0.01:
        everywhere = dice.choice(PLANT_EVENTS[2:])
    return Step(dice.choice(PAUSES_S), everywhere, events, dice.choice(WHO), dice.choice(FOR_S))


@dataclass
class Both:
    """The engine and the tables, step by step."""

    now_s: int = 0
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    decided: float = 0.0

    def __post_init__(self) -> None:
        self.tables = {tag: Table(*kind) for tag, kind in KINDS.items()}
        self.values = dict.fromkeys(KINDS, 0.0)
        self.engine = self._start()
        self._say("decider", {"D": 0.0})

    def _start(self) -> AlarmEngine:
        engine = AlarmEngine(PLANT, self.journal, wall_ms=lambda: 0)
        engine.restore()
        engine.prime([Reading("D", ms(self.now_s), self.decided)])
        engine.advance(ms(self.now_s))
        return engine

    def step(self, step: Step) -> None:
        """Let things happen to both, and hold them against each other."""
        self.now_s += step.pause_s
        self._pass()
        self._everywhere(step.everywhere)
        for tag, event in zip(KINDS, step.events, strict=True):
            if event in VALUES:
                self._value(event, tag)
            else:
                allowed = self._act(event, tag, step.who, step.for_s)
                assert self.tables[tag].do(event, step.who, self.now_s, step.for_s) == allowed, (step, tag)
        self.now_s += 1
        self._pass()
        self._compare(step)

    def _everywhere(self, event: str) -> None:
        if event in {"suppress", "reveal"}:
            self._decide(event)
            self._say("decider", {"D": self.decided})
        elif event:
            if event.endswith("elsewhere"):
                self._decide("reveal" if self.decided else "suppress")
            self.engine = self._start()
            self._say("unit", dict(self.values))
        if event:
            self.now_s += 1
            self._pass()

    def _pass(self) -> None:
        self.engine.advance(ms(self.now_s))
        for table in self.tables.values():
            table.do("pass", at_s=self.now_s)

    def _decide(self, event: str) -> None:
        self.decided = float(event == "suppress")
        for table in self.tables.values():
            table.do(event)

    def _value(self, event: str, tag: str) -> None:
        self.values[tag] = VALUES[event]
        self._say("unit", {tag: self.values[tag]})
        table = self.tables[tag]
        table.severe = event == "worse"
        table.do("raise" if event == "worse" and not table.own[1] else event)

    def _say(self, unit: str, values: dict[str, float | None]) -> None:
        self.engine.observe(UnitMessage(STATION, "storage", unit, ms(self.now_s), values))

    def _act(self, event: str, tag: str, who: str, for_s: int) -> bool:
        engine, alarm, now_ms = self.engine, f"{tag}.STATE", ms(self.now_s)
        try:
            if event == "ack":
                engine.acknowledge(alarm, who, "", now_ms)
            elif event == "reset":
                engine.reset(alarm, who, "", now_ms)
            elif event == "shelve":
                engine.shelve(alarm, who, dt.timedelta(seconds=for_s), "why", now_ms)
            elif event == "unshelve":
                engine.unshelve(alarm, who, now_ms)
            elif event == "out":
                engine.out_of_service(alarm, who, "why", ms(self.now_s + for_s), now_ms)
            else:
                engine.return_to_service(alarm, who, "", now_ms)
        except AlarmStateError:
            return False
        return True

    def _compare(self, step: Step) -> None:
        for tag, table in self.tables.items():
            view = self.engine.alarm(f"{tag}.STATE")
            assert view.state == table.name, (step, tag, table)
            assert (view.active, view.acked, view.latched) == table.own[1:], (step, tag, table)
            if table.own[1]:
                assert view.priority == ("medium", "high")[table.escalated], (step, tag, table)

    def compare_rows(self) -> None:
        """Hold the whole journal against what the tables say must be in it."""
        rows: dict[str, list[str]] = {tag: [] for tag in KINDS}
        occurrences: dict[str, set[str]] = {tag: set() for tag in KINDS}
        for _, entry in self.journal.entries(STATION, 0, 1 << 60, limit=10**6):
            tag = entry.alarm_id.partition(".")[0]
            if tag not in KINDS or entry.event == "first_out_lost":
                continue
            rows[tag].append(entry.event)
            if entry.event.startswith("raised"):
                occurrences[tag].add(entry.occurrence)
        for tag, table in self.tables.items():
            assert rows[tag] == table.rows
            assert len(occurrences[tag]) == table.occurrences


def test_any_events_as_the_table_says_over_restarts_too() -> None:
    dice = random.Random(20261123)
    for _ in range(max(1, TRANSITIONS // ROUND)):
        both = Both()
        for _ in range(ROUND // len(KINDS)):
            both.step(draw(dice))
        both.compare_rows()
        assert both.journal.verify() is None


_events = st.sampled_from((*VALUES, *VALUES, *ACTS))
_steps = st.builds(
    Step,
    st.sampled_from(PAUSES_S),
    st.sampled_from(("", "", *PLANT_EVENTS)),
    st.tuples(*(_events for _ in KINDS)),
    st.sampled_from(WHO),
    st.sampled_from(FOR_S),
)


@settings(max_examples=100, deadline=None)
@given(story=st.lists(_steps, min_size=25, max_size=40))
def test_ten_thousand_transitions_of_hypothesis_as_the_table_says(story: list[Step]) -> None:
    both = Both()
    for step in story:
        both.step(step)
    both.compare_rows()
