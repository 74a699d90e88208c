"""Suppression by design: rows of a station file -> one `Suppression` for each signal that decides."""

from __future__ import annotations

import datetime as dt

from station.domain.alarm_types import CONDITIONS
from station.domain.plant import Signal, Suppression, Text
from station.domain.plant_signals import Catalogue
from station.domain.toml_reader import TomlTable, nearest

_WAY_OF_WRITING = "must be area/unit:role"


def read_suppressions(root: TomlTable, catalogue: Catalogue) -> tuple[Suppression, ...]:
    """Return every suppression; a row that matches several deciding signals gives one for each."""
    found: list[Suppression] = []
    seen: set[str] = set()
    for table in root.tables("suppressions", required=False):
        row_id = table.text("id")
        table.title = f"suppression {row_id}"
        if row_id in seen:
            table.wrong("id stands twice", "id")
        seen.add(row_id)
        found += _expand(table, row_id, catalogue)
        table.finish()
    return tuple(found)


def _expand(table: TomlTable, row_id: str, catalogue: Catalogue) -> list[Suppression]:
    label = Text(table.text("en"), table.text("zh"))
    states, hide = table.texts("is"), table.texts("hide")
    on_none, hold = table.flag("on_none"), table.duration("hold", dt.timedelta())
    conditions = table.texts("conditions", required=False)
    for position, condition in enumerate(conditions):
        if condition not in CONDITIONS:
            known = nearest(condition, CONDITIONS)
            table.wrong(f"conditions: {condition!r} is unknown{known}", "conditions", position)
    deciding = _selected(table, catalogue, table.text("when"), "when")
    return [
        Suppression(
            f"{row_id} {signal.unit}",
            signal.tag,
            _state_numbers(table, signal, states),
            _hidden(table, catalogue, hide, signal.unit),
            tuple(conditions),
            hold,
            on_none,
            label,
        )
        for signal in deciding
    ]


def _state_numbers(table: TomlTable, signal: Signal, states: list[str]) -> tuple[int, ...]:
    names = [state.en for state in signal.states]
    for position, state in enumerate(states):
        if state not in names:
            table.wrong(f"is: {signal.tag} has no state {state!r}{nearest(state, names)}", "is", position)
    return tuple(names.index(state) for state in states if state in names)


def _hidden(table: TomlTable, catalogue: Catalogue, selectors: list[str], unit: str) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for position, selector in enumerate(selectors):
        for signal in _selected(table, catalogue, selector.replace("{unit}", unit), "hide", position):
            tags[signal.tag] = None
    return tuple(tags)


def _selected(table: TomlTable, catalogue: Catalogue, selector: str, *path: str | int) -> list[Signal]:
    """Return the signals that `area/unit:role` or a tag names; none is a mistake."""
    if not selector:
        return []
    if selector in catalogue.signals:
        return [catalogue.signals[selector]]
    place, colon, role = selector.partition(":")
    area, slash, unit = place.partition("/")
    found = catalogue.by_role(area, unit, role) if colon and slash else []
    if path[0] == "when":
        found = [signal for signal in found if signal.states]
    if not found:
        said = "matches no signal" if colon and slash else f"is no signal; it {_WAY_OF_WRITING} or a tag"
        known = [*catalogue.signals, *(f"{s.area}/{s.unit}:{s.role}" for s in catalogue.signals.values())]
        table.wrong(f"{path[0]}: {selector!r} {said}{nearest(selector, known)}", *path)
    return found
