"""Two transmitters on one bank that tell two stories."""

from __future__ import annotations

import pytest

from api.forecast.measured import Measured
from api.forecast.twins import APART, DROPPED, TwinWatch
from station.domain.isotherms import density
from tests.support.capacity_inputs import MINUTE_MS, PLANT, TAGS, ScriptedStation, messages
from tests.support.capacity_snapshots import at

NOON = at(12.0)
BANK = TAGS.banks[0]
KG_MPA = PLANT.banks[0].volume_m3 * (density(40.5, 20.0) - density(39.5, 20.0))
LIMIT = TwinWatch(PLANT, TAGS).limit_mpa(BANK)


def noisy(values: list[float]) -> list[float]:
    """A live transmitter's last digit."""
    return [v + 0.002 * (n % 3 - 1) for n, v in enumerate(values)]


def play(a: list[float], b: list[float], book: list[float | None]) -> list[tuple[str, str]]:
    """Return the doubts after each minute; `book` is what the bank gained by book [MPa]."""
    measured, watch = Measured(PLANT), TwinWatch(PLANT, TAGS)
    told: list[tuple[str, str]] = []
    for number, (one, other, gain) in enumerate(zip(a, b, book, strict=True)):
        t_ms = NOON + number * MINUTE_MS
        for message in messages(t_ms, {BANK.pressure_a: one, BANK.pressure_b: other}):
            measured.observe(message)
        watch.tick(measured, [None if gain is None else gain * KG_MPA, None, None], t_ms)
        looks = [measured.look(tag, t_ms) for tag in (BANK.pressure_a, BANK.pressure_b)]
        told.append((looks[0].quality, looks[1].quality))
    return told


def test_as_long_as_they_agree_both_are_good() -> None:
    row = [40.0 + 0.01 * n for n in range(30)]
    assert set(play(row, [p + 0.9 * LIMIT for p in row], [0.01] * 30)) == {("good", "good")}


def test_one_that_moves_on_its_own_is_dropped() -> None:
    told = play([40.0 + 0.1 * n for n in range(30)], noisy([40.0] * 30), [0.0] * 30)
    assert told[-1] == (DROPPED, "good")


def test_one_that_stands_still_while_the_bank_is_drawn_is_dropped() -> None:
    told = play([40.0] * 30, [40.0 - 0.1 * n for n in range(30)], [-0.1] * 30)
    assert told[-1] == (DROPPED, "good")
    assert play(noisy([40.0 - 0.1 * n for n in range(30)]), [40.0] * 30, [None] * 30)[-1] == ("good", DROPPED)
    # A bank at rest, by the book or by what is left of a transmitter's noise: nobody can tell a drift from a draw.
    assert play([40.0 - 0.1 * n for n in range(30)], noisy([40.0] * 30), [None] * 30)[-1] == (APART, APART)


def test_one_out_of_its_range_is_dropped() -> None:
    assert play([40.0, 40.0, 60.0], [40.0, 40.0, 40.0], [None] * 3)[-1] == (DROPPED, "good")


def test_where_it_cannot_be_told_both_are_uncertain() -> None:
    told = play([40.0] * 5, [40.0 + 1.1 * LIMIT] * 5, [None] * 5)
    assert told[-1] == (APART, APART)


def test_a_stuck_one_is_not_believed_when_the_truth_passes_by() -> None:
    truth = [40.0 - 0.15 * abs(n - 30) for n in range(60)]
    told = play([truth[0]] * 60, noisy(truth), [None] * 60)
    first = next(i for i, doubts in enumerate(told) if doubts[0] == DROPPED)
    assert first < 15
    assert set(told[first:]) == {(DROPPED, "good")}


def test_they_are_believed_again_once_they_have_moved_together() -> None:
    wrong, right = [40.0] * 5 + [40.0 + 2.0 * LIMIT] * 5, noisy([40.0] * 10)
    together = [40.0 - 0.1 * n for n in range(30)]
    told = play(wrong + together, right + together, [0.0] * 40)
    assert told[9] == (DROPPED, "good")
    assert told[-1] == ("good", "good")


def test_the_forecast_uses_what_is_left_and_says_so() -> None:
    station = ScriptedStation(NOON)
    station.run(5.0)
    station.changes = {BANK.pressure_a: 43.0 + 3.0 * LIMIT}
    station.run(5.0)
    now = station.seen[-1]
    notes = {i.signal: i for i in now.inputs}
    assert now.banks[0].pressure_mpa == pytest.approx(43.2)
    assert notes[BANK.pressure_a].source == BANK.pressure_b
    assert notes[BANK.pressure_a].degraded_s > 60.0
    assert now.banks[0].kg_sd > 0.0
