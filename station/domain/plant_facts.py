"""A station file as facts: each number with its mark of where it comes from, and what the file says beside it.

Marks stand in the file's comments: [S] read in a public source, [C] computed, [E] engineering estimate, [K] recalled
from a standard or the literature. A comment stands behind its key, or in the lines right above its row.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from station.domain.capacity_parameters import CapacityParameters
from station.domain.mass_balance import BalanceParameters
from station.domain.toml_lines import LineIndex, Path

_SECTIONS: Final = ("supply", "fleet", "fill")
_FAMILIES: Final = ("trains", "banks", "chillers", "hoses")
_PARAMETERS: Final = "parameters"
_MARK: Final = re.compile(r"\[([SCEK](?:/[SCEK])*)(?::\d+)?\]")
_COMMENT: Final = re.compile(r"""^(?:[^"'#]|"[^"]*"|'[^']*')*#\s?(.*)$""")
_DESCRIBED: Final = re.compile(r"^ {4}(\w+(?:, \w+)*): (.+(?:\n {8}.+)*)", re.MULTILINE)
_DEFAULT_MARK: Final = "E"
"""What no station file sets stands in the program, and every one of those numbers is an estimate."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One number or word of a station file.

    Attributes:
        section: `supply`, `fleet`, `fill`, `trains`, `banks`, `chillers`, `hoses`, `parameters`.
        unit: The machine that it is of, None of the others.
        key: As the file names it.
        value: As the file has it; a list or a table as text.
        mark: `S`, `C`, `E`, `K`, `C/E`, ..; None where the file gives none.
        note: What the file, or the program, says of it; empty where nothing.
        is_default: The file does not set it.
    """

    section: str
    unit: str | None
    key: str
    value: float | str | bool
    mark: str | None
    note: str
    is_default: bool = False


def facts_of(text: str) -> tuple[Fact, ...]:
    """Return the facts of a station file, in its order; `text` is one that `load_plant` accepts."""
    table, remarks = tomllib.loads(text), _Remarks(text)
    facts = [fact for section in _SECTIONS for fact in _of_table(table, remarks, section)]
    facts += [fact for family in _FAMILIES for fact in _of_family(table, remarks, family)]
    return (*facts, *_parameters(table, remarks))


class _Remarks:
    """What stands beside keys and above rows."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._index = LineIndex(text)

    def of(self, path: Path) -> tuple[str | None, str]:
        """Return (mark, note) of what stands at a path."""
        at = self._index.line(path) - 1
        behind = _COMMENT.match(self._lines[at])
        note = behind[1].strip() if behind is not None else self._above(at)
        found = _MARK.search(note)
        return (None if found is None else found[1]), _MARK.sub("", note, count=1).strip()

    def _above(self, at: int) -> str:
        above: list[str] = []
        while at > 0 and self._lines[at - 1].lstrip().startswith("#"):
            at -= 1
            above.insert(0, self._lines[at].strip().lstrip("# "))
        return " ".join(above)


def _of_table(table: Mapping[str, Any], remarks: _Remarks, section: str) -> Iterator[Fact]:
    for key, value in table.get(section, {}).items():
        yield Fact(section, None, key, _shown(value), *remarks.of((section, key)))


def _of_family(table: Mapping[str, Any], remarks: _Remarks, family: str) -> Iterator[Fact]:
    mark: str | None = None
    note = ""
    for place, row in enumerate(table.get("equipment", {}).get(family, [])):
        own = remarks.of(("equipment", family, place))
        mark, note = own if own[1] else (mark, note)  # What stands above a family's first row is of the next ones too.
        for unit in row.get("units", []):
            for key, value in row.items():
                if key != "units":
                    yield Fact(family, unit, key, _shown(value), mark, note)


def _parameters(table: Mapping[str, Any], remarks: _Remarks) -> Iterator[Fact]:
    given = table.get(_PARAMETERS, {})
    for of in (CapacityParameters, BalanceParameters):
        described = descriptions(of)
        for field in fields(of):
            if field.name in given:
                mark, note = remarks.of((_PARAMETERS, field.name))
                value = given[field.name]
            else:
                mark, note, value = _DEFAULT_MARK, "", field.default
            said = note or described.get(field.name, "")
            yield Fact(_PARAMETERS, None, field.name, _shown(value), mark, said, field.name not in given)


def descriptions(of: type) -> dict[str, str]:
    """Return attribute -> what the class's docstring says of it."""
    found: dict[str, str] = {}
    for names, text in _DESCRIBED.findall(inspect.cleandoc(of.__doc__ or "")):
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found


def _shown(value: Any) -> float | str | bool:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return ", ".join(str(_shown(one)) for one in value)
    return " ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)
