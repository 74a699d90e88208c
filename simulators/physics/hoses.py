"""One hose: its state, the truck on it, and what its sensors and the vehicle's link tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.cooling import ChillerUnit
from simulators.physics.gate import TruckVisit
from simulators.physics.roles import HIDDEN, Role, of_unit
from simulators.physics.tank import VehicleTank
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.plant import Hose

IDLE, CONNECT, LEAK_CHECK, FILL, HOLD, END, ABORT, FAULT = range(8)
"""Fill states in the order of the signal list."""
DYNAMIC, STATIC, HALT, ABORT_COMMAND, NO_COMMAND = range(5)
"""The vehicle's fill commands in the order of the signal list."""
NO_SOURCE = -1


@dataclass(frozen=True, slots=True)
class HoseEstimates:
    """A hose and its piping in the dispenser; volumes m3, times s."""

    full_flow_share: float
    between_trucks_s: float
    link_patience_s: float
    idle_mpa: float


_E = estimates("simulators.physics", "hoses", HoseEstimates)
BETWEEN_S, IDLE_MPA = _E.between_trucks_s, _E.idle_mpa
_FULL_FLOW, _LINK_PATIENCE_S = _E.full_flow_share, _E.link_patience_s

_HOSE_ROLES = ("pressure", "delivery_temperature", "flow", "total", "ramp_output", "state")
_VEHICLE_ROLES = ("pressure", "temperature", "tank_volume", "command", "soc")
_NO_VEHICLE = (math.nan,) * len(_VEHICLE_ROLES)
_SILENT_VEHICLE = (math.nan, math.nan, math.nan, float(NO_COMMAND), math.nan)
_SOC_PERCENT = 100.0 / H35_REFERENCE_KG_M3


class HoseUnit:
    """One hose.

    Faults set `leak_mm` (hole in the cabinet), `ir_lost` and `meter_error` (share by which the meter counts too much).

    Attributes:
        timer_s: What is left of the present state; idle: how long it has been free.
        flow_kg_s: Through the meter; `leak_kg_s` of it, or of the line's gas, into the cabinet.
        line_kg, line_j: Gas packed between the source's valve and the nozzle.
        ramp_mpa: Where the pressure should be by the ramp.
        mean_c: Delivery temperature as the ramp sees it: a moving average of the gas that flowed.
        measured_m3: The vehicle's tank volume by the pressure pulse.
        start_mpa: The vehicle's pressure when it connected.
        fallen_mpa: What the closed hose has lost since it was closed.
        halted: The vehicle has had the pause that it asks for; `recheck`: the hose is checked before gas flows again.
        silent_s: How long the vehicle's link has been silent; `seen` is what it told last.
        chiller: Whose brine cools this hose's gas; `brine_share` is how much its precooler still does (0..1).
        blind: The fill goes by the rules of a vehicle without a link.
        stop_reason: What ends the fill (`simulators.block.TruckTruth.stop_reason`).
    """

    __slots__ = (
        "blind",
        "brine_share",
        "chiller",
        "closing",
        "command",
        "corridor_s",
        "delivery_c",
        "ending",
        "fallen_mpa",
        "flow_kg_s",
        "halted",
        "ir_lost",
        "leak_kg_s",
        "leak_mm",
        "line_j",
        "line_kg",
        "max_kg_s",
        "mean_c",
        "measured_m3",
        "meter_error",
        "next_pause_mpa",
        "nozzle_mpa",
        "opening",
        "ramp_mpa",
        "recheck",
        "seen",
        "silent_s",
        "source",
        "spec",
        "start_mpa",
        "starved_s",
        "state",
        "stop_reason",
        "tank",
        "target_mpa",
        "timer_s",
        "total_kg",
        "visit",
    )

    STATE = tuple(n for n in __slots__ if n not in {"chiller", "spec", "tank", "visit"})

    def __init__(self, spec: Hose, total_kg: float, chiller: ChillerUnit | None) -> None:
        self.chiller, self.brine_share = chiller, 1.0
        self.spec, self.max_kg_s = spec, spec.max_flow_g_s / 1000.0 * _FULL_FLOW
        self.state, self.timer_s, self.total_kg = IDLE, -BETWEEN_S, total_kg
        self.visit: TruckVisit | None = None
        self.tank: VehicleTank | None = None
        self.flow_kg_s = self.leak_kg_s = self.line_kg = self.line_j = self.opening = 0.0
        self.ramp_mpa = self.next_pause_mpa = self.starved_s = self.corridor_s = self.silent_s = 0.0
        self.start_mpa = self.fallen_mpa = self.measured_m3 = 0.0
        self.target_mpa = math.inf
        self.nozzle_mpa, self.delivery_c, self.mean_c = IDLE_MPA, 20.0, 20.0
        self.source, self.command = NO_SOURCE, NO_COMMAND
        self.ending = self.closing = self.ir_lost = self.blind = self.halted = self.recheck = False
        self.seen: list[float] = list(_SILENT_VEHICLE)
        self.leak_mm = self.meter_error = 0.0
        self.stop_reason: str | None = None

    def enter(self, state: int, seconds: float = 0.0) -> None:
        """Change the state; `seconds` is how long it lasts where time ends it."""
        self.closing = LEAK_CHECK <= self.state <= HOLD and not LEAK_CHECK <= state <= HOLD
        self.state, self.timer_s = state, seconds

    def take(self, visit: TruckVisit, tank: VehicleTank, seconds: float) -> None:
        """Take a truck; it is earthed and connected for `seconds`."""
        self.visit, self.tank = visit, tank
        self.max_kg_s = min(self.spec.max_flow_g_s, visit.draw.receptacle_g_s) / 1000.0 * _FULL_FLOW
        self.starved_s = self.corridor_s = self.silent_s = 0.0
        self.ending, self.stop_reason, self.halted, self.recheck = False, None, False, False
        self.blind, self.target_mpa = not visit.draw.link, math.inf
        self.enter(CONNECT, seconds)

    def shut(self) -> None:
        """Close the ramp valve."""
        self.flow_kg_s = self.opening = 0.0
        self.source = NO_SOURCE

    def finish(self, reason: str, command: int, seconds: float) -> None:
        """Stop the flow for good and let the reading settle."""
        self.shut()
        self.ending, self.stop_reason = True, reason
        self.fallen_mpa = 0.0
        if self.command != NO_COMMAND:
            self.command = command
        self.enter(HOLD, seconds)

    def listen(self, tank: VehicleTank, dt_s: float) -> None:
        """Hear the vehicle's infrared link; after some seconds of silence its last words count no more."""
        visit = self.visit
        if visit is not None and visit.draw.link and not self.ir_lost:
            self.silent_s = 0.0
            if self.command == NO_COMMAND:
                self.command = DYNAMIC
            return
        if self.silent_s == 0.0:
            self.seen = _told(tank, NO_COMMAND)
        self.silent_s += dt_s
        self.command = NO_COMMAND
        self.blind |= self.silent_s > _LINK_PATIENCE_S

    def record(self, row: list[float]) -> None:
        """Add the hose's and its vehicle's part of a row."""
        row += (
            self.nozzle_mpa,
            self.delivery_c,
            self.flow_kg_s * (1.0 + self.meter_error) * 1000.0,
            self.total_kg,
            self.opening,
            self.state,
        )
        tank = self.tank
        if tank is None or not LEAK_CHECK <= self.state <= HOLD:
            row += _SILENT_VEHICLE if self.closing else _NO_VEHICLE
        elif not self.silent_s and self.command != NO_COMMAND:
            row += _told(tank, self.command)
        else:
            row += self.seen if self.visit_has_link and self.silent_s <= _LINK_PATIENCE_S else _SILENT_VEHICLE
        row.append(self.leak_kg_s)

    @property
    def visit_has_link(self) -> bool:
        """Return True where the truck on the hose has a data link at all."""
        return self.visit is not None and self.visit.draw.link

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        unit = self.spec.unit
        return [
            *of_unit("dispensing", unit, _HOSE_ROLES),
            *of_unit("vehicle", unit, _VEHICLE_ROLES),
            (HIDDEN, unit, "leak_kg_s"),
        ]


def _told(tank: VehicleTank, command: int) -> list[float]:
    """Return what a vehicle tells of its tanks, with the density that the dispenser makes of it."""
    return [tank.pressure, tank.kelvin - KELVIN, tank.volume * 1000.0, command, tank.density * _SOC_PERCENT]
