"""What the live core writes elsewhere: points for the store, forecasts for their history. Bounded; the newest win."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import structlog

from station.errors import FinalError, TransientError

T = TypeVar("T")
_MOST_WAITING: Final = 20_000
"""Alarm changes and forecasts: days of a normal station, and about 10 MB."""
_BATCH: Final = 500
_log = structlog.get_logger(__name__)


class Outbox(Generic[T]):
    """Things on their way to a place that may be away. Putting never waits and never fails.

    Args:
        name: For the log.
        send: Delivers a batch; may raise TransientError (tried again) or FinalError (set aside and counted).
        most: How many may wait; beyond it the oldest go.
    """

    def __init__(self, name: str, send: Callable[[Sequence[T]], None], most: int = _MOST_WAITING) -> None:
        self.name = name
        self._send = send
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[T] = deque()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, thing: T) -> None:
        """Add one; from any thread."""
        with self._lock:
            self._waiting.append(thing)
            if len(self._waiting) > self._most:
                self._waiting.popleft()
                self.dropped += 1

    def put_all(self, things: Sequence[T]) -> None:
        """Add some, in their order; from any thread."""
        for thing in things:
            self.put(thing)

    def deliver(self) -> bool:
        """Send what waits; returns False where the place is away and it should be tried again later."""
        while batch := self._next_batch():
            try:
                self._send(batch)
            except TransientError as error:
                _log.warning("delivery put off", outbox=self.name, waiting=self.waiting + len(batch), error=str(error))
                self._put_back(batch)
                return False
            except FinalError as error:
                self.dropped += len(batch)
                _log.error("delivery refused for good", outbox=self.name, lost=len(batch), error=str(error))
        return True

    def _next_batch(self) -> list[T]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]

    def _put_back(self, batch: list[T]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(batch))
            while len(self._waiting) > self._most:
                self._waiting.popleft()
                self.dropped += 1
