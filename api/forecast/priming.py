"""What the ledgers must know of the day before this start, out of the reading store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from api.forecast.gate import Gate
from api.forecast.measured import Measured
from api.forecast.tags import CapacityTags, HoseTags
from station.domain.arrivals import Arrival
from station.domain.fill_ledger import FillLedger
from station.domain.hydrogen import H35_REFERENCE_KG_M3
from station.domain.plant import Plant
from station.domain.signals import Reading
from station.domain.trailer_ledger import TrailerLedger
from station.ports import ReadingStore

_DAY_MS = 86_400_000
NEAR_MS = 150_000
"""In a history of one message a minute the totaliser next to a change of state is this near."""


_LOOK_BACK_MS = 600_000
"""Twice the slowest sampling period: what has been silent for longer says nothing of now."""


def missing_kg(soc_percent: float, tank_litres: float, end_soc: float) -> float:
    """Return what a tank lacks to its target [kg], from its density state of charge [%] and volume [L]."""
    return max(0.0, end_soc - soc_percent / 100.0) * H35_REFERENCE_KG_M3 * tank_litres / 1000.0


def newest_until(store: ReadingStore, station: str, tags: Sequence[str], at_ms: int) -> list[Reading]:
    """Return the newest reading of each tag that is not newer than `at_ms`.

    An ingest beside us may have stored what we have yet to hear: what a start knows must not depend on which of the two
    was quicker. The store may also hold a later day of another run.
    """
    found = []
    for tag, newest in store.latest(station, tags).items():
        if newest.t_ms <= at_ms:
            found.append(newest)
        else:
            found += store.raw(station, tag, at_ms - _LOOK_BACK_MS, at_ms + 1)[-1:]
    return found


def prime_measured(plant: Plant, store: ReadingStore, tags: CapacityTags, measured: Measured, at_ms: int) -> None:
    """Take the newest reading of each input that is not newer than `at_ms`."""
    for reading in newest_until(store, plant.id, tags.all(), at_ms):
        measured.prime(reading)


def prime_trailers(plant: Plant, store: ReadingStore, tags: CapacityTags, trailers: TrailerLedger, at_ms: int) -> None:
    """Take the bays' states and the weighings of the last day, in the order they happened."""
    start_ms, end_ms = at_ms - _DAY_MS, at_ms + 1
    rows: list[tuple[int, int, str, float]] = []
    for bay in tags.bays:
        rows += [(t, 0, bay.unit, v) for t, v in _usable(store, plant, bay.state, start_ms, end_ms)]
    rows += [(t, 1, "", v) for t, v in _usable(store, plant, tags.weighbridge, start_ms, end_ms)]
    states = {bay.unit: plant.signals[bay.state].states for bay in tags.bays}
    for t_ms, kind, unit, value in sorted(rows, key=lambda row: row[:2]):
        if kind == 0:
            trailers.bay(unit, t_ms, states[unit][int(value)].en)
        else:
            trailers.bridge(t_ms, value)


def prime_down(
    plant: Plant, store: ReadingStore, tags: CapacityTags, measured: Measured, start_ms: int, at_ms: int
) -> dict[str, int]:
    """Return since when each machine that is down has been so, epoch ms; at the earliest since `start_ms`."""
    states = [(train.state, "trip") for train in tags.trains] + [(chiller.state, "trip") for chiller in tags.chillers]
    found = {}
    for tag, broken in [*states, *((hose.state, "fault") for hose in tags.hoses)]:
        number = plant.signals[tag].state_number(broken)
        if measured.value(tag) != number:
            continue
        rows = list(_usable(store, plant, tag, start_ms, at_ms + 1))
        others = [t_ms for t_ms, value in rows if value != number]
        after = [t_ms for t_ms, _ in rows if not others or t_ms > others[-1]]
        if after:
            found[tag] = after[0]
    return found


def prime_fills(
    plant: Plant,
    store: ReadingStore,
    tags: CapacityTags,
    fills: FillLedger,
    gate: Gate,
    start_ms: int,
    at_ms: int,
) -> None:
    """Take every fill since `start_ms` out of the hoses' changes of state and the totalisers beside them."""
    for hose in tags.hoses:
        _prime_hose(plant, store, hose, fills, gate, start_ms, at_ms)
    fills.fills.sort(key=lambda fill: fill.end_ms)
    gate.arrivals.sort(key=lambda arrival: arrival.t_ms)


def _prime_hose(
    plant: Plant, store: ReadingStore, hose: HoseTags, fills: FillLedger, gate: Gate, start_ms: int, at_ms: int
) -> None:
    end_ms = at_ms + 1
    names = plant.signals[hose.state].states
    before: float | None = None
    for t_ms, value in _usable(store, plant, hose.state, start_ms, end_ms):
        if value == before:
            continue
        before = value
        total = store.raw(plant.id, hose.total, t_ms, min(t_ms + NEAR_MS, end_ms), 1)
        if total and total[0].value is not None:
            fills.total(hose.unit, total[0].value)
        if fills.state(hose.unit, t_ms, names[int(value)].en, partial(_lacking, plant, store, hose, t_ms)):
            gate.arrivals.append(Arrival(t_ms))


def _lacking(plant: Plant, store: ReadingStore, hose: HoseTags, end_ms: int) -> float:
    """Return what a truck lacked when its fill ended, by its last tank data; 0 where it gave none."""
    start_ms = end_ms - NEAR_MS
    soc = list(_usable(store, plant, hose.soc, start_ms, end_ms))
    litres = list(_usable(store, plant, hose.tank_volume, start_ms, end_ms))
    if not soc or not litres:
        return 0.0
    return missing_kg(soc[-1][1], litres[-1][1], plant.fill.end_soc)


def _usable(store: ReadingStore, plant: Plant, tag: str, start_ms: int, end_ms: int) -> Iterator[tuple[int, float]]:
    """Yield (time, value) of a tag's readings that have one."""
    for reading in store.raw(plant.id, tag, start_ms, end_ms):
        if reading.value is not None:
            yield reading.t_ms, reading.value
