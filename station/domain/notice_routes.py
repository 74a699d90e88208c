"""Who is told of which alarm: targets, routes, shifts; read from `notices.toml`, every mistake with its line.

A route takes alarms by priority, area, station and shift. There is no mute here: who must not be told of an alarm
shelves it, which shows in the alarm list and always ends.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from station.domain.shifts import Shift, read_shift
from station.domain.toml_reader import FileMistakesError, Mistake, MistakeList, TomlTable, nearest, parse_toml

PRIORITIES = ("critical", "high", "medium", "low")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class NoticeFileError(FileMistakesError):
    """A notice file with mistakes."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where notices go: `url` of apprise, or a `webhook` that gets signed JSON.

    Attributes:
        timeout_s: Of one try.
    """

    name: str
    url: str = ""
    webhook: str = ""
    secret: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of what.

    Attributes:
        priorities, areas, stations: Alarms that it takes; empty areas or stations are all.
        shift: Name of the shift in which it holds, "" for always.
        targets: Names, told at once.
        cleared: They are told of the return to normal too.
        escalate_after: Not acknowledged for so long, `escalate_to` is told; None never.
    """

    name: str
    priorities: frozenset[str]
    areas: frozenset[str]
    stations: frozenset[str]
    shift: str
    targets: tuple[str, ...]
    cleared: bool
    escalate_after: dt.timedelta | None
    escalate_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """All of a notice file.

    Attributes:
        give_up: After this a notice that could not be delivered is given up.
        flood_from: More alarms than this within `flood_window` are told together, critical ones never.
    """

    targets: Mapping[str, Target]
    shifts: Mapping[str, Shift]
    routes: tuple[Route, ...]
    give_up: dt.timedelta = dt.timedelta(hours=24)
    flood_from: int = 10
    flood_window: dt.timedelta = dt.timedelta(minutes=10)

    def routes_for(self, priority: str, area: str, station: str, moment: dt.datetime) -> list[Route]:
        """Return the routes that take an alarm.

        Args:
            priority: Of the alarm.
            area: Of its signal; `capacity` and `system` for alarms of none.
            station: Its id.
            moment: Station time, in the station's zone.
        """
        return [
            route
            for route in self.routes
            if priority in route.priorities
            and (not route.areas or area in route.areas)
            and (not route.stations or station in route.stations)
            and (not route.shift or self.shifts[route.shift].holds(moment))
        ]


def load_notices(text: str, source: str, environ: Mapping[str, str] = os.environ) -> NoticePlan:
    """Return the plan in a file's text.

    Args:
        text: TOML.
        source: Name of the file, for people.
        environ: Gives `${NAME}` in addresses and secrets.

    Raises:
        NoticeFileError: Mistakes, each with its line.
    """
    data = parse_toml(text)
    if isinstance(data, Mistake):
        raise NoticeFileError(source, [data])
    mistakes = MistakeList(text)
    plan = _read(TomlTable(data, (), mistakes), environ)
    if mistakes:
        raise NoticeFileError(source, mistakes.by_line())
    return plan


def is_notice_file(data: Mapping[str, object]) -> bool:
    """Return whether a TOML document looks like one: it has targets or routes."""
    return "targets" in data or ("routes" in data and "id" not in data)


def _read(root: TomlTable, environ: Mapping[str, str]) -> NoticePlan:
    targets = {n: _target(n, t, environ) for n, t in root.table("targets").each_table("target")}
    shifts = {n: read_shift(t) for n, t in root.table("shifts", required=False).each_table("shift")}
    routes = tuple(_route(table, targets, shifts) for table in root.tables("routes"))
    for name in {route.name for route in routes if sum(other.name == route.name for other in routes) > 1}:
        root.wrong(f"two routes are called {name!r}", "routes")
    plan = NoticePlan(targets, shifts, routes, root.duration("give_up", dt.timedelta(hours=24)))
    root.finish()
    return plan


def _target(name: str, table: TomlTable, environ: Mapping[str, str]) -> Target:
    has_url, has_hook = table.has("url"), table.has("webhook")
    if has_url is has_hook:
        table.wrong("must have url (apprise) or webhook (signed JSON), one of the two")
    url = _filled(table, "url", environ) if has_url else ""
    hook = _filled(table, "webhook", environ) if has_hook else ""
    if hook and not hook.startswith(("https://", "http://")):
        table.wrong("webhook must begin with https:// or http://", "webhook")
    secret = _filled(table, "secret", environ) if has_hook else ""
    timeout = table.number("timeout_s", above=0, at_most=120) if table.has("timeout_s") else 10.0
    table.finish()
    return Target(name, url, hook, secret, timeout)


def _filled(table: TomlTable, key: str, environ: Mapping[str, str]) -> str:
    """Return a text with its variables; one that is not set is a mistake, its value is never shown."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in environ:
            table.wrong(f"{key}: the environment has no {found[1]}", key)
        return environ.get(found[1], "")

    return _VARIABLE.sub(value, table.text(key))


def _route(table: TomlTable, targets: Mapping[str, Target], shifts: Mapping[str, Shift]) -> Route:
    name = table.text("name")
    table.title = f"route {name}"
    priorities = table.texts("priorities") if table.has("priorities") else list(PRIORITIES)
    for position, priority in enumerate(priorities):
        if priority not in PRIORITIES:
            rule = f"must be one of {', '.join(PRIORITIES)}{nearest(priority, PRIORITIES)}"
            table.wrong(f"priority {priority!r} {rule}", "priorities", position)
    shift = table.text("shift", default="")
    if shift and shift not in shifts:
        table.wrong(f"shift {shift!r} is none{nearest(shift, shifts)}", "shift")
    after = table.duration("escalate_after") if table.has("escalate_after") else None
    to = _known_targets(table, "escalate_to", targets) if after is not None else ()
    route = Route(
        name,
        frozenset(priorities),
        frozenset(table.texts("areas", required=False)),
        frozenset(table.texts("stations", required=False)),
        shift,
        _known_targets(table, "targets", targets),
        table.flag("cleared"),
        after,
        to,
    )
    table.finish()
    return route


def _known_targets(table: TomlTable, key: str, targets: Mapping[str, Target]) -> tuple[str, ...]:
    names = table.texts(key)
    if not names:
        table.wrong(f"{key} names nobody", key)
    for position, name in enumerate(names):
        if name not in targets:
            table.wrong(f"target {name!r} is none{nearest(name, targets)}", key, position)
    return tuple(names)
