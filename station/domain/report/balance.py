"""The day's kilograms as an account, shift by shift, and whether the days lean to one side (DOMAIN 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from station.domain.mass_balance import Accuracy, BalanceTerms, MassBalance
from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, StateTags
from station.domain.report.shifts import shift_starts

LOW_SHARE: Final = 0.015
HIGH_SHARE: Final = 0.03
"""DOMAIN 6: a rest above the first is worth a look, above the second an alarm."""
CUSUM_SLACK: Final = 0.005
CUSUM_LIMIT: Final = 0.04
"""DOMAIN 6: k and h of the cumulated sum, as shares of what was dispensed."""
ONE_SIDED_DAYS: Final = 3
"""DOMAIN 6: more days in a row than this on one side, and a meter is biased."""


@dataclass(frozen=True, slots=True)
class Account:
    """A stretch of the day.

    Attributes:
        terms: The account; of no use for `unaccounted` where something is missing.
        level: `none|low|high` by the size of the rest, `unknown` where it is not known.
    """

    terms: BalanceTerms
    level: str

    @property
    def unaccounted_kg(self) -> float | None:
        """The rest; None where it is not known."""
        return None if self.terms.missing else self.terms.unaccounted

    @property
    def share(self) -> float | None:
        """The rest as a share of what was dispensed; None where it is not known, or nothing was dispensed."""
        return None if self.terms.missing or self.terms.dispensed < 1.0 else self.terms.share


@dataclass(frozen=True, slots=True)
class BalanceDay:
    """One day's rest in the row of days; None is not known."""

    date: dt.date
    share: float | None
    error_share: float | None


@dataclass(frozen=True, slots=True)
class CusumDay:
    """A day with the sums up to it, as shares of what was dispensed: `above` grows where gas is missing."""

    date: dt.date
    share: float | None
    error_share: float | None
    above: float
    below: float

    @property
    def beyond(self) -> bool:
        """Whether one of the sums is past its limit."""
        return max(self.above, self.below) > CUSUM_LIMIT


@dataclass(frozen=True, slots=True)
class Cusum:
    """The row of days.

    Attributes:
        one_sided: How many days in a row, up to the last, lay on one side by more than the slack.
        verdict: `fine|leak|meter|beyond`: nothing; gas is missing on the last day alone; days lean to one side;
            the sum is past its limit.
    """

    days: tuple[CusumDay, ...]
    one_sided: int
    verdict: str


def accounts_of(plant: Plant, readings: DayReadings, accuracy: Accuracy) -> tuple[Account, list[Account]]:
    """Return the account of the day as far as it goes, and those of its shifts."""
    starts = shift_starts(plant, readings.day)
    ends = [*starts[1:], readings.day.until_ms]
    whole = _account(plant, readings, accuracy, readings.day.from_ms, readings.day.until_ms)
    stretches = [(max(a, readings.day.from_ms), b) for a, b in zip(starts, ends, strict=True)]
    return whole, [_account(plant, readings, accuracy, a, b) for a, b in stretches if a < b]


def cusum_of(days: Iterable[BalanceDay]) -> Cusum:
    """Return the sums over days, oldest first; a day that is not known leaves them as they are."""
    above = below = 0.0
    found: list[CusumDay] = []
    for day in days:
        if day.share is not None:
            above = max(0.0, above + day.share - CUSUM_SLACK)
            below = max(0.0, below - day.share - CUSUM_SLACK)
        found.append(CusumDay(day.date, day.share, day.error_share, above, below))
    run = _one_sided([day.share for day in found if day.share is not None])
    return Cusum(tuple(found), run, _verdict(found, run))


def _verdict(days: Sequence[CusumDay], run: int) -> str:
    if not days:
        return "fine"
    if run > ONE_SIDED_DAYS:
        return "meter"
    last = days[-1]
    if last.share is not None and last.share > HIGH_SHARE and run <= 1:
        return "leak"
    return "beyond" if last.beyond else "fine"


def _one_sided(shares: Sequence[float]) -> int:
    run = 0
    for share in reversed(shares):
        if abs(share) <= CUSUM_SLACK or (share > 0.0) != (shares[-1] > 0.0):
            break
        run += 1
    return run


def _account(plant: Plant, readings: DayReadings, accuracy: Accuracy, start_ms: int, end_ms: int) -> Account:
    terms = _terms(plant, readings, accuracy, start_ms, end_ms)
    if terms.missing:
        return Account(terms, "unknown")
    size = abs(terms.share) if terms.dispensed >= 1.0 else 0.0
    return Account(terms, "high" if size > HIGH_SHARE else "low" if size > LOW_SHARE else "none")


def _terms(plant: Plant, readings: DayReadings, accuracy: Accuracy, start_ms: int, end_ms: int) -> BalanceTerms:
    """Play the stretch's changes, each after what the instruments of its unit said just before."""
    balance = MassBalance(plant, accuracy)
    units = _units(plant)
    every = [role for roles in units.values() for role in roles] + _bank_tags(plant)
    changes = [(t_ms, tag, value) for tag in units for t_ms, value in readings.steps.get(tag, ())]
    changes.sort(key=lambda change: change[:2])
    for t_ms, tag, value in changes:
        if t_ms < start_ms:
            balance.take(t_ms, {tag: value})
    _look(balance, readings, start_ms, every)
    balance.begin()
    for t_ms, tag, value in changes:
        if start_ms <= t_ms < end_ms:
            balance.take(t_ms, {one: readings.lately(one, t_ms) for one in units[tag]})
            balance.take(t_ms, {tag: value})
    _look(balance, readings, end_ms, every)
    return balance.terms()


def _look(balance: MassBalance, readings: DayReadings, t_ms: int, tags: Sequence[str]) -> None:
    balance.take(t_ms, {tag: readings.before(tag, t_ms) for tag in tags})


def _units(plant: Plant) -> dict[str, list[str]]:
    """Return state tag -> the instruments that tell what its unit holds."""
    tags = StateTags.of(plant)
    bays = {
        tag: [plant.tag("trailer", bay, role) for role in ("pressure", "temperature")] for bay, tag in tags.bays.items()
    }
    hoses = {
        tag: [plant.tag("dispensing", hose, role) for role in ("total", "pressure", "delivery_temperature")]
        for hose, tag in tags.hoses.items()
    }
    return bays | hoses


def _bank_tags(plant: Plant) -> list[str]:
    roles = ("pressure_a", "pressure_b", "temperature")
    return [plant.tag("storage", bank.unit, role) for bank in plant.banks for role in roles]
