"""The alarm engine of one station: readings in, alarms out, the journal before all.

It runs in the thread that takes the readings and asks no clock: `observe` brings source time, `advance` station time.
All changes are dated with source time plus their delay, so that the same messages give the same alarms at any speed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from api.alarms.arrival import UnitArrivals
from api.alarms.board import AlarmBoard
from api.alarms.book import AlarmBook
from api.alarms.desk import OperatorDesk
from api.alarms.points import AlarmPoint, alarm_points
from api.alarms.silence import GatewayWatch, SilenceWatch
from station.domain.alarm_views import AlarmView
from station.domain.alarms import AlarmState
from station.domain.limits import NEVER, Change, SignalWatch
from station.domain.plant import Plant, Text
from station.domain.signals import Reading, UnitMessage, quality_rank
from station.ports import AlarmJournal

_SWEEP_MS = 1_000
"""Silence is looked for once a second of station time; its alarms are dated exactly all the same."""
_CLOCK_BACK_MS = 5_000
"""Station time that falls by more than this was set anew (a simulator began elsewhere); less is jitter."""
_CLOCK_SET_MS = 60_000
"""Before the first message, a jump by more than this is a clock being set, and no silence."""
_AGAIN_MS = 60_000
"""A broker hands over at once what a killed service had not acknowledged; a minute is plenty."""
_JOURNAL_ALARM = "SYS-JOURNAL"

_Value = tuple[SignalWatch, float | None]


class _Unit:
    """What is known of one unit's messages; `late`: alarms whose condition stands in the late data of the moment."""

    __slots__ = ("arrivals", "gateway", "late", "watches")

    def __init__(self, gateway: GatewayWatch, watches: list[SignalWatch]) -> None:
        self.gateway = gateway
        self.watches = watches
        self.arrivals = UnitArrivals()
        self.late: set[str] = set()


class AlarmEngine(OperatorDesk):
    """Watches one station, or one replay of it. Safe to call from any thread.

    Start: `restore`, `prime`, then `advance` to the present station time, then messages.

    Args:
        plant: The station file.
        journal: Where every change is committed before it is visible.
        wall_ms: Tells wall time, epoch ms; dates the journal's rows only.
        accept_station: The station id whose messages are taken; `plant.id` where None.
    """

    def __init__(
        self, plant: Plant, journal: AlarmJournal, *, wall_ms: Callable[[], int], accept_station: str | None = None
    ) -> None:
        self._station = plant.id if accept_station is None else accept_station
        self._book = AlarmBook(self._station, alarm_points(plant, self._station), journal, wall_ms)
        self._plant = plant
        self._lock = threading.RLock()
        self._expiring: dict[str, AlarmPoint] = {}
        self._board = AlarmBoard(plant, self._book)
        self._silence = SilenceWatch(plant, self._board)
        self._units = {
            key: _Unit(watch, [self._board.watches[tag] for tag in plant.units[key].tags])
            for gateway, watch in zip(plant.gateways, self._silence.gateways, strict=True)
            for key in gateway.units
        }
        self._reported_ms: dict[str, int] = {}
        self._now_ms = -1
        self._step_ms = 0.0
        self._heard = False
        self._forget_told_ms = NEVER

    # Readings and time

    def restore(self) -> None:
        """Continue from the journal: every alarm stands where it stood. Call once, before anything else."""
        with self._lock:
            for point in self._book.restore():
                self._watch_expiry(point)
                self._board.restore(point)

    def prime(self, readings: Iterable[Reading]) -> None:
        """Tell the last known values of signals, so that suppression need not wait for the next; before `advance`."""
        with self._lock:
            for reading in readings:
                if reading.value is not None:
                    self._board.prime(reading.signal, reading.value)

    def observe(self, message: UnitMessage) -> None:
        """Take one unit's readings. Messages of other stations, and units that no gateway carries, are ignored."""
        if message.station != self._station:
            return
        unit = self._units.get((message.area, message.unit))
        if unit is None:
            return
        with self._lock:
            if self._now_ms < 0:
                self._begin(message.t_ms)
            if not self._heard:
                self._heard, self._forget_told_ms = True, self._now_ms + _AGAIN_MS
            if self._is_live(unit, message):
                if unit.late:
                    unit.late.clear()
                gateway = unit.gateway
                if gateway.clock.note(self._now_ms, message.t_ms) or not self._silence.is_away(gateway):
                    self._silence.hear(gateway, message.t_ms)
                self._take(unit, message)
            else:
                self._take_late(unit, message)
            self._book.commit()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what the block changes at its end, all at once; until then nobody else sees any of it."""
        with self._lock, self._book.together():
            yield

    def advance(self, t_ms: int) -> None:
        """Let station time come to `t_ms`: delays, silence, ends of shelves. Never ahead of messages under way."""
        if self._now_ms <= t_ms < self._board.wake_ms:
            self._now_ms = t_ms
            return
        with self._lock:
            if self._now_ms < 0 or (not self._heard and t_ms - self._now_ms > _CLOCK_SET_MS):
                self._begin(t_ms)
            elif t_ms >= self._now_ms:
                # Smoothed, so that one jump (a computer that slept) is soon forgotten.
                self._step_ms += 0.2 * (t_ms - self._now_ms - self._step_ms)
                self._now_ms = t_ms
                self._run_timers(t_ms)
            elif self._now_ms - t_ms > _CLOCK_BACK_MS:
                self._restart_clock(t_ms)
            self._book.commit()

    def report(
        self,
        alarm_id: str,
        *,
        active: bool,
        at_ms: int,
        priority: str | None = None,
        value: float | None = None,
        limit: float | None = None,
        text: Text | None = None,
    ) -> None:
        """Take a condition that was worked out elsewhere (`CAP-..`, `SYS-..`), with its own delays and hysteresis.

        A worse priority while it is active is an escalation within the occurrence: it wants acknowledging again. A new
        text of an active alarm is shown at once. What is older than the last report is ignored.

        Args:
            alarm_id: Of the station file's capacity or system alarms.
            active: The condition.
            at_ms: Station time of the condition, epoch ms.
            priority: None for the station file's.
            value: In the unit of the alarm's own text.
            limit: In the same unit.
            text: None for the station file's.

        Raises:
            UnknownAlarmError: No such alarm.
        """
        with self._lock:
            point = self._book.point(alarm_id)
            if at_ms < self._reported_ms.get(alarm_id, -1):
                return
            self._reported_ms[alarm_id] = at_ms
            wanted, was = priority or point.spec.priority, point.state
            if not active:
                self._board.clear_alarm(point, at_ms, value)
            elif not was.active:
                self._board.raise_alarm(point, at_ms, at_ms, wanted, value, limit, text)
            elif not self._board.escalate(point, at_ms, wanted, value, limit, text) and text not in {None, was.text}:
                self._book.refresh(point, value, text or point.spec.text)
            self._book.commit()

    # What is to be seen

    def alarms(self) -> list[AlarmView]:
        """Return every alarm that is not normal, shelved and out-of-service ones too, in the station file's order.

        A normal one that somebody wants out of service is there as well: a second user must find it.

        An alarm that is suppressed by design with nothing behind it is left out; `alarm` tells of it.
        """
        with self._lock:
            return self._book.views(_is_listed)

    def alarm(self, alarm_id: str) -> AlarmView:
        """Return one alarm.

        Raises:
            UnknownAlarmError: No such alarm.
        """
        with self._lock:
            return self._book.point(alarm_id).view()

    def ids(self) -> list[str]:
        """Return the id of every alarm that there is, in the station file's order."""
        return list(self._book.points)

    def changes_since(self, serial: int) -> tuple[int, list[AlarmView]]:
        """Return (newest serial, the changes after `serial`), of the newest 10 000; begin with 0."""
        with self._lock:
            return self._book.changes_since(serial)

    def take_changes(self) -> list[AlarmView]:
        """Return the changes since the last call, oldest first: one view for each change of each alarm."""
        with self._lock:
            return self._book.take_changes()

    @property
    def journal_backlog(self) -> int:
        """Rows that the journal has not taken yet; 0 unless it fails."""
        return self._book.backlog

    def worst_clock_offset_ms(self) -> int:
        """Return how far the gateway's clock that is worst stands from station time [ms], never negative."""
        with self._lock:
            return max((abs(gateway.clock.offset_ms) for gateway in self._silence.gateways), default=0)

    # Inside

    def _is_live(self, unit: _Unit, message: UnitMessage) -> bool:
        t_ms, now_ms = message.t_ms, self._now_ms
        clock, arrivals = unit.gateway.clock, unit.arrivals
        if t_ms >= arrivals.newest_ms:
            if now_ms >= clock.next_sample_ms:
                clock.sample(now_ms, t_ms, self._step_ms)
            if clock.was_set_on(now_ms, t_ms, self._step_ms):
                before_ms = clock.offset_ms
                clock.set_anew(now_ms, t_ms, self._step_ms)
                unit.gateway.set_on(before_ms - clock.offset_ms, t_ms)
            arrivals.in_order(message)
            return now_ms - t_ms <= clock.late_after_ms
        if not arrivals.set_back(message, now_ms):
            return False
        clock.set_anew(now_ms, t_ms, self._step_ms)
        unit.gateway.silence.heard_ms = min(unit.gateway.silence.heard_ms, t_ms)
        for tag in message.values:
            watch = self._board.watches.get(tag)
            if watch is not None and watch.t_ms >= t_ms:
                watch.step_back(t_ms)
                self._board.forget_told(tag)
        return True

    def _take(self, unit: _Unit, message: UnitMessage) -> None:
        t = message.t_ms
        slow, begun = self._take_steady(message)
        if not slow and not begun:
            return
        self._board.settle_unit(t, unit.watches)
        # States first: they decide what the other values of the same moment mean.
        slow.sort(key=lambda one: one[0].tag not in self._board.deciders)
        for watch, value in slow:
            good = value is not None and quality_rank(message.quality_of(watch.tag)) < 2
            self._board.take(watch, t, value, good=good)
        for watch, changes in begun:
            self._board.apply(watch, changes)

    def _take_steady(self, message: UnitMessage) -> tuple[list[_Value], list[tuple[SignalWatch, list[Change]]]]:
        """Take the values that change nothing, nearly all; return the others, and what has begun with how one moves."""
        t, flawed, watches, deciders = message.t_ms, message.quality, self._board.watches, self._board.deciders
        slow: list[_Value] = []
        begun: list[tuple[SignalWatch, list[Change]]] = []
        for tag, value in message.values.items():
            watch = watches.get(tag)
            if watch is None:
                continue
            if value is None or not 0 < t - watch.t_ms <= watch.stale_ms or (flawed and tag in flawed):
                slow.append((watch, value))
            elif watch.lo < value < watch.hi:
                watch.t_ms = t
                watch.value = value
            elif watch.calm_lo < value < watch.calm_hi and tag not in deciders:
                changes = watch.take_calm(t, value)
                if changes is not None:
                    begun.append((watch, changes))
            else:
                slow.append((watch, value))
        return slow, begun

    def _take_late(self, unit: _Unit, message: UnitMessage) -> None:
        """Journal, once for each stretch of late data, the conditions that its values meet.

        What stopped during an outage is suppressed by design from then on.
        """
        for tag, value in message.values.items():
            watch = self._board.watches.get(tag)
            if watch is None or message.t_ms == watch.t_ms or value is None:
                continue
            if tag in self._board.deciders and message.t_ms > watch.t_ms and quality_rank(message.quality_of(tag)) < 2:
                self._board.hide_late(tag, value, message.t_ms)
            met = watch.implied(value) if quality_rank(message.quality_of(tag)) < 2 else []
            for name, point in self._board.points_of(tag).items():
                if name not in met:
                    unit.late.discard(point.id)
                elif not (point.id in unit.late or point.state.hidden or self._board.is_told(point, message.t_ms)):
                    unit.late.add(point.id)
                    self._book.note_late(point, message.t_ms, value)

    def _begin(self, t_ms: int) -> None:
        """Station time is known for the first time: every silence counts from now on."""
        self._now_ms = t_ms
        self._board.begin(t_ms)
        self._silence.begin(t_ms)
        self._board.begin_rules(t_ms)
        self._board.wake_ms = t_ms + _SWEEP_MS

    def _restart_clock(self, t_ms: int) -> None:
        """Station time was set back: what has been heard would lie in the future and never be silent again."""
        self._now_ms = t_ms
        self._board.restart_clock(t_ms)
        self._silence.begin(t_ms)
        for unit in self._units.values():
            unit.arrivals = UnitArrivals()
        self._reported_ms.clear()
        self._board.told.clear()
        self._board.wake_ms = t_ms + _SWEEP_MS

    def _run_timers(self, now_ms: int) -> None:
        board = self._board
        board.wake_ms = NEVER
        if now_ms > self._forget_told_ms:
            board.told.clear()
        self._silence.pass_time(now_ms)
        board.pass_time(self._silence.clocks(now_ms))
        self._expire(now_ms)
        journal = self._book.points.get(_JOURNAL_ALARM)
        if journal is not None and journal.state.active is not self._book.journal_failing:
            self.report(_JOURNAL_ALARM, active=self._book.journal_failing, at_ms=now_ms)
        board.wake_ms = min(now_ms + _SWEEP_MS, board.next_due_ms() + 1)


def _is_listed(state: AlarmState) -> bool:
    hidden_by_people = state.shelved_until_ms is not None or state.out_of_service
    return state.is_open or hidden_by_people or state.asked_out_by is not None
