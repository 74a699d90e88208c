"""What the benchmarks share: a clock, a table, messages of a simulated station."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from cli.simulator_side import new_station, scenario_named
from simulators.station import SimulatedStation
from station.adapters.plant_files import shipped_plant
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of

BUSY_HOUR = dt.datetime(2026, 6, 1, 2, 0, tzinfo=dt.UTC)
"""10:00 at the station: trucks at every hose."""


def seconds_a_call(call: Callable[[], object], for_s: float = 1.0, rounds: int = 5) -> float:
    """Return the seconds that a call takes: the best of some rounds, for other programs only ever add."""
    begin = time.perf_counter()
    call()
    count = max(1, int(for_s / rounds / max(time.perf_counter() - begin, 1e-9)))
    return min(_mean(call, count) for _ in range(rounds))


def _mean(call: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column names, the others count."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def simulated(start: dt.datetime = BUSY_HOUR) -> SimulatedStation:
    """Return a simulated Jinma station on its normal day."""
    return new_station(shipped_plant(), scenario_named("normal-day"), start, seed=1)


def messages(minutes: float, start: dt.datetime = BUSY_HOUR) -> list[UnitMessage]:
    """Return every message of some simulated minutes, each signal at its own rate."""
    return simulated(start).advance(minutes * 60.0)


def packets(said: Sequence[UnitMessage]) -> list[tuple[str, bytes]]:
    """Return messages as they go over the wire."""
    return [(topic_of(message), encode(message)) for message in said]


def count_values(said: Sequence[UnitMessage]) -> int:
    """Return how many values messages hold."""
    return sum(len(message.values) for message in said)
