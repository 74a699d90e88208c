"""What if: a snapshot with units away, trailers later, more trucks, other weather or another plan."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from station.domain.capacity_snapshot import DemandAhead, Expected, StationSnapshot
from station.domain.day_plan import Booking, DayPlan
from station.domain.plant import Plant
from station.domain.truck_queue import profile_bookings

_FOR_GOOD_H = 1e6
"""A unit that is removed is not repaired within any horizon [h]."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is asked to be otherwise.

    Attributes:
        remove: Names of trains, chillers, hoses, banks and bays that are away for good.
        delay_trailers_min: How much later every announced trailer comes [min].
        add_trucks: Trucks more than planned, spread over the rest of the day by the station's profile; below 0 so many
            of those that are still to come stay away, spread over the rest of the day as well.
        ambient_c: Air temperature instead of the measured one [degC].
        plan: Another plan of the snapshot's day.
    """

    remove: frozenset[str] = frozenset()
    delay_trailers_min: float = 0.0
    add_trucks: int = 0
    ambient_c: float | None = None
    plan: DayPlan | None = None


def removable_by_kind(plant: Plant) -> dict[str, tuple[str, ...]]:
    """Return the names of the units that can be taken away, by kind, of banks and bays all but one."""
    return {
        "trains": tuple(train.unit for train in plant.trains),
        "chillers": tuple(chiller.unit for chiller in plant.chillers),
        "hoses": tuple(hose.unit for hose in plant.hoses),
        "banks": tuple(bank.unit for bank in plant.banks),
        "bays": tuple(plant.supply.bays),
    }


def removable_units(plant: Plant) -> tuple[str, ...]:
    """Return the names of all of them."""
    return tuple(unit for units in removable_by_kind(plant).values() for unit in units)


def left_without(plant: Plant, remove: Collection[str]) -> str | None:
    """Return of what nothing would be left, `banks` or `bays`; None where one of each is."""
    if all(bank.unit in remove for bank in plant.banks):
        return "banks"
    return "bays" if all(bay in remove for bay in plant.supply.bays) else None


def changed(plant: Plant, now: StationSnapshot, changes: Changes) -> tuple[Plant, StationSnapshot]:
    """Return the station and the snapshot as they would be; the moment, and so the random numbers, stay the same."""
    if changes.plan is not None:
        now = _with_plan(now, changes.plan)
    if changes.delay_trailers_min:
        now = replace(now, expected=_later(now, changes.delay_trailers_min))
    if changes.add_trucks > 0:
        now = replace(now, demand=_with_more_trucks(plant, now, changes.add_trucks))
    if changes.add_trucks < 0:
        now = replace(now, demand=_with_fewer_trucks(plant, now, -changes.add_trucks))
    if changes.ambient_c is not None:
        now = replace(now, ambient_c=changes.ambient_c)
    return _without(plant, now, changes.remove)


def moved_to(plan: DayPlan, day: dt.date, days_ms: int) -> DayPlan:
    """Return another day's plan as it would be on `day`, every time later by `days_ms`."""
    trucks = tuple(replace(truck, t_ms=truck.t_ms + days_ms) for truck in plan.trucks)
    trailers = tuple(replace(trailer, eta_ms=trailer.eta_ms + days_ms) for trailer in plan.trailers)
    return replace(plan, date=day, trucks=trucks, trailers=trailers)


def _with_plan(now: StationSnapshot, plan: DayPlan) -> StationSnapshot:
    bookings = [b for b in plan.trucks if b.t_ms >= now.at_ms]
    bookings += [b for b in now.demand.bookings if b.t_ms >= now.close_ms]
    expected = [Expected(d.id, d.eta_ms, d.kg, overdue=False) for d in plan.trailers if d.eta_ms >= now.at_ms]
    expected += [e for e in now.expected if e.eta_ms >= now.close_ms]
    days = tuple(day for day in now.demand.profile_days if day != now.day)
    demand = DemandAhead(tuple(bookings), days, len(plan.trucks), plan.kg)
    return replace(now, demand=demand, expected=tuple(expected))


def _later(now: StationSnapshot, minutes: float) -> tuple[Expected, ...]:
    """Return the trailers with their times told anew: one whose new time is still ahead is no longer overdue."""
    times = [(e, e.eta_ms + round(minutes * 60_000)) for e in now.expected]
    return tuple(replace(e, eta_ms=t, overdue=e.overdue and t < now.at_ms) for e, t in times)


def _with_more_trucks(plant: Plant, now: StationSnapshot, count: int) -> DemandAhead:
    """Return the demand with more bookings, at equal shares of what the profile has left of the day."""
    start = round(plant.day_start(now.day).timestamp() * 1000)
    usual = [b.t_ms for b in profile_bookings(plant.fleet, now.day, start) if b.t_ms >= now.at_ms]
    ahead = np.array(usual or [now.at_ms], dtype=np.float64)
    times = np.quantile(ahead, (np.arange(count) + 0.5) / count)
    kg = plant.fleet.mean_fill_kg
    more = [Booking(f"what-if-{n}", round(float(t)), kg) for n, t in enumerate(times)]
    bookings = tuple(sorted((*now.demand.bookings, *more), key=lambda b: b.t_ms))
    demand = now.demand
    return DemandAhead(bookings, demand.profile_days, demand.plan_trucks + count, demand.plan_kg + count * kg)


def _with_fewer_trucks(plant: Plant, now: StationSnapshot, count: int) -> DemandAhead:
    """Return the demand without so many of the day's trucks to come, at even distances.

    Of a day without a plan the profile's trucks are taken for booked, and thinned.
    """
    demand = now.demand
    ahead = [b for b in demand.bookings if b.t_ms < now.close_ms]
    if now.day in demand.profile_days:
        start = round(plant.day_start(now.day).timestamp() * 1000)
        ahead += [b for b in profile_bookings(plant.fleet, now.day, start) if b.t_ms >= now.at_ms]
        ahead.sort(key=lambda b: b.t_ms)
    count = min(count, len(ahead))
    away = {int((n + 0.5) * len(ahead) / count) for n in range(count)}
    kept = [b for n, b in enumerate(ahead) if n not in away]
    later = [b for b in demand.bookings if b.t_ms >= now.close_ms]
    days = tuple(day for day in demand.profile_days if day != now.day)
    less_kg = sum(ahead[n].kg for n in away)
    return DemandAhead((*kept, *later), days, demand.plan_trucks - count, max(0.0, demand.plan_kg - less_kg))


def _without(plant: Plant, now: StationSnapshot, names: Collection[str]) -> tuple[Plant, StationSnapshot]:
    if not names:
        return plant, now
    gone_plant = dataclasses.replace(
        plant,
        trains=tuple(replace(u, mttr_median_h=_FOR_GOOD_H) if u.unit in names else u for u in plant.trains),
        chillers=tuple(replace(u, mttr_median_h=_FOR_GOOD_H) if u.unit in names else u for u in plant.chillers),
        hoses=tuple(replace(u, mttr_median_h=_FOR_GOOD_H) if u.unit in names else u for u in plant.hoses),
        banks=tuple(bank for bank in plant.banks if bank.unit not in names),
        supply=replace(plant.supply, bays=tuple(bay for bay in plant.supply.bays if bay not in names)),
    )
    gone_now = replace(
        now,
        trains=tuple(replace(u, available=u.available and u.unit not in names) for u in now.trains),
        chillers=tuple(replace(u, available=u.available and u.unit not in names) for u in now.chillers),
        hoses=tuple(replace(u, available=u.available and u.unit not in names) for u in now.hoses),
        banks=tuple(bank for bank in now.banks if bank.unit not in names),
        bays=tuple(bay for bay in now.bays if bay.unit not in names),
    )
    return gone_plant, gone_now
