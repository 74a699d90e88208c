"""The station time up to which everything has been heard: what timers, stale checks and forecasts run on.

At wall time it is the clock. Behind a simulator it comes with the messages: the highest source time, held back to a
few seconds above what a second gateway says, so that one gateway with a wrong clock cannot age all the others; and the
words of the clock topic, which are sent after the readings up to them. So the same messages give the same alarms at any
speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from station.domain.plant import Gateway, UnitKey
from station.wire.plan_v1 import ClockReading

LEAD_MS: Final = 5_000
"""How far one gateway alone may lead: above the 1 s at which units report, below the 15 s that make them stale."""
SET_BACK_MS: Final = 3_600_000
"""A word this far behind is of a simulator that began anew; a retained word of before a reconnect is nearer."""
_FIRST_WORD_MS: Final = 10_000
"""A retained clock word comes at once with the subscription; after this long there is none, and time is the wall's."""


class StationClock(Protocol):
    """A clock that tells station time in epoch ms."""

    def now_ms(self) -> int:
        """Return station time, epoch ms."""
        ...

    def speed(self) -> float:
        """Return station seconds per wall second."""
        ...


class FollowingClock(StationClock, Protocol):
    """A clock that is told the time by the clock topic."""

    def update(self, said: ClockReading) -> None:
        """Take a word of the clock topic."""
        ...


class WallStationTime:
    """Station time is the clock's."""

    def __init__(self, clock: StationClock) -> None:
        self.clock = clock
        self._now_ms = clock.now_ms()

    @property
    def now_ms(self) -> int:
        """Time up to which everything has been heard, epoch ms; never goes back."""
        self._now_ms = max(self._now_ms, self.clock.now_ms())
        return self._now_ms

    def heard(self, key: UnitKey, t_ms: int) -> None:
        """Take the source time of a message: it does not matter here."""

    def told(self, said: ClockReading) -> bool:
        """Take a word of the clock topic: a station on wall time does not follow it."""
        del said
        return False

    def tick(self) -> None:
        """Let time pass without a message: the clock does by itself."""


class FollowedStationTime:
    """Station time comes with the messages and with the words of a simulator's clock.

    Args:
        clock: Told each word; asked when nothing arrives.
        gateways: Which units speak with one clock.
    """

    def __init__(self, clock: FollowingClock, gateways: Sequence[Gateway]) -> None:
        self.clock = clock
        self._of_unit = {key: number for number, gateway in enumerate(gateways) for key in gateway.units}
        self._highest = [0] * (len(gateways) + 1)
        self._alone = len(gateways) < 2
        self._now_ms = 0
        self._began_ms = clock.now_ms()
        self._was_told = False

    @property
    def now_ms(self) -> int:
        """Time up to which everything has been heard, epoch ms; never goes back. The clock's before any message."""
        return self._now_ms or self.clock.now_ms()

    def heard(self, key: UnitKey, t_ms: int) -> None:
        """Take the source time of a message."""
        gateway = self._of_unit.get(key, -1)
        if t_ms <= self._highest[gateway]:
            return
        self._highest[gateway] = t_ms
        if self._alone:
            self._now_ms = max(self._now_ms, t_ms)
            return
        second, first = sorted(self._highest)[-2:]
        if second or not self._now_ms:
            self._now_ms = max(self._now_ms, min(first, second + LEAD_MS) if second else first)

    def told(self, said: ClockReading) -> bool:
        """Take a word of the clock topic: all readings up to it have been sent before it.

        Returns:
            True where another run of the simulator has set time back, and all that is known is of a later day.
        """
        self._was_told = True
        self.clock.update(said)
        was_set_back = said.t_ms < self._now_ms - SET_BACK_MS
        if was_set_back:
            self._highest = [0] * len(self._highest)
            self._now_ms = said.t_ms
        self._now_ms = max(self._now_ms, said.t_ms)
        return was_set_back

    def tick(self) -> None:
        """Let time pass without a message: at speed 1 the clock runs on, at any other it waits for its next word."""
        now_ms = self.clock.now_ms()
        if self._was_told or now_ms - self._began_ms > _FIRST_WORD_MS:
            self._now_ms = max(self._now_ms, now_ms)
