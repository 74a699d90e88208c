"""Which announced trailers have come, read from the weighbridge and the bays.

A trailer that comes is weighed, waits in the yard, and docks when a bay is free; one that leaves is weighed too, right
after its bay has become absent. So each weighing is either the end of a bay's trailer or an arrival. Where the
weighbridge says nothing, a docking stands for the arrival, and a bay that stays free proves that the yard is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from station.domain.capacity_snapshot import Expected
from station.domain.day_plan import Delivery

ABSENT, EMPTY = "absent", "empty"

_TRUCK_ON_BRIDGE_KG = 5_000.0
"""No tractor weighs less."""
_OTHER_TRAILER_KG = 150.0
"""Weights this far apart are two trailers: a full one and an empty one differ by 280 kg."""
_WEIGHING_MS = 60_000
"""Axle after axle drives on: one weighing, not several."""
_STILL_KG, _STILL_MS = 40.0, 15_000
"""A scale that says the same within this for so long has come to rest."""
_SCALE_MS = 60_000
"""Readings further apart than this are of two weights, however the scale went from one to the other."""
_LEAVES_WITHIN_MS = 15 * 60_000
_LEAVES_BEFORE_MS = 30_000
"""A weighing this long after (or a moment before) a bay has become absent is that trailer leaving."""
_EARLY_MS = 60 * 60_000
"""A trailer that comes up to this early is still the announced one."""
_FORGET_MS = 24 * 3_600_000
"""A trailer overdue for a day does not come any more."""
_REMEMBER_MS = 96 * 3_600_000
"""Plans are looked at from the midnight before yesterday's on, 72 h at most."""
_LONG_LATE_MS = 120 * 60_000
"""Trailers are late by up to 90 min in 19 of 20 cases (station file); whoever comes this late was held up."""
BRIDGE_SILENT_MS = 120_000
"""A weighbridge not heard for this long proves nothing."""


@dataclass(slots=True)
class _Scale:
    """The weighbridge: what stood on it when it last came to rest, and whether it is moving towards another weight.

    A scale is damped and reports what it has reached so far. So a weight counts where it comes to rest, from the moment
    at which it began to move; half-way values are nobody's weight.
    """

    rest_kg: float = 0.0
    last: tuple[int, float] | None = None
    held: tuple[int, float] = (0, 0.0)
    began_ms: int | None = None
    rate: float = 0.0

    def take(self, t_ms: int, kg: float) -> int | None:
        """Take a reading; return when another trailer began to drive on, where it has just proved to be one."""
        if self.last is None:
            self.last, self.held, self.rest_kg = (t_ms, kg), (t_ms, kg), kg
            return None
        (before_ms, before_kg), self.last = self.last, (t_ms, kg)
        wait, step = t_ms - before_ms, kg - before_kg
        rate, before_rate = step / max(1, wait), self.rate
        self.rate = rate
        if abs(kg - self.held[1]) <= _STILL_KG:
            return self._come_to_rest(kg) if t_ms - self.held[0] >= _STILL_MS else None
        self.held = (t_ms, kg)
        turned = rate * before_rate < 0.0 and abs(step) > _STILL_KG
        pushed = abs(step) > _OTHER_TRAILER_KG and abs(rate) > 2.0 * abs(before_rate)
        found = self._come_to_rest(before_kg) if turned or pushed or wait > _SCALE_MS else None
        if self.began_ms is None:
            self.began_ms = t_ms
        return found

    def settle(self, t_ms: int) -> int | None:
        """As `take`, for a scale that has said nothing for long enough to have come to rest."""
        if self.last is None or t_ms - self.last[0] < _SCALE_MS:
            return None
        return self._come_to_rest(self.last[1])

    def _come_to_rest(self, kg: float) -> int | None:
        began_ms, self.began_ms = self.began_ms, None
        before, self.rest_kg = self.rest_kg, kg
        if began_ms is None or kg <= _TRUCK_ON_BRIDGE_KG:
            return None
        is_new = before <= _TRUCK_ON_BRIDGE_KG or abs(kg - before) > _OTHER_TRAILER_KG
        return began_ms if is_new else None


@dataclass(frozen=True, slots=True)
class Came:
    """An announced trailer that has come; `weighed` unless its docking alone tells of it."""

    delivery: Delivery
    arrival_ms: int
    weighed: bool


@dataclass(slots=True)
class TrailerLedger:
    """Arrivals, dockings and departures of trailers.

    Attributes:
        since_ms: Since when this ledger has been listening; earlier ETAs count as come.
        assumed: Trailers thought to wait in the yard since before that; a bay to which none of them comes disproves it.
        grace_ms: A bay free for this long proves that none waits, where the weighbridge is silent.
    """

    since_ms: int | None = None
    assumed: int = 0
    grace_ms: int = 20 * 60_000
    _states: dict[str, tuple[str, int]] = field(default_factory=dict)
    _docked_at: dict[str, int] = field(default_factory=dict)
    _free_since: dict[str, int] = field(default_factory=dict)
    _arrivals: list[tuple[int, bool]] = field(default_factory=list)
    _departures: list[int] = field(default_factory=list)
    _weighings: list[int] = field(default_factory=list)
    _scale: _Scale = field(default_factory=_Scale)
    _weighed_ms: int | None = None
    _bridge_ms: int | None = None
    _yard: int = 0

    def bay(self, unit: str, t_ms: int, state: str) -> bool:
        """Take a bay's state; return True where a trailer has just docked."""
        self._listen(t_ms)
        self._doubt(t_ms)
        before = self._states.get(unit)
        if before is not None and before[0] == state:
            return False
        self._states[unit] = (state, t_ms)
        if state in (ABSENT, EMPTY):
            self._free_since.setdefault(unit, t_ms)
        else:
            self._free_since.pop(unit, None)
        if before is None:
            return False
        if state == ABSENT:
            self._departures.append(t_ms)
        if before[0] in (ABSENT, EMPTY) and state not in (ABSENT, EMPTY):
            self._docked_at[unit] = t_ms
            self._dock(t_ms)
            return True
        return False

    def bridge(self, t_ms: int, kg: float) -> None:
        """Take a reading of the weighbridge [kg]."""
        self._listen(t_ms)
        self._weigh(self._scale.take(t_ms, kg))
        self._bridge_ms = t_ms

    def _weigh(self, began_ms: int | None) -> None:
        """Book that a trailer began to drive on, unless it is the next axle of the last one."""
        if began_ms is None:
            return
        if self._weighed_ms is None or began_ms - self._weighed_ms >= _WEIGHING_MS:
            self._weighings.append(began_ms)
            self._weighed_ms = began_ms

    def _listen(self, t_ms: int) -> None:
        if self.since_ms is None:
            self.since_ms = t_ms

    def _dock(self, t_ms: int) -> None:
        """Book a docking: out of the yard, or by a trailer whose arrival nobody weighed."""
        self._sort_weighings(t_ms)
        if self._yard > 0:
            self._yard -= 1
        elif self.assumed > 0:
            self.assumed -= 1
        else:
            self._arrivals.append((t_ms, False))

    def _sort_weighings(self, t_ms: int) -> None:
        """Tell arrivals from departures among the weighings that are old enough to be told."""
        self._weigh(self._scale.settle(t_ms))
        ripe = [w for w in self._weighings if w <= t_ms - _LEAVES_BEFORE_MS]
        self._weighings = [w for w in self._weighings if w > t_ms - _LEAVES_BEFORE_MS]
        for weighed in ripe:
            left = [d for d in self._departures if -_LEAVES_BEFORE_MS <= weighed - d <= _LEAVES_WITHIN_MS]
            if left:
                self._departures.remove(left[0])
            else:
                self._arrivals.append((weighed, True))
                self._yard += 1

    def _doubt(self, t_ms: int) -> None:
        """Give up what was assumed of the yard once a bay has stood free for it."""
        if self.assumed and self._was_free(t_ms):
            self.assumed = 0

    def outlook(self, deliveries: Iterable[Delivery], at_ms: int) -> tuple[tuple[Expected, ...], int]:
        """Return (trailers that have not come, by ETA; trailers that wait in the yard).

        Args:
            deliveries: All announced around now.
            at_ms: Station time, epoch ms.
        """
        self._sort_weighings(at_ms)
        self._doubt(at_ms)
        self._forget(at_ms)
        since = self.since_ms if self.since_ms is not None else at_ms
        open_ones = sorted((d for d in deliveries if d.eta_ms >= since), key=lambda d: d.eta_ms)
        resumed_ms = 0
        for came in self.came(open_ones):
            open_ones.remove(came.delivery)
            if came.arrival_ms - came.delivery.eta_ms > _LONG_LATE_MS:
                resumed_ms = came.arrival_ms
        proven = self._yard_is_known(at_ms)
        expected = [
            Expected(
                d.id,
                d.eta_ms,
                d.kg,
                overdue=proven and d.eta_ms < at_ms,
                behind_ms=resumed_ms if proven and d.eta_ms < resumed_ms else None,
            )
            for d in open_ones
            if d.eta_ms >= at_ms - _FORGET_MS
        ]
        return tuple(expected), self._yard + self.assumed

    def came(self, deliveries: Iterable[Delivery]) -> list[Came]:
        """Return which announced trailers have come, in the order they came; those from before we listened left out."""
        since = self.since_ms if self.since_ms is not None else 0
        open_ones = sorted((d for d in deliveries if d.eta_ms >= since), key=lambda d: d.eta_ms)
        found = []
        for arrival_ms, weighed in sorted(self._arrivals):
            match = _match(open_ones, arrival_ms, weighed=weighed)
            if match is not None:
                open_ones.remove(match)
                found.append(Came(match, arrival_ms, weighed))
        return found

    def _yard_is_known(self, at_ms: int) -> bool:
        if self._bridge_ms is not None and at_ms - self._bridge_ms <= BRIDGE_SILENT_MS:
            return True
        return self._was_free(at_ms)

    def _was_free(self, at_ms: int) -> bool:
        """Return whether a bay has stood free for so long that no trailer can wait in the yard."""
        return any(at_ms - since >= self.grace_ms for since in self._free_since.values())

    def bay_since(self, unit: str) -> int | None:
        """Return when the present trailer docked (docked to purging) or the present state began, None if unheard."""
        known = self._states.get(unit)
        if known is None:
            return None
        if known[0] in ("docked", "earthed", "purging"):
            return self._docked_at.get(unit, known[1])
        return known[1]

    def _forget(self, at_ms: int) -> None:
        # An arrival that is forgotten while its delivery is still asked about would leave that delivery to the next
        # trailer, and every trailer since to the one after: it must be remembered for longer than plans are looked at.
        oldest = at_ms - _REMEMBER_MS
        self._arrivals = [a for a in self._arrivals if a[0] >= oldest]
        self._departures = [d for d in self._departures if d >= at_ms - 2 * _LEAVES_WITHIN_MS]


def _match(open_ones: list[Delivery], arrival_ms: int, *, weighed: bool) -> Delivery | None:
    """Return the announced trailer that an arrival is; a docking that nobody weighed is only ever an overdue one."""
    latest = arrival_ms + _EARLY_MS if weighed else arrival_ms
    return next((d for d in open_ones if d.eta_ms <= latest), None)
