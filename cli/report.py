"""`jinma report`: the report of a station day, from store and journal, as a file or in figures."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.table import Table

from api.reports.composing import document
from api.reports.drawing import DrawOrder, Form, draw_report
from api.reports.gathering import Sources
from api.reports.json_form import report_as_json
from api.reports.making import ReportOrder, known_balances, make_report
from api.reports.shelf import ReportShelf
from cli.data_directory import REPORTS
from cli.report_sources import SourceAddresses
from cli.stations import one_plant
from cli.stores import store_url
from cli.version import VERSION
from station.adapters.clocks import wall_ms
from station.domain.plant import Plant
from station.domain.report.daily_report import DailyReport
from station.domain.report.notes import ShiftNote
from station.errors import BadInputError
from station.settings import Settings, load_settings

FORMS: Final = ("html", "pdf", "csv", "json")
_LANGUAGES: Final = ("zh", "en")
Notes = Sequence[tuple[int, ShiftNote]]


def write_report(  # noqa: PLR0913 - one for each option
    *,
    date: str | None,
    store: str | None,
    journal: str | None,
    data_dir: Path | None,
    language: str,
    output: Path | None,
    plant: list[Path] | None,
    simulated: bool,
    as_json: bool,
) -> None:
    """Make the report of a day and write it, or print its figures.

    Raises:
        BadInputError: An option is wrong, or the day has no readings.
        TransientError: Store or journal is away.
    """
    if language not in _LANGUAGES:
        raise BadInputError(f"--lang {language!r}: must be zh or en")
    form = "json" if output is None else output.suffix.lstrip(".").lower()
    if form not in FORMS:
        raise BadInputError(f"--output {output}: must end in {', '.join(f'.{one}' for one in FORMS)}")
    settings = load_settings(store=store, journal=journal, data_dir=data_dir, plant=plant)
    of_station = one_plant(settings.plant)
    with _addresses(settings).open() as sources:
        report = _made(of_station, sources, date, settings, simulated=simulated)
        notes = [] if sources.books is None else sources.books.notes.of_day(of_station.id, report.date)
    if sources.books is None:
        print("jinma: no journal was named: plan, alarms, forecasts and notes are not known", file=sys.stderr)
    if output is not None:
        output.write_bytes(_drawn(of_station, report, notes, language, form))
        print(output)
    elif as_json:
        print(json.dumps(report_as_json(report, notes), ensure_ascii=False))
    else:
        _print(of_station, report, notes, language)


def _addresses(settings: Settings) -> SourceAddresses:
    journal, kept = settings.journal, settings.data_dir / "journal.sqlite"
    if journal is None and kept.exists():
        journal = f"sqlite:///{kept}"
    token = settings.influxdb_token.get_secret_value() if settings.influxdb_token else None
    return SourceAddresses(store_url(settings), token, journal)


def _made(plant: Plant, sources: Sources, date: str | None, settings: Settings, *, simulated: bool) -> DailyReport:
    span = sources.store.span(plant.id)
    if span is None:
        raise BadInputError(f"--store: holds no readings of {plant.id}")
    shelf = ReportShelf(settings.data_dir / REPORTS)
    # A simulated station's clock may be ahead of the wall's.
    now_ms = max(wall_ms(), span[1])
    day = _date(plant, date, span)
    kept = shelf.days(plant.id)
    newest = shelf.get(plant.id, kept[0]) if kept else None
    stamped = simulated or (newest is not None and newest.simulated)
    balances = known_balances(day, lambda one: shelf.get(plant.id, one))
    report = make_report(sources, ReportOrder(plant, day, now_ms, wall_ms(), VERSION, stamped, balances))
    if report.completeness.minutes_known == 0.0:
        first, last = _days(plant, span)
        raise BadInputError(f"DATE {day}: no readings of {plant.id} that day; the store has {first} to {last}")
    return report


def _date(plant: Plant, text: str | None, span: tuple[int, int]) -> dt.date:
    """Return the day that is asked for; without one the newest that is over, or the only one that has begun."""
    if text is None:
        first, newest = _days(plant, span)
        return max(first, newest - dt.timedelta(days=1))
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"DATE {text!r}: must be a day like 2026-11-23") from None


def _days(plant: Plant, span: tuple[int, int]) -> tuple[dt.date, dt.date]:
    first, newest = (plant.day_of(dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC)) for t_ms in span)
    return first, newest


def _drawn(plant: Plant, report: DailyReport, notes: Notes, language: str, form: str) -> bytes:
    if form == "json":
        return json.dumps(report_as_json(report, notes), ensure_ascii=False, indent=1).encode() + b"\n"
    return draw_report(DrawOrder(plant, report, [note for _, note in notes], language, cast("Form", form)))


def _print(plant: Plant, report: DailyReport, notes: Notes, language: str) -> None:
    said = document(plant, report, [note for _, note in notes], language)
    print(" ".join(part for part in (said.title, said.stamp) if part))
    for warning in said.warnings:
        print(f"! {warning}")
    table = Table(show_header=False, box=None)
    for name, value in said.sections[0].figures:
        table.add_row(name, value)
    Console().print(table)
