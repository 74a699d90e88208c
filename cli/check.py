"""`jinma check` and `jinma plant from-csv`: files of a station held against the rules."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from simulators.scenario import ScenarioError, load_scenario
from station.adapters.plant_files import plant_from_signal_list
from station.domain.plant_file import PlantFileError, load_plant
from station.errors import BadInputError

_MOST_BYTES = 16 * 1024 * 1024
"""A hundred times the shipped station file; more is some other file."""


class _Finding(NamedTuple):
    line: int
    text: str


def check_file(file: Path, *, as_json: bool) -> int:
    """Print every mistake of a station file or scenario; return 0 without any, else 2.

    Raises:
        BadInputError: The file cannot be read.
    """
    text = read_text(file)
    kind, mistakes, summary = _check(text, file.name)
    if as_json:
        rows = [{"line": m.line, "text": m.text} for m in mistakes]
        print(json.dumps({"file": str(file), "kind": kind, "mistakes": rows}, ensure_ascii=False))
    elif mistakes:
        for mistake in mistakes:
            print(f"{file}: line {mistake.line}: {mistake.text}")
    else:
        print(f"{file}: {kind}, no mistakes: {summary}")
    return 2 if mistakes else 0


def print_plant_from_csv(file: Path, station: str) -> None:
    """Print a first station file made from a signal list."""
    sys.stdout.write(plant_from_signal_list(read_text(file), station))


def read_text(file: Path) -> str:
    """Return a file's text.

    Raises:
        BadInputError: Missing, unreadable, too large or not UTF-8.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise BadInputError(f"{file}: {len(data)} bytes, at most {_MOST_BYTES} are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _check(text: str, name: str) -> tuple[str, list[_Finding], str]:
    if _is_scenario(text):
        try:
            scenario = load_scenario(text, name)
        except ScenarioError as error:
            return "scenario", [_Finding(m.line, m.text) for m in error.mistakes], ""
        return "scenario", [], scenario.name
    try:
        plant = load_plant(text, name)
    except PlantFileError as error:
        return "station file", [_Finding(m.line, m.text) for m in error.mistakes], ""
    summary = f"{plant.id}, {len(plant.signals)} signals, {len(plant.units)} units, {len(plant.hoses)} hoses"
    return "station file", [], summary


def _is_scenario(text: str) -> bool:
    """What has none of a station file's own tables is a scenario; a file too broken to tell, by its lines."""
    marks = {"format", "id", "timezone", "supply", "equipment"}
    try:
        return not marks & tomllib.loads(text).keys()
    except tomllib.TOMLDecodeError:
        return not any(line.split("=")[0].strip(" []") in marks for line in text.splitlines())
