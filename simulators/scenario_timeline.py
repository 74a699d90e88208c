"""What a scenario does to a station, told hour by hour for a reader, and which of its keys are left as they are."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulators.faults import fault_kinds, make_fault
from simulators.scenario import Outage, Scenario, ScheduledFault, choices_of
from simulators.scenario_keys import WEEKDAYS, sections
from station.domain.plant import Plant

_NEVER = dt.timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the day.

    Attributes:
        at: Hour of the day; None is any.
        until: Hour at which it is over, counted on over midnight; None where `at` is.
        days: On which days.
        event: What happens, one word: `outage`, `call` or the fault's name.
        unit, signal: What it befalls, empty for the whole station.
        size: How bad; None where it has no size.
        ramp_min: From nothing to full strength [min].
        en: The same in words.
    """

    at: dt.timedelta | None
    until: dt.timedelta | None
    days: str
    event: str
    unit: str
    signal: str
    size: float | None
    ramp_min: float
    en: str


def timeline(scenario: Scenario, plant: Plant) -> tuple[Happening, ...]:
    """Return what a scenario does, in the order of the day; what has no hour comes last.

    Raises:
        BadInputError: The station cannot play a fault of it.
    """
    told = [line for outage in scenario.outages for line in _outage(outage)]
    told += [_fault(planned, plant) for planned in scenario.faults]
    return tuple(sorted(told, key=lambda line: _NEVER if line.at is None else line.at))


def left_out(text: str) -> Iterator[tuple[str, str]]:
    """Yield (`section.key`, what then holds) of each key that a scenario's text leaves out of what is there once."""
    tree = tomllib.loads(text)
    for part in sections().values():
        if not part.many:
            for key in part.keys:
                if key.name not in tree.get(part.name, {}):
                    unit = f" {key.unit}" if key.unit not in ("", "1") and key.default is not None else ""
                    yield f"{part.name}.{key.name}", key.shown_default + unit


def hour(moment: dt.timedelta | None) -> str:
    """Return `09:30`, `26:00` for two in the morning of the next day, `any` for None."""
    if moment is None:
        return "any"
    minutes = round(moment.total_seconds() / 60.0)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _outage(outage: Outage) -> Iterator[Happening]:
    word = "nobody says a word" if outage.told is None else f"the plan gets the true times at {hour(outage.told)}"
    text = (
        f"trailers announced for {hour(outage.start)} to {hour(outage.end)} come from "
        f"{hour(outage.end + outage.spacing)} on, {_minutes(outage.spacing)} apart; {word}"
    )
    yield Happening(outage.start, outage.end, "every day", "outage", "", "", None, 0.0, text)
    if outage.told is not None:
        text = "the supplier phones: the plan gets the true times of the late trailers"
        yield Happening(outage.told, outage.told, "every day", "call", "", "", None, 0.0, text)


def _fault(planned: ScheduledFault, plant: Plant) -> Happening:
    choices = choices_of(plant, planned.name, planned.unit, planned.options)
    kind = fault_kinds()[planned.name]
    fault = make_fault(plant, planned.name, choices[0][0], 0, choices[0][1])
    drawn = len(choices) > 1
    text = kind.en
    own_size = kind.size is not None and (kind.size.default is not None or not drawn or "size" in planned.options)
    if kind.size is not None and own_size:
        text += f"; {kind.size.en}: {fault.size:g}"
    if fault.ramp_ms:
        text += f"; at full strength after {_minutes(dt.timedelta(milliseconds=fault.ramp_ms))}"
    lasts = dt.timedelta(milliseconds=fault.end_ms)
    if planned.start is None:
        text += f"; for {_minutes(lasts)}"
    return Happening(
        at=planned.start,
        until=None if planned.start is None else planned.start + lasts,
        days=_days(planned),
        event=planned.name,
        unit=_any(kind.target, choices) if drawn else fault.unit,
        signal="" if drawn else fault.signal,
        size=fault.size if own_size else None,
        ramp_min=fault.ramp_ms / 60_000.0,
        en=text,
    )


def _any(target: str, choices: Sequence[tuple[str, object]]) -> str:
    if target == "signal":
        return "any measured signal"
    return f"any of {', '.join(unit for unit, _ in choices)}"


def _days(planned: ScheduledFault) -> str:
    if planned.date is not None:
        return planned.date.isoformat()
    if planned.weekdays is not None:
        return ", ".join(WEEKDAYS[day] for day in planned.weekdays)
    if planned.per_year is not None:
        return f"{planned.per_year:g} times a year, by chance"
    return "every day"


def _minutes(length: dt.timedelta) -> str:
    return f"{length.total_seconds() / 60.0:g} min"
