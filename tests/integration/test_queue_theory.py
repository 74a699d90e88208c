"""The line of trucks against theory: driven as M/M/c the reduced station meets Erlang-C's mean wait.

How it is driven: through `ReducedStation` at its own one-minute steps, hundreds of lanes of Poisson arrivals, each
truck holding its hose for an exponential time of 22 min on average (DOMAIN 1.2); gas, storage and cooling without
limit, fills of a few grams, drivers of endless patience. Trucks are taken to come at the full minute at which the
station first sees them; the first ones, who meet an empty station, are left out.

Waits of one run scatter by several per cent even over 100 000 trucks, since they come in clusters. So the same trucks
are also served in continuous time by the textbook's recursion (Kiefer and Wolfowitz), and many more after them: the
first gives the station's own error without the scatter, the second shows that the recursion is Erlang's queue.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from station.domain.lanes import NEVER, Float
from station.domain.reduced_station import ReducedStation
from tests.support.drawn_lanes import frame_of_round_numbers, queue_lanes

SERVICE_MIN = 22.0

LOADS = [(8, 0.4125), (6, 0.55), (5, 0.66), (8, 0.85), (3, 0.85)]
"""Hoses, and the share of their time that they are busy; the first three are DOMAIN 1.2's check at 9 trucks an hour."""


def erlang_c_min(servers: int, load: float) -> float:
    """Return the mean wait of M/M/c [min]."""
    offered = servers * load
    free = sum(offered**k / math.factorial(k) for k in range(servers))
    busy = offered**servers / math.factorial(servers) / (1.0 - load)
    return busy / (free + busy) * SERVICE_MIN / (servers * (1.0 - load))


def drawn(servers: int, load: float, trucks: int, lanes: int, seed: int) -> tuple[Float, Float]:
    """Return arrivals and service times [trucks, lanes] of M/M/c."""
    draw = np.random.default_rng(seed)
    gaps = draw.exponential(SERVICE_MIN / (servers * load), (trucks, lanes))
    return np.cumsum(gaps, axis=0), draw.exponential(SERVICE_MIN, (trucks, lanes))


def exact_waits(servers: int, arrive: Float, service: Float) -> Float:
    """Return each truck's wait in continuous time: the next in line takes the hose that is free first."""
    lanes = np.arange(arrive.shape[1])
    free_at = np.zeros((servers, arrive.shape[1]))
    waits = np.empty_like(arrive)
    for truck, (comes, takes) in enumerate(zip(arrive, service, strict=True)):
        hose = free_at.argmin(axis=0)
        begins = np.maximum(comes, free_at[hose, lanes])
        waits[truck] = begins - comes
        free_at[hose, lanes] = begins + takes
    return waits


def station_waits(servers: int, arrive: Float, service: Float) -> Float:
    """Return each truck's wait at the reduced station."""
    # Long after the last one came: the line is gone, and the assertion below would tell if it were not.
    steps = math.ceil(arrive.max() + 40.0 * SERVICE_MIN)
    frame = frame_of_round_numbers(steps, hoses=servers, connect_min=0.0, patience_min=NEVER)
    course = ReducedStation(frame, queue_lanes(arrive, service, steps, servers), ()).run()
    assert (course.start_min < NEVER).all()
    return np.asarray(course.start_min - np.ceil(arrive))


@pytest.mark.parametrize(("servers", "load"), LOADS)
def test_the_line_of_trucks_waits_as_long_as_erlang_says(servers: int, load: float) -> None:
    theory = erlang_c_min(servers, load)
    # Until a queue has forgotten its empty start: some times 1 / (c (1 - sqrt(load))^2) services.
    warm = math.ceil(servers * load * 3.0 / (servers * (1.0 - math.sqrt(load)) ** 2))
    many = exact_waits(servers, *drawn(servers, load, warm + 400, 6000, seed=1))[warm:].mean()
    arrive, service = drawn(servers, load, 300, 200, seed=2)
    same = exact_waits(servers, arrive, service)[30:].mean()
    station = station_waits(servers, arrive, service)[30:].mean()
    wait = station / same * many
    sys.stdout.write(
        f"{servers} hoses, load {load:.2f}: Erlang-C {theory:.3f} min, station {wait:.3f} ({wait / theory - 1:+.1%}); "
        f"against the same trucks in continuous time {station / same - 1:+.2%}, many of those against theory "
        f"{many / theory - 1:+.2%}\n"
    )
    assert many == pytest.approx(theory, rel=0.03)
    assert station == pytest.approx(same, rel=0.02)
    assert wait == pytest.approx(theory, rel=0.05)


def test_the_check_of_the_design_holds() -> None:
    assert [round(erlang_c_min(c, 3.3 / c), 1) for c in (8, 6, 5)] == [0.1, 1.2, 4.1]
