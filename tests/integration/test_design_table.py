"""The reduced station alone against the design table of DOMAIN 1.2: kilograms of a settled day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys

import numpy as np
import pytest

from station.domain import capacity_lanes as variants
from station.domain.capacity_parameters import CapacityParameters
from station.domain.lanes import NEVER, Course
from station.domain.reduced_station import ReducedStation
from station.domain.supply_outlook import outlook_of
from station.domain.truck_queue import demand_of, profile_bookings
from tests.support.capacity_snapshots import DAY, MINUTE_MS, at, snapshot
from tests.support.plants import jinma


def days(trains: int, hoses: int, trailers: int, trucks: int, count: int) -> Course:
    """Run the reduced station for some days; trucks follow the profile, trailers come evenly, nothing is repaired."""
    plant, rules = jinma(), CapacityParameters.of({**jinma().parameters, "on_call_share": 0.0})
    fleet = dataclasses.replace(plant.fleet, trucks_per_day=trucks)
    each_day = (profile_bookings(fleet, DAY + dt.timedelta(days=n), at(24.0 * n)) for n in range(count))
    booked = tuple(booking for bookings in each_day for booking in bookings)
    etas = [24.0 * (i + 0.5) / trailers for i in range(trailers * count)]
    now = snapshot(0.0, trucks=0, trailer_hours=etas, trains_down=4 - trains, hoses=hoses)
    now = dataclasses.replace(now, demand=dataclasses.replace(now.demand, bookings=booked))
    steps = 1440 * count
    frame = variants.frame_of(plant, now, rules, steps)
    demand = demand_of(plant, now, rules, now.at_ms + steps * MINUTE_MS)
    lane = variants.base_lane(plant, now, rules, frame, demand, outlook_of(plant, now, rules))
    never_repaired = np.where(lane.hose_down_from < 0.0, NEVER, lane.hose_down_until)
    same_all_day = np.broadcast_to(lane.train_kg_min[0], lane.train_kg_min.shape)
    lane = dataclasses.replace(lane, train_kg_min=same_all_day, hose_down_until=never_repaired)
    return ReducedStation(frame, lane, tuple(range(1440, steps, 1440))).run()


def kg_a_day(trains: int, hoses: int, trailers: int, trucks: int, count: int) -> float:
    """Return the kilograms of a settled day: all but the first, which lives off the opening stock."""
    course = days(trains, hoses, trailers, trucks, count)
    return float(course.delivered_kg.sum() - course.mark_delivered_kg[0].sum()) / (count - 1)


@pytest.mark.parametrize(
    ("name", "plant", "kg", "within"),
    [
        ("reference", (4, 8, 15, 100, 4), 3999, 0.01),
        ("3 trains", (3, 8, 15, 100, 4), 3999, 0.01),
        ("2 trains", (2, 8, 15, 100, 4), 3999, 0.01),
        ("6 hoses", (4, 6, 15, 100, 4), 3999, 0.01),
        ("4 hoses", (4, 4, 15, 100, 4), 3999, 0.01),
        ("12 trailers, steady", (4, 8, 12, 100, 6), 3336, 0.03),
        ("15 trailers, saturated", (4, 8, 15, 160, 4), 4176, 0.03),
        ("30 trailers, saturated", (4, 8, 30, 260, 4), 8394, 0.10),
        ("30 trailers, more than saturated", (4, 8, 30, 300, 4), 8394, 0.10),
        ("3 trains, unlimited trailers", (3, 8, 30, 260, 4), 6300, 0.05),
    ],
)
def test_rows_of_the_design_table(name: str, plant: tuple[int, int, int, int, int], kg: float, within: float) -> None:
    got = kg_a_day(*plant)
    sys.stdout.write(f"{name}: design {kg:.0f} kg/day, reduced station {got:.0f} ({got / kg - 1.0:+.1%})\n")
    assert got == pytest.approx(kg, rel=within)
