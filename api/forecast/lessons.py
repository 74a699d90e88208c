"""What a stretch of station time teaches: arrivals against bookings, fills, trailers against their announcements.

A stretch is looked at once, some hours after it is over: by then each booking has come or will not, and each weighing
is known to be an arrival or a departure.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.forecast.snapshots import Known, announced_deliveries
from station.domain.arrivals import Arrival, Matched, matched
from station.domain.capacity_parameters import CapacityParameters
from station.domain.day_plan import Booking
from station.domain.estimators import ArrivalScatter, Estimator, HourProfile, Sample, Share
from station.domain.fill_ledger import Fill
from station.domain.learned import ARRIVAL, FILL_KG, LATENESS, NO_SHOW, PROFILES, WALK_IN
from station.domain.supply_outlook import outage_belief

HOUR_MS = 3_600_000
RIPE_MS = 3 * HOUR_MS
"""A stretch teaches this long after it is over."""

_AROUND_MS = 2 * HOUR_MS
"""Bookings and arrivals this far about a stretch may belong to each other."""
_ARRIVES_WITHIN_MIN = 150.0
_LEAST_LATE_MIN = 1.0
"""A trailer that is early counts as one that comes on the minute: the law of lateness knows no less [min]."""
_LEAST_FILL_KG = 5.0
_UNHEARD_BOOKINGS = 3
"""From so many bookings on, a stretch to which fewer than half came was not heard, or the station was shut."""
_CONNECTS_AFTER_MS = 120_000
"""A truck is at a hose before it is told to have come by at most this much: clocks and words differ."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Station time (start, end], epoch ms; `gate_heard` where the hoses were heard without a gap around it."""

    start_ms: int
    end_ms: int
    gate_heard: bool

    def holds(self, t_ms: int) -> bool:
        """Return whether a moment is in it."""
        return self.start_ms < t_ms <= self.end_ms


def learn(known: Known, lessons: Mapping[str, Estimator], stretch: Stretch) -> None:
    """Let a stretch teach what it can."""
    _learn_trailers(known, lessons, stretch)
    if not stretch.gate_heard:
        return
    _learn_profile(known, lessons, stretch)
    bookings = _bookings(known, stretch)
    if bookings is None:
        return
    arrivals = [a for a in known.gate.arrivals if _near(stretch, a.t_ms)]
    # By what the station file says, not by what was learned: else a wrong match would prove itself right.
    rules = CapacityParameters.of(known.plant.parameters)
    found = matched(bookings, arrivals, rules, stretch.end_ms + RIPE_MS)
    if _learn_shares(lessons, stretch, bookings, found):
        _learn_arrivals(lessons, stretch, bookings, arrivals)
        _learn_fills(known, lessons, stretch, bookings)


def _near(stretch: Stretch, t_ms: int) -> bool:
    return stretch.start_ms - _AROUND_MS < t_ms <= stretch.end_ms + _AROUND_MS


def _bookings(known: Known, stretch: Stretch) -> list[Booking] | None:
    """Return the bookings about a stretch, None where one of its days has no plan: all who came would be strangers."""
    ends = (stretch.start_ms - HOUR_MS, stretch.end_ms + HOUR_MS)
    days = {known.plant.day_of(dt.datetime.fromtimestamp(t / 1000.0, dt.UTC)) for t in ends}
    if not days <= known.plans.keys():
        return None
    found = [b for plan in known.plans.values() for b in plan.trucks if _near(stretch, b.t_ms)]
    return sorted(found, key=lambda b: b.t_ms)


def _learn_profile(known: Known, lessons: Mapping[str, Estimator], stretch: Stretch) -> None:
    for arrival in known.gate.arrivals:
        if stretch.holds(arrival.t_ms):
            local = dt.datetime.fromtimestamp(arrival.t_ms / 1000.0, known.plant.timezone)
            profile = lessons[PROFILES[local.weekday()]]
            assert isinstance(profile, HourProfile)
            profile.add(local.hour)


def _learn_shares(
    lessons: Mapping[str, Estimator], stretch: Stretch, bookings: Sequence[Booking], found: Matched
) -> bool:
    """Learn who does not come, and who comes unbooked; return False where the stretch cannot be trusted."""
    due = sum(stretch.holds(b.t_ms) for b in bookings)
    missed = sum(stretch.holds(b.t_ms) for b in found.open)
    if due >= _UNHEARD_BOOKINGS and 2 * missed > due:
        return False
    no_show, walk_in = lessons[NO_SHOW], lessons[WALK_IN]
    assert isinstance(no_show, Share)
    assert isinstance(walk_in, Share)
    strangers = sum(stretch.holds(a.t_ms) for a in found.strangers)
    if due:
        no_show.add(missed, due)
    if due or strangers:
        walk_in.add(strangers, due)
    return True


def _learn_arrivals(
    lessons: Mapping[str, Estimator], stretch: Stretch, bookings: Sequence[Booking], arrivals: Sequence[Arrival]
) -> None:
    scatter = lessons[ARRIVAL]
    assert isinstance(scatter, ArrivalScatter)
    by_id = {b.id: b for b in bookings}
    named = {a.id for a in arrivals if a.id is not None}
    unnamed = [b for b in bookings if b.id not in named]
    for arrival in arrivals:
        if not stretch.holds(arrival.t_ms):
            continue
        own = by_id.get(arrival.id) if arrival.id is not None else None
        candidates = unnamed if own is None else [own]
        off = [(arrival.t_ms - b.t_ms) / 6e4 for b in candidates]
        scatter.add([m for m in off if abs(m) < _ARRIVES_WITHIN_MIN], named=own is not None)


# --- kilograms ---


def _learn_fills(known: Known, lessons: Mapping[str, Estimator], stretch: Stretch, bookings: Sequence[Booking]) -> None:
    """Learn what trucks want against what was booked; who of them is which is known as well as it can be."""
    ratio, scatter = lessons[FILL_KG], lessons[ARRIVAL]
    assert isinstance(ratio, Sample)
    habit = scatter.estimate()
    usual = ratio.prior.sd**2
    for fill, arrival in _served(known, stretch):
        kg, variance = _booked_kg(bookings, arrival, habit.value, habit.sd)
        if kg <= 0.0:
            continue
        noise = variance / kg**2
        # A truck that may be any of several teaches little: its weight is that of its own scatter in what is seen.
        ratio.add((fill.kg + fill.missing_kg) / kg, weight=usual / (usual + noise), noise=noise)


def _served(known: Known, stretch: Stretch) -> list[tuple[Fill, Arrival]]:
    """Return the whole fills of a stretch with the arrivals they serve: first come, first served."""
    gone = {g.arrived_ms for g in known.gate.gone}
    waiting = sorted(
        (a for a in known.gate.arrivals if _near(stretch, a.t_ms) and a.t_ms not in gone), key=lambda a: a.t_ms
    )
    served = []
    for fill in sorted((f for f in known.fills.fills if _near(stretch, f.start_ms)), key=lambda f: f.start_ms):
        if not waiting or waiting[0].t_ms > fill.start_ms + _CONNECTS_AFTER_MS:
            continue
        arrival = waiting.pop(0)
        whole = fill.completed and fill.trucks == 1 and fill.kg > _LEAST_FILL_KG
        if whole and stretch.holds(arrival.t_ms):
            served.append((fill, arrival))
    return served


def _booked_kg(bookings: Sequence[Booking], arrival: Arrival, bias: float, sd: float) -> tuple[float, float]:
    """Return (mean, variance) of what was booked for a truck that came [kg, kg2]; (0, 0) where none is near."""
    weights = []
    for booking in bookings:
        if arrival.id == booking.id:
            return booking.kg, 0.0
        off = ((arrival.t_ms - booking.t_ms) / 6e4 - bias) / sd
        weights.append(math.exp(-0.5 * off * off) if abs(off) < 4.0 else 0.0)
    whole = sum(weights)
    if whole <= 0.0:
        return 0.0, 0.0
    mean = sum(w * b.kg for w, b in zip(weights, bookings, strict=True)) / whole
    return mean, sum(w * (b.kg - mean) ** 2 for w, b in zip(weights, bookings, strict=True)) / whole


# --- trailers ---


def _learn_trailers(known: Known, lessons: Mapping[str, Estimator], stretch: Stretch) -> None:
    """Learn lateness of announced trailers; one that an interrupted supply may have held back counts accordingly less.

    Where the weighbridge tells of arrivals, a docking alone does not: a trailer may have waited in the yard for it.
    """
    lateness = lessons[LATENESS]
    assert isinstance(lateness, Sample)
    day = known.plant.day_of(dt.datetime.fromtimestamp(stretch.end_ms / 1000.0, dt.UTC))
    deliveries = announced_deliveries(known, day)
    came = known.trailers.came(deliveries)
    planned = {d.id for plan in known.plans.values() for d in plan.trailers}
    has_scale = any(one.weighed for one in came)
    outage_share = CapacityParameters.of(known.plant.parameters).outage_share
    arrived = {one.delivery.id: one.arrival_ms for one in came}
    since = known.trailers.since_ms or 0
    for one in came:
        trusted = one.delivery.id in planned and (one.weighed or not has_scale)
        if not trusted or not stretch.holds(one.arrival_ms):
            continue
        late_by = [
            (one.arrival_ms - d.eta_ms) / 6e4
            for d in deliveries
            if since <= d.eta_ms < one.arrival_ms <= arrived.get(d.id, one.arrival_ms)
        ]
        weight = 1.0 - outage_belief(late_by, known.plant.supply, outage_share)
        minutes = max((one.arrival_ms - one.delivery.eta_ms) / 6e4, _LEAST_LATE_MIN)
        lateness.add(math.log(minutes), weight)
