"""The journal as a table, CSV line by line; a cell that looks like a formula stays a text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from station.domain.plant import Text

COLUMNS: Final = (
    Text("row", "序号"),
    Text("time", "时间"),
    Text("alarm", "报警"),
    Text("text", "内容"),
    Text("priority", "优先级"),
    Text("event", "事件"),
    Text("value", "数值"),
    Text("limit", "限值"),
    Text("who", "人员"),
    Text("note", "备注"),
    Text("received", "接收时间"),
)
Cell = str | float | int | dt.datetime | None
"""A moment is aware, in the zone in which it is to be shown."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a CSV with a byte order mark, so that a spreadsheet reads Chinese; never more than a line in memory."""
    yield _BOM + _line(heads)
    for row in rows:
        yield _line([_harmless(cell) for cell in row])


def _line(cells: Sequence[Cell]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(_written(cell) for cell in cells)
    return out.getvalue()


def _written(cell: Cell) -> str | float | int:
    if isinstance(cell, dt.datetime):
        return cell.isoformat(timespec="milliseconds")
    return "" if cell is None else cell


def _harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet works out: an apostrophe before what begins like a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
