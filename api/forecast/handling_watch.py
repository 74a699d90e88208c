"""Times and masses that are learned the moment they are seen: connecting, leaving, what a trailer brings."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from api.forecast.measured import Measured
from api.forecast.tags import BayTags, CapacityTags
from station.domain import isotherms
from station.domain.capacity_snapshot import TRAILER_ON_ITS_WAY_IN
from station.domain.day_plan import DayPlan
from station.domain.estimators import Estimator, Sample
from station.domain.fill_ledger import CONNECT as CONNECTED
from station.domain.fill_ledger import END
from station.domain.learned import AFTER, CONNECT, UNDERFILL
from station.domain.plant import Plant
from station.domain.supply_outlook import residual_kg
from station.domain.taught import underfill_share
from station.domain.trailer_ledger import TrailerLedger

_FLOWS = "fill"
_SHORTEST_MIN, _LONGEST_CONNECT_MIN, _LONGEST_AFTER_MIN = 0.5, 20.0, 40.0
"""What is outside is no truck's handling: a message lost, a driver at lunch [min]."""
_ANNOUNCED_WITHIN_MS = 12 * 3_600_000
"""A docked trailer was announced for this long before or for an hour after."""
_EARLY_MS = 3_600_000


@dataclass(slots=True)
class _HoseTimes:
    state: str | None = None
    connected_ms: int | None = None
    ended_ms: int | None = None
    queued: bool = False


@dataclass(slots=True)
class HandlingWatch:
    """Watches hoses and bays, and teaches.

    Attributes:
        until_ms: Parameter -> the newest event that is in its estimate; nothing older is taken again.
    """

    plant: Plant
    tags: CapacityTags
    lessons: Mapping[str, Estimator]
    until_ms: dict[str, int] = field(default_factory=dict)
    _hoses: dict[str, _HoseTimes] = field(default_factory=dict)
    _docked: dict[str, tuple[int, float]] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget what has begun and not ended; what was learned stays."""
        self._hoses.clear()
        self._docked.clear()

    def hose(self, unit: str, t_ms: int, state: str, queue: Callable[[], Sequence[object]]) -> None:
        """Take a hose's fill state; `queue` tells who waits at the gate."""
        times = self._hoses.setdefault(unit, _HoseTimes())
        before, times.state = times.state, state
        if state == before or before is None:
            return
        if before == END:
            self._left(times, t_ms)
        if state == CONNECTED:
            self._next(times, t_ms)
            times.connected_ms = t_ms
        elif state == _FLOWS and times.connected_ms is not None:
            self._teach(CONNECT, t_ms, (t_ms - times.connected_ms) / 6e4, _LONGEST_CONNECT_MIN)
            times.connected_ms = None
        elif state == END:
            times.ended_ms, times.queued = t_ms, bool(queue())

    def _left(self, times: _HoseTimes, t_ms: int) -> None:
        """Where a hose stands at `end` until its truck has left, that is the handling after the fill."""
        if times.ended_ms is not None and self._teach(AFTER, t_ms, (t_ms - times.ended_ms) / 6e4, _LONGEST_AFTER_MIN):
            times.ended_ms = None

    def _next(self, times: _HoseTimes, t_ms: int) -> None:
        """Else the next truck tells when the hose was free again, if one was waiting for it."""
        if times.ended_ms is not None and times.queued:
            self._teach(AFTER, t_ms, (t_ms - times.ended_ms) / 6e4, _LONGEST_AFTER_MIN)
        times.ended_ms = None

    def _teach(self, name: str, t_ms: int, minutes: float, longest: float) -> bool:
        if not _SHORTEST_MIN <= minutes <= longest:
            return False
        if t_ms > self.until_ms.get(name, 0):
            sample = self.lessons[name]
            assert isinstance(sample, Sample)
            sample.add(math.log(minutes) if name == AFTER else minutes)
            self.until_ms[name] = t_ms
        return True

    def tick(self, measured: Measured, trailers: TrailerLedger, plans: Mapping[dt.date, DayPlan], at_ms: int) -> None:
        """Weigh each trailer by its pressure and temperature before its valve is opened."""
        for bay in self.tags.bays:
            number = measured.value(bay.state)
            states = self.plant.signals[bay.state].states
            state = states[int(number)].en if number is not None and 0 <= int(number) < len(states) else None
            since_ms = trailers.bay_since(bay.unit)
            if state in TRAILER_ON_ITS_WAY_IN and since_ms is not None:
                self._look(measured, bay, since_ms, at_ms)
            elif bay.unit in self._docked:
                docked_ms, net_kg = self._docked.pop(bay.unit)
                if state == "open":
                    self._weighed(docked_ms, net_kg, plans)

    def _look(self, measured: Measured, bay: BayTags, since_ms: int, at_ms: int) -> None:
        pressure, warm = measured.value(bay.pressure), measured.value(bay.temperature)
        heard = measured.time_ms(bay.pressure)
        if pressure is None or warm is None or heard is None or heard <= since_ms:
            return
        if not (measured.is_fresh(bay.pressure, at_ms) and measured.is_fresh(bay.temperature, at_ms)):
            return
        supply = self.plant.supply
        gross_kg = supply.volume_m3 * isotherms.density(pressure, warm)
        # What is announced leaves out what a trailer keeps, reckoned at the temperature of its filling.
        self._docked[bay.unit] = (since_ms, gross_kg - residual_kg(supply, supply.fill_temperature_c))

    def _weighed(self, docked_ms: int, net_kg: float, plans: Mapping[dt.date, DayPlan]) -> None:
        """Compare with what was announced; trailers that were announced about then bring alike."""
        kg = [
            d.kg
            for plan in plans.values()
            for d in plan.trailers
            if docked_ms - _ANNOUNCED_WITHIN_MS <= d.eta_ms <= docked_ms + _EARLY_MS
        ]
        if not kg or docked_ms <= self.until_ms.get(UNDERFILL, 0):
            return
        sample = self.lessons[UNDERFILL]
        assert isinstance(sample, Sample)
        sample.add(underfill_share(self.plant.supply, sum(kg) / len(kg), net_kg))
        self.until_ms[UNDERFILL] = docked_ms
