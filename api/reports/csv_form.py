"""A report as CSV: chapter after chapter, each table under its name, as a spreadsheet opens it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.journal_table import csv_lines
from api.reports.document import Document


def csv_report(document: Document) -> bytes:
    """Return a document as UTF-8 CSV with a byte order mark; charts are left out, their numbers stand in the JSON."""
    rows = _rows(document)
    return "".join(csv_lines(next(rows), rows)).encode()


def _rows(document: Document) -> Iterator[Sequence[str]]:
    yield [part for part in (document.title, document.stamp) if part]
    yield [document.made]
    yield from ([warning] for warning in document.warnings)
    for section in document.sections:
        yield []
        yield [section.title]
        yield from section.figures
        yield from ([line] for line in section.lines)
        for table in section.tables:
            yield []
            yield table.heads
            yield from table.rows
