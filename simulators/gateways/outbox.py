"""The outbox: what the gateways keep until it is known to be stored, and send again after the broker was away.

A broker's acknowledgement ends with its memory; the retained watermark of the ingest does not. So what lies above
the watermark is kept, bounded, and sent once more after each reconnect (contract, section 3). Where it is kept is up to
a `Keeping`: memory, or the disk (`simulators.gateways.durable_outbox`), which a death of this process does not empty.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from simulators.measuring.sampled import Emission, with_oldest
from station.errors import PayloadError
from station.wire import topics
from station.wire.plan_v1 import parse_watermark

KEPT_MOST: Final = 2000
"""Messages of each unit kept in memory: half an hour of one that speaks each second; 25 MB for 51 units."""
_FIRST_LOOK_S: Final = 10.0
_LAST_LOOK_S: Final = 300.0

Numbering = tuple[str, str]
"""(boot, topic): the messages of one unit in one run of its gateway, which are counted from 1."""
Held = tuple[str, Emission]
"""(boot, message)."""
Outgoing = tuple[str, bytes]
"""(topic, payload)."""


class Keeping(Protocol):
    """Where messages wait; for one thread."""

    def add(self, emissions: list[Emission]) -> None:
        """Keep messages of the present run."""
        ...

    def settle(self, numbering: Numbering, seq: int) -> None:
        """Let go of what is stored: all up to a number."""
        ...

    def highest(self) -> Mapping[Numbering, int]:
        """Return the highest number kept of each."""
        ...

    def held(self) -> Iterator[Held]:
        """Yield all that is kept: run by run, in each by time; what is settled may still be among it."""
        ...

    def earlier(self) -> AbstractSet[str]:
        """Return the boots of earlier runs of which something is kept."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Outbox:
    """Messages above the watermark, unit by unit, of one station or of several.

    Args:
        boots: The present run of each station, by its id.
        keeping: Where messages wait; memory without one.
    """

    def __init__(self, boots: Mapping[str, str], keeping: Keeping | None = None) -> None:
        self._boots = set(boots.values())
        self._keeping = keeping if keeping is not None else MemoryKeeping(boots)
        self._prefixes = {f"{topics.ROOT}/{station}/stored/": f"{topics.ROOT}/{station}/" for station in boots}
        self._stored: dict[Numbering, int] = {}
        self._look_at_s: float | None = None
        self._look_after_s = _FIRST_LOOK_S
        self._looked: dict[Numbering, int] = {}
        self.keep = self._keeping.add
        """Keep readings that are being sent."""

    def __len__(self) -> int:
        return sum(1 for (boot, emission) in self._keeping.held() if emission[3] > self._settled(boot, emission[1]))

    @property
    def has_earlier(self) -> bool:
        """True where something of a run before this one is kept."""
        return bool(self._keeping.earlier())

    def take_watermark(self, topic: str, payload: bytes) -> None:
        """Let go of what a watermark says is settled; a payload that is none says nothing."""
        reading = self._reading(topic)
        if reading is None:
            return
        try:
            mark = parse_watermark(payload)
        except PayloadError:
            return
        if mark.boot in self._boots or mark.boot in self._keeping.earlier():
            numbering = (mark.boot, reading)
            self._stored[numbering] = mark.seq
            self._keeping.settle(numbering, mark.seq)

    def _reading(self, topic: str) -> str | None:
        """Return the topic of the readings that a watermark's topic is about."""
        head, word, unit = topic.partition("/stored/")
        prefix = self._prefixes.get(f"{head}{word}")
        return None if prefix is None else prefix + unit

    def of_earlier_runs(self) -> Iterator[Outgoing]:
        """Yield what earlier runs left above their watermarks, to be sent before anything of the present one."""
        earlier = self._keeping.earlier()
        return self._again({numbering for numbering in self._keeping.highest() if numbering[0] in earlier})

    def after_reconnect(self, now_s: float) -> Iterator[Outgoing]:
        """Return what to send again now that the broker is back, oldest first.

        Nothing where no watermark was ever seen: then the broker's acknowledgement is all there is.
        """
        if not self._stored:
            return iter(())
        self._look_after_s = _FIRST_LOOK_S
        return self._look(set(self._keeping.highest()), now_s)

    def overdue(self, now_s: float) -> Iterator[Outgoing]:
        """Return what to send once more: units whose watermark has not moved since the last time.

        The ingest may have come back to the broker later than we did. Looks come ever more rarely, as a store that is
        away moves no watermark either.
        """
        if self._look_at_s is None or now_s < self._look_at_s:
            return iter(())
        stuck = {numbering for numbering, settled in self._looked.items() if self._settled(*numbering) == settled}
        self._look_after_s = min(_LAST_LOOK_S, 2.0 * self._look_after_s)
        return self._look(stuck, now_s)

    def close(self) -> None:
        """Let go of files; what is above the watermark stays in them."""
        self._keeping.close()

    def _settled(self, boot: str, topic: str) -> int:
        return self._stored.get((boot, topic), 0)

    def _look(self, numberings: set[Numbering], now_s: float) -> Iterator[Outgoing]:
        highest = self._keeping.highest()
        self._looked = {one: settled for one in numberings if highest.get(one, 0) > (settled := self._settled(*one))}
        self._look_at_s = now_s + self._look_after_s if self._looked else None
        return self._again(set(self._looked))

    def _again(self, wanted: set[Numbering]) -> Iterator[Outgoing]:
        """Yield what is above the watermark of each, and say of the first where it is not the next one."""
        begun: set[Numbering] = set()
        for boot, (_, topic, payload, seq) in self._keeping.held() if wanted else ():
            numbering = (boot, topic)
            settled = self._settled(boot, topic)
            if numbering not in wanted or seq <= settled:
                continue
            missing = numbering not in begun and seq > settled + 1
            begun.add(numbering)
            yield topic, with_oldest(payload, seq) if missing else payload


class MemoryKeeping:
    """Keeps messages in memory: enough for a broker that goes and comes back.

    Args:
        boots: The present run of each station, by its id.
        kept_most: Messages kept of each unit.
    """

    def __init__(self, boots: Mapping[str, str], kept_most: int = KEPT_MOST) -> None:
        self._boots = boots
        self._kept_most = kept_most
        self._kept: dict[str, deque[Emission]] = {}

    def add(self, emissions: list[Emission]) -> None:
        """Keep messages; of each unit the oldest are forgotten beyond the bound."""
        boxes = self._kept
        for emission in emissions:
            box = boxes.get(emission[1])
            if box is None:
                box = boxes[emission[1]] = deque(maxlen=self._kept_most)
            box.append(emission)

    def settle(self, numbering: Numbering, seq: int) -> None:
        """Forget what is stored."""
        box = self._kept.get(numbering[1])
        while box and box[0][3] <= seq:
            box.popleft()

    def highest(self) -> Mapping[Numbering, int]:
        """Return the highest number kept of each unit."""
        return {(self._boot(topic), topic): box[-1][3] for topic, box in self._kept.items() if box}

    def held(self) -> Iterator[Held]:
        """Yield all in the order of time."""
        boxes = [list(box) for box in self._kept.values()]
        for emission in heapq.merge(*boxes, key=_place):
            yield self._boot(emission[1]), emission

    def earlier(self) -> AbstractSet[str]:
        """Memory knows no earlier runs."""
        return frozenset()

    def close(self) -> None:
        """Memory holds no files."""

    def _boot(self, topic: str) -> str:
        return self._boots[topic.split("/", 3)[2]]


def _place(emission: Emission) -> tuple[int, str]:
    return emission[0], emission[1]
