"""Whole days of supply and storage: nothing negative, nothing over its limit, everything booked and restored."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.plants import jinma

MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
HOUR = 360


def plant_at(scenario: str, hour: float = 0.0) -> StationPhysics:
    start = MIDNIGHT + dt.timedelta(hours=hour)
    return StationPhysics(jinma(), hydrogen_tables(), shipped_scenario(scenario), start, 1)


@pytest.mark.parametrize("scenario", ["normal-day", "hot-day", "train-trip"])
def test_no_mass_is_negative_and_no_pressure_over_its_limit_at_any_step_of_a_day(scenario: str) -> None:
    station = plant_at(scenario)
    tags = list(jinma().signals)
    values = np.concatenate([station.advance(HOUR, 10.0).values for _ in range(24)])
    for bank in jinma().banks:
        unit = ("storage", bank.unit)
        pressure = values[:, tags.index(jinma().tag(*unit, "pressure_a"))]
        # A vessel's mass has the sign of its pressure.
        assert pressure.min() > 5.0
        assert pressure.max() < 46.0
        assert values[:, tags.index(jinma().tag(*unit, "relief_lifted"))].max() == 0.0
    for bay in jinma().supply.bays:
        pressure = values[:, tags.index(jinma().tag("trailer", bay, "pressure"))]
        assert np.nanmin(pressure) > 4.8
        assert np.nanmax(pressure) < 22.5
    assert station.truth().closure < 1e-9
    assert station.cascade.relief_kg == 0.0


def test_a_lifted_relief_valve_shows_and_its_gas_is_booked() -> None:
    station = plant_at("normal-day", 2.0)
    bank = station.cascade.banks[1]
    added = bank.spec.volume_m3 * hydrogen.density(49.8, bank.vessel.kelvin) - bank.vessel.mass
    bank.vessel.set_state(bank.vessel.mass + added, bank.vessel.kelvin, bank.vessel.wall_k)
    station.opening_kg += added
    block = station.advance(120, 1.0)
    tags = list(jinma().signals)
    lifted = block.values[:, tags.index(jinma().tag("storage", bank.spec.unit, "relief_lifted"))]
    vent = block.values[:, tags.index("FS-352")]
    assert lifted[0] == 0.0
    assert lifted[60] == 1.0
    assert lifted[-1] == 0.0, "it has shut again"
    assert vent[60] == 1.0, "the stack's flow switch"
    assert station.cascade.relief_kg > 20.0
    assert station.vented_kg() >= station.cascade.relief_kg
    assert station.truth().closure < 1e-9


def test_a_plant_with_every_fault_of_supply_and_storage_goes_on_from_a_snapshot_as_if_never_stopped() -> None:
    station = plant_at("normal-day", 6.0)
    station.inject("bank-leak", "bank-LB", for_s=7200.0)
    station.inject("valve-passby", "bank-HB", for_s=7200.0)
    station.inject("filter-plug", "header-lp", for_s=7200.0)
    station.inject("trailer-underfilled", "next")
    station.inject("trailer-late", "next", for_s=7200.0)
    bank = station.cascade.banks[1]
    bank.vessel.set_state(bank.spec.volume_m3 * hydrogen.density(49.8, 293.15), 293.15, 293.15)
    station.advance(7, 10.0)
    assert bank.relief.lifted
    text = station.snapshot()
    restored = StationPhysics.restore(jinma(), hydrogen_tables(), text)
    assert restored.snapshot() == text
    expected, got = station.advance(2 * HOUR, 10.0), restored.advance(2 * HOUR, 10.0)
    assert np.array_equal(expected.values, got.values, equal_nan=True)
    assert restored.snapshot() == station.snapshot()
