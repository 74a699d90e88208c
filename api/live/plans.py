"""The day plans of one station: the newest of MQTT and PUT wins.

A retained MQTT plan comes again with every subscription. It is news only where it differs from the last one that came
by MQTT: otherwise a restart would push an old plan over one that a person has put since.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import Final

import structlog

from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.errors import BadInputError, PayloadError, TransientError
from station.ports import PlanBook
from station.wire.plan_v1 import parse_plan

_DAYS_HELD: Final = 16
_log = structlog.get_logger(__name__)


class LivePlans:
    """Plans in use, backed by a book that survives.

    Args:
        plant: Whose days these are.
        book: Where each plan is kept.
    """

    def __init__(self, plant: Plant, book: PlanBook) -> None:
        self._plant = plant
        self._book = book
        self._lock = threading.Lock()
        self._held: dict[dt.date, DayPlan] = {}

    def prime(self, today: dt.date) -> list[DayPlan]:
        """Return the kept plans of yesterday, today and tomorrow."""
        days = [today + dt.timedelta(days=n) for n in (-1, 0, 1)]
        return [plan for day in days if (plan := self.of_day(day)) is not None]

    def of_day(self, day: dt.date) -> DayPlan | None:
        """Return the plan of a station day, None where none was given."""
        with self._lock:
            held = self._held.get(day)
        return held if held is not None else self._book.newest(self._plant.id, day)

    def put(self, plan: DayPlan) -> None:
        """Keep a plan that a person or a program has put.

        Raises:
            JournalUnavailableError: It could not be kept; nothing has changed.
        """
        self._book.save(self._plant.id, plan)
        self._hold(plan)

    def take_mqtt(self, date: str, payload: bytes) -> DayPlan | None:
        """Return the plan of a retained message where it is news, None where it has been seen before.

        Raises:
            PayloadError: The topic names no date, or rows of the plan break a rule.
        """
        try:
            plan = parse_plan(payload, dt.date.fromisoformat(date), self._plant.timezone, "mqtt")
        except (BadInputError, ValueError) as error:
            raise PayloadError("plan", f"plan of {date[:20]}: {error}") from error
        try:
            if self._book.newest(self._plant.id, plan.date, "mqtt") == plan:
                return None
            self._book.save(self._plant.id, plan)
        except TransientError as error:  # It counts from now on all the same; it comes again with a restart.
            _log.warning("plan not kept", station=self._plant.id, date=date, error=str(error))
        self._hold(plan)
        return plan

    def _hold(self, plan: DayPlan) -> None:
        with self._lock:
            self._held.pop(plan.date, None)
            self._held[plan.date] = plan
            while len(self._held) > _DAYS_HELD:
                del self._held[next(iter(self._held))]
