"""Two days of a simulated station teach the forecast, and a start from the journal database knows the same."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from api.forecast.engine import CapacityEngine
from api.forecast.inputs import CapacityInputs
from station.adapters.memory import MemoryReadings
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_learned import SqlLearned
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.learned import AFTER, ARRIVAL, CONNECT, FILL_KG, LATENESS, NO_SHOW, UNDERFILL
from tests.support.virtual_station import VirtualStation, day_start


class NoRunner:
    """Makes no forecasts: learning needs none."""

    backlog = 0

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        """Pass over."""

    def finished(self) -> list[Forecast]:
        return []

    def close(self) -> None:
        """Nothing is held."""


def test_a_station_teaches_and_a_restart_remembers(tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path}/journal.db")
    book = SqlLearned(database)
    made = VirtualStation("normal-day", 5, day_start())
    made.inputs = CapacityInputs(made.plant, book, book.save)
    made.engine = CapacityEngine(made.plant, made.inputs, NoRunner())
    made.run(30.5)
    made.inputs.keep_learned()
    newest = made.engine.newest_snapshot
    assert newest is not None
    assert newest.learned is not None
    found = dict(newest.learned.estimates)
    # What the scenario does, from what is published alone: 8 min about bookings, trailers 5 +- 8 min late, all come.
    assert found[NO_SHOW].value < 0.02
    assert 8.0 < found[ARRIVAL].sd < 12.5
    assert found[LATENESS].value < found[LATENESS].prior
    assert found[FILL_KG].value == pytest.approx(1.0, abs=0.03)
    assert found[CONNECT].value == pytest.approx(3.2, abs=0.25)
    assert found[AFTER].value == pytest.approx(found[AFTER].prior, abs=0.1)
    assert 0.0 < found[UNDERFILL].value < 0.03
    assert min(e.n for e in (found[NO_SHOW], found[CONNECT], found[LATENESS])) > 8.0

    again = CapacityInputs(made.plant, book)
    again.prime(MemoryReadings(), made.station.t_ms)
    remembered = again.snapshot(made.station.t_ms).learned
    assert remembered is not None
    assert {name for name, _ in remembered.estimates} == set(found)
    for name, estimate in remembered.estimates:
        if name not in (CONNECT, AFTER, UNDERFILL) and not name.startswith("train_health."):
            assert estimate.value == pytest.approx(found[name].value, abs=1e-3), name
            assert estimate.n == pytest.approx(found[name].n), name
        # What is learned at once has gone on since the last full hour.
        assert estimate.n >= found[name].n
    rows = book.range(made.plant.id, dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    assert {row.date.day for row in rows} == {1, 2}
    assert len(rows) == 2 * len(found)
    database.close()
