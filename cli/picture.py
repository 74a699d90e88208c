"""`jinma picture`: a simulated day, or a recorded log, as one page of charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cli import durations
from cli.progress import progress
from cli.simulate import LOG_START
from cli.simulator_side import new_station, scenario_named
from cli.stations import one_plant
from cli.version import VERSION
from simulators.block import DayTruth
from simulators.measuring.stated_accuracy import stated_accuracy
from simulators.pictures import Course, page
from simulators.pictures.texts import text
from simulators.station import SimulatedStation
from station.adapters.log_files import read_log
from station.domain.plant import Plant
from station.errors import BadInputError
from station.settings import Settings, load_settings

_A_DAY: Final = dt.timedelta(hours=24)
_GRAIN_S: Final = 20.0
"""Of the pictures: a fill of 12 minutes has 36 points."""
_FINE: Final = dt.timedelta(hours=30)
"""Up to here the plant goes in steps of 1 s, longer ones in 10 s."""
_LONGEST: Final = dt.timedelta(days=14)
"""Longer, and neither the eye nor the browser has any use of it."""
_BLOCK_S: Final = 600.0


def draw_picture(
    *,
    log: Path | None,
    output: Path,
    scenario: str | None,
    start: str | None,
    duration: str | None,
    seed: int | None,
    plant: list[Path] | None,
    language: str,
) -> None:
    """Write the page of a simulated stretch of days, or of a log.

    Raises:
        BadInputError: An option is wrong, or the log holds nothing of the station.
    """
    if language not in ("en", "zh"):
        raise BadInputError(f"--lang = {language!r}: must be en or zh")
    settings = load_settings(scenario=scenario, seed=seed, plant=plant)
    of_station = one_plant(settings.plant)
    course = Course(of_station, stated_accuracy(of_station), _GRAIN_S)
    truth: DayTruth | None = None
    if log is not None:
        if scenario or start or duration or seed is not None:
            raise BadInputError("a log is as it is: --scenario, --start, --duration and --seed are for a simulation")
        origin = text("of_log", language, file=log.name)
        _take(course, ((record.topic, record.payload) for record in read_log(log)))
    else:
        origin = text("of_scenario", language, scenario=settings.scenario, seed=settings.seed)
        truth = _simulate(course, of_station, settings, start, duration)
    course.finish()
    output.write_text(page(course, origin, VERSION, language, truth), encoding="utf-8")
    print(output)


def _take(course: Course, messages: Iterable[tuple[str, bytes]]) -> None:
    for topic, payload in messages:
        course.take(topic, payload)


def _simulate(course: Course, plant: Plant, settings: Settings, start: str | None, duration: str | None) -> DayTruth:
    length = durations.duration(duration, "--duration") if duration else _A_DAY
    if length > _LONGEST:
        raise BadInputError(f"--duration: at most {_LONGEST.days} days make a picture")
    begin = dt.datetime.fromtimestamp(durations.moment_ms(start or LOG_START, "--start") / 1000, dt.UTC)
    station = new_station(plant, scenario_named(settings.scenario), begin.replace(microsecond=0), settings.seed)
    _take(course, _said(station, length))
    return station.physics.truth()


def _said(station: SimulatedStation, length: dt.timedelta) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) of what a station says at the pictures' grain."""
    step_s = 1.0 if length <= _FINE else 10.0
    every = dt.timedelta(seconds=_GRAIN_S)
    left = length.total_seconds() // step_s * step_s
    with progress(f"simulating {station.plant.id}", left) as tell:
        yield from station.retained()
        done = 0.0
        while done < left:
            block_s = min(left - done, _BLOCK_S)
            for _, topic, payload, _ in station.emissions(block_s, step_s=step_s, every=every):
                yield topic, payload
            done += block_s
            tell(done)
