"""The keys of a scenario file, as `scenario_keys.toml` has them.

Its reader, `jinma check --keys scenario` and docs/scenarios.md are all made from that one table.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

import msgspec

from simulators.faults import fault_kinds
from station.domain.toml_reader import TomlTable

Kind = Literal["text", "number", "whole", "flag", "word", "fault", "hour", "minutes", "date", "weekdays"]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KINDS: Final[dict[Kind, str]] = {
    "text": "text",
    "number": "number",
    "whole": "whole number",
    "flag": "true or false",
    "word": "word",
    "fault": "name of a fault",
    "hour": 'hour of the station\'s day, "09:30"',
    "minutes": "number",
    "date": 'day, "2026-07-14"',
    "weekdays": f"list of {', '.join(WEEKDAYS)}",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a scenario.

    Attributes:
        name: As it is written.
        kind: What stands there.
        en: What it means.
        default: If it is left out, in the key's own unit; None where `unsaid` tells what then holds.
        unsaid: What holds if it is left out and no number says so.
        unit: Of a number.
        low, high: Limits of a number; `high` is the latest hour of an hour.
        words: What a word may be.
        required: It must stand.
    """

    name: str
    kind: Kind
    en: str
    default: float | bool | str | None = None
    unsaid: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 24.0
    words: tuple[str, ...] = ()
    required: bool = False

    @property
    def format(self) -> str:
        """What is written there: `number`, `hour of the station's day, "09:30"`."""
        return _KINDS[self.kind]

    @property
    def range(self) -> str:
        """What it may be, empty where anything goes."""
        if self.kind in ("number", "whole", "minutes"):
            return f"{self.low:g} .. {self.high:g}"
        if self.kind == "hour":
            return f"00:00 .. {self.high:g}:00"
        return ", ".join(self.words)

    @property
    def shown_default(self) -> str:
        """What holds if it is left out."""
        if self.required:
            return "required"
        if isinstance(self.default, bool):
            return str(self.default).lower()
        return self.unsaid if self.default is None else f"{self.default}"


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a scenario; `many` is an array of tables."""

    name: str
    en: str
    keys: tuple[Key, ...]
    many: bool = False

    @property
    def head(self) -> str:
        """As it is written: `[demand]`, `[[fault]]`."""
        return f"[[{self.name}]]" if self.many else f"[{self.name}]"


@functools.cache
def sections() -> dict[str, Section]:
    """Return every section by name, in the order of the file."""
    text = resources.files("simulators").joinpath("scenario_keys.toml").read_text(encoding="utf-8")
    named = {
        name: {**part, "name": name, "keys": [{**key, "name": word} for word, key in part["keys"].items()]}
        for name, part in tomllib.loads(text).items()
    }
    return msgspec.convert(named, dict[str, Section])


def read_keys(table: TomlTable, name: str) -> dict[str, Any]:
    """Return the value of every key of a section, the default where one is left out; mistakes are noted.

    Durations come as `timedelta`, days as `date`, days of the week as numbers from Monday = 0.
    """
    values = {key.name: _value(table, key) for key in sections()[name].keys}
    table.finish()
    return values


def _value(table: TomlTable, key: Key) -> Any:
    if not (key.required or table.has(key.name)):
        return _minutes(key.default) if key.kind == "minutes" else key.default
    return _READ[key.kind](table, key)


def _minutes(number: Any) -> dt.timedelta | None:
    return None if number is None else dt.timedelta(minutes=number)


def _number(table: TomlTable, key: Key) -> float | None:
    value = table.number(key.name, at_least=key.low, at_most=key.high)
    return value if key.low <= value <= key.high else None  # NaN is neither


def _whole(table: TomlTable, key: Key) -> int | None:
    value = _number(table, key)
    if value is not None and value % 1.0:
        table.wrong(f"{key.name} {value:g} must be a whole number", key.name)
    return None if value is None else int(value)


def _hour(table: TomlTable, key: Key) -> dt.timedelta:
    text = table.text(key.name)
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text, re.ASCII)
    hour = dt.timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
    if hour is not None and hour <= dt.timedelta(hours=key.high):
        return hour
    if text:
        table.wrong(f'{key.name} {text!r} must be an hour of the day "00:00".."{key.high:g}:00"', key.name)
    return dt.timedelta()


def _date(table: TomlTable, key: Key) -> dt.date | None:
    said = table.data[key.name]
    if isinstance(said, dt.date) and not isinstance(said, dt.datetime):
        return said  # TOML has a date of its own
    text = table.text(key.name)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        if text:
            table.wrong(f'{key.name} {text!r} must be a day like "2026-07-14"', key.name)
        return None


def _weekdays(table: TomlTable, key: Key) -> tuple[int, ...]:
    words = table.texts(key.name)
    for place, word in enumerate(words):
        if word not in WEEKDAYS:
            table.wrong(f"{key.name}: {word!r} must be one of {', '.join(WEEKDAYS)}", key.name, place)
    if not words:
        table.wrong(f"{key.name} must name a day", key.name)
    return tuple(sorted({WEEKDAYS.index(word) for word in words if word in WEEKDAYS}))


_READ: Final[dict[Kind, Callable[[TomlTable, Key], Any]]] = {
    "text": lambda table, key: table.text(key.name),
    "word": lambda table, key: table.word(key.name, key.words),
    "fault": lambda table, key: table.word(key.name, fault_kinds()),
    "flag": lambda table, key: table.flag(key.name),
    "number": _number,
    "whole": _whole,
    "minutes": lambda table, key: _minutes(_number(table, key)),
    "hour": _hour,
    "date": _date,
    "weekdays": _weekdays,
}


def key_rows() -> Iterator[dict[str, str]]:
    """Yield every key as texts: section, key, format, unit, default, range, meaning."""
    for part in sections().values():
        for key in part.keys:
            yield {
                "section": part.head,
                "key": key.name,
                "format": key.format,
                "unit": key.unit,
                "default": key.shown_default,
                "range": key.range,
                "meaning": key.en,
            }
