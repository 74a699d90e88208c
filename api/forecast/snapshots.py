"""Building a snapshot: each input read with its stand-in, the day's account, what is still to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from api.forecast.gate import Gate
from api.forecast.measured import InputReader, Measured
from api.forecast.priming import missing_kg
from api.forecast.tags import BayTags, CapacityTags, HoseTags
from api.forecast.train_health import TrainHealth
from station.domain.arrivals import bookings_to_come
from station.domain.capacity import HORIZON_MS
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import (
    TRAILER_ON_ITS_WAY_IN,
    BankNow,
    BayNow,
    ChillerNow,
    DemandAhead,
    Done,
    HoseNow,
    InputNow,
    StationSnapshot,
    TrainNow,
)
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.domain.fill_ledger import FillLedger
from station.domain.plant import Plant
from station.domain.static_capacity import STANDARD_AMBIENT_C
from station.domain.trailer_ledger import TrailerLedger

_DAY = dt.timedelta(days=1)

_GIVEN_UP_MS = 2 * 3_600_000
"""A booking overdue by this long is not thought of any more: its probability is long under a percent."""

_LISTENING_MS = 30 * 60_000
"""Bookings from this long before the first reading on may still come; earlier ones have come unheard."""

_WARM_HOSE_KG = 3.0


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
    plans: Mapping[dt.date, DayPlan]


def snapshot_of(known: Known, at_ms: int) -> StationSnapshot:
    """Return what is known at a moment of station time."""
    plant, tags = known.plant, known.tags
    day = plant.day_of(dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC))
    read = InputReader(known.measured, at_ms)
    ambient = read.read(tags.ambient, tags.header_temperature)
    ambient_c = STANDARD_AMBIENT_C if ambient is None else ambient
    bays = tuple(_bay(known, read, bay, at_ms) for bay in tags.bays)
    banks = _banks(known, read, ambient_c)
    trains = _trains(known, read)
    chillers = tuple(ChillerNow(c.unit, s := read.read_state(c.state) or "run", s != "trip") for c in tags.chillers)
    hoses = tuple(_hose(known, read, hose) for hose in tags.hoses)
    bookings = _bookings(known, day)
    to_come, came = bookings_to_come(bookings, known.gate.arrivals)
    rules = CapacityParameters.of(plant.parameters)
    expected, yard = known.trailers.outlook(_deliveries(known, day), at_ms, round(rules.no_dock_grace_min * 60_000))
    waiting = _waiting(known, hoses, to_come, at_ms)
    named_waiting = {truck.id for truck in waiting}
    coming = [b for b in to_come if b.id not in named_waiting]
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
    )


def _start_ms(plant: Plant, day: dt.date) -> int:
    return round(plant.day_start(day).timestamp() * 1000)


def _bay(known: Known, read: InputReader, bay: BayTags, at_ms: int) -> BayNow:
    state = read.read_state(bay.state) or "absent"
    since = known.trailers.bay_since(bay.unit)
    since_ms = at_ms if since is None else since
    if state in ("absent", "empty"):
        return BayNow(bay.unit, state, since_ms, None, None)
    # While its valve is open, the unloading hose stands at the trailer's pressure.
    twins = (bay.hose_pressure,) if state == "open" else ()
    pressure = read.read(bay.pressure, *twins, wanted_since_ms=since_ms)
    warm = (known.tags.header_temperature, known.tags.ambient)
    temperature = read.read(bay.temperature, *warm, wanted_since_ms=since_ms)
    heard = known.measured.time_ms(bay.pressure)
    if state in TRAILER_ON_ITS_WAY_IN and (heard is None or heard < since_ms):
        pressure = None  # The last trailer's: this one has not been measured yet.
    return BayNow(bay.unit, state, since_ms, pressure, temperature)


def _banks(known: Known, read: InputReader, ambient_c: float) -> tuple[BankNow, ...]:
    banks = []
    for spec, tags in zip(known.plant.banks, known.tags.banks, strict=True):
        pressure = read.read_pair(tags.pressure_a, tags.pressure_b)
        temperature = read.read(tags.temperature, known.tags.bank_header_temperature, known.tags.ambient)
        banks.append(
            BankNow(
                spec.unit,
                # Never heard of at all: what it holds at least while in service.
                pressure if pressure is not None else spec.floor_mpa or spec.recharge_start_mpa,
                temperature if temperature is not None else ambient_c,
            )
        )
    return tuple(banks)


def _trains(known: Known, read: InputReader) -> tuple[TrainNow, ...]:
    trains = []
    for tags in known.tags.trains:
        state = read.read_state(tags.state) or "stop"
        suction = read.read(tags.suction)
        trains.append(TrainNow(tags.unit, state, state != "trip", known.health.of(tags.unit), suction))
    return tuple(trains)


def _hose(known: Known, read: InputReader, hose: HoseTags) -> HoseNow:
    state = read.read_state(hose.state) or "idle"
    measured, current = known.measured, known.fills.current(hose.unit)
    read.read(hose.total)
    if current is None:
        return HoseNow(hose.unit, state, None, 0.0, None, None, state != "fault")
    since_ms, given = current
    asked = None
    soc, litres, heard = measured.value(hose.soc), measured.value(hose.tank_volume), measured.time_ms(hose.soc)
    if soc is not None and litres is not None and heard is not None and heard >= since_ms:
        asked = given + missing_kg(soc, litres, known.plant.fill.end_soc)
    # The first kilograms come through a hose that has warmed up since the last fill.
    cold = state == "fill" and given > _WARM_HOSE_KG
    delivery = measured.value(hose.delivery_temperature) if cold else None
    return HoseNow(hose.unit, state, since_ms, given, asked, delivery, state != "fault")


# --- the day's account ---


def _done(known: Known, day: dt.date, at_ms: int, came: list[Booking]) -> Done:
    rules = CapacityParameters.of(known.plant.parameters)
    start_ms, mean = _start_ms(known.plant, day), known.plant.fleet.mean_fill_kg
    fills = known.fills.between(start_ms, at_ms + 1)
    lost = [(f.start_ms, f.missing_kg) for f in fills if f.missing_kg > rules.short_fill_tolerance_kg]
    lost += [(g.arrived_ms, g.kg or mean) for g in known.gate.gone if g.left_ms >= start_ms]
    total, reached = 0.0, None
    for arrived_ms, kg in sorted(lost):
        total += kg
        if reached is None and total >= rules.shortfall_kg:
            reached = arrived_ms
    today = [b for b in came if start_ms <= b.t_ms]
    unbooked = sum(1 for a in known.gate.arrivals if a.t_ms >= start_ms) - len(today)
    return Done(
        trucks=sum(f.trucks for f in fills if f.completed),
        kg=sum(f.kg for f in fills),
        short_trucks=len(lost),
        short_kg=total,
        short_at_ms=reached,
        asked_kg=sum(b.kg for b in today) + max(0, unbooked) * mean,
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


def _deliveries(known: Known, day: dt.date) -> list[Delivery]:
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
