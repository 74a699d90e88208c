"""The messages of one block, numbered and put in order, as objects or as the bytes that go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from station.domain.plant import UnitKey
from station.domain.signals import UnitMessage
from station.wire import topics

Emission = tuple[int, str, bytes, int]
"""(t_ms, topic, payload, seq): a message as it goes out."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class SampledGroup:
    """Messages of one unit (its place in the plant's order) that carry the same signals, column by column."""

    unit: int
    tags: tuple[str, ...]
    t_ms: npt.NDArray[np.int64]
    columns: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class SampledBlock:
    """What the units of a station said during one block, in order of (t, unit)."""

    station: str
    boot: str
    units: Sequence[UnitKey]
    groups: Sequence[SampledGroup]
    seqs: Sequence[Sequence[int]]
    order: Sequence[int]

    def __len__(self) -> int:
        return len(self.order)

    def messages(self) -> Iterator[UnitMessage]:
        """Yield the messages as objects."""
        made: list[UnitMessage] = []
        for group, seqs in zip(self.groups, self.seqs, strict=True):
            area, unit = self.units[group.unit]
            for t_ms, seq, row in zip(group.t_ms.tolist(), seqs, zip(*group.columns, strict=True), strict=True):
                values = dict(zip(group.tags, row, strict=True))
                made.append(UnitMessage(self.station, area, unit, t_ms, values, {}, self.boot, seq))
        for place in self.order:
            yield made[place]

    def emissions(self) -> list[Emission]:
        """Return the same messages as the bytes that `json_v1.encode` makes of them, without the objects between."""
        made: list[Emission] = []
        for group, seqs in zip(self.groups, self.seqs, strict=True):
            topic = topics.reading(self.station, *self.units[group.unit])
            tags, boot = group.tags, self.boot
            for t_ms, seq, row in zip(group.t_ms.tolist(), seqs, zip(*group.columns, strict=True), strict=True):
                values = dict(zip(tags, row, strict=True))
                made.append((t_ms, topic, _encode({"t": t_ms, "boot": boot, "seq": seq, "v": values}), seq))
        return [made[place] for place in self.order]


def numbered(
    station: str,
    boot: str,
    units: Sequence[UnitKey],
    groups: Sequence[SampledGroup],
    next_seqs: npt.NDArray[np.int64],
) -> SampledBlock:
    """Return a block with its messages in order, each unit's counted on by one.

    Args:
        station: Station id.
        boot: Identity of the devices' run.
        units: The plant's units in order.
        groups: The messages, in any order; no unit twice at one time.
        next_seqs: The last number given out of each unit; counted on in place.
    """
    if not groups:
        return SampledBlock(station, boot, units, (), (), ())
    sizes = [len(group.t_ms) for group in groups]
    t_ms = np.concatenate([group.t_ms for group in groups])
    unit = np.repeat([group.unit for group in groups], sizes)
    order = np.lexsort((unit, t_ms))
    by_unit = order[np.argsort(unit[order], kind="stable")]
    counts = np.bincount(unit, minlength=len(units))
    firsts = np.cumsum(counts) - counts
    seqs = np.empty(len(t_ms), dtype=np.int64)
    units_in_line = unit[by_unit]
    seqs[by_unit] = next_seqs[units_in_line] + 1 + np.arange(len(t_ms)) - firsts[units_in_line]
    next_seqs += counts
    cuts = np.cumsum(sizes)[:-1]
    return SampledBlock(station, boot, units, groups, [part.tolist() for part in np.split(seqs, cuts)], order.tolist())
