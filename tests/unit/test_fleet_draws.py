"""Who comes on a simulated day: weekday, season, chance, no-shows, walk-ins, links, and how late trailers are."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from simulators.fleet import TruckDraw, day_count, day_trailers, day_trucks
from simulators.scenario import Scenario, shipped_scenario
from station.domain.plant import Fleet, Plant
from tests.support.plants import jinma

MONDAY = dt.date(2026, 6, 1)
DAYS = [MONDAY + dt.timedelta(days=number) for number in range(364)]


def scenario(**changes: object) -> Scenario:
    return dataclasses.replace(shipped_scenario("normal-day"), **changes)  # type: ignore[arg-type]


def with_fleet(**changes: object) -> Plant:
    fleet: Fleet = dataclasses.replace(jinma().fleet, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(jinma(), fleet=fleet)


def test_a_plain_day_has_the_plans_trucks_all_booked_with_links() -> None:
    trucks = day_trucks(jinma(), scenario(), 1, MONDAY)
    assert len(trucks) == 100
    assert all(t.booked and t.comes and t.link and not t.abort_soc for t in trucks)
    kg = sum(t.tanks * t.tank_litres * 0.024 * (0.97 - t.soc) for t in trucks)
    assert kg == pytest.approx(4000.0, rel=0.01)
    assert day_trucks(jinma(), scenario(), 1, MONDAY) == trucks


def test_a_varying_year_keeps_its_mean_and_has_quiet_sundays_and_busy_autumns() -> None:
    varying = scenario(vary=True)
    counts = np.array([day_count(jinma(), varying, 1, day) for day in DAYS])
    assert counts.mean() == pytest.approx(100.0, abs=3.0)
    assert counts.std() > 10.0
    by_weekday = counts.reshape(-1, 7).mean(axis=0)
    assert by_weekday.argmin() == 6
    assert by_weekday[6] < 0.88 * by_weekday[:5].mean()
    season = [counts[(np.array([d.month for d in DAYS]) - 1) // 3 == quarter].mean() for quarter in range(4)]
    assert season[3] > season[1] + 5.0
    plain = with_fleet(day_factor_cv=0.0, season_amplitude=0.0, weekday_factor=(1.0,) * 7)
    assert {day_count(plain, varying, 1, day) for day in DAYS} == {100}


def test_no_shows_stay_away_and_walk_ins_come_unbooked() -> None:
    trucks = [t for day in DAYS[:15] for t in day_trucks(jinma(), scenario(no_show=0.1, walk_ins=0.2), 1, day)]
    booked = [t for t in trucks if t.booked]
    assert np.mean([t.comes for t in booked]) == pytest.approx(0.9, abs=0.03)
    assert len(trucks) - len(booked) == pytest.approx(300, abs=50)
    assert all(t.comes for t in trucks if not t.booked)
    assert len({t.id for t in trucks}) == len(trucks)
    plain = [t for day in DAYS[:15] for t in day_trucks(jinma(), scenario(), 1, day)]
    assert [t.arrival_ms for t in booked] == [t.arrival_ms for t in plain]


def test_links_aborts_and_pauses_come_in_their_shares() -> None:
    def drawn(**changes: object) -> list[TruckDraw]:
        return [t for day in DAYS[:15] for t in day_trucks(jinma(), scenario(**changes), 1, day)]

    trucks = drawn(no_link=0.1, aborts=0.02)
    assert np.mean([t.link for t in trucks]) == pytest.approx(0.9, abs=0.03)
    assert np.mean([t.abort_soc > 0.0 for t in trucks]) == pytest.approx(0.02, abs=0.012)
    assert 0.0 < np.mean([t.halt_soc > 0.0 for t in trucks]) < 0.05
    # One chance does not move another: the same trucks at the same hours.
    assert [(t.soc, t.arrival_ms) for t in trucks] == [(t.soc, t.arrival_ms) for t in drawn()]


def test_a_types_tanks_and_receptacle_reach_its_trucks() -> None:
    plain = jinma().fleet.types
    mixed = with_fleet(types=(plain[0], plain[1], dataclasses.replace(plain[2], kind="IV", receptacle_g_s=120.0)))
    trucks = day_trucks(mixed, scenario(), 1, MONDAY)
    assert {(t.tank_litres, t.kind, t.receptacle_g_s) for t in trucks} == {(210.0, "III", 60.0), (385.0, "IV", 120.0)}


def test_trailers_are_late_as_the_station_file_says() -> None:
    station = scenario(late_as_station=True)
    late = [(t.arrival_ms - t.eta_ms) / 60_000 for day in DAYS[:150] for t in day_trailers(jinma(), station, 1, day)]
    assert np.median(late) == pytest.approx(10.0, abs=1.0)
    assert np.percentile(late, 95) == pytest.approx(90.0, rel=0.12)
    assert max(late) <= 360.5
