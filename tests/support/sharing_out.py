"""Who of two pytest workers runs what, and when: the longest files first, and a package that shares a service as one.

pytest-xdist by itself takes files by their number of tests, so that a file of one long test comes last and one worker
ends with it alone. `tests/data/file_seconds.json` says how long each long file takes; `JINMA_FILE_SECONDS=FILE` writes
those of a run, to renew it: `make test JINMA_FILE_SECONDS=tests/data/file_seconds.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling

TIMES: Final = Path(__file__).parents[1] / "data" / "file_seconds.json"
WORTH_A_LINE_S: Final = 2.0
"""Files below this are all alike to the order, and there are many."""
TOGETHER: Final = ("tests/e2e/desk",)
"""Packages with a service and a browser of their own: another file in between would have them started again."""


def share_of(nodeid: str) -> str:
    """Return the file of a test, or the package that stays together."""
    file = nodeid.partition("::")[0]
    return next((package for package in TOGETHER if file.startswith(f"{package}/")), file)


def known_seconds() -> dict[str, float]:
    """Return how long each long file, or package that stays together, took on a quiet machine."""
    return dict(json.loads(TIMES.read_text(encoding="utf-8")))


def longest_first(nodeids: list[str], seconds: Mapping[str, float]) -> list[int]:
    """Return the places of tests in the order to run them in: those of a share stay together, in their order."""
    return sorted(range(len(nodeids)), key=lambda n: (-seconds.get(share_of(nodeids[n]), 0.0), share_of(nodeids[n]), n))


class InShares(LoadFileScheduling):
    """xdist's `--dist loadfile` with packages that stay together, in the order in which the tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


class FileSeconds:
    """A pytest plugin that adds up how long each share took, and writes it with the longest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._took: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the setup, the call and the teardown of a test."""
        self._took[share_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write what is worth a line."""
        long = {share: round(took_s) for share, took_s in self._took.most_common() if took_s >= WORTH_A_LINE_S}
        self._path.write_text(json.dumps(long, indent=1) + "\n", encoding="utf-8")
