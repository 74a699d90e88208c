"""The cascade by itself: what banks lose, how they cool and heat, and what keeps their pressure in bounds."""

from __future__ import annotations

import math

import pytest

from simulators.physics.gas import Gas, gas_of
from simulators.physics.gate import Gate
from simulators.physics.storage import Cascade, CascadeBank
from simulators.physics.vessel import Vessel
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.plants import jinma

WARM_K = 293.15
HOUR = 360
STEP_S = 10.0
LB, MB, HB = range(3)


@pytest.fixture(scope="module")
def gas() -> Gas:
    return gas_of(hydrogen_tables())


def bank_at(gas: Gas, mpa: float, kelvin: float = WARM_K) -> CascadeBank:
    bank = CascadeBank(jinma().banks[MB], gas)
    _put(bank, mpa, kelvin)
    return bank


def cascade_at(gas: Gas, *mpa: float) -> Cascade:
    cascade = Cascade(jinma().banks, gas)
    for bank, pressure in zip(cascade.banks, mpa, strict=True):
        _put(bank, pressure, WARM_K)
    return cascade


def _put(bank: CascadeBank, mpa: float, kelvin: float) -> None:
    bank.vessel.set_state(bank.spec.volume_m3 * hydrogen.density(mpa, kelvin), kelvin, kelvin)


def is_lifted(bank: CascadeBank) -> bool:
    return bank.relief.lifted


def is_stopped(bank: CascadeBank) -> bool:
    return bank.stopped


def run(cascade: Cascade, steps: int, ambient_k: float = WARM_K) -> None:
    for _ in range(steps):
        cascade.advance(STEP_S, ambient_k)


def test_a_hole_of_a_fifth_of_a_millimetre_costs_a_bank_2_4_kg_and_0_27_mpa_an_hour(gas: Gas) -> None:
    cascade = cascade_at(gas, 44.0, 45.0, 44.0)
    cascade.banks[MB].leak_kg_s = 0.0168 * 0.2**2  # what the fault makes of the hole
    run(cascade, HOUR)
    assert cascade.leaked_kg == pytest.approx(2.4, abs=0.05)
    leaking = cascade.banks[MB].vessel
    fallen = leaking.density - hydrogen.density(45.0, WARM_K)
    slope = hydrogen.density(45.0, WARM_K) - hydrogen.density(44.0, WARM_K)
    assert fallen / slope == pytest.approx(-0.27, abs=0.01), "at 20 degC"
    # What stays behind expands and cools by a third of a kelvin, which the transmitters show too.
    assert 0.1 < WARM_K - leaking.kelvin < 0.6
    assert -0.36 < leaking.pressure - 45.0 < -0.28
    assert cascade.banks[LB].vessel.pressure == pytest.approx(44.0, abs=0.001)


@pytest.mark.parametrize(("mpa", "kg_m2_s"), [(10.0, 6179.0), (20.0, 12_218.0), (35.0, 20_996.0)])
def test_a_leak_falls_with_the_pressure_as_critical_flow_of_a_real_gas_does(
    gas: Gas, mpa: float, kg_m2_s: float
) -> None:
    bank = bank_at(gas, mpa)
    bank.leak_kg_s = 0.0168
    assert bank.leak() == pytest.approx(0.0168 * kg_m2_s / 26_661.0, rel=0.01)


def test_a_valve_that_passes_moves_gas_to_the_lowest_bank_and_loses_none(gas: Gas) -> None:
    cascade = cascade_at(gas, 30.0, 44.0, 40.0)
    before, energy = cascade.stock_kg(), cascade.stored_j()
    cascade.banks[MB].passby_kg_s = 30.0 / 3600.0
    run(cascade, HOUR)
    low, passing, high = (bank.vessel for bank in cascade.banks)
    moved = 18.0 * hydrogen.density(44.0, WARM_K) - passing.mass
    # 30 kg/h at 45 MPa of difference, by its root: 16.7 kg/h at 14 MPa, less as the two come together.
    assert 0.85 * 30.0 * math.sqrt(14.0 / 45.0) < moved < 30.0 * math.sqrt(14.0 / 45.0)
    assert low.mass - 18.0 * hydrogen.density(30.0, WARM_K) == pytest.approx(moved, rel=1e-9)
    assert low.pressure > 30.5
    assert passing.pressure < 43.0
    assert high.pressure == pytest.approx(40.0, abs=0.001)
    assert cascade.stock_kg() == pytest.approx(before, rel=1e-12)
    assert cascade.stored_j() - energy == pytest.approx(cascade.ambient_j(), abs=1e-6 * abs(energy))
    assert not any(bank.charged or bank.drawn for bank in cascade.banks)


def test_what_passes_stops_when_the_pressures_meet_and_while_the_outlet_is_open(gas: Gas) -> None:
    even = cascade_at(gas, 40.0, 40.2, 42.0)
    even.banks[MB].passby_kg_s = 200.0 / 3600.0
    run(even, 4 * HOUR)
    assert even.banks[MB].vessel.pressure == pytest.approx(even.banks[LB].vessel.pressure, abs=0.05)
    drawn = cascade_at(gas, 30.0, 44.0, 44.0)
    drawn.banks[MB].passby_kg_s = 200.0 / 3600.0
    drawn.banks[MB].vessel.take(0.5)
    drawn.advance(STEP_S, WARM_K)
    assert drawn.banks[LB].vessel.mass == pytest.approx(18.0 * hydrogen.density(30.0, WARM_K), rel=1e-12)


def test_a_relief_valve_pops_lets_down_a_tenth_and_shuts(gas: Gas) -> None:
    cascade = cascade_at(gas, 44.0, 44.0, 49.4)
    bank = cascade.banks[HB]
    before, energy = cascade.stock_kg(), cascade.stored_j()
    run(cascade, 6, ambient_k=330.0)
    assert not is_lifted(bank)
    assert cascade.relief_kg == 0.0
    fire_j = 4e6
    while not is_lifted(bank):  # as if something burned beneath it
        bank.vessel.energy += fire_j
        energy += fire_j
        cascade.advance(STEP_S, WARM_K)
        assert bank.vessel.pressure < bank.spec.design_mpa
    assert bank.vessel.pressure > 49.0
    lifted = 0
    while is_lifted(bank):
        cascade.advance(STEP_S, WARM_K)
        lifted += 1
        assert lifted < HOUR
    assert bank.vessel.pressure == pytest.approx(0.9 * 49.5, abs=0.5)
    assert before - cascade.stock_kg() == pytest.approx(cascade.relief_kg, rel=1e-9)
    assert 20.0 < cascade.relief_kg < 60.0
    # A hole of 4 mm: 0.27 kg/s at 45 MPa.
    assert cascade.relief_kg / (lifted * STEP_S) == pytest.approx(0.27, rel=0.15)
    assert cascade.stored_j() - energy == pytest.approx(cascade.ambient_j() - cascade.relief_j, abs=1e-6 * abs(energy))


def test_the_high_stop_shuts_a_bank_until_it_is_back_at_its_working_pressure(gas: Gas) -> None:
    cascade = cascade_at(gas, 30.0, 30.0, 30.0)
    run(cascade, 1)
    bank = cascade.banks[HB]
    assert cascade.target() is bank
    _put(bank, 47.1, WARM_K)
    bank.recharging = True  # the usual stop has failed
    run(cascade, 1)
    assert is_stopped(bank)
    assert cascade.target() is cascade.banks[MB]
    _put(bank, 45.5, WARM_K)
    run(cascade, 1)
    assert is_stopped(bank)
    _put(bank, 30.0, WARM_K)
    run(cascade, 2)
    assert not is_stopped(bank)
    assert cascade.target() is bank


def drawn_to(vessel: Vessel, mpa: float, kg_h: float) -> None:
    while vessel.pressure > mpa:
        vessel.take(kg_h * STEP_S / 3600.0)
        vessel.advance(STEP_S, WARM_K)


def test_a_bank_that_is_drawn_cools_within_the_isentropic_bound_and_warms_up_over_hours(gas: Gas) -> None:
    bound, real = bank_at(gas, 45.0).vessel, bank_at(gas, 45.0).vessel
    bound.inside_w_k = 0.0
    drawn_to(bound, 25.0, 36.0)
    assert bound.kelvin - 273.15 == pytest.approx(-25.7, abs=0.3)
    drawn_to(real, 25.0, 400.0)
    coldest = real.kelvin - 273.15
    assert -20.0 < coldest < 5.0
    for _ in range(HOUR):
        real.advance(STEP_S, WARM_K)
    assert real.kelvin - 273.15 > coldest + 10.0
    for _ in range(11 * HOUR):
        real.advance(STEP_S, WARM_K)
    assert 16.0 < real.kelvin - 273.15 < 20.0


def test_a_bank_that_is_charged_heats_and_settles_lower(gas: Gas) -> None:
    vessel = bank_at(gas, 30.0).vessel
    while vessel.pressure < 44.5:
        vessel.put(440.0 * STEP_S / 3600.0, gas.enthalpy(vessel.pressure, 308.15))
        vessel.advance(STEP_S, WARM_K)
    assert 35.0 < vessel.kelvin - 273.15 < 60.0
    density = vessel.density
    for _ in range(HOUR):
        vessel.advance(STEP_S, WARM_K)
    assert vessel.kelvin - 273.15 < 32.0
    assert 41.0 < vessel.pressure < 43.5
    assert vessel.density == density


@pytest.mark.parametrize("ambient_c", [-15.0, 20.0, 45.0])
def test_a_bank_that_is_full_by_its_own_rule_opens_the_gate_again_in_any_weather(gas: Gas, ambient_c: float) -> None:
    kelvin = ambient_c + 273.15
    cascade = cascade_at(gas, 44.0, 44.0, 44.0)
    gate = Gate(jinma(), gas, cascade)
    _put(cascade.banks[HB], 36.0 * kelvin / WARM_K, kelvin)
    gate.advance(0, shut=False)
    assert not gate.open
    bank = cascade.banks[HB]
    mpa = 36.0 * kelvin / WARM_K
    while True:
        _put(bank, mpa, kelvin)
        bank.ask()
        if not bank.recharging:
            break
        mpa += 0.05
    gate.advance(1000, shut=False)
    assert gate.open
