"""The operator's desk: what people may do to alarms. Every act is in the journal before it takes effect."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from api.alarms.board import AlarmBoard
from api.alarms.book import AlarmBook
from api.alarms.points import AlarmPoint
from station.domain.alarm_views import AlarmView
from station.domain.alarms import AlarmState, AlarmStateError
from station.domain.limit_changes import checked_limits
from station.domain.plant import Plant, UnitKey

_TIME_IS_UP = "time is up"


@dataclass(frozen=True, slots=True)
class OutOfService:
    """What came of asking an alarm out of service; `pending`: a second user must ask for the same within 15 min."""

    alarm: AlarmView
    pending: bool


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A unit in maintenance: until when, by whom, and which safety alarms still wait for a second user."""

    area: str
    unit: str
    until_ms: int | None
    who: str
    pending: tuple[str, ...]


class OperatorDesk:
    """Acts of people on the alarms of one station. Safe to call from any thread.

    Every method raises UnknownAlarmError for an id that is none, AlarmStateError (with the reason) where the alarm's
    state does not allow the act, and JournalUnavailableError where it could not be recorded; then nothing has changed.
    Times are station time, epoch ms.
    """

    _book: AlarmBook
    _board: AlarmBoard
    _plant: Plant
    _lock: threading.RLock
    _expiring: dict[str, AlarmPoint]

    def acknowledge(self, alarm_id: str, who: str, comment: str, t_ms: int) -> AlarmView:
        """Acknowledge an alarm; while its condition lasts it stays in sight."""
        with self._lock:
            point = self._point(alarm_id)
            state = point.state.acknowledged(t_ms, who)
            return self._act(point, state, "acked", t_ms, who, comment)

    def reset(self, alarm_id: str, who: str, comment: str, t_ms: int) -> AlarmView:
        """Release a latched alarm that has cleared and is acknowledged."""
        with self._lock:
            point = self._point(alarm_id)
            return self._act(point, point.state.reset(), "reset", t_ms, who, comment)

    def shelve(self, alarm_id: str, who: str, duration: dt.timedelta, reason: str, t_ms: int) -> AlarmView:
        """Hide an alarm for at most 8 h; never a safety alarm. Shelving again sets a new end."""
        with self._lock:
            point = self._point(alarm_id)
            state = point.state.shelved(t_ms, who, duration, safety=point.spec.safety)
            return self._act(point, state, "shelved", t_ms, who, _reason(reason))

    def unshelve(self, alarm_id: str, who: str, t_ms: int) -> AlarmView:
        """Show a shelved alarm as it is now."""
        with self._lock:
            point = self._point(alarm_id)
            return self._act(point, point.state.unshelved(), "unshelved", t_ms, who, "")

    def out_of_service(self, alarm_id: str, who: str, reason: str, until_ms: int | None, t_ms: int) -> OutOfService:
        """Take an alarm out of service, until it is put back or until a time; a safety alarm needs two users."""
        with self._lock:
            point = self._point(alarm_id)
            state = point.state.taken_out(t_ms, who, until_ms, safety=point.spec.safety)
            event = "out_of_service" if state.out_of_service else "out_of_service_asked"
            view = self._act(point, state, event, t_ms, who, _reason(reason))
            return OutOfService(view, pending=not state.out_of_service)

    def return_to_service(self, alarm_id: str, who: str, comment: str, t_ms: int) -> AlarmView:
        """Put an alarm back into service, shown as it is now; withdraws a first user's wish as well."""
        with self._lock:
            point = self._point(alarm_id)
            state = point.state.returned_to_service()
            return self._act(point, state, "returned_to_service", t_ms, who, comment)

    # --- whole units, and limits ---

    def begin_maintenance(
        self, key: UnitKey, who: str, reason: str, until_ms: int, t_ms: int
    ) -> tuple[list[AlarmView], Maintenance]:
        """Take all alarms of a unit out of service; its safety alarms wait for a second user, who asks for the same.

        What somebody has taken out before stays theirs. For a unit in maintenance this sets another end; its safety
        alarms, of which two people have agreed on the end, take only an earlier one.

        Returns:
            The alarms that changed, and what came of it.
        """
        note = f"maintenance: {_reason(reason)}"
        with self._lock:
            changed = []
            for point in self._points_of_unit(key):
                if point.state.out_of_service:
                    if _takes_end(point, until_ms):
                        changed.append(
                            self._act(point, point.state.ending(until_ms), "out_of_service", t_ms, who, note)
                        )
                    continue
                if point.state.asked_out_by == who:
                    continue
                state = point.state.taken_out(t_ms, who, until_ms, safety=point.spec.safety, with_unit=True)
                event = "out_of_service" if state.out_of_service else "out_of_service_asked"
                changed.append(self._act(point, state, event, t_ms, who, note))
            return changed, self._maintenance_of(key, who, until_ms)

    def end_maintenance(self, key: UnitKey, who: str, reason: str, t_ms: int) -> list[AlarmView]:
        """Put the alarms of a unit back that went out of service with it; waiting wishes are withdrawn."""
        with self._lock:
            return [
                self._act(point, point.state.returned_to_service(), "returned_to_service", t_ms, who, reason)
                for point in self._points_of_unit(key)
                if point.state.out_with_unit or (point.state.asked_out_by and not point.state.out_of_service)
            ]

    def maintenance(self) -> list[Maintenance]:
        """Return the units that are in maintenance, in the station file's order."""
        with self._lock:
            units = [
                (key, next((p.state for p in self._points_of_unit(key) if p.state.out_with_unit), None))
                for key in self._plant.units
            ]
            return [self._maintenance_of(key, out.out_by or "", None) for key, out in units if out is not None]

    def limits_of(self, tag: str) -> dict[str, float]:
        """Return a signal's limits as they are set now; an unknown signal has none."""
        signal = self._plant.signals.get(tag)
        if signal is None:
            return {}
        now = {name: self._book.points[f"{tag}.{name}"].spec_now.limit for name in signal.limits}
        return {name: limit for name, limit in now.items() if limit is not None}

    def set_limits(
        self, tag: str, limits: Mapping[str, float | None], who: str, reason: str, t_ms: int
    ) -> list[AlarmView]:
        """Set limits of a signal; they count from its next reading on, over a restart too.

        Args:
            tag: The signal.
            limits: New ones by name, None for the station file's own; those left out stay.
            who: The user.
            reason: Why; stands in the journal with old and new.
            t_ms: Station time.

        Raises:
            BadInputError: A limit that the signal has not, or that breaks a rule.
        """
        signal = self._plant.signals[tag]
        note = _reason(reason)
        with self._lock:
            wanted = checked_limits(signal, self.limits_of(tag), limits)
            changed = []
            for name, limit in wanted.items():
                point = self._point(f"{tag}.{name}")
                old = point.spec_now.limit
                if old == limit:
                    continue
                own = None if limit == point.spec.limit else limit
                text = f"{name} {old:g} -> {limit:g}: {note}"
                changed.append(self._act(point, point.state.with_limit(own), "limit_changed", t_ms, who, text))
                self._board.watches[tag].set_limit(name, limit)
            return changed

    def _points_of_unit(self, key: UnitKey) -> list[AlarmPoint]:
        return [point for tag in self._plant.units[key].tags for point in self._board.points_of(tag).values()]

    def _maintenance_of(self, key: UnitKey, who: str, until_ms: int | None) -> Maintenance:
        points = self._points_of_unit(key)
        waits = (p.id for p in points if p.state.asked_out_by and not p.state.out_of_service)
        ends = (p.state.out_until_ms for p in points if p.state.out_with_unit and p.state.out_until_ms is not None)
        return Maintenance(key[0], key[1], max(ends, default=until_ms), who, tuple(waits))

    def _point(self, alarm_id: str) -> AlarmPoint:
        return self._book.point(alarm_id)

    def _act(self, point: AlarmPoint, state: AlarmState, event: str, t_ms: int, who: str, note: str) -> AlarmView:
        view = self._book.act(point, state, event, t_ms, who, note)
        self._watch_expiry(point)
        return view

    def _watch_expiry(self, point: AlarmPoint) -> None:
        state = point.state
        if state.shelved_until_ms is None and state.out_until_ms is None and state.asked_out_by is None:
            self._expiring.pop(point.id, None)
        else:
            self._expiring[point.id] = point

    def _expire(self, now_ms: int) -> None:
        """Let what has an end come to it: shelves, out-of-service times, a first user's wish."""
        for point in list(self._expiring.values()):
            state, note = point.state, self._book.note
            if state.shelved_until_ms is not None and state.shelved_until_ms < now_ms:
                note(point, state.unshelved(), "unshelved", state.shelved_until_ms, text=_TIME_IS_UP)
            elif state.out_until_ms is not None and state.out_until_ms < now_ms:
                note(point, state.returned_to_service(), "returned_to_service", state.out_until_ms, text=_TIME_IS_UP)
            elif state.ask_lapsed(now_ms):
                note(point, state.ask_withdrawn(), "out_of_service_lapsed", now_ms, text="no second user in time")
            self._watch_expiry(point)


def _takes_end(point: AlarmPoint, until_ms: int) -> bool:
    """Return whether an alarm that is out of service with its unit takes another end from one user alone."""
    now_ms = point.state.out_until_ms
    if not point.state.out_with_unit or now_ms is None or until_ms == now_ms:
        return False
    return until_ms < now_ms or not point.spec.safety


def _reason(text: str) -> str:
    if not text.strip():
        raise AlarmStateError("reason: must not be empty")
    return text.strip()
