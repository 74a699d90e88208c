"""Parameters that many routes share: times, windows, pages, and how a wrong one is told."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import Path, Query

from api.problems import broken
from station.domain.plant import Plant, Signal
from station.settings import parse_duration
from station.wire.plan_v1 import parse_time

DEFAULT_LIMIT: Final = 1000
MAX_LIMIT: Final = 10_000
USUAL_RANGE: Final = dt.timedelta(hours=1)
"""Of readings, where a query names no start."""
LONGEST_RANGE: Final = dt.timedelta(days=3660)
_HOUR_MS: Final = 3_600_000
_MOST_SIGNALS: Final = 64
"""In one query of the past: a chart holds fewer, and the answer stays bounded."""

StationId = Annotated[str, Path(description="Station id", max_length=80, examples=["jinma"])]
TimeText = Annotated[
    str | None,
    Query(description="RFC 3339 with a zone, or epoch ms", max_length=40, examples=["2026-11-23T08:00:00+08:00"]),
]
Every = Annotated[str, Query(description="Length of a window: 10s, 1m, 1h, 1d", max_length=20)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in one answer")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the answer before", max_length=40)]


def moment(place: str, text: str) -> int:
    """Return epoch ms of a time as it stands in a query.

    Raises:
        ProblemError: 422, not a time.
    """
    try:
        return parse_time(text.replace(" ", "+"))  # A plus sign that was not percent-encoded arrives as a space.
    except (ValueError, OverflowError) as error:
        rule = "must be RFC 3339 with a zone, or epoch ms" if "isoformat" in str(error) else str(error)
        raise broken(place, text, rule) from error


def time_range(start: str | None, end: str | None, now_ms: int, usual: dt.timedelta) -> tuple[int, int]:
    """Return [start, end) in epoch ms; no end is now (and one ms, to hold the newest), no start is `usual` before it.

    Raises:
        ProblemError: 422, not times, or the wrong way round.
    """
    end_ms = now_ms + 1 if end is None else moment("query.end", end)
    start_ms = end_ms - int(usual.total_seconds() * 1000) if start is None else moment("query.start", start)
    if start_ms >= end_ms:
        raise broken("query.start", start, "must be before end")
    if end_ms - start_ms > LONGEST_RANGE.total_seconds() * 1000:
        raise broken("query.start", start, f"the range may be {LONGEST_RANGE.days} days at most")
    return start_ms, end_ms


def window_ms(text: str) -> int:
    """Return the length of a window in ms.

    Raises:
        ProblemError: 422, not a duration, or not whole milliseconds within 100 ms..366 d.
    """
    try:
        length = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise broken("query.every", text, "must be a duration such as 10s, 1m, 1h, 1d") from error
    every_ms = round(length.total_seconds() * 1000) if isinstance(length, dt.timedelta) else 0
    if not 100 <= every_ms <= 366 * 24 * _HOUR_MS:
        raise broken("query.every", text, "must be from 100ms to 366d")
    return every_ms


def window_offset_ms(plant: Plant, every_ms: int, start_ms: int) -> int:
    """Return where windows begin, ms above a multiple of their length: the epoch, or local time from one hour on.

    In a zone with daylight saving the offset is the one at `start_ms`.
    """
    if every_ms < _HOUR_MS:
        return 0
    zone = dt.datetime.fromtimestamp(start_ms / 1000, plant.timezone).utcoffset()
    return -round((zone or dt.timedelta()).total_seconds() * 1000) % every_ms


def cursor_ms(cursor: str | None, start_ms: int, end_ms: int) -> int:
    """Return where a page begins.

    Raises:
        ProblemError: 422, not a cursor of this query.
    """
    if cursor is None:
        return start_ms
    if not cursor.isascii() or not cursor.isdigit() or not start_ms <= int(cursor) <= end_ms:
        raise broken("query.cursor", cursor, "must be next_cursor of the answer before to the same query")
    return int(cursor)


def known_signals(plant: Plant, asked: list[str] | None) -> list[Signal]:
    """Return the signals that a query names, all where it names none.

    Raises:
        ProblemError: 422, a signal that the station does not have.
    """
    if not asked:
        return list(plant.signals.values())
    found = []
    for tag in dict.fromkeys(asked):
        signal = plant.signals.get(tag)
        if signal is None:
            raise broken("query.signal", tag, f"{plant.id} has no such signal; see /api/v1/stations/{plant.id}/signals")
        found.append(signal)
    return found


def some_signals(plant: Plant, asked: list[str] | None) -> list[Signal]:
    """Return the signals that a query of the past names.

    Raises:
        ProblemError: 422, none, too many, or one that the station does not have.
    """
    if not asked:
        raise broken("query.signal", "", "name at least one signal")
    signals = known_signals(plant, asked)
    if len(signals) > _MOST_SIGNALS:
        raise broken("query.signal", f"{len(signals)} signals", f"at most {_MOST_SIGNALS} in one query")
    return signals
