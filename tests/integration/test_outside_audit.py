"""The kilograms of a simulated day as an outsider counts them: from published values and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pytest

from simulators.measuring.stated_accuracy import stated_accuracy
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.property_tables import hydrogen_tables
from station.domain.mass_balance import BalanceTerms, MassBalance
from tests.support.plants import jinma

PLANT = jinma()
MIDNIGHT = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
MINUTE = dt.timedelta(minutes=1)
Injection = tuple[str, str, Mapping[str, object]]


def audited(scenario: str, seed: int = 1, faults: Iterable[Injection] = ()) -> tuple[BalanceTerms, SimulatedStation]:
    """Return the balance of a day, read from what the station said, and the station."""
    physics = StationPhysics(PLANT, hydrogen_tables(), shipped_scenario(scenario), MIDNIGHT, seed)
    station = SimulatedStation(PLANT, physics, seed)
    balance = MassBalance(PLANT, stated_accuracy(PLANT))
    for message in station.advance(60):
        balance.take(message.t_ms, message.values)
    balance.begin()
    for name, unit, options in faults:
        physics.inject(name, unit, **options)
    for _ in range(24):
        for message in station.advance(3600, step_s=10.0, every=MINUTE):
            balance.take(message.t_ms, message.values)
    return balance.terms(), station


@pytest.fixture(scope="module")
def sound() -> BalanceTerms:
    return audited("normal-day")[0]


def test_a_sound_day_closes_within_what_the_instruments_may_be_wrong_by(sound: BalanceTerms) -> None:
    assert sound.missing == ()
    assert sound.dispensed == pytest.approx(4000.0, rel=0.01)
    assert sound.closes, sound
    assert 1.0 < sound.error < 10.0  # 0.1 % of the day's throughput: a budget that closes everything proves nothing


@pytest.mark.parametrize(("scenario", "seed"), [("hot-day", 1), ("normal-day", 2)])
def test_it_closes_on_a_hot_day_and_with_other_instruments(scenario: str, seed: int) -> None:
    terms, _ = audited(scenario, seed)
    assert terms.closes, terms


def test_a_meter_that_counts_too_much_opens_the_balance_downwards(sound: BalanceTerms) -> None:
    faults: list[Injection] = [("meter-bias", hose, {"size": 2.0}) for hose in ("hose-1A", "hose-1B", "hose-2A")]
    terms, station = audited("normal-day", faults=faults)
    too_much = terms.dispensed - station.physics.truth().dispensed_kg
    assert too_much > 15.0
    assert not terms.closes
    assert terms.unaccounted - sound.unaccounted == pytest.approx(-too_much, abs=sound.error)


def test_a_bank_that_leaks_opens_it_upwards_by_what_was_lost(sound: BalanceTerms) -> None:
    terms, station = audited("normal-day", faults=[("bank-leak", "bank-HB", {"size": 0.5, "for_s": 7200.0})])
    assert isinstance(station.physics, StationPhysics)
    lost = station.physics.cascade.leaked_kg
    assert lost > 15.0
    assert not terms.closes
    assert terms.unaccounted - sound.unaccounted == pytest.approx(lost, abs=sound.error)
