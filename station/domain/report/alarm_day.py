"""The day's alarms in the figures of ISA-18.2, and what operators hid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from station.domain import alarm_figures as figures
from station.domain.alarm_figures import Entry, Figure, Flood, History
from station.domain.report.day_readings import ReportDay

HIDING: Final = ("shelved", "out_of_service")


class NotedEntry(Entry, Protocol):
    """A row of the journal with who did it and why."""

    @property
    def who(self) -> str:
        """User, token name, or `system`."""
        ...

    @property
    def note(self) -> str:
        """Comment, reason."""
        ...


@dataclass(frozen=True, slots=True)
class Frequent:
    """An alarm and how often it came; its share of all [%]."""

    alarm: str
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Repeated:
    """An alarm and how often."""

    alarm: str
    count: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How soon alarms of a priority were acknowledged [min]; None where none was."""

    priority: str
    raised: int
    count: int
    median_min: float | None
    p90_min: float | None
    target_min: float | None
    within_target_percent: float | None


@dataclass(frozen=True, slots=True)
class Hidden:
    """An alarm that an operator hid."""

    alarm: str
    how: str
    at_ms: int
    who: str
    note: str


@dataclass(frozen=True, slots=True)
class AlarmDay:
    """The alarms of a day.

    Attributes:
        count: Occurrences that were shown.
        late: Found in late data; in no other number.
        rates: Name -> figure with its target, see `alarm_figures.rates`.
        hourly: Occurrences of each hour that began.
        stale: Active for over 24 h at the end of the report.
        priority_percent: Share of each priority.
    """

    count: int
    late: int
    rates: dict[str, Figure]
    hourly: tuple[int, ...]
    floods: tuple[Flood, ...]
    top: tuple[Frequent, ...]
    chattering: tuple[Repeated, ...]
    fleeting: tuple[Repeated, ...]
    stale: tuple[str, ...]
    priority_percent: dict[str, float]
    acknowledged: tuple[Acknowledged, ...]
    hidden: tuple[Hidden, ...]


def alarm_day(day: ReportDay, entries: Sequence[NotedEntry]) -> AlarmDay:
    """Return the figures of a day.

    Args:
        day: The day.
        entries: The journal from some days before the day on: what was raised then may be active still.
    """
    own = [entry for entry in entries if day.holds(entry.t_ms)]
    history = figures.history_of(own)
    counts = {name: sum(one.priority == name for one in history.occurrences) for name in figures.PRIORITIES}
    return AlarmDay(
        count=len(history.occurrences),
        late=history.late,
        rates=figures.rates(history, day.start_ms, day.until_ms),
        hourly=_hourly(day, history),
        floods=tuple(figures.floods(history, day.until_ms)),
        top=tuple(Frequent(*row) for row in figures.top_ten(history)),
        chattering=tuple(Repeated(*row) for row in figures.chattering(history)),
        fleeting=tuple(Repeated(*row) for row in figures.fleeting(history)),
        stale=_stale(day, [entry for entry in entries if entry.t_ms < day.until_ms]),
        priority_percent=figures.priority_shares(history),
        acknowledged=tuple(
            Acknowledged(name, counts[name], row[0], row[1], row[2], figures.ACK_TARGET_MIN[name], row[3])
            for name, row in figures.ack_minutes(history).items()
        ),
        hidden=tuple(Hidden(e.alarm_id, e.event, e.t_ms, e.who, e.note) for e in own if e.event in HIDING),
    )


def _hourly(day: ReportDay, history: History) -> tuple[int, ...]:
    hours = -(-(day.until_ms - day.start_ms) // figures.HOUR_MS)
    counts = [0] * hours
    for one in history.occurrences:
        counts[(one.raised_ms - day.start_ms) // figures.HOUR_MS] += 1
    return tuple(counts)


def _stale(day: ReportDay, entries: Sequence[NotedEntry]) -> tuple[str, ...]:
    open_ones = [
        one.alarm_id
        for one in figures.history_of(entries).occurrences
        if one.cleared_ms is None and day.until_ms - one.raised_ms > figures.STALE_MS
    ]
    return tuple(sorted(set(open_ones)))
