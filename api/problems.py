"""Every error of the API as `application/problem+json` (RFC 9457), naming field, value and rule.

One place turns the project's exceptions into statuses: retryable ones are 503, a rule that was broken is 422, an act
that the alarm's state forbids is 409. Nothing of the inside (paths, traces, secrets) leaves through here.
"""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from station.domain.alarms import AlarmStateError, UnknownAlarmError
from station.errors import BadInputError, FinalError, TransientError

MEDIA_TYPE: Final = "application/problem+json"
_SHOWN_CHARACTERS: Final = 120
"""A wrong value is shown, not echoed at length."""
_SECRET_FIELDS: Final = frozenset({"token", "password", "authorization", "x-csrf-token"})

_log = structlog.get_logger(__name__)


class BrokenRule(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(description="Where it stands: `query.limit`, `path.station`, `body.trucks[3].kg`")
    value: str = Field(description="What was sent, shortened; secrets are never shown")
    rule: str = Field(description="What would have been right")


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do")
    instance: str = Field(description="Path of the request")
    errors: list[BrokenRule] = Field(default_factory=list)


@dataclass
class ProblemError(Exception):
    """A request that cannot be answered. Raised by routes and dependencies, turned into a `Problem` here."""

    status: int
    detail: str
    errors: Sequence[BrokenRule] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def broken(place: str, value: object, rule: str, status: int = 422) -> ProblemError:
    """Return the error for one field that breaks one rule."""
    row = BrokenRule(field=place, value=shown(place, value), rule=rule)
    return ProblemError(status, f"{place} = {row.value}: {rule}", [row])


def not_found(kind: str, place: str, value: str) -> ProblemError:
    """Return the 404 for something that a path names and that is not there."""
    return broken(place, value, f"no such {kind} here", 404)


def shown(place: str, value: object) -> str:
    """Return a value as an error may show it: short, and never a secret."""
    if place.rsplit(".", 1)[-1].lower() in _SECRET_FIELDS:
        return "(not shown)"
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}.."


def problem_response(request: Request, error: ProblemError) -> Response:
    """Return the HTTP answer of an error."""
    body = Problem(
        title=_title(error.status),
        status=error.status,
        detail=error.detail,
        instance=shown("path", request.url.path),
        errors=list(error.errors),
    )
    headers = dict(error.headers)
    return JSONResponse(body.model_dump(), error.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of an app leave as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(TransientError, _on_transient)
    app.add_exception_handler(FinalError, _on_final)
    app.add_exception_handler(Exception, _on_surprise)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of a route's errors, each with an example."""
    return {status: _described(status) for status in sorted(statuses)}


_EXAMPLES: Final[dict[int, tuple[str, list[dict[str, str]]]]] = {
    401: ("no token: send Authorization: Bearer TOKEN", []),
    403: ("this needs the role operator; tv-wall is viewer", []),
    404: (
        "path.station = lunar: no such station here",
        [{"field": "path.station", "value": "lunar", "rule": "no such station here"}],
    ),
    409: ("PT-330A.HH is latched and not acknowledged: acknowledge it first", []),
    413: ("the body is larger than 1048576 bytes", []),
    422: (
        "query.limit = 0: must be from 1 to 10000",
        [{"field": "query.limit", "value": "0", "rule": "must be from 1 to 10000"}],
    ),
    429: ("10 wrong credentials came from this address: wait 60 s", []),
    503: ("the reading store http://127.0.0.1:8086 does not answer", []),
}


def _described(status: int) -> dict[str, Any]:
    detail, errors = _EXAMPLES[status]
    example = {
        "type": "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
        "instance": "/api/v1/stations/jinma",
        "errors": errors,
    }
    # The schema is given by reference: `model` would file it under application/json, which errors never are.
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _title(status), "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}


def _title(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Error"


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(request, error)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    rows = [_rule_of(said) for said in error.errors()]
    detail = "; ".join(f"{row.field} = {row.value}: {row.rule}" for row in rows[:5])
    return problem_response(request, ProblemError(422, detail, rows))


def _rule_of(said: Mapping[str, Any]) -> BrokenRule:
    place = ".".join(str(part) for part in said["loc"])
    value = said.get("input")
    if said["type"] == "json_invalid":
        place, value = "body", said.get("ctx", {}).get("error", "")
    return BrokenRule(field=place, value=_without_secrets(place, value), rule=str(said["msg"]))


def _without_secrets(place: str, value: object) -> str:
    if isinstance(value, dict):
        value = {key: shown(str(key), item) for key, item in value.items()}
    return shown(place, value)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI's word for a body that is not even text, or nests too deep.
        return problem_response(request, broken("body", "", "must be JSON in UTF-8"))
    detail = f"{request.method} {shown('path', request.url.path)}: {error.detail}"
    return problem_response(request, ProblemError(error.status_code, detail, (), error.headers or {}))


async def _on_transient(request: Request, error: Exception) -> Response:
    # 5 s: stores and journals try again about as often.
    return problem_response(request, ProblemError(503, str(error), (), {"Retry-After": "5"}))


async def _on_final(request: Request, error: Exception) -> Response:
    if isinstance(error, UnknownAlarmError):
        return problem_response(request, ProblemError(404, str(error)))
    if isinstance(error, AlarmStateError):
        return problem_response(request, ProblemError(409, str(error)))
    if isinstance(error, BadInputError):
        return problem_response(request, ProblemError(422, str(error)))
    _log.error("request failed for good", path=request.url.path, error=str(error))
    return problem_response(request, ProblemError(500, str(error)))


async def _on_surprise(request: Request, error: Exception) -> Response:
    _log.error("request failed unexpectedly", path=request.url.path, error=repr(error))
    return problem_response(request, ProblemError(500, "an unexpected fault; it stands in the log of the service"))
