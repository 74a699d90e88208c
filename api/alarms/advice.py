"""Advice on the alarms that trouble operators most, out of the journal and the stored readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from station.domain import alarm_figures as figures
from station.domain.alarm_advice import Advice, deadband_advice, delay_advice
from station.domain.plant import Plant
from station.domain.signals import quality_rank
from station.errors import TransientError
from station.ports import ReadingStore

_CHANGE = {
    "on-delay": ("An on-delay", "接通延时"),
    "off-delay": ("An off-delay", "断开延时"),
    "dead-band": ("A dead-band", "回差"),
}


def advice_of(plant: Plant, store: ReadingStore, history: figures.History) -> list[dict[str, Any]]:
    """Return advice, as the API tells it, on the top ten and on what chatters.

    Where the store is away there is none on dead-bands.
    """
    top, chatter = figures.top_ten(history), figures.chattering(history)
    found = []
    for alarm in dict.fromkeys([*(alarm for alarm, _, _ in top), *(alarm for alarm, _ in chatter)]):
        own = [one for one in history.occurrences if one.alarm_id == alarm]
        found += [_told(plant, one) for one in _advice(plant, store, alarm, own)]
    return found


def _advice(plant: Plant, store: ReadingStore, alarm: str, own: Sequence[figures.Occurrence]) -> Iterator[Advice]:
    delay = delay_advice(own)
    if delay is not None:
        yield delay
    tag, _, condition = alarm.rpartition(".")
    signal = plant.signals.get(tag)
    spec = None if signal is None else next((a for a in signal.alarms if a.condition == condition), None)
    if signal is None or spec is None:
        return

    def extremes(tag: str, start_ms: int, end_ms: int) -> tuple[float, float] | None:
        readings = store.raw(plant.id, tag, start_ms, end_ms)
        values = [r.value for r in readings if r.value is not None and quality_rank(r.quality) < 2]
        return (min(values), max(values)) if values else None

    try:
        band = deadband_advice(own, signal, spec, extremes)
    except TransientError:
        return
    if band is not None:
        yield band


def _told(plant: Plant, one: Advice) -> dict[str, Any]:
    signal = plant.signals.get(one.alarm_id.rpartition(".")[0])
    unit = signal.unit_of_measure if signal is not None and one.deadband is not None else None
    size = f"{one.seconds} s" if unit is None else f"{one.deadband:g} {unit}"
    size_zh = f"{one.seconds} 秒" if unit is None else f"{one.deadband:g} {unit} "
    change, change_zh = _CHANGE[one.kind]
    return {
        "alarm": one.alarm_id,
        "kind": one.kind,
        "seconds": one.seconds,
        "deadband": one.deadband,
        "unit": unit,
        "removed": one.removed,
        "of": one.of,
        "text": {
            "en": f"{change} of {size} would have removed {one.removed} of {one.of} alarms and no true one.",
            "zh": f"若设 {size_zh}{change_zh}，可减少 {one.of} 次中的 {one.removed} 次报警，且不遗漏真实报警。",
        },
    }
