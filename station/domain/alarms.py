"""The alarm state machine of ISA-18.2: what an alarm is, and what may happen to it next.

`AlarmState` is a value; each transition returns a new one. An alarm is normal, active (acknowledged or not), returned
but not acknowledged, or latched; independently of that it may be shelved, suppressed by design or out of service, which
hides it while everything below goes on. A new occurrence begins each time it becomes active.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from station.domain.plant import AlarmSpec, Text
from station.errors import FinalError

PRIORITIES = ("low", "medium", "high", "critical")
"""In rising order."""
LONGEST_SHELF = dt.timedelta(hours=8)
"""One shift: whoever shelves an alarm is still there when it comes back."""
SECOND_PERSON_WITHIN = dt.timedelta(minutes=15)
"""A safety alarm goes out of service only if a second user asks for the same within this time."""


class UnknownAlarmError(FinalError):
    """No alarm of that id stands in the station file."""


class AlarmStateError(FinalError):
    """The alarm's state does not allow what was asked; the text says what does."""


def is_worse(priority: str, than: str) -> bool:
    """Return True where a priority is a class above another."""
    return PRIORITIES.index(priority) > PRIORITIES.index(than)


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Where one alarm stands. Times are station time, epoch ms.

    Attributes:
        occurrence: Id of the present or the last occurrence, "" before the first.
        active: The condition, past its delays.
        acked: Nothing is left to acknowledge.
        latched: It cleared, and waits for an operator's reset.
        announced: The occurrence has been shown (it was not hidden from its beginning until now).
        priority: Of the occurrence; rises, never falls, within one.
        raised_ms, acked_ms, acked_by, cleared_ms: Of the occurrence.
        value, limit: When it was raised, or last escalated.
        first_out: It was the first of its group within the first-out window.
        text: Where the raiser gave one (capacity alerts), else None.
        suppressed: Hidden by design.
        shelved_until_ms, shelved_by: Hidden by an operator, until then.
        out_of_service, out_until_ms, out_by: Hidden until put back, or until then.
        out_with_unit: Its whole unit is in maintenance, and comes back with it.
        asked_out_by, asked_out_ms: A first user wants a safety alarm out of service.
        changed_limit: Set by an engineer in place of the station file's.
    """

    occurrence: str = ""
    active: bool = False
    acked: bool = True
    latched: bool = False
    announced: bool = False
    priority: str = "low"
    raised_ms: int | None = None
    acked_ms: int | None = None
    acked_by: str | None = None
    cleared_ms: int | None = None
    value: float | None = None
    limit: float | None = None
    first_out: bool = False
    text: Text | None = None
    suppressed: bool = False
    shelved_until_ms: int | None = None
    shelved_by: str | None = None
    out_of_service: bool = False
    out_until_ms: int | None = None
    out_by: str | None = None
    out_with_unit: bool = False
    asked_out_by: str | None = None
    asked_out_ms: int | None = None
    changed_limit: float | None = None

    @property
    def name(self) -> str:
        """The first that holds of OUT_OF_SERVICE .. NORM (contract section 7)."""
        if self.out_of_service:
            return "OUT_OF_SERVICE"
        if self.suppressed:
            return "SUPPRESSED"
        if self.shelved_until_ms is not None:
            return "SHELVED"
        return self.own_name

    @property
    def own_name(self) -> str:
        """The state below whatever hides it."""
        if self.latched:
            return "LATCHED"
        if self.active:
            return "ACKED" if self.acked else "UNACK"
        return "NORM" if self.acked else "RTNUN"

    @property
    def hidden(self) -> bool:
        """True while shelved, suppressed or out of service."""
        return self.out_of_service or self.suppressed or self.shelved_until_ms is not None

    @property
    def is_open(self) -> bool:
        """True while the occurrence is not over: active, returned unacknowledged, or latched."""
        return self.active or self.latched or not self.acked

    # The process

    def raised(
        self,
        occurrence: str,
        at_ms: int,
        priority: str,
        value: float | None = None,
        limit: float | None = None,
        text: Text | None = None,
    ) -> AlarmState:
        """Begin a new occurrence; an active alarm stays as it is."""
        if self.active:
            return self
        return self._with(
            occurrence=occurrence,
            active=True,
            acked=False,
            latched=False,
            announced=not self.hidden,
            priority=priority,
            raised_ms=at_ms,
            acked_ms=None,
            acked_by=None,
            cleared_ms=None,
            value=value,
            limit=limit,
            first_out=False,
            text=text,
        )

    def cleared(self, at_ms: int, *, latching: bool) -> AlarmState:
        """End the condition. What was never shown needs no acknowledgement, unless it latches."""
        if not self.active:
            return self
        done = self.acked or not (self.announced or latching)
        return self._with(active=False, latched=latching, acked=done, cleared_ms=at_ms)

    def escalated(
        self, priority: str, value: float | None = None, limit: float | None = None, text: Text | None = None
    ) -> AlarmState:
        """Raise the priority within the occurrence: it wants acknowledging again. Anything lower changes nothing."""
        if not self.active or not is_worse(priority, self.priority):
            return self
        return self._with(
            priority=priority,
            acked=False,
            acked_ms=None,
            acked_by=None,
            announced=self.announced or not self.hidden,
            value=value,
            limit=limit,
            text=text,
        )

    # The operator

    def acknowledged(self, at_ms: int, who: str) -> AlarmState:
        """Acknowledge the occurrence; an active alarm stays active.

        Raises:
            AlarmStateError: Nothing to acknowledge, or done already.
        """
        if not self.is_open:
            raise AlarmStateError("nothing to acknowledge: the alarm is normal")
        if self.acked:
            raise AlarmStateError(f"already acknowledged by {self.acked_by}")
        return self._with(acked=True, acked_ms=at_ms, acked_by=who)

    def reset(self) -> AlarmState:
        """Release a latched alarm.

        Raises:
            AlarmStateError: Not latched, still active, or not acknowledged.
        """
        if self.active:
            raise AlarmStateError("cannot reset: the condition is still there")
        if not self.latched:
            raise AlarmStateError("nothing to reset: the alarm is not latched")
        if not self.acked:
            raise AlarmStateError("cannot reset: acknowledge the alarm first")
        return self._with(latched=False)

    def shelved(self, at_ms: int, who: str, duration: dt.timedelta, *, safety: bool) -> AlarmState:
        """Hide the alarm for a while.

        Raises:
            AlarmStateError: A safety alarm, one out of service, or a duration outside 0 .. 8 h.
        """
        if safety:
            raise AlarmStateError("a safety alarm cannot be shelved: two people may take it out of service")
        if self.out_of_service:
            raise AlarmStateError("cannot shelve: the alarm is out of service")
        if not dt.timedelta() < duration <= LONGEST_SHELF:
            raise AlarmStateError("for: an alarm is shelved for more than 0 s and at most 8 h")
        return self._with(shelved_until_ms=at_ms + _ms(duration), shelved_by=who)

    def unshelved(self) -> AlarmState:
        """Show a shelved alarm again, as it is now.

        Raises:
            AlarmStateError: Not shelved.
        """
        if self.shelved_until_ms is None:
            raise AlarmStateError("nothing to unshelve: the alarm is not shelved")
        return self._with(shelved_until_ms=None, shelved_by=None).shown()

    def taken_out(
        self, at_ms: int, who: str, until_ms: int | None, *, safety: bool, with_unit: bool = False
    ) -> AlarmState:
        """Take the alarm out of service, alone or with its unit; for a safety alarm the first user only asks for it.

        Returns:
            The new state; `out_of_service` is still False where a second user is needed.

        Raises:
            AlarmStateError: Out of service already, the end in the past, or the same user asking twice.
        """
        if self.out_of_service:
            raise AlarmStateError(f"already out of service, by {self.out_by}")
        if until_ms is not None and until_ms <= at_ms:
            raise AlarmStateError("until: must be later than now")
        if safety:
            waiting = self.asked_out_by is not None and not self.ask_lapsed(at_ms)
            if not waiting:
                return self._with(asked_out_by=who, asked_out_ms=at_ms)
            if self.asked_out_by == who:
                raise AlarmStateError(f"a safety alarm needs a second user besides {who}, within 15 min")
        return self._with(
            out_of_service=True,
            out_until_ms=until_ms,
            out_by=who,
            out_with_unit=with_unit,
            asked_out_by=None,
            asked_out_ms=None,
            shelved_until_ms=None,
            shelved_by=None,
        )

    def ending(self, until_ms: int) -> AlarmState:
        """Set another end to being out of service."""
        return self._with(out_until_ms=until_ms)

    def ask_lapsed(self, at_ms: int) -> bool:
        """Return True where a first user's wish to take it out of service has waited too long for a second."""
        return self.asked_out_ms is not None and at_ms - self.asked_out_ms > _ms(SECOND_PERSON_WITHIN)

    def ask_withdrawn(self) -> AlarmState:
        """Forget a first user's wish."""
        return self._with(asked_out_by=None, asked_out_ms=None)

    def returned_to_service(self) -> AlarmState:
        """Put the alarm back into service, shown as it is now; or withdraw a wish that still waits.

        Raises:
            AlarmStateError: In service.
        """
        if not self.out_of_service:
            if self.asked_out_by is not None:
                return self.ask_withdrawn()
            raise AlarmStateError("the alarm is in service")
        return self._with(out_of_service=False, out_until_ms=None, out_by=None, out_with_unit=False).shown()

    def with_limit(self, limit: float | None) -> AlarmState:
        """Set another limit than the station file's, None for the file's own again."""
        return self._with(changed_limit=limit)

    # The design

    def suppressed_now(self, suppressed: bool) -> AlarmState:
        """Hide by design, or show again."""
        if suppressed is self.suppressed:
            return self
        changed = self._with(suppressed=suppressed)
        return changed if suppressed else changed.shown()

    def shown(self) -> AlarmState:
        """Note that an open occurrence is in sight, where nothing hides it any more."""
        if self.hidden or self.announced or not self.is_open:
            return self
        return self._with(announced=True)

    def marked_first_out(self, first_out: bool) -> AlarmState:
        """Give it the label of its group's first, or take it away."""
        return self._with(first_out=first_out)

    def told(self, value: float | None, text: Text) -> AlarmState:
        """Renew the words of an active alarm; nothing else changes."""
        return self._with(value=value, text=text)

    def _with(self, **changes: Any) -> AlarmState:
        return dataclasses.replace(self, **changes)

    # The journal

    def as_detail(self) -> dict[str, object]:
        """Return what a journal row keeps of the state: all that differs from a fresh alarm."""
        kept: dict[str, object] = {}
        for name, fresh in _FRESH.items():
            value = getattr(self, name)
            if value != fresh:
                kept[name] = {"en": value.en, "zh": value.zh} if isinstance(value, Text) else value
        return kept

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> AlarmState:
        """Return the state that `as_detail` kept; fields of another version are ignored."""
        known = {name: value for name, value in detail.items() if name in _FRESH}
        if isinstance(known.get("text"), Mapping):
            known["text"] = Text(known["text"]["en"], known["text"]["zh"])
        return cls(**known)


_FRESH: dict[str, object] = {f.name: f.default for f in dataclasses.fields(AlarmState)}


def occurrence_id(alarm_id: str, raised_ms: int) -> str:
    """Return the id of an occurrence: the same messages always give the same one."""
    return f"{alarm_id}@{raised_ms}"


def fresh_state(spec: AlarmSpec) -> AlarmState:
    """Return the state of an alarm of which nothing is known yet."""
    return AlarmState(priority=spec.priority)


def _ms(duration: dt.timedelta) -> int:
    return round(duration.total_seconds() * 1000)
