"""The day's fills from states and totalisers alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from station.domain.fill_ledger import FillLedger

SECOND = 1000


def play(ledger: FillLedger, *steps: tuple[int, str | float]) -> None:
    """Play (second, state or totaliser) of hose 1A."""
    for second, value in steps:
        if isinstance(value, str):
            ledger.state("1A", second * SECOND, value)
        else:
            ledger.total("1A", value)


def test_a_fill_is_the_rise_of_the_totaliser_from_connect_to_end() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, "idle"), (0, 1000.0), (10, "connect"), (200, "leak-check"), (215, "fill"), (500, 1020.5))
    assert ledger.current("1A") == (10_000, 20.5)
    play(ledger, (600, "hold"), (606, "fill"), (1000, 1041.25), (1000, "end"), (1300, "idle"))
    assert ledger.current("1A") is None
    (fill,) = ledger.fills
    assert (fill.start_ms, fill.end_ms, fill.kg, fill.completed, fill.trucks) == (10_000, 1_000_000, 41.25, True, 1)
    assert ledger.between(0, 1_000_000) == []
    assert ledger.between(1_000_000, 1_000_001) == [fill]


def test_what_the_truck_lacked_is_asked_when_its_fill_ends() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 10.0), (0, "connect"), (5, 30.0))
    ledger.state("1A", 9 * SECOND, "end", lambda: 12.5)
    assert ledger.fills[0].missing_kg == 12.5


def test_a_broken_fill_gave_kilograms_and_filled_no_truck() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 100.0), (0, "idle"), (5, "connect"), (100, "fill"), (200, 112.0), (200, "abort"))
    play(ledger, (260, "connect"), (300, "fill"), (900, 140.0), (900, "end"))
    assert [(f.kg, f.completed) for f in ledger.fills] == [(12.0, False), (28.0, True)]


def test_an_abort_before_any_gas_is_no_fill() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 100.0), (0, "idle"), (5, "connect"), (60, "abort"))
    assert ledger.fills == []


def test_fills_that_nobody_heard_are_found_in_the_totaliser() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 0.0), (0, "connect"), (9, 40.0), (9, "end"), (20, "idle"))
    play(ledger, (9000, 121.0), (9000, "connect"))
    assert [(round(f.kg), f.trucks) for f in ledger.fills] == [(40, 1), (81, 2)]


def test_a_start_in_the_middle_of_a_fill_counts_from_there() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 500.0), (0, "fill"), (60, 503.0))
    assert ledger.current("1A") == (0, 3.0)


@given(st.lists(st.floats(0.0, 60.0), max_size=20))
def test_the_ledger_holds_every_kilogram(fills: list[float]) -> None:
    ledger, total = FillLedger(40.0), 777.0
    ledger.total("1A", total)
    for number, kg in enumerate(fills):
        start = number * 1000
        play(ledger, (start, "connect"), (start + 100, "fill"))
        total += kg
        play(ledger, (start + 900, total), (start + 900, "end"), (start + 950, "idle"))
    assert abs(sum(f.kg for f in ledger.fills) - sum(fills)) < 1e-6
    assert sum(f.trucks for f in ledger.fills) == len(fills)
