"""The overview of one station: is it safe, is the data fresh, can it serve its trucks, and how does each part stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.flux import FluxQuery, Questions
from dashboards.grafana.panels import ALARM, NORMAL, WARNING
from dashboards.grafana.sdk import dashboard, parts
from station.domain.plant import Plant, Signal

FOLDER_UID: Final = "jinma"
FOLDER_TITLE: Final = "Hydrogen stations 加氢站"
REFRESH: Final = "10s"
"""Not below the 10 s in which a person can take a new number in; readings come each second."""

_BOTTLENECKS: Final = ("none", "trailers", "compression", "storage", "cooling", "dispensing")
"""As the capacity points number them."""
_SILENT_AREAS: Final = frozenset({"vehicle", "quality"})
"""A vehicle speaks only while it fuels, the analyser every few minutes: their age says nothing of the data path."""

_AGE_LIMITS_S: Final = {"H": 15.0, "HH": 60.0}
"""For a station file without heartbeats: stale after 15 s (contract, section 7), lost after a minute."""
_SHORTFALL_KG: Final = 40.0
"""For a station file that does not set it: one average fill (contract, section 6)."""


def overview_uid(plant: Plant) -> str:
    """Return the fixed uid of a station's overview; Grafana takes at most 40 characters."""
    return f"h2-{plant.id}-overview"[:40]


def overview(plant: Plant, bucket: str, console_url: str) -> Any:
    """Return the dashboard of a station.

    Args:
        plant: Limits, states and tags come from its station file.
        bucket: Bucket of raw readings.
        console_url: Where the console is, without a slash at the end.
    """
    whole = _frame(plant, Questions(bucket), console_url)
    page = _Overview(plant, Questions(bucket), console_url)
    for title, row in page.rows():
        whole = whole.with_row(dashboard.Row(title))
        for panel in row:
            whole = whole.with_panel(panel)
    built = whole.build()
    _number(built)
    return built


def _frame(plant: Plant, questions: Questions, console_url: str) -> Any:
    station = (
        dashboard.QueryVariable("station")
        .label("Station 站")
        .datasource(panels.SOURCE)
        .query(questions.stations())
        # the limits drawn are this station file's; a replay of the station keeps them
        .regex(f"/^{plant.id}(~.*)?$/")
        .refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(parts.VariableSort.ALPHABETICAL_ASC)
        .current(parts.VariableOption(text=plant.id, value=plant.id, selected=True))
    )
    marks = (
        dashboard.AnnotationQuery()
        .name("Alarms 报警")
        .datasource(panels.SOURCE)
        .enable(True)
        .icon_color(ALARM)
        .target(FluxQuery(questions.alarm_marks(), "Alarms"))
    )
    return (
        dashboard.Dashboard(f"{plant.label.en} {plant.label.zh} - overview 总览")
        .uid(overview_uid(plant))
        .description("Made from the station file by `jinma dashboards`: a change by hand is lost with the next one.")
        .tags(["h2", "generated", plant.id])
        .timezone(str(plant.timezone))
        .refresh(REFRESH)
        .time("now-6h", "now")
        .tooltip(parts.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(station)
        .annotation(marks)
        .link(_link("Console 操作台", f"{console_url}/console"))
        .link(_link("Alarms 报警", f"{console_url}/console/alarms"))
        .link(_link("Capacity 能力", f"{console_url}/console/capacity"))
    )


def _link(title: str, url: str) -> Any:
    return dashboard.DashboardLink(title).type(parts.DashboardLinkType.LINK).url(url).target_blank(True)


def _number(built: Any) -> None:
    """Give panels ids in their order: an alert or a link names a panel by its id."""
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number


class _Overview:
    """The rows of the overview, top to bottom; what a station has not is left out."""

    def __init__(self, plant: Plant, questions: Questions, console_url: str) -> None:
        self._plant = plant
        self._ask = questions
        self._console = console_url

    def rows(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield (title, panels) of each row."""
        yield "Is it safe, is the data fresh? 安全与数据", list(self._safety())
        yield "Capacity 供氢能力", list(self._capacity())
        yield "Storage 储氢", list(self._storage())
        yield "Supply and compression 供气与压缩", list(self._supply())
        yield "Dispensing 加氢", list(self._dispensing())
        yield "Alarms 报警", [self._alarm_list()]

    def _playing(self, area: str, units: Iterable[str], role: str) -> list[Signal]:
        """Return the signals of a role, of the units that have it: stations are equipped differently."""
        own = set(units)
        return [s for s in self._plant.signals.values() if s.area == area and s.role == role and s.unit in own]

    def _anywhere(self, area: str, role: str) -> list[Signal]:
        return self._playing(area, (unit for _, unit in self._plant.units), role)

    def _safety(self) -> Iterator[Any]:
        gas = self._anywhere("fire_gas", "gas")
        if gas:
            about = f"Highest of {len(gas)} detectors in 2 minutes. Limits {_limits_text(gas[0])}."
            ask = self._ask.highest("fire_gas", [s.tag for s in gas])
            steps = panels.limit_steps(gas[0].limits)
            panel = panels.value_panel("Highest hydrogen 最高氢浓度", about, [ask], (5, 5), steps)
            yield panel.unit("suffix: %LEL").decimals(1)
        for level in self._anywhere("fire_gas", "esd_level"):
            yield self._esd(level)
        yield self._active_alarms()
        yield self._ages()

    def _esd(self, level: Signal) -> Any:
        names = {n: (f"{state.en} {state.zh}", ALARM if n else NORMAL) for n, state in enumerate(level.states)}
        return panels.value_panel(
            "Emergency shutdown 紧急停车",
            "Level of the station's own shutdown system, on change and each minute; 3 minutes' silence is no data.",
            [self._ask.newest("fire_gas", [level.tag], "3m")],
            (4, 5),
            [(None, NORMAL), (1.0, ALARM)],
        ).mappings(panels.number_mapping(names))

    def _active_alarms(self) -> Any:
        panel = panels.value_panel(
            "Active alarms 当前报警",
            "Active at the end of the view, acknowledged or not. Shelved and suppressed ones do not count.",
            [self._ask.active_alarms(priority) for priority in panels.PRIORITY_COLOURS],
            (8, 5),
            [(None, NORMAL)],
        )
        for number, (priority, colour) in enumerate(panels.PRIORITY_COLOURS.items()):
            steps = [parts.Threshold(None, NORMAL), parts.Threshold(1.0, colour)]
            panel = panel.override_by_query(
                chr(ord("A") + number),
                [
                    parts.DynamicConfigValue("displayName", priority),
                    parts.DynamicConfigValue(
                        "thresholds", parts.ThresholdsConfig(parts.ThresholdsMode.ABSOLUTE, steps)
                    ),
                ],
            )
        return panel

    def _ages(self) -> Any:
        areas = sorted({s.area for s in self._plant.signals.values()} - _SILENT_AREAS)
        heartbeats = self._anywhere("system", "heartbeat_age")
        limits = heartbeats[0].limits if heartbeats else _AGE_LIMITS_S
        return (
            panels.value_panel(
                "Data age 数据时延",
                "Time since the newest value of each area, by the clock of the store. Where a simulator runs at "
                "another speed than 1, it is the distance of its clock.",
                [self._ask.data_age(areas)],
                (7, 5),
                panels.limit_steps(limits),
            )
            .unit("s")
            .decimals(0)
            .display_name("${__field.labels._measurement}")
        )

    def _capacity(self) -> Iterator[Any]:
        kilograms, calm = "suffix: kg", [(None, NORMAL)]
        yield (
            self._forecast("Deliverable 可供氢量", "To the horizon, median.", "deliverable_kg_p50", 4, calm)
            .unit(kilograms)
            .decimals(0)
        )
        yield self._forecast("Trucks servable 可服务车辆", "To the horizon.", "trucks_servable_p50", 3, calm).decimals(
            0
        )
        short = [(None, NORMAL), (self._plant.parameters.get("shortfall_kg", _SHORTFALL_KG), ALARM)]
        yield (
            self._forecast("Shortfall today 今日缺口", "Asked and not delivered.", "shortfall_kg_p50", 4, short)
            .unit(kilograms)
            .decimals(0)
        )
        risk = [(None, NORMAL), (0.2, WARNING), (0.5, ALARM)]
        yield (
            self._forecast("Risk of shortfall 缺氢概率", "Smoothed.", "shortfall_probability", 3, risk)
            .unit("percentunit")
            .decimals(0)
        )
        names = {n: (name, NORMAL if n == 0 else WARNING) for n, name in enumerate(_BOTTLENECKS)}
        yield self._forecast("Bottleneck 瓶颈", "What limits the station.", "bottleneck", 4, calm).mappings(
            panels.number_mapping(names)
        )
        yield (
            panels.value_panel(
                "Dispensed against plan 已加与计划",
                "Kilograms of the station day.",
                [self._ask.forecast("done_kg", "plan_kg")],
                (6, 4),
                calm,
            )
            .unit(kilograms)
            .decimals(0)
            .display_name("${__field.labels._field}")
        )
        yield (
            panels.trend_panel(
                "Deliverable to the horizon 可供氢量趋势",
                "Forecast with its band, as it was at each moment.",
                [
                    self._ask.forecasts(
                        "deliverable_kg_p10", "deliverable_kg_p50", "deliverable_kg_p90", "shortfall_kg_p50"
                    )
                ],
                (24, 7),
                unit=kilograms,
            )
            .min(0)
            .display_name("${__field.labels._field}")
        )

    def _forecast(self, title: str, about: str, field: str, width: int, steps: panels.Steps) -> Any:
        text = f"{about} The newest forecast; one older than 15 minutes is not shown."
        return panels.value_panel(title, text, [self._ask.forecast(field)], (width, 4), steps)

    def _storage(self) -> Iterator[Any]:
        width = 24 // max(len(self._plant.banks), 1)
        for bank in self._plant.banks:
            sensors = [s for r in ("pressure_a", "pressure_b") for s in self._playing("storage", [bank.unit], r)]
            label = self._plant.units["storage", bank.unit].label
            yield from self._trend(f"{label.en} {label.zh}", "", sensors, (width, 8), "max", "_field")

    def _trend(
        self, title: str, about: str, signals: list[Signal], size: tuple[int, int], function: str, label: str = "unit"
    ) -> Iterator[Any]:
        """Yield the trend of like signals on the axis of their instruments, nothing where the station has none."""
        if not signals:
            return
        first = signals[0]
        low, high = first.instrument_range
        ask = self._ask.series(first.area, [s.tag for s in signals], function)
        about = f"{about} The {function} of each window. Limits {_limits_text(first)}.".strip()
        yield panels.trend_panel(
            title,
            about,
            [ask],
            size,
            unit=first.unit_of_measure,
            ends=(max(low, 0.0), high),
            steps=panels.limit_steps(first.limits),
        ).display_name(f"${{__field.labels.{label}}}")

    def _supply(self) -> Iterator[Any]:
        bays, trains = self._plant.supply.bays, [train.unit for train in self._plant.trains]
        pressures = self._playing("trailer", bays, "pressure")
        yield from self._trend("Trailers 长管拖车", "Pressure at each bay.", pressures, (12, 8), "max")
        yield from self._timeline("Bays 卸气位", "trailer", bays, 8)
        yield from self._timeline("Compressor trains 压缩机", "compression", trains, 7)
        flows = self._playing("compression", trains, "flow")
        yield from self._trend("Flow of each train 压缩流量", "", flows, (12, 7), "mean")

    def _timeline(self, title: str, area: str, units: Sequence[str], height: int) -> Iterator[Any]:
        signals = self._playing(area, units, "state")
        if signals:
            yield panels.timeline_panel(
                title,
                "States as the equipment reports them, on change and each minute.",
                self._ask.series(area, [s.tag for s in signals], "last"),
                (12, height),
                panels.state_mapping(signals[0]),
            )

    def _dispensing(self) -> Iterator[Any]:
        hoses = [hose.unit for hose in self._plant.hoses]
        yield from self._timeline("Hoses 加氢枪", "dispensing", hoses, 9)
        flows = self._playing("dispensing", hoses, "flow")
        yield from self._trend("Flow of each hose 加氢流量", "", flows, (12, 9), "max")
        states = [s for s in self._playing("dispensing", hoses, "state") if "end" in [name.en for name in s.states]]
        if states:
            ask = self._ask.fills([s.tag for s in states], states[0].state_number("end"))
            about = "Fills that reached their end, by hose."
            yield panels.bars_panel("Fills in the view 加注次数", about, ask, (12, 8), "short").decimals(0)
        totals = self._playing("dispensing", hoses, "total")
        if totals:
            ask = self._ask.dispensed([s.tag for s in totals])
            title, about = "Hydrogen dispensed in the view 加氢量", "Rise of each hose's counter."
            yield panels.bars_panel(title, about, ask, (12, 8), "suffix: kg").decimals(1)

    def _alarm_list(self) -> Any:
        return panels.alarm_table(
            "Alarms of the view 报警记录",
            "Each change of an alarm, newest first. Acknowledging is done in the console.",
            self._ask.alarm_list(),
            (24, 10),
            ("Console 操作台", f"{self._console}/console/alarms"),
        )


def _limits_text(signal: Signal) -> str:
    limits = ", ".join(f"{name} {value:g}" for name, value in signal.limits.items())
    return f"{limits} {signal.unit_of_measure}"
