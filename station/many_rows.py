"""Statements of SQL for many rows at once.

Python's `sqlite3` lets go of the interpreter at every statement, and `executemany` runs one a row: each then waits for
whoever took the interpreter meanwhile. Beside one busy thread that was measured at a millisecond a row; one statement
for hundreds of rows takes 22 us a row there, and two thirds of the time where nobody else is busy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

_VALUES_A_STATEMENT: Final = 5000
"""SQLite takes 32 766."""


def put_rows(
    execute: Callable[[str, list[object]], object], before: str, rows: Sequence[Sequence[object]], after: str = ""
) -> None:
    """Execute `{before} VALUES (?, ..), (?, ..) .. {after}`, as often as it takes for all rows.

    Args:
        execute: A connection's.
        before: What stands before the rows, as `INSERT INTO minutes`.
        rows: All of the same width.
        after: What stands behind them.
    """
    if not rows:
        return
    width = len(rows[0])
    places, step = f"({', '.join('?' * width)})", max(1, _VALUES_A_STATEMENT // width)
    for at in range(0, len(rows), step):
        part = rows[at : at + step]
        execute(f"{before} VALUES {', '.join([places] * len(part))} {after}", list(chain.from_iterable(part)))
