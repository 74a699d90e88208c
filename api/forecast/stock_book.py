"""What banks and trailers hold by book: last measured, plus what went in, less what went out.

The book stands in for a vessel whose transmitters are all lost. All banks together gain what the trains compress and
lose what the hoses give, but for what trucks take straight from trailers; less what the measured banks gained, the rest
is the lost one's. A trailer loses what its unloading meter counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.forecast.loss_watch import LossWatch
from api.forecast.measured import Measured
from api.forecast.tags import BayTags, CapacityTags
from api.forecast.train_health import TrainHealth
from station.domain import hydrogen
from station.domain.capacity_parameters import CapacityParameters
from station.domain.isotherms import density
from station.domain.plant import Plant
from station.domain.signals import UnitMessage

_HOUR_MS = 3_600_000.0
_LONGEST_STEP_MS = 120_000
"""A flow is held for no longer than this: then nothing is known of it."""

_TO_TRUCKS = ("fill", "hold")


@dataclass(slots=True)
class Held:
    """What a vessel holds by book.

    Attributes:
        kg: Mass [kg].
        since_ms: When it was measured last, epoch ms.
        moved_kg: What went in and out of the station's storage since then: the book's error grows with it [kg].
    """

    kg: float
    since_ms: int
    moved_kg: float = 0.0

    def sd_kg(self, rules: CapacityParameters, at_ms: int) -> float:
        """Return the standard deviation of `kg` [kg]; it grows with time and with what moved."""
        hours = (at_ms - self.since_ms) / _HOUR_MS
        measured = rules.sensor_kg_sd_share * self.kg
        return math.hypot(measured, rules.model_flow_sd_share * self.moved_kg, rules.model_kg_h_sd * hours)


@dataclass(slots=True)
class _Meter:
    """Sums a flow [kg/h] to kilograms, each value held until the next."""

    kg: float = 0.0
    last: tuple[int, float] | None = None

    def take(self, t_ms: int, kg_h: float) -> None:
        if self.last is not None:
            self.kg += self.last[1] * min(t_ms - self.last[0], _LONGEST_STEP_MS) / _HOUR_MS
        self.last = (t_ms, kg_h)

    def collect(self) -> float:
        kg, self.kg = self.kg, 0.0
        return kg


@dataclass(slots=True)
class StockBook:
    """Books of all banks and trailers.

    Attributes:
        gained_kg: Bank by bank, what each gained in the last interval by the others and the meters alone; None where
            that cannot be told [kg].
        losses: What the banks lose that no hose got.
    """

    plant: Plant
    tags: CapacityTags
    gained_kg: list[float | None] = field(default_factory=list)
    losses: LossWatch = field(init=False)
    _meters: dict[str, _Meter] = field(default_factory=dict)
    _totals: dict[str, float] = field(default_factory=dict)
    _ahead: dict[str, float] = field(default_factory=dict)
    _banks: list[Held | None] = field(default_factory=list)
    _bays: dict[str, Held] = field(default_factory=dict)
    _at_ms: int | None = None

    def __post_init__(self) -> None:
        """Prepare a meter for each flow that is summed."""
        rules = CapacityParameters.of(self.plant.parameters)
        self.losses = LossWatch(len(self.tags.banks), rules.leak_kg_h)
        self._banks = [None] * len(self.tags.banks)
        self.gained_kg = [None] * len(self.tags.banks)
        flows = [train.flow for train in self.tags.trains] + [bay.flow for bay in self.tags.bays]
        self._meters = {flow: _Meter() for flow in flows}

    def observe(self, message: UnitMessage, flow: str) -> None:
        """Take a message that may carry a flow."""
        value = message.values.get(flow)
        if value is not None:
            self._meters[flow].take(message.t_ms, max(0.0, value))

    def bank(self, index: int) -> Held | None:
        """Return a bank's book, None where it was never measured."""
        return self._banks[index]

    def bay(self, unit: str) -> Held | None:
        """Return the book of the trailer at a bay, None where none was measured."""
        return self._bays.get(unit)

    def tick(self, measured: Measured, health: TrainHealth, banks_mpa: Sequence[float | None], at_ms: int) -> None:
        """Let an interval end: measured vessels start anew, the others are kept by what moved.

        Args:
            measured: Newest readings.
            health: Stands in for a train's meter.
            banks_mpa: Pressure of each bank by the transmitters that can be trusted, None where none can [MPa].
            at_ms: Station time, epoch ms.
        """
        hours = 0.0 if self._at_ms is None else min(at_ms - self._at_ms, 10 * _LONGEST_STEP_MS) / _HOUR_MS
        self._at_ms = at_ms
        compressed = self._compressed(measured, health, hours, at_ms)
        given = self._given(measured, hours, at_ms)
        bays = self._from_bays(measured, compressed, at_ms)
        # What trucks take from trailers passes no train; negative only by the noise of meters, which evens out.
        direct = sum(bays.values()) - compressed if bays else 0.0
        moved = compressed + given
        before = {unit: (held.kg, held.moved_kg) for unit, held in self._bays.items()}
        for bay in self.tags.bays:
            self._keep_bay(measured, bay, bays.get(bay.unit, 0.0), at_ms)
        gained = compressed - given + direct
        rises = self._keep_banks(measured, banks_mpa, gained, moved, at_ms)
        self.losses.take(gained, rises, given, at_ms, self._left_trailers_kg(before, at_ms))

    # --- what moved ---

    def _compressed(self, measured: Measured, health: TrainHealth, hours: float, at_ms: int) -> float:
        total = 0.0
        for train, tags in zip(self.plant.trains, self.tags.trains, strict=True):
            kg = self._meters[tags.flow].collect()
            if not measured.is_fresh(tags.flow, at_ms):
                loaded = measured.value(tags.state) == self.plant.signals[tags.state].state_number("loaded")
                kg = health.modelled_kg_h(measured, train.unit, at_ms) * hours if loaded else 0.0
            total += kg
        return total

    def _given(self, measured: Measured, hours: float, at_ms: int) -> float:
        """Return what the hoses gave; a silent totaliser's is thought at the mean flow and put right when heard."""
        total = 0.0
        for hose in self.tags.hoses:
            count = measured.value(hose.total)
            if count is None:
                continue
            ahead = self._ahead.get(hose.unit, 0.0)
            if measured.is_fresh(hose.total, at_ms):
                total += count - self._totals.get(hose.unit, count) - ahead
                self._totals[hose.unit], self._ahead[hose.unit] = count, 0.0
            elif self._gives(measured, hose.state):
                kg = self.plant.fill.mean_flow_g_s * 3.6 * hours
                self._ahead[hose.unit] = ahead + kg
                total += kg
        return total

    def _gives(self, measured: Measured, state: str) -> bool:
        numbers = [self.plant.signals[state].state_number(name) for name in _TO_TRUCKS]
        return measured.value(state) in numbers

    def _from_bays(self, measured: Measured, compressed: float, at_ms: int) -> dict[str, float]:
        """Return what left each open trailer; a silent meter's share of what the others do not explain."""
        counted = {bay.unit: self._meters[bay.flow].collect() for bay in self.tags.bays}
        open_ones = [bay for bay in self.tags.bays if self._is_open(measured, bay)]
        silent = [bay.unit for bay in open_ones if not measured.is_fresh(bay.flow, at_ms)]
        found = {bay.unit: counted[bay.unit] for bay in open_ones if bay.unit not in silent}
        rest = max(0.0, compressed - sum(found.values()))
        return found | {unit: rest / len(silent) for unit in silent}

    def _is_open(self, measured: Measured, bay: BayTags) -> bool:
        return measured.value(bay.state) == self.plant.signals[bay.state].state_number("open")

    def _left_trailers_kg(self, before: Mapping[str, tuple[float, float]], at_ms: int) -> float | None:
        """Return what trailers lost by their pressures in an interval, None where one was kept by book in it."""
        left = 0.0
        for unit, held in self._bays.items():
            kg, moved_kg = before.get(unit, (held.kg, 0.0))
            if held.since_ms != at_ms or moved_kg:
                return None
            left += kg - held.kg
        return left

    # --- what is held ---

    def _keep_bay(self, measured: Measured, bay: BayTags, gone_kg: float, at_ms: int) -> None:
        states = self.plant.signals[bay.state]
        if measured.value(bay.state) in (states.state_number("absent"), states.state_number("empty")):
            self._bays.pop(bay.unit, None)
            return
        tags = (bay.pressure, bay.hose_pressure) if self._is_open(measured, bay) else (bay.pressure,)
        mpa = next((measured.value(tag) for tag in tags if measured.is_fresh(tag, at_ms)), None)
        warm = measured.value(bay.temperature)
        if mpa is not None and warm is not None:
            self._bays[bay.unit] = Held(self.plant.supply.volume_m3 * density(mpa, warm), at_ms)
        elif bay.unit in self._bays:
            held = self._bays[bay.unit]
            held.kg, held.moved_kg = max(0.0, held.kg - gone_kg), held.moved_kg + gone_kg

    def _keep_banks(
        self, measured: Measured, banks_mpa: Sequence[float | None], gained: float, moved: float, at_ms: int
    ) -> list[float | None]:
        """Keep each bank's mass, and return what each gained, None where that is not measured [kg]."""
        before = [held.kg if held is not None else None for held in self._banks]
        now: list[float | None] = []
        for spec, tags, mpa in zip(self.plant.banks, self.tags.banks, banks_mpa, strict=True):
            warm = measured.value(tags.temperature)
            now.append(None if mpa is None or warm is None else spec.volume_m3 * density(mpa, warm))
        rises = [None if a is None or b is None else b - a for a, b in zip(before, now, strict=True)]
        lost = [i for i, rise in enumerate(rises) if rise is None]
        rest = gained - sum(rise for rise in rises if rise is not None)
        volume = sum(self.plant.banks[i].volume_m3 for i in lost)
        for i, kg in enumerate(now):
            others = [rise for j, rise in enumerate(rises) if j != i]
            self.gained_kg[i] = None if None in others else gained - sum(rise for rise in others if rise is not None)
            held = self._banks[i]
            if kg is not None:
                self._banks[i] = Held(kg, at_ms)
            elif held is not None:
                held.kg += rest * self.plant.banks[i].volume_m3 / volume
                held.moved_kg += moved
        return rises


def pressure_of(kg: float, volume_m3: float, temperature_c: float, most_mpa: float) -> float:
    """Return the pressure of a mass in a vessel [MPa], at most the highest it is ever filled to."""
    most = density(most_mpa, temperature_c)
    held = min(max(kg, 0.0) / volume_m3, most)
    return hydrogen.pressure(held, temperature_c + hydrogen.KELVIN) if held > 0.0 else 0.0
