"""`jinma simulate`: the simulated sensors, to a broker or to a log."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from cli import durations
from cli.progress import progress
from cli.simulator_side import new_station, scenario_named
from cli.stations import copies_of, one_plant, write_copies
from cli.version import VERSION
from simulators.group import StationGroup
from simulators.logs import station_log
from station.adapters.log_files import NULL, check_suffix, write_log
from station.errors import BadInputError
from station.settings import Settings, load_settings

LOG_START = "2026-06-01T00:00:00+08:00"
_A_DAY = dt.timedelta(hours=24)


def simulate_station(  # noqa: PLR0913 - one for each option
    *,
    broker: str | None,
    output: Path | None,
    scenario: str | None,
    start: str | None,
    duration: str | None,
    every: str | None,
    speed: str | None,
    seed: int | None,
    truth: Path | None,
    stations: int,
    outbox: Path | None,
    write_plants: Path | None,
    plant: list[Path] | None,
    as_json: bool,
) -> None:
    """Publish the sensors of a station or of several, or write a log of them; print the plant's account if asked."""
    settings = load_settings(broker=broker, scenario=scenario, seed=seed, plant=plant)
    if output is not None and broker is not None:
        raise BadInputError("--output and --broker: name one of the two")
    if write_plants is not None:
        for file in write_copies(settings.plant, stations, write_plants):
            print(file)
        return
    if outbox is not None and output is not None:
        raise BadInputError("--outbox: works with --broker; a log is never sent again")
    if output is not None and output.name != NULL:
        check_suffix(output)
    length = durations.duration(duration, "--duration") if duration else None
    coarse = durations.duration(every, "--every") if every else None
    if output is not None:
        station = _stations(settings, start or LOG_START, stations)
        _write(station, settings, output, length or _A_DAY, coarse)
    else:
        if settings.broker is None:
            raise BadInputError("--broker or --output: name one of the two")
        from cli.publish import publish_to_broker  # noqa: PLC0415 - the log needs no MQTT

        if coarse is not None:
            raise BadInputError("--every: works with --output; a broker gets each signal at its own rate")
        station = _stations(settings, start, stations)
        pace = durations.speed(speed) if speed is not None else settings.speed
        publish_to_broker(station, settings.broker, pace, length, keeps_wall_time=start is None, outbox=outbox)
    _tell_truth(station, truth, as_json=as_json)


def _stations(settings: Settings, start: str | None, count: int) -> StationGroup:
    """Return so many stations of one kind, each with a seed of its own, all at the moment of the start."""
    plant = one_plant(settings.plant)
    begin_ms = durations.moment_ms(start, "--start") if start else None
    begin = dt.datetime.fromtimestamp(begin_ms / 1000, dt.UTC) if begin_ms is not None else dt.datetime.now(dt.UTC)
    scenario = scenario_named(settings.scenario, plant)
    moment = begin.replace(microsecond=0)
    return StationGroup(
        [new_station(each, scenario, moment, settings.seed + k) for k, each in enumerate(copies_of(plant, count))]
    )


def _write(
    station: StationGroup, settings: Settings, output: Path, length: dt.timedelta, every: dt.timedelta | None
) -> None:
    begin_ms = station.t_ms
    header = {
        "made_by": f"jinma {VERSION}",
        "version": VERSION,
        "station": ",".join(station.boots),
        # No path: the same day is the same bytes anywhere.
        "scenario": Path(settings.scenario).name.removesuffix(".toml"),
        "seed": settings.seed,
        "start": dt.datetime.fromtimestamp(begin_ms / 1000, dt.UTC).isoformat(),
        "duration_s": length.total_seconds(),
        "every_s": None if every is None else every.total_seconds(),
        "sim": True,
    }
    with progress(f"simulating {station.name}", length.total_seconds()) as tell:
        write_log(
            output,
            station_log(station, length, every=every, on_time=lambda t_ms: tell((t_ms - begin_ms) / 1000)),
            header,
        )


def _tell_truth(stations: StationGroup, file: Path | None, *, as_json: bool) -> None:
    """Tell one station's account as it is, those of several by the stations' ids."""
    accounts = {one.plant.id: dataclasses.asdict(one.physics.truth()) for one in stations.stations}
    brief = {
        id_: {name: value for name, value in said.items() if not name.endswith("_list")}
        for id_, said in accounts.items()
    }
    several = len(accounts) > 1
    whole: dict[str, Any] = accounts if several else next(iter(accounts.values()))
    short: dict[str, Any] = brief if several else next(iter(brief.values()))
    if file is not None:
        file.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(short))
