"""An uploaded log as a reading store of its own: once it has been loaded, any moment of it is found at once."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from api.live.told import plan_point, queue_point
from api.replay.orders import Loading, TellLoading
from station.adapters.log_files import LogRecord, read_log
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.day_plan import DayPlan
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.errors import BadInputError, PayloadError, PointsRefusedError
from station.ports import ReadingStore, ServicePoint
from station.wire import topics
from station.wire.admission import Admission, Policy
from station.wire.plan_v1 import parse_gate_queue, parse_plan

_BATCH: Final = 20_000
"""Messages written at once: under a second's work, and some 20 MB."""
_EVER: Final = dt.timedelta(days=36_500)
_PACKED: Final = {".gz": 10.0, ".zst": 14.0, ".parquet": 40.0}
"""By how much messages are larger than a file that ends so: guesses, for a bar that tells how far it is."""


def open_log(path: Path, plant: Plant, tell: TellLoading) -> ReadingStore:
    """Return a store of a log, made the first time that it is asked for.

    Args:
        path: The log; what is made of it stands beside it, in `NAME.made`.
        plant: The station file; messages of other stations, and what it does not know, are refused.
        tell: Told how far it is, and what was refused.

    Raises:
        BadInputError: It cannot be read, or holds no reading of the station.
    """
    folder = path.with_name(f"{path.name}.made")
    made, remarks = folder / f"{plant.id}.sqlite", folder / f"{plant.id}.json"
    if not made.exists():
        folder.mkdir(exist_ok=True)
        part = folder / f"part-{secrets.token_hex(4)}.sqlite"
        try:
            loading = _Loader(path, plant, SqliteReadings(part), tell).load()
            remarks.write_bytes(msgspec.json.encode(loading))
            part.replace(made)
        finally:
            for rest in folder.glob(f"{part.name}*"):
                rest.unlink()
    tell(msgspec.json.decode(remarks.read_bytes(), type=Loading))
    return SqliteReadings(made)


class _Loader:
    """Takes the messages of a log into a store."""

    def __init__(self, path: Path, plant: Plant, store: ReadingStore, tell: TellLoading) -> None:
        self._path = path
        self._plant = plant
        self._store = store
        self._tell = tell
        self._admission = Admission([plant], policy=Policy(oldest=_EVER, newest=_EVER))
        self._bytes = path.stat().st_size * _PACKED.get(path.suffix, 1.0)
        self._refused = 0
        self._first = ""
        self._t_ms = 0
        self._others: Counter[str] = Counter()
        self._points: list[ServicePoint] = []
        self._early: list[DayPlan] = []

    def load(self) -> Loading:
        """Take all; return what was refused.

        Raises:
            BadInputError: Nothing was left.
        """
        done = 0
        try:
            batch: list[UnitMessage] = []
            for message in self._messages():
                batch.append(message)
                if len(batch) >= _BATCH:
                    done += self._write(batch)
                    batch = []
            done += self._write(batch)
        finally:
            self._store.close()
        if not done:
            others = f"; it holds {', '.join(sorted(self._others))}" if self._others else ""
            first = f"; refused: {self._first}" if self._first else ""
            raise BadInputError(f"the log holds no reading of station {self._plant.id}{others}{first}")
        return Loading(1.0, self._refused, self._first)

    def _write(self, batch: list[UnitMessage]) -> int:
        try:
            self._store.write(batch)
        except PointsRefusedError as error:
            self._refuse(str(error), len(error.refused))
        self._store.write_points(self._points)
        self._points = []
        return len(batch)

    def _messages(self) -> Iterator[UnitMessage]:
        taken = 0
        for count, record in enumerate(
            read_log(self._path, lambda number, text: self._refuse(f"line {number} {text}"))
        ):
            taken += len(record.payload) + len(record.topic)
            if count % _BATCH == 0:
                self._tell(Loading(min(0.99, taken / self._bytes), self._refused, self._first))
            message = self._taken(record)
            if message is not None:
                yield message

    def _taken(self, record: LogRecord) -> UnitMessage | None:
        """Return the message of a record, None where it is none that is wanted."""
        parts = record.topic.split("/")
        station = parts[2].partition(topics.REPLAY_MARK)[0] if len(parts) > 3 else ""
        if station != self._plant.id:
            self._others[station[:60] or record.topic[:60]] += 1
            return None
        if parts[3] in {"plan", "queue"}:
            self._take_word(parts, record.payload)
            return None
        if topics.parse_reading(record.topic) is None:
            return None  # clocks, gateways, watermarks: of the day they were made for
        topic = topics.reading(station, parts[3], parts[4])
        admitted = self._admission.admit(topic, record.payload, self._t_ms)
        for refusal in admitted.refusals:
            self._refuse(f"{record.topic}: {refusal.text}")
        if admitted.message is not None:
            self._reach(admitted.message.t_ms)
        return admitted.message

    def _reach(self, t_ms: int) -> None:
        """Go on to a time: plans, which have none of their own, came with the reading that follows them."""
        self._t_ms = t_ms
        if self._early:
            self._points += [plan_point(self._plant.id, plan, t_ms) for plan in self._early]
            self._early = []

    def _take_word(self, parts: list[str], payload: bytes) -> None:
        """Keep a plan or a line at the gate."""
        try:
            if parts[3] == "queue":
                t_ms, waiting = parse_gate_queue(payload)
                self._points.append(queue_point(self._plant.id, waiting, t_ms))
            else:
                plan = parse_plan(payload, dt.date.fromisoformat(parts[4]), self._plant.timezone, "mqtt")
                self._early.append(plan)
        except (PayloadError, BadInputError, ValueError, IndexError) as error:
            self._refuse(f"{'/'.join(parts)}: {error}")

    def _refuse(self, text: str, count: int = 1) -> None:
        self._refused += count
        self._first = self._first or text[:300]
