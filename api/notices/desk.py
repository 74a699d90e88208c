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

from station.domain.alarm_views import AlarmView
from station.domain.alarms import is_worse
from station.domain.notice_routes import NoticePlan, Route
from station.domain.notices import (
    CLEARED,
    ESCALATED,
    FLOOD,
    RAISED,
    TEST,
    WORSE,
    Place,
    flood_body,
    notice_body,
    trial_body,
)
from station.errors import TransientError
from station.ports import NoticeBook, NoticeRow

_HIDDEN: Final = frozenset({"OUT_OF_SERVICE", "SUPPRESSED", "SHELVED"})
_FLUSH_MS: Final = 60_000
"""In a flood one notice a minute carries what came in it."""
_MOST_UNKEPT: Final = 20_000
_WORST_FIRST: Final = ("critical", "high", "medium", "low")
_TEST_WAITS_MS: Final = 60_000
"""A test is tried by whoever asks for it; should they be gone by then, it goes out after this."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A change of an alarm, as the live core tells it."""

    view: AlarmView
    area: str
    place: Place


@dataclass(slots=True)
class _Open:
    """An occurrence that was told: the worst priority told, since when, and which routes have escalated it."""

    heard: Heard
    priority: str
    since_ms: int
    routes: list[Route]
    escalated: set[str] = field(default_factory=set)


@dataclass
class NoticeDesk:
    """Makes notices.

    Attributes:
        plan: Who is told of what.
        book: Where they are kept.
        wall_ms: Wall time, epoch ms.
        wake: Called when there is something to send.
    """

    plan: NoticePlan
    book: NoticeBook
    wall_ms: Callable[[], int]
    wake: Callable[[], None] = lambda: None
    _line: deque[Heard] = field(default_factory=deque)
    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _recent: deque[int] = field(default_factory=deque)
    _held: dict[tuple[str, str], list[Heard]] = field(default_factory=dict)
    _flush_ms: int = 0
    _unkept: list[NoticeRow] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stirred: threading.Event = field(default_factory=threading.Event)

    def hear(self, heard: Heard) -> None:
        """Take a change; never waits."""
        if not heard.view.late:
            self._line.append(heard)
            self._stirred.set()

    def recover(self, standing: Iterable[Heard]) -> None:
        """Take what stands at a start: told already, it goes on to be escalated; untold, it is told now."""
        for heard in standing:
            view = heard.view
            told = self.book.told(view.station, view.occurrence)
            if not told:
                self.hear(heard)
            elif view.active:
                routes = self._routes(heard)
                done = {row.route for row in told if row.kind == ESCALATED}
                since_ms = min(row.created_ms for row in told)
                self._open[view.station, view.occurrence] = _Open(heard, view.priority, since_ms, routes, done)

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
            _log.warning("notices wait: the journal database is away", waiting=len(self._unkept), error=str(error))
            del self._unkept[:-_MOST_UNKEPT]
        else:
            self._unkept = []
            self.wake()

    # --- one alarm ---

    def _rows_of(self, heard: Heard) -> list[NoticeRow]:
        view = heard.view
        key = (view.station, view.occurrence)
        known = self._open.get(key)
        if view.state in _HIDDEN:
            return []
        if view.active and not view.acked:
            return self._raised(heard, known)
        if known is None:
            return []
        if view.active:
            known.routes = []  # Acknowledged: nobody needs to be told again, but for the return to normal.
            known.heard = heard
            return []
        del self._open[key]
        routes = [route for route in self._routes(known.heard) if route.cleared]
        return [self._row(heard, CLEARED, r.name, t) for r in routes for t in r.targets]

    def _raised(self, heard: Heard, known: _Open | None) -> list[NoticeRow]:
        view = heard.view
        if known is not None and not is_worse(view.priority, known.priority):
            known.heard = heard
            return []
        routes = self._routes(heard)
        kind = RAISED if known is None else WORSE
        opened = _Open(heard, view.priority, self.wall_ms(), routes)
        self._open[view.station, view.occurrence] = opened
        if not routes or (self._is_flood() and view.priority != "critical"):
            for route in routes:
                self._held.setdefault((view.station, route.name), []).append(heard)
            return []
        return [self._row(heard, kind, route.name, target) for route in routes for target in route.targets]

    def _routes(self, heard: Heard) -> list[Route]:
        view, zone = heard.view, heard.place.timezone
        moment = dt.datetime.fromtimestamp((view.raised_at or 0) / 1000.0, dt.UTC).astimezone(zone)
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

    def _is_flood(self) -> bool:
        """Count an alarm, and return whether there are too many to tell each by itself."""
        now_ms = self.wall_ms()
        self._recent.append(now_ms)
        window_ms = round(self.plan.flood_window.total_seconds() * 1000)
        while self._recent[0] < now_ms - window_ms:
            self._recent.popleft()
        return len(self._recent) > self.plan.flood_from

    def _flood_rows(self) -> list[NoticeRow]:
        now_ms = self.wall_ms()
        if not self._held or now_ms < self._flush_ms:
            return []
        self._flush_ms = now_ms + _FLUSH_MS
        held, self._held = self._held, {}
        targets = {route.name: route.targets for route in self.plan.routes}
        rows = []
        for (station, route), many in held.items():
            rows += self._together(FLOOD, station, route, targets[route], many)
        return rows

    def _escalations(self) -> list[NoticeRow]:
        """Return what goes to the next: one by one, but many at once together, as in a flood."""
        due: dict[tuple[str, str], list[Heard]] = {}
        routes: dict[str, Route] = {}
        now_ms = self.wall_ms()
        for opened in self._open.values():
            for route in opened.routes:
                after = route.escalate_after
                if after is None or route.name in opened.escalated:
                    continue
                if now_ms - opened.since_ms >= round(after.total_seconds() * 1000):
                    opened.escalated.add(route.name)
                    due.setdefault((opened.heard.view.station, route.name), []).append(opened.heard)
                    routes[route.name] = route
        rows = []
        for (station, name), many in due.items():
            to = routes[name].escalate_to
            if len(many) > self.plan.flood_from:
                rows += self._together(ESCALATED, station, name, to, many)
            else:
                rows += [self._row(one, ESCALATED, name, target) for one in many for target in to]
        return rows

    def _together(
        self, kind: str, station: str, route: str, targets: Iterable[str], many: list[Heard]
    ) -> list[NoticeRow]:
        body = json.dumps(flood_body([(one.view, one.area) for one in many], many[0].place), ensure_ascii=False)
        worst = min((one.view.priority for one in many), key=_WORST_FIRST.index)
        name = f"{FLOOD}@{self.wall_ms()}"
        return [self._new(station, "", name, worst, kind, route, target, body) for target in targets]

    # --- on request ---

    def try_out(self, place: Place, who: str) -> list[NoticeRow]:
        """Keep a test notice for every target and return what was kept."""
        body = json.dumps(trial_body(place, who), ensure_ascii=False)
        name = f"test@{self.wall_ms()}"
        rows = [self._new(place.station, "", name, "low", TEST, "", target, body) for target in self.plan.targets]
        self.book.add([replace(row, due_ms=row.due_ms + _TEST_WAITS_MS) for row in rows])
        return self.book.told(place.station, name)
