"""Publishing a simulated station to a broker until its time is over or somebody asks it to end."""

from __future__ import annotations

import datetime as dt
import threading
from functools import partial
from pathlib import Path
from typing import Final

import typer

from cli.progress import progress
from cli.stopping import stop_on_signals
from simulators.gateways.durable_outbox import FileKeeping
from simulators.gateways.outbox import Outbox
from simulators.gateways.publishing import OnProgress, Progress, Published, listening_filters, publish_station
from simulators.group import StationGroup
from simulators.station import SimulatedStation
from station.adapters.clocks import WallClock
from station.adapters.mqtt import MqttFeed, MqttPublisher
from station.adapters.mqtt_presence import Member, MqttPresence
from station.errors import TransientError
from station.wire import topics
from station.wire.plan_v1 import gateway_payload

_PATIENCE_S: Final = 10.0
"""A broker that is started beside us may take this long to answer."""
_PRESENT_MOST: Final = 20
"""Beyond so many stations the gateways have no connections of their own: 240 idle ones are as many as a broker with the
usual 1024 open files can spare. Their words then go out among the readings, without wills."""


def publish_to_broker(
    station: StationGroup,
    broker: str,
    speed: float | None,
    length: dt.timedelta | None,
    *,
    keeps_wall_time: bool,
    outbox: Path | None,
) -> None:
    """Publish stations; blocks.

    Raises:
        TransientError: The broker cannot be reached, or has not acknowledged all.
        typer.Exit: Asked to end by a signal.
    """
    begin_ms = station.t_ms
    total = length.total_seconds() if length else None
    until_ms = begin_ms + round(total * 1000) if total is not None else None
    with stop_on_signals() as stop, progress(f"publishing {station.name}", total) as tell:
        done = publish(
            station,
            broker,
            speed,
            stop.event,
            on_progress=lambda p: tell((p.t_ms - begin_ms) / 1000),
            until_ms=until_ms,
            keeps_wall_time=keeps_wall_time,
            outbox=outbox,
        )
    if not done.settled:
        raise TransientError(f"broker {broker.rpartition('@')[2]}: did not acknowledge everything before the end")
    if stop.is_set():
        raise typer.Exit(stop.exit_code)


def publish(
    station: SimulatedStation | StationGroup,
    broker: str,
    speed: float | None,
    stop: threading.Event,
    *,
    on_progress: OnProgress | None = None,
    until_ms: int | None = None,
    keeps_wall_time: bool = True,
    outbox: Path | None = None,
) -> Published:
    """Publish stations in this thread until `stop` or `until_ms`.

    Args:
        station: One, or several.
        broker: Its URL.
        speed: Station seconds per wall second; None for as fast as the broker takes it.
        stop: Ends it.
        on_progress: Told each wall second.
        until_ms: Station time of the end, epoch ms.
        keeps_wall_time: Whether station time is wall time.
        outbox: Folder in which the gateways keep what is not stored yet; memory without one.

    Raises:
        TransientError: The broker cannot be reached.
        DataDirectoryError: The folder is in use, or cannot be written.
    """
    group = station if isinstance(station, StationGroup) else StationGroup([station])
    kept = _outbox(group, outbox)
    try:
        first = group.stations[0]
        client = f"jinma-simulator-{first.plant.id}-{first.boot}"
        filters = [one for each in group.stations for one in listening_filters(each.plant.id)]
        publisher = MqttPublisher(broker, client, first_connect_s=_PATIENCE_S)
        try:
            return publish_station(
                group,
                publisher,
                speed,
                WallClock(),
                stop,
                on_progress,
                feed=MqttFeed(broker, f"{client}-in", filters, first_connect_s=_PATIENCE_S),
                until_ms=until_ms,
                keeps_wall_time=keeps_wall_time,
                outbox=kept,
                presence=_presence(group, broker),
            )
        finally:
            publisher.close(0.5)
    finally:
        kept.close()


def _outbox(group: StationGroup, folder: Path | None) -> Outbox:
    if folder is None:
        return Outbox(group.boots)
    return Outbox(group.boots, FileKeeping(folder, [one.plant for one in group.stations], group.boots))


def _presence(group: StationGroup, broker: str) -> MqttPresence | None:
    if len(group.stations) > _PRESENT_MOST:
        return None
    return MqttPresence(broker, [member for one in group.stations for member in _members(one)])


def _members(station: SimulatedStation) -> list[Member]:
    plant = station.plant.id
    return [
        Member(
            (plant, gateway.id),
            f"jinma-gateway-{plant}-{gateway.id}",
            topics.gateway(plant, gateway.id),
            partial(_word, station),
        )
        for gateway in station.plant.gateways
    ]


def _word(station: SimulatedStation, online: bool) -> bytes:
    return gateway_payload(station.t_ms, online=online, sim=True)


__all__ = ["Progress", "publish", "publish_to_broker"]
