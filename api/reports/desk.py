"""The reports of a service: asked for by people, made after each midnight, put right when late readings came."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from api.live.station import LiveStation
from api.reports.drawing import DrawOrder, Form
from api.reports.makers import ReportMaker, ReportWorkerError
from api.reports.making import ReportOrder, known_balances
from api.reports.shelf import ReportShelf
from station.domain.plant import Plant
from station.domain.report.daily_report import DailyReport
from station.domain.report.needs import NoReportError, check_needs
from station.domain.report.notes import ShiftNote
from station.errors import TransientError
from station.ports import NoteBook

LOOKED_BACK_DAYS: Final = 3
"""So many days before today are made where they are missing, and looked at again for late readings."""
_MOST_WAIT: Final = 6
_FRESH_MS: Final = 60_000
"""A report of today stands for so long: whoever takes it in four forms gets four times the same."""
_log = structlog.get_logger(__name__)


@dataclass
class ReportDesk:
    """Makes, keeps and draws reports.

    Attributes:
        maker: Works them out.
        shelf: Keeps those of days that are over.
        notes: What operators wrote down.
        wall_ms: Wall time, epoch ms.
        program: Version of this program.
        after: The day's report is made so long after midnight, station time.
        recheck: Reports of the last days are looked at again so often, wall time.
        tell: Called with yesterday's first report.
        first_ms: Returns the time of a station's oldest reading, epoch ms, None where it has none: nothing is made of
            the days before.
    """

    maker: ReportMaker
    shelf: ReportShelf
    notes: NoteBook
    wall_ms: Callable[[], int]
    program: str
    after: dt.timedelta = dt.timedelta(minutes=10)
    recheck: dt.timedelta = dt.timedelta(hours=1)
    tell: Callable[[LiveStation, DailyReport], None] = lambda _live, _report: None
    first_ms: Callable[[str], int | None] = lambda _station: 0
    _fresh: dict[str, tuple[int, DailyReport]] = field(default_factory=dict)
    _looked_ms: dict[tuple[str, dt.date], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _line: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_MOST_WAIT))

    def report(self, live: LiveStation, date: dt.date) -> DailyReport | None:
        """Return the report of a day, made now where none is kept; None where the day has no readings.

        Raises:
            TransientError: Store, journal or the process that makes it is away.
        """
        kept = self.shelf.get(live.plant.id, date)
        if kept is not None:
            return kept
        with self._in_line(), self._lock:  # Two who ask for the same day at once wait for one report.
            kept = self.shelf.get(live.plant.id, date)
            if kept is not None:
                return kept
            finished_ms, fresh = self._fresh.get(live.plant.id, (0, None))
            if fresh is not None and fresh.date == date and self.wall_ms() - finished_ms < _FRESH_MS:
                return fresh
            return self._made(live, date)

    def remade(self, live: LiveStation, date: dt.date) -> DailyReport | None:
        """Return the report of a day made anew; a next version where it tells something else than the kept one."""
        with self._in_line(), self._lock:
            return self._made(live, date)

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """Let some wait for a report; each holds a thread of the API, which others need too.

        Raises:
            ReportWorkerError: Too many wait already.
        """
        if not self._line.acquire(blocking=False):
            raise ReportWorkerError("too many reports are asked for at once: ask again in a minute")
        try:
            yield
        finally:
            self._line.release()

    def _made(self, live: LiveStation, date: dt.date) -> DailyReport | None:
        plant = live.plant
        check_needs(plant)
        order = ReportOrder(
            plant,
            date,
            live.now_ms,
            self.wall_ms(),
            self.program,
            live.is_simulated,
            known_balances(date, lambda day: self.shelf.get(plant.id, day)),
        )
        report = self.maker.make(order)
        self._looked_ms[plant.id, date] = self.wall_ms()
        if report.completeness.minutes_known == 0.0:
            return self.shelf.get(plant.id, date)
        if live.now_ms < report.day.end_ms + round(self.after.total_seconds() * 1000):
            self._fresh[plant.id] = (
                self.wall_ms(),
                report,
            )  # Not over, or readings of its last minutes are on their way.
            return report
        is_first = self.shelf.get(plant.id, date) is None
        kept = self.shelf.put(report)
        if is_first:
            _log.info("report made", station=plant.id, date=date.isoformat(), version=kept.version)
            if date == self._last_over(live):
                self.tell(live, kept)
        return kept

    def drawn(self, live: LiveStation, report: DailyReport, language: str, form: Form) -> bytes:
        """Return a report with the notes of its day as a file.

        Raises:
            TransientError: The journal database or the process that draws it is away.
        """
        notes = [note for _, note in self.notes.of_day(live.plant.id, report.date)]
        with self._in_line():
            return self.maker.draw(DrawOrder(live.plant, report, notes, language, form))

    def write(self, live: LiveStation, date: dt.date, kind: str, who: str, text: str) -> tuple[int, ShiftNote]:
        """Keep a shift note and return it with its number.

        Raises:
            JournalUnavailableError: It could not be kept.
        """
        note = ShiftNote(live.plant.id, date, kind, live.now_ms, self.wall_ms(), who, text)
        return self.notes.append(note), note

    def look(self, lives: Mapping[str, LiveStation]) -> bool:
        """Make one report that is due, or look at one again; return False where what it needs is away."""
        self.maker.rest()
        due = next((one for live in lives.values() if (one := self._due(live)) is not None), None)
        if due is None:
            return True
        live, date = due
        try:
            if self._may_have_readings(live, date):
                self.remade(live, date)
        except TransientError as error:
            _log.warning("a report is put off", station=live.plant.id, date=date.isoformat(), error=str(error))
            return False
        return True

    def _due(self, live: LiveStation) -> tuple[LiveStation, dt.date] | None:
        """Return the day that waits longest for a first report, or for another look."""
        last = self._last_over(live)
        days = [last - dt.timedelta(days=back) for back in range(LOOKED_BACK_DAYS)]
        self._forget_looks(live.plant.id, days[-1])
        before_ms = self.wall_ms() - round(self.recheck.total_seconds() * 1000)
        waiting = [day for day in days if self._looked_ms.get((live.plant.id, day), 0) <= before_ms]
        return (live, min(waiting)) if waiting else None

    def _last_over(self, live: LiveStation) -> dt.date:
        """Return the newest day whose report is due."""
        moment = dt.datetime.fromtimestamp(live.now_ms / 1000.0, dt.UTC) - self.after
        return live.plant.day_of(moment) - dt.timedelta(days=1)

    def _may_have_readings(self, live: LiveStation, date: dt.date) -> bool:
        """Return False, and look away for a while, where a day is older than all readings, or none can be reported."""
        first_ms = self.first_ms(live.plant.id) if _can_be_made(live.plant) else None
        if first_ms is not None and live.plant.day_of(dt.datetime.fromtimestamp(first_ms / 1000.0, dt.UTC)) <= date:
            return True
        self._looked_ms[live.plant.id, date] = self.wall_ms()
        return False

    def _forget_looks(self, station: str, oldest: dt.date) -> None:
        for key in [key for key in self._looked_ms if key[0] == station and key[1] < oldest]:
            del self._looked_ms[key]


def _can_be_made(plant: Plant) -> bool:
    try:
        check_needs(plant)
    except NoReportError:
        return False
    return True
