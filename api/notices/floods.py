"""Too many at once: what is not critical is held for a minute and told together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from station.domain.notice_routes import NoticePlan, Route

T = TypeVar("T")
_FLUSH_MS: Final = 60_000
"""In a flood one notice a minute carries what came in it."""


@dataclass
class Floods(Generic[T]):
    """Counts what each station has to tell, by kind, and holds what comes too fast.

    Attributes:
        plan: Says from how many on, and within which time, it is a flood.
        wall_ms: Wall time, epoch ms.
    """

    plan: NoticePlan
    wall_ms: Callable[[], int]
    _recent: dict[tuple[str, str], deque[int]] = field(default_factory=dict)
    _held: dict[tuple[str, str, str], list[T]] = field(default_factory=dict)
    _flush_ms: int = 0

    def are_on(self, station: str, kind: str) -> bool:
        """Count one of a kind, and return whether there are too many to tell each by itself."""
        now_ms = self.wall_ms()
        recent = self._recent.setdefault((station, kind), deque())
        recent.append(now_ms)
        window_ms = round(self.plan.flood_window.total_seconds() * 1000)
        while recent[0] < now_ms - window_ms:
            recent.popleft()
        return len(recent) > self.plan.flood_from

    def hold(self, station: str, kind: str, routes: list[Route], what: T) -> None:
        """Keep one for the next notice that tells many."""
        for route in routes:
            self._held.setdefault((station, kind, route.name), []).append(what)

    def drop(self, is_it: Callable[[T], bool]) -> None:
        """Forget what is held and is not to be told any more."""
        for key, held in self._held.items():
            self._held[key] = [one for one in held if not is_it(one)]

    def flush(self) -> list[tuple[str, str, str, list[T]]]:
        """Return (station, kind, route, what was held) once a minute."""
        now_ms = self.wall_ms()
        if not self._held or now_ms < self._flush_ms:
            return []
        self._flush_ms = now_ms + _FLUSH_MS
        held, self._held = self._held, {}
        return [(*key, many) for key, many in held.items() if many]
