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


class ChangeTimes:
    """When each alarm's newest change happened: by its own source time, whenever it was noticed."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int | None, int | None]] = {}

    def of(self, view: AlarmView, now_ms: int) -> int:
        """Return the station time of a change; an act that the view does not date happened at `now_ms`."""
        occurrence, cleared_at, acked_at = self._told.get(view.id, ("", None, None))
        self._told[view.id] = (view.occurrence, view.cleared_at, view.acked_at)
        if view.occurrence != occurrence and view.raised_at is not None:
            return view.raised_at
        if view.cleared_at not in (None, cleared_at):
            return view.cleared_at or now_ms
        if view.acked_at not in (None, acked_at):
            return view.acked_at or now_ms
        return now_ms


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
