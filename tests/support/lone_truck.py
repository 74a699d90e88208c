"""One truck alone at a simulated station, and what the signals of its hose say."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np

from simulators.block import TruckTruth
from simulators.fleet import TruckDraw
from simulators.physics import StationPhysics
from simulators.physics.gate import TruckVisit
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from station.domain.plant import Plant
from tests.support.plants import jinma

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class LoneTruck:
    """A station to which one truck comes after ten seconds; everything it shows is kept.

    Args:
        plant: The station.
        ambient_c: Held all the time [degC]; None leaves the night's.
        step_s: Of the physics [s].
        truck: What is other than a usual truck of ten 210 L tanks at a state of charge of 0.18.
    """

    def __init__(
        self, plant: Plant | None = None, ambient_c: float | None = None, step_s: float = 1.0, **truck: object
    ) -> None:
        self.plant, self.step_s, self.ambient_c = plant or jinma(), step_s, ambient_c
        self.station = StationPhysics(self.plant, hydrogen_tables(), shipped_scenario("normal-day"), MIDNIGHT, 1)
        self.rows: list[Floats] = []
        gate = self.station.dispensing.entrance
        gate.coming.clear()
        t_ms = self.station.t_ms + 10_000
        draw = TruckDraw("K1", t_ms, t_ms, 39.8, 10, 210.0, 0.18, 120.0, 0.0)
        gate.coming.append(TruckVisit(dataclasses.replace(draw, **truck)))  # type: ignore[arg-type]
        self._place = {tag: number for number, tag in enumerate(self.plant.signals)}
        self._hold_ambient()

    @property
    def truth(self) -> TruckTruth:
        """What really happened to the truck."""
        return next(t for t in self.station.truth().truck_list if t.id == "K1")

    @property
    def hose(self) -> str:
        """The hose that it stands at, or stood at last."""
        visits = [v for v in self.station.dispensing.visits if v.draw.id == "K1"]
        return visits[0].hose or self.plant.hoses[0].unit if visits else self.plant.hoses[0].unit

    def run(self, seconds: float) -> LoneTruck:
        """Let time pass."""
        left = round(seconds / self.step_s)
        while left > 0:
            count = min(left, round(60.0 / self.step_s))
            self.rows.append(self.station.advance(count, self.step_s).values)
            self._hold_ambient()
            left -= count
        return self

    def run_until(self, state: float, hose: str = "", at_most_s: float = 3600.0) -> LoneTruck:
        """Let time pass until a hose shows a state; step by step."""
        for _ in range(round(at_most_s / self.step_s)):
            self.rows.append(self.station.advance(1, self.step_s).values)
            if self.of("dispensing", "state", hose)[-1] == state:
                return self
        raise AssertionError(f"no state {state} within {at_most_s} s")

    def of(self, area: str, role: str, unit: str = "") -> Floats:
        """Return what a signal showed so far; of the truck's hose unless a unit is named."""
        column = self._place[self.plant.tag(area, unit or self.hose, role)]
        return np.concatenate([rows[:, column] for rows in self.rows])

    def tag(self, tag: str) -> Floats:
        """Return what a signal showed so far."""
        return np.concatenate([rows[:, self._place[tag]] for rows in self.rows])

    def _hold_ambient(self) -> None:
        if self.ambient_c is not None:
            self.station.ambient_c = self.ambient_c
            self.station.minute = self.station.t_ms // 60_000
