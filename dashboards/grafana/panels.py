"""How panels look: calm greys, colour only for what is abnormal, limits as dashed lines, "no data" said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana.flux import DATASOURCE_TYPE, DATASOURCE_UID, FluxQuery
from dashboards.grafana.sdk import bargauge, common, dashboard, kinds, parts, stat, statetimeline, table, timeseries
from station.domain.plant import Signal
from station.domain.words import PRIORITY_WORDS

Steps = Sequence[tuple[float | None, str]]
Size = tuple[int, int]
"""Width of 24, height in steps of 38 pixels."""

NORMAL: Final = "#8e9aa6"
"""Grey-blue: what is as it should be has no colour (ISA-101)."""
WARNING, ALARM, QUANTITY = "#e0a100", "#d43c3c", "#5b8db8"
_PRIORITY_COLOURS: Final = {"critical": ALARM, "high": "#e8762d", "medium": WARNING, "low": "#5794f2"}
PRIORITIES: Final = {name: (PRIORITY_WORDS[name].zh, colour) for name, colour in _PRIORITY_COLOURS.items()}
"""Priority -> its Chinese word, its colour."""
STATE_COLOURS: Final = {
    "trip": ALARM, "fault": ALARM, "abort": WARNING, "empty": WARNING,
    "loaded": QUANTITY, "open": QUANTITY, "fill": QUANTITY, "run": QUANTITY,
    "unloaded": "#7f8f7a", "hold": "#7f8f7a", "defrost": "#7f8f7a",
    "start": "#a7b2bd", "connect": "#a7b2bd", "leak-check": "#a7b2bd", "purging": "#a7b2bd", "end": "#a7b2bd",
}  # fmt: skip
"""Every other state is grey. Colours repeat what the words in the bars say."""

NO_DATA: Final = "no data 无数据"
NONE: Final = "none 无"
SOURCE: Final = kinds.DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)
UNIT_LABEL: Final = "${__field.labels.unit}"
AREA_LABEL: Final = "${__field.labels.area}"
SIGNAL_NAME: Final = "${__field.name}"
CALM: Final[Steps] = ((None, NORMAL),)

_UNITS: Final = {
    "degC": "celsius",
    "%": "percent",
    "s": "s",
    "ms": "ms",
    "kW": "kwatt",
    "kWh": "kwatth",
    "V": "volt",
    "Hz": "hertz",
}
"""The station file's units that Grafana has; it has no MPa."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a panel says: its title in both languages, and what it shows, its limits, what to do about it."""

    en: str
    zh: str
    about: str = ""

    @property
    def title(self) -> str:
        """Both languages, for one dashboard serves both."""
        return f"{self.en} {self.zh}"


@dataclass(frozen=True, slots=True)
class Link:
    """A data link, builder and link in one: the SDK has builders for links of dashboards alone."""

    title: str
    url: str

    def build(self) -> dict[str, object]:
        """Return it as a field configuration takes it."""
        return {"title": self.title, "url": self.url, "targetBlank": True}


def unit_of(signal: Signal) -> str:
    """Return a signal's unit as Grafana writes it."""
    return _UNITS.get(signal.unit_of_measure, f"suffix: {signal.unit_of_measure}")


def thresholds(steps: Steps) -> Any:
    """Return thresholds; the first step has no lower end."""
    return dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(
        [parts.Threshold(value, colour) for value, colour in steps]
    )  # fmt: skip


def limit_steps(limits: Mapping[str, float]) -> list[tuple[float | None, str]]:
    """Return the steps of a signal's limits: alarm below LL, warning below L, normal, warning from H, alarm from HH."""
    below = [(limits[name], colour) for name, colour in (("LL", ALARM), ("L", WARNING)) if name in limits]
    steps: list[tuple[float | None, str]] = []
    start: float | None = None
    for end, colour in below:
        steps.append((start, colour))
        start = end
    steps.append((start, NORMAL))
    steps += [(limits[name], colour) for name, colour in (("H", WARNING), ("HH", ALARM)) if name in limits]
    return steps


def limits_text(limits: Mapping[str, float], unit: str) -> str:
    """Return the limits as a panel's description names them."""
    return "Limits " + ", ".join(f"{name} {value:g}" for name, value in limits.items()) + f" {unit}." if limits else ""


def state_mapping(signal: Signal) -> list[Any]:
    """Return the names and colours of a signal's states."""
    return number_mapping(
        {n: (f"{state.en} {state.zh}", STATE_COLOURS.get(state.en, NORMAL)) for n, state in enumerate(signal.states)}
    )


def number_mapping(names: Mapping[int, tuple[str, str]]) -> list[Any]:
    """Return the mapping number -> (text, colour)."""
    results = {str(n): parts.ValueMappingResult(text=t, color=c, index=n) for n, (t, c) in names.items()}
    return [parts.ValueMap(options=results)]


def own(name: str, value: object) -> Any:
    """Return one property of an override."""
    return parts.DynamicConfigValue(name, value)


def own_thresholds(steps: Steps) -> Any:
    """Return thresholds as a property of an override."""
    made = [parts.Threshold(value, colour) for value, colour in steps]
    return own("thresholds", parts.ThresholdsConfig(parts.ThresholdsMode.ABSOLUTE, made))


def named_series(panel: Any, names: Mapping[str, str]) -> Any:
    """Return the panel with other names for its series, by the name that the query gives."""
    for name, shown in names.items():
        panel = panel.override_by_name(name, [own("displayName", shown)])
    return panel


def _common(panel: Any, words: Words, queries: Iterable[str], size: Size) -> Any:
    panel = panel.title(words.title).description(words.about.strip()).datasource(SOURCE)
    panel = panel.span(size[0]).height(size[1])
    for number, query in enumerate(queries):
        panel = panel.with_target(FluxQuery(query, chr(ord("A") + number)))
    return panel.no_value(NO_DATA)


def _newest_only() -> Any:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _by_threshold() -> Any:
    return dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS)


def _legend(*, shown: bool) -> Any:
    mode = kinds.LegendDisplayMode.LIST if shown else kinds.LegendDisplayMode.HIDDEN
    return common.VizLegendOptions().display_mode(mode).placement(kinds.LegendPlacement.BOTTOM).show_legend(shown)


def value_panel(words: Words, queries: Sequence[str], size: Size, steps: Steps = CALM) -> Any:
    """Return a panel of big numbers, one a series; the whole tile has the colour of its step."""
    panel = (
        stat.Panel()
        .color_mode(kinds.BigValueColorMode.BACKGROUND)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["last"]).values(False))
        .thresholds(thresholds(steps))
        .color_scheme(_by_threshold())
    )
    return _common(panel, words, queries, size)


def trend_panel(
    words: Words,
    queries: Sequence[str],
    size: Size,
    *,
    unit: str,
    ends: tuple[float, float] | None = None,
    steps: Steps = CALM,
) -> Any:
    """Return a trend on a fixed axis with its limits as dashed lines.

    Args:
        words: Title and description.
        queries: Each gives series with a value a window, null where a silence begins.
        size: Of the panel.
        unit: As Grafana writes it.
        ends: Of the axis.
        steps: Limits.
    """
    style = kinds.GraphThresholdsStyleMode.DASHED if len(steps) > 1 else kinds.GraphThresholdsStyleMode.OFF
    panel = (
        timeseries.Panel()
        .unit(unit)
        .line_width(1)
        .interval("1s")
        .show_points(kinds.VisibilityMode.NEVER)
        .thresholds(thresholds(steps))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.PALETTE_CLASSIC))
        .legend(_legend(shown=True))
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.NONE))
    )
    if ends is not None:
        panel = panel.min(ends[0]).max(ends[1])
    return _common(panel, words, queries, size)


def columns_panel(words: Words, query: str, size: Size, unit: str) -> Any:
    """Return one column a window."""
    return (
        trend_panel(words, [query], size, unit=unit)
        .draw_style(kinds.GraphDrawStyle.BARS)
        .fill_opacity(60)
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.FIXED).fixed_color(QUANTITY))
        .min(0)
        .legend(_legend(shown=False))
    )


def timeline_panel(words: Words, queries: Sequence[str], size: Size, mappings: list[Any]) -> Any:
    """Return a timeline of states, one row a unit, equal neighbours merged, a silence left open."""
    panel = (
        statetimeline.Panel()
        .merge_values(True)
        .show_value(kinds.VisibilityMode.AUTO)
        .row_height(0.85)
        .interval("1s")
        .mappings(mappings)
        .thresholds(thresholds(CALM))
        .color_scheme(_by_threshold())
        .legend(_legend(shown=False))
    )
    return _common(panel, words, queries, size)


def bars_panel(words: Words, query: str, size: Size, unit: str, steps: Steps = ((None, QUANTITY),)) -> Any:
    """Return one bar a series, of its newest value."""
    panel = (
        bargauge.Panel()
        .unit(unit)
        .min(0)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .reduce_options(_newest_only())
        .thresholds(thresholds(steps))
        .color_scheme(_by_threshold())
    )
    return _common(panel, words, [query], size)


class _Table(table.Panel):  # type: ignore[misc]  # the SDK's classes are Any here
    """The SDK's builder, without the footer option that it always writes and Grafana 12 has no more."""

    def build(self) -> Any:
        made = super().build()
        made.options.footer = None
        return made


def list_panel(words: Words, query: str, size: Size, columns: Mapping[str, tuple[str, int]]) -> Any:
    """Return a table; `columns` in their order: name -> (header, width in pixels, 0 takes what is left)."""
    order = {name: number for number, name in enumerate(columns)}
    panel = (
        _Table()
        .show_header(True)
        .cell_options(kinds.TableAutoCellOptions())
        .thresholds(thresholds([(None, "text")]))
        .with_transformation(parts.DataTransformerConfig(id_val="organize", options={"indexByName": order}))
    )
    for name, (header, width) in columns.items():
        properties = [own("displayName", header)] + ([own("custom.width", width)] if width else [])
        panel = panel.override_by_name(name, properties)
    return _common(panel, words, [query], size)


def priority_column(panel: Any) -> Any:
    """Return the table with its priorities in words of both languages, coloured."""
    words = {
        name: parts.ValueMappingResult(text=f"{name} {zh}", color=colour, index=number)
        for number, (name, (zh, colour)) in enumerate(PRIORITIES.items())
    }
    return panel.override_by_name(
        "priority",
        [own("mappings", [parts.ValueMap(options=words)]), own("custom.cellOptions", {"type": "color-text"})],
    )
