"""Killed at any message, with a broker that kept the rest: what was not acknowledged comes again, and nothing changes.

The engine alone, in virtual time, so that a thousand deaths take seconds; tests/faults/test_serve_kill.py kills the
real process.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator

import pytest

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.domain.signals import UnitMessage
from tests.support.alarm_story import check_told, edges
from tests.support.alarm_timeline import START_MS, STATION, signal, spec, station

STEP_MS, STEPS = 100, 3_000
DELAY_S = 2.0
KINDS = {
    "P": spec("H", 40.0, deadband=1.0),
    "L": spec("H", 40.0, deadband=1.0, latched=True),
    "D": spec("H", 40.0, deadband=1.0, on_s=DELAY_S, off_s=DELAY_S),
    # Chatter that its delay takes away: in a backlog it must go away as well.
    "C": spec("H", 40.0, deadband=1.0, on_s=DELAY_S, off_s=DELAY_S),
}
PHASES = {"P": (2, 40), "L": (2, 60), "D": (120, 240), "C": (1, 8)}
"""How many steps a signal stays high, or low; `D` longer than all delays that deaths may interrupt."""
QUEUE_MOST = 700
"""It lives on with more than this, 35 s of messages: what is older than a minute is late by contract."""
PLANT = station([signal(f"{kind}-{unit}", f"bank-{unit}", one) for unit in range(2) for kind, one in KINDS.items()])


class Signals:
    """Two units, whose signals go up and down by chance."""

    def __init__(self, dice: random.Random) -> None:
        self.said: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._dice = dice
        self._high = dict.fromkeys(PLANT.signals, False)
        self._left = {tag: dice.randint(*PHASES[tag[0]]) for tag in PLANT.signals}

    def messages(self, t_ms: int, seq: int) -> Iterator[UnitMessage]:
        for unit in PLANT.units.values():
            values: dict[str, float | None] = {}
            for tag in unit.tags:
                values[tag] = value = self._value(tag, rises=seq < STEPS)
                self.said[tag].append((t_ms, value))
            yield UnitMessage(STATION, "storage", unit.name, t_ms, values, {}, "b", seq)

    def _value(self, tag: str, *, rises: bool) -> float:
        self._left[tag] -= 1
        if self._left[tag] < 0 and (rises or self._high[tag]):
            self._high[tag] = not self._high[tag]
            self._left[tag] = self._dice.randint(*PHASES[tag[0]])
        return self._dice.choice((40.0, 44.0)) if self._high[tag] else self._dice.choice((1.0, 38.9))


class Service:
    """An engine that takes messages as the live core does, and dies now and then."""

    def __init__(self, dice: random.Random) -> None:
        self.journal = MemoryJournal()
        self.deaths = 0
        self._dice = dice
        self._kept: deque[UnitMessage] = deque()
        self._engine: AlarmEngine | None = self._start(START_MS)
        self._back_ms = 0

    def _start(self, now_ms: int) -> AlarmEngine:
        engine = AlarmEngine(PLANT, self.journal, wall_ms=lambda: 0)
        engine.restore()
        engine.advance(now_ms)
        return engine

    def step(self, now_ms: int, arrived: Iterator[UnitMessage], *, may_die: bool) -> None:
        """Let 0.1 s pass: messages arrive, a few batches are taken, each acknowledged when it was taken whole."""
        self._kept.extend(arrived)
        if self._engine is None:
            if now_ms < self._back_ms:
                return
            self._engine = self._start(now_ms)
        for _ in range(self._dice.randint(1, 3)):
            batch = [self._kept[n] for n in range(min(len(self._kept), self._dice.randint(1, 12)))]
            for message in batch:
                if may_die and len(self._kept) < QUEUE_MOST and self._dice.random() < 0.002:
                    self._die(now_ms)
                    return
                self._engine.observe(message)
                self._engine.advance(now_ms)
            for _ in batch:
                self._kept.popleft()
        self._engine.advance(now_ms)

    def _die(self, now_ms: int) -> None:
        self.deaths += 1
        self._engine = None
        self._back_ms = now_ms + self._dice.randint(0, 20_000)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_message_the_journal_is_as_if_nothing_had_happened(seed: int) -> None:
    dice = random.Random(seed)
    signals, service = Signals(dice), Service(dice)
    for step in range(STEPS + 600):
        now_ms = START_MS + step * STEP_MS
        service.step(now_ms, signals.messages(now_ms, step), may_die=step < STEPS)
    told: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for _, row in service.journal.entries(STATION, 0, 1 << 60, limit=10**6):
        if row.event in {"raised", "cleared"}:
            told[row.alarm_id.partition(".")[0]].append((row.event, row.t_ms))
    assert service.deaths > 3
    for tag, said in signals.said.items():
        if tag.startswith("C"):
            assert told[tag] == [], "chatter of a backlog was taken for more"
            continue
        check_told(told[tag], edges(said, 40.0, 1.0), round(DELAY_S * 1000) if tag.startswith("D") else 0)
