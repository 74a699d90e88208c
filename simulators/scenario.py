"""Scenarios: what happens to the station on a simulated day, as a TOML file.

Every time in a scenario is an hour of the station's own day (`"09:30"`), so that a scenario works with any start; it
comes again on every day. `until` may lie beyond 24:00 (`"26:00"` is two in the morning of the next day).

Shipped scenarios stand in `simulators/scenarios/`; `scenario_keys` has every key with its meaning, default and limits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import msgspec

from simulators.faults import fault_kinds, make_fault, targets_of
from simulators.scenario_keys import read_keys
from station.domain.plant import Plant, Text
from station.domain.signals import Kind as SignalKind
from station.domain.toml_reader import Mistake, MistakeList, TomlTable, parse_toml
from station.errors import BadInputError

DAY = dt.timedelta(days=1)
ANY = "any"
"""The unit of a fault that strikes another one each time, by chance."""


class ScenarioError(BadInputError):
    """A scenario that breaks a rule; `mistakes` names every one with its line."""

    def __init__(self, source: str, mistakes: list[Mistake]) -> None:
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
    """A fault that a scenario brings on; every day, unless `date`, `weekdays` or `per_year` is given.

    Attributes:
        name, unit: As in the catalogue; unit `ANY` draws one each time.
        start: Hour of the day; None draws one each time.
        options: The fault's own (`simulators.faults.make_fault`).
        date: Only on this day.
        weekdays: Only on these, Monday = 0.
        per_year: By chance, so often a year on average.
    """

    name: str
    unit: str
    start: dt.timedelta | None
    options: Mapping[str, Any]
    date: dt.date | None = None
    weekdays: tuple[int, ...] | None = None
    per_year: float | None = None


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


def shipped_scenario(name: str, plant: Plant | None = None) -> Scenario:
    """Return a shipped scenario by name.

    Args:
        name: One of `scenario_names`.
        plant: The station that it is for, see `load_scenario`.

    Raises:
        BadInputError: There is none of that name (the text says which there are), or it does not fit the station.
    """
    if name not in scenario_names():
        raise BadInputError(f"scenario {name!r}: must be one of {', '.join(scenario_names())}, or a file")
    text = resources.files("simulators.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return load_scenario(text, f"{name}.toml", plant)


def load_scenario(text: str, source: str = "scenario", plant: Plant | None = None) -> Scenario:
    """Return the scenario that a TOML text describes.

    Args:
        text: The file's text.
        source: Its name, for error texts; without its suffix the scenario's name.
        plant: The station that it is for: each fault must find its unit and its signal there. None leaves that out.

    Raises:
        ScenarioError: Naming every mistake with its line.
    """
    tree = parse_toml(text)
    if isinstance(tree, Mistake):
        raise ScenarioError(source, [tree])
    mistakes = MistakeList(text)
    scenario = _scenario(TomlTable(tree, (), mistakes), re.sub(r"\.toml$", "", source.rsplit("/", 1)[-1]), plant)
    if mistakes:
        raise ScenarioError(source, mistakes.by_line())
    return scenario


def scenario_state(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as JSON values."""
    state: dict[str, Any] = msgspec.to_builtins(scenario)
    return state


def scenario_of_state(state: Mapping[str, Any]) -> Scenario:
    """Return the scenario of `scenario_state`.

    Raises:
        ValueError: It is none.
    """
    try:
        return msgspec.convert(state, Scenario)
    except msgspec.ValidationError as error:
        raise ValueError(f"scenario: {error}") from error


def _scenario(root: TomlTable, name: str, plant: Plant | None) -> Scenario:
    title, demand = root.table("title"), root.table("demand", required=False)
    deliveries, weather = root.table("deliveries", required=False), root.table("weather", required=False)
    words, trucks = read_keys(title, "title"), read_keys(demand, "demand")
    trailers, air = read_keys(deliveries, "deliveries"), read_keys(weather, "weather")
    outages = [_outage(table) for table in root.tables("outage", required=False)]
    faults = [_fault(table, plant) for table in root.tables("fault", required=False)]
    root.finish()
    return Scenario(
        name=name,
        title=Text(words["en"], words["zh"]),
        bookings=trucks["bookings"],
        arrival_jitter=trucks["jitter_min"],
        lateness=trailers["late_min"],
        lateness_spread=trailers["late_spread_min"],
        underfill=trailers["underfill"],
        on_call=trailers["on_call"],
        ambient_max_c=air["max_c"],
        outages=tuple(outages),
        faults=tuple(faults),
        vary=trucks["vary"],
        no_show=trucks["no_show_share"],
        walk_ins=trucks["walk_in_share"],
        no_link=trucks["no_link_share"],
        aborts=trucks["abort_share"],
        late_as_station=trailers["lateness"] == "station",
    )


def _outage(table: TomlTable) -> Outage:
    said = read_keys(table, "outage")
    if said["until"] <= said["from"] and table.has("until"):
        table.wrong(f"until {table.data['until']!r} must be later than from", "until")
    return Outage(said["from"], said["until"], said["told"], said["spacing_min"])


def _fault(table: TomlTable, plant: Plant | None) -> ScheduledFault:
    said = read_keys(table, "fault")
    options: dict[str, Any] = {}
    for key, option in (("for_min", "for_s"), ("ramp_min", "ramp_s")):
        if said[key] is not None:
            options[option] = said[key].total_seconds()
    for key in ("size", "signal"):
        if said[key] is not None:
            options[key] = said[key]
    days = [key for key in ("date", "weekdays", "per_year") if said[key] is not None]
    if len(days) > 1:
        table.wrong(f"{days[0]} and {days[1]} do not go together", days[1])
    if said["at"] is None and said["per_year"] is None:
        table.wrong("key 'at' is missing")
    if said["name"] and said["unit"] and plant is not None:
        _check_fault(table, plant, said["name"], said["unit"], options)
    return ScheduledFault(
        said["name"], said["unit"], said["at"], options, said["date"], said["weekdays"], said["per_year"]
    )


def choices_of(
    plant: Plant, name: str, unit: str, options: Mapping[str, Any]
) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return what a scheduled fault may strike, as (unit, options): one, or all that `ANY` draws from.

    Args:
        plant: The station.
        name: One of the catalogue.
        unit: Of the schedule. `ANY` of a sensor's fault without a signal draws from every measured signal.
        options: Of the schedule.
    """
    if unit != ANY:
        return ((unit, options),)
    if fault_kinds()[name].target != "signal":
        return tuple((each, options) for each in targets_of(plant, name))
    if "signal" in options:
        return (("", options),)
    measured = (signal for signal in plant.signals.values() if signal.kind is SignalKind.ANALOG_INPUT)
    return tuple((signal.unit, {**options, "signal": signal.tag}) for signal in measured)


def _check_fault(table: TomlTable, plant: Plant, name: str, unit: str, options: Mapping[str, Any]) -> None:
    """Note what of a fault the station cannot play."""
    try:
        for each, its in choices_of(plant, name, unit, options):
            make_fault(plant, name, each, 0, its)
    except BadInputError as error:
        text = str(error)
        named = [key for key in ("signal", "size", "ramp_min", "for_min") if key.removesuffix("_min") in text]
        place = next((key for key in named if table.has(key)), "name" if unit == ANY else "unit")
        table.wrong(text, place)
