"""The forecast over the simulated plant in virtual time: does it say in time what will happen, and nothing else?"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np
import pytest

from station.domain.capacity import forecast
from station.domain.capacity_forecast import forecast_as_json
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma
from tests.support.virtual_station import DayRecord, VirtualStation, day_start, run_day

USUAL = range(1, 1 + int(os.environ.get("JINMA_USUAL_DAYS", "1")))
"""Seeds of usual days; each costs half a minute."""
HALF_HOUR_MS, HOUR_MS = 1_800_000, 3_600_000
MINUTE_MS = 60_000


def usual_day(seed: int) -> DayRecord:
    return run_day("normal-day", seed, run_ms=HOUR_MS, replicas=16)


@pytest.fixture(scope="module", autouse=True)
def usual_days() -> Iterator[dict[int, Future[DayRecord]]]:
    """Usual days, made on the second core while this one is busy with the others."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield {seed: pool.submit(usual_day, seed) for seed in USUAL}
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def late_day() -> DayRecord:
    """Trailers stop coming at eight without a word, and come again in the afternoon."""
    station = VirtualStation("late-trailers", 1, day_start(), run_ms=10 * MINUTE_MS, replicas=12)
    station.run(9.5, forecasts=False)
    return station.run(8.5)


@pytest.mark.slow
def test_a_silent_supply_is_told_an_hour_before_the_first_truck_suffers(late_day: DayRecord) -> None:
    failure = late_day.first_failure_ms()
    assert failure is not None
    raised = late_day.raised("CAP-SHORT")
    assert raised
    assert failure - raised[0].at_ms >= 60 * MINUTE_MS
    # A trailer due at 8:48 that is an hour late is no reason yet.
    assert late_day.hour(raised[0].at_ms) > 10.0


@pytest.mark.slow
def test_the_alert_names_limit_kilograms_trucks_time_and_action(late_day: DayRecord) -> None:
    alert = late_day.raised("CAP-SHORT")[0]
    made = next(f for f in late_day.forecasts if f.at_ms == alert.at_ms)
    assert made.bottleneck == "trailers"
    assert made.lead_minutes is not None
    assert made.lead_minutes >= 60.0
    for text in (alert.text.en, alert.text.zh):
        assert f"{round(made.detail.short_kg)} kg" in text
        assert f"{made.detail.short_trucks} " in text
    assert "trailer supply" in alert.text.en
    assert re.search(r"Call (a|2) trailers? to be here by \d\d:\d\d", alert.text.en)
    assert "长管拖车供应" in alert.text.zh
    assert forecast_as_json(made)["bottleneck"] == "trailers"


@pytest.mark.slow
def test_it_clears_once_the_trailers_that_came_can_serve_everybody(late_day: DayRecord) -> None:
    truth = late_day.truth
    assert truth is not None
    assert all(t.outcome not in ("short", "gone") for t in truth.truck_list)
    assert len(late_day.cleared("CAP-SHORT")) == 1
    assert len(late_day.raised("CAP-SHORT")) == 1
    assert late_day.forecasts[-1].shortfall_probability < 0.2


@pytest.mark.slow
def test_a_tripped_train_is_no_shortage() -> None:
    day = run_day("train-trip", 1, day_start(hour=9.0), hours=3.0, run_ms=HALF_HOUR_MS, replicas=20)
    assert not day.raised("CAP-SHORT")
    assert any(not f.detail.on_grid for f in day.forecasts), "a trip asks for a forecast at the next minute"
    after = day.forecasts[-1].detail.static.compression_kg_h
    assert after < 0.8 * day.forecasts[0].detail.static.compression_kg_h


@pytest.mark.slow
def test_a_delay_that_the_supplier_told_is_judged_by_its_new_times() -> None:
    day = run_day("late-trailers-told", 1, day_start(hour=7.0), hours=4.0, run_ms=HALF_HOUR_MS, replicas=20)
    told = [f for f in day.forecasts if day.hour(f.at_ms) >= 2.6]
    # Overdue without word means nothing any more; the gap itself is what the next trailer's alert is about.
    assert all(f.detail.outage_probability < 0.2 for f in told)
    assert day.raised("CAP-TRAILER")


@pytest.mark.slow
def test_the_alarm_engine_shows_the_shortage_among_few_others() -> None:
    station = VirtualStation("late-trailers", 1, day_start(hour=7.0), replicas=20)
    station.run(4.5, forecasts=False)
    station.watch()
    station.run(0.75)
    assert station.alarms is not None
    shown = {view.id: view for view in station.alarms.alarms()}
    assert shown["CAP-SHORT"].state == "UNACK"
    assert shown["CAP-SHORT"].text.en.endswith(("kg stay short.", "nobody goes short."))
    told = {alarm for _, alarm, state in station.record.alarms if state not in ("SUPPRESSED", "NORM")}
    assert len(told) < 10


# --- the whole forecast ---


@pytest.mark.parametrize("seed", range(4))
def test_a_perfect_station_is_never_short_whatever_the_demand(seed: int) -> None:
    draw = np.random.default_rng(seed)
    trucks = int(draw.integers(0, 400))
    booked = [
        (float(h), float(kg)) for h, kg in zip(draw.uniform(0, 24, trucks), draw.uniform(1, 80, trucks), strict=True)
    ]
    plant = jinma()
    perfect = dataclasses.replace(
        plant,
        trains=tuple(dataclasses.replace(t, rated_kg_h=1e6) for t in plant.trains),
        banks=tuple(dataclasses.replace(b, volume_m3=1e4) for b in plant.banks),
        chillers=tuple(dataclasses.replace(c, duty_kw=1e6) for c in plant.chillers),
        hoses=tuple(dataclasses.replace(h, unit=f"{h.unit}-{n}") for h in plant.hoses for n in range(16)),
        supply=dataclasses.replace(plant.supply, volume_m3=1e5),
    )
    now = snapshot(0.0, plant=perfect, booked=booked)
    assert forecast(perfect, now, 10).shortfall_p90_kg == 0.0


@pytest.mark.parametrize("seed", range(2))
def test_less_supply_never_serves_more_trucks_in_the_whole_forecast(seed: int) -> None:
    draw = np.random.default_rng(seed)
    etas = sorted(float(h) for h in draw.uniform(12.0, 23.0, 6))
    served = [forecast(jinma(), snapshot(12.0, trailer_hours=etas[:n]), 0).trucks_servable.p50 for n in range(7)]
    assert served == sorted(served)


# --- usual days, last since they are made meanwhile ---


@pytest.mark.slow
@pytest.mark.parametrize("seed", USUAL)
def test_a_usual_day_raises_nothing(seed: int, usual_days: dict[int, Future[DayRecord]]) -> None:
    day = usual_days[seed].result()
    assert {c.id for c in day.conditions if c.active} == set()
    assert max(f.detail.probability_now for f in day.forecasts) < 0.5
    assert max(f.detail.base_shortfall_kg for f in day.forecasts) < 40.0
    last = day.forecasts[-1]
    truth = day.truth
    assert truth is not None
    ended = [t for t in truth.truck_list if t.end_ms is not None and t.end_ms < last.at_ms]
    assert last.done.trucks == len(ended)
    # The totalisers round to grams, and fills under way are not yet done.
    assert last.done.kg == pytest.approx(sum(t.delivered_kg for t in ended), abs=0.5)
