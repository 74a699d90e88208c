"""Pre-cooling: chillers on one brine tank that cools the gas on its way to the nozzles.

Each chiller's pump draws from the tank and sends the brine through its evaporator, round its own dispensers and back.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.roles import HIDDEN, Role, of_unit
from station.domain.hydrogen import KELVIN
from station.domain.plant import Chiller

STOP, START, RUN, DEFROST, TRIP = range(5)
"""Chiller states in the order of the signal list."""


@dataclass(frozen=True, slots=True)
class CoolingEstimates:
    """What is not in the station file; meanings and reasons stand beside the numbers."""

    brine_kg: float
    brine_j_kg_k: float
    brine_kg_m3: float
    flow_m3_h: float
    gains_w_k: float
    pump_kw: float
    controls_kw: float
    fans_kw: float
    defrost_kw: float
    full_duty_k: float
    setpoint_under_k: float
    start_s: float
    rest_s: float
    first_defrost_h: float
    defrost_every_h: float
    defrost_s: float
    rated_ambient_c: float
    duty_per_ambient_k: float
    duty_per_brine_k: float
    duty_least: float
    duty_most: float
    carnot_share: float
    evaporator_k: float
    evaporator_load_k: float
    condenser_k: float
    condenser_load_k: float
    stagnant_s: float


_E = estimates("simulators.physics", "cooling", CoolingEstimates)
BRINE_J_K = _E.brine_kg * _E.brine_j_kg_k
"""Heat capacity of the brine in tank and pipes [J/K]."""
_FLOW_M3_H, _GAINS_W_K, _PUMP_KW = _E.flow_m3_h, _E.gains_w_k, _E.pump_kw
_BRINE_W_K = _FLOW_M3_H / 3600.0 * _E.brine_kg_m3 * _E.brine_j_kg_k
_FULL_DUTY_K, _UNDER_K = _E.full_duty_k, _E.setpoint_under_k
_START_S, _REST_S, _STAGNANT_S = _E.start_s, _E.rest_s, _E.stagnant_s
_FIRST_DEFROST_H, _DEFROST_EVERY_H, _DEFROST_H = _E.first_defrost_h, _E.defrost_every_h, _E.defrost_s / 3600.0

_AMBIENT_C, _PER_AMBIENT_K, _PER_BRINE_K = _E.rated_ambient_c, _E.duty_per_ambient_k, _E.duty_per_brine_k
_LEAST, _MOST, _CARNOT = _E.duty_least, _E.duty_most, _E.carnot_share
_COLD_K, _COLD_LOAD_K = _E.evaporator_k, _E.evaporator_load_k
_WARM_K, _WARM_LOAD_K = _E.condenser_k, _E.condenser_load_k

_ROLES = (
    "supply_temperature",
    "return_temperature",
    "brine_flow",
    "suction_pressure",
    "discharge_pressure",
    "power",
    "state",
)


def duty_factor(ambient_c: float, above_k: float) -> float:
    """Return the duty that a chiller is able to, against that of the plant file.

    Args:
        ambient_c: Air on the condenser [degC].
        above_k: Brine above the supply temperature of the plant file [K].
    """
    air = 1.0 - _PER_AMBIENT_K * (ambient_c - _AMBIENT_C)
    return min(_MOST, max(_LEAST, air * (1.0 + _PER_BRINE_K * above_k)))


def performance(brine_c: float, ambient_c: float, load: float) -> float:
    """Return the heat removed for each unit of compressor power: a share of the ideal cycle's.

    Args:
        brine_c: [degC]
        ambient_c: [degC]
        load: Duty against the rated one (0..1): more heat through the same surfaces takes more kelvins.
    """
    cold = brine_c - _COLD_K - _COLD_LOAD_K * load + KELVIN
    warm = ambient_c + _WARM_K + _WARM_LOAD_K * load + KELVIN
    return _CARNOT * cold / max(10.0, warm - cold)


class ChillerUnit:
    """One chiller and its brine circuit; `lost_share` (0..1) of its duty is what a fault takes, all of it a trip."""

    __slots__ = (
        "discharge_mpa",
        "duty_kw",
        "flow_m3_h",
        "lost_share",
        "power_kw",
        "return_c",
        "spec",
        "state",
        "suction_mpa",
        "supply_c",
        "timer_s",
    )

    STATE = tuple(name for name in __slots__ if name != "spec")

    def __init__(self, spec: Chiller) -> None:
        self.spec = spec
        self.state, self.timer_s, self.lost_share = RUN, 0.0, 0.0
        self.duty_kw, self.power_kw, self.flow_m3_h = 15.0, 15.0, _FLOW_M3_H
        self.supply_c, self.return_c = spec.brine_supply_c, spec.brine_supply_c + 1.0
        self.suction_mpa, self.discharge_mpa = 0.15, 1.3

    def decide(self, defrost: bool, powered: bool, may_start: bool, dt_s: float) -> None:
        """Run the state machine one step; `may_start` is False while another chiller starts."""
        self.timer_s += dt_s
        if not powered:
            self._enter(STOP)
        elif self.lost_share >= 1.0:
            self._enter(TRIP)
        elif self.state == TRIP:
            self._enter(STOP)
        elif self.state == STOP:
            if may_start and self.timer_s >= _REST_S:
                self._enter(START)
        elif self.state == START and self.timer_s >= _START_S:
            self._enter(RUN)
        elif self.state == RUN and defrost:
            self._enter(DEFROST)
        elif self.state == DEFROST and not defrost:
            self._enter(RUN)

    def _enter(self, state: int) -> None:
        self.state, self.timer_s = state, 0.0

    def remove(self, brine_c: float, ambient_c: float, dt_s: float) -> float:
        """Return the heat taken out of the brine now [kW]."""
        if self.state != RUN:
            # Without its compressor an evaporator cools no more, whatever liquid is left in it.
            self.duty_kw = 0.0
            return 0.0
        above_k = brine_c - self.spec.brine_supply_c
        call = min(1.0, max(0.0, (above_k + _UNDER_K) / _FULL_DUTY_K))
        able = self.spec.duty_kw * duty_factor(ambient_c, above_k) * (1.0 - self.lost_share)
        # Beyond what the plant file promises only where more is called for.
        self.duty_kw += (min(able, call * self.spec.duty_kw * _MOST) - self.duty_kw) * min(1.0, dt_s / 20.0)
        return self.duty_kw

    @property
    def pumps(self) -> bool:
        """Its brine pump runs."""
        return START <= self.state <= DEFROST

    def settle(self, brine_c: float, heat_kw: float, ambient_c: float, dt_s: float) -> None:
        """Let temperatures, pressures and power follow.

        Args:
            brine_c: What leaves the evaporator while the pump runs [degC].
            heat_kw: This circuit's share of the load.
            ambient_c: [degC]
            dt_s: Step [s].
        """
        share = min(1.0, dt_s / 60.0)
        self.flow_m3_h += ((_FLOW_M3_H if self.pumps else 0.0) - self.flow_m3_h) * min(1.0, dt_s / 8.0)
        if self.pumps:
            self.supply_c += (brine_c - self.supply_c) * share
            goal = self.supply_c + heat_kw * 1000.0 / _BRINE_W_K
        else:
            self.supply_c += (ambient_c - self.supply_c) * min(1.0, dt_s / _STAGNANT_S)
            goal = self.supply_c + 1.0
        self.return_c += (goal - self.return_c) * share
        load = self.duty_kw / self.spec.duty_kw
        self.power_kw += (self._power_kw(brine_c, ambient_c, load) - self.power_kw) * min(1.0, dt_s / 5.0)
        condensing = 1.05 + 0.018 * max(0.0, ambient_c) + 0.2 * load if self.state == RUN else 1.05
        self.discharge_mpa += (condensing - self.discharge_mpa) * share
        evaporating = 0.17 - 0.06 * load if self.state == RUN else 0.25
        self.suction_mpa += (evaporating - self.suction_mpa) * share

    def _power_kw(self, brine_c: float, ambient_c: float, load: float) -> float:
        if self.state == RUN:
            pumps = _E.controls_kw + _PUMP_KW + _E.fans_kw * load
            return pumps + self.duty_kw / performance(brine_c, ambient_c, load)
        if self.state == DEFROST:
            return _E.defrost_kw
        return _E.controls_kw + (_PUMP_KW if self.state == START else 0.0)

    def cut_off(self) -> None:
        """Lose the electricity."""
        self.power_kw = self.duty_kw = 0.0


class Cooling:
    """Brine tank and chillers.

    Attributes:
        heat_j: What the gas gave off in this step; those who cool gas add to it.
        brine_c: The tank [degC].
        heat_in_j, gains_j, removed_j: From the gas, from surroundings and pumps, by the chillers, since the start.
            The brine's heat (`brine_j`) changes by heat_in_j + gains_j - removed_j.
    """

    STATE = ("brine_c", "heat_in_j", "gains_j", "removed_j")

    def __init__(self, chillers: tuple[Chiller, ...]) -> None:
        self.units = [ChillerUnit(spec) for spec in chillers]
        self.brine_c = min(spec.brine_supply_c for spec in chillers) if chillers else 20.0
        self.heat_j = self.heat_in_j = self.gains_j = self.removed_j = 0.0

    @property
    def brine_j(self) -> float:
        """Heat of the brine above 0 degC [J]."""
        return BRINE_J_K * self.brine_c

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        units = [role for unit in self.units for role in of_unit("cooling", unit.spec.unit, _ROLES)]
        return [*units, (HIDDEN, "brine", "brine_c")]

    def record(self, row: list[float]) -> None:
        """Add the chillers' part of a row."""
        for unit in self.units:
            row += (
                unit.supply_c,
                unit.return_c,
                unit.flow_m3_h,
                unit.suction_mpa,
                unit.discharge_mpa,
                unit.power_kw,
                unit.state,
            )
        row.append(self.brine_c)

    def advance(self, hour: float, dt_s: float, ambient_c: float, powered: bool = True) -> None:
        """Go one step on.

        Args:
            hour: Of the station day.
            dt_s: Step [s].
            ambient_c: [degC]
            powered: There is electricity.
        """
        heat_j = self.heat_j
        self.heat_j = 0.0
        self._decide(hour, dt_s, powered)
        gains_w, removed_kw, pumping, pumping_kw = _GAINS_W_K * (ambient_c - self.brine_c), 0.0, 0, 0.0
        for unit in self.units:
            removed_kw += unit.remove(self.brine_c, ambient_c, dt_s)
            if unit.pumps:
                gains_w += _PUMP_KW * 1000.0
                pumping += 1
                pumping_kw += unit.duty_kw
        gains_j, removed_j = gains_w * dt_s, removed_kw * 1000.0 * dt_s
        self.heat_in_j += heat_j
        self.gains_j += gains_j
        self.removed_j += removed_j
        self.brine_c += (heat_j + gains_j - removed_j) / BRINE_J_K
        circuits = max(1, pumping)
        heat_kw, even_kw = (heat_j + gains_j) / dt_s / 1000.0 / circuits, pumping_kw / circuits
        for unit in self.units:
            # An evaporator that does more than the other sends its brine out colder than the mean of both.
            brine_c = self.brine_c + (even_kw - unit.duty_kw) * 1000.0 / _BRINE_W_K
            unit.settle(brine_c, heat_kw, ambient_c, dt_s)
            if not powered:
                unit.cut_off()

    def _decide(self, hour: float, dt_s: float, powered: bool) -> None:
        starting = any(unit.state == START for unit in self.units)
        for number, unit in enumerate(self.units):
            begin = _FIRST_DEFROST_H + number * _DEFROST_EVERY_H
            unit.decide(begin <= hour < begin + _DEFROST_H, powered, not starting, dt_s)
            starting = starting or unit.state == START
