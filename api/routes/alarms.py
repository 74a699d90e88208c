"""Alarms now, their journal, and what an operator may do to them; each act is journalled with a name."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import broken
from api.routes.bodies import AlarmStateName, Page, Priority, TextBody, json_answer, page_of
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, StationId, TimeText, moment, time_range
from api.services import ApiServices
from station.domain.alarm_views import AlarmView, alarm_view_json
from station.domain.signals import AREAS
from station.ports import JournalEntry
from station.settings import parse_duration
from station.wire.plan_v1 import rfc3339

_USUAL_RANGE: Final = dt.timedelta(hours=24)
AlarmId = Annotated[str, Path(description="Alarm id", max_length=120, examples=["PT-330A.HH"])]


class AlarmBody(BaseModel):
    """One alarm at one moment."""

    id: str
    occurrence: str = Field(description="New each time that it becomes active")
    station: str
    signal: str | None
    condition: str
    priority: Priority
    state: AlarmStateName = Field(description="The first that holds, in the order of the list")
    active: bool
    acked: bool
    latched: bool
    late: bool = Field(description="Found in data that came too late to act upon: no horn, no notice")
    shelved_until: str | None
    raised_at: str | None
    acked_at: str | None
    acked_by: str | None
    cleared_at: str | None
    value: float | None
    limit: float | None
    first_out: bool = Field(description="It began first in its group; the others are probably consequences")
    group: str | None
    text: TextBody
    cause: TextBody
    consequence: TextBody
    action: TextBody
    safety: bool = Field(description="Never shelved; two people take it out of service")
    out_of_service_by: str | None
    out_of_service_until: str | None
    out_of_service_asked_by: str | None = Field(description="A first user asked; a second one completes it")


class AlarmList(Page):
    """Alarms that are not normal."""

    items: list[AlarmBody]


class JournalRow(BaseModel):
    """One event of an alarm, or an operator's act."""

    row: int
    id: str = Field(description="Alarm id; empty where the act is about no alarm")
    occurrence: str
    event: str
    at: str = Field(description="Station time of the event")
    received: str = Field(description="Wall time at which it was written")
    who: str
    value: float | None
    limit: float | None
    note: str


class JournalPage(Page):
    """Events in order."""

    items: list[JournalRow]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Comment(_Strict):
    """What the person has to say."""

    comment: str = Field("", max_length=500)


class Shelving(_Strict):
    """Hide an alarm for a while."""

    for_: str = Field(alias="for", max_length=20, examples=["30m"], description="A duration, 8h at most")
    reason: str = Field(min_length=1, max_length=500)


class OutOfService(_Strict):
    """Take an alarm out of service."""

    reason: str = Field(min_length=1, max_length=500, description="With the permit's number")
    until: str | int | None = Field(
        None, description="RFC 3339 or epoch ms; null until it is put back", examples=["2026-11-23T16:00:00+08:00"]
    )


CommentBody = Annotated[Comment | None, Body()]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of alarms."""
    router = APIRouter(tags=["alarms"])
    _add_lists(router, services)
    _add_acts(router, services)
    _add_service_acts(router, services)
    return router


def _add_lists(router: APIRouter, services: ApiServices) -> None:
    @router.get(
        "/stations/{station}/alarms",
        summary="Alarms that are not normal",
        response_model=AlarmList,
        **needs(Role.VIEWER, 404, example=examples.ALARMS),
    )
    def list_alarms(
        _: Viewer,
        station: StationId,
        state: Annotated[list[AlarmStateName] | None, Query(description="Only these; repeat it")] = None,
        priority: Annotated[list[Priority] | None, Query(description="Only these; repeat it")] = None,
        area: Annotated[str | None, Query(description="Only this area", max_length=40)] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Shelved, suppressed and out-of-service alarms are listed too; filter by `state`."""
        live = services.live(station)
        if area is not None and area not in AREAS:
            raise broken("query.area", area, f"must be one of {', '.join(AREAS)}")
        chosen = [
            view
            for view in live.alarms.alarms()
            if (not state or view.state in state)
            and (not priority or view.priority in priority)
            and area in (None, _area_of(view, live))
        ]
        items, next_cursor = page_of(chosen, cursor, limit)
        return json_answer({"items": [alarm_view_json(view) for view in items], "next_cursor": next_cursor})

    @router.get(
        "/stations/{station}/alarms/journal",
        summary="What happened to alarms, and who did it",
        description="Without `start` and `end`: the last 24 hours of station time.",
        response_model=JournalPage,
        **needs(Role.VIEWER, 404, example=examples.JOURNAL),
    )
    def get_journal(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        alarm: Annotated[str | None, Query(description="Only this alarm", max_length=120)] = None,
        order: Annotated[Literal["oldest", "newest"], Query(description="Which come first")] = "oldest",
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Rows in the order in which they were written, or the newest first."""
        start_ms, end_ms = time_range(start, end, services.live(station).now_ms, _USUAL_RANGE)
        if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
            raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
        rows = services.journal.entries(
            station, start_ms, end_ms, int(cursor or 0), limit + 1, alarm_id=alarm, newest_first=order == "newest"
        )
        next_cursor = str(rows[limit - 1][0]) if len(rows) > limit else None
        items = [_journal_row(number, entry) for number, entry in rows[:limit]]
        return json_answer({"items": items, "next_cursor": next_cursor})

    @router.get(
        "/stations/{station}/alarms/{alarm}",
        summary="One alarm",
        response_model=AlarmBody,
        **needs(Role.VIEWER, 404, example=examples.ALARM),
    )
    def get_alarm(_: Viewer, station: StationId, alarm: AlarmId) -> Response:
        """Also one that is normal."""
        return json_answer(alarm_view_json(services.live(station).alarms.alarm(alarm)))


def _add_acts(router: APIRouter, services: ApiServices) -> None:
    act = "/stations/{station}/alarms/{alarm}"
    options = needs(Role.OPERATOR, 404, 409, example=examples.ALARM)

    @router.post(f"{act}/ack", summary="Acknowledge", response_model=AlarmBody, **options)
    def acknowledge(who: Operator, station: StationId, alarm: AlarmId, body: CommentBody = None) -> Response:
        """It stays in sight while it is active."""
        live, comment = services.live(station), _comment(body)
        return _answer(live.act(lambda engine, now_ms: engine.acknowledge(alarm, who.name, comment, now_ms)))

    @router.post(f"{act}/shelve", summary="Hide for a while", response_model=AlarmBody, **options)
    def shelve(who: Operator, station: StationId, alarm: AlarmId, body: Shelving) -> Response:
        """It comes back by itself; safety alarms cannot be shelved."""
        live, duration = services.live(station), _duration(body.for_)
        return _answer(live.act(lambda engine, now_ms: engine.shelve(alarm, who.name, duration, body.reason, now_ms)))

    @router.post(f"{act}/unshelve", summary="Show again", response_model=AlarmBody, **options)
    def unshelve(who: Operator, station: StationId, alarm: AlarmId) -> Response:
        """It is shown as it is now."""
        live = services.live(station)
        return _answer(live.act(lambda engine, now_ms: engine.unshelve(alarm, who.name, now_ms)))

    @router.post(
        f"{act}/reset",
        summary="Reset a latched alarm that has cleared",
        description="The acknowledgement comes first.",
        response_model=AlarmBody,
        **options,
    )
    def reset(who: Operator, station: StationId, alarm: AlarmId, body: CommentBody = None) -> Response:
        """Allowed once it has cleared and is acknowledged."""
        live, comment = services.live(station), _comment(body)
        return _answer(live.act(lambda engine, now_ms: engine.reset(alarm, who.name, comment, now_ms)))


def _add_service_acts(router: APIRouter, services: ApiServices) -> None:
    act = "/stations/{station}/alarms/{alarm}"
    options = needs(Role.OPERATOR, 404, 409, example=examples.ALARM)
    pending = {"description": "Pending: a second user must ask for the same within 15 minutes", "model": AlarmBody}

    @router.post(
        f"{act}/out-of-service",
        summary="Take out of service until a time",
        description="On a safety alarm the first request is pending (202); a second user completes it (200).",
        response_model=AlarmBody,
        responses={**options["responses"], 202: pending},
        openapi_extra=options["openapi_extra"],
    )
    def out_of_service(who: Operator, station: StationId, alarm: AlarmId, body: OutOfService) -> Response:
        """Until it is put back, or until a time."""
        live = services.live(station)
        until_ms = None if body.until is None else moment("body.until", str(body.until))
        asked = live.act(lambda engine, now_ms: engine.out_of_service(alarm, who.name, body.reason, until_ms, now_ms))
        return _answer(asked.alarm, 202 if asked.pending else 200)

    @router.post(f"{act}/return-to-service", summary="Put back into service", response_model=AlarmBody, **options)
    def return_to_service(who: Operator, station: StationId, alarm: AlarmId, body: CommentBody = None) -> Response:
        """Also withdraws a first request that waits for a second user."""
        live, comment = services.live(station), _comment(body)
        return _answer(live.act(lambda engine, now_ms: engine.return_to_service(alarm, who.name, comment, now_ms)))


def _answer(view: AlarmView, status: int = 200) -> Response:
    return json_answer(alarm_view_json(view), status)


def _comment(body: Comment | None) -> str:
    return "" if body is None else body.comment


def _area_of(view: AlarmView, live: LiveStation) -> str:
    """Return the area of an alarm's signal; alarms of the station as a whole stand under `system`."""
    signal = live.plant.signals.get(view.signal or "")
    return "system" if signal is None else signal.area


def _duration(text: str) -> dt.timedelta:
    try:
        duration = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise broken("body.for", text, "must be a duration such as 30m or 2h") from error
    if not isinstance(duration, dt.timedelta) or duration <= dt.timedelta():
        raise broken("body.for", text, "must be longer than nothing")
    return duration


def _journal_row(number: int, entry: JournalEntry) -> dict[str, Any]:
    return {
        "row": number,
        "id": entry.alarm_id,
        "occurrence": entry.occurrence,
        "event": entry.event,
        "at": rfc3339(entry.t_ms),
        "received": rfc3339(entry.received_ms),
        "who": entry.who,
        "value": entry.value,
        "limit": entry.limit,
        "note": entry.note,
    }
