"""How complete a day's messages are: what ingest counted, and how many minutes of each signal have a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings, minute_tags

GAPS_SHOWN: Final = 20
SILENT_SHARE: Final = 0.02
"""A signal that is silent for more of the day than this is named."""
_ONLY_AT_TIMES: Final = frozenset({"trailer", "quality"})
"""Bays without a trailer measure nothing, and a chromatograph speaks each few minutes."""


@dataclass(frozen=True, slots=True)
class UnitMinute:
    """What ingest counted of a unit in a minute; see the contract, section 4."""

    area: str
    unit: str
    received: int
    gaps: int
    late: int
    duplicate: int
    refused: int
    gap_from_ms: int
    gap_to_ms: int


@dataclass(frozen=True, slots=True)
class AreaCount:
    """The messages of an area's units together."""

    area: str
    received: int = 0
    missing: int = 0
    late: int = 0
    duplicate: int = 0
    refused: int = 0

    @property
    def share(self) -> float | None:
        """Received of what was sent (0..1); None where nothing was."""
        sent = self.received + self.missing
        return self.received / sent if sent else None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which messages of a unit are missing."""

    area: str
    unit: str
    from_ms: int
    to_ms: int
    missing: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A signal that had no value for part of the day: so many minutes."""

    tag: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How complete a day is.

    Attributes:
        areas: By area; empty where ingest counted nothing (an imported log).
        gaps: The longest.
        minutes_known: Of the minutes of the signals that a report reads the share that has a value (0..1).
        silent: Signals that were silent for longer than usual, the most silent first.
    """

    areas: tuple[AreaCount, ...]
    gaps: tuple[Gap, ...]
    minutes_known: float
    silent: tuple[Silent, ...]

    @property
    def share(self) -> float | None:
        """Received of all that was sent (0..1); None where ingest counted nothing."""
        received, missing = (sum(getattr(area, name) for area in self.areas) for name in ("received", "missing"))
        return received / (received + missing) if received + missing else None


def completeness_of(plant: Plant, readings: DayReadings, counts: Iterable[UnitMinute]) -> Completeness:
    """Return how complete a day is."""
    areas: dict[str, AreaCount] = {}
    gaps: list[Gap] = []
    for one in counts:
        area = areas.get(one.area) or AreaCount(one.area)
        areas[one.area] = replace(
            area,
            received=area.received + one.received,
            missing=area.missing + one.gaps,
            late=area.late + one.late,
            duplicate=area.duplicate + one.duplicate,
            refused=area.refused + one.refused,
        )
        if one.gaps > 0:
            gaps.append(Gap(one.area, one.unit, one.gap_from_ms, one.gap_to_ms, one.gaps))
    known, silent = _silence(plant, readings)
    longest = sorted(_joined(gaps), key=lambda gap: (gap.from_ms - gap.to_ms, gap.area, gap.unit))
    order = {area: place for place, area in enumerate(dict.fromkeys(key[0] for key in plant.units))}
    by_area = sorted(areas.values(), key=lambda area: order.get(area.area, len(order)))
    return Completeness(tuple(by_area), tuple(longest[:GAPS_SHOWN]), known, tuple(silent))


def _joined(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps with those that touch as one."""
    joined: list[Gap] = []
    for gap in sorted(gaps, key=lambda one: (one.area, one.unit, one.from_ms)):
        last = joined[-1] if joined else None
        if last is not None and (last.area, last.unit) == (gap.area, gap.unit) and gap.from_ms <= last.to_ms:
            joined[-1] = replace(last, to_ms=max(last.to_ms, gap.to_ms), missing=last.missing + gap.missing)
        else:
            joined.append(gap)
    return joined


def _silence(plant: Plant, readings: DayReadings) -> tuple[float, list[Silent]]:
    tags = [tag for tag in minute_tags(plant) if plant.signals[tag].area not in _ONLY_AT_TIMES]
    minutes = readings.day.minutes - readings.day.first_minute
    silent = [Silent(tag, minutes - readings.heard(tag).known) for tag in tags]
    known = 1.0 - sum(one.minutes for one in silent) / max(1, minutes * len(silent))
    told = [one for one in silent if one.minutes > SILENT_SHARE * minutes]
    return known if minutes else 0.0, _longest(told)


def _longest(silent: Sequence[Silent]) -> list[Silent]:
    return sorted(silent, key=lambda one: (-one.minutes, one.tag))
