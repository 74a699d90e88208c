"""An hour of noise about the limits of many signals, with true excursions in it: few alarms, and each true one told.

The shipped station's own dead-bands and delays, held against plain thresholds over the same seeded readings.
"""

from __future__ import annotations

import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.domain.plant import AlarmSpec, Signal
from station.domain.signals import UnitMessage
from tests.support.alarm_timeline import START_MS
from tests.support.plants import jinma

TAGS = (
    "PT-310A",
    "PT-320A",
    "PT-330A",
    "PT-341",
    "TT-310C",
    "TT-330C",
    "TT-841",
    "VT-2109",
    "VT-2209",
    "AT-701",
    "AT-702",
    "AT-711",
    "LT-431",
    "PT-2103",
    "TT-2104",
    "ET-813",
)
"""Pressures, temperatures, vibration, gas, a level and a voltage: every type whose defaults differ."""
HOUR_S, SETTLE_S = 3600, 300
NOISE = 0.35
"""Of the dead-band, one standard deviation: a value that hangs on its limit crosses it every few samples."""
MARGIN_S = 2.0
"""Beyond the on-delay, in which a true excursion must be raised: two samples of the slowest signal here are 10 s."""
CUT_PERCENT = 95.0


@dataclass(frozen=True)
class Excursion:
    """A true one: the value lies well past the limit from `start_s` for `lasts_s`."""

    tag: str
    condition: str
    start_s: int
    lasts_s: int


def highest_lesser(signal: Signal) -> AlarmSpec:
    """Return the alarm about whose limit the signal hangs: H, else L."""
    by_name = {alarm.condition: alarm for alarm in signal.alarms}
    return by_name["H"] if "H" in by_name else by_name["L"]


def scripted(dice: random.Random) -> list[Excursion]:
    """Return two true excursions of each signal, long enough for its delay."""
    found = []
    for tag in TAGS:
        spec = highest_lesser(jinma().signals[tag])
        for part in (0, 1):
            start = SETTLE_S + part * (HOUR_S // 2) + dice.randint(0, 600)
            found.append(
                Excursion(tag, spec.condition, start, round(spec.on_delay.total_seconds()) + dice.randint(30, 300))
            )
    return found


def course(signal: Signal, excursions: Sequence[Excursion], dice: random.Random) -> Iterator[tuple[int, float]]:
    """Yield (second, value): noise about a limit, on which the value hangs and wanders, and the true excursions."""
    spec = highest_lesser(signal)
    assert spec.limit is not None
    sign = 1.0 if spec.condition == "H" else -1.0
    band, phase = spec.deadband, dice.uniform(0.0, math.tau)
    for at in range(0, HOUR_S, max(1, round(signal.rate_s))):
        level = spec.limit + 0.5 * band * math.sin(at / 211.0 + phase)
        if any(one.start_s <= at < one.start_s + one.lasts_s for one in excursions):
            level = spec.limit + sign * 1.5 * band
        elif any(one.start_s - 300 <= at < one.start_s for one in excursions) or at < SETTLE_S / 2:
            level = spec.limit - sign * 4.0 * band  # it has been well before
        noise = 0.1 if abs(level - spec.limit) > band else NOISE
        yield at, round(level + dice.gauss(0.0, noise * band), 4)


def plain_transitions(values: Sequence[tuple[int, float]], spec: AlarmSpec) -> int:
    """Return how often a bare comparison with the limit changes its mind."""
    assert spec.limit is not None
    over = [value >= spec.limit if spec.condition == "H" else value <= spec.limit for _, value in values]
    return sum(a is not b for a, b in zip([False, *over], over, strict=False))


def test_a_chattering_hour_is_cut_by_95_percent_and_no_true_alarm_is_missed() -> None:
    plant, dice, journal = jinma(), random.Random(5), MemoryJournal()
    excursions = scripted(dice)
    by_second: dict[int, list[UnitMessage]] = defaultdict(list)
    plain = 0
    for tag in TAGS:
        signal = plant.signals[tag]
        values = list(course(signal, [one for one in excursions if one.tag == tag], dice))
        plain += plain_transitions(values, highest_lesser(signal))
        for at, value in values:
            by_second[at].append(UnitMessage(plant.id, signal.area, signal.unit, START_MS + at * 1000, {tag: value}))
    engine = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    engine.advance(START_MS)
    for at in range(HOUR_S + 120):
        for message in by_second[at]:
            engine.observe(message)
        engine.advance(START_MS + at * 1000)
    watched = {f"{tag}.{highest_lesser(plant.signals[tag]).condition}" for tag in TAGS}
    rows = [row for _, row in journal.entries(plant.id, 0, 1 << 60, limit=10**6) if row.alarm_id in watched]
    ours = sum(row.event in {"raised", "cleared"} for row in rows)
    cut = 100.0 * (1.0 - ours / plain)
    sys.stdout.write(
        f"plain thresholds: {plain} transitions; ours: {ours}, {cut:.1f} % fewer; {len(excursions)} true\n"
    )
    assert cut >= CUT_PERCENT
    raised = [(row.alarm_id, (row.t_ms - START_MS) / 1000) for row in rows if row.event == "raised"]
    for one in excursions:
        signal = plant.signals[one.tag]
        due = one.start_s + highest_lesser(signal).on_delay.total_seconds()
        alarm = f"{one.tag}.{one.condition}"
        assert any(a == alarm and one.start_s <= at <= due + signal.rate_s + MARGIN_S for a, at in raised), one
