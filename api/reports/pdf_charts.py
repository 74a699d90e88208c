"""Charts drawn into a PDF: axes with round numbers, lines with gaps where nothing is known, bars, level lines."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fpdf import FPDF

from api.reports.document import Chart, Series

HEIGHT_MM: Final = 48.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 3.0, 9.0, 6.0
_TICKS: Final = 4
_WIDEST_BAR: Final = 9.0
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_TEXT: Final = 6.5
_GREY: Final = 205
_LIMIT: Final = (176, 0, 32)


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where a value stands on the page [mm]; x counts from 0 to `last`."""

    left: float
    top: float
    width: float
    height: float
    last: float
    low: float
    high: float

    def x(self, place: float) -> float:
        return self.left + self.width * (place / self.last if self.last else 0.5)

    def y(self, value: float) -> float:
        return self.top + self.height * (1.0 - (value - self.low) / (self.high - self.low))


def draw_chart(pdf: FPDF, chart: Chart) -> None:
    """Draw a chart over the width of the page, below what stands there already."""
    if pdf.will_page_break(HEIGHT_MM):
        pdf.add_page()
    left, top = pdf.l_margin, pdf.get_y()
    names, places = _places(chart.series)
    ticks = _ticks(chart)
    bars = any(series.kind == "bar" for series in chart.series)
    plane = _Plane(
        left + _LEFT,
        top + _TOP,
        pdf.epw - _LEFT - _RIGHT,
        HEIGHT_MM - _TOP - _BOTTOM,
        max(len(names) if bars else len(names) - 1, 1),
        ticks[0],
        ticks[-1],
    )
    _frame(pdf, plane, chart, ticks)
    _names(pdf, plane, names, 0.5 if bars else 0.0)
    for series in chart.series:
        points = [(places[_key(x)], y) for x, y in zip(series.x, series.y, strict=True)]
        pdf.set_draw_color(series.colour)
        pdf.set_fill_color(series.colour)
        if series.kind == "bar":
            _bars(pdf, plane, points)
        else:
            _line(pdf, plane, [(place + (0.5 if bars else 0.0), y) for place, y in points])
    _marks(pdf, plane, chart)
    pdf.set_draw_color(0)
    pdf.set_text_color(0)
    pdf.set_y(top + HEIGHT_MM + 2.0)


def _key(x: dt.datetime | str) -> str:
    return x if isinstance(x, str) else x.isoformat()


def _places(series: Sequence[Series]) -> tuple[list[str], dict[str, int]]:
    """Return what stands below the axis and where each x has its place, times in their order."""
    every = {_key(x): x for one in series for x in one.x}
    ordered = sorted(every) if any(isinstance(x, dt.datetime) for x in every.values()) else list(every)
    names = [f"{x:%H:%M}" if isinstance(x := every[key], dt.datetime) else x for key in ordered]
    return names, {key: place for place, key in enumerate(ordered)}


def _ticks(chart: Chart) -> list[float]:
    values = [y for series in chart.series for y in series.y if y is not None]
    values += [value for value, _ in chart.marks] + [0.0]
    low, high = min(values), max(values)
    rough = max(high - low, 1e-6) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [step * number for number in range(first, last + 1)]


def _frame(pdf: FPDF, plane: _Plane, chart: Chart, ticks: Sequence[float]) -> None:
    pdf.set_font_size(_TEXT + 1.5)
    title = f"{chart.title} [{chart.unit}]" if chart.unit else chart.title
    pdf.text(plane.left - _LEFT, plane.top - 4.5, title)
    pdf.set_font_size(_TEXT)
    x = plane.left + plane.width
    for series in reversed(chart.series if len(chart.series) > 1 else ()):
        x -= pdf.get_string_width(series.name) + 7.0
        pdf.set_fill_color(series.colour)
        pdf.rect(x, plane.top - 6.6, 3.0, 2.2, style="F")
        pdf.text(x + 4.0, plane.top - 4.5, series.name)
    pdf.set_line_width(0.1)
    for tick in ticks:
        pdf.set_draw_color(_GREY)
        pdf.line(plane.left, plane.y(tick), plane.left + plane.width, plane.y(tick))
        text = f"{tick:,.10g}"
        pdf.text(plane.left - 1.0 - pdf.get_string_width(text), plane.y(tick) + 0.8, text)


def _names(pdf: FPDF, plane: _Plane, names: Sequence[str], middle: float) -> None:
    room = max(pdf.get_string_width(name) for name in names) + 3.0 if names else 1.0
    every = max(1, math.ceil(len(names) * room / plane.width))
    if len(names) > 100 and names[0].count(":") == 1:  # a day in steps of ten minutes: whole hours, two apart
        shown = [(place, name) for place, name in enumerate(names) if name.endswith(":00") and int(name[:2]) % 2 == 0]
    else:
        shown = [(place, name) for place, name in enumerate(names) if place % every == 0]
    for place, name in shown:
        x = plane.x(place + middle) - pdf.get_string_width(name) / 2.0
        pdf.text(x, plane.top + plane.height + 3.5, name)


def _line(pdf: FPDF, plane: _Plane, points: Sequence[tuple[float, float | None]]) -> None:
    pdf.set_line_width(0.35)
    stretch: list[tuple[float, float]] = []
    for place, value in [*points, (0.0, None)]:
        if value is not None:
            stretch.append((plane.x(place), plane.y(value)))
            continue
        if len(stretch) > 1:
            pdf.polyline(stretch)
        elif stretch:
            pdf.circle(*stretch[0], 0.5, style="F")
        stretch = []


def _bars(pdf: FPDF, plane: _Plane, points: Sequence[tuple[float, float | None]]) -> None:
    width = min(plane.width / plane.last * 0.7, _WIDEST_BAR)
    base = plane.y(max(plane.low, min(plane.high, 0.0)))
    for place, value in points:
        if value:
            top = plane.y(value)
            pdf.rect(plane.x(place + 0.5) - width / 2.0, min(top, base), width, abs(base - top), style="F")


def _marks(pdf: FPDF, plane: _Plane, chart: Chart) -> None:
    pdf.set_draw_color(*_LIMIT)
    pdf.set_text_color(*_LIMIT)
    pdf.set_line_width(0.2)
    for value, name in chart.marks:
        pdf.set_dash_pattern(1.2, 0.8)
        pdf.line(plane.left, plane.y(value), plane.left + plane.width, plane.y(value))
        pdf.set_dash_pattern()
        pdf.text(plane.left + plane.width - pdf.get_string_width(name), plane.y(value) - 0.7, name)
