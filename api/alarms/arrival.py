"""When messages arrive: the clock offset of each gateway, and devices whose clock was set back.

A wrong clock must never mute a limit, and old data must never raise one: both look the same in a single message. What
tells them apart is the sequence number, and how a gateway's messages usually arrive.
"""

from __future__ import annotations

import statistics
from collections import deque

from station.domain.signals import UnitMessage

LATE_AFTER_MS = 60_000
"""A message this much later than its gateway's usual offset is of the past: a backlog, not news."""
_FRESH_AFTER_MS = 3_000
"""A message this much later than usual, after a silence, is of what was kept meanwhile: its gateway is not back yet."""
_ON_TIME_MS = 500
"""A message this much later than usual is of a queue: more may come that was measured before now."""
_BEHIND_MS = 5_000
"""A queue from which nothing has come for so long is taken for empty."""
_SAMPLE_EACH_MS = 1_000
_SAMPLES = 60
_ENOUGH = 30
"""Half a minute of messages before an offset is believed."""
_STEADY_MS = 5_000
"""A wrong clock is wrong by the same all the time. What a gateway kept during an outage comes faster than it was
measured, so that its age falls: half of the samples lie further apart than this, and it is a backlog, not a clock."""
_GOOD_CLOCK_MS = 2_000
"""A clock within this is called right (its own alarm XT-9591 is HH from there); timers then stay exact."""
_BOOTS_KEPT = 8


class ClockOffset:
    """How far a gateway's source time lies behind station time, as a running median over 60 s.

    Attributes:
        offset_ms: Station time minus source time; 0 for a clock that is right within 2 s and the clock's own steps.
        late_after_ms: Messages whose source time is more than this behind station time are late.
        next_sample_ms: Station time from which `sample` wants the next message.
    """

    __slots__ = ("_behind_at_ms", "_behind_ms", "_samples", "late_after_ms", "next_sample_ms", "offset_ms")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._samples: deque[int] = deque(maxlen=_SAMPLES)
        self.offset_ms = 0
        self.late_after_ms = LATE_AFTER_MS
        self.next_sample_ms = 0
        self._behind_ms: int | None = None
        self._behind_at_ms = 0

    def local_ms(self, now_ms: int) -> int:
        """Return what the gateway's clock shows at a station time.

        While its messages come out of a queue, no further than they have come: a delay that runs over what is still to
        come would elapse before the value that ends it.
        """
        local_ms = now_ms - self.offset_ms
        if self._behind_ms is None or now_ms - self._behind_at_ms > _BEHIND_MS:
            return local_ms
        return min(local_ms, self._behind_ms)

    def note(self, now_ms: int, t_ms: int) -> bool:
        """Note a live message; returns whether it tells of now, not of what was kept during an outage."""
        on_time = now_ms - t_ms - self.offset_ms <= _ON_TIME_MS
        self._behind_ms, self._behind_at_ms = None if on_time else t_ms, now_ms
        return now_ms - t_ms <= self.late_after_ms - LATE_AFTER_MS + _FRESH_AFTER_MS

    def sample(self, now_ms: int, t_ms: int, step_ms: float) -> None:
        """Take the arrival of a message of source time `t_ms` at station time `now_ms`.

        Args:
            now_ms: Station time, epoch ms.
            t_ms: The message's time, epoch ms.
            step_ms: By how much station time usually moves at once [ms]: a clock that is followed comes in steps of
                its speed, and what lies within a few steps is no offset.
        """
        self.next_sample_ms = now_ms + _SAMPLE_EACH_MS
        self._samples.append(now_ms - t_ms)
        if len(self._samples) < _ENOUGH:
            return
        low, middle, high = statistics.quantiles(self._samples)
        if high - low <= _STEADY_MS + 3 * step_ms:
            self._believe(round(middle), step_ms)

    def was_set_on(self, now_ms: int, t_ms: int, step_ms: float) -> bool:
        """Return whether a clock that was behind has been set on: by its old offset the message were of the future."""
        return self.offset_ms > 0 and t_ms + self.offset_ms - now_ms > _GOOD_CLOCK_MS + 3 * step_ms

    def set_anew(self, now_ms: int, t_ms: int, step_ms: float) -> None:
        """Take the offset of a clock that has just been set."""
        self._samples.clear()
        self._believe(now_ms - t_ms, step_ms)

    def _believe(self, offset_ms: int, step_ms: float) -> None:
        tolerance = _GOOD_CLOCK_MS + round(3 * step_ms)
        self.offset_ms = offset_ms if abs(offset_ms) > tolerance else 0
        self.late_after_ms = self.offset_ms + LATE_AFTER_MS + tolerance


class UnitArrivals:
    """The order in which one unit's messages come.

    Attributes:
        newest_ms: Largest source time so far.
    """

    __slots__ = ("_behind_since_ms", "_boots", "_seq", "newest_ms")

    def __init__(self) -> None:
        self.newest_ms = -1
        self._seq = -1
        self._boots: deque[str] = deque(maxlen=_BOOTS_KEPT)
        self._behind_since_ms: int | None = None

    def in_order(self, message: UnitMessage) -> None:
        """Take a message whose time is not before the newest."""
        self.newest_ms = message.t_ms
        self._behind_since_ms = None
        if message.seq is not None:
            self._number(message)

    def set_back(self, message: UnitMessage, now_ms: int) -> bool:
        """Return True where an older `t` means that the device's clock was set back, False for old data sent late.

        A numbered message with the next number, or of a boot never seen, is new whatever its time says. A plain device
        is believed after a minute in which nothing newer came.
        """
        if message.seq is not None and message.boot is not None and self._boots:
            same_boot = message.boot == self._boots[-1]
            back = message.seq > self._seq if same_boot else message.boot not in self._boots
            if back:
                self._number(message)
        else:
            if self._behind_since_ms is None:
                self._behind_since_ms = now_ms
            back = now_ms - self._behind_since_ms > LATE_AFTER_MS
        if back:
            self.newest_ms = message.t_ms
            self._behind_since_ms = None
        return back

    def _number(self, message: UnitMessage) -> None:
        if message.boot is not None and (not self._boots or message.boot != self._boots[-1]):
            self._boots.append(message.boot)
        assert message.seq is not None
        self._seq = message.seq
