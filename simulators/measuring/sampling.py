"""Sampling: true values -> one message per unit and moment, with exactly the signals that are due then.

Contract section 3: analogue values at their period, states and digital inputs on change and at their period, hose
signals five times a second while the hose is in leak-check..hold, vehicle signals only then and one closing FC = none.
All of it is worked out for a block of steps at once; only the last row of a block is carried into the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from simulators.block import TruthBlock
from simulators.faults import FaultBoard
from simulators.measuring.gateway_clocks import GatewayClocks
from simulators.measuring.instruments import Columns, Flags, Floats, Instruments, Times
from simulators.measuring.lag import Lag
from simulators.measuring.sampled import SampledBlock, SampledGroup, Value, numbered
from simulators.measuring.sensor_faults import Held, SensorFaults
from station.domain.plant import Hose, Plant, UnitKey
from station.domain.signals import Kind

Codes = npt.NDArray[np.int64]
"""Which signals of a unit are due, a bit each, in the order of the unit's tags."""

FIRST_FILL_STATE: Final = "leak-check"
LAST_FILL_STATE: Final = "hold"
NO_COMMAND: Final = "none"
AT_THE_END: Final = "uncertain:range"
"""Of a value at an end of its instrument's range. Uncertain and not bad: a transmitter that has run into its end still
says which way (NAMUR NE 43 keeps 20.5 mA apart from a failure's 21 mA), and its HH must not fall silent for it."""
_NO_FAULTS: Final = FaultBoard()


class SamplerState(msgspec.Struct):
    """What the next block needs of the past: last row, its time, lags, held values, last number of each unit."""

    last_ms: int | None
    last: list[float | None]
    lagged: list[float | None]
    held: Held
    seqs: dict[str, int]


@dataclass(frozen=True, slots=True)
class _HoseColumns:
    """Where a hose's signals stand among the plant's; `fast` are sampled between steps while it fills."""

    state: int
    total: int
    command: int
    vehicle: Columns
    fast: Columns
    fast_ms: int
    fill_states: tuple[int, int]
    no_command: int


@dataclass(frozen=True, slots=True)
class _UnitColumns:
    """The signals of one unit: their tags, and where they stand among the plant's."""

    tags: tuple[str, ...]
    columns: Columns
    discrete: tuple[bool, ...]


class Sampler:
    """Turns blocks of truth into messages; carries the last row, the lags and the sequence numbers.

    Args:
        plant: The station.
        seed: Of the instruments' errors and the clocks'.
        boot: Identity of this run of the devices.
    """

    def __init__(self, plant: Plant, seed: int, boot: str) -> None:
        self.boot = boot
        self._station = plant.id
        self._instruments = Instruments(plant, seed)
        self._sensors = SensorFaults(plant, self._instruments, seed)
        self._lag = Lag(plant)
        self._clocks = GatewayClocks(plant, seed)
        signals = list(plant.signals.values())
        place = {signal.tag: number for number, signal in enumerate(signals)}
        self._keys: tuple[UnitKey, ...] = tuple(plant.units)
        self._units = [_unit_columns(plant, key, place) for key in self._keys]
        self._by_unit = np.concatenate([unit.columns for unit in self._units])
        self._bits = np.concatenate([1 << np.arange(len(unit.tags)) for unit in self._units])
        self._starts = np.cumsum([0, *(len(unit.tags) for unit in self._units)])[:-1]
        self._discrete = np.array([signal.kind.is_discrete for signal in signals])
        self._discrete_columns = np.flatnonzero(self._discrete)
        self._counters = np.flatnonzero([signal.kind is Kind.COUNTER for signal in signals])
        periods_ms = np.array([round(signal.rate_s * 1000) for signal in signals])
        self._periods_ms, self._period = np.unique(periods_ms, return_inverse=True)
        self._hoses = [_hose_columns(plant, hose, place) for hose in plant.hoses]
        numbers = {key: number for number, key in enumerate(self._keys)}
        self._fast_units = [
            _fast_units(self._units, numbers, hose.unit, columns.fast)
            for hose, columns in zip(plant.hoses, self._hoses, strict=True)
        ]
        self._all = np.arange(len(signals))
        self._last = np.full(len(signals), np.nan)
        self._last_ms: int | None = None
        self._seqs = np.zeros(len(self._keys), dtype=np.int64)

    @property
    def state(self) -> SamplerState:
        """What the next block needs of the past."""
        seqs = {f"{area}/{unit}": int(seq) for (area, unit), seq in zip(self._keys, self._seqs, strict=True)}
        last = [None if np.isnan(x) else x for x in self._last.tolist()]
        return SamplerState(self._last_ms, last, self._lag.state, self._sensors.held, seqs)

    def resume(self, state: SamplerState) -> None:
        """Continue after the block that `state` was taken at; units without a number begin at 1."""
        self._last_ms = state.last_ms
        self._last = np.array([np.nan if x is None else x for x in state.last], dtype=np.float64)
        self._lag.resume(state.lagged)
        self._sensors.held = dict(state.held)
        self._seqs = np.array([state.seqs.get(f"{area}/{unit}", 0) for area, unit in self._keys], dtype=np.int64)

    def sample(
        self, block: TruthBlock, every: dt.timedelta | None = None, faults: FaultBoard = _NO_FAULTS
    ) -> SampledBlock:
        """Return the messages of a block, in order of (true time, unit).

        Args:
            block: Steps that follow those of the last call.
            every: Coarse sampling, for history: each unit once in this time with all it has, besides changes of
                states and digital inputs at once and a hose's totaliser with each change of its state. Its times
                are true ones but for a clock's fault.
            faults: The station's; those of instruments and clocks act here.
        """
        step_ms = round(block.dt_s * 1000)
        rows = np.vstack((self._last, block.values))
        self._hold_counters(rows)
        filling = self._close_vehicles(rows)
        before_ms = block.t_ms - step_ms
        if self._last_ms is not None and self._last_ms != before_ms[0]:
            before_ms[0] = self._last_ms
            filling[0] = False  # the step was another: nothing is told between rows that far apart
        moments = np.concatenate((before_ms[:1], block.t_ms))
        acting = self._lag.follow(rows, moments)
        first_ms, last_ms = int(moments[0]), int(moments[-1])
        self._sensors.begin(faults.of_layer("instrument", first_ms, last_ms), moments, acting)
        shown = self._sensors.measure(self._all, moments, acting)
        due = self._due(before_ms, block.t_ms, rows, shown, every)
        groups = self._step_groups(block.t_ms, due, shown[1:])
        if every is None:
            groups += self._fast_groups(before_ms, step_ms, acting, filling[:-1])
        self._last, self._last_ms = rows[-1].copy(), last_ms
        clock_faults = faults.of_layer("gateway", first_ms, last_ms)

        def ahead_ms(units: Columns, t_ms: Times) -> Times:
            gateways = self._clocks.of_unit[units]
            return self._clocks.offsets_ms(gateways, t_ms, clock_faults, true_clocks=every is not None)

        return numbered(self._station, self.boot, self._keys, groups, self._seqs, ahead_ms)

    def _hold_counters(self, rows: Floats) -> None:
        """Keep counters from falling back by a rounding error of their truth; where there is no value there is none."""
        counted = rows[:, self._counters]
        held = np.fmax.accumulate(counted, axis=0)
        rows[:, self._counters] = np.where(np.isnan(counted), counted, held)

    def _close_vehicles(self, rows: Floats) -> Flags:
        """Leave vehicle signals only where their hose fills, and one FC = none after it.

        Returns:
            Whether each hose fills at each row, the carried row first.
        """
        filling = np.empty((len(rows), len(self._hoses)), dtype=np.bool_)
        for number, hose in enumerate(self._hoses):
            first, last = hose.fill_states
            state = rows[:, hose.state]
            now = filling[:, number] = (state >= first) & (state <= last)
            rows[np.ix_(np.flatnonzero(~now[1:]) + 1, hose.vehicle)] = np.nan
            rows[np.flatnonzero(now[:-1] & ~now[1:]) + 1, hose.command] = hose.no_command
        return filling

    def _due(self, before_ms: Times, t_ms: Times, rows: Floats, shown: Floats, every: dt.timedelta | None) -> Flags:
        """Return which signals are sampled at which step: where there is anything to sample, shown or not."""
        if every is None:
            due = _passed(before_ms, t_ms, self._periods_ms)[:, self._period]
        else:
            every_ms = np.array([round(every.total_seconds() * 1000)])
            due = np.repeat(_passed(before_ms, t_ms, every_ms), rows.shape[1], axis=1)
        changed = shown[1:] != shown[:-1]
        changed &= self._discrete
        silent = np.isnan(shown[:, self._discrete_columns])
        if silent.any():  # none to none is no change, though no number equals another
            changed[:, self._discrete_columns] &= ~(silent[1:] & silent[:-1])
        due |= changed
        if every is not None:
            for hose in self._hoses:
                due[:, hose.total] |= changed[:, hose.state]
        due &= ~np.isnan(rows[1:])
        return due

    def _step_groups(self, t_ms: Times, due: Flags, shown: Floats) -> list[SampledGroup]:
        codes = np.add.reduceat(due[:, self._by_unit] * self._bits, self._starts, axis=1)
        failed = bool((due & np.isnan(shown)).any())
        values = _Values(shown, self._instruments.pegged(self._all, shown), failed=failed)
        groups: list[SampledGroup] = []
        for number, unit in enumerate(self._units):
            groups += _groups(number, unit, codes[:, number], t_ms, values, unit.columns)
        return groups

    def _fast_groups(self, before_ms: Times, step_ms: int, rows: Floats, filling: Flags) -> list[SampledGroup]:
        """Return the samples between steps of the hoses that fill: values on the line from step to step."""
        groups: list[SampledGroup] = []
        for number, hose in enumerate(self._hoses):
            steps = np.flatnonzero(filling[:, number])
            parts = step_ms // hose.fast_ms
            if not steps.size or parts < 2:
                continue
            along = np.arange(1, parts)
            t_ms = (before_ms[steps][:, None] + along * hose.fast_ms).reshape(-1)
            truth = self._between(rows, steps, hose.fast, along.astype(np.float64) * hose.fast_ms / step_ms)
            shown = self._sensors.measure(hose.fast, t_ms, truth)
            failed = bool((np.isnan(shown) & ~np.isnan(truth)).any())
            values = _Values(shown, self._instruments.pegged(hose.fast, shown), failed=failed)
            for unit_number, unit, within in self._fast_units[number]:
                present = ~np.isnan(truth[:, within])
                codes = present @ (1 << np.arange(len(unit.tags)))
                groups += _groups(unit_number, unit, codes, t_ms, values, within)
        return groups

    def _between(self, rows: Floats, steps: Columns, columns: Columns, share: Floats) -> Floats:
        """Return the values at `share` of the way from each step's row to the next; states and last words stay."""
        before, after = rows[np.ix_(steps, columns)], rows[np.ix_(steps + 1, columns)]
        stays = np.isnan(after) | self._discrete[columns]
        after = np.where(stays, before, after)
        between = before[:, None] + (after - before)[:, None] * share[:, None]
        counters = np.flatnonzero(np.isin(columns, self._counters))
        # a rounding error must not carry a counter past the step that follows
        between[:, :, counters] = np.minimum(between[:, :, counters], after[:, None, counters])
        return between.reshape(-1, len(columns))


def _passed(before_ms: Times, t_ms: Times, periods_ms: Times) -> Flags:
    """Return whether a multiple of each period since the epoch lies within the step that ends at each time."""
    passed: Flags = t_ms[:, None] // periods_ms > before_ms[:, None] // periods_ms
    return passed


class _Values:
    """What is shown, a row a signal: numbers, where sensors failed, and what stands at an end of its range."""

    def __init__(self, shown: Floats, pegged: Flags | None, *, failed: bool) -> None:
        self._by_signal = np.ascontiguousarray(shown.T)
        self._pegged = None if pegged is None else np.ascontiguousarray(pegged.T)
        self._failed = failed

    def lines(self, signals: Columns, rows: Columns, discrete: Sequence[bool]) -> list[list[Value]]:
        """Return the values of each signal; None where it has failed."""
        lines: list[list[Value]] = self._by_signal[np.ix_(signals, rows)].tolist()
        for place, line in enumerate(lines):
            if self._failed:
                line[:] = [None if x is None or np.isnan(x) else x for x in line]
            if discrete[place]:
                line[:] = [None if x is None else int(x) for x in line]
        return lines

    def quality(self, signals: Columns, tags: Sequence[str], rows: Columns) -> Sequence[Mapping[str, str]] | None:
        """Return of each row what is not good, None where all is."""
        if self._pegged is None or not (at_end := self._pegged[np.ix_(signals, rows)]).any():
            return None
        return [{tags[place]: AT_THE_END for place in np.flatnonzero(row).tolist()} for row in at_end.T]


def _groups(
    number: int, unit: _UnitColumns, codes: Codes, t_ms: Times, values: _Values, columns: Columns
) -> list[SampledGroup]:
    """Return the messages of one unit, gathered by which signals they carry.

    Args:
        number: The unit's place in the plant's order.
        unit: Its signals.
        codes: Of each row: which of them.
        t_ms: Of each row.
        values: What is shown.
        columns: Where the unit's signals stand in `values`.
    """
    groups = []
    patterns, pattern_of = np.unique(codes, return_inverse=True)
    for place, pattern in enumerate(patterns.tolist()):
        if not pattern:
            continue
        rows = np.flatnonzero(pattern_of == place)
        chosen = [bit for bit in range(len(unit.tags)) if pattern >> bit & 1]
        tags = tuple(unit.tags[bit] for bit in chosen)
        lines = values.lines(columns[chosen], rows, [unit.discrete[bit] for bit in chosen])
        quality = values.quality(columns[chosen], tags, rows)
        groups.append(SampledGroup(number, tags, t_ms[rows], lines, t_ms[rows], quality))
    return groups


def _fast_units(
    units: Sequence[_UnitColumns], number_of: Mapping[UnitKey, int], hose: str, fast: Columns
) -> list[tuple[int, _UnitColumns, Columns]]:
    """Return (unit number, its signals that are fast, their places within `fast`) of the units of one hose."""
    found = []
    for area in ("dispensing", "vehicle"):
        number = number_of[(area, hose)]
        unit = units[number]
        kept = np.flatnonzero(np.isin(unit.columns, fast))
        columns = unit.columns[kept]
        part = _UnitColumns(tuple(unit.tags[i] for i in kept), columns, tuple(unit.discrete[i] for i in kept))
        found.append((number, part, np.array([int(np.flatnonzero(fast == column)[0]) for column in columns])))
    return found


def _unit_columns(plant: Plant, key: UnitKey, place: Mapping[str, int]) -> _UnitColumns:
    tags = plant.units[key].tags
    columns = np.array([place[tag] for tag in tags], dtype=np.intp)
    return _UnitColumns(tags, columns, tuple(plant.signals[tag].kind.is_discrete for tag in tags))


def _hose_columns(plant: Plant, hose: Hose, place: Mapping[str, int]) -> _HoseColumns:
    state = plant.signals[plant.tag("dispensing", hose.unit, "state")]
    command = plant.signals[plant.tag("vehicle", hose.unit, "command")]
    vehicle = plant.units[("vehicle", hose.unit)].tags
    fast = [tag for tag in plant.units[("dispensing", hose.unit)].tags if plant.signals[tag].fill_rate_s is not None]
    fast += vehicle
    periods = [plant.signals[tag].fill_rate_s or plant.signals[tag].rate_s for tag in fast]
    return _HoseColumns(
        state=place[state.tag],
        total=place[plant.tag("dispensing", hose.unit, "total")],
        command=place[command.tag],
        vehicle=np.array([place[tag] for tag in vehicle], dtype=np.intp),
        fast=np.array([place[tag] for tag in fast], dtype=np.intp),
        fast_ms=round(min(periods) * 1000),
        fill_states=(state.state_number(FIRST_FILL_STATE), state.state_number(LAST_FILL_STATE)),
        no_command=command.state_number(NO_COMMAND),
    )
