"""A plant without physics: values that are a plain function of time, for tests of what comes after the physics."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulators.block import DayTruth, TruthBlock
from simulators.faults import FaultBoard
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.domain.plant import Plant

START_MS = 1_780_243_200_000
"""2026-06-01T00:00+08:00."""
IDLE, CONNECT, LEAK_CHECK, FILL, HOLD, END = range(6)
FILL_STEPS = ((20, CONNECT), (30, LEAK_CHECK), (60, FILL), (70, HOLD), (75, FILL), (90, END))
"""(until this many seconds into the cycle, hose state); idle after the last."""
CYCLE_S = 200
FLOW_KG_S = 0.05


@dataclass
class FakePhysics:
    """All signals in the middle of their normal range; the hoses of `filling` go through a fill every `CYCLE_S`.

    `absent` signals have no value. `waiting_since` lists when (s after the start) one more truck comes to the gate.
    """

    plant: Plant
    filling: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    waiting_since: tuple[int, ...] = ()
    t_ms: int = START_MS
    plan_version: int = 1
    faults: FaultBoard = field(default_factory=FaultBoard)
    injected: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def advance(self, n_steps: int, dt_s: float = 1.0) -> TruthBlock:
        step_ms = round(dt_s * 1000)
        t_ms = self.t_ms + step_ms * np.arange(n_steps, dtype=np.int64)
        self.t_ms += n_steps * step_ms
        signals = list(self.plant.signals.values())
        middles = [0.0 if s.kind.is_discrete else (s.normal_lo + min(s.normal_hi, 1e5)) / 2 for s in signals]
        values = np.tile(np.array(middles), (n_steps, 1))
        place = {signal.tag: column for column, signal in enumerate(signals)}
        for hose in self.plant.hoses:
            self._fill(hose.unit, t_ms, values, place)
        for tag in self.absent:
            values[:, place[tag]] = np.nan
        return TruthBlock(t_ms, values, dt_s)

    def _fill(self, hose: str, t_ms: np.ndarray, values: np.ndarray, place: dict[str, int]) -> None:
        seconds = (t_ms - START_MS) / 1000.0
        phase = seconds % CYCLE_S
        state = np.zeros(len(t_ms))
        if hose in self.filling:
            for until, number in reversed(FILL_STEPS):
                state[phase < until] = number
        values[:, place[self.plant.tag("dispensing", hose, "state")]] = state
        rise = np.clip(phase - 30, 0, 30) if hose in self.filling else 0.0
        total = 1000.0 + FLOW_KG_S * (30 * (seconds // CYCLE_S) + rise)
        values[:, place[self.plant.tag("dispensing", hose, "total")]] = total
        pressure = values[:, place[self.plant.tag("dispensing", hose, "pressure")]]
        pressure[:] = 5.0 + 0.1 * rise
        in_fill = (state >= LEAK_CHECK) & (state <= HOLD)
        vehicle = [place[tag] for tag in self.plant.units[("vehicle", hose)].tags]
        values[np.ix_(np.flatnonzero(~in_fill), vehicle)] = np.nan

    def waiting(self) -> tuple[WaitingTruck, ...]:
        times = [START_MS + 1000 * since for since in self.waiting_since]
        return tuple(WaitingTruck(f"truck-{t}", t, 38.0) for t in times if t <= self.t_ms)

    def plan(self, day: dt.date) -> DayPlan:
        noon = round(self.plant.day_start(day).timestamp() * 1000) + 12 * 3_600_000
        trucks = (Booking("truck-1", noon, 40.0),)
        return DayPlan(day, trucks, (Delivery("trailer-1", noon, 278.0),), "mqtt")

    def truth(self) -> DayTruth:
        return DayTruth(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, (), ())

    def inject(self, fault_name: str, unit: str, /, **options: Any) -> None:
        self.injected.append((fault_name, unit, options))

    def snapshot(self) -> bytes:
        return json.dumps({"filling": self.filling, "t_ms": self.t_ms}).encode()

    @classmethod
    def restore(cls, plant: Plant, data: bytes) -> FakePhysics:
        kept = json.loads(data)
        return cls(plant, tuple(kept["filling"]), t_ms=kept["t_ms"])
