"""What the simulated plant hands to the instruments: true values over a stretch of time, and the day's true account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class TruthBlock:
    """True values of all signals at evenly spaced moments.

    Attributes:
        t_ms: Epoch ms of each row, `dt_s` apart. Row i is the plant's state at that moment; flows and powers are those
            of the step that ends there.
        values: One row a moment, one column a signal in the order of `plant.signals`. NaN where there is no value: the
            vehicle signals of a hose that is not in leak-check..hold (but command = none once when it leaves), and
            pressure, temperature, hose pressure and flow of a bay without a trailer.
        dt_s: Spacing of the rows [s].
    """

    t_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    dt_s: float


@dataclass(frozen=True, slots=True)
class TruckTruth:
    """What really happened to one truck.

    Attributes:
        id: As in the plan.
        booked_ms, arrival_ms: When it was expected, when it came.
        start_ms: When it was called to a hose; None while it waits, or if it left unserved.
        end_ms: When its fill ended (or it left unserved); None until then.
        asked_kg: From its state of charge on arrival to the end target.
        delivered_kg: What it got.
        hose: Unit name of the hose, None if it had none.
        outcome: `waiting|filling|full|short|gone`; short is over `SHORT_KG` under what it asked, gone left unserved.
        stop_reason: What ended its last fill: `soc|pressure|temperature|starved|corridor|vehicle|leak`; None before.
    """

    id: str
    booked_ms: int
    arrival_ms: int
    start_ms: int | None
    end_ms: int | None
    asked_kg: float
    delivered_kg: float
    hose: str | None
    outcome: str
    stop_reason: str | None = None

    def wait_s(self, now_ms: int) -> float:
        """Return the seconds it waited at the gate, until `now_ms` if it waits still."""
        until = self.start_ms if self.start_ms is not None else self.end_ms
        return ((until if until is not None else now_ms) - self.arrival_ms) / 1000.0


SHORT_KG = 4.0
"""A truck is short if it gets less than it asked by more than this [kg] (contract, section 6)."""


@dataclass(frozen=True, slots=True)
class TrailerTruth:
    """What really happened to one trailer: planned and true arrival, bay, and kilograms in and back."""

    id: str
    eta_ms: int
    arrival_ms: int | None
    open_ms: int | None
    left_ms: int | None
    bay: str | None
    received_kg: float
    returned_kg: float


@dataclass(frozen=True, slots=True)
class DayTruth:
    """The plant's own account since the simulation's start; services never see it.

    Attributes:
        trucks: Fills that ended.
        dispensed_kg: Into vehicles; the sum of the rise of all totals.
        received_kg: In trailers that came through the gate.
        stock_change_kg: Trailers docked and in the yard, banks and hose lines: now less at the start.
        vented_kg: Through the vent stack, and leaks.
        returned_kg: Left in trailers that went away.
        closure: |received - dispensed - stock change - vented - returned| / max(1, received, dispensed).
        kwh, kwh_by: Electricity, and by consumer.
        kwh_per_kg: The same for each kilogram dispensed, None before the first.
        compression_kwh: Work that the trains have put into the gas.
        precooling_kwh: Heat that the brine took out of the gas.
        energy_closure: The worst energy balance (gas path, brine, electricity) as a share of its heat and work.
    """

    trucks: int
    dispensed_kg: float
    received_kg: float
    stock_change_kg: float
    vented_kg: float
    returned_kg: float
    closure: float
    truck_list: tuple[TruckTruth, ...]
    trailer_list: tuple[TrailerTruth, ...]
    kwh: float = 0.0
    kwh_by: Mapping[str, float] = field(default_factory=dict)
    kwh_per_kg: float | None = None
    compression_kwh: float = 0.0
    precooling_kwh: float = 0.0
    energy_closure: float = 0.0
