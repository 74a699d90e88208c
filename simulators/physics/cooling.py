"""Pre-cooling: two chillers on one brine tank that cools the gas on its way to the nozzles."""

from __future__ import annotations

from simulators.physics.roles import HIDDEN, Role, of_unit
from station.domain.plant import Chiller

STOP, START, RUN, DEFROST, TRIP = range(5)
"""Chiller states in the order of the signal list."""

_BRINE_J_K = 8000.0 * 2900.0
"""8 t of brine at 2.9 kJ/(kg K) in tank and pipes."""
_FLOW_M3_H = 24.0
_BRINE_W_K = _FLOW_M3_H / 3600.0 * 1250.0 * 2900.0
_GAINS_W_K, _PUMPS_KW = 180.0, 6.0
"""Heat into the cold pipes from the surroundings, and of two brine pumps."""
_FULL_DUTY_K = 1.5
"""Brine this much above its set point calls for full duty of every chiller."""
_START_S, _DEFROST_S = 60.0, 600.0
_FIRST_DEFROST_H, _DEFROST_EVERY_H = 2.5, 1.5
"""Defrost in the small hours, one chiller after the other."""
_WARM_UP_K_S = 0.7 / 60.0


_ROLES = (
    "supply_temperature",
    "return_temperature",
    "brine_flow",
    "suction_pressure",
    "discharge_pressure",
    "power",
    "state",
)


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
        self.duty_kw, self.power_kw, self.flow_m3_h = 15.0, 25.0, _FLOW_M3_H
        self.supply_c, self.return_c = spec.brine_supply_c, spec.brine_supply_c + 1.0
        self.suction_mpa, self.discharge_mpa = 0.15, 1.3

    def decide(self, defrost: bool, dt_s: float) -> None:
        """Run the state machine one step."""
        self.timer_s += dt_s
        if self.lost_share >= 1.0:
            self.state, self.timer_s = TRIP, 0.0
        elif self.state in (TRIP, STOP):
            self.state, self.timer_s = START, 0.0
        elif self.state == START and self.timer_s >= _START_S:
            self.state, self.timer_s = RUN, 0.0
        elif self.state == RUN and defrost:
            self.state, self.timer_s = DEFROST, 0.0
        elif self.state == DEFROST and not defrost:
            self.state, self.timer_s = RUN, 0.0

    def settle(self, tank_c: float, heat_kw: float, ambient_c: float, dt_s: float) -> None:
        """Let temperatures, pressures and power follow; `heat_kw` is this circuit's share of the load."""
        share = min(1.0, dt_s / 60.0)
        running = self.state in (RUN, DEFROST)
        self.flow_m3_h += ((_FLOW_M3_H if running else 0.0) - self.flow_m3_h) * min(1.0, dt_s / 8.0)
        if running:
            self.supply_c += (tank_c - self.supply_c) * share
            goal = self.supply_c + heat_kw * 1000.0 / _BRINE_W_K
        else:
            self.supply_c += min(_WARM_UP_K_S * dt_s, max(0.0, ambient_c - 5.0 - self.supply_c))
            goal = self.supply_c + 1.0
        self.return_c += (goal - self.return_c) * share
        load = self.duty_kw / self.spec.duty_kw
        # Carnot's share falls with the air on the condenser: 2.1 at 15 degC, 1.55 at 40 degC.
        efficiency = max(1.3, 2.43 - 0.022 * ambient_c)
        goal_kw = 8.0 + self.duty_kw / efficiency if self.state == RUN else (12.0 if running else 0.0)
        self.power_kw += (goal_kw - self.power_kw) * min(1.0, dt_s / 5.0)
        condensing = 1.05 + 0.018 * max(0.0, ambient_c) + 0.2 * load if self.state == RUN else 1.05
        self.discharge_mpa += (condensing - self.discharge_mpa) * share
        evaporating = 0.17 - 0.06 * load if self.state == RUN else 0.25
        self.suction_mpa += (evaporating - self.suction_mpa) * share


class Cooling:
    """Brine tank and chillers. `heat_j` collects what the gas gave off in a step."""

    def __init__(self, chillers: tuple[Chiller, ...]) -> None:
        self.units = [ChillerUnit(spec) for spec in chillers]
        self.brine_c = min(spec.brine_supply_c for spec in chillers) if chillers else 20.0
        self.heat_j = 0.0

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

    def advance(self, hour: float, dt_s: float, ambient_c: float) -> None:
        """Go one step on; `hour` is the hour of the station day."""
        heat_kw = self.heat_j / dt_s / 1000.0
        self.heat_j = 0.0
        gains_kw = _PUMPS_KW + _GAINS_W_K * (ambient_c - self.brine_c) / 1000.0
        for number, unit in enumerate(self.units):
            begin = _FIRST_DEFROST_H + number * _DEFROST_EVERY_H
            unit.decide(begin <= hour < begin + _DEFROST_S / 3600.0, dt_s)
        running = [unit for unit in self.units if unit.state == RUN]
        removed_kw = 0.0
        for unit in self.units:
            # The set point stands a little below, so that full duty meets the supply temperature of the plant.
            call = (self.brine_c - (unit.spec.brine_supply_c - 0.5)) / _FULL_DUTY_K
            goal = unit.spec.duty_kw * (1.0 - unit.lost_share) * min(1.0, max(0.0, call)) if unit in running else 0.0
            unit.duty_kw += (goal - unit.duty_kw) * min(1.0, dt_s / 20.0)
            removed_kw += unit.duty_kw
        self.brine_c += (heat_kw + gains_kw - removed_kw) * 1000.0 * dt_s / _BRINE_J_K
        circuits = max(1, len(self.units))
        for unit in self.units:
            unit.settle(self.brine_c, (heat_kw + gains_kw) / circuits, ambient_c, dt_s)
