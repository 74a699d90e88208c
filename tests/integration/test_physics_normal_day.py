"""The simulated plant over a day, at steps of 10 s so that it stays quick."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from station.domain.plant import Plant
from tests.support.plants import jinma

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
STEP_S = 10.0
HOUR = 360
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def plant_at(scenario: str = "normal-day", hour: float = 0.0, seed: int = 1) -> StationPhysics:
    start = MIDNIGHT + dt.timedelta(hours=hour)
    return StationPhysics(jinma(), hydrogen_tables(), shipped_scenario(scenario), start, seed)


class Day:
    """A whole normal day."""

    def __init__(self) -> None:
        self.station = plant_at()
        self.values = self.station.advance(24 * HOUR, STEP_S).values
        self.truth = self.station.truth()
        self.plant: Plant = jinma()
        self._place = {tag: number for number, tag in enumerate(self.plant.signals)}

    def column(self, area: str, unit: str, role: str) -> Floats:
        return self.values[:, self._place[self.plant.tag(area, unit, role)]]


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


def test_a_normal_day_serves_a_hundred_trucks_in_full(day: Day) -> None:
    truth = day.truth
    assert truth.trucks == 100
    assert truth.dispensed_kg == pytest.approx(4000.0, abs=200.0)
    assert {truck.outcome for truck in truth.truck_list} == {"full"}
    assert max(truck.wait_s(day.station.t_ms) for truck in truth.truck_list) < 1200.0
    for truck in truth.truck_list:
        assert truck.delivered_kg == pytest.approx(truck.asked_kg, abs=1e-6)


def test_every_kilogram_of_the_day_is_accounted_for(day: Day) -> None:
    truth = day.truth
    assert truth.closure < 1e-9
    assert sum(truck.delivered_kg for truck in truth.truck_list) == pytest.approx(truth.dispensed_kg, rel=1e-9)
    totals = [day.column("dispensing", hose.unit, "total") for hose in day.plant.hoses]
    assert all((np.diff(total) >= 0.0).all() for total in totals)
    # The last row stands one step before the end of the day.
    assert sum(total[-1] - total[0] for total in totals) == pytest.approx(truth.dispensed_kg, abs=2.0)
    arrived = [trailer for trailer in truth.trailer_list if trailer.arrival_ms is not None]
    assert sum(trailer.received_kg for trailer in arrived) == pytest.approx(truth.received_kg, rel=1e-9)


def test_closure_holds_at_each_step_and_nothing_is_negative() -> None:
    station = plant_at(hour=6.9)
    for _ in range(HOUR // 2):
        station.advance(1, STEP_S)
        assert station.truth().closure < 1e-9
        vessels = [bank.vessel for bank in station.cascade.banks]
        vessels += [bay.trailer.vessel for bay in station.supply.bays if bay.trailer is not None]
        assert all(vessel.mass > 0.0 and 0.0 < vessel.pressure < 46.0 for vessel in vessels)
        assert all(hose.line_kg >= 0.0 for hose in station.dispensing.hoses)


def test_every_signal_has_values_and_absence_is_where_it_belongs(day: Day) -> None:
    gone = np.isnan(day.values)
    for number, signal in enumerate(day.plant.signals.values()):
        if signal.area not in ("vehicle", "trailer"):
            assert not gone[:, number].any(), signal.tag
        assert not gone[:, number].all(), signal.tag
    for bay in day.plant.supply.bays:
        absent = day.column("trailer", bay, "state") == 0.0
        for role in ("pressure", "temperature", "hose_pressure", "flow"):
            assert (np.isnan(day.column("trailer", bay, role)) == absent).all()


def test_vehicle_signals_live_from_leak_check_to_hold_and_close_with_none(day: Day) -> None:
    for hose in day.plant.hoses:
        state = day.column("dispensing", hose.unit, "state")
        filling = (state >= 2) & (state <= 4)
        for role in ("pressure", "temperature", "tank_volume", "soc"):
            assert (~np.isnan(day.column("vehicle", hose.unit, role)) == filling).all()
        command = day.column("vehicle", hose.unit, "command")
        left = np.flatnonzero(filling[:-1] & ~filling[1:]) + 1
        assert (command[left] == 4.0).all()
        told = ~np.isnan(command)
        assert told.sum() == filling.sum() + len(left)


LIMITED_BY_STATE = {"oil_pressure", "delivery_temperature"}


def test_nothing_crosses_a_limit_on_a_normal_day(day: Day) -> None:
    for number, signal in enumerate(day.plant.signals.values()):
        if signal.role in LIMITED_BY_STATE or (signal.area, signal.role) == ("compression", "flow"):
            continue  # a stopped train has no oil pressure and no flow, an idle hose is warm: suppressed by design
        values = day.values[:, number]
        values = values[~np.isnan(values)]
        assert values.max() < min([limit for k, limit in signal.limits.items() if "H" in k], default=np.inf), signal.tag
        assert values.min() > max([limit for k, limit in signal.limits.items() if "L" in k], default=-np.inf), (
            signal.tag
        )


def test_discrete_signals_are_whole_numbers_that_their_states_name(day: Day) -> None:
    for number, signal in enumerate(day.plant.signals.values()):
        if signal.kind.is_discrete:
            values = day.values[:, number]
            values = values[~np.isnan(values)]
            assert (values == np.round(values)).all()
            assert values.min() >= 0
            assert values.max() < max(2, len(signal.states)), signal.tag


def test_delivered_gas_is_cold_within_a_minute_of_flow(day: Day) -> None:
    for hose in day.plant.hoses:
        state = day.column("dispensing", hose.unit, "state")
        warm = (state >= 3) & (state <= 4) & (day.column("dispensing", hose.unit, "delivery_temperature") > -8.0)
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], warm, [0]]))))[::2]
        assert runs.max(initial=0) * STEP_S <= 60.0


def test_the_high_bank_is_spared_and_the_low_bank_works(day: Day) -> None:
    assert day.column("storage", "bank-HB", "pressure_a").min() > 41.0
    assert day.column("storage", "bank-LB", "pressure_a").min() < 40.0
    temperatures = [day.column("storage", bank.unit, "temperature") for bank in day.plant.banks]
    assert min(t.min() for t in temperatures) > -30.0
    assert max(t.max() for t in temperatures) < 50.0


def test_blocks_of_any_size_and_a_snapshot_between_them_change_nothing() -> None:
    whole, cut = plant_at("late-trailers-told", 8.9), plant_at("late-trailers-told", 8.9)
    expected = whole.advance(HOUR, STEP_S)
    parts = [cut.advance(size, STEP_S) for size in (1, 2, 3, 7, 150)]
    text = cut.snapshot()
    restored = StationPhysics.restore(jinma(), hydrogen_tables(), text)
    assert restored.snapshot() == text
    parts.append(restored.advance(HOUR - 163, STEP_S))
    assert np.array_equal(np.concatenate([part.t_ms for part in parts]), expected.t_ms)
    assert np.array_equal(np.concatenate([part.values for part in parts]), expected.values, equal_nan=True)
    assert restored.snapshot() == whole.snapshot()
    assert restored.plan(MIDNIGHT.date()) == whole.plan(MIDNIGHT.date())


def test_seeds_differ_and_equal_seeds_do_not() -> None:
    one, same, other = (plant_at(seed=seed).advance(30, STEP_S).values for seed in (1, 1, 2))
    assert np.array_equal(one, same, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)
