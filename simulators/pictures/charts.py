"""The charts, each a plotly figure; only this file knows how they are drawn."""

# Definitions of charts: long by nature, one statement a line on the page.

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from simulators.pictures.course import Course, Floats, SeenFill
from simulators.pictures.figures import dispensed_kg, flowing, sum_of
from simulators.pictures.texts import text

_COLOURS: Final = ("#1f6fb4", "#d1495b", "#2a9d5c", "#e08b16", "#7b4fb5", "#12869b", "#8c6a3f", "#5c6670")
_LIMIT: Final = "#b00020"
_STATE_COLOURS: Final = {
    # bays
    "absent": "#eceff1", "docked": "#c9b6e4", "earthed": "#a98bd0", "purging": "#e8c35a", "open": "#4c9f70",
    "empty": "#9aa5ab",
    # trains, chillers
    "stop": "#dfe4e7", "start": "#e8c35a", "loaded": "#2f7d4f", "unloaded": "#9fcfb0", "trip": "#c62828",
    # hoses
    "idle": "#eceff1", "connect": "#c9b6e4", "leak-check": "#e8c35a", "fill": "#2f7d4f", "hold": "#7fb8e0",
    "end": "#9aa5ab", "abort": "#ef8e2b", "fault": "#c62828",
}  # fmt: skip
_CURVES: Final = 10
"""Fills that are drawn as curves, spread over the stretch."""
_HEIGHT: Final = 300
_FLOAT32: Final = np.float32


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its name."""

    key: str
    title: str
    figure: go.Figure


class Charts:
    """All charts of one course in one language."""

    def __init__(self, course: Course, language: str) -> None:
        self.course, self.plant, self.language = course, course.plant, language
        # Local wall time without a zone is what the page shows.
        offset = course.local(int(course.t_ms[0])).utcoffset() or dt.timedelta()
        self._shift_ms = round(offset.total_seconds() * 1000)
        self._x = (course.t_ms + self._shift_ms).astype("datetime64[ms]")

    def all(self) -> list[Chart]:
        """Return every chart, in the order of the page."""
        made: list[tuple[str, Callable[[], go.Figure]]] = [
            ("banks", self._banks),
            ("trailers", self._trailers),
            ("bays", self._bays),
            ("trains", self._trains),
            ("flow", self._flow),
            ("compression", self._compression),
            ("hoses", self._hoses),
            ("queue", self._queue),
            ("hourly", self._hourly),
            ("fills", self._fills),
            ("fill_temperature", self._fill_temperature),
            ("curves_p", lambda: self._curves("pressure")),
            ("curves_t", lambda: self._curves("temperature")),
            ("temperatures", self._temperatures),
            ("delivery", self._delivery),
            ("power", self._power),
            ("specific", self._specific),
            ("balance", self._balance),
            ("detectors", self._detectors),
        ]
        return [Chart(key, self._text(key), draw()) for key, draw in made]

    # ---- supply and storage

    def _banks(self) -> go.Figure:
        figure = self._figure()
        for number, bank in enumerate(self.plant.banks):
            self._line(figure, self.course.of("storage", bank.unit, "pressure_a"), bank.unit, number)
        high = self.plant.signals[self.plant.tag("storage", self.plant.banks[0].unit, "pressure_a")].limits
        for name, value in high.items():
            if name in ("H", "HH"):
                self._limit(figure, value, name)
        return figure

    def _trailers(self) -> go.Figure:
        figure = self._figure()
        for number, bay in enumerate(self.plant.supply.bays):
            self._line(figure, self.course.of("trailer", bay, "pressure"), bay, number)
        self._line(figure, self.course.of("trailer", "header-lp", "pressure"), "header-lp", 7, width=1.0, dash="dot")
        self._limit(figure, self.plant.supply.floor_mpa, self._text("limit"))
        return figure

    def _bays(self) -> go.Figure:
        return self._strips("trailer", self.plant.supply.bays)

    # ---- compression

    def _trains(self) -> go.Figure:
        return self._strips("compression", [train.unit for train in self.plant.trains])

    def _flow(self) -> go.Figure:
        figure = self._figure()
        for number, train in enumerate(self.plant.trains):
            flow = self.course.of("compression", train.unit, "flow")
            self._line(figure, np.nan_to_num(flow), train.unit, number, width=0.5, stackgroup="flow")
        return figure

    def _compression(self) -> go.Figure:
        figure, unit = self._figure(), self.plant.trains[0].unit
        roles = ("suction_pressure", "interstage_pressure", "discharge_pressure")
        for number, role in enumerate(roles):
            self._line(figure, self.course.of("compression", unit, role), role.replace("_", " "), number, width=1.0)
        for number, role in enumerate(("stage1_temperature", "stage2_temperature"), 3):
            values = self.course.of("compression", unit, role)
            self._line(figure, values, role.replace("_", " "), number, width=1.0, yaxis="y2")
        figure.update_layout(yaxis2={"overlaying": "y", "side": "right", "showgrid": False, "tickformat": ".0f"})
        return figure

    # ---- trucks

    def _hoses(self) -> go.Figure:
        return self._strips("dispensing", [hose.unit for hose in self.plant.hoses])

    def _queue(self) -> go.Figure:
        figure = self._figure()
        self._line(figure, self.course.queue, self._text("waiting"), 0, line_shape="hv")
        times = [self._moment(t_ms) for t_ms, _ in self.course.waits]
        waits = [minutes for _, minutes in self.course.waits]
        figure.add_trace(go.Scatter(
            x=times, y=waits, mode="markers", name=self._text("wait"), marker={"color": _COLOURS[1], "size": 5},
        ))  # fmt: skip
        return figure

    def _hourly(self) -> go.Figure:
        total, per_hour = dispensed_kg(self.course), round(3_600_000 / float(np.diff(self.course.t_ms)[0]))
        marks = np.append(np.arange(0, len(total), per_hour), len(total) - 1)
        figure = self._figure()
        figure.add_trace(go.Bar(
            x=self._x[marks[:-1]], y=np.diff(total[marks]).astype(_FLOAT32), name=self._text("kilograms"),
            marker={"color": _COLOURS[0]}, offset=0, width=3_500_000,
        ))  # fmt: skip
        return figure

    def _fills(self) -> go.Figure:
        fills = self.course.fills
        return self._scatter(
            [fill.minutes for fill in fills], [fill.kg for fill in fills], fills, self._text("minutes"), "kg"
        )

    def _fill_temperature(self) -> go.Figure:
        fills = self.course.fills
        figure = self._scatter([fill.start_mpa for fill in fills], [fill.end_c for fill in fills], fills, "MPa", "degC")
        self._limit(figure, 85.0, "85 degC")
        return figure

    def _scatter(
        self, x: Sequence[float], y: Sequence[float], fills: Sequence[SeenFill], x_title: str, y_title: str
    ) -> go.Figure:
        figure = self._figure(time_axis=False)
        hover = [
            f"{self._moment(fill.end_ms)} {fill.hose}<br>{fill.kg:.1f} kg, {fill.end_mpa:.1f} MPa" for fill in fills
        ]
        figure.add_trace(go.Scatter(
            x=x, y=y, mode="markers", text=hover, name="", marker={
                "color": [fill.end_soc for fill in fills], "colorscale": "Viridis", "size": 8, "showscale": True,
                "colorbar": {"title": "SOC", "thickness": 10},
            },
        ))  # fmt: skip
        figure.update_layout(xaxis_title=x_title, yaxis_title=y_title, showlegend=False)
        return figure

    def _curves(self, role: str) -> go.Figure:
        figure = self._figure(time_axis=False)
        t_ms, fills = self.course.t_ms, self.course.fills
        chosen = [fills[i] for i in np.unique(np.linspace(0, len(fills) - 1, _CURVES).astype(int))] if fills else []
        for number, fill in enumerate(chosen):
            inside = (t_ms >= fill.fill_ms) & (t_ms <= fill.end_ms)
            minutes = (t_ms[inside] - fill.fill_ms) / 60_000.0
            name = f"{self._moment(fill.fill_ms)[11:16]} {fill.hose}"
            values = self.course.of("vehicle", fill.hose, role)[inside]
            figure.add_trace(go.Scatter(
                x=minutes, y=values.astype(_FLOAT32), name=name,
                line={"color": _COLOURS[number % len(_COLOURS)], "width": 1.5},
            ))  # fmt: skip
        figure.update_layout(xaxis_title=self._text("minutes"))
        if role == "temperature":
            self._limit(figure, 85.0, "85 degC")
        return figure

    # ---- temperatures, power, balance, gas

    def _temperatures(self) -> go.Figure:
        figure, course = self._figure(), self.course
        self._line(figure, course.of("utilities", "weather", "ambient_temperature"), self._text("ambient"), 7)
        for number, bank in enumerate(self.plant.banks):
            self._line(figure, course.of("storage", bank.unit, "temperature"), bank.unit, number, width=1.0)
        for number, bay in enumerate(self.plant.supply.bays):
            self._line(figure, course.of("trailer", bay, "temperature"), bay, number + 3, width=0.7, dash="dot")
        for number, chiller in enumerate(self.plant.chillers):
            name = text("brine", self.language, unit=chiller.unit)
            self._line(figure, course.of("cooling", chiller.unit, "supply_temperature"), name, number, width=1.5)
        return figure

    def _delivery(self) -> go.Figure:
        figure = self._figure()
        for number, hose in enumerate(self.plant.hoses):
            values = flowing(self.course, hose.unit, "delivery_temperature")
            self._line(figure, values, hose.unit, number, width=1.0)
        self._limit(figure, -8.0, "-8 degC")
        return figure

    def _power(self) -> go.Figure:
        figure, course = self._figure(), self.course
        self._line(figure, course.of("utilities", "power", "power"), self._text("site"), 7, width=1.0)
        trains, chillers = [t.unit for t in self.plant.trains], [c.unit for c in self.plant.chillers]
        self._line(figure, sum_of(course, "compression", trains, "power"), self._text("all_trains"), 0, width=1.0)
        self._line(figure, sum_of(course, "cooling", chillers, "power"), self._text("chillers"), 5, width=1.0)
        return figure

    def _specific(self) -> go.Figure:
        figure, kwh = self._figure(), self.course.of("utilities", "power", "energy")
        kg = dispensed_kg(self.course)
        # Before the first few fills the ratio says nothing.
        enough = kg > 200.0
        self._line(figure, np.where(enough, (kwh - kwh[0]) / np.maximum(kg, 1.0), np.nan), "kWh/kg", 4)
        self._limit(figure, 1.4, "")
        self._limit(figure, 1.7, "")
        return figure

    def _balance(self) -> go.Figure:
        audits = self.course.audits
        figure, x = self._figure(), [self._moment(terms.end_ms) for terms in audits]
        for sign in (1.0, -1.0):
            figure.add_trace(go.Scatter(
                x=x, y=[sign * terms.error for terms in audits], name=self._text("budget"), showlegend=sign > 0,
                line={"color": _LIMIT, "width": 1, "dash": "dash"},
            ))  # fmt: skip
        figure.add_trace(go.Scatter(
            x=x, y=[terms.unaccounted for terms in audits], name=self._text("unaccounted"),
            line={"color": _COLOURS[0], "width": 2},
        ))  # fmt: skip
        return figure

    def _detectors(self) -> go.Figure:
        figure = self._figure()
        places: dict[str, list[Floats]] = {}
        for signal in self.plant.signals.values():
            if signal.role == "gas":
                places.setdefault(signal.unit, []).append(self.course.column(signal.tag))
        for number, (unit, columns) in enumerate(places.items()):
            self._line(figure, np.max(columns, axis=0), unit, number, width=1.0)
        self._limit(figure, 10.0, "H")
        self._limit(figure, 25.0, "HH")
        return figure

    # ---- how it is drawn

    def _text(self, key: str) -> str:
        return text(key, self.language)

    def _moment(self, t_ms: int) -> str:
        return str(np.datetime64(t_ms // 1000 * 1000 + self._shift_ms, "ms"))[:19].replace("T", " ")

    def _figure(self, *, time_axis: bool = True) -> go.Figure:
        figure = go.Figure()
        figure.update_layout(
            template="plotly_white", height=_HEIGHT, margin={"l": 46, "r": 16, "t": 8, "b": 72},
            legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0.0, "font": {"size": 11}},
            hovermode="x" if time_axis else "closest",
            font={"size": 12},
        )  # fmt: skip
        if time_axis:
            figure.update_xaxes(range=[self._x[0], self._x[-1]])
        return figure

    def _line(
        self, figure: go.Figure, values: Floats, name: str, colour: int, *, width: float = 1.5, **more: Any
    ) -> None:
        line = {"color": _COLOURS[colour % len(_COLOURS)], "width": width, "dash": more.pop("dash", "solid")}
        line["shape"] = more.pop("line_shape", "linear")
        figure.add_trace(go.Scatter(
            x=self._x, y=values.astype(_FLOAT32), name=name, mode="lines", line=line, connectgaps=False, **more,
        ))  # fmt: skip

    @staticmethod
    def _limit(figure: go.Figure, value: float, name: str) -> None:
        figure.add_hline(
            y=value, line={"color": _LIMIT, "width": 1, "dash": "dash"}, annotation_text=name,
            annotation_position="top left", annotation_font={"size": 10, "color": _LIMIT},
        )  # fmt: skip

    def _strips(self, area: str, units: Iterable[str]) -> go.Figure:
        """Return a strip of states for each unit, coloured by state."""
        figure, units = self._figure(), list(units)
        signal = self.plant.signals[self.plant.tag(area, units[0], "state")]
        names = [state.in_language(self.language) for state in signal.states]
        colours = [_STATE_COLOURS.get(state.en, "#dddddd") for state in signal.states]
        count = len(colours)
        scale = [(edge / count, colour) for number, colour in enumerate(colours) for edge in (number, number + 1)]
        states = np.array([self.course.of(area, unit, "state") for unit in units], dtype=_FLOAT32)
        figure.add_trace(go.Heatmap(
            x=self._x, y=units, z=states, zmin=-0.5, zmax=count - 0.5, colorscale=scale, ygap=3, hoverinfo="x+y+z",
            colorbar={"tickvals": list(range(count)), "ticktext": names, "thickness": 10},
        ))  # fmt: skip
        figure.update_layout(hovermode="closest", margin={"b": 40})
        figure.update_yaxes(autorange="reversed")
        return figure
