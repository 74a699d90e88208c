"""What the live core leaves in the store: measurements `alarms` and `capacity` (contract section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from station.domain.alarm_views import AlarmView
from station.ports import ServicePoint
from station.wire.plan_v1 import parse_time

_TIMES: Final = frozenset({"horizon_end", "shortfall_at", "trailer_needed_by"})
BOTTLENECKS: Final = ("none", "trailers", "compression", "storage", "cooling", "dispensing")
"""Numbered in this order in the store, where a forecast is floats only."""


def alarm_point(station: str, view: AlarmView, t_ms: int) -> ServicePoint:
    """Return the point of an alarm's change at station time `t_ms`."""
    fields: dict[str, float | str] = {"state": view.state, "text_en": view.text.en, "text_zh": view.text.zh}
    if view.value is not None:
        fields["value"] = view.value
    tags = {"station": station, "id": view.id, "priority": view.priority}
    return ServicePoint("alarms", tags, fields, t_ms)


def capacity_point(station: str, at_ms: int, forecast: Mapping[str, object]) -> ServicePoint:
    """Return the point of a forecast: its numbers, nested names joined by `_`, bools 1 and 0, times epoch ms."""
    fields: dict[str, float | str] = {}
    for name, value in forecast.items():
        _flatten(name, value, fields)
    bottleneck = forecast.get("bottleneck")
    if bottleneck in BOTTLENECKS:
        fields["bottleneck"] = float(BOTTLENECKS.index(str(bottleneck)))
    return ServicePoint("capacity", {"station": station}, fields, at_ms)


def _flatten(name: str, value: object, fields: dict[str, float | str]) -> None:
    if isinstance(value, bool | int | float):
        fields[name] = float(value)
    elif isinstance(value, dict):
        for inner, item in value.items():
            _flatten(f"{name}_{inner}", item, fields)
    elif name in _TIMES and isinstance(value, str):
        fields[name] = float(parse_time(value))
