"""The operator's desk: what people may do to alarms. Every act is in the journal before it takes effect."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass

from api.alarms.book import AlarmBook
from api.alarms.points import AlarmPoint
from station.domain.alarm_views import AlarmView
from station.domain.alarms import AlarmState, AlarmStateError

_TIME_IS_UP = "time is up"


@dataclass(frozen=True, slots=True)
class OutOfService:
    """What came of asking an alarm out of service; `pending`: a second user must ask for the same within 15 min."""

    alarm: AlarmView
    pending: bool


class OperatorDesk:
    """Acts of people on the alarms of one station. Safe to call from any thread.

    Every method raises UnknownAlarmError for an id that is none, AlarmStateError (with the reason) where the alarm's
    state does not allow the act, and JournalUnavailableError where it could not be recorded; then nothing has changed.
    Times are station time, epoch ms.
    """

    _book: AlarmBook
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


def _reason(text: str) -> str:
    if not text.strip():
        raise AlarmStateError("reason: must not be empty")
    return text.strip()
