"""A morning's report, made of nothing but stored readings, beside the simulated plant's own account of it."""

from __future__ import annotations

import datetime as dt

import pytest

from api.reports.gathering import Sources
from api.reports.making import ReportOrder, make_report
from api.reports.shelf import decoded, encoded
from simulators.block import DayTruth
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.property_tables import hydrogen_tables
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.report.daily_report import DailyReport
from tests.support.plants import jinma

PLANT = jinma()
BEGIN = dt.datetime.fromisoformat("2026-06-01T06:00+08:00")
HOURS = 3
TEN_S = dt.timedelta(seconds=10)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> tuple[DailyReport, DayTruth]:
    """The busiest hours of a usual day."""
    physics = StationPhysics(PLANT, hydrogen_tables(), shipped_scenario("normal-day"), BEGIN, 1)
    station = SimulatedStation(PLANT, physics, 1)
    store = SqliteReadings(tmp_path_factory.mktemp("morning") / "readings.sqlite")
    for _ in range(HOURS):
        store.write(list(station.advance(3600, step_s=10.0, every=TEN_S)))
    now_ms = round(BEGIN.timestamp() * 1000) + HOURS * 3_600_000
    order = ReportOrder(PLANT, BEGIN.date(), now_ms, 1, "test", simulated=True)
    report = make_report(Sources(store, None), order)
    store.close()
    return report, physics.truth()


def test_every_fill_is_there_with_its_kilograms(morning: tuple[DailyReport, DayTruth]) -> None:
    report, truth = morning
    ended = {(t.hose, t.end_ms): t for t in truth.truck_list if t.end_ms is not None and t.outcome == "full"}
    assert report.fill_figures.completed == len(ended) == truth.trucks
    for fill in report.fills:
        real = next(
            t for (hose, end_ms), t in ended.items() if hose == fill.hose and abs(end_ms - fill.end_ms) < 60_000
        )
        assert fill.kg == pytest.approx(real.delivered_kg, abs=0.05)
        assert (fill.stop, fill.link) == (real.stop_reason, "yes")
        assert fill.tank_kg == pytest.approx(real.delivered_kg, rel=0.02)


def test_kilograms_and_electricity_are_those_of_the_plant(morning: tuple[DailyReport, DayTruth]) -> None:
    report, truth = morning
    # The report begins two minutes after the first reading; what was given and used in them is a hundredth.
    assert report.dispensing.kg == pytest.approx(truth.dispensed_kg, rel=0.02)
    assert report.energy.site == pytest.approx(truth.kwh, rel=0.03)
    assert report.energy.trains == pytest.approx(truth.kwh_by["trains"], rel=0.03)
    assert report.energy.chillers == pytest.approx(truth.kwh_by["chillers"], rel=0.03)


def test_the_balance_closes_within_its_error(morning: tuple[DailyReport, DayTruth]) -> None:
    account = morning[0].account
    assert account.terms.missing == ()
    assert account.unaccounted_kg is not None
    assert (
        abs(account.unaccounted_kg) < 5.0 < account.terms.error
    )  # field instruments are worse than the simulated ones
    assert account.level == "none"


def test_trailers_bring_what_they_brought(morning: tuple[DailyReport, DayTruth]) -> None:
    report, truth = morning
    # The plant's list has those that came through the gate since; the yard's own are in the report too.
    real = [t for t in truth.trailer_list if t.open_ms is not None]
    assert real
    for came in real:
        stay = next(s for s in report.trailers if s.bay == came.bay and abs((s.open_ms or 0) - came.open_ms) < 60_000)
        assert stay.brought_kg == pytest.approx(came.received_kg, rel=0.01)
        assert stay.weighed_ms == pytest.approx(came.arrival_ms, abs=180_000)


def test_it_says_from_when_and_how_far_it_goes(morning: tuple[DailyReport, DayTruth]) -> None:
    report = morning[0]
    assert report.day.from_ms - round(BEGIN.timestamp() * 1000) in range(120_000, 200_000)
    assert not report.day.complete
    assert report.completeness.minutes_known > 0.99
    assert report.alarms is None
    assert decoded(encoded(report)) == report
