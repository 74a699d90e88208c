"""The plan of one station day: which trucks are booked, which trailers are announced."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Booking:
    """A truck that is expected: `t_ms` arrival, epoch ms; `kg` it will ask for."""

    id: str
    t_ms: int
    kg: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A trailer that is announced: `eta_ms` arrival at the gate, epoch ms; `kg` net; `bay` where decided."""

    id: str
    eta_ms: int
    kg: float
    bay: str | None = None


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Bookings and deliveries of one station day, each sorted by time; `source` is `mqtt`, `put` or `station-file`."""

    date: dt.date
    trucks: tuple[Booking, ...]
    trailers: tuple[Delivery, ...]
    source: str

    @property
    def kg(self) -> float:
        """Kilograms that all bookings ask for."""
        return sum(truck.kg for truck in self.trucks)


@dataclass(frozen=True, slots=True)
class WaitingTruck:
    """A truck at the gate: since when (epoch ms) and how much it will ask for, None where unknown."""

    id: str
    since_ms: int
    kg: float | None
