"""The alarm book: every change of an alarm's state passes through here, to the journal first and then into sight."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile

from api.alarms.points import AlarmPoint
from station.domain.alarm_views import AlarmView, alarm_view
from station.domain.alarms import AlarmState, UnknownAlarmError, occurrence_id
from station.domain.plant import Text
from station.errors import JournalUnavailableError
from station.ports import AlarmJournal, JournalEntry

SYSTEM = "system"
"""`who` of what the process does by itself."""
_CHANGES_KEPT = 10_000
"""For `changes_since`: two floods of every alarm of a large station."""
_BACKLOG_MOST = 20_000
_RETRY_AFTER_MS = 5_000
"""Wall time between two tries at a journal that failed."""


class AlarmBook:
    """The points of one station, their journal and the changes that nobody has fetched yet.

    A change of the process is committed with all others of the same messages before anyone can see it. Should the
    journal fail, alarms come into sight all the same (a full disk must not silence a gas alarm) and their rows wait in
    memory, in order, for the next try; an operator's act is refused instead.
    """

    def __init__(
        self, station: str, points: dict[str, AlarmPoint], journal: AlarmJournal, wall_ms: Callable[[], int]
    ) -> None:
        self.station = station
        self.points = points
        self.serial = 0
        self._journal = journal
        self._wall_ms = wall_ms
        self._waiting: list[JournalEntry] = []
        self._failed_ms: int | None = None
        self._held = False
        self._changes: deque[tuple[int, AlarmView]] = deque(maxlen=_CHANGES_KEPT)
        self._fetched = 0

    @property
    def backlog(self) -> int:
        """Rows that the journal has not taken yet."""
        return len(self._waiting)

    @property
    def journal_failing(self) -> bool:
        """True since the journal refused a commit, until one succeeds."""
        return self._failed_ms is not None

    def point(self, alarm_id: str) -> AlarmPoint:
        """Return an alarm's point.

        Raises:
            UnknownAlarmError: No such alarm.
        """
        try:
            return self.points[alarm_id]
        except KeyError:
            raise UnknownAlarmError(f"alarm {alarm_id!r}: no such alarm at station {self.station!r}") from None

    def restore(self) -> list[AlarmPoint]:
        """Take every alarm's state from the journal; returns the points of which it told something."""
        told = []
        for entry in self._journal.newest_by_alarm(self.station):
            point = self.points.get(entry.alarm_id)
            kept = entry.detail.get("state")
            if point is not None and isinstance(kept, dict):
                point.state = AlarmState.from_detail({"priority": point.spec.priority, **kept})
                told.append(point)
        return told

    def note(
        self,
        point: AlarmPoint,
        state: AlarmState,
        event: str,
        t_ms: int,
        value: float | None = None,
        text: str = "",
    ) -> None:
        """Change a state by the process itself; the caller's lock keeps it unseen until `commit` made it lasting."""
        self._waiting.append(self._entry(point, state, event, t_ms, SYSTEM, value, text))
        point.state = state
        self.show(point.view())

    def act(self, point: AlarmPoint, state: AlarmState, event: str, t_ms: int, who: str, note: str = "") -> AlarmView:
        """Change a state by an operator: the journal has it before anything changes.

        Raises:
            JournalUnavailableError: It could not be journalled; nothing has changed.
        """
        entry = self._entry(point, state, event, t_ms, who, state.value, note)
        self._journal.append([*self._waiting, entry])
        self._waiting.clear()
        self._failed_ms = None
        point.state = state
        view = point.view()
        self.show(view)
        return view

    def note_late(self, point: AlarmPoint, t_ms: int, value: float) -> None:
        """Journal a condition that was found in late data, and list it; the alarm's state stays."""
        self._waiting.append(self._entry(point, point.state, "late", t_ms, SYSTEM, value, ""))
        seen = AlarmState(occurrence_id(point.id, t_ms), raised_ms=t_ms, value=value, priority=point.spec.priority)
        view = alarm_view(point.id, self.station, point.signal, point.group, point.spec_now, seen)
        self.show(dataclasses.replace(view, late=True))

    def refresh(self, point: AlarmPoint, value: float | None, text: Text) -> None:
        """Renew the words of an active alarm: shown, but no event of its life and so not in the journal."""
        point.state = point.state.told(value, text)
        self.show(point.view())

    def show(self, view: AlarmView) -> None:
        """Put a view among the changes."""
        self.serial += 1
        self._changes.append((self.serial, view))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold commits back to the end of the block: many messages cost one write to the disk."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.commit()

    def commit(self) -> None:
        """Make everything noted lasting; where the journal fails it stays noted and is tried again later."""
        if not self._waiting or self._held:
            return
        now = self._wall_ms()
        if self._failed_ms is not None and 0 <= now - self._failed_ms < _RETRY_AFTER_MS:
            return
        try:
            self._journal.append(self._waiting)
        except JournalUnavailableError:
            self._failed_ms = self._wall_ms()
            del self._waiting[:-_BACKLOG_MOST]
        else:
            self._waiting = []
            self._failed_ms = None

    def changes_since(self, serial: int) -> tuple[int, list[AlarmView]]:
        """Return (newest serial, views of the changes after `serial`), of the newest 10 000."""
        newer = takewhile(lambda change: change[0] > serial, reversed(self._changes))
        return self.serial, [view for _, view in newer][::-1]

    def take_changes(self) -> list[AlarmView]:
        """Return the changes since the last call."""
        if self._fetched == self.serial:
            return []
        self._fetched, views = self.changes_since(self._fetched)
        return views

    def views(self, wanted: Callable[[AlarmState], bool]) -> list[AlarmView]:
        """Return the views of all alarms whose state is wanted, in the order of the station file."""
        return [point.view() for point in self.points.values() if wanted(point.state)]

    def _entry(
        self, point: AlarmPoint, state: AlarmState, event: str, t_ms: int, who: str, value: float | None, note: str
    ) -> JournalEntry:
        return JournalEntry(
            station=self.station,
            alarm_id=point.id,
            occurrence=state.occurrence,
            event=event,
            t_ms=t_ms,
            received_ms=self._wall_ms(),
            who=who,
            value=value,
            limit=point.spec_now.limit if state.limit is None else state.limit,
            note=note,
            detail={"state": state.as_detail()},
        )
