"""`jinma back-test`: DOMAIN 4.6's scores of the forecast over simulated days."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from cli.back_test_day import DayMaker, Thrift
from cli.back_test_days import DayScript, day_of_scenario, mixed_day
from cli.back_test_page import page
from cli.progress import progress
from cli.simulator_side import scenario_named
from cli.stations import one_plant
from cli.stopping import StopRequest, stop_on_signals
from cli.version import VERSION
from station.domain.back_test import JudgedDay, Score, deciles, scores
from station.domain.plant import Plant
from station.errors import BadInputError, FinalError
from station.settings import load_settings

_NICE = 10
"""A back-test takes all the processor that it is given, for an hour: whatever else runs goes first."""


@dataclass(frozen=True, slots=True)
class BackTestPlan:
    """What to run.

    Attributes:
        days: How many.
        seed: Of the mix.
        jobs: Days made at a time.
        cache: Folder of what is kept.
        thrift: What is spared.
        scenarios: Shipped names or files that take turns; empty takes the mix.
        start: Date of the first day; None draws a season for each.
    """

    days: int
    seed: int
    jobs: int
    cache: Path
    thrift: Thrift
    scenarios: tuple[str, ...] = ()
    start: dt.date | None = None


def back_test(  # noqa: PLR0913 - one for each option
    *,
    days: int,
    seed: int,
    jobs: int,
    cache: Path | None,
    step: float,
    every: int,
    replicas: int,
    events: bool,
    scenarios: Sequence[str],
    start: str | None,
    output: Path | None,
    plant: list[Path] | None,
    as_json: bool,
) -> None:
    """Run a back-test, print its table and write its page.

    Raises:
        BadInputError: An option is wrong.
        FinalError: A day could not be made.
    """
    settings = load_settings(plant=plant)
    if not 1.0 <= step <= 10.0 or 60.0 % step:
        raise BadInputError(f"--step {step:g}: must be 1 to 10 s and divide a minute")
    if every % 5 or every < 5:
        raise BadInputError(f"--every {every}: must be a multiple of 5 min")
    folder = cache or settings.data_dir / "back-test"
    plan = BackTestPlan(
        days, seed, jobs, folder, Thrift(step, every, replicas=replicas, events=events), tuple(scenarios), _date(start)
    )
    of_station = one_plant(settings.plant)
    with progress("back-test", float(days)) as tell:
        judged = run_days(of_station, plan, lambda done: tell(float(done)))
    table = scores(judged, seed)
    if output is not None:
        output.write_text(page(of_station, judged, table, VERSION), encoding="utf-8")
    if as_json:
        print(json.dumps(_as_json(judged, table), ensure_ascii=False))
    else:
        print_scores(judged, table)


def _date(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"--start {text!r}: must be a date, e.g. 2026-07-01") from error


def scripts(plant: Plant, plan: BackTestPlan) -> list[DayScript]:
    """Return the days of a plan."""
    if not plan.scenarios:
        return [mixed_day(plant, plan.seed, number, plan.start) for number in range(plan.days)]
    played = [scenario_named(name, plant) for name in plan.scenarios]
    return [day_of_scenario(played[number % len(played)], plan.seed, number, plan.start) for number in range(plan.days)]


def run_days(plant: Plant, plan: BackTestPlan, tell: Callable[[int], None] = lambda _done: None) -> list[JudgedDay]:
    """Return the judged days of a plan, made in `jobs` processes, in the order of their numbers.

    Args:
        plant: The station.
        plan: What to run.
        tell: Told how many days are done.

    Raises:
        FinalError: A process died.
        typer.Exit: The end was asked for; days that are done stay in the cache.
    """
    maker, todo = DayMaker.of(plant, plan.cache, plan.thrift), scripts(plant, plan)
    if plan.jobs == 1:
        return [_told(maker.judged(script), number, tell) for number, script in enumerate(todo, start=1)]
    with stop_on_signals() as stop:
        return _in_processes(maker, todo, plan.jobs, stop, tell)


def _in_processes(
    maker: DayMaker, todo: Sequence[DayScript], jobs: int, stop: StopRequest, tell: Callable[[int], None]
) -> list[JudgedDay]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_start_worker) as pool:
        futures = [pool.submit(maker.judged, script) for script in todo]
        # A day takes a minute, and what is half made is worth nothing: the workers are ended at once.
        stop.tell(_end_workers)
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                tell(done)
        except BrokenProcessPool as error:
            if stop.is_set():
                raise typer.Exit(stop.exit_code) from None
            raise FinalError("a process of the back-test died; with fewer --jobs it needs less memory") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]


def _end_workers() -> None:
    for process in multiprocessing.active_children():
        process.terminate()


def _told(day: JudgedDay, done: int, tell: Callable[[int], None]) -> JudgedDay:
    tell(done)
    return day


def _start_worker() -> None:
    os.nice(_NICE)
    # Ctrl-C is for the command, which lets the pool end its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --- what is printed ---


def print_scores(days: Sequence[JudgedDay], table: Sequence[Score]) -> None:
    """Print the table."""
    short = sum(day.is_short for day in days)
    shown = Table(title=f"back-test: {len(days)} days, {short} short")
    for heading, align in (("score", "left"), ("demand", "right"), ("measured", "right")):
        shown.add_column(heading, justify="right" if align == "right" else "left")
    shown.add_column("90 % interval", justify="right")
    shown.add_column("days", justify="right")
    shown.add_column("met")
    for score in table:
        shown.add_row(
            score.name.en,
            score.demand.text(score.unit),
            _number(score.value),
            f"{_number(score.low)} .. {_number(score.high)}",
            str(score.days),
            {True: "[green]yes[/]", False: "[bold red]NO[/]", None: "-"}[score.met],
        )
    Console().print(shown)
    _print_deciles(days)


def _print_deciles(days: Sequence[JudgedDay]) -> None:
    shown = Table(title="reliability of the probability")
    for heading in ("said", "ended short", "forecasts"):
        shown.add_column(heading, justify="right")
    for row in deciles(days):
        shown.add_row(f"{row.probability:.2f}", f"{row.observed:.2f}", str(row.forecasts))
    Console().print(shown)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _as_json(days: Sequence[JudgedDay], table: Sequence[Score]) -> dict[str, Any]:
    return {
        "days": len(days),
        "short_days": sum(day.is_short for day in days),
        "scores": [
            {
                "key": score.key,
                "name": asdict(score.name),
                "unit": score.unit,
                "demand": {"low": score.demand.low, "high": score.demand.high},
                "value": score.value,
                "interval": [score.low, score.high],
                "days": score.days,
                "met": score.met,
            }
            for score in table
        ],
        "reliability": [asdict(row) for row in deciles(days)],
        "each_day": [day_as_json(day) for day in days],
    }


def day_as_json(day: JudgedDay) -> dict[str, Any]:
    """Return a day's outcome as JSON types."""
    first = day.first_alert
    return {
        "name": day.name,
        "onset": day.onset,
        "cause": day.cause,
        "plan_kg": round(day.plan_kg, 1),
        "kg": round(day.kg, 1),
        "short_kg": round(day.short_kg, 1),
        "short_minute": day.short_minute,
        "alert_minute": None if first is None else first.minute,
        "lead_minutes": day.lead_minutes,
        "named": None if first is None else first.bottleneck,
        "forecasts": len(day.points),
    }
