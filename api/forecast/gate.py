"""Trucks at the gate: who came, who was called to a hose, who gave up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from station.domain.arrivals import Arrival
from station.domain.capacity_snapshot import Unserved
from station.domain.day_plan import WaitingTruck

QUEUE_TOO_OLD_MS = 180_000
"""The queue is told on change and each minute; silent for three, it is inferred."""

_GONE_AFTER_MS = 15 * 60_000
"""A truck that vanishes from the queue sooner than this was called to a hose that is not heard, not turned away."""

_CONNECTS_WITHIN_MS = 180_000
"""A truck that has vanished from the queue may still be on its way to the hose, or its hose's message on its way."""


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
    gone: list[Unserved] = field(default_factory=list)
    _line: dict[str, WaitingTruck] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _called: set[str] = field(default_factory=set)
    _vanished: list[tuple[int, WaitingTruck]] = field(default_factory=list)

    def told(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> int:
        """Take the queue as it stands; return how many trucks have come back to it from a hose."""
        if self.told_ms is not None and t_ms < self.told_ms:
            return 0
        self.told_ms = t_ms
        now = {truck.id: truck for truck in waiting}
        # A truck that is in the line again had not gone.
        vanished = {truck.id for _, truck in self._vanished}
        self._vanished = [row for row in self._vanished if row[1].id not in now]
        for truck_id, truck in self._line.items():
            if truck_id in now or truck_id in self._called:
                continue
            self._vanished.append((t_ms, truck))
        new = [truck for truck in waiting if truck.id not in self._line]
        self.arrivals.extend(Arrival(t.since_ms, t.id) for t in new if t.id not in self._seen)
        back = sum(t.id in self._seen and t.id not in vanished for t in new)
        left = {(g.arrived_ms, g.kg) for g in self.gone} & {(t.since_ms, t.kg) for t in new}
        self.gone = [g for g in self.gone if (g.arrived_ms, g.kg) not in left]
        self._seen |= now.keys()
        self._called &= now.keys()
        self._line = now
        return back

    def connected(self, t_ms: int) -> WaitingTruck | None:
        """Take that a truck has come to a hose: the head of the line, or one that never had to wait (None)."""
        self.settle(t_ms)
        line = self.waiting()
        if self._vanished:
            return self._vanished.pop(0)[1]
        if line:
            self._called.add(line[0].id)
            return line[0]
        self.arrivals.append(Arrival(t_ms))
        return None

    def settle(self, t_ms: int) -> None:
        """Book trucks that vanished from the queue and came to no hose in time as gone."""
        left = [(t, truck) for t, truck in self._vanished if t_ms - t > _CONNECTS_WITHIN_MS]
        self._vanished = [row for row in self._vanished if row not in left]
        self.gone.extend(
            Unserved(truck.since_ms, t, truck.kg) for t, truck in left if t - truck.since_ms >= _GONE_AFTER_MS
        )

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

    def recall(self, gone: Sequence[Unserved]) -> None:
        """Take trucks that are known to have left unserved before this start."""
        self.gone += [truck for truck in gone if truck not in self.gone]

    def without_arrivals(self) -> Gate:
        """Return the same line with the arrivals that a store knows better left out."""
        return Gate(self.told_ms, [], self.gone, self._line, self._seen, self._called, self._vanished)
