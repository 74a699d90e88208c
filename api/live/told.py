"""What a station is told besides readings: its day plans and the line at its gate, left in the store for replays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.plant import Plant
from station.errors import BadInputError
from station.ports import ReadingStore, ServicePoint
from station.wire.plan_v1 import gate_queue_payload, parse_gate_queue, parse_plan, plan_payload

PLAN: Final = "plan"
QUEUE: Final = "queue"


@dataclass(frozen=True, slots=True)
class Told:
    """A word that came at a moment of station time (epoch ms): a day's plan, or who waits at the gate."""

    t_ms: int
    plan: DayPlan | None = None
    waiting: tuple[WaitingTruck, ...] | None = None


def plan_point(station: str, plan: DayPlan, t_ms: int) -> ServicePoint:
    """Return the point of a plan that came at `t_ms`."""
    tags = {"station": station, "date": plan.date.isoformat()}
    return ServicePoint(PLAN, tags, {"body": plan_payload(plan).decode(), "source": plan.source}, t_ms)


def queue_point(station: str, waiting: Sequence[WaitingTruck], t_ms: int) -> ServicePoint:
    """Return the point of a line at the gate of which was heard at `t_ms`."""
    return ServicePoint(QUEUE, {"station": station}, {"body": gate_queue_payload(t_ms, waiting).decode()}, t_ms)


def told_between(
    store: ReadingStore, plant: Plant, start_ms: int, end_ms: int, kinds: Sequence[str] = (PLAN, QUEUE)
) -> list[Told]:
    """Return the words of [start, end) that a store holds, oldest first; what cannot be read is left out.

    Args:
        store: Where they are.
        plant: The station file.
        start_ms: Epoch ms.
        end_ms: Epoch ms.
        kinds: `PLAN`, `QUEUE` or both.

    Raises:
        StoreUnavailableError: The store is away.
    """
    tags = {"station": plant.id}
    points = [point for name in kinds for point in store.read_points(name, tags, start_ms, end_ms)]
    found = [told for point in points if (told := _told(point, plant)) is not None]
    return sorted(found, key=lambda told: told.t_ms)


def _told(point: ServicePoint, plant: Plant) -> Told | None:
    body = str(point.fields.get("body", "")).encode()
    try:
        if point.measurement == QUEUE:
            return Told(point.t_ms, waiting=parse_gate_queue(body)[1])
        day = dt.date.fromisoformat(point.tags.get("date", ""))
        return Told(point.t_ms, plan=parse_plan(body, day, plant.timezone, str(point.fields.get("source", "mqtt"))))
    except (BadInputError, ValueError):
        return None
