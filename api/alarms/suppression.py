"""Suppression by design: a state of the plant hides alarms that mean nothing in that state."""

from __future__ import annotations

import datetime as dt

from api.alarms.points import AlarmPoint
from station.domain.limits import NEVER
from station.domain.plant import Plant, Suppression


class SuppressionRule:
    """One row of the suppression table at work, for one deciding signal.

    Until that signal has been heard nobody knows the state. A row with `on_none` then hides all but safety alarms, for
    at most the time after which the signal is stale: states come on change and else once a minute, and without this
    every restart would raise the low-flow alarm of each stopped train.

    Attributes:
        on: The deciding signal is in one of the states, or null where that counts.
        until_ms: When it stops hiding (hold, or unknown for too long); `NEVER` while on or while it does not hide.
        points: What it hides.
    """

    __slots__ = ("_hold_ms", "_known", "_on_none", "_primed", "_states", "name", "on", "points", "signal", "until_ms")

    def __init__(self, row: Suppression, points: list[AlarmPoint]) -> None:
        self.name = row.name
        self.signal = row.signal
        self.points = points
        self.on = False
        self.until_ms = NEVER
        self._known = False
        self._primed: float | None = None
        self._on_none = row.on_none
        self._states = frozenset(row.states)
        self._hold_ms = round(row.hold / dt.timedelta(milliseconds=1))

    def prime(self, value: float) -> None:
        """Tell the value that was known before the start, before `begin`."""
        self._primed = value

    def begin(self, t_ms: int, stale_ms: int) -> list[AlarmPoint]:
        """Start at station time `t_ms`; returns what is hidden from now on."""
        self.on, self._known, self.until_ms = False, False, NEVER
        if self._primed is not None:
            return self.take(self._primed, t_ms)
        if not self._on_none:
            return []
        self.until_ms = t_ms + stale_ms
        return [p for p in self.points if not p.spec.safety and (p.state.suppressed or not p.state.is_open)]

    def hides(self, value: float) -> bool:
        """Return whether a value of the deciding signal suppresses."""
        return value in self._states

    def take(self, value: float | None, t_ms: int) -> list[AlarmPoint]:
        """Take the deciding signal's value; returns what to hide. An end is told by `until_ms` alone."""
        if value is None and not self._on_none:
            return []
        was_on, was_known = self.on, self._known
        self.on, self._known = value is None or value in self._states, True
        if self.on:
            self.until_ms = NEVER
            return [] if was_on else self.points
        if was_on or not was_known:
            self.until_ms = t_ms + self._hold_ms
        return []

    def hold_from(self, t_ms: int) -> None:
        """Stop hiding after its hold, counted from `t_ms`."""
        self.until_ms = t_ms + self._hold_ms

    def restart_clock(self, t_ms: int) -> None:
        """Go on at a station time that was set back."""
        if self.until_ms != NEVER:
            self.until_ms = min(self.until_ms, t_ms + self._hold_ms)

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
