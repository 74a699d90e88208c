"""What the reduced station is run with: one lane is one possible course of the day, all lanes are stepped together.

Arrays are lane-last (`[.., lanes]`): sums over hoses or vessels then run along memory. Times are minutes after the
snapshot, steps are minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NEVER = 1e9
"""A time that does not come [min]; finite, so that differences of two of them are numbers."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """When the supplier sends a trailer by himself.

    Attributes:
        below_kg: Usable stock on the site under which he does.
        empty_kg: Mass of a trailer that counts as empty in that.
        usable_kg: What a full one in the yard counts for.
        gross_kg: Mass of the one that he sends.
        lead_min: How long it takes; none is sent while one is announced within this time.
    """

    below_kg: float
    empty_kg: float
    usable_kg: float
    gross_kg: float
    lead_min: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What all lanes share: the plant's sizes and rules.

    Attributes:
        steps: Minutes to run.
        isotherm: Coefficients of p(rho) of each vessel, [degree + 1, vessels, 1]; bays first, then banks.
        inverse_volume: [vessels, 1], 1/m3.
        bays, banks, hoses: How many.
        floor_kg: Mass at which the trailer of a bay is empty, [bays, 1].
        full_kg: Mass of a trailer as the supplier fills it.
        rated_suction_density: Suction density from which a train gives its rated flow [kg/m3].
        recharge_start_mpa, recharge_stop_kg: By bank.
        bank_floor_mpa: A bank at this pressure gives nothing to trucks; the last one's also shuts the gate.
        haste_mpa: A bank this far below its recharge start makes the trains draw from the richest trailer.
        recharge_order, draw_order: Bank numbers, first served first.
        margin_mpa: A source is drawn while it exceeds the truck by this.
        direct_fill_min_mpa: Poorest trailer that begins a fill.
        flow_cap_kg_min: Mean flow of a fill at most.
        connect_min, hold_min, patience_min, swap_min: Durations.
        on_call: The supplier's rule.
    """

    steps: int
    isotherm: Float
    inverse_volume: Float
    bays: int
    banks: int
    hoses: int
    floor_kg: Float
    full_kg: float
    rated_suction_density: float
    recharge_start_mpa: tuple[float, ...]
    recharge_stop_kg: tuple[float, ...]
    bank_floor_mpa: tuple[float, ...]
    haste_mpa: tuple[float, ...]
    recharge_order: tuple[int, ...]
    draw_order: tuple[int, ...]
    margin_mpa: float
    direct_fill_min_mpa: float
    flow_cap_kg_min: float
    connect_min: float
    hold_min: float
    patience_min: float
    swap_min: float
    on_call: OnCall


@dataclass(frozen=True, slots=True)
class Trucks:
    """Trucks of each lane, [trucks, lanes], those at hoses first, then by arrival; padding arrives `NEVER`, asks 0.

    Attributes:
        arrive_min: Arrival; negative for trucks that are here.
        asked_kg: What it takes in all.
        after_min: Handling after the gas has stopped.
        at_hose: Hose number of each truck that stands at one now, in order; these come first.
        given_kg: What these have got.
        connect_left_min: What is left of their handling before gas flows.
    """

    arrive_min: Float
    asked_kg: Float
    after_min: Float
    at_hose: tuple[int, ...]
    given_kg: tuple[float, ...]
    connect_left_min: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """What differs from lane to lane.

    Attributes:
        mass_kg: Vessel masses at the start, [vessels, lanes].
        bay_open: [bays, lanes].
        opens_at_min: When the trailer that stands in a bay opens, `NEVER` where none is on its way in, [bays, lanes].
        incoming_kg: Its mass, [bays, lanes].
        delivery_min, delivery_kg: Trailers to come, by arrival, gross mass, [deliveries, lanes].
        delivery_eta_min: When each is announced for, [deliveries, lanes].
        on_call: Lanes in which the supplier sends one more when the stock runs low.
        train_kg_min: Compression from rated suction up, [steps, lanes].
        cooling_kg_min: What the chillers carry, [steps, lanes].
        leak_share_min: Share of its mass that each bank leaks in a minute, [banks, lanes].
        leak_until_min: When that is closed, [lanes].
        hose_down_from, hose_down_until: One outage of each hose [min], [hoses, lanes].
        tank_mpa: Tank pressure over the share of the fill: polynomial [4, 2, lanes], second axis cooled, uncooled.
        ramp_min: How long the pressure ramp of a fill takes [2, lanes], cooled, uncooled.
        hot_end_share: Share of its kilograms that a fill without cooling reaches before the tank is too hot, [lanes].
        free_supply, free_storage, free_hoses: Limits that are relaxed, [lanes].
    """

    trucks: Trucks
    mass_kg: Float
    bay_open: Bool
    opens_at_min: Float
    incoming_kg: Float
    delivery_min: Float
    delivery_kg: Float
    delivery_eta_min: Float
    on_call: Bool
    train_kg_min: Float
    cooling_kg_min: Float
    leak_share_min: Float
    leak_until_min: Float
    hose_down_from: Float
    hose_down_until: Float
    tank_mpa: Float
    ramp_min: Float
    hot_end_share: Float
    free_supply: Bool
    free_storage: Bool
    free_hoses: Bool

    @property
    def count(self) -> int:
        """Number of lanes."""
        return int(self.mass_kg.shape[1])


@dataclass(frozen=True, slots=True)
class Course:
    """How the lanes went.

    Attributes:
        delivered_kg: Given to each truck, [trucks, lanes].
        start_min, end_min: When it came to a hose, when its gas stopped or it left; `NEVER` where not, [trucks, lanes].
        mark_delivered_kg: `delivered_kg` as it stood at `mark_min`, [marks, trucks, lanes].
        leaked_kg: What banks leaked, [lanes].
        received_kg, returned_kg, dispensed_kg, stock_start_kg, stock_end_kg: Mass balance of each lane, [lanes].
    """

    delivered_kg: Float
    start_min: Float
    end_min: Float
    mark_delivered_kg: Float
    leaked_kg: Float
    received_kg: Float
    returned_kg: Float
    dispensed_kg: Float
    stock_start_kg: Float
    stock_end_kg: Float

    def closure_kg(self) -> Float:
        """Return what the balance misses, [lanes]: received - dispensed - returned - leaked - change of stock [kg]."""
        change = self.stock_end_kg - self.stock_start_kg
        return self.received_kg - self.dispensed_kg - self.returned_kg - self.leaked_kg - change


def counts_by_minute(times: Float, steps: int) -> Int:
    """Return how many of each lane's `times` [.., lanes] have come by each minute, [steps, lanes]."""
    lanes = times.shape[1]
    first = np.ceil(np.clip(times, 0.0, steps)).astype(np.int64)
    counts = np.bincount((first * lanes + np.arange(lanes)).ravel(), minlength=(steps + 1) * lanes)
    return np.asarray(counts.reshape(steps + 1, lanes).cumsum(axis=0)[:steps])
