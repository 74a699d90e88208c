"""`jinma capacity`: today's forecast as a table, alone or beside the one of a changed day."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.http_api import first_station, get_json, send_json
from station.errors import BadInputError
from station.settings import Settings, load_settings

Rows = list[tuple[str, str]]


def show_capacity(*, what_if: Path | None, api: str | None, station: str | None, as_json: bool) -> None:
    """Print the newest forecast of a station, or it and the one of a changed day side by side.

    Args:
        what_if: JSON or TOML file of what is asked to be otherwise: the body of the API's what-if.
        api: Address of the API.
        station: Its id; the first one without it.
        as_json: Print the API's answer.

    Raises:
        BadInputError: The file breaks a rule; it is named.
        TransientError: The API does not answer.
        FinalError: It refuses, or knows no station.
    """
    changes = None if what_if is None else _changes(what_if)
    settings = load_settings(api=api)
    station = station or first_station(settings)
    if what_if is None:
        answer = get_json(settings, f"/stations/{station}/capacity")
    else:
        answer = _what_if(settings, station, what_if, changes)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    elif what_if is None:
        _print_table([answer], ["forecast"])
    else:
        _print_table([answer["base"], answer["what_if"]], ["as it is", "what if"])


def _changes(file: Path) -> object:
    """Return what a file asks to be otherwise."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        return tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise BadInputError(f"{file}: line {error.lineno}: is not JSON: {error.msg}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{file}: is not TOML: {error}") from error


def _what_if(settings: Settings, station: str, file: Path, changes: object) -> Any:
    try:
        return send_json(settings, "POST", f"/stations/{station}/capacity/what-if", _plain(changes))
    except BadInputError as error:
        raise BadInputError(f"{file}: {error}") from error


def _plain(value: object) -> object:
    """Return a value as JSON has it: TOML's dates become text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _print_table(forecasts: list[dict[str, Any]], headings: list[str]) -> None:
    first = forecasts[0]
    table = Table(title=f"{first['station']}  {first['at']}", show_header=len(forecasts) > 1)
    table.add_column("", style="bold")
    for heading in headings:
        table.add_column(heading)
    columns = [_rows(forecast) for forecast in forecasts]
    for number, (label, _) in enumerate(columns[0]):
        values = [column[number][1] for column in columns]
        differs = len(set(values)) > 1
        table.add_row(label, *values, style="yellow" if differs else None)
    if not all(forecast["valid"] for forecast in forecasts):
        table.caption = "NOT VALID: inputs are missing or bad"
    Console().print(table)


def _rows(forecast: dict[str, Any]) -> Rows:
    plan, done, short = forecast["plan"], forecast["done"], forecast["shortfall_kg"]
    wait = forecast["queue_wait_minutes"]
    return [
        ("plan of the day", f"{plan['trucks']} trucks, {plan['kg']:.0f} kg"),
        ("done", f"{done['trucks']} trucks, {done['kg']:.0f} kg"),
        ("deliverable", _band(forecast["deliverable_kg"], "kg")),
        ("trucks servable", _band(forecast["trucks_servable"], "")),
        ("shortfall", f"p50 {short['p50']:.0f} kg, p90 {short['p90']:.0f} kg"),
        ("probability", f"{forecast['shortfall_probability']:.2f}"),
        ("short at", _or_none(forecast["shortfall_at"])),
        ("bottleneck", forecast["bottleneck"]),
        ("wait in line", f"p50 {wait['p50']:.0f}, p90 {wait['p90']:.0f} min"),
        ("trailer needed by", _or_none(forecast["trailer_needed_by"])),
        ("one train less", "fine" if forecast["n_minus_1_ok"] else "short"),
        ("advice", forecast["advice"]["en"]),
        ("", forecast["advice"]["zh"]),
    ]


def _band(values: dict[str, float], unit: str) -> str:
    return f"p10 {values['p10']:.0f}, p50 {values['p50']:.0f}, p90 {values['p90']:.0f} {unit}".rstrip()


def _or_none(value: object) -> str:
    return "-" if value is None else str(value)
