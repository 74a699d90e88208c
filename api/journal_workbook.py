"""The journal as a workbook; a cell that looks like a formula stays a text.

Apart from the CSV: openpyxl takes a tenth of a service's start to import, and few ask for a workbook.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from api.journal_table import Cell

_SHEET_ROWS: Final = 1_000_000
"""A workbook's sheet ends at 1 048 576; what goes beyond stands on the next."""
_MOMENT: Final = "yyyy-mm-dd hh:mm:ss.000"


def write_xlsx(heads: Sequence[str], rows: Iterable[Sequence[Cell]], out: IO[bytes]) -> None:
    """Write a workbook; rows go to a temporary file as they come, times are times of a spreadsheet."""
    book = Workbook(write_only=True)
    sheet = _sheet(book, heads)
    for number, row in enumerate(rows):
        if number and number % _SHEET_ROWS == 0:
            sheet = _sheet(book, heads)
        sheet.append([_cell(sheet, cell) for cell in row])
    book.save(out)


def _sheet(book: Workbook, heads: Sequence[str]) -> Any:
    number = len(book.sheetnames) + 1
    sheet = book.create_sheet("journal" if number == 1 else f"journal {number}")
    sheet.freeze_panes = "A2"
    sheet.append(list(heads))
    return sheet


def _cell(sheet: Any, value: Cell) -> Any:
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        cell.data_type = "s"
        return cell
    if isinstance(value, dt.datetime):
        cell = WriteOnlyCell(sheet, value.replace(tzinfo=None))
        cell.number_format = _MOMENT
        return cell
    return value
