"""Publishing a simulated station to a broker until its time is over or somebody asks it to end."""

from __future__ import annotations

import datetime as dt
import threading

import typer

from cli.progress import progress
from cli.stopping import stop_on_signals
from simulators.publishing import OnProgress, Progress, Published, listening_filters, publish_station
from simulators.station import SimulatedStation
from station.adapters.clocks import WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.errors import TransientError

_PATIENCE_S = 10.0
"""A broker that is started beside us may take this long to answer."""


def publish_to_broker(
    station: SimulatedStation, broker: str, speed: float | None, length: dt.timedelta | None, *, keeps_wall_time: bool
) -> None:
    """Publish a station; blocks.

    Raises:
        TransientError: The broker cannot be reached, or has not acknowledged all.
        typer.Exit: Asked to end by a signal.
    """
    begin_ms = station.t_ms
    total = length.total_seconds() if length else None
    until_ms = begin_ms + round(total * 1000) if total is not None else None
    with stop_on_signals() as stop, progress(f"publishing {station.plant.id}", total) as tell:
        done = publish(
            station,
            broker,
            speed,
            stop.event,
            on_progress=lambda p: tell((p.t_ms - begin_ms) / 1000),
            until_ms=until_ms,
            keeps_wall_time=keeps_wall_time,
        )
    if not done.settled:
        raise TransientError(f"broker {broker.rpartition('@')[2]}: did not acknowledge everything before the end")
    if stop.is_set():
        raise typer.Exit(stop.exit_code)


def publish(
    station: SimulatedStation,
    broker: str,
    speed: float | None,
    stop: threading.Event,
    *,
    on_progress: OnProgress | None = None,
    until_ms: int | None = None,
    keeps_wall_time: bool = True,
) -> Published:
    """Publish a station in this thread until `stop` or `until_ms`.

    Raises:
        TransientError: The broker cannot be reached.
    """
    client = f"jinma-simulator-{station.plant.id}-{station.boot}"
    publisher = MqttPublisher(broker, client, first_connect_s=_PATIENCE_S)
    feed = MqttFeed(broker, f"{client}-in", listening_filters(station.plant.id), first_connect_s=_PATIENCE_S)
    try:
        return publish_station(
            station,
            publisher,
            speed,
            WallClock(),
            stop,
            on_progress,
            feed=feed,
            until_ms=until_ms,
            keeps_wall_time=keeps_wall_time,
        )
    finally:
        publisher.close(0.5)


__all__ = ["Progress", "publish", "publish_to_broker"]
