"""Ports: what the sides need of the outside world. Each has at least two implementations in `station.adapters`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple, Protocol

from station.domain.day_plan import DayPlan
from station.domain.learned import LearnedRow
from station.domain.report.notes import ShiftNote
from station.domain.signals import Reading, UnitMessage

Aggregate = str
"""`mean|min|max|last|count`."""


class Clock(Protocol):
    """Tells station time. Wall time is asked of `time`/`datetime` at the edges only."""

    def now(self) -> dt.datetime:
        """Return station time, aware UTC."""
        ...

    def speed(self) -> float:
        """Return station seconds per wall second."""
        ...


@dataclass(frozen=True, slots=True)
class ServicePoint:
    """A point that one of our services writes: measurement `alarms`, `capacity` or `ingest` (contract section 4)."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | str]
    t_ms: int


class Window(NamedTuple):
    """One aggregated window: [t_ms, t_ms + every). `value` is None where no good or uncertain value fell in it.

    A tuple: a chart asks for thousands, and as a tuple each is made in a third of the time and goes into JSON as it is.
    """

    t_ms: int
    value: float | None
    quality: str


@dataclass(frozen=True, slots=True)
class Course:
    """Windows of one signal as columns, oldest first; a window without readings has no place.

    Attributes:
        t_ms: Starts.
        numbers: What was asked for, each over good and uncertain values; None where there was none.
        quality: The worst in the window.
    """

    t_ms: Sequence[int]
    numbers: Mapping[Aggregate, Sequence[float | None]]
    quality: Sequence[str]

    def windows(self, aggregate: Aggregate) -> list[Window]:
        """Return the windows with one of the numbers each."""
        rows = zip(self.t_ms, self.numbers[aggregate], self.quality, strict=True)
        return list(map(tuple.__new__, repeat(Window), rows))  # Window's own __new__ takes four times as long.


@dataclass(frozen=True, slots=True)
class Minute:
    """What is kept of a minute of one signal when its readings have gone (contract section 4, `BUCKET_1m`).

    Attributes:
        t_ms: Start, epoch ms.
        mean, min, max, last: Over good and uncertain values; None where there was none.
        count: Good and uncertain values.
        bad: Readings that were bad, null among them.
    """

    t_ms: int
    mean: float | None
    min: float | None
    max: float | None
    last: float | None
    count: int
    bad: int


class ReadingStore(Protocol):
    """Where readings are kept: one message is one point, the same message twice is the same point.

    Every method may raise StoreUnavailableError. Methods may be called from any thread.
    """

    @property
    def writes_at_once(self) -> int:
        """How many calls of `write` under way at the same time are quicker than one after the other."""
        ...

    def write(self, messages: Sequence[UnitMessage]) -> None:
        """Store messages durably; returns after the commit.

        Raises:
            PointsRefusedError: Some were refused for good; all others are stored.
        """
        ...

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services durably."""
        ...

    def read_points(self, measurement: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> list[ServicePoint]:
        """Return points of a measurement whose tags include `tags`, [start, end), oldest first."""
        ...

    def latest(self, station: str, signals: Sequence[str]) -> dict[str, Reading]:
        """Return the newest reading of each signal that has one."""
        ...

    def raw(self, station: str, signal: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of one signal in [start, end), oldest first, at most `limit`."""
        ...

    def windows(
        self,
        station: str,
        signal: str,
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregate: Aggregate,
        offset_ms: int = 0,
    ) -> list[Window]:
        """Return non-empty windows of [start, end), aligned to `offset_ms` + a multiple of `every_ms`.

        Mean, min, max, last and count go over good and uncertain values; quality is the worst in the window. Windows of
        whole minutes are answered for as long as minutes are kept, others as long as readings are.
        """
        ...

    def courses(
        self,
        station: str,
        signals: Sequence[str],
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregates: Sequence[Aggregate],
        offset_ms: int = 0,
    ) -> list[Course]:
        """Return for each signal the windows that `windows` would give, with several numbers each: one question."""
        ...

    def minutes(self, station: str, signal: str, start_ms: int, end_ms: int) -> list[Minute]:
        """Return the minutes that begin in [start, end) and hold readings, oldest first."""
        ...

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the stored messages of [start, end) in order of (t, area, unit), in flat memory; no boot or seq."""
        ...

    def span(self, station: str) -> tuple[int, int] | None:
        """Return the times of the oldest and the newest message of a station, None where it has none."""
        ...

    def stations(self) -> list[str]:
        """Return the ids of stations that have readings."""
        ...

    def forget_before(self, t_ms: int) -> None:
        """Delete readings older than `t_ms` (retention); minutes stay."""
        ...

    def forget_station(self, station: str) -> None:
        """Delete everything of a station: its readings, its minutes, and the points of our services about it."""
        ...

    def forget_minutes_before(self, t_ms: int) -> None:
        """Delete minutes older than `t_ms`, but for those whose readings are still there."""
        ...

    def close(self) -> None:
        """Release everything; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One immutable row of the alarm journal.

    Attributes:
        station, alarm_id, occurrence: What it is about; an operator's act that is about no alarm has alarm_id "".
        event: `raised|cleared|acked|latched|reset|escalated|shelved|unshelved|late|..`; of an occurrence that
            suppression by design kept from everybody, `raised_unseen` and `cleared_unseen`.
        t_ms: Source (station) time of the event, epoch ms.
        received_ms: Wall time at which it was journalled, epoch ms.
        who: User, token name, or `system`.
        value, limit: At the event, None where there is none.
        note: Comment, reason.
        detail: Whatever restores the state exactly after a restart.
    """

    station: str
    alarm_id: str
    occurrence: str
    event: str
    t_ms: int
    received_ms: int
    who: str
    value: float | None = None
    limit: float | None = None
    note: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


class AlarmJournal(Protocol):
    """Append-only, hash-chained history of alarms and operators' acts. May raise JournalUnavailableError."""

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Commit entries durably, in order; returns after the commit."""
        ...

    def entries(
        self,
        station: str,
        start_ms: int,
        end_ms: int,
        after: int = 0,
        limit: int = 1000,
        *,
        alarm_id: str | None = None,
        newest_first: bool = False,
    ) -> list[tuple[int, JournalEntry]]:
        """Return (row number, entry) of [start, end) in the order of the rows, at most `limit`.

        Args:
            station: Whose.
            start_ms: Station time, epoch ms.
            end_ms: As `start_ms`, exclusive.
            after: The row before the first one wanted, in the order asked for; 0 begins at the beginning.
            limit: Most rows.
            alarm_id: Of this alarm alone.
            newest_first: Begin with the newest row.
        """
        ...

    def newest_by_alarm(self, station: str) -> list[JournalEntry]:
        """Return the newest entry of each alarm id: what a restart continues from."""
        ...

    def verify(self) -> int | None:
        """Return the number of the first row whose hash does not follow, None where all is whole."""
        ...

    def close(self) -> None:
        """Release everything; idempotent."""
        ...


class PlanBook(Protocol):
    """Every plan that was ever given, newest last. May raise JournalUnavailableError."""

    def save(self, station: str, plan: DayPlan) -> None:
        """Commit a plan as the newest of its date."""
        ...

    def newest(self, station: str, date: dt.date, source: str | None = None) -> DayPlan | None:
        """Return the plan saved last for a date (of one source, where given), None where there is none."""
        ...


class ForecastHistory(Protocol):
    """Every forecast as it was published. May raise JournalUnavailableError."""

    def append(self, station: str, at_ms: int, json: bytes) -> None:
        """Keep the forecast of `at_ms` (contract section 6, encoded); a second one of the same time replaces it."""
        ...

    def range(self, station: str, start_ms: int, end_ms: int, limit: int = 1000) -> list[tuple[int, bytes]]:
        """Return (at_ms, json) of [start, end), oldest first, at most `limit`."""
        ...


class LearnedBook(Protocol):
    """What stations have taught the forecast, day by day. May raise JournalUnavailableError."""

    def save(self, rows: Sequence[LearnedRow]) -> None:
        """Commit rows; each replaces that of its own station, parameter and day, and none of another day."""
        ...

    def newest(self, station: str, at_ms: int) -> list[LearnedRow]:
        """Return each parameter's newest row not later than `at_ms`, by parameter: what a restart continues from."""
        ...

    def range(
        self, station: str, first: dt.date, last: dt.date, limit: int = 1000, offset: int = 0
    ) -> list[LearnedRow]:
        """Return rows of the station days first..last, by day and parameter, at most `limit` after `offset`."""
        ...


class NoteBook(Protocol):
    """Shift notes, append-only. May raise JournalUnavailableError."""

    def append(self, note: ShiftNote) -> int:
        """Commit a note and return its number."""
        ...

    def of_day(self, station: str, date: dt.date) -> list[tuple[int, ShiftNote]]:
        """Return (number, note) of a station day, oldest first."""
        ...

    def counts(self, station: str) -> dict[dt.date, int]:
        """Return how many notes each day has that has some."""
        ...


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept: never the secret, only its keyed hash.

    Attributes:
        prefix: Names the token; stands before the dot of `prefix.secret`.
        keyed_hash: HMAC-SHA256 of the whole token, hexadecimal.
        role: `viewer|operator|engineer|admin`.
        name: Who or what uses it; stands in the journal as `who`.
        created_ms, expires_ms, last_used_ms: Wall time, epoch ms; None for never.
    """

    prefix: str
    keyed_hash: str
    role: str
    name: str
    created_ms: int
    expires_ms: int | None = None
    last_used_ms: int | None = None


class TokenTable(Protocol):
    """Where tokens are kept. May raise JournalUnavailableError."""

    def add(self, row: TokenRow) -> None:
        """Commit a token; one of the same prefix is replaced."""
        ...

    def get(self, prefix: str) -> TokenRow | None:
        """Return a token, None where there is none."""
        ...

    def rows(self) -> list[TokenRow]:
        """Return every token, oldest first."""
        ...

    def remove(self, prefix: str) -> bool:
        """Delete a token; returns whether there was one."""
        ...

    def touch(self, prefix: str, last_used_ms: int) -> None:
        """Note the last use of a token; no error where it has gone."""
        ...


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as it is kept.

    Attributes:
        name: Logs in with it; stands in the journal as `who`.
        role: `viewer|operator|engineer|admin`.
        password_hash: argon2id, with its parameters and salt.
        created_ms, last_login_ms: Wall time, epoch ms; None for never.
        disabled: May not come in for now.
    """

    name: str
    role: str
    password_hash: str
    created_ms: int
    disabled: bool = False
    last_login_ms: int | None = None


class UserTable(Protocol):
    """Where users are kept. May raise JournalUnavailableError."""

    def add(self, row: UserRow) -> bool:
        """Commit a new user; returns False where one of that name is there already."""
        ...

    def get(self, name: str) -> UserRow | None:
        """Return a user, None where there is none."""
        ...

    def rows(self) -> list[UserRow]:
        """Return every user, by name."""
        ...

    def replace(self, row: UserRow) -> bool:
        """Commit a user's new row; returns whether there was one."""
        ...

    def remove(self, name: str) -> bool:
        """Delete a user; returns whether there was one."""
        ...


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing that somebody did, or was not let do.

    Attributes:
        at_ms: Wall time, epoch ms.
        who, role: Empty where nobody known asked.
        address: Of the peer.
        action: Method and path.
        status: HTTP status of the answer.
        detail: What more is known, in one line.
    """

    at_ms: int
    who: str
    role: str
    address: str
    action: str
    status: int
    detail: str = ""


class AuditTrail(Protocol):
    """Where acts are kept, append-only. May raise JournalUnavailableError."""

    def append(self, rows: Sequence[AuditRow]) -> None:
        """Commit rows."""
        ...

    def range(
        self, start_ms: int, end_ms: int, who: str | None = None, limit: int = 1000, before: int | None = None
    ) -> list[tuple[int, AuditRow]]:
        """Return (number, row) of [start, end), newest first, at most `limit` whose number is below `before`."""
        ...


OnMessages = Callable[[Sequence[tuple[str, bytes]]], None]


class Feed(Protocol):
    """A stream of (topic, payload) in the order sent, from MQTT or from memory."""

    def start(self, on_messages: OnMessages) -> None:
        """Begin to deliver, from a thread of the feed's own; a batch is settled when `on_messages` returns."""
        ...

    def stop(self) -> None:
        """Stop delivering and release everything; idempotent."""
        ...
