"""A first station file from a signal list: CSV rows in, TOML out, with an existing station as the example.

The example lends its words: a row called like one of its signals (numbers aside) takes that signal's role, alarm type
and Chinese name, and its sizes stand in for equipment that the list cannot know. What is guessed says so in a comment.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from station.domain.plant_file import PlantFileError, load_plant
from station.domain.plant_signals import MANY_OF_A_ROLE
from station.domain.signals import AREAS
from station.domain.toml_reader import FileMistakesError, Mistake

COLUMNS = (
    "tag",
    "area",
    "unit_of_plant",
    "description",
    "unit",
    "normal_lo",
    "normal_hi",
    "LL",
    "L",
    "H",
    "HH",
    "rate_s",
    "kind",
)
"""Columns that a signal list must have; others are ignored."""

_LIMITS = ("LL", "L", "H", "HH")
_NUMBERED = re.compile(r"\d+[A-Z]?(?![A-Za-z])")
_STATES = re.compile(r"^(?P<name>.*\S)\s*\((?P<states>[^()]*)\)$")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_TYPE_BY_UNIT = {
    "MPa": "pressure",
    "kPa": "pressure",
    "Pa": "pressure",
    "degC": "temperature",
    "kg/h": "flow",
    "g/s": "flow",
    "m3/h": "flow",
    "%": "level",
    "%LEL": "gas",
    "mm/s": "vibration",
    "kW": "electrical",
    "V": "electrical",
    "A": "electrical",
    "Hz": "electrical",
    "umol/mol": "purity",
}


class SignalListError(FileMistakesError):
    """A signal list with bad rows; `.mistakes` tells each with its line in the CSV."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the list whose numbers are numbers."""

    line: int
    cells: Mapping[str, str]
    states: tuple[str, ...]

    @property
    def at(self) -> tuple[str, str]:
        return self.cells["area"], self.cells["unit_of_plant"]


@dataclass(frozen=True, slots=True)
class _Guess:
    """What the example says about a row."""

    role: str
    type: str
    zh: str


@dataclass(slots=True)
class _Example:
    """Words and sizes lent by an existing station file."""

    text: str
    data: dict[str, Any]
    signals: dict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=dict)
    units: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for unit in self.data["units"]:
            area, _, name = unit["at"].partition("/")
            self.units.setdefault((area, _shape(name)), unit)
            for signal in unit["signals"]:
                self.signals.setdefault((area, signal["kind"], _shape(signal["en"])), []).append(signal)

    def guess(self, row: _Row) -> _Guess | None:
        """Return role, type and Chinese name of the example's signal that is called most like the row."""
        name = row.cells["description"]
        alike = self.signals.get((row.cells["area"], row.cells["kind"], _shape(name)))
        if alike is None:
            return None
        found = max(alike, key=lambda signal: _numbers_shared(signal["en"], name))
        if row.states and row.states != tuple(self.data["states"][found["states"]]["en"]):
            return None
        return _Guess(found["role"], found.get("type", found["role"]), _renumbered(found["zh"], found["en"], name))

    def label(self, area: str, name: str) -> tuple[str, str]:
        """Return a unit's English and Chinese label."""
        found = self.units.get((area, _shape(name)))
        if found is None:
            plain = name.replace("-", " ").replace("_", " ")
            return plain[:1].upper() + plain[1:], plain
        known = found["at"].partition("/")[2]
        return _renumbered(found["en"], known, name), _renumbered(found["zh"], known, name)

    def section(self, *names: str) -> str:
        """Return sections of the example's text as they stand, without the remarks that lead to the next one."""
        lines: list[str] = []
        inside = False
        for line in self.text.splitlines():
            if header := re.match(r"\[+([A-Za-z_]+)", line):
                inside = header.group(1) in names
            elif line.startswith("# ----"):
                inside = False
            if inside:
                lines.append(line)
        return "\n".join(lines).rstrip() + "\n"


def station_from_signal_list(csv_text: str, station_id: str, example_text: str) -> str:
    """Return a station file for the signals of a list.

    Args:
        csv_text: CSV with the columns of `COLUMNS`; states stand in brackets at the end of the description.
        station_id: Id of the new station.
        example_text: Text of a station file that lends words, alarm types and sizes.

    Returns:
        TOML that `load_plant` accepts.

    Raises:
        SignalListError: Columns are missing or rows are wrong; each with its line.
    """
    rows = _read_rows(csv_text)
    example = _Example(example_text, tomllib.loads(example_text))
    lines, origin = _write(rows, station_id, example)
    text = "\n".join(lines) + "\n"
    try:
        load_plant(text)
    except PlantFileError as error:
        found = {Mistake(origin.get(m.line, 1), m.text) for m in error.mistakes}
        raise SignalListError("signal list", sorted(found)) from error
    return text


def _read_rows(csv_text: str) -> list[_Row]:
    reader = csv.DictReader(io.StringIO(csv_text.removeprefix("\ufeff")))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise SignalListError("signal list", [Mistake(1, f"columns are missing: {', '.join(missing)}")])
    rows, mistakes = [], []
    try:
        for cells in reader:
            row = {column: (cells[column] or "").strip() for column in COLUMNS}
            wrong = list(_wrong_cells(row))
            mistakes += [Mistake(reader.line_num, f"signal {row['tag'] or '?'}: {text}") for text in wrong]
            rows += [] if wrong else [_row(reader.line_num, row)]
    except csv.Error as error:
        mistakes.append(Mistake(reader.line_num + 1, f"not CSV: {error}"))
    if not rows and not mistakes:
        mistakes.append(Mistake(1, "there is no signal in it"))
    if mistakes:
        raise SignalListError("signal list", mistakes)
    return rows


def _wrong_cells(row: Mapping[str, str]) -> Iterable[str]:
    for column in ("tag", "area", "unit_of_plant", "description", "unit", "kind"):
        if not row[column]:
            yield f"{column} is empty"
        elif _UNPRINTABLE.search(row[column]):
            yield f"{column} has unprintable characters"
    if row["area"] and row["area"] not in AREAS:
        yield f"area {row['area']!r} is unknown; known are {', '.join(AREAS)}"
    for column in ("normal_lo", "normal_hi", *_LIMITS):
        if not _is_number(row[column]) and (row[column] or column.startswith("normal")):
            yield f"{column} {row[column]!r} is no number"
    if not all(_is_number(part) for part in row["rate_s"].split("/")) or row["rate_s"].count("/") > 1:
        yield f"rate_s {row['rate_s']!r} must be seconds, or seconds in a fill/seconds else"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.isascii() and "_" not in text
    except ValueError:
        return False


def _row(line: int, cells: dict[str, str]) -> _Row:
    """Return a row with the states taken out of its description."""
    bracket = _STATES.match(cells["description"]) if cells["kind"] == "EN" else None
    if bracket is None:
        return _Row(line, cells, _numbered_states(cells))
    named = tuple(word.strip() for word in bracket.group("states").split("/") if word.strip())
    if counted := re.fullmatch(r"0\.\.(\d{1,2})", bracket.group("states").strip()):
        named = ("none", *(f"level {level}" for level in range(1, int(counted.group(1)) + 1)))
    return _Row(line, {**cells, "description": bracket.group("name")}, named)


def _numbered_states(cells: Mapping[str, str]) -> tuple[str, ...]:
    if cells["kind"] != "EN":
        return ()
    return tuple(f"state {n}" for n in range(min(100, max(0, int(float(cells["normal_hi"])))) + 1))


def _write(rows: Sequence[_Row], station_id: str, example: _Example) -> tuple[list[str], dict[int, int]]:
    """Return the lines of the file, and for each line that a CSV row made that row's line."""
    roles: dict[tuple[str, str], dict[str, str]] = {}
    lines = [
        f"# Station {station_id}: a first station file from a signal list. Sizes, supply, fleet and texts are those of",
        "# the example station: fill in this station's own wherever a comment says so.",
        "",
        "format = 1",
        f"id = {_quoted(station_id)}",
        f"en = {_quoted(f'Station {station_id}')}  # fill in",
        f"zh = {_quoted(f'{station_id}站')}  # fill in",
        'timezone = "Asia/Shanghai"  # fill in',
        "",
        "[[gateways]]  # fill in: the devices that publish, each with its units and heartbeat",
        'id = "gateway-1"',
        'en = "Gateway 1"',
        'zh = "1号网关"',
        'units = ["*"]',
        "",
    ]
    state_sets, names = _state_sets(rows, example)
    lines += state_sets
    origin: dict[int, int] = {}
    for at in dict.fromkeys(row.at for row in rows):
        en, zh = example.label(*at)
        lines += ["", "[[units]]", f"at = {_quoted('/'.join(at))}", f"en = {_quoted(en)}", f"zh = {_quoted(zh)}"]
        lines.append("signals = [")
        for row in (row for row in rows if row.at == at):
            lines.append(_signal_line(row, example, names, roles.setdefault(at, {})))
            origin[len(lines)] = row.line
        lines.append("]")
    lines += ["", *_equipment(roles, example), *_suppressions(roles, example, rows), ""]
    lines += example.section(
        "fleet", "fill", "parameters", "capacity_alarms", "system_alarms", "alarm_types"
    ).splitlines()
    return lines, origin


def _state_sets(rows: Sequence[_Row], example: _Example) -> tuple[list[str], dict[tuple[str, ...], str]]:
    known = {tuple(names["en"]): (name, names["zh"]) for name, names in example.data["states"].items()}
    lines, names = ["[states]"], {}
    for row in rows:
        if not row.states or row.states in names:
            continue
        name, zh = known.get(row.states, (row.cells["tag"].lower(), list(row.states)))
        names[row.states] = name
        lines.append(f"{_quoted(name)} = {{en={_listed(row.states)}, zh={_listed(zh)}}}")
    return lines, names


def _signal_line(row: _Row, example: _Example, state_sets: Mapping[tuple[str, ...], str], roles: dict[str, str]) -> str:
    """Return a signal's line of the file and book its role in `roles` (role -> tag)."""
    cells = row.cells
    guess = example.guess(row) or _Guess(_slug(cells["description"]), _plain_type(row), cells["description"])
    role = guess.role
    if role in roles and role not in MANY_OF_A_ROLE:
        role = next(f"{guess.role}_{n}" for n in range(2, 1000) if f"{guess.role}_{n}" not in roles)
    roles.setdefault(role, cells["tag"])
    parts = [f"tag={_quoted(cells['tag'])}", f"role={_quoted(role)}", f"type={_quoted(guess.type)}"]
    parts.append(f"kind={_quoted(cells['kind'])}")
    parts.append(f"states={_quoted(state_sets[row.states])}" if row.states else f"unit={_quoted(cells['unit'])}")
    parts.append(f"normal=[{_number(cells['normal_lo'])}, {_number(cells['normal_hi'])}]")
    parts += [f"{name}={_number(cells[name])}" for name in _LIMITS if cells[name]]
    fill, slash, usual = cells["rate_s"].partition("/")
    parts += [f"rate={_number(usual)}", f"fill_rate={_number(fill)}"] if slash else [f"rate={_number(fill)}"]
    parts += [f"en={_quoted(cells['description'])}", f"zh={_quoted(guess.zh)}"]
    return f"  {{{', '.join(parts)}}},"


def _plain_type(row: _Row) -> str:
    """Return a general alarm type for a row that the example has no word for."""
    if row.cells["kind"] == "DI":
        return "trip" if row.cells["HH"] else "status"
    return "status" if row.states else _TYPE_BY_UNIT.get(row.cells["unit"], "value")


_NEEDS = {
    "trains": ("compression", {"state", "flow", "suction_pressure"}),
    "banks": ("storage", {"pressure_a", "temperature"}),
    "chillers": ("cooling", {"state", "supply_temperature"}),
    "hoses": ("dispensing", {"state", "total", "pressure", "flow"}),
}


def _equipment(roles: Mapping[tuple[str, str], Mapping[str, str]], example: _Example) -> list[str]:
    def having(area: str, needs: set[str]) -> list[str]:
        return [unit for (unit_area, unit), known in roles.items() if unit_area == area and needs <= known.keys()]

    bays = having("trailer", {"state", "pressure", "temperature"})
    supply = example.section("supply").splitlines()
    lines = [f"bays = {_listed(bays)}" if line.startswith("bays =") else line for line in supply]
    lines += ["", "[equipment]  # fill in: the sizes are the example station's"]
    for key, (area, needs) in _NEEDS.items():
        units = having(area, needs)
        cabinets = [unit for unit_area, unit in roles if unit_area == "dispensing" and unit not in units]
        lines.append(f"{key} = [")
        for position, unit in enumerate(units):
            rows = example.data["equipment"][key]
            sizes = {**rows[min(position, len(rows) - 1)], "units": [unit]}
            if key == "hoses":
                sizes["dispenser"] = _cabinet_of(unit, cabinets)
            if key == "banks":
                sizes |= {"recharge_rank": len(units) - position, "draw_rank": position + 1}
            lines.append(f"  {_inline(sizes)},")
        lines.append("]")
    return lines


def _cabinet_of(hose: str, cabinets: Sequence[str]) -> str:
    """Return the dispenser that shares the hose's number, else the first one, else the hose itself."""
    number = re.search(r"\d+", hose)
    alike = [c for c in cabinets if number and number.group() in re.findall(r"\d+", c)]
    return (alike or list(cabinets) or [hose])[0]


def _suppressions(
    roles: Mapping[tuple[str, str], Mapping[str, str]], example: _Example, rows: Sequence[_Row]
) -> list[str]:
    """Return the example's suppressions that apply to what this station has."""
    states = {row.cells["tag"]: row.states for row in rows}
    lines: list[str] = []
    for row in example.data.get("suppressions", []):
        place, _, role = row["when"].partition(":")
        deciding = [
            unit
            for (area, unit), known in roles.items()
            if fnmatchcase(f"{area}/{unit}", place) and set(row["is"]) <= set(states.get(known.get(role, ""), ()))
        ]
        every = [
            unit for (area, unit), known in roles.items() if fnmatchcase(f"{area}/{unit}", place) and role in known
        ]
        if deciding and deciding == every and all(_all_match(row["hide"], unit, roles) for unit in deciding):
            lines += ["", "[[suppressions]]", *(f"{key} = {_value(value)}" for key, value in row.items())]
    return lines


def _all_match(selectors: Iterable[str], unit: str, roles: Mapping[tuple[str, str], Mapping[str, str]]) -> bool:
    def matches(selector: str) -> bool:
        place, _, role = selector.replace("{unit}", unit).partition(":")
        return any(
            fnmatchcase("/".join(at), place) and any(fnmatchcase(known, role) for known in played)
            for at, played in roles.items()
        )

    return all(matches(selector) for selector in selectors)


def _shape(name: str) -> str:
    """Return a name with its numbers blanked, by which alike things are found."""
    return _NUMBERED.sub("#", name.strip()).lower()


def _numbers_shared(one: str, other: str) -> int:
    """Return how many numbers two names of one shape have in common, place by place."""
    return sum(a == b for a, b in zip(_NUMBERED.findall(one), _NUMBERED.findall(other), strict=True))


def _renumbered(text: str, known: str, new: str) -> str:
    """Return `text`, made for the name `known`, with the numbers of the like name `new`."""
    old = _NUMBERED.findall(known)
    for position, number in enumerate(old):
        text = text.replace(number, f"\x00{position}\x00", 1)
    for position, number in enumerate(_NUMBERED.findall(new)):
        text = text.replace(f"\x00{position}\x00", number)
    return text


def _slug(description: str) -> str:
    """Return a role made of a description: lower case words without the leading numbers."""
    words = re.findall(r"[a-z]+", description.lower())
    return "_".join(words) or "value"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(text: str) -> str:
    value = float(text)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _listed(words: Iterable[str]) -> str:
    return f"[{', '.join(_quoted(word) for word in words)}]"


def _value(value: object) -> str:
    if isinstance(value, list):
        return _listed(value)
    return str(value).lower() if isinstance(value, bool) else _quoted(str(value))


def _inline(table: Mapping[str, Any]) -> str:
    """Return an inline table of texts, numbers and lists of texts."""
    parts = [f"{k}={v if isinstance(v, (int, float)) else _value(v)}" for k, v in table.items()]
    return f"{{{', '.join(parts)}}}"
