"""A report as people read it: sections of figures, tables and charts, in one language, not yet HTML, PDF or CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

LANGUAGES: Final = ("zh", "en")
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; cells are texts in the document's language.

    Attributes:
        key: Names it in HTML and CSV.
        texts: How many columns from the left hold words; the others hold numbers and stand to the right.
    """

    key: str
    heads: Row
    rows: tuple[Row, ...]
    texts: int = 1


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one row of bars, of a chart: local times or names, and values; None leaves a gap."""

    name: str
    x: Sequence[dt.datetime | str]
    y: Sequence[float | None]
    colour: str
    kind: str = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; `marks` are values with names, drawn as level lines."""

    key: str
    title: str
    unit: str
    series: tuple[Series, ...]
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter: figures (name, value), lines of text, charts, tables."""

    key: str
    title: str
    figures: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        stamp: Says that the data are simulated; empty otherwise.
        made: From what, when and in which version it was made.
        warnings: What is not known, before anything else.
    """

    language: str
    title: str
    stamp: str
    made: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Tongue:
    """How things are said in one language, with the station's clock."""

    language: str
    zone: ZoneInfo

    def __call__(self, en: str, zh: str) -> str:
        """Return one of two texts."""
        return zh if self.language == "zh" else en

    @property
    def unknown(self) -> str:
        """What stands in place of a value that is not known."""
        return self("not known", "未知")

    def number(self, value: float | None, digits: int = 0, unit: str = "") -> str:
        """Return a number with its unit, or that it is not known."""
        if value is None:
            return self.unknown
        text = f"{value:,.{digits}f}"
        # A rounded nothing has no sign.
        text = text.lstrip("-") if not text.strip("-0.,") else text
        return f"{text} {unit}".rstrip()

    def signed(self, value: float | None, digits: int = 0, unit: str = "") -> str:
        """Return a change with its sign."""
        text = self.number(value, digits, unit)
        return f"+{text}" if value is not None and value > 0 and text.strip("0., ") else text

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Return a share (0..1) in percent."""
        return self.number(None if share is None else 100.0 * share, digits, "%")

    def local(self, t_ms: int) -> dt.datetime:
        """Return a moment by the station's clock, without its zone."""
        return dt.datetime.fromtimestamp(t_ms / 1000.0, self.zone).replace(tzinfo=None)

    def clock(self, t_ms: int | None) -> str:
        """Return a moment as hours and minutes."""
        return self.unknown if t_ms is None else f"{self.local(t_ms):%H:%M}"

    def moment(self, t_ms: int) -> str:
        """Return a moment in full."""
        return f"{self.local(t_ms):%Y-%m-%d %H:%M}"
