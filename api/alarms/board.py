"""The board: conditions of signals become alarms here, seen or hidden, the first of a group marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from api.alarms.book import AlarmBook
from api.alarms.points import AlarmPoint
from api.alarms.suppression import SuppressionRule, suppression_rules
from station.domain.alarms import AlarmState, is_worse, occurrence_id
from station.domain.limits import NEVER, Change, SignalWatch
from station.domain.plant import Plant, Text

_FIRST_OUT_MS = 2_000
"""Alarms of a group that begin within this time belong together (DOMAIN 5.3)."""
_STALE = "STALE"
_RESTART = "restart"
"""Why an alarm stays hidden from a restart until the rules have been asked again."""


@dataclass(slots=True)
class _Burst:
    first: AlarmPoint
    onset_ms: int


class AlarmBoard:
    """Signal watches, suppression rules and the points that they drive.

    Attributes:
        book: Takes every change.
        watches: By tag.
        deciders: Signals that decide a suppression rule, with their rules.
        wake_ms: Station time before which no timer is due; lowered here, raised by whoever ran the timers.
        told: Alarm id -> until when its changes were journalled before a restart, source time. What the broker hands
            over once more would raise and clear again what has been: changes up to then are passed over.
        settle: Brings ends of rules and silences of gateways up to a moment, in order of time; called before anything
            else is settled up to it. A signal of a gateway that fell silent before must not be stale by itself.
    """

    settle: Callable[[int], None]

    def __init__(self, plant: Plant, book: AlarmBook) -> None:
        self.book = book
        self.watches = {signal.tag: SignalWatch(signal) for signal in plant.signals.values()}
        for signal in plant.signals.values():
            if signal.twin is not None:
                self.watches[signal.tag].pair(self.watches[signal.twin])
        self.deciders: dict[str, list[SuppressionRule]] = {}
        self.wake_ms = 0
        self._points = {
            tag: {name: book.points[f"{tag}.{name}"] for name in watch.conditions}
            for tag, watch in self.watches.items()
        }
        self._rules = suppression_rules(plant, book.points)
        self._rules_of: dict[str, list[SuppressionRule]] = {tag: [] for tag in self.watches}
        self._bursts: dict[str, _Burst] = {}
        self._kept_hidden: list[AlarmPoint] = []
        self.told: dict[str, int] = {}
        for rule in self._rules:
            self.deciders.setdefault(rule.signal, []).append(rule)
            self._note_rule(rule)

    def add_rule(self, rule: SuppressionRule) -> None:
        """Take a rule that no signal decides: whoever adds it hides its points, and sets its end."""
        self._rules.append(rule)
        self._note_rule(rule)

    def _note_rule(self, rule: SuppressionRule) -> None:
        for tag in dict.fromkeys(point.signal for point in rule.points if point.signal is not None):
            self._rules_of[tag].append(rule)

    def points_of(self, tag: str) -> dict[str, AlarmPoint]:
        """Return a signal's alarms by condition."""
        return self._points[tag]

    def restore(self, point: AlarmPoint) -> None:
        """Take up an alarm where it stood before a restart; one that was suppressed stays so until `begin_rules`."""
        state = point.state
        self.told[point.id] = max(state.raised_ms or 0, state.cleared_ms or 0)
        if state.suppressed:
            point.suppressors.add(_RESTART)
            self._kept_hidden.append(point)
        if point.signal is None:
            return
        watch = self.watches[point.signal]
        if state.changed_limit is not None:
            watch.set_limit(point.spec.condition, state.changed_limit)
        if state.active:
            watch.restore(point.spec.condition, state.value)

    def forget_told(self, tag: str) -> None:
        """Pass over no change of a signal any more: its device's clock was set back."""
        for point in self._points[tag].values():
            self.told.pop(point.id, None)

    def begin(self, t_ms: int) -> None:
        """Start at station time `t_ms` with nothing heard yet; `begin_rules` comes next."""
        for watch in self.watches.values():
            watch.begin(t_ms)

    def begin_rules(self, t_ms: int) -> None:
        """Start to suppress by what is known, or not known, of the states.

        What was hidden before a restart and no rule hides any more is revealed now, as when a rule ends: else an alarm
        that began unseen would be active and nobody told.
        """
        for rule in self._rules:
            stale_ms = self.watches[rule.signal].stale_ms if rule.signal else 0
            self.hide(rule.begin(t_ms, stale_ms), rule.name, t_ms)
        kept, self._kept_hidden = self._kept_hidden, []
        if kept:
            self.reveal(kept, _RESTART, t_ms)

    def restart_clock(self, t_ms: int) -> None:
        """Go on at a station time that was set back."""
        for watch in self.watches.values():
            if watch.t_ms >= t_ms:
                watch.step_back(t_ms)
            watch.excuse_silence("", t_ms)
        for rule in self._rules:
            rule.restart_clock(t_ms)
        self._bursts.clear()

    # Values

    def take(self, watch: SignalWatch, t_ms: int, value: float | None, *, good: bool) -> None:
        """Take one signal's reading; what is not newer than the last is passed over."""
        if t_ms <= watch.t_ms:
            return
        if watch.tag in self.deciders:
            self.decide(watch.tag, value if good else None, t_ms)
        if any(rule.until_ms < t_ms for rule in self._rules_of[watch.tag]):
            self.settle(t_ms)
        self.apply(watch, watch.take(t_ms, value, good=good))
        state = self._points[watch.tag].get("STATE")
        if (
            state is not None
            and state.state.active
            and state.spec.state_priorities
            and good
            and not self.is_told(state, t_ms)
        ):
            self.escalate(state, t_ms, state.spec.priority_at(value), value, None, None)

    def settle_unit(self, t_ms: int, watches: Sequence[SignalWatch]) -> None:
        """Settle what was due at one unit before its message of `t_ms`, in order of time."""
        if any(_is_due(watch, t_ms) for watch in watches):
            self.settle(t_ms)
            self.pass_time([(t_ms, watches)])

    def pass_time(self, clocks: Iterable[tuple[int, Iterable[SignalWatch]]]) -> None:
        """Let each clock's signals come to its time; all changes are taken in order of time."""
        due: list[tuple[int, SignalWatch, Change]] = []
        for t_ms, watches in clocks:
            for watch in watches:
                if _is_due(watch, t_ms):
                    due.extend((change.at_ms, watch, change) for change in watch.pass_time(t_ms))
        due.sort(key=lambda one: one[0])
        for _, watch, change in due:
            self.apply(watch, [change])

    def apply(self, watch: SignalWatch, changes: Iterable[Change]) -> None:
        """Turn changes of a signal's conditions into changes of its alarms."""
        points = self._points[watch.tag]
        for change in changes:
            point = points[change.condition]
            if self.is_told(point, change.at_ms):
                continue
            if change.active:
                priority = point.spec.priority_at(change.value)
                self.raise_alarm(point, change.at_ms, change.onset_ms, priority, change.value)
            else:
                self.clear_alarm(point, change.at_ms, change.value)
        if watch.due_ms < self.wake_ms:
            self.wake_ms = watch.due_ms + 1

    # Alarms

    def raise_alarm(
        self,
        point: AlarmPoint,
        at_ms: int,
        onset_ms: int,
        priority: str,
        value: float | None,
        limit: float | None = None,
        text: Text | None = None,
    ) -> None:
        """Begin a new occurrence at `at_ms` of a condition that holds since `onset_ms`; an active alarm stays."""
        state = point.state.raised(occurrence_id(point.id, at_ms), at_ms, priority, value, limit, text)
        if state is point.state:
            return
        if state.announced:
            state = self._with_first_out(point, state, onset_ms)
        self.book.note(point, state, "raised_unseen" if state.suppressed else "raised", at_ms, value)

    def clear_alarm(self, point: AlarmPoint, at_ms: int, value: float | None) -> None:
        """End an alarm's condition; one that is not active stays."""
        state = point.state.cleared(at_ms, latching=point.spec.latched)
        if state is not point.state:
            self.book.note(point, state, "cleared_unseen" if _never_shown(point.state) else "cleared", at_ms, value)

    def escalate(
        self, point: AlarmPoint, at_ms: int, priority: str, value: float | None, limit: float | None, text: Text | None
    ) -> bool:
        """Raise an active alarm's priority; returns whether it was a worse one."""
        if not is_worse(priority, point.state.priority):
            return False
        self.book.note(point, point.state.escalated(priority, value, limit, text), "escalated", at_ms, value)
        return True

    def _with_first_out(self, point: AlarmPoint, state: AlarmState, onset_ms: int) -> AlarmState:
        burst = self._bursts.get(point.group)
        if burst is None or abs(onset_ms - burst.onset_ms) > _FIRST_OUT_MS:
            self._bursts[point.group] = _Burst(point, onset_ms)
            return state.marked_first_out(True)
        if onset_ms > burst.onset_ms or (onset_ms == burst.onset_ms and not self._is_cause(point, burst.first)):
            return state
        late, burst.first, burst.onset_ms = burst.first, point, onset_ms
        if late is not point and late.state.first_out:
            self.book.note(late, late.state.marked_first_out(False), "first_out_lost", onset_ms)
        return state.marked_first_out(True)

    def _is_cause(self, point: AlarmPoint, other: AlarmPoint) -> bool:
        """Return whether of two that began in the same moment the first is the cause.

        A state that the suppression table looks at sums up what has happened: the button comes before the ESD level.
        """
        return other.signal in self.deciders and point.signal not in self.deciders

    # Suppression by design

    def prime(self, tag: str, value: float) -> None:
        """Tell the last known value of a signal, before `begin`."""
        for rule in self.deciders.get(tag, ()):
            rule.prime(value)

    def decide(self, tag: str, value: float | None, t_ms: int) -> None:
        """Take the value of a signal that decides suppression rules, None where it is bad."""
        for rule in self.deciders.get(tag, ()):
            if rule.until_ms < t_ms:
                self.settle(t_ms)
            self.hide(rule.take(value, t_ms), rule.name, t_ms)
            if rule.until_ms == t_ms:
                self.end_rule(rule)
            elif rule.until_ms < self.wake_ms:
                self.wake_ms = rule.until_ms + 1

    def hide_late(self, tag: str, value: float, t_ms: int) -> None:
        """Take the value of a deciding signal that came too late to be live: it may hide, and reveals nothing.

        What it would reveal has no live value yet; the next live state is at most a minute away.
        """
        for rule in self.deciders.get(tag, ()):
            if rule.hides(value):
                self.hide(rule.take(value, t_ms), rule.name, t_ms)

    def next_rule_end(self) -> SuppressionRule | None:
        """Return the rule that stops hiding first, None where none is about to."""
        first = min(self._rules, key=lambda rule: rule.until_ms, default=None)
        return None if first is None or first.until_ms == NEVER else first

    def end_rule(self, rule: SuppressionRule) -> None:
        """Stop hiding at the rule's `until_ms`."""
        end_ms = rule.until_ms
        rule.end()
        self.reveal(rule.points, rule.name, end_ms)

    def next_due_ms(self) -> int:
        """Return the earliest delay or end of a rule that is under way."""
        watches = min((watch.due_ms for watch in self.watches.values()), default=NEVER)
        return min(watches, min((rule.until_ms for rule in self._rules), default=NEVER))

    def hide(self, points: Sequence[AlarmPoint], by: str, t_ms: int) -> None:
        """Suppress alarms by design from `t_ms` on."""
        if points:
            self.settle(t_ms)
        for point in points:
            self._catch_up(point, t_ms)
            point.suppressors.add(by)
            self._suppress(point, True, t_ms)
            if point.spec.condition == _STALE and point.signal is not None:
                # Where the suppression table names it, silence is no condition at all (contract section 7).
                self.watches[point.signal].hold_silence(by)

    def reveal(self, points: Sequence[AlarmPoint], by: str, t_ms: int) -> None:
        """End one reason to suppress. What began while it meant nothing counts its whole on-delay from now."""
        self.settle(t_ms)
        for point in points:
            if by not in point.suppressors:
                continue
            self._catch_up(point, t_ms)
            point.suppressors.discard(by)
            if point.spec.condition == _STALE and point.signal is not None:
                self.watches[point.signal].excuse_silence(by, t_ms)
            if point.suppressors:
                continue
            unproven = point.state.active and not point.state.announced and not point.spec.latched
            if unproven:
                self.clear_alarm(point, t_ms, point.state.value)
            self._suppress(point, False, t_ms)
            if unproven and point.signal is not None:
                watch = self.watches[point.signal]
                watch.restart(point.spec.condition, t_ms)
                self.apply(watch, watch.pass_time(t_ms))

    def is_told(self, point: AlarmPoint, t_ms: int) -> bool:
        """Return whether what an alarm did at `t_ms` was journalled before a restart."""
        return bool(self.told) and t_ms <= self.told.get(point.id, -1)

    def _catch_up(self, point: AlarmPoint, t_ms: int) -> None:
        """Settle what was due before `t_ms`, under the suppression that held until then."""
        if point.signal is not None:
            watch = self.watches[point.signal]
            self.apply(watch, watch.pass_time(t_ms))

    def _suppress(self, point: AlarmPoint, suppressed: bool, t_ms: int) -> None:
        state = point.state.suppressed_now(suppressed)
        if state is point.state:
            return
        if state.is_open:
            self.book.note(point, state, "suppressed" if suppressed else "unsuppressed", t_ms, state.value)
        else:
            # Nothing is behind it: no event. Idle equipment would fill the journal with its comings and goings.
            point.state = state


def _never_shown(state: AlarmState) -> bool:
    """An occurrence that began suppressed by design and still is: nobody was to be told of it."""
    return state.suppressed and not state.announced


def _is_due(watch: SignalWatch, t_ms: int) -> bool:
    return watch.due_ms < t_ms or (t_ms - watch.t_ms > watch.stale_ms and watch.silent_from_ms < t_ms)
