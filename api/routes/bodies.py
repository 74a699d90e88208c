"""Shapes that many answers share, and how an answer becomes bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeVar

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from api.problems import broken
from station.domain.plant import Text

T = TypeVar("T")
_encoder: Final = msgspec.json.Encoder()

Bottleneck = Literal["trailers", "compression", "storage", "cooling", "dispensing", "none"]
Priority = Literal["critical", "high", "medium", "low"]
AlarmStateName = Literal["OUT_OF_SERVICE", "SUPPRESSED", "SHELVED", "LATCHED", "UNACK", "ACKED", "RTNUN", "NORM"]


class TextBody(BaseModel):
    """One text in both languages."""

    en: str
    zh: str


class Page(BaseModel):
    """A list in pages."""

    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page; null on the last")


def text_body(text: Text) -> dict[str, str]:
    """Return a text as JSON."""
    return {"en": text.en, "zh": text.zh}


def json_answer(body: object, status: int = 200) -> Response:
    """Return a JSON answer; msgspec encodes 303 readings in a fraction of a millisecond."""
    return Response(_encoder.encode(body), status, media_type="application/json")


def raw_json(body: bytes, status: int = 200) -> Response:
    """Return an answer that is encoded already."""
    return Response(body, status, media_type="application/json")


def page_of(items: Sequence[T], cursor: str | None, limit: int) -> tuple[Sequence[T], str | None]:
    """Return a page of a list in memory, and the cursor of the next one.

    Raises:
        ProblemError: 422, not a cursor.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
        raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
    start = int(cursor or 0)
    end = start + limit
    return items[start:end], str(end) if end < len(items) else None
