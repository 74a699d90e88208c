"""Building a snapshot: each input read with its stand-in, the day's account, what is still to come."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.forecast import equipment
from api.forecast.gate import Gate
from api.forecast.hose_watch import HoseWatch
from api.forecast.measured import InputReader, Measured
from api.forecast.stock_book import StockBook
from api.forecast.tags import CapacityTags
from api.forecast.train_health import TrainHealth
from station.domain.arrivals import bookings_to_come
from station.domain.capacity import HORIZON_MS
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import (
    DemandAhead,
    Done,
    HoseNow,
    InputNow,
    StationSnapshot,
)
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.domain.fill_ledger import FillLedger
from station.domain.learned import Learned
from station.domain.plant import Plant
from station.domain.static_capacity import STANDARD_AMBIENT_C
from station.domain.taught import taught
from station.domain.trailer_ledger import TrailerLedger

_DAY = dt.timedelta(days=1)

_GIVEN_UP_MS = 2 * 3_600_000
"""A booking overdue by this long is not thought of any more: its probability is long under a percent."""

_LISTENING_MS = 30 * 60_000
"""Bookings from this long before the first reading on may still come; earlier ones have come unheard."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that the inputs keep."""

    plant: Plant
    tags: CapacityTags
    measured: Measured
    fills: FillLedger
    trailers: TrailerLedger
    gate: Gate
    health: TrainHealth
    stock: StockBook
    hoses: HoseWatch
    plans: Mapping[dt.date, DayPlan]
    down_since_ms: Mapping[str, int]
    learned: Learned | None = None


def snapshot_of(known: Known, at_ms: int) -> StationSnapshot:
    """Return what is known at a moment of station time."""
    plant, tags = known.plant, known.tags
    day = plant.day_of(dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC))
    read = InputReader(known.measured, at_ms)
    ambient = read.read(tags.ambient, tags.header_temperature)
    ambient_c = STANDARD_AMBIENT_C if ambient is None else ambient
    rules = CapacityParameters.of(plant.parameters)
    reading = equipment.Reading(
        plant,
        tags,
        read,
        rules,
        ambient_c,
        known.trailers,
        known.fills,
        known.health,
        known.stock,
        known.hoses,
        known.down_since_ms,
    )
    bays = tuple(equipment.bay_now(reading, bay) for bay in tags.bays)
    specs = zip(plant.banks, tags.banks, strict=True)
    banks = tuple(equipment.bank_now(reading, i, spec, bank) for i, (spec, bank) in enumerate(specs))
    trains = tuple(equipment.train_now(reading, train) for train in tags.trains)
    chillers = tuple(equipment.chiller_now(reading, chiller) for chiller in tags.chillers)
    hoses = tuple(equipment.hose_now(reading, hose) for hose in tags.hoses)
    equipment.headers(reading)
    bookings = _bookings(known, day)
    _, taught_rules = taught(plant, known.learned)
    to_come, came = bookings_to_come(bookings, known.gate.arrivals, taught_rules, at_ms)
    expected, yard = known.trailers.outlook(announced_deliveries(known, day), at_ms)
    waiting = _waiting(known, hoses, to_come, at_ms)
    named_waiting = {truck.id for truck in waiting}
    coming = [b for b in to_come if b.id not in named_waiting]
    losses = known.stock.losses
    notes = (*read.notes, *_announced(known, day, at_ms, waiting))
    return StationSnapshot(
        station=plant.id,
        at_ms=at_ms,
        day=day,
        close_ms=_start_ms(plant, day + _DAY),
        bays=bays,
        banks=banks,
        trains=trains,
        chillers=chillers,
        hoses=hoses,
        waiting=waiting,
        done=_done(known, day, at_ms, came),
        demand=_demand(known, day, at_ms, coming),
        expected=expected,
        yard=yard,
        ambient_c=ambient_c,
        inputs=notes,
        learned=known.learned,
        demand_sd=_lost_sd(notes, _hose_tags(tags), rules.lost_hose_sd_share),
        flow_sd=_lost_sd(notes, _line_tags(tags), rules.lost_air_sd_share),
        lost_kg_h=losses.kg_h(),
        leaking_min=0.0 if losses.since_ms is None else (at_ms - losses.since_ms) / 60_000.0,
    )


def _start_ms(plant: Plant, day: dt.date) -> int:
    return round(plant.day_start(day).timestamp() * 1000)


def _hose_tags(tags: CapacityTags) -> frozenset[str]:
    return frozenset(
        tag for h in tags.hoses for tag in (h.state, h.total, h.delivery_temperature, h.soc, h.tank_volume)
    )


def _line_tags(tags: CapacityTags) -> frozenset[str]:
    lines = (tag for bay in tags.bays for tag in (bay.state, bay.hose_pressure, bay.flow))
    headers = (tags.header_pressure, tags.header_temperature, tags.bank_header_temperature)
    return frozenset((*lines, *headers, tags.ambient, tags.weighbridge))


def _lost_sd(notes: Sequence[InputNow], tags: frozenset[str], each: float) -> float:
    """Return the standard deviation for the lost ones of some inputs, each independent of the others."""
    return each * math.sqrt(sum(note.signal in tags and note.degraded_s > 0.0 for note in notes))


# --- the day's account ---


def _done(known: Known, day: dt.date, at_ms: int, came: list[Booking]) -> Done:
    rules = CapacityParameters.of(known.plant.parameters)
    start_ms, mean = _start_ms(known.plant, day), known.plant.fleet.mean_fill_kg
    fills = known.fills.between(start_ms, at_ms + 1)
    short = known.fills.short(start_ms, at_ms, rules.short_fill_tolerance_kg)
    lost = [(f.start_ms, f.missing_kg) for f in short]
    unserved = tuple(g for g in known.gate.gone if g.left_ms >= start_ms)
    lost += [(g.arrived_ms, g.kg or mean) for g in unserved]
    unheard = known.fills.unheard_kg()
    total, reached = 0.0, None
    for arrived_ms, kg in sorted(lost):
        total += kg
        if reached is None and total >= rules.shortfall_kg:
            reached = arrived_ms
    today = [b for b in came if start_ms <= b.t_ms]
    unbooked = sum(1 for a in known.gate.arrivals if a.t_ms >= start_ms) - len(today)
    return Done(
        trucks=sum(f.trucks for f in fills if f.completed) + sum(int(kg / mean) for kg in unheard),
        kg=sum(f.kg for f in fills) + sum(unheard),
        short_trucks=len(lost),
        short_kg=total,
        short_at_ms=reached,
        asked_kg=sum(b.kg for b in today) + max(0, unbooked) * mean,
        unserved=unserved,
    )


# --- what is to come ---


def _bookings(known: Known, day: dt.date) -> list[Booking]:
    """Return the bookings of yesterday, today and tomorrow that were not over before anything was heard."""
    since = known.trailers.since_ms
    earliest = -1 if since is None else since - _LISTENING_MS
    days = (day - _DAY, day, day + _DAY)
    found = [b for d in days if d in known.plans for b in known.plans[d].trucks if b.t_ms >= earliest]
    return sorted(found, key=lambda b: b.t_ms)


def _demand(known: Known, day: dt.date, at_ms: int, to_come: list[Booking]) -> DemandAhead:
    plant = known.plant
    horizon = [day]
    if at_ms + HORIZON_MS > _start_ms(plant, day + _DAY):
        horizon.append(day + _DAY)
    plan = known.plans.get(day)
    trucks = plant.fleet.trucks_per_day
    return DemandAhead(
        bookings=tuple(b for b in to_come if b.t_ms >= at_ms - _GIVEN_UP_MS),
        profile_days=tuple(d for d in horizon if d not in known.plans),
        plan_trucks=trucks if plan is None else len(plan.trucks),
        plan_kg=trucks * plant.fleet.mean_fill_kg if plan is None else plan.kg,
    )


def announced_deliveries(known: Known, day: dt.date) -> list[Delivery]:
    """Return the deliveries from the day before yesterday to tomorrow, at the usual times where no plan is."""
    found: list[Delivery] = []
    for ahead in (-2, -1, 0, 1):
        date = day + ahead * _DAY
        plan = known.plans.get(date)
        found.extend(plan.trailers if plan is not None else _usual_deliveries(known.plant, date))
    return found


def _usual_deliveries(plant: Plant, day: dt.date) -> list[Delivery]:
    supply = plant.supply
    moments = [dt.datetime.combine(day, time, plant.timezone) for time in supply.delivery_times]
    return [
        Delivery(f"usual-{day}-{i}", round(moment.timestamp() * 1000), supply.delivery_kg)
        for i, moment in enumerate(moments)
    ]


def _waiting(known: Known, hoses: tuple[HoseNow, ...], to_come: list[Booking], at_ms: int) -> tuple[WaitingTruck, ...]:
    """Return who waits at the gate; without word of the queue, the overdue trucks while every hose is taken."""
    if known.gate.is_known(at_ms):
        return known.gate.waiting()
    if any(hose.since_ms is None and hose.available for hose in hoses):
        return ()
    rules = CapacityParameters.of(known.plant.parameters)
    longest_ms = round(2.0 * rules.booking_sd_min * 60_000)
    return tuple(WaitingTruck(b.id, b.t_ms, b.kg) for b in to_come if at_ms - longest_ms <= b.t_ms <= at_ms)


def _announced(known: Known, day: dt.date, at_ms: int, waiting: tuple[WaitingTruck, ...]) -> list[InputNow]:
    """Return the inputs that no sensor measures: the queue and the plan."""
    gate, plan = known.gate, known.plans.get(day)
    age_s = None if gate.told_ms is None else (at_ms - gate.told_ms) / 1000.0
    if gate.is_known(at_ms):
        queue = InputNow("queue/gate", float(len(waiting)), "good", age_s, "measured", 0.0)
    elif age_s is None:
        # A station without a camera or a gatekeeper lives with this: named, not alarmed.
        queue = InputNow("queue/gate", float(len(waiting)), "uncertain:inferred", None, "bookings", 0.0)
    else:
        queue = InputNow("queue/gate", float(len(waiting)), "bad:stale", age_s, "bookings", age_s - 180.0)
    trucks = known.plant.fleet.trucks_per_day if plan is None else len(plan.trucks)
    quality, source = ("good", "measured") if plan is not None else ("uncertain:profile", "profile")
    return [queue, InputNow(f"plan/{day}", float(trucks), quality, None, source, 0.0)]
