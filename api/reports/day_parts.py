"""What the sheets of a day show: fills, trailers, electricity, each read of the readings that it needs alone."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from api.live.station import LiveStation
from api.reports.gathering import DayPart, read_day
from station.domain.plant import Plant
from station.domain.report.day_readings import DayReadings
from station.domain.report.energy_hours import EnergyDay, energy_day
from station.domain.report.fill_list import ListedFill, fill_windows, listed_fills, warmth_tags
from station.domain.report.supply import TrailerStay, trailers_of
from station.ports import ReadingStore

T = TypeVar("T")
_FRESH_MS: Final = 55_000
"""Today's sheet stands for so long: reading it takes up to a second of the core, and pages ask each minute."""
_OVER_FRESH_MS: Final = 600_000
"""And one of a day that is over, into which only late readings come."""
_KEPT: Final = 12
_FILL_AREAS: Final = frozenset({"dispensing", "vehicle"})


@dataclass
class DayParts:
    """Reads parts of days and keeps the last ones for a moment.

    Attributes:
        store: Where readings are.
        wall_ms: Wall time, epoch ms.
    """

    store: ReadingStore
    wall_ms: Callable[[], int]
    _held: OrderedDict[tuple[str, dt.date, str], tuple[int, Any]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fills(self, live: LiveStation, date: dt.date) -> list[ListedFill]:
        """Return the fills that ended in a day, by their end.

        Raises:
            StoreUnavailableError: The store is away.
        """
        part = DayPart(_FILL_AREAS, minutes=warmth_tags(live.plant), windows=fill_windows)
        return self._read(live, date, "fills", part, listed_fills)

    def trailers(self, live: LiveStation, date: dt.date) -> list[TrailerStay]:
        """Return the trailers that stood at a bay in a day, by when they opened, against the plan of that day.

        Raises:
            TransientError: The store or the journal is away.
        """

        def stays(plant: Plant, readings: DayReadings) -> list[TrailerStay]:
            return trailers_of(plant, readings, live.plans.of_day(date))

        return self._read(live, date, "trailers", DayPart(frozenset({"trailer"})), stays)

    def energy(self, live: LiveStation, date: dt.date) -> EnergyDay:
        """Return a day's electricity.

        Raises:
            StoreUnavailableError: The store is away.
        """
        areas = frozenset({"compression", "cooling", "dispensing", "utilities"})
        return self._read(live, date, "energy", DayPart(areas, states=False), energy_day)

    def _read(
        self, live: LiveStation, date: dt.date, name: str, part: DayPart, work: Callable[[Plant, DayReadings], T]
    ) -> T:
        key = (live.plant.id, date, name)
        with self._lock:  # Two who ask at once wait for one answer.
            held: tuple[int, T] | None = self._held.get(key)
            today = live.plant.day_of(dt.datetime.fromtimestamp(live.now_ms / 1000.0, dt.UTC))
            if held is not None and self.wall_ms() - held[0] < (_FRESH_MS if date >= today else _OVER_FRESH_MS):
                return held[1]
            found = work(live.plant, read_day(live.plant, self.store, date, live.now_ms, part))
            self._held[key] = (self.wall_ms(), found)
            self._held.move_to_end(key)
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
            return found
