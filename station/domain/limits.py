"""From value and time to a condition that holds or not: thresholds with dead-band, behaviour, delays, silence.

Everything runs on source time and asks no clock: a change is dated with the moment at which its delay elapsed, however
late the next message or `pass_time` finds that out. So the same messages give the same changes, at any speed.

Rules that hold throughout:

* A deadline that falls on the very moment of a reading gives way to that reading; `pass_time(t)` fires only what was
  due strictly before `t`. It makes no difference whether a timer or a message of the same millisecond comes first.
* Between two readings the last value stands: no data never clears a condition, and never stops one that is under way.
* A bad value decides nothing: conditions stay as they are and a delay under way starts anew with the next good value.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple, Protocol

from station.domain.behaviour import Behaviour, Deviation, Dropout, Rate, Spike, Stuck
from station.domain.plant import AlarmSpec, Signal

NEVER = 1 << 62
"""A deadline that is not set, epoch ms."""
_LOWS = ("LL", "L")
_HIGHS = ("H", "HH")

_STUCK_PERIODS, _SPIKE_PERIODS = 60, 3
"""STUCK and SPIKE look over at least so many samples: a slow sensor says the same now and then."""
_MOMENT_MS = 15_000
"""What is bad for longer is told as BAD, where no alarm says otherwise."""


class Change(NamedTuple):
    """A condition became active (past its on-delay) or inactive (past its off-delay).

    Attributes:
        condition: `LL|L|H|HH|ROC|DEV|STUCK|SPIKE|DROPOUT|STATE|BAD|STALE`.
        at_ms: The moment at which the delay elapsed, source time, epoch ms.
        active: What it is since then.
        value: The signal's last good value at that moment, None where there was none.
        onset_ms: Since when the condition had held (or been gone), source time, epoch ms.
    """

    condition: str
    at_ms: int
    active: bool
    value: float | None
    onset_ms: int


class Condition(Protocol):
    """A yes-or-no question about one value."""

    def holds(self, value: float, held: bool) -> bool:
        """Return whether it holds now, given whether it held before (dead-band)."""
        ...

    def steady_band(self, value: float, held: bool) -> tuple[float, float]:
        """Return (lo, hi): strictly between them the answer stays what it is."""
        ...


class HighLimit:
    """Holds from `limit` upward, until the value is below `limit - deadband`; both in the signal's unit."""

    __slots__ = ("limit", "returns_below")

    def __init__(self, limit: float, deadband: float) -> None:
        self.limit = limit
        self.returns_below = limit - deadband

    def holds(self, value: float, held: bool) -> bool:
        """Return whether it holds now, given whether it held before (dead-band)."""
        return value >= (self.returns_below if held else self.limit)

    def steady_band(self, value: float, held: bool) -> tuple[float, float]:  # noqa: ARG002 - a state needs the value
        """Return (lo, hi): strictly between them the answer stays what it is."""
        return (self.returns_below, math.inf) if held else (-math.inf, self.limit)


class LowLimit:
    """Holds from `limit` downward, until the value is above `limit + deadband`; both in the signal's unit."""

    __slots__ = ("limit", "returns_above")

    def __init__(self, limit: float, deadband: float) -> None:
        self.limit = limit
        self.returns_above = limit + deadband

    def holds(self, value: float, held: bool) -> bool:
        """Return whether it holds now, given whether it held before (dead-band)."""
        return value <= (self.returns_above if held else self.limit)

    def steady_band(self, value: float, held: bool) -> tuple[float, float]:  # noqa: ARG002 - a state needs the value
        """Return (lo, hi): strictly between them the answer stays what it is."""
        return (-math.inf, self.returns_above) if held else (self.limit, math.inf)


class InStates:
    """Holds while the value is one of some state numbers."""

    __slots__ = ("states",)

    def __init__(self, states: tuple[int, ...]) -> None:
        self.states = frozenset(states)

    def holds(self, value: float, held: bool) -> bool:  # noqa: ARG002 - states know no dead-band
        """Return whether the value is one of the states."""
        return value in self.states

    def steady_band(self, value: float, held: bool) -> tuple[float, float]:  # noqa: ARG002 - states know no dead-band
        """Return (lo, hi) around the present state alone."""
        return value - 0.5, value + 0.5


class Delay:
    """On- and off-delay over a condition: `active` follows it once it has held, or been gone, for long enough.

    Attributes:
        active: The delayed condition.
        since_ms: Since when the condition differs from `active`; None while they agree.
        on_ms, off_ms: The delays [ms].
    """

    __slots__ = ("active", "off_ms", "on_ms", "since_ms")

    def __init__(self, on_ms: int, off_ms: int) -> None:
        self.on_ms = on_ms
        self.off_ms = off_ms
        self.active = False
        self.since_ms: int | None = None

    @property
    def holds(self) -> bool:
        """The condition itself, before its delay."""
        return self.active is (self.since_ms is None)

    @property
    def idle(self) -> bool:
        """True where it is inactive and nothing is under way."""
        return not self.active and self.since_ms is None

    @property
    def due_ms(self) -> int:
        """When the delay under way elapses, `NEVER` where none is."""
        if self.since_ms is None:
            return NEVER
        return self.since_ms + (self.off_ms if self.active else self.on_ms)

    def take(self, holds: bool, t_ms: int) -> tuple[int, int] | None:
        """Take the condition at `t_ms`, after `pass_time(t_ms)`.

        Returns:
            (moment of the change, since when), None without a change of `active`.
        """
        if holds is self.active:
            self.since_ms = None
            return None
        if self.since_ms is None:
            self.since_ms = t_ms
        return self._elapse() if self.due_ms <= t_ms else None

    def pass_time(self, t_ms: int) -> tuple[int, int] | None:
        """Let time pass up to, not including, `t_ms`; returns as `take`."""
        return self._elapse() if self.due_ms < t_ms else None

    def forget(self) -> None:
        """Drop a delay under way; `active` stays."""
        self.since_ms = None

    def restart(self, t_ms: int) -> None:
        """Become inactive without a change; a condition that holds counts its on-delay from `t_ms`."""
        held = self.holds
        self.active = False
        self.since_ms = t_ms if held else None

    def _elapse(self) -> tuple[int, int]:
        assert self.since_ms is not None
        at, since = self.due_ms, self.since_ms
        self.active = not self.active
        self.since_ms = None
        return at, since


class _Watched(NamedTuple):
    name: str
    condition: Condition
    delay: Delay


class _Moving(NamedTuple):
    name: str
    behaviour: Behaviour
    delay: Delay


class SignalWatch:
    """All conditions of one signal.

    The attributes `lo`, `hi`, `t_ms`, `stale_ms` and `due_ms` are there for a caller's fast path: a good value with
    `lo < value < hi` at `t_ms < t <= t_ms + stale_ms` changes nothing, and all that is to be done is `t_ms = t` and
    `value = value`.

    Attributes:
        tag: The signal.
        t_ms: Source time of its newest reading, -1 before the first.
        seen: Whether there was a reading.
        value: Its newest good value, None where there was none.
        lo, hi: Strictly between them no condition changes; an empty interval while anything is under way.
        calm_lo, calm_hi: The same but for what looks at how a value moves: `take_calm` asks that.
        stale_ms: Silence of more than this is stale [ms].
        due_ms: The earliest delay that is under way; `NEVER` without one. Silence itself is not in it.
    """

    __slots__ = (
        "_asks",
        "_bad",
        "_delays",
        "_deviation",
        "_discrete",
        "_limits",
        "_moving",
        "_quiet_from_ms",
        "_stale",
        "_unheard",
        "calm_hi",
        "calm_lo",
        "due_ms",
        "hi",
        "lo",
        "seen",
        "stale_ms",
        "t_ms",
        "tag",
        "value",
    )

    def __init__(self, signal: Signal) -> None:
        self.tag = signal.tag
        self.stale_ms = _ms(signal.stale_after)
        self._discrete = signal.kind.is_discrete
        self._delays: dict[str, Delay] = {}
        self._limits: list[_Watched] = []
        self._moving: list[_Moving] = []
        self._deviation: AlarmSpec | None = None
        for spec in signal.alarms:
            self._watch(spec, signal)
        self._bad = self._delays.get("BAD")
        self._stale = self._delays.get("STALE")
        self.value: float | None = None
        self._asks = tuple(moving.behaviour.take for moving in self._moving)
        self.begin(0)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions that are watched."""
        return tuple(self._delays)

    @property
    def silent_from_ms(self) -> int:
        """The moment after which silence is stale, `NEVER` where it is already, or is not watched, or is held."""
        if self._stale is None or self._unheard or self._stale.holds:
            return NEVER
        return max(self.t_ms, self._quiet_from_ms) + self.stale_ms

    def set_limit(self, condition: str, limit: float) -> None:
        """Judge LL, L, H or HH by another threshold from the next reading on; the dead-band and delays stay."""
        for number, (name, now, delay) in enumerate(self._limits):
            if name == condition and isinstance(now, HighLimit):
                changed: Condition = HighLimit(limit, now.limit - now.returns_below)
            elif name == condition and isinstance(now, LowLimit):
                changed = LowLimit(limit, now.returns_above - now.limit)
            else:
                continue
            self._limits[number] = _Watched(name, changed, delay)
        self._arm(good=False)

    def begin(self, t_ms: int) -> None:
        """Start to watch at `t_ms` with nothing known of the signal; active conditions stay active."""
        self.t_ms = -1
        self._quiet_from_ms = t_ms
        self._unheard: set[str] = set()
        self.seen = False
        self._forget_past()
        self._arm(good=False)

    def pair(self, twin: SignalWatch) -> None:
        """Compare this signal with its redundant twin from now on."""
        spec = self._deviation
        if spec is not None and spec.limit is not None:
            behaviour = Deviation(spec.limit, spec.deadband, twin, self.stale_ms)
            self._moving.append(_Moving(spec.condition, behaviour, self._delays[spec.condition]))
            self._asks = tuple(moving.behaviour.take for moving in self._moving)
            self._arm(good=False)

    def restore(self, condition: str, value: float | None) -> None:
        """Make a condition active, as it was before a restart."""
        delay = self._delays.get(condition)
        if delay is not None:
            delay.active, delay.since_ms = True, None
            self.value = value if self.value is None else self.value
            self._arm(good=False)

    def take(self, t_ms: int, value: float | None, *, good: bool) -> list[Change]:
        """Take a reading that is newer than the last.

        Args:
            t_ms: Source time, epoch ms.
            value: The number, None where the sensor failed.
            good: False for a bad quality (or None); an uncertain value counts as good.

        Returns:
            Changes of conditions in order of time; those whose delay elapsed before `t_ms` are among them.
        """
        changes = self.pass_time(t_ms)
        if t_ms - self.t_ms > self.stale_ms:
            self._forget_past()  # Nobody knows how it moved meanwhile, or whether it stood still.
        self.t_ms = self._quiet_from_ms = t_ms
        self.seen = True
        good = good and value is not None
        if good:
            self.value = value
        if self._stale is not None:
            self._note(changes, "STALE", self._stale.take(False, t_ms))
        if self._bad is not None:
            self._note(changes, "BAD", self._bad.take(not good, t_ms))
        for name, condition, delay in self._limits:
            if good and value is not None:
                self._note(changes, name, delay.take(condition.holds(value, delay.holds), t_ms))
            else:
                delay.forget()
        for name, behaviour, delay in self._moving:
            holds = behaviour.take(t_ms, value if good else None, delay.holds)
            if holds is None:
                delay.forget()
            else:
                self._note(changes, name, delay.take(holds, t_ms))
        self._arm(good=good)
        return changes

    def take_calm(self, t_ms: int, value: float) -> list[Change] | None:
        """Take a good value with `calm_lo < value < calm_hi` at `t_ms < t <= t_ms + stale_ms`: nearly all are such.

        The same as `take`, several times as fast: no limit changes, no delay is under way, and only how the value moves
        is looked at.

        Returns:
            None where nothing begins; else the changes, which may be none yet.
        """
        self.t_ms, self.value = t_ms, value
        begun = [place for place, ask in enumerate(self._asks) if ask(t_ms, value, False)]
        if not begun:
            return None
        changes: list[Change] = []
        for place in begun:
            name, _, delay = self._moving[place]
            self._note(changes, name, delay.take(True, t_ms))
        self._arm(good=True)
        return changes

    def pass_time(self, t_ms: int) -> list[Change]:
        """Let time pass up to, not including, `t_ms` [epoch ms]; returns the changes in order of time."""
        changes: list[Change] = []
        silent_from = self.silent_from_ms
        if self._stale is not None and silent_from < t_ms:
            self._note(changes, "STALE", self._stale.pass_time(silent_from))
            self._note(changes, "STALE", self._stale.take(True, silent_from))
            self._arm(good=False)
        if self.due_ms < t_ms:
            for name, delay in self._delays.items():
                self._note(changes, name, delay.pass_time(t_ms))
            self._arm(good=self.seen)
        changes.sort(key=lambda change: change.at_ms)
        return changes

    def restart(self, condition: str, t_ms: int) -> None:
        """Make a condition inactive without a change and count its on-delay (silence: all of it) from `t_ms`."""
        delay = self._delays[condition]
        if delay is self._stale:
            delay.active, delay.since_ms = False, None
            self._quiet_from_ms = t_ms
        else:
            delay.restart(t_ms)
        self._arm(good=False)

    def hold_silence(self, why: str) -> None:
        """Stop counting silence for a reason; a signal that is stale already stays so."""
        self._unheard.add(why)
        if self._stale is not None and not self._stale.active:
            self._stale.forget()
            self._arm(good=False)

    def excuse_silence(self, why: str, t_ms: int) -> None:
        """End a reason not to count silence; it counts from `t_ms` on, unless the signal is already stale."""
        self._unheard.discard(why)
        self._quiet_from_ms = t_ms
        if self._stale is not None and not self._stale.active:
            self.restart("STALE", t_ms)

    def step_back(self, t_ms: int) -> None:
        """The device's clock was set back: the next reading, at `t_ms`, is newer than all that came before it."""
        self.move(t_ms - 1 - self.t_ms)

    def move(self, by_ms: int) -> None:
        """The device's clock was set by so much: everything that has been lies there now."""
        self.t_ms += by_ms
        self._quiet_from_ms = self.t_ms
        for delay in self._delays.values():
            if delay.since_ms is not None:
                delay.since_ms += by_ms
        self._forget_past()
        self._arm(good=False)

    def implied(self, value: float) -> list[str]:
        """Return the conditions that a value would meet by itself (what a late reading is judged by)."""
        return [name for name, condition, _ in self._limits if condition.holds(value, held=False)]

    def _forget_past(self) -> None:
        for _, behaviour, _ in self._moving:
            behaviour.forget()

    def _watch(self, spec: AlarmSpec, signal: Signal) -> None:
        condition: Condition | None = None
        behaviour = _behaviour(spec, signal)
        if spec.condition in _HIGHS and spec.limit is not None:
            condition = HighLimit(spec.limit, spec.deadband)
        elif spec.condition in _LOWS and spec.limit is not None:
            condition = LowLimit(spec.limit, spec.deadband)
        elif spec.states:
            condition = InStates(spec.states)
        elif spec.condition == "DEV":
            self._deviation = spec
        elif behaviour is None and spec.condition not in {"BAD", "STALE"}:
            return
        delay = self._delays[spec.condition] = Delay(_ms(spec.on_delay), _ms(spec.off_delay))
        if behaviour is not None:
            self._moving.append(_Moving(spec.condition, behaviour, delay))
        if condition is not None:
            self._limits.append(_Watched(spec.condition, condition, delay))

    def _note(self, changes: list[Change], name: str, elapsed: tuple[int, int] | None) -> None:
        if elapsed is not None:
            at_ms, since_ms = elapsed
            changes.append(Change(name, at_ms, self._delays[name].active, self.value, since_ms))

    def _arm(self, *, good: bool) -> None:
        self.due_ms = min([delay.due_ms for delay in self._delays.values()], default=NEVER)
        self.lo = self.calm_lo = math.inf
        self.hi = self.calm_hi = -math.inf
        if not good or self.value is None or self.due_ms != NEVER or self._is_troubled():
            return
        lo, hi = (self.value - 0.5, self.value + 0.5) if self._discrete else (-math.inf, math.inf)
        for _, condition, delay in self._limits:
            steady_lo, steady_hi = condition.steady_band(self.value, delay.active)
            lo, hi = max(lo, steady_lo), min(hi, steady_hi)
        self.calm_lo, self.calm_hi = lo, hi
        if not self._moving:  # Behaviours want to see every reading.
            self.lo, self.hi = lo, hi

    def _is_troubled(self) -> bool:
        """Return whether a condition other than a limit holds or has just gone."""
        if any(delay is not None and not delay.idle for delay in (self._bad, self._stale)):
            return True
        return any(not moving.delay.idle for moving in self._moving)


def _behaviour(spec: AlarmSpec, signal: Signal) -> Behaviour | None:
    """Return the behaviour that an alarm watches; None for others, and for DEV, which needs the twin first."""
    over_ms, period_ms = _ms(spec.over), round(signal.rate_s * 1000)
    if spec.condition == "ROC" and spec.limit is not None:
        return Rate(spec.limit, over_ms)
    if spec.condition == "STUCK":
        return Stuck(max(over_ms, _STUCK_PERIODS * period_ms))
    if spec.condition == "SPIKE" and spec.limit is not None:
        return Spike(spec.limit, max(over_ms, _SPIKE_PERIODS * period_ms))
    if spec.condition == "DROPOUT":
        bad = next((_ms(a.on_delay) for a in signal.alarms if a.condition == "BAD"), _MOMENT_MS)
        return Dropout(spec.times, over_ms, max(bad, _MOMENT_MS))
    return None


def _ms(duration: dt.timedelta) -> int:
    return round(duration.total_seconds() * 1000)
