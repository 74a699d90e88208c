"""A report as one HTML page that opens anywhere, without a network: charts by plotly, which stands in the page."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from api.reports.document import Chart, Document, Section, Table

_CONFIG: Final = {"responsive": True, "displaylogo": False, "displayModeBar": False}
_HEIGHT: Final = 300
_STYLE: Final = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")


def html_report(document: Document) -> bytes:
    """Return a document as a page."""
    stamp = f'<span class="sim">{escape(document.stamp)}</span>' if document.stamp else ""
    warnings = "".join(f"<li>{escape(one)}</li>" for one in document.warnings)
    noted = f'<ul class="warnings" role="note">{warnings}</ul>' if warnings else ""
    title = escape(document.title)
    page = f"""<!DOCTYPE html>
<html lang="{"zh-CN" if document.language == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>
<body><header><h1>{title}{stamp}</h1><p>{escape(document.made)}</p></header>
{noted}<main>
{"".join(_section(section) for section in document.sections)}</main></body></html>
"""
    return page.encode()


def _section(section: Section) -> str:
    figures = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in section.figures)
    parts = [f'<section id="{section.key}"><h2>{escape(section.title)}</h2>']
    parts += [f"<dl>{figures}</dl>" if figures else ""]
    parts += [f"<p>{escape(line)}</p>" for line in section.lines]
    parts += [_chart(chart) for chart in section.charts]
    parts += [_table(table) for table in section.tables]
    return "".join(parts) + "</section>\n"


def _table(table: Table) -> str:
    kinds = ["text" if place < table.texts else "n" for place in range(len(table.heads))]
    heads = "".join(
        f'<th scope="col" class="{kind}">{escape(head)}</th>' for kind, head in zip(kinds, table.heads, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="scroll"><table id="table-{table.key}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _chart(chart: Chart) -> str:
    figure = go.Figure()
    for one in chart.series:
        x, y = list(one.x), list(one.y)
        if one.kind == "bar":
            figure.add_bar(x=x, y=y, name=one.name, marker={"color": one.colour})
        else:
            figure.add_scatter(x=x, y=y, name=one.name, mode="lines", line={"color": one.colour, "width": 2})
    for value, name in chart.marks:
        figure.add_hline(y=value, line={"color": "#b00020", "dash": "dash", "width": 1}, annotation_text=name)
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 60, "r": 10, "t": 10, "b": 34},
        template="plotly_white",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        showlegend=len(chart.series) > 1,
    )
    if any(isinstance(x, str) for one in chart.series for x in one.x):
        figure.update_xaxes(type="category")
    else:
        figure.update_xaxes(tickformat="%H:%M", hoverformat="%H:%M")
    drawn: str = plotly.io.to_html(
        figure, include_plotlyjs=False, full_html=False, config=_CONFIG, div_id=f"chart-{chart.key}"
    )
    name = f"{chart.title} [{chart.unit}]" if chart.unit else chart.title
    return f"<h3>{escape(name)}</h3>{drawn}"
