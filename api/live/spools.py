"""What the ingests of a station say of their spools (retained, each 10 s)."""

from __future__ import annotations

from typing import Final

from station.wire.plan_v1 import IngestWord

_FRESH_MS: Final = 60_000
"""An older word is of an ingest that has gone; that its messages are missing is told by other alarms."""
_KEPT_MOST: Final = 64


class Spools:
    """Name of an ingest -> its last word."""

    def __init__(self) -> None:
        self._words: dict[str, IngestWord] = {}

    def update(self, worker: str, word: IngestWord) -> None:
        """Take a word."""
        if len(self._words) >= _KEPT_MOST:
            self._words.pop(min(self._words, key=lambda name: self._words[name].t_ms))
        self._words[worker] = word

    def fullest(self, wall_ms: int) -> float | None:
        """Return the fullness of the fullest, 0 to 1; None where no ingest has said anything of late."""
        words = list(self._words.values())  # a copy at once: words come in another thread
        return max((word.spool for word in words if wall_ms - word.t_ms < _FRESH_MS), default=None)
