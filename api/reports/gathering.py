"""Everything that a daily report needs, read out of store, journal, plans and forecasts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from api.forecast.scoring import day_scorecard
from station.domain.mass_balance import field_accuracy
from station.domain.plant import Plant
from station.domain.report.balance import BalanceDay, accounts_of
from station.domain.report.daily_report import DayRecords, balance_day
from station.domain.report.day_readings import (
    BEFORE_MS,
    MINUTE_MS,
    PLAUSIBLE,
    DayReadings,
    MinuteSeries,
    ReportDay,
    StateTags,
    Steps,
    line_tags,
    minute_tags,
    steps_of,
)
from station.domain.report.moments import Window, windows
from station.domain.report.received import UnitMinute
from station.domain.signals import quality_rank
from station.ports import (
    AlarmJournal,
    ForecastHistory,
    JournalEntry,
    Minute,
    NoteBook,
    PlanBook,
    ReadingStore,
    ServicePoint,
)

_ALARMS_SINCE: Final = dt.timedelta(days=8)
"""Alarms that have been active for longer are nobody's news any more."""
_PAGE: Final = 5_000
_FORECASTS_A_DAY: Final = 4 * 1440


@dataclass(frozen=True)
class Books:
    """What a service keeps in its journal database, as far as a report reads it."""

    journal: AlarmJournal
    forecasts: ForecastHistory
    plans: PlanBook
    notes: NoteBook


@dataclass(frozen=True)
class Sources:
    """Where a report's data are; without books (an imported log) alarms, plan and forecasts are not known."""

    store: ReadingStore
    books: Books | None


@dataclass(frozen=True)
class DayPart:
    """What of a day's readings a page needs.

    Attributes:
        areas: Of the signals that a report reads those of these areas.
        states: With states, and what stands around their changes; else minutes alone.
        minutes: Signals whose minutes are read besides.
        windows: Where single readings are needed, as `station.domain.report.moments.windows` says it of a report.
    """

    areas: frozenset[str]
    states: bool = True
    minutes: tuple[str, ...] = ()
    windows: Callable[[Plant, ReportDay, Mapping[str, Steps]], dict[str, list[Window]]] = windows


def read_day(plant: Plant, store: ReadingStore, date: dt.date, now_ms: int, part: DayPart | None = None) -> DayReadings:
    """Return what a report reads of a day's readings, or a part of it.

    Raises:
        StoreUnavailableError: The store is away.
    """

    def wanted(tag: str) -> bool:
        return part is None or plant.signals[tag].area in part.areas

    span = store.span(plant.id)
    day = ReportDay.of(plant, date, now_ms, 0 if span is None else span[0])
    steps = {
        tag: steps_of(store.raw(plant.id, tag, day.start_ms - BEFORE_MS, day.until_ms), day.until_ms)
        for tag in filter(wanted, StateTags.of(plant).all() if part is None or part.states else ())
    }
    minutes = {
        tag: _series(day, store.minutes(plant.id, tag, day.start_ms, day.until_ms))
        for tag in (*filter(wanted, minute_tags(plant)), *(line_tags(plant) if part is None else part.minutes))
    }
    needed = windows if part is None else part.windows
    stretches = needed(plant, day, steps) if part is None or part.states else {}
    moments = {tag: _around(plant, store, tag, parts) for tag, parts in stretches.items() if wanted(tag)}
    return DayReadings(day, steps, minutes, moments)


def read_records(
    plant: Plant, sources: Sources, day: ReportDay, balances: Sequence[BalanceDay], *, simulated: bool
) -> DayRecords:
    """Return what a report reads beside the readings.

    Raises:
        StoreUnavailableError, JournalUnavailableError: One of them is away.
    """
    books = sources.books
    since_ms = day.start_ms - round(_ALARMS_SINCE.total_seconds() * 1000)
    points = sources.store.read_points("ingest", {"station": plant.id}, day.start_ms, day.until_ms)
    return DayRecords(
        plan=None if books is None else books.plans.newest(plant.id, day.date),
        journal=None if books is None else list(_entries(books.journal, plant.id, since_ms, day.until_ms)),
        counts=[_count(point) for point in points],
        scorecard=None if books is None else day_scorecard(plant, books.forecasts, books.journal, day.date),
        worst_wait_min=None if books is None else _worst_wait(books.forecasts, plant.id, day),
        balances=balances,
        simulated=simulated,
    )


def read_balance(plant: Plant, store: ReadingStore, date: dt.date, now_ms: int) -> BalanceDay:
    """Return one earlier day's balance, worked out anew from its readings."""
    readings = read_day(plant, store, date, now_ms)
    return balance_day(date, accounts_of(plant, readings, field_accuracy(plant))[0])


def _series(day: ReportDay, minutes: Iterable[Minute]) -> MinuteSeries:
    series = MinuteSeries.empty(day.minutes)
    for minute in minutes:
        place = (minute.t_ms - day.start_ms) // MINUTE_MS
        if minute.last is None or not 0 <= place < day.minutes:
            continue
        series.last[place] = minute.last
        for column, value in ((series.mean, minute.mean), (series.low, minute.min), (series.high, minute.max)):
            column[place] = np.nan if value is None else value
    return series


def _around(plant: Plant, store: ReadingStore, tag: str, stretches: Iterable[Window]) -> tuple[list[int], list[float]]:
    most = PLAUSIBLE.get(plant.signals[tag].unit_of_measure, np.inf)
    times: list[int] = []
    values: list[float] = []
    for start, end in stretches:
        for reading in store.raw(plant.id, tag, start, end):
            is_bad = reading.value is None or quality_rank(reading.quality) == 2 or abs(reading.value) > most
            times.append(reading.t_ms)
            values.append(np.nan if reading.value is None or is_bad else reading.value)
    return times, values


def _entries(journal: AlarmJournal, station: str, start_ms: int, end_ms: int) -> Iterable[JournalEntry]:
    after = 0
    while rows := journal.entries(station, max(0, start_ms), end_ms, after, _PAGE):
        yield from (entry for _, entry in rows)
        after = rows[-1][0]


def _count(point: ServicePoint) -> UnitMinute:
    fields = {name: int(value) for name, value in point.fields.items() if not isinstance(value, str)}
    return UnitMinute(
        point.tags.get("area", ""),
        point.tags.get("unit", ""),
        received=fields.get("received", 0),
        gaps=fields.get("gaps", 0),
        late=fields.get("late", 0),
        duplicate=fields.get("duplicate", 0),
        refused=fields.get("refused", 0),
        gap_from_ms=fields.get("gap_from", point.t_ms),
        gap_to_ms=fields.get("gap_to", point.t_ms + MINUTE_MS),
    )


class _Wait(msgspec.Struct):
    p90: float


class _Queue(msgspec.Struct):
    """What is read of a forecast (contract section 6)."""

    queue_wait_minutes: _Wait


_forecast = msgspec.json.Decoder(_Queue)


def _worst_wait(forecasts: ForecastHistory, station: str, day: ReportDay) -> float | None:
    kept = forecasts.range(station, day.start_ms, day.until_ms, _FORECASTS_A_DAY)
    return max((_forecast.decode(body).queue_wait_minutes.p90 for _, body in kept), default=None)
