"""Daily reports: which there are, one in each form, made anew; and the shift notes that stand in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api import openapi_examples as examples
from api.live.station import LiveStation
from api.people.roles import Role
from api.problems import ProblemError, broken, not_found
from api.reports.desk import ReportDesk
from api.reports.drawing import MEDIA_TYPES, Form
from api.reports.json_form import note_as_json, report_as_json
from api.routes.bodies import json_answer
from api.routes.days import FIRST_DATE, today_of
from api.routes.guard import Operator, Viewer, needs
from api.routes.params import StationId
from api.services import ApiServices
from station.domain.report.daily_report import DailyReport
from station.domain.report.needs import NoReportError
from station.domain.report.notes import LONGEST_NOTE

# The page's own script and style stand in it; nothing may be loaded, and a note that looks like a script is a text.
_ALONE: Final = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

ReportDate = Annotated[dt.date, Path(description="Station day", examples=["2026-11-23"])]
FormQuery = Annotated[Literal["json", "csv", "html", "pdf"], Query(alias="format", description="Form of the report")]
LanguageQuery = Annotated[Literal["zh", "en"], Query(description="Language of all but JSON, which has no words")]


class ReportDay(BaseModel):
    """A day that has a report."""

    date: str
    complete: bool = Field(description="The day is over; today's report is made when it is asked for")
    version: int | None = Field(description="Null for today")
    made_at: str | None
    kg: float | None = Field(description="Dispensed; null is not known")
    trucks: int | None
    unaccounted_kg: float | None
    alarms: int | None
    minutes_known: float | None = Field(description="Share of the minutes that have a value")
    notes: int = Field(description="Shift notes written for the day")


class ReportDays(BaseModel):
    """The days that have a report, newest first."""

    items: list[ReportDay]
    next_cursor: str | None


class NoteBody(BaseModel):
    """A shift note."""

    number: int
    date: str
    kind: Literal["note", "handover"]
    at: str = Field(description="Station time of the writing")
    written_at: str = Field(description="Wall time of the writing")
    who: str
    text: str


class Notes(BaseModel):
    """The notes of a day, oldest first."""

    items: list[NoteBody]
    next_cursor: str | None


class NoteRequest(BaseModel):
    """A note as it is written; it can never be changed, only followed by another."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_NOTE, pattern=r"\S")
    kind: Literal["note", "handover"] = Field("note", description="`handover` signs a shift that is handed over")


class MadeBody(BaseModel):
    """A report that was made."""

    date: str
    version: int
    made_at: str
    complete: bool


class BalanceBody(BaseModel):
    """The mass balance of the day or of a shift [kg]."""

    model_config = ConfigDict(extra="allow")

    of: str
    unaccounted_kg: float | None
    share: float | None
    level: Literal["none", "low", "high", "unknown"]


class ReportBody(BaseModel):
    """A day; everything that the other forms show, and the points of their charts."""

    model_config = ConfigDict(extra="allow")

    station: str
    date: str
    complete: bool
    version: int
    made_at: str
    start: str
    end: str
    until: str = Field(description="As far as the report goes")
    simulated: bool
    dispensing: dict[str, Any]
    fills: list[dict[str, Any]]
    trailers: list[dict[str, Any]]
    balance: list[BalanceBody]
    cusum: dict[str, Any]
    energy: dict[str, Any]
    alarms: dict[str, Any] | None
    scorecard: dict[str, Any] | None
    completeness: dict[str, Any]
    notes: list[NoteBody]


_OTHER_FORMS: Final = {
    "text/csv": {"schema": {"type": "string"}, "example": examples.REPORT_CSV},
    "text/html": {"schema": {"type": "string"}, "example": "<!DOCTYPE html>.."},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.3.."},
}
_NOTE_INPUT = Body(openapi_examples={"a note": {"value": examples.NOTE_BODY}})


def routes(services: ApiServices) -> APIRouter:
    """Return the routes of reports and shift notes."""
    router = APIRouter(tags=["reports"])
    _add_reports(router, services)
    _add_notes(router, services)
    return router


def _desk(services: ApiServices) -> ReportDesk:
    if services.reports is None:
        raise ProblemError(503, "this service makes no reports")
    return services.reports


def _add_reports(router: APIRouter, services: ApiServices) -> None:
    report_options = needs(Role.VIEWER, 404, example=examples.REPORT)
    report_options["responses"][200] = {"content": _OTHER_FORMS}

    @router.get(
        "/stations/{station}/reports/daily",
        summary="Days that have a report",
        response_model=ReportDays,
        **needs(Role.VIEWER, 404, example=examples.REPORT_DAYS),
    )
    def get_days(
        _: Viewer, station: StationId, limit: Annotated[int, Query(ge=1, le=400, description="Most days")] = 31
    ) -> Response:
        """Kept reports, newest first, and before them today."""
        live, reports = services.live(station), _desk(services)
        return json_answer({"items": _days(live, reports, limit), "next_cursor": None})

    @router.get(
        "/stations/{station}/reports/daily/{date}",
        summary="The report of a day",
        response_model=ReportBody,
        **report_options,
    )
    def get_report(
        _: Viewer, station: StationId, date: ReportDate, form: FormQuery = "json", lang: LanguageQuery = "zh"
    ) -> Response:
        """As it is kept, or made now; its version counts up when late readings have changed it."""
        live, reports = services.live(station), _desk(services)
        report = _report(reports.report, live, date)
        if form == "json":
            return json_answer(report_as_json(report, reports.notes.of_day(station, date)))
        return _as_file(f"{station}-{date.isoformat()}-{lang}.{form}", reports.drawn(live, report, lang, form), form)

    @router.post(
        "/stations/{station}/reports/daily/{date}/make",
        summary="Make the report of a day anew",
        response_model=MadeBody,
        **needs(Role.OPERATOR, 404, example=examples.MADE_REPORT),
    )
    def make_report(_: Operator, station: StationId, date: ReportDate) -> Response:
        """The next version where it tells something else than the kept one, else the kept one."""
        live, reports = services.live(station), _desk(services)
        _check_date(live, date)
        body = report_as_json(_report(reports.remade, live, date), [])
        return json_answer({key: body[key] for key in ("date", "version", "made_at", "complete")})


def _as_file(name: str, body: bytes, form: Form) -> Response:
    shown = "inline" if form == "html" else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{name}"', "Cache-Control": "no-store"}
    if form == "html":
        headers["Content-Security-Policy"] = _ALONE
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)


def _add_notes(router: APIRouter, services: ApiServices) -> None:
    @router.get(
        "/stations/{station}/reports/daily/{date}/notes",
        summary="The shift notes of a day",
        response_model=Notes,
        **needs(Role.VIEWER, 404, example=examples.NOTES),
    )
    def get_notes(_: Viewer, station: StationId, date: ReportDate) -> Response:
        """Oldest first."""
        services.live(station)
        rows = _desk(services).notes.of_day(station, date)
        return json_answer({"items": [note_as_json(*row) for row in rows], "next_cursor": None})

    @router.post(
        "/stations/{station}/reports/daily/{date}/notes",
        summary="Write a shift note",
        response_model=NoteBody,
        **needs(Role.OPERATOR, 404, example=examples.NOTE),
    )
    def post_note(
        session: Operator, station: StationId, date: ReportDate, body: Annotated[NoteRequest, _NOTE_INPUT]
    ) -> Response:
        """Kept with who wrote it and when; it stands in the day's report at once."""
        live, reports = services.live(station), _desk(services)
        _check_date(live, date)
        return json_answer(note_as_json(*reports.write(live, date, body.kind, session.name, body.text.strip())))


def _days(live: LiveStation, reports: ReportDesk, limit: int) -> list[dict[str, Any]]:
    today = today_of(live)
    notes = reports.notes.counts(live.plant.id)
    kept = [(day, reports.shelf.get(live.plant.id, day)) for day in reports.shelf.days(live.plant.id)[:limit]]
    items = [_day(day, report, notes) for day, report in kept if report is not None]
    if all(day != today for day, _ in kept):
        items.insert(0, _day(today, None, notes))
    return items


def _day(date: dt.date, report: DailyReport | None, notes: dict[dt.date, int]) -> dict[str, Any]:
    if report is None:
        unknown = dict.fromkeys(
            ("version", "made_at", "kg", "trucks", "unaccounted_kg", "alarms", "minutes_known"), None
        )
        return {"date": date.isoformat(), "complete": False, **unknown, "notes": notes.get(date, 0)}
    body = report_as_json(report, [])
    return {
        "date": date.isoformat(),
        "complete": report.day.complete,
        "version": report.version,
        "made_at": body["made_at"],
        "kg": body["dispensing"]["kg"],
        "trucks": report.fill_figures.completed,
        "unaccounted_kg": body["balance"][0]["unaccounted_kg"],
        "alarms": None if report.alarms is None else report.alarms.count,
        "minutes_known": body["completeness"]["minutes_known"],
        "notes": notes.get(date, 0),
    }


def _report(
    make: Callable[[LiveStation, dt.date], DailyReport | None], live: LiveStation, date: dt.date
) -> DailyReport:
    _check_date(live, date)
    try:
        report = make(live, date)
    except NoReportError as error:
        raise ProblemError(404, str(error)) from error
    if report is None:
        raise not_found("readings", "path.date", date.isoformat())
    return report


def _check_date(live: LiveStation, date: dt.date) -> None:
    today = today_of(live)
    if not FIRST_DATE <= date <= today:
        raise broken("path.date", date.isoformat(), f"must be a station day up to today, {today.isoformat()}", 404)
