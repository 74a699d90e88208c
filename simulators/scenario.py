"""Scenarios: what happens to the station on a simulated day, as a TOML file.

Every time in a scenario is an hour of the station's own day (`"09:30"`), so that a scenario works with any start; it
comes again on every day. `until` may lie beyond 24:00 (`"26:00"` is two in the morning of the next day).

Shipped scenarios stand in `simulators/scenarios/`; `normal-day.toml` there names every key with its meaning.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeVar

from simulators.faults import fault_kinds
from station.domain.plant import Text
from station.errors import BadInputError

DAY = dt.timedelta(days=1)

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ScenarioMistake:
    """One mistake in a scenario file: its line (1 is the first) and what is wrong."""

    line: int
    text: str


class ScenarioError(BadInputError):
    """A scenario that breaks a rule; `mistakes` names every one with its line."""

    def __init__(self, source: str, mistakes: list[ScenarioMistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(f"{source}: line {mistake.line}: {mistake.text}" for mistake in mistakes))


@dataclass(frozen=True, slots=True)
class Outage:
    """Hours in which no trailer comes.

    Attributes:
        start, end: Hours of the day; deliveries planned between them come after `end`, `spacing` apart.
        told: When the supplier phones and the plan gets the true times; None if nobody says a word.
        spacing: Between the late trailers.
    """

    start: dt.timedelta
    end: dt.timedelta
    told: dt.timedelta | None
    spacing: dt.timedelta


@dataclass(frozen=True, slots=True)
class ScheduledFault:
    """A fault that a scenario brings on each day at an hour; `options` as the fault's own (`simulators.faults`)."""

    name: str
    unit: str
    start: dt.timedelta
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day's conditions.

    Attributes:
        name: File name without suffix.
        title: One line, both languages.
        bookings: Trucks a day; None takes the station file's.
        arrival_jitter: Standard deviation of a truck's arrival about its booking.
        lateness: Mean of a trailer's arrival after its ETA.
        lateness_spread: Its standard deviation; arrivals keep within two of them.
        underfill: Trailers come up to this share (0..1) under their full mass.
        on_call: The supplier sends one more when the stock falls below the station file's mark.
        ambient_max_c: Afternoon maximum [degC]; None takes the season's.
        outages, faults: What goes wrong.
        vary: The number of trucks varies from day to day as the station file says: weekday, season, chance.
        no_show: Share of the booked trucks that do not come (0..1).
        walk_ins: Trucks that come without a booking, as a share of those booked.
        no_link: Share of the trucks whose tanks tell the dispenser nothing (0..1).
        aborts: Share of the fills that the vehicle breaks off (0..1).
        late_as_station: Trailers are late by the station file's median and 95th percentile; `lateness` is not used.
    """

    name: str
    title: Text
    bookings: int | None
    arrival_jitter: dt.timedelta
    lateness: dt.timedelta
    lateness_spread: dt.timedelta
    underfill: float
    on_call: bool
    ambient_max_c: float | None
    outages: tuple[Outage, ...]
    faults: tuple[ScheduledFault, ...]
    vary: bool = False
    no_show: float = 0.0
    walk_ins: float = 0.0
    no_link: float = 0.0
    aborts: float = 0.0
    late_as_station: bool = False


def scenario_names() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, sorted."""
    files = resources.files("simulators.scenarios").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def shipped_scenario(name: str) -> Scenario:
    """Return a shipped scenario by name.

    Raises:
        BadInputError: There is none of that name; the text says which there are.
    """
    if name not in scenario_names():
        raise BadInputError(f"scenario {name!r}: must be one of {', '.join(scenario_names())}, or a file")
    text = resources.files("simulators.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return load_scenario(text, f"{name}.toml")


def load_scenario(text: str, source: str = "scenario") -> Scenario:
    """Return the scenario that a TOML text describes.

    Args:
        text: The file's text.
        source: Its name, for error texts; without its suffix the scenario's name.

    Raises:
        ScenarioError: Naming every mistake with its line.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise ScenarioError(source, [ScenarioMistake(line, f"not TOML: {error}")]) from error
    reader = _Reader(text)
    scenario = _scenario(reader, tree, re.sub(r"\.toml$", "", source.rsplit("/", 1)[-1]))
    if reader.mistakes:
        raise ScenarioError(source, sorted(reader.mistakes, key=lambda mistake: mistake.line))
    return scenario


class _Reader:
    """Takes checked values out of a TOML tree and notes mistakes with their lines."""

    def __init__(self, text: str) -> None:
        self.mistakes: list[ScenarioMistake] = []
        self._lines = _line_index(text)

    def refuse(self, place: str, key: str, text: str) -> None:
        line = self._lines.get((place, key)) or self._lines.get((place, "")) or 1
        self.mistakes.append(ScenarioMistake(line, text))

    def keys(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
                self.refuse(place, key, f"unknown key {key!r}{hint}")

    def table(self, tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = tree.get(key, {})
        if isinstance(value, dict):
            return value
        self.refuse("", key, f"{key}: must be a table [{key}]")
        return {}

    def tables(self, tree: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        value = tree.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.refuse("", key, f"{key}: must be an array of tables [[{key}]]")
        return []

    def number(
        self, place: str, table: Mapping[str, Any], key: str, default: float | None, span: tuple[float, float]
    ) -> float | None:
        value = table.get(key, default)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value == default):
            return value
        low, high = span
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.refuse(place, key, f"{key} = {value!r}: must be a number in {low:g}..{high:g}")
            return default
        return float(value)

    def text(self, place: str, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            self.refuse(place, key, f"{key} = {value!r}: must be a text")
            return ""
        return value

    def flag(self, place: str, table: Mapping[str, Any], key: str, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self.refuse(place, key, f"{key} = {value!r}: must be true or false")
            return default
        return value

    def hour(self, place: str, table: Mapping[str, Any], key: str, latest: int = 24) -> dt.timedelta:
        value = table.get(key)
        found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", value) if isinstance(value, str) else None
        moment = dt.timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
        if moment is None or moment > dt.timedelta(hours=latest):
            self.refuse(place, key, f'{key} = {value!r}: must be an hour of the day "00:00".."{latest}:00"')
            return dt.timedelta()
        return moment

    def minutes(
        self, place: str, table: Mapping[str, Any], key: str, default: float, span: tuple[float, float]
    ) -> dt.timedelta:
        return dt.timedelta(minutes=self.number(place, table, key, default, span) or 0.0)


def _line_index(text: str) -> dict[tuple[str, str], int]:
    """Return the line of each (table, key); tables of an array are named `fault#0`, `fault#1`; key "" is the head."""
    index: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    place = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line):
            name = found[1]
            place = f"{name}#{counts.get(name, 0)}"
            counts[name] = counts.get(name, 0) + 1
            index[(place, "")] = number
            index.setdefault(("", name), number)
        elif found := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            place = found[1]
            index[(place, "")] = number
            index.setdefault(("", place), number)
        elif found := re.match(r"\s*([\w-]+)\s*=", line):
            index.setdefault((place, found[1]), number)
    return index


_SHARES = ("no_show_share", "walk_in_share", "no_link_share", "abort_share")
_TOP = ("title", "demand", "deliveries", "weather", "outage", "fault")


def _scenario(reader: _Reader, tree: Mapping[str, Any], name: str) -> Scenario:
    reader.keys("", tree, _TOP)
    title = reader.table(tree, "title")
    demand, deliveries = reader.table(tree, "demand"), reader.table(tree, "deliveries")
    weather = reader.table(tree, "weather")
    reader.keys("title", title, ("en", "zh"))
    reader.keys("demand", demand, ("bookings", "jitter_min", "vary", *_SHARES))
    reader.keys("deliveries", deliveries, ("late_min", "late_spread_min", "lateness", "underfill", "on_call"))
    reader.keys("weather", weather, ("max_c",))
    bookings = reader.number("demand", demand, "bookings", None, (0, 1000))
    shares = {key: reader.number("demand", demand, key, 0.0, (0, 1)) or 0.0 for key in _SHARES}
    law = deliveries.get("lateness", "scenario")
    if law not in ("scenario", "station"):
        reader.refuse("deliveries", "lateness", f'lateness = {law!r}: must be "scenario" or "station"')
    return Scenario(
        name=name,
        title=Text(reader.text("title", title, "en"), reader.text("title", title, "zh")),
        bookings=None if bookings is None else int(bookings),
        arrival_jitter=reader.minutes("demand", demand, "jitter_min", 8.0, (0, 120)),
        lateness=reader.minutes("deliveries", deliveries, "late_min", 5.0, (-120, 600)),
        lateness_spread=reader.minutes("deliveries", deliveries, "late_spread_min", 8.0, (0, 600)),
        underfill=reader.number("deliveries", deliveries, "underfill", 0.05, (0, 0.9)) or 0.0,
        on_call=reader.flag("deliveries", deliveries, "on_call", default=True),
        ambient_max_c=reader.number("weather", weather, "max_c", None, (-30, 50)),
        outages=tuple(_each(reader, tree, "outage", _outage)),
        faults=tuple(_each(reader, tree, "fault", _fault)),
        vary=reader.flag("demand", demand, "vary", default=False),
        no_show=shares["no_show_share"],
        walk_ins=shares["walk_in_share"],
        no_link=shares["no_link_share"],
        aborts=shares["abort_share"],
        late_as_station=law == "station",
    )


def _each(
    reader: _Reader, tree: Mapping[str, Any], key: str, read: Callable[[_Reader, str, Mapping[str, Any]], _Item]
) -> list[_Item]:
    return [read(reader, f"{key}#{number}", table) for number, table in enumerate(reader.tables(tree, key))]


def _outage(reader: _Reader, place: str, table: Mapping[str, Any]) -> Outage:
    reader.keys(place, table, ("from", "until", "told", "spacing_min"))
    start, end = reader.hour(place, table, "from"), reader.hour(place, table, "until", 47)
    if end <= start:
        reader.refuse(place, "until", f"until = {table.get('until')!r}: must be later than from")
    told = reader.hour(place, table, "told", 47) if "told" in table else None
    spacing = reader.minutes(place, table, "spacing_min", 20.0, (1, 600))
    return Outage(start, end, told, spacing)


def _fault(reader: _Reader, place: str, table: Mapping[str, Any]) -> ScheduledFault:
    reader.keys(place, table, ("name", "unit", "signal", "at", "for_min", "ramp_min", "size"))
    options: dict[str, object] = {}
    for key, option in (("for_min", "for_s"), ("ramp_min", "ramp_s")):
        if (minutes := reader.number(place, table, key, None, (0, 43_200))) is not None:
            options[option] = minutes * 60.0
    if (size := reader.number(place, table, "size", None, (-1e6, 1e6))) is not None:
        options["size"] = size
    if "signal" in table:
        options["signal"] = reader.text(place, table, "signal")
    name = reader.text(place, table, "name")
    if name and name not in fault_kinds():
        reader.refuse(place, "name", f"fault {name!r}: unknown; a scenario may have {', '.join(fault_kinds())}")
    start = reader.hour(place, table, "at")
    return ScheduledFault(name=name, unit=reader.text(place, table, "unit"), start=start, options=options)
