"""Trucks at the gate: who came, who was called to a hose, who gave up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from station.domain.arrivals import Arrival
from station.domain.day_plan import WaitingTruck

QUEUE_TOO_OLD_MS = 180_000
"""The queue is told on change and each minute; silent for three, it is inferred."""

_GONE_AFTER_MS = 15 * 60_000
"""A truck that vanishes from the queue sooner than this was called to a hose that is not heard, not turned away."""

_CONNECTS_WITHIN_MS = 180_000
"""A truck that has vanished from the queue may still be on its way to the hose, or its hose's message on its way."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A truck that left unserved; `kg` it would have taken, None where nobody said."""

    arrived_ms: int
    left_ms: int
    kg: float | None


@dataclass(slots=True)
class Gate:
    """The line at the gate.

    Attributes:
        told_ms: When the queue was last told, None where it never was.
        arrivals: Every truck that came.
        gone: Every truck that left unserved.
    """

    told_ms: int | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    _line: dict[str, WaitingTruck] = field(default_factory=dict)
    _called: set[str] = field(default_factory=set)
    _vanished: list[tuple[int, WaitingTruck]] = field(default_factory=list)

    def told(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        """Take the queue as it stands."""
        if self.told_ms is not None and t_ms < self.told_ms:
            return
        self.told_ms = t_ms
        now = {truck.id: truck for truck in waiting}
        for truck_id, truck in self._line.items():
            if truck_id in now or truck_id in self._called:
                continue
            self._vanished.append((t_ms, truck))
        self.arrivals.extend(Arrival(t.since_ms, t.id) for t in waiting if t.id not in self._line)
        self._called &= now.keys()
        self._line = now

    def connected(self, t_ms: int) -> None:
        """Take that a truck has come to a hose: the head of the line, or one that never had to wait."""
        self.settle(t_ms)
        line = self.waiting()
        if self._vanished:
            self._vanished.pop(0)
        elif line:
            self._called.add(line[0].id)
        else:
            self.arrivals.append(Arrival(t_ms))

    def settle(self, t_ms: int) -> None:
        """Book trucks that vanished from the queue and came to no hose in time as gone."""
        left = [(t, truck) for t, truck in self._vanished if t_ms - t > _CONNECTS_WITHIN_MS]
        self._vanished = [row for row in self._vanished if row not in left]
        self.gone.extend(Gone(truck.since_ms, t, truck.kg) for t, truck in left if t - truck.since_ms >= _GONE_AFTER_MS)

    def waiting(self) -> tuple[WaitingTruck, ...]:
        """Return who waits, longest first."""
        left = [truck for truck_id, truck in self._line.items() if truck_id not in self._called]
        return tuple(sorted(left, key=lambda truck: truck.since_ms))

    def is_known(self, at_ms: int) -> bool:
        """Return whether the queue was told lately."""
        return self.told_ms is not None and at_ms - self.told_ms <= QUEUE_TOO_OLD_MS

    def forget_before(self, t_ms: int) -> None:
        """Drop what happened before a moment."""
        self.arrivals = [a for a in self.arrivals if a.t_ms >= t_ms]
        self.gone = [g for g in self.gone if g.left_ms >= t_ms]
