"""The daily report, put together: one pure function over what was read of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from station.domain.day_plan import DayPlan
from station.domain.mass_balance import Accuracy
from station.domain.plant import Plant
from station.domain.report.alarm_day import AlarmDay, NotedEntry, alarm_day
from station.domain.report.balance import Account, BalanceDay, Cusum, accounts_of, cusum_of
from station.domain.report.day_readings import DayReadings, ReportDay
from station.domain.report.dispensing import Dispensing, dispensing_of
from station.domain.report.energy import Energy, energy_of
from station.domain.report.equipment import MachineDay, machines_of
from station.domain.report.fills import DayFill, FillFigures, fill_figures, fills_of
from station.domain.report.gas_quality import Impurity, quality_of
from station.domain.report.received import Completeness, UnitMinute, completeness_of
from station.domain.report.stock import Stock, stock_of
from station.domain.report.supply import TrailerStay, trailers_of
from station.domain.scorecard import Scorecard

CUSUM_DAYS = 30
"""The row of days goes so far back."""


@dataclass(frozen=True, slots=True)
class DayRecords:
    """What is read of a day beside readings.

    Attributes:
        plan: The day's newest plan, None without one.
        journal: Rows of the alarm journal from some days before the day to its end, oldest first; None where no
            journal can be read: nobody knows then whether there were alarms.
        counts: What ingest counted of the day.
        scorecard: Of the day's forecasts, None where none was kept.
        worst_wait_min: The longest wait that a forecast of the day expected (P90), None without forecasts.
        balances: The balances of the days before, oldest first.
        simulated: The data come from a simulator.
    """

    plan: DayPlan | None
    journal: Sequence[NotedEntry] | None
    counts: Sequence[UnitMinute]
    scorecard: Scorecard | None
    worst_wait_min: float | None
    balances: Sequence[BalanceDay]
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class DailyReport:
    """A station day.

    Attributes:
        day: Which, and how far it goes.
        made_at_ms: Wall time at which it was worked out, epoch ms.
        version: Counts from 1; a late reading that changes something makes the next one.
        program: Version of the program that made it.
        alarms: None is not known.
        worst_wait_min: The longest wait that a forecast of the day expected (P90) [min]; what trucks really waited is
            kept nowhere.
    """

    station: str
    day: ReportDay
    made_at_ms: int
    version: int
    program: str
    simulated: bool
    dispensing: Dispensing
    fills: tuple[DayFill, ...]
    fill_figures: FillFigures
    trailers: tuple[TrailerStay, ...]
    stock: Stock
    account: Account
    shifts: tuple[Account, ...]
    cusum: Cusum
    energy: Energy
    machines: tuple[MachineDay, ...]
    alarms: AlarmDay | None
    scorecard: Scorecard | None
    worst_wait_min: float | None
    quality: tuple[Impurity, ...]
    completeness: Completeness

    @property
    def date(self) -> dt.date:
        """The station day."""
        return self.day.date

    @property
    def balance_day(self) -> BalanceDay:
        """This day in the row of balances."""
        return balance_day(self.day.date, self.account)

    def says_the_same_as(self, other: DailyReport) -> bool:
        """Return whether two reports differ in nothing but when, and by which program, they were made."""
        return replace(self, made_at_ms=other.made_at_ms, version=other.version, program=other.program) == other


def daily_report(
    plant: Plant, readings: DayReadings, records: DayRecords, accuracy: Accuracy, made_at_ms: int, program: str
) -> DailyReport:
    """Return the report of a day.

    Args:
        plant: The station.
        readings: What was read of the day's readings.
        records: What was read beside them.
        accuracy: Of the station's instruments: the balance's error budget.
        made_at_ms: Wall time, epoch ms.
        program: Version of this program.
    """
    fills = fills_of(plant, readings)
    dispensing = dispensing_of(plant, readings, fills, records.plan)
    account, shifts = accounts_of(plant, readings, accuracy)
    row = [*records.balances, balance_day(readings.day.date, account)]
    return DailyReport(
        station=plant.id,
        day=readings.day,
        made_at_ms=made_at_ms,
        version=1,
        program=program,
        simulated=records.simulated,
        dispensing=dispensing,
        fills=tuple(fills),
        fill_figures=fill_figures(fills),
        trailers=tuple(trailers_of(plant, readings, records.plan)),
        stock=stock_of(plant, readings),
        account=account,
        shifts=tuple(shifts),
        cusum=cusum_of(row[-CUSUM_DAYS:]),
        energy=energy_of(plant, readings, dispensing.kg),
        machines=tuple(machines_of(plant, readings)),
        alarms=None if records.journal is None else alarm_day(readings.day, records.journal),
        scorecard=records.scorecard,
        worst_wait_min=records.worst_wait_min,
        quality=tuple(quality_of(plant, readings)),
        completeness=completeness_of(plant, readings, records.counts),
    )


def balance_day(date: dt.date, account: Account) -> BalanceDay:
    """Return a day's account as one of a row of days."""
    known = account.share is not None
    return BalanceDay(date, account.share, account.terms.error / account.terms.dispensed if known else None)
