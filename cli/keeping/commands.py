"""Commands that look after what is kept: doctor, backup, restore."""

# Imports inside the functions keep `jinma --help` and the small commands quick.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.failures import reported
from cli.options import Api, Broker, DataDir, Journal, Json, Plants, Store

keeping_commands = typer.Typer()

SpoolFolder = Annotated[Path | None, typer.Option("--spool", help="The spool, where it is not in the data directory.")]
File = Annotated[Path, typer.Argument(help="The backup, one file (a zip).")]


@keeping_commands.command(epilog="Example: jinma doctor --fix")
@reported
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    data_dir: DataDir = None,
    broker: Broker = None,
    store: Store = None,
    journal: Journal = None,
    spool: SpoolFolder = None,
    api: Api = None,
    grafana: Annotated[str | None, typer.Option(help="Address of Grafana, where there is one.")] = None,
    keep: Annotated[str | None, typer.Option(help="How long readings are to be kept, e.g. 30d.")] = None,
    plant: Plants = None,
    json: Json = False,
) -> None:
    """Say what is reachable, what is missing, how long the disk lasts, and what mends it; ends with 1 at a fault."""
    from cli.keeping.doctor import doctor as look
    from station.settings import load_settings

    settings = load_settings(
        data_dir=data_dir, broker=broker, store=store, journal=journal, spool=spool, api=api, keep=keep, plant=plant
    )
    raise typer.Exit(look(settings, grafana=grafana, fix=fix, as_json=json))


@keeping_commands.command(epilog="Example: jinma backup jinma-2026-11-30.zip")
@reported
def backup(
    file: File,
    data_dir: DataDir = None,
    store: Store = None,
    journal: Journal = None,
    spool: SpoolFolder = None,
    plant: Plants = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a backup of that name.")] = False,
    json: Json = False,
) -> None:
    """Save everything in one file while the service runs: readings, alarms, people, plans, spool, settings."""
    from cli.keeping.backup import backup as save
    from station.settings import load_settings

    settings = load_settings(data_dir=data_dir, store=store, journal=journal, spool=spool, plant=plant)
    save(file, settings, overwrite=overwrite, as_json=json)


@keeping_commands.command(epilog="Example: jinma restore jinma-2026-11-30.zip --data-dir fresh")
@reported
def restore(
    file: File,
    data_dir: DataDir = None,
    store: Store = None,
    journal: Journal = None,
    spool: SpoolFolder = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Set aside what is there; a database and buckets are written over.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only read the backup and compare its checksums.")] = False,
    json: Json = False,
) -> None:
    """Lay a backup down where nothing is yet, its checksums compared first."""
    from cli.keeping.restore import restore as lay_down
    from station.settings import load_settings

    settings = load_settings(data_dir=data_dir, store=store, journal=journal, spool=spool)
    lay_down(file, settings, overwrite=overwrite, check_only=check, as_json=json)
