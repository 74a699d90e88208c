"""The forms of a report for people: CSV, HTML and PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from api.reports.composing import document
from station.domain.plant import Plant
from station.domain.report.daily_report import DailyReport
from station.domain.report.notes import ShiftNote

Form = Literal["csv", "html", "pdf"]
MEDIA_TYPES: Final = {"csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8", "pdf": "application/pdf"}


@dataclass(frozen=True)
class DrawOrder:
    """What is to be drawn, of which day, in which language and form."""

    plant: Plant
    report: DailyReport
    notes: Sequence[ShiftNote]
    language: str
    form: Form


def draw_report(order: DrawOrder) -> bytes:
    """Return a report as a file."""
    # Imported where they are needed: plotly and fpdf2 take half a second each.
    in_language = partial(document, order.plant, order.report, order.notes)
    if order.form == "pdf":
        from api.reports.pdf_form import pdf_report  # noqa: PLC0415

        made_at = dt.datetime.fromtimestamp(order.report.made_at_ms / 1000.0, dt.UTC)
        return pdf_report(in_language, order.language, made_at)
    if order.form == "html":
        from api.reports.html_form import html_report  # noqa: PLC0415

        return html_report(in_language(order.language))
    from api.reports.csv_form import csv_report  # noqa: PLC0415

    return csv_report(in_language(order.language))
