"""Hydrogen's properties against the published check values of the equation and against CoolProp's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from station.errors import OutOfRangeError
from tests.support.hydrogen_reference import hydrogen_reference

# Lemmon, Huber, Leachman (2008): temperature [K], pressure [MPa], Z, density [mol/L].
CHECK_VALUES = [
    (200.0, 1.0, 1.00675450, 0.59732645),
    (300.0, 10.0, 1.05985282, 3.78267048),
    (400.0, 50.0, 1.24304763, 12.09449023),
    (500.0, 200.0, 1.74461629, 27.57562673),
    (200.0, 200.0, 2.85953449, 42.06006952),
]


@pytest.mark.parametrize(("kelvin", "mpa", "z", "mol_l"), CHECK_VALUES)
def test_published_check_values_to_all_digits(kelvin: float, mpa: float, z: float, mol_l: float) -> None:
    assert float(hydrogen.compressibility(mpa, kelvin)) == pytest.approx(z, abs=5e-9)
    assert float(hydrogen.density_kg_m3(mpa, kelvin)) / 2.01588 == pytest.approx(mol_l, abs=5e-8)


def test_density_agrees_with_coolprop_within_0_02_percent() -> None:
    known = hydrogen_reference("density")
    ours = hydrogen.density_kg_m3(known["pressure_mpa"], known["temperature_k"])
    assert np.abs(ours / known["density_kg_m3"] - 1.0).max() < 2e-4


@given(mpa=st.floats(0.001, 190.0), kelvin=st.floats(180.0, 600.0))
@settings(max_examples=40, deadline=None)
def test_pressure_is_the_inverse_of_density_and_both_forms_agree(mpa: float, kelvin: float) -> None:
    rho = float(hydrogen.density_kg_m3(mpa, kelvin))
    assert hydrogen.density(mpa, kelvin) == pytest.approx(rho, rel=1e-12)
    assert hydrogen.pressure(rho, kelvin) == pytest.approx(mpa, rel=1e-8)
    assert float(hydrogen.pressure_mpa(rho, kelvin)) == pytest.approx(mpa, rel=1e-8)


def test_arrays_broadcast_and_nothing_has_no_pressure() -> None:
    assert hydrogen.density_kg_m3(np.array([5.0, 20.0]), 288.15).shape == (2,)
    assert hydrogen.pressure_mpa(np.array([0.0, 24.0]), 288.15) == pytest.approx([0.0, 35.009], abs=1e-3)


def test_a_full_35_mpa_tank_is_state_of_charge_one() -> None:
    assert float(hydrogen.state_of_charge(35.0, 288.15)) == pytest.approx(1.0, abs=5e-4)
    assert float(hydrogen.state_of_charge(43.81, 358.15)) == pytest.approx(1.0, abs=5e-4)
    assert float(hydrogen.state_of_charge(70.0, 288.15, reference=40.2)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("mpa", "kelvin"), [(-0.1, 300.0), (201.0, 300.0), (10.0, 149.0), (float("nan"), 300.0)])
def test_outside_its_range_it_says_so(mpa: float, kelvin: float) -> None:
    with pytest.raises(OutOfRangeError):
        hydrogen.density_kg_m3(mpa, kelvin)


def test_a_density_that_no_pressure_gives_is_refused() -> None:
    with pytest.raises(OutOfRangeError):
        hydrogen.pressure_mpa(200.0, 300.0)
    with pytest.raises(OutOfRangeError):
        hydrogen.pressure_mpa(-1.0, 300.0)


@pytest.mark.parametrize(
    "name",
    ["enthalpy_j_kg", "internal_energy_j_kg", "cv_j_kg_k", "sound_speed_m_s", "viscosity_pa_s", "conductivity_w_m_k"],
)
def test_tables_agree_with_coolprop_between_their_points(name: str) -> None:
    known = hydrogen_reference("tables")
    ours = hydrogen_tables().lookup(name, known["density_kg_m3"], known["temperature_k"])
    assert np.abs(ours / known[name] - 1.0).max() < 1e-5


def test_cooling_duty_of_the_design_table() -> None:
    tables = hydrogen_tables()
    duty = float(tables.enthalpy_j_kg(45.0, 313.15) - tables.enthalpy_j_kg(20.0, 253.15))
    assert duty / 1000.0 == pytest.approx(1049.0, abs=1.0)


def test_entropy_differences_agree_with_coolprop() -> None:
    tables = hydrogen_tables()
    known = hydrogen_reference("entropy")
    ours = tables.entropy_j_kg_k(known["pressure_mpa"], known["temperature_k"])
    theirs = known["entropy_j_kg_k"]
    assert ours[1] - ours[0] == pytest.approx(theirs[1] - theirs[0], abs=2.0)


def test_tables_end_where_they_end() -> None:
    with pytest.raises(OutOfRangeError):
        hydrogen_tables().lookup("enthalpy_j_kg", 70.0, 300.0)
