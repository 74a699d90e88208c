"""Compressor trains on one suction and one discharge header: started, loaded and stopped as the banks ask."""

from __future__ import annotations

from collections.abc import Iterable

from simulators.physics.gas import Gas
from simulators.physics.roles import HIDDEN, Role, of_unit
from simulators.physics.stages import Stage, stages_of
from simulators.physics.storage import Cascade
from simulators.physics.supply import SupplyYard
from simulators.physics.train import ESTIMATES, LOADED, START, STOP, TRIP, UNLOADED, CompressorTrain
from simulators.physics.vessel import Vessel
from simulators.physics.weather import cooling_water_c
from station.domain import hydrogen
from station.domain.hydrogen import KELVIN
from station.domain.plant import Train

_STAGES_KG = (40.0, 120.0)
"""More missing than this in the banks: a third, a fourth train."""
_CHOOSE_S = 60.0
_TAINT_S, _APPROACH_K = ESTIMATES.taint_s, ESTIMATES.approach_k
_NO_TAINT = 1e-6

_ROLES = (
    "suction_pressure",
    "interstage_pressure",
    "discharge_pressure",
    "stage1_temperature",
    "stage2_temperature",
    "aftercooler_temperature",
    "oil_pressure",
    "oil_temperature",
    "vibration",
    "leak_pressure",
    "flow",
    "power",
    "state",
)


def _readiness(train: CompressorTrain) -> tuple[int, float]:
    """Sort key: trains under load first, then those that turn, then the one that has rested for longest."""
    return (LOADED, START, UNLOADED, STOP, TRIP).index(train.state), -train.off_s


class Compression:
    """All trains.

    Attributes:
        asked: How many trains the banks have called for since they last were full.
        taint_mpa: What leaking diaphragms let into the gas, as the analyser behind the banks sees it: the pressure
            on the leak detection [MPa], weighted by flow, some time later.
        heat_kw: To the cooling water in the last step.
        taken_j: Enthalpy drawn from the trailers since the start; `given_j`: put into the banks.
    """

    STATE = ("asked", "choose_in_s", "taint_mpa", "heat_kw", "taken_j", "given_j")

    def __init__(self, trains: Iterable[Train], gas: Gas, health: Iterable[float], worn: Iterable[float]) -> None:
        self.gas = gas
        self.trains = [CompressorTrain(spec, h, w) for spec, h, w in zip(trains, health, worn, strict=True)]
        least = ESTIMATES.least_design_mpa
        self._stages = [stages_of(gas, train.spec.efficiency_gas_path, least) for train in self.trains]
        self.asked = 0
        self.choose_in_s = self.taint_mpa = self.heat_kw = self.taken_j = self.given_j = 0.0

    @property
    def work_j(self) -> float:
        """Work put into the gas since the start [J]."""
        return sum(train.work_j for train in self.trains)

    @property
    def cooled_j(self) -> float:
        """Heat taken out of the gas by the coolers since the start [J]: given_j = taken_j + work_j - cooled_j."""
        return sum(train.cooled_j for train in self.trains)

    def advance(
        self, supply: SupplyYard, cascade: Cascade, dt_s: float, ambient_c: float, shut: bool, powered: bool = True
    ) -> None:
        """Go one step on: draw from the feeding trailer, charge the bank that is next.

        Args:
            supply: Where the gas comes from.
            cascade: Where it goes.
            dt_s: Step [s].
            ambient_c: [degC]
            shut: An emergency shut-down holds the valves.
            powered: There is electricity.
        """
        target = None if shut else cascade.target()
        self.choose_in_s -= dt_s
        if self.choose_in_s <= 0.0 or not supply.source_gives():
            supply.choose(cascade.are_low(), shut)
            self.choose_in_s = _CHOOSE_S
        source = supply.source
        self._ask_trains(0 if target is None or source is None else self._needed(cascade), dt_s)
        trailer = source.trailer if source is not None else None
        bank_mpa = target.vessel.pressure if target is not None else cascade.header_mpa
        water_c = cooling_water_c(ambient_c)
        # What the trains feel is the header, which follows a change of trailer within seconds.
        density = hydrogen.density(supply.header_mpa, supply.header_k)
        stage: Stage | None = None
        of_stages, drawn_kg, heat_j = None, 0.0, 0.0
        for train, stages in zip(self.trains, self._stages, strict=True):
            if train.state == LOADED and trailer is not None and target is not None:
                train.let_flow(density, dt_s)
            else:
                train.flow_kg_s = 0.0
            train.press(supply.header_mpa, bank_mpa, dt_s)
            if train.flow_kg_s and trailer is not None and target is not None:
                if of_stages is not stages or stage is None:
                    # Trains alike, side by side on the same headers, share one look-up.
                    intercool_k = min(train.spec.intercool_c, water_c + _APPROACH_K) + KELVIN
                    stage = stages.at(train.suction_mpa, train.discharge_mpa, supply.header_k, intercool_k)
                    of_stages = stages
                heat_j += self._charge(train, stage, trailer.vessel.enthalpy, target.vessel, water_c, dt_s)
                drawn_kg += train.flow_kg_s * dt_s
            else:
                train.settle(None, water_c, dt_s)
            if not powered:
                train.cut_off()
        if drawn_kg:
            supply.feed(drawn_kg)
        self.heat_kw = heat_j / dt_s / 1000.0
        self._taint(dt_s)

    def _charge(
        self, train: CompressorTrain, stage: Stage, taken_j_kg: float, bank: Vessel, water_c: float, dt_s: float
    ) -> float:
        """Move a train's gas of one step into a bank; return the heat to the cooling water [J].

        What the gas lost in the coolers is what it brought, and the work, less what it takes into the bank.
        """
        kg = train.flow_kg_s * dt_s
        given_j_kg = self.gas.enthalpy(bank.pressure, train.aftercooler_c + KELVIN)
        bank.put(kg, given_j_kg)
        worked_j, rubbed_j = train.work_j, train.friction_j
        train.settle(stage, water_c, dt_s)
        cooled_j = kg * (taken_j_kg - given_j_kg) + train.work_j - worked_j
        train.cooled_j += cooled_j
        self.taken_j += kg * taken_j_kg
        self.given_j += kg * given_j_kg
        return cooled_j + train.friction_j - rubbed_j

    def _taint(self, dt_s: float) -> None:
        """Let what leaks through diaphragms reach the analyser."""
        leaking = sum(train.leaking_mpa * train.flow_kg_s for train in self.trains)
        if leaking or self.taint_mpa > _NO_TAINT:
            flow = sum(train.flow_kg_s for train in self.trains)
            goal = leaking / flow if flow else self.taint_mpa
            self.taint_mpa += (goal - self.taint_mpa) * min(1.0, dt_s / _TAINT_S)

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        trains = [role for train in self.trains for role in of_unit("compression", train.spec.unit, _ROLES)]
        return [*trains, (HIDDEN, "trains", "taint_mpa")]

    def record(self, row: list[float]) -> None:
        """Add the trains' part of a row."""
        for train in self.trains:
            row += (
                train.suction_mpa,
                train.interstage,
                train.discharge_mpa,
                train.stage1_c,
                train.stage2_c,
                train.aftercooler_c,
                train.oil_mpa,
                train.oil_c,
                train.vibration,
                train.leak_mpa,
                train.flow_kg_s * 3600.0,
                train.power_kw,
                train.state,
            )
        row.append(self.taint_mpa)

    def _needed(self, cascade: Cascade) -> int:
        """Return how many trains the missing kilograms call for; the number only grows until all is full."""
        missing = cascade.missing_kg()
        wanted = len(self.trains) if cascade.are_low() else 2 + sum(1 for step in _STAGES_KG if missing > step)
        self.asked = min(len(self.trains), max(self.asked, wanted))
        return self.asked

    def _ask_trains(self, count: int, dt_s: float) -> None:
        """Tell each train whether it is wanted; no two motors start at once."""
        if not count:
            self.asked = 0
        order = sorted(self.trains, key=_readiness) if count else self.trains
        starting = any(train.state == START for train in self.trains)
        for train in order:
            wanted = count > 0 and train.can_run()
            train.decide(wanted, not starting, dt_s)
            starting = starting or train.state == START
            count -= wanted
