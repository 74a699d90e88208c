"""A mapping file: how a log that this project did not write becomes readings of a station (docs/logs.md)."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from station.adapters.foreign.times import TimeRule, read_time_rule
from station.domain.plant import Plant, Signal
from station.domain.toml_reader import FileMistakesError, Mistake, MistakeList, TomlTable, nearest, parse_toml
from station.domain.units import Convert, conversion, rounded, unit_named, units_like

FORMAT: Final = 1
"""Version of the mapping file's own layout; a file says `format = 1`."""

SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_THOUSANDS: Final = {"none": "", "point": ".", "comma": ",", "space": " ", "apostrophe": "'"}

BAD_TEXTS: Final = (
    "", "-", "--", "---", "----", "n/a", "#n/a", "na", "nan", "null", "none", "bad", "inf", "-inf", "infinity",
    "-infinity", "坏值", "无效",
)  # fmt: skip
"""What historians write for a sensor that failed; a mapping file may say otherwise."""

QUALITY_WORDS: Final = {
    "": "good", "good": "good", "ok": "good", "192": "good", "0xc0": "good", "好": "good", "良好": "good",
    "正常": "good", "uncertain": "uncertain", "64": "uncertain", "0x40": "uncertain", "可疑": "uncertain",
    "bad": "bad", "0": "bad", "0x00": "bad", "坏": "bad", "异常": "bad",
}  # fmt: skip
"""OPC's words and numbers (192 good, 64 uncertain, 0 bad), and the Chinese ones."""

TextRule = Literal["refuse", "bad", "skip"]


class LogMapError(FileMistakesError):
    """A mapping file with mistakes."""


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What becomes of one column (of the long layout: of one tag).

    Attributes:
        header: Its name in the log.
        signal: Of the station.
        convert: The log's number to the signal's unit.
        states: Text, folded, to state number; of a text column.
        quality: Name of the column that holds its quality, None where none does.
    """

    header: str
    signal: Signal
    convert: Convert
    states: Mapping[str, float]
    quality: str | None


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What becomes of a cell.

    Attributes:
        bad: Texts, folded, of a sensor that failed: null, quality bad.
        skip: Texts, folded, that say nothing: no reading.
        text: Of any other text where a number should be.
        decimal_comma: Numbers are written 44,12.
        thousands: Mark between thousands, "" for none.
        quality: Word, folded, to our quality.
    """

    bad: frozenset[str]
    skip: frozenset[str]
    text: TextRule
    decimal_comma: bool
    thousands: str
    quality: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LongColumns:
    """Names of the columns of a log with a row a reading."""

    tag: str
    value: str
    quality: str | None


@dataclass(frozen=True, slots=True)
class LogMap:
    """A mapping file, read.

    Attributes:
        plant: The station that the log is of.
        encoding: Of the log, None: to be found by looking.
        separator: Of its cells, None: to be found by looking.
        has_header: A line names the columns; else they are called 1, 2, ..
        short_rows: A row may end before columns that nobody asks for.
        time: Where and how times stand.
        columns: By name, folded.
        values: What becomes of cells.
        long: Where a row is one reading, None where it is all of a moment.
    """

    plant: Plant
    encoding: str | None
    separator: str | None
    has_header: bool
    short_rows: bool
    time: TimeRule
    columns: Mapping[str, ColumnRule]
    values: ValueRules
    long: LongColumns | None

    @property
    def needed(self) -> list[str]:
        """Names of the columns that the log must have."""
        found = list(self.time.columns)
        if self.long is not None:
            return [*found, self.long.tag, self.long.value, *([self.long.quality] if self.long.quality else [])]
        for rule in self.columns.values():
            found += [rule.header, *([rule.quality] if rule.quality else [])]
        return found


def folded(name: str) -> str:
    """Return a name as names are compared: whatever the width and case of its letters, blanks joined."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_log_map(text: str) -> bool:
    """Return whether a TOML text is a mapping file: no other of ours has these tables. It may be broken."""
    return re.search(r"^\s*\[(columns|time)\b", text, re.MULTILINE) is not None


def load_log_map(text: str, source: str, plants: Sequence[Plant]) -> LogMap:
    """Return what a mapping file says.

    Args:
        text: The file's text, TOML.
        source: Name of the file, for the error.
        plants: Stations that are known; the file names one of them.

    Raises:
        LogMapError: The text is no TOML, or something in it is missing, unknown or impossible.
    """
    data = parse_toml(text)
    if isinstance(data, Mistake):
        raise LogMapError(source, [data])
    mistakes = MistakeList(text)
    root = TomlTable(data, (), mistakes)
    plant = _read_plant(root, plants)
    found = None if plant is None else _read(root, plant)
    if found is None or mistakes:
        raise LogMapError(source, mistakes.by_line())
    return found


def _read_plant(root: TomlTable, plants: Sequence[Plant]) -> Plant | None:
    if root.whole("format", at_least=1) > FORMAT:
        root.wrong(f"format {root.data['format']} is newer than this program's {FORMAT}: update the program", "format")
    name = root.text("station")
    found = {plant.id: plant for plant in plants}
    if name and name not in found:
        known = ", ".join(found) or "none"
        root.wrong(f"station {name!r} has no station file here (known: {known}): name it with --plant", "station")
    return found.get(name)


def _read(root: TomlTable, plant: Plant) -> LogMap:
    long = _read_long(root)
    separator = root.word("separator", SEPARATORS, "")
    found = LogMap(
        plant=plant,
        encoding=_read_encoding(root),
        separator=SEPARATORS.get(separator),
        has_header=root.flag("header", default=True),
        short_rows=root.flag("short_rows"),
        time=read_time_rule(root.table("time", "time"), plant.timezone),
        columns=_read_columns(root.table("columns", "columns"), plant, is_long=long is not None),
        values=_read_values(root),
        long=long,
    )
    root.finish()
    return found


def _read_encoding(root: TomlTable) -> str | None:
    name = root.text("encoding", "")
    try:
        return codecs.lookup(name).name if name else None
    except LookupError:
        root.wrong(f"encoding {name!r} is unknown; leave it out, or write utf-8, gb18030 or cp1252", "encoding")
        return None


def _read_long(root: TomlTable) -> LongColumns | None:
    if not root.has("long"):
        return None
    table = root.table("long", "long")
    found = LongColumns(table.text("tag"), table.text("value"), table.text("quality", "") or None)
    table.finish()
    return found


def _read_values(root: TomlTable) -> ValueRules:
    table = root.table("values", "values", required=False)
    bad = table.texts("bad") if table.has("bad") else list(BAD_TEXTS)
    skip = table.texts("skip", required=False)
    text: TextRule = "refuse"
    match table.word("text", ("refuse", "bad", "skip"), "refuse"):
        case "bad":
            text = "bad"
        case "skip":
            text = "skip"
    decimal_comma = table.word("decimal", ("point", "comma"), "point") == "comma"
    thousands = _THOUSANDS.get(table.word("thousands", _THOUSANDS, "none"), "")
    if thousands == ("," if decimal_comma else "."):
        table.wrong("thousands and decimal are the same mark", "thousands")
    quality = dict(QUALITY_WORDS) | _read_quality(table)
    table.finish()
    skipped = frozenset(map(folded, skip))
    return ValueRules(frozenset(map(folded, bad)) - skipped, skipped, text, decimal_comma, thousands, quality)


def _read_quality(values: TomlTable) -> dict[str, str]:
    table = values.table("quality", "values.quality", required=False)
    found: dict[str, str] = {}
    for word in table.data:
        said = table.text(word)
        if said and said.partition(":")[0] not in ("good", "uncertain", "bad"):
            table.wrong(f"{word!r} = {said!r}: must be good, uncertain or bad, with :reason or without", word)
        found[folded(word)] = said
    return found


def _read_columns(table: TomlTable, plant: Plant, *, is_long: bool) -> dict[str, ColumnRule]:
    found: dict[str, ColumnRule] = {}
    taken: dict[str, str] = {}
    for header, said in table.data.items():
        row = _row(table, header, said)
        rule = _read_column(row, header, plant, is_long=is_long)
        row.finish()
        if rule is None:
            continue
        if rule.signal.tag in taken:
            row.wrong(f"signal {rule.signal.tag} is taken by column {taken[rule.signal.tag]!r} already", "signal")
        if folded(header) in found:
            row.wrong("the same column stands above, in other letters")
        taken[rule.signal.tag] = header
        found[folded(header)] = rule
    if not found and not table.data:
        table.wrong('names no column; write: "column of the log" = {signal="TAG", unit="bar"}')
    return found


def _row(table: TomlTable, header: str, said: object) -> TomlTable:
    """Return what is said of a column; a text alone is its signal."""
    if isinstance(said, str):
        return TomlTable({"signal": said}, (*table.path, header), table.mistakes, f"column {header!r}")
    return table.table(header, f"column {header!r}")


def _read_column(row: TomlTable, header: str, plant: Plant, *, is_long: bool) -> ColumnRule | None:
    tag = row.text("signal")
    signal = plant.signals.get(tag)
    if tag and signal is None:
        row.wrong(f"signal {tag!r} is not in the station file of {plant.id}{nearest(tag, plant.signals)}", "signal")
    quality = row.text("quality", "") or None
    if quality is not None and is_long:
        row.wrong("quality stands under [long], for all tags", "quality")
    convert = _read_conversion(row, signal)
    states = _read_states(row, signal)
    return None if signal is None else ColumnRule(header, signal, convert, states, quality)


def _read_conversion(row: TomlTable, signal: Signal | None) -> Convert:
    """Return the log's number to the signal's: by its unit, then times `scale` plus `offset`."""
    target = "" if signal is None else signal.unit_of_measure
    source = row.text("unit", "")
    convert: Convert = float
    if source and signal is not None and source != target:
        if signal.kind.is_discrete:
            row.wrong(f"signal {signal.tag} is a state: it has no unit", "unit")
        elif (found := conversion(source, target)) is None:
            row.wrong(f"unit {source!r} cannot become {target}, the unit of {signal.tag}{_could(target)}", "unit")
        else:
            convert = found
    scale, offset = row.number_or_none("scale"), row.number_or_none("offset")
    if scale is None and offset is None:
        return convert
    factor, shift = 1.0 if scale is None else scale, offset or 0.0
    return lambda number: rounded(convert(number) * factor + shift)


def _could(target: str) -> str:
    if unit_named(target) is None:
        return "; leave it out and write scale and offset"
    return f"; known are {', '.join(units_like(target))}"


def _read_states(row: TomlTable, signal: Signal | None) -> dict[str, float]:
    """Return text, folded, to number; the names in the station file, in both languages, go without saying."""
    table = row.table("states", row.title, required=False)
    names: dict[str, float] = {}
    for number, name in enumerate(() if signal is None else signal.states):
        names |= {folded(name.en): float(number), folded(name.zh): float(number)}
    if table.data and signal is not None and not signal.kind.is_discrete:
        table.wrong(f"signal {signal.tag} has no states")
    own: dict[str, float] = {}
    for text, said in table.data.items():
        state = names.get(folded(said)) if isinstance(said, str) else said
        if isinstance(state, bool) or not isinstance(state, int | float):
            table.wrong(f"{text!r} = {said!r}: must be a state's number or name{nearest(str(said), names)}", text)
        else:
            _check_state(table, text, state, signal)
            own[folded(text)] = float(state)
    return names | own


def _check_state(table: TomlTable, text: str, number: float, signal: Signal | None) -> None:
    highest = len(signal.states) - 1 if signal is not None and signal.states else 1
    if not (float(number).is_integer() and 0 <= number <= highest):
        table.wrong(f"{text!r} = {number}: must be a whole number from 0 to {highest}", text)
