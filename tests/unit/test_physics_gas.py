"""The stepping loop's gas look-ups, vessels, tanks and compression stages against the tables they come from."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from scripts.state_gas_errors import errors
from simulators.physics.gas import choked_flow, compress, gas_of, throttle
from simulators.physics.vessel import Vessel
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.hydrogen_reference import hydrogen_reference

GAS = gas_of(hydrogen_tables())
ROOT = Path(__file__).parents[2]
STATED = re.compile(r"^\| ((?:equation|tables|loop): [^|]+) \| ([0-9.e-]+) \|", re.MULTILINE)
"""A row of the document's table of errors: property and greatest error."""


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


def test_a_vessel_follows_a_fine_explicit_integration() -> None:
    """Mass, energy and heat in 10 ms steps of plain Euler, with the temperature solved from the energy."""
    step, wall_k, outside, inside, wall_j_k = 0.01, 293.15, 900.0, 5000.0, 1.9e7
    bank = vessel(insulated=False)
    mass, energy, kelvin, ours = bank.mass, bank.energy, bank.kelvin, bank
    for second in range(900):
        kg = 0.03 if second < 600 else 0.0
        for _ in range(100):
            pressure, inner, cv = GAS.state(mass / 18.0, kelvin)
            kelvin += (energy / mass - inner) / cv
            heat = inside * (kelvin - wall_k)
            energy -= (kg * (energy / mass + pressure * 18e6 / mass) + heat) * step
            wall_k += (heat + outside * (300.0 - wall_k)) * step / wall_j_k
            mass -= kg * step
        ours.take(kg)
        ours.advance(1.0, 300.0)
    assert ours.mass == pytest.approx(mass, rel=1e-9)
    assert ours.kelvin == pytest.approx(kelvin, abs=0.05)
    assert ours.wall_k == pytest.approx(wall_k, abs=0.01)


def test_a_vessel_accounts_for_every_joule() -> None:
    bank = vessel(insulated=False)
    before, moved = bank.stored_j(), 0.0
    for second in range(3600):
        moved += 0.03 * GAS.enthalpy(45.0, 313.15) - 0.05 * bank.enthalpy
        bank.put(0.03, GAS.enthalpy(45.0, 313.15))
        bank.take(0.05)
        bank.advance(1.0, 263.15 + second / 100.0)
    assert bank.ambient_j != 0.0
    assert bank.stored_j() - before - moved - bank.ambient_j == pytest.approx(0.0, abs=abs(moved) * 1e-10)


# Isenthalpic from 25 degC: from, to [MPa], behind it [degC], as CoolProp gives it.
THROTTLE = [(45.0, 5.0, 41.9), (45.0, 20.0, 36.2), (45.0, 35.0, 29.6), (20.0, 5.0, 30.6), (90.0, 35.0, 52.3)]


@pytest.mark.parametrize(("inlet_mpa", "outlet_mpa", "outlet_c"), THROTTLE)
def test_a_throttle_warms_hydrogen_as_published(inlet_mpa: float, outlet_mpa: float, outlet_c: float) -> None:
    assert float(throttle(GAS.tables, inlet_mpa, 298.15, outlet_mpa)) - 273.15 == pytest.approx(outlet_c, abs=0.3)


# Critical mass flux at 20 degC [kg/(m2 s)].
CHOKED = [
    (1.0, 624.0),
    (10.0, 6179.0),
    (20.0, 12218.0),
    (35.0, 20996.0),
    (45.0, 26661.0),
    (70.0, 40207.0),
    (90.0, 50467.0),
]


def test_choked_flow_agrees_with_the_published_table() -> None:
    pressure = np.array([mpa for mpa, _ in CHOKED])
    flux, ratio = choked_flow(GAS.tables, pressure, 293.15)
    assert flux == pytest.approx([known for _, known in CHOKED], rel=1e-3)
    assert ratio[0] == pytest.approx(0.525, abs=0.003)
    assert ratio[-1] == pytest.approx(0.449, abs=0.003)


def test_the_loops_choked_flow_follows_the_tables() -> None:
    mpa, kelvin = np.array([0.3, 7.0, 20.0, 45.0, 80.0]), np.array([290.0, 240.0, 293.15, 330.0, 280.0])
    known, _ = choked_flow(GAS.tables, mpa, kelvin)
    ours = [GAS.choked_flux(hydrogen.density(p, t), p, t) for p, t in zip(mpa.tolist(), kelvin.tolist(), strict=True)]
    assert ours == pytest.approx(known.tolist(), rel=2e-3)
    assert GAS.choked_flux(0.0, 0.0, 293.15) == 0.0


def test_gas_properties_err_no_more_than_the_documents_say() -> None:
    stated = {name.strip(): float(most) for name, most in STATED.findall((ROOT / "docs" / "physics.md").read_text())}
    found = {name: float(np.abs(error).max()) for name, error in errors().items()}
    assert stated.keys() == found.keys()
    for name, most in stated.items():
        assert found[name] <= most * 1.05, name  # the document rounds to two digits
    assert found["equation: density [%]"] <= 0.02
