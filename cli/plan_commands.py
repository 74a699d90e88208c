"""Commands about what is planned: the day, and the station itself."""

# Imports inside the functions keep `jinma --help` and the small commands quick.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.failures import reported
from cli.options import Api, FirstStation, Json

plan_commands = typer.Typer(no_args_is_help=True, help="The plan of a day: bookings and trailers.")
plant_commands = typer.Typer(no_args_is_help=True, help="Station files.")


@plan_commands.command("import", epilog="Example: jinma plan import bookings.csv --date 2026-11-24")
@reported
def plan_import(
    file: Annotated[Path, typer.Argument(help="CSV: kind (truck or trailer), id, time, kg, bay.")],
    date: Annotated[str | None, typer.Option(help="Station day; default is today.")] = None,
    api: Api = None,
    station: FirstStation = None,
    json: Json = False,
) -> None:
    """Take a day's bookings and trailers out of a CSV file, and say whether the station can carry them."""
    from cli.plans import import_plan

    import_plan(file, date=date, api=api, station=station, as_json=json)


@plan_commands.command("show", epilog="Example: jinma plan show 2026-11-24")
@reported
def plan_show(
    date: Annotated[str | None, typer.Argument(help="Station day; default is today.")] = None,
    api: Api = None,
    station: FirstStation = None,
    json: Json = False,
) -> None:
    """Show the plan of a day."""
    from cli.plans import show_plan

    show_plan(date, api=api, station=station, as_json=json)


@plant_commands.command("from-csv", epilog="Example: jinma plant from-csv signals.csv > my-station.toml")
@reported
def plant_from_csv(
    file: Annotated[Path, typer.Argument(help="Signal list, CSV.")],
    station: Annotated[str, typer.Option(help="Id of the new station.")] = "my-station",
) -> None:
    """Print a first station file made from a signal list."""
    from cli.check import print_plant_from_csv

    print_plant_from_csv(file, station)
