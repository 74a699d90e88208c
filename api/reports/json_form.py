"""A report as JSON for other programs: times RFC 3339 UTC, numbers as far as instruments are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from api.forecast.scoring import scorecard_as_json
from station.domain.report.daily_report import DailyReport
from station.domain.report.equipment import availability_of
from station.domain.report.notes import ShiftNote
from station.wire.plan_v1 import rfc3339

_DIGITS: Final = 4
_TIME: Final = "_ms"


def report_as_json(report: DailyReport, notes: Sequence[tuple[int, ShiftNote]]) -> dict[str, Any]:
    """Return a report as plain JSON types: what the API gives and `jinma report --output FILE.json` writes."""
    body = _plain(msgspec.to_builtins(report))
    day, card = body.pop("day"), report.scorecard
    account = {"day": report.account, **{f"shift {n}": one for n, one in enumerate(report.shifts, 1)}}
    body.pop("account"), body.pop("shifts")
    return {
        "station": report.station,
        "date": report.date.isoformat(),
        "complete": report.day.complete,
        "version": report.version,
        "made_at": rfc3339(report.made_at_ms),
        **{key: day[key] for key in ("start", "end", "from", "until")},
        **{key: value for key, value in body.items() if key not in ("station", "made_at", "version")},
        "balance": [
            {"of": name, **_plain(msgspec.to_builtins(one.terms)), **_rest(one.unaccounted_kg, one.share, one.level)}
            for name, one in account.items()
        ],
        "availability": {
            area: _rounded(availability_of(report.machines, area)) for area in ("compression", "cooling", "dispensing")
        },
        "scorecard": None if card is None else scorecard_as_json(card),
        "notes": [note_as_json(number, note) for number, note in notes],
    }


def note_as_json(number: int, note: ShiftNote) -> dict[str, Any]:
    """Return a shift note as plain JSON types."""
    return {
        "number": number,
        "date": note.date.isoformat(),
        "kind": note.kind,
        "at": rfc3339(note.t_ms),
        "written_at": rfc3339(note.written_ms),
        "who": note.who,
        "text": note.text,
    }


def _rest(kg: float | None, share: float | None, level: str) -> dict[str, Any]:
    return {"unaccounted_kg": _rounded(kg), "share": _rounded(share, 6), "level": level}


def _rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    return None if value is None else round(value, digits)


def _plain(value: Any) -> Any:
    """Return builtins with times as text, `start_ms` as `start`; a list of `t_ms` stays what it is: epoch ms."""
    if isinstance(value, dict):
        return dict(_field(key, one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return round(value, _DIGITS) if isinstance(value, float) else value


def _field(key: str, value: Any) -> tuple[str, Any]:
    if key.endswith(_TIME) and key != "t_ms" and (value is None or isinstance(value, int)):
        return key.removesuffix(_TIME), None if value is None else rfc3339(value)
    if isinstance(value, dt.date):
        return key, value.isoformat()
    return key, _plain(value)
