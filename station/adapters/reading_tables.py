"""Readings of a whole station as columns: a table an hour, for whoever would only take messages apart again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


class ReadingTable(NamedTuple):
    """Readings in the order of (t, area, unit); every column has a line a reading.

    Attributes:
        t_ms: Source time, epoch ms.
        unit: Place in `units`.
        signal: Place in `tags`; each place belongs to one unit.
        value: NaN where none was sent.
        quality: Place in `qualities`.
        units: (area, unit).
        tags: Signal ids.
        qualities: Texts.
    """

    t_ms: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int32]
    signal: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int32]
    units: Sequence[tuple[str, str]]
    tags: Sequence[str]
    qualities: Sequence[str]

    def at(self, lines: slice) -> ReadingTable:
        """Return some of the lines."""
        own = (self.t_ms[lines], self.unit[lines], self.signal[lines], self.value[lines], self.quality[lines])
        return ReadingTable(*own, self.units, self.tags, self.qualities)

    def messages(self) -> int:
        """Return how many messages the readings are of."""
        return int(np.count_nonzero((np.diff(self.t_ms) != 0) | (np.diff(self.unit) != 0))) + (len(self.t_ms) > 0)


@runtime_checkable
class ReadsTables(Protocol):
    """A reading store that holds columns anyway."""

    def tables(self, station: str, start_ms: int, end_ms: int) -> Iterator[ReadingTable]:
        """Yield the readings of [start, end), oldest first, in flat memory."""
        ...
