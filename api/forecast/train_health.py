"""What each train gives over what its rated model would give, learned while it runs (DOMAIN 4.3 A)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.forecast.measured import Measured
from api.forecast.tags import CapacityTags
from station.domain.capacity_parameters import CapacityParameters
from station.domain.learned import Estimate
from station.domain.plant import Plant
from station.domain.static_capacity import STANDARD_AMBIENT_C, suction_share

_SETTLED_MS = 120_000
"""A train's flow counts from two minutes after it was loaded."""

_FRESH_MS = 15_000
_LEAST_MODEL_KG_H = 20.0
"""Below this flow the ratio says more about the meter than about the train."""


@dataclass(slots=True)
class TrainHealth:
    """Exponentially weighted ratio of each train's measured to modelled flow; 1 until something was learned."""

    plant: Plant
    tags: CapacityTags
    _ratio: dict[str, float] = field(default_factory=dict)
    _variance: dict[str, float] = field(default_factory=dict)
    _minutes: dict[str, float] = field(default_factory=dict)
    _loaded_since: dict[str, int] = field(default_factory=dict)
    _updated_ms: int | None = None

    def of(self, unit: str) -> float:
        """Return a train's health."""
        return self._ratio.get(unit, 1.0)

    def estimates(self) -> dict[str, Estimate]:
        """Return each train's health, its scatter, its minutes under load, and how much its rating still weighs."""
        window_min = CapacityParameters.of(self.plant.parameters).health_window_s / 60.0
        found = {}
        for train in self.plant.trains:
            minutes, sd = self._minutes.get(train.unit, 0.0), math.sqrt(self._variance.get(train.unit, 0.0))
            found[train.unit] = Estimate(self.of(train.unit), sd, minutes, math.exp(-minutes / window_min), 1.0, 0.0)
        return found

    def states(self) -> dict[str, tuple[float, ...]]:
        """Return what a restart continues from: (health, variance, minutes) of each train."""
        return {unit: (e.value, e.sd**2, e.n) for unit, e in self.estimates().items()}

    def restore(self, unit: str, state: Sequence[float]) -> None:
        """Continue from a state; a train that the station has no more, and another layout, are passed over."""
        if len(state) == 3 and state[2] > 0.0 and any(t.unit == unit for t in self.plant.trains):
            self._ratio[unit], self._variance[unit], self._minutes[unit] = state

    def modelled_kg_h(self, measured: Measured, unit: str, at_ms: int) -> float:
        """Return what a loaded train gives at the present suction by its model and its learned health [kg/h]."""
        return self._rated_kg_h(measured, unit, at_ms) * self.of(unit)

    def _rated_kg_h(self, measured: Measured, unit: str, at_ms: int) -> float:
        """Return what the rated model gives; the header stands in for a lost suction."""
        number = next(i for i, t in enumerate(self.tags.trains) if t.unit == unit)
        train, tags = self.plant.trains[number], self.tags.trains[number]
        own = measured.is_fresh(tags.suction, at_ms) or not measured.is_fresh(self.tags.header_pressure, at_ms)
        suction = measured.value(tags.suction if own else self.tags.header_pressure)
        warm = measured.value(self.tags.header_temperature)
        if suction is None:
            return train.rated_kg_h
        share = suction_share(suction, STANDARD_AMBIENT_C if warm is None else warm, train.rated_suction_mpa)
        return train.rated_kg_h * share

    def update(self, measured: Measured, at_ms: int) -> None:
        """Learn from the newest readings; called on a regular grid of station time."""
        rules = CapacityParameters.of(self.plant.parameters)
        before, self._updated_ms = self._updated_ms, at_ms
        if before is None:
            return
        weight = 1.0 - math.exp(-(at_ms - before) / 1000.0 / rules.health_window_s)
        for train, tags in zip(self.plant.trains, self.tags.trains, strict=True):
            ratio = self._measured_ratio(measured, tags.unit, at_ms)
            if ratio is not None:
                old = self._ratio.get(train.unit, 1.0)
                new = old + weight * (ratio - old)
                self._ratio[train.unit] = min(rules.health_ceiling, max(rules.health_floor, new))
                spread = self._variance.get(train.unit, 0.0) + weight * (ratio - old) ** 2
                self._variance[train.unit] = (1.0 - weight) * spread
                self._minutes[train.unit] = self._minutes.get(train.unit, 0.0) + (at_ms - before) / 6e4

    def _measured_ratio(self, measured: Measured, unit: str, at_ms: int) -> float | None:
        number = next(i for i, t in enumerate(self.tags.trains) if t.unit == unit)
        tags = self.tags.trains[number]
        loaded = self.plant.signals[tags.state].state_number("loaded")
        if measured.value(tags.state) != loaded:
            self._loaded_since.pop(unit, None)
            return None
        since = self._loaded_since.setdefault(unit, at_ms)
        suction, flow, heard = measured.value(tags.suction), measured.value(tags.flow), measured.time_ms(tags.flow)
        if at_ms - since < _SETTLED_MS or suction is None or flow is None or heard is None:
            return None
        model = self._rated_kg_h(measured, unit, at_ms)
        if at_ms - heard > _FRESH_MS or model < _LEAST_MODEL_KG_H:
            return None
        return flow / model
