"""What the capacity forecast knows of the station at one moment: measured, announced and learned.

Everything is immutable and may cross a process boundary. Pressures are absolute MPa, temperatures degC, masses kg.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from station.domain.day_plan import Booking, WaitingTruck
from station.domain.learned import Learned

TRAILER_STATES = ("absent", "docked", "earthed", "purging", "open", "empty")
TRAILER_ON_ITS_WAY_IN = ("docked", "earthed", "purging")
HOSE_AT_WORK = ("connect", "leak-check", "fill", "hold", "end")


@dataclass(frozen=True, slots=True)
class BayNow:
    """An unloading bay.

    Attributes:
        since_ms: When the state began; for docked, earthed and purging when the trailer docked.
        pressure_mpa, temperature_c: None where no trailer stands or nothing is measured.
        kg_sd: Standard deviation of its mass beyond what a measured one has [kg]; 0 where it is measured.
    """

    unit: str
    state: str
    since_ms: int
    pressure_mpa: float | None
    temperature_c: float | None
    kg_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class BankNow:
    """A storage bank; `kg_sd` as for a bay [kg], `loss_share` its part of what the banks lose [0..1], 0 if unknown."""

    unit: str
    pressure_mpa: float
    temperature_c: float
    kg_sd: float = 0.0
    loss_share: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainNow:
    """A compressor train.

    Attributes:
        available: Not tripped.
        health: Its measured flow over the rated model's flow.
        flow_sd: Standard deviation of what it gives, as a share, for what is not measured; 0 where it is.
        down_min: How long it has been tripped [min].
    """

    unit: str
    state: str
    available: bool
    health: float
    suction_mpa: float | None
    flow_sd: float = 0.0
    down_min: float = 0.0


@dataclass(frozen=True, slots=True)
class ChillerNow:
    """A chiller: `available` unless tripped; `flow_sd` and `down_min` as for a train."""

    unit: str
    state: str
    available: bool
    flow_sd: float = 0.0
    down_min: float = 0.0


@dataclass(frozen=True, slots=True)
class HoseNow:
    """A fuelling position.

    Attributes:
        state: Fill state by its English name.
        since_ms: When the truck that stands here connected, None where none does.
        given_kg: Given to that truck so far.
        asked_kg: What it will have taken in all, from its tank's volume and state of charge; None where unknown.
        delivery_temperature_c: Gas temperature at the nozzle, None outside a fill.
        available: Not in fault.
        down_min: How long it has been in fault [min].
    """

    unit: str
    state: str
    since_ms: int | None
    given_kg: float
    asked_kg: float | None
    delivery_temperature_c: float | None
    available: bool
    down_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """A trailer that is announced and has not come; `overdue` once its ETA has passed and it is proven not here.

    Attributes:
        behind_ms: When one that should have come before it came at last, hours late and after this one's ETA: trailers
            come again, and this one is in their line. None where it is in none.
    """

    id: str
    eta_ms: int
    kg: float
    overdue: bool
    behind_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Unserved:
    """A truck that left the gate unserved; `kg` it would have taken, None where nobody said."""

    arrived_ms: int
    left_ms: int
    kg: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """The station day so far.

    Attributes:
        trucks, kg: Fills that ended, and all kilograms given (also of fills that broke off).
        short_trucks, short_kg: Trucks that left with more than 4 kg too little, or unserved; kilograms not given.
        short_at_ms: Arrival of the truck at which `short_kg` passed 40 kg, None while it has not.
        asked_kg: Kilograms that the trucks which came so far ask for.
        unserved: The trucks of the day that left the gate without any; they are among the short ones.
    """

    trucks: int
    kg: float
    short_trucks: int
    short_kg: float
    short_at_ms: int | None
    asked_kg: float
    unserved: tuple[Unserved, ...] = ()


@dataclass(frozen=True, slots=True)
class DemandAhead:
    """Trucks to come: bookings that have not come yet, and how many trucks a day the profile stands in for.

    Attributes:
        bookings: Booked, not yet come and not yet given up, by time.
        profile_days: Station days within the horizon that have no plan: the fleet's hourly profile is used for them.
        plan_trucks, plan_kg: The plan of the station day, booked or by profile.
    """

    bookings: tuple[Booking, ...]
    profile_days: tuple[dt.date, ...]
    plan_trucks: int
    plan_kg: float


@dataclass(frozen=True, slots=True)
class InputNow:
    """One input of the forecast.

    Attributes:
        signal: A tag, `queue/gate` or `plan/{date}`.
        value: What the forecast used, None where it used none.
        quality: Contract quality string; `bad:stale` for one that is too old, `bad:missing` for one never seen.
        age_s: Age at the snapshot, None where never seen.
        source: `measured`, or what stands in for it (`PT-330B`, `model`, `last value`).
        degraded_s: How long it has been bad or too old; 0 where it is fine.
    """

    signal: str
    value: float | None
    quality: str
    age_s: float | None
    source: str
    degraded_s: float

    @property
    def replaced(self) -> bool:
        """True where another measurement stands in for it."""
        return self.source not in ("measured", "model", "last value", "none")


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    """Everything that one forecast starts from.

    Attributes:
        at_ms: Station time of the snapshot, epoch ms.
        day: The station day that holds it.
        close_ms: End of that day.
        waiting: Trucks at the gate, longest waiting first.
        expected: Trailers announced that have not come, by ETA.
        yard: Trailers known to wait in the yard.
        inputs: Every input used, with quality and age.
        learned: What the station has taught so far; None leaves everything to its file.
        demand_sd, flow_sd: Standard deviation of a day's kilograms, and of what trains and chillers give, for inputs
            that are lost and have none of their own [share].
        lost_kg_h: What the banks lose that no hose got, by the meters [kg/h].
        leaking_min: Since when that is more than the meters are wrong by [min].
    """

    station: str
    at_ms: int
    day: dt.date
    close_ms: int
    bays: tuple[BayNow, ...]
    banks: tuple[BankNow, ...]
    trains: tuple[TrainNow, ...]
    chillers: tuple[ChillerNow, ...]
    hoses: tuple[HoseNow, ...]
    waiting: tuple[WaitingTruck, ...]
    done: Done
    demand: DemandAhead
    expected: tuple[Expected, ...]
    yard: int
    ambient_c: float
    inputs: tuple[InputNow, ...]
    learned: Learned | None = None
    demand_sd: float = 0.0
    flow_sd: float = 0.0
    lost_kg_h: float = 0.0
    leaking_min: float = 0.0
