"""Times of other people's logs: many spellings, with a zone or without, or counted from a start."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from station.domain.toml_reader import TomlTable

_COUNTED_MS: Final = {"ms": 1.0, "seconds": 1000.0, "minutes": 60_000.0, "hours": 3_600_000.0}
"""Formats that count from `start`, and how many ms one is."""
_EPOCH_MS: Final = {"unix": 1000.0, "unix_ms": 1.0, "unix_us": 0.001, "unix_ns": 0.000_001}
_ISO: Final = "iso"
_EXCEL: Final = "excel"
_EXCEL_BEGINS: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - local, as the sheet is
_DAY_MS: Final = 86_400_000
_HALF_DAYS: Final = (("上午", "AM"), ("下午", "PM"))


@dataclass(frozen=True, slots=True)
class TimeRule:
    """Where and how times stand in a log.

    Attributes:
        columns: Names of the columns; those of date and time apart are joined by a blank.
        formats: `iso`, one of `unix unix_ms unix_us unix_ns`, one of `ms seconds minutes hours` since `start`,
            `excel` (days), or a format of strptime; tried in order.
        zone: Of times that name none.
        start_ms: What counted times count from.
    """

    columns: tuple[str, ...]
    formats: tuple[str, ...]
    zone: ZoneInfo
    start_ms: float


def read_time_rule(table: TomlTable, station_zone: ZoneInfo) -> TimeRule:
    """Return the `[time]` table of a mapping file; mistakes are noted in it."""
    columns = _text_or_texts(table, "column")
    formats = _text_or_texts(table, "format")
    for name in formats:
        if "%" not in name and name not in {*_COUNTED_MS, *_EPOCH_MS, _ISO, _EXCEL}:
            known = ", ".join((_ISO, *_EPOCH_MS, *_COUNTED_MS, _EXCEL))
            table.wrong(f"format {name!r} is unknown: {known}, or one of strptime like %d.%m.%Y %H:%M:%S", "format")
        elif "%" in name:
            _check_strptime(table, name)
    zone = _read_zone(table, station_zone)
    start_ms = math.nan
    if any(name in _COUNTED_MS for name in formats):
        start_ms = _read_start(table, zone)
    elif table.has("start"):
        table.wrong(f"start is for times counted from it: format {', '.join(_COUNTED_MS)}", "start")
    table.finish()
    return TimeRule(tuple(columns), tuple(formats), zone, start_ms)


def _text_or_texts(table: TomlTable, key: str) -> list[str]:
    if isinstance(table.data.get(key), list):
        found = table.texts(key)
        if not found:
            table.wrong(f"{key} must name at least one", key)
        return found
    return [table.text(key)]


def _check_strptime(table: TomlTable, name: str) -> None:
    sample = dt.datetime(2026, 11, 23, 14, 5, 59, tzinfo=dt.UTC)
    try:
        found = dt.datetime.strptime(sample.strftime(name), name)  # noqa: DTZ007 - compared by its date alone
    except ValueError as error:
        table.wrong(f"format {name!r}: {error}", "format")
        return
    if found.date() != sample.date() and "%" in name:
        table.wrong(f"format {name!r} does not tell year, month and day", "format")


def _read_zone(table: TomlTable, station_zone: ZoneInfo) -> ZoneInfo:
    name = table.text("timezone", "")
    try:
        return ZoneInfo(name) if name else station_zone
    except (KeyError, ValueError, OSError):  # not found; no relative path; a folder of the time zone tree
        table.wrong(f"timezone {name!r} is unknown; write a name like Asia/Shanghai", "timezone")
        return station_zone


def _read_start(table: TomlTable, zone: ZoneInfo) -> float:
    said = table.data.get("start")
    table.has("start")
    if isinstance(said, dt.datetime):
        moment: dt.datetime | None = said
    else:
        text = table.text("start")
        try:
            moment = dt.datetime.fromisoformat(text) if text else None
        except ValueError:
            table.wrong(f"start {text!r} must be a time like 2026-10-14T08:30:00+08:00", "start")
            moment = None
    if moment is None:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000.0


class Times:
    """Makes epoch ms of the texts of one log, row by row.

    Of an hour that a zone has twice (the end of summer time), the second is meant once the rows would run backwards.
    """

    def __init__(self, rule: TimeRule) -> None:
        self._rule = rule
        self._formats = list(rule.formats)
        self._newest: dict[str, float] = {}

    def ms(self, texts: Sequence[str], series: str = "") -> int:
        """Return epoch ms of the cells of a row.

        Args:
            texts: As they stand in the columns of the rule.
            series: What rises in time; the tag, where each has rows of its own.

        Raises:
            ValueError: They are no time; the text and the rule are named.
        """
        text = " ".join(part.strip() for part in texts).strip()
        for place, name in enumerate(self._formats):
            found = self._by_format(text, name, series)
            if found is not None:
                if place:  # the next row is most likely written like this one
                    self._formats.insert(0, self._formats.pop(place))
                if not 0 <= found <= 9e12:
                    raise ValueError(f"time {text[:40]!r} is outside 1970..2255")
                self._newest[series] = found
                return round(found)
        raise ValueError(f"time {text[:40]!r} is not {' or '.join(self._rule.formats)}")

    def _by_format(self, text: str, name: str, series: str) -> float | None:
        if name in _COUNTED_MS or name in _EPOCH_MS or name == _EXCEL:
            number = _number(text)
            return None if number is None else self._counted(number, name, series)
        try:
            moment = dt.datetime.fromisoformat(text) if name == _ISO else _by_strptime(text, name)
        except ValueError:
            return None
        if moment.tzinfo is not None:
            return moment.timestamp() * 1000.0
        return self._local(moment, series)

    def _counted(self, number: float, name: str, series: str) -> float:
        if name in _COUNTED_MS:
            return self._rule.start_ms + number * _COUNTED_MS[name]
        if name in _EPOCH_MS:
            return number * _EPOCH_MS[name]
        try:
            return self._local(_EXCEL_BEGINS + dt.timedelta(milliseconds=round(number * _DAY_MS)), series)
        except OverflowError:
            return math.inf

    def _local(self, moment: dt.datetime, series: str) -> float:
        first, second = (moment.replace(tzinfo=self._rule.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first.timestamp() * 1000.0
        if first.astimezone(dt.UTC).astimezone(self._rule.zone).replace(tzinfo=None) != moment:
            raise ValueError(f"time {moment} does not exist in {self._rule.zone.key}: the clock is put forward there")
        newest = self._newest.get(series, -math.inf)
        earlier, later = first.timestamp() * 1000.0, second.timestamp() * 1000.0
        return later if earlier < newest <= later else earlier


def _number(text: str) -> float | None:
    try:
        number = math.nan if "_" in text else float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _by_strptime(text: str, name: str) -> dt.datetime:
    if "%p" in name:
        for chinese, english in _HALF_DAYS:
            text = text.replace(chinese, english)
    return dt.datetime.strptime(text, name)  # noqa: DTZ007 - the zone is the rule's
