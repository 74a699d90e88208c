"""Tanks filled by a jet and their walls: conservation, steps, materials."""

from __future__ import annotations

import math

import pytest

from simulators.physics.gas import gas_of
from simulators.physics.tank import GasTank, TankKind, VehicleTank, truck_layers
from simulators.physics.wall import Cylinder, Layer, Wall
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen

GAS = gas_of(hydrogen_tables())
STEEL = Layer(0.016, 45.0, 7740.0, 470.0)
SHAPE = Cylinder(0.21, 0.385)


def truck(
    tanks: int = 10, litres: float = 210.0, kind: TankKind = "III", mpa: float = 7.0, c: float = 25.0
) -> VehicleTank:
    tank = VehicleTank(GAS, tanks, litres, kind)
    tank.set_state(hydrogen.density(mpa, c + 273.15) * tank.volume, c + 273.15)
    return tank


def filled(tank: VehicleTank, gas_c: float, step_s: float = 1.0, air_c: float = 25.0) -> VehicleTank:
    while tank.density < 0.97 * hydrogen.H35_REFERENCE_KG_M3:
        enthalpy = GAS.enthalpy(tank.pressure + 0.3, gas_c + 273.15)
        tank.advance(0.05 * step_s, enthalpy, step_s, air_c + 273.15)
    return tank


def test_a_cylinders_area_counts_its_ends() -> None:
    sphere = Cylinder(math.pi / 6.0, 1.0)
    assert sphere.area_m2() == pytest.approx(math.pi)
    flat = Cylinder(math.pi / 4.0 * 2.0, 1.0, domed=False)
    assert flat.area_m2() == pytest.approx(2.0 * math.pi + math.pi / 2.0)
    assert flat.area_m2(0.5) == pytest.approx(4.0 * math.pi + 2.0 * math.pi)


def test_a_wall_weighs_what_is_known_of_it() -> None:
    wall = Wall(SHAPE, [Layer(0.016, 45.0, 7740.0, 470.0, cells=3, mass_kg=69.5)], 5.0, count=2)
    assert sum(wall.capacities_j_k) == pytest.approx(2 * 69.5 * 470.0)
    assert len(wall.capacities_j_k) == 3


def test_a_thin_wall_cools_like_one_lump() -> None:
    wall = Wall(SHAPE, [STEEL], 20.0)
    kelvins = [373.15]
    for _ in range(3600):
        kelvins, _step = wall.alone(kelvins, 293.15, 1.0)
    tau = wall.capacities_j_k[0] / wall.outside_w_k
    assert kelvins[0] - 293.15 == pytest.approx(80.0 * math.exp(-3600.0 / tau), abs=0.05)


def test_heat_reaches_a_walls_steady_state_through_its_layers() -> None:
    wall = Wall(SHAPE, truck_layers("IV"), 8.0)
    tank = GasTank(GAS, SHAPE, wall, bore_m=0.005, constant_w_m2_k=200.0)
    tank.set_state(2.0, 293.15)
    for _ in range(200):  # gas and wall come to the surroundings' temperature, and stay there
        tank.advance(0.0, 0.0, 3600.0, 313.15)
    assert tank.kelvin == pytest.approx(313.15, abs=0.01)
    assert list(tank.shells_k) == pytest.approx([313.15] * len(tank.shells_k), abs=0.01)


@pytest.mark.parametrize("kind", ["III", "IV"])
def test_a_fill_keeps_mass_and_energy(kind: TankKind) -> None:
    tank = truck(kind=kind)
    mass, stored, came = tank.mass, tank.stored_j(), 0.0
    for second in range(900):
        enthalpy = GAS.enthalpy(tank.pressure + 0.3, 253.15 + second / 20.0)
        kg = 0.04 if second % 100 < 80 else 0.0
        tank.advance(kg, enthalpy, 1.0, 303.15)
        came += kg * enthalpy
    assert tank.mass - mass == pytest.approx(0.04 * 720, rel=1e-12)
    assert tank.stored_j() - stored - came - tank.ambient_j == pytest.approx(0.0, abs=came * 1e-11)


def test_the_length_of_a_step_hardly_matters() -> None:
    fine, coarse = filled(truck(), -20.0, 0.1), filled(truck(), -20.0, 10.0)
    assert coarse.kelvin == pytest.approx(fine.kelvin, abs=0.5)
    assert coarse.pressure == pytest.approx(fine.pressure, abs=0.35)


def test_twice_as_many_shells_change_little() -> None:
    ends = []
    for cells in (1, 2):
        layers = [Layer(y.thickness_m, y.conductivity_w_m_k, y.density_kg_m3, y.heat_capacity_j_kg_k, y.cells * cells)
                  for y in truck_layers("IV")]  # fmt: skip
        tank = GasTank(GAS, SHAPE, Wall(SHAPE, layers, 8.0), bore_m=0.005)
        tank.set_state(1.0, 293.15)
        for _ in range(600):
            tank.advance(0.006, GAS.enthalpy(20.0, 263.15), 1.0, 293.15)
        ends.append(tank.kelvin)
    assert ends[0] == pytest.approx(ends[1], abs=0.8)


def test_a_polymer_liner_keeps_the_heat_in_the_gas() -> None:
    metal, polymer = filled(truck(kind="III"), -20.0), filled(truck(kind="IV"), -20.0)
    assert 4.0 < polymer.kelvin - metal.kelvin < 15.0
    assert polymer.shells_k[0] > metal.shells_k[0]
    assert polymer.pressure > metal.pressure


def test_the_jet_stirs_more_the_more_it_brings_and_rest_still_conducts() -> None:
    tank = truck()
    films = []
    for kg in (0.0, 0.02, 0.05, 0.1):
        tank.advance(kg, GAS.enthalpy(20.0, 253.15), 1.0, 298.15)
        films.append(tank.film_w_m2_k)
    assert films == sorted(films)
    assert 300.0 < films[-1] < 3000.0
    assert films[0] > 0.0


def test_a_full_truck_cools_and_its_pressure_settles() -> None:
    tank = filled(truck(), -20.0)
    hot, pressure = tank.kelvin, tank.pressure
    for _ in range(1800):
        tank.advance(0.0, 0.0, 10.0, 298.15)
    assert hot - tank.kelvin > 5.0
    assert tank.kelvin > 298.15
    assert tank.pressure < pressure
    # Density stays: this is how cooling is told apart from a leak.
    assert tank.density == pytest.approx(0.97 * 24.0, rel=2e-3)


def test_an_emptied_tank_cools() -> None:
    tank = truck(mpa=35.0)
    for _ in range(600):
        enthalpy = tank.energy / tank.mass + tank.pressure * 1e6 / tank.density
        tank.advance(-0.05, enthalpy, 1.0, 298.15)
    assert 240.0 < tank.kelvin < 290.0
    assert tank.shells_k[0] < 298.15


def test_a_tank_gets_stiffer_as_it_fills() -> None:
    assert truck(mpa=35.0).stiffness() > truck(mpa=5.0).stiffness() > 1.1
