"""The service watches itself: what would blind it is an alarm of the station, beside those of the equipment.

Findings are of wall time, for a broker that is away is away however fast a simulated station lives; the alarm itself is
dated with station time. Limits, delays and words stand in the station file's `[system_alarms]`; one that it leaves out
is not watched there.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from api.live.station import LiveStation
from station.domain.limits import Delay, HighLimit, LowLimit
from station.domain.plant import AlarmSpec, Text

BROKER, STORE, SPOOL, CLOCK = "SYS-BROKER", "SYS-STORE", "SYS-SPOOL", "SYS-CLOCK"
DISK, DATA, FORECAST, NOTICE = "SYS-DISK", "SYS-DATA", "SYS-FORECAST", "SYS-NOTICE"
_LOW: Final = frozenset({DISK})
"""Findings that are wrong where they are small."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: `value` against the limit of the station file, or `wrong` where there is none to compare.

    Attributes:
        value: In the unit of the alarm's limit, None where it has none.
        wrong: Whether it holds, for alarms without a limit.
        detail: What is wrong, in one line, for the alarm's text; None says nothing.
    """

    value: float | None = None
    wrong: bool = False
    detail: str | None = None


Look = Callable[[LiveStation], Finding | None]
"""Looks after one thing of one station; None where nothing can be told now."""


@dataclass(slots=True)
class _Watched:
    spec: AlarmSpec
    delay: Delay
    holds: bool = False

    def take(self, finding: Finding, wall_ms: int, alarm_id: str) -> bool | None:
        """Return what the alarm becomes, None where it stays."""
        before = self.delay.active
        self.delay.pass_time(wall_ms)
        self.holds = self._wrong(finding, alarm_id)
        self.delay.take(self.holds, wall_ms)
        return self.delay.active if self.delay.active is not before else None

    def _wrong(self, finding: Finding, alarm_id: str) -> bool:
        limit, value = self.spec.limit, finding.value
        if limit is None or value is None:
            return finding.wrong
        kind = LowLimit if alarm_id in _LOW else HighLimit
        return kind(limit, self.spec.deadband).holds(value, self.holds)


@dataclass
class Watchdog:
    """Looks after everything once a round, and tells each station's alarm engine what has changed.

    Attributes:
        stations: Whose alarms are raised.
        looks: Alarm id -> how it is looked after.
        wall_ms: Wall time, epoch ms.
    """

    stations: Sequence[LiveStation]
    looks: Mapping[str, Look]
    wall_ms: Callable[[], int]
    _watched: dict[tuple[str, str], _Watched] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take up what was active before a restart."""
        for live in self.stations:
            for alarm_id in self.looks:
                spec = live.plant.system_alarms.get(alarm_id)
                if spec is not None:
                    watched = _Watched(spec, Delay(_ms(spec.on_delay), _ms(spec.off_delay)))
                    watched.delay.active = watched.holds = live.alarms.alarm(alarm_id).active
                    self._watched[live.plant.id, alarm_id] = watched

    def look(self) -> None:
        """Look after everything once."""
        for live in self.stations:
            for alarm_id, look in self.looks.items():
                watched = self._watched.get((live.plant.id, alarm_id))
                finding = None if watched is None else self._found(alarm_id, look, live)
                if watched is not None and finding is not None:
                    self._tell(live, alarm_id, watched, finding)

    def _found(self, alarm_id: str, look: Look, live: LiveStation) -> Finding | None:
        try:
            return look(live)
        except Exception:  # noqa: BLE001 - the supervisor of looks: one that fails must not blind the others.
            _log.exception("could not look after", alarm=alarm_id, station=live.plant.id)
            return None

    def _tell(self, live: LiveStation, alarm_id: str, watched: _Watched, finding: Finding) -> None:
        active = watched.take(finding, self.wall_ms(), alarm_id)
        if active is None:
            return
        text = None
        if active and finding.detail is not None:
            own = watched.spec.text
            text = Text(f"{own.en}: {finding.detail}", f"{own.zh}：{finding.detail}")
        live.act(
            lambda engine, now_ms: engine.report(
                alarm_id, active=active, at_ms=now_ms, value=finding.value, limit=watched.spec.limit, text=text
            )
        )


def _ms(duration: dt.timedelta) -> int:
    return round(duration.total_seconds() * 1000)


# --- what is looked after ---


def checked(check: Callable[[], str | None]) -> Look:
    """Return a look at something that says in one line what is wrong with it, None where all is well."""

    def look(_: LiveStation) -> Finding:
        said = check()
        return Finding(wrong=said is not None, detail=said)

    return look


def held(check: Callable[[], str | None]) -> Look:
    """Return a look at something of which the alarm's own words say all, in both languages."""
    return lambda _: Finding(wrong=check() is not None)


@dataclass
class SlowCheck:
    """A check that may hang: one thread makes it, and the look at it never waits.

    Attributes:
        check: Says in one line what is wrong, None where all is well.
        monotonic: Seconds that never go back.
    """

    check: Callable[[], str | None]
    monotonic: Callable[[], float] = time.monotonic
    _said: str | None = None
    _began_s: float | None = None

    def make(self) -> None:
        """Make the check; may take its time."""
        self._began_s = self.monotonic()
        try:
            self._said = self.check()
        finally:
            self._began_s = None

    def __call__(self, _: LiveStation) -> Finding:
        """Return what the last check said, or that this one does not come to its end."""
        began_s = self._began_s
        if began_s is not None and self.monotonic() - began_s > _NO_ANSWER_S:
            return Finding(wrong=True)
        return Finding(wrong=self._said is not None, detail=self._said)


_NO_ANSWER_S: Final = 10.0
"""A store answers within milliseconds; a full one that compacts was given some seconds."""


def measured(measure: Callable[[], float | None]) -> Look:
    """Return a look at a number of the whole service."""

    def look(_: LiveStation) -> Finding | None:
        value = measure()
        return None if value is None else Finding(value=round(value, 1))

    return look


def spools(wall_ms: Callable[[], int]) -> Look:
    """Return a look at how full the spools of a station's ingests are [%], by their own words."""

    def look(live: LiveStation) -> Finding | None:
        fullest = live.spools.fullest(wall_ms())
        return None if fullest is None else Finding(value=round(100.0 * fullest, 1))

    return look


def clocks(live: LiveStation) -> Finding:
    """Look at how far the gateways' clocks are from station time [s]."""
    return Finding(value=round(live.alarms.worst_clock_offset_ms() / 1000.0, 1))


def forecasts(live: LiveStation) -> Finding | None:
    """Look whether forecasts still come: two regular ones missing are wrong."""
    newest_ms = live.capacity.newest_at_ms
    return None if newest_ms is None else Finding(wrong=live.now_ms - newest_ms > _LATE_FORECAST_MS)


_LATE_FORECAST_MS: Final = 2 * 300_000


@dataclass
class RefusedMessages:
    """Looks whether messages are refused or missing: any in the last round."""

    missing: Callable[[], int] | None = None
    _before: dict[str, int] = field(default_factory=dict)

    def __call__(self, live: LiveStation) -> Finding:
        """Return whether there were more than at the look before."""
        refused = sum(live.refused.values())
        total = refused + (self.missing() if self.missing is not None else 0)
        before = self._before.get(live.plant.id, total)
        self._before[live.plant.id] = total
        new = total - before
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(live.refused.items()))
        return Finding(wrong=new > 0, detail=reasons or None)
