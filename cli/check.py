"""`jinma check` and `jinma plant from-csv`: files of a station held against the rules."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from cli.text_files import read_text
from simulators.fills import FillCaseError, is_fill_case, load_case
from simulators.scenario import Scenario, ScenarioError, load_scenario
from simulators.scenario_keys import key_rows, sections
from simulators.scenario_timeline import hour, left_out, timeline
from station.adapters.foreign.log_map import LogMapError, is_log_map, load_log_map
from station.adapters.plant_files import plant_from_signal_list
from station.domain.notice_routes import NoticeFileError, is_notice_file, load_notices
from station.domain.plant import Plant
from station.domain.plant_file import load_plant
from station.domain.toml_reader import FileMistakesError, Mistake, parse_toml
from station.errors import BadInputError


class _Finding(NamedTuple):
    line: int
    text: str


class _Checked(NamedTuple):
    """What a file is, what is wrong with it, one line about it, and for a scenario its day."""

    kind: str
    mistakes: list[_Finding]
    summary: str = ""
    day: dict[str, Any] | None = None


def check_file(file: Path, plant: Plant, *, as_json: bool) -> int:
    """Print every mistake of a file of ours, and what a scenario does; return 0 or 2.

    Args:
        file: A station file, scenario, fill case, notice file or mapping file.
        plant: The station whose units a scenario names, whose signals a mapping file does.
        as_json: As JSON.

    Raises:
        BadInputError: The file cannot be read.
    """
    text = read_text(file)
    checked = _check(text, file.name, plant)
    if as_json:
        rows = [{"line": m.line, "text": m.text} for m in checked.mistakes]
        said = {"file": str(file), "kind": checked.kind, "mistakes": rows, **(checked.day or {})}
        print(json.dumps(said, ensure_ascii=False, default=str))
    elif checked.mistakes:
        for mistake in checked.mistakes:
            print(f"{file}: line {mistake.line}: {mistake.text}")
    else:
        print(f"{file}: {checked.kind}, no mistakes: {checked.summary}")
        if checked.day is not None:
            _print_day(checked.day)
    return 2 if checked.mistakes else 0


def print_keys(of: str, *, as_json: bool) -> None:
    """Print every key of a kind of file with its meaning, unit, default and range.

    Raises:
        BadInputError: There are no keys of that kind.
    """
    if of != "scenario":
        raise BadInputError(f"--keys {of}: must be scenario")
    rows = list(key_rows())
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    heads = {part.head: part.en for part in sections().values()}
    for head, keys in groupby(rows, lambda row: row["section"]):
        print(f"{head}  {heads[head]}")
        for row in keys:
            format_ = row["format"] + (f" [{row['unit']}]" if row["unit"] else "")
            print(f"  {row['key']:16} {row['meaning']}")
            print(f"  {'':16} {format_}; default: {row['default']}" + (f"; {row['range']}" if row["range"] else ""))


def print_plant_from_csv(file: Path, station: str) -> None:
    """Print a first station file made from a signal list."""
    sys.stdout.write(plant_from_signal_list(read_text(file), station))


def _check(text: str, name: str, plant: Plant) -> _Checked:
    try:
        return _read(text, name, plant)
    except ScenarioError as error:
        return _Checked("scenario", [_Finding(m.line, m.text) for m in error.mistakes])
    except FileMistakesError as error:
        kinds: dict[type, str] = {
            FillCaseError: "fill case",
            NoticeFileError: "notice file",
            LogMapError: "mapping file",
        }
        kind = kinds.get(type(error), "station file")
        return _Checked(kind, [_Finding(m.line, m.text) for m in error.mistakes])


def _read(text: str, name: str, plant: Plant) -> _Checked:
    """Return what a file without mistakes is."""
    if _is_notices(text):
        notices = load_notices(text, name)
        names = ", ".join(notices.targets)
        return _Checked("notice file", [], f"{len(notices.routes)} routes to {names}")
    if is_log_map(text):
        rules = load_log_map(text, name, [plant])
        return _Checked("mapping file", [], f"{len(rules.columns)} columns to signals of {plant.id}")
    if is_fill_case(text):
        return _Checked("fill case", [], load_case(text, name).name)
    if _is_scenario(text):
        scenario = load_scenario(text, name, plant)
        return _Checked("scenario", [], f"{scenario.name}, for {plant.id}", _day(scenario, text, plant))
    made = load_plant(text, name)
    summary = f"{made.id}, {len(made.signals)} signals, {len(made.units)} units, {len(made.hoses)} hoses"
    return _Checked("station file", [], summary)


def _is_notices(text: str) -> bool:
    data = parse_toml(text)
    return not isinstance(data, Mistake) and is_notice_file(data)


def _day(scenario: Scenario, text: str, plant: Plant) -> dict[str, Any]:
    """Return what a scenario does, as JSON values."""
    lines = [asdict(line) | {"at": hour(line.at), "until": hour(line.until)} for line in timeline(scenario, plant)]
    said = {
        f"{name}.{key}": value
        for name, table in tomllib.loads(text).items()
        if isinstance(table, dict) and name != "title"
        for key, value in table.items()
    }
    defaults = {key: holds for key, holds in left_out(text) if not key.startswith("title.")}
    return {"title": asdict(scenario.title), "timeline": lines, "set": said, "default": defaults}


def _print_day(day: dict[str, Any]) -> None:
    print(f"  {day['title']['en']}\n  {day['title']['zh']}")
    for line in day["timeline"]:
        when = f"{line['at']}-{line['until']}" if line["until"] not in (line["at"], "any") else line["at"]
        days = "" if line["days"] == "every day" else f" ({line['days']})"
        what = " ".join(word for word in (line["event"], line["unit"], line["signal"]) if word)
        print(f"  {when:11}  {what}{days}: {line['en']}")
    if not day["timeline"]:
        print("  nothing goes wrong")
    for title, keys in (("set:", day["set"]), ("left as it is:", day["default"])):
        print(f"  {title}{'' if keys else ' nothing'}")
        for key, value in keys.items():
            print(f"    {key:24} {str(value).lower() if isinstance(value, bool) else value}")


def _is_scenario(text: str) -> bool:
    """What has none of a station file's own tables is a scenario; a file too broken to tell, by its lines."""
    marks = {"format", "id", "timezone", "supply", "equipment"}
    try:
        return not marks & tomllib.loads(text).keys()
    except tomllib.TOMLDecodeError:
        return not any(line.split("=")[0].strip(" []") in marks for line in text.splitlines())
