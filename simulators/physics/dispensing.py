"""Dispensing: gate, hoses, cabinets and the fills on them, one step after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from simulators.fleet import TruckDraw
from simulators.physics.cabinet import cabinets_of
from simulators.physics.cooling import ChillerUnit, Cooling
from simulators.physics.fill_sequence import FillSequence
from simulators.physics.filling import Filling
from simulators.physics.gas import Gas
from simulators.physics.gate import Gate, TruckVisit
from simulators.physics.hoses import ABORT, CONNECT, END, FAULT, IDLE, IDLE_MPA, HoseUnit
from simulators.physics.roles import HIDDEN, Role
from simulators.physics.sources import Sources
from simulators.physics.storage import Cascade
from simulators.physics.supply import SupplyYard
from station.domain.plant import Plant

__all__ = ["CONNECT", "END", "Dispensing", "HoseUnit", "TruckVisit"]

_LET_DOWN = (END, ABORT, FAULT)


class Dispensing:
    """Gate and hoses. `filling` counts kilograms and energies, `sources.drawn_j` what the hoses drew."""

    def __init__(
        self,
        plant: Plant,
        gas: Gas,
        totals: Sequence[float],
        supply: SupplyYard,
        cascade: Cascade,
        cooling: Cooling,
    ) -> None:
        self.entrance = Gate(plant, gas, cascade)
        self.sources = Sources(supply, cascade, plant.fill.source_margin_mpa)
        self.filling = Filling(gas, plant.fill, self.sources, cooling)
        self.sequence = FillSequence(plant.fill, self.entrance, self.sources, self.filling)
        chillers = _chillers_of(plant, cooling)
        self.hoses = [
            HoseUnit(spec, total, chillers.get(spec.dispenser)) for spec, total in zip(plant.hoses, totals, strict=True)
        ]
        self.cabinets = cabinets_of(self.hoses)

    # ---- what others ask

    @property
    def gate(self) -> deque[TruckVisit]:
        """The trucks that wait, the next to be called first."""
        return self.entrance.waiting

    @property
    def visits(self) -> list[TruckVisit]:
        """The records of all trucks that came."""
        return self.entrance.visits

    @property
    def fills_ended(self) -> int:
        """Fills that passed through `end`."""
        return self.sequence.fills_ended

    @property
    def dispensed_kg(self) -> float:
        """Gas that went into vehicles [kg]."""
        return self.filling.dispensed_kg

    @property
    def vented_kg(self) -> float:
        """Gas that left the hoses through the vent stack or a leak [kg]."""
        return self.filling.vented_kg

    @property
    def leaked_kg(self) -> float:
        """Of `vented_kg`, what leaked into cabinets [kg]."""
        return self.filling.leaked_kg

    @property
    def dispensed_j(self) -> float:
        """Enthalpy of the gas that went into vehicles [J]."""
        return self.filling.dispensed_j

    @property
    def precooled_j(self) -> float:
        """Heat that the brine took out of the gas [J]."""
        return self.filling.precooled_j

    @property
    def vented_j(self) -> float:
        """Enthalpy of `vented_kg` [J]."""
        return self.filling.vented_j

    @property
    def drawn_j(self) -> float:
        """Enthalpy of the gas drawn from banks and trailers [J]."""
        return self.sources.drawn_j

    def line_stock_kg(self) -> float:
        """Return the gas packed in the hose lines [kg]."""
        return sum(hose.line_kg for hose in self.hoses)

    def line_j(self) -> float:
        """Return the energy of the gas packed in the hose lines [J].

        drawn_j = dispensed_j + precooled_j + vented_j + line_j at every moment.
        """
        return sum(hose.line_j for hose in self.hoses)

    def expect(self, draws: Sequence[TruckDraw], from_ms: int) -> None:
        """Take a day's trucks; those that came before `from_ms` are not this run's."""
        self.entrance.expect(draws, from_ms)

    def forget_before(self, t_ms: int) -> None:
        """Drop the records of trucks that left before a moment."""
        self.entrance.forget_before(t_ms)

    # ---- recording

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *(role for hose in self.hoses for role in hose.roles()),
            *(cabinet.role() for cabinet in self.cabinets),
            (HIDDEN, "dispensing", "vent_kg_s"),
        ]

    def record(self, row: list[float]) -> None:
        """Add the hoses' and vehicles' part of a row."""
        for hose in self.hoses:
            hose.record(row)
        row += [cabinet.lel for cabinet in self.cabinets]
        row.append(self.filling.vent_kg_s)

    # ---- time

    def advance(self, t_ms: int, dt_s: float, ambient_c: float, esd: bool, power_lost: bool = False) -> None:
        """Go one step on.

        Args:
            t_ms: Epoch ms at the beginning of the step.
            dt_s: Its length [s].
            ambient_c: Air temperature [degC].
            esd: An emergency shut-down stands: fills break off.
            power_lost: The supply of electricity has failed: fills hold.
        """
        self.entrance.advance(t_ms, esd or power_lost)
        self.sources.count(self.hoses)
        self.filling.vent_kg_s = 0.0
        sequence = self.sequence
        for hose in self.hoses:
            hose.closing = False
            self.filling.follow_brine(hose, dt_s)
            state = hose.state
            if state == IDLE:
                self._idle(hose, t_ms, dt_s, ambient_c)
            elif power_lost:
                sequence.hold(hose, dt_s, ambient_c)
            elif esd:
                sequence.stop(hose, t_ms)
            else:
                sequence.step(hose, t_ms, dt_s, ambient_c)
            if hose.state in _LET_DOWN and (hose.line_kg or hose.nozzle_mpa > IDLE_MPA):
                self.filling.let_down(hose, dt_s, IDLE_MPA)
        for cabinet in self.cabinets:
            cabinet.advance(dt_s)
            if cabinet.tripped:
                for hose in cabinet.hoses:
                    sequence.trip(hose, t_ms, "leak")

    def _idle(self, hose: HoseUnit, t_ms: int, dt_s: float, ambient_c: float) -> None:
        hose.timer_s += dt_s
        self.sequence.warm_up(hose, dt_s, ambient_c)
        if not self.entrance.waiting or not self.entrance.open or hose.timer_s < 0.0:
            return
        # The hose that has been free for longest takes the truck, so that all wear alike.
        if any(other.state == IDLE and other.timer_s > hose.timer_s for other in self.hoses):
            return
        self.sequence.connect(hose, t_ms, ambient_c)


def _chillers_of(plant: Plant, cooling: Cooling) -> dict[str, ChillerUnit]:
    """Return which chiller's circuit cools which dispenser: neighbours share one, as evenly as can be."""
    dispensers = list(dict.fromkeys(hose.dispenser for hose in plant.hoses))
    units = cooling.units
    if not units:
        return {}
    return {name: units[number * len(units) // len(dispensers)] for number, name in enumerate(dispensers)}
