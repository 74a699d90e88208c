"""A day's report from its sources: what the worker process and the command do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.reports.gathering import Sources, read_balance, read_day, read_records
from station.domain.mass_balance import field_accuracy
from station.domain.plant import Plant
from station.domain.report.balance import BalanceDay
from station.domain.report.daily_report import CUSUM_DAYS, DailyReport, daily_report
from station.domain.report.needs import check_needs

_ANEW_DAYS: Final = 7
"""Balances of days that have no kept report are worked out anew for so many days: each takes a second."""


@dataclass(frozen=True)
class ReportOrder:
    """What is to be made.

    Attributes:
        now_ms: Station time, epoch ms: where a day that is not over ends.
        made_at_ms: Wall time, epoch ms.
        balances: Balances that are known of days before.
    """

    plant: Plant
    date: dt.date
    now_ms: int
    made_at_ms: int
    program: str
    simulated: bool
    balances: tuple[BalanceDay, ...] = ()


def make_report(sources: Sources, order: ReportOrder) -> DailyReport:
    """Return the report of a day.

    Raises:
        NoReportError: The station's file lacks what a report is made of.
        StoreUnavailableError, JournalUnavailableError: What it is made of is away.
    """
    plant = order.plant
    check_needs(plant)
    readings = read_day(plant, sources.store, order.date, order.now_ms)
    balances = _row_of_days(sources, order)
    records = read_records(plant, sources, readings.day, balances, simulated=order.simulated)
    return daily_report(plant, readings, records, field_accuracy(plant), order.made_at_ms, order.program)


def known_balances(
    date: dt.date, kept: Callable[[dt.date], DailyReport | None], days: int = CUSUM_DAYS
) -> tuple[BalanceDay, ...]:
    """Return the balances of the days before a date that have a kept report, oldest first."""
    before = [date - dt.timedelta(days=back) for back in range(days - 1, 0, -1)]
    reports = [kept(day) for day in before]
    return tuple(report.balance_day for report in reports if report is not None)


def _row_of_days(sources: Sources, order: ReportOrder) -> list[BalanceDay]:
    span = sources.store.span(order.plant.id)
    if span is None:
        return list(order.balances)
    first = order.plant.day_of(dt.datetime.fromtimestamp(span[0] / 1000.0, dt.UTC))
    known = {day.date: day for day in order.balances}
    for back in range(1, _ANEW_DAYS + 1):
        date = order.date - dt.timedelta(days=back)
        if date >= first and date not in known:
            known[date] = read_balance(order.plant, sources.store, date, order.now_ms)
    return [known[date] for date in sorted(known)]
