"""The gate: trucks as they come, the queue before the hoses, and when somebody is called in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.fleet import TruckDraw
from simulators.physics.gas import Gas
from simulators.physics.storage import Cascade
from simulators.physics.tank import VehicleTank
from station.domain import hydrogen
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import Plant


@dataclass(frozen=True, slots=True)
class GateEstimates:
    """When the gate is shut: shares of the high bank's working pressure at 20 degC."""

    shut_below_share: float
    open_above_share: float


_E = estimates("simulators.physics", "gate", GateEstimates)
_SHUT, _OPEN = _E.shut_below_share, _E.open_above_share
_REFERENCE_K = 293.15


@dataclass(slots=True)
class TruckVisit:
    """One truck's way through the station; times epoch ms.

    `since_ms` is since when its driver waits: its arrival, or when a broken hose sent it back to the gate.
    """

    draw: TruckDraw
    asked_kg: float = 0.0
    start_ms: int | None = None
    end_ms: int | None = None
    delivered_kg: float = 0.0
    hose: str | None = None
    outcome: str = "waiting"
    stop_reason: str | None = None
    since_ms: int = 0
    tank: VehicleTank | None = None


class Gate:
    """Trucks to come, those that wait, and the records of all that came."""

    def __init__(self, plant: Plant, gas: Gas, cascade: Cascade) -> None:
        self.gas, self.cascade = gas, cascade
        self.end_soc = plant.fill.end_soc
        self.patience_ms = int(plant.fleet.patience.total_seconds() * 1000)
        self.coming: deque[TruckVisit] = deque()
        self.waiting: deque[TruckVisit] = deque()
        self.visits: list[TruckVisit] = []
        self.open = True
        working = cascade.by_recharge[0].spec.working_mpa
        self._shut_mpa, self._open_mpa = _SHUT * working, _OPEN * working
        self._shut_kg_m3 = hydrogen.density(self._shut_mpa, _REFERENCE_K)
        self._open_kg_m3 = hydrogen.density(self._open_mpa, _REFERENCE_K)

    def expect(self, draws: Sequence[TruckDraw], from_ms: int) -> None:
        """Take a day's trucks; those that came before `from_ms` are not this run's, no-shows are nobody's."""
        visits = [TruckVisit(draw) for draw in draws if draw.comes and draw.arrival_ms >= from_ms]
        self.coming.extend(sorted(visits, key=lambda visit: (visit.draw.arrival_ms, visit.draw.id)))

    def forget_before(self, t_ms: int) -> None:
        """Drop the records of trucks that left before a moment."""
        self.visits = [visit for visit in self.visits if visit.end_ms is None or visit.end_ms >= t_ms]

    def advance(self, t_ms: int, shut: bool) -> None:
        """Let trucks come, and drivers leave whose patience is at its end; `shut` calls nobody in."""
        coming, waiting = self.coming, self.waiting
        while coming and coming[0].draw.arrival_ms <= t_ms:
            visit = coming.popleft()
            full_kg = visit.draw.tanks * visit.draw.tank_litres / 1000.0 * H35_REFERENCE_KG_M3
            visit.asked_kg = full_kg * (self.end_soc - visit.draw.soc)
            visit.since_ms = visit.draw.arrival_ms
            waiting.append(visit)
            self.visits.append(visit)
        while waiting and t_ms - waiting[0].since_ms >= self.patience_ms:
            gone = waiting.popleft()
            gone.end_ms, gone.outcome, gone.tank = t_ms, "gone", None
        self.open = not shut and self._top_is_full_enough()

    def _top_is_full_enough(self) -> bool:
        """Return whether the high bank can end a fill, by its pressure or its density.

        In the cold a full bank stands at less pressure than the mark, and so does the truck that it fills.
        """
        top = self.cascade.by_recharge[0].vessel
        if self.open:
            return top.pressure > self._shut_mpa or top.density > self._shut_kg_m3
        return top.pressure > self._open_mpa or top.density > self._open_kg_m3

    def call(self, t_ms: int, hose: str, ambient_c: float) -> tuple[TruckVisit, VehicleTank]:
        """Send the first truck of the queue to a hose; its tanks have stood in the open at about ambient."""
        visit = self.waiting.popleft()
        tank = visit.tank
        if tank is None:
            tank = visit.tank = vehicle_tank(self.gas, visit.draw)
            kelvin = ambient_c + visit.draw.warmer_k + KELVIN
            tank.set_state(visit.draw.soc * H35_REFERENCE_KG_M3 * tank.volume, kelvin)
            visit.start_ms = t_ms
        visit.hose, visit.outcome = hose, "filling"
        return visit, tank

    def send_back(self, visit: TruckVisit, t_ms: int) -> None:
        """Put a truck whose hose broke down at the head of the queue, with what it has."""
        visit.outcome, visit.since_ms = "waiting", t_ms
        self.waiting.appendleft(visit)


def vehicle_tank(gas: Gas, draw: TruckDraw) -> VehicleTank:
    """Return the empty tanks of a truck."""
    return VehicleTank(gas, draw.tanks, draw.tank_litres, "IV" if draw.kind == "IV" else "III")
