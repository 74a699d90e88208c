"""Ports of notices: where they are kept, and who hands them to a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice on its way to one target, as it is kept. Times are wall time, epoch ms.

    Attributes:
        occurrence: Of the alarm; of a flood or a test its own name.
        kind: `raised|worse|cleared|escalated|flood|test`.
        due_ms, give_up_ms: When it is tried next, and after when no more.
        state: `waiting|sent|given-up`.
        body: What is told, JSON.
        number: Given by the book; 0 before.
    """

    station: str
    alarm_id: str
    occurrence: str
    priority: str
    kind: str
    route: str
    target: str
    created_ms: int
    due_ms: int
    give_up_ms: int
    body: str
    state: str = "waiting"
    tries: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class NoticeTry:
    """One try of a notice: how it went, and whether the target may have had it before."""

    notice: int
    at_ms: int
    took_ms: int
    ok: bool
    duplicate: bool
    answer: str


class NoticeBook(Protocol):
    """Where notices and their tries are kept. May raise JournalUnavailableError."""

    def add(self, rows: Sequence[NoticeRow]) -> None:
        """Commit new notices."""
        ...

    def due(self, target: str, now_ms: int, limit: int = 20) -> list[NoticeRow]:
        """Return a target's notices that wait and are due, the most urgent first, then the oldest."""
        ...

    def settle(self, tried: NoticeTry, state: str, due_ms: int) -> None:
        """Commit a try and what became of its notice."""
        ...

    def told(self, station: str, occurrence: str) -> list[NoticeRow]:
        """Return the notices of an occurrence."""
        ...

    def since(self, station: str, created_ms: int) -> list[NoticeRow]:
        """Return the notices made from a time on, tests left out; bodies only of those that tell many alarms."""
        ...

    def waiting(self) -> tuple[int, int | None]:
        """Return how many wait, and since when the oldest does (epoch ms)."""
        ...

    def range(
        self, station: str, start_ms: int, end_ms: int, limit: int = 1000, before: int | None = None
    ) -> list[tuple[NoticeRow, list[NoticeTry]]]:
        """Return notices made in [start, end), newest first, below a number, each with its tries."""
        ...


class NoticeSender(Protocol):
    """Hands notices to one target."""

    def send(self, row: NoticeRow, *, duplicate: bool) -> str:
        """Deliver one and return what the target said.

        Args:
            row: The notice.
            duplicate: The target may have had it before; it is marked so.

        Raises:
            NoticeFailedError: It was not delivered, or nobody knows whether it was.
        """
        ...
