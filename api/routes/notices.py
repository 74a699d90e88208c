"""Notices: what was told to whom and how each try went, and a test over every target."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.notices.service import Trial
from api.people.roles import Role
from api.problems import ProblemError, broken
from api.routes.bodies import Page, Priority, TextBody, json_answer
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import DEFAULT_LIMIT, Cursor, Limit, StationId, TimeText, time_range
from api.services import ApiServices
from station.notice_ports import NoticeRow, NoticeTry
from station.wire.plan_v1 import rfc3339

_USUAL: Final = dt.timedelta(hours=24)
_NONE: Final = "the horn was sounded; no notices are set up: name a file with JINMA_NOTICES (docs/notices.md)"


class TryBody(BaseModel):
    """One try of a notice."""

    at: str
    took_ms: int
    ok: bool
    duplicate: bool = Field(description="The target may have had it before: an earlier try got no answer in time")
    answer: str


class NoticeBody(BaseModel):
    """A notice to one target. Times are wall time."""

    number: int
    alarm: str
    occurrence: str
    priority: Priority
    kind: str = Field(description="raised, worse, cleared, escalated, flood, report or test")
    route: str
    target: str
    state: str = Field(description="waiting, sent or given-up")
    created_at: str
    title: TextBody
    tries: list[TryBody]


class NoticeList(Page):
    """Notices, newest first."""

    items: list[NoticeBody]


class TrialBody(BaseModel):
    """How a test went at one target; `ok` is null where it has not answered in time."""

    target: str
    ok: bool | None
    answer: str


class TrialList(BaseModel):
    """How a test went."""

    items: list[TrialBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of notices."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        "/stations/{station}/notices",
        summary="Notices and every try of them",
        response_model=NoticeList,
        **needs(Role.VIEWER, 404, example=examples.NOTICES),
    )
    def list_notices(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Of the last 24 h of wall time, or of a range."""
        live = services.live(station)
        start_ms, end_ms = time_range(start, end, services.wall_ms(), _USUAL)
        if cursor is not None and not cursor.isdigit():
            raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
        if services.notices is None:
            return json_answer({"items": [], "next_cursor": None})
        before = None if cursor is None else int(cursor)
        rows = services.notices.desk.book.range(live.plant.id, start_ms, end_ms, limit, before)
        following = str(rows[-1][0].number) if len(rows) == limit else None
        return json_answer({"items": [_notice(row, tries) for row, tries in rows], "next_cursor": following})

    @router.post(
        "/stations/{station}/alarms/test",
        summary="Sound the horn and send a test notice to every target",
        response_model=TrialList,
        **needs(Role.OPERATOR, 404, 409, example=examples.TRIALS),
    )
    def test_alarms(who: Operator, station: StationId) -> Response:
        """The event `test` on the stream sounds the horn of the consoles; each target is tried once, and answers."""
        live = services.live(station)
        live.hub.publish("test", json.dumps({"who": who.name, "at": rfc3339(live.now_ms)}).encode())
        if services.notices is None:
            raise ProblemError(409, _NONE)
        return json_answer({"items": [_trial(one) for one in services.notices.try_out(live, who.name)]})

    return router


def _trial(one: Trial) -> dict[str, Any]:
    return {"target": one.target, "ok": one.ok, "answer": one.answer}


def _notice(row: NoticeRow, tries: list[NoticeTry]) -> dict[str, Any]:
    return {
        "number": row.number,
        "alarm": row.alarm_id,
        "occurrence": row.occurrence,
        "priority": row.priority,
        "kind": row.kind,
        "route": row.route,
        "target": row.target,
        "state": row.state,
        "created_at": rfc3339(row.created_ms),
        "title": json.loads(row.body)["title"],
        "tries": [
            {"at": rfc3339(t.at_ms), "took_ms": t.took_ms, "ok": t.ok, "duplicate": t.duplicate, "answer": t.answer}
            for t in tries
        ],
    }
