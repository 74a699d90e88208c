"""Questions about the past of signals to a SQLite reading store: readings, minutes, quarters of an hour.

What was worked out already is taken as it is; what the newest messages add to, what a range cuts, and what two units
carry is worked out anew, of minutes out of readings and of quarters out of minutes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from station.adapters.sqlite_blocks import SLOT_MS, Column, decode_block, merge_columns
from station.adapters.sqlite_minutes import MINUTES, QUARTERS, Level, kept_between
from station.adapters.sqlite_queries import Carrier, Newest, Qualities, blocks_of, carriers_of
from station.adapters.windowing import (
    NO_MINUTES,
    Minutes,
    coarser,
    course_of_minutes,
    course_of_readings,
    joined,
    minutes_of,
    replaced,
    strung,
)
from station.ports import Aggregate, Course

_block = lru_cache(maxsize=128)(decode_block)
"""Hours that stay unpacked, 70 KB each: a page that follows ten signals asks for the same ones again and again."""


class Past:
    """[start, end) of some signals, within one read transaction.

    Args:
        connection: In that transaction.
        station: Whose.
        signals: All that will be asked for.
        start_ms: Epoch ms.
        end_ms: As `start_ms`, exclusive.
    """

    def __init__(
        self, connection: sqlite3.Connection, station: str, signals: Sequence[str], start_ms: int, end_ms: int
    ) -> None:
        self._connection = connection
        self._over = (start_ms, end_ms)
        self._carriers = {signal: carriers_of(connection, station, signal) for signal in signals}
        every = [one for carriers in self._carriers.values() for one in carriers]
        self._newest = Newest(connection, every, start_ms, end_ms)
        self.text_of = Qualities(connection).text

    def readings(self, signal: str) -> Iterator[Column]:
        """Yield the readings, oldest first, about an hour at a time."""
        start_ms, end_ms = self._over
        carriers = self._carriers[signal]
        if not carriers or end_ms <= start_ms:
            return
        fresh = self._newest.of(carriers)
        done_ms = start_ms
        for slot in sorted({slot for one in carriers for slot in self._block_slots(one)}):
            until_ms = min(end_ms, (slot + 1) * SLOT_MS)
            sealed = [
                column for one in carriers for column in blocks_of(self._connection, one.signal_id, slot, slot, _block)
            ]
            parts = [*sealed, fresh.between(done_ms, until_ms)]
            yield merge_columns(parts).between(start_ms, until_ms)
            done_ms = until_ms
        yield fresh.between(done_ms, end_ms)

    def _block_slots(self, carrier: Carrier) -> list[int]:
        start_ms, end_ms = self._over
        rows = self._connection.execute(
            "SELECT slot FROM blocks WHERE signal_id = ? AND slot BETWEEN ? AND ?",
            (carrier.signal_id, start_ms // SLOT_MS, (end_ms - 1) // SLOT_MS),
        )
        return [slot for (slot,) in rows]

    def course(self, signal: str, every_ms: int, aggregates: Sequence[Aggregate], offset_ms: int) -> Course:
        """Return windows."""
        kept = self._steps(signal, every_ms, offset_ms)
        if kept is not None:
            return course_of_minutes(kept, self.text_of, every_ms, aggregates, offset_ms)
        whole = merge_columns(list(self.readings(signal)))
        return course_of_readings(whole, self.text_of, every_ms, aggregates, offset_ms)

    def _steps(self, signal: str, every_ms: int, offset_ms: int) -> Minutes | None:
        """Return the widest steps that windows are made of, None where those of a minute are too wide."""
        for level, read in ((QUARTERS, self._quarters), (MINUTES, self.minutes)):
            if every_ms % level.step_ms == 0 and offset_ms % level.step_ms == 0:
                return read(signal)
        return None

    def minutes(self, signal: str) -> Minutes:
        """Return the minutes that have readings; the first and the last may be cut."""
        carriers = self._carriers[signal]
        return self._minutes(carriers, self._newest.of(carriers), *self._over)

    def _quarters(self, signal: str) -> Minutes:
        """Return the quarters of an hour that have readings; the first and the last may be cut."""
        carriers = self._carriers[signal]
        fresh = self._newest.of(carriers)
        kept = self._kept(carriers, QUARTERS, *self._over)
        anew = _anew(kept, fresh, QUARTERS, *self._over)
        parts = [
            self._minutes(carriers, fresh, *self._within(low * QUARTERS.step_ms, (high + 1) * QUARTERS.step_ms))
            for low, high in _runs(anew // QUARTERS.step_ms)
        ]
        found = coarser(strung(parts), self.text_of, QUARTERS.step_ms)
        for one in kept:
            found = replaced(one, found)
        return found

    def _within(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        return max(start_ms, self._over[0]), min(end_ms, self._over[1])

    def _kept(self, carriers: Sequence[Carrier], level: Level, start_ms: int, end_ms: int) -> list[Minutes]:
        """Return what is kept of each carrier and lies wholly within [start, end)."""
        first_ms, last_ms = -(-start_ms // level.step_ms) * level.step_ms, end_ms - end_ms % level.step_ms
        return [kept_between(self._connection, level, one.signal_id, first_ms, last_ms) for one in carriers]

    def _minutes(self, carriers: Sequence[Carrier], fresh: Column, start_ms: int, end_ms: int) -> Minutes:
        if not carriers or end_ms <= start_ms:
            return NO_MINUTES
        fresh = fresh.between(start_ms, end_ms)
        kept = self._kept(carriers, MINUTES, start_ms, end_ms)
        anew = _anew(kept, fresh, MINUTES, start_ms, end_ms)
        sealed = [
            column
            for low, high in _runs(anew // SLOT_MS)
            for one in carriers
            for column in blocks_of(self._connection, one.signal_id, low, high, _block)
        ]
        readings = merge_columns([*sealed, fresh]).between(start_ms, end_ms)
        found = minutes_of(readings.at(np.isin(_begun(readings.t_ms, MINUTES), anew)), self.text_of)
        for one in kept:
            found = joined(one, found)
        return found


def _begun(t_ms: npt.NDArray[np.int64], level: Level) -> npt.NDArray[np.int64]:
    return t_ms - t_ms % level.step_ms


def _anew(kept: Sequence[Minutes], fresh: Column, level: Level, start_ms: int, end_ms: int) -> npt.NDArray[np.int64]:
    """Return the starts of the steps that must be worked out anew."""
    cut = [edge - edge % level.step_ms for edge in (start_ms, end_ms) if edge % level.step_ms]
    shared = [np.intersect1d(one.t_ms, other.t_ms) for i, one in enumerate(kept) for other in kept[:i]]
    return np.unique(np.concatenate([_begun(fresh.t_ms, level), np.array(cut, np.int64), *shared]))


def _runs(numbers: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return (first, last) of each run of neighbours among ascending numbers, some of them more than once."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    firsts, lasts = np.append(0, ends + 1), np.append(ends, len(numbers) - 1)
    return list(zip(numbers[firsts].tolist(), numbers[lasts].tolist(), strict=True)) if len(numbers) else []
