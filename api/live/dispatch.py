"""One feed, several stations: each message goes to the station that its topic names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from api.live.station import LiveStation
from station.wire import topics

LIVE_FILTERS: Final = (
    f"{topics.ROOT}/+/clock",
    f"{topics.ROOT}/+/gateway/+",
    f"{topics.ROOT}/+/plan/+",
    f"{topics.ROOT}/+/queue/gate",
    topics.ingest("+", "+"),
    *topics.READING_FILTERS,
)
"""What the live core subscribes; the clock first, so that its retained word precedes the first reading."""


class Dispatch:
    """Takes the batches of a feed.

    Args:
        stations: Station id -> its live core; messages of other stations are counted and let go.
    """

    def __init__(self, stations: Mapping[str, LiveStation]) -> None:
        self._stations = stations
        self.unknown = 0

    def on_messages(self, batch: Sequence[tuple[str, bytes]]) -> None:
        """Hand each station its part of a batch, in the order sent."""
        if len(self._stations) == 1:
            self._all_to_one(batch)
            return
        parts: dict[str, list[tuple[str, bytes]]] = {}
        for message in batch:
            parts.setdefault(_station_of(message[0]), []).append(message)
        for station, part in parts.items():
            live = self._stations.get(station)
            if live is not None:
                live.on_messages(part)
            elif not topics.is_replay(station):
                self.unknown += len(part)

    def tick(self) -> None:
        """Let time pass in every station."""
        for live in self._stations.values():
            live.tick()

    def _all_to_one(self, batch: Sequence[tuple[str, bytes]]) -> None:
        ((station, live),) = self._stations.items()
        start = f"{topics.ROOT}/{station}/"
        own = [message for message in batch if message[0].startswith(start)]
        self.unknown += sum(1 for topic, _ in batch if not topic.startswith(start) and topics.REPLAY_MARK not in topic)
        live.on_messages(own)


def _station_of(topic: str) -> str:
    parts = topic.split("/", 3)
    return parts[2] if len(parts) > 3 else ""
