"""In the forecast's place for a station that none can be made for: it takes everything and says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import StationSnapshot, Unserved
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.signals import UnitMessage
from station.ports import ReadingStore


class WithoutForecast:
    """Inputs and engine of a capacity forecast that never comes; see `api.live.capacity` for what each is asked."""

    backlog = 0
    newest_snapshot: StationSnapshot | None = None

    def observe(self, message: UnitMessage) -> None:
        """Leave a message alone."""

    def observe_plan(self, plan: DayPlan) -> None:
        """Leave a day's plan alone."""

    def observe_queue(self, t_ms: int, waiting: Sequence[WaitingTruck]) -> None:
        """Leave the line at the gate alone."""

    def prime(self, store: ReadingStore, at_ms: int) -> None:
        """Look at nothing."""

    def keep_learned(self) -> None:
        """Keep nothing."""

    def recall(self, unserved: Sequence[Unserved]) -> None:
        """Remember nobody."""

    def advance(self, t_ms: int) -> None:
        """Ask for nothing."""

    def begin_anew(self) -> None:
        """Forget nothing."""

    def finished(self) -> Sequence[Forecast]:
        """Return none."""
        return ()
