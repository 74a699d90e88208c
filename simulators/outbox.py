"""The outbox: what a gateway keeps until it is known to be stored, and sends again after the broker was away.

A broker's acknowledgement ends with its memory; the retained watermark of the ingest does not. So what lies above
the watermark is kept, bounded, and sent once more after each reconnect (contract, section 3).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from simulators.sampled import Emission
from station.errors import PayloadError
from station.wire import topics
from station.wire.plan_v1 import parse_watermark

KEPT_MOST: Final = 2000
"""Messages kept of each unit: half an hour of a unit that speaks each second; 25 MB for a station of 51 units."""
_FIRST_LOOK_S: Final = 10.0
_LAST_LOOK_S: Final = 300.0


class Outbox:
    """Messages above the watermark, unit by unit.

    Args:
        station: Station id.
        boot: The run whose messages these are; a watermark of another says nothing of them.
        kept_most: Of each unit.
    """

    def __init__(self, station: str, boot: str, kept_most: int = KEPT_MOST) -> None:
        self._boot = boot
        self._kept_most = kept_most
        self._kept: dict[str, deque[Emission]] = {}
        self._stored_prefix = f"{topics.ROOT}/{station}/stored/"
        self._reading_prefix = f"{topics.ROOT}/{station}/"
        self._stored: dict[str, int] = {}
        self._look_at_s: float | None = None
        self._look_after_s = _FIRST_LOOK_S
        self._heads: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._kept.values())

    def keep(self, emissions: list[Emission]) -> None:
        """Keep readings that are being sent."""
        boxes = self._kept
        for emission in emissions:
            box = boxes.get(emission[1])
            if box is None:
                box = boxes[emission[1]] = deque(maxlen=self._kept_most)
            box.append(emission)

    def take_watermark(self, topic: str, payload: bytes) -> None:
        """Let go of what a watermark says is settled; a payload that is none says nothing."""
        if not topic.startswith(self._stored_prefix):
            return
        try:
            mark = parse_watermark(payload)
        except PayloadError:
            return
        if mark.boot != self._boot:
            return
        reading = self._reading_prefix + topic.removeprefix(self._stored_prefix)
        self._stored[reading] = mark.seq
        box = self._kept.get(reading)
        while box and box[0][3] <= mark.seq:
            box.popleft()

    def after_reconnect(self, now_s: float) -> list[tuple[str, bytes]]:
        """Return what to send again now that the broker is back, oldest first.

        Nothing where no watermark of this run was ever seen: then the broker's acknowledgement is all there is.
        """
        if not self._stored:
            return []
        self._look_after_s = _FIRST_LOOK_S
        return self._again(set(self._kept), now_s)

    def overdue(self, now_s: float) -> list[tuple[str, bytes]]:
        """Return what to send once more: units whose watermark has not moved since the last time.

        The ingest may have come back to the broker later than we did. Looks come ever more rarely, as a store that is
        away moves no watermark either.
        """
        if self._look_at_s is None or now_s < self._look_at_s:
            return []
        stuck = {topic for topic, head in self._heads.items() if (box := self._kept[topic]) and box[0][3] == head}
        self._look_after_s = min(_LAST_LOOK_S, 2.0 * self._look_after_s)
        return self._again(stuck, now_s)

    def _again(self, reading_topics: set[str], now_s: float) -> list[tuple[str, bytes]]:
        self._heads = {topic: self._kept[topic][0][3] for topic in reading_topics if self._kept[topic]}
        self._look_at_s = now_s + self._look_after_s if self._heads else None
        kept = [emission for topic in self._heads for emission in self._kept[topic]]
        kept.sort(key=lambda emission: (emission[0], emission[1]))
        firsts = {(topic, head) for topic, head in self._heads.items() if head > self._stored.get(topic, 0) + 1}
        return [
            (topic, with_oldest(payload, seq) if (topic, seq) in firsts else payload) for _, topic, payload, seq in kept
        ]


def with_oldest(payload: bytes, seq: int) -> bytes:
    """Return a payload that also says the lowest number still held: what came before it is lost for good."""
    return payload[:-1] + b',"oldest":%d}' % seq
