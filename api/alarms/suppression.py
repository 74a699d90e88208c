"""Suppression by design: a state of the plant hides alarms that mean nothing in that state."""

from __future__ import annotations

import datetime as dt

from api.alarms.points import AlarmPoint
from station.domain.limits import NEVER
from station.domain.plant import Plant, Suppression


class SuppressionRule:
    """One row of the suppression table at work.

    Until its deciding signal has been heard for the first time nobody knows the state: the rule then hides all but safety
    alarms, for at most the time after which that signal is stale. Otherwise every restart would raise the low-flow alarm
    of each stopped train, since states come on change and else once a minute.

    Attributes:
        on: The deciding signal is in one of the states.
        until_ms: When it stops hiding (hold, or unknown for too long); `NEVER` while on or while it does not hide.
        points: What it hides.
    """

    __slots__ = ("_hold_ms", "_known", "_states", "name", "on", "points", "safe_points", "signal", "until_ms")

    def __init__(self, row: Suppression, points: list[AlarmPoint]) -> None:
        self.name = row.name
        self.signal = row.signal
        self.points = points
        self.safe_points = [point for point in points if not point.spec.safety]
        self.on = False
        self.until_ms = NEVER
        self._known = False
        self._states = frozenset(row.states)
        self._hold_ms = round(row.hold / dt.timedelta(milliseconds=1))

    @property
    def hides(self) -> bool:
        """True while it hides."""
        return self.on or self.until_ms != NEVER

    def begin(self, t_ms: int, stale_ms: int) -> list[AlarmPoint]:
        """Start with the state unknown; returns the points that are hidden from now on."""
        self.on = self._known = False
        self.until_ms = t_ms + stale_ms
        return self.safe_points

    def take(self, value: float, t_ms: int) -> list[AlarmPoint]:
        """Take the deciding signal's value; returns points to hide. An end is told by `until_ms` alone."""
        was_on, was_known = self.on, self._known
        self.on, self._known = value in self._states, True
        if self.on:
            self.until_ms = NEVER
            return [] if was_on else self.points
        if was_on or not was_known:
            self.until_ms = t_ms + self._hold_ms
        return []

    def end(self) -> None:
        """Stop hiding."""
        self.until_ms = NEVER


def suppression_rules(plant: Plant, points: dict[str, AlarmPoint]) -> list[SuppressionRule]:
    """Return the station file's suppression table, tied to its points."""
    rules = []
    for row in plant.suppressions:
        hidden = [
            point
            for tag in row.tags
            for spec in plant.signals[tag].alarms
            if (not row.conditions or spec.condition in row.conditions)
            and (point := points.get(f"{tag}.{spec.condition}")) is not None
        ]
        rules.append(SuppressionRule(row, hidden))
    return rules
