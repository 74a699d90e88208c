"""A first mapping file for another's log: what can be found by looking, and a line a column to fill in."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from station.adapters.foreign.log_map import BAD_TEXTS, SEPARATORS, folded
from station.adapters.foreign.table import marked_encoding, sample_of, split_line
from station.domain.plant import Plant
from station.domain.units import unit_named
from station.errors import BadInputError

_IN_BRACKETS: Final = re.compile(r"[\[(（【]\s*([^\])）】]+?)\s*[\])）】]\s*$")
_ENDINGS: Final = {
    "pa": "Pa", "kpa": "kPa", "mpa": "MPa", "bar": "bar", "k": "K", "c": "degC", "kg": "kg", "kg_s": "kg/s",
    "kg_h": "kg/h", "kg_min": "kg/min", "g_s": "g/s", "kw": "kW", "w": "W", "kwh": "kWh", "v": "V", "hz": "Hz",
}  # fmt: skip
"""Units as programs write them behind a name: `pressure_pa`."""
_TIME_WORDS: Final = ("time", "date", "datum", "zeit", "uhrzeit", "timestamp", "时间", "日期", "时刻")
_FORMATS: Final = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分%S秒", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y%m%d %H%M%S", "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M:%S,%f", "%Y/%m/%d %H:%M:%S.%f",
)  # fmt: skip
_NUMBER: Final = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_COMMON_CHINESE: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
"""Of GB18030: both bytes over ASCII, where a letter of cp1252 mostly stands alone."""
_LOOKED_AT: Final = 60


def draft_map(path: Path, plant: Plant) -> str:
    """Return the text of a first mapping file.

    Args:
        path: The log.
        plant: Whose signals it is to fill; named as the station.

    Raises:
        BadInputError: The log cannot be opened, or there is no table in it.
    """
    sample = sample_of(path)
    encoding = marked_encoding(sample) or _encoding(sample)
    lines = [line for line in sample.decode(encoding, "replace").split("\n")[:_LOOKED_AT] if line.strip()]
    separator = max(SEPARATORS.values(), key=lambda mark: _likeness(lines, mark))
    table = [split_line(line, separator) for line in lines]
    width = max((len(row) for row in table), key=[len(row) for row in table].count, default=0)
    at = next((place for place, row in enumerate(table) if len(row) == width and _names(row)), 0)
    if width < 2:
        raise BadInputError(f"{path}: no table is seen in it; is it text, with a line that names its columns?")
    header, rows = table[at], [row for row in table[at + 1 :] if len(row) == width]
    time = _time_column(header)
    text = [
        f"# How {path.name} becomes readings (docs/logs.md). Fill in each signal; delete the columns that none is of.",
        "format = 1",
        f"station = {_quoted(plant.id)}  # named with --plant FILE where it is not the shipped one",
        f"encoding = {_quoted(encoding)}",
        f"separator = {_quoted(next(name for name, mark in SEPARATORS.items() if mark == separator))}",
        "",
        *_time_lines(header, rows, time, plant),
        "",
        *_value_lines(rows, separator),
        "",
        "[columns]",
        *(_column_line(name, [row[place] for row in rows]) for place, name in enumerate(header) if place != time),
    ]
    return "\n".join(text) + "\n"


def _encoding(sample: bytes) -> str:
    """Return the encoding that the bytes look most like; of bytes alone GB18030 and cp1252 are both possible."""
    whole = sample[: sample.rfind(b"\n") + 1]
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030" if _COMMON_CHINESE.sub(b"", whole).isascii() else "cp1252"
    return "utf-8"


def _likeness(lines: Sequence[str], separator: str) -> tuple[int, int]:
    """Return how many lines have as many cells as most have, where that is more than one, and how many cells."""
    counts = [len(split_line(line, separator)) for line in lines]
    usual = max(counts, key=counts.count, default=1)
    return (counts.count(usual), usual) if usual > 1 else (0, 0)


def _names(row: Sequence[str]) -> bool:
    """Return whether the cells of a row are most likely names of columns."""
    return all(row) and sum(bool(_NUMBER.fullmatch(cell)) for cell in row) * 2 < len(row)


def _time_column(header: Sequence[str]) -> int:
    names = [folded(name) for name in header]
    return next((place for place, name in enumerate(names) if any(word in name for word in _TIME_WORDS)), 0)


def _time_lines(header: Sequence[str], rows: Sequence[Sequence[str]], time: int, plant: Plant) -> list[str]:
    texts = [row[time] for row in rows if row[time]][:20]
    name = _time_format(texts)
    lines = ["[time]", f"column = {_quoted(header[time])}", f"format = {_quoted(name)}"]
    if name == "seconds":
        lines.append('start = "2026-01-01T00:00:00+08:00"  # when 0 was; seconds may be ms, minutes or hours')
    else:
        lines.append(f"timezone = {_quoted(plant.timezone.key)}  # of times that name no zone")
    return lines


def _time_format(texts: Sequence[str]) -> str:
    """Return the first format that reads all texts."""
    if texts and all(_NUMBER.fullmatch(text) for text in texts):
        number = float(texts[0].replace(",", "."))
        return "unix_ms" if number > 1e11 else "unix" if number > 1e8 else "seconds"
    if texts and all(_reads(text, None) for text in texts):
        return "iso"
    return next((name for name in _FORMATS if texts and all(_reads(text, name) for text in texts)), "iso")


def _reads(text: str, name: str | None) -> bool:
    try:
        if name is None:
            dt.datetime.fromisoformat(text)
        else:
            dt.datetime.strptime(text, name)  # noqa: DTZ007 - only whether it can
    except ValueError:
        return False
    return True


def _value_lines(rows: Sequence[Sequence[str]], separator: str) -> list[str]:
    commas = separator != "," and sum(bool(_COMMA.fullmatch(cell)) for row in rows for cell in row) > len(rows)
    shown = ", ".join(_quoted(text) for text in BAD_TEXTS[:4])
    return [
        "[values]",
        f'decimal = "{"comma" if commas else "point"}"',
        f"# bad = [{shown}, ..]  # cells of a sensor that failed; skip = [..] those that say nothing",
        'text = "refuse"  # any other text where a number should be: refuse, bad or skip',
    ]


def _column_line(name: str, cells: Sequence[str]) -> str:
    words = list(dict.fromkeys(cell for cell in cells if cell and not _NUMBER.fullmatch(cell)))
    words = [word for word in words if folded(word) not in BAD_TEXTS]
    unit = _unit_in(name)
    parts = ['signal=""']
    if unit is not None:
        parts.append(f"unit={_quoted(unit)}")
    if words and not any(map(_NUMBER.fullmatch, cells)):
        states = ", ".join(f"{_quoted(word)}={number}" for number, word in enumerate(words[:10]))
        parts.append(f"states={{{states}}}")
    return f"{_quoted(name)} = {{{', '.join(parts)}}}"


def _unit_in(name: str) -> str | None:
    """Return the unit that a column's name holds: `压力(MPa)`, `Druck [bar]`, `pressure_pa`."""
    if (found := _IN_BRACKETS.search(name)) is not None and unit_named(found[1]) is not None:
        return unit_named(found[1])
    low = name.casefold()
    fitting = [ending for ending in _ENDINGS if low.endswith(f"_{ending}")]
    return _ENDINGS[max(fitting, key=len)] if fitting else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
