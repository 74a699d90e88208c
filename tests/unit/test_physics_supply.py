"""Trailers by themselves: arrivals, late and short ones, the swap of a bay, header and filter, the account."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simulators.fleet import TrailerDraw
from simulators.physics.gas import Gas, gas_of
from simulators.physics.supply import ABSENT, DOCKED, EARTHED, EMPTY, OPEN, PURGING, SupplyYard
from simulators.physics.yard import Delivery
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.plants import jinma

WARM_K = 293.15
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
STEP_S = 10.0


@pytest.fixture(scope="module")
def gas() -> Gas:
    return gas_of(hydrogen_tables())


def yard_with(gas: Gas, *hours: float) -> SupplyYard:
    supply = SupplyYard(jinma().supply, gas, on_call=False)
    supply.announce([TrailerDraw(f"T{n}", ms(hour), ms(hour), None, 1.0) for n, hour in enumerate(hours)])
    return supply


def ms(hour: float) -> int:
    return round(hour * HOUR_MS)


def arrivals(supply: SupplyYard) -> list[float]:
    return [delivery.arrival_ms / HOUR_MS for delivery in supply.deliveries]


@pytest.mark.parametrize(("celsius", "mpa"), [(-10.0, 17.9), (20.0, 20.0), (40.0, 21.4)])
def test_a_full_trailer_arrives_at_the_pressure_that_its_temperature_makes(
    gas: Gas, celsius: float, mpa: float
) -> None:
    supply = yard_with(gas, 1.0)
    supply.due(ms(1.0), celsius + 273.15)
    trailer = supply.yard[0].vessel
    assert trailer.mass == pytest.approx(382.0, abs=1.0)
    assert trailer.pressure == pytest.approx(mpa, abs=0.05)
    assert supply.weighbridge_kg - 38_600.0 == pytest.approx(trailer.mass)


@pytest.mark.parametrize(("in_yard", "called_off"), [(4, False), (5, True)])
def test_a_full_yard_calls_a_delivery_off_two_hours_before_it(gas: Gas, in_yard: int, called_off: bool) -> None:
    supply = yard_with(gas, *[0.5] * in_yard, 3.0)
    for minute in range(30, 181):  # looked at each whole minute, as the plant does
        supply.due(minute * MINUTE_MS, 293.15)
        if minute < 60:
            assert not supply.deliveries[-1].called_off
    assert supply.deliveries[-1].called_off == called_off
    assert len(supply.yard) == 5


def test_a_second_late_trailer_is_the_next_but_one(gas: Gas) -> None:
    supply = yard_with(gas, 1.0, 3.0, 5.0)
    supply.delay_next(0, ms(1.5))
    assert arrivals(supply) == [2.5, 3.0, 5.0]
    supply.delay_next(0, ms(4.0))
    assert arrivals(supply) == [2.5, 7.0, 5.0]
    assert [delivery.eta_ms / HOUR_MS for delivery in supply.deliveries] == [1.0, 3.0, 5.0]


def test_a_trailer_that_is_late_already_comes_so_much_after_now(gas: Gas) -> None:
    supply = yard_with(gas, 1.0)
    supply.delay_next(ms(1.25), ms(2.0))
    assert arrivals(supply) == [3.25]


def test_a_second_short_trailer_is_the_next_but_one_and_none_comes_empty(gas: Gas) -> None:
    supply = yard_with(gas, 1.0, 3.0, 5.0)
    supply.short_next(0.12)
    supply.short_next(0.99)
    assert [delivery.fill for delivery in supply.deliveries] == pytest.approx([0.88, 0.05, 1.0])


def test_faults_that_find_no_trailer_on_its_way_strike_the_next_announced(gas: Gas) -> None:
    supply = yard_with(gas)
    supply.delay_next(0, ms(2.0))
    supply.short_next(0.2)
    supply.announce([TrailerDraw("T", ms(30.0), ms(30.0), None, 1.0)])
    assert arrivals(supply) == [32.0]
    assert supply.deliveries[0].fill == pytest.approx(0.8)
    supply.announce([TrailerDraw("U", ms(31.0), ms(31.0), None, 1.0)])
    assert arrivals(supply) == [32.0, 31.0]


def test_another_draw_of_the_day_does_not_heal_a_fault(gas: Gas) -> None:
    supply = yard_with(gas, 1.0, 3.0)
    supply.delay_next(0, ms(2.0))
    supply.short_next(0.3)
    supply.redraw([TrailerDraw("T0", ms(1.0), ms(1.2), None, 0.9), TrailerDraw("T1", ms(3.0), ms(3.5), None, 0.9)], 0)
    assert arrivals(supply) == [3.2, 3.5]
    assert [delivery.fill for delivery in supply.deliveries] == pytest.approx([0.6, 0.9])


class Swap:
    """A bay whose trailer is at its end, a full one in the yard, and what the bay's sensors go through."""

    def __init__(self, gas: Gas) -> None:
        self.supply = supply = yard_with(gas, 0.0)
        bay = supply.bays[0]
        bay.trailer, bay.state = supply.new_trailer("old", 26.0 * hydrogen.density(5.02, WARM_K), WARM_K), OPEN
        supply.deliveries.append(Delivery("old", 0, 0, None, 1.0, arrived=True))
        self.old = bay.trailer
        self.opening_kg, self.opening_j = supply.stock_kg(), supply.stored_j()
        supply.choose(banks_low=True, shut=False)
        self.taken_j = self.taken_kg = 0.0
        self.rows: list[list[float]] = []
        while bay.state == OPEN:
            self.taken_kg += 0.5
            self.taken_j += 0.5 * self.old.vessel.enthalpy
            supply.feed(0.5)
            self.step()
        supply.due(0, WARM_K)

    def step(self) -> None:
        self.supply.advance(len(self.rows) * 10_000, STEP_S, WARM_K)
        row: list[float] = []
        self.supply.record(row)
        self.rows.append(row)

    def minutes(self, state: int) -> float:
        return sum(1 for row in self.rows if row[5] == state) * STEP_S / 60.0

    def hose(self, state: int) -> list[float]:
        return [row[2] for row in self.rows if row[5] == state]


@pytest.fixture(scope="module")
def swap(gas: Gas) -> Swap:
    swap = Swap(gas)
    for _ in range(400):
        swap.step()
    return swap


def test_a_swap_takes_its_hour_state_by_state(swap: Swap) -> None:
    states = [int(row[5]) for row in swap.rows]
    order = [state for n, state in enumerate(states) if n == 0 or state != states[n - 1]]
    assert order[-6:] == [EMPTY, ABSENT, DOCKED, EARTHED, PURGING, OPEN]
    lasted = [swap.minutes(state) for state in (EMPTY, ABSENT, DOCKED, EARTHED, PURGING)]
    assert lasted == pytest.approx([10.0, 5.0, 10.0, 5.0, 30.0], abs=0.4)


def test_the_hose_is_let_down_hangs_open_is_tested_purged_and_filled(swap: Swap) -> None:
    empty = swap.hose(EMPTY)
    assert empty[0] == pytest.approx(5.0, abs=0.05)
    assert empty[-1] == pytest.approx(0.1, abs=0.01)
    for state in (DOCKED, EARTHED):
        assert max(swap.hose(state)) < 0.11
    purging = np.array(swap.hose(PURGING))
    trailer = swap.rows[-1][0]
    assert 0.4 < purging[:20].max() < 0.7, "nitrogen"
    tested = purging > trailer - 0.2
    assert tested[60:88].all(), "leak test at the trailer's pressure"
    assert purging[90:120].min() < 1.5, "purge"
    assert purging[-1] == pytest.approx(trailer, abs=0.05)
    assert swap.hose(OPEN)[-1] == pytest.approx(trailer)
    assert np.isnan(swap.hose(ABSENT)).all()


def test_valve_flow_and_weighbridge_tell_of_the_swap(swap: Swap) -> None:
    assert all(row[3] == 0.0 and row[4] == 0.0 for row in swap.rows if row[5] not in (OPEN, ABSENT))
    weighed = [row[24] for row in swap.rows if row[5] == ABSENT]
    assert weighed[0] - 38_600.0 == pytest.approx(swap.old.vessel.mass, abs=1e-6)
    assert swap.rows[-1][24] == 0.0


def test_every_kilogram_and_joule_of_a_swap_is_booked(swap: Swap) -> None:
    supply = swap.supply
    change_kg = supply.stock_kg() - swap.opening_kg
    assert change_kg == pytest.approx(
        supply.received_kg - supply.returned_kg - supply.vented_kg - swap.taken_kg, abs=1e-9
    )
    assert 0.1 < supply.vented_kg < 0.6
    change_j = supply.stored_j() - swap.opening_j
    booked = supply.received_j - supply.returned_j - supply.vented_j - swap.taken_j + supply.ambient_j()
    assert change_j == pytest.approx(booked, abs=1e-8 * supply.received_j)


def feeding(gas: Gas, mpa: float) -> SupplyYard:
    supply = SupplyYard(jinma().supply, gas, on_call=False)
    bay = supply.bays[0]
    bay.trailer, bay.state = supply.new_trailer("x", 26.0 * hydrogen.density(mpa, WARM_K), WARM_K), OPEN
    supply.header_mpa = mpa
    supply.choose(banks_low=True, shut=False)
    return supply


def settled(supply: SupplyYard, rated_kg_h: float) -> tuple[float, float]:
    """Return (filter loss [kPa], header [MPa]) once trains draw as the header's density lets them."""
    flow = 0.0
    header = []
    for _ in range(40):
        goal = rated_kg_h * min(1.0, hydrogen.density(supply.header_mpa, supply.header_k) / 7.74)
        flow += (goal - flow) * 0.8
        supply.feed(flow / 3600.0 * STEP_S)
        supply.advance(0, STEP_S, WARM_K)
        header.append(supply.header_mpa)
    assert np.abs(np.diff(header[-20:], 2)).max() < 0.01, "it swings"
    return supply.filter_kpa, supply.header_mpa


@pytest.mark.parametrize("mpa", [8.0, 12.0, 20.0])
def test_a_clean_filter_costs_little_at_any_trailer_pressure(gas: Gas, mpa: float) -> None:
    loss, _ = settled(feeding(gas, mpa), 440.0)
    assert 1.0 < loss < 15.0


@pytest.mark.parametrize("factor", [10.0, 40.0, 1000.0])
def test_a_plugged_filter_takes_its_share_of_the_pressure_and_does_not_swing(gas: Gas, factor: float) -> None:
    supply = feeding(gas, 12.0)
    supply.filter_factor = factor
    loss, header = settled(supply, 440.0)
    source = supply.source
    assert source is not None
    assert source.trailer is not None
    assert source.trailer.vessel.pressure - header == pytest.approx(loss / 1000.0, abs=0.15)
    assert loss > 60.0
    assert header > 2.0


def test_direct_fills_do_not_pass_the_filter(gas: Gas) -> None:
    supply = feeding(gas, 12.0)
    supply.bays[0].taken_kg = 1.0
    supply.advance(0, STEP_S, WARM_K)
    assert supply.bays[0].flow_kg_h == pytest.approx(360.0)
    assert supply.filter_kpa == 0.0


def test_a_trailer_in_the_yard_warms_with_the_day(gas: Gas) -> None:
    supply = yard_with(gas, 0.0)
    supply.due(0, 273.15)
    cold = supply.yard[0].vessel.pressure
    for minute in range(1, 12 * 60):
        supply.due(minute * MINUTE_MS, 303.15)
    assert supply.yard[0].vessel.pressure > cold + 1.0


def test_a_trailer_emptied_in_three_hours_is_some_15_k_cold_and_recovers(gas: Gas) -> None:
    supply = yard_with(gas, 0.0)
    vessel = supply.new_trailer("x", supply.full_kg(1.0), WARM_K).vessel
    begun = vessel.mass
    while vessel.pressure > 5.0:
        vessel.take(begun * 0.73 / 1080.0)
        vessel.advance(STEP_S, WARM_K)
    # Without walls it would be at -79 degC.
    assert -5.0 < vessel.kelvin - 273.15 < 12.0
    for _ in range(720):
        vessel.advance(STEP_S, WARM_K)
    assert vessel.kelvin > 283.15


def test_the_state_that_a_snapshot_keeps_is_json(gas: Gas) -> None:
    supply = yard_with(gas)
    supply.delay_next(0, 5)
    kept = {name: getattr(supply, name) for name in SupplyYard.STATE}
    assert json.loads(json.dumps(kept)) == kept
