"""The tape of a replay: what a store holds of a station, in the order of time, from any moment on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from api.live.told import PLAN, QUEUE, Told, told_between
from station.domain.plant import Plant
from station.domain.signals import Reading, UnitMessage
from station.ports import ReadingStore

_PIECE_MS: Final = 6 * 3_600_000
"""Plans and queues are read for so long at once: some hundred words."""
_PLANS_MS: Final = 7 * 86_400_000
"""A plan is rarely told of longer before its day."""
_LINE_MS: Final = 600_000
"""The line at the gate is told of each minute: an older word says nothing of now."""


@dataclass(frozen=True, slots=True)
class TapeEnd:
    """What comes after the last word: nothing, ever."""

    t_ms: int = 1 << 62


Item = UnitMessage | Told | TapeEnd
END: Final = TapeEnd()


class Tape:
    """Words of one station up to `end_ms` (epoch ms, exclusive).

    Args:
        store: Where they are.
        plant: The station file; its id names the station.
        end_ms: Where the tape ends.
    """

    def __init__(self, store: ReadingStore, plant: Plant, end_ms: int) -> None:
        self.store = store
        self.end_ms = end_ms
        self._plant = plant

    def items(self, start_ms: int) -> Iterator[Item]:
        """Yield messages and told words from `start_ms` on; of one moment the told words come first. END is the last.

        Raises:
            StoreUnavailableError: The store is away.
        """
        told = self._told(start_ms)
        word: Item = next(told, END)
        for message in self.store.messages(self._plant.id, start_ms, self.end_ms):
            while word.t_ms <= message.t_ms:
                yield word
                word = next(told, END)
            yield message
        while word is not END:
            yield word
            word = next(told, END)
        yield END

    def _told(self, start_ms: int) -> Iterator[Told]:
        for piece_ms in range(start_ms, self.end_ms, _PIECE_MS):
            yield from told_between(self.store, self._plant, piece_ms, min(piece_ms + _PIECE_MS, self.end_ms))

    def told_before(self, at_ms: int) -> list[Told]:
        """Return the newest plan of each day that was told of before a moment, and the newest line at the gate."""
        told = told_between(self.store, self._plant, at_ms - _PLANS_MS, at_ms, (PLAN,))
        plans = {word.plan.date: word for word in told if word.plan is not None}
        line = told_between(self.store, self._plant, at_ms - _LINE_MS, at_ms, (QUEUE,))
        return [*plans.values(), *line[-1:]]

    def days_told(self, start_ms: int) -> set[dt.date]:
        """Return the days of whose plans the tape, and the week before `start_ms`, hold a word."""
        told = told_between(self.store, self._plant, start_ms - _PLANS_MS, self.end_ms, (PLAN,))
        return {word.plan.date for word in told if word.plan is not None}


def newest_of(messages: Iterator[UnitMessage] | list[UnitMessage]) -> list[Reading]:
    """Return the newest reading of each signal in messages that are in order of time."""
    newest: dict[str, UnitMessage] = {}
    for message in messages:
        newest.update(dict.fromkeys(message.values, message))
    return [Reading(tag, m.t_ms, m.values[tag], m.quality_of(tag)) for tag, m in newest.items()]
