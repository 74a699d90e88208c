"""The page of a back-test: table, reliability, leads and each day, in one file that opens anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from station.domain.back_test import JudgedDay, Score, deciles
from station.domain.plant import Plant

_CONFIG: Final = {"responsive": True, "displaylogo": False, "displayModeBar": False}
_HEIGHT: Final = 360
_STYLE: Final = """
:root { font-family: "Segoe UI", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif; color: #1d2429; }
body { margin: 0; background: #f2f4f6; }
header { padding: 14px 20px; background: #14303f; color: #fff; }
h1 { font-size: 20px; margin: 0; } h2 { font-size: 14px; margin: 0 0 4px; }
header p { margin: 4px 0 0; font-size: 13px; opacity: .85; }
.sim { background: #ffd54f; color: #3a2c00; padding: 2px 8px; border-radius: 3px; font-size: 12px; margin-left: 10px; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; padding: 12px; }
section { background: #fff; border-radius: 6px; padding: 10px; min-width: 0; overflow-x: auto; }
section.wide { grid-column: 1 / -1; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: right; padding: 3px 6px; border-bottom: 1px solid #e3e7ea; }
th:first-child, td:first-child { text-align: left; }
.in { color: #1b7a3d; } .out { color: #b00020; font-weight: 700; }
@media (max-width: 900px) { main { grid-template-columns: minmax(0, 1fr); } }
"""


def page(plant: Plant, days: Sequence[JudgedDay], table: Sequence[Score], version: str) -> str:
    """Return the page as HTML, complete in itself.

    Args:
        plant: The station.
        days: As judged.
        table: Their scores.
        version: Of this program.
    """
    short = sum(day.is_short for day in days)
    title = html.escape(f"{plant.label.en} · {plant.label.zh}: back-test of the forecast · 预测回测")
    made = f"jinma {html.escape(version)}; {len(days)} days, {short} short · {len(days)} 天，其中短缺 {short} 天"
    sections = [
        _section("Scores · 评分", _scores(table), wide=True),
        _section("Reliability of the probability · 概率可靠性", _drawn(_reliability(days), "reliability")),
        _section("Lead of the first shortage alert [min] · 首次短缺报警提前量 [分钟]", _drawn(_leads(days), "leads")),
        _section("Each day · 逐日结果", _each_day(days), wide=True),
    ]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>
<body><header><h1>{title}<span class="sim">SIMULATED · 模拟数据</span></h1><p>{made}</p></header>
<main>{"".join(sections)}</main></body></html>
"""


def _section(title: str, body: str, *, wide: bool = False) -> str:
    return f'<section class="{"wide" if wide else "chart"}"><h2>{title}</h2>{body}</section>\n'


def _drawn(figure: go.Figure, key: str) -> str:
    figure.update_layout(height=_HEIGHT, margin={"l": 50, "r": 10, "t": 10, "b": 40}, template="plotly_white")
    drawn: str = plotly.io.to_html(
        figure, include_plotlyjs=False, full_html=False, config=_CONFIG, div_id=f"chart-{key}"
    )
    return drawn


def _reliability(days: Sequence[JudgedDay]) -> go.Figure:
    rows = deciles(days)
    most = max((row.forecasts for row in rows), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": "#9aa5ab", "dash": "dash"}, name="perfect · 理想"
    )
    figure.add_scatter(
        x=[row.probability for row in rows],
        y=[row.observed for row in rows],
        text=[f"{row.forecasts}" for row in rows],
        mode="markers+lines+text",
        textposition="top center",
        marker={"size": [8 + 20 * (row.forecasts / most) ** 0.5 for row in rows], "color": "#1f6fb4"},
        name="forecasts · 预测次数",
    )
    figure.update_xaxes(title="said · 预测概率", range=[-0.05, 1.05])
    figure.update_yaxes(title="ended short · 实际短缺比例", range=[-0.05, 1.15])
    return figure


def _leads(days: Sequence[JudgedDay]) -> go.Figure:
    figure = go.Figure()
    for onset, colour, name in (
        ("supply", "#1f6fb4", "supply · 供应"),
        ("sudden", "#d1495b", "sudden · 突发"),
        ("standstill", "#7a7a7a", "standstill · 全站停止"),
        ("none", "#9aa5ab", "none · 无"),
    ):
        found = [day.lead_minutes for day in days if day.onset == onset and day.lead_minutes is not None]
        figure.add_histogram(x=found, name=name, marker={"color": colour}, xbins={"size": 30})
    figure.update_layout(barmode="stack")
    return figure


def _scores(table: Sequence[Score]) -> str:
    rows = []
    for score in table:
        word, style = {True: ("met · 达标", "in"), False: ("NOT MET · 未达标", "out"), None: ("-", "in")}[score.met]
        rows.append(
            [
                f"{html.escape(score.name.en)} · {score.name.zh}",
                html.escape(score.demand.text(score.unit)),
                _number(score.value),
                f"{_number(score.low)} .. {_number(score.high)}",
                str(score.days),
                f'<span class="{style}">{word}</span>',
            ]
        )
    heads = ("Score · 评分", "Demand · 要求", "Measured · 实测", "90 % interval · 区间", "Days · 天数", "")
    return _table("scores", heads, rows)


def _each_day(days: Sequence[JudgedDay]) -> str:
    heads = (
        "Day · 日", "Cause · 原因", "Short [kg] · 短缺", "At · 时刻", "Alert · 报警", "Lead [min] · 提前量",
        "Named · 判断瓶颈", "kg", "12:00: p10 .. p50 .. p90",
    )  # fmt: skip
    return _table("days", heads, [_day(day) for day in days])


def _day(day: JudgedDay) -> list[str]:
    first, noon = day.first_alert, day.at_hour(12.0)
    return [
        html.escape(day.name),
        day.cause or "-",
        f"{day.short_kg:.0f}",
        _clock(day.short_minute),
        _clock(None if first is None else first.minute),
        "-" if day.lead_minutes is None else f"{day.lead_minutes:.0f}",
        "-" if first is None else first.bottleneck,
        f"{day.kg:.0f}",
        "-" if noon is None else " .. ".join(f"{kg:.0f}" for kg in noon.kg),
    ]


def _clock(minute: float | None) -> str:
    return "-" if minute is None else f"{int(minute) // 60:02d}:{int(minute) % 60:02d}"


def _table(key: str, heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table id="{key}"><tr>{head}</tr>{body}</table>'


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
