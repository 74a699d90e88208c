"""The audit from published values, on words that a few lines make up."""

from __future__ import annotations

import math

import pytest

from station.domain.hydrogen import KELVIN, density
from station.domain.mass_balance import COVERAGE, Accuracy, BalanceParameters, MassBalance, content, field_accuracy
from tests.support.plants import jinma

PLANT = jinma()
EXACT = Accuracy({}, {})
ABSENT, OPEN, EMPTY = 0, 4, 5
IDLE, FILL, END = 0, 3, 5
BAY, HOSE = "bay-1", "hose-1A"


def bay(pressure: float, celsius: float, state: int) -> dict[str, float | None]:
    roles = {"pressure": pressure, "temperature": celsius, "state": state}
    return {PLANT.tag("trailer", BAY, role): value for role, value in roles.items()}


def hose(total: float, state: int, pressure: float = 0.1) -> dict[str, float | None]:
    roles = {"total": total, "state": state, "pressure": pressure, "delivery_temperature": -20.0}
    return {PLANT.tag("dispensing", HOSE, role): value for role, value in roles.items()}


def banks(pressure: float, celsius: float = 20.0) -> dict[str, float | None]:
    said: dict[str, float | None] = {}
    for bank in PLANT.banks:
        for role in ("pressure_a", "pressure_b"):
            said[PLANT.tag("storage", bank.unit, role)] = pressure
        said[PLANT.tag("storage", bank.unit, "temperature")] = celsius
    return said


def at_rest(accuracy: Accuracy = EXACT) -> MassBalance:
    """Return a balance begun with full banks, empty bays and idle hoses."""
    balance = MassBalance(PLANT, accuracy)
    balance.take(0, banks(44.0))
    for unit in PLANT.supply.bays:
        balance.take(0, {PLANT.tag("trailer", unit, "state"): ABSENT})
    for other in PLANT.hoses:
        roles = {"total": 1000.0, "state": IDLE, "pressure": 0.1, "delivery_temperature": 20.0}
        balance.take(0, {PLANT.tag("dispensing", other.unit, role): value for role, value in roles.items()})
    balance.begin()
    return balance


def test_a_vessel_holds_what_its_transmitters_say() -> None:
    held = content(26.0, 20.0, 20.0)
    assert held.kg == pytest.approx(382.0, abs=1.0)  # DOMAIN 1.1: gross mass of a full trailer
    assert held.kg_mpa == pytest.approx(26.0 * (density(20.5, 293.15) - density(19.5, 293.15)), rel=0.01)
    assert held.kg_k == pytest.approx(26.0 * (density(20.0, 293.65) - density(20.0, 292.65)), rel=0.01)


def test_nothing_moves_and_nothing_is_missing() -> None:
    terms = at_rest().terms()
    assert (terms.received, terms.dispensed, terms.unaccounted, terms.error) == (0.0, 0.0, 0.0, 0.0)
    assert terms.closes


def test_a_trailer_counts_from_open_to_let_go() -> None:
    balance = at_rest()
    balance.take(1000, bay(20.0, 20.0, 3))
    balance.take(2000, bay(20.0, 20.0, OPEN))
    first, half = content(26.0, 20.0, 20.0).kg, content(26.0, 10.0, 15.0).kg
    balance.take(3000, bay(10.0, 15.0, OPEN))
    terms = balance.terms()
    assert terms.received == pytest.approx(first)
    assert terms.trailers_change == pytest.approx(half)
    assert terms.returned == 0.0
    balance.take(4000, bay(5.0, 12.0, EMPTY))
    balance.take(5000, bay(0.1, 30.0, ABSENT))  # what stands beside the change may be another trailer's
    terms = balance.terms()
    last = content(26.0, 5.0, 12.0).kg
    assert terms.trailers_change == 0.0
    assert terms.returned == pytest.approx(last)
    assert terms.vented == pytest.approx(last * BalanceParameters().balance_trailer_hose_m3 / 26.0)
    assert terms.unaccounted == pytest.approx(first - last - terms.vented)


def test_a_trailer_that_stood_there_is_stock_and_not_received() -> None:
    balance = at_rest()
    balance.take(0, bay(15.0, 20.0, OPEN))
    balance.begin()
    balance.take(1000, bay(12.0, 18.0, OPEN))
    terms = balance.terms()
    assert terms.received == 0.0
    assert terms.trailers_change == pytest.approx(content(26.0, 12.0, 18.0).kg - content(26.0, 15.0, 20.0).kg)


def test_a_fill_is_the_rise_of_the_total_and_lets_its_line_down() -> None:
    balance = at_rest()
    for t_ms, total, state, pressure in ((0, 1000.0, 1, 0.1), (1, 1000.0, FILL, 8.0), (2, 1039.0, FILL, 37.0)):
        balance.take(t_ms, hose(total, state, pressure))
    packed = 0.004 * density(37.0, KELVIN - 20.0)
    assert balance.terms().lines_change == pytest.approx(packed)
    balance.take(3, hose(1040.0, END, 1.0))
    terms = balance.terms()
    assert terms.dispensed == pytest.approx(40.0)
    assert terms.lines_change == 0.0
    assert terms.vented == pytest.approx(packed)
    assert terms.unaccounted == pytest.approx(-40.0 - packed)
    assert terms.share == pytest.approx(terms.unaccounted / 40.0)


def test_gas_that_leaves_a_bank_unseen_is_missing_and_cooling_is_not() -> None:
    balance = at_rest()
    kelvin, rho = 293.15 - 8.0, density(44.0, 293.15)
    low, high = 40.0, 44.0
    for _ in range(60):  # the pressure of the same gas, 8 K colder
        middle = 0.5 * (low + high)
        low, high = (middle, high) if density(middle, kelvin) < rho else (low, middle)
    balance.take(1000, banks(low, 12.0))
    assert abs(balance.terms().unaccounted) < 1e-6
    balance.take(2000, banks(43.0))
    lost = 54.0 * (density(44.0, 293.15) - density(43.0, 293.15))
    assert balance.terms().unaccounted == pytest.approx(lost)
    assert not balance.terms().closes


def test_the_budget_counts_fixed_errors_by_the_difference_and_noise_at_each_reading() -> None:
    first, last = content(26.0, 20.0, 20.0), content(26.0, 5.0, 12.0)
    pressure = PLANT.tag("trailer", BAY, "pressure")

    def error(accuracy: Accuracy) -> float:
        balance = at_rest(accuracy)
        for t_ms, words in enumerate((bay(20.0, 20.0, 3), bay(20.0, 20.0, OPEN), bay(5.0, 12.0, EMPTY))):
            balance.take(t_ms, words)
        return balance.terms().error / COVERAGE

    assert error(Accuracy({pressure: 0.1}, {})) == pytest.approx(0.1 * abs(last.kg_mpa - first.kg_mpa))
    assert error(Accuracy({}, {pressure: 0.1})) == pytest.approx(0.1 * math.hypot(last.kg_mpa, first.kg_mpa))


def test_a_meter_may_be_wrong_by_a_share_of_what_it_counts() -> None:
    balance = at_rest(Accuracy({}, {}, meter_share=0.01))
    balance.take(1, hose(1400.0, IDLE))
    assert balance.terms().error == pytest.approx(COVERAGE * 4.0)


def test_a_balance_says_what_it_could_not_read() -> None:
    balance = MassBalance(PLANT, EXACT)
    balance.take(0, {PLANT.tag("storage", "bank-HB", "pressure_a"): 44.0})
    balance.begin()
    terms = balance.terms()
    assert PLANT.tag("storage", "bank-HB", "temperature") in terms.missing
    assert not terms.closes


def test_a_null_leaves_the_last_value_and_one_of_two_transmitters_is_enough() -> None:
    balance = at_rest()
    balance.take(1000, {PLANT.tag("storage", "bank-HB", "pressure_a"): None})
    assert balance.terms().unaccounted == 0.0


def test_a_real_stations_usual_errors_are_those_of_the_daily_balance() -> None:
    balance = at_rest(field_accuracy(PLANT))
    for trailer in range(13):  # a day's: DOMAIN 6 says +-25 kg random, +-70 kg systematic
        for step, words in enumerate(
            (bay(20.0, 20.0, 3), bay(20.0, 20.0, OPEN), bay(5.0, 12.0, EMPTY), bay(5.0, 12.0, 0))
        ):
            balance.take(10 * trailer + step, words)
    assert 25.0 < balance.terms().error < 95.0
