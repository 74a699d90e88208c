"""The messages of one block, numbered and put in order, as objects or as the bytes that go out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from station.domain.plant import UnitKey
from station.domain.signals import UnitMessage
from station.wire import topics

Times = npt.NDArray[np.int64]
Emission = tuple[int, str, bytes, int]
"""(true time it goes out, epoch ms; topic; payload, which says its gateway's own time; seq)."""

NOT_NUMBERED: Final = -1
"""Stands for the seq of a retained word, which has none."""

_encode: Final = msgspec.json.Encoder().encode


Value = float | None
"""A number; None says that the sensor has failed."""
_NO_QUALITY: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class SampledGroup:
    """Messages of one unit that carry the same signals, column by column.

    Attributes:
        unit: Its place in the plant's order.
        tags: The signals.
        t_ms: What each message says of its time, by its gateway's clock, epoch ms.
        columns: Of each signal: the values.
        at_ms: When each was truly taken.
        quality: Of each message: what of it is not good; None where all is.
    """

    unit: int
    tags: tuple[str, ...]
    t_ms: Times
    columns: Sequence[Sequence[Value]]
    at_ms: Times
    quality: Sequence[Mapping[str, str]] | None = None

    def rows(self) -> Iterator[tuple[int, tuple[Value, ...], Mapping[str, str]]]:
        """Yield (time it says, values, quality) of each message."""
        qualities = self.quality if self.quality is not None else itertools.repeat(_NO_QUALITY)
        return zip(self.t_ms.tolist(), zip(*self.columns, strict=True), qualities, strict=False)


@dataclass(frozen=True, slots=True)
class SampledBlock:
    """What the units of a station said during one block, in order of (true time, unit)."""

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
            for (t_ms, row, quality), seq in zip(group.rows(), seqs, strict=True):
                values = dict(zip(group.tags, row, strict=True))
                made.append(UnitMessage(self.station, area, unit, t_ms, values, quality, self.boot, seq))
        for place in self.order:
            yield made[place]

    def emissions(self) -> list[Emission]:
        """Return the same messages as the bytes that `json_v1.encode` makes of them, without the objects between."""
        made: list[Emission] = []
        for group, seqs in zip(self.groups, self.seqs, strict=True):
            topic = topics.reading(self.station, *self.units[group.unit])
            tags, boot = group.tags, self.boot
            for at_ms, seq, (t_ms, row, quality) in zip(group.at_ms.tolist(), seqs, group.rows(), strict=True):
                body: dict[str, Any] = {"t": t_ms, "boot": boot, "seq": seq, "v": dict(zip(tags, row, strict=True))}
                if quality:
                    body["q"] = quality
                made.append((at_ms, topic, _encode(body), seq))
        return [made[place] for place in self.order]


def with_oldest(payload: bytes, seq: int) -> bytes:
    """Return a payload that also says the lowest number still held: what came before it is lost for good."""
    return payload[:-1] + b',"oldest":%d}' % seq


def numbered(
    station: str,
    boot: str,
    units: Sequence[UnitKey],
    groups: Sequence[SampledGroup],
    next_seqs: npt.NDArray[np.int64],
    ahead_ms: Callable[[npt.NDArray[np.intp], Times], Times],
) -> SampledBlock:
    """Return a block with its messages in order, each unit's counted on by one, each with its gateway's time.

    Args:
        station: Station id.
        boot: Identity of the devices' run.
        units: The plant's units in order.
        groups: The messages, in any order, with their true times; no unit twice at one time.
        next_seqs: The last number given out of each unit; counted on in place.
        ahead_ms: (unit, true time) of each message -> by how much its gateway's clock is ahead.
    """
    if not groups:
        return SampledBlock(station, boot, units, (), (), ())
    sizes = [len(group.at_ms) for group in groups]
    at_ms = np.concatenate([group.at_ms for group in groups])
    unit = np.repeat([group.unit for group in groups], sizes)
    order = np.lexsort((unit, at_ms))
    by_unit = order[np.argsort(unit[order], kind="stable")]
    counts = np.bincount(unit, minlength=len(units))
    firsts = np.cumsum(counts) - counts
    seqs = np.empty(len(at_ms), dtype=np.int64)
    units_in_line = unit[by_unit]
    seqs[by_unit] = next_seqs[units_in_line] + 1 + np.arange(len(at_ms)) - firsts[units_in_line]
    next_seqs += counts
    cuts = np.cumsum(sizes)[:-1]
    said = np.split(at_ms + ahead_ms(unit, at_ms), cuts)
    told = [
        SampledGroup(group.unit, group.tags, t_ms, group.columns, group.at_ms, group.quality)
        for group, t_ms in zip(groups, said, strict=True)
    ]
    return SampledBlock(station, boot, units, told, [part.tolist() for part in np.split(seqs, cuts)], order.tolist())
