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


def broken_off(hose: str = "1A", lacks: float = 21.0) -> FillLedger:
    """A truck whose fill its vehicle broke off at 200 s, after 12 kg."""
    ledger = FillLedger(40.0)
    ledger.total(hose, 100.0)
    for second, name in ((0, "idle"), (5, "connect"), (100, "fill")):
        ledger.state(hose, second * SECOND, name)
    ledger.total(hose, 112.0)
    ledger.state(hose, 200 * SECOND, "abort", lambda: lacks)
    return ledger


LATER = 3 * 3600 * SECOND


def test_a_truck_that_breaks_off_and_leaves_is_short_of_what_it_lacked() -> None:
    ledger = broken_off()
    play(ledger, (500, "idle"), (3000, "connect"), (3100, 152.0), (3100, "end"))
    assert ledger.short(0, 600 * SECOND, 4.0) == [], "it may still come back"
    assert [f.missing_kg for f in ledger.short(0, LATER, 4.0)] == [21.0]
    assert broken_off(lacks=3.0).short(0, LATER, 4.0) == []


def test_one_that_is_connected_again_at_once_is_not_short() -> None:
    ledger = broken_off()
    play(ledger, (260, "connect"), (300, "fill"), (900, 133.0), (900, "end"))
    assert ledger.short(0, LATER, 4.0) == []


def test_one_that_gets_the_rest_at_another_hose_is_known_by_its_tank() -> None:
    ledger = broken_off()
    play(ledger, (400, "idle"))
    ledger.total("2B", 900.0)
    ledger.state("2B", 600 * SECOND, "connect")
    ledger.total("2B", 920.6)
    ledger.state("2B", 1200 * SECOND, "end", lambda: 0.2)
    assert ledger.short(0, LATER, 4.0) == []


def test_one_that_is_seen_in_the_line_again_is_not_short_yet() -> None:
    ledger = broken_off()
    play(ledger, (400, "idle"))
    ledger.came_back(500 * SECOND)
    assert ledger.short(0, LATER, 4.0) == []


def test_kilograms_that_a_silent_hose_gives_count_at_once() -> None:
    ledger = FillLedger(40.0)
    play(ledger, (0, 0.0), (0, "connect"), (9, 40.0), (9, "end"), (20, "idle"), (500, 65.0))
    assert ledger.unheard_kg() == [25.0]
    play(ledger, (9000, 65.0), (9000, "connect"))
    assert ledger.unheard_kg() == []
    assert sum(f.kg for f in ledger.fills) == 65.0
