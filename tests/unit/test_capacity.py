"""The forecast: closed forms, what binds, what is promised on the wire."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from station.domain import hydrogen, isotherms
from station.domain.capacity import Forecast, forecast
from station.domain.capacity_forecast import forecast_as_json, smoothed
from station.domain.capacity_snapshot import Done, InputNow
from station.domain.static_capacity import end_pressure_mpa, enthalpy_drop_j_kg, static_capacity, suction_share
from tests.support.capacity_snapshots import NOTHING_DONE, at, snapshot
from tests.support.plants import jinma

DRY = snapshot(12.0, trailer_hours=[], bay_mpa=(7.0, 6.0, None, None))

SECTION_6 = [
    "station",
    "at",
    "horizon_end",
    "valid",
    "plan",
    "done",
    "deliverable_kg",
    "trucks_servable",
    "shortfall_kg",
    "shortfall_probability",
    "shortfall_at",
    "lead_minutes",
    "bottleneck",
    "time_to_empty_minutes",
    "queue_wait_minutes",
    "trailer_needed_by",
    "n_minus_1_ok",
    "inputs",
    "advice",
]


@pytest.fixture(scope="module")
def usual() -> Forecast:
    return forecast(jinma(), snapshot(12.0), 5)


@pytest.fixture(scope="module")
def short() -> Forecast:
    return forecast(jinma(), DRY, 0)


@pytest.mark.parametrize("kelvin", [233.15, 263.15, 293.15, 320.0, 356.0])
def test_an_isotherm_gives_pressure_within_a_thousandth_of_a_mpa(kelvin: float) -> None:
    pressure = np.linspace(0.2, 60.0, 300)
    density = hydrogen.density_kg_m3(pressure, kelvin)
    found = isotherms.pressure_mpa(density, isotherms.coefficients(kelvin)[:, np.newaxis])
    assert np.abs(found - pressure).max() < 0.001


def test_closed_forms_agree_with_the_design_table() -> None:
    assert enthalpy_drop_j_kg(45.0, 40.0, 20.0, -20.0) == pytest.approx(1_049_000, rel=0.01)
    assert end_pressure_mpa(25.0, 22.0, 0.97) == pytest.approx(37.7, abs=0.2)
    assert end_pressure_mpa(25.0, 43.0, 0.97) == pytest.approx(40.2, abs=0.2)
    shares = [suction_share(mpa, 20.0, 10.0) for mpa in (12.0, 7.5, 5.0, 3.0)]
    assert shares == pytest.approx([1.0, 0.76, 0.515, 0.31], abs=0.01)


def test_static_indicators_of_the_design_point() -> None:
    now = snapshot(bank_mpa=45.0, bay_mpa=(20.0, 20.0, 20.0, 20.0))
    static = static_capacity(jinma(), now)
    assert sum(static.bank_kg.values()) == pytest.approx(1557, abs=5)
    assert static.trailer_usable_kg == pytest.approx(4 * 278, abs=5)
    assert static.compression_kg_h == pytest.approx(440.0)
    assert static.dispensing_kg_h == pytest.approx(945, abs=2)
    # At 20 degC bank temperature a kilogram needs less cooling than at the table's 40 degC.
    assert static.cooling_kg_h > 1098
    assert static.time_to_empty_minutes is None
    assert static_capacity(jinma(), snapshot(trains_down=1)).compression_kg_h == pytest.approx(330.0)
    warm = static_capacity(jinma(), snapshot(bank_mpa=45.0, warm_c=40.0))
    assert warm.cooling_kg_h == pytest.approx(1098, rel=0.01)


def test_time_to_empty_counts_what_the_trains_do_not_make_up() -> None:
    rush = [(12.0 + i / 60.0, 40.0) for i in range(15)]
    static = static_capacity(jinma(), snapshot(booked=rush, trains_down=2))
    drain = 15 * 40.0 - static.compression_kg_h
    usable = sum(static.bank_usable_kg.values())
    assert static.time_to_empty_minutes == pytest.approx(60.0 * usable / drain)


def test_a_usual_afternoon_serves_everybody(usual: Forecast) -> None:
    f = usual
    assert f.shortfall_probability == 0.0
    assert f.bottleneck == "none"
    assert f.shortfall_at_ms is None
    assert f.n_minus_1_ok
    assert f.trailer_needed_by_ms is not None
    assert "can be filled" in f.advice.en
    assert f.horizon_end_ms == at(24.0)


def test_a_long_line_at_the_hoses_does_not_hide_until_when_a_trailer_is_needed() -> None:
    """Twenty trucks at once wait too long whatever the trailers bring; the gas that they take is gone all the same."""
    night = [(22.0 + i / 4.0, 40.0) for i in range(50)]
    calm = forecast(jinma(), snapshot(21.0, booked=night), 0)
    crowd = forecast(jinma(), snapshot(21.0, booked=[*night, *[(22.1, 40.0)] * 20]), 0)
    assert crowd.detail.first_long_wait_at_ms is not None
    assert calm.trailer_needed_by_ms is not None
    assert crowd.trailer_needed_by_ms is not None
    assert crowd.trailer_needed_by_ms < calm.trailer_needed_by_ms


def test_the_same_snapshot_gives_the_same_forecast_and_another_moment_other_replicas(usual: Forecast) -> None:
    now = snapshot(12.0)
    assert forecast(jinma(), now, 5) == usual
    other = forecast(jinma(), dataclasses.replace(now, at_ms=now.at_ms + 1), 5)
    assert other.deliverable_kg != usual.deliverable_kg


def test_without_trailers_the_supply_is_named_with_kilograms_trucks_and_time(short: Forecast) -> None:
    f = short
    assert f.bottleneck == "trailers"
    assert f.shortfall_probability == 1.0
    detail = f.detail
    assert detail.short_kg == pytest.approx(f.shortfall_p50_kg)
    # Every truck of the shortage misses at most a fill, so there are at least this many.
    assert detail.short_trucks >= detail.short_kg / 41.0
    assert f.lead_minutes is not None
    assert f.shortfall_at_ms == f.at_ms + round(f.lead_minutes * 60_000)
    assert detail.trailer_slack_minutes is not None
    assert detail.trailer_slack_minutes < 0.0
    for text in (f.advice.en, f.advice.zh):
        assert f"{round(detail.short_kg)} kg" in text
        assert str(detail.short_trucks) in text
    assert "trailer" in f.advice.en
    assert "长管拖车" in f.advice.zh


def test_what_is_delivered_and_what_is_short_make_up_the_demand(short: Forecast) -> None:
    f = short
    asked = sum(b.kg for b in DRY.demand.bookings)
    assert f.deliverable_kg.p50 + f.shortfall_p50_kg == pytest.approx(asked, abs=0.1)


def test_a_low_demand_is_never_a_shortfall() -> None:
    f = forecast(jinma(), snapshot(12.0, booked=[]), 0)
    assert f.shortfall_p90_kg == 0.0
    assert f.deliverable_kg.p90 == 0.0
    assert f.bottleneck == "none"


def test_what_the_day_has_lost_stays_lost() -> None:
    lost = Done(trucks=40, kg=1500.0, short_trucks=2, short_kg=60.0, short_at_ms=at(11.0), asked_kg=1560.0)
    f = forecast(jinma(), snapshot(14.0, done=lost), 0)
    assert f.shortfall_probability == 1.0
    assert f.shortfall_p50_kg == pytest.approx(60.0)
    assert f.lead_minutes == 0.0


def test_the_json_is_that_of_the_contract(usual: Forecast) -> None:
    inputs = (
        InputNow("PT-111", 12.0, "good", 0.4, "measured", 0.0),
        InputNow("PT-121", 9.0, "bad", 5.0, "PT-123", 5.0),
    )
    f = dataclasses.replace(usual, inputs=inputs)
    body = json.loads(json.dumps(forecast_as_json(f)))
    assert list(body) == SECTION_6
    assert body["at"] == dt.datetime.fromtimestamp(f.at_ms / 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert list(body["deliverable_kg"]) == ["p10", "p50", "p90"]
    assert body["inputs"][0] == {"signal": "PT-111", "value": 12.0, "quality": "good", "age_s": 0.4}
    assert body["inputs"][1]["source"] == "PT-123"
    assert body["shortfall_at"] is None


def test_smoothing_halves_the_old_in_one_regular_run_and_less_in_an_early_one(usual: Forecast) -> None:
    first = usual
    high = dataclasses.replace(first, shortfall_probability=1.0)

    def later(minutes: float) -> float:
        now = dataclasses.replace(first, at_ms=first.at_ms + round(minutes * 60_000))
        return smoothed(high, now, 0.5).shortfall_probability

    assert later(5.0) == pytest.approx(0.5)
    assert later(10.0) == pytest.approx(0.25)
    assert later(1.0) == pytest.approx(0.5**0.2)
    assert smoothed(None, high, 0.5).shortfall_probability == high.detail.probability_now


def test_bands_of_kilograms_are_wider_than_the_replicas_lie_apart() -> None:
    now = snapshot(12.0, done=dataclasses.replace(NOTHING_DONE, trucks=40, kg=1600.0))
    rules = {**jinma().parameters, "spread_inflation": 1.0}
    plain = forecast(dataclasses.replace(jinma(), parameters=rules), now, 50).detail.kg_by_close
    wide = forecast(dataclasses.replace(jinma(), parameters={**rules, "spread_inflation": 2.0}), now, 50)
    band = wide.detail.kg_by_close
    assert band.p50 == plain.p50
    assert band.p50 - band.p10 == pytest.approx(2.0 * (plain.p50 - plain.p10))
    assert band.p90 - band.p50 == pytest.approx(2.0 * (plain.p90 - plain.p50))
    absurd = forecast(dataclasses.replace(jinma(), parameters={**rules, "spread_inflation": 1000.0}), now, 50)
    assert absurd.detail.kg_by_close.p10 == 1600.0
    assert absurd.deliverable_kg.p10 == 0.0
