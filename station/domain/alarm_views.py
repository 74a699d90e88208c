"""An alarm as the outside sees it: exactly the fields of contract section 7."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from station.domain.alarms import AlarmState
from station.domain.plant import AlarmSpec, Text

_TIMES = ("shelved_until", "raised_at", "acked_at", "cleared_at", "out_of_service_until")


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm at one moment. Times are station time, epoch ms here and RFC 3339 in `alarm_view_json`.

    Attributes:
        id: `{signal}.{condition}`, `CAP-..`, `SYS-..`; unique per station.
        occurrence: New each time that it becomes active; "" before the first.
        signal: The tag, None for alarms of no signal.
        state: The first that holds of OUT_OF_SERVICE, SUPPRESSED, SHELVED, LATCHED, UNACK, ACKED, RTNUN, NORM.
        late: The condition was found in data that came too late to act upon: no horn, no notice.
        value, limit: In the signal's unit, when it was raised.
        first_out: It began first in its group; the others are probably consequences.
        group: Alarms of one group and moment belong together.
        safety: Never shelved; two people take it out of service.
        out_of_service_by, out_of_service_until: Who took it out of service, and its end where it has one.
        out_of_service_asked_by: A first user wants this safety alarm out of service; a second one completes it.
    """

    id: str
    occurrence: str
    station: str
    signal: str | None
    condition: str
    priority: str
    state: str
    active: bool
    acked: bool
    latched: bool
    late: bool
    shelved_until: int | None
    raised_at: int | None
    acked_at: int | None
    acked_by: str | None
    cleared_at: int | None
    value: float | None
    limit: float | None
    first_out: bool
    group: str
    text: Text
    cause: Text
    consequence: Text
    action: Text
    safety: bool = False
    out_of_service_by: str | None = None
    out_of_service_until: int | None = None
    out_of_service_asked_by: str | None = None


def alarm_view(
    alarm_id: str, station: str, signal: str | None, group: str, spec: AlarmSpec, state: AlarmState
) -> AlarmView:
    """Return an alarm's view."""
    return AlarmView(
        id=alarm_id,
        occurrence=state.occurrence,
        station=station,
        signal=signal,
        condition=spec.condition,
        priority=state.priority,
        state=state.name,
        active=state.active,
        acked=state.acked,
        latched=state.latched,
        late=False,
        shelved_until=state.shelved_until_ms,
        raised_at=state.raised_ms,
        acked_at=state.acked_ms,
        acked_by=state.acked_by,
        cleared_at=state.cleared_ms,
        value=state.value,
        limit=spec.limit if state.limit is None else state.limit,
        first_out=state.first_out,
        group=group,
        text=state.text or spec.text,
        cause=spec.cause,
        consequence=spec.consequence,
        action=spec.action,
        safety=spec.safety,
        out_of_service_by=state.out_by,
        out_of_service_until=state.out_until_ms,
        out_of_service_asked_by=state.asked_out_by,
    )


def alarm_view_json(view: AlarmView) -> dict[str, object]:
    """Return the JSON object of contract section 7: times RFC 3339 UTC, texts `{"en", "zh"}`."""
    body: dict[str, object] = {}
    for field in dataclasses.fields(view):
        value = getattr(view, field.name)
        if field.name in _TIMES and value is not None:
            value = dt.datetime.fromtimestamp(value / 1000, dt.UTC).isoformat(timespec="milliseconds")
            value = value.replace("+00:00", "Z")
        elif isinstance(value, Text):
            value = {"en": value.en, "zh": value.zh}
        body[field.name] = value
    return body
