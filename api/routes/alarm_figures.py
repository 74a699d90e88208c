"""Figures of the alarms after ISA-18.2 and EEMUA 191, and the journal as a table to take away."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.alarms.advice import advice_of
from api.journal_table import COLUMNS, Cell, csv_lines
from api.live.station import LiveStation
from api.people.roles import Role
from api.routes.bodies import TextBody, json_answer
from api.routes.guard import Viewer, needs
from api.routes.params import StationId, TimeText, time_range
from api.services import ApiServices
from station.domain import alarm_figures as figures
from station.ports import AlarmJournal, JournalEntry
from station.wire.plan_v1 import rfc3339

_USUAL: Final = dt.timedelta(days=1)
_PAGE: Final = 5_000
_PIECE: Final = 64 * 1024
_WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FigureBody(BaseModel):
    """A number with its target; `most` is what it must not pass."""

    value: float | None
    target: float | None
    most: float | None
    met: bool | None


class FloodBody(BaseModel):
    """A flood; `end` is null while it lasts."""

    start: str
    end: str | None
    count: int
    first: str


class CountBody(BaseModel):
    """An alarm and how often."""

    alarm: str
    count: int


class ShareBody(CountBody):
    """An alarm, how often, and its share of all."""

    percent: float


class AckBody(BaseModel):
    """How soon alarms of a priority were acknowledged."""

    priority: str
    acknowledged: int
    median_min: float | None
    p90_min: float | None
    target_min: float | None
    within_target_percent: float | None


class BucketBody(BaseModel):
    """Occurrences that began in an hour, day or month of local time."""

    start: str
    alarms: int
    by_priority: dict[str, int]


class AdviceBody(BaseModel):
    """A delay or a dead-band that would have kept an alarm quiet without costing a true one."""

    alarm: str
    kind: Literal["on-delay", "off-delay", "dead-band"]
    seconds: int | None = Field(description="The delay; null for a dead-band")
    deadband: float | None = Field(description="In the signal's unit; null for a delay")
    unit: str | None = Field(description="Of the dead-band")
    removed: int
    of: int
    text: TextBody


class FiguresBody(BaseModel):
    """What ISA-18.2 asks of an alarm system, over a range of station time."""

    start: str
    end: str
    alarms: int
    late: int = Field(description="Found in late data; in no other number")
    rates: dict[str, FigureBody]
    floods: list[FloodBody]
    top_ten: list[ShareBody]
    top_ten_percent: FigureBody
    chattering: list[CountBody]
    fleeting: list[CountBody]
    stale: list[str] = Field(description="Active for over 24 h now")
    priority_percent: dict[str, float]
    acknowledged: list[AckBody]
    buckets: list[BucketBody]
    advice: list[AdviceBody]


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of figures and of the journal's export."""
    router = APIRouter(tags=["alarms"])

    @router.get(
        "/stations/{station}/alarms/figures",
        summary="Alarm figures by hour, day or month",
        response_model=FiguresBody,
        **needs(Role.VIEWER, 404, example=examples.FIGURES),
    )
    def get_figures(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        by: Annotated[Literal["hour", "day", "month"], Query(description="Length of a bucket")] = "hour",
    ) -> Response:
        """Of the last 24 hours of station time, or of a range; each with its target."""
        live = services.live(station)
        start_ms, end_ms = time_range(start, end, live.now_ms, _USUAL)
        entries = (entry for _, entry in _entries(services.journal, station, start_ms, end_ms))
        history = figures.history_of(entries)
        advice = advice_of(live.plant, services.store, history)
        return json_answer({**_figures(live, history, start_ms, end_ms, by), "advice": advice})

    @router.get(
        "/stations/{station}/alarms/journal/export",
        summary="The journal as a table",
        response_class=Response,
        **needs(Role.VIEWER, 404, example="row,at,..", media_type="text/csv"),
    )
    def export_journal(
        _: Viewer,
        station: StationId,
        start: TimeText = None,
        end: TimeText = None,
        format_: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
        lang: Annotated[Literal["en", "zh"], Query(description="Language of headings and alarm texts")] = "en",
    ) -> Response:
        """UTF-8 with a byte order mark, or a workbook; what looks like a formula is shown and never worked out."""
        live = services.live(station)
        start_ms, end_ms = time_range(start, end, live.now_ms, _USUAL)
        rows = table_rows(services.journal, live, (start_ms, end_ms), lang)
        name = f"{station}-alarms.{format_}"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        heads = [heading.in_language(lang) for heading in COLUMNS]
        if format_ == "csv":
            return StreamingResponse(csv_lines(heads, rows), media_type="text/csv; charset=utf-8", headers=disposition)
        from api.journal_workbook import write_xlsx  # noqa: PLC0415 - see there

        book = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it is sent
        write_xlsx(heads, rows, book)
        book.seek(0)
        return StreamingResponse(_pieces(book), media_type=_WORKBOOK, headers=disposition)

    return router


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _entries(journal: AlarmJournal, station: str, start_ms: int, end_ms: int) -> Iterator[tuple[int, JournalEntry]]:
    """Yield the journal's rows of a range, a page in memory at a time."""
    after = 0
    while rows := journal.entries(station, start_ms, end_ms, after, _PAGE):
        yield from rows
        after = rows[-1][0]
        if len(rows) < _PAGE:
            return


def table_rows(journal: AlarmJournal, live: LiveStation, span: tuple[int, int], lang: str) -> Iterator[list[Cell]]:
    """Yield the journal's rows of a span [ms) as cells under `COLUMNS`; a page of the journal in memory at a time."""
    texts = {view: live.alarms.alarm(view).text.in_language(lang) for view in live.alarms.ids()}
    zone = live.plant.timezone
    for number, e in _entries(journal, live.plant.id, *span):
        at, received = (dt.datetime.fromtimestamp(t_ms / 1000.0, zone) for t_ms in (e.t_ms, e.received_ms))
        state = e.detail.get("state")
        priority = state.get("priority", "") if isinstance(state, dict) else ""
        text = texts.get(e.alarm_id, "")
        yield [number, at, e.alarm_id, text, str(priority), e.event, e.value, e.limit, e.who, e.note, received]


def _figures(live: LiveStation, history: figures.History, start_ms: int, end_ms: int, by: str) -> dict[str, Any]:
    top, chatter = figures.top_ten(history), figures.chattering(history)
    stale = [v.id for v in live.alarms.alarms() if v.active and live.now_ms - (v.raised_at or 0) > figures.STALE_MS]
    share = round(sum(percent for _, _, percent in top), 2) if top else None
    return {
        "start": rfc3339(start_ms),
        "end": rfc3339(end_ms),
        "alarms": len(history.occurrences),
        "late": history.late,
        "rates": {name: _figure(one) for name, one in figures.rates(history, start_ms, end_ms).items()},
        "floods": [
            {"start": rfc3339(f.start_ms), "end": f.end_ms and rfc3339(f.end_ms), "count": f.count, "first": f.first}
            for f in figures.floods(history, end_ms)
        ],
        "top_ten": [{"alarm": alarm, "count": count, "percent": percent} for alarm, count, percent in top],
        "top_ten_percent": _figure(figures.Figure(share, 5.0)),
        "chattering": [{"alarm": alarm, "count": count} for alarm, count in chatter],
        "fleeting": [{"alarm": alarm, "count": count} for alarm, count in figures.fleeting(history)],
        "stale": stale,
        "priority_percent": figures.priority_shares(history),
        "acknowledged": [_ack(name, *row) for name, row in figures.ack_minutes(history).items()],
        "buckets": [
            {"start": start, "alarms": sum(counts.values()), "by_priority": counts}
            for start, counts in figures.buckets(history, by, live.plant.timezone)
        ],
    }


def _figure(one: figures.Figure) -> dict[str, Any]:
    return {"value": one.value, "target": one.target, "most": one.most, "met": one.met}


def _ack(priority: str, count: int, middle: float | None, ninety: float | None, within: float | None) -> dict[str, Any]:
    return {
        "priority": priority,
        "acknowledged": count,
        "median_min": middle,
        "p90_min": ninety,
        "target_min": figures.ACK_TARGET_MIN[priority],
        "within_target_percent": within,
    }
