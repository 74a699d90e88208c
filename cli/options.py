"""Options that many commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Plants = Annotated[
    list[Path] | None, typer.Option("--plant", help="Station file, repeatable; default is the shipped Jinma station.")
]
LogMapFile = Annotated[Path | None, typer.Option("--map", help="Mapping file: how another's table becomes readings.")]
Broker = Annotated[str | None, typer.Option(help="MQTT broker, mqtt://[user:pass@]host:port or mqtts://...")]
Store = Annotated[str | None, typer.Option(help="sqlite:///PATH or influxdb://host:8086/ORG/BUCKET.")]
Journal = Annotated[str | None, typer.Option(help="Alarm journal, a SQLAlchemy URL of SQLite or PostgreSQL.")]
DataDir = Annotated[Path | None, typer.Option(help="Where this service keeps what is its own.")]
Scenario = Annotated[str | None, typer.Option(help="A shipped scenario or a scenario file.")]
Speed = Annotated[str | None, typer.Option(help="Station seconds per wall second (a ceiling), or max.")]
RunSpeed = Annotated[str | None, typer.Option("--speed", help="Station seconds per wall second, a ceiling.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same day.")]
Clock = Annotated[str | None, typer.Option(help="wall, or station to follow a simulator's clock.")]
Api = Annotated[str | None, typer.Option(help="Address of the API.")]
FirstStation = Annotated[str | None, typer.Option("--station", help="Station id; default is the first.")]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
