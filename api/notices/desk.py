"""From alarms to notices: which, to whom, together or one by one, again when nobody acknowledges.

The live core only puts what changed into a line here; a thread of the desk's own makes notices of it and keeps them in
the book before anything is sent. What a crash loses between journal and book is found again at the next start.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from api.notices.delivery import SENT, WAITING
from api.notices.floods import Floods
from station.domain.alarm_views import AlarmView
from station.domain.alarms import is_worse
from station.domain.notice_routes import NoticePlan, Route
from station.domain.notices import (
    CLEARED,
    ESCALATED,
    FLOOD,
    RAISED,
    REPORT,
    TEST,
    WORSE,
    Place,
    flood_body,
    notice_body,
    trial_body,
)
from station.errors import TransientError
from station.notice_ports import NoticeBook, NoticeRow

_SUPPRESSED: Final = "SUPPRESSED"
_HIDDEN: Final = frozenset({"OUT_OF_SERVICE", "SHELVED", _SUPPRESSED})
_LOOK_BACK_MS: Final = 2 * 86_400_000
"""So far back a start reads what was told of alarms that are over by now, or that were told together."""
_MOST_UNKEPT: Final = 20_000
_WORST_FIRST: Final = ("critical", "high", "medium", "low")
_TEST_WAITS_MS: Final = 60_000
"""A test is tried by whoever asks for it; should they be gone by then, it goes out after this."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A change of an alarm, as the live core tells it. `untold`: a restart found that nobody had been told of it."""

    view: AlarmView
    area: str
    place: Place
    untold: bool = False


@dataclass(slots=True)
class _Open:
    """An occurrence that was told: the worst priority told, over which routes, and which may still escalate it.

    `since_ms` is station time.
    """

    heard: Heard
    priority: str
    since_ms: int
    told: list[Route]
    waiting: list[Route]


@dataclass
class NoticeDesk:
    """Makes notices.

    Attributes:
        plan: Who is told of what.
        book: Where they are kept.
        wall_ms: Wall time, epoch ms.
        station_ms: Station time of a station, epoch ms; escalation goes by it.
        wake: Called when there is something to send.
    """

    plan: NoticePlan
    book: NoticeBook
    wall_ms: Callable[[], int]
    station_ms: Callable[[str], int]
    wake: Callable[[], None] = lambda: None
    _line: deque[Heard] = field(default_factory=deque)
    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _unkept: list[NoticeRow] = field(default_factory=list)
    _away: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stirred: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin with no flood."""
        self._floods: Floods[Heard] = Floods(self.plan, self.wall_ms)

    def hear(self, heard: Heard) -> None:
        """Take a change; never waits."""
        if not heard.view.late:
            self._line.append(heard)
            self._stirred.set()

    def recover(self, station: str, alarms: Iterable[Heard]) -> None:
        """Take every alarm at a start: what was told goes on, what a crash kept from being told is told now."""
        told_of = self._told_of(station)
        for heard in alarms:
            view = heard.view
            stands = view.active or not view.acked
            told = told_of.get(view.occurrence, [])
            if stands and not told:
                told = self.book.told(station, view.occurrence)
            if view.state in _HIDDEN or (not stands and not told):
                continue
            if not told:
                self.hear(replace(heard, untold=not view.acked))
            elif view.active or all(row.kind != CLEARED for row in told):
                self._reopen(heard, told)

    def _told_of(self, station: str) -> dict[str, list[NoticeRow]]:
        """Return what was told of late by occurrence; a notice of many alarms counts for each of them."""
        told_of: dict[str, list[NoticeRow]] = {}
        for row in self.book.since(station, self.wall_ms() - _LOOK_BACK_MS):
            many = json.loads(row.body).get("alarms", []) if not row.alarm_id else [{"occurrence": row.occurrence}]
            for one in many:
                told_of.setdefault(one["occurrence"], []).append(row)
        return told_of

    def _reopen(self, heard: Heard, told: list[NoticeRow]) -> None:
        view, since_ms = heard.view, heard.view.raised_at or 0
        names, escalated = {row.route for row in told}, {row.route for row in told if row.kind == ESCALATED}
        routes = [route for route in self.plan.routes if route.name in names]
        waiting = [route for route in routes if route.name not in escalated and not view.acked]
        self._open[view.station, view.occurrence] = _Open(heard, view.priority, since_ms, routes, waiting)
        if not view.active:
            self.hear(heard)

    def digest(self, wait_s: float = 0.0) -> None:
        """Make notices of what was heard, and of what nobody acknowledges.

        Args:
            wait_s: Wait so long for something to happen first.
        """
        self._stirred.wait(wait_s)
        self._stirred.clear()
        with self._lock:
            heard = [self._line.popleft() for _ in range(len(self._line))]
            rows = [row for one in heard for row in self._rows_of(one)]
            rows += self._flood_rows() + self._escalations()
            self._unkept += rows
            self._keep()

    def _keep(self) -> None:
        if not self._unkept:
            return
        try:
            self.book.add(self._unkept)
        except TransientError as error:
            if not self._away:
                _log.warning("the journal database is away: notices are sent without", error=str(error))
            self._away = True
            del self._unkept[:-_MOST_UNKEPT]
        else:
            self._unkept, self._away = [], False
        self.wake()

    def unkept(self, target: str) -> list[NoticeRow]:
        """Return a target's notices that the book could not take: they are sent all the same, once."""
        with self._lock:
            return [row for row in self._unkept if row.target == target and row.state == WAITING]

    def sent_unkept(self, row: NoticeRow) -> None:
        """Take that one of them was sent: the book will have it as sent."""
        with self._lock:
            self._unkept = [replace(one, state=SENT, tries=1) if one is row else one for one in self._unkept]

    # --- one alarm ---

    def _rows_of(self, heard: Heard) -> list[NoticeRow]:
        view = heard.view
        key = (view.station, view.occurrence)
        known = self._open.get(key)
        if view.state in _HIDDEN and (known is None or view.state != _SUPPRESSED):
            # Whoever hid it knows of it: nothing is escalated or held any more. Once shown it is told anew.
            self._open.pop(key, None)
            self._floods.drop(lambda held: (held.view.station, held.view.occurrence) == key)
            return []
        if (view.active or heard.untold) and not view.acked:
            return self._raised(heard, known)
        if known is None:
            return []
        if view.active:
            known.waiting = []  # Acknowledged: nobody needs to be told again, but for the return to normal.
            known.heard = heard
            return []
        del self._open[key]
        return self._told(CLEARED, heard, [route for route in known.told if route.cleared])

    def _raised(self, heard: Heard, known: _Open | None) -> list[NoticeRow]:
        view, now_ms = heard.view, self.station_ms(heard.view.station)
        if known is not None and not is_worse(view.priority, known.priority):
            known.heard = heard
            return []
        routes = self._routes(heard, (view.raised_at or 0) if known is None else now_ms)
        told = [*(known.told if known else []), *(r for r in routes if known is None or r not in known.told)]
        rows = self._told(RAISED if known is None else WORSE, heard, routes)
        if not view.active:
            return rows + self._told(CLEARED, heard, [route for route in routes if route.cleared])
        self._open[view.station, view.occurrence] = _Open(heard, view.priority, now_ms, told, list(routes))
        return rows

    def _told(self, kind: str, heard: Heard, routes: list[Route]) -> list[NoticeRow]:
        """Return the notices of one alarm; in a flood of its kind none yet, unless it is critical."""
        station, flood_kind = heard.view.station, CLEARED if kind == CLEARED else FLOOD
        if routes and self._floods.are_on(station, flood_kind) and heard.view.priority != "critical":
            self._floods.hold(station, flood_kind, routes, heard)
            return []
        return [self._row(heard, kind, route.name, target) for route in routes for target in route.targets]

    def _routes(self, heard: Heard, at_ms: int) -> list[Route]:
        view = heard.view
        moment = dt.datetime.fromtimestamp(at_ms / 1000.0, dt.UTC).astimezone(heard.place.timezone)
        return self.plan.routes_for(view.priority, heard.area, view.station, moment)

    def _row(self, heard: Heard, kind: str, route: str, target: str) -> NoticeRow:
        body = json.dumps(notice_body(kind, heard.view, heard.place), ensure_ascii=False)
        view = heard.view
        return self._new(view.station, view.id, view.occurrence, view.priority, kind, route, target, body)

    def _new(self, *parts: str) -> NoticeRow:
        now_ms = self.wall_ms()
        station, alarm, occurrence, priority, kind, route, target, body = parts
        give_up_ms = now_ms + round(self.plan.give_up.total_seconds() * 1000)
        return NoticeRow(station, alarm, occurrence, priority, kind, route, target, now_ms, now_ms, give_up_ms, body)

    # --- many at once, and nobody there ---

    def _flood_rows(self) -> list[NoticeRow]:
        targets = {route.name: route.targets for route in self.plan.routes}
        return [
            row
            for station, kind, route, many in self._floods.flush()
            for row in self._together(kind, station, route, targets[route], many)
        ]

    def _escalations(self) -> list[NoticeRow]:
        """Return what goes to the next: one by one, but many at once together, as in a flood."""
        due: dict[tuple[str, str], list[Heard]] = {}
        for opened in self._open.values():
            station = opened.heard.view.station
            if opened.heard.view.state == _SUPPRESSED:
                continue
            for route in self._overdue(opened, self.station_ms(station)):
                opened.waiting.remove(route)
                due.setdefault((station, route.name), []).append(opened.heard)
        to = {route.name: route.escalate_to for route in self.plan.routes}
        rows = []
        for (station, name), many in due.items():
            if len(many) > self.plan.flood_from:
                rows += self._together(ESCALATED, station, name, to[name], many)
            else:
                rows += [self._row(one, ESCALATED, name, target) for one in many for target in to[name]]
        return rows

    def _overdue(self, opened: _Open, now_ms: int) -> list[Route]:
        opened.since_ms = min(opened.since_ms, now_ms)  # Station time may be set back.
        waited = dt.timedelta(milliseconds=now_ms - opened.since_ms)
        return [r for r in opened.waiting if r.escalate_after is not None and waited >= r.escalate_after]

    def _together(
        self, kind: str, station: str, route: str, targets: Iterable[str], many: list[Heard]
    ) -> list[NoticeRow]:
        body = json.dumps(flood_body(kind, [(one.view, one.area) for one in many], many[0].place), ensure_ascii=False)
        worst = min((one.view.priority for one in many), key=_WORST_FIRST.index)
        name = f"{FLOOD}@{self.wall_ms()}"
        return [self._new(station, "", name, worst, kind, route, target, body) for target in targets]

    # --- on request ---

    def send_report(self, station: str, name: str, body: dict[str, object], targets: Iterable[str]) -> None:
        """Keep a notice of a daily report for some targets.

        Args:
            station: Whose.
            name: Of the report: a second notice of the same name is told apart by the time only.
            body: What is told, see `report_body`.
            targets: Names out of the plan.

        Raises:
            JournalUnavailableError: It could not be kept.
        """
        text = json.dumps(body, ensure_ascii=False)
        self.book.add([self._new(station, "", name, "low", REPORT, "", target, text) for target in targets])
        self.wake()

    def try_out(self, place: Place, who: str) -> list[NoticeRow]:
        """Keep a test notice for every target and return what was kept."""
        body = json.dumps(trial_body(place, who), ensure_ascii=False)
        name = f"test@{self.wall_ms()}"
        rows = [self._new(place.station, "", name, "low", TEST, "", target, body) for target in self.plan.targets]
        # Tried once: a test that arrives hours later would only puzzle.
        once = [replace(row, due_ms=row.due_ms + _TEST_WAITS_MS, give_up_ms=row.created_ms) for row in rows]
        self.book.add(once)
        return self.book.told(place.station, name)
