"""How panels look: calm greys, colour only for what is abnormal, limits as dashed lines, "no data" said in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.grafana.flux import DATASOURCE_TYPE, DATASOURCE_UID, FluxQuery
from dashboards.grafana.sdk import bargauge, common, dashboard, kinds, parts, stat, statetimeline, table, timeseries
from station.domain.plant import Signal

NORMAL: Final = "#8e9aa6"
"""Grey-blue: what is as it should be has no colour (ISA-101)."""
WARNING, ALARM, UNKNOWN = "#e0a100", "#d43c3c", "#b877d9"
PRIORITY_COLOURS: Final = {"critical": ALARM, "high": "#e8762d", "medium": WARNING, "low": "#5794f2"}
STATE_COLOURS: Final = {
    "trip": ALARM, "fault": ALARM, "abort": WARNING, "empty": WARNING,
    "loaded": "#5b8db8", "open": "#5b8db8", "fill": "#5b8db8", "unloaded": "#7f8f7a", "hold": "#7f8f7a",
    "start": "#a7b2bd", "connect": "#a7b2bd", "leak-check": "#a7b2bd", "purging": "#a7b2bd", "end": "#a7b2bd",
}  # fmt: skip
"""Every other state is grey. Colours repeat what the words in the bars say."""

NO_DATA: Final = "no data 无数据"
UNITS: Final = {"MPa": "suffix: MPa", "%LEL": "suffix: %LEL", "kg/h": "suffix: kg/h", "g/s": "suffix: g/s", "s": "s"}
SOURCE: Final = kinds.DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)

Steps = Sequence[tuple[float | None, str]]


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


def state_mapping(signal: Signal) -> list[Any]:
    """Return the names and colours of a signal's states."""
    results = {
        str(number): parts.ValueMappingResult(
            text=f"{state.en} {state.zh}", color=STATE_COLOURS.get(state.en, NORMAL), index=number
        )
        for number, state in enumerate(signal.states)
    }
    return [parts.ValueMap(options=results)]


def number_mapping(names: Mapping[int, tuple[str, str]]) -> list[Any]:
    """Return the mapping number -> (text, colour)."""
    results = {str(n): parts.ValueMappingResult(text=t, color=c, index=n) for n, (t, c) in names.items()}
    return [parts.ValueMap(options=results)]


def _common(panel: Any, title: str, description: str, queries: Sequence[str], size: tuple[int, int]) -> Any:
    panel = panel.title(title).description(description).datasource(SOURCE).span(size[0]).height(size[1])
    for number, query in enumerate(queries):
        panel = panel.with_target(FluxQuery(query, chr(ord("A") + number)))
    return panel.no_value(NO_DATA)


def value_panel(title: str, description: str, queries: Sequence[str], size: tuple[int, int], steps: Steps) -> Any:
    """Return a panel of big numbers, one a series."""
    panel = (
        stat.Panel()
        .color_mode(kinds.BigValueColorMode.BACKGROUND)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .thresholds(thresholds(steps))
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS))
    )
    return _common(panel, title, description, queries, size)


def trend_panel(
    title: str,
    description: str,
    queries: Sequence[str],
    size: tuple[int, int],
    *,
    unit: str,
    ends: tuple[float, float] | None = None,
    steps: Steps = ((None, NORMAL),),
) -> Any:
    """Return a trend on a fixed axis with its limits as dashed lines."""
    panel = (
        timeseries.Panel()
        .unit(UNITS.get(unit, unit))
        .line_width(1)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(120_000)  # a longer silence [ms] is seen as a gap
        .thresholds(thresholds(steps))
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                kinds.GraphThresholdsStyleMode.DASHED if len(steps) > 1 else kinds.GraphThresholdsStyleMode.OFF
            )
        )
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.NONE))
    )
    if ends is not None:
        panel = panel.min(ends[0]).max(ends[1])
    return _common(panel, title, description, queries, size)


def timeline_panel(title: str, description: str, query: str, size: tuple[int, int], mappings: list[Any]) -> Any:
    """Return a timeline of states, one row a unit, equal neighbours merged."""
    panel = (
        statetimeline.Panel()
        .merge_values(True)
        .show_value(kinds.VisibilityMode.AUTO)
        .row_height(0.85)
        .mappings(mappings)
        .thresholds(thresholds([(None, NORMAL)]))
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS))
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.HIDDEN)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(False)
        )
        .display_name("${__field.labels.unit}")
    )
    return _common(panel, title, description, [query], size)


def bars_panel(title: str, description: str, query: str, size: tuple[int, int], unit: str) -> Any:
    """Return one bar a unit, over the view."""
    panel = (
        bargauge.Panel()
        .unit(UNITS.get(unit, unit))
        .min(0)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .thresholds(thresholds([(None, "#5b8db8")]))
        .color_scheme(dashboard.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS))
        .display_name("${__field.labels.unit}")
    )
    return _common(panel, title, description, [query], size)


def alarm_table(title: str, description: str, query: str, size: tuple[int, int], link: tuple[str, str]) -> Any:
    """Return the list of alarm changes; priorities coloured, the id linked to the console."""
    colours = {name: parts.ValueMappingResult(text=name, color=colour) for name, colour in PRIORITY_COLOURS.items()}
    panel = (
        table.Panel()
        .show_header(True)
        .thresholds(thresholds([(None, "text")]))
        .override_by_name(
            "priority",
            [
                parts.DynamicConfigValue("mappings", [parts.ValueMap(options=colours)]),
                parts.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
            ],
        )
        .override_by_name(
            "id", [parts.DynamicConfigValue("links", [{"title": link[0], "url": link[1], "targetBlank": True}])]
        )
    )
    return _common(panel, title, description, [query], size)
