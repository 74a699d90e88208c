"""The stepping loop's gas look-ups, vessels, tanks and compression stages against the tables they come from."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.gas import compress, gas_of
from simulators.physics.tank import VehicleTank
from simulators.physics.vessel import Vessel
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.hydrogen_reference import hydrogen_reference

GAS = gas_of(hydrogen_tables())


def test_look_ups_agree_with_the_equation_and_the_tables() -> None:
    random = np.random.default_rng(3)
    for rho, kelvin in zip(random.uniform(0.5, 30.0, 100), random.uniform(220.0, 400.0, 100), strict=True):
        pressure, energy, cv = GAS.state(float(rho), float(kelvin))
        assert pressure == pytest.approx(hydrogen.pressure(float(rho), float(kelvin)), rel=2e-5)
        exact = float(GAS.tables.lookup("internal_energy_j_kg", rho, kelvin))
        assert abs(energy - exact) / cv < 0.005  # K
        enthalpy = float(GAS.tables.enthalpy_j_kg(pressure, kelvin))
        assert abs(GAS.enthalpy(pressure, float(kelvin)) - enthalpy) / 15_000.0 < 0.02  # K


# Inlet pressure [MPa] from 25 degC to 45 MPa: outlet [degC] and work [kWh/kg], isentropic.
ISENTROPIC = [(5.0, 283.7, 1.133), (10.0, 184.2, 0.719), (15.0, 134.4, 0.506), (20.0, 102.4, 0.366)]


@pytest.mark.parametrize(("inlet_mpa", "outlet_c", "kwh_kg"), ISENTROPIC)
def test_isentropic_compression_agrees_with_the_published_table(
    inlet_mpa: float, outlet_c: float, kwh_kg: float
) -> None:
    kelvin, work = compress(GAS.tables, np.array(inlet_mpa), np.array(298.15), np.array(45.0), efficiency=1.0)
    assert float(kelvin) - 273.15 == pytest.approx(outlet_c, abs=0.5)
    assert float(work) / 3.6e6 == pytest.approx(kwh_kg, abs=0.002)


def vessel(*, insulated: bool) -> Vessel:
    inside = 0.0 if insulated else 5000.0
    made = Vessel(GAS, 18.0, inside, 1.9e7, 0.0 if insulated else 900.0)
    made.set_state(18.0 * hydrogen.density(45.0, 293.15), 293.15, 293.15)
    return made


def test_an_insulated_vessel_that_is_drawn_follows_the_isentrope() -> None:
    bank = vessel(insulated=True)
    while bank.pressure > 25.0:
        bank.take(0.05)
        bank.advance(1.0, 293.15)
    known = hydrogen_reference("expansion")
    ideal = float(np.interp(bank.pressure, known["pressure_mpa"], known["temperature_k"]))
    assert bank.kelvin == pytest.approx(ideal, abs=0.3)
    assert bank.kelvin - 273.15 == pytest.approx(-25.7, abs=0.5)


def test_a_wall_keeps_a_drawn_bank_warmer_and_a_charged_one_cooler() -> None:
    drawn, charged = vessel(insulated=False), vessel(insulated=False)
    charged.set_state(300.0, 293.15, 293.15)
    for _ in range(3600):
        drawn.take(0.05)
        drawn.advance(1.0, 293.15)
        charged.put(0.05, GAS.enthalpy(charged.pressure, 310.0))
        charged.advance(1.0, 293.15)
    assert 270.0 < drawn.kelvin < 293.0
    assert 293.0 < charged.kelvin < 320.0


def test_a_vessel_keeps_mass_and_energy_whatever_the_step() -> None:
    ends = []
    for step in (1.0, 10.0):
        bank = vessel(insulated=False)
        for _ in range(int(1800 / step)):
            bank.take(0.06 * step)
            bank.advance(step, 300.0)
        ends.append((bank.mass, bank.pressure, bank.kelvin))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-12)
    assert ends[0][1] == pytest.approx(ends[1][1], abs=0.05)
    assert ends[0][2] == pytest.approx(ends[1][2], abs=0.3)


@pytest.mark.parametrize(
    ("tanks", "litres", "start_mpa", "air_c", "gas_c", "end_mpa", "end_c", "kg"),
    [
        (10, 210.0, 7.0, 25.0, -20.0, 37.7, 47.0, 37.4),
        (10, 210.0, 7.0, 25.0, 30.0, 40.2, 68.0, 37.4),
        (10, 210.0, 7.0, 40.0, -20.0, 39.0, 58.0, 38.0),
        (6, 385.0, 7.0, 25.0, -20.0, 37.7, 48.0, 41.2),
        (10, 210.0, 7.0, -10.0, -20.0, 34.5, 22.0, 36.0),
    ],
)
def test_a_fill_at_3_kg_a_minute_ends_like_another_lumped_model(  # a comparison of models, not a measurement
    tanks: int, litres: float, start_mpa: float, air_c: float, gas_c: float, end_mpa: float, end_c: float, kg: float
) -> None:
    tank = VehicleTank(GAS, tanks, litres)
    tank.set_state(hydrogen.density(start_mpa, air_c + 273.15) * tank.volume, air_c + 273.15)
    before = tank.mass
    while tank.density < 0.97 * 24.0:
        tank.advance(0.05, GAS.enthalpy(tank.pressure + 0.3, gas_c + 273.15), 1.0, air_c + 273.15)
    assert tank.pressure == pytest.approx(end_mpa, abs=1.0)
    assert tank.kelvin - 273.15 == pytest.approx(end_c, abs=6.0)
    assert tank.mass - before == pytest.approx(kg, abs=0.2)
