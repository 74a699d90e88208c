"""How the tests themselves are shared out between two workers."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import pytest

from tests.support.sharing_out import FileSeconds, known_seconds, longest_first, share_of

DESK = "tests/e2e/desk"
A, B, SHORT = "tests/unit/test_a.py", "tests/faults/test_b.py", "tests/unit/test_short.py"
X, Y = f"{DESK}/test_x.py", f"{DESK}/test_y.py"
TESTS = [f"{A}::one", f"{A}::two", f"{X}::one", f"{SHORT}::one", f"{B}::one", f"{Y}::one[1::2]"]


def test_the_longest_come_first_and_what_belongs_together_stays_so() -> None:
    order = longest_first(TESTS, {A: 3.0, B: 70.0, DESK: 20.0})
    shares = [share_of(TESTS[place]) for place in order]
    assert [share for share, _ in groupby(shares)] == [B, DESK, A, SHORT]
    assert sorted(order) == list(range(len(TESTS)))
    assert order.index(0) < order.index(1)
    assert order.index(2) < order.index(5)


def test_every_file_whose_length_is_known_is_there() -> None:
    known = known_seconds()
    root = Path(__file__).parents[2]
    assert [share for share in known if not (root / share).exists()] == []
    assert DESK in known
    assert list(known.values()) == sorted(known.values(), reverse=True)


def test_a_run_writes_how_long_its_files_took(tmp_path: Path) -> None:
    taken = FileSeconds(tmp_path / "seconds.json")
    for nodeid, took_s in ((TESTS[0], 1.0), (TESTS[1], 1.5), (TESTS[2], 60.0), (TESTS[5], 40.0), (TESTS[3], 1.0)):
        report = pytest.TestReport(nodeid, ("", 0, ""), {}, "passed", None, "call", duration=took_s)
        taken.pytest_runtest_logreport(report)
    taken.pytest_sessionfinish()
    assert list(json.loads((tmp_path / "seconds.json").read_text()).items()) == [(DESK, 100), (A, 2)]
