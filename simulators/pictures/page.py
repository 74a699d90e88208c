"""The page: charts and the table of figures in one file that opens anywhere, without a network."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from typing import Final

import plotly.io
from plotly.offline import get_plotlyjs

from simulators.block import DayTruth
from simulators.pictures.charts import Chart, Charts
from simulators.pictures.course import Course
from simulators.pictures.figures import Figure, figures
from simulators.pictures.texts import text

LANGUAGES: Final = ("en", "zh")
_CONFIG: Final = {"responsive": True, "displaylogo": False, "displayModeBar": False}
_STYLE: Final = """
:root { font-family: "Segoe UI", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif; color: #1d2429; }
body { margin: 0; background: #f2f4f6; }
header { padding: 14px 20px; background: #14303f; color: #fff; }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 14px; margin: 0 0 4px; }
header p { margin: 4px 0 0; font-size: 13px; opacity: .85; }
.sim { background: #ffd54f; color: #3a2c00; padding: 2px 8px; border-radius: 3px; font-size: 12px; margin-left: 10px; }
main { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; padding: 12px; }
section { background: #fff; border-radius: 6px; padding: 10px; box-shadow: 0 1px 2px #0002; min-width: 0; }
section.wide { grid-row: span 3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: right; padding: 3px 6px; border-bottom: 1px solid #e3e7ea; }
th:first-child, td:first-child { text-align: left; }
.in { color: #1b7a3d; } .out { color: #b00020; font-weight: 700; } .open { color: #6b767d; }
@media (max-width: 1300px) { main { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 760px) { main { grid-template-columns: minmax(0, 1fr); padding: 6px; } header { padding: 10px; } }
"""


def page(course: Course, origin: str, version: str, language: str = "en", truth: DayTruth | None = None) -> str:
    """Return a page of charts and figures as HTML, complete in itself.

    Args:
        course: What the station said; finished.
        origin: What it was made from, in words.
        version: Of this program.
        language: `en` or `zh`.
        truth: The plant's own account, where it is known.
    """
    first, last = (f"{course.local(int(t_ms)):%Y-%m-%d %H:%M}" for t_ms in (course.t_ms[0], course.t_ms[-1]))
    name = course.plant.label.in_language(language)
    title = html.escape(text("title", language, station=name, from_=first, to=last))
    made = html.escape(text("made", language, version=version, origin=origin))
    table = _table(figures(course), language) + ("" if truth is None else _account(truth, language))
    sections = [
        f'<section class="wide"><h2>{text("figures", language)}</h2><div class="scroll">{table}</div></section>'
    ]
    sections += [_section(chart) for chart in Charts(course, language).all()]
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style>
<script>{get_plotlyjs()}</script></head>
<body><header><h1>{title}<span class="sim">{text("simulated", language)}</span></h1><p>{made}</p></header>
<main>
{"".join(sections)}
</main></body></html>
"""


def _section(chart: Chart) -> str:
    drawn = plotly.io.to_html(
        chart.figure, include_plotlyjs=False, full_html=False, config=_CONFIG, div_id=f"chart-{chart.key}"
    )
    return f"<section><h2>{html.escape(chart.title)}</h2>{drawn}</section>\n"


def _table(found: Sequence[Figure], language: str) -> str:
    heads = "".join(f"<th>{text(key, language)}</th>" for key in ("figure", "found", "expected"))
    rows = [_row(figure, language) for figure in found]
    return f'<table id="figures"><tr>{heads}<th></th></tr>{"".join(rows)}</table>'


def _row(figure: Figure, language: str) -> str:
    expected = figure.expected
    word, style = {True: ("in", "in"), False: ("out", "out"), None: ("not_judged", "open")}[figure.judged]
    cells = [
        html.escape(expected.name.in_language(language)),
        f"{figure.value:.4g} {expected.unit}",
        f"{expected.low:g} .. {expected.high:g}",
        f'<span class="{style}">{text(word, language)}</span>',
    ]
    return f'<tr data-figure="{figure.key}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _account(truth: DayTruth, language: str) -> str:
    """Return the plant's own account as a table: every number of it that is not a list."""
    rows = []
    for field in dataclasses.fields(truth):
        value = getattr(truth, field.name)
        if isinstance(value, int | float):
            name = text(f"truth_{field.name}", language)
            rows.append(f"<tr><td>{html.escape(name)}</td><td>{value:.6g}</td></tr>")
    heading = text("own_account", language)
    return f'<h2>{heading}</h2><table id="truth">{"".join(rows)}</table>'
