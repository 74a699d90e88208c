"""`jinma capacity`: today's forecast as a table."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.http_api import get_json
from station.errors import FinalError
from station.settings import load_settings


def show_capacity(*, api: str | None, station: str | None, as_json: bool) -> None:
    """Print the newest forecast of a station.

    Raises:
        TransientError: The API does not answer.
        FinalError: It refuses, or knows no station.
    """
    settings = load_settings(api=api)
    if station is None:
        stations = get_json(settings, "/stations")["items"]
        if not stations:
            raise FinalError(f"{settings.api}: serves no station")
        station = stations[0]["id"]
    forecast = get_json(settings, f"/stations/{station}/capacity")
    if as_json:
        print(json.dumps(forecast, ensure_ascii=False))
    else:
        _print_table(forecast)


def _print_table(forecast: dict[str, Any]) -> None:
    table = Table(title=f"{forecast['station']}  {forecast['at']}", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    plan, done = forecast["plan"], forecast["done"]
    table.add_row("plan of the day", f"{plan['trucks']} trucks, {plan['kg']:.0f} kg")
    table.add_row("done", f"{done['trucks']} trucks, {done['kg']:.0f} kg")
    table.add_row("deliverable", _band(forecast["deliverable_kg"], "kg"))
    table.add_row("trucks servable", _band(forecast["trucks_servable"], ""))
    table.add_row(
        "shortfall", f"p50 {forecast['shortfall_kg']['p50']:.0f} kg, p90 {forecast['shortfall_kg']['p90']:.0f} kg"
    )
    table.add_row("probability", f"{forecast['shortfall_probability']:.2f}")
    table.add_row("short at", _or_none(forecast["shortfall_at"]))
    table.add_row("bottleneck", forecast["bottleneck"])
    table.add_row("trailer needed by", _or_none(forecast["trailer_needed_by"]))
    table.add_row("one train less", "fine" if forecast["n_minus_1_ok"] else "short")
    table.add_row("advice", forecast["advice"]["en"])
    table.add_row("", forecast["advice"]["zh"])
    if not forecast["valid"]:
        table.caption = "NOT VALID: inputs are missing or bad"
    Console().print(table)


def _band(values: dict[str, float], unit: str) -> str:
    return f"p10 {values['p10']:.0f}, p50 {values['p50']:.0f}, p90 {values['p90']:.0f} {unit}".rstrip()


def _or_none(value: object) -> str:
    return "-" if value is None else str(value)
