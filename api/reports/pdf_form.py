"""A report as a PDF of A4 pages: fpdf2, which needs nothing of the system, and a font that goes along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from api.reports.document import Chart, Document, Section, Table
from api.reports.pdf_charts import draw_chart
from api.reports.pdf_fonts import PACKAGE, chinese_font

_FAMILY: Final = "report"
_SIZE: Final = 8.0
_SMALL: Final = 6.8
_MANY_COLUMNS: Final = 9
_WIDER: Final = 1.7
"""A narrow table is spread out this far, and no further: rows must stay easy to follow."""
_GREY: Final = 242
_STAMP: Final = (255, 213, 79)
NO_FONT: Final = f"No Chinese font is installed ({PACKAGE}): this report is in English, other letters are shown as '?'."


class _Pages(FPDF):
    """A4 pages with the report's name and the number of the page below each."""

    def __init__(self, name: str, made_at: dt.datetime) -> None:
        super().__init__(format="A4")
        self._below = name
        self.written: Callable[[str], str] = lambda text: text
        self.set_margins(12.0, 12.0, 12.0)
        self.set_auto_page_break(auto=True, margin=14.0)
        self.set_creation_date(made_at)

    def footer(self) -> None:
        """Draw what stands below each page."""
        self.set_y(-10.0)
        self.set_font(_FAMILY if _FAMILY in self.fonts else "Helvetica", size=_SMALL)
        self.set_text_color(90)
        self.cell(self.epw, 4.0, self.written(f"{self._below}    {self.page_no()} / {{nb}}"), align="R")
        self.set_text_color(0)


def pdf_report(in_language: Callable[[str], Document], language: str, made_at: dt.datetime) -> bytes:
    """Return a report as a PDF.

    Args:
        in_language: Gives the document in a language.
        language: The one that is wanted; English where there is no font for it.
        made_at: Stands in the file, so that the same report is the same file.
    """
    font = chinese_font()
    document = in_language(language if font is not None else "en")
    name = f"{document.title}  {document.stamp}".rstrip()
    pages = _Pages(name, made_at)
    if font is None:
        pages.written = lambda text: text.encode("latin-1", "replace").decode("latin-1")
        pages.set_font("Helvetica", size=_SIZE)
    else:
        pages.add_font(_FAMILY, fname=font)
        pages.set_font(_FAMILY, size=_SIZE)
    pages.set_title(pages.written(document.title))
    pages.add_page()
    _head(pages, document, () if font is not None else (NO_FONT,))
    for section in document.sections:
        _section(pages, section)
    return bytes(pages.output())


def _head(pages: _Pages, document: Document, more: tuple[str, ...]) -> None:
    pages.set_font_size(15)
    pages.cell(pages.get_string_width(pages.written(document.title)) + 4.0, 9.0, pages.written(document.title))
    if document.stamp:
        pages.set_font_size(10)
        pages.set_fill_color(*_STAMP)
        stamp = pages.written(document.stamp)
        pages.cell(pages.get_string_width(stamp) + 5.0, 7.0, stamp, fill=True, align="C")
    pages.ln(10.0)
    pages.set_font_size(_SMALL)
    pages.multi_cell(0, 3.8, pages.written(document.made), new_x="LMARGIN", new_y="NEXT")
    pages.set_font_size(_SIZE)
    pages.set_fill_color(255, 243, 205)
    for line in (*more, *document.warnings):
        pages.multi_cell(0, 5.0, pages.written(f"! {line}"), fill=True, new_x="LMARGIN", new_y="NEXT")
    pages.ln(1.0)


def _section(pages: _Pages, section: Section) -> None:
    if pages.will_page_break(24.0):
        pages.add_page()
    pages.ln(2.0)
    pages.set_font_size(11.5)
    pages.cell(0, 7.0, pages.written(section.title), new_x="LMARGIN", new_y="NEXT", border="B")
    pages.ln(1.5)
    pages.set_font_size(_SIZE)
    if section.figures:
        _figures(pages, section)
    for line in section.lines:
        pages.multi_cell(0, 4.5, pages.written(line), new_x="LMARGIN", new_y="NEXT")
    for chart in section.charts:
        draw_chart(pages, _written_chart(pages, chart))
        pages.set_font_size(_SIZE)
    for table in section.tables:
        _table(pages, table)
        pages.ln(2.0)


def _written_chart(pages: _Pages, chart: Chart) -> Chart:
    said = pages.written
    series = tuple(replace(one, name=said(one.name)) for one in chart.series)
    marks = tuple((value, said(name)) for value, name in chart.marks)
    return replace(chart, title=said(chart.title), series=series, marks=marks)


def _figures(pages: _Pages, section: Section) -> None:
    """Draw names and values, three pairs a line."""
    width, height = pages.epw / 3.0, 9.5
    for place, (name, value) in enumerate(section.figures):
        if place % 3 == 0 and pages.will_page_break(height):
            pages.add_page()
        x, y = pages.l_margin + width * (place % 3), pages.get_y()
        pages.set_fill_color(_GREY)
        pages.rect(x, y, width - 1.5, height - 1.0, style="F")
        pages.set_font_size(_SMALL)
        pages.set_text_color(80)
        pages.text(x + 1.5, y + 3.2, pages.written(name))
        pages.set_text_color(0)
        pages.set_font_size(9.5)
        pages.text(x + 1.5, y + 7.2, pages.written(value))
        if place % 3 == 2 or place == len(section.figures) - 1:
            pages.set_y(y + height)
    pages.set_font_size(_SIZE)


def _table(pages: _Pages, table: Table) -> None:
    pages.set_font_size(_SMALL if len(table.heads) > _MANY_COLUMNS else _SIZE)
    pages.set_draw_color(200)
    pages.set_fill_color(255)
    style = FontFace(emphasis="", fill_color=_GREY)
    align = tuple("LEFT" if place < table.texts else "RIGHT" for place in range(len(table.heads)))
    widths = _widths(pages, table)
    with pages.table(
        headings_style=style,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        text_align=align,
        col_widths=widths,
        line_height=pages.font_size * 1.45,
        width=min(pages.epw, sum(widths)),
        align="LEFT",
        padding=(0.3, 0.8),
    ) as drawn:
        for cells in (table.heads, *table.rows):
            row = drawn.row()
            for cell in cells:
                row.cell(pages.written(cell))
    pages.set_draw_color(0)
    pages.set_font_size(_SIZE)


def _widths(pages: _Pages, table: Table) -> tuple[float, ...]:
    """Return the columns' widths [mm]: what their longest cell needs, the widest less where the page ends."""
    longest = [
        max(pages.get_string_width(pages.written(row[place])) for row in (table.heads, *table.rows)) + 3.5
        for place in range(len(table.heads))
    ]
    if sum(longest) <= pages.epw:
        wider = min(pages.epw / sum(longest), _WIDER)
        return tuple(wider * one for one in longest)
    # Long texts are broken into lines; numbers are not.
    least = [min(one, 18.0) for one in longest]
    spare = pages.epw - sum(least)
    wishes = [one - small for one, small in zip(longest, least, strict=True)]
    return tuple(small + max(spare, 0.0) * wish / sum(wishes) for small, wish in zip(least, wishes, strict=True))
