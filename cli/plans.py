"""`jinma plan`: a day's bookings and trailers, out of a CSV file and on the screen."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from cli.http_api import first_station, get_json, send
from station.errors import BadInputError
from station.settings import Settings, load_settings


def import_plan(file: Path, *, date: str | None, api: str | None, station: str | None, as_json: bool) -> None:
    """Put a CSV file as the plan of a day, and say whether the station can carry it.

    Raises:
        BadInputError: The file, or a line of it, breaks a rule; then nothing is taken.
        TransientError: The API does not answer.
        FinalError: It refuses.
    """
    data = file.read_bytes()
    settings = load_settings(api=api)
    station = station or first_station(settings)
    day = _day(settings, station, date, "--date")
    try:
        answer = send(settings, "PUT", f"/stations/{station}/plan/{day}", data, "text/csv")
    except BadInputError as error:
        raise BadInputError(f"{file}: {error}") from error
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    trucks, trailers = answer["trucks"], answer["trailers"]
    kg = sum(row["kg"] for row in trucks)
    print(f"{station} {day}: {len(trucks)} trucks, {kg:.0f} kg; {len(trailers)} trailers")
    if answer["feasible"] is not None:
        print(answer["feasible"]["text"]["en"])
        print(answer["feasible"]["text"]["zh"])


def show_plan(date: str | None, *, api: str | None, station: str | None, as_json: bool) -> None:
    """Print the plan of a day.

    Raises:
        TransientError: The API does not answer.
        FinalError: It has none, or refuses.
    """
    settings = load_settings(api=api)
    station = station or first_station(settings)
    day = _day(settings, station, date, "DATE")
    plan = get_json(settings, f"/stations/{station}/plan/{day}")
    if as_json:
        print(json.dumps(plan, ensure_ascii=False))
    else:
        _print_table(station, plan)


def _day(settings: Settings, station: str, text: str | None, option: str) -> dt.date:
    """Return a station day; where none was named, today by the station's own clock and zone."""
    if text is None:
        at = get_json(settings, f"/stations/{station}/capacity")["at"]
        zone = ZoneInfo(get_json(settings, f"/stations/{station}")["timezone"])
        return dt.datetime.fromisoformat(at).astimezone(zone).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{option} {text!r}: must be a date such as 2026-11-23") from error


def _print_table(station: str, plan: dict[str, Any]) -> None:
    table = Table("time", "kind", "id", "kg", "bay", title=f"{station}  {plan['date']}  ({plan['source']})")
    rows = [(truck["time"], "truck", truck["id"], truck["kg"], "") for truck in plan["trucks"]]
    rows += [(one["eta"], "trailer", one["id"], one["kg"], one["bay"] or "") for one in plan["trailers"]]
    for time, kind, name, kg, bay in sorted(rows):
        table.add_row(time, kind, name, f"{kg:g}", bay)
    Console().print(table)
