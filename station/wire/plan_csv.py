"""A day's plan as CSV, as a fleet's office exports it from a table.

    kind,id,time,kg,bay
    truck,豫A12345,08:10,40,
    trailer,T-07,09:30,278,bay-2

Times are hh:mm of the station's day, local date and time, RFC 3339 with a zone, or epoch ms. Comma, semicolon or tab;
UTF-8 (with or without byte order mark) or GB 18030; the columns in this order, or in the order a first line names them.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from station.domain.day_plan import DayPlan
from station.wire.plan_v1 import PlanError, plan_from_body

COLUMNS: Final = ("kind", "id", "time", "kg", "bay")
_KINDS: Final = {
    "truck": "trucks", "trucks": "trucks", "车辆": "trucks", "卡车": "trucks", "重卡": "trucks",
    "trailer": "trailers", "trailers": "trailers", "拖车": "trailers", "长管拖车": "trailers",
}  # fmt: skip
_HEADINGS: Final = {
    "kind": "kind", "type": "kind", "类型": "kind", "类别": "kind",
    "id": "id", "plate": "id", "编号": "id", "车牌": "id", "车牌号": "id",
    "time": "time", "eta": "time", "时间": "time", "到站时间": "time", "预约时间": "time",
    "kg": "kg", "公斤": "kg", "加注量": "kg", "氢量": "kg",
    "bay": "bay", "卸气位": "bay",
}  # fmt: skip
_FIRST_CHINESE: Final = "\u2e80"
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_PLACE: Final = re.compile(r"(trucks|trailers)\[(\d+)\]\.(\w+) = ", re.DOTALL)

Cells = dict[str, str]


def parse_plan_csv(data: bytes, date: dt.date, timezone: ZoneInfo, source: str, bays: Sequence[str] = ()) -> DayPlan:
    """Return the plan in a CSV file.

    Args:
        data: The file.
        date: Station day that it is for.
        timezone: Of times without a zone.
        source: As of `DayPlan`.
        bays: Names that a trailer's bay may have; empty allows any.

    Raises:
        PlanError: Not such a file; each mistake begins with its line: `line 7: kg = 'x': must be a number`.
    """
    body: dict[str, Any] = {"trucks": [], "trailers": []}
    lines: dict[str, list[tuple[int, Cells]]] = {"trucks": [], "trailers": []}
    mistakes: list[str] = []
    rows = 0
    for number, cells in _rows(_text(data), mistakes):
        rows += 1
        name = _KINDS.get(cells["kind"].lower())
        if name is None:
            mistakes.append(f"line {number}: kind = {cells['kind']!r}: must be truck or trailer")
            continue
        wrong = [f"{column}: is missing" for column in ("id", "time", "kg") if not cells[column]]
        if wrong:
            mistakes.extend(f"line {number}: {one}" for one in wrong)
            continue
        if bays and name == "trailers" and cells["bay"] not in ("", *bays):
            mistakes.append(f"line {number}: bay = {cells['bay']!r}: must be one of {', '.join(bays)}, or empty")
            continue
        field = "time" if name == "trucks" else "eta"
        row = {"id": cells["id"], field: _time(cells["time"], date, timezone), "kg": _number(cells["kg"])}
        body[name].append(row | ({"bay": cells["bay"] or None} if name == "trailers" else {}))
        lines[name].append((number, cells))
    if not rows and not mistakes:
        mistakes.append("line 1: holds no truck and no trailer")
    try:
        plan = plan_from_body(body, date, timezone, source)
    except PlanError as error:
        mistakes.extend(_with_line(mistake, lines) for mistake in error.mistakes)
    if mistakes:
        raise PlanError(sorted(mistakes, key=_line_of))
    return plan


def plan_as_csv(plan: DayPlan, timezone: ZoneInfo) -> str:
    """Return a plan as CSV with local times, by time."""
    rows: list[tuple[int, Sequence[object]]] = [(b.t_ms, ("truck", b.id, b.kg, "")) for b in plan.trucks]
    rows += [(d.eta_ms, ("trailer", d.id, d.kg, d.bay or "")) for d in plan.trailers]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for t_ms, (kind, name, kg, bay) in sorted(rows, key=lambda row: row[0]):
        moment = dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC).astimezone(timezone)
        writer.writerow([kind, name, moment.isoformat(timespec="seconds"), f"{kg:g}", bay])
    return out.getvalue()


def _text(data: bytes) -> str:
    utf8, gb = _decoded(data, "utf-8-sig"), _decoded(data, "gb18030")
    if utf8 is None and gb is None:
        raise PlanError(["line 1: is neither UTF-8 nor GB 18030: save the table as CSV UTF-8"])
    if utf8 is not None and data.startswith(codecs.BOM_UTF8):
        return utf8
    if utf8 is None or (gb is not None and _is_chinese(gb) and not _is_likely(utf8)):
        return gb or ""
    return utf8


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_likely(text: str) -> bool:
    """Return whether a text is what a station's table holds, and no accident.

    The plates of Henan and Shandong begin with characters whose two bytes in GB 18030 are good UTF-8 too, of a Cyrillic
    letter and of a raised 3. Latin letters with accents and everything Chinese are likely.
    """
    return all(c >= _FIRST_CHINESE or unicodedata.name(c, "").startswith("LATIN") for c in text if not c.isascii())


def _is_chinese(text: str) -> bool:
    return all(c >= _FIRST_CHINESE for c in text if not c.isascii())


def _rows(text: str, mistakes: list[str]) -> Iterator[tuple[int, Cells]]:
    """Yield (line, its cells by column); a heading is taken, empty lines and comments are left out."""
    columns: Sequence[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(line)
        if columns is None:
            columns = _heading(cells)
            if columns is not None:
                lacking = [column for column in COLUMNS[:4] if column not in columns]
                if lacking:
                    mistakes.append(f"line {number}: names no column {', '.join(lacking)}")
                    return
                continue
            columns = COLUMNS
        named = dict(zip(columns, cells, strict=False))
        yield number, {column: named.get(column, "") for column in COLUMNS}


def _cells(line: str) -> list[str]:
    delimiter = max(",;\t", key=line.count)
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return [cell.strip() for cell in line.split(delimiter)]


def _heading(cells: Sequence[str]) -> list[str] | None:
    """Return the column that each cell names, None for a line that is no heading."""
    names = [_HEADINGS.get(cell.lower(), "") for cell in cells]
    return names if sum(name != "" for name in names) >= 2 and "kg" in names else None


def _time(text: str, date: dt.date, timezone: ZoneInfo) -> str | int:
    """Return a time as a plan takes it; what it is not is passed on, to be named there."""
    clock = _CLOCK.fullmatch(text)
    try:
        if clock is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            moment = dt.datetime.combine(date, dt.time(hour, minute, second), timezone)
            return round(moment.timestamp() * 1000)
        moment = dt.datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return text
    return text if moment.tzinfo is not None else round(moment.replace(tzinfo=timezone).timestamp() * 1000)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _with_line(mistake: str, lines: dict[str, list[tuple[int, Cells]]]) -> str:
    """Return `line 7: kg = '-4': ..`, with the cell as it was written, of `trucks[3].kg = -4.0: ..`."""
    place = _PLACE.match(mistake)
    if place is None:
        return f"line 1: {mistake}"
    number, cells = lines[place[1]][int(place[2])]
    column = "time" if place[3] == "eta" else place[3]
    rule = mistake.rsplit(": ", 1)[1]
    return f"line {number}: {column} = {cells[column]!r}: {rule}"


def _line_of(mistake: str) -> int:
    return int(mistake.split(":", 1)[0].removeprefix("line "))
