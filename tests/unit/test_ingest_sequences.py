"""Gaps, duplicates and lateness from boot, seq and t."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.sequences import UnitSequence, Verdict


def verdicts(sequence: UnitSequence, *seqs: int, boot: str = "a") -> list[Verdict | None]:
    return [sequence.observe(1000 * seq, boot, seq, None) for seq in seqs]


def test_in_order_nothing_is_said() -> None:
    sequence = UnitSequence()
    assert verdicts(sequence, 5, 6, 7) == [None, None, None]
    assert sequence.watermark == ("a", 7)


def test_a_gap_is_named_with_the_times_beside_it_and_holds_the_watermark() -> None:
    sequence = UnitSequence()
    *_, verdict = verdicts(sequence, 1, 2, 6)
    assert verdict is not None
    assert verdict.opened is not None
    assert (verdict.opened.first, verdict.opened.last, verdict.opened.missing) == (3, 5, 3)
    assert (verdict.opened.from_ms, verdict.opened.to_ms) == (2000, 6000)
    assert sequence.watermark == ("a", 2)


def test_a_gap_closes_from_any_side() -> None:
    sequence = UnitSequence()
    verdicts(sequence, 1, 6)
    filled = verdicts(sequence, 4, 2, 5, 3)
    assert all(verdict is not None and verdict.filled and verdict.late and not verdict.duplicate for verdict in filled)
    assert sequence.watermark == ("a", 6)


def test_the_same_number_again_is_a_duplicate() -> None:
    sequence = UnitSequence()
    verdicts(sequence, 1, 2, 3)
    (again,) = verdicts(sequence, 2)
    assert again is not None
    assert again.duplicate


def test_a_publisher_that_gave_up_moves_the_watermark_on() -> None:
    sequence = UnitSequence()
    verdicts(sequence, 1, 5)
    sequence.observe(6000, "a", 6, 4)
    assert sequence.watermark == ("a", 3)
    sequence.observe(7000, "a", 7, 7)
    assert sequence.watermark == ("a", 7)


def test_a_restart_is_no_gap_and_the_old_run_may_still_send() -> None:
    sequence = UnitSequence()
    verdicts(sequence, 8, 9)
    assert verdicts(sequence, 11, boot="b") == [None]
    assert sequence.watermark == ("b", 11)
    (late,) = verdicts(sequence, 10, boot="a")
    assert late is not None
    assert late.late
    assert not late.duplicate
    assert sequence.watermark == ("a", 10)


def test_a_plain_device_has_lateness_only() -> None:
    sequence = UnitSequence()
    assert sequence.observe(2000, None, None, None) is None
    assert sequence.observe(1000, None, None, None) == Verdict(late=True)
    assert sequence.watermark is None


def test_memory_stays_bounded() -> None:
    sequence = UnitSequence()
    for seq in range(0, 2000, 2):
        sequence.observe(seq, "a", seq, None)
    for boot in range(50):
        sequence.observe(5000, f"boot-{boot}", 1, None)
    assert len(sequence.runs) <= 4
    assert all(len(run.gaps) <= 64 for run in sequence.runs)


@given(st.permutations(list(range(12))), st.lists(st.integers(0, 11), max_size=6))
def test_whatever_the_order_each_number_is_new_once(order: list[int], again: list[int]) -> None:
    sequence = UnitSequence()
    new: set[int] = set()
    for seq in [*order, *again]:
        verdict = sequence.observe(seq * 1000, "a", seq, None)
        if verdict is None or not verdict.duplicate:
            new.add(seq)
    assert new == set(range(12))
    assert sequence.watermark == ("a", 11)
    assert not sequence.runs[-1].gaps
