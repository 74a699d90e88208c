"""The reserved topics' payloads: day plan, gate queue, clock, gateway, watermark, ingest (contract section 3).

The plan's body is the same by MQTT and by PUT; a bad one is refused with every mistake named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.errors import BadInputError, PayloadError

MAX_PLAN_ROWS = 2000
"""Twenty times the station's day; more is a mistake, not a plan."""
MAX_TRUCK_KG = 200.0
MAX_TRAILER_KG = 2000.0
_EARLY = dt.timedelta(days=1)
"""A trailer announced for a day may come this long before or after it; a truck may not."""

_encoder = msgspec.json.Encoder()
T = TypeVar("T")


class PlanError(BadInputError):
    """A plan that cannot be taken; `mistakes` names field, value and rule of each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = list(mistakes)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the retained clock topic says: station time, the wall time it belongs to, station s per wall s."""

    t_ms: int
    wall_ms: int
    speed: float


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a gateway says of itself; `sim` marks simulated data."""

    online: bool
    t_ms: int
    sim: bool


@dataclass(frozen=True, slots=True)
class Watermark:
    """All messages of `boot` up to `seq` are settled; `by` names the ingest that says so."""

    boot: str
    seq: int
    by: str


@dataclass(frozen=True, slots=True)
class IngestWord:
    """What an ingest says of its spool.

    Attributes:
        t_ms: When it said so, wall time.
        spool: How near it is to acknowledging no more, 0 to 1.
        waits_s: Age of the oldest message that the store does not have [s]; 0 where it has all.
    """

    t_ms: int
    spool: float
    waits_s: float


def rfc3339(t_ms: int) -> str:
    """Return epoch ms as RFC 3339 UTC with milliseconds."""
    moment = dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(value: object) -> int:
    """Return epoch ms of an RFC 3339 text with a zone, or of a number of epoch ms.

    Raises:
        ValueError: Neither of both.
    """
    if isinstance(value, bool):
        raise ValueError("must be RFC 3339 with a zone, or epoch ms")
    if isinstance(value, int | float):
        if not 0 <= value <= 4e12:
            raise ValueError("epoch ms out of range")
        return int(value)
    if not isinstance(value, str):
        raise ValueError("must be RFC 3339 with a zone, or epoch ms")
    text = value.strip()
    if text.isdigit():
        return parse_time(int(text))
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("has no time zone: write Z or +08:00")
    return round(moment.timestamp() * 1000)


def plan_body(plan: DayPlan) -> dict[str, Any]:
    """Return a plan as the JSON object of the contract."""
    return {
        "trucks": [{"id": b.id, "time": rfc3339(b.t_ms), "kg": b.kg} for b in plan.trucks],
        "trailers": [{"id": d.id, "eta": rfc3339(d.eta_ms), "bay": d.bay, "kg": d.kg} for d in plan.trailers],
    }


def plan_payload(plan: DayPlan) -> bytes:
    """Return the retained payload of `h2/v1/{s}/plan/{date}`."""
    return _encoder.encode(plan_body(plan))


def parse_plan(payload: bytes, date: dt.date, timezone: ZoneInfo, source: str) -> DayPlan:
    """Return the plan in a payload.

    Raises:
        PlanError: Not JSON, or rows that break a rule; every one is named.
    """
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlanError([f"plan is not JSON: {error}"]) from error
    return plan_from_body(body, date, timezone, source)


def plan_from_body(body: object, date: dt.date, timezone: ZoneInfo, source: str) -> DayPlan:
    """Return the plan of a decoded JSON object.

    Raises:
        PlanError: Rows that break a rule; every one is named.
    """
    if not isinstance(body, dict):
        raise PlanError(["plan must be an object with trucks and trailers"])
    midnight = dt.datetime.combine(date, dt.time(), timezone)
    start = round(midnight.timestamp() * 1000)
    end = round((midnight + dt.timedelta(days=1)).timestamp() * 1000)
    early = int(_EARLY.total_seconds() * 1000)
    mistakes: list[str] = []
    trucks = [
        Booking(name, t_ms, kg)
        for name, t_ms, kg, _ in _rows(body, "trucks", "time", (start, end), MAX_TRUCK_KG, mistakes)
    ]
    trailers = [
        Delivery(name, t_ms, kg, bay)
        for name, t_ms, kg, bay in _rows(
            body, "trailers", "eta", (start - early, end + early), MAX_TRAILER_KG, mistakes
        )
    ]
    if mistakes:
        raise PlanError(mistakes)
    trucks.sort(key=lambda b: (b.t_ms, b.id))
    trailers.sort(key=lambda d: (d.eta_ms, d.id))
    return DayPlan(date, tuple(trucks), tuple(trailers), source)


def _rows(
    body: dict[str, Any], name: str, time_field: str, window: tuple[int, int], most_kg: float, mistakes: list[str]
) -> list[tuple[str, int, float, str | None]]:
    rows = body.get(name, [])
    if not isinstance(rows, list):
        mistakes.append(f"{name}: must be a list")
        return []
    if len(rows) > MAX_PLAN_ROWS:
        mistakes.append(f"{name}: {len(rows)} rows, at most {MAX_PLAN_ROWS} are taken")
        return []
    seen: set[str] = set()
    good = []
    for number, row in enumerate(rows):
        where = f"{name}[{number}]"
        wrong = _row_mistakes(row, time_field, window, most_kg, seen)
        if wrong:
            mistakes.extend(f"{where}.{text}" for text in wrong)
            continue
        seen.add(row["id"])
        good.append((row["id"], parse_time(row[time_field]), float(row["kg"]), row.get("bay")))
    return good


def _row_mistakes(row: object, time_field: str, window: tuple[int, int], most_kg: float, seen: set[str]) -> list[str]:
    if not isinstance(row, dict):
        return ["must be an object"]
    wrong = []
    name, kg, bay = row.get("id"), row.get("kg"), row.get("bay")
    if not isinstance(name, str) or not 1 <= len(name) <= 64:
        wrong.append(f"id = {name!r}: must be a text of 1 to 64 characters")
    elif name in seen:
        wrong.append(f"id = {name!r}: stands twice")
    if isinstance(kg, bool) or not isinstance(kg, int | float) or not 0 < kg <= most_kg:
        wrong.append(f"kg = {kg!r}: must be a number above 0, at most {most_kg:g}")
    if bay is not None and not isinstance(bay, str):
        wrong.append(f"bay = {bay!r}: must be a bay's name or null")
    try:
        t_ms = parse_time(row.get(time_field))
    except ValueError as error:
        return [*wrong, f"{time_field} = {row.get(time_field)!r}: {error}"]
    if not window[0] <= t_ms < window[1]:
        wrong.append(f"{time_field} = {row.get(time_field)!r}: is not on the plan's day")
    return wrong


class _QueueRow(msgspec.Struct):
    id: str
    since: int | str
    kg: float | None = None


class _Queue(msgspec.Struct):
    t: int
    waiting: list[_QueueRow]


class _Clock(msgspec.Struct):
    t: int
    wall: int
    speed: float


class _Gateway(msgspec.Struct):
    online: bool
    t: int = 0
    sim: bool = False


class _Ingest(msgspec.Struct):
    t: int
    spool: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    waits_s: float = 0.0


class _Stored(msgspec.Struct):
    boot: str
    seq: int
    by: str = ""


def gate_queue_payload(t_ms: int, waiting: Sequence[WaitingTruck]) -> bytes:
    """Return the retained payload of `h2/v1/{s}/queue/gate`."""
    rows = [_QueueRow(truck.id, truck.since_ms, truck.kg) for truck in waiting]
    return _encoder.encode(_Queue(t_ms, rows))


def parse_gate_queue(payload: bytes) -> tuple[int, tuple[WaitingTruck, ...]]:
    """Return (t_ms, trucks that wait, longest first).

    Raises:
        PayloadError: Not such a payload.
    """
    said = _decode(payload, _Queue)
    try:
        trucks = [WaitingTruck(row.id, parse_time(row.since), row.kg) for row in said.waiting]
    except ValueError as error:
        raise PayloadError("shape", f"gate queue: since {error}") from error
    return said.t, tuple(sorted(trucks, key=lambda truck: (truck.since_ms, truck.id)))


def clock_payload(t_ms: int, wall_ms: int, speed: float) -> bytes:
    """Return the retained payload of `h2/v1/{s}/clock`."""
    return _encoder.encode(_Clock(t_ms, wall_ms, speed))


def parse_clock(payload: bytes) -> ClockReading:
    """Return what a clock message says.

    Raises:
        PayloadError: Not such a payload.
    """
    said = _decode(payload, _Clock)
    return ClockReading(said.t, said.wall, said.speed)


def gateway_payload(t_ms: int, *, online: bool, sim: bool) -> bytes:
    """Return the retained payload of `h2/v1/{s}/gateway/{id}`."""
    return _encoder.encode(_Gateway(online, t_ms, sim))


def parse_gateway(payload: bytes) -> GatewayState:
    """Return what a gateway says of itself.

    Raises:
        PayloadError: Not such a payload.
    """
    said = _decode(payload, _Gateway)
    return GatewayState(said.online, said.t, said.sim)


def watermark_payload(mark: Watermark) -> bytes:
    """Return the retained payload of `h2/v1/{s}/stored/{area}/{unit}`."""
    return _encoder.encode(_Stored(mark.boot, mark.seq, mark.by))


def parse_watermark(payload: bytes) -> Watermark:
    """Return what a watermark says.

    Raises:
        PayloadError: Not such a payload.
    """
    said = _decode(payload, _Stored)
    return Watermark(said.boot, said.seq, said.by)


def ingest_payload(word: IngestWord) -> bytes:
    """Return the retained payload of `h2/v1/{s}/ingest/{by}`."""
    return _encoder.encode(_Ingest(word.t_ms, word.spool, word.waits_s))


def parse_ingest(payload: bytes) -> IngestWord:
    """Return what an ingest says of itself.

    Raises:
        PayloadError: Not such a payload.
    """
    said = _decode(payload, _Ingest)
    return IngestWord(said.t, said.spool, said.waits_s)


def _decode(payload: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError("shape", f"payload breaks the message's shape: {error}") from error
