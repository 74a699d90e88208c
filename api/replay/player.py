"""The player of a replay: where it stands, how fast it goes, and how it gets to another moment.

It has no thread and asks no process: whoever owns it calls `run` again and again, and may ask for anything in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from api.forecast.engine import Runner
from api.replay.sandbox import Sandbox, Tell
from api.replay.sandbox_books import LearnedThen, RowsSoFar
from api.replay.tape import END, Item, Tape, TapeEnd, newest_of
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.errors import TransientError
from station.ports import JournalEntry

State = Literal["playing", "paused", "ended"]

WARM_UP_MS: Final = 60_000
"""Played before the moment that is asked for, unseen: delays that run at it have begun."""
_LOOK_BACK_MS: Final = 600_000
"""Twice the slowest sampling period: the newest value of each signal lies within."""
_THROUGH_MS: Final = 300_000
"""A moment so little ahead is played to, not jumped to: a step keeps everything that stands. Some 13 000 messages."""
_MOST_BEHIND: Final = 64
"""Forecasts under way for which the messages wait, as behind a simulator at speed."""
_WAIT_S: Final = 0.01
_FALLEN_S: Final = 1.0
"""So far behind its speed the player takes the speed it reaches, and does not run after what it lost."""
_MINUTE_MS: Final = 60_000
_LONG_MS: Final = 2 * _MINUTE_MS
_LOOK_EACH: Final = 64
"""Messages between two looks at the clock: under a millisecond."""


@dataclass(frozen=True)
class Stage:
    """What a replay is played with.

    Attributes:
        plant: The station file.
        name: Under which alarms and forecasts are told.
        tape: What is played.
        start_ms: Where it begins, epoch ms; it ends where the tape does.
        plans: Plans of days of which the tape holds no word.
        learned: What the station had taught.
        runner: Makes forecasts; None makes none.
        tell: Told the events of the stream.
    """

    plant: Plant
    name: str
    tape: Tape
    start_ms: int
    plans: Sequence[DayPlan]
    learned: LearnedThen
    runner: Runner | None
    tell: Tell


class Player:
    """Plays one replay.

    Args:
        stage: What with.
        speed: Station seconds a second, None as fast as it goes.
        monotonic: Seconds that never go back.

    Attributes:
        state: Whether it goes on by itself.
        at_ms: Station time reached, epoch ms: all before it has been lived through.
        played: Stretches [from, to) that were lived through, apart and in order, epoch ms.
        rows: What was journalled in them.
    """

    def __init__(self, stage: Stage, speed: float | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.state: State = "paused"
        self.at_ms = stage.start_ms
        self.played: list[tuple[int, int]] = []
        self.rows = RowsSoFar()
        self._stage = stage
        self._speed = speed
        self._monotonic = monotonic
        self._sandbox = Sandbox(stage.plant, stage.name, (), stage.tell)
        self._items: Iterator[Item] = iter(())
        self._next: Item = END
        self._from_ms = stage.start_ms
        self._anchor = (0.0, 0)
        self._needs_forecasts = False
        self._tells_readings = False

    @property
    def sandbox(self) -> Sandbox:
        """The station as it lives now; another one after each jump."""
        return self._sandbox

    @property
    def tells_readings(self) -> bool:
        """Whether each single reading is told."""
        return self._tells_readings

    @tells_readings.setter
    def tells_readings(self, wanted: bool) -> None:
        self._tells_readings = self._sandbox.tells_readings = wanted

    # Asked for

    def seek(self, at_ms: int, standing: Sequence[JournalEntry] = ()) -> None:
        """Go to a moment of [start, end].

        Args:
            at_ms: Where to, epoch ms.
            standing: Each alarm's newest journal entry `WARM_UP_MS` before it; what this replay knows itself wins.

        Raises:
            StoreUnavailableError: The store is away.
        """
        if self._next is not END and 0 <= at_ms - self.at_ms <= _THROUGH_MS:
            self._play_to(at_ms)
        else:
            self._jump(at_ms, standing)
        if self.state == "ended":
            self.state = "paused"
        self._set_anchor()

    def play(self) -> None:
        """Go on by itself; one that has ended has to be moved first.

        Raises:
            StoreUnavailableError: The store, which was away before, is away still.
        """
        if self.state == "ended":
            return
        if self._next is END and self.at_ms < self._stage.tape.end_ms:
            self._jump(self.at_ms, ())
        self.state = "playing"
        self._set_anchor()

    def pause(self) -> None:
        """Stand still."""
        if self.state == "playing":
            self.state = "paused"

    def set_speed(self, speed: float | None) -> None:
        """Take another speed."""
        self._speed = speed
        self._set_anchor()

    # Played

    def run(self, slice_s: float) -> float:
        """Play on for a slice of wall time.

        Returns:
            How long there is nothing to do [s]; 0 where there is.

        Raises:
            StoreUnavailableError: The store is away.
        """
        self.prepare()
        if self._sandbox.backlog > _MOST_BEHIND:
            self._sandbox.collect()
            return _WAIT_S
        until_s = self._monotonic() + slice_s
        target_ms = self._target_ms()
        reached = self._take_until(target_ms, until_s)
        self._sandbox.collect()
        if not reached:
            return 0.0
        if self.at_ms >= self._stage.tape.end_ms:
            return self._end()
        return self._until_next_s()

    def _take_until(self, target_ms: int, until_s: float | None = None) -> bool:
        """Live through what is not later than `target_ms`; returns False where the time for it was up before."""
        try:
            self.at_ms = self._feed(target_ms, until_s)
        finally:
            self.rows.add(self._sandbox.journal.take_new())
        return self.at_ms >= target_ms

    def _feed(self, target_ms: int, until_s: float | None = None) -> int:
        """Give the sandbox what is before `target_ms`; returns the time reached, which is less where time was up."""
        item, items, sandbox = self._next, self._items, self._sandbox
        count = 0
        try:
            while item.t_ms < target_ms:
                assert not isinstance(item, TapeEnd)
                if item.t_ms - sandbox.now_ms > _LONG_MS and not self._pass(item.t_ms, until_s):
                    return sandbox.now_ms
                sandbox.take(item)
                self._next = item = next(items)
                count += 1
                if count % _LOOK_EACH == 0 and until_s is not None and self._monotonic() >= until_s:
                    return min(item.t_ms, target_ms)
        except TransientError:
            self._next, self.at_ms = END, sandbox.now_ms  # the tape is torn: whoever goes on begins anew here
            raise
        return target_ms if self._pass(target_ms, until_s) else sandbox.now_ms

    def _pass(self, t_ms: int, until_s: float | None) -> bool:
        """Let time pass to `t_ms`, a long silence minute by minute; returns False where the time for it was up before.

        Minutes do: silence is dated exactly however it is found. The last ones pass as they do live.
        """
        sandbox = self._sandbox
        while t_ms - sandbox.now_ms > _LONG_MS:
            sandbox.pass_time(sandbox.now_ms + _MINUTE_MS, _MINUTE_MS)
            if until_s is not None and (self._monotonic() >= until_s or sandbox.backlog > _MOST_BEHIND):
                return False
        sandbox.pass_time(t_ms)
        return True

    def _end(self) -> float:
        """Wait for the forecasts that are under way, then end."""
        if self._sandbox.backlog:
            return _WAIT_S
        self._sandbox.collect()
        self.rows.add(self._sandbox.journal.take_new())
        self.state = "ended"
        self._note_played()
        return _WAIT_S

    def _play_to(self, at_ms: int) -> None:
        self.prepare()
        self._take_until(at_ms)
        self._sandbox.collect()

    # Pace

    def _set_anchor(self) -> None:
        self._anchor = (self._monotonic(), self.at_ms)

    def _target_ms(self) -> int:
        """Return up to when time has come by now."""
        end_ms = self._stage.tape.end_ms
        if self._speed is None:
            return end_ms
        since_s, from_ms = self._anchor
        target_ms = from_ms + round((self._monotonic() - since_s) * 1000.0 * self._speed)
        if target_ms - self.at_ms > _FALLEN_S * 1000.0 * self._speed:
            self._set_anchor()
        return min(target_ms, end_ms)

    def _until_next_s(self) -> float:
        if self._speed is None:
            return 0.0
        next_ms = min(self._next.t_ms + 1, self.at_ms + 1000, self._stage.tape.end_ms)
        since_s, from_ms = self._anchor
        return max(0.0, since_s + (next_ms - from_ms) / 1000.0 / self._speed - self._monotonic())

    # Jumps

    def _jump(self, at_ms: int, standing: Sequence[JournalEntry]) -> None:
        self._note_played()
        stage, warm_ms = self._stage, at_ms - WARM_UP_MS
        own = self.rows.before(warm_ms) if any(a <= warm_ms <= b for a, b in self.played) else None
        self._sandbox = Sandbox(stage.plant, stage.name, standing if own is None else own, stage.tell)
        self._items = stage.tape.items(warm_ms - _LOOK_BACK_MS)
        before: list[UnitMessage] = []
        self._next = END
        for item in self._items:
            if item.t_ms >= warm_ms:
                self._next = item
                break
            if isinstance(item, UnitMessage):
                before.append(item)
        # Where nothing was heard before, no silence is counted from before the first word.
        begin_ms = warm_ms if before else min(self._next.t_ms, at_ms)
        self._sandbox.begin(begin_ms, newest_of(before))
        self._from_ms = at_ms
        self.at_ms = self._feed(at_ms)
        # What the warm-up did is of before the moment, and stands in what is told of the jump.
        self._sandbox.journal.take_new()
        self._sandbox.alarms.take_changes()
        self._sandbox.tells_readings = self._tells_readings
        self._needs_forecasts = stage.runner is not None

    def prepare(self) -> None:
        """Prime the forecast, once after each jump and not within it: that takes longer than a jump may.

        Raises:
            StoreUnavailableError: The store is away.
        """
        stage = self._stage
        if not self._needs_forecasts or stage.runner is None:
            return
        stage.runner.forget()  # what was asked for before the jump
        told = stage.tape.told_before(self.at_ms)
        self._sandbox.begin_forecasts(stage.runner, stage.tape.store, told, stage.plans, stage.learned)
        self._needs_forecasts = False

    def _note_played(self) -> None:
        """Join the stretch that ends here to those before."""
        if self.at_ms <= self._from_ms:
            return
        joined: list[tuple[int, int]] = []
        for start_ms, end_ms in sorted([*self.played, (self._from_ms, self.at_ms)]):
            if joined and start_ms <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end_ms))
            else:
                joined.append((start_ms, end_ms))
        self.played = joined

    def stretches(self) -> list[tuple[int, int]]:
        """Return the stretches that were lived through, the present one too."""
        self._note_played()
        return list(self.played)
