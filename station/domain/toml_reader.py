"""Reading a TOML file of ours so that every mistake is told at once, each with its line.

A `TomlTable` hands out checked values. Where one is missing or wrong it notes the mistake and hands out a stand-in
(an empty text, NaN, no time) with which reading goes on; nothing read with mistakes is ever used.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from station.domain.toml_lines import LineIndex, Path
from station.errors import BadInputError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_DURATION_S = 3650 * 86400.0  # ten years; keeps a slip of the finger from overflowing a timedelta
_SYNTAX_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a file: line (1 = first) and what is wrong."""

    line: int
    text: str

    def __str__(self) -> str:
        """Return `line 41: signal PT-111: limit LL 6.0 is above L 4.8`."""
        return f"line {self.line}: {self.text}"


class FileMistakesError(BadInputError):
    """A file of ours with mistakes.

    Attributes:
        source: Name of the file, for people.
        mistakes: Every mistake found, by line.
    """

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        self.source = source
        self.mistakes = list(mistakes)
        count = len(self.mistakes)
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"{source}: {count} mistake{'' if count == 1 else 's'}\n{lines}")


@dataclass(slots=True)
class MistakeList:
    """Mistakes of one text, noted by path while it is read and told by line at the end."""

    text: str
    _noted: list[tuple[Path, str]] = field(default_factory=list)

    def note(self, path: Path, text: str) -> None:
        """Note one mistake at a path."""
        self._noted.append((path, text))

    def __bool__(self) -> bool:
        """Return True where there is any mistake."""
        return bool(self._noted)

    def by_line(self) -> list[Mistake]:
        """Return every mistake once, with its line, in the order of the file."""
        index = LineIndex(self.text)
        return sorted({Mistake(index.line(path), text) for path, text in self._noted})


def parse_toml(text: str) -> dict[str, Any] | Mistake:
    """Return the data of a TOML text, or its syntax error as a mistake."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _SYNTAX_AT.search(said)
        line = int(at.group(1)) if at and at.group(1) else max(1, len(text.splitlines()))
        return Mistake(line, f"not TOML: {_SYNTAX_AT.sub('', said)}")
    except (RecursionError, ValueError) as error:  # absurd nesting; numbers of more digits than Python converts
        return Mistake(1, f"not TOML: {error}")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the most similar known word, or nothing where none is similar."""
    words = list(known)
    found = [k for k in words if k.casefold() == word.casefold()] or difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


class TomlTable:
    """One table of a file; hands out values by key, notes what is wrong, knows which keys were asked for.

    Args:
        data: The table.
        path: Where it stands.
        mistakes: Where mistakes are noted.
        title: What it is to a reader (`signal PT-111`), put before each mistake; empty for the root.
    """

    def __init__(self, data: Mapping[str, Any], path: Path, mistakes: MistakeList, title: str = "") -> None:
        self.data = data
        self.path = path
        self.mistakes = mistakes
        self.title = title
        self._asked: set[str] = set()

    def wrong(self, text: str, *path: str | int) -> None:
        """Note a mistake about this table, or about what stands at `path` in it."""
        self.mistakes.note((*self.path, *path), f"{self.title}: {text}" if self.title else text)

    def has(self, key: str) -> bool:
        """Return True where the key is written down."""
        self._asked.add(key)
        return key in self.data

    def finish(self) -> None:
        """Note each key that nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                self.wrong(f"key {key!r} is unknown{nearest(key, self._asked)}", key)

    def _get(self, key: str, kind: type | tuple[type, ...], what: str, *, required: bool = True) -> Any:
        """Return the value of a key where it has the right type, else None."""
        self._asked.add(key)
        if key not in self.data:
            if required:
                self.wrong(f"key {key!r} is missing")
            return None
        value = self.data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.wrong(f"{key} must be {what}, not {_shown(value)}", key)
            return None
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._get(key, str, "a text", required=default is None)
        if value is None:
            return default or ""
        if not value.strip():
            self.wrong(f"{key} must not be empty", key)
        return str(value)

    def word(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """Return a text that is one of `known`."""
        value = self.text(key, default)
        words = list(known)
        if value and value != default and value not in words:
            self.wrong(f"{key} {value!r} is unknown{nearest(value, words)}", key)
            return default or ""
        return value

    def number(
        self, key: str, *, above: float = -math.inf, at_least: float = -math.inf, at_most: float = math.inf
    ) -> float:
        """Return a finite number within bounds, NaN where there is none."""
        value = self._get(key, (int, float), "a number")
        return math.nan if value is None else self._bounded(key, value, above, at_least, at_most)

    def number_or_none(self, key: str) -> float | None:
        """Return a finite number, or None where the key is not written down."""
        if not self.has(key):
            return None
        value = self._get(key, (int, float), "a number")
        return None if value is None else self._bounded(key, value, -math.inf, -math.inf, math.inf)

    def _bounded(self, key: str, value: float, above: float, at_least: float, at_most: float) -> float:
        number = _as_float(value)
        if not math.isfinite(number):
            self.wrong(f"{key} {_shown(value)} must be finite", key)
            return math.nan
        if number <= above:
            self.wrong(f"{key} {value} must be above {above:g}", key)
        elif number < at_least:
            self.wrong(f"{key} {value} must be at least {at_least:g}", key)
        elif number > at_most:
            self.wrong(f"{key} {value} must be at most {at_most:g}", key)
        return number

    def whole(self, key: str, *, at_least: int = 0) -> int:
        """Return a whole number."""
        value = self._get(key, int, "a whole number")
        if value is None:
            return at_least
        if value < at_least:
            self.wrong(f"{key} {value} must be at least {at_least}", key)
        return int(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._get(key, bool, "true or false", required=False)
        return default if value is None else bool(value)

    def duration(self, key: str, default: dt.timedelta | None = None) -> dt.timedelta:
        """Return a duration written as `500ms`, `15s`, `10m`, `4h` or `2d`."""
        value = self._get(key, str, 'a duration like "15s"', required=default is None)
        if value is None:
            return default or dt.timedelta()
        match = _DURATION.fullmatch(value)
        seconds = float(match.group(1)) * _SECONDS[match.group(2)] if match else math.inf
        if seconds > _MAX_DURATION_S:
            self.wrong(f'{key} {value!r} must be a duration like "500ms", "15s", "10m", "4h", "2d"', key)
            return dt.timedelta()
        return dt.timedelta(seconds=seconds)

    def texts(self, key: str, *, required: bool = True) -> list[str]:
        """Return a list of texts; a member of another type is noted and left out."""
        values = self._get(key, list, "a list of texts", required=required) or []
        return [v for i, v in enumerate(values) if self._member(key, i, v, str, "a text")]

    def numbers(self, key: str, count: int) -> list[float]:
        """Return exactly `count` finite numbers, NaN for what is wrong."""
        values = self._get(key, list, f"a list of {count} numbers")
        if values is None:
            return [math.nan] * count
        if len(values) != count:
            self.wrong(f"{key} has {len(values)} numbers, must have {count}", key)
            return [math.nan] * count
        good = [self._member(key, i, v, (int, float), "a number") for i, v in enumerate(values)]
        return [_as_float(v) if ok else math.nan for v, ok in zip(values, good, strict=True)]

    def table(self, key: str, title: str = "", *, required: bool = True) -> TomlTable:
        """Return a table within this one; an empty one where there is none."""
        value = self._get(key, dict, "a table", required=required)
        return TomlTable(value or {}, (*self.path, key), self.mistakes, title or self.title)

    def tables(self, key: str, title: str = "", *, required: bool = True) -> list[TomlTable]:
        """Return a list of tables; a member of another type is noted and left out."""
        values = self._get(key, list, "a list of tables", required=required) or []
        good = [(i, v) for i, v in enumerate(values) if self._member(key, i, v, dict, "a table")]
        return [TomlTable(v, (*self.path, key, i), self.mistakes, title or self.title) for i, v in good]

    def each_table(self, title: str) -> list[tuple[str, TomlTable]]:
        """Return every key of this table with its table; `title` is put before the key."""
        return [(key, self.table(key, f"{title} {key}")) for key in self.data]

    def _member(self, key: str, position: int, value: object, kind: type | tuple[type, ...], what: str) -> bool:
        wrong_type = not isinstance(value, kind) or isinstance(value, bool)
        if wrong_type or (isinstance(value, float) and not math.isfinite(value)):
            self.wrong(f"{key}: each must be {what}, not {_shown(value)}", key, position)
            return False
        return True


def _as_float(value: float) -> float:
    """Return a float; an integer too long for one becomes infinite, so that bounds refuse it."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: object) -> str:
    """Return a value as a reader of the file knows it, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    shown = (
        repr(value) if not isinstance(value, (dict, list)) else f"a {'table' if isinstance(value, dict) else 'list'}"
    )
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
