"""Snapshots of the shipped station for capacity tests: a usual moment, changed by what a test is about."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from station.domain.capacity_snapshot import (
    BankNow,
    BayNow,
    ChillerNow,
    DemandAhead,
    Done,
    Expected,
    HoseNow,
    StationSnapshot,
    TrainNow,
)
from station.domain.day_plan import Booking
from station.domain.plant import Plant
from station.domain.truck_queue import profile_bookings
from tests.support.plants import jinma

DAY = dt.date(2026, 6, 1)
MINUTE_MS = 60_000
NOTHING_DONE = Done(trucks=0, kg=0.0, short_trucks=0, short_kg=0.0, short_at_ms=None, asked_kg=0.0)


def at(hour: float, plant: Plant | None = None) -> int:
    """Return a local hour of the test day as epoch ms."""
    return round((plant or jinma()).day_start(DAY).timestamp() * 1000 + hour * 3.6e6)


def snapshot(
    hour: float = 12.0,
    *,
    plant: Plant | None = None,
    bay_mpa: Sequence[float | None] = (17.0, 14.0, 11.0, 8.0),
    bank_mpa: float = 43.0,
    warm_c: float = 20.0,
    trucks: int = 100,
    booked: Sequence[tuple[float, float]] | None = None,
    trailer_hours: Sequence[float] | None = None,
    overdue: bool = False,
    yard: int = 0,
    trains_down: int = 0,
    chillers_down: int = 0,
    hoses: int | None = None,
    done: Done = NOTHING_DONE,
) -> StationSnapshot:
    """Return a snapshot.

    Args:
        hour: Local hour of the test day.
        plant: The station; the shipped one.
        bay_mpa: Pressure of each bay's trailer, None for an empty bay.
        bank_mpa: Of all banks.
        warm_c: Of everything.
        trucks: A usual day's bookings in this number, those after `hour`.
        booked: Instead: (hour, kg) of each booking.
        trailer_hours: ETAs; every 96 min from 0:48 on where not given.
        overdue: Whether ETAs that have passed are overdue; else they are left out.
        yard: Trailers that wait.
        trains_down, chillers_down: Tripped.
        hoses: How many are not in fault.
    """
    plant = plant or jinma()
    now = at(hour, plant)
    fleet = dataclasses.replace(plant.fleet, trucks_per_day=trucks)
    bookings = [b for b in profile_bookings(fleet, DAY, at(0.0, plant)) if b.t_ms >= now] if trucks else []
    if booked is not None:
        bookings = [Booking(f"B{i}", at(h, plant), kg) for i, (h, kg) in enumerate(sorted(booked))]
    etas = [at(h, plant) for h in (trailer_hours or ())] if trailer_hours is not None else _usual_etas(plant)
    expected = [
        Expected(f"T{i}", eta, plant.supply.delivery_kg, eta < now)
        for i, eta in enumerate(etas)
        if overdue or eta >= now
    ]
    in_use = len(plant.hoses) if hoses is None else hoses
    return StationSnapshot(
        station=plant.id,
        at_ms=now,
        day=DAY,
        close_ms=at(24.0, plant),
        bays=tuple(_bay(unit, mpa, warm_c, now) for unit, mpa in zip(plant.supply.bays, bay_mpa, strict=True)),
        banks=tuple(BankNow(b.unit, bank_mpa, warm_c) for b in plant.banks),
        trains=tuple(TrainNow(t.unit, "loaded", i >= trains_down, 1.0, None) for i, t in enumerate(plant.trains)),
        chillers=tuple(ChillerNow(c.unit, "run", i >= chillers_down) for i, c in enumerate(plant.chillers)),
        hoses=tuple(HoseNow(h.unit, "idle", None, 0.0, None, None, i < in_use) for i, h in enumerate(plant.hoses)),
        waiting=(),
        done=done,
        demand=DemandAhead(tuple(bookings), (), trucks, 40.0 * trucks),
        expected=tuple(expected),
        yard=yard,
        ambient_c=warm_c,
        inputs=(),
    )


def _usual_etas(plant: Plant) -> list[int]:
    return [at(t.hour + t.minute / 60.0, plant) for t in plant.supply.delivery_times]


def _bay(unit: str, mpa: float | None, warm_c: float, now: int) -> BayNow:
    since = now - 120 * MINUTE_MS
    if mpa is None:
        return BayNow(unit, "empty", since, None, None)
    return BayNow(unit, "open", since, mpa, warm_c)
