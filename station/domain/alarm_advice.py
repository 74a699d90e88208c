"""What would have kept an alarm quiet: which delay or dead-band, and how many occurrences it would have taken away.

Worked out from history: delays from the times in the journal, dead-bands from the readings between two occurrences.
Every count is what would surely have gone; the true figure is as large or larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from station.domain.alarm_figures import Occurrence
from station.domain.plant import AlarmSpec, Signal

Kind = Literal["on-delay", "off-delay", "dead-band"]
Extremes = Callable[[str, int, int], tuple[float, float] | None]
"""(signal, start, end [epoch ms]) -> (least, greatest) good value in between, None where there is none."""

_DELAYS_S: Final = (5, 10, 15, 30, 60, 120)
_BANDS_PERCENT: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)
"""Of span. ISA-18.2 begins at 1 to 5; beyond 10 an alarm would stay long after all is well: an estimate."""
_WORTH_SHARE: Final = 0.5
"""An advice that removes less than half of an alarm's occurrences is not worth a change."""
_SAME_MS: Final = 600_000
"""What comes back later than this is no chatter, whatever its value did: an estimate."""
_GAPS_MOST: Final = 500
"""Newest gaps between occurrences that the readings are looked up for; each is a question to the store."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What would have kept an alarm quiet, and how many of how many; none of them a true one.

    Attributes:
        alarm_id: Which alarm.
        kind: What to change.
        seconds: The delay [s]; None for a dead-band.
        deadband: In the signal's unit; None for a delay.
        removed, of: Occurrences.
    """

    alarm_id: str
    kind: Kind
    seconds: int | None
    deadband: float | None
    removed: int
    of: int

    @property
    def is_worth_it(self) -> bool:
        """Whether it removes enough."""
        return self.removed > 1 and self.removed >= _WORTH_SHARE * self.of


def delay_advice(own: Sequence[Occurrence]) -> Advice | None:
    """Return the shortest delay that would have kept an alarm quiet most often and cost no true alarm.

    An on-delay takes away what was over sooner; an off-delay joins what came back within it to what was there. A true
    alarm is one that lasted five minutes, which no such delay reaches, or was acknowledged while it was there: an
    on-delay that would have taken one away is not advised.

    Args:
        own: The alarm's occurrences, by time.
    """
    options = [_on_delay(own, s) for s in _DELAYS_S] + [_off_delay(own, s) for s in _DELAYS_S]
    worth = [one for one in options if one is not None and one.is_worth_it]
    return max(worth, key=lambda one: (one.removed, -(one.seconds or 0)), default=None)


def _on_delay(own: Sequence[Occurrence], seconds: int) -> Advice | None:
    short = [one for one in own if one.lasted_ms is not None and one.lasted_ms < seconds * 1000]
    if not short or any(one.acked_while_active for one in short):
        return None
    return Advice(own[0].alarm_id, "on-delay", seconds, None, len(short), len(own))


def _off_delay(own: Sequence[Occurrence], seconds: int) -> Advice | None:
    soon = [
        before.cleared_ms is not None and after.raised_ms - before.cleared_ms < seconds * 1000
        for before, after in pairwise(own)
    ]
    return Advice(own[0].alarm_id, "off-delay", seconds, None, sum(soon), len(own)) if any(soon) else None


def deadband_advice(own: Sequence[Occurrence], signal: Signal, spec: AlarmSpec, extremes: Extremes) -> Advice | None:
    """Return the narrowest dead-band that would have joined most occurrences to the ones before.

    Two occurrences are one where the value did not come back by the whole dead-band between them. That costs no true
    alarm: whatever is taken away lies within one that is still shown. A dead-band wider than the present one only.

    Args:
        own: The alarm's occurrences, by time.
        signal: Whose value it judges.
        spec: The alarm; one that is no threshold has no dead-band to advise.
        extremes: Asks for readings.
    """
    if spec.condition not in {"LL", "L", "H", "HH"}:
        return None
    depths = [
        depth
        for before, after in list(pairwise(own))[-_GAPS_MOST:]
        if (depth := _depth(before, after, signal.tag, spec, extremes)) is not None
    ]
    low, high = signal.instrument_range
    bands = [band for p in _BANDS_PERCENT if (band := round(p / 100.0 * (high - low), 3)) > spec.deadband]
    counted = [(sum(depth < band for depth in depths), -band) for band in bands]
    removed, band = max(counted, default=(0, 0.0))
    told = Advice(own[0].alarm_id, "dead-band", None, -band, removed, len(own)) if own else None
    return told if told is not None and told.is_worth_it else None


def _depth(before: Occurrence, after: Occurrence, tag: str, spec: AlarmSpec, extremes: Extremes) -> float | None:
    """Return how far the value came back between two occurrences, None where nobody knows or it was long ago."""
    if before.cleared_ms is None or before.limit is None or after.raised_ms - before.cleared_ms > _SAME_MS:
        return None
    off_ms, on_ms = (round(delay.total_seconds() * 1000) for delay in (spec.off_delay, spec.on_delay))
    found = extremes(tag, before.cleared_ms - off_ms, max(before.cleared_ms, after.raised_ms - on_ms))
    if found is None:
        return None
    least, greatest = found
    return before.limit - least if spec.condition in {"H", "HH"} else greatest - before.limit
