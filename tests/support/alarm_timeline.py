"""Alarms as a timeline: push values at t, expect events between t1 and t2, all on station time in seconds."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.domain.plant import AlarmSpec, Gateway, Plant, Signal, Suppression, Text, Unit
from station.domain.signals import Kind, UnitMessage
from station.ports import AlarmJournal, JournalEntry
from tests.support.plants import small_station

START_MS = 1_795_430_400_000
STATION = "teststation"
_NO = Text("", "")


def spec(
    condition: str,
    limit: float | None = None,
    *,
    on_s: float = 0,
    off_s: float = 0,
    deadband: float = 0.0,
    priority: str = "low",
    latched: bool = False,
    safety: bool = False,
    states: tuple[tuple[int, str], ...] = (),
) -> AlarmSpec:
    """Return an alarm's specification; `states`: (number, priority)."""
    return AlarmSpec(
        condition,
        limit,
        deadband,
        dt.timedelta(seconds=on_s),
        dt.timedelta(seconds=off_s),
        priority,
        latched=latched,
        safety=safety,
        text=Text(condition, condition),
        cause=_NO,
        consequence=_NO,
        action=_NO,
        states=tuple(number for number, _ in states),
        state_priorities=states,
    )


def signal(
    tag: str, unit: str, *specs: AlarmSpec, rate_s: float = 1.0, kind: Kind = Kind.ANALOG_INPUT, area: str = "storage"
) -> Signal:
    """Return a signal of a unit."""
    return Signal(tag, area, unit, kind, tag, _NO, "MPa", 0, 1, {}, rate_s, None, (), tuple(specs), (), unit)


def station(
    signals: Sequence[Signal],
    suppressions: Sequence[Suppression] = (),
    capacity: dict[str, AlarmSpec] | None = None,
    system: dict[str, AlarmSpec] | None = None,
    heartbeats: dict[str, str] | None = None,
) -> Plant:
    """Return a station of these signals; each unit has a gateway of its own name."""
    by_unit: dict[tuple[str, str], list[str]] = {}
    for one in signals:
        by_unit.setdefault(one.key, []).append(one.tag)
    return dataclasses.replace(
        small_station(),
        id=STATION,
        signals={one.tag: one for one in signals},
        units={key: Unit(*key, Text(key[1], key[1]), tuple(tags)) for key, tags in by_unit.items()},
        gateways=tuple(
            Gateway(key[1], Text(key[1], key[1]), (key,), (heartbeats or {}).get(key[1])) for key in by_unit
        ),
        suppressions=tuple(suppressions),
        capacity_alarms=capacity or {},
        system_alarms=system or {},
    )


class Timeline:
    """An engine on a clock of its own; times are seconds since the start."""

    def __init__(self, plant: Plant, journal: AlarmJournal | None = None, at_s: float = 0) -> None:
        self.plant = plant
        self.journal = MemoryJournal() if journal is None else journal
        self.engine = AlarmEngine(plant, self.journal, wall_ms=lambda: START_MS)
        self.engine.restore()
        self.engine.advance(ms(at_s))
        self._seq: dict[tuple[str, str], int] = {}

    def push(
        self,
        at_s: float,
        values: dict[str, float | None],
        *,
        quality: dict[str, str] | None = None,
        seq: int | None = None,
        boot: str | None = None,
        now_s: float | None = None,
    ) -> None:
        """Let one unit say something; station time comes to it as well, or to `now_s`."""
        key = self.plant.signals[next(iter(values))].key
        self.engine.observe(UnitMessage(STATION, *key, ms(at_s), values, quality or {}, boot, seq))
        self.engine.advance(ms(at_s if now_s is None else now_s))

    def hold(self, start_s: float, end_s: float, values: dict[str, float | None], step_s: float = 1) -> None:
        """Let one unit say the same from `start_s` to, not including, `end_s`."""
        steps = round((end_s - start_s) / step_s)
        for step in range(steps):
            self.push(start_s + step * step_s, values)

    def wait(self, until_s: float, step_s: float = 1) -> None:
        """Let station time pass with nothing said."""
        at = seconds(self.engine._now_ms)
        while at < until_s:
            at = min(until_s, at + step_s)
            self.engine.advance(ms(at))

    def state(self, alarm_id: str) -> str:
        """Return an alarm's state."""
        return self.engine.alarm(alarm_id).state

    def listed(self) -> dict[str, str]:
        """Return the state of every alarm that is listed."""
        return {view.id: view.state for view in self.engine.alarms()}

    def events(self, alarm_id: str | None = None) -> list[tuple[str, float]]:
        """Return (event, second) of the journal, of one alarm or of all."""
        return [
            (entry.event, seconds(entry.t_ms))
            for entry in self.rows()
            if alarm_id is None or entry.alarm_id == alarm_id
        ]

    def raised(self) -> list[str]:
        """Return the ids of the alarms that were raised in sight, in order."""
        return [e.alarm_id for e in self.rows() if e.event == "raised" and e.detail["state"].get("announced")]  # type: ignore[attr-defined]

    def rows(self) -> list[JournalEntry]:
        """Return the journal's entries."""
        return [entry for _, entry in self.journal.entries(STATION, 0, 1 << 60, limit=1_000_000)]


def ms(at_s: float) -> int:
    """Return epoch ms of a second of the timeline."""
    return START_MS + round(at_s * 1000)


def seconds(t_ms: int) -> float:
    """Return the second of the timeline of an epoch ms."""
    return (t_ms - START_MS) / 1000
